//! Names of the files of a store: what each is, and how one is written.
//!
//! As `ParseFileName` of RocksDB 10.4 (`file/filename.cc`) and LevelDB 1.23 (`db/filename.cc`) reads them, and as both
//! write them: numbers have at least six digits, and may be written with more or fewer.

use crate::name::Name;

/// The name of the file that names the MANIFEST.
pub const CURRENT: &str = "CURRENT";

/// The file that an open store holds a lock on.
pub const LOCK: &str = "LOCK";

/// What a file of a store is. Numbers are shared by all kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum File {
    /// A table: `NUMBER.sst`, or `NUMBER.ldb`.
    Table(u64),
    /// A write-ahead log: `NUMBER.log`.
    Log(u64),
    /// A log of version edits: `MANIFEST-NUMBER`.
    Manifest(u64),
    /// Values that lie outside of the tables: `NUMBER.blob`. RocksDB only.
    Blob(u64),
    /// Options as text: `OPTIONS-NUMBER`. RocksDB only.
    Options(u64),
    /// What names the MANIFEST.
    Current,
    /// Whose store it is. RocksDB only.
    Identity,
    /// What an open store locks.
    Lock,
    /// Messages for people: `LOG`, `LOG.old`, `LOG.old.NUMBER`.
    Info,
    /// A file that is being written: `NUMBER.dbtmp`, `OPTIONS-NUMBER.dbtmp`.
    Temporary,
}

/// How tables are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// `.sst`: RocksDB, and LevelDB before 1.12.
    Sst,
    /// `.ldb`: LevelDB.
    Ldb,
}

impl Ending {
    /// The other one, under which both engines look for a table that is not there.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Sst => Self::Ldb,
            Self::Ldb => Self::Sst,
        }
    }
}

/// What the file of this name is; none for one that belongs to no store.
#[must_use]
pub fn file(name: &[u8]) -> Option<File> {
    let after = |prefix: &[u8]| name.strip_prefix(prefix);
    Some(match name {
        b"CURRENT" => File::Current,
        b"IDENTITY" => File::Identity,
        b"LOCK" => File::Lock,
        b"LOG" | b"LOG.old" => File::Info,
        _ => {
            if let Some(rest) = after(b"LOG.old.") {
                number(rest).map(|_| File::Info)?
            } else if let Some(rest) = after(b"MANIFEST-") {
                File::Manifest(number(rest)?)
            } else if let Some(rest) = after(b"OPTIONS-") {
                match rest.strip_suffix(b".dbtmp") {
                    Some(rest) => number(rest).map(|_| File::Temporary)?,
                    None => File::Options(number(rest)?),
                }
            } else {
                let dot = name.iter().position(|byte| *byte == b'.')?;
                let (digits, ending) = name.split_at_checked(dot)?;
                let number = number(digits)?;
                match ending {
                    b".sst" | b".ldb" => File::Table(number),
                    b".log" => File::Log(number),
                    b".blob" => File::Blob(number),
                    b".dbtmp" => File::Temporary,
                    _ => return None,
                }
            }
        }
    })
}

/// A number of decimal digits, and nothing else.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}

/// The name of a table.
#[must_use]
pub fn table(number: u64, ending: Ending) -> Option<Name> {
    name(format!("{number:06}.{}", if ending == Ending::Sst { "sst" } else { "ldb" }))
}

/// The name of a write-ahead log.
#[must_use]
pub fn log(number: u64) -> Option<Name> {
    name(format!("{number:06}.log"))
}

/// The name of a blob file.
#[must_use]
pub fn blob(number: u64) -> Option<Name> {
    name(format!("{number:06}.blob"))
}

/// The name of a MANIFEST.
#[must_use]
pub fn manifest(number: u64) -> Option<Name> {
    name(format!("MANIFEST-{number:06}"))
}

/// The name of an OPTIONS file.
#[must_use]
pub fn options(number: u64) -> Option<Name> {
    name(format!("OPTIONS-{number:06}"))
}

fn name(text: String) -> Option<Name> {
    Name::new(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_engines_read_them() {
        for (name, is) in [
            ("000011.sst", Some(File::Table(11))),
            ("000005.ldb", Some(File::Table(5))),
            ("7.log", Some(File::Log(7))),
            ("1234567.blob", Some(File::Blob(1_234_567))),
            ("MANIFEST-000005", Some(File::Manifest(5))),
            ("OPTIONS-000009", Some(File::Options(9))),
            ("OPTIONS-000009.dbtmp", Some(File::Temporary)),
            ("000009.dbtmp", Some(File::Temporary)),
            ("LOG.old.1700000000000000", Some(File::Info)),
            ("CURRENT", Some(File::Current)),
            ("18446744073709551615.log", Some(File::Log(u64::MAX))),
            ("18446744073709551616.log", None),
            ("MANIFEST-", None),
            ("MANIFEST-5x", None),
            (".log", None),
            ("+5.log", None),
            ("000011.sst.trash", None),
            ("LOG.older", None),
        ] {
            assert_eq!(file(name.as_bytes()), is, "{name}");
        }
    }

    #[test]
    fn written_names_are_read_back() {
        for number in [1, 999_999, 1_000_000, u64::MAX] {
            let read = |name: Option<Name>| file(name.unwrap().as_bytes());
            assert_eq!(read(table(number, Ending::Sst)), Some(File::Table(number)));
            assert_eq!(read(table(number, Ending::Ldb)), Some(File::Table(number)));
            assert_eq!(read(log(number)), Some(File::Log(number)));
            assert_eq!(read(blob(number)), Some(File::Blob(number)));
            assert_eq!(read(manifest(number)), Some(File::Manifest(number)));
            assert_eq!(read(options(number)), Some(File::Options(number)));
        }
    }
}
