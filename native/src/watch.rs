//! `Watch`: the only way from a running job back to its user: bytes or rows done, events told, and the wish to stop.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::Error;

/// Something worth telling, in the order in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A sentence for whoever watches closely.
    Note(&'a str),
    /// A decision that the state of things calls for, such as a full restore in place of an incremental one.
    Decision(&'a str),
    /// A sentence that everyone should see: something set aside, repaired or doubtful.
    Notice(&'a str),
}

/// What a job tells and asks while it runs. Shared by all its threads.
pub struct Watch<'a> {
    done: AtomicU64,
    total: AtomicU64,
    rows: AtomicU64,
    stop: Arc<AtomicBool>,
    tell: Box<dyn Fn(Event<'_>) + Sync + Send + 'a>,
    guard: fn() -> Guard,
}

/// As long as it lives, an interrupt by hand has to be meant to count.
pub type Guard = Option<Box<dyn Any>>;

impl<'a> Watch<'a> {
    /// A watch that calls `tell` for each event; setting `stop` ends the job at the next safe place.
    pub fn new(stop: Arc<AtomicBool>, tell: impl Fn(Event<'_>) + Sync + Send + 'a) -> Self {
        let [done, total, rows] = [const { AtomicU64::new(0) }; 3];
        Self { done, total, rows, stop, tell: Box::new(tell), guard: || None }
    }

    /// The same, with what guards the work that [`Watch::guard`] is asked for.
    #[must_use]
    pub fn guarded_by(self, guard: fn() -> Guard) -> Self {
        Self { guard, ..self }
    }

    /// Guards work that had better not be interrupted by a key that was hit once, until the value is dropped. Other
    /// wishes to stop count as ever.
    #[must_use]
    pub fn guard(&self) -> Guard {
        (self.guard)()
    }

    /// A watch that nobody looks at.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(Arc::default(), |_| {})
    }

    /// More bytes lie ahead.
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes were worked off.
    pub fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Rows were worked off, whichever bytes they were of.
    pub fn count(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows worked off.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes worked off, and bytes known of.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Whether the user wants the job to stop.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`Error::Interrupted`] when the user wants the job to stop.
    pub fn go_on(&self) -> Result<(), Error> {
        if self.stopping() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Tells a sentence for whoever watches closely.
    pub fn note(&self, text: impl AsRef<str>) {
        (self.tell)(Event::Note(text.as_ref()));
    }

    /// Tells a decision that the state of things calls for.
    pub fn decision(&self, text: impl AsRef<str>) {
        (self.tell)(Event::Decision(text.as_ref()));
    }

    /// Tells a sentence that everyone should see.
    pub fn notice(&self, text: impl AsRef<str>) {
        (self.tell)(Event::Notice(text.as_ref()));
    }
}
