//! Files that come and go between two looks at the heads: they were pinned as they came.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use highwater::error::Error;
use highwater::live::{self, CheckpointSummary, LiveOptions, Step};
use highwater::watch::Watch;
use highwater_tests::run::Run;

/// A store of each kind whose heads name files, and such a file.
const STORES: [(&str, &str); 3] = [("fjall", "keyspaces/1/tables/0"), ("rocksdb", ".sst"), ("leveldb", ".ldb")];

/// Far longer than the system takes to tell of a name.
const LONG: Duration = Duration::from_secs(30);

fn store(kind: &str, ending: &str, at: &Path) -> PathBuf {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(kind);
    Run::of(Command::new("cp").arg("-r").arg(fixture).arg(at)).expect(0);
    let mut files: Vec<PathBuf> =
        fs::read_dir(at).expect("the store").map(|entry| entry.expect("an entry").path()).collect();
    files.push(at.join(ending));
    let found = files.into_iter().find(|path| path.is_file() && path.to_string_lossy().ends_with(ending));
    found.expect("a file that the heads name")
}

fn is_pinned(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.nlink() > 1)
}

/// Puts a file there, has it pinned, and removes it.
fn comes_and_goes(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).expect("a new file");
    let since = Instant::now();
    while !is_pinned(file) {
        assert!(since.elapsed() < LONG, "{} was not pinned", file.display());
        thread::yield_now();
    }
    fs::remove_file(file).expect("it is there");
}

/// Makes a checkpoint of a store that lacks the file, and does this once the heads are read.
fn with(copy: bool, kind: &str, ending: &str, meanwhile: &(dyn Fn(&Path, &[u8]) + Sync)) -> Made {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (at, dest) = (scratch.path().join("store"), scratch.path().join("snap"));
    let file = store(kind, ending, &at);
    let bytes = fs::read(&file).expect("the file");
    fs::remove_file(&file).expect("the file");
    let is_first = AtomicBool::new(true);
    let step = |step| {
        if step == Step::Read && is_first.swap(false, Ordering::Relaxed) {
            meanwhile(&file, &bytes);
        }
    };
    let options = LiveOptions { copy, step: Some(&step), ..LiveOptions::default() };
    let summary = live::checkpoint(&at, &dest, &options, &Watch::silent());
    let name = file.strip_prefix(&at).expect("below").to_path_buf();
    let left: Vec<PathBuf> = fs::read_dir(scratch.path())
        .expect("the scratch folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| *path != at && !path.starts_with(&dest) && *path != dest.with_extension("mtree"))
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "{kind}: nothing else is left");
    Made { summary, found: fs::read(dest.join(&name)).ok(), bytes, is_clean: !dest.join(".highwater-fresh").exists() }
}

struct Made {
    summary: Result<CheckpointSummary, Error>,
    found: Option<Vec<u8>>,
    bytes: Vec<u8>,
    is_clean: bool,
}

#[test]
fn a_file_that_was_there_between_two_looks_is_in_the_checkpoint() {
    for (kind, ending) in STORES {
        for copy in [false, true] {
            let made = with(copy, kind, ending, &|file, bytes| comes_and_goes(file, bytes));
            let summary = made.summary.unwrap_or_else(|error| panic!("{kind}, copied: {copy}: {error}"));
            assert_eq!(summary.tries, 1, "{kind}: {summary:?}");
            assert!(made.found == Some(made.bytes) && made.is_clean, "{kind}, copied: {copy}");
        }
    }
}

#[test]
fn of_one_name_the_file_that_came_last_counts() {
    for (kind, ending) in STORES {
        for copy in [false, true] {
            let made = with(copy, kind, ending, &|file, bytes| {
                // A program was killed while it wrote this, and wrote it anew when it came back.
                comes_and_goes(file, &vec![7; bytes.len()]);
                comes_and_goes(file, bytes);
            });
            assert!(made.summary.is_ok(), "{kind}: {:?}", made.summary);
            assert!(made.found == Some(made.bytes), "{kind}, copied: {copy}");
        }
    }
}

#[test]
fn a_file_that_went_before_it_was_pinned_is_not_taken_for_an_older_one() {
    for (kind, ending) in STORES {
        let made = with(false, kind, ending, &|file, bytes| {
            comes_and_goes(file, &vec![7; bytes.len()]);
            // So short is this one there that hardly anybody can pin it.
            fs::write(file, bytes).expect("a new file");
            fs::remove_file(file).expect("it is there");
        });
        match made.summary {
            Ok(_) => assert!(made.found == Some(made.bytes), "{kind}: it is the older file"),
            Err(error) => assert!(error.to_string().contains("is not there"), "{kind}: {error}"),
        }
    }
}
