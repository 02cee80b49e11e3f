//! `Offloaded`: a claim whose decoded bytes the host hashes in one piece, where it has something quicker than the
//! lanes.
//!
//! A browser has: WebCrypto uses the processor's own instructions, and does so on a thread of its own. It takes no
//! stream, so this is for bytes that are few enough to be held as a whole; and it is asked across threads, so not for a
//! handful.

use std::ops::{Range, RangeInclusive};

use crate::check::{Check, Verdict};
use crate::claim::Claim;
use crate::digest::{Algorithm, Digest, sha256_of};
use crate::key::Key;

use super::reader::Answer;

/// How long what is hashed by the host may be, in bytes. As many claims are held at a time as may inflate.
const LENGTHS: RangeInclusive<u64> = 64 * 1024..=8 * 1024 * 1024;

/// The decoded bytes of a claim, as far as they came.
pub(super) struct Whole {
    /// How many there should be, and what the digest covers after them.
    length: u64,
    suffix: Vec<u8>,
    bytes: Vec<u8>,
    /// Where they lie in `bytes`, if these are stored ones.
    stored: Option<Range<usize>>,
}

impl Whole {
    /// None of those of `claim` yet.
    pub(super) fn of(claim: &Claim, key: Option<&Key>) -> Self {
        let suffix = claim.codec.suffix(key).to_vec();
        Self { length: claim.expect.length, suffix, bytes: Vec::new(), stored: None }
    }

    /// Whether `bytes` are all that will come, and can be hashed where they lie.
    pub(super) fn is_all(&self, bytes: &[u8]) -> bool {
        self.bytes.is_empty() && self.suffix.is_empty() && bytes.len() as u64 == self.length
    }

    /// Keeps stored bytes, of which those at `place` are all.
    pub(super) fn keep(&mut self, stored: Vec<u8>, place: Range<usize>) {
        (self.bytes, self.stored) = (stored, Some(place));
    }

    /// Takes the next ones.
    pub(super) fn gather(&mut self, bytes: &[u8]) {
        if self.bytes.is_empty() {
            let most = self.length.saturating_add(self.suffix.len() as u64);
            self.bytes.reserve_exact(usize::try_from(most).unwrap_or_default());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Nothing more comes.
    fn end(&mut self) {
        self.bytes.append(&mut self.suffix);
    }

    /// What the digest covers, after the end.
    fn bytes(&self) -> &[u8] {
        match &self.stored {
            Some(place) => self.bytes.get(place.clone()).unwrap_or_default(),
            None => &self.bytes,
        }
    }
}

/// A claim that holds, but for its digest, which is asked of the host.
pub(super) struct Offloaded {
    check: Check,
    /// Stays in its place until the answer has come.
    whole: Whole,
}

impl Offloaded {
    /// Whether the bytes of `claim` are hashed by the host, by a host that can.
    pub(super) fn suits(claim: &Claim) -> bool {
        // What is stored as it is needs no room of its own in the lanes.
        let blob = claim.codec.sealing().is_some();
        blob && claim.expect.digest.is_some_and(|digest| digest.algorithm() == Algorithm::Sha256)
            && LENGTHS.contains(&claim.expect.length)
    }

    /// What is left of a claim whose bytes were decoded to the end: they are `whole`.
    pub(super) fn new(check: Check, mut whole: Whole) -> Self {
        whole.end();
        Self { check, whole }
    }

    /// The bytes to hash.
    pub(super) fn bytes(&self) -> &[u8] {
        self.whole.bytes()
    }

    /// The verdict, and how many bytes were hashed.
    pub(super) fn end(self, answer: Answer) -> (Verdict, u64) {
        let Self { check, whole } = self;
        let hashed = check.length();
        let found = match answer {
            Answer::Digest(value) => Digest::new(Algorithm::Sha256, &value),
            _ => None,
        };
        // A host that did not manage says nothing of the bytes: they are here.
        let found = found.unwrap_or_else(|| sha256_of(whole.bytes()));
        (check.end_as(found), hashed)
    }
}
