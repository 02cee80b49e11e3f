//! Takes the pictures of the page: those that the README and the documents show, into `web/shots`, and every state in
//! three layouts, into `target/shots`, with all of them on one sheet: `cargo run -p highwater-tests --example
//! screenshots`. A word after that takes the states whose names have it alone, or the `documents`.
#![expect(clippy::print_stdout, reason = "where the pictures are is the result")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use highwater_core::digest::md5_of;
use highwater_tests::browser::{Browser, page};
use highwater_tests::datastore::{Sample, copy, damage};
use highwater_tests::dice::Dice;
use highwater_tests::page::states::{self, Folders};
use highwater_tests::page::{VERDICT, choose, click, give_key, shown, sparse};
use highwater_tests::repo::{Image, store};

/// The layouts: what to call each, its scheme, and how many pixels wide it is.
const LAYOUTS: [(&str, &str, u32); 3] = [("light", "light", 1000), ("dark", "dark", 1000), ("narrow", "light", 400)];

/// How wide a picture of a document is.
const WIDE: u32 = 860;

/// Two chains of a month, one of which has a damaged increment.
fn set(month: u32) -> Image {
    let (mut image, mut dice) = (Image::new(), Dice::new(4));
    for (day, increments) in [(1, 23), (8, 6)] {
        let (mut dat, mut start) = (String::new(), 0);
        for hour in 0..=increments {
            let stem = format!("2026-{month:02}-{day:02}-{hour:02}-00-00");
            let name = format!("{stem}.{}", if hour == 0 { "fs" } else { "deltafs" });
            let length = if hour == 0 { 60_000_000 } else { 100_000 + dice.below(2_000_000) };
            let mut data: Vec<u8> = (0..length / 8).flat_map(|_| dice.bits().to_le_bytes()).collect();
            let end = start + data.len();
            dat.push_str(&format!("r/{name} {start} {end} {}\n", md5_of(&data)));
            start = end;
            if (day, hour) == (1, 14) {
                data[70_000] ^= 8;
            }
            image.insert(name, data);
            image.insert(format!("{stem}.index"), vec![0]);
        }
        image.insert(format!("2026-{month:02}-{day:02}-00-00-00.dat"), dat.into_bytes());
    }
    image
}

/// A picture of what the page shows, once its bands are drawn for the width that it has now.
fn shot(browser: &mut Browser, to: &Path) -> Result<(), Box<dyn Error>> {
    // Whoever came by mouse or by a drop sees no focus at the verdict.
    browser.eval("document.activeElement.blur()");
    browser.eval("new Promise((give) => setTimeout(give, 400))");
    Ok(fs::write(to, browser.screenshot())?)
}

/// The pictures of the documents.
fn documents(browser: &mut Browser, top: &Path) -> Result<(), Box<dyn Error>> {
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("web").join("shots");
    fs::create_dir_all(&shots)?;
    // A third chain takes long.
    let long = top.join("long/zodb");
    store(&set(2), &long);
    sparse(&long, 1 << 30);
    browser.open(&format!("file://{}#workers=1&lang=en", page().display()), "");
    browser.look("light", WIDE);
    choose(browser, &[&long], "digest");
    browser.until("/^3[0-9]* chunks/.test(document.getElementById('pace').textContent.split(' · ')[1])");
    click(browser, "pause");
    // The words follow the picture.
    browser.until("/ 7 whole/.test(document.getElementById('bands').innerText.replaceAll('\\n', ' '))");
    shot(browser, &shots.join("checking.png"))?;
    let zodb = top.join("zodb");
    store(&set(11), &zodb);
    shown(browser, &[&zodb], "digest");
    shot(browser, &shots.join("damaged.png"))?;
    browser.look("dark", 390);
    shot(browser, &shots.join("narrow-dark.png"))?;
    browser.look("light", WIDE);
    let sample = Sample::made();
    let damaged = top.join("store");
    copy(&sample.store(), &damaged);
    let case = sample.cases().into_iter().find(|case| case["name"] == "chunk_of_two_groups_missing");
    damage(&damaged, &case.ok_or("there is such a case")?["ops"]);
    highwater_tests::page::forget_verdict(browser);
    give_key(browser, &sample.truth("key.json"));
    browser.until(VERDICT);
    shown(browser, &[&damaged], "digest");
    shot(browser, &shots.join("store.png"))
}

/// Every state whose name has a word, in each layout, in English and in German. Gives the names of the pictures.
fn states(browser: &mut Browser, top: &Path, word: &str, to: &Path) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let folders = Folders::laid(top);
    let mut taken = Vec::new();
    for language in ["en", "de"] {
        browser.open(&format!("file://{}#workers=1&lang={language}", page().display()), "");
        for (number, state) in states::all().into_iter().enumerate() {
            browser.look("light", 1000);
            (state.bring)(browser, &folders);
            if !state.name.contains(word) {
                continue;
            }
            let mut row = Vec::new();
            for (layout, scheme, width) in LAYOUTS {
                browser.look(scheme, width);
                let name = format!("{language}-{number:02}-{}-{layout}.png", state.name.replace(' ', "-"));
                shot(browser, &to.join(&name))?;
                row.push(name);
            }
            taken.push(row);
        }
    }
    Ok(taken)
}

/// All pictures on one page, a state a line.
fn sheet(taken: &[Vec<String>]) -> String {
    let mut html = "<!doctype html><meta charset=utf-8><title>Every state of the page</title><style>\
        body { font: 1rem sans-serif; background: #888 } img { vertical-align: top; margin: 4px; width: 32% } \
        img:last-of-type { width: 13% }</style>"
        .to_owned();
    for row in taken {
        html.push_str(&format!("<p>{}<br>", row.first().map_or("", |name| name.trim_end_matches("-light.png"))));
        row.iter().for_each(|name| html.push_str(&format!("<img src='{name}' alt=''>")));
    }
    html
}

fn main() -> Result<(), Box<dyn Error>> {
    let word = std::env::args().nth(1);
    let to: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("shots");
    fs::create_dir_all(&to)?;
    let folder = tempfile::tempdir()?;
    let mut browser = Browser::start();
    if word.as_deref().is_none_or(|word| word == "documents") {
        documents(&mut browser, &folder.path().join("documents"))?;
    }
    let taken = states(&mut browser, &folder.path().join("states"), &word.unwrap_or_default(), &to)?;
    fs::write(to.join("index.html"), sheet(&taken))?;
    println!("{} states: {}", taken.len(), to.join("index.html").display());
    Ok(())
}
