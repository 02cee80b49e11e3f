//! The real program beside itself: verifications in a loop while other processes make backups of the same repository.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use highwater_tests::repo::Fixture;
use highwater_tests::run::ours;
use highwater_tests::score::{Score, size};

/// The ways of backup that take turns; only the last one removes anything.
const WAYS: [&[&str]; 6] = [&[], &["-z"], &["--quick"], &["-F"], &["-Fz"], &["-F", "-k"]];

/// Verifies until a number of backups are done; no verification may find damage, and only one that a removal may have
/// overtaken may be inconclusive.
pub(crate) fn verify_beside_backups(score: &mut Score) {
    let rounds = size(18, 120);
    let (mut fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.clone();
    let (over, kills) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let last = usize::try_from(rounds).expect("a small number");
            for way in WAYS.iter().cycle().take(last) {
                fixture.grow(3);
                kills.fetch_or(way.contains(&"-k"), Ordering::SeqCst);
                fixture.backup(way);
            }
        });
        let mut number = 0;
        while !over.load(Ordering::SeqCst) {
            // One more after the last backup.
            over.store(writer.is_finished(), Ordering::SeqCst);
            let depth = ["deep", "digest", "list", "size"][number % 4];
            let run = ours("2029-01-01-00-00-00", &["verify", "--depth", depth, "--", &repo.to_string_lossy()]);
            score.ran(1);
            let doubts = kills.load(Ordering::SeqCst) && !over.load(Ordering::SeqCst);
            if run.code != 0 && !(doubts && run.code == 3) {
                score.fail(format!("beside a process, at {depth}: {}", run.account()));
            }
            number += 1;
        }
        writer.join().expect("the backups");
    });
}
