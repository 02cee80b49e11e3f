//! `highwater restore`.

mod datastore;
mod repozo;
mod tree;
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::facts::Shape;
use highwater_core::inspect::Format;
use highwater_core::point::Point;

use super::exit::Exit;
use super::near::near;
use super::options::of_kind::refuse;
use super::options::{Json, Keys, OfKind, Root, Talk, Writing};
use super::repository::{Repository, kind_of, open, usage};
use super::verb::Run;
use super::{out, progress};
use crate::disk;
use crate::error::Error;
use crate::restore::{
    Asked, Look, Plan, RestoreOptions, Run as Restoring, look, newest_sound, salvage, to_file, to_stream,
};
use crate::shown::{quoted, shown};
use crate::store::Store;
use crate::watch::Watch;
use highwater_core::report::Depth;
use words::{document, words};

/// Restore a point in time to a Data.fs, a disk image or a folder: only what is missing is written.
///
/// What the target already holds is checked against the sums of the index, everything that is written is
/// checked on the way, and nothing inside the old bytes is touched. A target at any point of the repository is
/// replaced once the new file is whole; one that holds more, or a last transaction that no backup here holds, is left
/// alone unless --full is given.
///
/// An archived tree of files (.pxar, .mpxar) is restored to a folder; a path behind its name means what lies there, of
/// a file this alone. Devices, FIFOs and sockets are left out and named, and the exit code is then 3; extended
/// attributes and access control lists are not restored. The name of its file (.pxar.didx), standard output and
/// --salvage mean the archive's stream of bytes. A catalogue of files (.pcat1) has none of them, and is restored as
/// such a stream alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater restore /backup/zodb Data.fs
  highwater restore --quick /backup/zodb Data.fs            a standby, every hour
  highwater restore /backup/zodb@2026-11-19-12 Data.fs      the state at 12:59:59 UTC
  highwater restore --dry-run /backup/zodb Data.fs          which files would be read?
  highwater restore /backup/zodb - | zstd > Data.fs.zst
  highwater restore /backup/files@2026-11-19 /srv/files      a folder, as it was then
  highwater restore /backup/files@2026-11-19/etc/fstab -     one file of it
  highwater restore /mnt/datastore@vm/100/2026-11-19T03:00:00Z/drive-scsi0.img disk.img
  highwater restore /mnt/datastore@ct/200/latest/root.pxar/etc /tmp/etc")]
pub(super) struct Restore {
    /// The repository, and the point: the newest at or before YYYY[-MM[-DD[-hh[-mm[-ss]]]]], UTC.
    #[arg(value_name = "REPO[@POINT]")]
    repository: OsString,
    /// The file to restore, or - for standard output.
    target: PathBuf,
    /// Write everything anew, whatever the target holds: also what no backup here holds.
    #[arg(short = 'F', long)]
    full: bool,
    /// If everything must be written anew, give up the old file first: for want of space. Until the restore
    /// ends there is then no database.
    #[arg(long)]
    in_place: bool,
    /// Say what would be read and written; write nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    talk: Talk,
    #[command(flatten)]
    repozo: OfKind<repozo::Options>,
    #[command(flatten)]
    datastore: OfKind<datastore::Options>,
    #[command(flatten)]
    keys: OfKind<Keys>,
}

impl Run for Restore {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let repository = Repository::parse(&self.repository)?;
        if repository.path.is_file() && self.target.is_dir() {
            let (first, second) = (quoted(&repository.path), quoted(&self.target));
            let what = format!("{first} is a file and {second} is a folder: the repository comes first");
            return Err(usage(format!("{what}, as in: highwater restore REPO Data.fs")));
        }
        near(&self.target)?;
        let from = open(&repository.path, &self.root, stop)?;
        let format = kind_of(&*from, &self.root)?;
        let watch = self.talk.watch(stop);
        self.only(&*from, format, &repository.path, &watch)?;
        let to_stdout = self.target == Path::new("-");
        if to_stdout && self.json.is_asked() {
            let what = "--json and what is restored would both go to standard output: name a file for it";
            return Err(usage(what.to_owned()));
        }
        // As a stream of bytes, an archived tree can be salvaged, and handed on; so can one file in it.
        let is_tree =
            |point: Point| point.is_tree() && !self.datastore.salvage && (!to_stdout || point.within().is_some());
        let is_tree = repository.point.as_ref().and_then(|point| format.point(point).ok()).is_some_and(is_tree);
        let asked = Asked { format, point: repository.point, key: self.keys.load()? };
        if is_tree || format.facts().shape == Shape::Tree {
            return self.to_tree(&*from, asked, &watch);
        }
        let plan = match self.datastore.salvage {
            true => Plan::salvage(&*from, asked)?,
            false => Plan::make(&*from, asked, Depth::Digest)?,
        };
        let job = RestoreOptions {
            quick: self.repozo.quick,
            full: self.full,
            in_place: self.in_place,
            force: self.datastore.force,
            dry_run: self.dry_run,
            look: Look::Length,
            whole_sum: false,
        };
        if to_stdout && self.datastore.salvage {
            return Err(usage("--salvage needs a file: what is bad is known only after it was read".to_owned()));
        }
        if to_stdout && self.dry_run {
            look(&plan, &*from, Look::Closely, &watch)?;
            out::print(&super::show::table(&plan))?;
            return Ok(Exit::Sound);
        }
        let outcome = progress::with("restoring", self.talk.quiet, &watch, || {
            if to_stdout {
                return to_stream(&job, &plan, &*from, &mut out::stream()?, &watch);
            }
            let target = disk::target(&self.target, self.writing.locks())?;
            let restore = if self.datastore.salvage { salvage } else { to_file };
            let (to, name) = (&*target.root, &target.name);
            let run = Restoring { job: &job, plan: &plan, from: &*from, to, target: name, watch: &watch };
            let outcome = restore(&run);
            out::shortcomings(&*target.root);
            outcome
        })?;
        if self.json.is_asked() {
            out::document(document(self, &outcome, format))?;
        } else if !self.talk.quiet && !to_stdout {
            out::print(&words(self, &outcome, &plan))?;
        }
        let damaged = !outcome.lost.is_empty() || (self.datastore.salvage && !plan.doubts.is_empty());
        Ok(if damaged { Exit::Damage } else { Exit::Sound })
    }
}

impl Restore {
    /// Refuses options of another kind than the repository's. The next step of a user who would salvage a database is a
    /// restore of its newest sound point.
    fn only(&self, from: &dyn Store, format: &'static dyn Format, path: &Path, watch: &Watch<'_>) -> Result<(), Error> {
        let sound = match self.datastore.salvage && format.facts().shape != Shape::Image {
            false => None,
            true => Some(newest_sound(from, format, watch)?.map_or_else(
                || "no point here is sound".to_owned(),
                |sound| format!("the newest sound point is {}@{sound}", shown(from.told(None))),
            )),
        };
        refuse(&[&self.repozo, &self.datastore, &self.keys], path, format, sound.as_deref())
    }
}
