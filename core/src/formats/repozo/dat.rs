//! The lines of a `.dat` file: `<path> <start> <end> <md5>`, split from the right.
//!
//! The original writes the repository's path as it was typed and splits each line at white space, so a path
//! with a space makes every later run of it fail. Nobody needs the path: readers take its last component. Split
//! from the right, every line it ever wrote can be read.

use crate::digest::{Algorithm, Digest};

/// One line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The data file's name: the last component of the path.
    pub file: &'a [u8],
    /// The path as written.
    pub path: &'a [u8],
    /// Offset in `Data.fs` where the file's bytes begin.
    pub start: u64,
    /// Offset in `Data.fs` after the file's last byte; never before `start`.
    pub end: u64,
    /// MD5 of the uncompressed bytes.
    pub digest: Digest,
}

/// The path to write for a data file: joined with the repository as typed, as the original does, but the file's name
/// alone when the original could not read the line again (white space, a line end, bytes that are no UTF-8).
#[must_use]
pub fn path(repository: &[u8], file: &str) -> Vec<u8> {
    let plain =
        std::str::from_utf8(repository).is_ok_and(|text| !text.chars().any(|c| c.is_whitespace() || c.is_control()));
    if !plain || repository.is_empty() {
        return file.as_bytes().to_vec();
    }
    let slash: &[u8] = if repository.ends_with(b"/") { b"" } else { b"/" };
    [repository, slash, file.as_bytes()].concat()
}

/// Why a line cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Fewer than four fields.
    #[error("the line does not have the four fields path, start, end and md5")]
    Fields,
    /// `start` or `end` is no number below 2^64.
    #[error("the line's start or end is no offset")]
    Offset,
    /// `end` lies before `start`.
    #[error("the line's end lies before its start")]
    Backwards,
    /// The last field is not 32 hex digits.
    #[error("the line's last field is no MD5 sum of 32 hex digits")]
    Sum,
}

impl<'a> Line<'a> {
    /// Reads one line, without its line end.
    ///
    /// # Errors
    /// [`BadLine`] says which part of it cannot be understood.
    pub fn parse(text: &'a [u8]) -> Result<Self, BadLine> {
        let (rest, sum) = last_field(text).ok_or(BadLine::Fields)?;
        let (rest, end) = last_field(rest).ok_or(BadLine::Fields)?;
        let (rest, start) = last_field(rest).ok_or(BadLine::Fields)?;
        let path = rest.trim_ascii();
        if path.is_empty() {
            return Err(BadLine::Fields);
        }
        let (start, end) = (offset(start)?, offset(end)?);
        if end < start {
            return Err(BadLine::Backwards);
        }
        let digest = Digest::from_hex(Algorithm::Md5, sum).ok_or(BadLine::Sum)?;
        // A Python on Windows joins with a backslash.
        let file = path.rsplit(|&byte| byte == b'/' || byte == b'\\').next().unwrap_or(path);
        Ok(Self { file, path, start, end, digest })
    }

    /// The line as the original writes it, with its line feed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = self.path.to_vec();
        text.extend_from_slice(format!(" {} {} {}\n", self.start, self.end, self.digest).as_bytes());
        text
    }
}

/// Splits the last field off, at any amount of white space.
fn last_field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_end();
    let at = text.iter().rposition(u8::is_ascii_whitespace)?;
    text.split_at_checked(at.saturating_add(1))
}

fn offset(digits: &[u8]) -> Result<u64, BadLine> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    number.filter(|_| plain).ok_or(BadLine::Offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn lines_are_split_from_the_right() {
        let text = format!("/srv/my back ups/2026-11-20-01-02-03.deltafs 10 200 {SUM}");
        let line = Line::parse(text.as_bytes()).unwrap();
        assert_eq!((line.file, line.start, line.end), (&b"2026-11-20-01-02-03.deltafs"[..], 10, 200));
        assert_eq!(line.encode(), format!("{text}\n").as_bytes());
        assert_eq!(Line::parse(format!("  a  b.fs   0\t 1  {SUM} ").as_bytes()).unwrap().path, b"a  b.fs");
        assert_eq!(Line::parse(format!("repo\\a.fs 0 1 {SUM}").as_bytes()).unwrap().file, b"a.fs");
    }

    #[test]
    fn paths_are_written_so_that_the_original_can_read_them() {
        for (repository, written) in [
            ("repo", "repo/a.fs"),
            ("/srv/repo/", "/srv/repo/a.fs"),
            ("", "a.fs"),
            ("my repo", "a.fs"),
            ("my\u{a0}repo", "a.fs"),
            ("my\nrepo", "a.fs"),
        ] {
            assert_eq!(path(repository.as_bytes(), "a.fs"), written.as_bytes(), "{repository:?}");
        }
        assert_eq!(path(b"caf\xe9", "a.fs"), b"a.fs");
    }

    #[test]
    fn bad_lines_say_what_is_bad() {
        for (text, error) in [
            (String::new(), BadLine::Fields),
            (format!("0 1 {SUM}"), BadLine::Fields),
            (format!("a.fs 0 -1 {SUM}"), BadLine::Offset),
            (format!("a.fs +0 1 {SUM}"), BadLine::Offset),
            (format!("a.fs 0 18446744073709551616 {SUM}"), BadLine::Offset),
            (format!("a.fs 5 1 {SUM}"), BadLine::Backwards),
            ("a.fs 0 1 d41d8".to_owned(), BadLine::Sum),
        ] {
            assert_eq!(Line::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
