//! `Disk`: the write side. Every byte a backup or restore writes goes through it.
//!
//! The trait is small so that a model of a disk that forgets what was not synced can stand in for the real one.

pub mod model;
mod real;

use std::any::Any;
use std::io;
use std::path::Path;

use crate::store::{Object, Store};

/// A held lock; dropping it, or the end of the process, releases it.
pub type Held = Box<dyn Any + Send>;

/// Somewhere files can be written, beside being read.
pub trait Disk: Store {
    /// Creates a new file for writing; never follows a link, never takes an existing one.
    ///
    /// # Errors
    /// `AlreadyExists`, or the operating system's.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>>;

    /// Opens an existing plain file for writing; never follows a link.
    ///
    /// # Errors
    /// The operating system's.
    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn Writable>>;

    /// Renames a file, replacing what is there.
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file to a name that must be free.
    ///
    /// # Errors
    /// `AlreadyExists`, or the operating system's.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in a folder durable.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Whether anything has this name.
    ///
    /// # Errors
    /// The operating system's.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Whether a folder has this name; links are followed.
    fn is_folder(&self, path: &Path) -> bool;

    /// Takes the lock file `path` for this process and writes `text` into it; none when another process holds it.
    ///
    /// # Errors
    /// The operating system's.
    fn lock(&self, path: &Path, text: &str) -> io::Result<Option<Held>>;

    /// Makes a folder, which gets the owner and permissions of the folder `like`.
    ///
    /// # Errors
    /// `AlreadyExists`, or the operating system's.
    fn make_folder(&self, path: &Path, like: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// The operating system's.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes everything durable that was written to the file system of `folder`, names and contents.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_all(&self, folder: &Path) -> io::Result<()>;

    /// Sets when a file was last used to now, and gives its length in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn touch(&self, path: &Path) -> io::Result<u64>;

    /// Takes a file, together with others that do so, or a folder, alone, for this process; none when another process has it.
    ///
    /// # Errors
    /// The operating system's.
    fn hold(&self, path: &Path) -> io::Result<Option<Held>>;

    /// Opens what is to be backed up: a plain file, or where there are such things a block device.
    ///
    /// # Errors
    /// As [`Store::open`].
    fn open_source(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        self.open(path)
    }

    /// Gives `path` the permissions of `like`, and the owner as far as the user may.
    ///
    /// # Errors
    /// The operating system's. Whoever may not read `like` could read `path` then.
    fn adopt(&self, path: &Path, like: &Path) -> io::Result<()>;

    /// Gives a file or folder these permissions.
    ///
    /// # Errors
    /// The operating system's.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Makes `to`, a new file, share the bytes of `from`; false when the file system cannot.
    fn reflink(&self, from: &Path, to: &dyn Writable) -> bool;
}

/// A file open for writing.
pub trait Writable: Object {
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

    /// Makes contents and length durable.
    ///
    /// # Errors
    /// The operating system's.
    fn sync(&self) -> io::Result<()>;

    /// Takes this file for this process, until it is closed; false when another has it.
    ///
    /// # Errors
    /// The operating system's.
    fn try_lock(&self) -> io::Result<bool>;

    /// The same file, for reading.
    fn as_object(&self) -> &dyn Object;

    /// The real file behind it, where there is one.
    fn as_file(&self) -> Option<&std::fs::File> {
        None
    }
}
