//! Every state of the page, in both languages: for anybody, light, dark and narrow; and told in the browser's tab.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::browser::{Browser, page};
use highwater_tests::datastore;
use highwater_tests::python::interpreter;
use highwater_tests::repo::{Image, sample, store};
use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Specimen};
use serde_json::Value;

use crate::keys::{give_key, plain};
use crate::runs::sparse;
use crate::support::{self, VERDICT, choose, shown};

/// The axe of accessibility: its script, which `tests/run` installs.
fn axe() -> String {
    let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let run = Run::of(Command::new(interpreter()).args(["-c", ask]));
    let packages = String::from_utf8(run.stdout).expect("a path");
    let script = Path::new(packages.trim()).join("axe_playwright_python/axe.min.js");
    fs::read_to_string(&script).unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", script.display()))
}

/// What axe finds wrong with the page as it is now.
#[track_caller]
fn faults(browser: &mut Browser) -> Vec<Value> {
    let found = browser.eval(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
            violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary])))",
    );
    found.as_array().expect("a list").clone()
}

/// How wide the page is, and the window; and what is wider than that.
const WIDTHS: &str = "(() => {
    const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return [document.documentElement.scrollWidth, innerWidth, wide.slice(0, 5).map(({ outerHTML }) => outerHTML.slice(0, 200))];
})()";

/// What the states are made of.
struct Folders {
    sound: PathBuf,
    damaged: PathBuf,
    tree: PathBuf,
    huge: PathBuf,
    sealed: PathBuf,
    foreign: PathBuf,
    /// A file that is no key.
    note: PathBuf,
}

impl Folders {
    fn laid(top: &Path) -> Self {
        let highwater_tests::repo::Sample { files, points, .. } = sample();
        let place = |name: &str| top.join(name);
        // Names as people have them: long, and with no place to break.
        let long = "Sicherung".repeat(12);
        let folders = Self {
            sound: place("sound"),
            damaged: place(&long),
            tree: place("tree"),
            huge: place("huge"),
            sealed: plain(&datastore::Sample::made().store()),
            foreign: place("foreign"),
            note: place("note.txt"),
        };
        store(&files, &folders.sound);
        let mut damaged = files;
        for at in [2, 6] {
            damaged.remove(&format!("{}.deltafs", points[at].0)).expect("an increment");
        }
        let full = damaged.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup").clone();
        damaged.get_mut(&full).expect("its bytes")[99] ^= 1;
        for number in 0..7 {
            damaged.insert(format!("{}{number}.txt", "unlisted".repeat(18)), b"x".to_vec());
        }
        store(&damaged, &folders.damaged);
        let mut tree = specimens::tree::Tree.samples().remove(0).files;
        for (_, bytes) in tree.iter_mut().filter(|(name, _)| name.starts_with("objects/")) {
            bytes.push(1);
        }
        specimens::lay(&tree, &folders.tree);
        sparse(&folders.huge, 100 << 30);
        store(&Image::from([("a.txt".to_owned(), b"a".to_vec())]), &folders.foreign);
        fs::write(&folders.note, "no key").expect("a file");
        folders
    }
}

/// What brings the page from one state to the next.
type Step = fn(&mut Browser, &Folders);

/// The states in an order in which each follows from the one before: a name, the sign in the tab, the outcome's look.
const STATES: [(&str, &str, &str, Step); 10] = [
    ("start", "≈", "", |_, _| {}),
    ("not a backup", "–", "none", |browser, folders| _ = shown(browser, &[&folders.foreign], "digest")),
    ("sound", "✓", "sound", |browser, folders| _ = shown(browser, &[&folders.sound], "digest")),
    ("damaged", "✗", "damaged", |browser, folders| _ = shown(browser, &[&folders.damaged], "digest")),
    ("one point", "✓", "sound", |browser, _| {
        support::forget_verdict(browser);
        browser.eval("document.querySelector('[data-testid=check-point]').click()");
        browser.until(VERDICT);
    }),
    ("tree", "✗", "damaged", |browser, folders| {
        shown(browser, &[&folders.tree], "digest");
        browser.until("/[0-9]/.test(document.querySelector('[data-testid=hurt-files]').textContent)");
    }),
    ("key wanted", "?", "inconclusive", |browser, folders| _ = shown(browser, &[&folders.sealed], "digest")),
    ("no key", "?", "inconclusive", |browser, folders| _ = give_key(browser, &folders.note)),
    ("checking", "…", "", |browser, folders| {
        choose(browser, &[&folders.huge], "digest");
        browser.until("document.title.startsWith('…') && document.getElementById('bar').value > 0");
        browser.eval("document.querySelector('[data-testid=pause]').click()");
    }),
    ("cancelled", "?", "inconclusive", |browser, _| {
        browser.eval("document.querySelector('[data-testid=cancel]').click()");
        browser.until(VERDICT);
    }),
];

#[test]
fn every_state_is_for_anybody_in_both_languages_light_dark_and_narrow() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let folders = Folders::laid(fixture.path());
    let (axe, mut browser) = (axe(), Browser::start());
    for language in ["en", "de"] {
        let address = format!("file://{}#workers=1&lang={language}", page().display());
        support::open_with(&mut browser, &address, &axe);
        assert_eq!(browser.eval("document.documentElement.lang"), language);
        for (name, _, _, step) in STATES {
            step(&mut browser, &folders);
            // What is folded away is looked at too.
            browser.eval("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
            for (scheme, width) in [("light", 1000), ("dark", 1000), ("light", 400), ("dark", 400)] {
                browser.look(scheme, width);
                let what = format!("{name} in {language}, {scheme}, {width} pixels wide");
                assert_eq!(faults(&mut browser), Vec::<Value>::new(), "{what}");
                let widths = browser.eval(WIDTHS);
                assert!(widths[0].as_u64() <= widths[1].as_u64(), "{what}: it scrolls to the side: {widths}");
            }
        }
        // What would be seen: a colour that is too faint, and a button that says nothing.
        browser.eval("document.getElementById('plain').style.color = 'var(--line)'; document.getElementById('again').textContent = ''");
        let found: Vec<String> = faults(&mut browser).iter().map(|fault| fault[0].to_string()).collect();
        assert!(found.iter().any(|id| id.contains("color-contrast")), "{found:?}");
        assert!(found.iter().any(|id| id.contains("button-name")), "{found:?}");
    }
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn the_tab_and_the_colours_follow_the_state() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let folders = Folders::laid(fixture.path());
    let mut browser = Browser::start();
    support::open(&mut browser, &format!("file://{}#workers=1", page().display()));
    let mut colours = BTreeMap::new();
    for (name, sign, look, step) in STATES {
        step(&mut browser, &folders);
        let told = browser.eval("[document.title, decodeURIComponent(document.getElementById('sign').href)]");
        let (title, icon) = (told[0].as_str().expect("a title"), told[1].as_str().expect("an address"));
        assert!(icon.starts_with("data:image/svg+xml,") && icon.contains(&format!(">{sign}</text>")), "{name}: {icon}");
        let said = match name {
            "start" => "Highwater: is this backup whole?".to_owned(),
            "checking" => format!("{sign} Checking · Highwater"),
            _ => {
                let heading = browser.eval("document.getElementById('verdict').textContent");
                format!("{sign} {} · Highwater", heading.as_str().expect("a text"))
            }
        };
        assert_eq!(title, said, "{name}");
        if look.is_empty() {
            continue;
        }
        let colour = browser.eval("getComputedStyle(document.getElementById('outcome')).borderLeftColor");
        let colour = colour.as_str().expect("a colour").to_owned();
        assert_eq!(colours.entry(look).or_insert_with(|| colour.clone()), &colour, "{name}");
    }
    // What is being checked is not coloured as what is sound, and each verdict has its own.
    let checking = browser.eval(
        "(() => {
            const probe = document.createElement('i');
            probe.className = 'swatch checking';
            document.body.append(probe);
            return getComputedStyle(probe).backgroundColor;
        })()",
    );
    colours.insert("checking", checking.as_str().expect("a colour").to_owned());
    let mut all: Vec<&String> = colours.values().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!((colours.len(), all.len()), (5, 5), "{colours:?}");
}
