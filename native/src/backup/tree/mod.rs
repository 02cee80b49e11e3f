//! Backs up a folder into a set of points: each file becomes an object of the pool that is named by its SHA-256, and a
//! list names all that was there.
//!
//! The source is frozen (`source`), which is what makes its files one state, and walked (`walk`). Every file is read once:
//! it is hashed while it is written into the pool, and let go of when the pool has it (`objects`). Then the source is
//! thawed. All of that is made durable at once; every object is looked for once more; and then the list gets its name,
//! which is what makes a point of it. Whoever is killed before that leaves objects that the next run uses, or that
//! nobody names.
//!
//! A file that cannot be read is left out, and one that changes while it is read, however often that is tried, is kept
//! as it was found: either is said, in the list too, and the run does not end as if all were well. Whether the files of
//! a folder fit each other, nobody knows but the program that writes them.

mod objects;
mod since;
mod source;
mod walk;

use std::collections::HashMap;
use std::io;

use highwater_core::digest::Digest;
use highwater_core::formats::tree::{BYTES, TITLE, names};
use highwater_core::mtree::{Entry, SIGNATURE, Twin, push_line, seal};
use highwater_core::name::{Name, TEMPORARY, printable};
use highwater_core::node::{Meta, Node, NodeKind};
use rayon::prelude::*;

use crate::disk::like::Like;
use crate::disk::{Disk, Draft, Look, clear, is_any_draft, make_folder};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Identity;
use crate::watch::Watch;
use crate::{clock, lock};
use objects::{Kept, Objects};
pub use source::{
    Changes, DirStorage, Elsewhere, Exec, Folder, Frozen, Hook, Lack, Listed, Live, Set, Source, Zodb, ZodbOptions,
};
use walk::{Found, Walked};

/// How often a store is frozen that goes on from the state that it was frozen in.
const FREEZES: u32 = 5;

/// What the comment begins with that tells of something that is not in the point.
const LEFT_OUT: &str = "left out: ";

/// What the comment begins with that tells of a file that changed.
const CHANGED: &str = "changed while it was read: ";

/// What the comment begins with that keeps what a source calls its list; a quote ends it.
const TOKEN: &str = "token: '";

/// What to do.
#[derive(Debug, Clone, Default)]
pub struct TreeOptions {
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// The time of the point, in place of the clock's: `YYYY-MM-DD-hh-mm-ss`, UTC.
    pub now: Option<String>,
}

/// What was made, or in a dry run what would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeMade {
    /// The point.
    pub point: String,
    /// How many entries it has: folders, files and links.
    pub entries: u64,
    /// How many bytes its files have.
    pub bytes: u64,
    /// Objects that the pool did not have, and their bytes.
    pub new: (u64, u64),
    /// What is not in it, a sentence each.
    pub left_out: Vec<String>,
    /// Files that changed while they were read, each time.
    pub changed: Vec<Name>,
    /// What whoever relies on it should know, a sentence each.
    pub notes: Vec<String>,
    /// Why the source could not be thawed, though the point is whole.
    pub still_frozen: Option<String>,
}

/// What was read of a source.
struct Captured {
    found: Vec<Found>,
    twins: HashMap<usize, Twins>,
    sums: HashMap<usize, (u64, Digest)>,
    /// What the source itself is like.
    top: Look,
    left_out: Vec<String>,
    changed: Vec<Name>,
    /// What is taken from the point before.
    kept: Vec<Entry>,
    identity: Option<String>,
    /// What is of the state and was not found.
    gone: Vec<Name>,
    position: Option<String>,
    elsewhere: Vec<Elsewhere>,
    token: Option<String>,
}

/// Backs up a source into the set `to`.
///
/// # Errors
/// Whatever stands in the way; no point is made then.
pub fn backup(job: &TreeOptions, source: &mut dyn Source, to: &dyn Disk, watch: &Watch<'_>) -> Result<TreeMade, Error> {
    refuse_each_in_the_other(source.store(), to)?;
    let _lock = if job.dry_run { None } else { Some(prepare(to, watch)?) };
    let stamp = job.now.clone().map_or_else(clock::stamp, Ok)?;
    let point = names::point(&stamp).ok_or_else(|| Error::failed(format!("'{stamp}' is no time")))?;
    let kind = source.kind();
    let mut made = TreeMade { point, ..TreeMade::default() };
    let set = Set { disk: to, dry_run: job.dry_run, stamp: &stamp };
    let captured = hold(job, source, &set, &mut made, watch)?;
    let text = list(kind, &captured, &mut made)?;
    if !job.dry_run {
        let kept: Vec<(u64, Digest)> = since::sums(&captured.kept).collect();
        objects::complete(to, captured.sums.values().chain(&kept), watch)?;
        publish(to, &made.point, &text)?;
    }
    (made.left_out, made.changed) = (captured.left_out, captured.changed);
    Ok(made)
}

/// Freezes the source, reads it and thaws it, and that again where the store went on from what was frozen.
fn hold(
    job: &TreeOptions,
    source: &mut dyn Source,
    set: &Set<'_>,
    made: &mut TreeMade,
    watch: &Watch<'_>,
) -> Result<Captured, Error> {
    for _ in 0..FREEZES {
        let mut frozen = source.freeze(set, watch)?;
        made.notes = std::mem::take(&mut frozen.notes);
        let captured = capture(job, frozen, set.disk, watch);
        let captured = captured.and_then(|captured| source.held_still().map(|()| captured));
        let lack = match &captured {
            Ok((captured, _)) if !captured.gone.is_empty() => source.lacks(&captured.gone, watch),
            _ => Ok(Lack::Lost(Vec::new())),
        };
        let thawed = source.thaw(watch);
        let still_frozen = thawed.as_ref().err().map(ToString::to_string);
        let both = captured.and_then(|captured| Ok((captured, lack?)));
        let both = both.inspect_err(|_| still_frozen.iter().for_each(|why| watch.notice(why)))?;
        let ((mut captured, (count, length)), lack) = both;
        made.new = (made.new.0 + count, made.new.1 + length);
        match lack {
            Lack::Lost(what) => {
                made.still_frozen = still_frozen;
                captured.left_out.extend(what);
                return Ok(captured);
            }
            Lack::GoneOn => thawed?,
        }
    }
    let store = quoted(&source.store().told(None));
    Err(Error::failed(format!(
        "{store} has gone on from what was frozen each of {FREEZES} times, before all of it was read; run again when \
         less is done there; no point was made"
    )))
}

/// Reads what is frozen; gives how many objects are new, too, and how long they are together.
fn capture(
    job: &TreeOptions,
    mut frozen: Frozen,
    to: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<(Captured, (u64, u64)), Error> {
    let root = std::sync::Arc::clone(&frozen.root);
    let from = &*root;
    let top = from.look(None).map_err(Error::of_folder("look at", from, None))?;
    let top = top.ok_or_else(|| Error::failed("the source is gone"))?;
    let listed = std::mem::replace(&mut frozen.listed, Listed::All);
    let is_exact = !matches!(listed, Listed::All);
    let (mut walked, mut old) = match listed {
        Listed::All => (walk::walk(from, watch)?, Vec::new()),
        Listed::Those(names) => (walk::those(from, &names, watch)?, Vec::new()),
        Listed::Since { before, changed, gone } => since::look(from, before, &changed, &gone, watch)?,
    };
    walked.add(from, frozen.elsewhere.iter().map(|file| &file.within.path));
    let Walked { found, mut left_out, mut gone } = walked;
    left_out.append(&mut frozen.wrong);
    let twins = twins(&found);
    since::renumber(&mut old, twins.values().map(|twins| twins.twin.group + 1).max().unwrap_or(1));
    let lies_here = |one: &Found| frozen.elsewhere.iter().all(|file| file.within.path != one.name);
    let is_read = |at: usize| twins.get(&at).is_none_or(|twin| twin.first == at);
    let files = found.iter().enumerate().filter(|(at, one)| one.is_file() && is_read(*at) && lies_here(one));
    let files: Vec<(usize, &Found)> = files.collect();
    watch.expect(files.iter().map(|(_, one)| one.look.length).sum());
    let objects = Objects::new(from, to, job.dry_run);
    let kept =
        files.par_iter().map(|(at, one)| Ok((*at, objects.keep(one, watch)?))).collect::<Result<Vec<_>, Error>>()?;
    let mut sums: HashMap<usize, (u64, Digest)> = HashMap::new();
    let mut changed = Vec::new();
    for ((at, kept), (_, one)) in kept.into_iter().zip(&files) {
        match kept {
            Kept::Whole { length, digest, has_changed } => {
                let is_told = has_changed && frozen.changes != Changes::Expected;
                changed.extend(is_told.then(|| one.name.clone()));
                sums.insert(at, (length, digest));
            }
            Kept::Gone(_) if is_exact => gone.push(one.name.clone()),
            Kept::Not(why) | Kept::Gone(why) => left_out.push(format!("'{}' {why}", one.name)),
        }
    }
    if let (Changes::BreakIt, Some(name)) = (frozen.changes, changed.first()) {
        return Err(Error::failed(format!(
            "'{name}' changed while it was read, though the store was to be frozen; look who writes there, and run \
             again; no point was made"
        )));
    }
    let Frozen { identity, position, elsewhere, token, .. } = frozen;
    let captured =
        Captured { found, twins, sums, top, left_out, changed, gone, kept: old, identity, position, elsewhere, token };
    Ok((captured, objects.new_ones()))
}

/// Refuses a set in its own source, and a source in the set.
fn refuse_each_in_the_other(from: &dyn Disk, to: &dyn Disk) -> Result<(), Error> {
    let lies_in = |one: &dyn Disk, other: &dyn Disk| {
        let around = one.around().unwrap_or_default();
        other.identity(None).is_some_and(|other| around.contains(&other) || one.identity(None) == Some(other))
    };
    let (source, set) = (quoted(&from.told(None)), quoted(&to.told(None)));
    if lies_in(to, from) {
        return Err(Error::cannot_start(format!(
            "the set {set} lies in {source}, which would hold itself; name another place"
        )));
    }
    if lies_in(from, to) {
        return Err(Error::cannot_start(format!(
            "{source} lies in the set {set}: the source comes first, then the set"
        )));
    }
    Ok(())
}

/// Takes the set for this process, makes what an empty one lacks, and removes what interrupted runs left.
fn prepare(to: &dyn Disk, watch: &Watch<'_>) -> Result<crate::disk::Held, Error> {
    let held = lock::take(to, names::LOCK)?;
    let around = to.look(None).map_err(Error::of_folder("look at", to, None))?;
    let like = Like::of(&around.ok_or_else(|| Error::failed("the set is gone"))?);
    for folder in [names::OBJECTS, names::POINTS] {
        let name = Name::new(folder.as_bytes())?;
        if to.look(Some(&name)).map_err(Error::at("look at", to, &name))?.is_none() {
            make_folder(to, &name, &like).map_err(Error::at("make the folder", to, &name))?;
        }
    }
    let points = Name::new(names::POINTS.as_bytes())?;
    clear(to, Some(&points), |last| is_any_draft(last, TEMPORARY), watch)?;
    let objects = Name::new(names::OBJECTS.as_bytes())?;
    let mut folders = Vec::new();
    to.list(Some(&objects), &mut |entry| folders.push(entry.name)).map_err(Error::at("list", to, &objects))?;
    for folder in folders {
        clear(to, Some(&objects.join(folder.as_bytes())?), |last| is_any_draft(last, TEMPORARY), watch)?;
    }
    Ok(held)
}

/// Names of one file.
struct Twins {
    first: usize,
    twin: Twin,
}

/// The files that have several names in what was found, by their places there.
fn twins(found: &[Found]) -> HashMap<usize, Twins> {
    let mut by_file: HashMap<Identity, Vec<usize>> = HashMap::new();
    for (at, one) in found.iter().enumerate().filter(|(_, one)| one.is_file() && one.look.names > 1) {
        by_file.entry(one.look.identity).or_default().push(at);
    }
    let mut groups: Vec<Vec<usize>> = by_file.into_values().filter(|places| places.len() > 1).collect();
    groups.sort_unstable();
    let mut twins = HashMap::new();
    for (group, places) in groups.into_iter().enumerate() {
        let twin = Twin { group: group as u64 + 1, names: places.len() as u64, again: false };
        let first = places[0];
        twins.extend(places.into_iter().map(|at| (at, Twins { first, twin: Twin { again: at != first, ..twin } })));
    }
    twins
}

/// The list, sealed; counts what is in it.
fn list(kind: &str, captured: &Captured, made: &mut TreeMade) -> Result<String, Error> {
    let Captured { found, twins, sums, top, left_out, changed, kept, identity, position, elsewhere, token, .. } =
        captured;
    let lengths = sums.values().map(|(length, _)| *length).chain(since::sums(kept).map(|(length, _)| length));
    let lengths = lengths.chain(elsewhere.iter().map(|file| file.length));
    made.bytes = lengths.fold(0, u64::saturating_add);
    let store = identity.as_ref().map(|identity| format!(" {identity}")).unwrap_or_default();
    let at = position.as_ref().map(|position| format!(" · at {position}")).unwrap_or_default();
    let mut text =
        format!("{SIGNATURE}# {TITLE} · store {kind}{store}{at} · point {}{BYTES}{}\n", made.point, made.bytes);
    text.extend(token.iter().map(|token| format!("# {TOKEN}{token}'\n")));
    for what in left_out {
        text.push_str(&format!("# {LEFT_OUT}{}\n", printable(what.as_bytes())));
    }
    for name in changed {
        text.push_str(&format!("# {CHANGED}'{name}'\n"));
    }
    elsewhere.iter().for_each(|file| text.push_str(&file.within.line()));
    push_line(&Node { path: None, kind: NodeKind::Folder, meta: walk::meta(top) }, None, None, &mut text);
    made.entries = 1;
    let mut kept = kept.iter().peekable();
    let mut push = |entry: &Entry, text: &mut String| {
        push_line(&entry.node, entry.digest.as_ref(), entry.twin, text);
        made.entries += 1;
    };
    for (at, one) in found.iter().enumerate() {
        while let Some(entry) = kept.next_if(|entry| entry.node.path.as_ref().is_some_and(|path| *path < one.name)) {
            push(entry, &mut text);
        }
        let meta = walk::meta(&one.look);
        if let Some(file) = elsewhere.iter().find(|file| file.within.path == one.name) {
            // When its bytes changed last is not known of this state of it.
            let (kind, meta) = (NodeKind::File(file.length), Meta { modified: None, ..meta });
            let node = Node { path: Some(one.name.clone()), kind, meta };
            push(&Entry { node, digest: None, twin: None }, &mut text);
            continue;
        }
        let twin = twins.get(&at);
        let sum = sums.get(&twin.map_or(at, |twin| twin.first));
        let kind = match (&one.link, sum) {
            (Some(link), _) => NodeKind::Link(link.clone()),
            (None, Some((length, _))) => NodeKind::File(*length),
            (None, None) if one.is_file() => continue,
            (None, None) => NodeKind::Folder,
        };
        let node = Node { path: Some(one.name.clone()), kind, meta };
        push(&Entry { node, digest: sum.map(|(_, digest)| *digest), twin: twin.map(|twin| twin.twin) }, &mut text);
    }
    kept.for_each(|entry| push(entry, &mut text));
    seal(&mut text);
    Ok(text)
}

/// Gives a point its name.
fn publish(to: &dyn Disk, point: &str, text: &str) -> Result<(), Error> {
    let name = names::list(point).ok_or_else(|| Error::failed(format!("'{point}' is no point")))?;
    let folder = name.folder();
    let write = || {
        let around = to.look(folder.as_ref())?.ok_or(io::ErrorKind::NotFound)?;
        let draft = Draft::of(to, &name, TEMPORARY)?;
        draft.file().write_at(0, text.as_bytes())?;
        // It tells of files that not everybody may see.
        _ = draft.give(&Like::new_in(&around).with_mode(0o600))?;
        draft.file().sync()?;
        draft.publish_new(&name)?;
        to.sync_folder(folder.as_ref())
    };
    write().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::failed(format!("there is a point {point} already, made in this very second; run again"))
        }
        _ => Error::at("write", to, &name)(error),
    })
}

/// How a file of the pool is read: by whoever may read its source, if that is everybody.
fn like_object(around: &Look, source: &Look) -> Like {
    Like::new_in(around).with_mode(if source.mode & 0o444 == 0o444 { 0o444 } else { 0o400 })
}
