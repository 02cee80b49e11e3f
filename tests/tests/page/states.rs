//! Every state of the page, in both languages: for anybody, light, dark and narrow; and told in the browser's tab.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::browser::{Browser, page};
use highwater_tests::page::states::{self, Folders, State};
use highwater_tests::python::interpreter;
use highwater_tests::run::Run;
use serde_json::Value;

use crate::support;

/// The axe of accessibility: its script, which `tests/run` installs.
fn axe() -> String {
    let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let run = Run::of(Command::new(interpreter()).args(["-c", ask]));
    let packages = String::from_utf8(run.stdout).expect("a path");
    let script = Path::new(packages.trim()).join("axe_playwright_python/axe.min.js");
    fs::read_to_string(&script).unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", script.display()))
}

/// What axe finds wrong with the page as it is now: by all of its rules, or by those that look at colours.
#[track_caller]
fn faults(browser: &mut Browser, all: bool) -> Vec<Value> {
    let only = if all { "" } else { "runOnly: ['color-contrast', 'link-in-text-block'], " };
    let found = browser.eval(&format!(
        "axe.run(document, {{ {only}resultTypes: ['violations'] }}).then(({{ violations }}) =>
            violations.flatMap(({{ id, nodes }}) => nodes.map(({{ html, failureSummary }}) => [id, html, failureSummary])))",
    ));
    found.as_array().expect("a list").clone()
}

/// How wide the page is, and the window; and what is wider than that.
const WIDTHS: &str = "(() => {
    const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return [document.documentElement.scrollWidth, innerWidth, wide.slice(0, 5).map(({ outerHTML }) => outerHTML.slice(0, 200))];
})()";

/// Light and dark, wide and narrow.
const LAYOUTS: [(&str, u32); 4] = [("light", 1000), ("dark", 400), ("dark", 1000), ("light", 400)];

/// What differs most is looked at in all of them in either language; others in two, and in the other two in the other
/// one.
const MAIN: [&str; 10] =
    ["start", "not a backup", "sound", "damaged", "one point", "tree", "key wanted", "no key", "paused", "cancelled"];

#[test]
fn every_state_is_for_anybody_light_dark_and_narrow_in_english() {
    every_state("en", &LAYOUTS[..2]);
}

#[test]
fn every_state_is_for_anybody_light_dark_and_narrow_in_german() {
    every_state("de", &LAYOUTS[2..]);
}

fn every_state(language: &str, layouts: &[(&str, u32)]) {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let folders = Folders::laid(fixture.path());
    let mut browser = Browser::start();
    let address = format!("file://{}#workers=1&lang={language}", page().display());
    support::open_with(&mut browser, &address, &axe());
    assert_eq!(browser.eval("document.documentElement.lang"), language);
    let all = states::all();
    assert!(MAIN.iter().all(|name| all.iter().any(|state| state.name == *name)), "a state is called so no more");
    for State { name, bring, .. } in all {
        bring(&mut browser, &folders);
        // What is folded away is looked at too.
        browser.eval("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
        let layouts = if MAIN.contains(&name.as_str()) { &LAYOUTS } else { layouts };
        for &(scheme, width) in layouts {
            browser.look(scheme, width);
            let what = format!("{name} in {language}, {scheme}, {width} pixels wide");
            // The dark page is the light one in other colours.
            assert_eq!(faults(&mut browser, scheme == "light"), Vec::<Value>::new(), "{what}");
            let widths = browser.eval(WIDTHS);
            assert!(widths[0].as_u64() <= widths[1].as_u64(), "{what}: it scrolls to the side: {widths}");
        }
    }
    // What would be seen: a colour that is too faint, and a button that says nothing.
    browser.eval("document.getElementById('plain').style.color = 'var(--line)'; document.getElementById('again').textContent = ''");
    for (all, wanted) in [(true, &["color-contrast", "button-name"][..]), (false, &["color-contrast"])] {
        let found: Vec<String> = faults(&mut browser, all).iter().map(|fault| fault[0].to_string()).collect();
        assert!(wanted.iter().all(|id| found.iter().any(|found| found.contains(id))), "{wanted:?}: {found:?}");
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
    for State { name, sign, look, bring } in states::all() {
        bring(&mut browser, &folders);
        let told = browser.eval("[document.title, decodeURIComponent(document.getElementById('sign').href)]");
        let (title, icon) = (told[0].as_str().expect("a title"), told[1].as_str().expect("an address"));
        assert!(icon.starts_with("data:image/svg+xml,") && icon.contains(&format!(">{sign}</text>")), "{name}: {icon}");
        let said = match sign {
            "≈" => "Highwater: is this backup whole?".to_owned(),
            "…" => format!("{sign} Checking · Highwater"),
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
