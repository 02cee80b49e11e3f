//! `Inner`: another repository in a set, of which those points stay that a list names, with what they build on, and the
//! newest that is sound.
//!
//! No rule of the user's holds there: a point of it is worth what the points of the set make of it. What is damaged
//! stays as everywhere. Its lock is taken with that of the set, and it is looked at again once the lists are gone.

use std::collections::BTreeSet;

use highwater_core::formats;
use highwater_core::inspect::Format;
use highwater_core::keep::Keep;
use highwater_core::name::Name;
use highwater_core::report::Depth;

use super::decided::{Decided, look};
use super::plan::{PruneOptions, unread};
use super::{Pruner, Removal, Spare, pruner};
use crate::disk::{Disk, Held};
use crate::error::Error;
use crate::lock;
use crate::shown::{quoted, shown};
use crate::watch::Watch;

/// Points of such a repository that lists name.
#[derive(Debug, Default)]
pub(super) struct Needed(BTreeSet<String>);

impl Needed {
    pub(super) fn add(&mut self, point: String) {
        self.0.insert(point);
    }

    /// Whether a list needs the point `name`, behind which `next` comes. One that is not there may be healed: what it
    /// would go on from is needed for it.
    fn holds(&self, name: &str, next: Option<&str>) -> bool {
        let mut behind = self.0.range::<str, _>((std::ops::Bound::Included(name), std::ops::Bound::Unbounded));
        behind.next().is_some_and(|needed| next.is_none_or(|next| needed.as_str() < next))
    }
}

/// A repository, held against other writers.
pub struct Inner {
    /// Its folder in the set.
    pub folder: Name,
    /// The files of it that nobody needs once the points of the set are gone that go.
    pub spare: Spare,
    format: &'static dyn Format,
    pruner: &'static dyn Pruner,
    disk: Box<dyn Disk>,
    _lock: Option<Held>,
}

impl Inner {
    /// Locks the repository of this kind in a folder of a set, unless nothing is to be removed, and looks at its
    /// points; none if there is no such folder. Removes nothing.
    ///
    /// # Errors
    /// It cannot be read, or another writer holds it.
    pub(super) fn plan(
        set: &dyn Disk,
        (kind, folder): (&str, &Name),
        needed: &Needed,
        dry_run: bool,
        watch: &Watch<'_>,
    ) -> Result<Option<Self>, Error> {
        let known = formats::by_name(kind).and_then(|format| Some((format, pruner(format)?)));
        let (format, pruner) = known
            .ok_or_else(|| Error::failed(format!("'{folder}' is of kind '{kind}', of which no points are removed")))?;
        if set.look(Some(folder)).map_err(Error::at("look at", set, folder)).map_err(unread)?.is_none() {
            return Ok(None);
        }
        let disk = set.beneath(folder).map_err(Error::at("open the folder", set, folder)).map_err(unread)?;
        let _lock = if dry_run { None } else { Some(lock::write(&*disk, format.facts().lock)?) };
        let mut inner = Self { folder: folder.clone(), spare: Spare::default(), format, pruner, disk, _lock };
        let decided = inner.decide(needed, watch)?;
        let files = inner.files(&decided).map_err(unread)?;
        files.iter().for_each(|(_, bytes)| inner.spare.add(*bytes));
        Ok(Some(inner))
    }

    /// The name of its format.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.format.facts().name
    }

    /// What becomes of its points.
    fn decide(&self, needed: &Needed, watch: &Watch<'_>) -> Result<Decided, Error> {
        let label = shown(self.disk.told(None));
        let (keep, depth) = (Keep::default(), Depth::Size);
        let job = PruneOptions { keep, label: &label, only: None, under: None, depth, key: None, dry_run: true };
        let report = look(&job, self.format, &*self.disk, watch)?;
        let mut names: Vec<&str> = report.sets.iter().map(|set| &*set.name).collect();
        let mut holds = self.pruner.holds(&*self.disk, &names).map_err(unread)?;
        names.sort_unstable();
        for (set, hold) in report.sets.iter().zip(&mut holds) {
            let next = names.get(names.partition_point(|name| *name <= &*set.name));
            if hold.is_none() && needed.holds(&set.name, next.copied()) {
                *hold = Some("a point of the set needs it".to_owned());
            }
        }
        Ok(Decided::of(&report, self.format, &keep, holds))
    }

    /// The files that go, and how long each is.
    fn files(&self, decided: &Decided) -> Result<Vec<(Name, u64)>, Error> {
        let disk = &*self.disk;
        let mut found = Vec::new();
        for name in self.pruner.files(disk, &goes(decided))? {
            let look = disk.look(Some(&name)).map_err(Error::at("look at", disk, &name))?;
            found.extend(look.map(|look| (name, look.length)));
        }
        Ok(found)
    }

    /// Removes what no list needs, now that the others are gone for good, and counts in `gone` what is gone, whatever
    /// comes of it.
    ///
    /// # Errors
    /// It cannot be read, and then nothing goes; or something cannot be removed.
    pub(super) fn sweep(&self, needed: &Needed, watch: &Watch<'_>, gone: &mut Spare) -> Result<(), Error> {
        let disk = &*self.disk;
        let decided = self.decide(needed, watch)?;
        let files = self.files(&decided)?;
        let done = self.remove(&decided, watch);
        for (name, bytes) in files {
            if disk.look(Some(&name)).is_ok_and(|look| look.is_none()) {
                gone.add(bytes);
            }
        }
        done
    }

    fn remove(&self, decided: &Decided, watch: &Watch<'_>) -> Result<(), Error> {
        let disk = &*self.disk;
        self.pruner.finish(disk, watch)?;
        let goes = goes(decided);
        match decided.newest.as_slice() {
            [newest] if !goes.is_empty() => {
                let told = quoted(&disk.told(None));
                let job = Removal { disk, goes: &goes, newest, watch };
                self.pruner.remove(&job, &mut |point| watch.note(format!("removed {point} of {told}")))
            }
            // Without a sound point, or with several series, nothing goes.
            _ => Ok(()),
        }
    }
}

fn goes(decided: &Decided) -> Vec<&str> {
    decided.points.iter().filter(|point| point.kept.is_none()).map(|point| &*point.name).collect()
}
