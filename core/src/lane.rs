//! `Lane`: one stream of stored bytes on its way through a lane: decoded, counted, and hashed piece by piece.
//!
//! The host reads, and keeps what it read until it was hashed:
//!
//! ```text
//! host                           lane
//!   take(stored, range)     ->     decodes some of it, until enough waits to be hashed
//!   work(stored)            ->     what waits, and who takes it, for the digests of many lanes at once
//!   hashed()                ->     takes the next
//! ```

use std::ops::Range;

use crate::check::{Check, Verdict};
use crate::claim::Claim;
use crate::codec::{Flow, Workspace, place};
use crate::digest::Hasher;
use crate::key::Key;
use crate::report::Depth;

/// Streams of one thread that inflate at a time: more would not be faster, as inflating takes most of the time. As many
/// claims are held as a whole for a host that hashes them, which bounds the memory that takes.
pub const INFLATING: usize = 8;

/// One stream.
pub struct Lane {
    /// Counts the decoded bytes, and knows when there are too many.
    check: Check,
    /// Their digest; none where only their number is asked for.
    hasher: Option<Hasher>,
    /// Decoded bytes, but for those that are stored as they are.
    decoded: Vec<u8>,
    ready: Ready,
    /// From so many bytes on, what was gathered waits to be hashed.
    enough: usize,
    /// The bytes are stored as a blob.
    blob: bool,
}

/// Where the bytes lie that wait to be hashed.
enum Ready {
    /// Here, in the stored bytes: they are decoded as they are, so nobody need copy them.
    Stored(Range<usize>),
    /// In the decoder.
    Held,
    /// In the buffer of decoded bytes; all of it.
    Decoded,
}

/// The bytes that wait to be hashed.
fn waiting<'a>(ready: &Ready, check: &'a Check, decoded: &'a [u8], stored: &'a [u8]) -> &'a [u8] {
    match ready {
        Ready::Stored(range) => stored.get(range.clone()).unwrap_or_default(),
        Ready::Held => check.held(),
        Ready::Decoded => decoded,
    }
}

impl Lane {
    /// A lane for what `check` counts and `hasher` hashes, which gathers `enough` decoded bytes or more at a time.
    #[must_use]
    pub fn new(check: Check, hasher: Option<Hasher>, enough: usize) -> Self {
        Self { check, hasher, decoded: Vec::new(), ready: Ready::Decoded, enough, blob: false }
    }

    /// A lane for the bytes of `claim`, which are hashed from [`Depth::Digest`] on, if their digest is on record. `key`
    /// opens what is encrypted.
    #[must_use]
    pub fn of(claim: &Claim, depth: Depth, key: Option<&Key>, enough: usize) -> Self {
        let hasher = claim.hasher().filter(|_| depth >= Depth::Digest);
        let check = match hasher {
            Some(_) => Check::counting(claim.codec, claim.expect, key),
            None => Check::new(claim, depth, key),
        };
        Self { blob: claim.codec.sealing().is_some(), ..Self::new(check, hasher, enough) }
    }

    /// Lends it memory to gather in, before its first byte.
    pub fn lend(&mut self, decoded: Vec<u8>) {
        self.decoded = decoded;
    }

    /// Whether its decoder is quicker with what another one worked with: to make that anew takes time.
    #[must_use]
    pub fn has_use_for_workspace(&self) -> bool {
        self.blob
    }

    /// Lends its decoder that, before the first byte.
    pub fn lend_workspace(&mut self, workspace: Workspace) {
        self.check.lend(workspace);
    }

    /// Gives up the memory that it worked with, after its last byte.
    pub fn reclaim(&mut self) -> (Vec<u8>, Option<Workspace>) {
        (std::mem::take(&mut self.decoded), self.check.reclaim())
    }

    /// What is in the input or the decoder must not be replaced before it is hashed, and what was gathered is not yet
    /// enough: [`Lane::take`] may be called.
    #[must_use]
    pub fn has_room(&self) -> bool {
        matches!(self.ready, Ready::Decoded) && self.decoded.len() < self.enough
    }

    /// Decodes some of the bytes `range` of `stored`, and says how many it took; with a break, that the verdict is
    /// certain. `stored` must stay as it is until [`Lane::hashed`].
    pub fn take(&mut self, stored: &[u8], range: Range<usize>) -> (usize, Flow) {
        let Self { check, decoded, ready, .. } = self;
        let mut rest = stored.get(range).unwrap_or_default();
        let room = rest.len();
        let holds = check.holds() && decoded.is_empty();
        let flow = check.some(&mut rest, &mut |bytes| match place(stored, bytes) {
            _ if holds => *ready = Ready::Held,
            Some(place) if decoded.is_empty() => *ready = Ready::Stored(place),
            _ => decoded.extend_from_slice(bytes),
        });
        (room - rest.len(), flow)
    }

    /// The bytes that wait to be hashed, some of which may be parts of `stored`.
    #[must_use]
    pub fn ready<'a>(&'a self, stored: &'a [u8]) -> &'a [u8] {
        waiting(&self.ready, &self.check, &self.decoded, stored)
    }

    /// The same, and who takes them; none when nobody does.
    pub fn work<'a>(&'a mut self, stored: &'a [u8]) -> Option<(&'a mut Hasher, &'a [u8])> {
        let Self { check, hasher, decoded, ready, .. } = self;
        let bytes = waiting(ready, check, decoded, stored);
        hasher.as_mut().filter(|_| !bytes.is_empty()).map(|hasher| (hasher, bytes))
    }

    /// Says that the bytes that waited were hashed.
    pub fn hashed(&mut self) {
        self.ready = Ready::Decoded;
        self.decoded.clear();
    }

    /// How many decoded bytes were checked so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.check.length()
    }

    /// Counts stored bytes that the host hashes in another way; see [`Check::push`].
    pub fn count(&mut self, stored: &[u8], tee: &mut dyn FnMut(&[u8])) -> Flow {
        self.check.push(stored, tee)
    }

    /// What it counted and hashed, when nothing follows.
    #[must_use]
    pub fn into_parts(self) -> (Check, Option<Hasher>) {
        (self.check, self.hasher)
    }

    /// The verdict, when nothing follows.
    #[must_use]
    pub fn end(self) -> Verdict {
        match self.hasher {
            Some(hasher) => self.check.end_with(hasher),
            None => self.check.end(),
        }
    }
}
