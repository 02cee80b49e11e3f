//! Power cuts and failing disks: at any moment the checkpoint is whole, or there is none; and the store is as it was.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use highwater::error::Error;
use highwater::live::{CheckpointSummary, LiveOptions, Run};
use highwater::store::Place;
use highwater::watch::Watch;
use highwater_core::name::Name;
use highwater_tests::model::{Model, Survivors, Wrong};
use highwater_tests::repo::Image;
use highwater_tests::score::Score;

use super::stores;

const STORE: &str = "/model/srv/store";
const SNAP: &str = "/model/snap";

/// The file in a work folder by which the next run knows it.
const MARK: &str = ".highwater-work";

type Tree = BTreeMap<PathBuf, Vec<u8>>;

fn start(image: &Image) -> Model {
    let model = Model::default();
    model.put_folder(SNAP);
    model.put_folder(STORE);
    for (name, bytes) in image {
        let path = PathBuf::from(format!("{STORE}/{name}"));
        let below = path.ancestors().skip(1).take_while(|folder| *folder != std::path::Path::new(STORE));
        for folder in below.collect::<Vec<_>>().into_iter().rev() {
            if model.meta(folder).is_none() {
                model.put_folder(folder);
            }
        }
        model.put(path, bytes);
    }
    model
}

fn checkpoint(model: &Model, options: &LiveOptions<'_>) -> Result<CheckpointSummary, Error> {
    let (from, beside) = (model.root(STORE), model.root("/model/srv"));
    let to = Place { root: Arc::new(model.root(SNAP)), name: Name::new(b"db").expect("a name") };
    Run { from: &from, beside: Some(&beside), to: &to, options, watch: &Watch::silent() }.make()
}

/// The files below a folder, without the times and owners in a list of files.
fn files(model: &Model, folder: &str) -> Tree {
    let all = model.names(folder).into_iter();
    all.filter_map(|path| {
        let bytes = model.get(&path)?;
        let is_list = path.as_os_str().as_bytes().ends_with(b".mtree");
        Some((path, if is_list { timeless(&bytes) } else { bytes }))
    })
    .collect()
}

fn timeless(list: &[u8]) -> Vec<u8> {
    let words = |line: &str| line.split(' ').filter(|word| !word.starts_with("time=")).collect::<Vec<_>>().join(" ");
    String::from_utf8_lossy(list).lines().map(words).collect::<Vec<_>>().join("\n").into_bytes()
}

/// What lies in the folder of checkpoints under names that are none of work files and folders.
fn made(model: &Model) -> Tree {
    let is_work =
        |path: &PathBuf| ["/.db.part.", "/db.mtree."].iter().any(|work| path.to_string_lossy().contains(work));
    files(model, SNAP).into_iter().filter(|(path, _)| !is_work(path)).collect()
}

const WAYS: [(&str, bool); 2] = [("linked", false), ("copied", true)];

#[test]
fn no_power_cut_leaves_half_a_checkpoint() {
    let mut score = Score::part("power cuts", "checkpoints");
    for ((kind, image), (way, copy)) in stores().iter().flat_map(|store| WAYS.map(|way| (store, way))) {
        let options = LiveOptions { copy, ..LiveOptions::default() };
        let (empty, source) = (made(&start(image)), files(&start(image), STORE));
        let whole = start(image);
        let summary = checkpoint(&whole, &options).expect("it is made");
        assert_eq!(summary.linked.files > 0, !copy, "{kind}: {summary:?}");
        let (after, operations) = (made(&whole), whole.operations());
        assert!(operations > 20, "{operations}");
        assert_eq!(made(&whole.survive(Survivors::Nothing)), after, "{kind}: what is done is durable");
        let listless: Tree = after
            .iter()
            .filter(|(path, _)| !path.ends_with("db.mtree"))
            .map(|(path, is)| (path.clone(), is.clone()))
            .collect();
        // From here on until it has its name, it does not say any more that it is a work folder.
        let unmarked = whole.steps().iter().position(|step| step.verb == "remove" && step.path.ends_with(MARK));
        let unmarked = unmarked.expect("the mark is taken off") as u64;
        for (cut, outcome) in (0..operations).flat_map(|cut| Survivors::ALL.map(|outcome| (cut, outcome))) {
            let case = format!("{kind}, {way}: cut before operation {cut} of {operations}, {outcome:?} survives");
            let model = start(image);
            model.cut_at(cut);
            let ran = checkpoint(&model, &options);
            let left = model.survive(outcome);
            score.ran(1);
            let found = made(&left);
            if ran.is_ok() || files(&left, STORE) != source {
                score.fail(format!("{case}: {ran:?}, the store {:?}", files(&left, STORE).keys()));
            } else if found == after || found == listless {
                // It is there; its list may be missing.
            } else if found != empty {
                score.fail(format!("{case}: {:?}", found.keys()));
            } else if let Err(error) = checkpoint(&left, &options) {
                score.fail(format!("{case}: the next run fails: {error}"));
            } else if cut <= unmarked && files(&left, "/model").len() != files(&whole, "/model").len() {
                score.fail(format!("{case}: the next run leaves {:?}", files(&left, "/model").keys()));
            }
        }
    }
    score.end();
}

#[test]
fn no_failing_disk_leaves_half_a_checkpoint() {
    let mut score = Score::part("failing disk operations", "checkpoints");
    for ((kind, image), (way, copy)) in stores().iter().flat_map(|store| WAYS.map(|way| (store, way))) {
        let options = LiveOptions { copy, ..LiveOptions::default() };
        let (empty, source) = (made(&start(image)), files(&start(image), STORE));
        let whole = start(image);
        checkpoint(&whole, &options).expect("it is made");
        let (after, operations, reads) = (made(&whole), whole.operations(), whole.reads());
        let operation = |at| (format!("{kind}, {way}: operation {at} of {operations} fails"), Some(at), None);
        let read = |at| (format!("{kind}, {way}: read {at} of {reads} fails"), None, Some(at));
        for (case, bad, bad_read) in (0..operations).map(operation).chain((0..reads).map(read)) {
            let model = start(image);
            bad.into_iter().for_each(|at| model.go_wrong(at, Wrong::Fail));
            bad_read.into_iter().for_each(|at| model.fail_read(at));
            let ran = checkpoint(&model, &options);
            score.ran(1);
            let (now, durable) = (made(&model), made(&model.survive(Survivors::Nothing)));
            if files(&model, STORE) != source {
                score.fail(format!("{case}: the store is {:?}", files(&model, STORE).keys()));
            } else if ran.is_ok() && (now != after || durable != after) {
                score.fail(format!("{case}: it says that all is well, and made {:?}", now.keys()));
            } else if ran.is_err() && now != empty {
                // It got its name, and what came behind that failed: then it is whole.
                let whole = after.iter().filter(|(path, _)| !path.ends_with("db.mtree"));
                if !whole.into_iter().all(|(path, is)| now.get(path) == Some(is)) {
                    score.fail(format!("{case}: {ran:?}, and there are {:?}", now.keys()));
                }
            }
        }
    }
    score.end();
}
