//! The page by the keyboard alone: whatever has the focus is there, and is seen to have it.

use std::path::Path;

use highwater_tests::browser::{Browser, page};
use highwater_tests::repo::{Sample, sample, store};
use highwater_tests::repository::expect_same_bytes;

use crate::support::{self, VERDICT, forget_verdict};

/// What has the focus: its name, whether it is shown, and whether an outline says so.
const FOCUS: &str = "(() => {
    const at = document.activeElement;
    const shown = at.closest('label.button') ?? at;
    const { width, height, top, bottom } = shown.getBoundingClientRect();
    const { outlineStyle, outlineWidth } = getComputedStyle(shown);
    const inside = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
    return [at.dataset.testid ?? at.id ?? at.tagName, at !== document.body && inside, outlineStyle !== 'none' && parseFloat(outlineWidth) > 0];
})()";

/// Sees to it that something shown has the focus, visibly, and gives its name.
#[track_caller]
fn focus(browser: &mut Browser) -> String {
    let focus = browser.eval(FOCUS);
    assert_eq!((&focus[1], &focus[2]), (&true.into(), &true.into()), "the focus is lost or not seen: {focus}");
    focus[0].as_str().expect("a name").to_owned()
}

/// Presses a key until `wanted` has the focus; every stop on the way is seen to have it.
#[track_caller]
fn walk(browser: &mut Browser, key: &str, wanted: &str) {
    let mut stops = Vec::new();
    for _ in 0..60 {
        browser.press(key);
        let stop = focus(browser);
        if stop == wanted {
            return;
        }
        stops.push(stop);
    }
    panic!("{key} does not lead to {wanted}: {stops:?}");
}

/// Presses a key that begins a check, and waits for its end, where the focus must be.
#[track_caller]
fn checked(browser: &mut Browser, key: &str) {
    forget_verdict(browser);
    browser.press(key);
    browser.until(VERDICT);
    assert_eq!(focus(browser), "verdict");
}

#[test]
fn a_sample_is_checked_read_saved_and_restored_without_a_mouse() {
    let mut browser = Browser::start();
    let address = format!("file://{}#workers=1", page().display());
    support::open(&mut browser, &address);
    walk(&mut browser, "Tab", "folder");
    walk(&mut browser, "Tab", "files");
    walk(&mut browser, "Tab", "sample");
    checked(&mut browser, "Enter");
    // The report to read is next.
    walk(&mut browser, "Tab", "report-read");
    let folder = browser.downloads();
    std::fs::create_dir_all(&folder).expect("a folder");
    browser.press("Enter");
    let report = String::from_utf8(browser.downloaded()).expect("text");
    assert!(report.contains("<h2>Something is damaged</h2>") && report.contains("HW103"), "{report}");
    assert!(!report.contains("<script") && !report.contains("<button"), "{report}");
    // The newest sound point stands there; the newest of all is damaged, and says why it is not restored.
    walk(&mut browser, "Tab", "point");
    let chosen = "document.querySelector('[data-testid=point]').value";
    let restore = "[document.querySelector('[data-testid=restore]').disabled, document.querySelector('[data-testid=reason]').textContent]";
    assert_eq!(browser.eval(chosen), "2026-11-25-16-38-05");
    assert_eq!(browser.eval(restore)[0], false);
    browser.press("ArrowUp");
    browser.until(&format!("{chosen} === '2026-11-26-16-38-05'"));
    let why = browser.eval(restore);
    assert_eq!(why[0], true);
    assert!(why[1].as_str().is_some_and(|why| why.contains("something it needs is damaged")), "{why}");
    browser.press("ArrowDown");
    browser.press("ArrowDown");
    browser.until(&format!("{chosen} === '2026-11-24-16-38-05'"));
    browser.eval(
        "window.written = []; window.showSaveFilePicker = async () => ({ createWritable: async () => ({
            write: async (piece) => written.push(...piece), close: async () => { window.closed_ = true; }, abort: async () => {},
        }) }); 1",
    );
    walk(&mut browser, "Tab", "restore");
    browser.press("Space");
    browser.until("window.closed_");
    assert_eq!(focus(&mut browser), "restore");
    let hex = browser.eval("written.map((byte) => byte.toString(16).padStart(2, '0')).join('')");
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/sample/2026-11-24-16-38-05.fs");
    expect_same_bytes(&support::bytes_of(&hex), &std::fs::read(full).expect("the sample"), "the restore");
    // One point alone, then all of them, at another depth, without choosing anything again.
    walk(&mut browser, "Tab", "check-point");
    checked(&mut browser, "Enter");
    assert_eq!(browser.eval("document.getElementById('verdict').dataset.verdict"), "sound");
    walk(&mut browser, "Shift+Tab", "depth");
    browser.press("ArrowUp");
    browser.press("ArrowUp");
    browser.until("document.getElementById('depth').value === 'list'");
    walk(&mut browser, "Tab", "all");
    checked(&mut browser, "Enter");
    let said = browser.eval("document.getElementById('plain').textContent");
    assert!(said.as_str().is_some_and(|said| said.starts_with("All 3 backups have every file")), "{said}");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn what_goes_when_it_is_used_hands_the_focus_on() {
    let Sample { mut files, .. } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    for number in 0..9 {
        files.insert(format!("{}{number}.txt", "stray".repeat(20)), b"x".to_vec());
    }
    store(&files, &set);
    let mut browser = Browser::start();
    support::open(&mut browser, &format!("file://{}#workers=1", page().display()));
    support::shown(&mut browser, &[&set], "digest");
    // What is folded away, whole names and other places.
    let left = "document.querySelectorAll('#notes button').length";
    let mut folded = browser.eval(left).as_u64().expect("a number");
    assert!(folded > 1, "{folded}");
    while folded > 0 {
        browser.eval("document.querySelector('#notes button').focus()");
        browser.press("Shift+Tab");
        browser.press("Tab");
        focus(&mut browser);
        browser.press("Enter");
        browser.until(&format!("{left} !== {folded}"));
        focus(&mut browser);
        folded = browser.eval(left).as_u64().expect("a number");
    }
    // A key that is typed when a check ends is typed on.
    browser
        .eval("document.getElementById('key').open = true; document.querySelector('[data-testid=passphrase]').focus()");
    forget_verdict(&mut browser);
    browser.eval("document.querySelector('[data-testid=again]').click()");
    browser.until(VERDICT);
    assert_eq!(browser.eval("document.activeElement.dataset.testid"), "passphrase");
}
