//! What is shown and exported of points of folders, and what is refused.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use highwater_core::digest::sha256_of;
use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::run::{Run, ours};
use serde_json::Value;
use tempfile::TempDir;

const NOW: &str = "2026-11-27-03-00-00";
const POINT: &str = "2026-11-27T03-00-00Z";

struct Stage {
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a scratch folder") };
        let source = stage.at("source");
        fs::create_dir_all(source.join("etc/web")).expect("folders");
        fs::create_dir(stage.at("set")).expect("a folder");
        fs::write(source.join("etc/web/conf"), b"listen").expect("a file");
        fs::write(source.join("etc/web-x"), b"x").expect("a file");
        fs::hard_link(source.join("etc/web/conf"), source.join("same")).expect("another name");
        symlink("../x", source.join("etc/link")).expect("a link");
        stage.back_up(NOW);
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, now: &str) {
        ours(now, &[OsStr::new("backup"), self.at("source").as_ref(), self.at("set").as_ref()]).expect(0);
    }

    /// Runs words, of which `SET` is the set.
    fn run(&self, words: &[&str]) -> Run {
        let set = self.at("set").display().to_string();
        let words: Vec<String> = words.iter().map(|word| word.replace("SET", &set)).collect();
        ours(NOW, &words.iter().map(AsRef::as_ref).collect::<Vec<&OsStr>>())
    }
}

/// The paths of a listing, in its order.
fn paths(run: &Run) -> Vec<String> {
    let last = |line: &str| line.split("  ").last().unwrap_or_default().trim_start().to_owned();
    run.text().lines().skip(1).map(last).collect()
}

#[test]
fn a_point_shows_its_entries_and_those_below_a_path() {
    let stage = Stage::new();
    stage.run(&["list", "SET"]).expect(0).prints(&format!("{POINT}  7 bytes"));
    let all = stage.run(&["show", "SET"]);
    let wanted = [".", "etc", "etc/link -> ../x", "etc/web", "etc/web/conf", "etc/web-x", "same -> etc/web/conf"];
    assert_eq!(paths(all.expect(0)), wanted);
    assert!(all.text().starts_with(&format!("{POINT}: 7 entries, 7 bytes\n")), "{}", all.text());
    for (named, wanted) in [
        ("SET@2026/etc/web", &["etc/web", "etc/web/conf"][..]),
        ("SET@2026-11-27T03-00-00Z/etc/web/", &["etc/web", "etc/web/conf"]),
        ("SET@latest/./etc/web-x", &["etc/web-x"]),
        ("SET@2026/", &wanted),
    ] {
        assert_eq!(paths(stage.run(&["show", named]).expect(0)), wanted, "{named}");
    }
    let told: Value = serde_json::from_slice(&stage.run(&["show", "--json", "SET"]).expect(0).stdout).expect("JSON");
    let entry = |path: &str| {
        let entries = told["entries"].as_array().expect("entries");
        entries.iter().find(|entry| entry["path"] == path).unwrap_or_else(|| panic!("{path}: {told}")).clone()
    };
    let (conf, sum) = (entry("etc/web/conf"), sha256_of(b"listen").to_string());
    assert_eq!((&told["schema"], &told["bytes"], &told["point"]), (&1.into(), &7.into(), &POINT.into()));
    assert_eq!((&conf["size"], &conf["digest"], &conf["type"]), (&6.into(), &Value::from(&*sum), &"file".into()));
    assert!(conf["object"].as_str().is_some_and(|object| object.ends_with(&sum)), "{conf}");
    assert_eq!((&entry("etc/link")["target"], &entry("same")["type"]), (&"../x".into(), &"hardlink".into()));
    assert!(entry("")["mode"] == "0755" && entry("")["type"] == "folder");
    stage.run(&["show", "SET@2026/etc/we"]).expect(4).says("there is no 'etc/we' in 2026-11-27T03-00-00Z");
    stage.run(&["show", "SET@2026/../set"]).expect(2).says("no path in a tree");
    stage.run(&["show", "--chunks", "SET"]).expect(2).one_line();
    stage.run(&["show", "SET@2025"]).expect(4).one_line();
}

#[test]
fn one_file_of_a_point_goes_to_standard_output() {
    let stage = Stage::new();
    for path in ["etc/web/conf", "same"] {
        assert_eq!(stage.run(&["restore", &format!("SET@{POINT}/{path}"), "-"]).expect(0).stdout, b"listen");
    }
    for (path, says) in [("etc", "is a folder"), ("etc/link", "is a link")] {
        stage.run(&["restore", &format!("SET@{POINT}/{path}"), "-"]).expect(2).says(says);
    }
    stage.run(&["restore", "SET", "-"]).expect(2).says("standard output takes one file");
    stage.run(&["restore", "-n", &format!("SET@{POINT}/same"), "-"]).expect(2).says("a dry run");
}

#[test]
fn what_is_no_point_of_a_folder_is_not_exported() {
    let (fixture, _) = Fixture::with_chain();
    let run = fixture.run(&["export", &fixture.repo.to_string_lossy()]);
    assert!(run.expect(2).stdout.is_empty() && run.one_line().contains("highwater restore"), "{}", run.account());
    let stage = Stage::new();
    assert!(stage.run(&["export", "SET@2025"]).expect(4).stdout.is_empty());
    stage.run(&["export", "SET", "--since", "2025"]).expect(4).one_line();
    let nowhere = stage.at("no/file.tar").display().to_string();
    stage.run(&["export", "SET", "--output", &nowhere]).expect(4).one_line();
    // A list that cannot be read as a whole.
    let list = stage.at("set/points").join(format!("{POINT}.mtree"));
    let whole = fs::read(&list).expect("a list");
    fs::write(&list, &whole[..whole.len() - 9]).expect("a list that was cut");
    assert!(stage.run(&["export", "SET"]).expect(1).says("HW111").stdout.is_empty());
}

#[test]
fn a_tree_that_holds_the_name_of_the_list_is_exported_whole_only() {
    let stage = Stage::new();
    fs::write(stage.at("source/.highwater-removed"), b"somebody's").expect("a file");
    stage.back_up("2026-11-28-03-00-00");
    let refused = stage.run(&["export", "SET", "--since", "2026-11-27"]);
    assert!(refused.expect(4).says(".highwater-removed").stdout.is_empty());
    assert!(stage.run(&["export", "SET"]).expect(0).stdout.len() > 10_000);
}

#[test]
fn no_archive_goes_to_a_terminal() {
    let stage = Stage::new();
    let line = format!("'{}' export '{}'", highwater().display(), stage.at("set").display());
    let run = Run::of(Command::new("script").args(["-qec", &line, "/dev/null"]));
    run.expect(2).prints("not written to a terminal");
    let line = format!("'{}' export -n '{}'", highwater().display(), stage.at("set").display());
    Run::of(Command::new("script").args(["-qec", &line, "/dev/null"])).expect(0).prints("would export");
}

#[test]
fn a_dry_run_and_json_say_what_an_archive_would_hold() {
    let stage = Stage::new();
    fs::remove_file(stage.at("source/etc/link")).expect("a link");
    fs::write(stage.at("source/new"), b"new").expect("a file");
    stage.back_up("2026-11-28-03-00-00");
    let dry = stage.run(&["export", "SET", "--since", "2026-11-27", "--dry-run"]).expect(0).text();
    let lines: Vec<&str> = dry.lines().collect();
    assert_eq!(lines[0], "removed etc/link");
    let wanted = ["  .", "  etc", "  new"];
    assert!(lines[1..4].iter().zip(wanted).all(|(line, end)| line.ends_with(end)) && lines.len() == 5, "{dry}");
    let since = "since 2026-11-27T03-00-00Z, 1 to be removed";
    assert_eq!(
        lines[4],
        format!("would export 2026-11-28T03-00-00Z: 3 entries, 3 B {since}").replace("3 B", "3 bytes")
    );
    let run = stage.run(&["export", "SET", "--since", "2026-11-27", "--json"]);
    let told: Value = serde_json::from_str(&run.expect(0).stderr).expect("JSON on standard error");
    assert_eq!((&told["entries"], &told["bytes"], &told["removed"]), (&3.into(), &3.into(), &1.into()));
    assert_eq!(told["length"], run.stdout.len());
}

#[test]
fn the_advice_for_a_damaged_object_mends_the_set() {
    type Harm = fn(&std::path::Path);
    let harms: [(&str, Harm); 3] = [
        ("HW101", |object| fs::remove_file(object).expect("an object")),
        ("HW102", |object| fs::write(object, b"lis").expect("an object")),
        ("HW103", |object| fs::write(object, b"LISTEN"[..6].to_ascii_uppercase()).expect("an object")),
    ];
    for (code, harm) in harms {
        let stage = Stage::new();
        let sum = sha256_of(b"listen").to_string();
        let object = stage.at("set/objects").join(&sum[..2]).join(&sum);
        harm(&object);
        let said = stage.run(&["verify", "SET"]);
        assert!(said.expect(1).text().contains(code) && said.text().contains("back up again"), "{}", said.account());
        if said.text().contains("or remove it and back up again") {
            fs::remove_file(&object).expect("the object");
        }
        // The source is read again once a file of it is another.
        fs::write(stage.at("source/etc/web/conf"), b"listen").expect("a file");
        stage.back_up("2026-11-28-03-00-00");
        stage.run(&["verify", "SET"]).expect(0);
    }
}

#[test]
fn a_file_that_changed_while_it_was_read_is_told_of_its_point_by_every_verb() {
    let stage = Stage::new();
    let file = stage.at("source/grows");
    fs::write(&file, vec![7; 32 << 20]).expect("a file");
    // It is written to from before the backup begins until it has ended.
    let line = format!(
        "(until [ -e {stop} ]; do echo >> {file}; : > {begun}; done) & until [ -e {begun} ]; do :; done; \
         {binary} backup {source} {set}; code=$?; : > {stop}; wait; exit $code",
        stop = stage.at("stop").display(),
        begun = stage.at("begun").display(),
        file = file.display(),
        binary = highwater().display(),
        source = stage.at("source").display(),
        set = stage.at("set").display(),
    );
    let mut command = Command::new("sh");
    Run::of(command.args(["-c", &line]).env("HIGHWATER_NOW", "2026-11-28-03-00-00")).expect(3).says("'grows'");
    let out = stage.at("out").display().to_string();
    for words in [
        &["verify", "SET"][..],
        &["verify", "--json", "SET"],
        &["show", "SET"],
        &["restore", "SET", &out],
        &["export", "SET", "--output", "/dev/null"],
    ] {
        let run = stage.run(words);
        let all = format!("{}{}", run.expect(0).text(), run.stderr);
        assert!(all.contains("'grows' as of one moment"), "{}", run.account());
    }
    stage.run(&["list", "SET"]).expect(0).prints("1 left out");
    stage.run(&["verify", "--nagios", "SET"]).expect(1);
}
