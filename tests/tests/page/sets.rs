//! Sets of every format on the page: the command's reports, sound or damaged, with a key or without, and what is
//! restored.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use highwater_core::digest::sha256_of;
use highwater_core::facts::Shape;
use highwater_tests::browser::{Browser, page};
use highwater_tests::page::{give_key, plain};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::specimens::{self, Case, Point, Sample, Specimen};

use crate::support::{
    DEPTHS, Shown, VERDICT, command_with, forget_verdict, on_all_cores, open, report, restore_to, shown, web,
};

/// The reports of the page and of the command are the same.
#[track_caller]
pub(crate) fn expect_same(browser: &mut Browser, store: &Path, depth: &str, keyed: &[&str], what: &str) {
    let wanted = command_with(&[store], depth, keyed);
    let Shown { verdict, text } = shown(browser, &[store], depth);
    assert_eq!(verdict, wanted.verdict, "{what}: {text}");
    for (kind, bytes) in &wanted.files {
        expect_same_bytes(&report(browser, kind), bytes, &format!("{kind} of {what}"));
    }
}

/// A sample of a format, and a file of its key.
pub(crate) type Known = (&'static dyn Specimen, Sample, Option<PathBuf>);

/// Every sample of every format, with a file of its key in `folder`.
pub(crate) fn samples(folder: &Path) -> Vec<Known> {
    let mut found = Vec::new();
    for specimen in specimens::all() {
        for sample in specimen.samples() {
            let file = sample.key.as_ref().map(|(_, text)| {
                let file = folder.join(format!("{} {}.key", specimen.name(), sample.name));
                fs::write(&file, text).expect("a key file");
                file
            });
            found.push((specimen, sample, file));
        }
    }
    found
}

/// Damages that differ in kind: of a small sample one of each, of another, whose are all of a kind of their own, every
/// sixth.
pub(crate) fn damages(specimen: &dyn Specimen, sample: &Sample, first: usize) -> Vec<Case> {
    if !sample.is_small() {
        return specimen.damages(sample).skip(first).step_by(6).collect();
    }
    let mut kinds = BTreeSet::new();
    let is_new = |case: &Case| kinds.insert(case.name.split(' ').next().map(str::to_owned));
    specimen.damages(sample).filter(is_new).collect()
}

#[test]
fn any_set_at_any_depth_gets_the_reports_that_the_command_writes() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let samples = samples(fixture.path());
    let rounds = samples.iter().flat_map(|sample| [(1, 0), (3, 3)].map(|(workers, first)| (sample, workers, first)));
    on_all_cores(rounds.collect(), Browser::start, |browser, (sample, workers, first)| {
        round(browser, sample, workers, first);
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    });
}

/// A sample, sound and damaged, without its key and with it, on a page with so many workers.
fn round(browser: &mut Browser, (specimen, sample, key): &Known, workers: usize, first: usize) {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let set = fixture.path().join("set");
    open(browser, &format!("file://{}#workers={workers}", page().display()));
    for key in [None].into_iter().chain(key.as_ref().map(Some)) {
        let keyed = key.map(|key| ["--keyfile", key.to_str().expect("text")]);
        let keyed = keyed.as_ref().map_or(&[][..], |keyed| keyed);
        if let Some(key) = key {
            forget_verdict(browser);
            assert!(give_key(browser, key).ends_with("is used."));
            // What is on the page is checked again with it; only then comes another set.
            browser.until(VERDICT);
        }
        for case in damages(*specimen, sample, first) {
            specimens::lay(&case.files, &set);
            let depths = if sample.is_small() && workers > 1 { &DEPTHS[..] } else { &["digest"] };
            for depth in depths {
                let what = format!("{} at {depth} with {workers} workers and {keyed:?}", case.name);
                expect_same(browser, &set, depth, keyed, &what);
            }
        }
        specimens::lay(&sample.files, &set);
        for depth in DEPTHS {
            let what = format!("{} at {depth} with {workers} workers and {keyed:?}", sample.name);
            expect_same(browser, &set, depth, keyed, &what);
        }
    }
}

/// What the page offers to restore, in order.
fn offered(browser: &mut Browser) -> Vec<String> {
    let offered = browser.eval(
        "[...document.querySelectorAll('[data-testid=point] option')].flatMap((point) => {
            const menu = document.querySelector('[data-testid=point]');
            menu.value = point.value;
            menu.dispatchEvent(new Event('change'));
            const archives = [...document.querySelectorAll('[data-testid=archive] option')];
            return archives.length ? archives.map(({ value }) => `${point.value}/${value}`) : [point.value];
        })",
    );
    let text = |name: &serde_json::Value| name.as_str().map(str::to_owned);
    let mut offered: Vec<String> = offered.as_array().expect("a list").iter().filter_map(text).collect();
    offered.sort_unstable();
    offered
}

#[test]
fn all_is_offered_and_restored_and_what_is_sealed_with_its_key_alone() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let served = web();
    on_all_cores(samples(fixture.path()), Browser::start, |browser, sample| {
        open(browser, &served.address);
        restored(browser, sample);
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    });
}

/// All of a sample is restored.
fn restored(browser: &mut Browser, (specimen, mut sample, key): Known) {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let set = plain(fixture.path()).join("set");
    specimens::lay(&sample.files, &set);
    // What is sealed is offered where nobody looked into it, and the restore itself refuses it.
    shown(browser, &[&set], "list");
    let shape = specimen.format().facts().shape;
    let buttons = browser.eval("document.querySelectorAll('[data-testid=restore]').length");
    assert_eq!(buttons == 0, shape == Shape::Nothing, "{}: {buttons} buttons", sample.name);
    if matches!(shape, Shape::Nothing | Shape::Tree) {
        return;
    }
    sample.points.sort_by(|one, other| one.name.cmp(&other.name));
    let wanted: Vec<&String> = sample.points.iter().map(|point| &point.name).collect();
    assert_eq!(offered(browser).iter().collect::<Vec<_>>(), wanted);
    let (mut opened, mut refused) = (0, Vec::new());
    for point in &sample.points {
        match restore_to(browser, &point.name, true) {
            Ok(bytes) => {
                assert_eq!(sha256_of(&bytes).to_string(), point.sum, "{}", point.name);
                opened += 1;
            }
            Err(why) => {
                assert!(why.contains("nothing was kept") && why.contains("encrypted"), "{why}");
                refused.push(point);
            }
        }
    }
    let sealed = sample.points.iter().filter(|point| point.sealed);
    assert!(opened > 0 && sealed.map(|point| &point.name).eq(refused.iter().map(|point| &point.name)), "{refused:?}");
    if let Some(key) = key {
        // Once somebody looked, what cannot be judged is not offered.
        shown(browser, &[&set], "digest");
        let why = restore_to(browser, &refused[0].name, true).expect_err("nobody can judge it");
        assert!(why.starts_with("It is not offered for restoring"), "{why}");
        forget_verdict(browser);
        assert!(give_key(browser, &key).ends_with("is used."));
        // What is on the page is checked again with it.
        assert_eq!(browser.until(VERDICT), "sound");
    }
    for Point { name, sum, .. } in refused {
        let bytes = restore_to(browser, name, true).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name}");
    }
}
