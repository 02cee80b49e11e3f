//! The engine gives the same reports, byte for byte, as wasm32 under node as it does natively.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highwater_core::report::Depth;
use highwater_tests::dice::Dice;
use highwater_tests::harm::harmed;
use highwater_tests::repo::{Image, sample};
use highwater_tests::run::Run;
use highwater_tests::score::{Score, full, size};
use highwater_tests_wasm::{ENDS, Job, MERGED, RENDERED, STRICT, run, title};

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
fn write_jobs(sets: &[Image], dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut jobs = Vec::new();
    let mut add = |job: Job<'_>| {
        let mut bytes = Vec::new();
        job.write(&mut bytes);
        jobs.push(bytes);
    };
    for (number, files) in sets.iter().enumerate() {
        for depth in DEPTHS {
            let step = if dice.chance(30) { u32::try_from(1 + dice.below(5000)).expect("a step") } else { 0 };
            let flags = RENDERED | if dice.chance(20) { STRICT } else { 0 };
            add(Job { depth, flags, step, part: (1, 1), files });
        }
        if number % 5 == 0 {
            let parts = *dice.pick(&[1, 2, 3, 7, 64]);
            let depth = *dice.pick(&DEPTHS);
            for part in 1..=parts {
                let flags = MERGED | if part == parts { ENDS } else { 0 };
                add(Job { depth, flags, step: 0, part: (part, parts), files });
            }
        }
    }
    jobs
}

#[test]
fn wasm32_and_native_write_the_same_reports() {
    let mut score = Score::new("native equals wasm32");
    let mut dice = Dice::new(31);
    let files = sample().files;
    let mut sets = vec![files.clone()];
    sets.extend(hostile(&files));
    sets.extend((0..size(300, 6_000)).map(|_| harmed(&files, &mut dice).1));
    let program = program();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (input, output) = (folder.path().join("jobs"), folder.path().join("reports"));
    let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("wasm/run.mjs");
    for batch in write_jobs(&sets, &mut dice).chunks(BATCH) {
        let jobs = batch.concat();
        fs::write(&input, &jobs).expect("the jobs are written");
        let mut native = Vec::new();
        run(&mut &jobs[..], &mut native).expect("the jobs are done natively");
        let mut node = Command::new("node");
        node.arg("--no-warnings").args([&runner, &program, &input, &output]);
        Run::within(Duration::from_secs(if full() { 600 } else { 120 }), &mut node).expect(0);
        let wasm = fs::read(&output).expect("the reports are read");
        score.ran(batch.len() as u64);
        if native != wasm {
            score.fail(difference(&native, &wasm));
        }
    }
    score.end();
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
