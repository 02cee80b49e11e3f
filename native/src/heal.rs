//! Heals a repository from another one that holds the same objects: each that is damaged or missing here, and sound
//! there, is copied.
//!
//! Nothing is trusted: what is copied is checked against the digest that the index here names, and the very bytes that
//! were checked are written. An object takes its place in one step, once it is durable; what cannot be healed stays as
//! it is.
//!
//! Of what is sound, nothing is kept but what the survey keeps of shared claims, some 14 bytes each. An object that is
//! damaged takes about 300 bytes until all are healed, and its name, with what became of it, until the report.

use std::io;

use highwater_core::check::{Check, Verdict};
use highwater_core::claim::Claim;
use highwater_core::codec::Flow;
use highwater_core::formats::{ALL, pool_of};
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::key::Key;
use highwater_core::name::{Name, TEMPORARY};
use highwater_core::report::{Depth, Report};
use highwater_core::survey::{Options, Survey};

use crate::disk::like::Like;
use crate::disk::{self, Disk, Draft, Holds, What};
use crate::drive::{self, buffer, check_bytes};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::store::{Object, Store};
use crate::watch::Watch;

/// How to heal.
#[derive(Debug, Clone)]
pub struct HealOptions<'a> {
    /// What the repository or store is called in the report.
    pub label: &'a str,
    /// What opens encrypted chunks.
    pub key: Option<Key>,
    /// How deep to look for damage: at sizes only, what is missing or torn is healed, fast.
    pub depth: Depth,
    /// Say what would be done; write nothing.
    pub dry_run: bool,
    /// How many claims that do not hold are remembered at most, some 300 bytes each: what more there are is another
    /// run's.
    pub most: usize,
}

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is whole again; in a dry run it would be.
    Healed,
    /// It is not to be had whole: where, and why, as a clause.
    Left(String),
}

/// What was done, or in a dry run would be.
#[derive(Debug)]
pub struct HealSummary {
    /// Each object that was damaged, by name, in the order of names.
    pub objects: Vec<(String, Fate)>,
    /// What the verification found, before anything was healed.
    pub report: Report,
    /// How many encrypted objects could be judged by their checksums alone.
    pub shut: u64,
    /// How many objects could not be judged at all, as they are in a bucket alone.
    pub elsewhere: u64,
    /// How many claims more do not hold, whose objects were left to another run.
    pub more: u64,
}

/// Whether sets of a kind are healed: where indices name what they claim by digests, which is where sets are copied.
///
/// # Errors
/// The names of the kinds that are.
pub fn can(format: &dyn Format) -> Result<(), Vec<&'static str>> {
    let heals = |format: &&dyn Format| format.facts().parts.is_some();
    if heals(&format) {
        return Ok(());
    }
    Err(ALL.iter().copied().filter(heals).map(|format| format.facts().name).collect())
}

/// Verifies the repository or store `disk`, and heals what it can from another one that holds the same objects.
///
/// # Errors
/// When the repository cannot be locked or written, or the user interrupts.
pub fn heal(
    job: &HealOptions<'_>,
    format: &'static dyn Format,
    from: &dyn Store,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<HealSummary, Error> {
    if let Some(pool) = format.facts().pool {
        let pool = Name::new(pool.folder.as_bytes())?;
        if disk.look(Some(&pool)).map_err(Error::at("look at", disk, &pool))?.is_none() {
            let path = quoted(&disk.told(Some(&pool)));
            let what =
                format!("{path}, the folder of all chunks, is not there: mount it, or make it (mkdir), then heal");
            return Err(Error::cannot_start(what));
        }
    }
    let _lock = if job.dry_run { None } else { Some(lock::write(disk, format.facts().lock)?) };
    let options = Options::whole(format, job.label, job.depth);
    let survey = Survey::new(format.inspect(&Scope::new(Of::All).keyed(job.key.clone())), options);
    let mut damaged: Vec<Claim> = Vec::new();
    let (mut shut, mut elsewhere, mut more) = (0, 0, 0);
    let survey = drive::run(disk.as_store(), survey, job.depth, watch, &mut |claim, verdict| {
        match verdict {
            Verdict::Damaged(_) if damaged.len() < job.most => damaged.push(claim.clone()),
            Verdict::Damaged(_) => more += 1,
            Verdict::Sound | Verdict::Unreadable(_) | Verdict::Unverifiable(_) => {}
        }
        let is_shut = verdict.lacks_key();
        shut += u64::from(is_shut);
        elsewhere += u64::from(matches!(verdict, Verdict::Unverifiable(_)) && !is_shut);
    })?;
    damaged.sort_by(|a, b| a.object.cmp(&b.object));
    // Indices that disagree on an object claim it several times; one of them may be wrong.
    damaged.dedup_by(|a, b| a.object == b.object && a.expect == b.expect);
    let healing = Healing { job, from, disk, watch };
    let objects = damaged.iter().map(|claim| Ok((claim.object.to_string(), healing.one(claim)?)));
    let objects = objects.collect::<Result<Vec<_>, Error>>()?;
    if !job.dry_run {
        // Also what a run put in place that was killed a moment ago.
        disk.barrier(None).map_err(Error::of_folder("sync", disk, None))?;
        if let Some(pool) = format.facts().pool {
            let pool = Name::new(pool.folder.as_bytes())?;
            // It may be a mount of its own.
            if !disk.moves(None, Some(&pool)).map_err(Error::at("look at", disk, &pool))? {
                disk.barrier(Some(&pool)).map_err(Error::at("sync", disk, &pool))?;
            }
        }
    }
    Ok(HealSummary { objects, report: survey.finish(), shut, elsewhere, more })
}

/// Where what is damaged is looked for, and put.
#[derive(Clone, Copy)]
struct Healing<'a> {
    job: &'a HealOptions<'a>,
    from: &'a dyn Store,
    disk: &'a dyn Disk,
    watch: &'a Watch<'a>,
}

impl Healing<'_> {
    /// Heals one object, if the other repository has it whole.
    fn one(&self, claim: &Claim) -> Result<Fate, Error> {
        let Self { from, disk, watch, .. } = *self;
        let name = &claim.object;
        if let Some(folder) = name.folder()
            && disk.look(Some(&folder)).is_ok_and(|look| look.is_some_and(|look| look.what == What::File))
        {
            let what = format!("but '{folder}' is a file here, where a folder should be: move it away, and heal again");
            return Ok(Fate::Left(what));
        }
        // What a server set aside may be good after all: its disk may have failed to read it once.
        for aside in pool_of(name).iter().flat_map(|pool| pool.asides(name)) {
            if let Ok(source) = disk.open(&aside)
                && self.copy(claim, &*source)? == Fate::Healed
            {
                watch.notice(format!("'{aside}', which a server had set aside, is good, and is taken back"));
                return Ok(Fate::Healed);
            }
        }
        let there = |why| format!("in {}, {why}", quoted(&from.told(None)));
        Ok(match from.open(name) {
            Ok(source) => match self.copy(claim, &*source)? {
                Fate::Left(why) => Fate::Left(there(why)),
                healed => healed,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Fate::Left(there("it is not there".to_owned())),
            Err(error) => Fate::Left(there(format!("it cannot be read: {error}"))),
        })
    }

    /// Copies an object out of `source`, if that is it, and whole.
    fn copy(&self, claim: &Claim, source: &dyn Object) -> Result<Fate, Error> {
        let Self { job, disk, watch, .. } = *self;
        let name = &claim.object;
        let draft = if job.dry_run { None } else { Some(begin(name, disk, watch)?) };
        let mut check = Check::new(claim, Depth::Digest, job.key.as_ref());
        let (mut at, mut failed) = (0, None);
        let read = source.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
            watch.advance(piece.len() as u64);
            if let Some(draft) = &draft {
                failed = draft.file().write_at(at, piece).err();
            }
            at += piece.len() as u64;
            check.push(piece, &mut |_| {}) == Flow::Continue(()) && failed.is_none() && !watch.stopping()
        });
        let ended = match (failed, read) {
            (Some(error), _) => Err(Error::at("write", disk, name)(error)),
            (None, Err(error)) => Ok(Fate::Left(format!("it cannot be read: {error}"))),
            (None, Ok(_)) => watch.go_on().map(|()| match check.end() {
                Verdict::Sound => Fate::Healed,
                Verdict::Damaged(damage) => Fate::Left(format!("it is damaged there too: {damage}")),
                Verdict::Unreadable(fault) => Fate::Left(format!("it cannot be read: {fault}")),
                Verdict::Unverifiable(why) => Fate::Left(why.to_owned()),
            }),
        };
        let Some(draft) = draft.filter(|_| matches!(ended, Ok(Fate::Healed))) else { return ended };
        let there = disk.look(Some(name)).map_err(Error::at("look at", disk, name))?.is_some();
        // One that was lost is to be like the index that names it.
        let like = Like::in_place_of(disk, if there { name } else { &claim.index });
        let placed = like.and_then(|like| {
            _ = draft.give(&like)?;
            // Some formats keep the time of a file.
            source.kept()?.modified.map_or(Ok(()), |modified| draft.file().set_modified(modified))?;
            draft.file().sync()?;
            draft.publish_among(name)
        });
        if placed.map_err(Error::at("put in place", disk, name))? {
            return ended;
        }
        // Another heal, or a backup, put the object there at the same time; or somebody else put something else there.
        match check_bytes(disk.as_store(), claim, (Depth::Digest, job.key.as_ref()), watch, &mut |_| {})? {
            (Verdict::Sound, _) => ended,
            _ => Ok(Fate::Left("somebody else replaced it here at the same time, and it is not whole".to_owned())),
        }
    }
}

/// A new work file for an object, in a folder that may have to be made.
fn begin<'a>(name: &Name, disk: &'a dyn Disk, watch: &Watch<'_>) -> Result<Draft<'a>, Error> {
    if let Some(folder) = name.folder() {
        if disk.look(Some(&folder)).is_ok_and(|there| there.is_none()) {
            // A run that was killed may have been making it.
            let left = |last: &[u8]| disk::is_made(last).then_some(Holds::NOTHING);
            disk::clear_folders(disk, folder.folder().as_ref(), left, watch)?;
        }
        let made = || {
            if disk.look(Some(&folder))?.is_some() {
                return Ok(false);
            }
            let around = disk.look(folder.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
            disk::make_folder(disk, &folder, &Like::of(&around)).map(|()| true)
        };
        if !made().map_err(Error::at("make the folder", disk, &folder))? {
            // What a killed run left of this object.
            let left = |last: &[u8]| last.starts_with(name.last()) && last.ends_with(TEMPORARY.as_bytes());
            disk::clear(disk, Some(&folder), left, watch)?;
        }
    }
    Draft::of(disk, name, TEMPORARY).map_err(Error::at("write", disk, name))
}
