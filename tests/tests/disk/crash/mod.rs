//! Every writing verb on the model of a disk that loses power, fails, or is told less than it should be.
//!
//! After each fault the repository is read back: every point that its indices name is sound, those from before the run are
//! all there, and the next run succeeds. A restored target is the old state or the new one to any FileStorage reader.
#![expect(clippy::print_stdout, reason = "how many cases ran is part of the result")]

mod cuts;
mod faults;
mod forgotten;
mod judge;
mod scenes;
mod stores;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use highwater::error::Error;
use highwater_tests::model::Model;
use highwater_tests::score::Score;

use scenes::{Kind, SCENES, Scene};

/// Runs a scene's verb. A restore and a snapshot run on one thread, so that their operations come in the same order each time.
fn run(scene: &Scene, model: &Model, now: &str) -> Result<(), Error> {
    thread_local! {
        static ALONE: rayon::ThreadPool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    }
    match scene.kind {
        Kind::Backup | Kind::BackupAndKill | Kind::Heal => (scene.verb)(model, now),
        Kind::Snapshot | Kind::Restore(_) | Kind::RestoreInPlace(_) => {
            ALONE.with(|alone| alone.install(|| (scene.verb)(model, now)))
        }
    }
}

/// Every scene.
fn all() -> Vec<&'static Scene> {
    SCENES.iter().chain(stores::SCENES).collect()
}

/// Puts every scene through `instrument`, on all cores, and adds up what it says: cases that ran, and failures.
fn in_parallel(score: &mut Score, instrument: impl Fn(&Scene) -> (u64, Vec<String>) + Sync) {
    let next = AtomicUsize::new(0);
    let scenes = all();
    let score = Mutex::new(score);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (cases, failures) = instrument(scene);
                    println!("{:<36} {cases:>7} cases, {} failures", scene.name, failures.len());
                    let mut score = score.lock().expect("no scene panicked");
                    score.ran(cases);
                    failures.into_iter().for_each(|failure| score.fail(failure));
                }
            });
        }
    });
}
