//! What a point left out when it was made is told by whoever shows, verifies or restores it, and is no damage.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use highwater_core::formats::tree::{BYTES, LEFT_OUT, TITLE, names};
use highwater_core::mtree::{SIGNATURE, seal};
use highwater_tests::run::{Run, ours};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use tempfile::TempDir;

const FIRST: &str = "2026-11-26T03-00-00Z";
const SECOND: &str = "2026-11-27T03-00-00Z";

struct Stage {
    folder: TempDir,
}

impl Stage {
    /// Two points, of which the second left a FIFO and a socket out.
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a scratch folder") };
        fs::create_dir_all(stage.at("source/etc")).expect("a folder");
        fs::create_dir(stage.at("set")).expect("a folder");
        fs::write(stage.at("source/etc/file"), "what it holds").expect("a file");
        stage.run("2026-11-26-03-00-00", &["backup", "SOURCE", "SET"]).expect(0);
        mknodat(CWD, stage.at("source/fi\tfo"), FileType::Fifo, Mode::from(0o600), 0).expect("a FIFO");
        drop(UnixListener::bind(stage.at("source/etc/socket")).expect("a socket"));
        stage.run("2026-11-27-03-00-00", &["backup", "SOURCE", "SET"]);
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, now: &str, words: &[&str]) -> Run {
        let at = |name: &str| self.at(name).display().to_string();
        let filled = |word: &&str| word.replace("SET", &at("set")).replace("SOURCE", &at("source"));
        let words: Vec<String> = words.iter().map(filled).collect();
        ours(now, &words.iter().map(AsRef::as_ref).collect::<Vec<&OsStr>>())
    }

    fn tell(&self, words: &[&str]) -> Run {
        self.run("2026-11-28-03-00-00", words)
    }

    fn document(&self, words: &[&str]) -> Value {
        serde_json::from_slice(&self.tell(words).expect(0).stdout).expect("JSON")
    }
}

#[test]
fn list_show_verify_restore_and_export_say_what_a_point_left_out() {
    let stage = Stage::new();
    let list = stage.tell(&["list", "SET"]).expect(0).text();
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].ends_with(" bytes") && lines[1].ends_with(" bytes  2 left out"), "{list}");
    let list = stage.document(&["list", "--json", "SET"]);
    assert_eq!(list["sets"][0].get("left_out"), None);
    assert_eq!(list["sets"][1]["left_out"]["total"], 2);
    let told: Vec<&str> =
        list["sets"][1]["left_out"]["told"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(told[0].contains("etc/socket") || told[1].contains("etc/socket"), "{told:?}");
    assert!(told.iter().any(|what| what.starts_with("'fi\\") && what.contains("tfo'")), "{told:?}");
    let show = stage.tell(&["show", "SET@latest"]);
    told.iter().for_each(|what| _ = show.expect(0).prints(&format!("  left out: {what}\n")));
    assert!(!stage.tell(&["show", "SET@2026-11-26"]).expect(0).text().contains("left out"));
    let show = stage.document(&["show", "--json", "SET"]);
    assert_eq!(show["left_out"], json!({ "total": 2, "told": told }));
    assert_eq!(stage.document(&["show", "--json", "SET@2026-11-26"]).get("left_out"), None);
    let verify = stage.tell(&["verify", "--strict", "SET"]);
    assert!(verify.expect(0).last_line().ends_with("; 1 point left something out"), "{}", verify.account());
    verify.prints(&format!("    left out: {}; and 1 more\n", told[0]));
    let report = stage.document(&["verify", "--json", "SET"]);
    assert_eq!((&report["verdict"], &report["sets"][1]["left_out"]["total"]), (&json!("sound"), &json!(2)));
    assert!(!stage.tell(&["verify", "SET@2026-11-26"]).expect(0).text().contains("left"));
    let restored = stage.tell(&["restore", "SET", &stage.at("out").display().to_string()]);
    let archive = stage.tell(&["export", "SET"]);
    for what in &told {
        let says = format!("highwater: {SECOND} left out when it was made: {what}\n");
        restored.expect(0).says(&says);
        archive.expect(0).says(&says);
    }
    let older = stage.tell(&["restore", "SET@2026-11-26", &stage.at("older").display().to_string()]);
    assert!(!older.expect(0).stderr.contains("left out"));
}

#[test]
fn the_newest_point_that_left_nothing_out_stays() {
    let stage = Stage::new();
    stage.run("2026-11-27-04-00-00", &["backup", "-q", "SOURCE", "SET"]);
    let pruned = stage.tell(&["prune", "SET", "--keep-last", "1"]).expect(0).text();
    assert!(pruned.contains(&format!("keep    {FIRST}  newest that left nothing out")), "{pruned}");
    assert!(pruned.contains(&format!("remove  {SECOND}")), "{pruned}");
    let nagios = stage.tell(&["verify", "--nagios", "SET"]);
    assert!(nagios.expect(1).text().starts_with("HIGHWATER WARNING"), "{}", nagios.account());
    stage.tell(&["verify", "-q", "--prometheus", &stage.at("a.prom").display().to_string(), "SET"]).expect(0);
    let metrics = fs::read_to_string(stage.at("a.prom")).expect("the metrics");
    let sample = "highwater_newest_sound_left_out{root=\"set\",series=\"\",run=\"a\"} 2";
    assert!(metrics.lines().any(|line| line == sample), "{metrics}");
    // Once a newer one leaves nothing out, that one does.
    for name in ["source/fi\tfo", "source/etc/socket"] {
        fs::remove_file(stage.at(name)).expect("it goes");
    }
    stage.run("2026-11-27-05-00-00", &["backup", "-q", "SOURCE", "SET"]).expect(0);
    let pruned = stage.tell(&["prune", "SET", "--keep-last", "1"]).expect(0).text();
    assert!(pruned.contains(&format!("remove  {FIRST}")), "{pruned}");
    stage.tell(&["verify", "--nagios", "SET"]).expect(0);
}

#[test]
fn many_points_and_many_things_are_counted_and_hostile_words_stay_words() {
    let stage = Stage::new();
    let list = |what: &[String], point: &str| {
        let comments: String = what.iter().map(|what| format!("# {LEFT_OUT}{what}\n")).collect();
        let mut list = format!("{SIGNATURE}# {TITLE}{BYTES}0\n{comments}. type=dir\n");
        seal(&mut list);
        fs::write(stage.at("set").join(names::list(point).expect("a point").to_string()), list).expect("a list");
    };
    let mut what = vec!["\u{1b}[2J'gone' \u{9b}1m\u{202e}".to_owned()];
    what.extend((0..20_000).map(|number| format!("'{number}' is a socket")));
    list(&what, SECOND);
    for day in 1..=25 {
        list(&[], &format!("2026-10-{day:02}T00-00-00Z"));
    }
    let told =
        stage.tell(&["list", "--json", "SET"]).stdout.len() + stage.tell(&["verify", "--json", "SET"]).stdout.len();
    assert!(told < 40_000, "{told} bytes");
    for words in [&["list", "SET"][..], &["show", "SET"], &["verify", "SET"], &["restore", "SET", "TO"]] {
        let to = stage.at("out").display().to_string();
        let words: Vec<&str> = words.iter().map(|word| if *word == "TO" { &*to } else { word }).collect();
        let run = stage.tell(&words);
        let text = run.expect(0).text() + &run.stderr;
        let is_obeyed = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        assert!(!text.contains(is_obeyed), "{}", run.account());
        let counts = ["20,001 left out", "and 10,001 more", "left out 19,901 more", "and 20,000 more"];
        assert!(counts.iter().any(|count| text.contains(count)), "{words:?}: {}", run.account());
    }
    // A point that left something out is told also where most of the sound ones are not.
    stage.tell(&["verify", "SET"]).prints(SECOND).prints("; 1 point left something out");
    // What stands below the entries would be told too late.
    let mut late = format!("{SIGNATURE}# {TITLE}{BYTES}0\n. type=dir\n# {LEFT_OUT}'x' is a socket\n");
    seal(&mut late);
    fs::write(stage.at("set").join(names::list(FIRST).expect("a point").to_string()), late).expect("a list");
    stage.tell(&["verify", "SET"]).expect(1).prints("it says below its first entry what it left out");
}
