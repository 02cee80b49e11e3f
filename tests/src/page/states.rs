//! Every state of the page, said once: what brings it there, and what its tab and its outcome look like then.
//!
//! The tests of the page go through all of them, and the example `screenshots` takes a picture of each. A new format
//! joins by its specimen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::facts::Shape;
use highwater_core::report::{Depth, Soundness};

use super::{VERDICT, checked_by, choose, click, give_key, give_passphrase, plain, shown, sparse, write_path};
use crate::binary::highwater;
use crate::browser::Browser;
use crate::datastore;
use crate::repo::{Image, Sample, sample, store};
use crate::run::Run;
use crate::specimens::{self, Specimen};

/// What the states are made of: folders and key files below one.
pub struct Folders {
    top: PathBuf,
}

/// Names as people have them: long, and with no place to break.
const LONG: &str = "Sicherung";

impl Folders {
    /// Lays them all.
    ///
    /// # Panics
    /// When one cannot be made.
    #[track_caller]
    pub fn laid(top: &Path) -> Self {
        let folders = Self { top: top.to_path_buf() };
        let Sample { files, points, .. } = sample();
        store(&files, &folders.at("sound"));
        store(&Image::from([("a.txt".to_owned(), b"a".to_vec())]), &folders.at("foreign"));
        fs::write(folders.at("note.txt"), "no key").expect("a file");
        sparse(&folders.at("huge"), 100 << 30);
        let mut damaged = files.clone();
        for at in [2, 6] {
            damaged.remove(&format!("{}.deltafs", points[at].0)).expect("an increment");
        }
        let full = damaged.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup").clone();
        damaged.get_mut(&full).expect("its bytes")[99] ^= 1;
        for number in 0..7 {
            damaged.insert(format!("{}{number}.txt", "unlisted".repeat(18)), b"x".to_vec());
        }
        store(&damaged, &folders.at(&LONG.repeat(12)));
        store(&files, &folders.at("several/attic/zodb"));
        store(&many(), &folders.at("many"));
        for specimen in specimens::all() {
            let sample = specimen.small();
            specimens::lay(&sample.files, &folders.at(&format!("sound {}", specimen.name())));
            specimens::lay(&hurt(specimen, &sample), &folders.at(specimen.name()));
            specimens::lay(&hurt(specimen, &sample), &folders.at(&format!("several/{}", specimen.name())));
        }
        let mut tree = specimens::tree::Tree.small().files;
        for (_, bytes) in tree.iter_mut().filter(|(name, _)| name.starts_with("objects/")) {
            bytes.push(1);
        }
        specimens::lay(&tree, &folders.at("files"));
        folders.checkpoint();
        let other = r#"{"kdf":null,"data":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="}"#;
        fs::write(folders.at("other.json"), other).expect("a key file");
        folders
    }

    /// A place below.
    pub fn at(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    /// A checkpoint of a store, which is not what it was.
    fn checkpoint(&self) {
        let (live, made) = (self.at("sound fjall"), self.at("checkpoint"));
        Run::of(Command::new(highwater()).args(["checkpoint", "--copy"]).arg(live).arg(&made)).expect(0);
        let mut files = Vec::new();
        let mut waiting = vec![made];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_dir() { waiting.push(entry) } else { files.push(entry) }
            }
        }
        let length = |path: &PathBuf| path.metadata().expect("a file").len();
        let longest = files.into_iter().max_by_key(|path| (length(path), path.clone())).expect("a file");
        let mut bytes = fs::read(&longest).expect("its bytes");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(longest, bytes).expect("it is written");
    }
}

/// A set of more points than a line takes, of which some are damaged.
fn many() -> Image {
    let mut image = Image::new();
    for chain in 0..23 {
        let mut dat = String::new();
        for number in 0..20 {
            let stem = format!("2026-{:02}-{:02}-{number:02}-00-00", 1 + chain / 3, 1 + chain % 3 * 9);
            let name = format!("{stem}.{}", if number == 0 { "fs" } else { "deltafs" });
            let mut bytes = format!("{number:>0900}").into_bytes();
            let (start, end) = (number * bytes.len(), (number + 1) * bytes.len());
            dat.push_str(&format!("r/{name} {start} {end} {}\n", highwater_core::digest::md5_of(&bytes)));
            if (chain, number) == (17, 12) {
                bytes[9] ^= 1;
            }
            image.insert(name, bytes);
        }
        image.insert(format!("2026-{:02}-{:02}-00-00-00.dat", 1 + chain / 3, 1 + chain % 3 * 9), dat.into_bytes());
    }
    image
}

/// A sample that a flipped byte makes damaged: where there is a choice, one that hurts not all points.
fn hurt(specimen: &dyn Specimen, sample: &specimens::Sample) -> Image {
    let host = specimen.host(Depth::Digest, None);
    let mut some = None;
    for case in specimen.damages(sample).filter(|case| case.name.starts_with("flip")) {
        let report = host.report(&case.files, "");
        let is_hurt = |of: Soundness| report.sets.iter().any(|set| set.verdict == of);
        if report.verdict == Soundness::Damaged && is_hurt(Soundness::Sound) {
            return case.files;
        }
        if report.verdict == Soundness::Damaged {
            some = Some(case.files);
        }
    }
    some.unwrap_or_else(|| panic!("no flipped byte damages {}", specimen.name()))
}

/// What brings the page from one state to the next.
type Step = Box<dyn Fn(&mut Browser, &Folders)>;

/// A state of the page.
pub struct State {
    /// What to call it.
    pub name: String,
    /// The sign in the browser's tab.
    pub sign: &'static str,
    /// The look of the outcome; empty while there is none.
    pub look: &'static str,
    /// Brings the page there from the state before.
    pub bring: Step,
}

fn state(
    name: &str,
    sign: &'static str,
    look: &'static str,
    bring: impl Fn(&mut Browser, &Folders) + 'static,
) -> State {
    State { name: name.to_owned(), sign, look, bring: Box::new(bring) }
}

/// A disk that takes a byte and then waits for `release`, or is full from the start.
const SLOW: &str = "window.held = new Promise((give) => { window.release = give; });
    window.showSaveFilePicker = async () => ({ createWritable: async () => ({
        write: async () => held, close: async () => {}, abort: async () => {},
    }) }); 1";
const FULL: &str = "window.showSaveFilePicker = async () => ({ createWritable: async () => ({
        write: async () => { throw new Error('no space is left on the disk'); }, close: async () => {}, abort: async () => {},
    }) }); 1";

/// What is said of a restore begins so, or it is awaited.
#[track_caller]
fn until_said(browser: &mut Browser, begins: &str) {
    let said = "document.querySelector('[data-testid=restore-status]').textContent";
    browser.until(&format!("new RegExp({begins:?}).test({said})"));
}

/// Opens or shuts all that is folded.
fn fold(browser: &mut Browser, open: bool) {
    browser.eval(&format!("document.querySelectorAll('details').forEach((one) => {{ one.open = {open}; }})"));
}

/// A folder of a format is checked; of a damaged point, the files are told.
#[track_caller]
fn check(browser: &mut Browser, folder: &Path) {
    shown(browser, &[folder], "digest");
    browser.eval("document.querySelector('.mark.damaged')?.click()");
    browser.until(
        "(() => {
            const hurt = document.querySelector('[data-testid=hurt-files]');
            return hurt === null || document.querySelector('.mark.damaged') === null || /[0-9]/.test(hurt.textContent);
        })()",
    );
}

/// The states in an order in which each follows from the one before.
pub fn all() -> Vec<State> {
    let mut all = vec![
        state("start", "≈", "", |_, _| {}),
        state("unfolded", "≈", "", |browser, _| fold(browser, true)),
        state("something is over it", "≈", "", |browser, _| {
            fold(browser, false);
            browser.eval("dispatchEvent(new DragEvent('dragover', { cancelable: true }))");
        }),
        state("not a backup", "–", "none", |browser, folders| {
            browser.eval("dispatchEvent(new DragEvent('dragleave', { cancelable: true }))");
            shown(browser, &[&folders.at("foreign")], "digest");
        }),
        state("sample", "✗", "damaged", |browser, _| checked_by(browser, "sample")),
        state("damaged", "✗", "damaged", |browser, folders| {
            shown(browser, &[&folders.at(&LONG.repeat(12))], "digest");
        }),
        state("one point", "✓", "sound", |browser, _| checked_by(browser, "check-point")),
        state("sound", "✓", "sound", |browser, folders| _ = shown(browser, &[&folders.at("sound")], "digest")),
        state("report menu", "✓", "sound", |browser, _| {
            _ = browser.eval("document.querySelector('.menu').open = true")
        }),
        state("restoring", "✓", "sound", |browser, _| {
            browser.eval(SLOW);
            click(browser, "restore");
            browser.until("window.release !== undefined");
            until_said(browser, "[a-z]");
        }),
        state("restored", "✓", "sound", |browser, _| {
            browser.eval("release(); 1");
            until_said(browser, "^(Restored|.* ist wiederhergestellt)");
        }),
        state("not restored", "✓", "sound", |browser, _| {
            browser.eval(FULL);
            click(browser, "restore");
            until_said(browser, "^(Not restored|Nicht wiederhergestellt)");
        }),
        state("several", "✗", "damaged", |browser, folders| _ = shown(browser, &[&folders.at("several")], "digest")),
        state("many points", "✗", "damaged", |browser, folders| _ = shown(browser, &[&folders.at("many")], "digest")),
        state("tree", "✗", "damaged", |browser, folders| check(browser, &folders.at("files"))),
    ];
    for specimen in specimens::all() {
        let (name, shape) = (specimen.name(), specimen.format().facts().shape);
        all.push(state(&format!("damaged {name}"), "✗", "damaged", move |browser, folders| {
            check(browser, &folders.at(name));
        }));
        if shape == Shape::Tree {
            all.push(state(&format!("file of {name}"), "✓", "sound", move |browser, folders| {
                check(browser, &folders.at(&format!("sound {name}")));
                let named = "[...document.querySelectorAll('datalist option')].map(({ value }) => value)";
                browser.eval("document.querySelector('[data-testid=file]').focus()");
                browser.until(&format!("{named}.length > 0"));
                let path = browser.eval(&format!("{named}.at(-1)"));
                write_path(browser, path.as_str().expect("a path"));
                browser.eval(&format!("{SLOW}; release(); 1"));
                click(browser, "restore");
                until_said(browser, "^(Restored|.* ist wiederhergestellt)");
            }));
        }
    }
    all.extend([
        state("damaged checkpoint", "✗", "damaged", |browser, folders| check(browser, &folders.at("checkpoint"))),
        state("key wanted", "?", "inconclusive", |browser, _| {
            shown(browser, &[&plain(&datastore::Sample::made().store())], "digest");
        }),
        state("no key", "?", "inconclusive", |browser, folders| _ = give_key(browser, &folders.at("note.txt"))),
        state("passphrase wanted", "?", "inconclusive", |browser, _| {
            give_key(browser, &datastore::Sample::made().truth("key-scrypt.json"));
        }),
        state("wrong passphrase", "?", "inconclusive", |browser, _| _ = give_passphrase(browser, "wrong horse")),
        state("wrong key", "?", "inconclusive", |browser, folders| used(browser, &folders.at("other.json"))),
        state("right key", "✓", "sound", |browser, _| used(browser, &datastore::Sample::made().truth("key.json"))),
        state("checking", "…", "", |browser, folders| {
            choose(browser, &[&folders.at("huge")], "digest");
            browser.until("document.title.startsWith('…') && document.getElementById('bar').value > 0");
        }),
        state("paused", "…", "", |browser, _| {
            click(browser, "pause");
            browser.until("/paused|angehalten/.test(document.getElementById('pace').textContent)");
        }),
        state("cancelled", "?", "inconclusive", |browser, _| {
            click(browser, "cancel");
            browser.until(VERDICT);
        }),
    ]);
    all
}

/// A key is used: what is on the page is checked again with it.
#[track_caller]
fn used(browser: &mut Browser, file: &Path) {
    super::forget_verdict(browser);
    give_key(browser, file);
    browser.until(VERDICT);
}
