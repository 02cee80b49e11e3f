//! `Hook`: two commands of the operator's: one makes a folder hold still, the other lets go of it.
//!
//! Each is run by `sh -c`, with nothing on its standard input; what it prints goes to standard error. An exit code
//! other than 0 of the first says that nothing holds still. The second is run once after each first one that came to
//! its end well, whatever came of the rest; an interrupt from the terminal does not reach it.
//!
//! | variable | value |
//! |---|---|
//! | `SNAPSHOT_VERSION` | `2`, as DirectoryStorage's `snapshot.py` sets it (1.1.21) |
//! | `SNAPSHOT_DIRECTORY` | the folder, as an absolute path |
//! | `SNAPSHOT_TIMESTAMP` | shortly before the first command: seconds since 1970 |
//! | `HIGHWATER_SINCE` | what the list of the newest point of the set was called by its own command; not set if there is none |

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use highwater_core::name::printable;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::error::Error;
use crate::watch::Watch;

/// How often a command that runs is looked at, and whether the user wants to stop.
const OFTEN: Duration = Duration::from_millis(20);

/// How long whoever listens to a command waits before he looks whether the user wants to stop.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The commands.
pub struct Hook {
    freeze: OsString,
    thaw: OsString,
    folder: PathBuf,
    /// When the first command was run, in seconds.
    stamp: u64,
    since: Option<String>,
    is_frozen: bool,
}

impl Hook {
    /// Commands that make this folder hold still, and let go of it.
    #[must_use]
    pub fn new(freeze: OsString, thaw: OsString, folder: PathBuf) -> Self {
        Self { freeze, thaw, folder, stamp: 0, since: None, is_frozen: false }
    }

    /// Makes the folder hold still.
    ///
    /// # Errors
    /// The command failed, so nothing holds still; or the user wants to stop.
    pub(super) fn freeze(&mut self, since: Option<&str>, watch: &Watch<'_>) -> Result<(), Error> {
        watch.go_on()?;
        self.since = since.map(ToOwned::to_owned);
        self.stamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut command = self.command(&self.freeze);
        let mut child = command.stdout(to_stderr()?).spawn().map_err(|error| self.failed(&self.freeze, &error))?;
        let status = wait(&mut child, watch).map_err(|error| self.failed(&self.freeze, &error))?;
        if status.success() {
            self.is_frozen = true;
            return watch.go_on();
        }
        watch.go_on()?;
        Err(Error::failed(format!(
            "the command of --freeze, '{}', failed ({}), so nothing holds still; no point was made",
            printable(self.freeze.as_encoded_bytes()),
            told(status)
        )))
    }

    /// Lets go of the folder, if it holds still.
    ///
    /// # Errors
    /// The command failed.
    pub(super) fn thaw(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_frozen) {
            return Ok(());
        }
        // What is ignored here is ignored by whatever the command starts.
        let mut command = OsString::from("trap '' INT HUP\n");
        command.push(&self.thaw);
        let ended = to_stderr().and_then(|out| {
            let status = self.command(&command).stdout(out).status();
            status.map_err(|error| self.failed(&self.thaw, &error))
        });
        let thaw = printable(self.thaw.as_encoded_bytes());
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::failed(format!(
                "the command of --thaw, '{thaw}', failed ({}): look whether the folder still holds still, and run it by \
                 hand",
                told(status)
            ))),
            Err(error) => Err(Error::failed(format!("{error}: the folder still holds still; run it by hand"))),
        }
    }

    /// Runs a command to its end, and hands on what it prints, piece by piece, until that is refused.
    ///
    /// # Errors
    /// The command failed, what it printed was refused, or the user wants to stop.
    pub(super) fn listen(
        &self,
        what: &OsStr,
        watch: &Watch<'_>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let failed = |error: &io::Error| self.failed(what, error);
        let mut child = self.command(what).stdout(Stdio::piped()).spawn().map_err(|error| failed(&error))?;
        let taken = match child.stdout.take() {
            Some(out) => hear(out, watch, each),
            None => Ok(()),
        };
        if taken.is_err() {
            // It may go on for long, and nobody hears it.
            _ = child.kill();
        }
        let status = wait(&mut child, watch).map_err(|error| failed(&error))?;
        taken?;
        watch.go_on()?;
        if status.success() {
            return Ok(());
        }
        let what = printable(what.as_encoded_bytes());
        Err(Error::failed(format!("the command of --list, '{what}', failed ({}); no point was made", told(status))))
    }

    fn command(&self, what: &OsStr) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(what).stdin(Stdio::null());
        command.env("SNAPSHOT_VERSION", "2").env("SNAPSHOT_DIRECTORY", &self.folder);
        command.env("SNAPSHOT_TIMESTAMP", self.stamp.to_string());
        match &self.since {
            Some(since) => command.env("HIGHWATER_SINCE", since),
            None => command.env_remove("HIGHWATER_SINCE"),
        };
        command
    }

    fn failed(&self, what: &OsStr, error: &io::Error) -> Error {
        Error::failed(format!("cannot run '{}': {error}", printable(what.as_encoded_bytes())))
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // Nobody is left to be told.
        _ = self.thaw();
    }
}

fn hear(
    mut out: ChildStdout,
    watch: &Watch<'_>,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut buffer = vec![0; 64 << 10];
    let failed = |error: io::Error| Error::failed(format!("cannot read what the command of --list prints: {error}"));
    loop {
        watch.go_on()?;
        match poll(&mut [PollFd::new(&out, PollFlags::IN)], Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => continue,
            ready => _ = ready.map_err(|errno| failed(errno.into()))?,
        }
        match out.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => each(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// What a command prints is for people.
fn to_stderr() -> Result<Stdio, Error> {
    let out = io::stderr().as_fd().try_clone_to_owned();
    Ok(out.map_err(|error| Error::failed(format!("standard error cannot be handed on: {error}")))?.into())
}

/// Waits for a command; when the user wants to stop, it is asked to end.
fn wait(child: &mut Child, watch: &Watch<'_>) -> io::Result<ExitStatus> {
    let mut is_asked = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if watch.stopping() && !std::mem::replace(&mut is_asked, true) {
            // It may have ended just now.
            _ = kill_process(Pid::from_child(child), Signal::TERM);
        }
        thread::sleep(OFTEN);
    }
}

fn told(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn hook(folder: &std::path::Path, freeze: &str, thaw: &str) -> Hook {
        Hook::new(freeze.into(), thaw.into(), folder.to_owned())
    }

    fn text(folder: &std::path::Path) -> String {
        fs::read_to_string(folder.join("said")).unwrap_or_default()
    }

    #[test]
    fn the_second_command_is_run_once_after_a_first_one_that_ended_well_and_knows_what_that_knew() {
        let folder = tempfile::tempdir().unwrap();
        let say = |what: &str| {
            format!(
                "echo {what} $SNAPSHOT_VERSION $SNAPSHOT_DIRECTORY ${{HIGHWATER_SINCE-none}} >> '{}'/said",
                folder.path().display()
            )
        };
        let mut hook = hook(folder.path(), &say("freeze"), &say("thaw"));
        hook.freeze(Some("t 1"), &Watch::silent()).unwrap();
        hook.thaw().unwrap();
        hook.thaw().unwrap();
        hook.freeze(None, &Watch::silent()).unwrap();
        drop(hook);
        let path = folder.path().display();
        assert_eq!(
            text(folder.path()),
            format!("freeze 2 {path} t 1\nthaw 2 {path} t 1\nfreeze 2 {path} none\nthaw 2 {path} none\n")
        );
    }

    #[test]
    fn after_a_first_command_that_failed_there_is_nothing_to_let_go_of() {
        let folder = tempfile::tempdir().unwrap();
        let thaw = format!("echo thaw >> '{}'/said", folder.path().display());
        let mut failing = hook(folder.path(), "exit 3", &thaw);
        let error = failing.freeze(None, &Watch::silent()).unwrap_err();
        assert!(error.to_string().contains("exit code 3"), "{error}");
        let mut killed = hook(folder.path(), "kill -9 $$", &thaw);
        assert!(killed.freeze(None, &Watch::silent()).is_err());
        drop((failing, killed));
        assert_eq!(text(folder.path()), "");
    }

    #[test]
    fn a_user_who_wants_to_stop_ends_the_first_command_and_not_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let watch = Watch::new(Arc::clone(&stop), |_| {});
        let thaw = format!("kill -INT $$; kill -HUP $$; echo thaw >> '{}'/said", folder.path().display());
        let mut hook = hook(folder.path(), "true", &thaw);
        hook.freeze(None, &watch).unwrap();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        hook.thaw().unwrap();
        assert_eq!(text(folder.path()), "thaw\n");
        assert!(matches!(hook.freeze(None, &watch), Err(Error::Interrupted)));
    }

    #[test]
    fn what_a_command_prints_is_handed_on_and_its_failure_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let hook = hook(folder.path(), "true", "true");
        let listen = |what: &str| {
            let mut heard = Vec::new();
            let ended = hook.listen(OsStr::new(what), &Watch::silent(), &mut |piece| {
                heard.extend_from_slice(piece);
                if heard.len() > 9 { Err(Error::failed("too much")) } else { Ok(()) }
            });
            (heard, ended.map_err(|error| error.to_string()))
        };
        assert_eq!(listen("printf 'a\\0b'"), (b"a\0b".to_vec(), Ok(())));
        let (heard, ended) = listen("printf a; exit 7");
        assert!(heard == b"a" && ended.is_err_and(|error| error.contains("exit code 7")));
        let (_, ended) = listen("yes");
        assert_eq!(ended, Err("too much".to_owned()));
    }
}
