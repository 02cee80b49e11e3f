//! Logs that come and go within a try, where nobody tells of names: the moments are set by hand, on a disk in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use highwater::live::{CheckpointSummary, LiveOptions, Run, Step};
use highwater::store::Place;
use highwater::watch::Watch;
use highwater_core::name::Name;
use highwater_tests::model::Model;
use highwater_tests::python::command;
use highwater_tests::repo::Image;
use highwater_tests::run::Run as Ran;

const STORE: &str = "/model/srv/store";

/// Makes a store hold these files and no others.
fn set(model: &Model, image: &Image) {
    for path in model.names(STORE).into_iter().filter(|path| model.get(path).is_some()) {
        let below = path.strip_prefix(STORE).expect("below the store").to_string_lossy().into_owned();
        let is_same = image.get(&below).is_some_and(|bytes| model.get(&path).as_ref() == Some(bytes));
        if !is_same && !below.is_empty() && path.extension().is_none_or(|ending| ending != "folder") {
            model.take_away(&path);
        }
    }
    for (name, bytes) in image {
        let path = PathBuf::from(format!("{STORE}/{name}"));
        if model.get(&path).is_none() {
            model.put(path, bytes);
        }
    }
}

/// Makes a checkpoint of a store that begins as the first image, and becomes each further one after such a step.
fn through(moments: &[(Option<Step>, &Image)]) -> (CheckpointSummary, Model) {
    let model = Model::default();
    model.put_folder("/model/snap");
    set(&model, moments[0].1);
    let next = AtomicUsize::new(1);
    let step = |now| {
        let at = next.load(Ordering::Relaxed);
        if let Some((_, image)) = moments.get(at).filter(|(step, _)| *step == Some(now)) {
            set(&model, image);
            next.store(at + 1, Ordering::Relaxed);
        }
    };
    let options = LiveOptions { step: Some(&step), ..LiveOptions::default() };
    let (from, beside) = (model.root(STORE), model.root("/model/srv"));
    let to = Place { root: Arc::new(model.root("/model/snap")), name: Name::new(b"db").expect("a name") };
    let run = Run { from: &from, beside: Some(&beside), to: &to, options: &options, watch: &Watch::silent() };
    let summary = run.make().expect("a checkpoint");
    assert_eq!(next.load(Ordering::Relaxed), moments.len(), "every moment came");
    (summary, model)
}

fn image(folder: &Path) -> Image {
    let files = fs::read_dir(folder).expect("a store").map(|entry| entry.expect("an entry").path());
    files
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(path).expect("a file")))
        .collect()
}

fn rocksdb() -> [Image; 4] {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    Ran::of(command("rocksdb_moments.py").arg(scratch.path())).expect(0);
    [0, 1, 2, 3].map(|moment| image(&scratch.path().join(moment.to_string())))
}

fn logs(image: &Image) -> Vec<&String> {
    image.keys().filter(|name| name.ends_with(".log")).collect()
}

fn in_copy(model: &Model, name: &str) -> bool {
    model.get(format!("/model/snap/db/{name}")).is_some()
}

#[test]
fn the_oldest_log_that_is_needed_came_and_went() {
    let [zero, one, two, _] = rocksdb();
    assert!([&zero, &one, &two].iter().all(|image| logs(image).len() == 1), "{:?}", logs(&one));
    let (summary, model) = through(&[(None, &zero), (Some(Step::Held), &one), (Some(Step::Pinned), &two)]);
    assert_eq!(summary.tries, 2, "what was in {:?} is in no table that the first try named: {summary:?}", logs(&one));
    assert!(in_copy(&model, logs(&two)[0]) && !in_copy(&model, logs(&one)[0]), "{summary:?}");
}

#[test]
fn a_log_between_two_that_are_held_came_and_went() {
    let [_, one, _, three] = rocksdb();
    let (summary, model) = through(&[(None, &one), (Some(Step::Pinned), &three)]);
    assert_eq!(summary.tries, 2, "the log between {:?} and {:?} is not held: {summary:?}", logs(&one), logs(&three));
    assert!(in_copy(&model, logs(&three)[0]) && !in_copy(&model, logs(&one)[0]), "{summary:?}");
}

#[test]
fn logs_that_are_all_held_need_no_second_try() {
    let [_, one, two, _] = rocksdb();
    let (summary, model) = through(&[(None, &one), (Some(Step::Pinned), &two)]);
    assert_eq!(summary.tries, 1, "{summary:?}");
    assert!(in_copy(&model, logs(&two)[0]) && in_copy(&model, logs(&one)[0]), "{summary:?}");
}

/// A store with one journal, and the same when that was followed by two others, of which only the last is left.
fn fjall() -> (Image, Image) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fjall");
    let mut before = Image::new();
    let mut ahead = vec![folder.clone()];
    while let Some(at) = ahead.pop() {
        for entry in fs::read_dir(at).expect("a folder of the fixture") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                ahead.push(path);
            } else {
                let name = path.strip_prefix(&folder).expect("below").to_string_lossy().into_owned();
                before.insert(name, fs::read(path).expect("a file of the fixture"));
            }
        }
    }
    let mut after = before.clone();
    let journal = after.remove("0.jnl").expect("a journal");
    after.insert("2.jnl".to_owned(), journal);
    (before, after)
}

#[test]
fn a_journal_between_two_that_are_held_came_and_went() {
    let (before, after) = fjall();
    let (summary, model) = through(&[(None, &before), (Some(Step::Pinned), &after)]);
    assert_eq!(summary.tries, 2, "journal 1 is not held: {summary:?}");
    assert!(in_copy(&model, "2.jnl") && !in_copy(&model, "0.jnl"), "{summary:?}");
}

#[test]
fn what_one_try_has_pinned_the_next_one_has() {
    let (before, after) = fjall();
    let mut gone = after.clone();
    gone.remove("keyspaces/1/tables/0").expect("a table");
    let (summary, model) = through(&[(None, &before), (Some(Step::Pinned), &after), (Some(Step::Held), &gone)]);
    assert_eq!(summary.tries, 2, "{summary:?}");
    assert!(in_copy(&model, "keyspaces/1/tables/0"), "{summary:?}");
}
