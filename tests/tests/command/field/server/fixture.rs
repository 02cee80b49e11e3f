//! `Fixture`: a store whose folders of chunks are made as they are needed, a source, and runs that can be halted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use highwater_core::formats::datastore::Fixed;
use highwater_tests::binary::highwater;
use highwater_tests::dice::Dice;
use highwater_tests::run::Run;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The times of snapshots, one after another.
pub(crate) const NOW: [&str; 3] = ["2026-03-01-00-00-00", "2026-03-02-00-00-00", "2026-03-03-00-00-00"];

pub(crate) struct Fixture {
    folder: TempDir,
    pub(crate) store: PathBuf,
    pub(crate) source: PathBuf,
}

impl Fixture {
    /// An empty store, and a source of so many bytes of noise.
    #[track_caller]
    pub(crate) fn new(length: usize) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let (store, source) = (folder.path().join("store"), folder.path().join("disk.img"));
        empty(&store);
        fs::write(&source, Dice::new(21).bytes(length)).expect("it is written");
        Self { folder, store, source }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A backup of the source to `STORE@to`, not yet started.
    pub(crate) fn command(&self, to: &str, more: &[&str]) -> Command {
        let mut command = Command::new(highwater());
        command.arg("backup").arg(&self.source).arg(format!("{}@{to}", self.store.display()));
        command.args(["--chunk-size", "64k"]).args(more);
        command
    }

    /// One at one of the times, in the usual group.
    #[track_caller]
    pub(crate) fn backup(&self, number: usize, more: &[&str]) -> Run {
        self.backup_to("vm/100/drive-scsi0.img", number, more)
    }

    #[track_caller]
    pub(crate) fn backup_to(&self, to: &str, number: usize, more: &[&str]) -> Run {
        Run::of(self.command(to, more).env("HIGHWATER_NOW", NOW[number]))
    }

    #[track_caller]
    pub(crate) fn verify(&self, more: &[&str]) -> Run {
        Run::of(Command::new(highwater()).arg("verify").arg(&self.store).args(more))
    }

    /// A file of a snapshot of the usual group.
    pub(crate) fn file(&self, number: usize, name: &str) -> PathBuf {
        self.store.join("vm/100").join(folder_of(NOW[number])).join(name)
    }

    /// The file of a chunk of a snapshot.
    #[track_caller]
    pub(crate) fn chunk(&self, number: usize, at: usize) -> PathBuf {
        let index = fs::read(self.file(number, "drive-scsi0.img.fidx")).expect("an index");
        let name = Fixed::read(&index).expect("an index").digests[at].to_string();
        self.store.join(".chunks").join(&name[..4]).join(name)
    }

    /// The names in a folder of the store that begin so.
    #[track_caller]
    pub(crate) fn begins(&self, folder: &str, begin: &str) -> Vec<String> {
        let entries = fs::read_dir(self.store.join(folder)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(begin)).collect()
    }

    /// Removes the usual group as a server does: the snapshot, the owner, then the folder, which must be empty by then.
    /// Whether it did: not, if the group has a second snapshot by now.
    pub(crate) fn server_removes_the_group(&self) -> bool {
        let group = self.store.join("vm/100");
        if group.join(folder_of(NOW[1])).exists() {
            return false;
        }
        fs::remove_dir_all(group.join(folder_of(NOW[0]))).expect("the snapshot goes");
        fs::remove_file(group.join("owner")).expect("the owner goes");
        fs::remove_dir(&group).expect("nothing of ours is in it");
        true
    }

    /// Runs a backup that is halted as soon as its hidden folder is there, while `meanwhile` runs.
    #[track_caller]
    pub(crate) fn halted(&self, mut command: Command, meanwhile: impl FnOnce()) -> Run {
        let (out, err) = (self.path("out"), self.path("err"));
        let to = |path: &Path| fs::File::create(path).expect("a file");
        command.stdin(Stdio::null()).stdout(to(&out)).stderr(to(&err));
        let mut child = command.spawn().expect("it starts");
        while self.begins("", ".highwater-snapshot").is_empty() {
            assert!(child.try_wait().expect("a child").is_none(), "it had ended before anybody saw its folder");
            std::thread::yield_now();
        }
        signal(&child, Signal::STOP);
        let halted = child.try_wait().expect("a child").is_none();
        meanwhile();
        signal(&child, Signal::CONT);
        let code = child.wait().expect("it ends").code().unwrap_or(-1);
        let stderr = fs::read_to_string(&err).expect("text");
        let run = Run { line: format!("{command:?}"), code, stdout: fs::read(&out).expect("bytes"), stderr };
        assert!(halted, "it had ended before it was halted\n{}", run.account());
        run
    }
}

/// The folder of the snapshot of a time.
pub(crate) fn folder_of(now: &str) -> String {
    let (date, time) = now.split_at(10);
    format!("{date}T{}Z", time[1..].replace('-', ":"))
}

/// Makes an empty store.
pub(crate) fn empty(store: &Path) {
    fs::create_dir_all(store.join(".chunks")).expect("a folder");
    fs::write(store.join(".lock"), "").expect("a file");
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).expect("it is there");
}
