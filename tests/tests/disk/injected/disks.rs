//! `full disks`: file systems of every size at which some step of a verb finds no room, no inode, or a limit on the
//! file's length.
//!
//! After each failure there is room again, and the next run puts all of it right.
#![expect(
    clippy::print_stdout,
    reason = "how many cases ran is part of the result, and a test that cannot run says so"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::run::Run;
use highwater_tests::score::{Score, full, size};
use highwater_tests::specimens::injected::{NOW, Scene};

use crate::injected::all;
use crate::injected::faults::{in_parallel, scratch};
use crate::injected::invariants::{Printed, after, again};

/// What there is too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// Pages of a file system.
    Pages,
    /// Inodes of a file system.
    Inodes,
    /// Length that a file may have, in blocks of 512 bytes; a write beyond it fails.
    Length,
    /// The same; a write beyond it ends the process by a signal, as it does where nobody asked otherwise.
    LengthOrDeath,
}

/// A scene with too little of something, from nothing on until it is enough.
struct Case {
    scene: &'static Scene,
    lack: Lack,
}

/// A tmpfs that ends with this value.
struct Small(PathBuf);

impl Small {
    fn new(at: &Path) -> Option<Self> {
        let mounted = ran(Command::new("mount").args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]).arg(at));
        mounted.then(|| Self(at.to_owned()))
    }

    /// Leaves so many pages, or inodes, free.
    fn leave(&self, lack: Lack, free: u64) {
        let stat = rustix::fs::statvfs(&self.0).expect("the file system's numbers");
        let option = match lack {
            Lack::Inodes => format!("remount,nr_inodes={}", stat.f_files - stat.f_ffree + free),
            // A size of 0 is no limit at all.
            _ => format!("remount,size={}", (stat.f_blocks - stat.f_bfree + free).max(1) * stat.f_frsize),
        };
        assert!(ran(Command::new("mount").args(["-o", &option]).arg(&self.0)), "remount with {option}");
    }

    /// Gives room again.
    fn widen(&self) {
        let done = ran(Command::new("mount").args(["-o", "remount,size=256m,nr_inodes=1000"]).arg(&self.0));
        assert!(done, "remount with room");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a child that another thread is just starting may hold a file of it for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn ran(command: &mut Command) -> bool {
    command.output().is_ok_and(|done| done.status.success())
}

/// What a run printed and left, with so much of what it lacks.
fn try_with(case: &Case, folder: &Path, much: u64, printed: &Printed) -> Result<Run, String> {
    let Case { scene, lack } = case;
    fs::create_dir_all(folder.join(scene.root)).expect("a folder");
    fs::create_dir_all(folder.join("standby")).expect("a folder");
    let written = folder.join(if scene.backs_up() { scene.root } else { "standby" });
    let on_tmpfs = matches!(lack, Lack::Pages | Lack::Inodes);
    let small = if on_tmpfs { Some(Small::new(&written).expect("a tmpfs")) } else { None };
    scene.lay(folder);
    let script = match lack {
        Lack::LengthOrDeath => format!("ulimit -c 0; ulimit -f {much}; exec \"$@\""),
        _ => format!("trap '' XFSZ; ulimit -f {much}; exec \"$@\""),
    };
    let limit: Vec<OsString> = ["sh", "-c", &script, "sh"].map(OsString::from).into();
    if let Some(small) = &small {
        small.leave(*lack, much);
    }
    let run = scene.call(folder, NOW, 2).run(if on_tmpfs { &[] } else { &limit }, &[]);
    let told = |what: String| format!("{}: {lack:?} {much}: {what}\n{}", scene.name, run.account());
    let checked = after(scene, folder, &run, printed, None);
    if let Some(small) = &small {
        small.widen();
    }
    checked.and_then(|()| again(scene, folder, printed)).map_err(told)?;
    if run.code == -1 && *lack != Lack::LengthOrDeath {
        return Err(told("a signal ended it".to_owned()));
    }
    Ok(run)
}

/// Runs a case with more and more until it succeeds; how many times it failed before, and what was wrong.
fn run(case: &Case, base: &Path) -> (u64, Vec<String>) {
    let (mut tried, mut wrong) = (0, Vec::new());
    let (mut much, mut step) = (0, 1);
    let steps = if case.scene.large { size(0, 12) } else { size(10, 40) };
    let printed = Printed::new();
    loop {
        let folder = base.join("scene");
        let _ = fs::remove_dir_all(&folder);
        tried += 1;
        match try_with(case, &folder, much, &printed) {
            Ok(run) if run.code == 0 => break,
            Ok(_) => {}
            Err(what) => wrong.push(what),
        }
        // Small numbers decide between the steps of a verb; large ones only say how far a copy comes.
        if tried > steps {
            step *= 2;
        }
        much += step;
        if much > 1 << 20 {
            wrong.push(format!("{}: {:?}: it does not succeed with any room", case.scene.name, case.lack));
            break;
        }
    }
    (tried, wrong)
}

#[test]
fn a_full_disk_at_any_step_leaves_nothing_half_made() {
    let mut score = Score::new("full disks");
    let (_folder, base) = scratch();
    let mounts = Small::new(&base).is_some();
    let mut lacks = vec![Lack::Length, Lack::LengthOrDeath];
    if mounts {
        lacks.extend([Lack::Pages, Lack::Inodes]);
    } else {
        println!("not run: full disks: this user may not mount a tmpfs; only limits on the length of files were tried");
    }
    let writes = |scene: &&Scene| scene.writes();
    let scenes: Vec<&'static Scene> = all().iter().filter(writes).collect();
    let cases: Vec<Case> = scenes
        .iter()
        .flat_map(|scene| lacks.iter().map(|lack| Case { scene, lack: *lack }))
        .filter(|case| full() || !case.scene.large || case.lack == Lack::Pages)
        .collect();
    println!("{:<32} {:<14} {:>6}", "scene", "too little of", "cases");
    for (case, (tried, wrong)) in cases.iter().zip(in_parallel(&cases, run)) {
        println!("{:<32} {:<14} {tried:>6}", case.scene.name, format!("{:?}", case.lack));
        score.ran(tried);
        wrong.into_iter().for_each(|what| score.fail(what));
    }
    score.end();
}
