//! Replicates a set: a survey of the source whose claims are copied, each checked as it arrives.
//!
//! 1. The source's indices are copied into a hidden folder of the replica, or are there already: so nothing that is
//!    written or pruned in the source meanwhile is seen in part (`catalogue`).
//! 2. They must be those of the replica, or go on where those end (`history`).
//! 3. They are surveyed. What they claim and the replica lacks is read from the source, checked, and put in place once
//!    it is durable (`fetch`, `place`).
//! 4. What is damaged in the source, or cannot be read, is not copied, and no index that names it. All others get their
//!    names, those of the lowest order first, each order after all before it is durable (`withheld`).
//!
//! So whatever has a name in the replica is whole, at any moment. A run that was ended is gone on with by the next.
//! When the source is pruned meanwhile, it is begun once more, and then given up. No point of the replica is removed,
//! and no bytes are: a file goes only when the same bytes have another name by now (`moved`).
//!
//! What is kept in memory: the names of the indices, what the survey keeps of shared claims, some 14 bytes each, and
//! the names of what is damaged; of a set whose files change their names also two hashes a claim, and two names of each
//! file in whose place something else is.

mod below;
mod catalogue;
mod fetch;
mod history;
mod live;
mod moved;
mod place;
mod survey;
mod withheld;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use highwater_core::facts::{Lock, Shape};
use highwater_core::finding::Code;
use highwater_core::formats;
use highwater_core::inspect::{Entry, Format, Kind, Of, Scope};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::part::{Change, Part, Parts};
use highwater_core::report::{Depth, Note, Set, Soundness};
use highwater_core::survey::{Options, Survey};

use crate::disk::like::Like;
use crate::disk::{Disk, Held, Inode};
use crate::error::{Class, Error};
use crate::lock;
use crate::shown::quoted;
use crate::store::{Kept, Store};
use crate::watch::Watch;
use below::Below;
use catalogue::{Catalogue, Copy};
use fetch::Fetch;
use place::Placing;
use survey::{Found, survey};
use work::Work;

pub use fetch::LONG;
pub use live::{Checkpoint, Here, StoreOptions, StoreSummary, There, replicate_store};

/// How to replicate.
#[derive(Debug, Clone)]
pub struct ReplicateOptions<'a> {
    /// What the source is called in the report.
    pub label: &'a str,
    /// What opens encrypted chunks.
    pub key: Option<Key>,
    /// Read what the replica has, too, and fetch anew what is not whole.
    pub check: bool,
    /// It is a replica of this source although the two have no point in common.
    pub related: bool,
    /// Say what would be copied; write nothing.
    pub dry_run: bool,
}

/// What was done, or in a dry run would be.
#[derive(Debug)]
pub struct ReplicateSummary {
    /// Objects that were copied.
    pub objects: u64,
    /// Their bytes: as stored; in a dry run, as claimed.
    pub bytes: u64,
    /// Objects that the replica had.
    pub had: u64,
    /// Objects that were copied and that nothing could judge: no digest is on record, or no key at hand.
    pub unproven: u64,
    /// Index files that were published.
    pub indices: u64,
    /// Index files that were not, as something that they name is not whole.
    pub withheld: Vec<Name>,
    /// Points that are not carried over.
    pub lost: Vec<String>,
    /// Points that only the replica has.
    pub gone: Vec<String>,
    /// The points of the source.
    pub points: Vec<String>,
    /// What was found in the source: a sample, and the names of all codes.
    pub findings: Vec<Note>,
    /// See there.
    pub codes: BTreeSet<String>,
}

/// Why one attempt came to no end.
enum Stop {
    /// The source changed; why it seems so.
    Moved(String),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Makes the set `to` have what the set `from` has.
///
/// # Errors
/// It is a replica of something else, another run writes there, the source changes all the time, something cannot be
/// read or written, or the user interrupts. Damage in the source is none.
pub fn replicate(
    job: &ReplicateOptions<'_>,
    format: &'static dyn Format,
    from: &dyn Store,
    to: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<ReplicateSummary, Error> {
    let name = format.facts().name;
    let Some(parts) = format.facts().parts else {
        let what = format!(
            "sets of kind {name} are not copied file by file: `highwater replicate --checkpoint` copies a live store"
        );
        return Err(Error::Refused { class: Class::Usage, what });
    };
    apart(from, to)?;
    is_free(format, parts, from, to)?;
    let (work, _held) = if job.dry_run { None } else { Some(Work::begin(to, watch)?) }.unzip();
    if let Some(work) = &work {
        work.empty(true)?;
    }
    if let (Some(work), Some(pool)) = (&work, format.facts().pool) {
        _ = place::make_folder(to, &Name::new(pool.folder.as_bytes())?, &|| work.name())?;
    }
    let _lock = work.as_ref().map(|work| locked(format.facts().lock, to, work)).transpose()?;
    let mut resumes = true;
    let mut done = Err(Stop::Moved(String::new()));
    for _ in 0..2 {
        if let Some(work) = &work {
            work.empty(resumes)?;
        }
        done = once(job, (format, parts), (from, to), work.as_ref(), watch);
        match &done {
            Err(Stop::Moved(why)) => watch.notice(format!("{why}; beginning once more")),
            _ => break,
        }
        resumes = false;
    }
    if let Some(work) = work {
        // The next run goes on with what could not be read to its end.
        let is_unread = |done: &ReplicateSummary| done.codes.contains(Code::Unreadable.name());
        work.end(done.as_ref().map_or(true, is_unread));
    }
    done.map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Moved(why) => {
            let from = quoted(&from.told(None));
            Error::failed(format!("{from} changes while it is copied: {why}; run again when that has ended"))
        }
    })
}

/// Neither lies in the other.
fn apart(from: &dyn Store, to: &dyn Disk) -> Result<(), Error> {
    let around = |store: &dyn Store| store.around().map_err(Error::of_folder("look at", store, None));
    let (of_from, of_to) = (around(from)?, around(to.as_store())?);
    let within = |inner: &[_], outer: &[_]| outer.first().is_some_and(|outer| inner.contains(outer));
    // Of far roots there are only their names.
    let (name_of_from, name_of_to) = (from.told(None), to.told(None));
    let named = of_from.is_empty()
        && of_to.is_empty()
        && (name_of_from.starts_with(&name_of_to) || name_of_to.starts_with(&name_of_from));
    if named || within(&of_to, &of_from) || within(&of_from, &of_to) {
        let (from, to) = (quoted(&from.told(None)), quoted(&to.told(None)));
        return Err(Error::cannot_start(format!("{from} and {to} lie in each other, or are the same folder")));
    }
    Ok(())
}

/// What lies at the top.
fn listed(store: &dyn Store) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    store.list(None, &mut |entry| entries.push(entry)).map(|()| entries)
}

/// The replica is empty, or of this kind, or what an interrupted first run left.
fn is_free(format: &dyn Format, parts: Parts, from: &dyn Store, to: &dyn Disk) -> Result<(), Error> {
    let there = listed(to.as_store()).map_err(Error::cannot_list(to.as_store()))?;
    if format.recognise(&there) {
        return Ok(());
    }
    let of_source: BTreeSet<Name> =
        listed(from).map_err(Error::cannot_list(from))?.into_iter().map(|entry| entry.name).collect();
    let pool = format.facts().pool.map_or("", |pool| pool.folder);
    let known = |entry: &&Entry| {
        let name = entry.name.as_bytes();
        let is_ours = name.starts_with(work::FOLDER.as_bytes()) || name == format.facts().lock.name().as_bytes();
        let is_part = parts(&entry.name, entry.kind == Kind::Folder) != Part::Not;
        is_ours || name == pool.as_bytes() || is_part && of_source.contains(&entry.name)
    };
    match there.iter().find(|entry| !known(entry)) {
        None => Ok(()),
        Some(other) => Err(Error::cannot_start(format!(
            "{} holds '{}' and is no set of kind {}: name a new or an empty folder",
            quoted(&to.told(None)),
            other.name,
            format.facts().name
        ))),
    }
}

/// Keeps writers away from the replica. A lock file that all hold together is made when it is not there.
fn locked(lock: Lock, to: &dyn Disk, work: &Work<'_>) -> Result<Held, Error> {
    let name = Name::new(lock.name().as_bytes())?;
    if let Some(folder) = name.folder() {
        _ = place::make_folder(to, &folder, &|| work.name())?;
    }
    let look = |name| to.look(name).map_err(Error::of_folder("look at", to, name));
    if let (Lock::Together(_), None, Some(root)) = (lock, look(Some(&name))?, look(None)?) {
        let make = || {
            let work = work.name()?;
            _ = Like::new_in(&root).give(&*to.create(&work)?)?;
            match to.rename_new(&work, &name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                made => made,
            }
        };
        make().map_err(Error::at("make", to, &name))?;
    }
    lock::write(to, lock)
}

/// Gives a file that was copied its owner, permissions and time.
fn copied(file: &dyn Inode, like: &Like, kept: Kept) -> io::Result<()> {
    _ = like.give(file)?;
    kept.modified.map_or(Ok(()), |modified| file.set_modified(modified))
}

/// One attempt.
fn once(
    job: &ReplicateOptions<'_>,
    (format, parts): (&'static dyn Format, Parts),
    (from, to): (&dyn Store, &dyn Disk),
    work: Option<&Work<'_>>,
    watch: &Watch<'_>,
) -> Result<ReplicateSummary, Stop> {
    let mut catalogue = Catalogue::freeze((from, to, parts), (work, job.check), watch)?;
    history::compare(&mut catalogue, job.related)?;
    let catalogue = &catalogue;
    if let (Some(pool), Some(_)) = (format.facts().pool, work) {
        let pool = Name::new(pool.folder.as_bytes()).map_err(Error::from)?;
        let there = to.look(Some(&pool)).map_err(Error::at("look at", to, &pool))?;
        if there.is_some() && !to.moves(None, Some(&pool)).map_err(Error::at("look at", to, &pool))? {
            let path = quoted(&to.told(Some(&pool)));
            let what = format!("{path} is a mount of its own: a replica is written only where it lies on one");
            return Err(Error::cannot_start(what).into());
        }
    }
    let fetch = Fetch::new(catalogue, work, (job.key.as_ref(), job.check), watch)?;
    let mut placing = work.map(|work| Placing::new(catalogue, work));
    let mut found = Found::default();
    let mut withheld = BTreeSet::new();
    // What points of the set are made of comes before them.
    let within = within(catalogue, format);
    let mut reports = Vec::new();
    for (folder, format) in within.iter().cloned().chain([(None, format)]) {
        let job = Survey::new(
            format.inspect(&Scope::new(Of::All).keyed(job.key.clone())),
            Options::whole(format, job.label, Depth::Digest),
        );
        let below = Below { store: &fetch, folder: folder.clone() };
        let report = survey(job, &below, &mut placing, &mut found, watch)?.finish();
        if found.stale || !found.bad.is_empty() && catalogue.has_moved()? {
            return Err(Stop::Moved("what was to be copied is not there any more, or is another".to_owned()));
        }
        withheld.append(&mut found.bad);
        let below = Below { store: catalogue, folder };
        withheld::add(&below, format, &report, fetch.key, &mut withheld, watch)?;
        if let Some(placing) = &mut placing {
            placing.settle(&withheld)?;
        }
        reports.push(report);
    }
    // Lists that name points of other repositories say nothing of the indices there.
    let of_others = |name: &Name| within.iter().any(|(folder, _)| *folder == name.folder());
    if withheld.iter().any(|name| of_others(name) && catalogue.items.contains_key(name)) {
        withheld.extend(catalogue.items.keys().cloned());
    }
    history::are_the_same(catalogue, &withheld)?;
    let report = reports.pop().ok_or_else(|| Error::failed("nothing was surveyed"))?;
    let worse = reports.iter_mut().flat_map(|report| report.findings.drain(..));
    let findings = report.findings.iter().cloned().chain(worse).collect();
    let codes = reports.iter().chain([&report]).flat_map(|report| report.tallies.keys().cloned()).collect();
    let is_publishable = |name: &Name| !withheld.contains(name);
    let mut indices: BTreeMap<u8, Vec<(&Name, &Name)>> = BTreeMap::new();
    for (name, item) in &catalogue.items {
        if let (Copy::New(work), false, true) = (&item.copy, item.stays, is_publishable(name)) {
            indices.entry(item.index.order).or_default().push((work, name));
        }
    }
    let far = || catalogue.items.iter().filter(|(name, item)| !item.stays && is_publishable(name));
    let mut published = far().filter(|(_, item)| matches!(item.copy, Copy::Far)).count() as u64;
    if let Some(placing) = &mut placing {
        placing.close()?;
        if withheld.is_empty() {
            if indices
                .values()
                .flatten()
                .any(|(_, name)| catalogue.items.get(*name).is_some_and(|item| item.index.whole))
            {
                moved::clear(catalogue, format, watch)?;
            }
            placing.replace()?;
        }
        for files in indices.values() {
            watch.go_on()?;
            // The files themselves are to be durable, too.
            placing.barrier()?;
            for (work, name) in files {
                placing.put(work, name)?;
                published += 1;
            }
        }
        placing.close()?;
    }
    let of_source: BTreeSet<&str> = report.sets.iter().map(|set| &*set.name).collect();
    let of_replica = points(to, format)?;
    let gone = of_replica.iter().filter(|name| !of_source.contains(&***name)).cloned().collect();
    let is_lost = |set: &&Set| match work {
        None => set.verdict == Soundness::Damaged,
        Some(_) => !of_replica.contains(&set.name),
    };
    let lost = report.sets.iter().filter(is_lost).map(|set| set.name.clone()).collect();
    let Found { copied, bytes, unproven, had, .. } = found;
    Ok(ReplicateSummary {
        objects: copied,
        bytes,
        had,
        unproven,
        indices: published,
        withheld: withheld.into_iter().filter(|name| catalogue.items.contains_key(name)).collect(),
        lost,
        gone,
        points: report.sets.into_iter().map(|set| set.name).collect(),
        findings,
        codes,
    })
}

/// The other repositories in a set: those that have indices that grow, in a folder.
fn within(catalogue: &Catalogue<'_>, format: &'static dyn Format) -> Vec<(Option<Name>, &'static dyn Format)> {
    let grows = catalogue.items.iter().filter(|(_, item)| item.index.change == Change::Grows);
    let folders: BTreeSet<Name> = grows.filter_map(|(name, _)| name.folder()).collect();
    let kind = |folder: &Name| {
        let mut entries = Vec::new();
        catalogue.list(Some(folder), &mut |entry| entries.push(entry)).ok()?;
        formats::recognise(&entries).find(|format| format.facts().shape == Shape::Append)
    };
    let others = folders.into_iter().filter_map(|folder| kind(&folder).map(|kind| (Some(folder), kind)));
    others.filter(|_| format.facts().shape != Shape::Append).collect()
}

/// The points of the replica, which is none yet where nothing was published.
fn points(to: &dyn Disk, format: &'static dyn Format) -> Result<BTreeSet<String>, Error> {
    if !format.recognise(&listed(to.as_store()).map_err(Error::of_folder("list", to.as_store(), None))?) {
        return Ok(BTreeSet::new());
    }
    let mut inspect = format.inspect(&Scope::new(Of::Catalogue));
    let mut points = BTreeSet::new();
    withheld::each(&mut *inspect, to.as_store(), &mut |batch| {
        points.extend(batch.sets.drain(..).map(|set| set.name));
    })?;
    Ok(points)
}
