//! `Task`: what a job goes on with: a look at a root, the restore of a point, or the files of one.

use highwater_core::drive::restore::Restore;
use highwater_core::drive::tree::Files;
use highwater_core::drive::{Answer, Drive, Want};

/// A job's work.
pub(super) enum Task {
    /// A check, or a look at the points.
    Look(Box<Drive>),
    /// A restore.
    Restore(Box<Restore>),
    /// The files of a point.
    Files(Box<Files>),
    /// It is over.
    Over,
}

impl Task {
    /// What to read now.
    pub(super) fn wants(&mut self) -> Vec<Want> {
        match self {
            Self::Look(drive) => drive.wants(),
            Self::Restore(restore) => restore.wants(),
            Self::Files(files) => files.wants(),
            Self::Over => Vec::new(),
        }
    }

    /// Takes an answer.
    pub(super) fn answer(&mut self, id: u32, answer: Answer) {
        match self {
            Self::Look(drive) => drive.answer(id, answer),
            Self::Restore(restore) => restore.answer(id, answer),
            Self::Files(files) => files.answer(id, answer),
            Self::Over => {}
        }
    }

    /// Nobody waits for an answer any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }
}
