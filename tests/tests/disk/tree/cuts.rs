//! Power cuts and failing disks: at any moment the target is the old tree or the new one, each whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use highwater::error::Error;
use highwater::restore::tree::{Run, TreePlan, TreeSummary, to_folder};
use highwater::watch::Watch;
use highwater_core::node::{Meta, NodeKind};
use highwater_tests::model::{Model, Survivors, Wrong};

use super::ASKED;
use super::bale::{Bale, meta, name};

const TARGET: &str = "/model/standby/tree";

/// A few of each kind.
fn bale() -> Bale {
    let mut bale = Bale::default();
    let owned = |mode| Meta { uid: Some(7), gid: Some(8), ..meta(mode, 9) };
    bale.folder("f", owned(0o755));
    bale.folder("f/g", owned(0o700));
    bale.file("f/x", b"what x holds, which is longer than a sector", owned(0o640), ("pack", 20));
    bale.file("f/g/y", b"what y holds", owned(0o600), ("pack", 20));
    bale.file("stays", b"what stays", owned(0o644), ("pack", 20));
    bale.node("f/again", NodeKind::Hard(name("f/x")), Meta::default());
    bale.node("link", NodeKind::Link(b"f/x".to_vec()), Meta::default());
    bale
}

/// The repository, and an old tree if there is to be one: a file that stays, one that changes, one that goes.
fn start(bale: &Bale, old: bool) -> Model {
    let model = Model::default();
    model.put_folder("/model/standby");
    for (name, bytes) in &bale.objects {
        model.put(format!("/model/repo/{name}"), bytes);
    }
    if old {
        model.put_folder(TARGET);
        model.put_folder(format!("{TARGET}/f"));
        model.put(format!("{TARGET}/stays"), b"what stays");
        model.put(format!("{TARGET}/f/x"), b"an old x");
        model.put(format!("{TARGET}/goes"), b"what goes");
    }
    model
}

fn restore(bale: &Bale, model: &Model) -> Result<TreeSummary, Error> {
    let (from, to) = (model.root("/model/repo"), model.root("/model/standby"));
    let plan = TreePlan::make(&from, bale.asked())?;
    let (target, watch) = (&name("tree"), &Watch::silent());
    to_folder(&Run { job: &ASKED, plan: &plan, from: &from, to: &to, target, watch })
}

/// The tree as it is: the bytes and the mode of everything below the target; of what stays whatever the new tree is,
/// the bytes alone, as it is one file in both.
fn tree(model: &Model) -> BTreeMap<PathBuf, (Vec<u8>, Option<u32>)> {
    let below = |path: PathBuf| path.strip_prefix(TARGET).ok().map(|rest| (rest.to_owned(), path.clone()));
    let seen = |(rest, path): (PathBuf, PathBuf)| {
        let mode = model.meta(&path).map(|meta| meta.mode).filter(|_| !rest.ends_with("stays"));
        (rest, (model.get(&path).unwrap_or_default(), mode))
    };
    model.names(TARGET).into_iter().filter_map(below).map(seen).collect()
}

#[test]
fn no_power_cut_leaves_half_a_tree() {
    let bale = bale();
    for old in [false, true] {
        let before = tree(&start(&bale, old));
        let whole = start(&bale, old);
        restore(&bale, &whole).expect("it is restored");
        let (after, operations) = (tree(&whole), whole.operations());
        assert_eq!(tree(&whole.survive(Survivors::Nothing)), after, "what is done is durable");
        assert!(after != before && operations > 30, "{operations}");
        for (cut, outcome) in (0..operations).flat_map(|cut| Survivors::ALL.map(|outcome| (cut, outcome))) {
            let model = start(&bale, old);
            model.cut_at(cut);
            let ran = restore(&bale, &model);
            let left = model.survive(outcome);
            let found = tree(&left);
            let case = format!("old: {old}, cut before operation {cut} of {operations}, {outcome:?} survives");
            assert!(found == before || found == after, "{case}: {found:?}");
            assert!(ran.is_err() || found == after, "{case}: it did not notice");
            restore(&bale, &left).unwrap_or_else(|error| panic!("{case}: the next run fails: {error}"));
            assert_eq!(tree(&left.survive(Survivors::Nothing)), after, "{case}: the next run");
        }
    }
}

#[test]
fn no_failing_disk_leaves_half_a_tree() {
    let bale = bale();
    for old in [false, true] {
        let before = tree(&start(&bale, old));
        let whole = start(&bale, old);
        restore(&bale, &whole).expect("it is restored");
        let (after, operations, reads) = (tree(&whole), whole.operations(), whole.reads());
        let judge = |case: &str, model: &Model| {
            let ran = restore(&bale, model);
            // What could not be removed at the end is said, and the new tree is there.
            assert!(
                tree(model) == if ran.is_ok() { after.clone() } else { before.clone() } || tree(model) == after,
                "{case}"
            );
            assert!(
                ran.is_err() || tree(&model.survive(Survivors::Nothing)) == after,
                "{case}: it is done, and not durable"
            );
        };
        for at in 0..operations {
            let model = start(&bale, old);
            model.go_wrong(at, Wrong::Fail);
            judge(&format!("old: {old}, operation {at} of {operations} fails"), &model);
        }
        for at in 0..reads {
            let model = start(&bale, old);
            model.fail_read(at);
            judge(&format!("old: {old}, read {at} of {reads} fails"), &model);
        }
    }
}
