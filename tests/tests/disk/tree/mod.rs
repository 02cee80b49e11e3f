//! Trees that are restored: a made-up format, whose points are what a test says, on real disks and on the model.

mod bale;
mod cuts;
mod hostile;
mod kept;
mod restored;
mod targets;
mod unprivileged;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fmt, fs};

use highwater::disk;
use highwater::error::{Class, Error};
use highwater::restore::tree::{Run, TreeOptions, TreePlan, TreeSummary, to_folder};
use highwater::store::{Files, Links, Locks};
use highwater::watch::{Event, Watch};
use highwater_core::name::Name;
use tempfile::TempDir;

use bale::Bale;

/// A repository in a scratch folder, and a target beside it.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new(bale: &Bale) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::create_dir_all(folder.path().join("standby")).expect("a folder");
        let fixture = Self { folder };
        fixture.lay(bale);
        fixture
    }

    /// Puts the bale's objects into the repository.
    fn lay(&self, bale: &Bale) {
        let repository = self.folder.path().join("repo");
        fs::create_dir_all(&repository).expect("a folder");
        // One that is missing is damage only while the index that names it is there.
        fs::write(repository.join("index"), b"").expect("an index");
        for (name, bytes) in &bale.objects {
            fs::write(repository.join(name), bytes).expect("an object");
        }
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn standby(&self) -> PathBuf {
        self.folder.path().join("standby")
    }

    fn target(&self) -> PathBuf {
        self.standby().join("tree")
    }

    fn restore(&self, bale: &Bale, job: TreeOptions) -> Result<TreeSummary, Error> {
        self.restore_to(bale, job, &self.target())
    }

    fn restore_to(&self, bale: &Bale, job: TreeOptions, target: &Path) -> Result<TreeSummary, Error> {
        self.restore_and_tell(bale, job, target).0
    }

    /// The same, with the notices.
    fn restore_and_tell(
        &self,
        bale: &Bale,
        job: TreeOptions,
        target: &Path,
    ) -> (Result<TreeSummary, Error>, Vec<String>) {
        let notices = Mutex::new(Vec::new());
        let watch = Watch::new(Arc::default(), |event| {
            if let Event::Notice(text) = event {
                notices.lock().expect("nobody panicked").push(text.to_owned());
            }
        });
        let done = self.restore_watched(bale, job, target, &watch);
        drop(watch);
        (done, notices.into_inner().expect("nobody panicked"))
    }

    fn restore_watched(
        &self,
        bale: &Bale,
        job: TreeOptions,
        target: &Path,
        watch: &Watch<'_>,
    ) -> Result<TreeSummary, Error> {
        let from = Files::open(&self.repository(), Links::Beneath).expect("a repository");
        let plan = TreePlan::make(&from, bale.asked())?;
        let place = disk::target(target, Locks::Needed)?;
        let (to, target) = (&*place.root, &place.name);
        to_folder(&Run { job: &job, plan: &plan, from: &from, to, target, watch })
    }
}

const ASKED: TreeOptions = TreeOptions { full: true, dry_run: false };

/// What is seen of a file, folder or link: its kind, bytes or text, mode, owner, time, and the first path of the same
/// file.
#[derive(Clone, PartialEq, Eq)]
struct Seen {
    kind: &'static str,
    bytes: Vec<u8>,
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    same: PathBuf,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, bytes, mode, owner, modified, same } = self;
        let begins = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]);
        let (length, same) = (bytes.len(), same.display());
        write!(f, "{kind} {begins:?} ({length}) {mode:o} {owner:?} {modified:?} as {same}")
    }
}

/// Everything below a folder, and the folder itself as the empty path.
fn seen(folder: &Path) -> BTreeMap<PathBuf, Seen> {
    let (mut found, mut firsts, mut inodes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        // `join` would add a slash.
        let whole = if path.as_os_str().is_empty() { folder.to_owned() } else { folder.join(&path) };
        let meta = fs::symlink_metadata(&whole).expect("it is there");
        let (kind, bytes) = match meta.file_type() {
            kind if kind.is_dir() => {
                left.extend(
                    fs::read_dir(&whole).expect("a folder").map(|entry| path.join(entry.expect("one").file_name())),
                );
                ("folder", Vec::new())
            }
            kind if kind.is_symlink() => {
                ("link", fs::read_link(&whole).expect("a link").as_os_str().as_bytes().to_vec())
            }
            _ => ("file", fs::read(&whole).expect("a file")),
        };
        let (mode, owner, modified) =
            (meta.mode() & 0o7777, (meta.uid(), meta.gid()), (meta.mtime(), meta.mtime_nsec()));
        found.insert(path.clone(), Seen { kind, bytes, mode, owner, modified, same: PathBuf::new() });
        let inode = (meta.dev(), meta.ino());
        inodes.insert(path.clone(), inode);
        let first: &mut PathBuf = firsts.entry(inode).or_insert_with(|| path.clone());
        *first = path.min(first.clone());
        left.sort();
    }
    for (path, seen) in &mut found {
        seen.same = firsts[&inodes[path]].clone();
    }
    found
}

/// The inode of a path.
fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).expect("it is there").ino()
}

fn path_of(name: &Name) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(name.as_bytes()))
}

/// The error's weight and words.
#[track_caller]
fn refused(result: Result<TreeSummary, Error>) -> (Class, String) {
    let error = result.expect_err("it is refused");
    (error.class(), error.to_string())
}

/// What lies in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
