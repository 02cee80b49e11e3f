//! The writer: batch after batch, an acknowledgement a line after every fiftieth has been made durable.

use std::time::Instant;

use fjall::{Database, Keyspace, PersistMode};
use writer_common::{Latencies, Options, Outcome, Pace, Rows, key, number, say};

use crate::churn::Churn;
use crate::ingest::Ingest;
use crate::keyspaces::{NAMES, creation, open};

/// How many batches are made durable together.
const TOGETHER: u64 = 50;

/// Commit batches, from where the store ends.
pub fn write(options: &Options) -> Outcome<()> {
    let database = open(&options.folder)?;
    let mut keyspaces = Vec::new();
    for name in NAMES {
        keyspaces.push((name, database.keyspace(name, || creation(name))?));
    }
    let (_, first) = &keyspaces[0];
    let rows = match first.get("shape")? {
        Some(shape) => Rows::of_shape(&shape).ok_or("the store keeps no shape of its rows")?,
        None => begin(&database, &keyspaces, options)?,
    };
    let stored = first.get("last")?.ok_or("the store has no last batch")?;
    let mut last = number(&stored).ok_or("the last batch is no number")?;
    let mut ingest = options.ingest.then(|| Ingest::open(&database, &keyspaces)).transpose()?;
    let mut churn = options.churn.then(|| Churn::open(&database, &keyspaces)).transpose()?;
    let mut latencies = Latencies::open(options)?;
    let mut pace = Pace::new(options.rate);
    let end = options.end(last);
    while last < end {
        pace.wait();
        let began = Instant::now();
        last += 1;
        let mut batch = database.batch();
        for (name, keyspace) in &keyspaces {
            batch.insert(keyspace, key(last), rows.row(name, last));
            batch.insert(keyspace, "last", last.to_string());
            if last > rows.window {
                batch.remove(keyspace, key(last - rows.window));
            }
        }
        batch.commit()?;
        if last.is_multiple_of(TOGETHER) || last == end {
            database.persist(PersistMode::SyncAll)?;
            say(last);
        }
        latencies.note(began)?;
        if let Some(ingest) = &mut ingest {
            ingest.after(last)?;
        }
        if let Some(churn) = &mut churn {
            churn.after(last)?;
        }
    }
    Ok(())
}

/// The first batch: the shape of the rows, and that there are none.
fn begin(database: &Database, keyspaces: &[(&str, Keyspace)], options: &Options) -> Outcome<Rows> {
    let rows = Rows::new(options.window, options.row);
    let mut batch = database.batch();
    for (_, keyspace) in keyspaces {
        batch.insert(keyspace, "shape", rows.shape());
        batch.insert(keyspace, "last", "0");
    }
    batch.commit()?;
    database.persist(PersistMode::SyncAll)?;
    say(0);
    Ok(rows)
}
