//! Files that the user asked for beside standard output: opened before the work, written through whatever lies there,
//! replaced only where that is a plain file.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use highwater_core::name::TEMPORARY;
use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, Stat, fcntl_getfl, fcntl_setfl, fstat, fstatfs, openat, readlinkat};
use rustix::io::Errno;

use super::near::near;
use super::{apart, out};
use crate::disk::like::Like;
use crate::disk::{self, Appender, Disk, Draft, What, Writable};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Files, Locks, Place};
use crate::watch::Watch;

/// How often it is looked whether somebody reads a FIFO by now.
const LOOK: Duration = Duration::from_millis(50);

/// A file that the user named, and that can be written.
pub(super) enum Output {
    /// Standard output, as `-` or as a path that leads to it.
    Stdout,
    /// A device, a pipe, or what a link leads to: it is written to as it is.
    Through(PathBuf, File),
    /// A plain file, which is replaced in one step, or one that is not there yet.
    Plain(PathBuf, Place<Files>),
}

impl Output {
    /// Opens what the user named, if anything; a FIFO, when somebody reads it.
    ///
    /// # Errors
    /// When it cannot be written, or would replace what the run works on ([`apart`]).
    pub(super) fn open(path: Option<&Path>, watch: &Watch<'_>) -> Result<Option<Self>, Error> {
        let Some(path) = path else { return Ok(None) };
        if path == Path::new("-") {
            return Ok(Some(Self::Stdout));
        }
        near(path)?;
        apart::refuse(path)?;
        let place = disk::target(path, Locks::Needed)
            .map_err(|error| Error::cannot_start(format!("cannot write {}: {error}", quoted(path))))?;
        let look = place.root.look(Some(&place.name)).map_err(cannot(path))?;
        if look.is_none_or(|look| look.what == What::File) {
            // What a run that was killed left. Where it cannot be removed, it is in nobody's way.
            let left = |last: &[u8]| disk::is_draft(last, &place.name, TEMPORARY);
            _ = disk::clear(&*place.root, None, left, &Watch::silent());
            // The draft itself waits until there is something to write: it may lie in the very folder that is looked
            // at.
            let tried = Draft::of(&*place.root, &place.name, TEMPORARY).map(drop);
            return match tried {
                Ok(()) => Ok(Some(Self::Plain(path.to_owned(), place))),
                // In a folder of somebody else's, a file of one's own is written as it is.
                Err(error) if look.is_some() && is_closed(&error) => {
                    Ok(Some(Self::Through(path.to_owned(), as_it_is(&place).map_err(cannot(path))?)))
                }
                Err(error) => Err(cannot(path)(error)),
            };
        }
        let file = through(&place, watch).map_err(cannot(path))?;
        Ok(Some(if is_stdout(&file) { Self::Stdout } else { Self::Through(path.to_owned(), file) }))
    }

    /// Whether it is standard output.
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Writes all of it. A plain file appears in one step, so that a reader never sees half of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(self, text: &str) -> Result<(), Error> {
        let (path, written) = match self {
            Self::Stdout => return out::print(text),
            Self::Through(path, mut file) => (path, cut(&file).and_then(|()| file.write_all(text.as_bytes()))),
            Self::Plain(path, place) => {
                let write = || {
                    let draft = Draft::of(&*place.root, &place.name, TEMPORARY)?;
                    draft.file().write_at(0, text.as_bytes())?;
                    _ = draft.give(&Like::in_place_of(&*place.root, &place.name)?)?;
                    draft.file().sync()?;
                    draft.publish(&place.name)
                };
                (path, write())
            }
        };
        written.map_err(Error::io("write", &path))
    }

    /// Lets `write` write it. A plain file appears when all of it is durable, and not at all when that fails; one that
    /// is new can be read by nobody else.
    ///
    /// # Errors
    /// When it cannot be written, and those of `write`.
    pub(super) fn whole<T>(self, write: impl FnOnce(&mut dyn Write) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Stdout => write(&mut out::stream()?),
            Self::Through(path, mut file) => {
                cut(&file).map_err(cannot(&path))?;
                write(&mut file)
            }
            Self::Plain(path, place) => {
                let io = |error| Error::io("write", &path)(error);
                let like = Like::in_place_of(&*place.root, &place.name).map_err(io)?;
                let is_new = place.root.look(Some(&place.name)).map_err(io)?.is_none();
                let draft = Draft::of(&*place.root, &place.name, TEMPORARY).map_err(io)?;
                let done = write(&mut Appender { file: draft.held(), at: 0 })?;
                let publish = || {
                    _ = draft.give(&if is_new { like.with_mode(0o600) } else { like })?;
                    draft.file().sync()?;
                    draft.publish(&place.name)?;
                    place.root.sync_folder(place.name.folder().as_ref())
                };
                publish().map_err(io)?;
                Ok(done)
            }
        }
    }

    /// Lets it be written bit by bit.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn stream(self) -> Result<Box<dyn Write + Send>, Error> {
        Ok(match self {
            Self::Stdout => {
                drop(out::stream()?);
                Box::new(io::stdout())
            }
            Self::Through(path, file) => {
                cut(&file).map_err(cannot(&path))?;
                Box::new(io::BufWriter::new(file))
            }
            Self::Plain(path, place) => Box::new(io::BufWriter::new(begun(&place).map_err(cannot(&path))?)),
        })
    }
}

/// Whether nothing new can be put into a folder.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn cannot(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = quoted(path);
    move |error| Error::cannot_start(format!("cannot write {path}: {error}"))
}

/// Opens a plain file that is there.
fn as_it_is(place: &Place<Files>) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(openat(place.root.root(), OsStr::from_bytes(place.name.as_bytes()), flags, Mode::empty())?.into())
}

/// Opens what is no plain file, or what a link leads to. Whoever may write in the folder may have put it there; so
/// links and pipes of another user than root and this one are refused, as the kernel does in `/tmp`.
fn through(place: &Place<Files>, watch: &Watch<'_>) -> io::Result<File> {
    let (root, name) = (place.root.root(), OsStr::from_bytes(place.name.as_bytes()));
    let (write, mode) = (OFlags::WRONLY | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
    // What lies there is the kernel's, and links there lead where no text says.
    if fstatfs(root)?.f_type == PROC_SUPER_MAGIC {
        return Ok(openat(root, name, write, mode)?.into());
    }
    let there = File::from(openat(root, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?);
    let look = there.metadata()?;
    if !look.file_type().is_char_device() && ![0, place.root.user()].contains(&look.uid()) {
        let what = "it is a link or a pipe that belongs to another user; name what it leads to";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    if look.is_symlink() {
        let to = readlinkat(&there, "", Vec::new())?;
        return once_read(watch, || Ok(openat(root, &*to, write | OFlags::CREATE | OFlags::NONBLOCK, mode)?.into()));
    }
    // The very file that was looked at, whatever has its name by now.
    let path = format!("/proc/self/fd/{}", there.as_raw_fd());
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    once_read(watch, || options.open(&path))
}

/// Opens a file, and if it is a FIFO, waits until somebody reads it: where opening waits by itself, no signal is heard.
fn once_read(watch: &Watch<'_>, mut open: impl FnMut() -> io::Result<File>) -> io::Result<File> {
    loop {
        match open() {
            Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) && !watch.stopping() => {
                thread::sleep(LOOK);
            }
            opened => {
                let file = opened?;
                // Whoever reads slowly is waited for.
                fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
                return Ok(file);
            }
        }
    }
}

/// A new file that has its name from the beginning: others follow what is written to it.
fn begun(place: &Place<Files>) -> io::Result<Appender<Arc<dyn Writable>>> {
    let draft = Draft::of(&*place.root, &place.name, TEMPORARY)?;
    _ = draft.give(&Like::in_place_of(&*place.root, &place.name)?)?;
    let file = draft.held();
    draft.publish(&place.name)?;
    Ok(Appender { file, at: 0 })
}

/// Removes what a plain file holds that a link led to.
fn cut(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}

/// Whether this is what standard output writes to: two writers of one file would write over each other.
fn is_stdout(file: &File) -> bool {
    let identity = |stat: rustix::io::Result<Stat>| stat.ok().map(|stat| (stat.st_dev, stat.st_ino));
    let ours = identity(fstat(file));
    ours.is_some() && ours == identity(fstat(io::stdout()))
}
