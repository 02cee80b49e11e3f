//! The real Python beside us: its interpreter, the drivers of `tests/python`, and the released repozo as a command.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::run::Run;

/// The interpreter that has ZODB; a panic with advice if there is none.
pub fn interpreter() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = std::env::var_os("HIGHWATER_TEST_PYTHON").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-venv/bin/python"),
            PathBuf::from,
        );
        assert!(
            path.is_file(),
            "there is no Python with ZODB at {}: run tests/run once, which puts it there, \
             or name another with HIGHWATER_TEST_PYTHON",
            path.display()
        );
        path
    })
}

/// A driver in `tests/python`.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

/// A command that runs a driver and leaves no compiled files in the source tree.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(interpreter());
    command.arg("-B").arg(script(name)).env("PYTHONUTF8", "1");
    command
}

/// Run the released repozo in a process of its own, with the clock at `stamp`.
#[track_caller]
pub fn original<S: AsRef<OsStr>>(stamp: &str, arguments: &[S]) -> Run {
    Run::of(command("original.py").args(arguments).env("HIGHWATER_NOW", stamp))
}
