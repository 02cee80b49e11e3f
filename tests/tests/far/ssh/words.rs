//! What is said when another machine cannot be read, and what is refused.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use highwater_core::wire::{Hello, Limits, VERSION, framed};
use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Specimen as _};

use super::machine::Machine;
use crate::both::Both as _;

/// No run may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

fn machine() -> Machine {
    let machine = Machine::new();
    machine.lay(&specimens::repozo::Repozo.small().files);
    machine
}

#[test]
fn why_a_machine_cannot_be_read_is_said() {
    let machine = machine();
    let far = machine.far();
    for (variable, value, word) in [
        ("HIGHWATER_FAR", "/nowhere/highwater", "exit code 127"),
        ("HIGHWATER_FAR", "echo Welcome; false", "began with 'Welcome"),
        ("HIGHWATER_FAR", "exit 255;", "it could not connect"),
        ("HIGHWATER_FAR", "exit 2;", "of another version"),
        ("HIGHWATER_FAR", "true", "ended before its time"),
        ("HIGHWATER_SSH", "/nowhere/ssh", "cannot be run"),
        ("HIGHWATER_SSH", " ", "names no command"),
        ("HIGHWATER_SSH_STALL", "soon", "no number of seconds"),
    ] {
        for verb in ["list", "verify"] {
            let words = [OsStr::new(verb), far.as_os_str()];
            let run = Run::of(machine.command(&words).env(variable, value));
            assert!([2, 4].contains(&run.code) && run.stderr.contains(word), "{value}: {}", run.account());
        }
    }
    let elsewhere = format!(
        "{} serve --read-only /; :",
        super::machine::quoted(&[highwater_tests::binary::highwater().as_os_str()])
    );
    let run = Run::of(machine.command(&["list".as_ref(), far.as_os_str()]).env("HIGHWATER_FAR", elsewhere));
    run.expect(4).says("serves '/' and nothing else");
}

/// What a shell there prints first is told at once, however long it is, and also where it comes in one piece with the
/// hello behind it.
#[test]
fn what_a_shell_prints_before_is_told() {
    let machine = machine();
    let (far, file) = (machine.far(), machine.scratch.path().join("said"));
    let hello = Hello {
        protocol: VERSION,
        program: "1".to_owned(),
        root: machine.near().into_os_string().into_encoded_bytes(),
        is_it: true,
        limits: Limits { handles: 1, under_way: 1 },
    };
    for length in [0, 1, 5, 19, 20, 21, 300] {
        let banner = "w".repeat(length);
        for follows in [true, false] {
            // What is that short may begin a hello, as long as nothing follows.
            if !follows && length < 3 {
                continue;
            }
            let behind = if follows { framed(&hello.encode()) } else { Vec::new() };
            fs::write(&file, [banner.as_bytes(), b"\n", &behind].concat()).expect("a file");
            let says = format!("cat '{}'; exec cat >/dev/null #", file.display());
            let mut command = machine.command(&["list".as_ref(), far.as_os_str()]);
            let run = Run::within(PATIENCE, command.env("HIGHWATER_FAR", says).env("HIGHWATER_SSH_STALL", "3600"));
            let shown = if length < 200 { format!("{banner}\\n") } else { format!("{}'", "w".repeat(200)) };
            run.expect(4).says(&format!("the far end began with '{shown}")).says("nothing there may print");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let machine = machine();
    for (root, word) in
        [("ssh://-oProxyCommand=x/a", "no host"), ("ssh://host", "names no folder"), ("ssh:///x", "no host")]
    {
        for verb in ["verify", "list", "show", "strays"] {
            machine.run(&[verb], Path::new(root), &[]).expect(2).says(word);
        }
    }
    let far = machine.far();
    machine.run(&["verify", "--follow-links"], &far, &[]).expect(2).says("--follow-links");
    machine.run(&["verify", "--mmap"], &far, &[]).expect(2).says("not read or written in this way");
    machine.run(&["prune", "--keep-last=1"], &far, &[]).expect(2).says("only read");
    machine.run(&["heal"], &far, &[OsStr::new("--from"), machine.near().as_os_str()]).expect(2).says("only read");
}

/// A far end follows no link out of what it serves, and nobody is told to ask for that.
#[test]
fn a_link_that_leads_out_of_what_is_served_is_named() {
    let machine = Machine::new();
    machine.lay(&specimens::tree::Tree.small().files);
    let (points, elsewhere) = (machine.near().join("points"), machine.scratch.path().join("elsewhere"));
    fs::rename(&points, &elsewhere).expect("it is moved");
    symlink(&elsewhere, &points).expect("a link");
    for verb in ["list", "verify"] {
        let run = machine.run(&[verb], &machine.far(), &[]);
        assert!([3, 4].contains(&run.code), "{}", run.account());
        let said = format!("{}{}", run.text(), run.stderr);
        assert!(said.contains("'points' is a link to"), "{said}");
        assert!(said.contains("lies outside of what is served") && !said.contains("--follow-links"), "{said}");
    }
    // Here, that is what helps.
    let run = machine.run(&["list"], &machine.near(), &[]);
    assert!(run.stderr.contains("allow it with --follow-links"), "{}", run.account());
    machine.run(&["list", "--follow-links"], &machine.near(), &[]).expect(0);
}

#[test]
fn one_machine_that_cannot_be_read_hides_no_other_root() {
    let machine = machine();
    let nowhere = machine.far().with_file_name("nowhere");
    let run = machine.run(&["verify"], &machine.near(), &[nowhere.as_os_str()]);
    run.expect(3).prints("See that host, folder and key are right");
}
