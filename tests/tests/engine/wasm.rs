//! The engine gives the same reports, byte for byte, as wasm32 under node as it does natively.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use flate2::Crc;
use highwater_core::key::Key;
use highwater_core::report::Depth;
use highwater_tests::dice::Dice;
use highwater_tests::repo::Image;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, full, size};
use highwater_tests::specimens::datastore::Datastore;
use highwater_tests::specimens::repozo::Repozo;
use highwater_tests::specimens::{self, Specimen};
use highwater_tests_wasm::{ENDS, Job, KEYED, MERGED, RENDERED, STRICT, run, title};

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

/// Verifications in one process.
const BATCH: usize = 1000;

/// The program for wasm32, up to date: cargo knows best whether it is.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.parent().and_then(Path::parent).expect("a test lies two folders deep in a profile's");
    let (name, target) = (profile.file_name().expect("a profile"), profile.parent().expect("a target folder"));
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "-p", "highwater-tests-wasm", "--target", "wasm32-wasip1", "--target-dir"])
        .arg(target);
    // The folder of the dev profile has another name than the profile.
    let profile = if name == "debug" { "dev".as_ref() } else { name };
    build.arg("--profile").arg(profile).current_dir(env!("CARGO_MANIFEST_DIR"));
    let built = Run::within(Duration::from_secs(600), &mut build);
    assert!(built.code == 0, "`rustup target add wasm32-wasip1` may be missing:\n{}", built.account());
    target.join("wasm32-wasip1").join(name).join("highwater-tests-wasm.wasm")
}

/// A repository in which almost everything is wrong that can be, with names and numbers meant to do harm.
fn hostile(files: &Image) -> Vec<Image> {
    let dat = files.keys().find(|name| name.ends_with(".dat")).expect("an index").clone();
    let sum = "d41d8cd98f00b204e9800998ecf8427e";
    let index = |text: String| {
        let mut image = files.clone();
        image.insert(dat.clone(), text.into_bytes());
        image
    };
    let stem = dat.trim_end_matches(".dat");
    let many = |count: u64, length: u64| -> String {
        let line = |at: u64| {
            let kind = if at == 0 { "fsz" } else { "deltafs" };
            let name = if at == 0 { stem.to_owned() } else { format!("2026-03-01-00-01-{:02}", at % 60) };
            format!("r/{name}.{kind} {} {} {sum}\n", at * length, (at + 1) * length)
        };
        (0..count).map(line).collect()
    };
    let mut all = vec![
        Image::new(),
        index(many(40, 1 << 32)),
        index(many(40, (1 << 32) + 1)),
        index(many(3, u64::MAX / 3)),
        index(many(2000, 5)),
        index(format!("../../etc/passwd 0 4294967296 {sum}\n")),
        index("\0".repeat(100_000)),
        index(format!("{}{sum}\n", "0 ".repeat(40_000))),
    ];
    let mut odd = files.clone();
    for number in 0..150 {
        odd.insert(format!("{number}\u{202e}\n\u{1b}]0;x\u{7}<&\"'%0A::error::|"), Vec::new());
    }
    all.push(odd);
    all
}

/// The verifications: every set at every depth, now and then in pieces, in parts or strictly.
fn write_jobs(format: &'static str, key: Option<Key>, sets: &[Image], dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut jobs = Vec::new();
    let mut add = |job: Job<'_>| jobs.push(written(&job));
    let keyed = if key.is_some() { KEYED } else { 0 };
    let key = key.map_or([0; 32], |key| *key.secret());
    for (number, files) in sets.iter().enumerate() {
        for depth in DEPTHS {
            let step = if dice.chance(30) { u32::try_from(1 + dice.below(5000)).expect("a step") } else { 0 };
            let flags = RENDERED | keyed | if dice.chance(20) { STRICT } else { 0 };
            add(Job { depth, flags, step, part: (1, 1), key, format, files });
        }
        if number % 5 == 0 {
            let parts = *dice.pick(&[1, 2, 3, 7, 64]);
            let depth = *dice.pick(&DEPTHS);
            for part in 1..=parts {
                let flags = MERGED | keyed | if part == parts { ENDS } else { 0 };
                add(Job { depth, flags, step: 0, part: (part, parts), key, format, files });
            }
        }
    }
    jobs
}

fn written(job: &Job<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    job.write(&mut bytes);
    bytes
}

/// Every damage to every sample, with the key and without, in pieces or not.
fn damage_jobs(specimen: &dyn Specimen, dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut jobs = Vec::new();
    for sample in specimen.samples() {
        let secret = sample.key().map_or([0; 32], |key| *key.secret());
        for case in specimen.damages(&sample) {
            for key in sample.keys() {
                let step = u32::try_from(dice.below(2) * (1 + dice.below(5000))).expect("a step");
                let flags = RENDERED | if key.is_some() { KEYED } else { 0 };
                let (depth, files) = (Depth::Digest, &case.files);
                let format = specimen.name();
                jobs.push(written(&Job { depth, flags, step, part: (1, 1), key: secret, format, files }));
            }
        }
    }
    jobs
}

/// Flips in the chunks of stores, and flips whose checksum was made right again. Two libraries decompress the chunks,
/// and what is wrong with a frame they see in different ways.
fn chunk_jobs(dice: &mut Dice) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut jobs, mut forged) = (Vec::new(), Vec::new());
    for sample in Datastore.samples().into_iter().filter(|sample| !sample.is_small()) {
        let chunks: Vec<&String> = sample.files.keys().filter(|name| name.starts_with(".chunks/")).collect();
        for _ in 0..size(30, 1_000) {
            for (mended, jobs) in [(false, &mut jobs), (true, &mut forged)] {
                let mut files = sample.files.clone();
                for _ in 0..8 {
                    flip(files.get_mut(*dice.pick(&chunks)).expect("its bytes"), dice, mended);
                }
                let (key, format, files) = ([0; 32], Datastore.name(), &files);
                jobs.push(written(&Job {
                    depth: Depth::Digest,
                    flags: RENDERED,
                    step: 0,
                    part: (1, 1),
                    key,
                    format,
                    files,
                }));
            }
        }
    }
    (jobs, forged)
}

fn flip(chunk: &mut [u8], dice: &mut Dice, mended: bool) {
    if let Some(at) = usize::try_from(dice.below(chunk.len().max(1) as u64)).ok().filter(|at| *at < chunk.len()) {
        chunk[at] ^= 1 << dice.below(8);
        if mended {
            mend(chunk);
        }
    }
}

/// Makes the checksum of a chunk right again, so that what it holds is looked at.
fn mend(chunk: &mut [u8]) {
    if let Some((head, body)) = chunk.split_at_mut_checked(12) {
        let mut crc = Crc::new();
        crc.update(body);
        head[8..].copy_from_slice(&crc.sum().to_le_bytes());
    }
}

#[test]
fn wasm32_and_native_write_the_same_reports() {
    let mut score = Score::new("native equals wasm32");
    let mut dice = Dice::new(31);
    let both = Both::new();
    let (mut jobs, forged) = chunk_jobs(&mut dice);
    jobs.extend(write_jobs(Repozo.name(), None, &hostile(&Repozo.small().files), &mut dice));
    for specimen in specimens::all() {
        let small = specimen.small();
        let mut sets = vec![small.files.clone()];
        sets.extend((0..size(300, 6_000)).map(|_| specimen.harmed(&small.files, &mut dice).1));
        jobs.extend(write_jobs(specimen.name(), small.key(), &sets, &mut dice));
        jobs.extend(damage_jobs(specimen, &mut dice));
    }
    for batch in jobs.chunks(BATCH) {
        let (native, wasm) = both.run(batch);
        score.ran(batch.len() as u64);
        if native != wasm {
            score.fail(difference(&native, &wasm));
        }
    }
    for batch in forged.chunks(BATCH) {
        let (native, wasm) = both.run(batch);
        let (native, wasm) = (damaged(&native), damaged(&wasm));
        assert_eq!(native.len(), batch.len());
        score.ran(batch.len() as u64);
        for (native, wasm) in native.iter().zip(&wasm) {
            // The digest has the last word; but one library may refuse a frame out of which the other still gets the
            // right bytes.
            let missed = native.iter().filter(|(object, code)| *code != "encoding" && !wasm.contains_key(*object));
            let invented = wasm.keys().filter(|object| !native.contains_key(*object));
            let told: Vec<&String> = missed.map(|(object, _)| object).chain(invented).collect();
            if !told.is_empty() {
                score.fail(format!("{told:?} natively {native:?}, as wasm32 {wasm:?}"));
            }
        }
        // Most flips give no other frame of as many bytes: both were asked.
        assert!(native.iter().any(|objects| objects.len() > 3), "nothing was damaged");
    }
    score.end();
}

/// The program as it is built for both.
struct Both {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Both {
    fn new() -> Self {
        Self { program: program(), folder: tempfile::tempdir().expect("a scratch folder") }
    }

    /// What comes of some jobs natively, and as wasm32.
    fn run(&self, jobs: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
        let (input, output) = (self.folder.path().join("jobs"), self.folder.path().join("reports"));
        let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("wasm/run.mjs");
        let jobs = jobs.concat();
        fs::write(&input, &jobs).expect("the jobs are written");
        let mut native = Vec::new();
        run(&mut &jobs[..], &mut native).expect("the jobs are done natively");
        let mut node = Command::new("node");
        node.arg("--no-warnings").args([&runner, &self.program, &input, &output]);
        Run::within(Duration::from_secs(if full() { 600 } else { 120 }), &mut node).expect(0);
        (native, fs::read(&output).expect("the reports are read"))
    }
}

/// The damaged objects of each report, with the name of what is wrong.
fn damaged(reports: &[u8]) -> Vec<BTreeMap<String, String>> {
    let text = String::from_utf8_lossy(reports);
    let reports = text.split("=== job ").skip(1).map(|job| {
        let (_, job) = job.split_once('\n').expect("a title");
        let mut documents = serde_json::Deserializer::from_str(job).into_iter::<serde_json::Value>();
        let report = documents.next().expect("a report").expect("JSON");
        let text = |found: &serde_json::Value, key: &str| found[key].as_str().expect("text").to_owned();
        let findings = report["findings"].as_array().expect("a list").iter();
        let damage = findings.filter(|found| found["severity"] == "damage");
        damage.map(|found| (text(found, "object"), text(found, "name"))).collect()
    });
    reports.collect()
}

/// Which job comes out differently, and how.
fn difference(native: &[u8], wasm: &[u8]) -> String {
    let at = native.iter().zip(wasm).position(|(ours, theirs)| ours != theirs).unwrap_or(native.len().min(wasm.len()));
    let before = String::from_utf8_lossy(&native[..at]).into_owned();
    let job = (0..).take_while(|number| before.contains(&title(*number))).last();
    let excerpt = |bytes: &[u8]| {
        let end = bytes.len().min(at + 200);
        String::from_utf8_lossy(&bytes[at.saturating_sub(200).min(end)..end]).into_owned()
    };
    format!("job {job:?} of a batch, natively:\n{}\nas wasm32:\n{}", excerpt(native), excerpt(wasm))
}
