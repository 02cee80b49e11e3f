//! `highwater backup` into a repository of repozo.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::names::Kind::Full;
use highwater_core::inspect::Format;
use highwater_core::marks::DISTANCE;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::{Backup, is_folder};
use crate::backup::repozo::{BackupOptions, BackupSummary, backup};
use crate::cli::exit::Exit;
use crate::cli::options::Root;
use crate::cli::options::kinds::{Kind, REPOZO};
use crate::cli::options::of_kind::Group;
use crate::cli::repository::{kind_of, open_target, part_of, refuse_within, usage};
use crate::cli::{out, progress};
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{self, Files, Scheme, Store};

/// How a repository is written.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Make a full backup whatever is there.
    #[arg(short = 'F', long)]
    pub(super) full: bool,
    /// Compare only the last chunk (by its sum) and the sizes of the others.
    #[arg(short = 'Q', long, conflicts_with = "full")]
    pub(super) quick: bool,
    /// Compress, at level 1 to 9; 6 if none is named.
    #[arg(
        short = 'z',
        long,
        value_name = "LEVEL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "6",
        value_parser = clap::value_parser!(u32).range(1..=9)
    )]
    pub(super) gzip: Option<u32>,
    /// After a full backup, remove every older backup.
    #[arg(short = 'k', long)]
    pub(super) kill_old: bool,
    /// Take a Data.fs that is damaged as it is: every byte of it, without an .index; nothing older is removed then.
    #[arg(long)]
    pub(super) damaged_source: bool,
    /// The Data.fs may be an older state than the newest point, or another database: begin anew with it.
    #[arg(long)]
    pub(super) other_source: bool,
}

impl Group for Options {
    const KIND: &'static Kind = &REPOZO;
}

impl Backup {
    /// Backs up into a repository.
    pub(super) fn back_up_to_repozo(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        if self.source.is_dir() && !is_folder(&self.repository) {
            let (first, second) = (quoted(&self.source), quoted(&self.repository));
            if matches!(self.repository.symlink_metadata(), Err(error) if error.kind() == ErrorKind::NotFound) {
                return Err(Error::cannot_start(format!("there is no folder {second}: make it first, with mkdir")));
            }
            let what = format!("{first} is a folder and {second} is none: the source comes first");
            return Err(usage(format!("{what}, as in: highwater backup Data.fs REPO")));
        }
        if let Some(what) = odd_group(&self.repository).filter(|_| !self.repository.exists()) {
            return Err(usage(what));
        }
        // An empty folder is of no kind yet.
        let opened = self.open_repository(stop);
        if let Ok(repository) = &opened {
            let is_gone = || matches!(self.source.metadata(), Err(error) if error.kind() == ErrorKind::NotFound);
            is_repozo(repository.as_store(), &self.repository).map_err(|error| match is_gone() {
                true => Error::cannot_start(format!("there is no {}, which is to be backed up", quoted(&self.source))),
                false => error,
            })?;
        }
        if self.repozo.kill_old {
            refuse_within(&self.repository, "leave out --kill-old, and prune the set")?;
        }
        self.only(&Repozo, Some("a datastore's group is named STORE@TYPE/ID"))?;
        let repository = opened?;
        let job = BackupOptions {
            full: self.repozo.full,
            quick: self.repozo.quick,
            gzip: self.repozo.gzip,
            kill_old: self.repozo.kill_old,
            damaged_source: self.repozo.damaged_source,
            other_source: self.repozo.other_source,
            dry_run: self.dry_run,
            now: None,
            marks: DISTANCE,
            sums: false,
        };
        let watch = self.talk.watch(stop);
        let source = store::source(&self.source)?;
        let summary =
            progress::with("backing up", self.talk.quiet, &watch, || backup(&job, &source, &*repository, &watch));
        out::shortcomings(&*repository);
        let summary = summary?;
        self.tell(&Repozo, document(&summary), &line(&summary, self.dry_run))?;
        Ok(Exit::Sound)
    }
}

impl Backup {
    /// Opens the repository, a folder or a prefix of a bucket.
    fn open_repository(&self, stop: &Arc<AtomicBool>) -> Result<Arc<dyn Disk>, Error> {
        if Scheme::of(&self.repository).is_some() {
            return open_target(&self.repository, self.following, self.writing, self.bandwidth, stop);
        }
        let opened = Files::open(&self.repository, self.following.links()).map_err(|error| {
            let repository = quoted(&self.repository);
            Error::cannot_start(match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {
                    format!("the repository {repository} is no folder; create it first (mkdir)")
                }
                _ => format!("cannot open the repository {repository}: {error}"),
            })
        });
        Ok(Arc::new(opened?.with_locks(self.writing.locks())))
    }
}

/// Refuses a folder that is of another kind, or part of a repository. One of no kind, as an empty one, may become a
/// repository.
fn is_repozo(folder: &dyn Store, path: &Path) -> Result<(), Error> {
    match kind_of(folder, &Root::default()) {
        Ok(format) if format.facts().name != Repozo.facts().name => {
            let like = "name a group in it after an @, as in STORE@vm/100/drive-scsi0.img";
            Err(usage(format!("{} is a {}: {like}", quoted(path), format.facts().name)))
        }
        Ok(_) => Ok(()),
        Err(_) => part_of(path)
            .map_or(Ok(()), |part| Err(usage(format!("{} is no repository of its own: {part}", quoted(path))))),
    }
}

/// The refusal of `STORE@REST` when there is a folder `STORE` and REST is no group, or names no archive that can be.
fn odd_group(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let (store, rest) = text.rsplit_once('@').filter(|(store, _)| Path::new(store).is_dir())?;
    let like = "write STORE@TYPE/ID[/ARCHIVE], as in STORE@vm/100/drive-scsi0.img: the type is vm, ct or host, below \
                ns/NAME in a namespace, and names are of letters, digits, _, . and -";
    Some(format!("'{}' names no group of a datastore in {}; {like}", shown(rest), quoted(Path::new(store))))
}

/// What a backup came to, as `--json` writes it: what was made, and how much of the source is in the repository.
fn document(summary: &BackupSummary) -> Value {
    match summary {
        BackupSummary::Nothing(at) => json!({ "made": null, "bytes": at }),
        BackupSummary::Made(made) => {
            let kind = if made.kind == Full { "full" } else { "increment" };
            json!({
                "made": {
                    "file": made.file, "kind": kind, "start": made.start, "end": made.end, "stored": made.stored,
                    "removed": made.removed,
                },
                "bytes": made.end,
            })
        }
    }
}

/// What a backup came to.
fn line(summary: &BackupSummary, dry_run: bool) -> String {
    let made = match summary {
        BackupSummary::Nothing(at) => {
            return format!(
                "nothing to do: the repository holds all {} bytes of complete transactions\n",
                thousands(*at)
            );
        }
        BackupSummary::Made(made) => made,
    };
    let would = if dry_run { "would write" } else { "wrote" };
    let kind = if made.kind == Full { "full backup" } else { "increment" };
    let stored = if dry_run { String::new() } else { format!(", {} stored", bytes(made.stored)) };
    let removed = if made.removed > 0 { format!("; removed {} older files", made.removed) } else { String::new() };
    format!(
        "{would} {kind} {}: bytes {} to {} of the source ({}{stored}){removed}\n",
        made.file,
        thousands(made.start),
        thousands(made.end),
        bytes(made.end - made.start)
    )
}
