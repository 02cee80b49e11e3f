//! Points of stores that their own engines write to meanwhile: each is restored, and judged by its engine.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use highwater_tests::rounds::BETWEEN_KILLS;
use highwater_tests::run::{Run, ours};
use highwater_tests::score::{Score, size};
use highwater_tests::writers::{Kind, Writer};
use tempfile::TempDir;

const LINE: &str = "points of live stores";

/// A store, a set, and what a point is restored to.
struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::create_dir(folder.path().join("set")).expect("a folder for the set");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, number: u64, options: &[&str]) -> Run {
        let (store, set) = (self.path("store"), self.path("set"));
        let words = ["backup".as_ref(), store.as_os_str(), set.as_os_str()];
        let words: Vec<&OsStr> = words.into_iter().chain(options.iter().map(OsStr::new)).collect();
        ours(&format!("2026-11-27-{:02}-{:02}-00", number / 60, number % 60), &words)
    }

    fn restore(&self, copy: &Path) -> Run {
        ours("2026-11-28-00-00-00", &["restore".as_ref(), self.path("set").as_os_str(), copy.as_os_str()])
    }

    /// Every file below a folder, by its path there, with its inode.
    fn files(&self, below: &str) -> BTreeMap<PathBuf, u64> {
        let (top, mut found, mut ahead) = (self.path(below), BTreeMap::new(), vec![self.path(below)]);
        while let Some(folder) = ahead.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(meta) if meta.is_dir() => ahead.push(entry.path()),
                    Ok(meta) => {
                        let path = entry.path().strip_prefix(&top).expect("below").to_path_buf();
                        found.insert(path, meta.ino());
                    }
                    // A writer removes files.
                    Err(_) => {}
                }
            }
        }
        found
    }

    fn objects(&self) -> usize {
        self.files("set/objects").len()
    }

    /// What lies beside the store and in the set, of those that are left only by runs that were killed.
    fn left(&self) -> Vec<String> {
        let names = ["", "set"].into_iter().flat_map(|folder| fs::read_dir(self.path(folder)).expect("a folder"));
        let names = names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(".highwater-")).collect()
    }
}

fn under_a_writer(kind: Kind) {
    let mut score = Score::part(LINE, kind.name());
    let scene = Scene::new();
    let writer = Writer::start(kind, &scene.path("store"), kind.rate(), &[], None);
    let rounds = size(4, 40);
    for number in 0..rounds {
        let before = writer.acknowledged();
        let made = scene.back_up(number, &[]);
        let copy = scene.path(&format!("copy-{number}"));
        score.ran(1);
        if made.code != 0 || !scene.left().is_empty() {
            score.fail(format!("{}\nleft: {:?}", made.account(), scene.left()));
            continue;
        }
        let restored = scene.restore(&copy);
        let judgement = kind.judge(&copy, before);
        if restored.code != 0 || !judgement.good {
            score.fail(format!("{}\n{}\n{}", made.account(), restored.account(), judgement.why));
        }
        let _ = fs::remove_dir_all(&copy);
        writer.wait_for(before + kind.rate() / 2);
    }
    writer.end();
    let (first, objects) = (scene.back_up(rounds, &[]), scene.objects());
    let second = scene.back_up(rounds + 1, &[]);
    score.ran(1);
    if first.code != 0 || second.code != 0 || scene.objects() != objects || !second.text().contains("0 objects") {
        score.fail(format!("at rest: {}\n{}", first.account(), second.account()));
    }
    let seen = ours("2026-11-28-00-00-00", &["verify".as_ref(), scene.path("set").as_os_str()]);
    score.ran(1);
    if seen.code != 0 {
        score.fail(seen.account());
    }
    score.end();
}

/// The writer of a DirectoryStorage enters snapshot mode when it is asked, and stays there until it is not.
fn hook(scene: &Scene) -> [String; 4] {
    let store = scene.path("store").display().to_string();
    let freeze = format!("touch {store}.ask; until [ -e {store}.asked ]; do sleep 0.01; done");
    let thaw = format!("rm {store}.ask; until [ ! -e {store}.asked ]; do sleep 0.01; done");
    ["--freeze".to_owned(), freeze, "--thaw".to_owned(), thaw]
}

#[test]
fn dirstorage() {
    let kind = Kind::Dirstorage;
    let mut score = Score::part(LINE, kind.name());
    let scene = Scene::new();
    let (store, hook) = (scene.path("store"), hook(&scene));
    let hook: Vec<&str> = hook.iter().map(String::as_str).collect();
    let writer = Writer::start(kind, &store, kind.rate(), &[], Some(BETWEEN_KILLS));
    let rounds = size(4, 40);
    let (mut made_of_itself, mut number) = (0, 0);
    while number < rounds {
        let before = writer.acknowledged();
        // Every second one has it when the store enters snapshot mode by itself, and is refused when it does not.
        let is_asked = number % 2 == 0;
        let made = scene.back_up(number, if is_asked { &hook } else { &[] });
        // One that was killed since, and has come back, is in snapshot mode no more.
        if made.code == 4 {
            made.says("is not in snapshot mode");
            continue;
        }
        made_of_itself += u64::from(!is_asked);
        let copy = scene.path(&format!("copy-{number}"));
        number += 1;
        score.ran(1);
        if made.code != 0 {
            score.fail(made.account());
            continue;
        }
        let restored = scene.restore(&copy);
        let seen = ours("2026-11-28-00-00-00", &["verify".as_ref(), copy.as_os_str()]);
        let judgement = kind.judge(&copy, if is_asked { before } else { 0 });
        if restored.code != 0 || seen.code != 0 || !judgement.good {
            score.fail(format!("{}\n{}\n{}\n{}", made.account(), restored.account(), seen.account(), judgement.why));
        }
        for folder in ["B", "journal"] {
            if fs::read_dir(copy.join(folder)).expect("a folder").next().is_some() {
                score.fail(format!("{folder} is not empty: {}", made.account()));
            }
        }
        // The storage goes on from there.
        let end = judgement.last + 30;
        let (rate, mut command) = ("0", highwater_tests::python::command("dirstorage_store.py"));
        Run::of(command.arg("write").arg(&copy).args(["--rate", rate, "--batches", &end.to_string()])).expect(0);
        let judgement = kind.judge(&copy, judgement.last);
        if !judgement.good {
            score.fail(format!("the storage did not go on: {}", judgement.why));
        }
        let _ = fs::remove_dir_all(&copy);
    }
    assert!(made_of_itself > 0);
    writer.end();
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

#[test]
fn a_dry_run_writes_nothing_and_a_folder_is_taken_as_it_is() {
    let scene = Scene::new();
    let writer = Writer::start(Kind::Leveldb, &scene.path("store"), Kind::Leveldb.rate(), &[], None);
    writer.end();
    let before = (scene.files("store"), scene.files("set"));
    scene.back_up(0, &["--dry-run"]).expect(0).says("makes no checkpoint").prints("would make point");
    assert_eq!((scene.files("store"), scene.files("set")), before);
    // The lock and the log of the store's program are no part of a checkpoint, and of a folder.
    scene.back_up(1, &["--kind", "folder"]).expect(0);
    scene.back_up(2, &[]).expect(0);
    let list = |number: u64| {
        let list = scene.path(&format!("set/points/2026-11-27T00-{number:02}-00Z.mtree"));
        fs::read_to_string(list).expect("a list")
    };
    assert!(list(1).contains(" store folder ") && list(1).contains("./LOCK "), "{}", list(1));
    assert!(list(2).contains(" store leveldb · at sequence number ") && !list(2).contains("./LOCK "), "{}", list(2));
}
