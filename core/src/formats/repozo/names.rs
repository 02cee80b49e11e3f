//! The file names of a repository, and what each says.

use crate::codec::Codec;
use crate::name::{Name, TEMPORARY};

/// What follows a stamp, digit for digit.
const STAMP: &[u8; 19] = b"dddd-dd-dd-dd-dd-dd";

/// The ending of files that a backup set aside because nothing proves what they are.
pub const SET_ASIDE: &str = ".set-aside";

/// What follows a data file's name in that of its marks ([`crate::marks`]). The original passes over such files.
pub const MARKS: &str = crate::marks::SUFFIX;

/// What follows the stamp of a full backup in the name of the note that everything older is being removed. It is there
/// from before the first removal until after the last, so that an interrupted one can be told from a loss.
pub const KILL_OLD: &str = ".kill-old";

/// What follows a stamp in the name of the note that points are being removed: of the chain that the stamp lies in, from
/// there on, what no line of the index names. Like the other, it is there from before the first removal until after the
/// last.
pub const PRUNED: &str = ".pruned";

/// The lock file of writers.
pub const LOCK: &str = ".highwater.lock";

/// Full or increment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All of the source, from 0.
    Full,
    /// What was appended since the backup before.
    Delta,
}

/// A data file's name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFile<'a> {
    /// `YYYY-MM-DD-hh-mm-ss`, UTC.
    pub stem: &'a str,
    /// Full or increment.
    pub kind: Kind,
    /// Plain or gzipped.
    pub codec: Codec,
}

impl<'a> DataFile<'a> {
    /// Reads a name as the original's pattern does: stamp, `.`, optional `delta`, `fs`, optional `z`.
    #[must_use]
    pub fn parse(name: &'a [u8]) -> Option<Self> {
        let (stem, extension) = stem(name)?;
        let (kind, codec) = match extension {
            b"fs" => (Kind::Full, Codec::Plain),
            b"fsz" => (Kind::Full, Codec::Gzip),
            b"deltafs" => (Kind::Delta, Codec::Plain),
            b"deltafsz" => (Kind::Delta, Codec::Gzip),
            _ => return None,
        };
        Some(Self { stem, kind, codec })
    }

    /// The file's name.
    #[must_use]
    pub fn name(&self) -> String {
        let delta = if self.kind == Kind::Delta { "delta" } else { "" };
        let gzip = if self.codec == Codec::Gzip { "z" } else { "" };
        format!("{}.{delta}fs{gzip}", self.stem)
    }
}

/// What a file in a repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'a> {
    /// A backup's data.
    Data(DataFile<'a>),
    /// A chain's index; its stem.
    Dat(&'a str),
    /// An OID index; its stem.
    Index(&'a str),
    /// Marks; the name of the data file they are of.
    Marks(&'a str),
    /// The note that what is older than the full backup of this stem is being removed.
    KillOld(&'a str),
    /// The note that what no line names is being removed, from this stamp on, in its chain.
    Pruned(&'a str),
    /// A work file, of the original or of ours.
    Temporary,
    /// The lock file.
    Lock,
    /// Nothing that belongs here.
    Stray,
}

impl<'a> Role<'a> {
    /// What the file of this name is.
    #[must_use]
    pub fn of(name: &'a Name) -> Self {
        let bytes = name.as_bytes();
        if let Some(data) = DataFile::parse(bytes) {
            return Self::Data(data);
        }
        match stem(bytes) {
            Some((stem, b"dat")) => return Self::Dat(stem),
            Some((stem, b"index")) => return Self::Index(stem),
            Some((stem, b"kill-old")) => return Self::KillOld(stem),
            Some((stem, b"pruned")) => return Self::Pruned(stem),
            _ => {}
        }
        let of = bytes.strip_suffix(MARKS.as_bytes()).filter(|of| DataFile::parse(of).is_some());
        if let Some(of) = of.and_then(|of| std::str::from_utf8(of).ok()) {
            return Self::Marks(of);
        }
        if bytes == LOCK.as_bytes() {
            Self::Lock
        } else if bytes == b"tmp.tmp" || bytes.ends_with(TEMPORARY.as_bytes()) {
            Self::Temporary
        } else {
            Self::Stray
        }
    }
}

/// Splits a name into its stamp and what follows the first dot.
fn stem(name: &[u8]) -> Option<(&str, &[u8])> {
    let (stem, rest) = name.split_at_checked(STAMP.len())?;
    let fits =
        stem.iter().zip(STAMP).all(|(byte, like)| if *like == b'd' { byte.is_ascii_digit() } else { byte == like });
    Some((std::str::from_utf8(stem).ok().filter(|_| fits)?, rest.strip_prefix(b".")?))
}

/// Whether a stamp is at or before a point, which may name a whole day, hour or minute by leaving its end out.
#[must_use]
pub fn at_or_before(stem: &str, point: &str) -> bool {
    stem.get(..point.len()).unwrap_or(stem) <= point
}

/// Why a text is no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPoint {
    /// It is not written as one.
    #[error("'{0}' is no point in time: write YYYY-MM-DD[-hh[-mm[-ss]]], UTC")]
    Form(String),
    /// It is written as one, but the calendar or the clock does not have it.
    #[error("'{0}' is no point in time: there is no such {1}")]
    Impossible(String, &'static str),
}

/// The point that a file of a repository belongs to: the stamp of a data file, of an index or of an OID index.
#[must_use]
pub fn stem_of(name: &Name) -> Option<&str> {
    match Role::of(name) {
        Role::Data(data) => Some(data.stem),
        Role::Dat(stem) | Role::Index(stem) => Some(stem),
        _ => None,
    }
}

/// Reads a point: `YYYY[-MM[-DD[-hh[-mm[-ss]]]]]`; `T`, a space or `:` may separate, a final `Z` is dropped.
///
/// # Errors
/// [`NoPoint`] says whether it is the form, or that there was no such time.
pub fn point(text: &str) -> Result<String, NoPoint> {
    let plain = text.strip_suffix('Z').unwrap_or(text).replace(['T', ' ', ':'], "-");
    let fits = plain.len() <= STAMP.len()
        && plain
            .bytes()
            .zip(STAMP)
            .all(|(byte, like)| if *like == b'd' { byte.is_ascii_digit() } else { byte == *like });
    let complete = matches!(plain.len(), 4 | 7 | 10 | 13 | 16 | 19);
    if !fits || !complete {
        return Err(NoPoint::Form(crate::name::printable(text.as_bytes())));
    }
    match impossible(&plain) {
        Some(what) => Err(NoPoint::Impossible(plain, what)),
        None => Ok(plain),
    }
}

/// The first part of a point in the right form that no calendar and no clock has. A minute may have a leap second.
fn impossible(point: &str) -> Option<&'static str> {
    let mut parts = point.split('-').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    let (year, month) = (parts.next()?, parts.next()?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return Some("month"),
    };
    if !(1..=days).contains(&parts.next()?) {
        return Some("day");
    }
    [("hour", 23), ("minute", 59), ("second", 60)]
        .into_iter()
        .find_map(|(what, most)| parts.next().filter(|part| *part > most).map(|_| what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_files_are_what_the_original_takes_for_them() {
        for name in [
            "2026-11-20-01-02-03.fs",
            "2026-11-20-01-02-03.deltafsz",
            "0000-00-00-00-00-00.fsz",
            "9999-99-99-99-99-99.deltafs",
        ] {
            assert_eq!(DataFile::parse(name.as_bytes()).unwrap().name(), name);
        }
        for name in [
            "2026-11-20-01-02-03.dat",
            "2026-11-20-01-02-03.fs.part",
            "2026-11-20-01-02-3.fs",
            "x2026-11-20-01-02-03.fs",
            "2026-11-20-01-02-03fs",
            "2026-11-20-01-02-03.FS",
        ] {
            assert_eq!(DataFile::parse(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn points_cover_the_whole_time_they_name() {
        let day = point("2026-11-20").unwrap();
        assert!(at_or_before("2026-11-20-23-59-59", &day) && !at_or_before("2026-11-21-00-00-00", &day));
        assert_eq!(point("2026-11-20T10:11:12Z").unwrap(), "2026-11-20-10-11-12");
        for bad in ["", "now", "2026-1-2", "2026-11-2", "2026-11-20-", "20261120", "2026-11-20-10-11-12-13"] {
            assert_eq!(point(bad), Err(NoPoint::Form(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn points_are_in_the_calendar() {
        for good in ["0000", "2024-02-29", "2000-02-29-00-00-60", "2026-12-31-23-59-59"] {
            assert_eq!(point(good).as_deref(), Ok(good));
        }
        for (bad, what) in [
            ("2026-13", "month"),
            ("2026-00", "month"),
            ("2026-13-40", "month"),
            ("2026-11-31", "day"),
            ("2026-02-29", "day"),
            ("1900-02-29", "day"),
            ("2026-11-00", "day"),
            ("2026-11-20-24", "hour"),
            ("2026-11-20-25-00-00", "hour"),
            ("2026-11-20-23-60", "minute"),
            ("2026-11-20-23-59-61", "second"),
        ] {
            assert_eq!(point(bad), Err(NoPoint::Impossible(bad.to_owned(), what)), "{bad}");
        }
    }
}
