//! Words that other programs have, and options written with a space where an equals sign belongs.

use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

#[test]
fn verbs_of_other_programs_are_answered_with_ours() {
    let mut score = Score::part(LINE, "verbs");
    for (verb, instead) in [
        ("check", "highwater verify REPO"),
        ("fsck", "highwater verify REPO"),
        ("ls", "highwater list REPO"),
        ("snapshots", "highwater list REPO"),
        ("init", "mkdir REPO"),
        ("forget", "highwater prune REPO"),
        ("expire", "highwater prune REPO"),
        ("gc", "highwater strays STORE"),
    ] {
        let run = run(&[verb, "repo"]);
        let line = run.expect(2).one_line();
        assert!(line.contains(&format!("there is no verb '{verb}'")) && line.contains(instead), "{verb}: {line}");
        score.ran(1);
    }
    // One that was mistyped is answered by its neighbour, as before.
    run(&["verfy", "repo"]).expect(2).says("verify");
    score.ran(1);
    score.end();
}

#[test]
fn a_report_file_after_a_space_is_told_from_a_repository() {
    let mut score = Score::part(LINE, "--json FILE");
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_str().expect("text");
    let file = fixture.path("report.json");
    let name = file.to_str().expect("text");
    for words in [
        &["verify", "--json", name, repo][..],
        &["verify", repo, "--json", name],
        &["report", "merge", "--json", name, name],
    ] {
        let run = run(words);
        assert!(run.expect(2).one_line().contains(&format!("say --json={name}")), "{}", run.account());
        assert!(!file.exists());
        score.ran(1);
    }
    run(&["verify", &format!("--json={name}"), repo]).expect(0);
    assert!(file.exists());
    score.end();
}
