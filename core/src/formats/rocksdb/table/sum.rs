//! `Sum`: the checksum behind a block of a table.
//!
//! It is over the block and the byte that says how it is compressed. From version 6 of tables on, a number that depends
//! on the table and the block's place is added (RocksDB 10.4 `table/format.cc`, `table/format.h`).

use crate::digest::crc::crc32c_append;
use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh32::Xxh32;
use xxhash_rust::xxh64::Xxh64;

use super::super::records::mask;

/// Which checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// None: zeros stand in its place.
    None,
    /// CRC-32C, masked.
    Crc32c,
    /// XXH32.
    XxHash32,
    /// The lower half of XXH64.
    XxHash64,
    /// The lower half of XXH3 with 64 bits, and the last byte mixed in.
    Xxh3,
}

/// What mixes the last byte in.
const PRIME: u32 = 0x6b90_83d9;

impl Kind {
    pub(super) fn new(number: u8) -> Option<Self> {
        [Self::None, Self::Crc32c, Self::XxHash32, Self::XxHash64, Self::Xxh3].get(usize::from(number)).copied()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Crc32c => "CRC-32C",
            Self::XxHash32 => "XXH32",
            Self::XxHash64 => "XXH64",
            Self::Xxh3 => "XXH3",
        }
    }

    /// The checksum of these bytes, and a last one.
    pub(super) fn of(self, bytes: &[u8], last: u8) -> u32 {
        let mut sum = Sum::new(self);
        sum.update(bytes);
        sum.finish(last)
    }
}

/// What is added to the checksums of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Context {
    base: u32,
}

impl Context {
    pub(super) fn new(base: u32) -> Self {
        Self { base }
    }

    /// What is added for a block at this place.
    pub(super) fn modifier(self, at: u64) -> u32 {
        if self.base == 0 {
            return 0;
        }
        let [a, b, c, d, e, f, g, h] = at.to_le_bytes();
        self.base ^ u32::from_le_bytes([a, b, c, d]).wrapping_add(u32::from_le_bytes([e, f, g, h]))
    }
}

/// A checksum that takes its bytes piece by piece.
pub(super) enum Sum {
    None,
    Crc32c(u32),
    XxHash32(Xxh32),
    XxHash64(Xxh64),
    Xxh3(Box<Xxh3>),
}

impl Sum {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::None => Self::None,
            Kind::Crc32c => Self::Crc32c(0),
            Kind::XxHash32 => Self::XxHash32(Xxh32::new(0)),
            Kind::XxHash64 => Self::XxHash64(Xxh64::new(0)),
            Kind::Xxh3 => Self::Xxh3(Box::default()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Crc32c(crc) => *crc = crc32c_append(*crc, bytes),
            Self::XxHash32(hash) => hash.update(bytes),
            Self::XxHash64(hash) => hash.update(bytes),
            Self::Xxh3(hash) => hash.update(bytes),
        }
    }

    /// The checksum, when only the last byte follows. It can take the next bytes from the start.
    pub(super) fn finish(&mut self, last: u8) -> u32 {
        match self {
            Self::None => 0,
            Self::Crc32c(crc) => mask(crc32c_append(std::mem::take(crc), &[last])),
            Self::XxHash32(hash) => {
                hash.update(&[last]);
                let sum = hash.digest();
                hash.reset(0);
                sum
            }
            Self::XxHash64(hash) => {
                hash.update(&[last]);
                let sum = lower(hash.digest());
                hash.reset(0);
                sum
            }
            Self::Xxh3(hash) => {
                let sum = lower(hash.digest()) ^ u32::from(last).wrapping_mul(PRIME);
                hash.reset();
                sum
            }
        }
    }
}

fn lower(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
