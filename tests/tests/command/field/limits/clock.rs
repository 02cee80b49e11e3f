//! A clock that a variable sets is announced, as it dates every backup.

use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::score::Score;

use super::LINE;

#[test]
fn a_clock_that_was_left_set_is_announced() {
    let mut score = Score::part(LINE, "HIGHWATER_NOW is announced");
    let (mut fixture, stamps) = Fixture::with_chain();
    let said = |fixture: &Fixture, words: &[&str], set: bool| {
        let (source, repo) = (fixture.source.display().to_string(), fixture.repo.display().to_string());
        let words = words.iter().map(|word| word.replace("SOURCE", &source).replace("REPO", &repo));
        let mut command = Command::new(highwater());
        command.args(words).current_dir(fixture.path(""));
        if set {
            command.env("HIGHWATER_NOW", fixture.clock.stamp());
        } else {
            command.env_remove("HIGHWATER_NOW");
        }
        let done = command.output().expect("a run");
        let lines = String::from_utf8_lossy(&done.stderr).into_owned();
        lines.lines().filter(|line| line.contains("the clock is HIGHWATER_NOW")).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut check = |fixture: &Fixture, words: &[&str], announced: bool| {
        let line =
            format!("highwater: the clock is HIGHWATER_NOW: {}; unset it for the system's", fixture.clock.stamp());
        let expected = if announced { vec![line] } else { vec![] };
        assert_eq!(said(fixture, words, true), expected, "{words:?}");
        assert_eq!(said(fixture, words, false), Vec::<String>::new(), "{words:?} without it");
        score.ran(1);
    };
    for (words, announced) in [
        (&["backup", "SOURCE", "REPO"][..], true),
        (&["backup", "-q", "SOURCE", "REPO"], true),
        (&["verify", "-q", "--max-age", "1h", "REPO"], true),
        (&["verify", "--subset", "daily/3", "REPO"], true),
        (&["repozo", "-R", "-r", "REPO", "-o", "out.fs"], true),
        (&["repozo", "-B", "-f", "SOURCE", "-r", "REPO"], true),
        // What does not ask for the time is silent.
        (&["verify", "REPO"], false),
        (&["list", "REPO"], false),
        (&["restore", "REPO", "out.fs"], false),
    ] {
        check(&fixture, words, announced);
    }
    // The next night the clock stands where it stood.
    fixture.grow(1);
    assert_eq!(fixture.clock.stamp(), stamps[2]);
    check(&fixture, &["backup", "--dry-run", "SOURCE", "REPO"], true);
    score.end();
}
