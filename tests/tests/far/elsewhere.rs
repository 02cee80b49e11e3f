//! Roots that lie elsewhere, named where a command takes only what lies on this machine: each is a mistake of the
//! command line, and the sentence names it as it was typed.

use std::ffi::OsStr;
use std::fs;

use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Specimen as _};

use crate::both::Both as _;
use crate::roots::Roots;

#[test]
fn what_is_not_reached_in_this_way_is_a_mistake_of_the_command_line() {
    let roots = Roots::new();
    roots.lay(&specimens::tree::Tree.small().files);
    let scratch = roots.near().with_file_name("folder");
    fs::create_dir(&scratch).expect("a folder");
    fs::write(scratch.join("file"), b"some").expect("a file");
    let near = |name: &str| roots.near().with_file_name(name).display().to_string();
    let (set, folder, new) = (near("set"), near("folder"), near("new"));
    for far in ["s3://nowhere-1/x", "ssh://somebody@nowhere/srv/x"] {
        let option = |name: &str| format!("{name}={far}");
        let [json, events, prometheus, junit] = ["--json", "--events", "--prometheus", "--junit"].map(option);
        let table: &[&[&str]] = &[
            &["restore", &set, far],
            &["restore", "--full", &set, far],
            &["checkpoint", far, &new],
            &["checkpoint", &folder, far],
            &["replicate", "--checkpoint", &folder, far],
            &["export", "-o", far, &set],
            &["backup", far, &set],
            &["backup", far, far],
            &["verify", &json, &set],
            &["verify", &events, &set],
            &["verify", &prometheus, &set],
            &["verify", &junit, &set],
            &["verify", "--mmap", far],
            &["prune", "--keep-last=1", far],
            &["heal", far, "--from", &set],
            &["mark", far],
            &["mirror", "status", far],
            &["mirror", "sync", "s3://inventories/a/b/", far],
            &["mirror", "prune", far, "--older-than", "1y"],
            &["mirror", "rollback", far, "--to", "latest"],
            &["mirror", "fetch", far],
            &["mirror", "apply", far],
            &["mirror", "discard", far],
            &["serve", "--read-only", far],
            &["serve", "--checkpoint", far],
        ];
        for words in table {
            let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
            let mut command = roots.command(&words);
            // Nobody is asked.
            let run = Run::of(command.env("HIGHWATER_SSH", "false").current_dir(&scratch));
            run.expect(2).says(far);
            assert!(
                run.stderr.contains("lies in a bucket") || run.stderr.contains("lies on another machine"),
                "{run:?}"
            );
        }
    }
    assert_eq!(roots.server.requests(), 0);
    let left: Vec<_> = fs::read_dir(&scratch).expect("a folder").map(|entry| entry.expect("it").file_name()).collect();
    assert_eq!(left, ["file"], "nothing is made of such a name");
}

/// A bucket that is not there keeps any run from its beginning.
#[test]
fn a_bucket_that_is_not_there_is_no_place_for_a_set() {
    let roots = Roots::new();
    roots.lay(&specimens::tree::Tree.small().files);
    let (set, far) = (roots.near(), OsStr::new("s3://nowhere-1/x"));
    let source = set.with_file_name("folder");
    fs::create_dir(&source).expect("a folder");
    for (verb, from) in [("replicate", &set), ("backup", &source)] {
        let run = Run::of(&mut roots.command(&[verb.as_ref(), from.as_os_str(), far]));
        run.expect(4).says("s3://nowhere-1/x").says("there is no such bucket");
    }
}
