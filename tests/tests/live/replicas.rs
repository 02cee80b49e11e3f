//! Replicas of stores that their own engines write to meanwhile: each is opened by its engine, and is one state of it.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use highwater_tests::run::{Run, ours};
use highwater_tests::score::{Score, size};
use highwater_tests::writers::{Kind, Writer};
use tempfile::TempDir;

const LINE: &str = "replicas of live stores";

/// A store, and its replica.
struct Scene(TempDir);

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn replicate(&self, options: &[&str]) -> Run {
        let (store, dest) = (self.path("store"), self.path("standby"));
        let words = ["replicate", "--checkpoint"].iter().chain(options).map(OsStr::new);
        let words: Vec<&OsStr> = words.chain([store.as_os_str(), dest.as_os_str()]).collect();
        ours("2026-11-28-00-00-00", &words)
    }

    /// What lies beside both that only runs leave that were killed.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with('.')).collect()
    }
}

fn under_a_writer(kind: Kind) {
    let mut score = Score::part(LINE, kind.name());
    let scene = Scene(tempfile::tempdir().expect("a scratch folder"));
    let writer = Writer::start(kind, &scene.path("store"), kind.rate(), &[], None);
    for round in 0..size(4, 40) {
        let before = writer.acknowledged();
        let made = scene.replicate(&[]);
        score.ran(1);
        // Its engine writes into what it opens.
        let opened = scene.path("opened");
        let mut copy = Command::new("cp");
        let copied = Run::of(copy.arg("-a").args([scene.path("standby"), opened.clone()]));
        let judgement = kind.judge(&opened, before);
        if made.code != 0 || copied.code != 0 || !judgement.good || !scene.left().is_empty() {
            score.fail(format!("round {round}: {}\n{}\nleft: {:?}", made.account(), judgement.why, scene.left()));
        }
        let _ = fs::remove_dir_all(&opened);
        writer.wait_for(before + kind.rate() / 2);
    }
    let before = writer.end();
    scene.replicate(&[]).expect(0);
    let again = scene.replicate(&["--json"]);
    let done: serde_json::Value = serde_json::from_slice(&again.expect(0).stdout).expect("JSON");
    score.ran(1);
    if done["had"]["files"] == 0 {
        score.fail(format!("at rest: {}", again.account()));
    }
    if matches!(kind, Kind::Fjall | Kind::Rocksdb | Kind::Leveldb) {
        ours("2026-11-28-00-00-00", &["verify".as_ref(), scene.path("standby").as_os_str()]).expect(0);
    }
    scene.replicate(&["--check"]).expect(0);
    let judgement = kind.judge(&scene.path("standby"), before);
    if !judgement.good {
        score.fail(format!("at rest: {}", judgement.why));
    }
    score.end();
}

#[test]
fn fjall() {
    under_a_writer(Kind::Fjall);
}

#[test]
fn rocksdb() {
    under_a_writer(Kind::Rocksdb);
}

#[test]
fn leveldb() {
    under_a_writer(Kind::Leveldb);
}

#[test]
fn git() {
    under_a_writer(Kind::Git);
}
