//! The lock of a set in a bucket: who holds it, when it is void, and what becomes of whoever loses it.

use std::thread;

use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Rule};

use crate::both::Both as _;
use crate::into::Kind;
use crate::roots::Roots;

/// A void lock is that old, in seconds, and some.
const VOID: i64 = 310;

/// The key of the lock.
fn key() -> Vec<u8> {
    Roots::key(highwater_core::formats::tree::names::LOCK)
}

/// Puts a lock there as another machine's run would have, written at the server's time.
fn lock_elsewhere(roots: &Roots) {
    let text =
        b"pid 4711 on elsewhere since 2026-01-01-00-00-00; void 300 s after it was written last; process x/1/4711/5";
    roots.server.admin().put(Roots::bucket(), &key(), text).expect("a lock");
}

#[test]
fn a_lock_of_another_machine_names_its_holder_and_is_void_after_a_while() {
    let roots = Roots::new();
    Kind::Folder.lay(&roots, false);
    lock_elsewhere(&roots);
    let run = Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00"));
    assert!(run.code == 4 && run.stderr.contains("pid 4711 on elsewhere"), "{}", run.account());
    assert_eq!(roots.server.shelves(|shelves| shelves.bucket(Roots::bucket()).keys.len()), 1);
    // Only the server's clock counts.
    roots.server.set_ahead(VOID);
    Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00")).expect(0);
    assert!(roots.server.shelves(|shelves| shelves.latest(Roots::bucket(), &key()).is_none()));
}

/// What nobody of us wrote is no lock that anyone renews: it is void after the same while, whatever is in it.
#[test]
fn a_lock_of_any_length_is_void_after_a_while() {
    for length in [0, 4097, 100_000] {
        let roots = Roots::new();
        Kind::Folder.lay(&roots, false);
        roots.server.admin().put(Roots::bucket(), &key(), &vec![b'x'; length]).expect("a lock");
        let run = Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00"));
        assert!(run.code == 4 && run.stderr.contains("another run is writing"), "{length}: {}", run.account());
        assert_eq!(roots.server.shelves(|shelves| shelves.bucket(Roots::bucket()).keys.len()), 1);
        roots.server.set_ahead(VOID);
        Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00")).expect(0);
        assert!(roots.server.shelves(|shelves| shelves.latest(Roots::bucket(), &key()).is_none()));
    }
}

/// Two that find a void lock: one takes it, the other is told who has it, or has the next turn.
#[test]
fn of_two_that_take_a_void_lock_one_succeeds() {
    for round in 0..6 {
        let roots = Roots::new();
        Kind::Folder.lay(&roots, false);
        lock_elsewhere(&roots);
        roots.server.set_ahead(VOID);
        let runs: Vec<Run> = thread::scope(|scope| {
            let run = |now| Run::of(&mut Kind::Folder.backup(&roots, now));
            let both = ["2026-03-01-01-00-00", "2026-03-01-01-00-01"].map(|now| scope.spawn(move || run(now)));
            both.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        let codes: Vec<i32> = runs.iter().map(|run| run.code).collect();
        assert!(codes.contains(&0) && codes.iter().all(|code| [0, 4].contains(code)), "{round}: {runs:?}");
        roots.run(&["verify"], &Roots::far(), &[]).expect(0);
    }
}

/// Whoever loses the lock makes no point: another may be removing what it is to name.
#[test]
fn a_lock_that_another_takes_keeps_its_holder_from_publishing() {
    let roots = Roots::new();
    Kind::Folder.lay(&roots, false);
    let thief = key();
    let rule = Rule::next(Fault::None).to("PUT /backups/set/objects/");
    roots.server.plan(rule.then(move |shelves| {
        _ = shelves.put(Roots::bucket(), &thief, b"pid 1 on thief");
    }));
    let run = Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00"));
    assert!(run.code == 3 && run.stderr.contains("is lost"), "{}", run.account());
    let points = roots.server.shelves(|shelves| {
        shelves.bucket(Roots::bucket()).keys.keys().filter(|key| key.starts_with(b"set/points/")).count()
    });
    assert_eq!(points, 0);
    // The lock of the other is left to him.
    assert!(roots.server.shelves(|shelves| shelves.latest(Roots::bucket(), &key()).is_some()));
}

/// A server that stores whatever it is sent, whoever else did: nothing is made there.
#[test]
fn a_server_that_passes_over_conditions_is_found_out() {
    for (kept, condition) in [(0, "passes over If-None-Match"), (2, "passes over If-Match")] {
        let roots = Roots::new();
        Kind::Folder.lay(&roots, false);
        if kept > 0 {
            roots.server.plan(Rule::next(Fault::None).to("PUT ").times(kept));
        }
        roots.server.plan(Rule::next(Fault::NoConditions).to("PUT ").times(9));
        let run = Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00"));
        assert!(run.code == 4 && run.stderr.contains(condition), "{}", run.account());
        let left = roots.server.shelves(|shelves| shelves.bucket(Roots::bucket()).keys.len());
        assert_eq!(left, 0, "{condition}");
    }
}

/// A run that cannot find out whether conditions are looked at leaves no lock.
#[test]
fn a_server_that_knows_no_conditions_keeps_no_lock() {
    let roots = Roots::new();
    Kind::Folder.lay(&roots, false);
    roots.server.plan(Rule::next(Fault::None).to("PUT "));
    roots.server.plan(Rule::next(Fault::Status(501, "NotImplemented", vec![])).to("PUT "));
    let run = Run::of(&mut Kind::Folder.backup(&roots, "2026-03-01-01-00-00"));
    assert!(run.code == 4 && run.stderr.contains("501"), "{}", run.account());
    assert_eq!(roots.server.shelves(|shelves| shelves.bucket(Roots::bucket()).keys.len()), 0);
}
