//! How fast a writer goes, and how long its batches took.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::{Options, Outcome};

/// A steady rate.
#[derive(Debug)]
pub struct Pace {
    every: Option<Duration>,
    next: Instant,
}

impl Pace {
    /// So many batches a second; 0 for as many as go.
    pub fn new(rate: u64) -> Self {
        let every = (rate > 0).then(|| Duration::from_secs(1) / u32::try_from(rate).unwrap_or(u32::MAX));
        Self { every, next: Instant::now() }
    }

    /// Return when the next batch is due. One that is late is not waited for, and a second that was lost is not made
    /// up.
    pub fn wait(&mut self) {
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

/// Where it is written, if it is asked for, when each batch was done (µs since 1970) and how long it took (µs).
#[derive(Debug)]
pub struct Latencies(Option<BufWriter<File>>);

impl Latencies {
    /// Begin the file that the options name.
    pub fn open(options: &Options) -> Outcome<Self> {
        Ok(Self(options.latencies.as_ref().map(File::create).transpose()?.map(BufWriter::new)))
    }

    /// A batch that began then is done now.
    pub fn note(&mut self, began: Instant) -> Outcome<()> {
        if let Some(file) = &mut self.0 {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros();
            writeln!(file, "{now} {}", began.elapsed().as_micros())?;
        }
        Ok(())
    }
}
