//! A restore onto a block device: only when that is meant, and only onto one that nobody uses and that is large enough.
#![expect(clippy::print_stdout, reason = "a test that cannot run says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::datastore::{Sample, copy};
use highwater_tests::repo::Fixture;
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::{Run, ours};
use highwater_tests::score::Score;

use super::LINE;

const NOW: &str = "2030-01-01-00-00-00";
const SNAPSHOT: &str = "vm/100/2025-06-16T15:06:40Z";

/// A loop device over a file of one's own, which ends with this value.
struct Loop(PathBuf);

impl Loop {
    fn over(file: &Path) -> Option<Self> {
        let made = Command::new("losetup").args(["--find", "--show"]).arg(file).output().ok()?;
        let name = String::from_utf8(made.stdout).ok()?;
        (made.status.success() && name.starts_with('/')).then(|| Self(PathBuf::from(name.trim())))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let ended = Command::new("losetup").arg("--detach").arg(&self.0).status();
        assert!(ended.is_ok_and(|status| status.success()), "{} stays", self.0.display());
    }
}

#[test]
fn a_block_device_is_overwritten_only_when_that_is_meant() {
    let mut score = Score::part(LINE, "restore onto a block device");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let store = path("store");
    copy(&Sample::made().store(), &store);
    let from = format!("{}@{SNAPSHOT}/drive-scsi0.img", store.display());
    let restore = |target: &Path, flags: &[&str]| -> Run {
        ours(NOW, &[&["restore", &from, target.to_str().expect("text")], flags].concat())
    };
    restore(&path("whole.img"), &[]).expect(0);
    let image = fs::read(path("whole.img")).expect("an image");
    let (disk, small) = (path("disk"), path("small"));
    let before = vec![9; image.len().next_multiple_of(1 << 20) + (1 << 20)];
    fs::write(&disk, &before).expect("a disk");
    fs::write(&small, vec![9; 4096]).expect("a disk");
    let (Some(device), Some(too_small)) = (Loop::over(&disk), Loop::over(&small)) else {
        println!("not run: no loop device can be made here");
        score.ran(1);
        return score.end();
    };
    let held = || fs::read(&device.0).expect("the device");
    for (flags, words) in [(&[][..], "--force"), (&["--full"], "--force"), (&["--salvage", "--force"], "to a file")] {
        restore(&device.0, flags).expect(4).says(words);
        assert!(held() == before, "{flags:?} wrote");
        score.ran(1);
    }
    restore(&too_small.0, &["--force"]).expect(4).says("too small");
    restore(&device.0, &["--force", "--dry-run"]).expect(0);
    let (fixture, _) = Fixture::with_chain();
    fixture.restore("", &device.0, &[]).expect(4).says("into a file");
    fixture.restore("", &device.0, &["--force"]).expect(2).says("--force is for a datastore");
    assert!(held() == before, "a refused run wrote");
    // A chunk that is missing is seen before the first write.
    let chunks = store.join(".chunks");
    fs::rename(&chunks, store.join("chunks")).expect("it moves");
    fs::create_dir(&chunks).expect("a folder");
    for flags in [&["--force"][..], &["--force", "--dry-run"]] {
        restore(&device.0, flags).expect(1).says("is missing");
        assert!(held() == before, "a refused run wrote");
    }
    fs::remove_dir(&chunks).expect("it goes");
    fs::rename(store.join("chunks"), &chunks).expect("it moves");
    score.ran(5);
    restore(&device.0, &["--force"]).expect(0).says("overwriting").says("bytes more than the point");
    let now = held();
    expect_same_bytes(&now[..image.len()], &image, "the device");
    assert!(now[image.len()..] == before[image.len()..], "what lies behind is as it was");
    restore(&device.0, &["--force"]).expect(0);
    score.ran(2);
    // A device that another has for himself.
    let holder = Command::new("python3")
        .args(["-c", "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL); print('held', flush=True); input()"])
        .arg(&device.0)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut holder = holder.expect("a python3");
    std::io::Read::read_exact(holder.stdout.as_mut().expect("a pipe"), &mut [0]).expect("it holds the device");
    restore(&device.0, &["--force"]).expect(4).says("is in use");
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    score.ran(1);
    score.end();
}
