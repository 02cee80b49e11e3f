//! `Row`: a version of a key, and what is known of it.

use super::super::names;
use super::{SPANS, WORD};
use crate::cursor::Cursor;
#[cfg(not(target_family = "wasm"))]
use crate::cursor::{push_prefixed, push_varint};
use crate::digest::{Algorithm, Digest, etag};
use crate::inventory::{Etag, LONGEST_KEY};
use crate::name::Name;

/// A version of a key. What it points to is gone when the next one is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The version; `null` for what was written before versions were kept.
    pub version: &'a [u8],
    /// The ETag.
    pub etag: Etag<'a>,
    /// The length in bytes.
    pub size: u64,
    /// When it was written: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// It is no object, but says that one was deleted.
    pub marker: bool,
    /// It is wanted, and was not had.
    pub wanted: bool,
    /// It was pruned: its bytes are not here, and nobody wants them.
    pub pruned: bool,
    /// What S3 recorded that what lies here was found to give.
    pub proof: Proof,
    /// The SHA-256 of what arrived, if it is kept.
    pub own: Option<[u8; 32]>,
    /// Which points have it.
    pub seen: Seen,
    /// In which it is the latest of its key.
    pub latest: Latest<'a>,
}

/// What S3 recorded that the bytes gave when they arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// Their MD5 is the ETag.
    Md5,
    /// Their parts of this length give the ETag.
    Parts(u64),
}

/// The first and the last point that a version was seen in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// In which points a version is the latest of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latest<'a> {
    /// In none.
    Never,
    /// In all that it was seen in.
    Seen,
    /// From the first to the last of each of these, in order.
    Spans(&'a [Seen]),
}

/// Flags of a row's first byte.
const MARKER: u8 = 1;
const WANTED: u8 = 2;
const OWN: u8 = 4;
const NANOS: u8 = 8;

/// Flags of its second byte.
const NEWEST: u8 = 16;
const PRUNED: u8 = 32;

/// What a row is read and written next to.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    pub(super) key: Vec<u8>,
    pub(super) seconds: i64,
    pub(super) spans: Vec<Seen>,
}

impl<'a> Row<'a> {
    /// The digest of what lies here; none where none is on record.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match (self.proof, self.etag) {
            (Proof::Md5, Etag::Plain(sum)) => Some(Digest::Md5(sum)),
            (Proof::Parts(part), Etag::Parts(sum, parts)) => {
                Digest::new(Algorithm::Etag { part }, &etag::value(sum, parts))
            }
            _ => self.own.map(Digest::Sha256),
        }
    }

    /// Whether it is the latest of its key in a point.
    #[must_use]
    pub fn is_latest(&self, point: u32) -> bool {
        self.latest_spans().any(|span| (span.first..=span.last).contains(&point))
    }

    /// The spans of points in which it is the latest.
    pub fn latest_spans(&self) -> impl Iterator<Item = Seen> + 'a {
        let (seen, spans): (_, &'a [Seen]) = match self.latest {
            Latest::Never => (None, &[]),
            Latest::Seen => (Some(self.seen), &[]),
            Latest::Spans(spans) => (None, spans),
        };
        seen.into_iter().chain(spans.iter().copied())
    }

    /// Where it lies when the tree shows a point; none of a mark, and of what was pruned.
    #[must_use]
    pub fn place(&self, point: u32, aside: bool) -> Option<Name> {
        if self.marker || self.pruned {
            return None;
        }
        if self.is_latest(point) {
            return names::latest(self.key, aside);
        }
        names::old(self.key, self.version, &super::text(&self.etag))
    }

    /// What orders rows: no two have the same.
    pub(super) fn order(&self) -> (&'a [u8], &'a [u8], Etag<'a>) {
        (self.key, self.version, self.etag)
    }

    /// Writes it behind another one of its block.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn push(&self, before: &mut Before, newest: u32, out: &mut Vec<u8>) {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let (proof, part) = match self.proof {
            Proof::Nothing => (0, None),
            Proof::Md5 => (1, None),
            Proof::Parts(part) => (2, Some(part)),
        };
        let version = match self.version {
            b"null" => 0,
            version if version.len() == 32 => 1,
            _ => 2,
        };
        let etag = match self.etag {
            Etag::Plain(_) => 0,
            Etag::Parts(..) => 1,
            Etag::Other(_) => 2,
        };
        let latest = match self.latest {
            Latest::Never => 0,
            Latest::Seen => 1,
            Latest::Spans(_) => 2,
        };
        let (seconds, nanos) = self.modified;
        out.push(
            flag(self.marker, MARKER)
                | flag(self.wanted, WANTED)
                | flag(self.own.is_some(), OWN)
                | flag(nanos > 0, NANOS)
                | proof << 4
                | version << 6,
        );
        out.push(etag | latest << 2 | flag(self.seen.last == newest, NEWEST) | flag(self.pruned, PRUNED));
        let shared = shared(&before.key, self.key);
        push_varint(shared as u64, out);
        push_prefixed(self.key.get(shared..).unwrap_or_default(), out);
        match version {
            0 => {}
            1 => out.extend_from_slice(self.version),
            _ => push_prefixed(self.version, out),
        }
        match self.etag {
            Etag::Plain(sum) => out.extend_from_slice(&sum),
            Etag::Parts(sum, parts) => {
                out.extend_from_slice(&sum);
                push_varint(u64::from(parts), out);
            }
            Etag::Other(text) => push_prefixed(text, out),
        }
        push_varint(self.size, out);
        push_varint(zigzag(seconds.wrapping_sub(before.seconds)), out);
        if nanos > 0 {
            push_varint(u64::from(nanos), out);
        }
        part.into_iter().for_each(|part| push_varint(part, out));
        self.own.iter().for_each(|own| out.extend_from_slice(own));
        push_varint(u64::from(self.seen.first), out);
        if self.seen.last != newest {
            push_varint(u64::from(newest.saturating_sub(self.seen.last)), out);
        }
        if let Latest::Spans(spans) = self.latest {
            push_varint(spans.len() as u64, out);
            for span in spans {
                push_varint(u64::from(span.first), out);
                push_varint(u64::from(span.last.saturating_sub(span.first)), out);
            }
        }
        before.key.truncate(shared);
        before.key.extend_from_slice(self.key.get(shared..).unwrap_or_default());
        before.seconds = seconds;
    }

    /// Reads the row behind another one of its block.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub(super) fn read(cursor: &mut Cursor<'a>, before: &'a mut Before, newest: u32) -> Result<Self, &'static str> {
        let ends = "it ends in the middle";
        let (one, two) = (cursor.byte().ok_or(ends)?, cursor.byte().ok_or(ends)?);
        let shared = cursor.varint64().and_then(|shared| usize::try_from(shared).ok()).ok_or(ends)?;
        let rest = cursor.prefixed().ok_or(ends)?;
        if shared > before.key.len() || shared.saturating_add(rest.len()) > LONGEST_KEY {
            return Err("its key is longer than any");
        }
        before.key.truncate(shared);
        before.key.extend_from_slice(rest);
        let version = match one >> 6 {
            0 => b"null",
            1 => cursor.take(32).ok_or(ends)?,
            2 => cursor.prefixed().ok_or(ends)?,
            _ => return Err("its version is of no kind"),
        };
        let sum = |cursor: &mut Cursor<'a>| cursor.take(16)?.try_into().ok();
        let etag = match two & 3 {
            0 => Etag::Plain(sum(cursor).ok_or(ends)?),
            1 => Etag::Parts(sum(cursor).ok_or(ends)?, cursor.varint32().ok_or(ends)?),
            2 => Etag::Other(cursor.prefixed().ok_or(ends)?),
            _ => return Err("its ETag is of no kind"),
        };
        let size = cursor.varint64().ok_or(ends)?;
        let seconds = before.seconds.wrapping_add(unzigzag(cursor.varint64().ok_or(ends)?));
        before.seconds = seconds;
        let nanos = if one & NANOS == 0 { 0 } else { cursor.varint32().ok_or(ends)? };
        let proof = match one >> 4 & 3 {
            0 => Proof::Nothing,
            1 => Proof::Md5,
            2 => Proof::Parts(cursor.varint64().ok_or(ends)?),
            _ => return Err("it is proven by nothing known"),
        };
        let own =
            if one & OWN == 0 { None } else { Some(cursor.take(32).and_then(|own| own.try_into().ok()).ok_or(ends)?) };
        let first = cursor.varint32().ok_or(ends)?;
        let back = if two & NEWEST != 0 { 0 } else { cursor.varint32().ok_or(ends)? };
        let seen = Seen { first, last: newest.checked_sub(back).ok_or("it was seen last before there were points")? };
        before.spans.clear();
        if two >> 2 & 3 == 2 {
            let count = cursor.varint32().filter(|count| *count as usize <= SPANS).ok_or("it has too many spans")?;
            for _ in 0..count {
                let (first, more) = (cursor.varint32().ok_or(ends)?, cursor.varint32().ok_or(ends)?);
                before.spans.push(Seen { first, last: first.saturating_add(more) });
            }
        }
        let latest = match two >> 2 & 3 {
            0 => Latest::Never,
            1 => Latest::Seen,
            2 => Latest::Spans(&before.spans),
            _ => return Err("it was the latest in no known way"),
        };
        if two & !63 != 0 {
            return Err("it has flags that are not known");
        }
        let (marker, wanted, pruned) = (one & MARKER != 0, one & WANTED != 0, two & PRUNED != 0);
        let (key, modified) = (before.key.as_slice(), (seconds, nanos));
        let row = Self { key, version, etag, size, modified, marker, wanted, pruned, proof, own, seen, latest };
        row.judge(newest)?;
        Ok(row)
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// Why not, as a clause.
    pub(super) fn judge(&self, newest: u32) -> Result<(), &'static str> {
        let long = |etag: &Etag<'_>| matches!(etag, Etag::Other(text) if text.len() > WORD);
        if self.key.is_empty() || self.key.len() > LONGEST_KEY {
            return Err("its key has no length that a key can have");
        }
        if self.version.is_empty() || self.version.len() > WORD || long(&self.etag) {
            return Err("its version or its ETag has no length that such can have");
        }
        // A text that has a shorter form would be another row of the same version.
        if matches!(self.etag, Etag::Other(text) if Etag::parse(text) != self.etag)
            || matches!(self.etag, Etag::Parts(_, 0))
        {
            return Err("its ETag is written as it never is");
        }
        if self.modified.1 >= 1_000_000_000 {
            return Err("it was written at no moment");
        }
        if self.seen.first > self.seen.last || self.seen.last > newest {
            return Err("the points that have it are none");
        }
        let proven = matches!(
            (self.proof, self.etag),
            (Proof::Nothing, _) | (Proof::Md5, Etag::Plain(_)) | (Proof::Parts(1..), Etag::Parts(..))
        );
        let has = self.proof != Proof::Nothing || self.own.is_some();
        let without = [self.marker, self.wanted, self.pruned].into_iter().filter(|is| *is).count();
        if !proven || without > 1 || has && without > 0 || self.pruned && self.latest != Latest::Never {
            return Err("what is said of its bytes contradicts itself");
        }
        if let Latest::Spans(spans) = self.latest {
            let ordered = spans.windows(2).all(|pair| match pair {
                [one, other] => one.last < other.first,
                _ => false,
            });
            let within = spans
                .iter()
                .all(|span| self.seen.first <= span.first && span.first <= span.last && span.last <= self.seen.last);
            if !ordered || !within || spans.is_empty() || spans.len() > SPANS {
                return Err("the points in which it is the latest are not those that have it");
            }
        }
        Ok(())
    }
}

/// How many bytes two keys begin with together; eight at a time, as keys have many.
#[cfg(not(target_family = "wasm"))]
fn shared(one: &[u8], other: &[u8]) -> usize {
    let (eights, others) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0);
    let whole = eights.iter().zip(others).take_while(|(one, other)| one == other).count().saturating_mul(8);
    let rest = one.iter().zip(other).skip(whole);
    whole.saturating_add(rest.take_while(|(one, other)| one == other).count())
}

/// A number whose sign is its lowest bit.
#[cfg(not(target_family = "wasm"))]
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}
