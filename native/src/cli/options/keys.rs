//! `--keyfile` and `--passphrase-file`: what opens encrypted snapshots. A passphrase that no file holds is asked for.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use highwater_core::key::{Key, KeyFile};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level};
use zeroize::Zeroizing;

use super::kinds::{DATASTORE, Kind};
use super::of_kind::Group;
use crate::cli::input::Input;
use crate::cli::repository::usage;
use crate::error::Error;
use crate::shown::quoted;

/// What opens encrypted snapshots.
#[derive(Debug, Args)]
pub(in crate::cli) struct Keys {
    /// The key file that snapshots of a datastore were encrypted or signed with.
    #[arg(long, value_name = "FILE")]
    keyfile: Option<PathBuf>,
    /// A file whose first line is the key file's passphrase, or /dev/fd/N; without it, you are asked.
    #[arg(long, value_name = "FILE", requires = "keyfile")]
    passphrase_file: Option<PathBuf>,
}

impl Group for Keys {
    const KIND: &'static Kind = &DATASTORE;
}

impl Keys {
    /// The key that the command line names.
    ///
    /// # Errors
    /// When a file cannot be read, or the key not be opened.
    pub(in crate::cli) fn load(&self) -> Result<Option<Key>, Error> {
        let Some(path) = &self.keyfile else { return Ok(None) };
        let text = Zeroizing::new(Input::open(path)?.all()?);
        let named = |why: String| usage(format!("{}: {why}", quoted(path)));
        let file = KeyFile::parse(&text).map_err(named)?;
        let passphrase = match &self.passphrase_file {
            _ if !file.is_locked() => Zeroizing::default(),
            Some(from) => {
                let mut opened = Input::open(from)?;
                first_line(|byte| opened.read(byte)).map_err(opened.failed())?
            }
            None => ask(path)?,
        };
        file.open(&passphrase).map(Some).map_err(named)
    }
}

/// How often it is looked whether a signal came while a passphrase is waited for.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// A passphrase of more bytes is none that somebody types, nor the first line of a file with one.
const LONGEST: usize = 64 * 1024;

/// Asks the person at the terminal, who does not see what is typed.
fn ask(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let nobody = || usage(format!("{} takes a passphrase; name a file with it: --passphrase-file FILE", quoted(path)));
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| nobody())?;
    let before = tcgetattr(&terminal).map_err(|_| nobody())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    // What ends the process must not leave the terminal mute: while it is, such signals are only noted.
    let signals = Signals::noted();
    let asked = write!(terminal, "Passphrase of {}: ", quoted(path));
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|_| nobody())?;
    let line = first_line(|byte| signals.read(&terminal, byte));
    // Whatever was read, the terminal is as it was.
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    let ended = writeln!(terminal);
    if signals.came() {
        return Err(Error::Interrupted);
    }
    let line = asked.and(ended).and(line).map_err(Error::io("read", Path::new("/dev/tty")))?;
    restored.map_err(|_| nobody())?;
    Ok(line)
}

/// Signals that are noted as long as this lives.
struct Signals {
    came: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

impl Signals {
    fn noted() -> Self {
        let came = Arc::new(AtomicBool::new(false));
        let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
        let ids = signals.iter().filter_map(|signal| flag::register(*signal, Arc::clone(&came)).ok()).collect();
        Self { came, ids }
    }

    fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }

    /// Reads what the terminal has, or nothing more once a signal came.
    fn read(&self, mut terminal: &File, into: &mut [u8]) -> io::Result<usize> {
        while !self.came() {
            let mut ready = [PollFd::new(&terminal, PollFlags::IN)];
            match poll(&mut ready, Some(&LOOK)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return terminal.read(into),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(0)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.ids.drain(..).for_each(|id| _ = low_level::unregister(id));
    }
}

/// The first line of what `read` gives, byte by byte: nothing of it lies in any other buffer. Its own is never moved.
fn first_line(mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    while line.len() < LONGEST {
        match read(&mut *byte) {
            Ok(0) => break,
            Ok(_) if *byte == *b"\n" => break,
            Ok(_) => line.extend_from_slice(&*byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}
