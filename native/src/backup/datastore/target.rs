//! Where a backup goes: the store, which may have to be made, its locks, the group, and the time of the snapshot.

use std::io;
use std::path::{Path, PathBuf};

use highwater_core::formats::datastore::names::{self, Group};
use highwater_core::inspect::Entry;
use highwater_core::name::{Name, TEMPORARY};

use super::stage::{POOL, clear};
use super::{SnapshotOptions, put};
use crate::disk::like::Like;
use crate::disk::{self, Disk, FolderDraft, Held};
use crate::error::{Class, Error};
use crate::shown::quoted;
use crate::store::is_no_file;
use crate::watch::Watch;
use crate::{clock, lock};

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

/// Takes a user's word for a target apart; none when it is no such word. Whether an archive can be called so, it does
/// not say.
#[must_use]
pub fn target(path: &Path) -> Option<Target> {
    let text = path.to_str()?;
    text.rmatch_indices('@').find_map(|(at, _)| {
        let (store, rest) = (&text[..at], &text[at + 1..]);
        let parted = |(group, archive)| Group::parse(group).map(|group: Group<'_>| (group, Some(archive)));
        let (group, archive) =
            Group::parse(rest).map(|group| (group, None)).or_else(|| rest.rsplit_once('/').and_then(parted))?;
        if store.is_empty() || archive.is_some_and(str::is_empty) {
            return None;
        }
        let archive = archive.map(ToOwned::to_owned);
        Some(Target { store: PathBuf::from(store), group: group.path.to_owned(), archive })
    })
}

/// How often somebody else may come between.
pub(super) const PATIENCE: usize = 8;

/// The locks of a backup: on the store, together with others, and on the group, alone.
pub(super) type Locks = (Held, Held);

/// Makes the store if its folder is empty, takes its locks, makes the group, and removes what interrupted runs left.
pub(super) fn prepare(job: &SnapshotOptions, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Locks, Error> {
    let lock = Name::new(names::LOCK.as_bytes())?;
    if disk.look(Some(&lock)).map_err(Error::at("look at", disk, &lock))?.is_none() {
        make_store(disk, &lock, watch)?;
    }
    let shared = lock::hold(disk, Some(&lock), || {
        let who = "its garbage collection is running, or it is being changed otherwise; wait for that";
        format!("a process holds {} alone: {who}", quoted(&disk.told(Some(&lock))))
    })?;
    let alone = take_group(job, disk, watch)?;
    clear(disk, Some(&Name::new(names::CHUNKS.as_bytes())?), watch)?;
    Ok((shared, alone))
}

/// Makes the group, if it is not there, and takes it for this process. A server may remove one that is empty as soon as
/// it is made.
pub(super) fn take_group(job: &SnapshotOptions, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Held, Error> {
    let group = Name::new(job.group.as_bytes())?;
    again(disk, &group, watch, || try_group(job, disk, watch))
}

/// Does something in the group, which a server may have removed since it was taken: then it is made and taken anew.
pub(super) fn with_group<T>(
    job: &SnapshotOptions,
    disk: &dyn Disk,
    locks: &mut Locks,
    watch: &Watch<'_>,
    work: impl Fn(&Name) -> Result<T, Error>,
) -> Result<T, Error> {
    let group = Name::new(job.group.as_bytes())?;
    again(disk, &group, watch, || {
        if is_gone(disk, &group)? {
            locks.1 = try_group(job, disk, watch)?;
            let path = quoted(&disk.told(Some(&group)));
            watch.notice(format!(
                "{path} was removed while this ran, and is there again with this snapshot alone; look who removed it"
            ));
        }
        work(&group)
    })
}

/// Does something until it succeeds, or fails while the group is there; but not for ever.
fn again<T>(
    disk: &dyn Disk,
    group: &Name,
    watch: &Watch<'_>,
    mut work: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    for _ in 1..PATIENCE {
        match work() {
            Err(error) if was_removed(disk, group, &error)? => watch.go_on()?,
            result => return result,
        }
    }
    work()
}

fn try_group(job: &SnapshotOptions, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Held, Error> {
    let mut folder: Option<Name> = None;
    for part in job.group.split('/') {
        let name = folder.as_ref().map_or_else(|| Name::new(part.as_bytes()), |folder| folder.join(part.as_bytes()))?;
        clear(disk, folder.as_ref(), watch)?;
        make_like_its_parent(disk, &name)?;
        folder = Some(name);
    }
    let alone = lock::hold(disk, folder.as_ref(), || {
        format!("another backup into {} is running; wait for it, or end it", quoted(&disk.told(folder.as_ref())))
    })?;
    clear(disk, folder.as_ref(), watch)?;
    Ok(alone)
}

/// Makes a folder, if it is not there, that belongs to whom the folder around it belongs to.
fn make_like_its_parent(disk: &dyn Disk, name: &Name) -> Result<(), Error> {
    let made = || {
        if disk.look(Some(name))?.is_some() {
            return Ok(());
        }
        let like = Like::of(&disk.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?);
        disk::make_folder(disk, name, &like)
    };
    made().map_err(Error::at("make the folder", disk, name))
}

/// Writes whom the group belongs to, if nobody did; by way of a file in the folder `work`, so that there is never half
/// a name. A group that has snapshots has lost its owner then, which is said. One that a server has removed meanwhile
/// has none to write: its snapshot makes it anew.
pub(super) fn own(
    job: &SnapshotOptions,
    disk: &dyn Disk,
    work: &Name,
    like: &Like,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let group = Name::new(job.group.as_bytes())?;
    let owner = group.join(b"owner")?;
    match disk.length(&owner) {
        // A power cut may have left an empty one.
        Ok(0) => {}
        Err(error) if is_no_file(&error) => {}
        Ok(_) => return Ok(()),
        Err(error) => return Err(Error::at("look at", disk, &owner)(error)),
    }
    match put(disk, work, &owner, like, format!("{}\n", job.owner).as_bytes()) {
        Err(error) if was_removed(disk, &group, &error)? => return Ok(()),
        result => result?,
    }
    if newest(disk, &group)?.is_some() {
        let (group, whose) = (quoted(&disk.told(Some(&group))), quoted(job.owner.as_ref()));
        watch.notice(format!(
            "{group} had lost its file 'owner', and a server neither shows such a group nor backs up into it: it \
             belongs to {whose} again; write another owner into that file if that is wrong"
        ));
    }
    Ok(())
}

/// Whether a group that was there has been removed.
pub(super) fn is_gone(disk: &dyn Disk, group: &Name) -> Result<bool, Error> {
    Ok(disk.look(Some(group)).map_err(Error::at("look at", disk, group))?.is_none())
}

/// Whether that is why something failed. What the system refuses for another reason it refuses again, or should not be
/// passed over.
pub(super) fn was_removed(disk: &dyn Disk, group: &Name, error: &Error) -> Result<bool, Error> {
    let is_another = |source: &io::Error| source.raw_os_error().is_some() && source.kind() != io::ErrorKind::NotFound;
    match error {
        Error::Io { source, .. } if is_another(source) => Ok(false),
        _ => is_gone(disk, group),
    }
}

/// The second of the newest snapshot of a group.
pub(super) fn newest(disk: &dyn Disk, group: &Name) -> Result<Option<i64>, Error> {
    let mut newest = None;
    let listed = disk.list(Some(group), &mut |entry| newest = newest.max(entry.name.as_str().and_then(names::time_of)));
    match listed {
        // A dry run makes no group.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(|()| newest).map_err(Error::at("list", disk, group)),
    }
}

/// Makes a store in an empty folder: with all of the 65,536 folders that a server wants to see. The lock file, by which
/// a store is known, comes last.
fn make_store(disk: &dyn Disk, lock: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let store = quoted(&disk.told(None));
    let _alone = lock::hold(disk, None, || format!("another backup is making the store {store}; wait for it"))?;
    clear(disk, None, watch)?;
    let chunks = Name::new(names::CHUNKS.as_bytes())?;
    let (mut strange, mut begun) = (false, false);
    let look = &mut |entry: Entry| {
        begun |= entry.name == chunks;
        let left = entry.name.as_bytes().starts_with(names::WORK.as_bytes());
        strange |= entry.name != chunks && entry.name.as_bytes() != b"lost+found" && !left;
    };
    disk.list(None, look).map_err(Error::of_folder("list", disk, None))?;
    if strange {
        return Err(Error::cannot_start(format!("{store} is neither a datastore nor empty; name another folder")));
    }
    let making = Error::at("make the folder", disk, &chunks);
    let root = disk
        .look(None)
        .and_then(|root| Ok(root.ok_or(io::ErrorKind::NotFound)?))
        .map_err(Error::of_folder("look at", disk, None))?;
    let like = Like::of(&root).with_mode(0o750);
    if begun {
        // An earlier run, or a person, has begun.
        for prefix in 0..=u16::MAX {
            make_like_its_parent(disk, &chunks.join(format!("{prefix:04x}").as_bytes())?)?;
        }
    } else {
        let all = || {
            let draft =
                FolderDraft::of(disk, &Name::new([names::WORK, POOL].concat().as_bytes()).map_err(io::Error::other)?)?;
            for prefix in 0..=u16::MAX {
                let name = draft.work().join(format!("{prefix:04x}").as_bytes()).map_err(io::Error::other)?;
                _ = like.give(&*disk.make_folder(&name)?)?;
            }
            draft.publish(&chunks, &like)
        };
        all().map_err(making)?;
    }
    let like = Like::new_in(&root).with_mode(0o644);
    _ = disk::put(disk, lock, b"", &like, TEMPORARY, true)?;
    disk.barrier(None).map_err(Error::of_folder("sync", disk, None))
}

/// How long a clock is given that has to move on.
pub(super) const TICK: std::time::Duration = std::time::Duration::from_millis(20);

/// The second of the new snapshot, and its path: now, if that is after every snapshot of the group.
pub(super) fn time(job: &SnapshotOptions, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(i64, String), Error> {
    let folder = Name::new(job.group.as_bytes())?;
    let newest = newest(disk, &folder)?;
    loop {
        watch.go_on()?;
        let now = job.now.map_or_else(clock::seconds, Ok)?;
        if newest.is_none_or(|newest| now > newest) {
            return Ok((now, format!("{}/{}", job.group, clock::snapshot(now)?)));
        }
        if newest == Some(now) && clock::ticks() && job.now.is_none() {
            // Names are to the second, so two backups within one must wait for the next.
            std::thread::sleep(TICK);
            continue;
        }
        let newest = clock::snapshot(newest.unwrap_or(now))?;
        let what = format!(
            "the newest snapshot in {} is of {newest}, which is not past yet",
            quoted(&disk.told(Some(&folder)))
        );
        return Err(Error::Refused {
            class: Class::CannotStart,
            what: format!("{what}; set the clock right, or wait; if it is right, move the later snapshots away"),
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
        for odd in ["/mnt/store", "@vm/100", "s@vm", "s@vm/100/", "s@vm/100/../x", "s@vm/100/a/b"] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
