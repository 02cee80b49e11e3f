//! The names of what lies in a mirror, both directions.
//!
//! | key | version | where |
//! |---|---|---|
//! | `a/b` | latest | `a/b` |
//! | `a/b`, and there are keys that begin with `a/b/` | latest | `a/%hwfb`: a file and a folder cannot have one name |
//! | `a/b` | any other | `a/b.old.VERSION.ETAG` |
//! | any | - | a segment that no file can be named by, or that looks like what lies here: [`escape`](super::escape) |
//! | one whose path would have more than 3,000 bytes | - | `%hwk` and the key's SHA-256, beside all else |
//!
//! A version or ETag that is no word of S3's is written with `%` and two digits for what is none, or, if it has more
//! than 64 bytes, as `#` and its SHA-256. If a name had more than 255 bytes by then, the segment is hashed. So no two
//! versions have one place, and what a file is follows from where it is, but for what is hashed: of that, the index
//! tells.

use std::borrow::Cow;

use super::escape::{LONGEST as LONGEST_SEGMENT, OLD, Segment, escape_to, hashed, percent, unescape, unpercent};
use crate::digest::sha256_of;
use crate::name::Name;

/// The folder of all that is no object.
pub const FOLDER: &str = ".highwater-mirror";

/// Which inventory the tree shows ([`super::applied`]).
pub const APPLIED: &str = ".highwater-mirror/applied";

/// The folder of the indices ([`super::index`]).
pub const INDEX: &str = ".highwater-mirror/index";

/// The folder of an inventory's lists while it is planned by.
pub const LISTS: &str = ".highwater-mirror/lists";

/// The folder of what is planned.
pub const PLAN: &str = ".highwater-mirror/plan";

/// It is there as long as a plan is open.
pub const BEGUN: &str = ".highwater-mirror/plan/begun";

/// The folder of what was fetched and has no place yet.
pub const STAGE: &str = ".highwater-mirror/stage";

/// What could not be had ([`super::wanted`]).
pub const WANTED: &str = ".highwater-mirror/wanted";

/// What writers lock.
pub const LOCK: &str = ".highwater-mirror/lock";

/// What the name of a file begins with whose key is also a folder.
const ASIDE: &[u8] = b"%hwf";

/// What the name of a file begins with whose path would be too long.
const WHOLE: &[u8] = b"%hwk";

/// The longest path for a key, in bytes: an older version's name adds less than a thousand, and a system takes 4,096.
const LONGEST: usize = 3000;

/// The longest name that file systems give a file, in bytes.
const LONGEST_NAME: usize = 255;

/// The longest version or ETag that is written out, in bytes.
const LONGEST_WORD: usize = 64;

/// The file of an index of this number.
#[must_use]
pub fn index(number: u64) -> Option<Name> {
    Name::new(format!("{INDEX}/{number:08}").as_bytes()).ok()
}

/// Where the latest version of a key lies; `aside` if there are keys in the folder of its name.
#[must_use]
pub fn latest(key: &[u8], aside: bool) -> Option<Name> {
    let (folder, last) = place(key, LONGEST_SEGMENT);
    let last = if aside { [ASIDE, &last].concat() } else { last };
    Name::new(&[folder, last].concat()).ok()
}

/// Where the latest version of a key lies in a restore: no older one has to fit beside it, so that a name may be as
/// long as file systems take it.
#[must_use]
pub fn restored(key: &[u8], aside: bool) -> Option<Name> {
    let (folder, last) = place(key, LONGEST_NAME);
    let last = match aside {
        true if last.len().saturating_add(ASIDE.len()) > LONGEST_NAME => [ASIDE, &hashed(&last)].concat(),
        true => [ASIDE, &last].concat(),
        false => last,
    };
    Name::new(&[folder, last].concat()).ok()
}

/// Where a version lies in a mirror that s3invsync made, with version and ETag if it is not the latest; none where no
/// version has that name there. It hashes no names.
#[must_use]
pub fn before(key: &[u8], old: Option<(&[u8], &[u8])>) -> Option<Name> {
    let is_plain = |segment: &[u8]| matches!(escape_to(segment, LONGEST_NAME), Cow::Borrowed(_));
    let mut path = key.to_vec();
    if let Some((version, etag)) = old {
        if !is_version(version) || !is_etag(etag) {
            return None;
        }
        path.extend_from_slice(&[OLD, version, b".", etag].concat());
    }
    let name = Name::new(&path).ok()?;
    let fits = name.last().len() <= LONGEST_NAME && key.split(|byte| *byte == b'/').all(is_plain);
    fits.then_some(name)
}

/// Where any other version of a key lies.
#[must_use]
pub fn old(key: &[u8], version: &[u8], etag: &[u8]) -> Option<Name> {
    let (folder, last) = place(key, LONGEST_SEGMENT);
    let (version, etag) = (word(version, is_version), word(etag, is_etag));
    let name = |last: &[u8]| [last, OLD, &version, b".", &etag].concat();
    let mut whole = name(&last);
    if whole.len() > LONGEST_NAME {
        let segment = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        whole = name(&hashed(segment));
    }
    Name::new(&[folder, whole].concat()).ok()
}

/// The folder of a key with the slash behind it, and the name in that; segments of so many bytes are as they are.
fn place(key: &[u8], most: usize) -> (Vec<u8>, Vec<u8>) {
    let mut path: Vec<u8> = Vec::with_capacity(key.len().saturating_add(16));
    let mut folder = 0;
    for (number, segment) in key.split(|byte| *byte == b'/').enumerate() {
        if number > 0 {
            path.push(b'/');
            folder = path.len();
        }
        path.extend_from_slice(&escape_to(segment, most));
    }
    if path.len() > LONGEST {
        return (Vec::new(), [WHOLE, sha256_of(key).to_string().as_bytes()].concat());
    }
    let last = path.split_off(folder);
    (path, last)
}

/// What a file in a mirror is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The key; none where a part of it is hashed.
    pub key: Option<Vec<u8>>,
    /// There are keys in the folder of its name.
    pub aside: bool,
    /// Which version it is, if it is not the latest.
    pub old: Option<Old>,
}

/// What the name of a version says that is not the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Old {
    /// Its version; none where it is hashed.
    pub version: Option<Vec<u8>>,
    /// Its ETag; none where it is hashed.
    pub etag: Option<Vec<u8>>,
}

/// What a file of this path is; none for what is no object.
#[must_use]
pub fn read(path: &Name) -> Option<Place> {
    let bytes = path.as_bytes();
    let (folder, last) = match bytes.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (bytes.get(..at), bytes.get(at.saturating_add(1)..)?),
        None => (None, bytes),
    };
    let mut old = None;
    let mut name = last;
    if let Some((segment, version, etag)) = split_old(last) {
        old = Some(Old { version: unword(version, is_version)?, etag: unword(etag, is_etag)? });
        name = segment;
    }
    let aside = old.is_none() && name.starts_with(ASIDE);
    let name = if aside { name.get(ASIDE.len()..)? } else { name };
    if folder.is_none() && name.strip_prefix(WHOLE).is_some_and(|digits| digits.len() == 64) {
        return Some(Place { key: None, aside, old });
    }
    let mut key = Some(Vec::new());
    let folders = folder.into_iter().flat_map(|folder| folder.split(|byte| *byte == b'/'));
    for (number, segment) in folders.chain([name]).enumerate() {
        key = match (unescape(segment)?, key) {
            (Segment::Is(segment), Some(mut key)) => {
                if number > 0 {
                    key.push(b'/');
                }
                key.extend_from_slice(&segment);
                Some(key)
            }
            (Segment::Hashed(_), _) | (_, None) => None,
        };
    }
    let place = Place { key, aside, old };
    // What would have another place has not been put here.
    place.name().is_none_or(|name| name == *path).then_some(place)
}

impl Place {
    /// Where it lies; none where a part is hashed.
    fn name(&self) -> Option<Name> {
        let key = self.key.as_ref()?;
        match &self.old {
            None => latest(key, self.aside),
            Some(Old { version, etag }) => old(key, version.as_ref()?, etag.as_ref()?),
        }
    }
}

/// The segment, version and ETag of an older version's name: the ETag has no dot, and the version no second `.old.`.
fn split_old(name: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let (front, etag) = (name.get(..dot)?, name.get(dot.saturating_add(1)..)?);
    let at = front.windows(OLD.len()).rposition(|window| window == OLD)?;
    let (segment, version) = (front.get(..at)?, front.get(at.saturating_add(OLD.len())..)?);
    (!version.is_empty() && !etag.is_empty() && !segment.is_empty()).then_some((segment, version, etag))
}

/// Whether a version can be written as it is. It may have dots, but not so that `.old.` comes in it or over its start.
fn is_version(word: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    word.iter().all(plain) && !word.starts_with(b"old.") && !word.windows(OLD.len()).any(|window| window == OLD)
}

/// Whether an ETag can be written as it is.
fn is_etag(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A version or an ETag in a name: at most 65 bytes.
fn word(word: &[u8], is_plain: fn(&[u8]) -> bool) -> Vec<u8> {
    if is_plain(word) && (1..=LONGEST_WORD).contains(&word.len()) {
        return word.to_vec();
    }
    let mut out = Vec::new();
    percent(word, false, &mut out);
    if out.is_empty() {
        out.push(b'%');
    }
    // What nothing was escaped of is too long.
    if out.len() > LONGEST_WORD {
        out = [b"#", sha256_of(word).to_string().as_bytes()].concat();
    }
    out
}

/// The version or ETag of a name, none inside where it is hashed; none at all where nothing is written so.
fn unword(text: &[u8], is_plain: fn(&[u8]) -> bool) -> Option<Option<Vec<u8>>> {
    if text.strip_prefix(b"#").is_some_and(|digits| digits.len() == 64) {
        return Some(None);
    }
    let read = if text == b"%" { Vec::new() } else { unpercent(text)? };
    (word(&read, is_plain) == text).then_some(Some(read))
}

#[cfg(test)]
mod tests;
