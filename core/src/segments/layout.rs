//! `Layout`: where each segment of a stream is stored, and `Locate`, which finds that out.

use std::ops::Range;

use super::Segments;
use crate::check::Check;
use crate::claim::{Claim, Expect};
use crate::codec::{Codec, member};
use crate::lane::Lane;
use crate::marks::Marks;

/// The segments of a stream with the places of their stored bytes.
#[derive(Debug)]
pub struct Layout {
    segments: Segments,
    stored: Stored,
}

/// Where segments are stored.
#[derive(Debug)]
enum Stored {
    /// As they are, in these bytes of an object; half-open.
    Plain(Range<u64>),
    /// In members: where the first of each segment begins, and where the last one's end.
    Members(Vec<u64>),
}

impl Layout {
    /// The layout of a stream that is stored as it is, in the bytes `stored` of an object.
    #[must_use]
    pub fn plain(segments: Segments, stored: Range<u64>) -> Self {
        Self { segments, stored: Stored::Plain(stored) }
    }

    /// The layout of segments whose members begin at `borders`, the last of which is where the last one's end.
    #[must_use]
    pub fn members(segments: Segments, borders: Vec<u64>) -> Self {
        Self { segments, stored: Stored::Members(borders) }
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &Segments {
        &self.segments
    }

    /// How the segments are stored.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.segments.codec
    }

    /// The stored bytes of segment `index`, half-open. The last one's may end behind the object.
    #[must_use]
    pub fn stored(&self, index: usize) -> Range<u64> {
        match &self.stored {
            Stored::Plain(stored) => {
                let Range { start, end } = self.segments.range(index);
                let place = |at: u64| stored.start.saturating_add(at);
                // Behind the last one, there may be more than there should be.
                place(start)..if self.segments.is_last(index) { stored.end } else { place(end) }
            }
            Stored::Members(borders) => {
                let border = |at: usize| borders.get(at).copied().unwrap_or(u64::MAX);
                border(index)..border(index.saturating_add(1))
            }
        }
    }

    /// A lane for segment `index`, which gathers `enough` decoded bytes or more at a time.
    #[must_use]
    pub fn lane(&self, index: usize, enough: usize) -> Lane {
        let range = self.segments.range(index);
        let expect = Expect { length: range.end - range.start, digest: None };
        Lane::new(Check::counting(self.codec(), expect, None), Some(self.segments.hasher(index)), enough)
    }
}

/// Finds the layout of a claim's segments. Drive it: while [`Locate::ask`] names stored bytes, [`Locate::answer`] them.
#[derive(Debug)]
pub struct Locate {
    layout: Layout,
    /// The bytes of the members that were passed.
    stored: u64,
    decoded: u64,
}

impl Locate {
    /// Begins with the marks of `claim`. None when they are of another stream, or of no use.
    #[must_use]
    pub fn new(claim: &Claim, marks: Marks) -> Option<Self> {
        let sum = claim.expect.sum().filter(|_| claim.range.is_none())?;
        let segments = Segments::new(claim.codec, sum, marks)?;
        let plain = claim.codec == Codec::Plain;
        let stored = if plain { Stored::Plain(claim.read()) } else { Stored::Members(vec![0]) };
        Some(Self { layout: Layout { segments, stored }, stored: 0, decoded: 0 })
    }

    /// The header of a gzip member to read next, half-open; none when no more is needed.
    #[must_use]
    pub fn ask(&self) -> Option<Range<u64>> {
        let Stored::Members(borders) = &self.layout.stored else { return None };
        let found = borders.len() >= self.layout.segments.count();
        (!found).then(|| self.stored..self.stored.saturating_add(member::HEADER as u64))
    }

    /// Takes that header. None when the members do not say how long they are, or when no member ends at a mark.
    #[must_use]
    pub fn answer(&mut self, header: &[u8; member::HEADER]) -> Option<()> {
        let said = member::lengths(header).filter(|said| said.decoded >= member::SHORTEST)?;
        self.stored = self.stored.checked_add(said.stored.max(1).into())?;
        self.decoded = self.decoded.checked_add(said.decoded.into())?;
        let Layout { segments, stored } = &mut self.layout;
        let Stored::Members(borders) = stored else { return None };
        let end = segments.range(borders.len().saturating_sub(1)).end;
        if self.decoded == end {
            borders.push(self.stored);
        }
        (self.decoded <= end).then_some(())
    }

    /// The layout, once nothing more is asked.
    #[must_use]
    pub fn finish(self) -> Layout {
        self.layout
    }
}
