//! Chunk datastores on the page: folders in folders, with a key and without, archives that are restored.

use std::path::{Path, PathBuf};

use highwater_core::digest::sha256_of;
use highwater_tests::browser::{Browser, page};
use highwater_tests::datastore::{Sample, copy, damage};
use highwater_tests::repository::expect_same_bytes;

use crate::support::{
    self, DEPTHS, Shown, command_with, drop_on, forget_verdict, open, report, restore_to, shown, web,
};

/// The SHA-256 of what was restored.
fn sum_of(bytes: &[u8]) -> String {
    sha256_of(bytes).to_string()
}

/// A path as the browser takes it: it reads nothing by way of `..`.
fn plain(path: &Path) -> PathBuf {
    path.canonicalize().expect("it is there")
}

/// Gives the page a key file, and waits for what it says.
#[track_caller]
fn give_key(browser: &mut Browser, file: &Path) -> String {
    browser.eval("document.getElementById('key-status').textContent = ''");
    browser.choose("[data-testid=keyfile]", &[&plain(file)]);
    said_of_key(browser)
}

/// Types a passphrase.
#[track_caller]
fn give_passphrase(browser: &mut Browser, passphrase: &str) -> String {
    let typed = format!(
        "document.getElementById('key-status').textContent = '';
        document.querySelector('[data-testid=passphrase]').value = {passphrase:?};
        document.querySelector('[data-testid=passphrase]').dispatchEvent(new Event('change')); 1"
    );
    browser.eval(&typed);
    said_of_key(browser)
}

#[track_caller]
fn said_of_key(browser: &mut Browser) -> String {
    let said = browser.until("document.getElementById('key-status').textContent || null");
    said.as_str().expect("a sentence").to_owned()
}

/// The reports of the page and of the command are the same.
#[track_caller]
fn expect_same(browser: &mut Browser, store: &Path, depth: &str, keyed: &[&str], what: &str) {
    let wanted = command_with(&[store], depth, keyed);
    let Shown { verdict, text } = shown(browser, &[store], depth);
    assert_eq!(verdict, wanted.verdict, "{what}: {text}");
    for (kind, bytes) in &wanted.files {
        expect_same_bytes(&report(browser, kind), bytes, &format!("{kind} of {what}"));
    }
}

#[test]
fn a_store_gets_the_reports_that_the_command_writes_with_its_key_and_without() {
    let ground = tempfile::tempdir().expect("a scratch folder");
    let (mut browser, page) = (Browser::start(), page());
    for (number, sample) in Sample::all().into_iter().enumerate() {
        let key = sample.truth("key.json");
        let keyed = ["--keyfile", key.to_str().expect("text")];
        let cases = sample.cases();
        for (workers, first) in [(1, 0), (3, 3)] {
            open(&mut browser, &format!("file://{}#workers={workers}", page.display()));
            for keyed in [&[][..], &keyed] {
                if !keyed.is_empty() {
                    forget_verdict(&mut browser);
                    assert!(give_key(&mut browser, &key).ends_with("is used."));
                    // What is on the page is checked again with it; only then comes another set.
                    browser.until(support::VERDICT);
                }
                // Each is a copy of two megabytes, so some of them.
                for case in cases.iter().skip(first).step_by(6) {
                    let name = case["name"].as_str().expect("a name");
                    let store = ground.path().join(format!("{number}-{workers}-{name}-{}", keyed.len()));
                    copy(&sample.store(), &store);
                    damage(&store, &case["ops"]);
                    let what = format!("{name} with {workers} workers and {keyed:?}");
                    expect_same(&mut browser, &store, "digest", keyed, &what);
                }
                for depth in DEPTHS {
                    let what = format!("the sound store at {depth} with {workers} workers and {keyed:?}");
                    expect_same(&mut browser, &plain(&sample.store()), depth, keyed, &what);
                }
            }
        }
    }
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn digests_come_of_the_browser_and_of_the_engine_where_it_makes_none() {
    let sample = Sample::made();
    let store = plain(&sample.store());
    let key = sample.truth("key.json");
    let keyed = ["--keyfile", key.to_str().expect("text")];
    let made = "const digest = SubtleCrypto.prototype.digest;
        let made = 0;
        SubtleCrypto.prototype.digest = async function (name, bytes)";
    let fails =
        format!("{made} {{ if (made++ % 3 === 0) throw new Error('no'); return digest.call(this, name, bytes); }}");
    let lies = format!("{made} {{ return digest.call(this, name, bytes.subarray(1)); }}");
    let none = "delete Crypto.prototype.subtle".to_owned();
    // On two cores, two workers leave none to one who makes digests alone.
    for (change, workers, verdict) in
        [(&fails, 1, "sound"), (&fails, 2, "sound"), (&none, 1, "sound"), (&lies, 1, "damaged"), (&lies, 2, "damaged")]
    {
        let mut browser = Browser::start();
        let what = format!("{change} with {workers} workers");
        let address = format!("file://{}#workers={workers}", page().display());
        support::open_with(&mut browser, &address, &support::in_workers(change));
        assert!(give_key(&mut browser, &key).ends_with("is used."));
        if verdict == "sound" {
            expect_same(&mut browser, &store, "digest", &keyed, &what);
        } else {
            // So it is the browser that is asked.
            assert_eq!(shown(&mut browser, &[&store], "digest").verdict, verdict, "{what}");
        }
        assert_eq!(browser.eval("window.changed"), true);
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    }
}

#[test]
fn archives_are_restored_in_the_page_and_sealed_ones_with_their_key_alone() {
    let sample = Sample::made();
    let (mut browser, served) = (Browser::start(), web());
    open(&mut browser, &served.address);
    shown(&mut browser, &[&plain(&sample.store())], "digest");
    let offered = browser.eval(
        "[...document.querySelectorAll('[data-testid=point] option')].flatMap((point) => {
            const menu = document.querySelector('[data-testid=point]');
            menu.value = point.value;
            menu.dispatchEvent(new Event('change'));
            return [...document.querySelectorAll('[data-testid=archive] option')].map(({ value }) => `${point.value}/${value}`);
        })",
    );
    let mut offered: Vec<&str> = offered.as_array().expect("a list").iter().filter_map(|name| name.as_str()).collect();
    offered.sort_unstable();
    let sums = sample.sums();
    let archive = |(name, sum): &(String, String)| match name.rsplit_once('.') {
        Some((stem, "fidx" | "didx")) => (stem.to_owned(), sum.clone()),
        _ => (name.clone(), sum.clone()),
    };
    let mut archives: Vec<(String, String)> = sums.iter().map(archive).collect();
    archives.sort();
    let wanted: Vec<&str> = archives.iter().map(|(point, _)| &**point).collect();
    assert_eq!(offered, wanted);
    let (mut opened, mut sealed) = (0, Vec::new());
    for (point, sum) in &archives {
        match restore_to(&mut browser, point, true) {
            Ok(bytes) => {
                assert_eq!(sum_of(&bytes), *sum, "{point}");
                opened += 1;
            }
            Err(why) => sealed.push((point, sum, why)),
        }
    }
    assert!(opened > 2 && sealed.len() > 1, "{opened} opened, {sealed:?}");
    // The same with the key: first it is refused, then it opens all.
    let key = sample.truth("key-scrypt.json");
    assert_eq!(give_key(&mut browser, &key), "This key file takes a passphrase.");
    assert!(give_passphrase(&mut browser, "wrong horse").contains("the passphrase is wrong"));
    forget_verdict(&mut browser);
    assert!(give_passphrase(&mut browser, "correct horse").ends_with("is used."));
    // What is on the page is checked again with it.
    assert_eq!(browser.until(support::VERDICT), "sound");
    for (point, sum, why) in sealed {
        assert!(why.contains("nothing was kept") && why.contains("encrypted"), "{why}");
        let bytes = restore_to(&mut browser, point, true).unwrap_or_else(|why| panic!("{point}: {why}"));
        assert_eq!(sum_of(&bytes), *sum, "{point}");
    }
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_store_is_dropped_as_a_folder_beside_others() {
    let sample = Sample::made();
    let ground = tempfile::tempdir().expect("a scratch folder");
    let disk = ground.path().join("disk");
    let store = disk.join("backup/store");
    copy(&sample.store(), &store);
    // A snapshot that was never finished is an empty folder: no input tells of it, a drop does.
    std::fs::create_dir(store.join("vm/100/2031-01-01T00:00:00Z")).expect("a folder");
    std::fs::write(disk.join("notes.txt"), "x").expect("a file");
    let (mut browser, served) = (Browser::start(), web());
    open(&mut browser, &served.address);
    let wanted = command_with(&[&store], "digest", &[]);
    assert!(String::from_utf8_lossy(&wanted.files["json"]).contains("2031-01-01T00:00:00Z"));
    drop_on(&mut browser, &disk);
    browser.until(support::VERDICT);
    let text = browser.eval("document.body.innerText");
    assert!(text.as_str().is_some_and(|text| text.contains("1 other file belong")), "{text}");
    expect_same_bytes(&report(&mut browser, "json"), &wanted.files["json"], "what was dropped");
    // On a page that is a file, the browser hides the snapshots; the page must not say that there are none.
    open(&mut browser, &format!("file://{}", page().display()));
    drop_on(&mut browser, &disk);
    assert_eq!(browser.until(support::VERDICT), "inconclusive");
    let text = browser.eval("document.body.innerText");
    assert!(text.as_str().is_some_and(|text| text.contains("hides names with a colon")), "{text}");
    assert_eq!(browser.eval("document.querySelector('[data-testid=report-json]')"), serde_json::Value::Null);
}
