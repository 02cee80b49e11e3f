//! What the tests of the page share: the browser at the page, and the command's own reports to compare with.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;

use highwater_tests::binary::highwater;
use highwater_tests::browser::{Browser, page};
use highwater_tests::run::Run;
use serde_json::json;

pub(crate) use highwater_tests::page::{Shown, VERDICT, choose, forget_verdict, shown};

/// Works on each of some things, on all cores at once: `begin` makes what a core works with, as a browser.
#[track_caller]
pub(crate) fn on_all_cores<T: Send, B>(all: Vec<T>, begin: impl Fn() -> B + Sync, work: impl Fn(&mut B, T) + Sync) {
    let waiting = Mutex::new(all.into_iter());
    let next = || waiting.lock().expect("nobody fails while taking").next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut with = None;
                while let Some(one) = next() {
                    work(with.get_or_insert_with(&begin), one);
                }
            });
        }
    });
}

/// Every depth, as the page's menu has it.
pub(crate) const DEPTHS: [&str; 4] = ["list", "size", "digest", "deep"];

/// Opens the page at an address. What it offers for download is kept, for [`report`].
#[track_caller]
pub(crate) fn open(browser: &mut Browser, address: &str) {
    open_with(browser, address, "");
}

/// The same, after a script that changes the browser.
#[track_caller]
pub(crate) fn open_with(browser: &mut Browser, address: &str, change: &str) {
    let keep = "window.kept = new Map();
        const create = URL.createObjectURL;
        URL.createObjectURL = (blob) => {
            const address = create.call(URL, blob);
            kept.set(address, blob);
            return address;
        };";
    browser.open(address, &format!("{change}{keep}"));
}

/// A script that makes the page's workers run `change` before their own; it sets `window.changed`.
pub(crate) fn in_workers(change: &str) -> String {
    format!(
        "const Plain = Blob;
        window.Blob = class extends Plain {{
            constructor(parts, options) {{
                const script = options?.type === 'text/javascript';
                super(script ? [`{change};`, ...parts] : parts, options);
                window.changed ||= script;
            }}
        }};"
    )
}

/// The report of a kind that the page offers.
#[track_caller]
pub(crate) fn report(browser: &mut Browser, kind: &str) -> Vec<u8> {
    let text = browser.eval(&format!("kept.get(document.querySelector('[data-testid=report-{kind}]').href).text()"));
    text.as_str().expect("a text").as_bytes().to_vec()
}

/// Drops a folder on the page.
#[track_caller]
pub(crate) fn drop_on(browser: &mut Browser, folder: &Path) {
    drop_all(browser, &[folder]);
}

/// Drops files and folders on it, all at once.
#[track_caller]
pub(crate) fn drop_all(browser: &mut Browser, paths: &[&Path]) {
    let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
    for kind in ["dragEnter", "dragOver", "drop"] {
        browser.call("Input.dispatchDragEvent", json!({ "type": kind, "x": 300, "y": 150, "data": data }));
    }
}

/// The command's verdict, and the reports it writes, by the page's names for them.
pub(crate) struct Wanted {
    pub(crate) verdict: &'static str,
    pub(crate) files: BTreeMap<&'static str, Vec<u8>>,
}

/// Runs `highwater verify` on the same sets.
#[track_caller]
pub(crate) fn command(sets: &[&Path], depth: &str) -> Wanted {
    command_with(sets, depth, &[])
}

/// Runs it with more arguments.
#[track_caller]
pub(crate) fn command_with(sets: &[&Path], depth: &str, more: &[&str]) -> Wanted {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = |name: &str| folder.path().join(name);
    let mut verify = Command::new(highwater());
    verify.args(["verify", "--depth", depth]).args(more).args(sets);
    for kind in ["json", "junit", "sarif"] {
        verify.arg(format!("--{kind}={}", file(kind).display()));
    }
    let run = Run::of(&mut verify);
    let verdict = match run.code {
        0 => "sound",
        1 => "damaged",
        3 => "inconclusive",
        _ => panic!("no verdict\n{}", run.account()),
    };
    let mut files: BTreeMap<&str, Vec<u8>> =
        ["json", "junit", "sarif"].map(|kind| (kind, fs::read(file(kind)).expect("a report"))).into();
    files.insert("text", run.stdout);
    Wanted { verdict, files }
}

/// `highwater web`, until this goes out of scope.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
}

/// Serves the page on a free port of loopback.
#[track_caller]
pub(crate) fn web() -> Served {
    let mut web = Command::new(highwater());
    web.args(["web", "--no-open", "--page"]).arg(page()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = web.stderr(Stdio::null()).spawn().expect("highwater web");
    let mut address = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut address).expect("its address");
    let address = address.trim().to_owned();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    Served { child, address }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Chooses a point, or an archive of it, as a person does in the page's menus.
#[track_caller]
pub(crate) fn choose_point(browser: &mut Browser, point: &str) {
    let choose = format!(
        "(() => {{
            const [points, archives] = ['point', 'archive'].map((id) => document.querySelector(`[data-testid=${{id}}]`));
            const pick = (menu, value) => {{
                if (![...menu.options].some((option) => option.value === value)) return false;
                menu.value = value;
                menu.dispatchEvent(new Event('change'));
                return true;
            }};
            if (pick(points, {point:?})) return true;
            const cut = {point:?}.lastIndexOf('/');
            return pick(points, {point:?}.slice(0, cut)) && pick(archives, {point:?}.slice(cut + 1));
        }})()"
    );
    assert_eq!(browser.eval(&choose), true, "{point} is not offered");
}

/// Restores a point of the set that the page shows: through a stream to disk, or as a download. Gives what was written,
/// or what the page says of why nothing was.
#[track_caller]
pub(crate) fn restore_to(browser: &mut Browser, point: &str, streamed: bool) -> Result<Vec<u8>, String> {
    choose_point(browser, point);
    restore_chosen(browser, streamed)
}

/// Restores what is chosen.
#[track_caller]
pub(crate) fn restore_chosen(browser: &mut Browser, streamed: bool) -> Result<Vec<u8>, String> {
    let refused = browser.eval(
        "document.querySelector('[data-testid=restore]').disabled ?
            document.querySelector('[data-testid=reason]').textContent : null",
    );
    if let Some(why) = refused.as_str() {
        return Err(why.to_owned());
    }
    // A person's choice of a place cannot be played; the browser's own private files can stand for it.
    let place = if streamed {
        "window.showSaveFilePicker = async () => {
            const folder = await navigator.storage.getDirectory();
            await folder.removeEntry('restored').catch(() => 0);
            return folder.getFileHandle('restored', { create: true });
        }; 1"
    } else {
        "window.showSaveFilePicker = undefined; 1"
    };
    browser.eval(place);
    let folder = browser.downloads();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    browser.eval("document.querySelector('[data-testid=restore-status]').textContent = ''");
    browser.eval("document.querySelector('[data-testid=restore]').click()");
    let status = "(() => { const text = document.querySelector('[data-testid=restore-status]').textContent;
        return /^(Restored|Not restored)/.test(text) ? text : null; })()";
    let said = browser.until(status).as_str().expect("a text").to_owned();
    if !said.starts_with("Restored") {
        let left = "navigator.storage.getDirectory().then((folder) => folder.getFileHandle('restored'))
            .then((handle) => handle.getFile()).then((file) => file.size, () => 0)";
        assert!(!streamed || browser.eval(left) == 0, "bytes were left behind");
        return Err(said);
    }
    if !streamed {
        return Ok(browser.downloaded());
    }
    let read = "navigator.storage.getDirectory().then((folder) => folder.getFileHandle('restored'))
        .then((handle) => handle.getFile()).then((file) => file.arrayBuffer())
        .then((bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join(''))";
    Ok(bytes_of(&browser.eval(read)))
}

/// The bytes that a page wrote as hexadecimal digits.
#[track_caller]
pub(crate) fn bytes_of(hex: &serde_json::Value) -> Vec<u8> {
    let hex = hex.as_str().expect("digits");
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("a byte");
    (0..hex.len()).step_by(2).map(byte).collect()
}
