//! What points are made of when it must hold still: stores of DirectoryStorage, and folders with commands.

mod dirstorage;
mod exec;
mod known;
mod listed;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::run::{Run, ours};
use tempfile::TempDir;

/// A source, a set, and what a point is restored to.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("highwater-test-").tempdir().expect("a scratch folder");
        for name in ["source", "set"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn words(&self, options: &[&str]) -> Vec<std::ffi::OsString> {
        let words = ["backup".into(), self.path("source").into_os_string(), self.path("set").into_os_string()];
        words.into_iter().chain(options.iter().map(Into::into)).collect()
    }

    /// Backs up in this minute.
    fn back_up(&self, minute: u32, options: &[&str]) -> Run {
        ours(&format!("2026-11-27-00-{minute:02}-00"), &self.words(options))
    }

    /// The same with variables of the environment.
    fn back_up_with(&self, minute: u32, options: &[&str], environment: &[(&str, &OsStr)]) -> Run {
        let mut command = Command::new(highwater());
        command.args(self.words(options)).envs(environment.iter().copied());
        Run::of(command.env("HIGHWATER_NOW", format!("2026-11-27-00-{minute:02}-00")))
    }

    fn has_point(&self, minute: u32) -> bool {
        self.path(&format!("set/points/2026-11-27T00-{minute:02}-00Z.mtree")).exists()
    }

    fn list(&self, minute: u32) -> String {
        self.text(&format!("set/points/2026-11-27T00-{minute:02}-00Z.mtree"))
    }

    /// Restores a point, and gives its folder.
    #[track_caller]
    fn restore(&self, minute: u32) -> PathBuf {
        let to = self.path(&format!("restored-{minute}"));
        let point = format!("{}@2026-11-27T00-{minute:02}-00Z", self.path("set").display());
        ours("2026-11-28-00-00-00", &["restore".as_ref(), OsStr::new(&point), to.as_os_str()]).expect(0);
        to
    }
}

/// What lies below a folder, but for its times.
fn below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut ahead) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = ahead.pop() {
        for entry in fs::read_dir(&at).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
            if path.is_dir() {
                found.push((format!("{name}/"), Vec::new()));
                ahead.push(path);
            } else {
                found.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}
