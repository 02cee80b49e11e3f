//! Backups in a loop beside a real ZODB that commits without pause and packs: every point must open and hold a prefix.
//!
//! Nothing here waits by the clock. A round starts when the writer has said that it committed, or that a pack has
//! begun, and what must be in a backup follows from what the writer had said before the backup started.

use std::io::{self, Write};
use std::path::Path;

use highwater_tests::live::{Transaction, Writer};
use highwater_tests::python::original;
use highwater_tests::repository::{data_files, expect_same_bytes};
use highwater_tests::run::{Run, drop_in, ours};
use highwater_tests::scene::{Scene, bytes};
use highwater_tests::stamps::Clock;
use highwater_tests::workbench::Workbench;

const ROUNDS: u64 = 24;
const AT_MOST_IN_A_PACK: u64 = 12;

/// A backup that was taken, and what is known of the moment.
struct Taken {
    stamp: String,
    /// The last transaction that was finished before the backup began.
    at_least: String,
    /// The generations of the file it may have seen.
    generations: std::ops::RangeInclusive<u64>,
    /// How it was made, for messages.
    line: String,
}

/// One backup, in one of eight ways.
fn back_up(round: u64, stamp: &str, data: &Path, repo: &Path) -> Run {
    let own: &[&str] = match round % 4 {
        0 => &[],
        1 => &["--quick"],
        2 => &["--gzip"],
        _ => &["--quick", "--gzip"],
    };
    if round % 8 < 4 {
        let paths = [data.to_str().expect("plain text"), repo.to_str().expect("plain text")];
        return ours(stamp, &[&["backup"], &paths[..], own].concat());
    }
    let short = ["-B", "-BQ", "-Bz", "-BQz"][usize::try_from(round % 4).expect("small")];
    drop_in(stamp, &[Path::new(short), Path::new("-f"), data, Path::new("-r"), repo])
}

/// Fail unless `found` is a prefix of what the file of one of the generations may hold, and is recent enough.
#[track_caller]
fn expect_prefix(taken: &Taken, found: &[Transaction], histories: &[Vec<Transaction>]) {
    let last = &found.last().expect("a restored database has transactions").0;
    assert!(
        *last >= taken.at_least,
        "{} ({}) ends with {last}, but {} was finished before it began",
        taken.stamp,
        taken.line,
        taken.at_least
    );
    let fits = taken.generations.clone().any(|generation| {
        let history = &histories[usize::try_from(generation).expect("small")];
        history.starts_with(found)
    });
    assert!(
        fits,
        "{} ({}) holds {} transactions that are no prefix of generations {:?}",
        taken.stamp,
        taken.line,
        found.len(),
        taken.generations
    );
}

/// Take one backup and note what is known of the moment.
#[track_caller]
fn round_of(round: u64, clock: &mut Clock, writer: &mut Writer, data: &Path, repo: &Path) -> Taken {
    writer.listen();
    let (stamp, at_least, oldest) = (clock.tick(61), writer.last_commit.clone(), writer.generation);
    let run = back_up(round, &stamp, data, repo);
    run.expect(0);
    writer.listen();
    Taken { stamp, at_least, generations: oldest..=writer.packing, line: format!("round {round}, {}", run.line) }
}

#[test]
fn every_point_taken_beside_a_live_writer_holds_a_prefix_of_its_history() {
    let folder = tempfile::Builder::new().prefix("highwater-live-").tempdir().expect("a scratch folder");
    let path = |name: &str| folder.path().join(name);
    let (data, repo, standby) = (path("Data.fs"), path("repo"), path("standby.fs"));
    std::fs::create_dir(&repo).expect("a repository");
    let mut clock = Clock::at("2026-04-30-23-50-00");
    let mut writer = Writer::start(&data, &path("notebook"), 11);
    let mut all = Vec::new();

    for round in 0..ROUNDS {
        // Every fourth round starts a pack and backs up until it is through: one of those backups, at least, sees the
        // file being replaced. The others have at least one new transaction.
        if round % 4 != 3 {
            writer.wait_for_commit();
            all.push(round_of(round, &mut clock, &mut writer, &data, &repo));
            ours(&clock.stamp(), &[Path::new("restore"), &repo, &standby]).expect(0);
            continue;
        }
        writer.begin_pack();
        for step in 0..AT_MOST_IN_A_PACK {
            all.push(round_of(round + step, &mut clock, &mut writer, &data, &repo));
            if writer.generation == writer.packing {
                break;
            }
        }
    }
    writer.wait_for_pack();
    let histories = writer.stop();
    assert!(histories.len() > 6, "{} generations of the file", histories.len());

    let mut bench = Workbench::open();
    ours(&clock.stamp(), &[Path::new("restore"), &repo, &standby]).expect(0);
    let restored = path("restored.fs");
    let mut unchanged = 0;
    for taken in &all {
        if !data_files(&repo).iter().any(|name| name.starts_with(&taken.stamp)) {
            unchanged += 1;
            continue;
        }
        let from = format!("{}@{}", repo.display(), taken.stamp);
        ours(&taken.stamp, &["restore", &from, restored.to_str().expect("plain text")]).expect(0);
        expect_prefix(taken, &bench.history(&restored), &histories);
        bench.expect_index(&restored, &path("restored.fs.index"));
    }
    expect_same_bytes(&bytes(&standby), &bytes(&restored), "the standby against the newest point");

    assert!(all.len() - unchanged >= 20, "{} backups, {unchanged} of them found nothing new", all.len());
    let files = data_files(&repo);
    let fulls = files.iter().filter(|name| !name.contains("delta")).count();
    assert!(fulls >= 4 && files.len() - fulls >= 4, "fulls and increments: {files:?}");
    // Straight to the stream, as how much was tried belongs into the log of a run that passes, too.
    let _ = writeln!(
        io::stdout(),
        "{} backups beside {} packs: {fulls} fulls, {} increments, {unchanged} with nothing new",
        all.len(),
        histories.len() - 1,
        files.len() - fulls
    );
    let now = clock.tick(1);
    ours(&now, &[Path::new("verify"), &repo, Path::new("--depth"), Path::new("deep")]).expect(0);
    original(&now, &Scene::verify_arguments(&repo, &[])).expect(0);
    let target = path("by-the-original.fs");
    original(&now, &Scene::recover_arguments(&repo, &target, &["-w"])).expect(0);
    expect_same_bytes(&bytes(&target), &bytes(&restored), "the newest point, recovered by the original");
}
