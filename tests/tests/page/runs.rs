//! Runs on the page: paused, cancelled, disturbed, and begun again at another depth or of one point.

use std::fs;

use highwater_core::digest::md5_of;
use highwater_tests::browser::{Browser, page};
use highwater_tests::page::sparse;
use highwater_tests::repo::{Sample, sample, store};
use highwater_tests::repository::expect_same_bytes;

use crate::support::{self, VERDICT, choose_point, command, forget_verdict, open, report, shown};

#[test]
fn a_huge_set_is_paused_cancelled_and_takes_no_memory() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (huge, small) = (folder.path().join("huge"), folder.path().join("small"));
    sparse(&huge, 100 << 30);
    store(&sample().files, &small);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    assert_eq!(shown(&mut browser, &[&huge], "size").verdict, "sound");
    let before = browser.memory();

    let done = "parseFloat(document.getElementById('bar').value) * 100 * 1024";
    support::choose(&mut browser, &[&huge], "digest");
    browser.until(&format!("{done} > 1500"));
    let grown = browser.memory().saturating_sub(before);
    assert!(grown < 600 << 20, "{} MiB more after 1.5 GB of a file", grown >> 20);

    browser.eval("document.querySelector('[data-testid=pause]').click()");
    browser.until("document.getElementById('pace').textContent.includes('paused')");
    // What was under way comes in; then nothing moves.
    let mut last = browser.eval(done);
    loop {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let now = browser.eval(done);
        if now == last {
            break;
        }
        last = now;
    }
    assert_eq!(browser.eval("document.querySelector('[data-testid=pause]').textContent"), "Resume");
    browser.eval("document.querySelector('[data-testid=pause]').click()");
    browser.until(&format!("{done} > {last}"));
    browser.eval("document.querySelector('[data-testid=cancel]').click()");
    assert_eq!(browser.until(support::VERDICT), "inconclusive");
    let text = browser.eval("document.body.innerText");
    assert!(text.as_str().is_some_and(|text| text.contains("The check was cancelled")), "{text}");
    assert_eq!(browser.eval("document.querySelector('[data-testid=report-json]')"), serde_json::Value::Null);

    assert_eq!(shown(&mut browser, &[&small], "digest").verdict, "sound");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_file_that_changes_meanwhile_is_unreadable_and_not_damaged() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    sparse(&set, 8 << 30);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    support::choose(&mut browser, &[&set], "digest");
    browser.until("document.getElementById('bar').value > 0.01");
    fs::write(set.join("2026-03-01-00-00-00.fs"), "other").expect("another file");
    assert_eq!(browser.until(support::VERDICT), "inconclusive");
    let text = browser.eval("document.getElementById('notes').innerText");
    assert!(text.as_str().is_some_and(|text| text.contains("HW201 unreadable")), "{text}");
}

#[test]
fn one_point_alone_is_checked_as_the_command_does() {
    let Sample { files, points, .. } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    store(&files, &set);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=2", page().display()));
    for (point, _) in &points {
        shown(&mut browser, &[&set], "digest");
        browser.eval(&format!("document.querySelector('[data-testid=point]').value = {point:?}"));
        browser.eval("document.querySelector('[data-testid=check-point]').click()");
        browser.until(&format!("document.getElementById('run-title').textContent.includes({point:?})"));
        browser.until(support::VERDICT);
        let json = report(&mut browser, "json");
        let at = folder.path().join(format!("set@{point}"));
        expect_same_bytes(&json, &command(&[&at], "digest").files["json"], point);
    }
}

/// Checks once more by a button of the page, and gives the verdict and what is said of it.
#[track_caller]
fn again(browser: &mut Browser, button: &str) -> (String, String) {
    forget_verdict(browser);
    browser.eval(&format!("document.querySelector('[data-testid={button}]').click()"));
    let verdict = browser.until(VERDICT).as_str().expect("a word").to_owned();
    let said = browser.eval("document.getElementById('plain').textContent").as_str().expect("a text").to_owned();
    (verdict, said)
}

#[test]
fn what_was_checked_stays_after_a_cancel_and_is_never_called_sound() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    sparse(&set, 100 << 30);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    // A chain that is checked at once stands before one that takes hours.
    let stem = "2026-02-01-00-00-00";
    let mut bytes = vec![5; 4000];
    let line = format!("r/{stem}.fs 0 {} {}\n", bytes.len(), md5_of(&bytes));
    fs::write(set.join(format!("{stem}.dat")), line).expect("an index");
    for (verdict, title, said, cells) in [
        ("inconclusive", "? Cancelled · Highwater", "1 part was looked at, of which 0 are damaged", "1 whole"),
        ("damaged", "✗ Cancelled · Highwater", "1 part was looked at, of which 1 is damaged", "1 damaged"),
    ] {
        fs::write(set.join(format!("{stem}.fs")), &bytes).expect("a file");
        support::choose(&mut browser, &[&set], "digest");
        browser.until(
            "document.title.startsWith('…') && /\\b1 chunk settled/.test(document.getElementById('pace').textContent) && document.getElementById('bar').value > 0",
        );
        let (came, told) = again(&mut browser, "cancel");
        assert_eq!(came, verdict, "{told}");
        assert!(told.contains(said) && told.contains("of the rest nothing is known"), "{told}");
        assert_eq!(browser.eval("document.title"), title);
        let shown =
            browser.eval("[document.getElementById('picture').hidden, document.getElementById('bands').innerText]");
        assert_eq!(shown[0], false);
        assert!(shown[1].as_str().is_some_and(|bands| bands.contains(cells)), "{shown}");
        // There is no report of half a check, and nothing to restore by it.
        for absent in ["report-json", "report-read", "restore"] {
            let found = browser.eval(&format!("document.querySelectorAll('[data-testid={absent}]').length"));
            assert_eq!(found, 0, "{absent} is offered");
        }
        bytes[7] ^= 1;
    }
    // Another depth, of what is there already.
    browser.eval("document.getElementById('depth').value = 'size'");
    let (verdict, said) = again(&mut browser, "again");
    assert_eq!(verdict, "sound");
    assert!(said.starts_with("All 2 backups have every file, in its right length."), "{said}");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_point_is_checked_again_and_then_all_without_choosing_the_folder_again() {
    let Sample { mut files, points, .. } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    let full = files.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup").clone();
    files.get_mut(&full).expect("its bytes")[99] ^= 1;
    store(&files, &set);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    assert_eq!(shown(&mut browser, &[&set], "list").verdict, "sound");
    let (newest, _) = points.last().expect("a point");
    choose_point(&mut browser, newest);
    let hidden = |browser: &mut Browser| browser.eval("document.querySelector('[data-testid=all]').hidden");
    assert_eq!(hidden(&mut browser), true);
    // As thoroughly as is asked for now, of this one.
    browser.eval("document.getElementById('depth').value = 'digest'");
    assert_eq!(again(&mut browser, "check-point").0, "damaged");
    let at = folder.path().join(format!("set@{newest}"));
    expect_same_bytes(&report(&mut browser, "json"), &command(&[&at], "digest").files["json"], newest);
    // What became known of it is told where it is chosen, and it is still chosen.
    let told = browser.eval(
        "[document.querySelector('[data-testid=point]').value, document.querySelector('[data-testid=restore]').disabled,
          document.querySelectorAll('.mark').length]",
    );
    assert_eq!(told, serde_json::json!([newest, true, points.len()]));
    browser.eval("document.getElementById('depth').value = 'list'");
    assert_eq!(again(&mut browser, "again").0, "sound");
    expect_same_bytes(&report(&mut browser, "json"), &command(&[&at], "list").files["json"], newest);
    assert_eq!(hidden(&mut browser), false);
    browser.eval("document.getElementById('depth').value = 'digest'");
    assert_eq!(again(&mut browser, "all").0, "damaged");
    expect_same_bytes(&report(&mut browser, "json"), &command(&[&set], "digest").files["json"], "all");
    assert_eq!(hidden(&mut browser), true);
}
