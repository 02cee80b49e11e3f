//! Trees and mirrors on the page: which files are hurt, by path or key, and any of them restored as the command does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::sha256_of;
use highwater_core::facts::Shape;
use highwater_tests::binary::highwater;
use highwater_tests::browser::{Browser, page};
use highwater_tests::page::{give_key, plain, write_path};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Sample, Specimen};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::package::answers;
use crate::sets::samples;
use crate::support::{VERDICT, choose_point, forget_verdict, open, restore_chosen, shown, web};

/// What the command writes of a file of a point.
fn command(set: &Path, point: &str, path: &str) -> Run {
    Run::of(Command::new(highwater()).arg("restore").arg(format!("{}@{point}/{path}", set.display())).arg("-"))
}

/// Texts of a list.
fn texts(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// The points that the page shows.
fn points(browser: &mut Browser) -> Vec<String> {
    texts(&browser.eval("[...document.querySelectorAll('[data-testid=point] option')].map(({ value }) => value)"))
}

/// The files that the page names of the point that is chosen.
#[track_caller]
fn named(browser: &mut Browser) -> Vec<String> {
    browser.eval(
        "document.querySelector('[data-testid=file]').blur(); document.querySelector('[data-testid=file]').focus()",
    );
    let names = "[...document.querySelectorAll('datalist option')].map(({ value }) => value)";
    browser.until(&format!("{names}.length > 0"));
    texts(&browser.eval(names))
}

/// The samples of the formats whose points are trees.
fn trees() -> impl Iterator<Item = (&'static dyn Specimen, Sample)> {
    let trees = specimens::all().into_iter().filter(|specimen| specimen.format().facts().shape == Shape::Tree);
    trees.flat_map(|specimen| specimen.samples().into_iter().map(move |sample| (specimen, sample)))
}

/// Puts the files of a sample into a folder of their own.
fn laid(fixture: &TempDir, at: usize, sample: &Sample) -> PathBuf {
    let set = fixture.path().join(format!("set-{at}"));
    specimens::lay(&sample.files, &set);
    plain(&set)
}

#[test]
fn every_file_of_every_tree_and_mirror_is_named_and_restored_as_the_command_does() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (mut formats, mut bytes, mut empty) = (Vec::new(), 0, 0);
    let (mut browser, served) = (Browser::start(), web());
    for (at, (specimen, sample)) in trees().enumerate() {
        let set = laid(&fixture, at, &sample);
        open(&mut browser, &format!("{}#workers=1", served.address));
        shown(&mut browser, &[&set], "list");
        for point in points(&mut browser) {
            choose_point(&mut browser, &point);
            write_path(&mut browser, "");
            assert!(restore_chosen(&mut browser, false).is_err(), "{point}: a tree is offered as a file");
            let named = named(&mut browser);
            // All that the command makes is named; a mirror's keys may lie under other names.
            let made = fixture.path().join("made");
            let _ = fs::remove_dir_all(&made);
            let run =
                Run::of(Command::new(highwater()).arg("restore").arg(format!("{}@{point}", set.display())).arg(&made));
            assert!([0, 3].contains(&run.code), "{}", run.account());
            assert_eq!(named.len(), files_in(&made), "{} at {point}: {named:?}", sample.name);
            for (number, path) in named.iter().enumerate().take(12) {
                let wanted = command(&set, &point, path);
                write_path(&mut browser, path);
                if path.ends_with('/') {
                    // No path behind a point means a key that ends so.
                    assert_eq!(wanted.code, 2, "{path}: {}", wanted.account());
                    let why = restore_chosen(&mut browser, true).expect_err("it cannot be named");
                    assert!(why.contains("is a folder") && wanted.stderr.contains("is a folder"), "{why}");
                    continue;
                }
                assert_eq!(wanted.code, 0, "{path}: {}", wanted.account());
                let found = restore_chosen(&mut browser, number % 2 == 0 && !wanted.stdout.is_empty());
                let found = found.unwrap_or_else(|why| panic!("{path} of {point}: {why}"));
                expect_same_bytes(&found, &wanted.stdout, &format!("{path} of {point} of {}", sample.name));
                bytes += found.len();
                empty += usize::from(found.is_empty());
            }
            for (path, why) in [("not/there", "there is no 'not/there' in "), ("..", "'..': ")] {
                write_path(&mut browser, path);
                let said = restore_chosen(&mut browser, true).expect_err("it is not there");
                assert!(said.starts_with("Not restored") && said.contains(why), "{said}");
            }
        }
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
        formats.push(specimen.name());
    }
    formats.dedup();
    assert!(formats.len() >= 2 && bytes > 10_000 && empty > 0, "{formats:?}: {bytes} bytes, {empty} empty");
}

#[test]
fn a_file_of_an_archived_tree_is_restored_by_its_path_and_without_one_the_archive_is() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (mut browser, served) = (Browser::start(), web());
    let (mut restored, mut others) = (0, 0);
    for (specimen, sample, key) in samples(fixture.path()) {
        let archives = sample.points.iter().filter(|point| {
            specimen.format().facts().shape != Shape::Tree && point.name.contains('/') && point.name.contains('.')
        });
        let archives: Vec<&str> = archives.map(|point| point.name.as_str()).collect();
        if archives.is_empty() {
            continue;
        }
        let set = fixture.path().join("set");
        specimens::lay(&sample.files, &set);
        let set = plain(&set);
        open(&mut browser, &format!("{}#workers=1", served.address));
        shown(&mut browser, &[&set], "list");
        if let Some(key) = &key {
            forget_verdict(&mut browser);
            assert!(give_key(&mut browser, key).ends_with("is used."));
            browser.until(VERDICT);
        }
        for archive in archives {
            choose_point(&mut browser, archive);
            let shows = "[document.querySelector('[data-testid=file]')?.hidden ?? true, document.querySelector('[data-testid=restore]').textContent]";
            let hidden = browser.eval(shows);
            assert_eq!(hidden[1], "Restore it to a file", "{archive}");
            // A catalogue says what lies in the trees beside it, and holds none of it.
            if !archive.ends_with(".pxar") {
                assert_eq!(hidden[0], true, "{archive} has no files to name");
                others += 1;
                continue;
            }
            let named = named(&mut browser);
            for (number, path) in named.iter().enumerate().step_by(2).take(6) {
                let mut restore = Command::new(highwater());
                restore.arg("restore").args(key.iter().flat_map(|key| [Path::new("--keyfile"), key]));
                let wanted = Run::of(restore.arg(format!("{}@{archive}/{path}", set.display())).arg("-"));
                assert_eq!(wanted.code, 0, "{path}: {}", wanted.account());
                write_path(&mut browser, path);
                assert_eq!(browser.eval(shows)[1], "Restore this file", "{archive}");
                let found = restore_chosen(&mut browser, number % 4 == 0 && !wanted.stdout.is_empty());
                let found = found.unwrap_or_else(|why| panic!("{path} of {archive}: {why}"));
                expect_same_bytes(&found, &wanted.stdout, &format!("{path} of {archive} of {}", sample.name));
                restored += 1;
            }
            // What is typed for one archive means nothing in another, and is gone with it for all of this one.
            write_path(&mut browser, "");
            let whole = restore_chosen(&mut browser, true).unwrap_or_else(|why| panic!("{archive}: {why}"));
            let wanted = sample.points.iter().find(|point| point.name == archive).expect("it");
            assert_eq!(sha256_of(&whole).to_string(), wanted.sum, "{archive}");
        }
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    }
    assert!(restored > 4 && others > 2, "{restored} files; {others} archives without any");
}

#[test]
fn what_is_typed_is_looked_for_among_all_files_however_few_the_menu_names() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (source, set) = (fixture.path().join("source"), fixture.path().join("set"));
    fs::create_dir_all(source.join("deep")).expect("a folder");
    fs::create_dir_all(&set).expect("a folder");
    for number in 0..1300 {
        fs::write(source.join(format!("deep/{number:04}.txt")), format!("file {number}")).expect("a file");
    }
    Run::of(Command::new(highwater()).arg("backup").arg(&source).arg(&set)).expect(0);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    shown(&mut browser, &[&set], "list");
    let first = named(&mut browser);
    assert_eq!((first.len(), first.contains(&"deep/1234.txt".to_owned())), (1000, false));
    let names = "[...document.querySelectorAll('datalist option')].map(({ value }) => value)";
    write_path(&mut browser, "/deep/123");
    let found = browser.until(&format!("{names}.length < 1000 && {names}"));
    assert_eq!(texts(&found), (1230..1240).map(|number| format!("deep/{number}.txt")).collect::<Vec<_>>());
    write_path(&mut browser, "99.t");
    let found = browser.until(&format!("{names}[0] === 'deep/0099.txt' && {names}"));
    assert_eq!(found.as_array().map(Vec::len), Some(13), "{found}");
    write_path(&mut browser, "deep/1234.txt");
    assert_eq!(restore_chosen(&mut browser, false).as_deref(), Ok(&b"file 1234"[..]));
}

#[test]
fn files_of_archived_trees_are_named_and_restored_in_node_too() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let sets = samples(fixture.path()).into_iter().enumerate().filter_map(|(at, (specimen, sample, key))| {
        let archives =
            sample.points.iter().filter(|point| specimen.format().point(&point.name).is_ok_and(|at| at.is_tree()));
        let archives: Vec<String> = archives.map(|point| point.name.clone()).collect();
        let set = fixture.path().join(format!("set-{at}"));
        (!archives.is_empty()).then(|| {
            specimens::lay(&sample.files, &set);
            (plain(&set), archives, key)
        })
    });
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    for (set, archives, key) in sets {
        let keys: Vec<&PathBuf> = key.iter().collect();
        let lists: Vec<Value> = archives
            .iter()
            .map(|point| json!({ "folder": set, "point": point, "keys": keys, "named": true }))
            .collect();
        for (list, point) in answers("restores.mjs", &lists).iter().zip(&archives) {
            // A catalogue says what lies in the trees beside it, and holds none of it.
            let Some(files) = list["files"].as_array() else {
                assert!(list["message"].as_str().is_some_and(|why| why.contains("is a catalogue")), "{point}: {list}");
                continue;
            };
            assert_eq!(list["total"], files.len(), "{point}");
            for (number, file) in files.iter().enumerate() {
                let path = file["path"].as_str().expect("a path");
                let mut restore = Command::new(highwater());
                restore.arg("restore").args(key.iter().flat_map(|key| [Path::new("--keyfile"), key]));
                let run = Run::of(restore.arg(format!("{}@{point}/{path}", set.display())).arg("-"));
                assert!(run.code == 0 && file["bytes"] == run.stdout.len(), "{file}: {}", run.account());
                asked.push(json!({ "folder": set, "point": format!("{point}/{path}"), "keys": keys, "streamed": number % 2 == 0 }));
                wanted.push(sha256_of(&run.stdout).to_string());
            }
        }
    }
    for ((answer, asked), sum) in answers("restores.mjs", &asked).iter().zip(&asked).zip(&wanted) {
        assert_eq!(answer["sum"], json!(sum), "{asked}: {answer}");
    }
    assert!(wanted.len() > 10, "{} files", wanted.len());
}

/// How many files lie below a folder.
fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).fold(0, |sum, entry| {
        let kind = entry.file_type().expect("its kind");
        sum + if kind.is_dir() { files_in(&entry.path()) } else { usize::from(kind.is_file()) }
    })
}

#[test]
fn what_is_hurt_is_named_by_path_or_key_and_the_rest_is_restored() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let mut seen = 0;
    let (mut browser, served) = (Browser::start(), web());
    for (at, (_, mut sample)) in trees().filter(|(_, sample)| sample.is_small()).enumerate() {
        let set = laid(&fixture, at, &sample);
        open(&mut browser, &format!("{}#workers=1", served.address));
        shown(&mut browser, &[&set], "list");
        // What the command makes of all files, before one is hurt.
        let all: Vec<(String, String, Vec<u8>)> = points(&mut browser)
            .into_iter()
            .flat_map(|point| {
                choose_point(&mut browser, &point);
                let named = named(&mut browser);
                named
                    .into_iter()
                    .map(|path| (point.clone(), path.clone(), command(&set, &point, &path).stdout))
                    .collect::<Vec<_>>()
            })
            .collect();
        // A mirror has the same bytes as often as the bucket has.
        let is_one = |hurt: &[u8]| sample.files.values().filter(|bytes| **bytes == hurt).count() == 1;
        let hurt = all.iter().rfind(|(.., bytes)| bytes.len() > 100 && is_one(bytes)).expect("a file").2.clone();
        let object = sample.files.iter().find(|(_, bytes)| **bytes == hurt).expect("its object").0.clone();
        sample.files.get_mut(&object).expect("its bytes")[50] ^= 1;
        specimens::lay(&sample.files, &set);
        assert_eq!(shown(&mut browser, &[&set], "digest").verdict, "damaged");
        for point in points(&mut browser) {
            choose_point(&mut browser, &point);
            let here = all.iter().filter(|(at, ..)| *at == point);
            let (bad, good): (Vec<_>, Vec<_>) = here.partition(|(.., bytes)| *bytes == hurt);
            let told = "document.querySelector('[data-testid=hurt-files]')";
            if bad.is_empty() {
                assert_eq!(browser.eval(&format!("{told}.textContent")), "", "{point}");
                continue;
            }
            browser.until(&format!("/^Hurt in it: [0-9]/.test({told}.textContent)"));
            let names =
                texts(&browser.eval(&format!("[...{told}.querySelectorAll('.name')].map((name) => name.textContent)")));
            assert_eq!(names, bad.iter().map(|(_, path, _)| path.clone()).collect::<Vec<_>>(), "{point}");
            seen += names.len();
            write_path(&mut browser, &names[0]);
            let why = restore_chosen(&mut browser, true).expect_err("it is damaged");
            assert!(why.contains("nothing was kept") && why.contains(&object), "{why}");
            for (_, path, bytes) in good.into_iter().filter(|(_, path, _)| !path.ends_with('/')) {
                write_path(&mut browser, path);
                let found = restore_chosen(&mut browser, false).unwrap_or_else(|why| panic!("{path}: {why}"));
                expect_same_bytes(&found, bytes, path);
            }
        }
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    }
    assert!(seen >= 2, "{seen} files");
}
