//! `Store`: the read side. One root, held open; everything in it is reached by its name below that root. Another kind
//! of root is a file here.
//!
//! The rule on links is one: reading follows those that stay below the root, and others only where the user has said
//! that he made them ([`Links`]); writing follows none. A path that a user types is his own word, and is followed
//! wherever it leads, once: when the root is opened.

mod ahead;
mod apart;
pub(crate) mod beneath;
mod bucket;
mod coming;
mod files;
pub mod mapped;
mod scheme;
mod ssh;

use std::any::Any;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater_core::fault::{Fault, FaultKind};
use highwater_core::inspect::Entry;
use highwater_core::name::Name;

pub use apart::Apart;
pub use bucket::Bucket;
pub(crate) use bucket::{Known, Told, cannot};
pub use coming::{Coming, News};
pub(crate) use files::BlockDevice;
pub use files::{Files, Links, Locks};
pub(crate) use files::{plain, umask};
pub use scheme::Scheme;
pub use ssh::{Asks, Made, Ssh, SshSettings, Sum};

use crate::error::Error;
use crate::shown::quoted;

/// What tells a file or folder from every other on the machine, whatever its name: device and inode.
pub type Identity = (u64, u64);

/// One root that objects can be read from.
pub trait Store: Sync + Send {
    /// What people call the root, or an object in it. For sentences only: nothing is opened by it.
    fn told(&self, name: Option<&Name>) -> PathBuf;

    /// Hands every entry of `folder`, or of the root, to `each`, in no order.
    ///
    /// # Errors
    /// When the folder cannot be read to its end.
    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()>;

    /// Opens a plain file.
    ///
    /// # Errors
    /// When it is absent, denied, or no plain file.
    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>>;

    /// Opens what is to be backed up: a plain file, or where there are such things a block device.
    ///
    /// # Errors
    /// As [`Store::open`].
    fn open_source(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.open(name)
    }

    /// The length of a plain file, in bytes.
    ///
    /// # Errors
    /// As [`Store::open`].
    fn length(&self, name: &Name) -> io::Result<u64> {
        self.open(name)?.length()
    }

    /// A number by which to sort objects so that those which lie near each other on a disk are neighbours; 0 when
    /// nothing is known.
    fn place(&self, _name: &Name) -> u64 {
        0
    }

    /// Whether a process holds a lock on a file right now; false when that cannot be known.
    fn is_locked(&self, _name: &Name) -> bool {
        false
    }

    /// Which folder this is, whatever name led to it; none where that cannot be known.
    fn identity(&self, _folder: Option<&Name>) -> Option<Identity> {
        None
    }

    /// Which folders the root lies in: itself, the folder around it, and so on.
    ///
    /// # Errors
    /// The operating system's.
    fn around(&self) -> io::Result<Vec<Identity>> {
        Ok(Vec::new())
    }

    /// What can tell of names that appear in folders of this root; see [`Store::tell_of`].
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where nobody tells.
    fn coming(&self) -> io::Result<Box<dyn News>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Has `news`, which this root gave, tell of what appears from now on in a folder, or in the root.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where nobody tells.
    fn tell_of(&self, _folder: Option<&Name>, _news: &dyn News) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// How many reads are best under way at a time, where that is not a matter of this machine's cores: far roots
    /// answer late, and many as fast as one.
    fn ways(&self) -> Option<usize> {
        None
    }

    /// This root as what it is, for another of its kind.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}

/// A file, by the root that it lies in and its name there.
pub struct Place<S: ?Sized = dyn Store> {
    /// The root.
    pub root: Arc<S>,
    /// The name.
    pub name: Name,
}

impl<S: ?Sized> Clone for Place<S> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), name: self.name.clone() }
    }
}

impl<S: Store + ?Sized> Place<S> {
    /// What people call it.
    #[must_use]
    pub fn told(&self) -> PathBuf {
        self.root.told(Some(&self.name))
    }
}

/// The folder and the name of a file that the user names.
///
/// # Errors
/// When it can only be a folder's, as `/`, `..` and `a/`; or nobody's.
pub fn parted(path: &Path) -> Result<(&Path, Name), Error> {
    let bytes = path.as_os_str().as_bytes();
    // `a/` and `a/.` name a folder, which `file_name` passes over.
    let is_folders = [&b"/"[..], b"/.", b"/.."].iter().any(|end| bytes.ends_with(end))
        || [".", ".."].map(str::as_bytes).contains(&bytes);
    if is_folders {
        return Err(Error::cannot_start(format!("{} names a folder, and a file is needed: name one", quoted(path))));
    }
    parts(path).ok_or_else(|| Error::cannot_start(format!("{} is no name of a file", quoted(path))))
}

/// The folder and the name of a folder that the user names, be there a slash behind it; also as `.` and `..`.
///
/// # Errors
/// When it has no name, as `/`, or what it is called cannot be known.
pub fn parted_folder(path: &Path) -> Result<(PathBuf, Name), Error> {
    let mut plain: PathBuf = path.components().collect();
    // Nothing is no folder, and `.` of nothing is that at hand.
    if plain.file_name().is_none() && !plain.as_os_str().is_empty() {
        plain = plain
            .canonicalize()
            .map_err(|error| Error::cannot_start(format!("cannot find {}: {error}", quoted(path))))?;
    }
    let named = parts(&plain).map(|(folder, name)| (folder.to_owned(), name));
    named.ok_or_else(|| Error::cannot_start(format!("{} is no name of a folder that can be made", quoted(path))))
}

/// What a path ends with, and what is before it.
fn parts(path: &Path) -> Option<(&Path, Name)> {
    let name = Name::new(path.file_name()?.as_bytes()).ok()?;
    Some((path.parent().unwrap_or(Path::new("")), name))
}

/// The file that a user names to be read; links are followed, as they are his own.
///
/// # Errors
/// When the folder that it is in cannot be opened.
pub fn source(path: &Path) -> Result<Place, Error> {
    let (folder, name) = parted(path)?;
    let root = Files::open(folder, Links::Followed)
        .map_err(|error| Error::cannot_start(format!("cannot open the source {}: {error}", quoted(path))))?;
    Ok(Place { root: Arc::new(root), name })
}

/// An open object, readable from any thread at any offset.
pub trait Object: Send + Sync {
    /// Reads some bytes at an offset; 0 at the end.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Its length now, in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn length(&self) -> io::Result<u64>;

    /// All of its bytes, when they lie in memory anyway.
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    /// Says that these bytes will be read soon; whoever can fetches them ahead.
    fn will_need(&self, _at: u64, _length: u64) {}

    /// Where bytes begin at or after an offset that the file system keeps: up to there, all are zeros. None where
    /// nobody knows.
    fn next_data(&self, _at: u64) -> Option<u64> {
        None
    }

    /// Which file this is.
    ///
    /// # Errors
    /// The operating system's.
    fn identity(&self) -> io::Result<Identity>;

    /// What its root keeps of it beside its bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn kept(&self) -> io::Result<Kept> {
        Ok(Kept::default())
    }

    /// The real file behind it, where there is one.
    fn as_file(&self) -> Option<&File> {
        None
    }
}

/// What a root keeps of a file beside its bytes, as far as it tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its permissions, in the twelve bits of `chmod`.
    pub mode: Option<u32>,
    /// When its bytes changed last: seconds since 1970, and nanoseconds.
    pub modified: Option<(i64, u32)>,
}

impl dyn Object + '_ {
    /// Fills `buffer` from an offset.
    ///
    /// # Errors
    /// `UnexpectedEof` when the object ends before.
    pub fn read_exact_at(&self, mut at: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(at, buffer) {
                Ok(0) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the file ends at byte {at}")));
                }
                Ok(read) => {
                    at += read as u64;
                    buffer = &mut buffer[read..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Hands the bytes of `[at, end)` to `each` in pieces of at most `buffer`'s length, until it says stop.
    ///
    /// Returns where it ended: before `end` only if the object ends there or `each` stopped.
    ///
    /// # Errors
    /// The operating system's.
    pub fn for_each_piece(
        &self,
        mut at: u64,
        end: u64,
        buffer: &mut [u8],
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<u64> {
        while at < end {
            let room = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            match self.read_at(at, &mut buffer[..room]) {
                Ok(0) => break,
                Ok(read) => {
                    at += read as u64;
                    if !each(&buffer[..read]) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(at)
    }

    /// All of its bytes, for what is known to be small.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read_whole(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.for_each_piece(0, u64::MAX, &mut vec![0; 64 * 1024], |piece| {
            bytes.extend_from_slice(piece);
            true
        })?;
        Ok(bytes)
    }
}

/// Whether an error says that there is no file of that name, or something that is none: a folder, a FIFO, a link to
/// nowhere. Any other error leaves it open what is there.
pub(crate) fn is_no_file(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput)
}

/// What an I/O error says to the engine.
#[must_use]
pub fn fault(error: &io::Error) -> Fault {
    // Below what is a plain file by now, there is nothing either.
    let absent = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let kind = if absent { FaultKind::Absent } else { FaultKind::Unreadable };
    Fault { kind, message: format!("it cannot be read: {error}") }
}
