//! Takes the pictures of the page that the README shows, into `web/shots`: `cargo run -p highwater-tests --example
//! screenshots`.

use std::error::Error;
use std::fs;
use std::path::Path;

use highwater_core::digest::md5_of;
use highwater_tests::browser::{Browser, page};
use highwater_tests::datastore::{Sample, copy, damage};
use highwater_tests::dice::Dice;
use highwater_tests::repo::{Image, store};
use serde_json::json;

/// Two chains, one of which has a damaged increment.
fn set() -> Image {
    let (mut image, mut dice) = (Image::new(), Dice::new(4));
    for (day, increments) in [(1, 23), (8, 6)] {
        let (mut dat, mut start) = (String::new(), 0);
        for hour in 0..=increments {
            let stem = format!("2026-11-{day:02}-{hour:02}-00-00");
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
        image.insert(format!("2026-11-{day:02}-00-00-00.dat"), dat.into_bytes());
    }
    image
}

fn main() -> Result<(), Box<dyn Error>> {
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("web").join("shots");
    fs::create_dir_all(&shots)?;
    let folder = tempfile::tempdir()?;
    let zodb = folder.path().join("zodb");
    store(&set(), &zodb);
    let mut browser = Browser::start();
    let size = |browser: &mut Browser, width: u32, height: u32| {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
    };
    browser.open(&format!("file://{}#workers=1", page().display()), "");
    size(&mut browser, 860, 560);
    browser.choose("[data-testid=folder]", &[&zodb]);
    browser.until("document.getElementById('bar').value > 0.3");
    browser.eval("document.querySelector('[data-testid=pause]').click()");
    browser.until("document.getElementById('pace').textContent.includes('paused')");
    fs::write(shots.join("checking.png"), browser.screenshot())?;
    browser.eval("document.querySelector('[data-testid=pause]').click()");
    browser.until("document.querySelector('[data-testid=verdict]').dataset.verdict ?? null");
    fs::write(shots.join("damaged.png"), browser.screenshot())?;
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.call("Emulation.setEmulatedMedia", dark);
    size(&mut browser, 390, 800);
    // The picture is drawn anew for its new width.
    browser.until("new Promise((give) => setTimeout(() => give(1), 400))");
    fs::write(shots.join("narrow-dark.png"), browser.screenshot())?;
    browser.call("Emulation.setEmulatedMedia", json!({ "features": [] }));
    size(&mut browser, 860, 560);
    let sample = Sample::made();
    let damaged = folder.path().join("store");
    copy(&sample.store(), &damaged);
    let case = sample.cases().into_iter().find(|case| case["name"] == "chunk_of_two_groups_missing");
    damage(&damaged, &case.ok_or("there is such a case")?["ops"]);
    browser.eval("delete document.querySelector('[data-testid=verdict]').dataset.verdict");
    browser.eval("document.getElementById('key').open = true");
    browser.choose("[data-testid=keyfile]", &[&sample.truth("key.json").canonicalize()?]);
    browser.until("document.getElementById('key-status').textContent.includes('is used') || null");
    browser.until("document.querySelector('[data-testid=verdict]').dataset.verdict ?? null");
    browser.eval("delete document.querySelector('[data-testid=verdict]').dataset.verdict");
    browser.choose("[data-testid=folder]", &[&damaged]);
    browser.until("document.querySelector('[data-testid=verdict]').dataset.verdict ?? null");
    fs::write(shots.join("store.png"), browser.screenshot())?;
    Ok(())
}
