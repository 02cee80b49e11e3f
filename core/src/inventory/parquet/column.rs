//! `Pages`: the values of a column, page by page.

use std::ops::Range;

use super::footer::{Chunk, Kind, Leaf};
use super::hybrid::Hybrid;
use super::page::{self, Header};
use super::{DICTIONARY, OLD_DICTIONARY, PLAIN, RLE, named};
use crate::cursor::Cursor;
use crate::digest::crc::crc32;

/// The longest page that is read, decompressed, in bytes: usual are one or two mebibytes.
pub(super) const LONGEST: u64 = 32 << 20;

/// Snappy makes no more of a byte, and then some.
const RATIO: u64 = 24;
const MORE: u64 = 64;

/// A column within a group. Holds a dictionary and a page.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) leaf: Leaf,
    chunk: Chunk,
    /// Where the next page begins in the file, and how many values are in pages that were not taken.
    pub(super) at: u64,
    ahead: u64,
    dictionary: Option<Dictionary>,
    /// The page, decompressed, and where it begins in the file.
    page: Vec<u8>,
    pub(super) from: u64,
    /// How many values of it are ahead.
    left: u64,
    levels: Option<Hybrid>,
    coding: Coding,
    now: Now,
}

/// What pages point to.
#[derive(Debug)]
struct Dictionary {
    bytes: Vec<u8>,
    /// Where the texts lie.
    texts: Vec<Range<u32>>,
    /// How many values there are.
    count: u32,
}

/// How the values of a page are written, and where the next one is.
#[derive(Debug)]
enum Coding {
    Plain(usize),
    /// Truths, of a bit each: where they begin, and which one is next.
    Bits(usize, usize),
    Runs(Hybrid),
    Places(Hybrid),
}

/// The value of the present row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Now {
    Null,
    Truth(bool),
    InPage(Range<usize>),
    InDictionary(Range<usize>),
}

impl Pages {
    pub(super) fn new(leaf: Leaf, chunk: Chunk, rows: u64) -> Self {
        Self {
            leaf,
            chunk,
            at: chunk.at,
            ahead: rows,
            dictionary: None,
            page: Vec::new(),
            from: chunk.at,
            left: 0,
            levels: None,
            coding: Coding::Plain(0),
            now: Now::Null,
        }
    }

    /// Whether the next value is in a page that was not taken.
    pub(super) fn wants(&self) -> bool {
        self.left == 0
    }

    /// How many bytes of pages are ahead.
    pub(super) fn rest(&self) -> u64 {
        self.chunk.end.saturating_sub(self.at)
    }

    /// How many bytes it holds.
    pub(super) fn held(&self) -> u64 {
        let texts = |one: &Dictionary| one.texts.capacity().saturating_mul(size_of::<Range<u32>>());
        let dictionary = self.dictionary.as_ref().map_or(0, |one| one.bytes.capacity().saturating_add(texts(one)));
        self.page.capacity().saturating_add(dictionary) as u64
    }

    /// Judges what a header says before anything is read or taken for it.
    ///
    /// # Errors
    /// A clause.
    pub(super) fn judge(&self, header: &Header) -> Result<(), String> {
        let Header { length, stored, whole, .. } = *header;
        if length.checked_add(stored).is_none_or(|all| all > self.rest()) {
            return Err("a page ends behind its column".to_owned());
        }
        let most = if self.chunk.packed { stored.saturating_mul(RATIO).saturating_add(MORE) } else { stored };
        if whole > most || !self.chunk.packed && whole != stored {
            return Err(format!("a page of {stored} bytes says that it has {whole}"));
        }
        if whole.max(stored) > LONGEST {
            return Err(format!("a page has {} bytes, and at most {LONGEST} are read", whole.max(stored)));
        }
        match header.kind {
            page::Kind::Data(values) if values.count > self.ahead => {
                Err("its pages have more values than it has rows".to_owned())
            }
            page::Kind::Dictionary { .. } if self.at != self.chunk.at => {
                Err("a column has a dictionary that is not its first page".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Takes a page, whose header was judged.
    ///
    /// # Errors
    /// A clause.
    pub(super) fn take(&mut self, header: &Header, stored: &[u8]) -> Result<(), String> {
        if header.crc.is_some_and(|crc| crc != crc32(stored)) {
            return Err("a page is not what its CRC-32 is of".to_owned());
        }
        let from = self.at;
        self.at = self.at.saturating_add(header.length).saturating_add(header.stored);
        match header.kind {
            page::Kind::Other => Ok(()),
            page::Kind::Dictionary { count, encoding } => {
                if !matches!(encoding, PLAIN | OLD_DICTIONARY) {
                    return Err(named(self.leaf.column, encoding));
                }
                let mut bytes = Vec::new();
                self.unpack(stored, header.whole, self.chunk.packed, &mut bytes)?;
                let found = Dictionary::read(bytes, self.leaf.kind, count);
                self.dictionary = Some(found.ok_or("a dictionary has not the values that it says")?);
                Ok(())
            }
            page::Kind::Data(values) => {
                let mut page = std::mem::take(&mut self.page);
                page.clear();
                let begun = self.open(header, &values, stored, &mut page);
                self.page = page;
                (self.left, self.from) = (0, from);
                begun?;
                self.ahead = self.ahead.saturating_sub(values.count);
                self.left = values.count;
                Ok(())
            }
        }
    }

    /// Decompresses a page of values, and finds where they begin.
    fn open(
        &mut self,
        header: &Header,
        values: &page::Values,
        stored: &[u8],
        page: &mut Vec<u8>,
    ) -> Result<(), String> {
        let short = || "a page is shorter than it says".to_owned();
        let (levels, begin) = match values.second {
            None => {
                self.unpack(stored, header.whole, self.chunk.packed, page)?;
                if self.leaf.optional {
                    if values.levels != RLE {
                        return Err(named(self.leaf.column, values.levels));
                    }
                    let length = Cursor::new(page).fixed32().ok_or_else(short)?;
                    let end = usize::try_from(length).ok().and_then(|length| length.checked_add(4));
                    let end = end.filter(|end| *end <= page.len()).ok_or_else(short)?;
                    (4..end, end)
                } else {
                    (0..0, 0)
                }
            }
            Some((length, packed)) => {
                let split = usize::try_from(length).ok().and_then(|length| stored.split_at_checked(length));
                let (levels, rest) = split.ok_or_else(short)?;
                let whole = header.whole.checked_sub(length).ok_or_else(short)?;
                page.extend_from_slice(levels);
                self.unpack(rest, whole, self.chunk.packed && packed, page)?;
                (0..levels.len(), levels.len())
            }
        };
        self.levels = if self.leaf.optional { Hybrid::new(levels.start, levels.end, 1) } else { None };
        let runs = |at: usize, width: u32| Hybrid::new(at, page.len(), width).ok_or_else(short);
        self.coding = match (values.encoding, self.leaf.kind) {
            (PLAIN, Kind::Truth) => Coding::Bits(begin, 0),
            (PLAIN, _) => Coding::Plain(begin),
            // With their length in four bytes before them.
            (RLE, Kind::Truth) => Coding::Runs(runs(begin.saturating_add(4), 1)?),
            (DICTIONARY | OLD_DICTIONARY, kind) if kind != Kind::Truth => {
                // Where all values are null, there may be neither a dictionary nor anything that points to it.
                let width = page.get(begin).copied().unwrap_or(0);
                Coding::Places(runs(begin.saturating_add(1), u32::from(width))?)
            }
            (encoding, _) => return Err(named(self.leaf.column, encoding)),
        };
        Ok(())
    }

    /// Adds what stored bytes decompress to.
    fn unpack(&self, stored: &[u8], whole: u64, packed: bool, out: &mut Vec<u8>) -> Result<(), String> {
        let broken = || "the compressed bytes of a page are broken".to_owned();
        let whole = usize::try_from(whole).map_err(|_| broken())?;
        if !packed {
            out.extend_from_slice(stored);
            return if stored.len() == whole { Ok(()) } else { Err(broken()) };
        }
        if stored.is_empty() && whole == 0 {
            return Ok(());
        }
        if snap::raw::decompress_len(stored).ok() != Some(whole) {
            return Err(broken());
        }
        let begin = out.len();
        out.resize(begin.saturating_add(whole), 0);
        let room = out.get_mut(begin..).ok_or_else(broken)?;
        let written = snap::raw::Decoder::new().decompress(stored, room).map_err(|_| broken())?;
        if written == whole { Ok(()) } else { Err(broken()) }
    }

    /// Goes to the value of the next row; none if the page has not as many as it says.
    pub(super) fn advance(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let page = &*self.page;
        let there = match &mut self.levels {
            Some(levels) => levels.next(page)? == 1,
            None => true,
        };
        if !there {
            self.now = Now::Null;
            return Some(());
        }
        self.now = match &mut self.coding {
            Coding::Plain(at) => {
                let range = plain(page, *at, self.leaf.kind)?;
                *at = range.end;
                Now::InPage(range)
            }
            Coding::Bits(begin, bit) => {
                let byte = page.get(begin.checked_add(*bit / 8)?)?;
                let truth = byte >> (*bit % 8) & 1 == 1;
                *bit += 1;
                Now::Truth(truth)
            }
            Coding::Runs(runs) => Now::Truth(runs.next(page)? == 1),
            Coding::Places(places) => {
                let place = places.next(page)?;
                Now::InDictionary(self.dictionary.as_ref()?.range(place, self.leaf.kind)?)
            }
        };
        Some(())
    }

    /// The bytes of the present value; none where it is null.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.now {
            Now::Null | Now::Truth(_) => None,
            Now::InPage(range) => self.page.get(range.clone()),
            Now::InDictionary(range) => self.dictionary.as_ref()?.bytes.get(range.clone()),
        }
    }

    /// The present value as a truth.
    pub(super) fn truth(&self) -> Option<bool> {
        if let Now::Truth(truth) = self.now { Some(truth) } else { None }
    }

    /// The present value as a number.
    pub(super) fn number(&self) -> Option<i64> {
        let bytes = self.bytes()?;
        match bytes.len() {
            4 => bytes.try_into().ok().map(|four| i64::from(i32::from_le_bytes(four))),
            _ => bytes.try_into().ok().map(i64::from_le_bytes),
        }
    }

    /// The present value as a moment: seconds since 1970, and nanoseconds.
    pub(super) fn moment(&self) -> Option<(i64, u32)> {
        match self.leaf.kind {
            Kind::Moment(units) => {
                let number = self.number()?;
                let part = number.rem_euclid(units) * (1_000_000_000 / units);
                Some((number.div_euclid(units), u32::try_from(part).ok()?))
            }
            Kind::Day => {
                let mut cursor = Cursor::new(self.bytes()?);
                let (nanos, day) = (cursor.fixed64()?, cursor.fixed32()?);
                // Days are those of Julian's count.
                let days = i64::from(day.cast_signed()) - 2_440_588;
                let within = i64::try_from(nanos / 1_000_000_000).ok().filter(|within| *within < 86_400)?;
                Some((days * 86_400 + within, u32::try_from(nanos % 1_000_000_000).ok()?))
            }
            _ => None,
        }
    }
}

/// Where the value lies that begins at a place.
fn plain(bytes: &[u8], at: usize, kind: Kind) -> Option<Range<usize>> {
    let (begin, length) = match kind.width() {
        Some(width) => (at, width),
        None => {
            let begin = at.checked_add(4)?;
            let length = Cursor::new(bytes.get(at..begin)?).fixed32()?;
            (begin, usize::try_from(length).ok()?)
        }
    };
    let end = begin.checked_add(length)?;
    (end <= bytes.len()).then_some(begin..end)
}

impl Dictionary {
    /// Finds so many values; none if there are not as many, or more.
    fn read(bytes: Vec<u8>, kind: Kind, count: u64) -> Option<Self> {
        let count = u32::try_from(count).ok()?;
        let many = usize::try_from(count).ok()?;
        let mut texts = Vec::new();
        let end = match kind.width() {
            Some(width) => many.checked_mul(width)?,
            None => {
                // Each has its length in four bytes.
                if many > bytes.len() / 4 {
                    return None;
                }
                texts.reserve_exact(many);
                let mut at = 0;
                for _ in 0..count {
                    let range = plain(&bytes, at, kind)?;
                    at = range.end;
                    texts.push(u32::try_from(range.start).ok()?..u32::try_from(range.end).ok()?);
                }
                at
            }
        };
        (end == bytes.len()).then_some(Self { bytes, texts, count })
    }

    /// Where a value lies.
    fn range(&self, place: u32, kind: Kind) -> Option<Range<usize>> {
        let place = usize::try_from(place).ok()?;
        match kind.width() {
            Some(width) => {
                let begin = place.checked_mul(width)?;
                (place < usize::try_from(self.count).ok()?).then_some(begin..begin.checked_add(width)?)
            }
            None => {
                let Range { start, end } = self.texts.get(place)?;
                Some(usize::try_from(*start).ok()?..usize::try_from(*end).ok()?)
            }
        }
    }
}
