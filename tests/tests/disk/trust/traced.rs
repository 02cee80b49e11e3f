//! Runs the binary with system calls that take long, so that others can act between two of them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use highwater_tests::inject::cannot_trace;

/// Calls that change owner, permissions or name.
pub(crate) const CHANGES: &str =
    "?chown,?lchown,fchown,fchownat,?chmod,fchmod,fchmodat,?rename,?renameat,renameat2,?mkdir,mkdirat";

/// Whether system calls can be slowed down here; says so when not.
#[expect(clippy::print_stdout, reason = "what is not run is told")]
pub(crate) fn can_trace(test: &str) -> bool {
    match cannot_trace() {
        Some(why) => {
            println!("not run: {test}: {why}");
            false
        }
        None => true,
    }
}

/// The same command, where each of these calls begins later by as many microseconds.
pub(crate) fn delayed(command: &Command, calls: &str, micros: u32) -> Command {
    traced(command, calls, &format!("delay_enter={micros}"), Path::new("/dev/null"))
}

/// The same command, which a signal ends when it makes the n-th of these calls.
pub(crate) fn killed(command: &Command, calls: &str, nth: u32) -> Command {
    traced(command, calls, &format!("signal=KILL:when={nth}"), Path::new("/dev/null"))
}

/// The same command, where something is done to each of these calls. A call is in the log from when it is made.
pub(crate) fn traced(command: &Command, calls: &str, what: &str, log: &Path) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o"]).arg(log).arg("-e").arg(format!("trace={calls}"));
    traced.arg("-e").arg(format!("inject={calls}:{what}"));
    traced.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        traced.env(name, value.unwrap_or(OsStr::new("")));
    }
    traced
}
