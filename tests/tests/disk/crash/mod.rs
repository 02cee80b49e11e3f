//! Every writing verb on the model of a disk that loses power, fails, or is told less than it should be.
//!
//! After each fault the repository is read back: every point that its indices name is sound, those from before the run
//! are all there, and the next run succeeds. A restored target is the old state or the new one to any FileStorage
//! reader.
#![expect(clippy::print_stdout, reason = "how many cases ran is part of the result")]

mod cuts;
mod faults;
mod forgotten;
mod judge;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use highwater::error::Error;
use highwater_tests::model::Model;
use highwater_tests::score::{Score, is_asked_for};
use highwater_tests::specimens::crash::{Kind, Scene};
use highwater_tests::specimens::{self, Specimen};

/// Runs a scene's verb. What works in threads runs on one, so that its operations come in the same order each time.
fn run(scene: &Scene, model: &Model, now: &str) -> Result<(), Error> {
    thread_local! {
        static ALONE: rayon::ThreadPool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    }
    if scene.long || matches!(scene.kind, Kind::Restore(_) | Kind::RestoreInPlace(_)) {
        return ALONE.with(|alone| alone.install(|| (scene.verb)(model, now)));
    }
    (scene.verb)(model, now)
}

/// Every scene of every format.
fn all() -> Vec<(&'static dyn Specimen, &'static Scene)> {
    let of = |specimen: &'static dyn Specimen| specimen.scenes().iter().map(move |scene| (specimen, scene));
    specimens::all().into_iter().flat_map(of).filter(|(_, scene)| is_asked_for(scene.name)).collect()
}

/// Puts every scene through `instrument`, on all cores, and adds up what it says: cases that ran, and failures.
fn in_parallel(score: &mut Score, instrument: impl Fn(&'static dyn Specimen, &Scene) -> (u64, Vec<String>) + Sync) {
    let next = AtomicUsize::new(0);
    let scenes = all();
    let score = Mutex::new(score);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((specimen, scene)) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (cases, failures) = instrument(*specimen, scene);
                    println!("{:<36} {cases:>7} cases, {} failures", scene.name, failures.len());
                    let mut score = score.lock().expect("no scene panicked");
                    score.ran(cases);
                    failures.into_iter().for_each(|failure| score.fail(failure));
                }
            });
        }
    });
}
