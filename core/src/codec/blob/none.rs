//! Blobs, where no format has them: there are none.

use super::{Broken, Flow, Sealing};
use crate::key::Key;

/// There are none.
pub(super) enum Blocks {}

/// There is none.
pub enum Unblob {}

impl Unblob {
    pub(super) fn new(sealing: Sealing, _: Option<&Key>) -> Self {
        match sealing {}
    }

    pub(super) fn some(&mut self, _: &mut &[u8], _: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        match *self {}
    }

    pub(super) fn end(&mut self) -> Result<(), Broken> {
        match *self {}
    }

    pub(super) fn holds(&self) -> bool {
        match *self {}
    }

    pub(super) fn held(&self) -> &[u8] {
        match *self {}
    }

    pub(super) fn lend(&mut self, _: Blocks) {
        match *self {}
    }

    pub(super) fn reclaim(&mut self) -> Option<Blocks> {
        match *self {}
    }

    pub(super) fn is_untouched(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_sealed(&self) -> bool {
        match *self {}
    }
}

/// There is none.
pub enum Kept {}

impl Kept {
    pub(super) fn new(sealing: Sealing, _: Option<&Key>) -> Self {
        match sealing {}
    }

    pub(super) fn push(&mut self, _: &[u8]) {
        match *self {}
    }

    pub(super) fn end(&mut self) -> Result<(), Broken> {
        match *self {}
    }

    pub(super) fn is_sealed(&self) -> bool {
        match *self {}
    }
}

/// What the first bytes of none say.
pub(crate) struct Shape {
    pub(crate) header: u64,
    pub(crate) zstd: bool,
}

impl Shape {
    pub(crate) fn of(_: &[u8], sealing: Sealing, _: Option<&Key>) -> Result<Self, Broken> {
        match sealing {}
    }

    pub(crate) fn is_shut(&self) -> bool {
        false
    }

    pub(crate) fn open(&mut self, _: u64, _: &mut [u8]) {}
}
