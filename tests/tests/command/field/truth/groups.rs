//! What a manifest lost, and a group that nobody owns: nothing of it is unsound, and a warning names it.

use std::fs;

use highwater_tests::datastore::{Sample, copy, report};
use highwater_tests::score::Score;

use super::LINE;
use super::manifests::{read, write};

#[test]
fn an_index_that_was_dropped_from_its_manifest_is_named_and_not_to_be_moved_away() {
    let mut score = Score::part(LINE, "an_index_that_was_dropped_from_its_manifest_is_named_and_not_to_be_moved_away");
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    copy(&sample.store(), fixture.path());
    for (snapshot, name) in [
        ("ct/200/2025-06-16T15:08:40Z", "root.pxar.didx"),
        ("vm/100/2025-06-16T15:06:40Z", "drive-scsi0.img.fidx"),
        ("host/beta/2025-06-16T15:09:40Z", "note.blob"),
    ] {
        let folder = fixture.path().join(snapshot);
        let mut manifest = read(&folder);
        manifest["files"].as_array_mut().expect("a list").retain(|file| file["filename"] != name);
        write(&folder, &manifest);
        let (code, found) = report(fixture.path(), &["--depth", "list"]);
        let object = format!("{snapshot}/{name}");
        let found =
            found["findings"].as_array().expect("a list").iter().find(|finding| finding["object"] == object.as_str());
        let found = found.unwrap_or_else(|| panic!("{object} is not named"));
        assert_eq!((code, &found["code"], &found["severity"]), (0, &"HW308".into(), &"warning".into()), "{found:#}");
        assert!(!found["advice"].as_str().is_some_and(|advice| advice.contains("Nothing needs it")), "{found:#}");
        score.ran(1);
    }
    assert_eq!(report(fixture.path(), &["--depth", "list", "--strict"]).0, 1);
    score.end();
}

#[test]
fn a_group_that_lost_its_owner_is_named() {
    let mut score = Score::part(LINE, "a_group_that_lost_its_owner_is_named");
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    copy(&sample.store(), fixture.path());
    for group in ["vm/100", "ns/team/ns/a/ct/201"] {
        fs::remove_file(fixture.path().join(group).join("owner")).expect("it is removed");
    }
    let (code, found) = report(fixture.path(), &["--depth", "list"]);
    let named: Vec<&str> = found["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["code"] == "HW309")
        .filter_map(|finding| finding["object"].as_str())
        .collect();
    assert_eq!((code, named), (0, vec!["ns/team/ns/a/ct/201", "vm/100"]), "{found:#}");
    assert_eq!(report(fixture.path(), &["--depth", "list", "--strict"]).0, 1);
    // A folder that is there before its first snapshot, or after its last, has nothing to lose.
    fs::create_dir(fixture.path().join("vm/999")).expect("it is made");
    assert_eq!(report(fixture.path(), &["--depth", "list"]).1["tallies"]["no-owner"], 2);
    score.ran(3);
    score.end();
}
