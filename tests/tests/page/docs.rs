//! The documents beside the page in files: every link leads somewhere, and a browser has nothing to say against them.

use std::collections::BTreeMap;
use std::fs;

use highwater_tests::browser::{Browser, page};

use crate::host::Host;

/// What stands in an attribute of this name, wherever it does.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    html.match_indices(&begin).filter_map(|(at, _)| html[at + begin.len()..].split('"').next()).collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let docs = page().with_file_name("docs");
    let names = fs::read_dir(&docs).expect("the documents").map(|entry| entry.expect("an entry").file_name());
    let pages: BTreeMap<String, String> = names
        .map(|name| name.into_string().expect("a plain name"))
        .filter(|name| name.ends_with(".html"))
        .map(|name| (name.clone(), fs::read_to_string(docs.join(&name)).expect("a page")))
        .collect();
    assert!(pages.len() > 25 && pages.contains_key("index.html"), "{:?}", pages.keys());
    let (mut followed, mut broken) = (0, Vec::new());
    for (page, html) in &pages {
        for link in values(html, "href").into_iter().chain(values(html, "src")) {
            if link.contains("://") {
                continue;
            }
            followed += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if path.is_empty() { page } else { path };
            let has_anchor =
                || anchor.is_empty() || pages.get(path).is_some_and(|html| values(html, "id").contains(&anchor));
            if !docs.join(path).is_file() || !has_anchor() {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(followed > 100 && broken.is_empty(), "{followed}: {broken:?}");
}

#[test]
fn the_page_leads_to_the_documents_and_they_load_no_more_than_a_style_and_pictures() {
    let folder = page().parent().expect("a folder").to_owned();
    let host = Host::of(&folder, "");
    let mut browser = Browser::start();
    browser.open(&format!("{}index.html", host.address), "");
    let leads = browser.until("document.querySelector('[data-say=documents]').href");
    assert_eq!(leads, format!("{}docs/index.html", host.address));
    host.asked();
    browser.open(&format!("{}docs/readme.html", host.address), "");
    browser.until("document.readyState === 'complete' && document.querySelector('h1').textContent");
    assert_eq!(browser.eval("getComputedStyle(document.querySelector('table')).display"), "block");
    assert_eq!(browser.eval("[...document.images].every((image) => image.naturalWidth > 0)"), true);
    let mut asked = host.asked();
    asked.retain(|name| name != "favicon.ico");
    asked.sort();
    assert_eq!(asked, ["docs/docs.css", "docs/readme.html", "shots/damaged.png"]);
}
