//! Where a backup goes: the store, which may have to be made, its locks, the group, and the time of the snapshot.

use std::io;
use std::path::{Path, PathBuf};

use highwater_core::formats::datastore::names::{self, Group};

use super::{Job, put, write};
use crate::clock;
use crate::disk::{Disk, Held};
use crate::error::{Class, Error};
use crate::shown::quoted;
use crate::store::is_no_file;
use crate::watch::Watch;

/// What a user names: `STORE@GROUP` or `STORE@GROUP/ARCHIVE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The store's folder.
    pub store: PathBuf,
    /// The group.
    pub group: String,
    /// The archive.
    pub archive: Option<String>,
}

/// Whether an archive can have this name: one without the extension that its file gets, and not that of what no manifest names.
#[must_use]
pub fn is_archive(name: &str) -> bool {
    let is_log = names::LOG.strip_suffix(".blob") == Some(name);
    names::is_id(name) && !is_log && ![".blob", ".didx", ".fidx"].iter().any(|end| name.ends_with(end))
}

/// Takes a user's word for a target apart; none when it is no such word.
#[must_use]
pub fn target(path: &Path) -> Option<Target> {
    let text = path.to_str()?;
    text.rmatch_indices('@').find_map(|(at, _)| {
        let (store, rest) = (&text[..at], &text[at + 1..]);
        let parted = |(group, archive)| Group::parse(group).map(|group: Group<'_>| (group, Some(archive)));
        let (group, archive) =
            Group::parse(rest).map(|group| (group, None)).or_else(|| rest.rsplit_once('/').and_then(parted))?;
        if store.is_empty() || archive.is_some_and(|archive| !is_archive(archive)) {
            return None;
        }
        let archive = archive.map(ToOwned::to_owned);
        Some(Target { store: PathBuf::from(store), group: group.path.to_owned(), archive })
    })
}

/// Makes the store if its folder is empty, takes its locks, makes the group, and removes what interrupted runs left in it.
pub(super) fn prepare(job: &Job, disk: &dyn Disk) -> Result<(Held, Held), Error> {
    let lock = job.store.join(names::LOCK);
    if !disk.exists(&lock).map_err(Error::io("look at", &lock))? {
        make_store(job, disk, &lock)?;
    }
    let shared = disk.hold(&lock).map_err(Error::io("lock", &lock))?.ok_or_else(|| {
        let who = "its garbage collection is running, or it is being changed otherwise; wait for that";
        Error::cannot_start(format!("a process holds {} alone: {who}", quoted(&lock)))
    })?;
    let mut folder = job.store.clone();
    for part in job.group.split('/') {
        let like = folder.clone();
        folder.push(part);
        match disk.make_folder(&folder, &like) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("make the folder", &folder)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    let alone = disk.hold(&folder).map_err(Error::io("lock", &folder))?.ok_or_else(|| {
        Error::cannot_start(format!("another backup into {} is running; wait for it, or end it", quoted(&folder)))
    })?;
    let mut left = Vec::new();
    disk.list(&folder, &mut |entry| left.extend(entry.name.as_str().map(ToOwned::to_owned)))
        .map_err(Error::io("list", &folder))?;
    for name in left.iter().filter(|name| name.starts_with(names::WORK)) {
        let work = folder.join(name);
        remove(disk, &work).map_err(Error::io("remove", &work))?;
    }
    Ok((shared, alone))
}

/// Says whom the group belongs to, if nobody did; by way of a file in the folder `work`, so that there is never half a name.
pub(super) fn own(job: &Job, disk: &dyn Disk, work: &Path) -> Result<(), Error> {
    let owner = job.store.join(&job.group).join("owner");
    match disk.length(&owner) {
        // A power cut may have left an empty one.
        Ok(0) => {}
        Err(error) if is_no_file(&error) => {}
        Ok(_) => return Ok(()),
        Err(error) => return Err(Error::io("look at", &owner)(error)),
    }
    let temporary = work.join("owner");
    put(disk, &temporary, &job.store.join(names::LOCK), format!("{}\n", job.owner).as_bytes())?;
    disk.rename(&temporary, &owner).map_err(Error::io("rename", &temporary))
}

/// Makes a store in an empty folder: with all of the 65,536 folders that a server wants to see. The lock file, by which a store is known,
/// comes last.
fn make_store(job: &Job, disk: &dyn Disk, lock: &Path) -> Result<(), Error> {
    let store = &job.store;
    let mut strange = false;
    disk.list(store, &mut |entry| strange |= ![b".chunks".as_slice(), b"lost+found"].contains(&entry.name.as_bytes()))
        .map_err(Error::io("list", store))?;
    if strange {
        let what = format!("{} is neither a datastore nor empty; name another folder", quoted(store));
        return Err(Error::cannot_start(what));
    }
    let made = |path: &Path, like: &Path| match disk.make_folder(path, like) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::io("make the folder", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    };
    let chunks = store.join(".chunks");
    made(&chunks, store)?;
    disk.set_mode(&chunks, 0o750).map_err(Error::io("set the permissions of", &chunks))?;
    for prefix in 0..=u16::MAX {
        made(&chunks.join(format!("{prefix:04x}")), &chunks)?;
    }
    write(disk, lock, store, b"")?;
    disk.set_mode(lock, 0o644).map_err(Error::io("set the permissions of", lock))?;
    disk.sync_all(store).map_err(Error::io("sync", store))
}

/// Removes a folder of files.
pub(super) fn remove(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let mut names = Vec::new();
    disk.list(folder, &mut |entry| names.extend(entry.name.as_str().map(ToOwned::to_owned)))?;
    names.iter().try_for_each(|name| disk.remove(&folder.join(name)))?;
    disk.remove_folder(folder)
}

/// The second of the new snapshot, and its path: now, if that is after every snapshot of the group.
pub(super) fn time(job: &Job, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(i64, String), Error> {
    let folder = job.store.join(&job.group);
    let mut newest = None;
    let listed = disk.list(&folder, &mut |entry| newest = newest.max(entry.name.as_str().and_then(names::time_of)));
    match listed {
        // A dry run makes no group.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("list", &folder)(error)),
        Ok(()) | Err(_) => {}
    }
    loop {
        watch.go_on()?;
        let now = job.now.map_or_else(clock::seconds, Ok)?;
        if newest.is_none_or(|newest| now > newest) {
            return Ok((now, format!("{}/{}", job.group, clock::snapshot(now)?)));
        }
        if newest == Some(now) && clock::ticks() && job.now.is_none() {
            // Names are to the second, so two backups within one must wait for the next.
            std::thread::sleep(std::time::Duration::from_millis(20));
            continue;
        }
        let newest = clock::snapshot(newest.unwrap_or(now))?;
        let what = format!("the newest snapshot in {} is of {newest}, which is not past yet", quoted(&folder));
        return Err(Error::Refused {
            class: Class::CannotStart,
            what: format!("{what}; set the clock right, or wait"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_store_a_group_and_an_archive() {
        let of = |text: &str| target(Path::new(text)).map(|to| (to.store, to.group, to.archive));
        let is = |store: &str, group: &str, archive: Option<&str>| {
            Some((PathBuf::from(store), group.to_owned(), archive.map(ToOwned::to_owned)))
        };
        assert_eq!(of("/mnt/store@vm/100"), is("/mnt/store", "vm/100", None));
        assert_eq!(of("s@ns/a/ns/b/host/pc/root.img"), is("s", "ns/a/ns/b/host/pc", Some("root.img")));
        assert_eq!(of("me@home/s@vm/100/disk.img"), is("me@home/s", "vm/100", Some("disk.img")));
        for odd in [
            "/mnt/store",
            "@vm/100",
            "s@vm",
            "s@vm/100/",
            "s@vm/100/../x",
            "s@vm/100/a/b",
            "s@vm/1/x.fidx",
            "s@vm/1/x.blob",
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
