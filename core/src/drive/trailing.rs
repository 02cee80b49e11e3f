//! `Trailing`: a trail on its way, one object after another.

use crate::key::Key;
use crate::trail::{Followed, Following, Trail};

use super::indices::unreadable;
use super::listing::Listing;
use super::reader::{Next, Reader};

/// A trail that is being followed.
pub(super) struct Trailing {
    following: Following,
    reader: Option<Reader>,
    over: bool,
}

impl Trailing {
    pub(super) fn new(trail: Trail, key: Option<Key>) -> Self {
        Self { following: Following::new(trail, key), reader: None, over: false }
    }

    pub(super) fn reader(&mut self) -> Option<&mut Reader> {
        self.reader.as_mut()
    }

    /// All of it was read.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// What was found.
    pub(super) fn finish(self) -> Followed {
        self.following.finish()
    }

    /// Takes what has come. Says whether that changed anything.
    pub(super) fn step(&mut self, listing: &Listing) -> bool {
        let Some(reader) = &mut self.reader else {
            match self.following.begin() {
                None if self.over => return false,
                None => self.over = true,
                Some(name) => match listing.number(&name) {
                    Some(number) => self.reader = Some(Reader::new(number, 0..u64::MAX)),
                    None => self.following.end(Some(&listing.fault(&name))),
                },
            }
            return true;
        };
        let fault = match reader.next() {
            Next::Waiting => return false,
            Next::Bytes(bytes) if self.following.push(&bytes).is_continue() => return true,
            Next::Bytes(_) | Next::End => None,
            Next::Failed(message) => Some(unreadable(&message)),
        };
        self.reader = None;
        self.following.end(fault.as_ref());
        true
    }
}
