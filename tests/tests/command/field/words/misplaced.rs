//! Arguments that stand in the wrong place, or name something inside what they mean.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

#[test]
fn swapped_arguments_are_told_apart() {
    let mut score = Score::part(LINE, "swapped arguments");
    let (fixture, _) = Fixture::with_chain();
    let (source, repo) = (fixture.source.to_str().expect("text"), fixture.repo.to_str().expect("text"));
    let before = load(&fixture.repo);
    for (words, next) in [
        (["backup", repo, source], "the source comes first, as in: highwater backup Data.fs REPO"),
        (["restore", source, repo], "the repository comes first, as in: highwater restore REPO Data.fs"),
    ] {
        let run = run(&words);
        assert!(run.expect(2).one_line().contains(next), "{}", run.account());
        score.ran(1);
    }
    assert_eq!(load(&fixture.repo), before);
    assert_eq!(fs::read(&fixture.source).expect("a file"), fixture.data.bytes);
    score.end();
}

#[test]
fn a_path_inside_a_repository_is_answered_with_what_to_write() {
    let mut score = Score::part(LINE, "paths inside");
    let (fixture, stamps) = Fixture::with_chain();
    let sample = Sample::made();
    let store = fixture.path("store");
    copy(&sample.store(), &store);
    let (repo, store) = (fixture.repo.to_str().expect("text").to_owned(), store.to_str().expect("text").to_owned());
    let out = fixture.path("out");
    let target = out.to_str().expect("text");
    let time = "vm/100/2025-06-16T15:06:40Z";
    for (inner, write) in [
        (format!("{store}/{time}"), format!("{store}@{time}")),
        (format!("{store}/vm/100"), format!("{store}@vm/100")),
        (format!("{store}/ns/team"), format!("{store}@ns/team")),
        (format!("{store}/{time}/drive-scsi0.img.fidx"), format!("{store}@{time}/drive-scsi0.img.fidx")),
        (format!("{store}/{time}/index.json.blob"), format!("{store}@{time}")),
        (format!("{repo}/{}.fs", stamps[0]), format!("{repo}@{}", stamps[0])),
    ] {
        for words in [&["verify", &inner][..], &["list", &inner], &["show", &inner], &["restore", &inner, target]] {
            let run = run(words);
            assert!(run.expect(4).one_line().contains(&format!("so write '{write}'")), "{}", run.account());
            score.ran(1);
        }
        // And that is right.
        let right = run(&["verify", "--depth", "list", &write]);
        assert!([0, 1].contains(&right.code), "{}", right.account());
    }
    // Nor is a folder inside a store a place for a repository.
    let inner = format!("{store}/vm/100");
    let source = fixture.source.to_str().expect("text");
    let refused = run(&["backup", source, &inner]);
    assert!(refused.expect(2).one_line().contains(&format!("so write '{store}@vm/100'")), "{}", refused.account());
    score.ran(1);
    score.end();
}

#[test]
fn a_folder_that_is_no_backup_is_told_what_one_looks_like() {
    let mut score = Score::part(LINE, "no backup");
    let (fixture, _) = Fixture::with_chain();
    let other = fixture.path("photos");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("a.jpg"), "x").expect("a file");
    let (other, repo) = (other.to_str().expect("text"), fixture.repo.to_str().expect("text"));
    let line = run(&["verify", other]).expect(4).one_line().to_owned();
    assert!(
        line.contains("a repozo repository holds files like") && line.contains("a datastore holds .chunks"),
        "{line}"
    );
    // Beside others, too, nobody is sent to mend a permission, a mount or a disk.
    let text = run(&["verify", other, repo]).expect(3).text();
    assert!(text.contains("-> Name a folder that holds a backup, or leave this one out."), "{text}");
    assert!(!text.contains("Mend the permission"), "{text}");
    let gone = run(&["verify", &format!("{repo}x"), repo]).expect(3).text();
    assert!(gone.contains("See that the path is right and that its disk is mounted"), "{gone}");
    score.ran(3);
    score.end();
}

#[test]
fn a_group_that_is_none_is_answered_with_how_one_is_written() {
    let mut score = Score::part(LINE, "bad groups");
    let fixture = Fixture::new();
    let store = fixture.path("store");
    fs::create_dir(&store).expect("a folder");
    let source = fixture.source.to_str().expect("text");
    for rest in ["vm", "disk/1/a.img", "vm/1 0", "ns/vm/100", "", "vm/../100", "vm/\u{e0041}/x"] {
        let run = run(&["backup", source, &format!("{}@{rest}", store.display())]);
        let line = run.expect(2).one_line();
        assert!(line.contains("write STORE@TYPE/ID[/ARCHIVE], as in STORE@vm/100/drive-scsi0.img"), "{rest}: {line}");
        assert!(!line.contains("mkdir") && !line.contains('\u{e0041}'), "{rest}: {line}");
        score.ran(1);
    }
    assert_eq!(fs::read_dir(&store).expect("a folder").count(), 0, "nothing was made");
    score.end();
}
