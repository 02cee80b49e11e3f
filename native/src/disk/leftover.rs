//! What an interrupted run left: taken up or removed only if it belongs to us, has one name, nobody else can write it,
//! and nobody is writing it.
//!
//! Whoever owns the folder around can rename a folder of ours so that it looks like a leftover, though he cannot empty
//! it. So a folder goes only when nothing lies in it but what a draft of its kind can hold.
//!
//! Between the moment at which a draft gets its owner and that at which it gets its name, a run may end too. So a file
//! of a draft's name that belongs to whom the draft was to be given, the owner of its folder or of the file that it was
//! to replace, is removed as well; it is never taken up.

use std::io;

use highwater_core::name::Name;

use super::work_name::drafted;
use super::{Disk, Inode, Look, What, Writable};
use crate::error::Error;
use crate::store::Locks;
use crate::watch::Watch;

/// Why something is left alone where there are no locks.
const UNKNOWN: &str = "nobody can tell whether it is being written, as the file system has no locks";

/// What a name turns out to be that looks like a leftover.
pub enum Leftover {
    /// It is gone by now.
    Gone,
    /// A run that is at work holds it.
    Busy,
    /// It is left alone: why, as a clause.
    Foreign(&'static str),
    /// A file of ours, held so that no other run takes it up.
    Ours(Box<dyn Writable>),
    /// A draft that belongs already to whom it was to be given.
    Given,
}

/// Looks at a file that may be a leftover.
///
/// # Errors
/// The operating system's.
pub fn look_at(disk: &dyn Disk, name: &Name) -> io::Result<Leftover> {
    let Some(look) = disk.look(Some(name))? else { return Ok(Leftover::Gone) };
    let foreign = |look: &Look| foreign(disk, look, What::File).filter(|_| !is_given(disk, name, look));
    if let Some(why) = foreign(&look) {
        return Ok(Leftover::Foreign(why));
    }
    let file = match disk.open_for_writing(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Leftover::Gone),
        result => result?,
    };
    // What has the name by now is what was opened, whatever was looked at before.
    let now = Inode::look(&*file)?;
    if let Some(why) = foreign(&now) {
        return Ok(Leftover::Foreign(why));
    }
    match file.try_lock() {
        Ok(true) => {}
        Ok(false) => return Ok(Leftover::Busy),
        Err(error) if error.kind() == io::ErrorKind::Unsupported && disk.locks() != Locks::Needed => {}
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return Ok(Leftover::Foreign(UNKNOWN));
        }
        Err(error) => return Err(error),
    }
    let still = disk.look(Some(name))?.is_some_and(|there| there.identity == now.identity);
    Ok(match still {
        false => Leftover::Gone,
        true if is_ours(disk, &now) => Leftover::Ours(file),
        true => Leftover::Given,
    })
}

/// Whether something bears the name of a draft and belongs to whom that was to be given.
fn is_given(disk: &dyn Disk, name: &Name, look: &Look) -> bool {
    let Some((stem, _)) = drafted(name.last()) else { return false };
    let replaced = match name.folder() {
        Some(folder) => folder.join(stem),
        None => Name::new(stem),
    };
    let owner = |look: io::Result<Option<Look>>| look.ok().flatten().map(|look| look.owner.user);
    let owners =
        [owner(disk.look(name.folder().as_ref())), replaced.ok().and_then(|name| owner(disk.look(Some(&name))))];
    (look.names == 1 || look.what == What::Folder) && owners.contains(&Some(look.owner.user))
}

/// Whether a plain file belongs to us, has one name, and nobody else can write it.
#[must_use]
pub fn is_ours(disk: &dyn Disk, look: &Look) -> bool {
    foreign(disk, look, What::File).is_none()
}

/// Why something is none of ours, if it is not.
fn foreign(disk: &dyn Disk, look: &Look, what: What) -> Option<&'static str> {
    if look.what != what {
        Some(if what == What::File { "it is no plain file" } else { "it is no folder" })
    } else if look.owner.user != disk.user() {
        Some("it belongs to another user")
    } else if what == What::File && look.names > 1 {
        Some("it has another name (a hard link)")
    } else if look.mode & 0o022 != 0 {
        Some("other users may write it")
    } else {
        None
    }
}

/// What a folder can hold that a run left before it gave it its name, by the last parts of the names.
#[derive(Debug, Clone, Copy)]
pub struct Holds {
    /// Its files.
    pub file: fn(&[u8]) -> bool,
    /// Its folders, which are empty.
    pub folder: fn(&[u8]) -> bool,
}

impl Holds {
    /// It is empty.
    pub const NOTHING: Self = Self { file: |_| false, folder: |_| false };
}

/// Removes the leftovers of a folder that are files whose names `is` knows, and says so. Of what is none of ours it
/// says that it was left alone.
///
/// # Errors
/// When the folder cannot be listed, or a leftover not removed.
pub fn clear(
    disk: &dyn Disk,
    folder: Option<&Name>,
    is: impl Fn(&[u8]) -> bool,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    for name in found(disk, folder, is)? {
        tell(clear_file(disk, &name).map_err(Error::at("remove", disk, &name))?, "file", &name, watch);
    }
    Ok(())
}

/// The same of leftovers that are folders; `of` knows from a name what such a folder holds, if it is the name of one.
///
/// # Errors
/// As [`clear`].
pub fn clear_folders(
    disk: &dyn Disk,
    folder: Option<&Name>,
    of: impl Fn(&[u8]) -> Option<Holds>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    for name in found(disk, folder, |last| of(last).is_some())? {
        let holds = of(name.last()).unwrap_or(Holds::NOTHING);
        let cleared = clear_folder(disk, &name, holds).map_err(Error::at("remove", disk, &name))?;
        tell(cleared, "folder", &name, watch);
    }
    Ok(())
}

/// The names in a folder that `is` knows.
fn found(disk: &dyn Disk, folder: Option<&Name>, is: impl Fn(&[u8]) -> bool) -> Result<Vec<Name>, Error> {
    let mut found = Vec::new();
    let listed = disk.list(folder, &mut |entry| found.extend(Some(entry.name).filter(|name| is(name.as_bytes()))));
    listed.map_err(Error::of_folder("list", disk, folder))?;
    let below = |last: Name| Ok(folder.map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()))?);
    found.into_iter().map(below).collect()
}

fn tell(cleared: Cleared, kind: &str, name: &Name, watch: &Watch<'_>) {
    match cleared {
        Cleared::Gone => {}
        Cleared::Removed => watch.notice(format!("removed '{name}', the work {kind} of an interrupted run")),
        Cleared::Left(why) => {
            watch.notice(format!("'{name}' looks like what an interrupted run left, but {why}: it was left alone"))
        }
    }
}

/// What became of a leftover.
enum Cleared {
    /// It is gone, or a run is at work with it.
    Gone,
    /// It was removed.
    Removed,
    /// It was left alone: why, as a clause.
    Left(&'static str),
}

fn clear_file(disk: &dyn Disk, name: &Name) -> io::Result<Cleared> {
    Ok(match look_at(disk, name)? {
        Leftover::Gone | Leftover::Busy => Cleared::Gone,
        Leftover::Foreign(why) => Cleared::Left(why),
        Leftover::Ours(_) | Leftover::Given => removed(disk.remove(name))?,
    })
}

/// What was removed, perhaps by another run.
fn removed(result: io::Result<()>) -> io::Result<Cleared> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Cleared::Gone),
        result => result.map(|()| Cleared::Removed),
    }
}

fn clear_folder(disk: &dyn Disk, name: &Name, holds: Holds) -> io::Result<Cleared> {
    let Some(look) = disk.look(Some(name))? else { return Ok(Cleared::Gone) };
    if let Some(why) =
        foreign(disk, &look, What::Folder).filter(|_| look.what != What::Folder || !is_given(disk, name, &look))
    {
        return Ok(Cleared::Left(why));
    }
    match disk.hold(Some(name)) {
        Ok(None) => Ok(Cleared::Gone),
        Ok(Some(_held)) => {
            // By now it may have been published.
            let still = disk.look(Some(name))?.is_some_and(|there| there.identity == look.identity);
            match inside(disk, name, holds)? {
                _ if !still => Ok(Cleared::Gone),
                None => Ok(Cleared::Left("it holds something that no such run puts there")),
                Some(inside) => removed(remove(disk, name, &inside)),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Cleared::Gone),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Cleared::Left(UNKNOWN)),
        Err(error) => Err(error),
    }
}

/// What lies in a folder, and whether it is a folder itself; none when that is not all of what it can hold.
fn inside(disk: &dyn Disk, folder: &Name, holds: Holds) -> io::Result<Option<Vec<(Name, bool)>>> {
    let mut names = Vec::new();
    match disk.list(Some(folder), &mut |entry| names.push(entry.name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        listed => listed?,
    }
    let mut inside = Vec::new();
    for last in names {
        let name = folder.join(last.as_bytes()).map_err(io::Error::other)?;
        let can_be = match disk.look(Some(&name))?.map(|look| look.what) {
            None => continue,
            Some(What::File) => (holds.file)(last.as_bytes()).then_some(false),
            Some(What::Folder) => (holds.folder)(last.as_bytes()).then_some(true),
            Some(What::Link | What::Block | What::Other) => None,
        };
        let Some(is_folder) = can_be else { return Ok(None) };
        inside.push((name, is_folder));
    }
    Ok(Some(inside))
}

/// Removes a folder of which this is all.
fn remove(disk: &dyn Disk, folder: &Name, inside: &[(Name, bool)]) -> io::Result<()> {
    for (name, is_folder) in inside {
        if *is_folder { disk.remove_folder(name)? } else { disk.remove(name)? }
    }
    disk.remove_folder(folder)
}
