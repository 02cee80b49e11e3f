//! The tries: heads, what they name, logs, until all of it fits together.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::Duration;

use highwater_core::digest::Digest;
use highwater_core::name::Name;

use super::adapter::{Accepted, Adapter, Caught, Content, Files, Head, Named, Stop};
use super::copies::{Copies, Unread};
use super::fresh::Fresh;
use super::held::Held;
use super::pins::Pins;
use super::strangers::{Strangers, strangers};
use super::{CheckpointSummary, LiveOptions, Step};
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// How often the heads are read at most. What was pinned stays so: one try in three is the last even of a store under
/// heavy writes.
const TRIES: u32 = 100;

/// How often a try lists what there is, at most, until nothing goes meanwhile.
const LISTINGS: u32 = 20;

/// So often the same thing must look wrong, one time after another, to be wrong.
const SEEN: u32 = 4;

/// How long a second look at what is wrong waits, and so much longer each further one.
const PAUSE: Duration = Duration::from_millis(20);

/// What is to be captured.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// The store.
    pub(super) from: &'a dyn Disk,
    /// The folder that the store lies in, where that can be told.
    pub(super) beside: Option<&'a dyn Disk>,
    /// Where it is to lie: an empty folder.
    pub(super) inside: &'a dyn Disk,
    pub(super) options: &'a LiveOptions<'a>,
    pub(super) watch: &'a Watch<'a>,
}

/// What was captured: it lies in the folder.
pub(super) struct Captured {
    pub(super) summary: CheckpointSummary,
    /// The files, with their digests where their bytes were read.
    pub(super) files: BTreeMap<Name, Option<Digest>>,
    /// What the heads name, with what they say of it.
    pub(super) named: Vec<Named>,
    /// The folders, those that others lie in first.
    pub(super) folders: Vec<Name>,
    /// The logs, of which nobody knows yet what they give.
    pub(super) unread: Vec<Unread>,
    /// The files that are not durable yet: all that were not linked.
    pub(super) unsynced: Vec<Name>,
}

/// Fills the folder.
///
/// # Errors
/// When the store is damaged, never holds still, or cannot be read; or the folder cannot be written.
pub(super) fn capture(
    run: &Job<'_>,
    adapter: &mut dyn Adapter,
    (held, fresh): (&Held, &Fresh<'_>),
) -> Result<Captured, Error> {
    let mut pins = Pins::new(run.from, run.inside, run.beside, fresh, run.options.copy, run.watch);
    if held.is_told() {
        pins.pin_what_comes()?;
    }
    let mut summary = CheckpointSummary { kind: adapter.kind(), ..CheckpointSummary::default() };
    let mut same = 0;
    for number in 1..=TRIES {
        run.watch.go_on()?;
        summary.tries = number;
        let why = match attempt(run, adapter, held, &mut pins, &summary) {
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

fn attempt(
    run: &Job<'_>,
    adapter: &mut dyn Adapter,
    held: &Held,
    pins: &mut Pins<'_>,
    summary: &CheckpointSummary,
) -> Result<Captured, Stop> {
    let step = |step: Step| run.options.step.into_iter().for_each(|tell| tell(step));
    let (from, to) = (run.from, run.inside);
    let passing = adapter.passing();
    let hold = || match passing {
        Some(passing) => held.list(from, passing).map_err(Error::of_folder("list", from, None)),
        None => Ok(None),
    };
    // What is in a log that is gone by now is in what the heads name, which are read only after this.
    if let Some(oldest) = hold()? {
        held.release_before(oldest);
    }
    step(Step::Held);
    let is_listing = match adapter.list(from)? {
        Some(all) => pins.pin(&all, true).map(|()| true)?,
        None => false,
    };
    let mut copies = Copies::new(from, to, run.watch);
    let Head { named, folders } = adapter.read(from, held)?;
    step(Step::Read);
    // What the heads name came before they did.
    if let Some(passing) = passing {
        held.catch_up(from, passing, pins.fresh);
    }
    match is_listing {
        true => pin_listed(from, adapter, pins)?,
        false => pins.pin(&named, false)?,
    }
    step(Step::Pinned);
    hold()?;
    step(Step::Listed);
    let chosen = adapter.choose(from, held)?;
    let logs = copies.logs(adapter, held, &chosen)?;
    step(Step::Copied);
    let Accepted { position, files } = adapter.accept(from, &Caught { held, logs: &logs, pins })?;
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
    let (mut files, unread) = copies.keep(&mut summary);
    let unsynced = files.keys().chain(pins.written.keys()).cloned().collect();
    files.extend(pins.files().map(|(name, sum)| (name.clone(), sum)));
    if !is_listing {
        pins.settle_folders(&folders, files.keys())?;
    }
    let folders = pins.folders().cloned().collect();
    Ok(Captured { summary, files, named, folders, unread, unsynced })
}

/// Pins all that there is: nothing of one listing is gone in the next, and all of that is pinned.
fn pin_listed(from: &dyn Disk, adapter: &mut dyn Adapter, pins: &mut Pins<'_>) -> Result<(), Stop> {
    let mut list = || Ok::<_, Stop>(adapter.list(from)?.unwrap_or_default());
    let mut before = list()?;
    let mut why = String::new();
    for _ in 0..LISTINGS {
        // What goes now comes under another name.
        pins.pin(&before, true)?;
        let now = list()?;
        let there: HashSet<&Name> = now.iter().map(|named| &named.name).collect();
        match before.iter().find(|named| !there.contains(&named.name)) {
            Some(gone) => why = format!("'{}' went while files were listed", gone.name),
            None => match pins.pin(&now, false) {
                Err(Stop::Odd(odd)) => why = odd,
                pinned => return pinned,
            },
        }
        before = now;
    }
    Err(Stop::Moved(why))
}
