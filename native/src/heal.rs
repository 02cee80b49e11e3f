//! Heals a repository from another one that holds the same objects: each that is damaged or missing here, and sound there, is copied.
//!
//! Nothing is trusted: what is copied is checked against the digest that the index here names, and the very bytes that were checked
//! are written. An object takes its place in one step, once it is durable; what cannot be healed stays as it is.

use std::io;
use std::path::Path;

use highwater_core::check::{Check, Verdict};
use highwater_core::claim::Claim;
use highwater_core::codec::Flow;
use highwater_core::inspect::{Format, Lock, Scope};
use highwater_core::key::Key;
use highwater_core::report::{Depth, Report};
use highwater_core::survey::{Options, Survey};

use crate::disk::{Disk, Held, Writable};
use crate::drive::{self, buffer, path_of};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::watch::Watch;

/// What an object is called while it is being copied.
const TEMPORARY: &str = ".highwater-tmp";

/// What to heal, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The repository or store to heal.
    pub repository: &'a Path,
    /// What it is called in the report.
    pub label: &'a str,
    /// One that holds the same objects.
    pub from: &'a Path,
    /// What opens encrypted chunks.
    pub key: Option<Key>,
    /// Look at sizes only: heals what is missing or torn, fast.
    pub depth: Depth,
    /// Say what would be done; write nothing.
    pub dry_run: bool,
}

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is whole again; in a dry run it would be.
    Healed,
    /// The other one does not have it whole: why, as a clause.
    Left(String),
}

/// What was done, or in a dry run would be.
#[derive(Debug)]
pub struct Outcome {
    /// Each object that was damaged, by name, in the order of names.
    pub objects: Vec<(String, Fate)>,
    /// What the verification found, before anything was healed.
    pub report: Report,
}

/// Verifies, and heals what it can.
///
/// # Errors
/// When the repository cannot be locked or written, or the user interrupts.
pub fn heal(job: Job<'_>, format: &dyn Format, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Outcome, Error> {
    let _lock = if job.dry_run { None } else { Some(hold(job, format, disk)?) };
    let options = Options::whole(format, job.label, job.depth);
    let survey = Survey::new(format.inspect(&Scope::All { trails: false }, job.key), options);
    let mut damaged: Vec<Claim> = Vec::new();
    let survey = drive::run(disk, job.repository, survey, job.depth, watch, &mut |claim, verdict| {
        damaged.extend(matches!(verdict, Verdict::Damaged(_)).then(|| claim.clone()));
    })?;
    damaged.sort_by(|a, b| a.object.cmp(&b.object));
    // Indices that disagree on an object claim it several times; one of them may be wrong.
    damaged.dedup_by(|a, b| a.object == b.object && a.expect == b.expect);
    let objects = damaged.iter().map(|claim| Ok((claim.object.to_string(), one(job, claim, disk, watch)?)));
    let objects = objects.collect::<Result<Vec<_>, Error>>()?;
    if !job.dry_run {
        // Also what a run put in place that was killed a moment ago.
        disk.sync_all(job.repository).map_err(Error::io("sync", job.repository))?;
    }
    Ok(Outcome { objects, report: survey.finish() })
}

/// Keeps other writers away.
fn hold(job: Job<'_>, format: &dyn Format, disk: &dyn Disk) -> Result<Held, Error> {
    let path = match format.lock() {
        Lock::Alone(_) => return lock::take(disk, job.repository),
        Lock::Together(name) => job.repository.join(name),
    };
    let held = disk.hold(&path).map_err(Error::io("lock", &path))?;
    held.ok_or_else(|| Error::cannot_start(format!("a process holds {} alone; wait for it", quoted(&path))))
}

/// Heals one object, if the other repository has it whole.
fn one(job: Job<'_>, claim: &Claim, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Fate, Error> {
    let (from, to) = (path_of(job.from, &claim.object), path_of(job.repository, &claim.object));
    let source = match disk.open(&from) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Fate::Left("it is not there".to_owned())),
        Err(error) => return Ok(Fate::Left(format!("it cannot be read there: {error}"))),
    };
    let mut temporary = to.clone().into_os_string();
    temporary.push(TEMPORARY);
    let temporary = Path::new(&temporary);
    let folder = to.parent().unwrap_or(job.repository);
    let target = if job.dry_run { None } else { Some(create(disk, temporary, folder)?) };
    let mut check = Check::new(claim, Depth::Digest);
    let (mut at, mut failed) = (0, None);
    let read = source.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        watch.advance(piece.len() as u64);
        if let Some(target) = &target {
            failed = target.write_at(at, piece).err();
        }
        at += piece.len() as u64;
        check.push(piece, &mut |_| {}) == Flow::Continue(()) && failed.is_none() && !watch.stopping()
    });
    let ended = match (failed, read) {
        (Some(error), _) => Err(Error::io("write", temporary)(error)),
        (None, Err(error)) => Ok(Fate::Left(format!("it cannot be read there: {error}"))),
        (None, Ok(_)) => watch.go_on().map(|()| match check.end() {
            Verdict::Sound => Fate::Healed,
            Verdict::Damaged(damage) => Fate::Left(format!("it is damaged there too: {damage}")),
            Verdict::Unreadable(fault) => Fate::Left(format!("it cannot be read there: {fault}")),
            Verdict::Unverifiable(why) => Fate::Left(why.to_owned()),
        }),
    };
    let Some(target) = target else { return ended };
    if !matches!(ended, Ok(Fate::Healed)) {
        _ = disk.remove(temporary);
        return ended;
    }
    let like =
        if disk.exists(&to).map_err(Error::io("look at", &to))? { &to } else { &path_of(job.repository, &claim.index) };
    disk.adopt(temporary, like).map_err(Error::adopt(temporary, like))?;
    target.sync().map_err(Error::io("write", temporary))?;
    disk.rename(temporary, &to).map_err(Error::io("put in place", &to))?;
    ended
}

/// A new work file, in a folder that may have to be made.
fn create(disk: &dyn Disk, path: &Path, folder: &Path) -> Result<Box<dyn Writable>, Error> {
    _ = disk.remove(path);
    let created = match disk.create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let like = folder.parent().unwrap_or(folder);
            disk.make_folder(folder, like).map_err(Error::io("make the folder", folder))?;
            disk.create(path)
        }
        created => created,
    };
    created.map_err(Error::io("create", path))
}
