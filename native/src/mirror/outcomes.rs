//! `Outcomes`: what becomes of the parts of a plan while they are fetched: a file for each, written when the bytes that
//! it speaks of are durable.
//!
//! Those of several parts become durable together: their drafts are written, then comes one barrier, which is also that
//! of the bodies, and then they take their names. So a name says that all of it is there, and two workers that fetched
//! one part at the same time leave the file of either.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::outcome::{Had, Outcome};
use highwater_core::formats::mirror::plan::part::Part;
use highwater_core::formats::mirror::wanted::Wanted;
use highwater_core::name::{Name, TEMPORARY};

use super::area::{Area, named};
use super::journal;
use crate::disk::like::Like;
use crate::disk::{Draft, Held};
use crate::error::Error;

/// So many versions, or what comes in so much time, become durable together.
const TOGETHER: usize = 16 << 10;
const PAUSE: Duration = Duration::from_secs(10);

/// What becomes of parts.
pub(super) struct Outcomes<'a> {
    area: &'a Area<'a>,
    like: Like,
    state: Mutex<State>,
    /// Whoever writes does so alone, or what is older could come last.
    writing: Mutex<()>,
}

struct State {
    parts: BTreeMap<u64, Progress>,
    ahead: usize,
    since: Instant,
}

/// A part that is being fetched.
struct Progress {
    part: Part,
    outcome: Outcome,
    is_changed: bool,
    /// It is this process's, until what became of it is written; nobody looks at it.
    _claim: Option<Held>,
}

impl<'a> Outcomes<'a> {
    /// Nothing was fetched yet.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn new(area: &'a Area<'a>) -> Result<Self, Error> {
        let folder = named(names::PLAN)?;
        let look = area.disk.look(Some(&folder)).map_err(Error::at("look at", area.disk, &folder))?;
        let look = look.ok_or_else(|| Error::failed("the mirror's folder is gone"))?;
        let state = State { parts: BTreeMap::new(), ahead: 0, since: Instant::now() };
        Ok(Self { area, like: Like::new_in(&look), state: Mutex::new(state), writing: Mutex::new(()) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a part, of which some was had before.
    pub(super) fn begin(&self, number: u64, part: Part, had: Vec<(u64, Had)>, claim: Option<Held>) {
        let outcome = Outcome { had, wanted: Vec::new() };
        // What it says as a whole may be known by now, and not written yet.
        let is_changed = outcome.is_whole(&part);
        self.state().parts.insert(number, Progress { part, outcome, is_changed, _claim: claim });
    }

    /// Takes down what is known of a version whose bytes were written.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn had(&self, number: u64, row: u64, had: Had) -> Result<(), Error> {
        self.put(number, |outcome| outcome.had.push((row, had)))
    }

    /// Takes down that a version could not be had.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn wanted(&self, number: u64, wanted: Wanted) -> Result<(), Error> {
        self.put(number, |outcome| outcome.wanted.push(wanted))
    }

    fn put(&self, number: u64, take: impl FnOnce(&mut Outcome)) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(progress) = state.parts.get_mut(&number) {
            take(&mut progress.outcome);
            progress.is_changed = true;
        }
        state.ahead += 1;
        if state.ahead < TOGETHER && state.since.elapsed() < PAUSE {
            return Ok(());
        }
        drop(state);
        self.flush()
    }

    /// Whether a part could be written of which all is known.
    pub(super) fn has_whole(&self) -> bool {
        self.state().parts.values().any(|progress| progress.is_changed && progress.outcome.is_whole(&progress.part))
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn flush(&self) -> Result<(), Error> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut texts, mut whole) = (Vec::new(), Vec::new());
        let mut state = self.state();
        (state.ahead, state.since) = (0, Instant::now());
        for (number, progress) in state.parts.iter_mut().filter(|(_, progress)| progress.is_changed) {
            let Progress { part, outcome, is_changed, .. } = progress;
            *is_changed = false;
            outcome.had.sort_unstable_by_key(|(row, _)| *row);
            let name = match outcome.is_whole(part) {
                true => {
                    whole.push(*number);
                    journal::part(*number)?
                }
                false => journal::part_so_far(*number)?,
            };
            texts.push((name, outcome.text(*number, part)));
        }
        drop(state);
        if texts.is_empty() {
            return Ok(());
        }
        let drafts = texts.iter().map(|(name, text)| self.draft(name, text)).collect::<Result<Vec<_>, Error>>()?;
        // Nothing says that a body is there before its bytes are.
        self.area.barrier()?;
        for ((name, _), draft) in texts.iter().zip(drafts) {
            draft.publish(name).map_err(Error::at("write", self.area.disk, name))?;
        }
        self.area.sync(Some(&named(names::PLAN)?))?;
        let mut state = self.state();
        whole.iter().for_each(|number| drop(state.parts.remove(number)));
        Ok(())
    }

    fn draft(&self, name: &Name, text: &str) -> Result<Draft<'a>, Error> {
        let write = || {
            let draft = Draft::of(self.area.disk, name, TEMPORARY)?;
            draft.file().write_at(0, text.as_bytes())?;
            _ = draft.give(&self.like)?;
            Ok(draft)
        };
        write().map_err(|error: std::io::Error| {
            Error::failed(format!("cannot keep what was fetched: {error}; make room, and run again"))
        })
    }
}
