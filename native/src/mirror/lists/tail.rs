//! A row without its key, as bytes: what runs keep.
//!
//! | bytes | what |
//! |---|---|
//! | u8 | the lowest bit first: the latest; a mark; two bits of multipart (0 unsaid, 1 no, 2 yes); two of encryption |
//! | u64, i64, u32 | size; seconds since 1970, nanoseconds |
//! | u16, u16 | the lengths of version and ETag |
//! | | version, ETag, and to the end the storage class |
//!
//! Numbers have their least significant byte first.

use highwater_core::inventory::{Encryption, Row};

/// The bytes before the words.
const FIXED: usize = 25;

/// Writes what a row has beside its key.
pub(super) fn push(row: &Row<'_>, out: &mut Vec<u8>) {
    let multipart = match row.multipart {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    let encryption = match row.encryption {
        Encryption::Unsaid => 0,
        Encryption::Plain => 1,
        Encryption::Foreign => 2,
    };
    // Words of more than 512 bytes are in no row.
    let length = |word: &[u8]| u16::try_from(word.len()).unwrap_or(u16::MAX).to_le_bytes();
    out.push(u8::from(row.latest) | u8::from(row.marker) << 1 | multipart << 2 | encryption << 4);
    out.extend_from_slice(&row.size.to_le_bytes());
    out.extend_from_slice(&row.modified.0.to_le_bytes());
    out.extend_from_slice(&row.modified.1.to_le_bytes());
    out.extend_from_slice(&length(row.version));
    out.extend_from_slice(&length(row.etag));
    for word in [row.version, row.etag, row.class] {
        out.extend_from_slice(word);
    }
}

/// Reads it again; none of what was not written so.
pub(super) fn read<'a>(key: &'a [u8], tail: &'a [u8]) -> Option<Row<'a>> {
    let (fixed, words) = tail.split_first_chunk::<FIXED>()?;
    let (flags, rest) = fixed.split_first()?;
    let (size, rest) = rest.split_first_chunk()?;
    let (seconds, rest) = rest.split_first_chunk()?;
    let (nanos, rest) = rest.split_first_chunk()?;
    let (version, rest) = rest.split_first_chunk()?;
    let (etag, _) = rest.split_first_chunk()?;
    let (version, words) = words.split_at_checked(u16::from_le_bytes(*version).into())?;
    let (etag, class) = words.split_at_checked(u16::from_le_bytes(*etag).into())?;
    Some(Row {
        key,
        version,
        latest: flags & 1 != 0,
        marker: flags & 2 != 0,
        size: u64::from_le_bytes(*size),
        etag,
        modified: (i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanos)),
        multipart: [None, Some(false), Some(true)].get(usize::from(flags >> 2 & 3)).copied()?,
        encryption: match flags >> 4 {
            0 => Encryption::Unsaid,
            1 => Encryption::Plain,
            2 => Encryption::Foreign,
            _ => return None,
        },
        class,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        for number in 0..36_u32 {
            let row = Row {
                key: b"k",
                version: [&b"null"[..], b"3HL4kqtJvjVBH40Nrjfkd"][number as usize % 2],
                latest: number % 4 < 2,
                marker: number % 2 == 1,
                size: u64::from(number) << 40,
                etag: [&b""[..], b"e"][number as usize % 2],
                modified: (-i64::from(number), number),
                multipart: [None, Some(false), Some(true)][number as usize / 4 % 3],
                encryption: [Encryption::Unsaid, Encryption::Plain, Encryption::Foreign][number as usize / 12],
                class: b"GLACIER",
            };
            let mut out = Vec::new();
            push(&row, &mut out);
            assert_eq!(read(b"k", &out), Some(row));
            let words = row.version.len() + row.etag.len();
            for cut in 0..FIXED + words {
                assert_eq!(read(b"k", &out[..cut]), None);
            }
        }
    }
}
