//! `Encoder`: writes an index, row by row. Holds one block.

use super::last::Last;
use super::row::{Before, Latest, Row};
use super::tail::{Block, Point, Tail, Trailer, is_point};
use super::{ASIDES, BYTES, POINTS, ROWS};
use crate::codec::Packer;
use crate::digest::{Algorithm, Digest, of, sha256_of};
use crate::formats::mirror::open::Open;

/// The level of zstd: literals are stored as they are, as most of them are digests. Beside the first level, a whole
/// plan takes a quarter less CPU time, and an index is a fourteenth larger.
const LEVEL: i32 = -1;

/// The longest row, in bytes: keys, words, spans and digests at their longest.
const ROW: usize = 32 << 10;

/// An index that is being written.
pub struct Encoder {
    tail: Tail,
    packer: Packer,
    /// The rows of the block that was begun.
    rows: Vec<u8>,
    count: u32,
    first: Vec<u8>,
    before: Before,
    last: Last,
    /// How many objects and bytes become the latest, and cease to be, from point to point.
    steps: Vec<(i64, i64)>,
    open: Open,
    asides: usize,
    at: u64,
    /// How many rows a block has, at most.
    most: u32,
}

impl Encoder {
    /// Begins the index of a bucket with these points, the oldest first; what they say of objects and bytes is counted
    /// anew.
    ///
    /// # Errors
    /// There can be no such index: a sentence.
    pub fn new(bucket: &str, points: Vec<Point>) -> Result<Self, String> {
        if points.is_empty() || points.len() > POINTS {
            return Err(format!("an index has from 1 to {POINTS} points, and not {}", points.len()));
        }
        if let Some(point) = points.iter().find(|point| !is_point(&point.name)) {
            return Err(format!("'{}' is no point: an inventory's folder is called YYYY-MM-DDThh-mmZ", point.name));
        }
        if !points.is_sorted_by(|one, other| one.name < other.name) {
            return Err("the points of an index come in the order of time, each once".to_owned());
        }
        let steps = vec![(0, 0); points.len().saturating_add(1)];
        Ok(Self {
            tail: Tail { bucket: bucket.to_owned(), points, ..Tail::default() },
            packer: Packer::new(LEVEL)?,
            rows: Vec::new(),
            count: 0,
            first: Vec::new(),
            before: Before::default(),
            last: Last::default(),
            steps,
            open: Open::default(),
            asides: 0,
            at: 0,
            most: ROWS,
        })
    }

    /// With fewer rows a block than usual.
    #[cfg(test)]
    pub(in crate::formats::mirror) fn of_blocks(self, most: u32) -> Self {
        Self { most, ..self }
    }

    /// Takes the next row, and hands on what of the file is ready.
    ///
    /// # Errors
    /// It can be no row, or does not come behind the one before it; a sentence. The index is not to be used then.
    pub fn push(&mut self, row: &Row<'_>, out: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        // A row that is refused leaves nothing that could be gone on with.
        let told = |what: &str| {
            let (key, version) = (crate::name::printable(row.key), crate::name::printable(row.version));
            format!("the version {version} of '{key}' can have no place in an index: {what}")
        };
        row.judge(self.tail.newest()).map_err(told)?;
        if !self.last.take(row) {
            return Err(told("it does not come behind the one before it"));
        }
        if self.count == self.most || self.rows.len().saturating_add(ROW) > BYTES {
            self.end_block(out)?;
        }
        if self.count == 0 {
            self.first = row.key.to_vec();
            self.before = Before::default();
        }
        row.push(&mut self.before, self.tail.newest(), &mut self.rows);
        self.count = self.count.saturating_add(1);
        self.tally(row);
        if !row.marker {
            self.notice(row.key)?;
        }
        Ok(())
    }

    /// Keeps the keys that turn out to be folders too.
    fn notice(&mut self, key: &[u8]) -> Result<(), String> {
        let (asides, size) = (&mut self.tail.asides, &mut self.asides);
        self.open.take(key, &mut |aside| {
            *size = size.saturating_add(aside.len()).saturating_add(size_of::<Vec<u8>>());
            asides.push(aside.to_vec());
        });
        if self.asides > ASIDES {
            return Err(format!("{} keys are files and folders at once, and that is too many", self.tail.asides.len()));
        }
        Ok(())
    }

    fn tally(&mut self, row: &Row<'_>) {
        let totals = &mut self.tail.totals;
        totals.rows = totals.rows.saturating_add(1);
        // All others are counted.
        if row.pruned {
            return;
        }
        let kind = match (row.marker, row.wanted, row.digest()) {
            (true, _, _) => &mut totals.markers,
            (_, true, _) => &mut totals.wanted,
            (_, _, Some(Digest::Md5(_) | Digest::Etag { .. })) => &mut totals.recorded,
            (_, _, Some(_)) => &mut totals.received,
            (_, _, None) => &mut totals.unproven,
        };
        *kind = kind.saturating_add(1);
        if row.marker {
            return;
        }
        if !row.wanted {
            totals.bytes = totals.bytes.saturating_add(row.size);
        }
        if row.latest == Latest::Never {
            return;
        }
        let size = row.size.cast_signed();
        for span in row.latest_spans() {
            let (first, end) = (span.first as usize, span.last as usize + 1);
            for (at, sign) in [(first, 1), (end, -1)] {
                if let Some((objects, bytes)) = self.steps.get_mut(at) {
                    *objects = objects.wrapping_add(sign);
                    *bytes = bytes.wrapping_add(size.wrapping_mul(sign));
                }
            }
        }
    }

    fn end_block(&mut self, out: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        if self.count == 0 {
            return Ok(());
        }
        let packed = self.packer.pack(&self.rows)?;
        out(packed);
        let Digest::Xxh3(sum) = of(Algorithm::Xxh3, packed) else { return Err("XXH3 gives no XXH3".to_owned()) };
        let stored = u32::try_from(packed.len()).map_err(|_| "a block is too long".to_owned())?;
        let first = std::mem::take(&mut self.first);
        self.tail.blocks.push(Block { at: self.at, stored, rows: self.count, sum, first });
        self.at = self.at.saturating_add(u64::from(stored));
        self.rows.clear();
        self.count = 0;
        Ok(())
    }

    /// Keeps that so many rows of the newest point's inventory could not be read.
    pub fn lacks(&mut self, unread: u64) {
        if let Some(newest) = self.tail.points.last_mut() {
            newest.unread = unread;
        }
    }

    /// Ends the index: hands on the rest of the file.
    ///
    /// # Errors
    /// As [`Encoder::push`].
    pub fn finish(mut self, out: &mut dyn FnMut(&[u8])) -> Result<Written, String> {
        self.end_block(out)?;
        let mut sums = (0_i64, 0_i64);
        for (point, step) in self.tail.points.iter_mut().zip(&self.steps) {
            sums = (sums.0.wrapping_add(step.0), sums.1.wrapping_add(step.1));
            (point.objects, point.bytes) = (sums.0.cast_unsigned(), sums.1.cast_unsigned());
        }
        self.tail.asides.sort_unstable();
        let tail = self.tail.encode();
        let trailer = Trailer::encode(&tail);
        // A tail that is too long is refused by whoever reads it.
        Trailer::parse(&trailer).map_err(|odd| odd.to_string())?;
        let head = Trailer::head(tail.len() as u64);
        let parts = [&head[..], &tail, &trailer];
        parts.iter().for_each(|part| out(part));
        let size = parts.iter().fold(self.at, |size, part| size.saturating_add(part.len() as u64));
        Ok(Written { tail: self.tail, sum: sha256_of(&tail), size })
    }
}

/// An index that was written, as its pointer knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its tail.
    pub tail: Tail,
    /// The SHA-256 of that.
    pub sum: Digest,
    /// How long the file is, in bytes.
    pub size: u64,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("tail", &self.tail).finish_non_exhaustive()
    }
}
