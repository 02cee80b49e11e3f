//! Writes gzip members that can be found again without inflating ([`highwater_core::codec::member`]).
//!
//! Compression is libdeflate's: twice as fast as zlib at the same size.

use std::io;

use highwater_core::codec::member::{HEADER, Lengths, header};
use libdeflater::{CompressionLvl, Compressor, Crc};

/// Decompressed bytes a member: long enough that losing the window at its start costs little, short
/// enough to keep one for every core in memory.
pub(super) const MEMBER: usize = 2 * 1024 * 1024;

/// Bytes of the trailer: CRC-32 and decompressed length.
const TRAILER: usize = 8;

/// Compresses `raw`, at most [`MEMBER`] bytes, as one member. `level` is 1 to 9, as zlib counts.
///
/// The same bytes give the same member on every machine: there is no time stamp in it.
///
/// # Errors
/// None in practice: the buffer is as large as the library asks for.
pub(super) fn member(raw: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let level = i32::try_from(level).ok().and_then(|level| CompressionLvl::new(level).ok()).unwrap_or_default();
    let mut deflate = Compressor::new(level);
    let mut out = vec![0; HEADER + deflate.deflate_compress_bound(raw.len()) + TRAILER];
    let compressed = deflate.deflate_compress(raw, &mut out[HEADER..]).map_err(io::Error::other)?;
    let mut crc = Crc::new();
    crc.update(raw);
    let length = u32::try_from(raw.len()).map_err(io::Error::other)?;
    out.truncate(HEADER + compressed);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    let stored = u32::try_from(out.len()).map_err(io::Error::other)?;
    out[..HEADER].copy_from_slice(&header(Lengths { stored, decoded: length }));
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
