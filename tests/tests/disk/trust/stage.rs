//! `Stage`: a scratch folder with a database, a repository, a datastore, and files outside that nothing may touch.
#![expect(clippy::print_stdout, reason = "what is not run is told")]

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highwater_tests::binary::highwater;
use highwater_tests::dice::Dice;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;

use crate::trust::record::Record;

/// The second user, and his group.
pub(crate) const NOBODY: u32 = 65534;

/// The group of a datastore that tests back up into.
pub(crate) const GROUP: &str = "vm/9";

/// What no file of the second user may ever hold.
pub(crate) const SECRET: &str = "the secret of somebody else, in a line that is found again\n";

/// No run may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scratch folder.
pub(crate) struct Stage {
    pub(crate) fixture: Fixture,
    /// The stamps of the repository's points.
    pub(crate) stamps: [String; 3],
    /// What the source of a datastore's image holds.
    pub(crate) image: Vec<u8>,
}

/// Whether there is a second user for a test: only root can be two.
pub(crate) fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("not run: {test}: only root can act as another user");
    }
    root
}

/// Sets permissions.
#[track_caller]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("permissions are set");
}

/// Gives a folder and all in it to the second user.
#[track_caller]
pub(crate) fn give_all(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).expect("it is given away");
    if fs::symlink_metadata(path).expect("it is there").is_dir() {
        fs::read_dir(path).expect("a folder").for_each(|entry| give_all(&entry.expect("an entry").path()));
    }
}

impl Stage {
    /// A repository of a full backup and two increments of `Data.fs`; `outside` with the victims.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let (fixture, stamps) = Fixture::with_chain();
        // The second user must find his way to his own folder.
        set_mode(&fixture.path(""), 0o755);
        let stage = Self { fixture, stamps, image: Dice::new(9).bytes(200_000) };
        fs::write(stage.path("disk.img"), &stage.image).expect("an image");
        let outside = stage.outside();
        fs::create_dir_all(outside.join("folder/below")).expect("folders");
        for (name, mode) in [
            ("secret", 0o600),
            ("plain", 0o644),
            ("tool", 0o755),
            ("folder/inside", 0o644),
            ("folder/below/deep", 0o600),
        ] {
            fs::write(outside.join(name), SECRET).expect("a file of somebody else");
            set_mode(&outside.join(name), mode);
        }
        stage
    }

    /// A path in the scratch folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.fixture.path(name)
    }

    /// A file of the repository by its point and suffix.
    pub(crate) fn file(&self, point: usize, suffix: &str) -> PathBuf {
        self.fixture.file(&format!("{}.{suffix}", self.stamps[point]))
    }

    /// What lies outside of every root.
    pub(crate) fn outside(&self) -> PathBuf {
        self.path("outside")
    }

    /// What lies outside of every root, as it is.
    #[track_caller]
    pub(crate) fn victims(&self) -> Record {
        Record::of(&self.outside())
    }

    /// A folder of the second user; of whoever runs this, when that is not root.
    #[track_caller]
    pub(crate) fn theirs(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir(&folder).expect("a new folder");
        if rustix::process::geteuid().is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("it is given away");
        }
        folder
    }

    /// An empty datastore, whose folders are made as they are needed.
    #[track_caller]
    pub(crate) fn empty_store(&self, name: &str) -> PathBuf {
        let store = self.path(name);
        fs::create_dir_all(store.join(".chunks")).expect("a store");
        fs::write(store.join(".lock"), "").expect("its lock");
        store
    }

    /// A datastore with one snapshot of `disk.img`, in four chunks.
    #[track_caller]
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        let store = self.empty_store(name);
        self.to_store(&store, GROUP, 1).expect(0);
        store
    }

    /// Backs `disk.img` up into a group of a store, at one of the clock's minutes.
    #[track_caller]
    pub(crate) fn to_store(&self, store: &Path, group: &str, minute: u64) -> Run {
        let mut command = self.command(&["backup", "--chunk-size=64K"]);
        command.arg(self.path("disk.img")).arg(in_store(store, &format!("{group}/disk.img")));
        self.run(command.env("HIGHWATER_NOW", stamp(minute)))
    }

    /// The binary with these arguments, at the clock's time.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(highwater());
        command.args(arguments).env("HIGHWATER_NOW", self.fixture.clock.stamp());
        command
    }

    /// The same, run by the second user.
    #[track_caller]
    pub(crate) fn command_of_nobody(&self, arguments: &[&str]) -> Command {
        // The binary may lie where he may not go.
        let program = self.path("highwater");
        if !program.exists() && fs::hard_link(highwater(), &program).is_err() {
            fs::copy(highwater(), &program).expect("a copy of the program");
        }
        let mut command = Command::new(program);
        command.args(arguments).env("HIGHWATER_NOW", self.fixture.clock.stamp());
        command.current_dir(self.path("")).uid(NOBODY).gid(NOBODY);
        command
    }

    /// Runs a command, which must neither hang nor panic.
    #[track_caller]
    pub(crate) fn run(&self, command: &mut Command) -> Run {
        let run = Run::within(PATIENCE, command);
        assert!((0..=4).contains(&run.code), "{}", run.account());
        run
    }

    /// Restores the repository to a file.
    #[track_caller]
    pub(crate) fn restore(&self, from: impl AsRef<OsStr>, target: &Path, flags: &[&str]) -> Run {
        self.run(self.command(&["restore"]).args(flags).arg(from).arg(target))
    }

    /// Verifies a repository or store.
    #[track_caller]
    pub(crate) fn verify(&self, repository: &Path, flags: &[&str]) -> Run {
        self.run(self.command(&["verify"]).args(flags).arg(repository))
    }
}

/// A minute of the clock, after all of the repository's.
pub(crate) fn stamp(minute: u64) -> String {
    format!("2026-03-02-{:02}-{:02}-00", minute / 60, minute % 60)
}

/// `STORE@NAME`.
pub(crate) fn in_store(store: &Path, name: &str) -> std::ffi::OsString {
    let mut word = store.as_os_str().to_owned();
    word.push("@");
    word.push(name);
    word
}

/// The only snapshot of the group of a store.
#[track_caller]
pub(crate) fn snapshot(store: &Path) -> PathBuf {
    let folder = store.join(GROUP);
    let found = fs::read_dir(&folder).expect("a group").map(|entry| entry.expect("an entry").path());
    found.filter(|path| path.is_dir()).max().expect("a snapshot")
}

/// The chunks of a store, in the order of their names.
#[track_caller]
pub(crate) fn chunks(store: &Path) -> Vec<PathBuf> {
    let within = |folder: PathBuf| fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let folders = within(store.join(".chunks")).filter(|path| path.is_dir());
    let mut all: Vec<PathBuf> = folders.flat_map(within).collect();
    all.sort();
    all
}

/// Flips the last byte of a file.
#[track_caller]
pub(crate) fn damage(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(path, bytes).expect("it is written");
}
