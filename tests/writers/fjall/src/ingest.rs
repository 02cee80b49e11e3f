//! Bulk ingestion: tables that never pass through the journal, each followed by a batch that says so.
//!
//! Round r replaces all rows of the keyspace by ingestion; then a batch sets `ingested` to r in every keyspace. A copy
//! that has the batch must have the tables.

use fjall::{Database, Keyspace};
use writer_common::{Outcome, Rows, key, number};

use crate::keyspaces::{INGESTED, creation};

/// How many batches lie between two rounds.
const BETWEEN: u64 = 4000;
/// How many rows a round ingests.
pub const COUNT: u64 = 60;

/// The rounds of a writer.
pub struct Ingest<'a> {
    database: &'a Database,
    keyspaces: &'a [(&'static str, Keyspace)],
    target: Keyspace,
    rows: Rows,
    round: u64,
}

impl<'a> Ingest<'a> {
    /// Go on after the round that the store holds.
    pub fn open(database: &'a Database, keyspaces: &'a [(&'static str, Keyspace)]) -> Outcome<Self> {
        let target = database.keyspace(INGESTED, || creation(INGESTED))?;
        // A round that was ingested and not yet said is said again by the next.
        let round = target.get(key(0))?.and_then(|row| round_of(&row)).unwrap_or(0);
        Ok(Self { database, keyspaces, target, rows: rows(), round })
    }

    /// Ingest if it is time to.
    pub fn after(&mut self, last: u64) -> Outcome<()> {
        if !last.is_multiple_of(BETWEEN) {
            return Ok(());
        }
        self.round += 1;
        let mut ingestion = self.target.start_ingestion()?;
        for number in 0..COUNT {
            ingestion.write(key(number), row(&self.rows, self.round, number))?;
        }
        ingestion.finish()?;
        let mut batch = self.database.batch();
        for (_, keyspace) in self.keyspaces {
            batch.insert(keyspace, "ingested", self.round.to_string());
        }
        batch.commit()?;
        Ok(())
    }
}

/// What ingested rows are made from.
pub fn rows() -> Rows {
    Rows::new(COUNT, 2000)
}

/// Row `number` of a round.
pub fn row(rows: &Rows, round: u64, number: u64) -> Vec<u8> {
    let mut row = format!("{round} ").into_bytes();
    row.extend(rows.row(INGESTED, round * COUNT + number));
    row
}

/// The round that a row is of.
pub fn round_of(row: &[u8]) -> Option<u64> {
    number(row.split(|byte| *byte == b' ').next()?)
}
