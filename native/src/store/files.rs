//! `Files`: a folder of this machine, held open.

use std::any::Any;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;
use rustix::fs::{Advice, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat};

use super::beneath::{self, Follow};
use super::coming::{Inotify, News};
use super::{Identity, Kept, Object, Store};

/// Which links below a root are followed by whoever reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Those that stay below the root.
    Beneath,
    /// The same, for an end that cannot be asked to follow others.
    Served,
    /// All: the user made them.
    Followed,
}

/// What is done where a file system keeps no locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locks {
    /// Nothing is written.
    Needed,
    /// It goes without: a program did so that others rely on.
    Wanted,
    /// None is taken anywhere: the user keeps other writers away.
    Without,
}

/// A folder of this machine, by the descriptor that it was opened with. Whoever renames it, or puts another in its
/// place, changes nothing here.
#[derive(Debug)]
pub struct Files {
    root: OwnedFd,
    told: PathBuf,
    links: Links,
    pub(crate) locks: Locks,
    /// What the file system turned out not to do.
    pub(crate) unsynced: AtomicBool,
    pub(crate) unlocked: AtomicBool,
}

impl Files {
    /// Opens a folder by the path that the user gave.
    ///
    /// # Errors
    /// The operating system's; it is absent, denied, or no folder.
    pub fn open(path: &Path, links: Links) -> io::Result<Self> {
        if let Some(scheme) = super::Scheme::of(path) {
            let what =
                format!("it {}, which is only read by this command, and not in this way; name a folder", scheme.lies());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let at = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let root = openat(CWD, at, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let told = path.to_owned();
        let (unsynced, unlocked) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { root, told, links, locks: Locks::Needed, unsynced, unlocked })
    }

    /// The same, with another rule for file systems without locks.
    #[must_use]
    pub fn with_locks(mut self, locks: Locks) -> Self {
        self.locks = locks;
        self
    }

    /// What the file system turned out not to do, a sentence each: it is said once, at the end of a run.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let folder = crate::shown::quoted(if self.told.as_os_str().is_empty() { Path::new(".") } else { &self.told });
        let unsynced = self.unsynced.load(Ordering::Relaxed).then(|| {
            format!(
                "the file system of {folder} does not make names durable by itself (fsync of a folder): a power \
                cut soon after may undo this run"
            )
        });
        let unlocked = self
            .unlocked
            .load(Ordering::Relaxed)
            .then(|| format!("the file system of {folder} keeps no locks: nothing but you keeps another writer away"));
        unsynced.into_iter().chain(unlocked).collect()
    }

    /// A folder below, opened through no link, as a root of its own.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn below(&self, folder: &Name) -> io::Result<Self> {
        let root =
            beneath::open(self.root(), folder, OFlags::PATH | OFlags::DIRECTORY, Mode::empty(), Follow::Nothing)?;
        let (unsynced, unlocked) = (AtomicBool::new(false), AtomicBool::new(false));
        let (links, locks) = (self.links, self.locks);
        Ok(Self { root, told: self.told(Some(folder)), links, locks, unsynced, unlocked })
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens something below the root that is only looked at or read.
    fn open_to_read(&self, name: &Name, flags: OFlags) -> io::Result<OwnedFd> {
        let follow = match self.links {
            Links::Beneath => Follow::Beneath,
            Links::Served => Follow::Served,
            Links::Followed => Follow::Anything,
        };
        beneath::open(self.root(), name, flags, Mode::empty(), follow)
    }

    fn folder(&self, folder: Option<&Name>) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match folder {
            Some(name) => self.open_to_read(name, flags),
            None => Ok(openat(self.root(), ".", flags | OFlags::CLOEXEC, Mode::empty())?),
        }
    }

    /// What a file is by its name, to whoever reads.
    fn look_at(&self, name: &Name) -> io::Result<Stat> {
        Ok(fstat(self.open_to_read(name, OFlags::PATH)?)?)
    }
}

impl Files {
    /// What a plain file is by its name, to whoever reads, without opening it.
    pub(crate) fn look_at_file(&self, name: &Name) -> io::Result<Stat> {
        let stat = self.look_at(name)?;
        plain(FileType::from_raw_mode(stat.st_mode))?;
        Ok(stat)
    }
}

impl Store for Files {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        name.map_or_else(|| self.told.clone(), |name| self.told.join(OsStr::from_bytes(name.as_bytes())))
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        for entry in Dir::new(self.folder(folder)?)? {
            let entry = entry?;
            let part = entry.file_name().to_bytes();
            if part == b"." || part == b".." {
                continue;
            }
            // A name that the kernel hands out is always one part without NUL or slash.
            let Ok(name) = Name::new(part) else { continue };
            // Which folder a link is in matters to where it leads, so it is looked up from the root.
            let below = || folder.map_or_else(|| Ok(name.clone()), |folder| folder.join(part));
            let (kind, length) = match entry.file_type() {
                FileType::RegularFile => (Kind::File, None),
                FileType::Directory => (Kind::Folder, None),
                FileType::Symlink | FileType::Unknown => {
                    match below().map_err(io::Error::other).and_then(|name| self.look_at(&name)) {
                        Ok(stat) => of(&stat),
                        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => (Kind::Link, None),
                        Err(_) => (Kind::Other, None),
                    }
                }
                _ => (Kind::Other, None),
            };
            each(Entry { name, kind, length });
        }
        Ok(())
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.open_file(name).map(|file| Box::new(file) as Box<dyn Object>)
    }

    fn open_source(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        if FileType::from_raw_mode(self.look_at(name)?.st_mode) == FileType::BlockDevice {
            return Ok(Box::new(BlockDevice::new(self.open_to_read(name, OFlags::RDONLY)?.into())));
        }
        self.open(name)
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.look_at_file(name).map(|stat| stat.st_size.unsigned_abs())
    }

    /// Filesystems number files about in the order in which they place them.
    fn place(&self, name: &Name) -> u64 {
        self.look_at(name).map_or(0, |stat| stat.st_ino)
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.look_at(name).is_ok_and(|stat| is_locked((stat.st_dev, stat.st_ino)))
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        let stat = match folder {
            Some(name) => self.look_at(name).ok()?,
            None => fstat(&self.root).ok()?,
        };
        Some((stat.st_dev, stat.st_ino))
    }

    fn coming(&self) -> io::Result<Box<dyn News>> {
        Ok(Box::new(Inotify::new()?))
    }

    fn tell_of(&self, folder: Option<&Name>, news: &dyn News) -> io::Result<()> {
        news.add(self.folder(folder)?.as_fd(), folder)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn around(&self) -> io::Result<Vec<Identity>> {
        let mut all = Vec::new();
        let mut folder = openat(self.root(), ".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        loop {
            let stat = fstat(&folder)?;
            let here = (stat.st_dev, stat.st_ino);
            // The folder around the topmost one is itself.
            if all.last() == Some(&here) {
                return Ok(all);
            }
            all.push(here);
            folder = openat(&folder, "..", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        }
    }
}

impl Files {
    /// Opens a plain file for reading without ever waiting for the other end of a FIFO.
    pub(crate) fn open_file(&self, name: &Name) -> io::Result<File> {
        let file = self.open_to_read(name, OFlags::RDONLY | OFlags::NONBLOCK).map_err(|error| {
            // What opening a socket gives.
            let is_socket = error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
            if is_socket { io::Error::new(io::ErrorKind::InvalidInput, "it is a socket, not a file") } else { error }
        })?;
        plain(FileType::from_raw_mode(fstat(&file)?.st_mode))?;
        Ok(file.into())
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
        match rustix::fs::seek(self, rustix::fs::SeekFrom::Data(at)) {
            Ok(data) => Some(data),
            // There is nothing any more but a hole: if the offset lies within the file, up to its end.
            Err(rustix::io::Errno::NXIO) => self.length().ok().filter(|length| at < *length).map(|_| u64::MAX),
            Err(_) => None,
        }
    }

    fn identity(&self) -> io::Result<Identity> {
        let meta = self.metadata()?;
        Ok((meta.dev(), meta.ino()))
    }

    fn kept(&self) -> io::Result<Kept> {
        let meta = self.metadata()?;
        let modified = Some((meta.mtime(), u32::try_from(meta.mtime_nsec()).unwrap_or_default()));
        Ok(Kept { mode: Some(meta.mode() & 0o7777), modified })
    }

    fn as_file(&self) -> Option<&File> {
        Some(self)
    }
}

/// A block device, which does not tell its length as files do.
pub(crate) struct BlockDevice(File);

impl BlockDevice {
    pub(crate) fn new(file: File) -> Self {
        Self(file)
    }
}

impl Object for BlockDevice {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, buffer, at)
    }

    fn length(&self) -> io::Result<u64> {
        (&self.0).seek(SeekFrom::End(0))
    }

    fn will_need(&self, at: u64, length: u64) {
        self.0.will_need(at, length);
    }

    fn identity(&self) -> io::Result<Identity> {
        self.0.identity()
    }
}

/// Whether a process holds a lock on a file, looked up without touching it: a lock taken just to look would turn a
/// writer away. False where the system does not tell.
fn is_locked((device, inode): Identity) -> bool {
    let ours = format!("{:02x}:{:02x}:{inode}", rustix::fs::major(device), rustix::fs::minor(device));
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return false };
    locks.lines().any(|line| line.contains(" FLOCK ") && line.split_whitespace().any(|word| word == ours))
}

/// The permissions that this process does not give to new files.
pub(crate) fn umask() -> u32 {
    static UMASK: OnceLock<u32> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let told = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        told.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok()).unwrap_or(0o077)
    })
}

fn of(stat: &Stat) -> (Kind, Option<u64>) {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => (Kind::File, Some(stat.st_size.unsigned_abs())),
        FileType::Directory => (Kind::Folder, None),
        _ => (Kind::Other, None),
    }
}

pub(crate) fn plain(kind: FileType) -> io::Result<()> {
    let what = match kind {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "it is a folder, not a file",
        FileType::Fifo => "it is a FIFO, not a file",
        FileType::Socket => "it is a socket, not a file",
        FileType::Symlink => "it is a link, not a file",
        _ => "it is a device, not a file",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}
