//! The texts of the page: complete in each language, and the verdict in plain words.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_core::digest::md5_of;
use highwater_core::finding::Code;
use highwater_core::formats;
use highwater_tests::browser::{Browser, page};
use highwater_tests::repo::{Image, Sample, sample, store};
use highwater_tests::run::Run;

use crate::support::{open, shown};

#[test]
fn every_text_is_there_in_both_languages_and_takes_the_same() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let script = workspace.join("tests/tests/page/scripts/words.mjs");
    let run = Run::of(Command::new("node").arg(script).arg(workspace.join("web")));
    assert_eq!(run.code, 0, "{}", run.account());
    let said = String::from_utf8(run.stdout).expect("text");
    let (codes, faults): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.starts_with("code "));
    let kinds = formats::ALL.iter().filter(|format| format.facts().hint.is_some()).count();
    assert_eq!(faults, [format!("kinds {kinds} true")]);
    let wanted: BTreeSet<String> = Code::ALL.iter().map(|code| format!("code {code} true")).collect();
    assert_eq!(codes.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), wanted);
}

/// A moment in the name of a point, as the page writes it.
fn when(point: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let parts: Vec<usize> = point.split('-').map(|part| part.parse().expect("a number")).collect();
    format!("{} {} {}, {:02}:{:02} UTC", parts[2], MONTHS[parts[1] - 1], parts[0], parts[3], parts[4])
}

#[test]
fn the_verdict_is_said_in_plain_words() {
    let Sample { files, points, .. } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (set, all) = (folder.path().join("set"), points.len());
    let mut browser = Browser::start();
    let plain = |browser: &mut Browser, files: &Image, depth: &str| {
        let _ = fs::remove_dir_all(&set);
        store(files, &set);
        shown(browser, &[&set], depth);
        let said = browser.eval("['verdict', 'plain'].map((id) => document.getElementById(id).textContent).join('. ')");
        said.as_str().expect("a text").to_owned()
    };
    let full = files.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup").clone();
    // The last chain is hurt from its full backup on.
    let mut some = files.clone();
    some.get_mut(&full).expect("its bytes")[99] ^= 1;
    let first = points.iter().position(|(name, _)| full.starts_with(name.as_str())).expect("its point");
    let (bad, newest) = (all - first, &points[first - 1].0);
    let bytes = vec![3; 5000];
    let index = format!("r/2026-03-01-00-00-00.fs 0 {} {}\n", bytes.len(), md5_of(&bytes));
    let one = Image::from([("2026-03-01-00-00-00.dat".into(), index.into()), ("2026-03-01-00-00-00.fs".into(), bytes)]);
    let mut none = one.clone();
    none.get_mut("2026-03-01-00-00-00.fs").expect("its bytes")[9] ^= 1;

    open(&mut browser, &format!("file://{}#lang=en", page().display()));
    let wanted = format!("Everything is whole. All {all} backups are whole: every byte was checked.");
    assert_eq!(plain(&mut browser, &files, "digest"), wanted);
    // It never says more than was looked at.
    let wanted = format!(
        "Nothing is missing. All {all} backups have every file that the index names. The contents were not looked at."
    );
    assert_eq!(plain(&mut browser, &some, "list"), wanted);
    let wanted =
        format!("Something is damaged. {bad} of {all} backups cannot be restored. Newest good one: {}.", when(newest));
    assert_eq!(plain(&mut browser, &some, "digest"), wanted);
    let wanted = "Something is damaged. The backup cannot be restored. There is no good one.";
    assert_eq!(plain(&mut browser, &none, "digest"), wanted);
    let next = |browser: &mut Browser| browser.eval("document.getElementById('next').textContent");
    assert_eq!(next(&mut browser), "Delete nothing. Make a new backup today; then do what stands at each finding.");
    assert_eq!(
        plain(&mut browser, &one, "digest"),
        "Everything is whole. The backup is whole: every byte was checked."
    );
    let foreign = Image::from([("a.txt".to_owned(), b"a".to_vec())]);
    let said = plain(&mut browser, &foreign, "digest");
    assert!(said.starts_with("This is not a backup folder. None of 1 file belongs to a backup set"), "{said}");

    open(&mut browser, &format!("file://{}#lang=de", page().display()));
    let wanted = format!("Alles ist heil. Alle {all} Sicherungen sind heil: Jedes Byte wurde geprüft.");
    assert_eq!(plain(&mut browser, &files, "digest"), wanted);
    let said = plain(&mut browser, &some, "digest");
    let wanted = format!(
        "Etwas ist beschädigt. {bad} von {all} Sicherungen lassen sich nicht wiederherstellen. Die neueste heile: "
    );
    assert!(said.starts_with(&wanted), "{said}");
}
