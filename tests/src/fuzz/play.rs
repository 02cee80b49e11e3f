//! Plays inputs: catches what a target panics with, and measures time and memory against the limits.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Target;
use super::mutate;
use crate::dice::Dice;

/// The longest that one input may take.
pub const SLOWEST: Duration = Duration::from_secs(1);

/// The most memory that may be allocated at a time, in bytes, whatever the inputs.
pub const LARGEST: usize = 64 << 20;

/// How many failures of one target are kept; it makes no sense to collect thousands.
const KEPT: usize = 5;

/// An input that broke a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where it came from: a file, or a seed.
    pub from: String,
    /// What went wrong.
    pub what: String,
    /// The bytes.
    pub input: Vec<u8>,
}

impl Failure {
    /// Tells it so that it can be played again, and saves the input in `folder`.
    pub fn told(&self, target: &Target, folder: &Path) -> String {
        let file = folder.join(target.name).join(self.from.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        let saved = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, &self.input));
        let place =
            saved.map_or_else(|error| format!("not saved: {error}"), |()| format!("saved as {}", file.display()));
        let hex: String = self.input.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} {}: {}; {place}; {} bytes: {hex}", target.name, self.from, self.what, self.input.len())
    }
}

/// What many inputs came to.
#[derive(Debug)]
pub struct Played {
    /// How many ran.
    pub inputs: u64,
    /// The failures that were kept.
    pub failures: Vec<Failure>,
    /// How many inputs failed.
    pub failed: u64,
    /// How long it took, on all threads at once.
    pub took: Duration,
    /// The longest that one input took.
    pub slowest: Duration,
}

/// Gives one input to the target: how long it took, or what went wrong.
///
/// # Errors
/// The panic's message, or the limit that was not kept.
pub fn one(target: &Target, input: &[u8], peak: fn() -> usize) -> Result<Duration, String> {
    let mut took = Duration::MAX;
    // A busy machine is no fault: what is slow must be so three times.
    for _ in 0..3 {
        let started = Instant::now();
        catch_unwind(|| (target.run)(input)).map_err(|panic| said(&*panic))?;
        took = took.min(started.elapsed());
        if took <= SLOWEST {
            let most = peak();
            return if most <= LARGEST { Ok(took) } else { Err(format!("{most} bytes were allocated at a time")) };
        }
    }
    Err(format!("it takes {took:?}"))
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_owned()
}

/// Makes `inputs` inputs out of `pool` and plays them on `threads` threads. `peak` tells the most memory allocated so
/// far.
pub fn generated(target: &Target, pool: &[Vec<u8>], inputs: u64, threads: u64, peak: fn() -> usize) -> Played {
    let (started, next, slowest, failed) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= inputs {
                        break;
                    }
                    let input = mutate::made(pool, target.words, &mut Dice::new(seed));
                    match one(target, &input, peak) {
                        Ok(took) => {
                            let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                            slowest.fetch_max(nanoseconds, Ordering::Relaxed);
                        }
                        Err(what) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            let mut failures = failures.lock().expect("no thread dies with the lock");
                            if failures.len() < KEPT {
                                failures.push(Failure { from: format!("seed {seed}"), what, input });
                            }
                        }
                    }
                }
            });
        }
    });
    Played {
        inputs,
        failures: failures.into_inner().expect("no thread died with the lock"),
        failed: failed.into_inner(),
        took: started.elapsed(),
        slowest: Duration::from_nanos(slowest.into_inner()),
    }
}
