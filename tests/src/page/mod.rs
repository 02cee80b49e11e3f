//! The page as a person uses it: files are given to it, keys, a click; and what it says then.

pub mod states;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::browser::Browser;

/// The verdict, once there is one.
pub const VERDICT: &str = "document.querySelector('[data-testid=verdict]').dataset.verdict ?? null";

/// What the page says at the end.
pub struct Shown {
    /// Its verdict, in a word.
    pub verdict: String,
    /// All that is to be read.
    pub text: String,
}

/// A path as the browser takes it: it reads nothing by way of `..`.
///
/// # Panics
/// When it is not there.
pub fn plain(path: &Path) -> PathBuf {
    path.canonicalize().expect("it is there")
}

/// What an earlier check came to must not be taken for what the next one does.
#[track_caller]
pub fn forget_verdict(browser: &mut Browser) {
    browser.eval("delete document.querySelector('[data-testid=verdict]').dataset.verdict");
}

/// Clicks an element by its name in tests.
#[track_caller]
pub fn click(browser: &mut Browser, name: &str) {
    browser.eval(&format!("document.querySelector('[data-testid={name}]').click()"));
}

/// Clicks what begins a check, and waits for its end.
#[track_caller]
pub fn checked_by(browser: &mut Browser, name: &str) {
    forget_verdict(browser);
    click(browser, name);
    browser.until(VERDICT);
}

/// Gives files to the page, to be checked at a depth.
#[track_caller]
pub fn choose(browser: &mut Browser, paths: &[&Path], depth: &str) {
    browser.eval(&format!("document.getElementById('depth').value = {depth:?}"));
    forget_verdict(browser);
    browser.choose("[data-testid=folder]", paths);
}

/// Has a folder checked, and gives what the page says.
///
/// # Panics
/// When it says nothing.
#[track_caller]
pub fn shown(browser: &mut Browser, paths: &[&Path], depth: &str) -> Shown {
    choose(browser, paths, depth);
    let verdict = browser.until(VERDICT).as_str().expect("a word").to_owned();
    let text = browser.eval("document.body.innerText").as_str().expect("a text").to_owned();
    Shown { verdict, text }
}

/// Gives the page a key file, and waits for what it says.
#[track_caller]
pub fn give_key(browser: &mut Browser, file: &Path) -> String {
    browser.eval("document.getElementById('key-status').textContent = ''");
    browser.choose("[data-testid=keyfile]", &[&plain(file)]);
    said_of_key(browser)
}

/// Types a passphrase.
#[track_caller]
pub fn give_passphrase(browser: &mut Browser, passphrase: &str) -> String {
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

/// Writes a path into the field for a file of a point.
#[track_caller]
pub fn write_path(browser: &mut Browser, path: &str) {
    browser.eval(&format!(
        "(() => {{
            const field = document.querySelector('[data-testid=file]');
            field.value = {};
            field.dispatchEvent(new Event('input'));
        }})()",
        Value::from(path)
    ));
}

/// A set with one full backup of so many bytes of nothing, in a sparse file.
///
/// # Panics
/// When the disk does not take it.
pub fn sparse(folder: &Path, length: u64) {
    fs::create_dir_all(folder).expect("a folder");
    let stem = "2026-03-01-00-00-00";
    let file = File::create(folder.join(format!("{stem}.fs"))).expect("a file");
    file.set_len(length).expect("a sparse file");
    let line = format!("r/{stem}.fs 0 {length} {}\n", "0".repeat(32));
    fs::write(folder.join(format!("{stem}.dat")), line).expect("an index");
}
