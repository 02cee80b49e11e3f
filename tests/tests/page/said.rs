//! What the page says of what was not read, of trees, of what a browser leaves out and in another language; names in
//! more than one line.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use highwater_tests::binary::highwater;
use highwater_tests::browser::{Browser, page};
use highwater_tests::datastore;
use highwater_tests::page::{give_key, give_passphrase, plain, write_path};
use highwater_tests::repo::{Image, sample};
use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Specimen};
use serde_json::Value;

use crate::support::{choose_point, open, restore_chosen, shown};

/// The page in a language.
fn in_language(lang: &str) -> String {
    format!("file://{}#lang={lang}", page().display())
}

/// A text of the page.
#[track_caller]
fn text(browser: &mut Browser, selector: &str) -> String {
    let said = browser.eval(&format!("document.querySelector({}).textContent", Value::from(selector)));
    said.as_str().expect("a text").to_owned()
}

/// What the menu says of each point.
#[track_caller]
fn told(browser: &mut Browser) -> String {
    text(browser, "[data-testid=point]")
}

fn laid(folder: &Path, name: &str, files: &Image) -> PathBuf {
    let set = folder.join(name);
    specimens::lay(files, &set);
    plain(&set)
}

#[test]
fn what_was_not_read_is_not_called_whole_or_good() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let mut files = sample().files;
    let sound = laid(fixture.path(), "sound", &files);
    let last = files.keys().rfind(|name| name.contains(".deltafs")).expect("an increment").clone();
    files.remove(&last);
    let damaged = laid(fixture.path(), "damaged", &files);
    let mut browser = Browser::start();
    let said = [
        (
            "en",
            ["all there, not read", "all there in its length, not read", "whole"],
            "Its bytes were not read",
            "good",
        ),
        (
            "de",
            ["alles da, nicht gelesen", "alles da in seiner Länge, nicht gelesen", "heil"],
            "nicht gelesen",
            "heile",
        ),
    ];
    for (lang, points, unread, good) in said {
        open(&mut browser, &in_language(lang));
        for (depth, wanted) in ["list", "size", "digest"].into_iter().zip(points) {
            shown(&mut browser, &[&sound], depth);
            let menu = told(&mut browser);
            assert!(menu.contains(&format!(" · {wanted}")), "{lang} {depth}: {menu}");
            let reads = depth == "digest";
            assert_eq!(menu.contains(&format!(" · {}", points[2])), reads, "{lang} {depth}: {menu}");
            let legend = text(&mut browser, "[data-say='states.1']");
            assert_eq!(legend == points[2], reads, "{lang} {depth}: {legend}");
            let why = text(&mut browser, "[data-testid=reason]");
            assert_eq!(why.is_empty(), reads, "{lang} {depth}: {why}");
            let all = shown(&mut browser, &[&damaged], depth);
            assert_eq!(all.verdict, "damaged");
            let said = ["plain", "next"].map(|id| text(&mut browser, &format!("#{id}")));
            assert_eq!(said[0].contains(unread), !reads, "{lang} {depth}: {}", said[0]);
            assert_eq!(said.iter().any(|said| said.contains(good)), reads, "{lang} {depth}: {said:?}");
        }
        // A point that is looked at alone, with every byte, is called what it is then.
        shown(&mut browser, &[&sound], "list");
        browser.eval("document.querySelector('[data-testid=depth]').value = 'digest'; 1");
        browser.eval("document.querySelector('[data-testid=check-point]').click()");
        browser.until(&format!(
            "document.querySelector('[data-testid=point]').textContent.includes(' · {}') || null",
            points[2]
        ));
        assert!(told(&mut browser).contains(points[0]), "{lang}");
    }
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn of_a_tree_that_is_damaged_files_are_said_to_be_restored_in_one_voice() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let mut tree = specimens::tree::Tree.small().files;
    for (_, bytes) in tree.iter_mut().filter(|(name, _)| name.starts_with("objects/")) {
        bytes.push(1);
    }
    let set = laid(fixture.path(), "tree", &tree);
    let mut repository = sample().files;
    let full = repository.keys().find(|name| name.ends_with(".fs")).expect("a full backup").clone();
    repository.remove(&full);
    let repository = laid(fixture.path(), "repository", &repository);
    let mut browser = Browser::start();
    for (lang, whole, missing) in [("en", "as a whole", "lie behind links"), ("de", "als Ganzes", "hinter Verweisen")] {
        open(&mut browser, &in_language(lang));
        shown(&mut browser, &[&set], "digest");
        let said = text(&mut browser, "#plain");
        assert!(said.contains(whole), "{said}");
        assert_eq!(browser.eval("document.querySelector('[data-testid=links]')"), Value::Null);
        // Of what is no tree nothing is restored, and what is missing may be a link.
        shown(&mut browser, &[&repository], "digest");
        let said = text(&mut browser, "#plain");
        assert!(!said.contains(whole), "{said}");
        let said = text(&mut browser, "[data-testid=links]");
        assert!(said.contains(missing), "{said}");
    }
}

#[test]
fn a_german_page_speaks_german_of_kinds_and_passphrases_and_an_address_changes_the_language() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let foreign = laid(fixture.path(), "foreign", &Image::from([("a.txt".to_owned(), b"a".to_vec())]));
    let key = datastore::Sample::made().truth("key-scrypt.json");
    let mut browser = Browser::start();
    open(&mut browser, &in_language("de"));
    shown(&mut browser, &[&foreign], "digest");
    let said = ["plain", "next", "caveats"].map(|id| text(&mut browser, &format!("#{id}"))).join(" ");
    for english in [" the ", " of ", " stores", " folder", " and "] {
        assert!(!said.contains(english), "{english:?} in {said}");
    }
    assert!(said.contains("Speicher von fjall") && said.contains(" und Sätze von Punkten"), "{said}");
    give_key(&mut browser, &key);
    let said = give_passphrase(&mut browser, "wrong horse");
    assert!(said.contains("Die Passphrase ist falsch") && !said.contains("passphrase"), "{said}");
    let title = |browser: &mut Browser| browser.eval("document.documentElement.lang");
    assert_eq!(title(&mut browser), "de");
    browser.eval("window.kept = 1; location.hash = '#workers=1&lang=de'");
    assert_eq!((title(&mut browser), browser.eval("window.kept")), (Value::from("de"), Value::from(1)));
    browser.eval("location.hash = '#lang=en'");
    // The page is loaded anew, and who asks it in between gets an error.
    let until = Instant::now() + Duration::from_secs(30);
    let mut ask = || browser.eval("document.documentElement?.lang");
    while std::panic::catch_unwind(AssertUnwindSafe(&mut ask)).ok() != Some(Value::from("en")) {
        assert!(Instant::now() < until, "it stays as it was");
    }
}

#[test]
fn a_file_whose_name_has_several_lines_is_chosen_from_the_list_and_restored() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (from, set) = (fixture.path().join("from"), fixture.path().join("set"));
    for folder in [&set, &from.join("deep\nfolder")] {
        fs::create_dir_all(folder).expect("a folder");
    }
    let names = ["two\nlines", "two␊lines", "deep\nfolder/a\r\nb", "twolines"];
    for name in names {
        fs::write(from.join(name), name).expect("a file");
    }
    Run::of(Command::new(highwater()).arg("backup").arg(&from).arg(&set)).expect(0);
    let mut browser = Browser::start();
    open(&mut browser, &in_language("en"));
    shown(&mut browser, &[&plain(&set)], "digest");
    let point = browser.eval("document.querySelector('[data-testid=point]').value");
    choose_point(&mut browser, point.as_str().expect("a name"));
    browser.eval("document.querySelector('[data-testid=file]').focus()");
    let offered = "[...document.querySelectorAll('datalist option')].map(({ value }) => value)";
    browser.until(&format!("{offered}.length > 0 || null"));
    let offered = browser.eval(offered);
    let mut found = Vec::new();
    for value in offered.as_array().expect("a list") {
        write_path(&mut browser, value.as_str().expect("a text"));
        let bytes = restore_chosen(&mut browser, false).unwrap_or_else(|why| panic!("{value}: {why}"));
        found.push(String::from_utf8(bytes).expect("text"));
    }
    found.sort();
    let mut wanted = names;
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{offered}");
}
