//! `Current`: the file `current` of a keyspace, which names its version.
//!
//! 25 bytes (lsm-tree 3.1.10, `version/persist.rs`): the number of the version, 8, little-endian; the XXH3-128 of the
//! whole file `v<number>`, 16, little-endian; the kind of that checksum, a byte, 0. The engine reads the number alone,
//! so nothing but a look from outside ever compares the checksum.

use super::Odd;
use crate::digest::Digest;

/// How long the file is, in bytes.
pub const LENGTH: usize = 25;

/// What `current` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// The number of the version.
    pub version: u64,
    /// The digest of the whole file of that version.
    pub digest: Digest,
}

/// Reads `current`, all of it.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(bytes: &[u8]) -> Result<Current, Odd> {
    let Ok(whole) = <&[u8; LENGTH]>::try_from(bytes) else {
        let what = format!("it has {} bytes, and such a file has {LENGTH}", bytes.len());
        return Err(Odd::new(LENGTH.min(bytes.len()) as u64, what));
    };
    let [v0, v1, v2, v3, v4, v5, v6, v7, sum @ .., kind] = *whole;
    if kind != 0 {
        return Err(Odd::new(24, format!("its checksum is of the unknown kind {kind}")));
    }
    Ok(Current {
        version: u64::from_le_bytes([v0, v1, v2, v3, v4, v5, v6, v7]),
        digest: Digest::xxh3(u128::from_le_bytes(sum)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        [&77u64.to_le_bytes()[..], &0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10u128.to_le_bytes(), &[0]].concat()
    }

    #[test]
    fn all_three_fields_are_read() {
        let current = parse(&sample()).unwrap();
        assert_eq!(current.version, 77);
        assert_eq!(current.digest.to_string(), "0102030405060708090a0b0c0d0e0f10");
    }

    #[test]
    fn any_other_length_or_kind_is_refused() {
        for length in (0..LENGTH).chain([LENGTH + 1]) {
            let mut bytes = sample();
            bytes.resize(length, 0);
            assert_eq!(parse(&bytes).unwrap_err().at, length.min(LENGTH) as u64);
        }
        let mut bytes = sample();
        bytes[24] = 1;
        assert_eq!(parse(&bytes).unwrap_err().at, 24);
    }
}
