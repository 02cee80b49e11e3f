//! The tries: heads, what they name, logs, until all of it fits together.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use highwater_core::digest::Digest;
use highwater_core::name::Name;

use super::adapter::{Accepted, Adapter, Content, Files, Head, Stop};
use super::copies::Copies;
use super::held::Held;
use super::pins::Pins;
use super::publish::Draft;
use super::strangers::{Strangers, strangers};
use super::{CheckpointSummary, Run, Step};
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::quoted;

/// How often the heads are read at most. What was pinned stays so: one try in three is the last even of a store under
/// heavy writes.
const TRIES: u32 = 100;

/// So often the same thing must look wrong, one time after another, to be wrong.
const SEEN: u32 = 4;

/// How long a second look at what is wrong waits, and so much longer each further one.
const PAUSE: Duration = Duration::from_millis(20);

/// What was captured: it lies in the draft.
pub(super) struct Captured {
    pub(super) summary: CheckpointSummary,
    /// The files, with their digests where their bytes were read.
    pub(super) files: BTreeMap<Name, Option<Digest>>,
    /// The folders, those that others lie in first.
    pub(super) folders: Vec<Name>,
    /// The files that are not durable yet.
    pub(super) unsynced: Vec<Name>,
}

/// Fills the draft.
///
/// # Errors
/// When the store is damaged, never holds still, or cannot be read; or the draft cannot be written.
pub(super) fn capture<D: Disk>(
    run: &Run<'_, D>,
    adapter: &mut dyn Adapter,
    draft: &Draft<'_, D>,
) -> Result<Captured, Error> {
    let coming = adapter.logs().map(|_| run.from.coming());
    // Where nobody tells of names at all, and where no thread can be started, each try lists.
    let is_watched = !matches!(&coming, Some(Err(error)) if error.kind() == io::ErrorKind::Unsupported);
    let held = Held::new(coming.and_then(Result::ok));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        if let Some(numbered) = adapter.logs().filter(|_| is_watched) {
            let (held, over, passing) = (&held, &over, adapter.passing());
            let watch = move || held.watch(run.from, numbered, passing, over);
            _ = thread::Builder::new().spawn_scoped(scope, watch);
        }
        let captured = tries(run, adapter, draft, &held);
        over.store(true, Ordering::Relaxed);
        captured
    })
}

fn tries<D: Disk>(
    run: &Run<'_, D>,
    adapter: &mut dyn Adapter,
    draft: &Draft<'_, D>,
    held: &Held,
) -> Result<Captured, Error> {
    let mut pins = Pins::new(run.from, draft.inside(), run.beside, run.options.copy, run.watch);
    let mut summary = CheckpointSummary { kind: adapter.kind(), ..CheckpointSummary::default() };
    let mut same = 0;
    for number in 1..=TRIES {
        run.watch.go_on()?;
        summary.tries = number;
        let why = match attempt(run, adapter, draft, held, &mut pins, &summary) {
            Ok(captured) => return Ok(captured),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Moved(why)) => {
                same = 0;
                why
            }
            Err(Stop::Odd(why)) => {
                same = if summary.retries.last() == Some(&why) { same + 1 } else { 1 };
                if same == SEEN {
                    let path = quoted(&run.from.told(None));
                    return Err(Error::damage(format!(
                        "the store {path} is damaged: {why}; nothing was made of it. `highwater verify` may say more"
                    )));
                }
                // What is only half done is given the time to be finished.
                thread::sleep(PAUSE * (same - 1));
                why
            }
        };
        run.watch.note(format!("try {number} came to nothing: {why}"));
        summary.retries.push(why);
    }
    let last = summary.retries.pop().unwrap_or_default();
    Err(Error::failed(format!(
        "the store {} changed faster than it could be read, {TRIES} times: {last}; run again when less is written",
        quoted(&run.from.told(None))
    )))
}

fn attempt<D: Disk>(
    run: &Run<'_, D>,
    adapter: &mut dyn Adapter,
    draft: &Draft<'_, D>,
    held: &Held,
    pins: &mut Pins<'_>,
    summary: &CheckpointSummary,
) -> Result<Captured, Stop> {
    let step = |step: Step| run.options.step.into_iter().for_each(|tell| tell(step));
    let (from, to) = (run.from, draft.inside());
    let logs = adapter.logs();
    let hold = || match logs {
        Some(numbered) => held.list(from, numbered).map_err(Error::of_folder("list", from, None)),
        None => Ok(None),
    };
    // What is in a log that is gone by now is in what the heads name, which are read only after this.
    if let Some(oldest) = hold()? {
        held.release_before(oldest);
    }
    step(Step::Held);
    if summary.tries == 1 {
        let ahead = adapter.ahead(from)?;
        pins.pin(&ahead, true)?;
    }
    let mut copies = Copies::new(from, to, run.watch);
    let Head { named, folders, is_listing } = adapter.read(from, held)?;
    step(Step::Read);
    pins.pin(&named, false).map_err(|stop| match stop {
        Stop::Odd(why) if is_listing => Stop::Moved(why),
        stop => stop,
    })?;
    step(Step::Pinned);
    hold()?;
    step(Step::Listed);
    let chosen = adapter.choose(from, held)?;
    let logs = copies.logs(adapter, held, &chosen)?;
    step(Step::Copied);
    let Accepted { position, files } = adapter.accept(from, held, &logs)?;
    step(Step::Accepted);
    let Strangers { files: strange, notes } = strangers(from, adapter)?;
    let strange = strange.into_iter().map(|(name, bytes)| (name, Content::Bytes(bytes)));
    let files: Files = files.into_iter().chain(strange).collect();
    let within: Vec<Name> = files.iter().filter_map(|(name, _)| name.folder()).collect();
    folders.iter().chain(&within).try_for_each(|folder| pins.folder(folder))?;
    copies.heads(files)?;
    let mut summary = CheckpointSummary { position, ..summary.clone() };
    summary.notes.extend(notes);
    pins.settle((!is_listing).then_some(&named), &mut summary)?;
    if let Some(why) = &pins.why {
        summary.notes.push(format!("files were not linked: {why}"));
    }
    let mut files = copies.keep(&mut summary);
    let unsynced = files.keys().chain(pins.written.keys()).cloned().collect();
    files.extend(pins.files().map(|(name, sum)| (name.clone(), sum)));
    if !is_listing {
        pins.settle_folders(&folders, files.keys())?;
    }
    let folders = pins.folders().cloned().collect();
    Ok(Captured { summary, files, folders, unsynced })
}
