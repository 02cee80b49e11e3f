//! The `.index` file beside a `Data.fs`: writes it as ZODB does and reads all that ZODB has written.
//!
//! The file is a row of pickles: the offset up to which the index holds, one pair for each 48-bit
//! oid prefix, and `None`. A pair's second half, the bucket, is `k` keys of 2 bytes (the low ends of
//! the oids, ascending) and then `k` offsets of 6 bytes, big-endian (`fsIndex.save` in
//! `ZODB/fsIndex.py`, `fsBucket.toString` in BTrees). Pickling is "fast": nothing is memoized.

use super::Oid;
use super::index::OidIndex;

mod decode;
#[cfg(test)]
mod tests;

pub use decode::Decoder;

/// The most bytes that a bucket can have: 65 536 objects of 8.
const LONGEST_BUCKET: usize = 8 * 65_536;

/// A part of a `.index` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// The offset up to which the index holds: the end of a transaction. Always first.
    Pos(u64),
    /// Objects that share the high 48 bits of their oids.
    Bucket(Bucket<'a>),
    /// The index is complete. Always last.
    End,
}

/// Objects that share the high 48 bits of their oids, with as many keys as values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket<'a> {
    /// The high 48 bits of the oids.
    pub prefix: u64,
    /// The low 16 bits of each oid, big-endian, strictly ascending.
    pub keys: &'a [[u8; 2]],
    /// The offset of each object's current record, big-endian.
    pub values: &'a [[u8; 6]],
}

impl Bucket<'_> {
    /// The objects and the offsets of their records, ascending by oid.
    pub fn iter(&self) -> impl Iterator<Item = (Oid, u64)> {
        let [_, _, p @ ..] = self.prefix.to_be_bytes();
        self.keys.iter().zip(self.values).map(move |(&[x, y], &[a, b, c, d, e, f])| {
            let [g, h, i, j, k, l] = p;
            (u64::from_be_bytes([g, h, i, j, k, l, x, y]), u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
        })
    }
}

/// Why a `.index` file cannot be read. Losing one costs a scan of the `Data.fs`, nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {at})")]
pub struct Bad {
    /// The offset in the `.index` file, in bytes.
    pub at: u64,
    /// What is wrong there.
    pub what: BadKind,
}

/// What can be wrong with a `.index` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKind {
    /// A pickled dictionary, as ZODB before 3.10 wrote it.
    #[error("the index has the form of an old ZODB, a single dictionary")]
    OldForm,
    /// The file ends before its final `None`.
    #[error("the index ends too early")]
    Truncated,
    /// Bytes follow the final `None`.
    #[error("bytes follow after the end of the index")]
    Trailing,
    /// A pickle protocol that no ZODB has used for an index.
    #[error("the index uses the unknown pickle protocol {0}")]
    Protocol(u8),
    /// A pickle opcode that does not belong here.
    #[error("the index has the unexpected pickle opcode {0:#04x}")]
    Opcode(u8),
    /// A number that is negative, malformed or beyond 64 bits.
    #[error("the index holds a number that is no offset")]
    Number,
    /// The first pickle is no number, or a later one is neither a pair nor `None`.
    #[error("the index has a part of the wrong kind")]
    Order,
    /// A prefix that does not have 6 bytes.
    #[error("the index has an oid prefix of the wrong length")]
    PrefixLen,
    /// A bucket that is empty, too long or no multiple of 8 bytes.
    #[error("the index has a bucket of the wrong length")]
    BucketLen,
    /// Prefixes or keys that do not ascend.
    #[error("the oids of the index do not ascend")]
    Unsorted,
}

/// Writes `index` as it holds up to offset `pos` of the `Data.fs`: byte for byte what `fsIndex.save`
/// writes. Each bucket is one call of `out`, of up to 512 KiB.
pub fn encode(index: &OidIndex, pos: u64, out: &mut impl FnMut(&[u8])) {
    let mut pickle = PROTO.to_vec();
    encode_int(pos, &mut pickle);
    pickle.push(b'.');
    out(&pickle);
    for (prefix, bucket) in index.buckets() {
        let [_, _, prefix @ ..] = prefix.to_be_bytes();
        pickle.clear();
        pickle.extend(PROTO);
        pickle.extend([b'C', 6]);
        pickle.extend(prefix);
        let len = 8 * bucket.iter().map(|slots| slots.len()).sum::<usize>();
        match u8::try_from(len) {
            Ok(short) => pickle.extend([b'C', short]),
            Err(_) => {
                pickle.push(b'B');
                pickle.extend(u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
            }
        }
        bucket.iter().for_each(|slots| slots.iter().for_each(|s| pickle.extend(s.low)));
        bucket.iter().for_each(|slots| slots.iter().for_each(|s| pickle.extend(s.offset)));
        pickle.extend(b"\x86.");
        out(&pickle);
    }
    out(b"\x80\x03N.");
}

/// How each pickle of protocol 3 begins.
const PROTO: [u8; 2] = [0x80, 3];

/// Pickles a number in the shortest of the forms that Python's pickler has.
fn encode_int(n: u64, out: &mut Vec<u8>) {
    if let Ok(n) = u8::try_from(n) {
        out.extend([b'K', n]);
    } else if let Ok(n) = u16::try_from(n) {
        out.push(b'M');
        out.extend(n.to_le_bytes());
    } else if let Ok(n) = i32::try_from(n) {
        out.push(b'J');
        out.extend(n.to_le_bytes());
    } else {
        // Two's complement of the least length: one zero byte more if the top bit is set.
        let bits = u64::BITS - n.leading_zeros();
        let len = usize::try_from(bits / 8 + 1).unwrap_or(9);
        let wide = u128::from(n).to_le_bytes();
        out.extend([0x8a, u8::try_from(len).unwrap_or(9)]);
        out.extend(wide.iter().take(len));
    }
}

/// Reads a whole `.index` file: the offset up to which it holds, and the objects.
///
/// # Errors
/// [`Bad`] when the bytes are not such a file.
pub fn decode_whole(bytes: &[u8]) -> Result<(u64, OidIndex), Bad> {
    let (mut pos, mut index) = (0, OidIndex::new());
    let mut decoder = Decoder::new();
    decoder.push(bytes, &mut |entry| match entry {
        Entry::Pos(n) => pos = n,
        Entry::Bucket(bucket) => index.add_bucket(&bucket),
        Entry::End => {}
    })?;
    decoder.finish()?;
    Ok((pos, index))
}

impl OidIndex {
    /// Sets every entry of a bucket.
    pub fn add_bucket(&mut self, bucket: &Bucket<'_>) {
        for ((oid, _), value) in bucket.iter().zip(bucket.values) {
            self.set(oid, *value);
        }
    }
}
