//! Key files on the page, and stores that are dropped as folders.

use std::process::Command;

use highwater_core::digest::sha256_of;
use highwater_tests::browser::{Browser, page};
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::page::{give_key, give_passphrase, plain};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::Run;
use highwater_tests::specimens::datastore::Datastore;
use highwater_tests::specimens::{Point, Specimen};

use crate::package::OTHER_KEY;
use crate::sets::expect_same;
use crate::support::{self, VERDICT, command_with, drop_on, forget_verdict, open, report, restore_to, shown, web};

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
fn a_key_file_that_takes_a_passphrase_opens_what_is_sealed() {
    let sample = Sample::made();
    let (mut browser, served) = (Browser::start(), web());
    open(&mut browser, &served.address);
    shown(&mut browser, &[&plain(&sample.store())], "digest");
    // First it is refused, then it opens all.
    let key = sample.truth("key-scrypt.json");
    assert_eq!(give_key(&mut browser, &key), "This key file takes a passphrase.");
    assert!(give_passphrase(&mut browser, "wrong horse").contains("the passphrase is wrong"));
    forget_verdict(&mut browser);
    assert!(give_passphrase(&mut browser, "correct horse").ends_with("is used."));
    // What is on the page is checked again with it.
    assert_eq!(browser.until(support::VERDICT), "sound");
    let sealed = Datastore.samples().into_iter().find(|sample| sample.name == "made").expect("it").points;
    let sealed = sealed.into_iter().filter(|point| point.sealed).collect::<Vec<_>>();
    assert!(sealed.len() > 1, "{sealed:?}");
    for Point { name, sum, .. } in sealed {
        let bytes = restore_to(&mut browser, &name, true).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(sha256_of(&bytes).to_string(), sum, "{name}");
    }
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// Notes the keys that the page gives its workers, and which of those live.
const WATCH: &str = "window.keys = []; window.crew = new Set();
    const Plain = Worker;
    window.Worker = class extends Plain {
        constructor(...all) { super(...all); crew.add(this); }
        terminate() { crew.delete(this); super.terminate(); }
        postMessage(message, ...more) {
            if (message.what === 'go' && message.options.verb === 'verify') keys.push(message.options.key ?? null);
            super.postMessage(message, ...more);
        }
    };";

/// What is being checked once more comes to this.
#[track_caller]
fn comes_to(browser: &mut Browser, verdict: &str) {
    assert_eq!(browser.until(VERDICT), verdict, "{}", browser.eval("document.body.innerText"));
}

#[test]
fn a_wrong_key_does_not_lose_the_right_one_and_a_forgotten_one_is_gone() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let sample = Sample::made();
    let (store, right) = (plain(&sample.store()), sample.truth("key.json"));
    let (other, none) = (fixture.path().join("other.json"), fixture.path().join("none.json"));
    let made = Run::of(Command::new("node").args(["-e", OTHER_KEY]).arg(&right).arg(&other));
    assert!(other.exists(), "no other key was made: {}", made.account());
    std::fs::write(&none, "no key").expect("a file");
    let mut browser = Browser::start();
    support::open_with(&mut browser, &format!("file://{}#workers=1", page().display()), WATCH);
    assert_eq!(shown(&mut browser, &[&store], "digest").verdict, "inconclusive");
    // The field stands at the verdict that asks for it, open.
    let place = "[document.getElementById('key').parentElement.id, document.getElementById('key').open]";
    assert_eq!(browser.eval(place), serde_json::json!(["key-wanted", true]));
    // A key of which nothing is encrypted, then the right one; then what is none, and the other again.
    forget_verdict(&mut browser);
    assert!(give_key(&mut browser, &other).ends_with("is used."));
    comes_to(&mut browser, "inconclusive");
    forget_verdict(&mut browser);
    assert!(give_key(&mut browser, &right).starts_with("The key "));
    comes_to(&mut browser, "sound");
    let said = give_key(&mut browser, &none);
    assert!(said.starts_with("The key cannot be used: ") && said.contains("is used as before."), "{said}");
    assert_eq!(browser.eval("document.getElementById('key-status').classList.contains('wrong')"), true);
    again(&mut browser, "sound");
    forget_verdict(&mut browser);
    give_key(&mut browser, &other);
    comes_to(&mut browser, "sound");
    let used = browser.eval("keys.at(-1)?.length ?? 0");
    assert_eq!(used, 32, "a key of 32 bytes went to the worker");
    // Gone is gone: its bytes are overwritten, whoever had a copy is ended, and the next check has none.
    browser.eval("window.held = keys.filter((key) => key !== null); keys.length = 0; window.before = [...crew]; 1");
    forget_verdict(&mut browser);
    browser.eval("document.querySelector('[data-testid=forget]').click()");
    let left = browser.eval("before.length > 0 ? before.filter((worker) => crew.has(worker)).length : 'no worker'");
    assert_eq!(left, 0, "workers that had the key live on");
    assert_eq!(browser.eval("held.length > 1 && held.every((key) => key.every((byte) => byte === 0))"), true);
    browser.until("document.getElementById('key-status').textContent === 'The key is forgotten.'");
    comes_to(&mut browser, "inconclusive");
    assert_eq!(browser.eval("keys.length > 0 && keys.every((key) => key === null)"), true);
    let fields = "['keyfile', 'passphrase'].map((id) => document.getElementById(id).value).join('')";
    assert_eq!(browser.eval(fields), "");
    again(&mut browser, "inconclusive");
    // One that was being opened when it was forgotten does not come back.
    browser.eval("keys.length = 0");
    let scrypt = sample.truth("key-scrypt.json");
    assert_eq!(give_key(&mut browser, &scrypt), "This key file takes a passphrase.");
    browser.eval(
        "document.querySelector('[data-testid=passphrase]').value = 'correct horse';
        document.querySelector('[data-testid=passphrase]').dispatchEvent(new Event('change'));
        document.querySelector('[data-testid=forget]').click(); 1",
    );
    again(&mut browser, "inconclusive");
    assert_eq!(browser.eval("keys.length > 0 && keys.every((key) => key === null)"), true);
    assert_eq!(browser.eval("document.getElementById('key-status').textContent"), "The key is forgotten.");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// Checks once more what the page has.
#[track_caller]
fn again(browser: &mut Browser, verdict: &str) {
    forget_verdict(browser);
    browser.eval("document.querySelector('[data-testid=again]').click()");
    comes_to(browser, verdict);
}

#[test]
fn a_store_is_dropped_as_a_folder_beside_others() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let disk = fixture.path().join("disk");
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
