//! What stands after the `@`: a snapshot, a group, a namespace, `latest`, and what is said when it is not there.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

/// The points of a report, in their order.
fn points(words: &[&str]) -> Vec<String> {
    let run = run(&[words, &["--json"]].concat());
    let report: Value = serde_json::from_slice(&run.expect(0).stdout).expect("a report");
    let sets = report["sets"].as_array().expect("a list");
    sets.iter().map(|set| set["name"].as_str().expect("a name").to_owned()).collect()
}

/// A store of two snapshots of one group, one of another, and one in a namespace, with all their times.
fn store(folder: &Path) -> String {
    let store = folder.join("store");
    // Not all of the 65,536 folders of a new store are needed here.
    fs::create_dir_all(store.join(".chunks")).expect("a folder");
    fs::write(store.join(".lock"), "").expect("a lock");
    let store = store.to_str().expect("text").to_owned();
    let disk = folder.join("disk.img");
    let jobs = [("vm/100", "01"), ("vm/100", "02"), ("vm/101", "03"), ("ns/a/ct/7", "04")];
    for (group, day) in jobs {
        fs::write(&disk, day.repeat(50_000)).expect("a disk");
        let mut command = Command::new(highwater());
        command.arg("backup").arg(&disk).arg(format!("{store}@{group}/disk.img"));
        Run::of(command.env("HIGHWATER_NOW", format!("2026-03-{day}-00-00-00"))).expect(0);
    }
    store
}

#[test]
fn a_group_a_namespace_and_latest_stand_for_snapshots() {
    let mut score = Score::part(LINE, "groups and latest");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let store = store(folder.path());
    let [first, second] = ["01", "02"].map(|day| format!("vm/100/2026-03-{day}T00:00:00Z"));
    let deep = "ns/a/ct/7/2026-03-04T00:00:00Z".to_owned();
    for (point, wanted) in [
        ("vm/100", vec![first.clone(), second.clone()]),
        ("vm/100/latest", vec![second.clone()]),
        ("ns/a", vec![deep.clone()]),
        ("ns/a/latest", vec![deep.clone()]),
        ("latest", vec![deep.clone()]),
        (&first, vec![first.clone()]),
        // What is named after a group is an archive, as it is in a backup.
        ("vm/100/disk.img", vec![first.clone(), second.clone()]),
        ("vm/100/latest/disk.img", vec![second.clone()]),
    ] {
        assert_eq!(points(&["verify", &format!("{store}@{point}")]), wanted, "{point}");
        score.ran(1);
    }
    let target = folder.path().join("out");
    let out = target.to_str().expect("text");
    for (point, day) in [
        ("vm/100/disk.img", "02"),
        ("vm/100/latest/disk.img", "02"),
        ("latest/disk.img", "04"),
        ("vm/101/disk.img", "03"),
    ] {
        run(&["restore", "--full", &format!("{store}@{point}"), out]).expect(0);
        assert_eq!(fs::read(&target).expect("a file"), day.repeat(50_000).as_bytes(), "{point}");
        run(&["show", &format!("{store}@{point}")]).expect(0).prints(" bytes from ");
        score.ran(2);
    }
    for point in ["vm/100", "vm/100/latest", &second] {
        run(&["show", &format!("{store}@{point}")]).expect(0).prints(&format!("  {second}/disk.img\n"));
        let refused = run(&["restore", &format!("{store}@{point}"), out]);
        assert!(refused.expect(2).one_line().contains("name one after it"), "{}", refused.account());
        score.ran(2);
    }
    score.end();
}

#[test]
fn latest_is_the_newest_point_of_a_repository() {
    let mut score = Score::part(LINE, "latest of a repository");
    let (fixture, stamps) = Fixture::with_chain();
    let repo = format!("{}@latest", fixture.repo.display());
    // The newest point needs the points before it.
    assert_eq!(points(&["verify", &repo]).last(), Some(&stamps[2]));
    run(&["show", &repo]).expect(0).prints(&stamps[2]);
    fixture.restore("@latest", &fixture.path("out.fs"), &[]).expect(0);
    assert_eq!(fs::read(fixture.path("out.fs")).expect("a file"), fixture.data.bytes);
    score.ran(3);
    score.end();
}

#[test]
fn the_newest_snapshot_is_not_passed_over_when_it_is_not_finished() {
    let mut score = Score::part(LINE, "an unfinished newest");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let store = store(folder.path());
    fs::remove_file(Path::new(&store).join("vm/100/2026-03-02T00:00:00Z/index.json.blob")).expect("it is removed");
    run(&["verify", &format!("{store}@vm/100/latest")]).expect(3).prints("HW205");
    let out = folder.path().join("out");
    let target = out.to_str().expect("text");
    let refused = run(&["restore", &format!("{store}@vm/100/disk.img"), target]);
    assert!(refused.expect(3).one_line().contains("it has no index.json.blob"), "{}", refused.account());
    assert!(!out.exists(), "an older one is not taken for it");
    score.ran(2);
    score.end();
}

#[test]
fn a_name_that_is_not_there_is_answered_with_those_that_are() {
    let mut score = Score::part(LINE, "what there is");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let store = store(folder.path());
    let out = folder.path().join("out");
    let target = out.to_str().expect("text");
    let time = "vm/100/2026-03-01T00:00:00Z";
    let archive = format!("there is no archive 'driv.img' in {time}: it has disk.img");
    for (point, words) in [
        (format!("{time}/driv.img"), &*archive),
        ("vm/102/disk.img".to_owned(), "there is no 'vm/102': vm has 100, 101"),
        ("host/a/disk.img".to_owned(), "there is no 'host/a': the store has ns, vm"),
        ("vm/100/2026-03-03T00:00:00Z/disk.img".to_owned(), "vm/100 has 2026-03-01T00:00:00Z, 2026-03-02T00:00:00Z"),
    ] {
        let named = format!("{store}@{point}");
        for command in [&["verify", &named][..], &["restore", &named, target], &["show", &named]] {
            let run = run(command);
            // A name that was mistyped is no damage.
            let line = run.expect(4).one_line();
            assert!(words.split(", ").all(|part| line.contains(part)), "{words}\n{}", run.account());
            score.ran(1);
        }
    }
    assert!(!out.exists());
    for odd in ["vm", "disk/100", "vm/100/2026-03-01T00:00Z", "../vm/100/latest/"] {
        let line = run(&["verify", &format!("{store}@{odd}")]).expect(2).one_line().to_owned();
        assert!(line.contains("is no snapshot; one is written like vm/100/"), "{odd}: {line}");
        score.ran(1);
    }
    score.end();
}
