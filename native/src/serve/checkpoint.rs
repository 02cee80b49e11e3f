//! `Checkpoints`: a checkpoint of the store that is served, for as long as the conversation goes on.

use std::any::Any;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highwater_core::wire::{Answer, Why, cut};

use super::out::Out;
use super::verify::{refused, told};
use crate::live::Fleeting;
use crate::store::Files;

/// A checkpoint.
pub(super) struct Taken(Fleeting);

impl Taken {
    /// What is in it.
    pub(super) fn files(&self) -> io::Result<&Files> {
        self.0.root.as_any().and_then(<dyn Any>::downcast_ref).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

/// Makes checkpoints of a store, one at a time.
pub(super) struct Checkpoints {
    store: PathBuf,
    /// Where they lie; beside the store where none is said.
    place: Option<PathBuf>,
    stop: Arc<AtomicBool>,
    taken: Mutex<Option<Arc<Taken>>>,
}

impl Checkpoints {
    pub(super) fn new(store: PathBuf, place: Option<PathBuf>, stop: Arc<AtomicBool>) -> Self {
        Self { store, place, stop, taken: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Taken>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was made.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn taken(&self) -> io::Result<Arc<Taken>> {
        self.lock().clone().ok_or_else(|| {
            let what = "this end makes checkpoints for `replicate --checkpoint`, and serves nothing else";
            io::Error::new(io::ErrorKind::PermissionDenied, what)
        })
    }

    /// Makes one.
    pub(super) fn take(&self, id: u32, kind: Option<&str>, out: &Out<'_>) -> Answer {
        let mut taken = self.lock();
        if taken.is_some() {
            return Answer::Failed { why: Why::Full, text: "there is a checkpoint already".to_owned() };
        }
        let made = told(&self.stop, id, out, |watch| Fleeting::at(&self.store, self.place.as_deref(), kind, watch));
        match made {
            Ok((checkpoint, state)) => {
                *taken = Some(Arc::new(Taken(checkpoint)));
                for note in &state.summary.notes {
                    out.answer(id, Answer::Notice(cut(note)));
                }
                let (kind, position) = (state.summary.kind.to_owned(), cut(&state.summary.position));
                Answer::Made { kind, position, tries: state.summary.tries }
            }
            Err(error) => refused(&error),
        }
    }

    /// Removes it. What is still being read of it goes with whoever reads.
    pub(super) fn discard(&self) -> Answer {
        let taken = self.lock().take();
        match taken.and_then(Arc::into_inner).map_or(Ok(()), |Taken(checkpoint)| checkpoint.remove()) {
            Ok(()) => Answer::Discarded,
            Err(error) => refused(&error),
        }
    }
}
