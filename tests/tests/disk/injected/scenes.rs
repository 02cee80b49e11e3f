//! The scenes: each verb of the binary, and the files that it finds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;

use highwater_tests::inject::Call;
use highwater_tests::repo::{Data, Ground, Image, load};

/// The clock of the run that is disturbed.
pub(crate) const NOW: &str = "2026-04-01-00-00-00";

/// The clock of the run after it.
pub(crate) const LATER: &str = "2026-04-02-00-00-00";

/// The clock of the run after that one.
pub(crate) const LAST: &str = "2026-04-03-00-00-00";

/// The target of every restore, below the scene's folder.
pub(crate) const TARGET: &str = "standby/Data.fs";

/// The permissions of a target that is there before.
pub(crate) const MODE: u32 = 0o640;

/// What a verb is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A new point that holds all of the source.
    Point {
        /// And no other one.
        alone: bool,
    },
    /// A target of these bytes, with this OID index.
    Target {
        /// The bytes.
        bytes: Vec<u8>,
        /// The index.
        index: Vec<u8>,
        /// The old file is given up first.
        in_place: bool,
    },
    /// What an undisturbed run prints.
    Output,
    /// To say no.
    Refusal,
}

/// A verb and what it finds.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// The files, by path below the scene's folder.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The source from which the repository's points were made; each is a prefix of it.
    pub(crate) source: Vec<u8>,
    /// The points that are there before, with their lengths.
    pub(crate) points: Vec<(String, usize)>,
    /// Every OID index that may lie beside a target, with the database that it is of.
    pub(crate) indices: Vec<(Vec<u8>, Vec<u8>)>,
    /// The words of the command line; `=` stands for the scene's folder.
    pub(crate) words: &'static [&'static str],
    pub(crate) wants: Wants,
    /// A file whose lock another process holds meanwhile.
    pub(crate) locked: Option<&'static str>,
    /// A hard link, from and to.
    pub(crate) link: Option<(String, &'static str)>,
    /// It is large, so CI looks at fewer of its calls.
    pub(crate) large: bool,
}

impl Scene {
    fn new(name: &'static str, made: &Made, words: &'static [&'static str], wants: Wants) -> Self {
        let mut files: BTreeMap<String, Vec<u8>> =
            made.repo.iter().map(|(name, bytes)| (format!("repo/{name}"), bytes.clone())).collect();
        if words[0] == "backup" {
            files.insert("Data.fs".to_owned(), made.source.clone());
        }
        let indices = made.points.iter().map(|(stamp, length)| (made.index(stamp), made.source[..*length].to_vec()));
        Self {
            name,
            files,
            source: made.source.clone(),
            points: made.points.clone(),
            indices: indices.collect(),
            words,
            wants,
            locked: None,
            link: None,
            large: made.source.len() > 1 << 20,
        }
    }

    /// Puts a database, and its index, in the target's place.
    fn with_target(mut self, (bytes, index): &(Vec<u8>, Vec<u8>)) -> Self {
        self.files.insert(TARGET.to_owned(), bytes.clone());
        self.files.insert(format!("{TARGET}.index"), index.clone());
        self.indices.push((index.clone(), bytes.clone()));
        self
    }

    fn with_file(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.files.insert(name.to_owned(), bytes);
        self
    }

    /// Lays the files out in a folder that holds none of them.
    pub(crate) fn lay(&self, folder: &Path) {
        for part in ["repo", "standby"] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        for (name, bytes) in &self.files {
            fs::write(folder.join(name), bytes).expect("a file is written");
        }
        if self.files.contains_key(TARGET) {
            fs::set_permissions(folder.join(TARGET), fs::Permissions::from_mode(MODE)).expect("permissions");
        }
        if let Some((from, to)) = &self.link {
            fs::hard_link(folder.join(from), folder.join(to)).expect("a hard link");
        }
    }

    /// The command.
    pub(crate) fn call<'a>(&self, folder: &Path, now: &'a str, threads: u64) -> Call<'a> {
        let word = |word: &&str| match word.strip_prefix('=') {
            Some(below) => {
                let mut path = folder.as_os_str().to_owned();
                path.push(below);
                path
            }
            None => OsString::from(word),
        };
        Call { arguments: self.words.iter().map(word).collect(), now, out: folder.join("stdout"), threads }
    }

    /// Takes the lock that another process is to hold, for as long as the file lives.
    pub(crate) fn hold(&self, folder: &Path) -> Option<File> {
        self.locked.map(|name| {
            let file = File::options().read(true).write(true).open(folder.join(name)).expect("a lock file");
            file.try_lock().expect("nobody has the lock");
            file
        })
    }

    /// Whether it changes the repository.
    pub(crate) fn backs_up(&self) -> bool {
        matches!(self.wants, Wants::Point { .. })
    }
}

/// A repository, and the source that it came from, which has grown since.
#[derive(Debug)]
struct Made {
    repo: Image,
    source: Vec<u8>,
    points: Vec<(String, usize)>,
}

impl Made {
    /// A backup with each set of flags, of a source that grows by transactions of about this many bytes.
    fn new(backups: &[&[&str]], large: usize) -> Self {
        let mut ground = Ground::new();
        let mut points = Vec::new();
        let grow = |ground: &mut Ground| {
            if large > 0 {
                ground.data.grow_large((large >> 20) as u64);
            }
            ground.grow(3);
        };
        for flags in backups {
            grow(&mut ground);
            points.push((ground.backup(flags), ground.data.bytes.len()));
        }
        grow(&mut ground);
        let mut repo = load(&ground.repo);
        repo.remove(".highwater.lock");
        Self { repo, source: ground.data.bytes.clone(), points }
    }

    fn index(&self, stamp: &str) -> Vec<u8> {
        self.repo[&format!("{stamp}.index")].clone()
    }

    /// The database at a point, and its index.
    fn at(&self, point: usize) -> (Vec<u8>, Vec<u8>) {
        let (stamp, length) = &self.points[point];
        (self.source[..*length].to_vec(), self.index(stamp))
    }

    fn target(&self, point: usize) -> Wants {
        let (bytes, index) = self.at(point);
        Wants::Target { bytes, index, in_place: false }
    }
}

/// Another database, longer than none of the first one's points, with its index.
fn another() -> (Vec<u8>, Vec<u8>) {
    let mut ground = Ground::new();
    ground.data = Data::new(9);
    ground.grow(5);
    let stamp = ground.backup(&[]);
    (ground.data.bytes.clone(), fs::read(ground.file(&format!("{stamp}.index"))).expect("an index"))
}

/// What a run that was killed at its worst leaves: a work file, and an increment without its line, whose chain's last
/// line is torn.
fn interrupted(made: &Made) -> Scene {
    let words = &["backup", "=/Data.fs", "=/repo"];
    let mut scene = Scene::new("increment after an interrupted one", made, words, Wants::Point { alone: false });
    let (first, _) = made.points[0].clone();
    let (last, _) = scene.points.pop().expect("a point");
    let dat = scene.files.get_mut(&format!("repo/{first}.dat")).expect("an index");
    let line = dat.len() - 20;
    dat.truncate(line);
    scene.files.remove(&format!("repo/{last}.index"));
    // As they are called, and as they were called.
    let left = scene.with_file(&format!("repo/{last}.deltafs.0123456789abcdef.highwater-tmp"), b"unfinished".to_vec());
    left.with_file(&format!("repo/{last}.deltafs.highwater-tmp"), b"unfinished".to_vec())
}

/// Every scene.
pub(crate) fn all() -> &'static [Scene] {
    static ALL: OnceLock<Vec<Scene>> = OnceLock::new();
    ALL.get_or_init(|| {
        let none = Made::new(&[], 0);
        let plain = Made::new(&[&[], &["-z"], &[]], 0);
        let gzip = Made::new(&[&["-z"], &[], &["-z"]], 0);
        let large = Made::new(&[&[], &[]], 9 << 20);
        let point = Wants::Point { alone: false };
        let (first, last) = (plain.points[0].0.clone(), plain.points.len() - 1);
        let mut in_place = plain.target(last);
        if let Wants::Target { in_place, .. } = &mut in_place {
            *in_place = true;
        }
        let restore = &["restore", "=/repo", "=/standby/Data.fs"];
        let quick = &["restore", "--quick", "=/repo", "=/standby/Data.fs"];
        let inside = &["restore", "=/repo", "=/repo/Data.fs"];
        // Another database is given up only when that is asked for.
        let anew = &["restore", "--full", "=/repo", "=/standby/Data.fs"];
        let give_up = &["restore", "--full", "--in-place", "=/repo", "=/standby/Data.fs"];
        let cut = &["restore", "=/repo@2026-03-01-00-01-00", "=/standby/Data.fs"];
        let first_file = format!("repo/{first}.fs");
        let mut locked = Scene::new("restore onto an open database", &plain, restore, Wants::Refusal)
            .with_target(&plain.at(0))
            .with_file("standby/Data.fs.lock", b"1\n".to_vec());
        locked.locked = Some("standby/Data.fs.lock");
        let mut linked = Scene::new("restore onto a link of a backup", &plain, restore, Wants::Refusal);
        linked.link = Some((first_file, TARGET));
        let mut busy =
            Scene::new("backup beside another one", &plain, &["backup", "=/Data.fs", "=/repo"], Wants::Refusal)
                .with_file("repo/.highwater.lock", b"pid 1 on other\n".to_vec());
        busy.locked = Some("repo/.highwater.lock");
        let mut part = plain.at(last).0;
        part.truncate(plain.points[1].1 + 9);
        vec![
            Scene::new("full backup", &none, &["backup", "=/Data.fs", "=/repo"], point.clone()),
            Scene::new("increment", &plain, &["backup", "=/Data.fs", "=/repo"], point.clone()),
            Scene::new("increment onto gzip", &gzip, &["backup", "=/Data.fs", "=/repo"], point.clone()),
            Scene::new("quick increment", &plain, &["backup", "--quick", "=/Data.fs", "=/repo"], point.clone()),
            Scene::new("quick increment onto gzip", &gzip, &["backup", "-Q", "=/Data.fs", "=/repo"], point.clone()),
            Scene::new("gzip increment", &gzip, &["backup", "--gzip", "=/Data.fs", "=/repo"], point.clone()),
            Scene::new(
                "full, kill old",
                &plain,
                &["backup", "--full", "--kill-old", "=/Data.fs", "=/repo"],
                Wants::Point { alone: true },
            ),
            interrupted(&plain),
            Scene::new("restore", &plain, restore, plain.target(last)),
            Scene::new("restore from gzip", &gzip, restore, gzip.target(last)),
            Scene::new("restore over another file", &plain, anew, plain.target(last)).with_target(&another()),
            Scene::new("resumed restore", &plain, anew, plain.target(last))
                .with_target(&another())
                .with_file("standby/Data.fs.part", part.clone()),
            Scene::new("restore in place", &plain, give_up, in_place.clone()).with_target(&another()),
            Scene::new("resumed restore in place", &plain, give_up, in_place)
                .with_file("standby/Data.fs.0123456789abcdef.old.part", part.clone()),
            Scene::new("restore beside two that were killed", &plain, anew, plain.target(last))
                .with_target(&another())
                .with_file("standby/Data.fs.0123456789abcdef.part", part)
                .with_file("standby/Data.fs.fedcba9876543210.part", b"FS30".to_vec()),
            Scene::new("incremental restore", &plain, restore, plain.target(last)).with_target(&plain.at(0)),
            Scene::new("quick incremental restore", &gzip, quick, gzip.target(last)).with_target(&gzip.at(1)),
            Scene::new("restore cutting back", &plain, cut, plain.target(0)).with_target(&plain.at(last)),
            Scene::new("restore to a stream", &plain, &["restore", "=/repo", "-"], Wants::Output),
            Scene::new("verify deep", &plain, &["verify", "--depth", "deep", "=/repo"], Wants::Output),
            Scene::new("verify deep, gzip", &gzip, &["verify", "--depth", "deep", "=/repo"], Wants::Output),
            Scene::new("list", &plain, &["list", "=/repo"], Wants::Output),
            Scene::new("restore into the repository", &plain, inside, Wants::Refusal),
            locked,
            linked,
            busy,
            Scene::new("large gzip increment", &large, &["backup", "--gzip=1", "=/Data.fs", "=/repo"], point),
            Scene::new("large incremental restore", &large, restore, large.target(1)).with_target(&large.at(0)),
            Scene::new("large restore", &large, anew, large.target(1)).with_target(&another()),
        ]
    })
}
