//! What lies elsewhere is judged as the same files in a folder are: every kind of set, sound and damaged, by every verb
//! that reads.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use highwater_core::facts::Shape;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::{self, Sample, Specimen as _};

use crate::both::{Both, at};
use crate::roots::Roots;

/// How a text calls the two roots is no difference.
fn alike(roots: &dyn Both, text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).into_owned();
    let near = roots.near().display().to_string();
    text.replace(&near, "ROOT").replace(&roots.far().display().to_string(), "ROOT")
}

/// What a verb says of either root, if it is not the same.
fn differs(roots: &dyn Both, words: &[&str], point: Option<&str>, more: &[&OsStr]) -> Option<String> {
    let named = |root: &Path| point.map_or_else(|| root.to_owned(), |point| at(root, point));
    let near = roots.run(words, &named(&roots.near()), more);
    let far = roots.run(words, &named(&roots.far()), more);
    let same = near.code == far.code && alike(roots, &near.stdout) == alike(roots, &far.stdout);
    (!same).then(|| format!("{}\nbut\n{}", near.account(), far.account()))
}

#[test]
fn a_bucket_is_judged_as_a_folder_is() {
    is_judged_alike(&Roots::new(), "s3", &[]);
}

/// Verifies every kind of set either way, sound and damaged.
pub(crate) fn is_judged_alike(roots: &dyn Both, part: &str, options: &[&str]) {
    let mut score = Score::part("far roots: verify", part);
    for specimen in specimens::all() {
        let sample = specimen.small();
        let cases: Vec<_> = specimen.damages(&sample).collect();
        // In CI, some of each kind, the sound one among them.
        let step = (cases.len() / usize::try_from(size(12, u64::MAX)).unwrap_or(usize::MAX)).max(1);
        for case in cases.iter().step_by(step) {
            roots.lay(&case.files);
            for depth in ["list", "deep"] {
                score.ran(1);
                let words = ["verify", "--json", "--kind", specimen.name(), "--depth", depth];
                let words = [&words[..], options].concat();
                if let Some(what) = differs(roots, &words, None, &[]) {
                    score.fail(format!("{}, {} at {depth}: {what}", specimen.name(), case.name));
                }
            }
        }
    }
    score.end();
}

fn points(sample: &Sample) -> impl Iterator<Item = &str> {
    sample.points.iter().filter(|point| !point.sealed).map(|point| point.name.as_str())
}

#[test]
fn a_bucket_gives_what_a_folder_gives() {
    gives_the_same(&Roots::new(), "s3");
}

/// Reads every kind of set either way, by every other verb that reads.
pub(crate) fn gives_the_same(roots: &dyn Both, part: &str) {
    let mut score = Score::part("far roots: list, show, restore, export", part);
    for specimen in specimens::all() {
        let (sample, shape) = (specimen.small(), specimen.format().facts().shape);
        roots.lay(&sample.files);
        let mut check = |words: &[&str], point: Option<&str>, more: &[&OsStr]| {
            score.ran(1);
            if let Some(what) = differs(roots, words, point, more) {
                score.fail(format!("{}: {what}", specimen.name()));
            }
        };
        check(&["list", "--json"], None, &[]);
        check(&["strays", "--json"], None, &[]);
        for point in points(&sample) {
            check(&["show", "--json"], Some(point), &[]);
            match shape {
                Shape::Nothing => {}
                Shape::Append | Shape::Image => check(&["restore"], Some(point), &[OsStr::new("-")]),
                Shape::Tree => check(&["export"], Some(point), &[]),
            }
        }
    }
    score.end();
}

#[test]
fn a_file_and_a_folder_are_brought_to_what_a_bucket_has() {
    are_brought_to_what_is_there(&Roots::new());
}

/// Restores a file and a folder, from nothing and from what is there.
pub(crate) fn are_brought_to_what_is_there(roots: &dyn Both) {
    let sample = specimens::repozo::Repozo.small();
    roots.lay(&sample.files);
    let target = roots.near().with_file_name("Data.fs");
    // From nothing, then from what is there.
    for point in points(&sample).chain(points(&sample)) {
        roots.run(&["restore", "--full"], &at(&roots.far(), point), &[target.as_os_str()]).expect(0);
        let near = roots.run(&["restore"], &at(&roots.near(), point), &[OsStr::new("-")]);
        assert!(fs::read(&target).expect("a file") == near.expect(0).stdout, "{point}");
    }
    let sample = specimens::tree::Tree.small();
    roots.lay(&sample.files);
    let target = roots.near().with_file_name("folder");
    for point in points(&sample).chain(points(&sample)) {
        let run = roots.run(&["restore", "--full"], &at(&roots.far(), point), &[target.as_os_str()]);
        assert!([0, 3].contains(&run.code), "{}", run.account());
        let run = roots.run(&["restore", "--full", "-n"], &at(&roots.near(), point), &[target.as_os_str()]);
        assert!(run.text().contains("already"), "{}", run.account());
    }
}

#[test]
fn what_a_bucket_has_heals_a_folder() {
    heals_a_folder(&Roots::new());
}

/// Damages the folder, and heals it from the other.
pub(crate) fn heals_a_folder(roots: &dyn Both) {
    let sample = specimens::repozo::Repozo.small();
    roots.lay(&sample.files);
    let (name, whole) = sample.files.iter().find(|(name, _)| name.ends_with(".fs")).expect("a full backup");
    let damaged: Vec<u8> = whole.iter().map(|byte| byte ^ 1).collect();
    fs::write(roots.near().join(name), damaged).expect("a file");
    assert_eq!(roots.run(&["verify"], &roots.near(), &[]).code, 1);
    let far = roots.far();
    roots.run(&["heal"], &roots.near(), &[OsStr::new("--from"), far.as_os_str()]).expect(0);
    roots.run(&["verify"], &roots.near(), &[]).expect(0);
}

#[test]
fn nothing_writes_into_a_bucket_or_beside_it() {
    let roots = Roots::new();
    let sample = specimens::repozo::Repozo.small();
    roots.lay(&sample.files);
    let (near, far) = (roots.near(), Roots::far());
    let file = roots.near().with_file_name("Data.fs");
    fs::write(&file, b"FS30").expect("a file");
    let words: [&[&OsStr]; 5] = [
        &[OsStr::new("heal"), far.as_os_str(), OsStr::new("--from"), near.as_os_str()],
        &[OsStr::new("prune"), OsStr::new("--keep-last=1"), far.as_os_str()],
        &[OsStr::new("mark"), far.as_os_str()],
        &[OsStr::new("restore"), near.as_os_str(), OsStr::new("s3://backups/Data.fs")],
        &[OsStr::new("verify"), OsStr::new("--mmap"), far.as_os_str()],
    ];
    for words in words {
        let run = Run::of(roots.command(words).current_dir(near.parent().expect("a folder")));
        let is_told =
            ["only read", "is not read or written in this way"].iter().any(|words| run.stderr.contains(words));
        assert!(run.code == 2 && is_told, "{}", run.account());
    }
}

/// Keys that no file can have are in nobody's way, and a list may have many pages.
#[test]
fn what_lies_beside_a_set_in_its_bucket_is_in_nobodys_way() {
    let roots = Roots::new();
    let sample = specimens::repozo::Repozo.small();
    roots.lay(&sample.files);
    roots.server.shelves(|shelves| {
        for key in ["set/", "set/vm/", "set/a//b", "set/../up", "set/vm/../x", "set/.chunks/"] {
            shelves.put(Roots::bucket(), key.as_bytes(), b"");
        }
        for number in 0..2_500 {
            shelves.put(Roots::bucket(), format!("set/many/{number}").as_bytes(), b"x");
            shelves.put(Roots::bucket(), format!("set-{number}/x").as_bytes(), b"x");
        }
    });
    roots.run(&["verify"], &Roots::far(), &[]).expect(0);
    roots.run(&["list"], &Roots::far().join(""), &[]).expect(0);
}
