//! `Task`: what a job goes on with: a look at a root, or the restore of a point.

use highwater_core::drive::restore::Restore;
use highwater_core::drive::{Answer, Drive, Want};

/// A job's work.
pub(super) enum Task {
    /// A check, or a look at the points.
    Look(Box<Drive>),
    /// A restore.
    Restore(Box<Restore>),
    /// It is over.
    Over,
}

impl Task {
    /// What to read now.
    pub(super) fn wants(&mut self) -> Vec<Want> {
        match self {
            Self::Look(drive) => drive.wants(),
            Self::Restore(restore) => restore.wants(),
            Self::Over => Vec::new(),
        }
    }

    /// Takes an answer.
    pub(super) fn answer(&mut self, id: u32, answer: Answer) {
        match self {
            Self::Look(drive) => drive.answer(id, answer),
            Self::Restore(restore) => restore.answer(id, answer),
            Self::Over => {}
        }
    }

    /// Nobody waits for an answer any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }
}
