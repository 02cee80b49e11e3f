//! `Store`: the read side. Lists folders, opens plain files, reads at offsets, and tells faults apart.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use highwater_core::fault::{Fault, FaultKind};
use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;
use rustix::fs::{Advice, OFlags, SeekFrom};

/// Somewhere objects can be read from.
pub trait Store: Sync {
    /// Hands every entry of `folder` to `each`, in no order.
    ///
    /// # Errors
    /// When the folder cannot be read to its end.
    fn list(&self, folder: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()>;

    /// Opens a plain file; links are followed.
    ///
    /// # Errors
    /// When it is absent, denied, or no plain file.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Object>>;

    /// The length of the plain file at `path`, in bytes.
    ///
    /// # Errors
    /// As [`Store::open`].
    fn length(&self, path: &Path) -> io::Result<u64> {
        self.open(path)?.length()
    }

    /// A number by which to sort objects so that those which lie near each other on a disk are neighbours; 0 when nothing is known.
    fn place(&self, _path: &Path) -> u64 {
        0
    }

    /// Whether a process holds a lock on the file `path` right now; false when that cannot be known.
    fn is_locked(&self, _path: &Path) -> bool {
        false
    }
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

    /// Where bytes begin at or after an offset that the file system keeps: up to there, all are zeros. None where nobody knows.
    fn next_data(&self, _at: u64) -> Option<u64> {
        None
    }

    /// What tells this file from every other on the machine, whatever its name: device and inode.
    ///
    /// # Errors
    /// The operating system's.
    fn identity(&self) -> io::Result<(u64, u64)>;
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

/// The machine's own files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

impl Store for Files {
    fn list(&self, folder: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // A name that the kernel hands out is always one part without NUL or slash.
            let Ok(name) = Name::new(entry.file_name().as_encoded_bytes()) else { continue };
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => {
                    fs::metadata(entry.path()).map_or(Kind::Other, |meta| kind_of(meta.file_type()))
                }
                Ok(kind) => kind_of(kind),
                Err(_) => Kind::Other,
            };
            each(Entry { name, kind });
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        open_plain(path).map(|file| Box::new(file) as Box<dyn Object>)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        let meta = fs::metadata(path)?;
        plain(meta.file_type())?;
        Ok(meta.len())
    }

    /// Filesystems number files about in the order in which they place them.
    fn place(&self, path: &Path) -> u64 {
        fs::metadata(path).map_or(0, |meta| meta.ino())
    }

    fn is_locked(&self, path: &Path) -> bool {
        is_locked(path)
    }
}

impl Object for File {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(self, buffer, at)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn will_need(&self, at: u64, length: u64) {
        // Advice only: whatever comes of it, reading tells.
        _ = rustix::fs::fadvise(self, at, NonZeroU64::new(length), Advice::WillNeed);
    }

    fn next_data(&self, at: u64) -> Option<u64> {
        match rustix::fs::seek(self, SeekFrom::Data(at)) {
            Ok(data) => Some(data),
            // There is nothing any more but a hole: if the offset lies within the file, up to its end.
            Err(rustix::io::Errno::NXIO) => self.length().ok().filter(|length| at < *length).map(|_| u64::MAX),
            Err(_) => None,
        }
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        let meta = self.metadata()?;
        Ok((meta.dev(), meta.ino()))
    }
}

/// Whether a process holds a lock on a file, looked up without touching it: a lock taken just to look would turn a
/// writer away. False where the system does not tell.
fn is_locked(path: &Path) -> bool {
    let Ok(meta) = fs::symlink_metadata(path) else { return false };
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let ours = format!("{major:02x}:{minor:02x}:{}", meta.ino());
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return false };
    locks.lines().any(|line| line.contains(" FLOCK ") && line.split_whitespace().any(|word| word == ours))
}

/// Whether an error says that there is no file of that name, or something that is none: a folder, a FIFO, a link to nowhere.
/// Any other error leaves it open what is there.
pub(crate) fn is_no_file(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput)
}

/// Opens a file for reading without ever waiting for the other end of a FIFO.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        // What opening a socket gives.
        let is_socket = error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
        if is_socket { io::Error::new(io::ErrorKind::InvalidInput, "it is a socket, not a file") } else { error }
    })?;
    plain(file.metadata()?.file_type())?;
    Ok(file)
}

fn kind_of(kind: fs::FileType) -> Kind {
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Folder
    } else {
        Kind::Other
    }
}

fn plain(kind: fs::FileType) -> io::Result<()> {
    let what = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "it is a folder, not a file",
        kind if kind.is_fifo() => "it is a FIFO, not a file",
        kind if kind.is_socket() => "it is a socket, not a file",
        _ => "it is a device, not a file",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// What an I/O error says to the engine.
#[must_use]
pub fn fault(error: &io::Error) -> Fault {
    let kind = if error.kind() == io::ErrorKind::NotFound { FaultKind::Absent } else { FaultKind::Unreadable };
    Fault { kind, message: format!("it cannot be read: {error}") }
}
