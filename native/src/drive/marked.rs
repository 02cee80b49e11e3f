//! Checks one stream by its marks: all segments in lanes, on all threads.
//!
//! Only "sound" is ever said from here, or what a [`Recheck`] found. Whatever is odd (a short read, a member of another
//! length, marks of another stream) gives no verdict, and the caller hashes the stream in the plain way.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Expect, Sum};
use highwater_core::codec::{Codec, Decoder, member};
use highwater_core::marks::{self, Marks};
use highwater_core::name::Name;
use highwater_core::segments::{Recheck, Segments};
use rayon::prelude::*;

use super::lanes::{self, Stream};
use super::sink::Goes;
use super::{buffer, schedule};
use crate::error::Error;
use crate::store::{Object, Store};
use crate::watch::Watch;

/// A stream with its marks.
pub(crate) struct Marked {
    object: Arc<dyn Object>,
    codec: Codec,
    segments: Segments,
    /// Where each segment's stored bytes begin, and where the last one's end.
    borders: Vec<u64>,
}

/// The marks in the file `name`, if it holds any.
pub(crate) fn read(store: &dyn Store, name: &Name) -> Option<Marks> {
    let object = store.open(name).ok()?;
    let length = object.length().ok().filter(|length| *length <= marks::LONGEST)?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    object.read_exact_at(0, &mut bytes).ok()?;
    Marks::parse(&bytes)
}

impl Marked {
    /// The stream that `claim` speaks of, if its marks are there and can be of use.
    pub(super) fn of_claim(store: &dyn Store, claim: &Claim) -> Option<Self> {
        let marks = read(store, claim.marks.as_ref()?)?;
        let segments = Segments::new(claim.codec, claim.expect.sum().filter(|_| claim.range.is_none())?, marks)?;
        let object: Arc<dyn Object> = store.open(&claim.object).ok()?.into();
        let borders = match claim.codec {
            // The last segment reads on to the end of the object, to see that nothing follows.
            Codec::Plain => borders(&segments, 0, u64::MAX),
            Codec::Gzip => members(&*object, &segments)?,
            // Chunks are short, and have no marks.
            Codec::Blob(_) | Codec::Cached(_) | Codec::Kept(_) => return None,
        };
        Some(Self { object, codec: claim.codec, segments, borders })
    }

    /// The plain stream at `range` of `object`, if `marks` are of bytes of this sum.
    pub(crate) fn of_range(object: Arc<dyn Object>, range: &Range<u64>, sum: Sum, marks: Marks) -> Option<Self> {
        let segments = Segments::new(Codec::Plain, sum, marks)?;
        let borders = borders(&segments, range.start, range.end);
        (range.end - range.start == sum.length).then_some(Self { object, codec: Codec::Plain, segments, borders })
    }

    /// The verdict; none when it takes the plain way to come to one. The stream's bytes go to where `goes` says, each
    /// at the latest when it was hashed as the verdict has it.
    ///
    /// # Errors
    /// [`Error::Interrupted`], and those of the sink.
    pub(crate) fn verdict(&self, goes: Option<Goes<'_>>, watch: &Watch<'_>) -> Result<Option<Verdict>, Error> {
        let count = self.segments.count();
        let width = schedule::width(self.codec, Some(self.segments.expect().digest.algorithm()));
        let hand = count.div_ceil(rayon::current_num_threads()).min(width * 2);
        let all: Vec<usize> = (0..count).collect();
        let found: Vec<Option<Vec<usize>>> =
            all.par_chunks(hand).map(|indices| self.broken(indices, width, goes, watch)).collect::<Result<_, _>>()?;
        let Some(broken) = found.into_iter().collect::<Option<Vec<Vec<usize>>>>() else { return Ok(None) };
        let broken = broken.concat();
        if broken.is_empty() {
            return Ok(Some(Verdict::Sound));
        }
        self.recheck(broken, goes, watch)
    }

    /// Those of the segments that do not hold; none when one could not be read as it should be.
    fn broken(
        &self,
        indices: &[usize],
        width: usize,
        goes: Option<Goes<'_>>,
        watch: &Watch<'_>,
    ) -> Result<Option<Vec<usize>>, Error> {
        let mut waiting = indices.iter();
        let (mut broken, mut odd) = (Vec::new(), false);
        let next = || Ok(waiting.next().map(|index| self.stream(*index, goes)));
        let ended = |stream: Stream<'_, usize>, end: io::Result<()>| {
            let followed = !self.segments.is_last(stream.tag);
            if !self.segments.holds(stream.tag, &stream.hasher) {
                broken.push(stream.tag);
            }
            odd |= end.is_err() || !stream.check.is_whole(followed);
            Ok(())
        };
        lanes::run(width, next, ended, watch)?;
        Ok((!odd).then_some(broken))
    }

    fn stream<'s>(&self, index: usize, goes: Option<Goes<'s>>) -> Stream<'s, usize> {
        let range = self.segments.range(index);
        let expect = Expect { length: range.end - range.start, digest: None };
        let hasher = self.segments.hasher(index);
        let stream = Stream::new(index, self.object.clone(), self.stored(index), (self.codec, None), expect, hasher);
        match goes {
            Some(Goes { sink, at }) => stream.to(Goes { sink, at: at + range.start }),
            None => stream,
        }
    }

    /// Where segment `index` is stored.
    fn stored(&self, index: usize) -> Range<u64> {
        self.borders[index]..self.borders[index + 1]
    }

    /// Decides by hashing serially from the first segment that did not hold. What it hashes is written once more: the
    /// stored bytes may have changed since.
    fn recheck(&self, broken: Vec<usize>, goes: Option<Goes<'_>>, watch: &Watch<'_>) -> Result<Option<Verdict>, Error> {
        let mut recheck = Recheck::new(&self.segments, broken);
        let mut buffer = buffer();
        while let Some(index) = recheck.next() {
            let (stored, length) = (self.stored(index), self.segments.range(index));
            let mut decoder = Decoder::new(self.codec, None);
            let (mut hashed, mut written) = (0, Ok(()));
            let read = self.object.for_each_piece(stored.start, stored.end, &mut buffer, |piece| {
                let pushed = decoder.push(piece, &mut |decoded| {
                    let at = length.start + hashed;
                    hashed += decoded.len() as u64;
                    recheck.push(decoded);
                    // More than that is another segment's, or nobody's.
                    if let Some(goes) = goes.filter(|_| written.is_ok() && length.start + hashed <= length.end) {
                        written = goes.sink.put(goes.at + at, decoded, false);
                    }
                    highwater_core::codec::Flow::Continue(())
                });
                pushed.is_ok() && written.is_ok() && !watch.stopping()
            });
            watch.go_on()?;
            written?;
            if read.is_err() || hashed != length.end - length.start {
                // It cannot be read any more, or changed since its segments were read.
                return Ok(None);
            }
            recheck.end();
        }
        Ok(Some(recheck.verdict()))
    }
}

fn borders(segments: &Segments, start: u64, end: u64) -> Vec<u64> {
    let mut borders: Vec<u64> =
        (0..segments.count()).map(|index| start.saturating_add(segments.range(index).start)).collect();
    borders.push(end);
    borders
}

/// The segments' borders in an object whose gzip members say how long they are, when a member ends at every mark.
fn members(object: &dyn Object, segments: &Segments) -> Option<Vec<u64>> {
    let mut borders = vec![0];
    let (mut stored, mut decoded) = (0u64, 0u64);
    for index in 0..segments.count() - 1 {
        let end = segments.range(index).end;
        while decoded < end {
            let mut header = [0; member::HEADER];
            object.read_exact_at(stored, &mut header).ok()?;
            let lengths = member::lengths(&header).filter(|lengths| lengths.decoded >= member::SHORTEST)?;
            stored = stored.checked_add(lengths.stored.max(1).into())?;
            decoded = decoded.checked_add(lengths.decoded.into())?;
        }
        if decoded != end {
            return None;
        }
        borders.push(stored);
    }
    borders.push(u64::MAX);
    Some(borders)
}

/// Checks a claim by its marks; none when that is of no use.
///
/// # Errors
/// [`Error::Interrupted`] only.
pub(super) fn check(store: &dyn Store, claim: &Claim, watch: &Watch<'_>) -> Result<Option<Verdict>, Error> {
    Marked::of_claim(store, claim).map_or(Ok(None), |marked| marked.verdict(None, watch))
}
