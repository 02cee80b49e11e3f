//! The package in Chromium: as modules that a server gives, with folders by handle, by an input, and as entries.

use std::fs;

use highwater_tests::browser::Browser;
use highwater_tests::repo::{Sample, sample, store};
use highwater_tests::repository::expect_same_bytes;

use crate::host::Host;
use crate::package::package;
use crate::support::{bytes_of, command};

/// What the page of these tests has: an input for a folder, the API, and how many workers live.
const HTML: &str = r#"<!doctype html><meta charset=utf-8><link rel=icon href="data:,"><input type=file id=folder webkitdirectory>
<script>
window.alive = 0;
const Plain = Worker;
window.Worker = class extends Plain {
    constructor(...all) { super(...all); alive += 1; this.lives = true; }
    terminate() { if (this.lives) alive -= 1; this.lives = false; super.terminate(); }
};
</script>
<script type=module>
import * as api from "/highwater.js";
const folder = document.getElementById("folder");
window.api = api;
// The same files in the browser's own private folder, for a handle.
window.handle = async () => {
    const top = await navigator.storage.getDirectory();
    for (const file of folder.files) {
        let at = top;
        const parts = file.webkitRelativePath.split("/");
        for (const part of parts.slice(0, -1)) at = await at.getDirectoryHandle(part, { create: true });
        const to = await (await at.getFileHandle(parts.at(-1), { create: true })).createWritable();
        await to.write(await file.arrayBuffer());
        await to.close();
    }
    return top.getDirectoryHandle(folder.files[0].webkitRelativePath.split("/")[0]);
};
window.ready = true;
</script>"#;

#[test]
fn a_folder_is_verified_listed_and_restored_in_a_browser_however_it_is_given() {
    let Sample { files, source, points } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    let mut damaged = files.clone();
    let full = files.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup");
    damaged.get_mut(full).expect("its bytes")[99] ^= 1;
    let host = Host::of(&package(), HTML);
    for (files, verdict) in [(&files, "sound"), (&damaged, "damaged")] {
        store(files, &set);
        let mut browser = Browser::start();
        browser.open(&host.address, "");
        browser.until("window.ready");
        browser.choose("#folder", &[&set]);
        browser.until("document.getElementById('folder').files.length > 3");
        let wanted = command(&[&set], "deep");
        let entries = "[...folder.files].map((file) => ({ path: file.webkitRelativePath, open: async () => file }))";
        for source in
            ["folder.files", "[...folder.files]", "await handle()", entries, "await api.backups(folder.files)"]
        {
            let verify = format!(
                "(async () => {{
                    const folder = document.getElementById('folder');
                    const told = [];
                    const options = {{ depth: 'deep', workers: 2, onProgress: (now) => told.push(now) }};
                    const report = await api.verify({source}, options);
                    const {{ done, expected, complete }} = told.at(-1);
                    const over = done === expected && complete && done > 0;
                    const object = JSON.stringify(report, null, 2) + '\\n';
                    return [report.verdict, await report.json(), object === (await report.json()), over, alive];
                }})()"
            );
            let came = browser.eval(&verify);
            assert_eq!(came[0], verdict, "{source}");
            expect_same_bytes(came[1].as_str().expect("a text").as_bytes(), &wanted.files["json"], source);
            assert_eq!((&came[2], &came[3]), (&true.into(), &true.into()), "{source}: the object; the progress");
            assert_eq!(came[4], 0, "workers are left of {source}");
        }
        let list = browser.eval("api.list(folder.files)");
        let named: Vec<_> = list[0]["points"].as_array().expect("points").iter().map(|point| &point["name"]).collect();
        assert_eq!(named, points.iter().map(|(name, _)| name).collect::<Vec<_>>());
        let newest = &points.last().expect("a point").0;
        let restore = format!(
            "(async () => {{
                const file = await (await navigator.storage.getDirectory()).getFileHandle('out', {{ create: true }});
                const to = await file.createWritable();
                const failed = await api.restore(folder.files, {{ point: '{newest}', to }}).catch((error) => error);
                const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
                const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
                return [failed.code ?? null, failed.bytes ?? 0, hex, alive];
            }})()"
        );
        let came = browser.eval(&restore);
        assert_eq!(came[3], 0, "workers are left");
        if verdict == "sound" {
            assert_eq!((&came[0], &came[1]), (&serde_json::Value::Null, &source.len().into()));
            expect_same_bytes(&bytes_of(&came[2]), &source, newest);
        } else {
            assert_eq!((&came[0], &came[2]), (&"point".into(), &"".into()), "{came}");
        }
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    }
}

#[test]
fn an_aborted_check_ends_its_workers_in_a_browser_too() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    fs::create_dir_all(&set).expect("a folder");
    let length = 8u64 << 30;
    let name = "2026-03-01-00-00-00.fs";
    fs::File::create(set.join(name)).and_then(|file| file.set_len(length)).expect("a sparse file");
    let line = format!("r/{name} 0 {length} {}\n", "0".repeat(32));
    fs::write(set.join("2026-03-01-00-00-00.dat"), line).expect("an index");
    let mut browser = Browser::start();
    let host = Host::of(&package(), HTML);
    browser.open(&host.address, "");
    browser.until("window.ready");
    browser.choose("#folder", &[&set]);
    browser.until("document.getElementById('folder').files.length === 2");
    let came = browser.eval(
        "(async () => {
            const controller = new AbortController();
            let last = null;
            let most = 0;
            const onProgress = (now) => {
                last = now;
                most = Math.max(most, alive);
                if (now.done > 0) controller.abort();
            };
            const options = { workers: 2, signal: controller.signal, onProgress };
            const failed = await api.verify(folder.files, options).catch((error) => error);
            return [failed.name, last.done > 0 && last.done < last.expected, most, alive];
        })()",
    );
    assert_eq!((&came[0], &came[1], &came[3]), (&"AbortError".into(), &true.into(), &0.into()), "{came}");
    assert!(came[2].as_u64().is_some_and(|most| most >= 2), "{came}");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}
