//! What a terminal gets: a verdict in colour, unless nobody wants it.

use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::python::interpreter;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;

/// Runs a command on a terminal of its own, and prints what that shows.
const ON_A_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

fn shown(fixture: &Fixture, variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(interpreter());
    command.args(["-c", ON_A_TERMINAL]).arg(highwater()).arg("verify").arg(&fixture.repo);
    command.env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
    Run::of(&mut command)
}

#[test]
fn a_verdict_has_colour_on_a_terminal_that_has_it() {
    let (fixture, stamps) = Fixture::with_chain();
    shown(&fixture, &[]).expect(0).prints("\u{1b}[1;32msound\u{1b}[0m: 3 points in time");
    for none in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let run = shown(&fixture, &[none]);
        assert!(!run.expect(0).text().contains('\u{1b}'), "{none:?}\n{}", run.account());
    }
    assert!(!fixture.verify("digest").text().contains('\u{1b}'), "a pipe has no colour");
    std::fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[2]))).expect("an increment");
    shown(&fixture, &[]).expect(1).prints("\u{1b}[1;31mdamaged\u{1b}[0m: ");
}
