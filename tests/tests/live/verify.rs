//! A verification beside a writer raises no false alarm: what its two looks agree on is judged, and what moves on is
//! said to move.

use std::time::Duration;

use highwater_tests::rounds::BETWEEN_KILLS;
use highwater_tests::run::ours;
use highwater_tests::score::{Score, size};
use highwater_tests::writers::{Kind, Writer};

const LINE: &str = "verify beside live stores";

fn beside_a_writer(kind: Kind, kills: Option<Duration>) {
    let mut score = Score::part(LINE, kind.name());
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let store = scratch.path().join("store");
    let writer = Writer::start(kind, &store, kind.rate(), &[], kills);
    let mut sound = 0;
    for turn in 0..size(8, 60) {
        let depth = if turn % 2 == 0 { "digest" } else { "deep" };
        let seen =
            ours("2026-11-27-00-00-00", &["verify".as_ref(), store.as_os_str(), "--depth".as_ref(), depth.as_ref()]);
        score.ran(1);
        match seen.code {
            0 => sound += 1,
            3 => {}
            _ => score.fail(seen.account()),
        }
    }
    writer.end();
    // At rest there is nothing that could move.
    let seen = ours("2026-11-27-00-00-00", &["verify".as_ref(), store.as_os_str()]);
    score.ran(1);
    if seen.code != 0 {
        score.fail(format!("at rest: {}", seen.account()));
    }
    println!("{}: {sound} were sound, the others moved", kind.name());
    score.end();
}

#[test]
fn fjall() {
    beside_a_writer(Kind::Fjall, None);
}

#[test]
fn rocksdb() {
    beside_a_writer(Kind::Rocksdb, None);
}

#[test]
fn leveldb() {
    beside_a_writer(Kind::Leveldb, Some(BETWEEN_KILLS));
}

#[test]
fn dirstorage() {
    beside_a_writer(Kind::Dirstorage, Some(BETWEEN_KILLS));
}
