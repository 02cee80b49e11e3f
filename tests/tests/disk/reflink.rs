//! A full restore on a file system that can share bytes shares them: a btrfs in a loop mount, where this user may mount
//! one.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::repo::Fixture;
use highwater_tests::run::ours;

/// A mounted image; it goes with this value.
struct Btrfs(PathBuf);

impl Btrfs {
    fn new(folder: &Path) -> Option<Self> {
        let image = folder.join("image");
        File::create(&image).and_then(|file| file.set_len(256 << 20)).expect("a sparse image");
        let at = folder.join("btrfs");
        fs::create_dir(&at).expect("a folder");
        let ran = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
        let made = ran(Command::new("mkfs.btrfs").arg("-q").arg(&image));
        (made && ran(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at))).then_some(Self(at))
    }

    /// Bytes in use, after everything was written.
    fn used(&self) -> u64 {
        let synced = Command::new("sync").arg("-f").arg(&self.0).status();
        assert!(synced.is_ok_and(|status| status.success()), "sync of the file system");
        let stat = rustix::fs::statvfs(&self.0).expect("the file system's numbers");
        (stat.f_blocks - stat.f_bfree) * stat.f_frsize
    }
}

impl Drop for Btrfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_restore_shares_the_bytes_of_a_plain_full_backup() {
    let mut fixture = Fixture::new();
    let Some(disk) = Btrfs::new(&fixture.path("")) else {
        println!("not run: this user may not mount a btrfs, or mkfs.btrfs is missing");
        return;
    };
    fixture.repo = disk.0.join("repo");
    fs::create_dir(&fixture.repo).expect("a repository");
    fixture.data.grow_large(40);
    fixture.grow(1);
    fixture.backup(&[]);
    fixture.grow(3);
    fixture.backup(&[]);
    let length = fixture.data.bytes.len() as u64;
    assert!(length > 8 << 20, "{length} bytes are too few to tell");
    let before = disk.used();
    let target = disk.0.join("out.fs");
    ours(&fixture.clock.stamp(), &["restore".as_ref(), fixture.repo.as_os_str(), target.as_os_str()]).expect(0);
    let taken = disk.used() - before;
    assert!(fs::read(&target).expect("the target") == fixture.data.bytes, "the restored bytes");
    assert!(taken < length / 2, "{taken} bytes were taken for a file of {length}");
}
