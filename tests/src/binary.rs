//! Finds the binary under test and refuses one that is older than its sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The `highwater` that was built beside the running test.
///
/// `HIGHWATER_TEST_BINARY` names another one. A missing or stale binary is a panic that says what to run:
/// a test of yesterday's program proves nothing.
pub fn highwater() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        if let Some(named) = std::env::var_os("HIGHWATER_TEST_BINARY") {
            let named = PathBuf::from(named);
            assert!(named.is_file(), "HIGHWATER_TEST_BINARY names {}, which is no file", named.display());
            return named;
        }
        let beside = beside_the_test();
        must_be_fresh(&beside, "run tests/run, or `cargo build -p highwater` with the profile of this test");
        beside
    })
}

/// Panic with advice unless the program is there and no older than its sources.
#[track_caller]
pub(crate) fn must_be_fresh(program: &Path, advice: &str) {
    assert!(program.is_file(), "there is no {}: {advice}", program.display());
    if let Some(source) = newer_source(program) {
        panic!("{} is older than {source}: {advice}, and test again", program.display());
    }
}

/// A test runs as `target/PROFILE/deps/NAME-HASH`; the binary lies one folder up.
fn beside_the_test() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.parent().and_then(Path::parent).expect("a test lies two folders deep in target");
    folder.join(format!("highwater{}", std::env::consts::EXE_SUFFIX))
}

/// The first source that cargo's dependency file names and that changed after the binary was linked.
fn newer_source(binary: &Path) -> Option<String> {
    let built = modified(binary)?;
    let listed = fs::read_to_string(binary.with_extension("d")).ok()?;
    let (_, sources) = listed.split_once(": ")?;
    let spaced = sources.trim().replace("\\ ", "\0");
    spaced
        .split(' ')
        .map(|source| source.replace('\0', " "))
        .find(|source| modified(Path::new(source)).is_some_and(|changed| changed > built))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
