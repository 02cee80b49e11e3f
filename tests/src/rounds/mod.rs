//! Rounds of checkpoints of a store that is written to: each copy is opened by the real engine, and counted.
//!
//! The tests run a few of each kind; `tests/checkpoints` runs a thousand.

mod linked;
mod tally;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use highwater::live::{self, LiveOptions};
use highwater::watch::Watch;

use crate::writers::{Kind, Writer};

pub use tally::{Tally, mean};

/// Time between the kills of a writer that is killed, if nothing else is said.
pub const BETWEEN_KILLS: Duration = Duration::from_millis(1_500);

/// So many pauses of a checkpoint lie between two kills at least: an engine that comes back begins new heads, and
/// whoever is killed within every try is never caught.
const PAUSES_BETWEEN_KILLS: u32 = 20;

/// A round with kills goes on until there were so many, but takes no more than so many times the checkpoints.
const KILLS: u64 = 2;
const AT_MOST: u64 = 6;

/// A writer, how slowly checkpoints of its store go, and how many.
#[derive(Debug, Clone)]
pub struct Round {
    /// Whose store.
    pub kind: Kind,
    /// What makes the writer harsher.
    pub flags: &'static [&'static str],
    /// Batches a second; 0 for as many as go.
    pub rate: u64,
    /// How long a checkpoint waits between each two of its steps.
    pub pause: Duration,
    /// Whether the writer is killed and started again meanwhile.
    pub killed: bool,
    /// How many checkpoints.
    pub copies: u64,
}

impl Round {
    /// A round with the pace of its kind and no kills.
    pub const fn new(kind: Kind, flags: &'static [&'static str], pause: u64, copies: u64) -> Self {
        Self { kind, flags, rate: kind.rate(), pause: Duration::from_millis(pause), killed: false, copies }
    }

    /// The same with a writer that is killed.
    #[must_use]
    pub fn with_kills(mut self) -> Self {
        self.killed = true;
        self
    }

    /// Its words in a table.
    pub fn name(&self) -> String {
        let words: Vec<&str> = [self.kind.name()].into_iter().chain(self.flags.iter().copied()).collect();
        words.join(" ")
    }

    /// Take the checkpoints in `scratch`, and judge each. Every third is verified as it is made.
    ///
    /// At last the writer is killed and its own store judged: nothing that was done to a copy may be seen there.
    #[track_caller]
    pub fn run(&self, scratch: &Path) -> Tally {
        let store = scratch.join("store");
        let kills = self.killed.then_some(BETWEEN_KILLS.max(self.pause * PAUSES_BETWEEN_KILLS));
        let writer = Writer::start(self.kind, &store, self.rate, self.flags, kills);
        let mut tally = Tally::new(self);
        let lacks_kills = || self.killed && writer.kills() < KILLS;
        for number in 0..self.copies * AT_MOST {
            if number >= self.copies && !lacks_kills() {
                break;
            }
            let copy = scratch.join(format!("copy-{number}"));
            // The writer goes on between two checkpoints, so that each sees another store.
            let before = writer.acknowledged();
            let verify = number % 3 == 2;
            if let Err(why) = self.take_and_judge(&store, &copy, before, verify, &mut tally) {
                tally.bad.push(format!("checkpoint {number}: {why}"));
            }
            tally.copies += 1;
            let _ = fs::remove_dir_all(&copy);
            let _ = fs::remove_file(copy.with_extension("mtree"));
        }
        tally.kills = writer.kills();
        let acknowledged = writer.end();
        let judgement = self.kind.judge(&store, acknowledged);
        if !judgement.good {
            tally.bad.push(format!("the store itself, after its writer was killed: {}", judgement.why));
        }
        tally
    }

    fn take_and_judge(
        &self,
        store: &Path,
        copy: &Path,
        acknowledged: u64,
        verify: bool,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let pause = self.pause;
        let wait = move |_| thread::sleep(pause);
        let options = LiveOptions { verify, step: (!pause.is_zero()).then_some(&wait), ..LiveOptions::default() };
        let began = Instant::now();
        let summary = live::checkpoint(store, copy, &options, &Watch::silent()).map_err(|error| {
            let left = if copy.exists() { ", and left something" } else { "" };
            format!("it was given up{left}: {error}")
        })?;
        tally.took.push(began.elapsed());
        tally.tries.push(u64::from(summary.tries));
        tally.linked += summary.linked.files;
        if let Some(path) = linked::wrongly(self.kind, copy) {
            return Err(format!("{} is the same file as in the store", path.display()));
        }
        let judgement = self.kind.judge(copy, acknowledged);
        if judgement.good {
            Ok(())
        } else {
            Err(format!("after {} tries ({}): {}", summary.tries, summary.retries.join("; "), judgement.why))
        }
    }
}
