//! Writers that do what breaks the simpler rules: flush several memtables as one, let blob files die by their count of
//! garbage, bring tables past the log, create and drop families.

use highwater_tests::rounds::Round;
use highwater_tests::writers::Kind;

use super::support::run;

#[test]
fn rocksdb_with_merged_flushes_blobs_ingestion_and_families_that_come_and_go() {
    let _ = run(
        "rocksdb, harsh",
        &[
            [Round::new(Kind::Rocksdb, &["--merged"], 30, 3), Round::new(Kind::Rocksdb, &["--blobs"], 30, 3)],
            [
                Round::new(Kind::Rocksdb, &["--ingest", "--churn"], 30, 3),
                Round::new(Kind::Rocksdb, &["--merged", "--blobs", "--ingest", "--churn"], 30, 3).with_kills(),
            ],
        ],
    );
}

#[test]
fn fjall_with_ingestion_and_keyspaces_that_come_and_go() {
    let _ = run(
        "fjall, harsh",
        &[
            [Round::new(Kind::Fjall, &["--ingest"], 30, 3), Round::new(Kind::Fjall, &["--churn"], 30, 3)],
            [
                Round::new(Kind::Fjall, &["--ingest", "--churn"], 30, 3),
                Round::new(Kind::Fjall, &["--ingest", "--churn"], 30, 3).with_kills(),
            ],
        ],
    );
}
