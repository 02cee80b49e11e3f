//! Runs the binary and measures what it took: peak memory and processor time, which a busy machine does not stretch.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::binary::highwater;
use crate::run::Run;

/// A run that takes longer than this, by the wall clock, hangs; nothing else is judged by that clock.
const PATIENCE: u64 = 100;

/// A run, and what it took.
#[derive(Debug)]
pub struct Measured {
    /// What it said.
    pub run: Run,
    /// The most memory that was resident at once, in KiB. The interpreter that starts it takes some ten MiB before it
    /// is replaced by the program, and the kernel counts them.
    pub peak_kib: u64,
    /// Seconds of processor time, user and system, on all cores together.
    pub cpu: f64,
}

/// Runs the binary with the clock at `stamp`. One that hangs is ended and gives the code 124.
#[track_caller]
pub fn measured<S: AsRef<OsStr>>(stamp: &str, arguments: &[S]) -> Measured {
    measured_within(stamp, arguments, None)
}

/// The same in `space_kib` KiB of address space, where that is limited; then with two threads at the most.
#[track_caller]
pub fn measured_within<S: AsRef<OsStr>>(stamp: &str, arguments: &[S], space_kib: Option<u64>) -> Measured {
    let script = "import os, resource, sys\n\
        space = int(sys.argv[1]) << 10\n\
        if space: resource.setrlimit(resource.RLIMIT_AS, (space, space))\n\
        _, status, took = os.wait4(os.posix_spawnp('timeout', ['timeout', *sys.argv[2:]], os.environ), 0)\n\
        code = os.waitstatus_to_exitcode(status)\n\
        print('\\nmeasured', took.ru_maxrss, took.ru_utime + took.ru_stime, code, file=sys.stderr)";
    let mut command = Command::new(python());
    let patience = PATIENCE.to_string();
    command
        .args(["-I", "-S", "-c", script, &space_kib.unwrap_or(0).to_string(), "-k", "1", &patience])
        .arg(highwater())
        .args(arguments)
        .stdin(Stdio::null());
    if space_kib.is_some() {
        // Each thread takes address space.
        command.env("RAYON_NUM_THREADS", "2");
    }
    let mut run = Run::within(Duration::from_secs(PATIENCE + 20), command.env("HIGHWATER_NOW", stamp));
    let words: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    run.line = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let Some((said, took)) = run.stderr.rsplit_once("\nmeasured ") else {
        panic!("no measure: is there a python3?\n{}", run.account());
    };
    let took: Vec<f64> = took.split_whitespace().map(|number| number.parse().expect("a number")).collect();
    let [peak, cpu, code] = took[..] else { panic!("no measure\n{}", run.account()) };
    run.stderr = said.to_owned();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were whole numbers")]
    let (peak_kib, code) = (peak as u64, code as i32);
    run.code = code;
    Measured { run, peak_kib, cpu }
}

/// The interpreter itself: what is called `python3` may be a script that looks for it, each time anew.
fn python() -> &'static str {
    static FOUND: OnceLock<String> = OnceLock::new();
    FOUND.get_or_init(|| {
        let run = Run::of(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]));
        run.expect(0).text().trim().to_owned()
    })
}
