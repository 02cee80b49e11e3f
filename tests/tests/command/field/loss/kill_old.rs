//! A `--kill-old` that is killed midway leaves no alarm, and the next backup ends it.
#![expect(clippy::print_stdout, reason = "what cannot run here is told")]

use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::inject::cannot_trace;
use highwater_tests::repo::Fixture;
use highwater_tests::repository::{data_files, names};
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

/// Two older chains, of which the first has three points, and a source that goes on.
fn older_chains() -> Fixture {
    let (mut fixture, _) = Fixture::with_chain();
    fixture.grow(1);
    fixture.backup(&["--full", "--gzip"]);
    fixture.grow(1);
    fixture.backup(&[]);
    fixture.grow(1);
    fixture
}

#[test]
fn a_killed_removal_is_no_damage_and_the_next_backup_ends_it() {
    let mut score = Score::part(LINE, "a killed --kill-old");
    if let Some(why) = cannot_trace() {
        println!("not run: {why}");
        score.ran(1);
        return score.end();
    }
    for (program, flags) in [("backup", &["--full", "--kill-old"][..]), ("repozo", &["-F", "-k"])] {
        for number in 1.. {
            let mut fixture = older_chains();
            let stamp = fixture.clock.tick(60);
            let (source, repo) = (fixture.source.as_os_str(), fixture.repo.as_os_str());
            let mut command = Command::new("strace");
            command.args(["-f", "-o", "/dev/null", "-e", "trace=unlinkat", "-e"]);
            command.arg(format!("inject=unlinkat:signal=KILL:when={number}")).arg(highwater());
            match program {
                "backup" => command.arg("backup").args(flags).args([source, repo]),
                _ => command.args(["repozo", "-B"]).args(flags).arg("-f").arg(source).arg("-r").arg(repo),
            };
            let killed = Run::of(command.env("HIGHWATER_NOW", &stamp));
            if killed.code == 0 {
                assert!(number > 10, "{program}: only {number} files were removed");
                break;
            }
            score.ran(1);
            let case = format!("{program}, killed at removal {number}");
            for depth in ["list", "digest", "deep"] {
                let run = fixture.verify(depth);
                if run.code != 0 {
                    score.fail(format!("{case}, depth {depth}: {}", run.account()));
                }
            }
            let last = data_files(&fixture.repo).pop().unwrap_or_default();
            assert_eq!(last, format!("{stamp}.fs"), "{case}: the new full backup is there");
            // One time the next backup finds nothing to do, the other an increment.
            if number % 2 == 0 {
                fixture.grow(1);
            }
            fixture.backup(&[]);
            let strict = fixture.run(&["verify".as_ref(), "--strict".as_ref(), fixture.repo.as_os_str()]);
            // What stays has its index: a chain that the removal had not come to.
            let whole = chains_with_index(&fixture.repo);
            if strict.code != 0 || !whole || names(&fixture.repo).iter().any(|name| name.ends_with(".kill-old")) {
                score.fail(format!("{case}: {:?}\n{}", names(&fixture.repo), strict.account()));
            }
        }
    }
    score.end();
}

fn chains_with_index(repo: &Path) -> bool {
    let all = names(repo);
    let fulls = all.iter().filter_map(|name| name.strip_suffix(".fs").or_else(|| name.strip_suffix(".fsz")));
    let mut fulls = fulls.filter(|stem| !stem.contains("delta"));
    fulls.all(|stem| all.contains(&format!("{stem}.dat")))
}

#[test]
fn a_chain_that_lost_its_index_otherwise_is_not_removed() {
    let mut score = Score::part(LINE, "no chain goes that nobody wanted gone");
    let mut fixture = older_chains();
    let first = data_files(&fixture.repo).remove(0);
    std::fs::remove_file(fixture.file(&first.replace(".fs", ".dat"))).expect("the index goes");
    let before = data_files(&fixture.repo);
    fixture.backup(&[]);
    assert!(data_files(&fixture.repo).starts_with(&before), "{before:?}");
    assert_eq!(fixture.verify("digest").code, 3, "nothing says what it should be");
    // A note whose full backup is gone speaks of nothing.
    std::fs::write(fixture.file("2030-01-01-00-00-00.kill-old"), "").expect("a note");
    fixture.verify("digest").expect(3);
    fixture.backup(&[]);
    assert!(data_files(&fixture.repo).starts_with(&before), "{before:?}");
    score.ran(2);
    score.end();
}
