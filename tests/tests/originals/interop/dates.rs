//! `-D` is compared as text by the original; of every date, ours must pick the same point or refuse alike. What is no
//! date it refuses.

use highwater_tests::run::drop_in;
use highwater_tests::scene::{Scene, bytes};

/// The lines that say how many bytes were recovered have a test of their own.
fn without_sums(told: &str) -> Vec<&str> {
    told.lines().filter(|line| !line.starts_with("Recovered ")).collect()
}

#[test]
fn every_spelling_of_a_date_picks_the_same_point() {
    let mut scene = Scene::new();
    let mut stamps = Vec::new();
    for (round, flags) in [&["-F"][..], &[], &["-z"], &["-F", "-z"], &[], &["-z"]].into_iter().enumerate() {
        stamps.push(scene.original_backup(flags));
        scene.clock.tick(40_000 + 50_000 * round as u64);
        scene.grow(2);
    }
    let now = scene.clock.stamp();
    let mut dates: Vec<String> = stamps.clone();
    for stamp in &stamps {
        for length in [4, 7, 10, 13, 16] {
            dates.push(stamp[..length].to_owned());
        }
    }
    dates.extend(["", "2025-12-31-23-59-59", "9999", "0000"].map(str::to_owned));
    // What is no date is the newest or none to the original; ours refuses it, as nobody means that.
    for odd in ["now", "9", "2026-2-1", "2026-02-31", "0", "2026-02-01-99", " 2026", "é"] {
        let to = scene.path("odd.fs");
        drop_in(&now, &Scene::recover_arguments(&scene.repo, &to, &["-D", odd])).expect(1).says("no point in time");
        assert!(!to.exists(), "a refused -D {odd:?} leaves no file");
    }
    let (mut found, mut refused) = (0, 0);
    for date in &dates {
        let (theirs_to, mine_to) = (scene.path("theirs.fs"), scene.path("mine.fs"));
        let theirs = Scene::recover_arguments(&scene.repo, &theirs_to, &["-v", "-D", date]);
        let words: Vec<&str> = theirs.iter().map(|word| word.to_str().expect("plain text")).collect();
        let theirs = scene.bench.original(&now, &words);
        let mine = drop_in(&now, &Scene::recover_arguments(&scene.repo, &mine_to, &["-v", "-D", date]));
        assert_eq!(mine.code, theirs.code, "exit code of -D {date:?}\n{}{}", theirs.account(), mine.account());
        let told = mine.stderr.replace("mine.fs", "theirs.fs");
        assert_eq!(without_sums(&told), without_sums(&theirs.stderr), "what -D {date:?} said");
        if theirs.code == 0 {
            assert!(bytes(&mine_to) == bytes(&theirs_to), "-D {date:?} recovers another point");
            for path in [&theirs_to, &mine_to] {
                std::fs::remove_file(path).expect("it goes");
            }
            found += 1;
        } else {
            assert!(!mine_to.exists(), "a refused -D {date:?} leaves no file");
            refused += 1;
        }
    }
    assert!(found > 20 && refused > 3, "{found} dates found a point, {refused} did not");
}

#[test]
fn a_stamp_in_the_future_is_seen_with_a_date_only() {
    let mut scene = Scene::new();
    scene.original_backup(&["-F"]);
    let old = scene.source();
    scene.clock.tick(1_000_000);
    scene.grow(2);
    let future = scene.original_backup(&[]);
    let new = scene.source();
    let target = scene.path("target.fs");
    for (flags, wanted) in [(&[][..], &old), (&["-D", future.as_str()][..], &new), (&["-D", "9999"][..], &new)] {
        let arguments = Scene::recover_arguments(&scene.repo, &target, flags);
        drop_in("2026-02-01-12-00-00", &arguments).expect(0);
        assert!(&bytes(&target) == wanted, "{flags:?} before the second stamp");
        let (run, got) = (scene.original_recover(&scene.repo, &["-D", "9999"]), &new);
        run.0.expect(0);
        assert!(run.1.as_ref() == Some(got), "the original agrees about -D 9999");
    }
}
