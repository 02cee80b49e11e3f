//! Opens what lies below a held folder, without ever leaving it by a link.
//!
//! The kernel does it in one call, `openat2`. Where that call is not to be had, the name is walked part by part, with
//! the same promise: each folder on the way is held open while the next part is looked up in it, and `..` in a link
//! leads back to the folder that was held before.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use highwater_core::name::Name;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;

use crate::shown::{quoted, shown};

/// Which links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// None.
    Nothing,
    /// Those that stay below the folder.
    Beneath,
    /// The same, for whoever cannot allow others.
    Served,
    /// All of them.
    Anything,
}

/// How many links one name may lead through, as in the kernel.
const LINKS: usize = 40;

/// How often a name is looked up anew that others rename under our hands.
const PATIENCE: usize = 64;

/// Opens `name` below `root`. A file that is made gets the permissions `mode`.
pub(crate) fn open(
    root: BorrowedFd<'_>,
    name: &Name,
    flags: OFlags,
    mode: Mode,
    follow: Follow,
) -> io::Result<OwnedFd> {
    let (flags, path) = (flags | OFlags::CLOEXEC, OsStr::from_bytes(name.as_bytes()));
    let opened = match follow {
        Follow::Anything => again(|| openat(root, path, flags, mode)),
        _ if !has_openat2() => walk(root, name.as_bytes(), flags, mode, follow),
        Follow::Beneath | Follow::Served => {
            again(|| openat2(root, path, flags, mode, ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS))
        }
        Follow::Nothing => {
            again(|| openat2(root, path, flags, mode, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS))
        }
    };
    opened.map_err(|error| said(root, name, error, follow))
}

/// Tries once more what was interrupted, or was renamed on the way.
fn again(mut call: impl FnMut() -> rustix::io::Result<OwnedFd>) -> rustix::io::Result<OwnedFd> {
    for _ in 0..PATIENCE {
        match call() {
            Err(Errno::INTR | Errno::AGAIN) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// Whether the kernel, and whoever filters its calls, has `openat2`.
fn has_openat2() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        openat2(rustix::fs::CWD, ".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::empty()).is_ok()
    })
}

/// What `openat2` does, part by part.
fn walk(root: BorrowedFd<'_>, name: &[u8], flags: OFlags, mode: Mode, follow: Follow) -> rustix::io::Result<OwnedFd> {
    let mut inside: Vec<OwnedFd> = Vec::new();
    let mut ahead: VecDeque<Vec<u8>> = name.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    let mut followed = 0;
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    while let Some(part) = ahead.pop_front() {
        let at = inside.last().map_or(root, AsFd::as_fd);
        let last = ahead.is_empty();
        match &*part {
            b"" | b"." if !last => continue,
            b".." => {
                inside.pop().ok_or(Errno::XDEV)?;
                if last {
                    let at = inside.last().map_or(root, AsFd::as_fd);
                    return again(|| openat(at, ".", flags, mode));
                }
                continue;
            }
            _ => {}
        }
        let path = if part.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(&part) };
        // A link is opened as itself by a path descriptor, and only by that; so it is asked for first.
        let link = if flags.contains(OFlags::NOFOLLOW) && last { None } else { readlinkat(at, path, Vec::new()).ok() };
        match link {
            None if last => return again(|| openat(at, path, flags | OFlags::NOFOLLOW, mode)),
            None => inside.push(again(|| openat(at, path, folder, Mode::empty()))?),
            Some(_) if follow == Follow::Nothing => return Err(Errno::LOOP),
            Some(to) => {
                followed += 1;
                if followed > LINKS {
                    return Err(Errno::LOOP);
                }
                if to.as_bytes().starts_with(b"/") {
                    return Err(Errno::XDEV);
                }
                to.as_bytes().split(|byte| *byte == b'/').rev().for_each(|part| ahead.push_front(part.to_vec()));
            }
        }
    }
    Err(Errno::NOENT)
}

/// An error in words that name the link which is not followed.
fn said(root: BorrowedFd<'_>, name: &Name, error: Errno, follow: Follow) -> io::Error {
    let Some((link, to)) =
        [Errno::XDEV, Errno::LOOP].contains(&error).then(|| first_link(root, name, follow)).flatten()
    else {
        return error.into();
    };
    let link = format!("'{link}' is a link to {}", quoted(&to));
    let what = match (error, follow) {
        (Errno::XDEV, Follow::Served) => format!("{link}, which lies outside of what is served"),
        (Errno::XDEV, _) => format!("{link}, which lies outside; if you made it, allow it with --follow-links"),
        (_, Follow::Nothing) => format!(
            "{link}, and nothing is written through a link; put what it leads to in its place, or mount it there"
        ),
        _ => format!("{link}, which leads in a circle"),
    };
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}

/// The first link on the way to `name` that is not followed, as it is shown, and where it leads.
fn first_link(root: BorrowedFd<'_>, name: &Name, follow: Follow) -> Option<(String, PathBuf)> {
    let bytes = name.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at).chain([bytes.len()]);
    ends.filter_map(|end| bytes.get(..end)).find_map(|prefix| {
        let path = Path::new(OsStr::from_bytes(prefix));
        let to = readlinkat(root, path, Vec::new()).ok()?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let leads_out = || walk(root, prefix, flags, Mode::empty(), Follow::Beneath).is_err_and(|e| e != Errno::NOENT);
        (follow == Follow::Nothing || leads_out())
            .then(|| (shown(path), PathBuf::from(OsStr::from_bytes(to.as_bytes()))))
    })
}
