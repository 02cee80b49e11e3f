//! Replicas of live stores on the model of a disk, cut off and disturbed at every step: the old state or the new one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use highwater::disk::Disk;
use highwater::error::Error;
use highwater::live::{Fleet, Fleeting};
use highwater::replicate::{Checkpoint, Here, StoreOptions, StoreSummary, replicate_store};
use highwater::watch::Watch;
use highwater_core::name::Name;
use highwater_tests::model::{Model, Survivors, Wrong};
use highwater_tests::repo::Image;
use highwater_tests::score::{Score, full};

use crate::checkpoint::stores;

const STORE: &str = "/model/srv/store";
const AROUND: &str = "/model/srv";
const SNAP: &str = "/model/snap";
const REPLICA: &str = "/model/snap/db";

type Tree = BTreeMap<PathBuf, Vec<u8>>;

const PLAIN: StoreOptions<'static> = StoreOptions { of: "/srv/store", check: false, related: false };

/// A file that lies in a store and is its user's own.
const NOTE: &str = "note.txt";

fn lay(model: &Model, image: &Image) {
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
}

fn run(model: &Model, job: &StoreOptions<'_>) -> Result<StoreSummary, Error> {
    let (watch, to, name) = (Watch::silent(), model.root(SNAP), Name::new(b"db")?);
    let make = || -> Result<Box<dyn Checkpoint>, Error> {
        let (store, beside): (Arc<dyn Disk>, Arc<dyn Disk>) =
            (Arc::new(model.root(STORE)), Arc::new(model.root(AROUND)));
        let fleet = Fleet { store: &store, beside: Some(&beside), places: &[&beside] };
        Ok(Box::new(Here::new(Fleeting::make(&fleet, None, &watch)?, "'the store'".to_owned())))
    };
    replicate_store(job, (&to, &name), make, &watch)
}

fn files(model: &Model, folder: &str) -> Tree {
    let names = model.names(folder).into_iter();
    names.filter_map(|path| Some((path.clone(), model.get(&path)?))).collect()
}

/// What is left beside a store and a replica by whoever did not end.
fn left(model: &Model) -> Vec<PathBuf> {
    let is_work = |path: &PathBuf| path.to_string_lossy().contains("/.");
    let is_store = |path: &PathBuf| path.starts_with(STORE) || path.starts_with(REPLICA);
    files(model, "/model").into_keys().filter(|path| is_work(path) && !is_store(path)).collect()
}

/// A replica of a store, and a newer state of the store.
fn start(image: &Image) -> Model {
    let model = Model::default();
    model.put_folder(SNAP);
    lay(&model, image);
    run(&model, &PLAIN).expect("a replica");
    model.put(format!("{STORE}/{NOTE}"), b"of the new state");
    model.survive(Survivors::Nothing)
}

fn with_note(image: &Image) -> Image {
    let mut image = image.clone();
    image.insert(NOTE.to_owned(), b"of the old state".to_vec());
    image
}

#[test]
fn no_power_cut_leaves_half_a_replica_of_a_store() {
    let mut score = Score::part("power cuts", "replicas of live stores");
    for (kind, image) in &stores() {
        let image = with_note(image);
        let begin = start(&image);
        let (old, source) = (files(&begin, REPLICA), files(&begin, STORE));
        let whole = start(&image);
        let before = whole.operations();
        let done = run(&whole, &PLAIN).expect("the replica follows");
        assert!(done.had.files > 0 && done.copied.files > 0, "{kind}: {done:?}");
        let (new, operations) = (files(&whole, REPLICA), whole.operations());
        assert!(old != new && left(&whole).is_empty(), "{kind}: {:?}", left(&whole));
        assert_eq!(files(&whole.survive(Survivors::Nothing), REPLICA), new, "{kind}: what is done is durable");
        // Names are taken at the end; of what comes before, every third is enough for each day.
        let cuts = (before..operations).filter(|cut| full() || cut % 3 == 0 || cut + 30 > operations);
        for (cut, outcome) in cuts.flat_map(|cut| Survivors::ALL.map(|outcome| (cut, outcome))) {
            let case = format!("{kind}: cut before operation {cut} of {operations}, {outcome:?} survives");
            let model = start(&image);
            model.cut_at(cut);
            let ran = run(&model, &PLAIN);
            let after = model.survive(outcome);
            score.ran(1);
            let found = files(&after, REPLICA);
            // That the empty work folder goes is nothing that anybody waits for.
            if ran.is_ok() && found != new || files(&after, STORE) != source {
                score.fail(format!("{case}: {}, the store {}", ran.is_ok(), files(&after, STORE).len()));
            } else if found != old && found != new {
                score.fail(format!("{case}: a mixture: {:?}", found.keys()));
            } else if let Err(error) = run(&after, &PLAIN) {
                score.fail(format!("{case}: the next run fails: {error}"));
            } else if files(&after, REPLICA) != new || !left(&after).is_empty() {
                score.fail(format!("{case}: the next run leaves {:?}", left(&after)));
            }
        }
    }
    score.end();
}

#[test]
fn no_failing_disk_leaves_half_a_replica_of_a_store_nor_its_checkpoint() {
    let mut score = Score::part("failing disk operations", "replicas of live stores");
    for (kind, image) in &stores() {
        let image = with_note(image);
        let begin = start(&image);
        let (old, source) = (files(&begin, REPLICA), files(&begin, STORE));
        let whole = start(&image);
        let (before, reads_before) = (whole.operations(), whole.reads());
        run(&whole, &PLAIN).expect("the replica follows");
        let (new, operations, reads) = (files(&whole, REPLICA), whole.operations(), whole.reads());
        let operation = |at| (format!("{kind}: operation {at} of {operations} fails"), Some(at), None);
        let read = |at| (format!("{kind}: read {at} of {reads} fails"), None, Some(at));
        for (case, bad, bad_read) in (before..operations).map(operation).chain((reads_before..reads).map(read)) {
            let model = start(&image);
            bad.into_iter().for_each(|at| model.go_wrong(at, Wrong::Fail));
            bad_read.into_iter().for_each(|at| model.fail_read(at));
            let ran = run(&model, &PLAIN);
            score.ran(1);
            let found = files(&model, REPLICA);
            if files(&model, STORE) != source || found != old && found != new || ran.is_ok() && found != new {
                score.fail(format!("{case}: {ran:?}, and there are {:?}", found.keys()));
            } else if let Err(error) = run(&model, &PLAIN) {
                score.fail(format!("{case}: the next run fails: {error}"));
            } else if files(&model, REPLICA) != new || !left(&model).is_empty() {
                score.fail(format!("{case}: the next run leaves {:?}", left(&model)));
            }
        }
    }
    score.end();
}

/// What its own program wrote into a replica, and what never was one, is replaced by nobody who does not ask for it.
#[test]
fn what_is_no_replica_as_it_was_made_is_refused() {
    for (kind, image) in &stores() {
        let image = with_note(image);
        for what in ["more", "changed", "gone", "listless", "of another"] {
            let model = start(&image);
            let note = format!("{REPLICA}/{NOTE}");
            let mut job = PLAIN;
            match what {
                "more" => model.put(format!("{REPLICA}/more"), b"more"),
                "changed" => model.put(&note, b"of no state at all"),
                "gone" => model.take_away(&note),
                "listless" => model.take_away(format!("{REPLICA}.mtree")),
                _ => job.of = "/srv/other",
            }
            let before = (files(&model, REPLICA), files(&model, STORE));
            let refused = run(&model, &job).expect_err("it is refused").to_string();
            assert!(refused.contains("--related"), "{kind}, {what}: {refused}");
            assert_eq!((files(&model, REPLICA), files(&model, STORE)), before, "{kind}, {what}");
            assert!(left(&model).is_empty(), "{kind}, {what}: {:?}", left(&model));
            run(&model, &StoreOptions { related: true, ..job }).expect("it is asked for");
            let whole = start(&image);
            run(&whole, &PLAIN).expect("the replica follows");
            assert_eq!(files(&model, REPLICA), files(&whole, REPLICA), "{kind}, {what}");
        }
        // A folder of something else is nobody's to replace.
        let model = start(&image);
        model.put_folder("/model/snap/home");
        model.put("/model/snap/home/letter", b"mine");
        let home = Name::new(b"home").expect("a name");
        let make = || -> Result<Box<dyn Checkpoint>, Error> { unreachable!("nothing is made for it") };
        for related in [false, true] {
            let job = StoreOptions { related, ..PLAIN };
            let refused = replicate_store(&job, (&model.root(SNAP), &home), make, &Watch::silent());
            assert!(refused.is_err_and(|error| error.to_string().contains("no replica of a live store")), "{kind}");
            assert_eq!(model.get("/model/snap/home/letter").as_deref(), Some(&b"mine"[..]));
        }
    }
}

/// With --check, a file of the replica that rotted is fetched anew.
#[test]
fn what_rotted_in_a_replica_is_fetched_anew_when_it_is_checked() {
    for (kind, image) in &stores() {
        let model = start(&with_note(image));
        let settled = highwater::live::settled(kind).expect("a kind");
        let is_settled = |path: &PathBuf| {
            let name = path.strip_prefix(REPLICA).expect("below").to_str().expect("text");
            Name::new(name.as_bytes()).is_ok_and(|name| settled(&name))
        };
        let all = files(&model, REPLICA);
        let (path, bytes) = all.iter().find(|(path, bytes)| is_settled(path) && !bytes.is_empty()).expect("a file");
        let mut rotten = bytes.clone();
        rotten[0] ^= 1;
        model.put_with(path, &rotten, model.meta(path).expect("a file"));
        run(&model, &StoreOptions { check: true, ..PLAIN }).expect("it is checked");
        assert_eq!(model.get(path).as_ref(), Some(bytes), "{kind}: {}", path.display());
    }
}
