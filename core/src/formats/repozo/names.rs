//! The file names of a repository, and what each says.

use crate::codec::Codec;
use crate::name::{Name, TEMPORARY};
use crate::stamp::STAMP;

/// The ending of files that a backup set aside because nothing proves what they are.
pub const SET_ASIDE: &str = ".set-aside";

/// What follows a data file's name in that of its marks ([`crate::marks`]). The original passes over such files.
pub const MARKS: &str = crate::marks::SUFFIX;

/// What follows the stamp of a full backup in the name of the note that everything older is being removed. It is there
/// from before the first removal until after the last, so that an interrupted one can be told from a loss.
pub const KILL_OLD: &str = ".kill-old";

/// What follows a stamp in the name of the note that points are being removed: of the chain that the stamp lies in,
/// from there on, what no line of the index names. Like the other, it is there from before the first removal until
/// after the last.
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

/// The point that a file of a repository belongs to: the stamp of a data file, of an index or of an OID index.
#[must_use]
pub fn stem_of(name: &Name) -> Option<&str> {
    match Role::of(name) {
        Role::Data(data) => Some(data.stem),
        Role::Dat(stem) | Role::Index(stem) => Some(stem),
        _ => None,
    }
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
}
