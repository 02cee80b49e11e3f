//! `Etag`: the ETag of an object that was uploaded to S3 in parts: the MD5 of the parts' MD5s, and how many there were.
//!
//! ```text
//! "9b2cf535f27731c974343645a3985328-3"   hex MD5 of (16 bytes of MD5 of part 1, of part 2, of part 3), then their number
//! ```
//!
//! Every part but the last has one size, which no ETag tells: whoever makes the claim knows it, or tries likely ones.
//! An object in one piece has its own MD5 as its ETag, without a number; one that S3 encrypted with a key of KMS or of
//! the customer's has an ETag of which no bytes follow, and no claim can be made of it. An empty object in parts has
//! one empty part.

use super::md5::Md5;

/// Bytes of a value: those of the MD5, then the number of parts, most significant byte first.
pub const LENGTH: usize = 20;

/// A running ETag.
#[derive(Clone, Debug)]
pub struct Etag {
    /// Bytes of a part.
    size: u64,
    /// The part that was begun, and how many bytes it still takes.
    part: Md5,
    left: u64,
    /// Of the digests of the parts that are over.
    whole: Md5,
    parts: u32,
}

impl Etag {
    /// Starts the ETag of an object in parts of `size` bytes; of size 0 there is but one part.
    #[must_use]
    pub fn new(size: u64) -> Self {
        let size = if size == 0 { u64::MAX } else { size };
        Self { size, part: Md5::new(), left: size, whole: Md5::new(), parts: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A part is over only when something follows it.
            if self.left == 0 {
                self.end_part();
                self.left = self.size;
            }
            let room = usize::try_from(self.left).unwrap_or(usize::MAX);
            let (piece, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.part.update(piece);
            self.left = self.left.saturating_sub(piece.len() as u64);
            bytes = rest;
        }
    }

    /// The value of everything taken so far.
    #[must_use]
    pub fn finish(mut self) -> [u8; LENGTH] {
        self.end_part();
        value(self.whole.finish(), self.parts)
    }

    fn end_part(&mut self) {
        self.whole.update(&std::mem::take(&mut self.part).finish());
        self.parts = self.parts.saturating_add(1);
    }
}

/// The value of an MD5 of MD5s and a number of parts.
pub(crate) fn value(sum: [u8; 16], parts: u32) -> [u8; LENGTH] {
    let mut value = [0; LENGTH];
    value.iter_mut().zip(sum.into_iter().chain(parts.to_be_bytes())).for_each(|(slot, byte)| *slot = byte);
    value
}

/// A value's MD5 and its number of parts.
pub(super) fn parted(value: &[u8; LENGTH]) -> (&[u8], u32) {
    let (sum, parts) = value.split_last_chunk().unwrap_or((value, &[0; 4]));
    (sum, u32::from_be_bytes(*parts))
}

/// Reads an ETag as S3 writes it, without its quotes: 32 hex digits, a hyphen, and a number that begins with no zero.
pub(super) fn parse(text: &[u8]) -> Option<(&[u8], u32)> {
    let (hex, number) = text.split_at_checked(32)?;
    let number = number.strip_prefix(b"-").filter(|digits| digits.first() != Some(&b'0'))?;
    let digits = number.iter().all(u8::is_ascii_digit).then_some(number)?;
    Some((hex, std::str::from_utf8(digits).ok()?.parse().ok()?))
}

/// The value of an MD5 in bytes and a number of parts.
pub(super) fn of(sum: &[u8], parts: u32) -> Option<[u8; LENGTH]> {
    sum.try_into().ok().map(|sum| value(sum, parts))
}

#[cfg(test)]
mod tests {
    use md5::{Digest as _, Md5 as Crate};

    use super::*;

    #[test]
    fn it_is_the_md5_of_the_parts_md5s() {
        let data: Vec<u8> = (0..1000u32).map(|i| (i * i % 251) as u8).collect();
        for size in [1u64, 7, 64, 100, 250, 999, 1000, 1001, u64::MAX] {
            for length in [0, 1, 100, 999, 1000] {
                let bytes = &data[..length];
                let step = usize::try_from(size).unwrap();
                let mut parts: Vec<[u8; 16]> = bytes.chunks(step).map(|part| Crate::digest(part).into()).collect();
                if parts.is_empty() {
                    parts.push(Crate::digest([]).into());
                }
                let wanted: [u8; 16] = Crate::digest(parts.as_flattened()).into();
                for cut in [1, 3, 100, 1000] {
                    let mut etag = Etag::new(size);
                    bytes.chunks(cut).for_each(|piece| etag.update(piece));
                    let found = etag.finish();
                    assert_eq!(parted(&found), (&wanted[..], parts.len() as u32), "{size} {length} {cut}");
                }
            }
        }
    }
}
