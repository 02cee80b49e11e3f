//! `There`: what an old tree holds of a point, and what it holds that the point does not.

use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Extent};
use highwater_core::codec::Codec;
use highwater_core::name::Name;
use highwater_core::render::thousands;

use super::Run;
use super::compare;
use super::draft::TreeDraft;
use super::meta::{self, Unrecorded};
use super::plan::{File, Is};
use crate::disk::{Disk, Held, Look, What, first_mount};
use crate::drive::{self, Sink};
use crate::error::Error;
use crate::restore::target::holds;
use crate::shown::quoted;
use crate::store::Identity;

/// Claims that are checked at a time.
const TOGETHER: usize = 4096;

/// An old tree.
pub(super) struct There<'p> {
    /// Which folder it is.
    pub(super) identity: Identity,
    /// What is in it, reached by its descriptor.
    inside: Box<dyn Disk>,
    /// It, held, so that no other restore replaces it.
    _held: Held,
    /// Files that are right, and have come over where a new tree was begun.
    pub(super) kept: HashSet<&'p Name>,
    /// What is not in the point.
    pub(super) foreign: Foreign,
    /// Files of the right length.
    candidates: Vec<Candidate<'p>>,
    /// Entries of which everything is right, but for what files hold.
    right: usize,
    /// Entries beside files that are what they should be.
    same: HashSet<&'p Name>,
    /// Entries that have other permissions, owners or times than those on record.
    unset: HashSet<&'p Name>,
    is_top_right: bool,
    /// Files that are right and could not come over.
    stay: HashSet<&'p Name>,
    /// What entries have of which not everything is on record.
    pub(super) unrecorded: Unrecorded,
}

/// Entries that the point does not have, or has otherwise.
#[derive(Default)]
pub(super) struct Foreign {
    pub(super) count: u64,
    /// The first in the order of their names, and what is wrong with it.
    first: Option<(Name, &'static str)>,
    /// Those that go with whatever is in them.
    gone: Vec<Name>,
}

impl Foreign {
    fn note(&mut self, path: &Name, why: &'static str) {
        self.count += 1;
        if self.first.as_ref().is_none_or(|(first, _)| path < first) {
            self.first = Some((path.clone(), why));
        }
    }

    fn note_gone(&mut self, path: &Name, why: &'static str) {
        self.note(path, why);
        self.gone.push(path.clone());
    }
}

pub(super) struct Candidate<'p> {
    pub(super) path: &'p Name,
    pub(super) file: &'p File,
    identity: Identity,
    /// It has the names that the point gives it, and no other, and nobody writes it who is not to.
    is_ours: bool,
    is_right: bool,
    names: u64,
}

/// Takes everything and keeps nothing: a look at bytes that lie where they belong.
struct Nowhere;

impl Sink for Nowhere {
    fn put(&self, _: u64, _: &[u8], _: bool) -> Result<(), Error> {
        Ok(())
    }
}

/// Looks at every name below the target, and at nothing that files hold.
pub(super) fn what_is_there<'p>(run: &Run<'p>) -> Result<There<'p>, Error> {
    let Run { plan, to, target, .. } = *run;
    let busy = || {
        let path = quoted(&to.told(Some(target)));
        Error::cannot_start(format!("another restore is at work on {path}; run again when it has ended"))
    };
    let told = |doing| Error::at(doing, to, target);
    let held = to.hold(Some(target)).map_err(told("hold"))?.ok_or_else(busy)?;
    let inside = to.beneath(target).map_err(told("open"))?;
    let gone = || Error::failed(format!("{} is gone", quoted(&to.told(Some(target)))));
    let (top, user) = (inside.look(None).map_err(told("look at"))?.ok_or_else(gone)?, to.user());
    let mut there = There {
        identity: top.identity,
        inside,
        _held: held,
        kept: HashSet::new(),
        foreign: Foreign::default(),
        candidates: Vec::new(),
        right: 0,
        same: HashSet::new(),
        unset: HashSet::new(),
        is_top_right: meta::is_right(&plan.top, &top, user),
        stay: HashSet::new(),
        unrecorded: Unrecorded::within(top.owner, user),
    };
    there.unrecorded.note(None, &plan.top, &top);
    let mut hard: HashMap<&Name, Vec<(&Name, Look)>> = HashMap::new();
    let mut folders: Vec<Option<Name>> = vec![None];
    while let Some(folder) = folders.pop() {
        run.watch.go_on()?;
        let mut names = Vec::new();
        let listed = there.inside.list(folder.as_ref(), &mut |entry| names.push(entry.name));
        listed.map_err(Error::of_folder("list", &*there.inside, folder.as_ref()))?;
        for last in names {
            let name = folder.as_ref().map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()))?;
            let look = there.inside.look(Some(&name)).map_err(Error::at("look at", &*there.inside, &name))?;
            let Some(look) = look else { continue };
            if there.inside.is_mount(&name).map_err(Error::at("look at", &*there.inside, &name))? {
                return Err(is_mounted(&*there.inside, &name));
            }
            let Some((path, entry)) = plan.entries.get_key_value(&name) else {
                there.foreign.note_gone(&name, "it is not in the point");
                continue;
            };
            let is_right = meta::is_right(&entry.meta, &look, user);
            there.unrecorded.note(Some(path), &entry.meta, &look);
            if !is_right {
                there.unset.insert(path);
            }
            match (&entry.what, look.what) {
                (Is::Folder, What::Folder) => {
                    there.right += usize::from(is_right);
                    there.same.insert(path);
                    folders.push(Some(path.clone()));
                }
                (Is::Link(text), What::Link) => {
                    let leads = there.inside.leads_to(&name);
                    if leads.is_some_and(|leads| leads.as_os_str().as_bytes() == text) {
                        there.right += usize::from(is_right);
                        there.same.insert(path);
                    } else {
                        there.foreign.note(path, "it leads elsewhere");
                    }
                }
                (Is::File(file), What::File) if look.length == file.length() => {
                    let (identity, names) = (look.identity, look.names);
                    let is_ours = meta::may_stay(&entry.meta, &look, user);
                    there.candidates.push(Candidate { path, file, identity, is_ours, is_right, names });
                }
                (Is::File(_), What::File) => there.foreign.note(path, "it has another length"),
                (Is::Hard(of), What::File) => hard.entry(of).or_default().push((path, look)),
                _ => there.foreign.note_gone(path, "it is something else"),
            }
        }
    }
    there.refuse_mounts(run)?;
    for candidate in &mut there.candidates {
        let others = hard.remove(candidate.path).unwrap_or_default();
        let (same, other): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, look)| look.identity == candidate.identity);
        candidate.is_ours &= candidate.names == 1 + same.len() as u64;
        if candidate.is_ours {
            there.right += same.len();
            there.same.extend(same.iter().map(|(path, _)| *path));
        }
        other.iter().for_each(|(path, _)| there.foreign.note(path, "it is a file of its own"));
    }
    hard.into_values().flatten().for_each(|(path, _)| there.foreign.note(path, "it is a file of its own"));
    Ok(there)
}

/// The tree is replaced as a whole, so a mount in it would go along, and what lies there with it.
fn is_mounted(disk: &dyn Disk, name: &Name) -> Error {
    let path = quoted(&disk.told(Some(name)));
    Error::cannot_start(format!(
        "something is mounted on {path}, and a restore replaces the whole folder around it: unmount that, or restore to \
         another folder"
    ))
}

impl<'p> There<'p> {
    /// Refuses to give up folders in which something is mounted.
    fn refuse_mounts(&self, run: &Run<'_>) -> Result<(), Error> {
        for name in self.foreign.gone.iter().filter(|_| run.job.full) {
            run.watch.go_on()?;
            let mount = first_mount(&*self.inside, name).map_err(Error::at("look at", &*self.inside, name))?;
            mount.map_or(Ok(()), |mount| Err(is_mounted(&*self.inside, &mount)))?;
        }
        Ok(())
    }

    /// Refuses to go on when something is there that the point does not have, unless it may be given up.
    pub(super) fn refuse_foreign(&self, run: &Run<'_>) -> Result<(), Error> {
        let Some((first, why)) = self.foreign.first.as_ref().filter(|_| !run.job.full) else { return Ok(()) };
        let path = quoted(&run.to.told(Some(run.target)));
        let more = match self.foreign.count {
            1 => String::new(),
            count => format!(" (and {} more)", thousands(count - 1)),
        };
        Err(Error::cannot_start(format!(
            "{path} holds what {} does not: '{first}', {why}{more}; name another folder, or give it up with --full",
            run.plan.point
        )))
    }

    /// What goes with whatever is in it.
    pub(super) fn gone(&self) -> impl Iterator<Item = &Name> {
        self.foreign.gone.iter()
    }

    /// A folder, link or other name of a file is what it should be.
    pub(super) fn is_same(&self, path: &Name) -> bool {
        self.same.contains(path)
    }

    /// An entry has other permissions, another owner or another time than those on record.
    pub(super) fn is_unset(&self, path: &Name) -> bool {
        self.unset.contains(path)
    }

    /// The old tree is what the point has, to the last byte.
    pub(super) fn is_all(&self, run: &Run<'_>) -> bool {
        let is_sound = |candidate: &&Candidate<'_>| {
            candidate.is_ours
                && candidate.is_right
                && (self.kept.contains(candidate.path) || self.stay.contains(candidate.path))
        };
        let files = self.candidates.iter().filter(is_sound).count();
        self.foreign.count == 0 && self.is_top_right && self.right + files == run.plan.entries.len()
    }

    /// Looks at what the files hold, where they are.
    pub(super) fn look_in_place(&mut self, run: &Run<'p>) -> Result<(), Error> {
        let broken = broken(run, &*self.inside, self.candidates.iter())?;
        for candidate in &self.candidates {
            let sound = if candidate.is_ours { &mut self.kept } else { &mut self.stay };
            sort(candidate.path, &broken, sound, &mut self.foreign);
        }
        Ok(())
    }

    /// Gives every file that is right a name in the new tree, where nobody else can put another in its place, and
    /// looks at what it holds there. A file that cannot have another name, or has one that the point does not know,
    /// is written anew.
    pub(super) fn take_over(&mut self, run: &Run<'p>, draft: &TreeDraft<'_>) -> Result<(), Error> {
        let new = &*draft.inside;
        let (mut over, mut stay) = (Vec::new(), Vec::new());
        for candidate in &self.candidates {
            run.watch.go_on()?;
            if !candidate.is_ours || !draft.link(candidate.path)? {
                stay.push(candidate);
                continue;
            }
            match new.look(Some(candidate.path)).map_err(Error::at("look at", new, candidate.path))? {
                Some(look) if look.identity == candidate.identity && look.names == candidate.names + 1 => {
                    over.push(candidate);
                }
                other => {
                    if other.is_some() {
                        new.remove(candidate.path).map_err(Error::at("remove", new, candidate.path))?;
                    }
                    stay.push(candidate);
                }
            }
        }
        let (broken_over, broken_there) =
            (broken(run, new, over.iter().copied())?, broken(run, &*self.inside, stay.iter().copied())?);
        for candidate in over {
            if broken_over.contains_key(candidate.path) {
                new.remove(candidate.path).map_err(Error::at("remove", new, candidate.path))?;
            }
            sort(candidate.path, &broken_over, &mut self.kept, &mut self.foreign);
        }
        stay.iter().for_each(|candidate| sort(candidate.path, &broken_there, &mut self.stay, &mut self.foreign));
        Ok(())
    }
}

/// Counts a file among those that are sound, or as foreign.
fn sort<'p>(path: &'p Name, broken: &Broken, sound: &mut HashSet<&'p Name>, foreign: &mut Foreign) {
    match broken.get(path) {
        Some(why) => foreign.note(path, why),
        None => _ = sound.insert(path),
    }
}

/// Files that do not hold what the point has, or cannot be read, each with which of these it is.
type Broken = HashMap<Name, &'static str>;

/// Which of these files hold other bytes than the point has, as far as they can be read.
fn broken<'c>(
    run: &Run<'_>,
    inside: &dyn Disk,
    files: impl Iterator<Item = &'c Candidate<'c>> + Clone,
) -> Result<Broken, Error> {
    let Run { plan, watch, .. } = *run;
    let key = plan.key.as_ref();
    watch.expect(files.clone().map(|candidate| candidate.file.length()).sum());
    let broken = Mutex::new(Broken::new());
    let note = |object: &Name, why| {
        broken.lock().unwrap_or_else(PoisonError::into_inner).insert(object.clone(), why);
    };
    let settled = |claim: &Claim, verdict: Verdict| {
        match verdict {
            Verdict::Sound => {}
            Verdict::Unreadable(_) => note(&claim.object, "it cannot be read"),
            Verdict::Damaged(_) | Verdict::Unverifiable(_) => note(&claim.object, "it holds other bytes"),
        }
        Ok(())
    };
    let mut some = Vec::new();
    let check =
        |some: &mut Vec<Claim>| drive::write((inside.as_store(), None), some.split_off(0), &Nowhere, watch, &settled);
    let mut shared = Vec::new();
    for candidate in files {
        let Candidate { path, file, .. } = candidate;
        for claim in plan.claims_of(file) {
            let target = claim.target();
            let is_within = file.span.start <= target.start && target.end <= file.span.end;
            if !is_within {
                // Its digest covers bytes that lie elsewhere.
                shared.push(candidate);
                continue;
            }
            let at = target.start - file.span.start;
            let claim = Claim { extent: Some(Extent { path: None, at }), ..claim.clone() };
            if claim.codec.suffix(key).is_empty() {
                let (range, object) = (Some(claim.target()), (*path).clone());
                some.push(Claim { object, range, codec: Codec::Plain, marks: None, ..claim });
            } else {
                // The digest covers more than the bytes.
                let opened = inside.open(path).map_err(Error::at("open", inside, path))?;
                if !holds(&*opened, (&claim, key), watch).map_err(Error::at("read", inside, path))? {
                    note(path, "it holds other bytes");
                }
            }
        }
        if some.len() >= TOGETHER {
            check(&mut some)?;
        }
    }
    check(&mut some)?;
    shared.dedup_by_key(|candidate| candidate.path);
    compare::files(run, inside, &shared, &note)?;
    Ok(broken.into_inner().unwrap_or_else(PoisonError::into_inner))
}
