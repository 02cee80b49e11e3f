//! `short counts`: every read and write of a plain file moves fewer bytes than asked for, or is interrupted, and every
//! verb still succeeds.
//!
//! A preloaded library stands between the binary and the C library, through which all of its reads and writes go; the
//! calls that it makes by itself, on names, locks and permissions, move none. A trace proves that.
#![expect(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use highwater_tests::inject::short_library;
use highwater_tests::score::{Score, full, size};
use highwater_tests::specimens::injected::{Kind, NOW, Scene};

use crate::injected::all;
use crate::injected::faults::{in_parallel, scratch};
use crate::injected::invariants::{Printed, after, again};

/// At most so many bytes a call (0: no limit), a seed for less by chance (0: none), every so manieth call interrupted
/// (0: none).
#[derive(Debug, Clone, Copy)]
struct Short {
    most: u64,
    seed: u64,
    every: u64,
}

/// One way of being short in one scene.
struct Case {
    scene: &'static Scene,
    printed: Printed,
    short: Short,
}

impl Short {
    fn environment(self, library: &Path, told: &Path) -> [(&'static str, OsString); 5] {
        let number = |number: u64| OsString::from(number.to_string());
        [
            ("LD_PRELOAD", library.into()),
            ("SHORT_MOST", number(self.most)),
            ("SHORT_SEED", number(self.seed)),
            ("SHORT_EINTR", number(self.every)),
            ("SHORT_TOLD", told.into()),
        ]
    }
}

/// Every way that is tried: fixed limits, limits by chance, interruptions alone and together.
fn ways(scene: &Scene) -> Vec<Short> {
    let fixed: &[u64] = if scene.large { &[4095, 100_000] } else { &[1, 7, 64, 511] };
    let mut ways: Vec<Short> = fixed.iter().map(|most| Short { most: *most, seed: 0, every: 0 }).collect();
    ways.extend([2, 3, 5].map(|every| Short { most: 0, seed: 0, every }));
    ways.extend(fixed.iter().map(|most| Short { most: *most, seed: 0, every: 2 }));
    let seeds = if scene.large { size(2, 20) } else { size(12, 200) };
    let most = if scene.large { 200_000 } else { 300 };
    ways.extend((1..=seeds).map(|seed| Short { most, seed, every: if seed % 2 == 0 { 3 } else { 0 } }));
    ways
}

/// What an undisturbed run prints.
fn printed(scene: &Scene, base: &Path) -> Printed {
    let folder = base.join("scene");
    let _ = fs::remove_dir_all(&folder);
    scene.lay(&folder);
    scene.call(&folder, NOW, 2).run(&[], &[]).stdout
}

/// Runs one case; how many calls were shortened or interrupted, or what is wrong.
fn run(case: &Case, library: &Path, base: &Path) -> Result<u64, String> {
    let Case { scene, printed, short } = case;
    let (folder, told) = (base.join("scene"), base.join("told"));
    let _ = (fs::remove_dir_all(&folder), fs::remove_file(&told));
    scene.lay(&folder);
    let held = scene.hold(&folder);
    let run = scene.call(&folder, NOW, 2).run(&[], &short.environment(library, &told));
    let expected = if scene.kind == Kind::Refusal { 4 } else { 0 };
    let mut checked = after(scene, &folder, &run, printed, None);
    if checked.is_ok() && run.code != expected {
        checked = Err(format!("exit {expected} was expected"));
    }
    let checked = checked.and_then(|()| again(scene, &folder, printed));
    drop(held);
    checked.map_err(|what| format!("{}: {short:?}: {what}\n{}", scene.name, run.account()))?;
    let text = fs::read_to_string(&told).unwrap_or_default();
    Ok(text.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).sum())
}

#[test]
fn short_and_interrupted_transfers_change_no_result() {
    let library = match short_library() {
        Ok(library) => library,
        Err(why) => {
            println!("not run: short counts: {why}");
            return;
        }
    };
    let mut score = Score::new("short counts");
    let (_folder, base) = scratch();
    let scenes = all().iter().filter(|scene| full() || !scene.large || scene.backs_up());
    let cases: Vec<Case> = scenes
        .flat_map(|scene| {
            let printed = printed(scene, &base);
            ways(scene).into_iter().map(move |short| Case { scene, printed: printed.clone(), short })
        })
        .collect();
    let (mut calls, mut idle) = (0, 0);
    for ended in in_parallel(&cases, |case, base| run(case, library, base)) {
        score.ran(1);
        match ended {
            // A refusal may come before the second call, and a limit may be above all that is asked for.
            Ok(0) => idle += 1,
            Ok(some) => calls += some,
            Err(what) => score.fail(what),
        }
    }
    println!("{calls} calls were shortened or interrupted; in {idle} cases none was");
    if idle * 4 > score.cases() {
        score.fail(format!("in {idle} of {} cases no call was shortened: does the library work?", score.cases()));
    }
    score.end();
}

#[test]
fn every_transfer_goes_through_the_preloaded_library() {
    let library = match short_library() {
        Ok(library) => library,
        Err(why) => {
            println!("not run: {why}");
            return;
        }
    };
    if let Some(why) = highwater_tests::inject::cannot_trace() {
        println!("not run: {why}");
        return;
    }
    const TRANSFERS: &str = "trace=read,pread64,readv,preadv,preadv2,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,splice";
    for scene in all().iter().filter(|scene| !scene.large) {
        let (_folder, base) = scratch();
        let folder = base.join("scene");
        scene.lay(&folder);
        let log = base.join("log");
        let mut before: Vec<OsString> =
            ["strace", "-f", "-y", "-s", "0", "-e", TRANSFERS, "-o"].map(OsString::from).into();
        before.push(log.clone().into());
        let mut preload = OsString::from("LD_PRELOAD=");
        preload.push(library);
        // Only the binary gets the library, not the tracer.
        before.extend(["env".into(), preload, "SHORT_MOST=7".into()]);
        scene.call(&folder, NOW, 2).run(&before, &[]);
        let text = fs::read_to_string(&log).expect("a log");
        let ours = text.lines().filter(|line| line.contains(&*folder.to_string_lossy()));
        for line in ours {
            let moved = line.rsplit_once(" = ").and_then(|(_, number)| number.trim().parse::<i64>().ok()).unwrap_or(0);
            assert!(moved <= 7, "{}: a transfer went past the library: {line}", scene.name);
        }
    }
}
