//! Measures the page in Chromium beside pages that hash with hash-wasm; `tests/bench-page` runs it.
//!
//! Every figure is taken in the page by its own clock, all in one run of one browser, in turns; the table has medians.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::{Algorithm, Hasher};
use highwater_tests::browser::{Browser, page};
use highwater_tests::dice::Dice;

/// The chunks of the set that is hashed, each so many bytes.
const CHUNKS: u64 = 32;
const CHUNK: usize = 16 << 20;

/// The full backup that has marks, in bytes.
const LONG: usize = 1 << 30;

/// Files of the set of many small ones.
const MANY: u64 = 100_000;

/// Milliseconds from the choice of a folder to the verdict.
const BEGAN: &str = "document.addEventListener('change', () => { window.began = performance.now(); }, true); 1";
const TOOK: &str =
    "document.querySelector('[data-testid=verdict]').dataset.verdict === 'sound' && performance.now() - began";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = fs::canonicalize(arguments.next().ok_or("the folder to work in")?)?;
    let rounds: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let only = arguments.next().unwrap_or_default();
    let wanted = |name: &str| name.starts_with(&only);
    let sets = Sets::make(&folder)?;
    let library =
        |name: &str| fs::read_to_string(folder.join(format!("node_modules/hash-wasm/dist/{name}.umd.min.js")));
    let umd = [library("md5")?, library("sha256")?].join(";");
    let engine = utf16(&fs::read(page().with_file_name("engine.js"))?)?;
    let peer = folder.join("peer.html");
    fs::write(&peer, peer_page(&umd, &engine))?;
    let mut browser = Browser::start();
    let (mut table, mut busy) = (Table::default(), Table::default());
    for round in 0..rounds {
        browser.open(&format!("file://{}", peer.display()), "");
        for (name, who) in [("memory: hash-wasm", "peer"), ("memory: ours", "ours")] {
            if wanted(name) {
                table.add(name, number(browser.eval(&format!("inMemory('{who}')")))?);
            }
        }
        for (name, how) in [("file: slices, hash-wasm", "slices"), ("file: stream, hash-wasm", "stream")] {
            if !wanted(name) {
                continue;
            }
            let files: Vec<PathBuf> = sets.chunks();
            choose(&mut browser, &files);
            table.add(name, number(browser.eval(&format!("fromFiles('{how}')")))?);
        }
        for (name, how) in [("store: hash-wasm", "sha256"), ("store: WebCrypto", "webcrypto")] {
            if !wanted(name) {
                continue;
            }
            choose(&mut browser, &sets.objects()?);
            table.add(name, number(browser.eval(&format!("fromFiles('{how}')")))?);
        }
        if wanted("long: read only") {
            choose(&mut browser, &[sets.long_file()]);
            table.add("long: read only", number(browser.eval("fromFiles('read')"))?);
        }
        for (name, set, workers) in [
            ("file: ours", &sets.chunked, 1),
            ("file: ours, two workers", &sets.chunked, 2),
            ("store: ours", &sets.store, 1),
            ("long: ours, with marks", &sets.long, 1),
        ] {
            if !wanted(name) {
                continue;
            }
            let (seconds, cores) = ours(&mut browser, set, workers);
            table.add(name, seconds);
            busy.add(name, seconds * cores);
            if set == &sets.chunked {
                table.add(if workers == 1 { "cores of one worker" } else { "cores of two workers" }, cores);
            }
        }
        if round == 0 && wanted("many: ours, two workers") {
            let (seconds, cores) = ours(&mut browser, &sets.many, 2);
            table.add("many: ours, two workers", seconds);
            busy.add("many: ours, two workers", seconds * cores);
        }
    }
    let chunked = CHUNKS as f64 * CHUNK as f64;
    table.print(&[
        ("MD5 of 24 x 4 MiB in memory", 24.0 * 4.0 * 1_048_576.0, "memory: ours", "memory: hash-wasm"),
        ("32 files of 16 MiB, against slices of 4 MiB", chunked, "file: ours", "file: slices, hash-wasm"),
        ("the same, against a stream", chunked, "file: ours", "file: stream, hash-wasm"),
        ("128 SHA-256 chunks of a datastore, against hash-wasm", chunked, "store: ours", "store: hash-wasm"),
        ("the same, against WebCrypto", chunked, "store: ours", "store: WebCrypto"),
        ("two workers, against one", chunked, "file: ours, two workers", "file: ours"),
        ("1 GiB with marks, against reading it", LONG as f64, "long: ours, with marks", "long: read only"),
        ("100,000 files of 200 bytes", 2e7, "many: ours, two workers", ""),
    ])?;
    // On a busy machine, this tells more than the clock.
    for (name, _) in &busy.0 {
        if let Some(seconds) = busy.median(name) {
            writeln!(std::io::stdout(), "CPU time of the browser, {name}: {seconds:.2} s")?;
        }
    }
    // Two workers cannot do more than all cores do: the browser's own processes read for the first one already.
    let cores = |name| table.median(name);
    let (Some(one), Some(two)) = (cores("cores of one worker"), cores("cores of two workers")) else { return Ok(()) };
    let machine = std::thread::available_parallelism()?;
    let mut out = std::io::stdout().lock();
    Ok(writeln!(
        out,
        "\nCores that the browser keeps busy: {one:.2} with one worker, {two:.2} with two, of {machine}."
    )?)
}

fn number(value: serde_json::Value) -> Result<f64, Box<dyn Error>> {
    Ok(value.as_f64().ok_or("no number")?)
}

fn choose(browser: &mut Browser, files: &[PathBuf]) {
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    browser.eval("document.getElementById('files').value = ''");
    browser.choose("#files", &paths);
    browser.until(&format!("document.getElementById('files').files.length === {}", paths.len()));
}

/// Seconds that a check of `set` takes, from its choice to the verdict, and how many cores the browser keeps busy
/// meanwhile.
fn ours(browser: &mut Browser, set: &Path, workers: usize) -> (f64, f64) {
    browser.open(&format!("file://{}#workers={workers}", page().display()), "");
    browser.eval(BEGAN);
    let before = browser.cpu();
    browser.choose("[data-testid=folder]", &[set]);
    let seconds = browser.until(TOOK).as_f64().unwrap_or(f64::NAN) / 1000.0;
    (seconds, (browser.cpu() - before) / seconds)
}

/// The repositories to check.
struct Sets {
    chunked: PathBuf,
    /// A datastore of as many bytes, in chunks that are stored as they are.
    store: PathBuf,
    long: PathBuf,
    many: PathBuf,
}

impl Sets {
    fn make(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let [chunked, store, long, many] = ["chunked", "store", "long", "many"].map(|name| folder.join(name));
        let sets = Self { chunked, store, long, many };
        let program = std::env::current_exe()?.ancestors().nth(2).ok_or("a folder")?.join("highwater");
        if !sets.many.join("made").exists() {
            let block: Vec<u8> = {
                let mut dice = Dice::new(3);
                (0..CHUNK / 8).flat_map(|_| dice.bits().to_le_bytes()).collect()
            };
            set(&sets.chunked, CHUNKS, |number| [&number.to_le_bytes()[..], &block[8..]].concat())?;
            set(&sets.long, 1, |_| block.repeat(LONG / CHUNK))?;
            Command::new(&program).arg("mark").arg(&sets.long).status()?;
            set(&sets.many, MANY, |number| format!("{number:>0200}").into_bytes())?;
            File::create(sets.many.join("made"))?;
        }
        if !sets.store.join("host/bench").exists() {
            // Whose folders are made as they are needed: a new store's own would all be listed.
            fs::create_dir_all(sets.store.join(".chunks"))?;
            File::create(sets.store.join(".lock"))?;
            let source = folder.join("noise");
            let mut file = BufWriter::new(File::create(&source)?);
            let mut dice = Dice::new(4);
            for _ in 0..CHUNKS as usize * CHUNK / 8 {
                file.write_all(&dice.bits().to_le_bytes())?;
            }
            file.flush()?;
            let to = format!("{}@host/bench/noise.img", sets.store.display());
            Command::new(&program).arg("backup").arg(&source).arg(to).status()?;
            fs::remove_file(source)?;
        }
        Ok(sets)
    }

    fn chunks(&self) -> Vec<PathBuf> {
        (0..CHUNKS).map(|number| self.chunked.join(name(number))).collect()
    }

    /// The files of the store's chunks.
    fn objects(&self) -> Result<Vec<PathBuf>, Box<dyn Error>> {
        let mut objects = Vec::new();
        for folder in fs::read_dir(self.store.join(".chunks"))? {
            for object in fs::read_dir(folder?.path())? {
                objects.push(object?.path());
            }
        }
        Ok(objects)
    }

    fn long_file(&self) -> PathBuf {
        self.long.join(name(0))
    }
}

fn name(number: u64) -> String {
    format!("{}.{}", stem(number), if number == 0 { "fs" } else { "deltafs" })
}

fn stem(number: u64) -> String {
    let (hours, minutes, seconds) = (number / 3600, number / 60 % 60, number % 60);
    format!("2026-03-{:02}-{:02}-{minutes:02}-{seconds:02}", 1 + hours / 24, hours % 24)
}

/// A repository whose backups hold what `data` gives for each.
fn set(folder: &Path, count: u64, data: impl Fn(u64) -> Vec<u8>) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut dat = BufWriter::new(File::create(folder.join(format!("{}.dat", stem(0))))?);
    let mut start = 0;
    for number in 0..count {
        let data = data(number);
        let mut hasher = Hasher::new(Algorithm::Md5);
        hasher.update(&data);
        let end = start + data.len() as u64;
        writeln!(dat, "r/{} {start} {end} {}", name(number), hasher.finish())?;
        fs::write(folder.join(name(number)), data)?;
        start = end;
    }
    Ok(dat.flush()?)
}

/// A script as the builder packs it.
fn utf16(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Ok(String::from_utf16(&units)?.trim_start_matches('\u{feff}').to_owned())
}

/// The peer's page: a worker that hashes with hash-wasm, file after file, as pages do; and ours without files.
fn peer_page(umd: &str, engine: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string().replace("</", "<\\/");
    let (umd, script) = (quoted(umd), quoted(PEER));
    // As one script: what each imports is here, or needed by nothing that runs here.
    let plain = |module: &str| -> String {
        let lines = module.lines().filter(|line| !line.starts_with("import "));
        lines.map(|line| format!("{}\n", line.trim_start_matches("export "))).collect()
    };
    let modules = [include_str!("../../web/api/once.js"), include_str!("../../web/page/engine.js")];
    let unpack: String = modules.into_iter().map(plain).collect();
    format!(
        "<!doctype html><meta charset=utf-8><input type=file multiple id=files><script>{engine}</script><script>
        const peer = new Worker(URL.createObjectURL(new Blob([{umd}, ';', {script}])));
        {unpack}
        const ready = unpack();
        const ask = (worker, message) => new Promise((give, fail) => {{
            worker.onmessage = ({{ data }}) => give(data);
            worker.onerror = (event) => fail(new Error(event.message));
            worker.postMessage(message);
        }});
        const fromFiles = (how) => ask(peer, {{ how, files: [...document.getElementById('files').files] }});
        async function inMemory(who) {{
            if (who === 'peer') return ask(peer, {{ how: 'memory' }});
            const {{ script, module }} = await ready;
            const own = new Worker(URL.createObjectURL(new Blob([script, ';', {script}])));
            return ask(own, {{ how: 'ours', module }});
        }}
        </script>"
    )
}

/// What the workers of the peer's page run; each answers with seconds.
const PEER: &str = r#"
const PIECE = 4 << 20;
const data = new Uint8Array(24 * PIECE);
for (let i = 0; i < data.length; i += 1) data[i] = (i * 2654435761) >>> 13;
const HOW = {
    async slices(files) {
        const md5 = await hashwasm.createMD5();
        for (const file of files) {
            md5.init();
            for (let at = 0; at < file.size; at += PIECE) {
                md5.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
            }
            md5.digest();
        }
    },
    async sha256(files) {
        const sha256 = await hashwasm.createSHA256();
        for (const file of files) {
            sha256.init();
            sha256.update(new Uint8Array(await file.arrayBuffer()));
            sha256.digest();
        }
    },
    async webcrypto(files) {
        for (const file of files) await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    },
    async stream(files) {
        const md5 = await hashwasm.createMD5();
        for (const file of files) {
            md5.init();
            const reader = file.stream().getReader();
            for (;;) {
                const { done, value } = await reader.read();
                if (done) break;
                md5.update(value);
            }
            md5.digest();
        }
    },
    // As our worker reads: several streams under way.
    async read(files) {
        for (const file of files) {
            const part = Math.ceil(file.size / 16);
            await Promise.all(Array.from({ length: 16 }, async (_, number) => {
                const reader = file.slice(number * part, (number + 1) * part).stream().getReader();
                while (!(await reader.read()).done);
            }));
        }
    },
    // The second pass is timed: the first one is compiled on the way.
    async memory() {
        const md5 = await hashwasm.createMD5();
        const pass = () => {
            const began = performance.now();
            for (let at = 0; at < data.length; at += PIECE) {
                md5.init();
                md5.update(data.subarray(at, at + PIECE));
                md5.digest();
            }
            return performance.now() - began;
        };
        pass();
        return pass();
    },
    async ours(files, module) {
        wasm_bindgen.initSync({ module });
        await ours();
        return ours();
    },
};
function ours() {
    const [dat, names] = [[], []];
    const stem = (i) => `2026-03-01-00-00-${String(i).padStart(2, "0")}`;
    for (let i = 0; i < 24; i += 1) {
        names.push(`${stem(i)}.${i === 0 ? "fs" : "deltafs"}`);
        dat.push(`r/${names[i]} ${i * PIECE} ${(i + 1) * PIECE} ${"0".repeat(32)}\n`);
    }
    names.push(`${stem(0)}.dat`);
    const chunks = Array.from({ length: 24 }, (_, i) => data.subarray(i * PIECE, (i + 1) * PIECE));
    const files = [...chunks, new TextEncoder().encode(dat.join(""))].map((bytes) => ({
        size: bytes.length,
        read: async (at, length) => bytes.subarray(at, at + Math.min(length, 1 << 20)),
        confirm: async () => {},
        close() {},
    }));
    const listing = new wasm_bindgen.Listing();
    listing.add(names, new Uint8Array(names.length), 0);
    const began = performance.now();
    return new Promise((give, broke) => {
        const done = ({ report }) => {
            const took = performance.now() - began;
            const { tallies } = JSON.parse(new TextDecoder().decode(report));
            if (tallies.digest === 24) give(took);
            else broke(new Error(`not all of it was hashed: ${JSON.stringify(tallies)}`));
        };
        const need = (numbers) => job.files(numbers, Array.from(numbers, (number) => files[number]));
        const options = { verb: "verify", format: "repozo", label: "r", depth: "digest" };
        const job = new wasm_bindgen.Job(options, listing, { need, told() {}, done, broke });
        job.resume();
    });
}
onmessage = async (event) => {
    const { how, files, module } = event.data;
    const began = performance.now();
    const took = await HOW[how](files, module);
    postMessage((took ?? performance.now() - began) / 1000);
};
"#;

/// Seconds by name, in the order in which they came.
#[derive(Default)]
struct Table(Vec<(&'static str, Vec<f64>)>);

impl Table {
    fn add(&mut self, name: &'static str, seconds: f64) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.push(seconds),
            None => self.0.push((name, vec![seconds])),
        }
    }

    fn median(&self, name: &str) -> Option<f64> {
        let mut all = self.0.iter().find(|(other, _)| *other == name)?.1.clone();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    }

    fn print(&self, lines: &[(&str, f64, &str, &str)]) -> Result<(), Box<dyn Error>> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "| case | ours, s | GB/s | peer, s | ratio |\n|---|--:|--:|--:|--:|")?;
        for (case, bytes, ours, peer) in lines {
            let Some(ours) = self.median(ours) else { continue };
            let rate = bytes / ours / 1e9;
            match self.median(peer) {
                Some(peer) => writeln!(out, "| {case} | {ours:.3} | {rate:.2} | {peer:.3} | {:.2} |", peer / ours)?,
                None => writeln!(out, "| {case} | {ours:.1} | | | |")?,
            }
        }
        Ok(())
    }
}
