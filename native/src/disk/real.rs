//! The real disk: system calls on descriptors, below a held root and through no link, with `fsync` where it belongs.

use std::any::Any;
use std::ffi::{CStr, OsStr};
use std::fs::TryLockError;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use highwater_core::name::{Name, TEMPORARY};
use rustix::fs::{
    AtFlags, Dir, FileType, FsWord, Gid, Mode, OFlags, RenameFlags, Stat, StatxAttributes, StatxFlags, Timespec,
    Timestamps, UTIME_NOW, UTIME_OMIT, Uid, chownat, fstat, fstatfs, fstatvfs, futimens, linkat, mkdirat, openat,
    readlinkat, renameat, renameat_with, statat, statx, symlinkat, syncfs, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::device::Device;
use super::like::Like;
use super::opened::Opened;
use super::{Disk, Draft, Held, Inode, Look, Owner, Room, Time, What, Writable};
use crate::random;
use crate::store::beneath::{self, Follow};
use crate::store::{Files, Locks, Object, Store, plain};

/// What a file system says that cannot sync a folder.
pub(super) const UNSYNCED: [Errno; 3] = [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS];

/// What a file's blocks are counted in, in bytes.
const BLOCK: u64 = 512;

/// The numbers of file systems that compress or share blocks: Btrfs, ZFS, bcachefs, XFS.
const SHARING: [FsWord; 4] = [0x9123_683e, 0x2fc1_2fc1, 0xca45_1a4e, 0x5846_5342];

/// No lock file is longer, in bytes.
const LONGEST_LOCK: u64 = 256;

/// The folder that a name lies in, held.
enum Parent<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(root) => *root,
            Self::Below(folder) => folder.as_fd(),
        }
    }
}

impl Files {
    fn parent(&self, name: &Name) -> io::Result<Parent<'_>> {
        match name.folder() {
            None => Ok(Parent::Root(self.root())),
            Some(folder) => {
                self.open_in_root(&folder, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).map(Parent::Below)
            }
        }
    }

    fn open_in_root(&self, name: &Name, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        beneath::open(self.root(), name, flags, mode, Follow::Nothing)
    }

    /// A folder, or the root, open for what is done with a whole folder.
    fn open_to_sync(&self, folder: Option<&Name>) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match folder {
            Some(name) => self.open_in_root(name, flags, Mode::empty()),
            None => Ok(openat(self.root(), ".", flags | OFlags::CLOEXEC, Mode::empty())?),
        }
    }

    fn open_held(&self, name: &Name, flags: OFlags) -> io::Result<Opened> {
        let file = self.open_in_root(name, flags | OFlags::NOFOLLOW | OFlags::NONBLOCK, Mode::empty())?;
        plain(FileType::from_raw_mode(fstat(&file)?.st_mode))?;
        Ok(file.into())
    }

    /// What comes of taking a lock: none when another process has it.
    fn taken<T>(&self, held: T, taken: Result<(), TryLockError>) -> io::Result<Option<T>> {
        match taken {
            _ if self.locks == Locks::Without => Ok(Some(held)),
            Ok(()) => Ok(Some(held)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => match no_locks(error) {
                error if error.kind() == io::ErrorKind::Unsupported && self.locks == Locks::Wanted => {
                    self.unlocked.store(true, Ordering::Relaxed);
                    Ok(Some(held))
                }
                error => Err(error),
            },
        }
    }
}

/// An error of taking a lock, by which it can be told that the file system has none.
pub(super) fn no_locks(error: io::Error) -> io::Error {
    let none = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::BADF].map(|errno| Some(errno.raw_os_error()));
    if none.contains(&error.raw_os_error()) { io::Error::new(io::ErrorKind::Unsupported, error) } else { error }
}

/// Whether an entry of a folder is the folder itself, or the one around it.
fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

fn last(name: &Name) -> &OsStr {
    OsStr::from_bytes(name.last())
}

impl Disk for Files {
    fn as_store(&self) -> &dyn Store {
        self
    }

    fn beneath(&self, folder: &Name) -> io::Result<Box<dyn Disk>> {
        Ok(Box::new(self.below(folder)?))
    }

    fn create(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        Ok(Box::new(Opened::from(self.open_in_root(name, flags, Mode::RUSR | Mode::WUSR)?)))
    }

    fn open_for_writing(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(self.open_held(name, OFlags::RDWR)?))
    }

    fn open_device(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        // Of a block device, this flag asks that nobody else has it.
        let file = self.open_in_root(name, OFlags::RDWR | OFlags::EXCL | OFlags::NOFOLLOW, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::BlockDevice {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no block device"));
        }
        Ok(Box::new(Device::new(file)?))
    }

    fn open_to_hold(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        // Over NFS, only a file that is open for writing can be held alone; what may not be written can still be held
        // elsewhere.
        let refused = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
        };
        let opened = match self.open_held(name, OFlags::RDWR) {
            Err(error) if refused(&error) => self.open_held(name, OFlags::RDONLY),
            opened => opened,
        };
        Ok(Box::new(opened?))
    }

    fn rename(&self, from: &Name, to: &Name) -> io::Result<()> {
        Ok(renameat(self.parent(from)?, last(from), self.parent(to)?, last(to))?)
    }

    fn rename_new(&self, from: &Name, to: &Name) -> io::Result<()> {
        match renameat_with(self.parent(from)?, last(from), self.parent(to)?, last(to), RenameFlags::NOREPLACE) {
            // Old kernels and some network file systems do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS) => {
                if self.look(Some(to))?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.rename(from, to)
            }
            result => Ok(result?),
        }
    }

    fn exchange(&self, one: &Name, other: &Name) -> io::Result<()> {
        let exchanged =
            renameat_with(self.parent(one)?, last(one), self.parent(other)?, last(other), RenameFlags::EXCHANGE);
        match exchanged {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Err(io::ErrorKind::Unsupported.into()),
            result => Ok(result?),
        }
    }

    fn link(&self, file: &Name, name: &Name) -> io::Result<()> {
        Ok(linkat(self.parent(file)?, last(file), self.parent(name)?, last(name), AtFlags::empty())?)
    }

    fn adopt(&self, from: &dyn Store, file: &Name, name: &Name) -> io::Result<()> {
        let from = from.as_any().and_then(<dyn Any>::downcast_ref::<Self>).ok_or(io::ErrorKind::Unsupported)?;
        Ok(linkat(from.parent(file)?, last(file), self.parent(name)?, last(name), AtFlags::empty())?)
    }

    fn make_link(&self, name: &Name, text: &[u8]) -> io::Result<()> {
        Ok(symlinkat(text, self.parent(name)?, last(name))?)
    }

    fn set_link(&self, name: &Name, owner: Option<Owner>, modified: Option<Time>) -> io::Result<()> {
        let parent = self.parent(name)?;
        if let Some(Owner { user, group }) = owner {
            let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
            chownat(&parent, last(name), user, group, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        if let Some(modified) = modified {
            utimensat(&parent, last(name), &times(modified)?, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(())
    }

    fn open_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok(Box::new(Opened::from(self.open_in_root(name, flags, Mode::empty())?)))
    }

    fn sync_folder(&self, folder: Option<&Name>) -> io::Result<()> {
        self.synced(rustix::fs::fsync(self.open_to_sync(folder)?))
    }

    fn takes_threads(&self) -> bool {
        true
    }

    fn barrier(&self, folder: Option<&Name>) -> io::Result<()> {
        Ok(syncfs(self.open_to_sync(folder)?)?)
    }

    fn moves(&self, from: Option<&Name>, to: Option<&Name>) -> io::Result<bool> {
        // Two mounts may be of one device; kernels before 5.8 do not number them.
        let place = |folder| {
            let folder = self.open_to_sync(folder)?;
            let mount = match statx(&folder, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID) {
                Ok(stat) if stat.stx_mask & StatxFlags::MNT_ID.bits() != 0 => Some(stat.stx_mnt_id),
                Ok(_) | Err(_) => None,
            };
            Ok::<_, io::Error>((looked(&fstat(&folder)?).identity.0, mount))
        };
        Ok(place(from)? == place(to)?)
    }

    fn is_mount(&self, name: &Name) -> io::Result<bool> {
        let parent = self.parent(name)?;
        match statx(&parent, last(name), AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty()) {
            Ok(stat) if stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
                Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
            }
            Err(Errno::NOENT) => Ok(false),
            // Kernels before 5.8 do not say; a mount of the same device is not seen there.
            Ok(_) | Err(_) => {
                let inside = statat(&parent, last(name), AtFlags::SYMLINK_NOFOLLOW)?;
                Ok(looked(&inside).identity.0 != looked(&statat(&parent, ".", AtFlags::empty())?).identity.0)
            }
        }
    }

    fn remove(&self, name: &Name) -> io::Result<()> {
        Ok(unlinkat(self.parent(name)?, last(name), AtFlags::empty())?)
    }

    fn look(&self, name: Option<&Name>) -> io::Result<Option<Look>> {
        let Some(name) = name else { return Ok(Some(looked(&fstat(self.root())?))) };
        let found = self.parent(name).and_then(|parent| Ok(statat(parent, last(name), AtFlags::SYMLINK_NOFOLLOW)?));
        match found {
            Ok(stat) => Ok(Some(looked(&stat))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn leads_to(&self, name: &Name) -> Option<PathBuf> {
        let to = readlinkat(self.parent(name).ok()?, last(name), Vec::new()).ok()?;
        Some(PathBuf::from(OsStr::from_bytes(to.as_bytes())))
    }

    fn make_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        mkdirat(self.parent(name)?, last(name), Mode::RWXU)?;
        let folder = self.open_in_root(name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        // Whoever may rename it in its folder may have put another one there.
        let look = looked(&fstat(&folder)?);
        let private = look.owner.user == self.user() && look.mode & 0o077 == 0;
        // Of ours too: but nobody else can have put anything into the one that was made.
        let mut is_empty = true;
        for entry in Dir::read_from(&folder)? {
            is_empty &= is_dots(entry?.file_name());
        }
        if !is_empty || (!private && !is_like_all(&folder, &look)?) {
            return Err(io::Error::other(
                "somebody else put another folder in its place at once; look who writes there",
            ));
        }
        Ok(Box::new(Opened::from(folder)))
    }

    fn remove_folder(&self, name: &Name) -> io::Result<()> {
        Ok(unlinkat(self.parent(name)?, last(name), AtFlags::REMOVEDIR)?)
    }

    fn lock(&self, name: &Name, text: &str) -> io::Result<Option<Held>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = Opened::from(self.open_in_root(name, flags, Mode::RUSR | Mode::WUSR)?);
        let look = Inode::look(&file)?;
        if look.what != What::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
        }
        if self.taken((), file.lock_alone())?.is_none() {
            return Ok(None);
        }
        // The file may have been deleted before it was locked; then the lock keeps nobody out.
        if self.look(Some(name))?.is_none_or(|there| there.identity != look.identity) {
            return Err(io::Error::other("it was deleted meanwhile; run again"));
        }
        let like = like_lock(&self.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?);
        if look.names > 1 {
            // It has another name, as in a snapshot made of hard links, whose bytes are not ours to change.
            let ours = Draft::of(self, name, TEMPORARY)?;
            ours.file().write_at(0, text.as_bytes())?;
            _ = ours.give(&like)?;
            let new = ours.held();
            ours.publish(name)?;
            // Whoever has opened the old one already still finds it locked.
            return Ok(Some(Box::new((file, new))));
        }
        // A power cut may have left less than that, or zeros.
        let mut begins = Vec::new();
        (&file as &dyn Object).for_each_piece(0, 4, &mut [0; 4], |piece| {
            begins.extend_from_slice(piece);
            true
        })?;
        let zeros = look.length <= LONGEST_LOCK && begins.iter().all(|byte| *byte == 0);
        if !zeros && !b"pid ".starts_with(&begins) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no lock file of this program: it does not say who holds it",
            ));
        }
        file.set_length(0)?;
        file.write_at(0, text.as_bytes())?;
        if look.owner.user == self.user() || self.user() == 0 {
            _ = like.give(&file)?;
        }
        Ok(Some(Box::new(file)))
    }

    fn hold(&self, name: Option<&Name>) -> io::Result<Option<Held>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = Opened::from(match name {
            Some(name) => self.open_in_root(name, flags, Mode::empty())?,
            None => openat(self.root(), ".", flags | OFlags::CLOEXEC, Mode::empty())?,
        });
        let taken = if Inode::look(&file)?.what == What::Folder { file.lock_alone() } else { file.lock_shared() };
        Ok(self.taken(file, taken)?.map(|file| Box::new(file) as Held))
    }

    fn touch(&self, name: &Name) -> io::Result<u64> {
        let file = self.open_held(name, OFlags::RDONLY)?;
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT } };
        futimens(&file, &times)?;
        Object::length(&file)
    }

    fn room(&self) -> io::Result<Option<Room>> {
        let stat = fstatvfs(self.root())?;
        // Root may use what is kept back for it.
        let is_root = self.user() == 0;
        let (blocks, files) = if is_root { (stat.f_bfree, stat.f_ffree) } else { (stat.f_bavail, stat.f_favail) };
        let shares = SHARING.contains(&fstatfs(self.root())?.f_type);
        Ok(Some(Room {
            free: blocks.saturating_mul(stat.f_frsize),
            // Btrfs, say, makes inodes as they are needed, and says that it has none.
            files: (stat.f_files > 0).then_some(files),
            block: stat.f_frsize,
            shares,
        }))
    }

    fn locks(&self) -> Locks {
        self.locks
    }

    fn doubts(&self) -> Vec<String> {
        Self::doubts(self)
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
}

impl Files {
    /// What came of syncing a folder, which some file systems cannot.
    fn synced(&self, result: rustix::io::Result<()>) -> io::Result<()> {
        match result {
            Err(errno) if UNSYNCED.contains(&errno) => {
                self.unsynced.store(true, Ordering::Relaxed);
                Ok(())
            }
            result => Ok(result?),
        }
    }
}

/// Whether a folder is as open as everything that this process makes on its file system: some have one owner and one
/// mode for all, or know whoever comes by another number. A file that is made in it tells.
fn is_like_all(folder: &OwnedFd, look: &Look) -> io::Result<bool> {
    let digits = u64::from_le_bytes(random::bytes().map_err(io::Error::other)?);
    let name = format!(".{digits:016x}{TEMPORARY}");
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = looked(&fstat(openat(folder, &*name, flags, Mode::RUSR | Mode::WUSR)?)?);
    unlinkat(folder, &*name, AtFlags::empty())?;
    // Whoever may read a file of a kind may enter a folder of it.
    let open = made.mode | ((made.mode & 0o044) >> 2);
    Ok(made.owner.user == look.owner.user && look.mode & !open & 0o077 == 0)
}

/// A lock file: of whom the folder is, and open to those only who may write there.
fn like_lock(folder: &Look) -> Like {
    let writers = folder.mode & 0o222;
    Like::new_in(folder).with_mode(0o600 | writers | (writers << 1))
}

/// A count that is wider on some architectures than on others.
fn wide(count: impl Into<u64>) -> u64 {
    count.into()
}

pub(super) fn looked(stat: &Stat) -> Look {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => What::File,
        FileType::Directory => What::Folder,
        FileType::Symlink => What::Link,
        FileType::BlockDevice => What::Block,
        _ => What::Other,
    };
    Look {
        what,
        identity: (stat.st_dev, stat.st_ino),
        names: wide(stat.st_nlink),
        length: stat.st_size.unsigned_abs(),
        stored: stat.st_blocks.unsigned_abs().saturating_mul(BLOCK),
        owner: Owner { user: stat.st_uid, group: stat.st_gid },
        mode: stat.st_mode & 0o7777,
        modified: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or_default()),
        changed: (stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or_default()),
    }
}

/// What sets a time, and leaves the one of the last use as it is.
///
/// # Errors
/// `InvalidInput` for what is no time: numbers beyond a second have meanings of their own to the system.
pub(super) fn times((seconds, nanoseconds): Time) -> io::Result<Timestamps> {
    if nanoseconds >= 1_000_000_000 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{nanoseconds} ns are more than a second")));
    }
    let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let modified = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Ok(Timestamps { last_access: unchanged, last_modification: modified })
}
