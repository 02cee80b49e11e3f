//! `Mounted`: a mount that ends with this value, where this user may mount.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is mounted.
#[derive(Debug)]
pub struct Mounted(PathBuf);

impl Mounted {
    /// A new tmpfs with these options; none where this user may not.
    pub fn tmpfs(at: &Path, options: &str) -> Option<Self> {
        Self::by(&["-t", "tmpfs", "-o", options, "tmpfs"].map(OsStr::new), at)
    }

    /// A folder in another place, too; none where this user may not.
    pub fn bound(from: &Path, at: &Path) -> Option<Self> {
        fs::create_dir_all(from).expect("a folder");
        Self::by(&["--bind".as_ref(), from.as_os_str()], at)
    }

    /// What `mount` makes of these words and the place, which is made first.
    pub fn by(words: &[&OsStr], at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let run = Command::new("mount").args(words).arg(at).output();
        run.is_ok_and(|run| run.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let ended = Command::new("umount").arg(&self.0).status();
        // A test that fails has enough to say.
        if !std::thread::panicking() {
            assert!(ended.is_ok_and(|status| status.success()), "{} stays mounted", self.0.display());
        }
    }
}
