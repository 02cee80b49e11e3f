//! `Recheck`: decides serially on a claim some of whose segments did not hold.

use std::borrow::Borrow;
use std::ops::Range;

use super::Segments;
use super::layout::Layout;
use crate::check::{Damage, Place, Verdict};
use crate::codec::{Codec, Decoder, Flow};
use crate::digest::{Digest, Hasher};
use crate::sort;

/// Hashes from the last value that is proven. Drive it: while [`Recheck::next`] names stored bytes, [`Recheck::push`]
/// them and [`Recheck::end`] them.
pub struct Recheck<L> {
    layout: L,
    /// The segments that did not hold, in order, from the one that is hashed now.
    broken: Vec<usize>,
    /// The segment to hash; none when all is decided.
    at: Option<usize>,
    /// Where the way from the marks parted that it never came back to.
    parted: usize,
    hasher: Hasher,
    /// Decodes the segment that is hashed now, of which so many bytes came.
    decoder: Decoder,
    came: u64,
    found: Option<Digest>,
}

impl<L: Borrow<Layout>> Recheck<L> {
    /// Begins, with the segments that did not hold.
    #[must_use]
    pub fn new(layout: L, mut broken: Vec<usize>) -> Self {
        sort::values(&mut broken);
        let at = broken.first().copied();
        let start = at.unwrap_or(0);
        let hasher = layout.borrow().segments().hasher(start);
        let decoder = Decoder::new(layout.borrow().codec(), None);
        Self { layout, broken, at, parted: start, hasher, decoder, came: 0, found: None }
    }

    fn segments(&self) -> &Segments {
        self.layout.borrow().segments()
    }

    /// The stored bytes to read next, half-open; none when the verdict is certain.
    #[must_use]
    pub fn next(&self) -> Option<Range<u64>> {
        self.at.map(|index| self.layout.borrow().stored(index))
    }

    /// Takes the next of these bytes, and hands on to `tee` what they decode to, with its offset in the stream. None
    /// when they changed since the segments were hashed: only the plain way leads to a verdict then.
    pub fn push(&mut self, stored: &[u8], tee: &mut dyn FnMut(u64, &[u8])) -> Option<()> {
        let range = self.at.map(|index| self.segments().range(index))?;
        let Self { decoder, hasher, came, .. } = self;
        let flow = decoder.push(stored, &mut |decoded| {
            let at = range.start.saturating_add(*came);
            *came = came.saturating_add(decoded.len() as u64);
            // More than that is another segment's, or nobody's.
            if range.start.saturating_add(*came) > range.end {
                return Flow::Break(());
            }
            hasher.update(decoded);
            tee(at, decoded);
            Flow::Continue(())
        });
        flow.is_ok_and(|flow| flow.is_continue()).then_some(())
    }

    /// Says that all of these bytes were pushed. None as for [`Recheck::push`].
    pub fn end(&mut self) -> Option<()> {
        let index = self.at?;
        let segments = self.layout.borrow().segments();
        let range = segments.range(index);
        let last = segments.is_last(index);
        let ends = if last { self.decoder.end().is_ok() } else { self.decoder.is_between() };
        if !ends || self.came != range.end - range.start {
            return None;
        }
        if segments.holds(index, &self.hasher) {
            // Proven up to here, and from here to the next that did not hold.
            self.at = self.broken.iter().copied().find(|broken| *broken > index);
            if let Some(next) = self.at {
                self.parted = next;
                self.hasher = segments.hasher(next);
            }
        } else if last {
            self.at = None;
            self.found = Some(self.hasher.clone().finish());
        } else {
            self.at = Some(index + 1);
        }
        (self.decoder, self.came) = (Decoder::new(self.layout.borrow().codec(), None), 0);
        Some(())
    }

    /// The verdict, once [`Recheck::next`] names nothing.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let Some(found) = self.found else { return Verdict::Sound };
        let segments = self.segments();
        let expected = segments.expect().digest;
        let from = self.broken.iter().filter(|broken| **broken >= self.parted);
        let more = (from.count() as u64).saturating_sub(1);
        let plain = segments.codec == Codec::Plain;
        let place = Some(Place { bytes: segments.range(self.parted), more, plain });
        Verdict::Damaged(Damage::Digest { expected, found, place })
    }
}
