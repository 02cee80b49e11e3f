//! `highwater serve`: the far end of `ssh://`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::closed;
use super::exit::Exit;
use super::near::near;
use super::repository::usage;
use super::verb::Run;
use crate::error::Error;
use crate::serve::{Served, Serves, serve};
use crate::shown::quoted;
use crate::store::{Files, Links};

/// Serve a folder to a highwater that reads it through ssh, which starts this by itself: see `ssh://` in
/// `verify --help`.
///
/// Reads requests on standard input and answers on standard output, until the former ends. With --read-only, nothing is
/// written, and nothing outside of the folder can be read, whatever is asked for. With --checkpoint, a checkpoint is
/// made of the live store in the folder, for `replicate --checkpoint` at the other end; that is all that can be read,
/// and it is removed when it was, or the line broke. It lies in a hidden folder `.highwater-frozen.*` beside the store.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A line of ~/.ssh/authorized_keys that lets a key read one folder, and do nothing else:

  restrict,command=\"highwater serve --read-only /srv/backup\" ssh-ed25519 AAAA… standby@example.org

  One that lets a key copy a live store, as of one moment, and do nothing else:

  restrict,command=\"highwater serve --checkpoint /srv/app/db\" ssh-ed25519 AAAA… standby@example.org")]
pub(super) struct Serve {
    /// The folder that is read. Links that lead out of it are not followed.
    #[arg(long, value_name = "ROOT", required_unless_present = "checkpoint", conflicts_with = "checkpoint")]
    read_only: Option<PathBuf>,
    /// The live store of which checkpoints are made.
    #[arg(long, value_name = "STORE")]
    checkpoint: Option<PathBuf>,
    /// Where checkpoints lie meanwhile: a folder outside of the store, as a rule on its file system.
    #[arg(long, value_name = "FOLDER", requires = "checkpoint")]
    place: Option<PathBuf>,
}

impl Run for Serve {
    fn is_spoken_for(&self) -> bool {
        true
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let (root, serves) = match (&self.read_only, &self.checkpoint) {
            (_, Some(store)) => (store, Serves::Checkpoints(self.place.as_deref())),
            (Some(root), None) => (root, Serves::Folder),
            (None, None) => {
                return Err(usage("name a folder with --read-only, or a store with --checkpoint".to_owned()));
            }
        };
        near(root)?;
        if io::stdin().is_terminal() {
            return Err(usage("this verb is started by the other end, through ssh, not by hand".to_owned()));
        }
        if closed::stdout() {
            return Err(Error::failed("cannot write to standard output: it is closed"));
        }
        let cannot = |error: io::Error| Error::cannot_start(format!("cannot serve {}: {error}", quoted(root)));
        let files = Files::open(root, Links::Served).map_err(cannot)?;
        let paths: Vec<PathBuf> = [std::path::absolute(root).map_err(cannot)?]
            .into_iter()
            // A folder whose real path cannot be told has the one that it was named by.
            .chain(std::fs::canonicalize(root).ok())
            .collect();
        let home = std::env::current_dir().map_err(cannot)?;
        // As they are: the library's own are buffered.
        let input = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(cannot)?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned().map_err(cannot)?);
        serve(Served { root: files, paths: &paths, home: &home, serves }, input, output, stop)?;
        Ok(Exit::Sound)
    }
}
