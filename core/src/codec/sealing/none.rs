//! `Sealing`, where no format has blobs: there is none.

use crate::key::Key;

/// There is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sealing {}

impl Sealing {
    pub(super) fn is_sealed(self) -> Option<bool> {
        match self {}
    }

    pub(crate) fn opens(self, _: Option<&Key>) -> Option<&Key> {
        match self {}
    }

    pub(crate) fn is_tried(self) -> bool {
        match self {}
    }

    pub(crate) fn header(self) -> u64 {
        match self {}
    }

    pub(crate) fn number(self) -> u8 {
        match self {}
    }
}
