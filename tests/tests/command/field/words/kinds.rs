//! An option of another kind of backup is refused before anything is done, by one sentence that names it, its kind, and
//! the kind that was found.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

const REPOZO: &str = "a repozo repository";
const DATASTORE: &str = "a datastore";

/// The options of a verb for each kind. `SOURCE`, `REPO`, `STORE` and `NEW` stand for paths.
const LINES: [(&str, &[&str], &[&str]); 4] = [
    (
        "backup SOURCE",
        &["--full", "--quick", "--gzip", "--gzip=9", "--kill-old", "--damaged-source", "--other-source"],
        &[
            "--also a.conf=SOURCE",
            "--chunk-size 64K",
            "--check-known size",
            "--append-only",
            "--owner a@pbs",
            "--keyfile k",
        ],
    ),
    ("restore", &["--quick"], &["--force", "--salvage", "--keyfile k", "--keyfile k --passphrase-file p"]),
    ("heal --from", &[], &["--keyfile k"]),
    ("show", &[], &["--keyfile k"]),
];

#[test]
fn options_of_another_kind_are_refused_by_every_verb() {
    let mut score = Score::part(LINE, "options of another kind");
    let (fixture, _) = Fixture::with_chain();
    let store = fixture.path("store");
    copy(&Sample::made().store(), &store);
    let key = fixture.path("key");
    fs::copy(Sample::made().truth("key.json"), &key).expect("a key");
    let (source, repo, new) = (fixture.source.display(), fixture.repo.display(), fixture.path("new"));
    let before = (load(&fixture.repo), load(&store));
    for (verb, of_repozo, of_datastore) in LINES {
        for (options, wanted, found) in [(of_repozo, REPOZO, DATASTORE), (of_datastore, DATASTORE, REPOZO)] {
            let root = match (verb, found) {
                ("backup SOURCE", DATASTORE) => format!("{}@vm/999", store.display()),
                ("restore", DATASTORE) => format!("{} {}", store.display(), new.display()),
                ("restore", _) => format!("{repo} {}", new.display()),
                ("heal --from", _) => format!("{repo} {repo}"),
                (_, DATASTORE) => store.display().to_string(),
                _ => repo.to_string(),
            };
            for option in options {
                let option = option.replace(" k", &format!(" {}", key.display()));
                let line = format!("{verb} {root} {option}").replace("SOURCE", &source.to_string());
                let run = Run::of(Command::new(highwater()).args(line.split(' ')));
                let said = run.expect(2).one_line().to_owned();
                let name = option.split([' ', '=']).next().expect("an option");
                assert!(said.contains(name) && said.contains(&format!(" for {wanted}, and ")), "{line}: {said}");
                assert!(said.contains(&format!("names {found}")), "{line}: {said}");
                assert!(!new.exists() && (load(&fixture.repo), load(&store)) == before, "{line}");
                score.ran(1);
            }
        }
    }
    score.end();
}

#[test]
fn a_verification_may_have_roots_of_several_kinds() {
    let mut score = Score::part(LINE, "options of one of several kinds");
    let (fixture, _) = Fixture::with_chain();
    let sample = Sample::made();
    let (store, key) = (sample.store(), sample.truth("key.json"));
    for roots in [&[&fixture.repo, &store][..], &[&fixture.repo]] {
        let mut command = Command::new(highwater());
        Run::of(command.arg("verify").arg("--keyfile").arg(&key).args(roots)).expect(0);
        score.ran(1);
    }
    score.end();
}
