//! What a run writes beside its work takes the place of nothing that it is about.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::{Run, ours};
use highwater_tests::specimens::{self, lay};

const NOW: &str = "2026-11-27-03-00-00";
const REPORTS: [&str; 5] = ["--json", "--junit", "--sarif", "--summary", "--prometheus"];

fn run(words: &[&dyn AsRef<OsStr>]) -> Run {
    ours(NOW, &words.iter().map(|word| word.as_ref()).collect::<Vec<_>>())
}

/// An option and its value in one word.
fn given(option: &str, path: &Path) -> String {
    format!("{option}={}", path.display())
}

#[test]
fn no_report_takes_the_place_of_a_part_of_a_set() {
    for specimen in specimens::all() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let set = folder.path().join("set");
        let files = specimen.small().files;
        lay(&files, &set);
        symlink(&set, folder.path().join("link")).expect("a link");
        let before = load(&set);
        let name = files.keys().next_back().expect("a file");
        let aims = [set.join(name), folder.path().join("link").join(name), set.join("report"), set.join("./report")];
        for aim in &aims {
            for option in REPORTS.iter().chain(&["--events"]) {
                let run = run(&[&"verify", &given(option, aim), &set]);
                let line = run.expect(2).one_line();
                assert!(line.contains("lies in") && line.contains("name a file elsewhere"), "{line}");
            }
        }
        // The name of the file was forgotten, and a shell put the first of the set's there.
        let run = run(&[&"verify", &"--junit", &aims[0], &set]);
        run.expect(2);
        assert_eq!(load(&set), before, "{}", specimen.name());
    }
}

#[test]
fn no_file_is_written_that_the_command_line_names_twice() {
    let fixture = Fixture::new();
    fixture.run(&["backup".as_ref(), fixture.source.as_os_str(), fixture.repo.as_os_str()]).expect(0);
    let (source, key, twice) =
        (fs::read(&fixture.source).expect("a source"), fixture.path("key"), fixture.path("twice"));
    fs::write(&key, b"{}").expect("a key");
    symlink(&fixture.source, fixture.path("link")).expect("a link");
    let other = fixture.path("other.fs");
    let again = fixture.path(".").join("twice");
    for words in [
        &[&"backup" as &dyn AsRef<OsStr>, &given("--events", &fixture.source), &fixture.source, &fixture.repo][..],
        &[&"backup", &given("--events", &fixture.path("link")), &fixture.source, &fixture.repo],
        &[&"verify", &given("--json", &twice), &"--junit", &again, &fixture.repo],
        &[&"verify", &given("--json", &twice), &"--events", &twice, &fixture.repo],
        &[&"restore", &"--events", &other, &fixture.repo, &other],
    ] {
        let line = run(words).expect(2).one_line().to_owned();
        assert!(line.contains("is named twice"), "{line}");
    }
    run(&[&"verify", &"--keyfile", &key, &given("--events", &key), &fixture.repo]).expect(2);
    assert_eq!(fs::read(&fixture.source).expect("a source"), source);
    assert_eq!(fs::read(&key).expect("a key"), b"{}");
    assert!(!twice.exists() && !other.exists());
    // What is no plain file may be named as often as one likes.
    run(&[&"verify", &"--json=/dev/null", &"--junit", &"/dev/null", &fixture.repo]).expect(0);
}

#[test]
fn an_empty_path_is_not_the_folder_at_hand() {
    let fixture = Fixture::new();
    fixture.run(&["backup".as_ref(), fixture.source.as_os_str(), fixture.repo.as_os_str()]).expect(0);
    let before = load(&fixture.repo);
    for words in [
        &["verify", ""][..],
        &["verify", "", "."],
        &["verify", "@latest"],
        &["verify", "--nagios", ""],
        &["list", ""],
        &["show", ""],
        &["show", "@2026"],
        &["restore", "", "../x.fs"],
        &["restore", "@latest", "../x.fs"],
        &["export", ""],
        &["prune", "", "--keep-last", "1"],
        &["prune", "@vm/100", "--keep-last", "1"],
        &["heal", "", "--from", "."],
        &["strays", ""],
        &["mark", ""],
        &["replicate", "", "../copy"],
        &["replicate", ".", ""],
        &["backup", "", "."],
        &["backup", "../Data.fs", ""],
    ] {
        let mut command = Command::new(highwater());
        let run = Run::of(command.args(words).current_dir(&fixture.repo).env("HIGHWATER_NOW", NOW));
        assert_eq!(run.code, if words.contains(&"--nagios") { 3 } else { 2 }, "{}", run.account());
    }
    assert_eq!(load(&fixture.repo), before);
    assert!(!fixture.path("x.fs").exists() && !fixture.path("copy").exists());
}
