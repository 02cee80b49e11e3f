//! `highwater replicate`.

mod store;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, ValueEnum};
use highwater_core::facts::{Facts, Lock, Shape};
use highwater_core::finding::{Code, Severity};
use highwater_core::inspect::Format;
use highwater_core::keep::Keep;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use highwater_core::report::Depth;
use serde_json::{Value, json};

use super::exit::Exit;
use super::label::label;
use super::options::of_kind::refuse;
use super::options::{Json, Keys, OfKind, Root, Talk, Writing};
use super::repository::{kind_of, open, open_target, open_to_write, usage};
use super::verb::Run;
use super::{out, progress};
use crate::disk::{self, Disk, like::Like};
use crate::error::Error;
use crate::prune::{self, Planned, PruneOptions, PrunePlan, PruneSummary};
use crate::replicate::{ReplicateOptions, ReplicateSummary, replicate};
use crate::shown::quoted;
use crate::store::{Files, Scheme, Store, parted_folder, umask};
use crate::watch::Watch;

/// Copy a set, whole points only: what DEST lacks is read from SRC, checked by the digest that SRC's index names, and
/// put in place; the indices come last.
///
/// SRC may be written meanwhile. DEST is a new folder, or a replica of SRC that this brings up to date; whatever has a
/// name in it is whole, at any moment, and a run that was ended is gone on with by the next. It is refused when DEST is
/// of another set, or went another way. What is damaged in SRC is not copied, and no point that needs it; that is said,
/// and the exit code is 1. Nothing in DEST is removed, unless --delete=apply asks for it.
///
/// With --checkpoint, SRC is a live store, of the kinds that `checkpoint` knows, while its program goes on writing.
/// DEST becomes a folder that the program opens, as of one moment: it is the old state or the new one as a whole. Files
/// that never change and that DEST has are not copied again. DEST.mtree beside it lists its files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater replicate /backup/zodb /mnt/standby/zodb
  highwater replicate s3://backups/zodb /srv/standby/zodb           brings it home from a bucket
  highwater replicate ssh://db1/backup/zodb /srv/standby/zodb       from another machine
  highwater replicate /backup/zodb s3://backups/zodb                takes it to one
  highwater replicate -n /backup/files /mnt/usb/files               what would be copied?
  highwater replicate --check /mnt/datastore /mnt/replica           reads all of the replica first
  highwater replicate --delete /backup/files /mnt/usb/files         which points has only the replica?
  highwater replicate --delete=apply /backup/files /mnt/usb/files   removes them
  highwater replicate --checkpoint /srv/app/db /mnt/standby/db      a live store
  highwater replicate --checkpoint ssh://db1/srv/app/db /srv/db     of another machine: `highwater serve --help`")]
pub(super) struct Replicate {
    /// The set to copy: a folder, s3://BUCKET/PREFIX or ssh://HOST/FOLDER. It is only read. With --checkpoint, the
    /// store: a folder or ssh://HOST/FOLDER.
    #[arg(value_name = "SRC")]
    source: PathBuf,
    /// The replica: a folder, or s3://BUCKET/PREFIX. A new one is made.
    dest: PathBuf,
    /// SRC is a live store: a checkpoint of it is copied, which lies in a hidden folder beside the store meanwhile, and
    /// is removed afterwards.
    #[arg(long)]
    checkpoint: bool,
    /// Where the checkpoint lies meanwhile: a folder on the machine of the store, and as a rule on its file system.
    #[arg(long, value_name = "FOLDER", requires = "checkpoint")]
    place: Option<PathBuf>,
    /// Read what DEST has, too, and fetch anew what is not whole.
    #[arg(long)]
    check: bool,
    /// DEST is a replica of SRC although they have no point in common, as it missed what was pruned meanwhile. Of a
    /// live store: although it is of another source, or was written by its own program, whose writes then go.
    #[arg(long)]
    related: bool,
    /// Say which points of DEST are not in SRC any more; =apply removes them, once all of SRC is copied.
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    delete: Option<Delete>,
    /// Say what would be copied; write nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    keys: OfKind<Keys>,
    #[command(flatten)]
    talk: Talk,
}

/// What is done about points that only DEST has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Delete {
    /// They are told.
    Plan,
    /// They are removed.
    Apply,
}

impl Run for Replicate {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        if self.checkpoint {
            return self.store(stop);
        }
        let source = open(&self.source, &self.root, stop)?;
        let format = kind_of(&*source, &self.root)?;
        refuse(&[&self.keys], &self.source, format, None)?;
        if self.delete.is_some()
            && let Err(known) = prune::can(format)
        {
            let known = known.join(", ");
            return Err(usage(format!("--delete removes points, and only those of these kinds are removed: {known}")));
        }
        let (label, key, dry_run) = (label(&self.source), self.keys.load()?, self.dry_run);
        let is_far = Scheme::of(&self.dest).is_some();
        if is_far && self.delete.is_some() {
            return Err(usage("--delete removes points, and none is removed from a bucket".to_owned()));
        }
        let far = is_far
            .then(|| open_target(&self.dest, self.root.following, self.writing, self.root.bandwidth, stop))
            .transpose()?;
        if is_far && let Some(why) = not_in_a_bucket(format.facts()) {
            let name = format.facts().name;
            return Err(usage(format!("sets of kind {name} are not replicated into a bucket: {why}")));
        }
        let empty = if dry_run && !is_far && !self.dest.exists() { Some(nowhere()?) } else { None };
        let dest: Arc<dyn Disk> = match (far, &empty) {
            (Some(far), _) => far,
            (None, Some(empty)) => Arc::new(open_to_write(empty.path(), self.root.following, self.writing)?),
            (None, None) => Arc::new(self.dest(&*source)?),
        };
        let job =
            ReplicateOptions { label: &label, key: key.clone(), check: self.check, related: self.related, dry_run };
        let watch = self.talk.watch(stop);
        let done = progress::with(&format!("copying {label}"), self.talk.quiet, &watch, || {
            replicate(&job, format, &*source, &*dest, &watch)
        });
        out::shortcomings(&*dest);
        let done = done?;
        let exit = exit(&done);
        if !self.json.is_asked() {
            self.tell(&done, exit)?;
        }
        let removed = match self.delete {
            Some(_) if exit != Exit::Sound && !done.gone.is_empty() => {
                out::say("highwater: nothing is removed from the replica, as not all of the source is in it");
                None
            }
            Some(delete) if !done.gone.is_empty() => Some(self.delete(delete, format, &*dest, &done, &watch)?),
            _ => None,
        };
        if self.json.is_asked() {
            out::document(self.document(&done, removed.as_ref(), format.facts().name))?;
        }
        match removed.and_then(|(_, removed)| removed.failed) {
            Some(error) => Err(error),
            None => Ok(exit),
        }
    }
}

/// A plan, and what came of it.
type Removed<'a> = (PrunePlan<'a>, PruneSummary);

impl Replicate {
    /// The replica, which is made if it is not there.
    fn dest(&self, source: &dyn Store) -> Result<Files, Error> {
        if self.dest.exists() || self.dest.is_symlink() {
            return open_to_write(&self.dest, self.root.following, self.writing);
        }
        let path = std::path::absolute(&self.dest).map_err(Error::io("find", &self.dest))?;
        let (around, name) = parted_folder(&path)?;
        let around = open_to_write(&around, self.root.following, self.writing)?;
        // Nothing is made in a folder that is not to be changed.
        let inside = around.around().map_err(Error::of_folder("look at", &around, None))?;
        let outer = source.around().map_err(Error::of_folder("look at", source, None))?;
        if outer.first().is_some_and(|outer| inside.contains(outer)) {
            return Err(Error::cannot_start(format!("{} lies in the source", quoted(&self.dest))));
        }
        let look = around.look(None).and_then(|look| look.ok_or_else(|| std::io::ErrorKind::NotFound.into()));
        let look = look.map_err(Error::of_folder("look at", &around, None))?;
        // What may be done in the folder around it, as in one for everybody, says nothing of this one.
        let like = Like::new_in(&look).with_mode(0o777 & !umask());
        disk::make_folder(&around, &name, &like).map_err(Error::at("make the folder", &around, &name))?;
        around.sync_folder(None).map_err(Error::of_folder("sync", &around, None))?;
        open_to_write(&path, self.root.following, self.writing)
    }

    /// Plans the removal of what only the replica has, and carries it out if asked to.
    fn delete<'a>(
        &self,
        delete: Delete,
        format: &'static dyn Format,
        dest: &'a dyn Disk,
        done: &ReplicateSummary,
        watch: &Watch<'_>,
    ) -> Result<Removed<'a>, Error> {
        let only: BTreeSet<String> = done.points.iter().cloned().collect();
        let (label, dry_run) = (label(&self.dest), self.dry_run || delete == Delete::Plan);
        let (keep, depth, key) = (Keep::default(), Depth::Size, self.keys.load()?);
        let job = PruneOptions { keep, label: &label, only: Some(&only), under: None, depth, key, dry_run };
        let plan = prune::plan(&job, format, dest, watch)?;
        if let Some(other) = plan.goes().find(|name| !done.gone.iter().any(|gone| gone == name)) {
            let (other, dest) = (printable(other.as_bytes()), quoted(&self.dest));
            return Err(Error::failed(format!("{other} came to {dest} meanwhile: nothing is removed; run again")));
        }
        let summary = if dry_run { PruneSummary::default() } else { plan.carry_out(watch) };
        if !self.json.is_asked() && !self.talk.quiet {
            let verb = if dry_run { "would remove" } else { "removed" };
            let names: Vec<&str> =
                if dry_run { plan.goes().collect() } else { summary.removed.iter().map(String::as_str).collect() };
            for name in &names {
                out::print(&format!("{verb} {}\n", printable(name.as_bytes())))?;
            }
            for Planned { name, kept, .. } in plan.points.iter().filter(|point| done.gone.contains(&point.name)) {
                if let Some(why) = kept {
                    out::print(&format!("keep {} ({})\n", printable(name.as_bytes()), printable(why.as_bytes())))?;
                }
            }
            if dry_run && !self.dry_run && !names.is_empty() {
                out::say("highwater: --delete=apply removes them");
            }
        }
        Ok((plan, summary))
    }

    /// Prints what was copied.
    fn tell(&self, done: &ReplicateSummary, exit: Exit) -> Result<(), Error> {
        let shown = done.findings.iter().filter(|note| counts(note.code));
        for note in shown {
            let object = if note.object.is_empty() { &note.root } else { &note.object };
            out::say(&format!("highwater: {} {object}: {}", note.code, note.message));
        }
        for point in &done.lost {
            out::say(&format!("highwater: not carried over: {}", printable(point.as_bytes())));
        }
        if exit != Exit::Sound {
            out::say("highwater: not all of the source is whole; `highwater verify` says more of it");
        }
        if done.unproven > 0 {
            out::say(&format!(
                "highwater: {} objects were copied as they are: no digest is on record, or no key at hand",
                thousands(done.unproven)
            ));
        }
        let newest = done.points.iter().rfind(|name| !done.lost.contains(name));
        let newest = newest.map(|name| format!("; the newest point is {}", printable(name.as_bytes())));
        let verb = if self.dry_run { "would copy" } else { "copied" };
        let (objects, indices) = (thousands(done.objects), thousands(done.indices));
        if !self.talk.quiet {
            out::print(&format!(
                "{verb} {objects} objects of {} and {indices} indices; {} objects were there{}\n",
                bytes(done.bytes),
                thousands(done.had),
                newest.unwrap_or_default()
            ))?;
        }
        if !done.gone.is_empty() && self.delete.is_none() && !self.talk.quiet {
            // From a bucket, nobody removes any.
            let shows = if Scheme::of(&self.dest).is_some() { "" } else { "; --delete shows them" };
            let (count, is_one) = (thousands(done.gone.len() as u64), done.gone.len() == 1);
            let are = if is_one { "point is" } else { "points are" };
            out::say(&format!("highwater: {count} {are} in the replica alone{shows}"));
        }
        Ok(())
    }

    fn document(&self, done: &ReplicateSummary, removed: Option<&Removed<'_>>, format: &str) -> Value {
        let names = |names: &[String]| names.iter().map(|name| printable(name.as_bytes())).collect::<Vec<_>>();
        let withheld: Vec<String> = done.withheld.iter().map(ToString::to_string).collect();
        let deletes = removed
            .map(|(plan, summary)| json!({ "goes": plan.goes().collect::<Vec<_>>(), "removed": summary.removed }));
        json!({
            "schema": 1,
            "format": format,
            "dry_run": self.dry_run,
            "copied": { "objects": done.objects, "bytes": done.bytes, "indices": done.indices },
            "had": done.had,
            "unproven": done.unproven,
            "withheld": withheld,
            "not_carried_over": names(&done.lost),
            "only_in_replica": names(&done.gone),
            "deletes": deletes,
            "findings": done.findings,
        })
    }
}

/// Whether a finding keeps a point from being copied.
fn counts(code: Code) -> bool {
    code.severity() == Severity::Damage || code == Code::Unreadable
}

/// How the command ends: what is shut is judged by whoever has the key.
fn exit(done: &ReplicateSummary) -> Exit {
    let codes = || Code::ALL.iter().filter(|code| done.codes.contains(code.name()));
    if codes().any(|code| code.severity() == Severity::Damage) {
        Exit::Damage
    } else if codes().any(|code| *code == Code::Unreadable) || !is_all_there(done) {
        Exit::Inconclusive
    } else {
        Exit::Sound
    }
}

/// Whether the replica has all points of a source that has some.
fn is_all_there(done: &ReplicateSummary) -> bool {
    done.withheld.is_empty() && done.lost.is_empty() && !done.points.is_empty()
}

/// Why a set of a kind cannot be kept in a bucket by whoever copies it, if that is so.
fn not_in_a_bucket(facts: &Facts) -> Option<&'static str> {
    match (facts.lock, facts.shape, facts.pool) {
        (Lock::Together(_), ..) => Some("its writers share a lock, and a bucket has none that is shared"),
        (_, Shape::Tree, None) => Some("its files keep times and change their names, and a bucket keeps neither"),
        _ => None,
    }
}

/// An empty folder for a plan of what is not there.
fn nowhere() -> Result<tempfile::TempDir, Error> {
    tempfile::tempdir().map_err(Error::io("make a folder in", &std::env::temp_dir()))
}
