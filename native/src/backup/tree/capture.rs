//! `capture`: reads what is frozen, as far as it is not known, and sees to it that the pool has all of it.

use std::collections::{HashMap, HashSet};

use highwater_core::formats::tree::known::Known;
use highwater_core::formats::tree::names;
use highwater_core::mtree::Entry;
use highwater_core::name::Name;

use super::TreeOptions;
use super::known::{Before, recall};
use super::pool::{Pool, Sum};
use super::reading::{Kept, Reading, Wanted};
use super::since;
use super::source::{Changes, Frozen, Listed};
use super::twins::{Twins, twins};
use super::walk::{self, Found, Walked};
use crate::disk::Look;
use crate::error::Error;
use crate::watch::Watch;

/// A time that no file has: what changed then is not told apart from what changed since.
const NEVER: (i64, u32) = (i64::MIN, u32::MAX);

/// Permissions that let somebody write.
const WRITABLE: u32 = 0o222;

/// Permissions that let others than the owner read.
const READABLE: u32 = 0o044;

/// Permissions that let everybody through a folder.
const OPEN: u32 = 0o001;

/// Permissions that let whoever runs a file be somebody else: no object has them.
const SPECIAL: u32 = 0o7000;

/// What was captured of a source.
pub(super) struct Captured {
    /// What was found, in the order of a walk.
    pub(super) found: Vec<Found>,
    /// The files with several names among it.
    pub(super) twins: HashMap<usize, Twins>,
    /// What each file holds; none for what is no file, for further names of one, and for what could not be read.
    pub(super) sums: Vec<Option<Sum>>,
    /// Whether what is known of a file tells whether it changed since.
    times_tell: Vec<bool>,
    /// What the source itself is like.
    pub(super) top: Look,
    /// What is not in it, a sentence each.
    pub(super) left_out: Vec<String>,
    /// What is of the state and was not found.
    pub(super) gone: Vec<Name>,
    /// Files that changed while they were read, each time.
    pub(super) changed: Vec<Name>,
    /// What is taken from the point before.
    pub(super) kept: Vec<Entry>,
    /// The places of files that are objects themselves now.
    linked: Vec<usize>,
    /// How many files were read, and their bytes.
    pub(super) read: (u64, u64),
}

/// The folders that everybody may enter, and all around them, up to the source.
struct Open<'a> {
    top: bool,
    folders: HashSet<&'a Name>,
}

impl<'a> Open<'a> {
    /// Those among what was found, in the order of a walk.
    fn of(top: &Look, found: &'a [Found]) -> Self {
        let mut open = Self { top: top.mode & OPEN != 0, folders: HashSet::new() };
        for one in found.iter().filter(|one| one.is_folder() && one.look.mode & OPEN != 0) {
            if open.is_around(&one.name) {
                open.folders.insert(&one.name);
            }
        }
        open
    }

    /// Whether what lies under this name lies in one.
    fn is_around(&self, name: &Name) -> bool {
        self.top && name.folder().is_none_or(|folder| self.folders.contains(&folder))
    }
}

/// Reads what is frozen.
pub(super) fn capture(
    job: &TreeOptions,
    frozen: &mut Frozen,
    pool: &Pool<'_>,
    watch: &Watch<'_>,
) -> Result<Captured, Error> {
    let root = frozen.root.clone().ok_or_else(|| Error::failed("the source was let go of already"))?;
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
    let Walked { mut found, mut left_out, mut gone } = walked;
    left_out.append(&mut frozen.wrong);
    let lies_here = |one: &Found| frozen.elsewhere.iter().all(|file| file.within.path != one.name);
    let twins = twins(&found);
    since::renumber(&mut old, twins.values().map(|twins| twins.twin.group + 1).max().unwrap_or(1));
    let is_first = |at: usize| twins.get(&at).is_none_or(|twin| twin.first == at);
    let files: Vec<usize> =
        (0..found.len()).filter(|at| found[*at].is_file() && is_first(*at) && lies_here(&found[*at])).collect();
    let token = |one: &Found| frozen.tokens.get(&one.name).map(String::as_str);
    let before = recall(pool.disk(), files.iter().map(|at| &found[*at]), token, watch)?;
    // What the pool has lost is read again.
    let same: Vec<(usize, &Sum)> = before
        .iter()
        .enumerate()
        .filter_map(|(at, before)| if let Before::Same(sum) = before { Some((at, sum)) } else { None })
        .collect();
    let mut is_there = vec![false; files.len()];
    same.iter().for_each(|(at, _)| is_there[*at] = true);
    let sums: Vec<&Sum> = same.iter().map(|(_, sum)| *sum).collect();
    pool.lacks(&sums, watch)?.into_iter().for_each(|at| is_there[same[at].0] = false);
    let open = Open::of(&top, &found);
    let mut places = Vec::new();
    let mut wanted = Vec::new();
    for (at, before) in before.iter().enumerate().filter(|(at, _)| !is_there[*at]) {
        let one = &found[files[at]];
        let is_settled = (frozen.is_settled)(&one.name);
        let is_open = open.is_around(&one.name);
        // A link takes its permissions along: nobody may come to read it by that.
        let is_kept = is_open || one.look.mode & READABLE == 0;
        let is_plain = one.look.mode & SPECIAL == 0;
        let may_link = job.link && is_kept && is_plain && (one.look.mode & WRITABLE == 0 || is_settled);
        // What is gone from the pool is not likely to be there.
        let before = if matches!(before, Before::Same(_)) { Before::New } else { *before };
        wanted.push(Wanted { one, before, may_link, is_open, is_settled });
        places.push(files[at]);
    }
    watch.expect(wanted.iter().map(|wanted| wanted.one.look.length).sum());
    let kept = Reading::new(from, pool, &wanted, watch).run()?;
    let mut captured = Captured {
        sums: vec![None; found.len()],
        times_tell: vec![false; found.len()],
        found: Vec::new(),
        twins: HashMap::new(),
        top,
        left_out: Vec::new(),
        gone: Vec::new(),
        changed: Vec::new(),
        kept: old,
        linked: Vec::new(),
        read: (0, 0),
    };
    for (at, before) in before.into_iter().enumerate().filter(|(at, _)| is_there[*at]) {
        if let Before::Same(sum) = before {
            (captured.sums[files[at]], captured.times_tell[files[at]]) = (Some(sum), true);
        }
    }
    for (at, kept) in places.into_iter().zip(kept) {
        match kept {
            Kept::Whole { sum, look, has_changed, times_tell, is_linked } => {
                captured.linked.extend(is_linked.then_some(at));
                captured.read = (captured.read.0 + 1, captured.read.1.saturating_add(sum.0));
                let is_told = has_changed && frozen.changes != Changes::Expected;
                captured.changed.extend(is_told.then(|| found[at].name.clone()));
                (captured.sums[at], captured.times_tell[at]) = (Some(sum), times_tell);
                found[at].look = look;
            }
            Kept::Gone(_) if is_exact => gone.push(found[at].name.clone()),
            Kept::Not(why) | Kept::Gone(why) => left_out.push(format!("'{}' {why}", found[at].name)),
        }
    }
    for (at, twin) in &twins {
        found[*at].look = found[twin.first].look;
    }
    if let (Changes::BreakIt, Some(name)) = (frozen.changes, captured.changed.first()) {
        return Err(Error::failed(format!(
            "'{name}' changed while it was read, though the store was to be frozen; look who writes there, and run \
             again; no point was made"
        )));
    }
    Ok(Captured { found, twins, left_out, gone, ..captured })
}

/// What is said of an object that was there.
fn is_gone((_, digest): &Sum) -> Error {
    let name = names::object(digest).map(|name| name.to_string()).unwrap_or_default();
    Error::failed(format!(
        "'{name}' is gone, and it was there: look who removes objects, and run again; no point was made"
    ))
}

impl Captured {
    /// Looks once more whether every object is there that the point is to name. What is gone is read again, if the
    /// source still has it.
    pub(super) fn complete(&self, frozen: &Frozen, pool: &Pool<'_>, watch: &Watch<'_>) -> Result<(), Error> {
        let all: Vec<(&Found, &Sum)> =
            self.found.iter().zip(&self.sums).filter_map(|(one, sum)| Some((one, sum.as_ref()?))).collect();
        let sums: Vec<&Sum> = all.iter().map(|(_, sum)| *sum).collect();
        let lost = pool.lacks(&sums, watch)?;
        // What is taken from the point before was not read, and is not read now.
        let kept: Vec<Sum> = since::sums(&self.kept).collect();
        let gone = pool.lacks(&kept.iter().collect::<Vec<_>>(), watch)?;
        if let Some(at) = gone.first() {
            return Err(is_gone(&kept[*at]));
        }
        if lost.is_empty() {
            return Ok(());
        }
        let Some(root) = &frozen.root else { return Err(is_gone(all[lost[0]].1)) };
        let open = Open::of(&self.top, &self.found);
        let wanted = |at: &usize| {
            let one = all[*at].0;
            let (is_open, is_settled) = (open.is_around(&one.name), (frozen.is_settled)(&one.name));
            Wanted { one, before: Before::New, may_link: false, is_open, is_settled }
        };
        let wanted: Vec<Wanted<'_>> = lost.iter().map(wanted).collect();
        let kept = Reading::new(&**root, pool, &wanted, watch).run()?;
        pool.place(watch)?;
        pool.disk().barrier(None).map_err(Error::of_folder("sync", pool.disk(), None))?;
        let lost: Vec<&Sum> = lost.iter().map(|at| all[*at].1).collect();
        let gone = pool.lacks(&lost, watch)?;
        let is_same = |(kept, sum): (&Kept, &&Sum)| matches!(kept, Kept::Whole { sum: again, .. } if again == *sum);
        let other = kept.iter().zip(&lost).position(|pair| !is_same(pair));
        gone.first().copied().or(other).map_or(Ok(()), |at| Err(is_gone(lost[at])))
    }

    /// Looks at the files once more that are objects by a second name: that changed their times. One that changed
    /// otherwise, or is gone, is not known to the next run.
    pub(super) fn look_again(&mut self, frozen: &Frozen) {
        for at in std::mem::take(&mut self.linked) {
            let one = &mut self.found[at];
            let now = frozen.root.as_ref().and_then(|root| root.look(Some(&one.name)).ok().flatten());
            let told = |look: &Look| (look.identity, look.length, look.modified, look.mode, look.owner);
            match now.filter(|now| told(now) == told(&one.look)) {
                Some(now) => one.look = now,
                None => self.times_tell[at] = false,
            }
        }
    }

    /// What the next run should know of the files.
    pub(super) fn known<'a>(&'a self, tokens: &'a HashMap<Name, String>) -> impl Iterator<Item = Known> + 'a {
        self.found.iter().zip(&self.sums).zip(&self.times_tell).filter_map(|((one, sum), times_tell)| {
            let (length, digest) = sum.as_ref()?;
            let token = tokens.get(&one.name).map_or(Vec::new(), |token| token.clone().into_bytes());
            (*times_tell || !token.is_empty()).then_some(())?;
            Some(Known {
                name: one.name.clone(),
                length: *length,
                modified: one.look.modified,
                changed: if *times_tell { one.look.changed } else { NEVER },
                inode: one.look.identity.1,
                digest: digest.as_bytes().try_into().ok()?,
                token,
            })
        })
    }
}
