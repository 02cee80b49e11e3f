//! The container of versions, tables and blob files ("sfa" 1.0.0): sections, then a table of contents, then a trailer.
//!
//! The trailer is the last 38 bytes: `SFA!`, version 1, kind of checksum 0, the XXH3-128 of the table of contents, its
//! position and its length (16, 8 and 8 bytes, little-endian). The table of contents: `TOC!`, a number of sections (4),
//! and for each its position (8), length (8), length of its name (2) and name. The writer puts the trailer right behind
//! the table of contents (`writer.rs`), so position, length and 38 add up to the length of the file.

use super::Odd;
use crate::digest::{Algorithm, Digest, Hasher};

/// How long the trailer is, in bytes.
pub const TRAILER: usize = 38;

/// What a trailer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// The digest of the table of contents.
    pub digest: Digest,
    /// Where the table of contents begins, in bytes.
    pub at: u64,
    /// How long it is, in bytes.
    pub length: u64,
}

impl Trailer {
    /// Reads the last bytes of a file, all of it if it is shorter than a trailer. Places are counted from the first of
    /// them.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn parse(last: &[u8]) -> Result<Self, Odd> {
        let mut fields = Fields { bytes: last, at: 0 };
        if last.len() != TRAILER {
            return Err(Odd::new(
                0,
                format!("it has {} bytes, and its trailer alone would have {TRAILER}", last.len()),
            ));
        }
        if fields.take("trailer")? != *b"SFA!" {
            return Err(Odd::new(0, "its trailer does not begin with SFA!"));
        }
        let [version, kind] = fields.take("trailer")?;
        if version != 1 {
            return Err(Odd::new(4, format!("its trailer is of the unknown version {version}")));
        }
        if kind != 0 {
            return Err(Odd::new(5, format!("its checksum is of the unknown kind {kind}")));
        }
        let digest = Digest::xxh3(u128::from_le_bytes(fields.take("trailer")?));
        let (at, length) = (fields.number("trailer")?, fields.number("trailer")?);
        Ok(Self { digest, at, length })
    }

    /// The length of the whole file, in bytes; none where there cannot be such a file.
    #[must_use]
    pub fn file(&self) -> Option<u64> {
        self.at.checked_add(self.length)?.checked_add(TRAILER as u64)
    }
}

/// The sections of a file.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    contents: Fields<'a>,
    count: u32,
}

impl<'a> Archive<'a> {
    /// Opens a file, all of it, whose trailer and table of contents are right.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Odd> {
        let length = bytes.len() as u64;
        let begin = length.saturating_sub(TRAILER as u64);
        let behind = |odd: Odd| Odd::new(begin.saturating_add(odd.at), odd.what);
        let trailer = Trailer::parse(slice(bytes, begin, TRAILER as u64)).map_err(behind)?;
        if trailer.file() != Some(length) {
            let Trailer { at, length: has, .. } = trailer;
            let what = format!(
                "its trailer says that its table of contents has {has} bytes from byte {at} on, which is not where the \
                 trailer begins"
            );
            return Err(Odd::new(begin + 22, what));
        }
        let table = slice(bytes, trailer.at, trailer.length);
        let mut hasher = Hasher::new(Algorithm::Xxh3);
        hasher.update(table);
        let digest = hasher.finish();
        if digest != trailer.digest {
            let what =
                format!("the checksum of its table of contents is {digest}, its trailer says {}", trailer.digest);
            return Err(Odd::new(trailer.at, what));
        }
        let mut contents = Fields { bytes: table, at: trailer.at };
        if contents.take("table of contents")? != *b"TOC!" {
            return Err(Odd::new(trailer.at, "its table of contents does not begin with TOC!"));
        }
        let count = contents.short("table of contents")?;
        let archive = Self { bytes, contents, count };
        archive.each(|_, _, _| {})?;
        Ok(archive)
    }

    /// The first section of a name.
    pub(super) fn section(&self, name: &str) -> Result<Fields<'a>, Odd> {
        let mut found = None;
        self.each(|title, at, length| {
            if found.is_none() && title == name.as_bytes() {
                found = Some(Fields { bytes: slice(self.bytes, at, length), at: at.min(self.bytes.len() as u64) });
            }
        })?;
        found.ok_or_else(|| Odd::new(self.contents.at, format!("it has no section '{name}'")))
    }

    /// Hands on the name, the position and the length of each section.
    fn each(&self, mut each: impl FnMut(&[u8], u64, u64)) -> Result<(), Odd> {
        let mut contents = self.contents.clone();
        for _ in 0..self.count {
            let (at, length) = (contents.number("table of contents")?, contents.number("table of contents")?);
            let named = u16::from_le_bytes(contents.take("table of contents")?);
            each(contents.some(u64::from(named), "table of contents")?, at, length);
        }
        if contents.bytes.is_empty() {
            return Ok(());
        }
        Err(Odd::new(contents.at, format!("its table of contents has more than the {} sections it says", self.count)))
    }
}

/// Bytes that are read field by field.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    /// Where they are in the file.
    pub(super) at: u64,
}

impl<'a> Fields<'a> {
    /// The next bytes, of which there must be so many in what `what` names.
    fn some(&mut self, count: u64, what: &str) -> Result<&'a [u8], Odd> {
        let split = usize::try_from(count).ok().and_then(|count| self.bytes.split_at_checked(count));
        let Some((some, rest)) = split else {
            let end = self.at.saturating_add(self.bytes.len() as u64);
            return Err(Odd::new(end, format!("its {what} ends in the middle of an entry")));
        };
        self.bytes = rest;
        self.at = self.at.saturating_add(count);
        Ok(some)
    }

    pub(super) fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Odd> {
        let mut taken = [0; N];
        taken.copy_from_slice(self.some(N as u64, what)?);
        Ok(taken)
    }

    pub(super) fn byte(&mut self, what: &str) -> Result<u8, Odd> {
        self.take(what).map(|[byte]| byte)
    }

    pub(super) fn short(&mut self, what: &str) -> Result<u32, Odd> {
        self.take(what).map(u32::from_le_bytes)
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u64, Odd> {
        self.take(what).map(u64::from_le_bytes)
    }
}

/// So many bytes from a place on, or as many as there are.
fn slice(bytes: &[u8], at: u64, length: u64) -> &[u8] {
    let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let end = usize::try_from(at.saturating_add(length)).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(start..end).unwrap_or_default()
}
