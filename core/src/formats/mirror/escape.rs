//! Segments of keys as names of files: nearly all as they are, the others by one rule that can be undone.
//!
//! A segment is what lies between two slashes of a key. It is used as it is, unless it
//!
//! * is empty, `.` or `..`, or holds NUL, which no file system takes;
//! * has more than 180 bytes, so that what an older version's name adds no longer fits into 255;
//! * begins with `%hw`, as what is escaped does;
//! * looks like what lies in a mirror beside objects: it begins with `.highwater` or `.s3invsync`, ends with
//!   `.highwater-tmp`, or is `NAME.old.VERSION.ETAG`.
//!
//! Then it is `%hw` and the segment with a `%` and two digits for its first byte and for each that is no letter, digit,
//! `-`, `_` or byte above 127; or, if that has more than 180 bytes, `%hw#` and the SHA-256 of the segment. Of an empty
//! segment that leaves `%hw`.

use std::borrow::Cow;

use crate::digest::sha256_of;
use crate::name::TEMPORARY;

/// What each segment begins with that is not used as it is.
pub(super) const MARK: &[u8] = b"%hw";

/// What follows the mark before the digest of a segment.
const HASHED: u8 = b'#';

/// The longest segment that is used as it is, in bytes: 255 less what `.old.`, a version of 32 bytes, a dot and an ETag
/// of 37 add.
pub const LONGEST: usize = 255 - 75;

/// What stands in the name of an older version between the segment and the version.
pub(super) const OLD: &[u8] = b".old.";

/// A segment of a key, by the name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// It is this.
    Is(Vec<u8>),
    /// It has the SHA-256 of these digits.
    Hashed(Vec<u8>),
}

/// The name of a file or folder for a segment of a key: at most 180 bytes.
#[must_use]
pub fn escape(segment: &[u8]) -> Cow<'_, [u8]> {
    escape_to(segment, LONGEST)
}

/// The same, where a segment of so many bytes is used as it is.
pub(super) fn escape_to(segment: &[u8], most: usize) -> Cow<'_, [u8]> {
    if is_plain(segment, most) {
        return Cow::Borrowed(segment);
    }
    let mut name = MARK.to_vec();
    percent(segment, true, &mut name);
    if name.len() > LONGEST { Cow::Owned(hashed(segment)) } else { Cow::Owned(name) }
}

/// The name for a segment of which only the digest is kept.
pub(super) fn hashed(segment: &[u8]) -> Vec<u8> {
    [MARK, &[HASHED], sha256_of(segment).to_string().as_bytes()].concat()
}

/// The segment that a name stands for; none where no segment has that name.
#[must_use]
pub fn unescape(name: &[u8]) -> Option<Segment> {
    let Some(rest) = name.strip_prefix(MARK) else {
        return is_plain(name, LONGEST).then(|| Segment::Is(name.to_vec()));
    };
    if let Some(digits) = rest.strip_prefix(&[HASHED]) {
        let is_digest = digits.len() == 64 && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        return is_digest.then(|| Segment::Hashed(digits.to_vec()));
    }
    let segment = unpercent(rest).filter(|segment| !segment.contains(&b'/'))?;
    (*escape(&segment) == *name).then_some(Segment::Is(segment))
}

/// Whether a segment is used as it is, if it may have so many bytes.
fn is_plain(segment: &[u8], most: usize) -> bool {
    let is_ours = || {
        segment.starts_with(MARK)
            || segment.starts_with(b".highwater")
            || segment.starts_with(b".s3invsync")
            || segment.ends_with(TEMPORARY.as_bytes())
    };
    !matches!(segment, b"" | b"." | b"..")
        && segment.len() <= most
        && !segment.iter().any(|byte| matches!(byte, 0 | b'/'))
        && !is_ours()
        && !is_old(segment)
}

/// Whether a name is of the form `NAME.old.VERSION.ETAG`. The version may have dots, the ETag has none.
fn is_old(name: &[u8]) -> bool {
    let Some(at) = name.windows(OLD.len()).position(|window| window == OLD) else { return false };
    let rest = name.get(at.saturating_add(OLD.len())..).unwrap_or_default();
    let dot = rest.iter().rposition(|byte| *byte == b'.');
    dot.is_some_and(|dot| dot > 0 && dot.saturating_add(1) < rest.len())
}

/// Writes bytes with `%` and two digits for all that are no letter, digit, `-`, `_` or above 127, and for the first one
/// if `first`.
pub(super) fn percent(bytes: &[u8], first: bool, out: &mut Vec<u8>) {
    for (at, &byte) in bytes.iter().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | 0x80..);
        if plain && !(first && at == 0) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

/// Undoes [`percent`]. What was not written so may come out too: whoever asks writes it again and compares.
pub(super) fn unpercent(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let [high, low, after @ ..] = rest else { return None };
            bytes.push(digit(*high)? << 4 | digit(*low)?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Every string of up to `most` of these pieces.
    fn strings(pieces: &[&str], most: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..most {
            last =
                last.iter().flat_map(|one| pieces.iter().map(move |piece| [one, piece.as_bytes()].concat())).collect();
            all.extend(last.clone());
        }
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn segments_are_used_as_they_are_where_they_can_be() {
        for plain in
            ["a", "a b", "...", ".hidden", "a.old", "a.old.", "a.old.x", "a.old.x.", "%", "%h", "\u{430}\n", "a%2F"]
        {
            assert_eq!(*escape(plain.as_bytes()), *plain.as_bytes());
        }
        let long = "x".repeat(LONGEST);
        assert_eq!(*escape(long.as_bytes()), *long.as_bytes());
        for (segment, name) in [
            ("", "%hw"),
            (".", "%hw%2E"),
            ("..", "%hw%2E%2E"),
            ("a\0b", "%hw%61%00b"),
            ("%hw", "%hw%25hw"),
            (".highwater-mirror", "%hw%2Ehighwater-mirror"),
            (".s3invsync.versions.json", "%hw%2Es3invsync%2Eversions%2Ejson"),
            ("x.old.v.e", "%hw%78%2Eold%2Ev%2Ee"),
            ("a.highwater-tmp", "%hw%61%2Ehighwater-tmp"),
        ] {
            assert_eq!(escape(segment.as_bytes()), name.as_bytes(), "{segment}");
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(escape(long.as_bytes()).starts_with(b"%hw#"));
        // Three bytes for each dot are too many.
        assert!(escape(format!(".highwater{}", ".".repeat(100)).as_bytes()).starts_with(b"%hw#"));
    }

    #[test]
    fn no_two_segments_have_one_name_and_each_name_is_read_back() {
        let pieces = ["a", ".", "%", "%hw", ".old.", "v", "f", "#", "\0", "%61", "%2E", ".highwater", "\u{430}", "k"];
        let mut names: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        let mut all = strings(&pieces, 4);
        all.extend(
            (175..190).flat_map(|length| [vec![b'x'; length], [b".highwater", &vec![b'y'; length - 10][..]].concat()]),
        );
        for segment in all {
            let name = escape(&segment).into_owned();
            assert!(!name.is_empty() && name.len() <= LONGEST && name != b"." && name != b"..");
            assert!(!name.iter().any(|byte| matches!(byte, 0 | b'/')));
            assert!(!is_old(&name) && !name.starts_with(b".highwater") && !name.starts_with(b".s3invsync"));
            match unescape(&name) {
                Some(Segment::Is(read)) => assert_eq!(read, segment),
                Some(Segment::Hashed(digits)) => assert_eq!(digits, sha256_of(&segment).to_string().into_bytes()),
                None => panic!("{name:?} is read as nothing"),
            }
            if let Some(other) = names.insert(name, segment.clone()) {
                panic!("{other:?} and {segment:?} have one name");
            }
        }
        assert!(names.len() > 30_000);
    }

    #[test]
    fn what_stands_for_no_segment_is_read_as_none() {
        for name in [
            "",
            ".",
            "x.old.v.e",
            "%hwa",
            "%hw%61",
            "%hw%2e",
            "%hw%2",
            "%hw#",
            "%hw#12",
            ".highwater",
            "%hwf",
            "%hw%2F",
        ] {
            assert_eq!(unescape(name.as_bytes()), None, "{name}");
        }
    }
}
