//! Scenes of the real binary, in which system calls fail: the files that a verb finds, and what is judged afterwards.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Debug;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::inject::{Call, Fault};
use crate::repo::Image;
use crate::run::Run;

/// The clock of the run that is disturbed.
pub const NOW: &str = "2026-04-01-00-00-00";

/// The clock of the run after it.
pub const LATER: &str = "2026-04-02-00-00-00";

/// The clock of the run after that one.
pub const LAST: &str = "2026-04-03-00-00-00";

/// The permissions of a target that is there before.
pub const MODE: u32 = 0o640;

/// Nothing, or a sentence that says what is wrong.
pub type Checked = Result<(), String>;

/// Fails with a message unless something holds.
macro_rules! must {
    ($holds:expr, $($why:tt)*) => {
        if !$holds {
            return Err(format!($($why)*));
        }
    };
}
pub(super) use must;

/// What a verb is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A new point of all of the source.
    Backup,
    /// A store without damage.
    Heal,
    /// A target.
    Restore,
    /// What an undisturbed run prints.
    Read,
    /// To say no, with exit 4.
    Refusal,
}

/// A verb and what it finds.
#[derive(Debug)]
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// What the verb is for.
    pub kind: Kind,
    /// The folder of the repository or store, below the scene's.
    pub root: &'static str,
    /// The target of a restore, below the scene's folder.
    pub target: &'static str,
    /// The files, by path below the scene's folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Folders that are there whatever lies in them.
    pub folders: &'static [&'static str],
    /// The words of the command line; `=` at the beginning of one stands for the scene's folder.
    pub words: Vec<&'static str>,
    /// A file whose lock another process holds meanwhile.
    pub locked: Option<&'static str>,
    /// A hard link, from and to.
    pub link: Option<(String, &'static str)>,
    /// It is large, so CI looks at fewer of its calls.
    pub large: bool,
    /// Of how many calls of its kind CI looks at one.
    pub weight: usize,
    /// Who judges what it left.
    pub judge: Box<dyn Judge>,
}

/// What must hold after a scene, of a format.
pub trait Judge: Debug + Send + Sync {
    /// Whatever happened, nothing is lost, and nothing half made.
    ///
    /// # Errors
    /// What is.
    fn whole(&self, scene: &Scene, folder: &Path) -> Checked;

    /// Exit 0 at the time `now`: the job is done, all of it. `printed` is what an undisturbed run printed.
    ///
    /// # Errors
    /// What is not done.
    fn done(&self, scene: &Scene, folder: &Path, run: &Run, printed: &[u8], now: &str) -> Checked;

    /// Whether what a run says names what failed.
    fn is_named(&self, fault: &Fault, said: &str) -> bool {
        fault.is_named_in(said)
    }
}

impl Scene {
    /// Lays the files out in a folder that holds none of them.
    #[track_caller]
    pub fn lay(&self, folder: &Path) {
        for part in self.folders {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, bytes).expect("a file is written");
        }
        if self.finds_a_target() {
            fs::set_permissions(folder.join(self.target), fs::Permissions::from_mode(MODE)).expect("permissions");
        }
        if let Some((from, to)) = &self.link {
            fs::hard_link(folder.join(from), folder.join(to)).expect("a hard link");
        }
    }

    /// The command.
    pub fn call<'a>(&self, folder: &Path, now: &'a str, threads: u64) -> Call<'a> {
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
    #[track_caller]
    pub fn hold(&self, folder: &Path) -> Option<File> {
        self.locked.map(|name| {
            let file = File::options().read(true).write(true).open(folder.join(name)).expect("a lock file");
            file.try_lock().expect("nobody has the lock");
            file
        })
    }

    /// Whether it changes the repository or store.
    pub fn backs_up(&self) -> bool {
        matches!(self.kind, Kind::Backup | Kind::Heal)
    }

    /// Whether it changes what others may be changing.
    pub fn writes(&self) -> bool {
        self.backs_up() || self.kind == Kind::Restore
    }

    /// Whether there is a file that it is to replace.
    pub fn finds_a_target(&self) -> bool {
        self.files.contains_key(self.target)
    }

    /// Its files below a folder.
    pub fn below(&self, folder: &str) -> Image {
        let inside = |(name, bytes): (&String, &Vec<u8>)| Some((name.strip_prefix(folder)?.to_owned(), bytes.clone()));
        self.files.iter().filter_map(inside).collect()
    }
}
