//! Either end dies at every message, and a far end answers nonsense: nothing is damaged, and a rerun ends equal.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::{self, Specimen as _};

use super::machine::Machine;
use crate::both::Both as _;

/// No run may take longer, whatever the other end does.
const PATIENCE: Duration = Duration::from_secs(30);

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.is_file() {
                all.push((path.clone(), fs::read(&path).expect("a file")));
            }
        }
    }
    all.sort();
    all
}

fn without(root: &Path, files: Vec<(PathBuf, Vec<u8>)>) -> Vec<(PathBuf, Vec<u8>)> {
    files.into_iter().map(|(path, bytes)| (path.strip_prefix(root).expect("below").to_owned(), bytes)).collect()
}

/// A sound set of points of a folder, and what its newest point restores to.
fn set(machine: &Machine) -> Vec<(PathBuf, Vec<u8>)> {
    let (source, set) = (machine.scratch.path().join("source"), machine.near());
    for number in 0..12 {
        let folder = source.join(format!("{}", number % 3));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("{number}")), vec![number; 20_000 * usize::from(number)]).expect("a file");
    }
    fs::create_dir(&set).expect("a folder");
    machine.run(&["backup"], &source, &[set.as_os_str()]).expect(0);
    without(&source, files(&source))
}

#[test]
fn either_end_dies_at_every_message() {
    let mut machine = Machine::new();
    let expected = set(&machine);
    let target = machine.scratch.path().join("target");
    let mut score = Score::new("far roots: killed");
    // Of a message that is under way, some bytes went already.
    let ways = [
        ("cut near", " 0"),
        ("cut far", " 0"),
        ("cut near", " 3"),
        ("cut near", " 9"),
        ("kill near", ""),
        ("kill far", ""),
    ];
    for (how, into) in ways {
        let mut ended = false;
        for number in 0..size(60, 400) {
            let far = machine.far();
            machine.by(format!("{how} {number}{into}"));
            let run = machine.run(&["restore", "--full"], &far, &[target.as_os_str()]);
            if run.code == 0 {
                // It was over before.
                ended = true;
                break;
            }
            score.ran(1);
            let killed = how.starts_with("kill") && run.code == -1;
            let told = [3, 4].contains(&run.code) && run.stderr.contains("the line broke");
            if !(killed || told) || run.stderr.contains("panicked") {
                score.fail(format!("{how} {number}{into}: {}", run.account()));
            }
            machine.by("count /dev/null");
            let again = machine.run(&["restore", "--full"], &far, &[target.as_os_str()]);
            if again.code != 0 || without(&target, files(&target)) != expected {
                score.fail(format!("{how} {number}{into}, and again: {}", again.account()));
            }
            fs::remove_dir_all(&target).expect("a folder");
        }
        assert!(ended, "{how}{into}: there are more messages than were tried");
        fs::remove_dir_all(&target).expect("a folder");
    }
    score.end();
}

/// Whatever is cut while it is verified, nothing is called damaged, and nothing sound that was not read.
#[test]
fn a_verification_that_is_cut_off_finds_no_damage() {
    let mut machine = Machine::new();
    set(&machine);
    let far = machine.far();
    for options in [&["verify", "--json"][..], &["verify", "--json", "--here"]] {
        let mut codes = Vec::new();
        for number in 0..60 {
            machine.by(format!("cut near {number} 0"));
            let run = machine.run(options, &far, &[]);
            codes.push(run.code);
            if run.code == 0 {
                break;
            }
            assert!([3, 4].contains(&run.code) && !run.text().contains("\"damaged\""), "{number}: {}", run.account());
        }
        assert_eq!(codes.last(), Some(&0), "{codes:?}");
    }
}

#[test]
fn a_far_end_that_answers_nonsense_does_no_harm() {
    let mut machine = Machine::new();
    machine.lay(&specimens::repozo::Repozo.small().files);
    let far = machine.far();
    let mut score = Score::new("far roots: nonsense");
    let mut codes = std::collections::BTreeMap::new();
    for seed in 0..size(150, 20_000) {
        machine.by(format!("garble {seed}"));
        let words: &[&str] = [&["verify", "--here"][..], &["verify"], &["list"], &["strays"]][(seed % 4) as usize];
        let mut command = machine.command(&words.iter().map(OsStr::new).chain([far.as_os_str()]).collect::<Vec<_>>());
        let run = Run::within(PATIENCE, command.env("HIGHWATER_SSH_STALL", "1"));
        score.ran(1);
        *codes.entry(run.code).or_insert(0) += 1;
        if ![0, 1, 2, 3, 4].contains(&run.code) || run.stderr.contains("panicked") {
            score.fail(format!("seed {seed}: {}", run.account()));
        }
    }
    assert!(codes.keys().any(|code| [3, 4].contains(code)), "{codes:?}");
    score.end();
}

#[test]
fn a_silent_far_end_is_given_up() {
    let machine = Machine::new();
    machine.lay(&specimens::repozo::Repozo.small().files);
    let far = machine.far();
    let mut command = machine.command(&["list".as_ref(), far.as_os_str()]);
    let ssh = "sh -c 'exec sleep 1000' -";
    let run = Run::within(PATIENCE, command.env("HIGHWATER_SSH", ssh).env("HIGHWATER_SSH_STALL", "1"));
    run.expect(4).says("nothing came from the far end for 1 s");
    // One that falls silent in the midst of it.
    let mut machine = machine;
    for number in 1..4 {
        machine.by(format!("hold near {number} 2"));
        for verb in [&["verify", "--here", "--json"][..], &["verify", "--json"], &["list"]] {
            let words: Vec<&OsStr> = verb.iter().map(OsStr::new).chain([far.as_os_str()]).collect();
            let run = Run::within(PATIENCE, machine.command(&words).env("HIGHWATER_SSH_STALL", "1"));
            assert!([0, 3, 4].contains(&run.code) && !run.text().contains("\"damaged\""), "{}", run.account());
            assert!(run.code == 0 || run.stderr.contains("nothing came") || run.text().contains("nothing came"));
        }
    }
}
