//! Power cuts and failing disks: at any moment the target is the old tree or the new one, each whole.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use highwater::disk::{Disk, What};

use highwater::error::Error;
use highwater::restore::tree::{Run, TreePlan, TreeSummary, to_folder};
use highwater::watch::Watch;
use highwater_core::name::Name;
use highwater_core::node::{self, NodeKind};
use highwater_tests::model::{Meta, Model, Survivors, Wrong};
use highwater_tests::score::Score;

use super::ASKED;
use super::bale::{Bale, meta, name};

/// What a tree holds: bytes, and what the file system keeps of each entry.
type Tree = BTreeMap<PathBuf, (Vec<u8>, Option<(Meta, What)>)>;

const TARGET: &str = "/model/standby/tree";

/// A few of each kind.
fn bale() -> Bale {
    let mut bale = Bale::default();
    let owned = |mode| node::Meta { uid: Some(7), gid: Some(8), ..meta(mode, 9) };
    bale.folder("f", owned(0o755));
    bale.folder("f/g", owned(0o700));
    bale.file("f/x", b"what x holds, which is longer than a sector", owned(0o640), ("pack", 20));
    bale.file("f/g/y", b"what y holds", owned(0o600), ("pack", 20));
    bale.file("stays", b"what stays", owned(0o644), ("pack", 20));
    let long: Vec<u8> = (0..70_000_u32).flat_map(u32::to_le_bytes).take(70_000).collect();
    let parts = [
        ("f/g/one", b"one".to_vec(), owned(0o644)),
        ("f/g/long", long, owned(0o644)),
        ("part stays", b"a part that stays".to_vec(), owned(0o644)),
    ];
    bale.stream(&parts, ("pack-5", 30_000));
    bale.node("f/again", NodeKind::Hard(name("f/x")), node::Meta::default());
    bale.node("link", NodeKind::Link(b"f/x".to_vec()), node::Meta::default());
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
        model.put(format!("{TARGET}/part stays"), b"a part that stays");
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

/// The tree as it is: what everything below the target holds and is. Of `stays` only the bytes: it is the same file in
/// both trees, and the rest of it is set before the switch.
fn tree(model: &Model) -> Tree {
    let root = model.root(TARGET);
    let seen = |path: PathBuf| {
        let rest = path.strip_prefix(TARGET).expect("below the target").to_owned();
        let below = Name::new(rest.as_os_str().as_bytes()).ok();
        let what = root.look(below.as_ref()).ok().flatten().map(|look| look.what);
        let is = model.meta(&path).zip(what).filter(|_| !rest.to_string_lossy().ends_with("stays"));
        (rest, (model.get(&path).unwrap_or_default(), is))
    };
    model.names(TARGET).into_iter().map(seen).collect()
}

/// The names beside the target that are no work folders of runs that were cut off.
fn beside(model: &Model) -> Vec<PathBuf> {
    let is_work = |path: &PathBuf| path.to_string_lossy().contains("/tree.part.");
    let all = model.names("/model/standby").into_iter().filter(|path| !path.starts_with(TARGET));
    all.filter(|path| !is_work(path)).collect()
}

/// After whatever went wrong, the next run brings the new tree.
fn recovers(bale: &Bale, left: &Model, after: &Tree, case: &str) -> Result<(), String> {
    restore(bale, left).map_err(|error| format!("{case}: the next run fails: {error}"))?;
    let found = tree(&left.survive(Survivors::Nothing));
    let others = beside(left);
    if found == *after && others == [PathBuf::from("/model/standby")] {
        Ok(())
    } else {
        Err(format!("{case}: after the next run {found:?} beside {others:?}"))
    }
}

#[test]
fn no_power_cut_leaves_half_a_tree() {
    let (bale, mut score) = (bale(), Score::part("power cuts", "trees"));
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
            score.ran(1);
            if ran.is_ok() || found != before && found != after {
                score.fail(format!("{case}: {found:?}"));
            } else if let Err(why) = recovers(&bale, &left, &after, &case) {
                score.fail(why);
            }
        }
    }
    score.end();
}

#[test]
fn no_failing_disk_leaves_half_a_tree() {
    let (bale, mut score) = (bale(), Score::part("failing disk operations", "trees"));
    for old in [false, true] {
        let before = tree(&start(&bale, old));
        let whole = start(&bale, old);
        restore(&bale, &whole).expect("it is restored");
        let (after, operations, reads) = (tree(&whole), whole.operations(), whole.reads());
        let operation = |at| (format!("old: {old}, operation {at} of {operations} fails"), Some(at), None);
        let read = |at| (format!("old: {old}, read {at} of {reads} fails"), None, Some(at));
        for (case, bad, bad_read) in (0..operations).map(operation).chain((0..reads).map(read)) {
            let model = start(&bale, old);
            bad.into_iter().for_each(|at| model.go_wrong(at, Wrong::Fail));
            bad_read.into_iter().for_each(|at| model.fail_read(at));
            let ran = restore(&bale, &model);
            let (now, durable) = (tree(&model), tree(&model.survive(Survivors::Nothing)));
            score.ran(1);
            // A run may fail when the new tree is there: the old one could not be removed.
            let holds = now == after || ran.is_err() && now == before;
            if !holds || ran.is_ok() && durable != after || durable != before && durable != after {
                score.fail(format!("{case}: {ran:?}, {now:?}, durable {durable:?}"));
            } else if let Err(why) = recovers(&bale, &model.survive(Survivors::Nothing), &after, &case) {
                score.fail(why);
            }
        }
    }
    score.end();
}
