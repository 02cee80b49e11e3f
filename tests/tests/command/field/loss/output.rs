//! What cannot be printed is no success, and what cannot be said on standard error stops nothing.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::repository::data_files;
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

/// Runs a command line of a shell, in which `$0` is the program and `$1` and `$2` are source and repository.
fn shell(fixture: &Fixture, line: &str) -> Run {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {line}")]).arg(highwater()).args([&fixture.source, &fixture.repo]);
    Run::of(command.current_dir(fixture.path("")).env("HIGHWATER_NOW", fixture.clock.stamp()))
}

/// Each verb, with what it ends with when its output cannot be written, and when its reader went away.
const PRINTING: [(&str, i32, i32); 22] = [
    ("backup -v $1 $2", 3, 0),
    ("backup --dry-run $1 $2", 3, 0),
    ("restore $2 -", 3, 3),
    ("restore $2 out.fs", 3, 0),
    ("restore --dry-run $2 -", 3, 0),
    ("verify $2", 3, 0),
    ("verify --json $2", 3, 0),
    ("verify --junit - $2", 3, 0),
    ("list $2", 3, 0),
    ("list --json $2", 3, 0),
    ("show $2", 3, 0),
    ("show --json $2", 3, 0),
    ("mark $2", 3, 0),
    ("explain", 3, 0),
    ("explain HW103", 3, 0),
    ("completions bash", 3, 0),
    ("man", 3, 0),
    ("--help", 3, 0),
    ("backup --help", 3, 0),
    ("--version", 3, 0),
    ("repozo -h", 1, 0),
    ("repozo -R -r $2", 1, 1),
];

#[test]
fn a_result_that_cannot_be_printed_is_no_success() {
    let mut score = Score::part(LINE, "standard output closed, full or left");
    let (fixture, _) = Fixture::with_chain();
    for (verb, unwritten, left) in PRINTING {
        for (to, code) in [(">/dev/full", unwritten), (">&-", unwritten), (">&4", left), ("> said", 0)] {
            // The fourth is a pipe of which the reader has gone.
            let pipe = "rm -f pipe; mkfifo pipe; exec 3<>pipe 4>pipe 3<&-";
            let run = shell(&fixture, &format!("{pipe}; \"$0\" {verb} {to}"));
            score.ran(1);
            let told = code == 0 || run.stderr.contains("cannot write to");
            if run.code != code || !told || run.stderr.contains("panicked") {
                score.fail(format!("{verb} {to}: wanted exit {code}\n{}", run.account()));
            }
        }
    }
    score.end();
}

#[test]
fn what_prints_nothing_needs_no_standard_output() {
    let mut score = Score::part(LINE, "closed standard output where nothing is printed");
    let (fixture, _) = Fixture::with_chain();
    for verb in
        ["backup -q $1 $2", "restore -q $2 out.fs", "repozo -V -r $2", "repozo -B -f $1 -r $2", "repozo -R -r $2 -o o"]
    {
        shell(&fixture, &format!("\"$0\" {verb} >&-")).expect(0);
        score.ran(1);
    }
    score.end();
}

#[test]
fn a_standard_error_that_takes_nothing_stops_nothing() {
    let mut score = Score::part(LINE, "standard error closed, full or left");
    for (verb, code) in [
        ("backup -v $1 $2", 0),
        ("backup -v --full $1 $2", 0),
        ("repozo -v -B -F -f $1 -r $2", 0),
        ("repozo -v -V -r $2", 0),
        ("repozo -v -R -r $2 -o out.fs", 0),
        ("restore -v $2 out.fs", 0),
        ("verify --json=report.json $2", 0),
        ("verify --json $2", 0),
        ("restore $2@1999 out.fs", 4),
        ("backup nothing $2", 4),
        ("bogus", 2),
        ("repozo -x", 1),
    ] {
        for to in ["2>/dev/full", "2>&-", "2> >(exec 0<&-)"] {
            let (mut fixture, _) = Fixture::with_chain();
            fixture.grow(2);
            fixture.clock.tick(60);
            let before = data_files(&fixture.repo).len();
            let run = shell(&fixture, &format!("\"$0\" {verb} > said {to}"));
            score.ran(1);
            let made = data_files(&fixture.repo).len() - before;
            let right = usize::from(code == 0 && (verb.starts_with("backup") || verb.contains("-B")));
            if run.code != code || made != right {
                score.fail(format!("{verb} {to}: {made} data files made, wanted exit {code}\n{}", run.account()));
            }
            if verb.contains("out.fs") && code == 0 {
                assert!(fs::metadata(fixture.path("out.fs")).is_ok(), "{verb} {to}: nothing was restored");
            }
        }
    }
    score.end();
}
