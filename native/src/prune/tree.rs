//! Removes points of sets of points of folders: their lists, and then every object that no list names any more.
//!
//! A list goes for good before an object does. Then all lists that are left are read again, from the start to the seal:
//! where one cannot be read whole, or one that was to stay is not there, no object goes. So does what an interrupted
//! backup or an interrupted run of this has left in the pool. Drafts, what was set aside as bad, and whatever has no
//! name of an object stay.

use highwater_core::digest::{Algorithm, Digest};
use highwater_core::foreign::is_foreign;
use highwater_core::formats::tree::names;
use highwater_core::inspect::Entry;
use highwater_core::name::{Name, TEMPORARY};
use highwater_core::point::Point;

use super::needs::Needs;
use super::{Pruner, Removal, Spare, Sweep};
use crate::disk::{Disk, What, is_any_draft};
use crate::error::Error;
use crate::watch::Watch;

/// A set.
#[derive(Debug)]
pub(super) struct Set;

impl Pruner for Set {
    fn kind(&self) -> &'static str {
        "tree"
    }

    fn narrows(&self, _: &Point) -> Result<(), String> {
        Err("the points of a folder are pruned together: name the set alone".to_owned())
    }

    fn holds(&self, _: &dyn Disk, points: &[&str]) -> Result<Vec<Option<String>>, Error> {
        Ok(vec![None; points.len()])
    }

    fn finish(&self, _: &dyn Disk, _: &Watch<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn remove(&self, job: &Removal<'_>, gone: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let &Removal { disk, goes, newest, watch } = job;
        let newest = list(newest)?;
        for point in goes {
            watch.go_on()?;
            if disk.look(Some(&newest)).map_err(Error::at("look at", disk, &newest))?.is_none() {
                let what = format!("'{newest}', the list of the newest sound point, was removed meanwhile");
                return Err(Error::failed(format!("{what}; nothing more is removed: prune again")));
            }
            let name = list(point)?;
            disk.remove(&name).map_err(Error::at("remove", disk, &name))?;
            sync(disk, name.folder().as_ref())?;
            watch.note(format!("removed {point}"));
            gone(point);
        }
        Ok(())
    }

    fn needs(&self, sweep: &Sweep<'_>, plans: bool) -> Result<Option<Needs>, Error> {
        if !plans {
            // Also of what a run removed that was killed a moment ago.
            sync(sweep.disk, Some(&Name::new(names::POINTS.as_bytes())?))?;
            return needs(sweep, &|_| false).map(Some);
        }
        let mut goes = sweep.goes.iter().map(|point| list(point)).collect::<Result<Vec<Name>, Error>>()?;
        goes.sort_unstable();
        needs(sweep, &|index| goes.binary_search(index).is_ok()).map(Some)
    }

    fn spare(&self, sweep: &Sweep<'_>, needs: &Needs) -> Result<Spare, Error> {
        let mut spare = Spare::default();
        for_each_spare(sweep, needs, &mut |_, bytes| {
            spare.add(bytes);
            Ok(())
        })?;
        Ok(spare)
    }

    fn sweep(&self, sweep: &Sweep<'_>, needs: &Needs, gone: &mut Spare) -> Result<(), Error> {
        let &Sweep { disk, watch, .. } = sweep;
        for_each_spare(sweep, needs, &mut |name, bytes| {
            watch.go_on()?;
            disk.remove(name).map_err(Error::at("remove", disk, name))?;
            gone.add(bytes);
            Ok(())
        })?;
        // Also what a run removed that was killed a moment ago.
        disk.barrier(None).map_err(Error::of_folder("sync", disk, None))
    }

    fn leaves(&self) -> &'static str {
        ""
    }
}

/// What lists name, of which none may be passed over.
fn needs(sweep: &Sweep<'_>, goes: &dyn Fn(&Name) -> bool) -> Result<Needs, Error> {
    let &Sweep { disk, format, stays, watch, .. } = sweep;
    let needs = Needs::of(disk.as_store(), format, goes, watch)?;
    if let Some(lost) = stays.iter().find(|point| !needs.has_point(point)) {
        return Err(Error::failed(format!("the list of {lost}, which is to stay, is not there any more")));
    }
    // What looks like a list and is none of a point was given another name by somebody, or cannot be seen.
    let points = Name::new(names::POINTS.as_bytes())?;
    for Entry { name, .. } in listed(disk, &points)? {
        let last = name.as_bytes();
        let is_list = last.windows(names::LIST.len()).any(|part| part == names::LIST.as_bytes());
        let is_read = names::point_of(&name).is_some_and(|point| needs.has_point(&point));
        if is_list && !is_read && !is_any_draft(last, TEMPORARY) && !is_foreign(last) {
            let name = points.join(last)?;
            return Err(Error::failed(format!(
                "'{name}' may be a list, and is none of a point that can be read: bring it back, or move it elsewhere"
            )));
        }
    }
    Ok(needs)
}

/// Hands on every object that no list names, with its length, folder by folder.
fn for_each_spare(
    sweep: &Sweep<'_>,
    needs: &Needs,
    each: &mut dyn FnMut(&Name, u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let &Sweep { disk, watch, .. } = sweep;
    let look = |name: &Name| disk.look(Some(name)).map_err(Error::at("look at", disk, name));
    let pool = Name::new(names::OBJECTS.as_bytes())?;
    for Entry { name: last, .. } in listed(disk, &pool)? {
        watch.go_on()?;
        let folder = pool.join(last.as_bytes())?;
        let is_of_objects = last.as_bytes().len() == 2 && last.as_bytes().iter().all(u8::is_ascii_hexdigit);
        if !is_of_objects || look(&folder)?.is_none_or(|look| look.what != What::Folder) {
            continue;
        }
        for Entry { name, .. } in listed(disk, &folder)? {
            let Some(digest) = Digest::from_hex(Algorithm::Sha256, name.as_bytes()) else { continue };
            let name = folder.join(name.as_bytes())?;
            if needs.has(&digest) || names::object(&digest).as_ref() != Some(&name) {
                continue;
            }
            if let Some(look) = look(&name)?.filter(|look| look.what == What::File) {
                each(&name, look.length)?;
            }
        }
    }
    Ok(())
}

/// The entries of a folder, in the order of their names.
fn listed(disk: &dyn Disk, folder: &Name) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    disk.list(Some(folder), &mut |entry| entries.push(entry)).map_err(Error::at("list", disk, folder))?;
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

fn list(point: &str) -> Result<Name, Error> {
    names::list(point).ok_or_else(|| Error::failed(format!("'{point}' is no point")))
}

fn sync(disk: &dyn Disk, folder: Option<&Name>) -> Result<(), Error> {
    disk.sync_folder(folder).map_err(Error::of_folder("sync", disk, folder))
}
