//! `Applied`: which point the tree shows, and by which index. A new one takes its place by a rename: that is the
//! commit.
//!
//! ```text
//! highwater mirror 1 bucket dandiarchive point 2024-11-06T01-00Z manifest 03260719490f9dc0665b9d281fd4180a index 7
//!   size 24117 tail 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 sum 5d41402abc4b2a76
//! ```
//!
//! All of it is one line. Where rows of the newest inventory could not be read, ` unread N` follows the tail. The tail
//! is the SHA-256 of that of the index ([`super::index`]), the sum the first 16 digits of the SHA-256 of what stands
//! before it. What cannot stand in a word of the bucket's name is written as in lists of mtree(5): `\` and three octal
//! digits.

use crate::digest::{Algorithm, Digest, sha256_of};
use crate::mtree::{escaped, unescape};
use crate::odd::Odd;

/// What the pointer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The bucket.
    pub bucket: String,
    /// The point: how the folder of its inventory is called.
    pub point: String,
    /// The MD5 of its manifest.
    pub manifest: Digest,
    /// The number of the index.
    pub index: u64,
    /// How long that is, in bytes.
    pub size: u64,
    /// The SHA-256 of its tail.
    pub tail: Digest,
    /// Rows of the newest inventory that cannot be read: what they list may not be in the mirror.
    pub unread: u64,
}

/// The longest pointer that is read, in bytes.
pub const LONGEST: u64 = 2048;

const TITLE: &str = "highwater mirror 1 ";

/// What stands before the sum, and its digits.
const SUM: &str = " sum ";
const DIGITS: usize = 16;

impl Applied {
    /// The line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { bucket, point, manifest, index, size, tail, unread } = self;
        let bucket = escaped(bucket.as_bytes());
        let mut text =
            format!("{TITLE}bucket {bucket} point {point} manifest {manifest} index {index} size {size} tail {tail}");
        if *unread > 0 {
            text.push_str(&format!(" unread {unread}"));
        }
        let sum = sum(&text);
        format!("{text}{SUM}{sum}\n")
    }

    /// Reads the pointer, all of it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Odd> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Odd::new(error.valid_up_to() as u64, "the pointer is no text, so it is not what was written")
        })?;
        if !text.starts_with(TITLE) {
            let what = format!("the pointer does not begin with '{}'", TITLE.trim_end());
            return Err(Odd::new(0, what));
        }
        let line = text.strip_suffix('\n').filter(|line| !line.contains('\n'));
        let line = line.ok_or_else(|| Odd::new(bytes.len() as u64, "the pointer is not one line, so it was cut"))?;
        let (front, found) = line
            .rsplit_once(SUM)
            .ok_or_else(|| Odd::new(line.len() as u64, "the pointer ends without its sum, so it was cut"))?;
        let at = front.len().saturating_add(SUM.len()) as u64;
        if found != sum(front) {
            return Err(Odd::new(at, "the pointer is not what was written: its sum differs"));
        }
        Self::read(front).ok_or_else(|| Odd::new(TITLE.len() as u64, "the pointer has words that no pointer has"))
    }

    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.strip_prefix(TITLE)?.split(' ').collect();
        let (words, rest) = words.split_first_chunk::<12>()?;
        let ["bucket", bucket, "point", point, "manifest", manifest, "index", index, "size", size, "tail", tail] =
            *words
        else {
            return None;
        };
        let unread = match *rest {
            [] => "0",
            ["unread", unread] => unread,
            _ => return None,
        };
        let applied = Self {
            bucket: String::from_utf8(unescape(bucket.as_bytes()).ok()?).ok()?,
            point: Some(point).filter(|point| super::index::is_point(point))?.to_owned(),
            manifest: Digest::from_hex(Algorithm::Md5, manifest.as_bytes())?,
            index: index.parse().ok()?,
            // No file is longer.
            size: size.parse().ok().filter(|size| *size <= i64::MAX.cast_unsigned())?,
            tail: Digest::from_hex(Algorithm::Sha256, tail.as_bytes())?,
            unread: unread.parse().ok()?,
        };
        // What is written otherwise was not written by this.
        applied.line().strip_prefix(text)?.starts_with(SUM).then_some(applied)
    }
}

fn sum(text: &str) -> String {
    let mut digits = sha256_of(text.as_bytes()).to_string();
    digits.truncate(DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::md5_of;

    fn applied() -> Applied {
        Applied {
            bucket: "dandiarchive".to_owned(),
            point: "2024-11-06T01-00Z".to_owned(),
            manifest: md5_of(b"manifest"),
            index: 7,
            size: 24_117,
            tail: sha256_of(b"tail"),
            unread: 0,
        }
    }

    #[test]
    fn a_pointer_is_read_as_it_is_written() {
        let one = applied();
        let line = one.line();
        assert!(line.starts_with("highwater mirror 1 bucket dandiarchive point 2024-11-06T01-00Z manifest "), "{line}");
        assert_eq!(Applied::parse(line.as_bytes()), Ok(one.clone()));
        let odd = Applied { bucket: "a b\\\n sum ".to_owned(), unread: 7, ..one };
        assert_eq!(Applied::parse(odd.line().as_bytes()), Ok(odd));
    }

    #[test]
    fn every_cut_flip_and_addition_is_refused() {
        let line = applied().line().into_bytes();
        for cut in 0..line.len() {
            let odd = Applied::parse(&line[..cut]).unwrap_err();
            assert!(odd.at <= cut as u64, "{odd}");
        }
        for bit in 0..line.len() * 8 {
            let mut flipped = line.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Applied::parse(&flipped).is_err(), "bit {bit}");
        }
        assert!(Applied::parse(&[&line[..], b"\n"].concat()).is_err());
        assert!(Applied::parse(&[&line[..], &line[..]].concat()).is_err());
    }

    #[test]
    fn a_right_sum_is_not_enough() {
        let line = Applied { unread: 7, ..applied() }.line();
        let (front, _) = line.rsplit_once(SUM).unwrap();
        for (from, to) in [
            (" unread 7", " unread 0"),
            (" unread 7", " unread 07"),
            (" unread 7", " unread 7 unread 7"),
            (" unread 7", " unread"),
            ("index 7", "index 07"),
            ("index 7", "index -7"),
            ("size 24117", "size 9223372036854775808"),
            ("2024-11-06T01-00Z", "2024-13-06T01-00Z"),
            ("2024-11-06T01-00Z", "../../../../../x"),
            ("bucket dandiarchive", "bucket dandi archive"),
            (" manifest ", "  manifest "),
            ("tail ", "tail x"),
        ] {
            let front = front.replace(from, to);
            let line = format!("{front}{SUM}{}\n", sum(&front));
            let odd = Applied::parse(line.as_bytes()).unwrap_err();
            assert!(odd.what.contains("no pointer has"), "{odd}");
        }
    }
}
