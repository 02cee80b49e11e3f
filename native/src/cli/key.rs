//! `--keyfile`: reads a key file, and asks for its passphrase where it takes one.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use highwater_core::key::{Key, KeyFile};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::args;
use super::repository::usage;
use crate::error::Error;
use crate::shown::quoted;

/// The key that the command line names.
pub(super) fn load(args: &args::Keys) -> Result<Option<Key>, Error> {
    let Some(path) = &args.keyfile else { return Ok(None) };
    let text = fs::read(path).map_err(Error::io("read", path))?;
    let named = |why: String| usage(format!("{}: {why}", quoted(path)));
    let file = KeyFile::parse(&text).map_err(named)?;
    let passphrase = match &args.passphrase_file {
        _ if !file.is_locked() => Vec::new(),
        Some(from) => first_line(BufReader::new(File::open(from).map_err(Error::io("open", from))?))
            .map_err(Error::io("read", from))?,
        None => ask(path)?,
    };
    file.open(&passphrase).map(Some).map_err(named)
}

/// Asks the person at the terminal, who does not see what is typed.
fn ask(path: &Path) -> Result<Vec<u8>, Error> {
    let nobody = || usage(format!("{} takes a passphrase; name a file with it: --passphrase-file FILE", quoted(path)));
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| nobody())?;
    let before = tcgetattr(&terminal).map_err(|_| nobody())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let told = write!(terminal, "Passphrase of {}: ", quoted(path));
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|_| nobody())?;
    let line = first_line(BufReader::new(&terminal));
    // Whatever was read, the terminal is as it was.
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    let line = told.and_then(|()| writeln!(terminal)).and(line).map_err(Error::io("read", Path::new("/dev/tty")))?;
    restored.map_err(|_| nobody())?;
    Ok(line)
}

fn first_line(mut from: impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(line)
}
