//! A tree of files whose names, links, times and kinds are difficult to write down.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use highwater_core::digest::{Digest, sha256_of};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};
use rustix::process::geteuid;

/// Names that hold what lists have a meaning for.
pub(super) const NAMES: [&[u8]; 22] = [
    b"a b",
    b" lead",
    b"trail ",
    b"#first",
    b"hash # inside",
    b"back\\slash",
    b"ends with\\",
    b"\\040",
    b"new\nline",
    b"tab\tx",
    b"\x01\x07\x08\x0b\x0c\rz\x1b",
    b"del\x7f",
    b"raw\xff\xfe\x80\xdc\xa0",
    "umläut".as_bytes(),
    b"eq=ual",
    b"type=dir",
    b"star*?[x]",
    b"-dash",
    b"...",
    b"~tilde",
    b"\"quoted'",
    b"..x",
];

/// When files changed, in seconds and nanoseconds: with few digits, with nine, before 1970.
pub(super) const TIMES: [(i64, i64); 7] =
    [(1_700_000_000, 5), (1_700_000_001, 0), (1_700_000_002, 500_000_000), (-5, 0), (0, 0), (-2, 1), (-1, 999_999_999)];

/// What there is at a path: kind, mode, owner, time, and length with digest or the text of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) kind: &'static str,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) modified: (i64, u32),
    pub(super) file: Option<(u64, Digest)>,
    pub(super) link: Option<Vec<u8>>,
}

pub(super) fn path(root: &Path, name: &[u8]) -> std::path::PathBuf {
    root.join(OsStr::from_bytes(name))
}

/// Gives a path a time.
pub(super) fn date(path: &Path, (seconds, nanoseconds): (i64, i64)) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("a time");
}

/// Makes the tree: every name as a file in the top and, where its folder can be named in a comment, as a folder with a
/// file; names of one file; links; with `special` also what is no file, folder or link. All have these times, in turn.
pub(super) fn make(root: &Path, special: bool, times: &[(i64, i64)]) {
    fs::create_dir(root).expect("a folder");
    for (number, name) in NAMES.iter().enumerate() {
        let file = path(root, name);
        fs::write(&file, [&[number as u8], &b"what it holds"[..]].concat()).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode([0o644, 0o600, 0o4755, 0o440][number % 4]))
            .expect("a mode");
    }
    let below = root.join("folders");
    fs::create_dir(&below).expect("a folder");
    for name in NAMES.iter().filter(|name| !name.contains(&b'\n')) {
        let folder = path(&below, name);
        fs::create_dir(&folder).expect("a folder");
        fs::write(path(&folder, name), name).expect("a file");
    }
    fs::create_dir_all(root.join("a/b/c/d/empty")).expect("folders");
    fs::write(root.join("a/b/nothing"), b"").expect("a file");
    fs::hard_link(path(root, b"a b"), root.join("a/b/same # file")).expect("another name");
    fs::hard_link(path(root, b"a b"), root.join("a/again")).expect("another name");
    for (number, name) in NAMES.iter().enumerate() {
        symlink(OsStr::from_bytes(name), root.join(format!("a/b/link {number}"))).expect("a link");
    }
    symlink("/nowhere/at all", root.join("dangling")).expect("a link");
    if special {
        mknodat(CWD, root.join("a/fifo"), FileType::Fifo, Mode::from(0o600), 0).expect("a FIFO");
        drop(UnixListener::bind(root.join("a/socket")).expect("a socket"));
    }
    let mut paths: Vec<_> = seen(root).into_keys().filter(|path| !path.is_empty()).collect();
    paths.reverse();
    for (number, name) in paths.iter().enumerate() {
        let at = path(root, name);
        if geteuid().is_root() && number % 3 == 0 {
            let mode = fs::symlink_metadata(&at).expect("it is there").permissions();
            lchown(&at, Some(1234), Some(70_000)).expect("an owner");
            if !at.is_symlink() {
                fs::set_permissions(&at, mode).expect("its mode again");
            }
        }
        date(&at, times[number % times.len()]);
    }
    date(root, times[0]);
}

/// All that lies below `root`, by path, the top as the empty one.
pub(super) fn seen(root: &Path) -> BTreeMap<Vec<u8>, Seen> {
    let (mut found, mut ahead) = (BTreeMap::new(), vec![Vec::new()]);
    while let Some(name) = ahead.pop() {
        let at = path(root, &name);
        let meta = fs::symlink_metadata(&at).expect("it is there");
        let kind = meta.file_type();
        let mut seen = Seen {
            kind: "special",
            mode: meta.mode() & 0o7777,
            owner: (meta.uid(), meta.gid()),
            modified: (meta.mtime(), meta.mtime_nsec() as u32),
            file: None,
            link: None,
        };
        if kind.is_dir() {
            seen.kind = "folder";
            for entry in fs::read_dir(&at).expect("a folder") {
                let last = entry.expect("an entry").file_name().into_vec();
                ahead.push(if name.is_empty() { last } else { [&name[..], b"/", &last].concat() });
            }
        } else if kind.is_file() {
            seen.kind = "file";
            seen.file = Some((meta.len(), sha256_of(&fs::read(&at).expect("it can be read"))));
        } else if kind.is_symlink() {
            seen.kind = "link";
            seen.link = Some(fs::read_link(&at).expect("a link").into_os_string().into_vec());
        }
        found.insert(name, seen);
    }
    found
}

/// The names of each file that has several.
pub(super) fn groups(root: &Path) -> BTreeSet<BTreeSet<Vec<u8>>> {
    let mut by_file: BTreeMap<(u64, u64), BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (name, _) in seen(root).into_iter().filter(|(_, seen)| seen.kind == "file") {
        let meta = fs::symlink_metadata(path(root, &name)).expect("it is there");
        by_file.entry((meta.dev(), meta.ino())).or_default().insert(name);
    }
    by_file.into_values().filter(|names| names.len() > 1).collect()
}

/// Fails unless two trees are the same.
#[track_caller]
pub(super) fn are_same(found: &Path, wanted: &Path, what: &str) {
    let (found_, wanted_) = (seen(found), seen(wanted));
    let paths = |of: &BTreeMap<Vec<u8>, Seen>| -> Vec<String> {
        of.keys().map(|path| path.escape_ascii().to_string()).collect()
    };
    assert_eq!(paths(&found_), paths(&wanted_), "{what}");
    for (path, seen) in &found_ {
        assert_eq!(seen, &wanted_[path], "{what}: {}", path.escape_ascii());
    }
    assert_eq!(groups(found), groups(wanted), "{what}");
}
