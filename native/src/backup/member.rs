//! Writes gzip members that can be found again without inflating: their lengths stand in the header.
//!
//! The extra field (RFC 1952 section 2.3.1.1) has one subfield: `H` `W`, length 8, then two little-endian 32-bit
//! numbers: the whole member's length in bytes, and the decompressed length. Every gzip reader skips it.
//! Compression is libdeflate's: twice as fast as zlib at the same size.

use std::io;

use libdeflater::{CompressionLvl, Compressor, Crc};

/// Decompressed bytes a member: long enough that losing the window at its start costs little, short
/// enough to keep one for every core in memory.
pub(super) const MEMBER: usize = 2 * 1024 * 1024;

/// Header up to the end of the subfield's own header: magic, deflate, FEXTRA, no time, no hints,
/// unknown system; extra length 12; `HW`, 8.
const HEADER: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 12, 0, b'H', b'W', 8, 0];

/// Bytes of the two lengths, and of the trailer: CRC-32 and decompressed length.
const NUMBERS: usize = 8;

/// Compresses `raw`, at most [`MEMBER`] bytes, as one member. `level` is 1 to 9, as zlib counts.
///
/// The same bytes give the same member on every machine: there is no time stamp in it.
///
/// # Errors
/// None in practice: the buffer is as large as the library asks for.
pub(super) fn member(raw: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let level = i32::try_from(level).ok().and_then(|level| CompressionLvl::new(level).ok()).unwrap_or_default();
    let mut deflate = Compressor::new(level);
    let start = HEADER.len() + NUMBERS;
    let mut out = vec![0; start + deflate.deflate_compress_bound(raw.len()) + NUMBERS];
    let compressed = deflate.deflate_compress(raw, &mut out[start..]).map_err(io::Error::other)?;
    let mut crc = Crc::new();
    crc.update(raw);
    let length = u32::try_from(raw.len()).map_err(io::Error::other)?;
    out.truncate(start + compressed);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    let whole = u32::try_from(out.len()).map_err(io::Error::other)?;
    out[..HEADER.len()].copy_from_slice(&HEADER);
    out[HEADER.len()..][..4].copy_from_slice(&whole.to_le_bytes());
    out[HEADER.len() + 4..][..4].copy_from_slice(&length.to_le_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn another_reader_gets_the_bytes_back_and_the_lengths_are_right() {
        let long = (0..300_000u32).flat_map(|i| i.wrapping_mul(i).to_le_bytes()).collect();
        for raw in [Vec::new(), b"x".to_vec(), long] {
            for level in 1..=9 {
                let stored = member(&raw, level).unwrap();
                let number = |at: usize| u32::from_le_bytes(stored[at..at + 4].try_into().unwrap()) as usize;
                assert_eq!((number(16), number(20)), (stored.len(), raw.len()));
                let mut out = Vec::new();
                flate2::read::MultiGzDecoder::new(&[&stored[..], &stored].concat()[..]).read_to_end(&mut out).unwrap();
                assert_eq!(out, [&raw[..], &raw].concat());
            }
        }
    }
}
