//! `Disk`: the write side. Every byte a backup or restore writes goes through it.
//!
//! One root, as of a [`Store`]. Nothing is written through a link, and what is written is a [`Draft`]: a file of an
//! unguessable name that belongs to its descriptor until it is whole. The trait is small so that a model of a disk that
//! forgets what was not synced can stand in for the real one.

mod appender;
mod bucket;
mod device;
mod draft;
mod each;
mod leftover;
pub mod like;
mod marked;
mod opened;
mod real;
mod remove_tree;
mod work_folder;
mod work_name;

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::Arc;

use highwater_core::name::Name;

pub(crate) use appender::Appender;
pub use bucket::Shelf;
pub use draft::{Draft, FolderDraft, Lasts, is_made, make_folder, put};
pub(crate) use each::each;
pub use leftover::{Holds, Leftover, clear, clear_folders, is_ours, look_at};
pub use marked::{discard_folder, sweep};
pub(crate) use marked::{is_mark, standing};
pub(crate) use remove_tree::{first_mount, remove_tree};
pub use work_folder::WorkFolder;
pub(crate) use work_name::{is_any_draft, is_draft, work};

use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Files, Identity, Links, Locks, Object, Place, Store, parted, parted_folder};

/// A held lock; dropping it, or the end of the process, releases it.
pub type Held = Box<dyn Any + Send>;

/// One root in which files can be written, beside being read. Names lead through no link.
pub trait Disk: Store {
    /// This disk, for whoever reads it.
    fn as_store(&self) -> &dyn Store;

    /// A folder as a root of its own: whoever renames it, or puts another in its place, changes nothing there.
    ///
    /// # Errors
    /// The operating system's.
    fn beneath(&self, _folder: &Name) -> io::Result<Box<dyn Disk>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Creates a new file that nobody but its owner, this user, may read; never takes an existing one.
    ///
    /// # Errors
    /// `AlreadyExists`, or the operating system's.
    fn create(&self, name: &Name) -> io::Result<Box<dyn Writable>>;

    /// Opens an existing plain file for writing.
    ///
    /// # Errors
    /// The operating system's.
    fn open_for_writing(&self, name: &Name) -> io::Result<Box<dyn Writable>>;

    /// Opens an existing plain file to hold it: it can be locked and read.
    ///
    /// # Errors
    /// The operating system's.
    fn open_to_hold(&self, name: &Name) -> io::Result<Box<dyn Writable>>;

    /// Opens a block device for writing, which nobody else has open for himself and no file system is mounted from.
    ///
    /// # Errors
    /// The operating system's; `ResourceBusy` when it is in use.
    fn open_device(&self, _name: &Name) -> io::Result<Box<dyn Writable>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Renames a file or folder, replacing a file that is there.
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &Name, to: &Name) -> io::Result<()>;

    /// Renames a file or folder to a name that must be free.
    ///
    /// # Errors
    /// `AlreadyExists`, or the operating system's.
    fn rename_new(&self, from: &Name, to: &Name) -> io::Result<()>;

    /// Lets two names change what they lead to, in one step.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where that is not to be had.
    fn exchange(&self, _one: &Name, _other: &Name) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a plain file another name, which must be free.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where files have one name each.
    fn link(&self, _file: &Name, _name: &Name) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a plain file of another root a name here, which must be free.
    ///
    /// # Errors
    /// The operating system's: `CrossesDevices` when the two lie on different file systems, `PermissionDenied` when the
    /// file is another user's, `TooManyLinks`; `Unsupported` where files have one name each.
    fn adopt(&self, _from: &dyn Store, _file: &Name, _name: &Name) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes a symbolic link that holds `text`. Nothing here follows it.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where there are none.
    fn make_link(&self, _name: &Name, _text: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Sets whom a symbolic link belongs to, and when it was changed last. None is left as it is.
    ///
    /// # Errors
    /// The operating system's.
    fn set_link(&self, _name: &Name, _owner: Option<Owner>, _modified: Option<Time>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Opens a folder that is there, to change what the file system keeps of it.
    ///
    /// # Errors
    /// The operating system's.
    fn open_folder(&self, _name: &Name) -> io::Result<Box<dyn Inode>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes creations, renames and removals in a folder durable. A file system that cannot do that by itself is no
    /// error, and remembered.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_folder(&self, folder: Option<&Name>) -> io::Result<()>;

    /// Whether several threads may read, write and sync at once, in whatever order, because that is faster.
    fn takes_threads(&self) -> bool {
        false
    }

    /// How much may wait under names of its own, at most, until it is placed: bytes, and files. A run that is killed
    /// loses no more than that.
    fn waits(&self) -> (u64, usize) {
        (8 << 30, 200_000)
    }

    /// What it turned out not to do, a sentence each.
    fn doubts(&self) -> Vec<String> {
        Vec::new()
    }

    /// The barrier: makes everything durable that was written to the file system of a folder, or of the root, names and
    /// contents, before any name that comes after.
    ///
    /// # Errors
    /// The operating system's.
    fn barrier(&self, folder: Option<&Name>) -> io::Result<()>;

    /// Whether what lies in one folder, or in the root, can be renamed into another: no mount comes between.
    ///
    /// # Errors
    /// The operating system's.
    fn moves(&self, from: Option<&Name>, to: Option<&Name>) -> io::Result<bool> {
        let device = |folder| Ok::<_, io::Error>(self.look(folder)?.ok_or(io::ErrorKind::NotFound)?.identity.0);
        Ok(device(from)? == device(to)?)
    }

    /// Whether something is mounted on this name, which is what lies there then.
    ///
    /// # Errors
    /// The operating system's.
    fn is_mount(&self, _name: &Name) -> io::Result<bool> {
        Ok(false)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, name: &Name) -> io::Result<()>;

    /// What has this name, or what the root is; none when nothing has. A link is looked at itself.
    ///
    /// # Errors
    /// The operating system's.
    fn look(&self, name: Option<&Name>) -> io::Result<Option<Look>>;

    /// Where a link leads, for sentences.
    fn leads_to(&self, _name: &Name) -> Option<std::path::PathBuf> {
        None
    }

    /// Makes a folder that nobody but its owner, this user, may enter.
    ///
    /// # Errors
    /// `AlreadyExists`, or the operating system's.
    fn make_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// The operating system's.
    fn remove_folder(&self, name: &Name) -> io::Result<()>;

    /// Takes the lock file `name` for this process and writes `text` into it; none when another process holds it. The
    /// file belongs to whom its folder belongs to, and nobody can open it who may not write there.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where there are no locks.
    fn lock(&self, name: &Name, text: &str) -> io::Result<Option<Held>>;

    /// Takes a file, together with others that do so, or a folder, alone, for this process; none when another process
    /// has it.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where there are no locks.
    fn hold(&self, name: Option<&Name>) -> io::Result<Option<Held>>;

    /// Sets when a file was last used to now, and gives its length in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn touch(&self, name: &Name) -> io::Result<u64>;

    /// The user that this process acts for, by number.
    fn user(&self) -> u32;

    /// How much room there is for this user; none where nobody knows.
    ///
    /// # Errors
    /// The operating system's.
    fn room(&self) -> io::Result<Option<Room>> {
        Ok(None)
    }

    /// What is done when there are no locks.
    fn locks(&self) -> Locks {
        Locks::Needed
    }
}

/// Takes an open file for this process, as far as locks are asked for; false when another has it.
///
/// # Errors
/// As [`Inode::try_lock`].
pub fn hold_file(disk: &dyn Disk, file: &dyn Inode) -> io::Result<bool> {
    match file.try_lock() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported && disk.locks() != Locks::Needed => Ok(true),
        taken => taken.map(|taken| taken || disk.locks() == Locks::Without),
    }
}

/// How much room a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In bytes.
    pub free: u64,
    /// For so many more files and folders; none where the file system sets no limit, or does not tell.
    pub files: Option<u64>,
    /// What it keeps bytes in, in bytes: a file takes a whole number of these.
    pub block: u64,
    /// It may take more than that, as it compresses or shares blocks.
    pub shares: bool,
}

/// A time: seconds since 1970, and nanoseconds.
pub type Time = (i64, u32);

/// What a file system says of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What it is.
    pub what: What,
    /// Which.
    pub identity: Identity,
    /// How many names it has.
    pub names: u64,
    /// Its length, in bytes.
    pub length: u64,
    /// How many bytes its file system keeps for it: less than its length where it has holes.
    pub stored: u64,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Its permissions, in the twelve bits of `chmod`.
    pub mode: u32,
    /// When its bytes, or its entries, changed last.
    pub modified: Time,
    /// When anything of it changed last, its names and permissions too. Nobody can set it.
    pub changed: Time,
}

/// What something is that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A link.
    Link,
    /// A block device.
    Block,
    /// Another device, a FIFO, a socket.
    Other,
}

/// Whom something belongs to, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

/// Whatever is reached by a descriptor that is held: no name can be made to lead elsewhere.
pub trait Inode: Send + Sync {
    /// What it is now.
    ///
    /// # Errors
    /// The operating system's.
    fn look(&self) -> io::Result<Look>;

    /// Gives it away; none is left as it is.
    ///
    /// # Errors
    /// The operating system's: as a rule only root may.
    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()>;

    /// Sets its permissions.
    ///
    /// # Errors
    /// The operating system's.
    fn set_mode(&self, mode: u32) -> io::Result<()>;

    /// Sets when its bytes, or its entries, changed last.
    ///
    /// # Errors
    /// The operating system's.
    fn set_modified(&self, modified: Time) -> io::Result<()>;

    /// Makes contents, length, owner, permissions and time durable.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where folders cannot be synced.
    fn sync(&self) -> io::Result<()>;

    /// Takes it for this process, until it is dropped; false when another has it.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where there are no locks.
    fn try_lock(&self) -> io::Result<bool>;
}

/// A file open for writing.
pub trait Writable: Object + Inode {
    /// Writes all of `bytes` at an offset.
    ///
    /// # Errors
    /// The operating system's.
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// The operating system's.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// The same file, for reading.
    fn as_object(&self) -> &dyn Object;

    /// Makes this, an empty file, share the bytes of `from`; false when the file system cannot.
    fn reflink(&self, from: &dyn Object) -> bool;
}

/// Opens a folder of this machine to write in it.
///
/// # Errors
/// As [`Files::open`].
pub fn open(path: &Path, locks: Locks) -> io::Result<Files> {
    Ok(Files::open(path, Links::Beneath)?.with_locks(locks))
}

/// The place of a file that a user names to be written.
///
/// # Errors
/// When it has no name, or its folder cannot be opened.
pub fn target(path: &Path, locks: Locks) -> Result<Place<Files>, Error> {
    let (folder, name) = parted(path)?;
    place(folder, name, locks)
}

/// The place of a folder that a user names to be made or replaced, be there a slash behind it.
///
/// # Errors
/// As [`target`].
pub fn target_folder(path: &Path, locks: Locks) -> Result<Place<Files>, Error> {
    let (folder, name) = parted_folder(path)?;
    place(&folder, name, locks)
}

fn place(folder: &Path, name: Name, locks: Locks) -> Result<Place<Files>, Error> {
    let root = open(folder, locks).map_err(|error| {
        let shown = quoted(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let next = if error.kind() == io::ErrorKind::NotFound { ": make it (mkdir -p), then try again" } else { "" };
        Error::cannot_start(format!("cannot open the folder {shown}: {error}{next}"))
    })?;
    Ok(Place { root: Arc::new(root), name })
}
