//! Checks one stream by its marks: all segments in lanes, on all threads.
//!
//! Only "sound" is ever said from here, or what a [`Recheck`] found. Whatever is odd (a short read, a member of another
//! length, marks of another stream) gives no verdict, and the caller hashes the stream in the plain way.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Sum};
use highwater_core::codec::{Codec, member};
use highwater_core::marks::{self, Marks};
use highwater_core::name::Name;
use highwater_core::segments::{Layout, Locate, Pass, Recheck, Segments};
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
    layout: Layout,
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
        let mut locate = Locate::new(claim, marks)?;
        let object: Arc<dyn Object> = store.open(&claim.object).ok()?.into();
        while let Some(range) = locate.ask() {
            let mut header = [0; member::HEADER];
            object.read_exact_at(range.start, &mut header).ok()?;
            locate.answer(&header)?;
        }
        Some(Self { object, layout: locate.finish() })
    }

    /// The plain stream at `range` of `object`, if `marks` are of bytes of this sum.
    pub(crate) fn of_range(object: Arc<dyn Object>, range: &Range<u64>, sum: Sum, marks: Marks) -> Option<Self> {
        let segments = Segments::new(Codec::Plain, sum, marks)?;
        (range.end - range.start == sum.length).then(|| Self { object, layout: Layout::plain(segments, range.clone()) })
    }

    /// The verdict; none when it takes the plain way to come to one. The stream's bytes go to where `goes` says, each
    /// at the latest when it was hashed as the verdict has it.
    ///
    /// # Errors
    /// [`Error::Interrupted`], and those of the sink.
    pub(crate) fn verdict(&self, goes: Option<Goes<'_>>, watch: &Watch<'_>) -> Result<Option<Verdict>, Error> {
        let segments = self.layout.segments();
        let count = segments.count();
        let width = schedule::width(self.layout.codec(), Some(segments.expect().digest.algorithm()));
        let batch = count.div_ceil(rayon::current_num_threads()).min(width * 2);
        let all: Vec<usize> = (0..count).collect();
        let pass = |indices: &[usize]| self.pass(indices, width, goes, watch);
        let passes: Vec<Pass> = all.par_chunks(batch).map(pass).collect::<Result<_, _>>()?;
        match passes.into_iter().fold(Pass::default(), Pass::join).broken(&self.layout) {
            None => Ok(None),
            Some(broken) if broken.is_empty() => Ok(Some(Verdict::Sound)),
            Some(broken) => self.recheck(broken, goes, watch),
        }
    }

    /// Hashes these segments side by side.
    fn pass(&self, indices: &[usize], width: usize, goes: Option<Goes<'_>>, watch: &Watch<'_>) -> Result<Pass, Error> {
        let (mut waiting, mut pass) = (indices.iter(), Pass::default());
        let next = || Ok(waiting.next().map(|index| self.stream(*index, goes)));
        let ended = |stream: Stream<'_, usize>, end: io::Result<()>| {
            pass.end(&self.layout, stream.tag, stream.lane, end.is_ok());
            Ok(())
        };
        lanes::run(width, next, ended, watch)?;
        Ok(pass)
    }

    fn stream<'s>(&self, index: usize, goes: Option<Goes<'s>>) -> Stream<'s, usize> {
        let (stored, range) = (self.layout.stored(index), self.layout.segments().range(index));
        let lane = self.layout.lane(index, lanes::LEAST);
        let stream = Stream::new(index, self.object.clone(), stored, range.end - range.start, lane);
        match goes {
            Some(Goes { sink, at }) => stream.to(Goes { sink, at: at + range.start }),
            None => stream,
        }
    }

    /// Decides by hashing serially from the first segment that did not hold. What it hashes is written once more: the
    /// stored bytes may have changed since.
    fn recheck(&self, broken: Vec<usize>, goes: Option<Goes<'_>>, watch: &Watch<'_>) -> Result<Option<Verdict>, Error> {
        let mut recheck = Recheck::new(&self.layout, broken);
        let mut buffer = buffer();
        while let Some(stored) = recheck.next() {
            let (mut useful, mut written) = (true, Ok(()));
            let read = self.object.for_each_piece(stored.start, stored.end, &mut buffer, |piece| {
                let pushed = recheck.push(piece, &mut |at, decoded| {
                    if let Some(goes) = goes.filter(|_| written.is_ok()) {
                        written = goes.sink.put(goes.at + at, decoded, false);
                    }
                });
                useful = pushed.is_some();
                useful && written.is_ok() && !watch.stopping()
            });
            watch.go_on()?;
            written?;
            // It cannot be read any more, or changed since its segments were read.
            if read.is_err() || !useful || recheck.end().is_none() {
                return Ok(None);
            }
        }
        Ok(Some(recheck.verdict()))
    }
}

/// Checks a claim by its marks; none when that is of no use.
///
/// # Errors
/// [`Error::Interrupted`] only.
pub(super) fn check(store: &dyn Store, claim: &Claim, watch: &Watch<'_>) -> Result<Option<Verdict>, Error> {
    Marked::of_claim(store, claim).map_or(Ok(None), |marked| marked.verdict(None, watch))
}
