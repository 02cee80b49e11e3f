//! `Wanted`: what could not be had, and why: a line for each version, to be tried again.
//!
//! ```text
//! # highwater mirror 1 wanted
//! gone a/b J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg fbebe2d44529d0a25247e8b5bca5956b 904 404\040Not\040Found
//! # end 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! Key, version, ETag and the server's words are written as paths in lists of mtree(5) are; the last line is their seal
//! too. The index marks the same versions, and is what counts: this is for whoever wants to know why.

use crate::mtree::{Seal, escaped, unescape};
use crate::odd::Odd;

/// The first line.
pub const TITLE: &str = "# highwater mirror 1 wanted\n";

/// A version that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Why.
    pub why: Why,
    /// The key.
    pub key: Vec<u8>,
    /// The version.
    pub version: Vec<u8>,
    /// The ETag's text.
    pub etag: Vec<u8>,
    /// The length that the inventory says, in bytes.
    pub size: u64,
    /// The server's words, or ours.
    pub message: String,
}

/// Why a version could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The bucket has it no more (404).
    Gone,
    /// It may not be read (403).
    Denied,
    /// It is archived, and would have to be brought back first.
    Archived,
    /// What came is not what the inventory says, each time.
    Other,
    /// The server or the way there failed, each time.
    Failed,
    /// A filter was given that leaves it out.
    Filtered,
}

impl Why {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Gone, "gone"),
        (Self::Denied, "denied"),
        (Self::Archived, "archived"),
        (Self::Other, "other"),
        (Self::Failed, "failed"),
        (Self::Filtered, "filtered"),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(why, _)| *why == self).map_or("", |(_, word)| word)
    }
}

impl Wanted {
    /// The line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { why, key, version, etag, size, message } = self;
        let [key, version, etag, message] = [key, version, etag, message.as_bytes()].map(escaped);
        format!("{} {key} {version} {etag} {size} {message}\n", why.word())
    }

    /// Reads a line, without its end.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [why, key, version, etag, size, message] = *words else { return None };
        let bytes = |text: &str| unescape(text.as_bytes()).ok();
        let (why, _) = Why::ALL.iter().find(|(_, word)| *word == why)?;
        Some(Self {
            why: *why,
            key: bytes(key)?,
            version: bytes(version)?,
            etag: bytes(etag)?,
            size: size.parse().ok()?,
            message: String::from_utf8(bytes(message)?).ok()?,
        })
    }
}

/// Reads the file, line by line.
///
/// # Errors
/// It is not what was written, and where that shows. What came before was given.
pub fn read(text: &str, each: &mut dyn FnMut(Wanted)) -> Result<(), Odd> {
    let mut seal = Seal::default();
    let mut at = 0_u64;
    let mut lines = text.split_inclusive('\n');
    let title = lines.next().unwrap_or_default();
    if title != TITLE {
        return Err(Odd::new(0, format!("it does not begin with the line '{}'", TITLE.trim_end())));
    }
    seal.push(title);
    at = at.saturating_add(title.len() as u64);
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            return match (line == seal.end(), lines.next()) {
                (true, None) => Ok(()),
                (true, Some(_)) => Err(Odd::new(at, "it goes on behind its last line")),
                (false, _) => Err(Odd::new(at, "its last line is not the seal of those above")),
            };
        }
        seal.push(line);
        let wanted = line.strip_suffix('\n').and_then(Wanted::parse);
        each(wanted.ok_or_else(|| Odd::new(at, "a line does not say what is wanted and why"))?);
        at = at.saturating_add(line.len() as u64);
    }
    Err(Odd::new(at, "it ends without its last line, so it was cut"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Wanted> {
        let wanted = |(why, key): (Why, &[u8])| Wanted {
            why,
            key: key.to_vec(),
            version: b"null".to_vec(),
            etag: Vec::new(),
            size: u64::MAX,
            message: "404 Not\nFound".to_owned(),
        };
        let keys: [&[u8]; 6] = [b"a", b"a b/\n#", b"\xff\\", b"#", b"\0", b"x"];
        Why::ALL.map(|(why, _)| why).into_iter().zip(keys).map(wanted).collect()
    }

    fn file() -> String {
        let mut text = TITLE.to_owned();
        all().iter().for_each(|wanted| text.push_str(&wanted.line()));
        let mut seal = Seal::default();
        seal.push(&text);
        text.push_str(&seal.end());
        text
    }

    #[test]
    fn what_is_written_is_read() {
        let mut found = Vec::new();
        assert_eq!(read(&file(), &mut |wanted| found.push(wanted)), Ok(()));
        assert_eq!(found, all());
    }

    #[test]
    fn every_cut_and_flip_is_noticed() {
        let text = file();
        for cut in 0..text.len() {
            assert!(read(&text[..cut], &mut |_| {}).is_err(), "{cut}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            assert!(read(&flipped, &mut |_| {}).is_err(), "bit {bit}");
        }
        assert!(read(&format!("{text}{text}"), &mut |_| {}).is_err());
    }
}
