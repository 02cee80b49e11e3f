//! Writes gzip members that can be found again without inflating: the lengths stand in the header.
//!
//! The extra field (RFC 1952 section 2.3.1.1) has one subfield: `H` `W`, length 8, then two little-endian 32-bit
//! numbers: the whole member's length in bytes, and the decompressed length. Every gzip reader skips it.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Decompressed bytes a member: long enough that losing the window at its start costs little, short
/// enough to keep one for every core in memory.
pub const MEMBER: usize = 2 * 1024 * 1024;

/// Header up to the end of the subfield's own header: magic, deflate, FEXTRA, no time, no hints,
/// unknown system; extra length 12; `HW`, 8.
const HEADER: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 12, 0, b'H', b'W', 8, 0];

/// Compresses `raw`, at most [`MEMBER`] bytes, as one member. `level` is zlib's, 1 to 9.
///
/// The same bytes give the same member on every machine: there is no time stamp in it.
#[must_use]
pub fn member(raw: &[u8], level: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() / 2 + 1024);
    out.extend_from_slice(&HEADER);
    out.extend_from_slice(&[0; 8]);
    let mut deflate = Compress::new(Compression::new(level.clamp(1, 9)), false);
    loop {
        let taken = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        out.reserve(out.capacity().max(1024));
        let result = deflate.compress_vec(raw.get(taken..).unwrap_or_default(), &mut out, FlushCompress::Finish);
        // Compressing into growing memory cannot fail; a reader would notice a cut member anyway.
        if matches!(result, Ok(Status::StreamEnd) | Err(_)) {
            break;
        }
    }
    let mut crc = Crc::new();
    crc.update(raw);
    let decompressed = u32::try_from(raw.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&decompressed.to_le_bytes());
    let whole = u32::try_from(out.len()).unwrap_or(u32::MAX);
    let lengths = whole.to_le_bytes().into_iter().chain(decompressed.to_le_bytes());
    out.iter_mut().skip(HEADER.len()).zip(lengths).for_each(|(slot, byte)| *slot = byte);
    out
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn another_reader_gets_the_bytes_back_and_the_lengths_are_right() {
        for raw in [Vec::new(), b"x".to_vec(), (0..300_000u32).flat_map(|i| i.wrapping_mul(i).to_le_bytes()).collect()]
        {
            for level in [1, 6, 9] {
                let stored = member(&raw, level);
                let number = |at: usize| u32::from_le_bytes(stored[at..at + 4].try_into().unwrap()) as usize;
                assert_eq!((number(16), number(20)), (stored.len(), raw.len()));
                let mut out = Vec::new();
                flate2::read::MultiGzDecoder::new(&[&stored[..], &stored].concat()[..]).read_to_end(&mut out).unwrap();
                assert_eq!(out, [&raw[..], &raw].concat());
            }
        }
    }
}
