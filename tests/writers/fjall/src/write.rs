//! The writer: batch after batch, an acknowledgement a line after every fiftieth has been made durable.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fjall::{Database, Keyspace, PersistMode};

use crate::churn::Churn;
use crate::ingest::Ingest;
use crate::keyspaces::{NAMES, creation, open};
use crate::options::Options;
use crate::rows::{Rows, key, number};

/// How many batches are made durable together.
const TOGETHER: u64 = 50;

/// Commit batches, from where the store ends.
pub fn write(options: &Options) -> Result<(), Box<dyn Error>> {
    end_with_the_input();
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
    let mut latencies = options.latencies.as_ref().map(File::create).transpose()?.map(BufWriter::new);
    let mut pace = Pace::new(options.rate);
    let end = if options.batches == 0 { u64::MAX } else { last + options.batches };
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
        if let Some(file) = &mut latencies {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros();
            writeln!(file, "{now} {}", began.elapsed().as_micros())?;
        }
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
fn begin(database: &Database, keyspaces: &[(&str, Keyspace)], options: &Options) -> Result<Rows, Box<dyn Error>> {
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

/// Acknowledge all batches up to `last`.
fn say(last: u64) {
    let mut output = std::io::stdout().lock();
    // Nobody reads any more: the writer is about to be ended.
    let _ = writeln!(output, "{last}").and_then(|()| output.flush());
}

/// End, as if killed, when whoever started the writer is gone.
fn end_with_the_input() {
    thread::spawn(|| {
        let mut ignored = [0; 64];
        while std::io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        std::process::exit(0);
    });
}

/// A steady rate.
struct Pace {
    every: Option<Duration>,
    next: Instant,
}

impl Pace {
    fn new(rate: u64) -> Self {
        let every = (rate > 0).then(|| Duration::from_secs(1) / u32::try_from(rate).unwrap_or(u32::MAX));
        Self { every, next: Instant::now() }
    }

    /// Return when the next batch is due. One that is late is not waited for, and a second that was lost is not made up.
    fn wait(&mut self) {
        let Some(every) = self.every else { return };
        let now = Instant::now();
        match self.next.checked_duration_since(now) {
            Some(rest) => thread::sleep(rest),
            None if now.duration_since(self.next) > Duration::from_secs(1) => self.next = now,
            None => {}
        }
        self.next += every;
    }
}
