//! `highwater checkpoint`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::exit::Exit;
use super::near::near;
use super::options::{Json, Talk};
use super::repository::usage;
use super::verb::Run;
use super::{out, progress};
use crate::error::Error;
use crate::live::{self, CheckpointSummary, Count, LiveOptions};
use crate::shown::quoted;

/// Copy a live store as of one moment, while its program goes on writing: a fjall, RocksDB or LevelDB database, a
/// Tantivy index, a git repository.
///
/// DEST is a new folder that the store's own program opens. It appears in one step or not at all. Files that never
/// change are linked, which takes neither time nor space; heads and logs, which their program writes in place, are
/// copies. Nobody is kept waiting and nothing is written into STORE. Beside DEST lies DEST.mtree, its list of files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater checkpoint /srv/app/db /snap/db
  highwater checkpoint --verify /srv/app/db /snap/db        reads all of it, against the digests that the store keeps
  highwater checkpoint --copy /srv/app/db /mnt/usb/db       shares nothing with the store
  highwater checkpoint /srv/app/db /snap/db -- restic backup /snap/db")]
pub(super) struct Checkpoint {
    /// The store: its folder.
    store: PathBuf,
    /// The folder to make; it must not be there yet. On the file system of STORE, files are linked.
    dest: PathBuf,
    /// Link nothing: the checkpoint shares no file with the store, and may be changed.
    #[arg(long)]
    copy: bool,
    /// Read all of it before it gets its name, and compare it with the digests that the store keeps.
    #[arg(long)]
    verify: bool,
    /// The kind of store, where its files do not tell.
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(live::kinds()))]
    kind: Option<String>,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    talk: Talk,
    /// Run this while the checkpoint is there, and remove the checkpoint when it has ended; its exit code is the
    /// command's.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Run for Checkpoint {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        if self.json.is_asked() && !self.command.is_empty() {
            return Err(usage(
                "--json and a command would both write to standard output: leave one of them out".to_owned(),
            ));
        }
        near(&self.store)?;
        near(&self.dest)?;
        let watch = self.talk.watch(stop);
        let options = LiveOptions { kind: self.kind.as_deref(), copy: self.copy, verify: self.verify, step: None };
        let made = progress::with("making the checkpoint", self.talk.quiet, &watch, || {
            live::checkpoint(&self.store, &self.dest, &options, &watch)
        })?;
        let Some((program, arguments)) = self.command.split_first() else {
            if self.json.is_asked() {
                out::document(self.document(&made))?;
            } else if !self.talk.quiet {
                out::print(&self.text(&made))?;
            }
            return Ok(Exit::Sound);
        };
        if !self.talk.quiet {
            self.text(&made).lines().for_each(out::say);
        }
        let ended = Command::new(program).args(arguments).status();
        // The checkpoint goes whatever came of the command.
        let removed = live::discard(&self.dest, &made);
        let name = printable(program.as_encoded_bytes());
        let ended = ended.map_err(|error| Error::cannot_start(format!("cannot run '{name}': {error}")));
        let exit = match (ended, removed) {
            (Ok(status), Ok(())) => exit_of(&name, status),
            (Ok(status), Err(error)) => {
                out::error(&error);
                exit_of(&name, status).unless_worse()
            }
            (Err(error), removed) => {
                if let Err(other) = removed {
                    out::error(&other);
                }
                return Err(error);
            }
        };
        watch.go_on()?;
        Ok(exit)
    }
}

/// How to end when the command ended so.
fn exit_of(name: &str, status: ExitStatus) -> Exit {
    match status.code() {
        Some(code) => Exit::of_command(u8::try_from(code).unwrap_or(u8::MAX)),
        None => {
            out::say(&format!("highwater: '{name}' was killed ({status}); the checkpoint is removed"));
            Exit::Inconclusive
        }
    }
}

/// A number of files and of their bytes.
fn told(count: Count) -> String {
    let files = if count.files == 1 { "file" } else { "files" };
    format!("{} {files}, {}", thousands(count.files), bytes(count.bytes))
}

impl Checkpoint {
    fn text(&self, made: &CheckpointSummary) -> String {
        let mut text =
            format!("{} is a checkpoint of the {} store {}\n", quoted(&self.dest), made.kind, quoted(&self.store));
        let mut line = |what: &str, is: String| text.push_str(&format!("  {what:<10}{is}\n"));
        if !made.position.is_empty() {
            line("up to", made.position.clone());
        }
        for (what, count) in [("linked", made.linked), ("cloned", made.cloned), ("copied", made.copied)] {
            if count.files > 0 {
                line(what, told(count));
            }
        }
        if made.cut > 0 {
            line("cut", format!("{} bytes behind the last whole entries of logs", thousands(made.cut)));
        }
        line("tries", thousands(u64::from(made.tries)));
        line("writers", "blocked 0 ms".to_owned());
        if self.verify {
            line("verified", "all of it was read".to_owned());
        }
        for note in &made.notes {
            line("note", note.clone());
        }
        text
    }

    fn document(&self, made: &CheckpointSummary) -> Value {
        let count = |count: Count| json!({ "files": count.files, "bytes": count.bytes });
        let shown = |path: &PathBuf| printable(path.as_os_str().as_encoded_bytes());
        json!({
            "schema": 1,
            "store": shown(&self.store),
            "checkpoint": shown(&self.dest),
            "kind": made.kind,
            "position": made.position,
            "tries": made.tries,
            "retries": made.retries,
            "linked": count(made.linked),
            "cloned": count(made.cloned),
            "copied": count(made.copied),
            "cut": made.cut,
            "blocked_ms": 0,
            "verified": self.verify,
            "notes": made.notes,
        })
    }
}
