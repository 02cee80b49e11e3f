//! The real disk: plain system calls, with `O_NOFOLLOW` and `fsync` where they belong.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::Path;

use highwater_core::formats::repozo::names::TEMPORARY;
use rustix::fs::{
    AtFlags, CWD, FlockOperation, OFlags, RenameFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fcntl_lock,
    ioctl_ficlone, renameat_with, syncfs, utimensat,
};
use rustix::io::Errno;

use super::{Disk, Held, Writable};
use crate::store::{Files, Object, Store, open_plain};

impl Disk for Files {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Box::new(file))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = fs::OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file"));
        }
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Old kernels and some network file systems do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS) => {
                if self.exists(to)? {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(from, to)
            }
            result => Ok(result?),
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn lock(&self, path: &Path, text: &str) -> io::Result<Option<Held>> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = fs::OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).custom_flags(flags).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The file may have been deleted before it was locked; then the lock keeps nobody out.
        if fs::symlink_metadata(path)?.ino() != file.metadata()?.ino() {
            return Err(io::Error::other("it was deleted meanwhile; run again"));
        }
        if file.metadata()?.nlink() > 1 {
            // It has another name, as in a snapshot made of hard links, whose bytes are not ours to change.
            let ours = new_lock(path, text)?;
            // Whoever has opened the old one already still finds it locked.
            return Ok(Some(Box::new((file, ours))));
        }
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        Ok(Some(Box::new(file)))
    }

    fn make_folder(&self, path: &Path, like: &Path) -> io::Result<()> {
        let meta = fs::metadata(like)?;
        fs::create_dir(path)?;
        // Only root may give folders away.
        _ = chown(path, Some(meta.uid()), Some(meta.gid()));
        fs::set_permissions(path, meta.permissions())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_all(&self, folder: &Path) -> io::Result<()> {
        Ok(syncfs(File::open(folder)?)?)
    }

    fn touch(&self, path: &Path) -> io::Result<u64> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT } };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(fs::symlink_metadata(path)?.len())
    }

    fn hold(&self, path: &Path) -> io::Result<Option<Held>> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let taken = if file.metadata()?.is_dir() {
            file.try_lock()
        } else {
            // Two kinds of locks that know nothing of each other: whoever holds the file alone may use either.
            match fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
                Ok(()) => file.try_lock_shared(),
                Err(Errno::AGAIN | Errno::ACCESS) => Err(TryLockError::WouldBlock),
                Err(error) => Err(TryLockError::Error(error.into())),
            }
        };
        match taken {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn open_source(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        if fs::metadata(path)?.file_type().is_block_device() {
            return Ok(Box::new(Device(File::open(path)?)));
        }
        self.open(path)
    }

    fn adopt(&self, path: &Path, like: &Path) -> io::Result<()> {
        let (meta, file) = (fs::metadata(like)?, open_plain(path)?);
        // Only root may give files away.
        _ = fchown(&file, Some(meta.uid()), Some(meta.gid()));
        match file.set_permissions(meta.permissions()) {
            // File systems without permissions refuse to set those that all of their files have.
            Err(_) if file.metadata()?.permissions() == meta.permissions() => Ok(()),
            result => result,
        }
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    fn reflink(&self, from: &Path, to: &dyn Writable) -> bool {
        let (Ok(from), Some(to)) = (open_plain(from), to.as_file()) else { return false };
        ioctl_ficlone(to, &from).is_ok()
    }
}

/// Puts a new lock file, already locked, in the place of one that this process holds.
fn new_lock(path: &Path, text: &str) -> io::Result<File> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY);
    _ = fs::remove_file(&temporary);
    let mut file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(&temporary)?;
    file.try_lock()?;
    file.write_all(text.as_bytes())?;
    fs::rename(&temporary, path)?;
    Ok(file)
}

/// A block device, which does not tell its length as files do.
struct Device(File);

impl Object for Device {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, buffer, at)
    }

    fn length(&self) -> io::Result<u64> {
        (&self.0).seek(SeekFrom::End(0))
    }

    fn will_need(&self, at: u64, length: u64) {
        self.0.will_need(at, length);
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        self.0.identity()
    }
}

impl Writable for File {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match File::try_lock(self) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn as_file(&self) -> Option<&File> {
        Some(self)
    }
}
