//! A scratch folder with a repository, its source, targets, and files of somebody else that nothing may touch.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::md5_of;
use highwater_tests::repo::Fixture;
use highwater_tests::score::size;

/// The stamp of the next backup.
pub(crate) const NEXT: &str = "2026-03-01-00-04-00";

/// A repository of a full backup and two increments.
pub(crate) struct Stage {
    pub(crate) fixture: Fixture,
    /// The stamps of its points.
    pub(crate) stamps: [String; 3],
    /// The lengths of the source at each point.
    pub(crate) lengths: [usize; 3],
    /// What the source held at the last of them.
    pub(crate) backed_up: Vec<u8>,
    /// The repository as the commands name it.
    pub(crate) repo: PathBuf,
    /// Mebibytes that a command may have to read or inflate, for its share of processor time.
    pub(crate) large: u64,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut fixture = Fixture::new();
        let mut lengths = [0; 3];
        let stamps = std::array::from_fn(|at| {
            if at > 0 {
                fixture.grow(2);
            }
            lengths[at] = fixture.data.bytes.len();
            fixture.backup(&[])
        });
        let (out, outside) = (fixture.path("out"), fixture.path("outside"));
        for folder in [&out, &outside] {
            fs::create_dir(folder).expect("a folder");
        }
        fs::write(outside.join("victim"), "precious").expect("a file of somebody else");
        fs::write(out.join("standby.fs"), &fixture.data.bytes[..lengths[0]]).expect("a standby at the first point");
        let backed_up = fixture.data.bytes.clone();
        fixture.grow(1);
        fixture.clock.tick(60);
        assert_eq!(fixture.clock.stamp(), NEXT);
        Self { repo: fixture.repo.clone(), fixture, stamps, lengths, backed_up, large: 0 }
    }

    /// A file of the repository by its point and suffix.
    pub(crate) fn file(&self, point: usize, suffix: &str) -> PathBuf {
        self.fixture.file(&format!("{}.{suffix}", self.stamps[point]))
    }

    /// Puts something in the place of a file of the repository.
    pub(crate) fn instead(&self, path: &Path, make: impl FnOnce(&Path)) {
        fs::remove_file(path).expect("the file goes");
        make(path);
    }

    /// A path among the files of somebody else.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.fixture.path("outside").join(name)
    }

    /// The index's bytes.
    pub(crate) fn dat(&self) -> Vec<u8> {
        fs::read(self.file(0, "dat")).expect("an index")
    }

    /// Writes the index anew.
    pub(crate) fn write_dat(&self, bytes: &[u8]) {
        fs::write(self.file(0, "dat"), bytes).expect("an index is written");
    }

    /// Gives the last line of the index another path; range and sum stay right.
    pub(crate) fn rename_in_last_line(&self, path: impl FnOnce(&str) -> Vec<u8>) {
        let dat = self.dat();
        let start = dat[..dat.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
        let end = start + dat[start..].iter().position(|byte| *byte == b' ').expect("fields");
        let name = format!("{}.deltafs", self.stamps[2]);
        self.write_dat(&[&dat[..start], &path(&name), &dat[end..]].concat());
    }

    /// Puts a line after those of the index, right about `bytes` unless it says another end.
    pub(crate) fn add_line(&self, name: &str, bytes: &[u8], end: Option<&str>) {
        let start = self.lengths[2];
        let end = end.map_or_else(|| (start + bytes.len()).to_string(), str::to_owned);
        let line = format!("/repo/{name} {start} {end} {}\n", md5_of(bytes));
        self.write_dat(&[self.dat(), line.into_bytes()].concat());
    }

    /// A file with a hole of a gibibyte after what it holds; a part of that in CI.
    pub(crate) fn grow_sparse(&mut self, path: &Path, end: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).open(path).expect("a file");
        let length = file.metadata().expect("a file").len();
        let mebibytes = size(128, 1024);
        file.set_len(length + (mebibytes << 20)).expect("a hole");
        file.write_all(end).expect("an end");
        self.large = mebibytes;
    }

    /// What lies in the scratch folder, but below `but`.
    pub(crate) fn snapshot(&self, but: Option<&Path>) -> BTreeMap<PathBuf, String> {
        let mut seen = BTreeMap::new();
        look(&self.fixture.path(""), but, &mut seen);
        seen
    }
}

fn look(folder: &Path, but: Option<&Path>, seen: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if but == Some(&path) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).expect("it is there");
        let content = if meta.is_symlink() {
            format!("{:?}", fs::read_link(&path).expect("a link"))
        } else if meta.is_file() && meta.len() < 1 << 20 {
            md5_of(&fs::read(&path).expect("a file")).to_string()
        } else {
            String::new()
        };
        let times = (meta.mtime(), meta.mtime_nsec());
        // The links of a file that lies in both parts change when the one part is written anew.
        let text = format!("{:o} {} bytes, {times:?}, {content}", meta.mode(), meta.len());
        if meta.is_dir() {
            look(&path, but, seen);
        }
        seen.insert(path, text);
    }
}

/// Makes a FIFO, a socket or a device. False where this user may not.
pub(crate) fn special(what: &str, path: &Path) -> bool {
    let run = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
    match what {
        "FIFO" => run(Command::new("mkfifo").arg(path)),
        "socket" => std::os::unix::net::UnixListener::bind(path).is_ok(),
        "null" => run(Command::new("mknod").arg(path).args(["c", "1", "3"])),
        "zero" => run(Command::new("mknod").arg(path).args(["c", "1", "5"])),
        _ => unreachable!("no such thing: {what}"),
    }
}

pub(crate) fn link(to: impl AsRef<Path>, at: impl AsRef<Path>) {
    symlink(to, at).expect("a link");
}

/// A name of any bytes.
pub(crate) fn name(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

/// Whether text is safe for a terminal: no control characters but line feeds, nothing that reorders, all of it UTF-8.
pub(crate) fn is_clean(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        !text
            .chars()
            .any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{fffd}')
    })
}

/// A path's bytes, for messages.
pub(crate) fn short(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).chars().take(60).collect()
}
