//! The page in a real Chromium: it comes to the command's reports, sends nothing, and stays itself whatever is dropped.

mod agrees;
mod calls;
mod docs;
mod files;
mod host;
mod keyboard;
mod keys;
mod modules;
mod package;
mod parts;
mod runs;
mod said;
mod sets;
mod states;
mod support;
mod words;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use highwater_core::digest::md5_of;
use highwater_tests::browser::{Browser, page, spent};
use highwater_tests::repo::{Fixture, Image, Sample, sample, store};
use highwater_tests::repository::expect_same_bytes;
use support::{choose_point, command, open, report, restore_to, shown, web};

#[test]
fn a_browser_that_does_not_read_into_memory_or_leaves_such_reads_unanswered_gives_the_same_reports() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    // Longer than what a worker reads in one go.
    let mut bytes = vec![3; 6_000_000];
    let index = format!("r/2026-03-01-00-00-00.fs 0 {} {}\n", bytes.len(), md5_of(&bytes));
    bytes[5_000_000] ^= 1;
    let files = [("2026-03-01-00-00-00.dat".to_owned(), index.into()), ("2026-03-01-00-00-00.fs".to_owned(), bytes)];
    store(&Image::from(files), &set);
    let wanted = command(&[&set], "digest");
    let old = "const newer = ReadableStream.prototype.getReader;
        ReadableStream.prototype.getReader = function (options) {
            if (options) throw new TypeError('unknown mode');
            return newer.call(this);
        };";
    let forgetful = "const answered = ReadableStreamBYOBReader.prototype.read;
        let reads = 0;
        ReadableStreamBYOBReader.prototype.read = function (view) {
            reads += 1;
            return reads % 3 === 1 ? new Promise(() => {}) : answered.call(this, view);
        };";
    for change in [old, forgetful] {
        let mut browser = Browser::start();
        support::open_with(&mut browser, &format!("file://{}", page().display()), &support::in_workers(change));
        assert_eq!(shown(&mut browser, &[&set], "digest").verdict, "damaged");
        assert_eq!(browser.eval("window.changed"), true);
        expect_same_bytes(&report(&mut browser, "json"), &wanted.files["json"], "its report");
        assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    }
}

#[test]
fn several_sets_in_one_drop_are_told_apart_and_other_files_are_counted() {
    let Sample { files, .. } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let top = folder.path().join("disk");
    let sets = ["one", "deep/two", "three"].map(|name| top.join(name));
    sets.iter().for_each(|set| store(&files, set));
    fs::write(sets[2].join(files.keys().next().expect("a file")), "other bytes").expect("a file");
    fs::write(top.join("notes.txt"), "x").expect("a file");
    fs::write(top.join("deep/photo.jpg"), "x").expect("a file");
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}", page().display()));
    let found = shown(&mut browser, &[&top], "digest");
    let wanted = command(&[&sets[0], &sets[1], &sets[2]], "digest");
    assert_eq!(found.verdict, wanted.verdict);
    assert!(found.text.contains("3 backup sets; 2 other files belong to no backup set"), "{}", found.text);
    let json = browser.download("[data-testid=report-json]");
    expect_same_bytes(&json, &wanted.files["json"], "the merged report");
}

#[test]
fn findings_that_are_alike_name_the_points_that_any_of_them_hurts() {
    let Sample { mut files, points, .. } = sample();
    // The last increment of each of two chains: the same is said of both.
    let [one, other] = [&points[2].0, &points[6].0];
    for point in [one, other] {
        assert!(files.remove(&format!("{point}.deltafs")).is_some());
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("repo");
    store(&files, &set);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}", page().display()));
    let found = shown(&mut browser, &[&set], "list");
    assert_eq!(found.verdict, "damaged");
    assert!(found.text.contains(&format!("Hurts 2 points in time: {one}, {other}")), "{}", found.text);
    // The verdict's line is the command's, and names what to restore.
    let last = String::from_utf8_lossy(&command(&[&set], "list").files["text"])
        .lines()
        .next_back()
        .unwrap_or_default()
        .to_owned();
    assert!(found.text.contains(&last) && last.contains("the newest sound point is "), "{last}\n{}", found.text);
}

#[test]
fn loose_files_dropped_on_a_page_that_was_opened_as_a_file_are_checked() {
    let Sample { files, .. } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("files");
    store(&files, &set);
    let paths: Vec<PathBuf> = files.keys().map(|name| set.join(name)).collect();
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}", page().display()));
    support::drop_all(&mut browser, &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    assert_eq!(browser.until(support::VERDICT), "sound");
    let wanted = command(&[&set], "digest");
    expect_same_bytes(&report(&mut browser, "json"), &wanted.files["json"], "its report");
}

#[test]
fn what_is_no_set_is_inconclusive_and_says_what_to_drop() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (empty, foreign) = (folder.path().join("empty"), folder.path().join("foreign"));
    fs::create_dir_all(&empty).expect("a folder");
    store(&Image::from([("a.txt".to_owned(), b"a".to_vec()), ("b.iso".to_owned(), vec![0; 5000])]), &foreign);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}", page().display()));
    let found = shown(&mut browser, &[&foreign], "digest");
    assert_eq!(found.verdict, "inconclusive");
    assert!(found.text.contains("None of 2 files belongs to a backup set"), "{}", found.text);
    assert_eq!(browser.eval("document.querySelector('[data-testid=report-json]')"), serde_json::Value::Null);
    // An empty folder gives the input no file at all; a drop tells of it.
    support::forget_verdict(&mut browser);
    support::drop_on(&mut browser, &empty);
    assert_eq!(browser.until(support::VERDICT), "inconclusive");
    let text = browser.eval("document.body.innerText");
    assert!(text.as_str().is_some_and(|text| text.contains("There are no files in it.")), "{text}");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn nothing_can_be_sent_from_the_page_or_from_a_worker() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let place = listener.local_addr().expect("its address");
    let served = web();
    let mut browser = Browser::start();
    let requests = format!(
        r#"(async () => {{
            const place = "http://{place}/";
            const done = {{}};
            const probe = async (name, attempt) => {{
                try {{ await attempt(); done[name] = "sent"; }} catch (error) {{ done[name] = "refused"; }}
            }};
            await probe("fetch", () => fetch(place, {{ mode: "no-cors" }}));
            await probe("request", () => new Promise((give, fail) => {{
                const request = new XMLHttpRequest();
                [request.onload, request.onerror] = [give, fail];
                request.open("GET", place);
                request.send();
            }}));
            await probe("image", () => new Promise((give, fail) => {{
                const image = new Image();
                [image.onload, image.onerror] = [give, fail];
                image.src = place;
            }}));
            await probe("socket", () => new Promise((give, fail) => {{
                const socket = new WebSocket(place.replace("http", "ws"));
                [socket.onopen, socket.onerror] = [give, fail];
            }}));
            if (!navigator.sendBeacon(place, "x")) done.beacon = "refused";
            const source = `fetch(${{JSON.stringify(place)}}, {{ mode: "no-cors" }})
                .then(() => postMessage("sent"), () => postMessage("refused"));`;
            await probe("worker", () => new Promise((give, fail) => {{
                const worker = new Worker(URL.createObjectURL(new Blob([source])));
                worker.onmessage = ({{ data }}) => (data === "sent" ? give() : fail());
                worker.onerror = fail;
            }}));
            return done;
        }})()"#
    );
    for address in [format!("file://{}", page().display()), served.address.clone()] {
        open(&mut browser, &address);
        let done = browser.eval(&requests);
        for (name, came) in done.as_object().expect("what came of them") {
            assert!(came == "refused" || name == "beacon", "{name} is {came} from {address}");
        }
        assert_eq!(done.as_object().map(|done| done.len() >= 5), Some(true), "{done}");
        assert!(listener.accept().is_err(), "something arrived from {address}");
    }
    // A page without the policy does send: the listener would have noticed.
    browser.open("data:text/html,<p>free", "");
    browser.eval(&format!("fetch('http://{place}/', {{ mode: 'no-cors' }}).catch(() => 0); 1"));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while listener.accept().is_err() {
        assert!(std::time::Instant::now() < until, "the control came to nothing");
        std::thread::yield_now();
    }
}

#[test]
fn a_hundred_thousand_files_do_not_freeze_the_page() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("many");
    fs::create_dir_all(&set).expect("a folder");
    let stem = |number: usize| {
        let (minute, second) = (number / 60, number % 60);
        let (hour, minute) = (minute / 60, minute % 60);
        format!("2026-03-{:02}-{:02}-{minute:02}-{second:02}", 1 + hour / 24, hour % 24)
    };
    // Names of a few files: a disk takes and removes them much sooner than as many files.
    let data = [b'7'; 200];
    let (sum, mut dat, mut first) = (md5_of(&data), String::new(), PathBuf::new());
    for number in 0..100_000 {
        let name = format!("{}.{}", stem(number), if number == 0 { "fs" } else { "deltafs" });
        let path = set.join(&name);
        if number % 10_000 == 0 {
            fs::write(&path, data).expect("a file");
            first = path;
        } else {
            fs::hard_link(&first, path).expect("another name");
        }
        dat.push_str(&format!("r/{name} {} {} {sum}\n", number * data.len(), (number + 1) * data.len()));
    }
    fs::write(set.join(format!("{}.dat", stem(0))), dat).expect("an index");
    let mut browser = Browser::start();
    // What freezes the page does so each time.
    let longest = (0..3).map(|_| longest_task(&mut browser, &set)).find(|longest| *longest <= 100.0);
    assert!(longest.is_some(), "the page's thread was busy for more than 100 ms at a time, three times");
}

/// Has a set of 100,000 files checked, and gives the milliseconds for which the page did nothing else.
#[track_caller]
fn longest_task(browser: &mut Browser, set: &Path) -> f64 {
    // The browser itself takes seconds to fill the input, before the page hears of it.
    let watch = "window.tasks = [];
        let chosen = Infinity;
        addEventListener('change', () => { chosen = performance.now(); }, { capture: true });
        new PerformanceObserver((list) => {
            for (const { startTime, duration } of list.getEntries()) {
                if (startTime > chosen) tasks.push([performance.timeOrigin + startTime, duration]);
            }
        }).observe({ type: 'longtask' });";
    browser.open(&format!("file://{}", page().display()), watch);
    let threads = browser.pages();
    let (over, watched) = channel::<()>();
    let watching = thread::spawn(move || {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs_f64() * 1000.0;
        let mut moments = vec![(now(), spent(&threads))];
        while watched.recv_timeout(Duration::from_millis(4)) == Err(RecvTimeoutError::Timeout) {
            moments.push((now(), spent(&threads)));
        }
        moments
    });
    let found = shown(browser, &[set], "digest");
    drop(over);
    let moments = watching.join().expect("what was watched");
    assert_eq!(found.verdict, "sound", "{}", found.text);
    assert!(found.text.contains("100,000 claims checked"), "{}", found.text);
    // A busy machine is no fault of the page: what counts is its time on a core, from the look before to the look
    // after, and no more than what it did not wait for one.
    let tasks = browser.eval("tasks");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let busy = tasks.as_array().expect("a list").iter().map(|task| {
        let (start, lasted) = (number(&task[0]), number(&task[1]));
        let before = moments.iter().rfind(|(at, _)| *at <= start).unwrap_or(&moments[0]).1;
        let after = moments.iter().find(|(at, _)| *at >= start + lasted).or(moments.last()).expect("a look").1;
        let [ran, waited] = [0, 1].map(|at| after[at] - before[at]);
        ran.min(lasted - waited)
    });
    busy.fold(0.0, f64::max)
}

#[test]
fn a_point_is_restored_to_a_file_and_a_damaged_one_is_not() {
    let Sample { files, source, points } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    store(&files, &set);
    let served = web();
    let mut browser = Browser::start();
    open(&mut browser, &served.address);
    for streamed in [false, true] {
        for (point, length) in points.iter().rev().step_by(3) {
            shown(&mut browser, &[&set], "digest");
            let found = restore_to(&mut browser, point, streamed).expect("it is sound");
            expect_same_bytes(&found, &source[..*length], point);
        }
    }
    let newest = points.last().expect("a point");
    let full = files.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup");
    let mut damaged = files.clone();
    damaged.get_mut(full).expect("its bytes")[99] ^= 1;
    store(&damaged, &set);
    // It is not offered, and the page says why.
    assert_eq!(shown(&mut browser, &[&set], "digest").verdict, "damaged");
    choose_point(&mut browser, &newest.0);
    let told = browser.eval(
        "[document.querySelector('[data-testid=restore]').disabled, document.querySelector('[data-testid=reason]').textContent]",
    );
    assert_eq!(told[0], true, "a damaged point is offered");
    assert!(told[1].as_str().is_some_and(|why| why.starts_with("It cannot be restored: ")), "{told}");
    // Where nobody has looked at the bytes, it is offered, and the restore itself finds the damage.
    assert_eq!(shown(&mut browser, &[&set], "list").verdict, "sound");
    for streamed in [false, true] {
        let why = restore_to(&mut browser, &newest.0, streamed).expect_err("it is damaged");
        assert!(why.contains("nothing was kept") && why.contains(full.as_str()), "{why}");
    }
}

/// A disk that takes the first piece only when it is told to.
const SLOW: &str = "window.written = []; window.held = new Promise((give) => { window.release = give; });
    window.showSaveFilePicker = async () => ({ createWritable: async () => ({
        write: async (piece) => { await held; written.push(piece.slice()); },
        close: async () => { window.ended = 'closed'; },
        abort: async () => { window.ended = 'aborted'; },
    }) }); 1";

#[test]
fn a_check_beside_a_restore_takes_nothing_from_it() {
    let Sample { files, source, points } = sample();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    store(&files, &set);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    shown(&mut browser, &[&set], "digest");
    browser.eval(SLOW);
    browser.eval("document.querySelector('[data-testid=restore]').click()");
    browser
        .until("/of .* written|^restoring/.test(document.querySelector('[data-testid=restore-status]').textContent)");
    let (oldest, _) = &points[0];
    browser.eval(&format!("document.querySelector('[data-testid=point]').value = {oldest:?}"));
    browser.eval("document.querySelector('[data-testid=check-point]').click()");
    browser.until(&format!("document.getElementById('run-title').textContent.includes({oldest:?})"));
    assert_eq!(browser.until(support::VERDICT), "sound");
    let wanted = command(&[&folder.path().join(format!("set@{oldest}"))], "digest");
    expect_same_bytes(&report(&mut browser, "json"), &wanted.files["json"], "the check");
    browser.eval("release(); 1");
    assert_eq!(browser.until("window.ended"), "closed");
    let hex =
        browser.eval("written.flatMap((piece) => [...piece]).map((b) => b.toString(16).padStart(2, '0')).join('')");
    expect_same_bytes(&support::bytes_of(&hex), &source, "the restore");
}

#[test]
fn what_is_being_restored_ends_when_another_backup_is_taken() {
    let mut fixture = Fixture::new();
    // More than what is read ahead of a slow disk.
    fixture.data.grow_large(40);
    fixture.grow(1);
    fixture.backup(&[]);
    let folder = tempfile::tempdir().expect("a scratch folder");
    store(&sample().files, folder.path());
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    shown(&mut browser, &[&fixture.repo], "list");
    browser.eval(SLOW);
    browser.eval("document.querySelector('[data-testid=restore]').click()");
    browser
        .until("/of .* written|^restoring/.test(document.querySelector('[data-testid=restore-status]').textContent)");
    assert_eq!(shown(&mut browser, &[folder.path()], "digest").verdict, "sound");
    browser.eval("release(); 1");
    assert_eq!(browser.until("window.ended"), "aborted");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_folder_is_dropped_and_marks_are_used() {
    let mut fixture = Fixture::new();
    fixture.data.grow_large(40);
    fixture.grow(1);
    fixture.backup(&[]);
    let mut browser = Browser::start();
    open(&mut browser, &format!("file://{}#workers=1", page().display()));
    let wanted = command(&[&fixture.repo], "digest");
    assert!(String::from_utf8_lossy(&wanted.files["json"]).contains("\"marked\""), "the command uses them");
    support::drop_on(&mut browser, &fixture.repo);
    let verdict = browser.until(support::VERDICT);
    assert_eq!(verdict, "sound", "{}", browser.eval("document.body.innerText"));
    let json = report(&mut browser, "json");
    expect_same_bytes(&json, &wanted.files["json"], "what was dropped");
}

#[test]
fn an_old_browser_gets_a_clear_message() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    store(&sample().files, folder.path());
    let mut browser = Browser::start();
    let old = "WebAssembly.compile = () => Promise.reject(new WebAssembly.CompileError('no SIMD'));";
    browser.open(&format!("file://{}", page().display()), old);
    let found = shown(&mut browser, &[folder.path()], "digest");
    assert_eq!(found.verdict, "inconclusive");
    assert!(found.text.contains("This browser cannot run the check"), "{}", found.text);
}
