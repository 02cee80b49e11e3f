//! What is loaded when a set needs it: a page in files and the package take the engine of repozo repositories first,
//! and the whole one once something else is there.

use std::fs;
use std::path::{Path, PathBuf};

use highwater_tests::browser::{Browser, page};
use highwater_tests::page::give_key;
use highwater_tests::repo::{sample, store};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::specimens;
use serde_json::json;
use tempfile::TempDir;

use crate::host::Host;
use crate::package::package;
use crate::sets::{expect_same, samples};
use crate::support::{command, forget_verdict, open, shown};

/// The page in files, served from a folder.
fn linked(folder: &Path) -> Host {
    let html = fs::read_to_string(page().with_file_name("index.html")).expect("the page");
    Host::of(folder, &html)
}

/// The folder in which its files were built.
fn built() -> PathBuf {
    page().parent().expect("a folder").to_owned()
}

/// A repository, and a set of another format.
fn sets() -> (TempDir, [PathBuf; 2]) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let paths = ["repository", "store"].map(|name| folder.path().join(name));
    store(&sample().files, &paths[0]);
    let specimen = specimens::all().into_iter().find(|specimen| specimen.name() == "datastore").expect("one of it");
    specimens::lay(&specimen.samples()[0].files, &paths[1]);
    (folder, paths)
}

#[test]
fn the_page_in_files_loads_the_whole_engine_for_what_takes_it_and_once() {
    let (host, (_folder, [repository, other])) = (linked(&built()), sets());
    let mut browser = Browser::start();
    open(&mut browser, &host.address);
    expect_same(&mut browser, &repository, "digest", &[], "a repository");
    let mut first = host.asked();
    first.sort();
    assert_eq!(first, ["", "app.js", "engine.js", "style.css"]);
    expect_same(&mut browser, &other, "digest", &[], "a store");
    assert_eq!(host.asked(), ["whole.js"]);
    for (set, what) in [(&repository, "a repository again"), (&other, "a store again")] {
        expect_same(&mut browser, set, "deep", &[], what);
    }
    assert!(host.asked().is_empty() && browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_key_takes_the_whole_engine_and_opens_what_is_sealed() {
    let (host, folder) = (linked(&built()), tempfile::tempdir().expect("a scratch folder"));
    let all = samples(folder.path());
    let (_, sealed, key) = all.iter().find(|(_, _, key)| key.is_some()).expect("one with a key");
    let key = key.as_ref().expect("a file");
    let set = folder.path().join("set");
    specimens::lay(&sealed.files, &set);
    let mut browser = Browser::start();
    open(&mut browser, &host.address);
    // Before anything is there that would take it.
    assert!(give_key(&mut browser, key).ends_with("is used."));
    assert!(host.asked().contains(&"whole.js".to_owned()));
    forget_verdict(&mut browser);
    expect_same(&mut browser, &set, "digest", &["--keyfile", key.to_str().expect("text")], "a sealed store");
    assert!(host.asked().is_empty() && browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_whole_engine_that_is_not_there_is_named_and_what_needs_none_is_checked() {
    let (folder, [repository, other]) = sets();
    let bare = folder.path().join("page");
    fs::create_dir(&bare).expect("a folder");
    for name in ["app.js", "engine.js", "style.css"] {
        fs::copy(built().join(name), bare.join(name)).expect("a copy");
    }
    let host = linked(&bare);
    let mut browser = Browser::start();
    open(&mut browser, &host.address);
    let came = shown(&mut browser, &[&other], "digest");
    assert!(came.verdict == "inconclusive" && came.text.contains("whole.js"), "{}: {}", came.verdict, came.text);
    expect_same(&mut browser, &repository, "digest", &[], "a repository");
    // It came meanwhile.
    fs::copy(built().join("whole.js"), bare.join("whole.js")).expect("a copy");
    expect_same(&mut browser, &other, "digest", &[], "a store");
}

#[test]
fn the_page_in_files_works_from_a_disk_too() {
    let (_folder, [repository, other]) = sets();
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}", page().with_file_name("index.html").display()));
    expect_same(&mut browser, &repository, "digest", &[], "a repository");
    expect_same(&mut browser, &other, "digest", &[], "a store");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn the_package_loads_in_a_browser_what_is_asked_of_it() {
    let html =
        "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><input type=file id=folder webkitdirectory>
        <script type=module>import * as api from '/highwater.js'; window.api = api;</script>";
    let (_folder, [repository, other]) = sets();
    let host = Host::of(&package(), html);
    let mut browser = Browser::start();
    browser.open(&host.address, "");
    browser.until("window.api !== undefined");
    let modules = |names: Vec<String>| -> Vec<String> {
        names.into_iter().filter(|name| Path::new(name).extension().is_some_and(|end| end == "wasm")).collect()
    };
    for (set, loaded) in [(&repository, &["repozo.wasm"][..]), (&other, &["highwater.wasm"]), (&repository, &[])] {
        browser.choose("#folder", &[set]);
        let name = json!(set.file_name().expect("a name").to_str());
        browser.until(&format!("folder.files[0]?.webkitRelativePath.startsWith({name})"));
        let report = browser.eval("api.verify(folder.files).then((report) => report.json())");
        let wanted = command(&[set], "digest");
        expect_same_bytes(
            report.as_str().expect("a text").as_bytes(),
            &wanted.files["json"],
            &set.display().to_string(),
        );
        assert_eq!(modules(host.asked()), loaded);
    }
}

/// What a page sends first is what most of its visitors wait for.
#[test]
fn what_a_page_loads_first_is_about_half_of_all() {
    let length = |name: &str| fs::metadata(page().with_file_name(name)).expect(name).len();
    assert!(length("engine.js") < 245_000, "{}", length("engine.js"));
    assert!(length("highwater.html") < 450_000, "{}", length("highwater.html"));
}
