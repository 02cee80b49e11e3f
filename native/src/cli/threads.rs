//! How many threads work: as many as there are cores, or as the user says, or as the system lets us have.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use rayon::ThreadPoolBuilder;

use super::out;
use crate::error::Error;

/// The variable by which a user sets their number.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// More than this many, or than twice the cores, gain nothing: they read and hash, and hold a buffer each.
const MOST: usize = 64;

/// Threads that are left for what is not the pool's: a hasher, a writer, progress.
const BESIDE: usize = 3;

/// They were started; a verb that calls others starts them once.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Starts the threads that all work is divided among, unless they were.
///
/// # Errors
/// When not even one can be started.
pub(super) fn start() -> Result<(), Error> {
    if STARTED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let most = MOST.max(2 * cores);
    let asked = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).filter(|asked| *asked > 0);
    let wanted = asked.unwrap_or(cores).min(most);
    if let Some(asked) = asked.filter(|asked| *asked > most) {
        out::say(&format!(
            "highwater: {VARIABLE} asks for {asked} threads; {most} are used, as more gain nothing on {cores} cores"
        ));
    }
    let (possible, error) = possible(wanted);
    let count = match error {
        Some(error) if possible == 0 => return Err(Error::no_thread(error)),
        Some(error) => {
            let count = possible.saturating_sub(BESIDE).max(1);
            out::say(&format!(
                "highwater: the system starts only {possible} of {wanted} threads ({error}); the work is done by \
                 {count}"
            ));
            count
        }
        None => wanted,
    };
    ThreadPoolBuilder::new().num_threads(count).build_global().map_err(Error::no_thread)?;
    STARTED.store(true, Ordering::Relaxed);
    Ok(())
}

/// How many threads can be started at once, up to `wanted`, and why no more. Those of the pool cannot be asked: it is
/// made once, with all of its threads, or never.
fn possible(wanted: usize) -> (usize, Option<io::Error>) {
    let mut waiting = Vec::with_capacity(wanted);
    let mut failed = None;
    while waiting.len() < wanted && failed.is_none() {
        let (end, ended) = channel::<()>();
        // It ends when the other end of the channel goes.
        match thread::Builder::new().spawn(move || ended.recv().is_ok()) {
            Ok(thread) => waiting.push((end, thread)),
            Err(error) => failed = Some(error),
        }
    }
    let count = waiting.len();
    let (ends, threads): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    drop(ends);
    threads.into_iter().for_each(|thread| drop(thread.join()));
    (count, failed)
}
