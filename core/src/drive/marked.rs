//! `Marked`: a stream that is checked by its marks, from reading them to the verdict.
//!
//! Only "sound" is ever said from here, or what a [`Recheck`] found. Whatever is odd (a read that fails, a member of
//! another length, marks of another stream) leads to the plain way, in one stream.

use std::rc::Rc;

use crate::check::Check;
use crate::check::Verdict;
use crate::claim::{Claim, Expect};
use crate::codec::{Codec, Decoder, Flow, member};
use crate::marks::{self, Marks};
use crate::segments::{Recheck, Segments};

use super::reader::{Next, Reader};
use super::runs::Runs;
use super::stream::{Owner, Stream, Sum};

/// A stream with marks beside it.
pub(super) struct Marked {
    pub(super) number: u32,
    pub(super) claim: Claim,
    /// The host's number of the object.
    file: u32,
    stage: Stage,
}

enum Stage {
    /// The marks are being read.
    Marks(Reader, Vec<u8>),
    /// The members' headers are being read, up to these stored and decoded bytes.
    Members { cut: Cut, header: Option<(Reader, Vec<u8>)>, stored: u64, decoded: u64 },
    /// Segments are hashed.
    Segments { cut: Cut, runs: Runs, broken: Vec<usize>, odd: bool },
    /// What did not hold is hashed serially.
    Recheck { cut: Cut, recheck: Box<Recheck<Rc<Segments>>>, reading: Option<Reading> },
}

/// The segments, and where each one's stored bytes begin, and the last one's end.
struct Cut {
    segments: Rc<Segments>,
    borders: Vec<u64>,
}

/// A segment that is hashed once more.
struct Reading {
    reader: Reader,
    decoder: Decoder,
    hashed: u64,
    length: u64,
}

/// What a step came to.
pub(super) enum Advance {
    /// Something is waited for.
    Waiting,
    /// Something changed.
    Moved,
    /// It is decided.
    Verdict(Verdict),
    /// The marks are of no use.
    Plain,
}

impl Marked {
    /// Begins to check `claim`, whose object is `file`, by the marks in file `marks`.
    pub(super) fn new(number: u32, claim: Claim, file: u32, marks: u32) -> Self {
        let stage = Stage::Marks(Reader::new(marks, 0..marks::LONGEST.saturating_add(1)), Vec::new());
        Self { number, claim, file, stage }
    }

    pub(super) fn reader(&mut self) -> Option<&mut Reader> {
        match &mut self.stage {
            Stage::Marks(reader, _) => Some(reader),
            Stage::Members { header, .. } => header.as_mut().map(|(reader, _)| reader),
            Stage::Segments { .. } => None,
            Stage::Recheck { reading, .. } => reading.as_mut().map(|reading| &mut reading.reader),
        }
    }

    /// A stream for the next segment, for the flight at `place`; none when all have one.
    pub(super) fn spawn(&mut self, place: usize) -> Option<Stream> {
        let Stage::Segments { cut, runs, odd: false, .. } = &mut self.stage else { return None };
        let index = runs.begin()?;
        let codec = self.claim.codec;
        let range = cut.segments.range(index);
        let expect = Expect { length: range.end - range.start, digest: None };
        let owner = Owner::Segment { marked: place, index };
        let check = Check::counting(codec, expect, None);
        Some(Stream::new(owner, cut.reader(self.file, index), codec, check, Sum::Lane(cut.segments.hasher(index))))
    }

    /// Takes back the stream of a segment, which ended so.
    pub(super) fn ended(&mut self, index: usize, stream: Stream, end: &Result<(), String>) {
        let Stage::Segments { cut, runs, broken, odd } = &mut self.stage else { return };
        runs.ended(index);
        if !matches!(stream.sum, Sum::Lane(hasher) if cut.segments.holds(index, &hasher)) {
            broken.push(index);
        }
        *odd |= end.is_err() || !stream.check.is_whole(!cut.segments.is_last(index));
    }

    /// Goes on as far as possible.
    pub(super) fn step(&mut self) -> Advance {
        match &mut self.stage {
            Stage::Marks(reader, bytes) => match reader.next() {
                Next::Waiting => Advance::Waiting,
                Next::Bytes(piece) => {
                    bytes.extend_from_slice(&piece);
                    Advance::Moved
                }
                Next::Failed(_) => Advance::Plain,
                Next::End => {
                    let marks = Marks::parse(bytes).filter(|_| bytes.len() as u64 <= marks::LONGEST);
                    let segments =
                        marks.and_then(|marks| Segments::new(self.claim.codec, self.claim.expect.sum()?, marks));
                    let Some(segments) = segments else { return Advance::Plain };
                    self.stage = Stage::begin(self.claim.codec, segments);
                    Advance::Moved
                }
            },
            Stage::Members { cut, header, stored, decoded } => {
                let end = cut.segments.range(cut.borders.len().saturating_sub(1)).end;
                let Some((reader, read)) = header else {
                    if *decoded == end {
                        cut.borders.push(*stored);
                        if cut.borders.len() == cut.segments.count() {
                            cut.borders.push(u64::MAX);
                            self.stage = Stage::segments(cut);
                        }
                    } else if *decoded > end {
                        return Advance::Plain;
                    } else {
                        let range = *stored..stored.saturating_add(member::HEADER as u64);
                        *header = Some((Reader::new(self.file, range), Vec::new()));
                    }
                    return Advance::Moved;
                };
                match reader.next() {
                    Next::Waiting => return Advance::Waiting,
                    Next::Bytes(bytes) => read.extend(bytes),
                    Next::End | Next::Failed(_) => return Advance::Plain,
                }
                let Some(whole) = read.first_chunk() else { return Advance::Moved };
                let said = member::lengths(whole).filter(|said| said.decoded >= member::SHORTEST);
                *header = None;
                let Some(said) = said else { return Advance::Plain };
                *stored = stored.saturating_add(said.stored.max(1).into());
                *decoded = decoded.saturating_add(said.decoded.into());
                Advance::Moved
            }
            Stage::Segments { runs, odd: true, .. } if runs.idle() => Advance::Plain,
            Stage::Segments { cut, runs, broken, odd } => {
                if *odd || !runs.over() {
                    return Advance::Waiting;
                }
                if broken.is_empty() {
                    return Advance::Verdict(Verdict::Sound);
                }
                let recheck = Box::new(Recheck::new(cut.segments.clone(), std::mem::take(broken)));
                self.stage = Stage::Recheck { cut: cut.take(), recheck, reading: None };
                Advance::Moved
            }
            Stage::Recheck { cut, recheck, reading } => {
                let Some(read) = reading else {
                    let Some(index) = recheck.next() else { return Advance::Verdict(recheck.verdict()) };
                    let (codec, range) = (self.claim.codec, cut.segments.range(index));
                    let (reader, decoder) = (cut.reader(self.file, index), Decoder::new(codec, None));
                    *reading = Some(Reading { reader, decoder, hashed: 0, length: range.end - range.start });
                    return Advance::Moved;
                };
                match read.reader.next() {
                    Next::Waiting => Advance::Waiting,
                    Next::Failed(_) => Advance::Plain,
                    Next::Bytes(bytes) => {
                        let Reading { decoder, hashed, .. } = read;
                        let pushed = decoder.push(&bytes, &mut |decoded| {
                            *hashed = hashed.saturating_add(decoded.len() as u64);
                            recheck.push(decoded);
                            Flow::Continue(())
                        });
                        if pushed.is_ok() { Advance::Moved } else { Advance::Plain }
                    }
                    // It changed since its segments were read.
                    Next::End if read.hashed != read.length => Advance::Plain,
                    Next::End => {
                        *reading = None;
                        recheck.end();
                        Advance::Moved
                    }
                }
            }
        }
    }
}

impl Stage {
    /// What comes after the marks were read.
    fn begin(codec: Codec, segments: Segments) -> Self {
        let mut cut = Cut { segments: Rc::new(segments), borders: Vec::new() };
        match codec {
            Codec::Plain => {
                cut.borders = (0..cut.segments.count()).map(|index| cut.segments.range(index).start).collect();
                // One byte more than there should be, to see that nothing follows.
                cut.borders.push(cut.segments.expect().length.saturating_add(1));
                Self::segments(&mut cut)
            }
            // There are no others.
            Codec::Gzip | Codec::Blob(_) | Codec::Cached(_) | Codec::Kept(_) => {
                cut.borders.push(0);
                Self::Members { cut, header: None, stored: 0, decoded: 0 }
            }
        }
    }

    fn segments(cut: &mut Cut) -> Self {
        let runs = Runs::new(cut.segments.count());
        Self::Segments { cut: cut.take(), runs, broken: Vec::new(), odd: false }
    }
}

impl Cut {
    fn take(&mut self) -> Self {
        Self { segments: self.segments.clone(), borders: std::mem::take(&mut self.borders) }
    }

    /// The stored bytes of segment `index` of `file`.
    fn reader(&self, file: u32, index: usize) -> Reader {
        let border = |at: usize| self.borders.get(at).copied().unwrap_or(u64::MAX);
        Reader::new(file, border(index)..border(index + 1))
    }
}
