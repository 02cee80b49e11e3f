//! `File` and `Layout`: the names of what lies in a store, both directions.
//!
//! The database names a file by what it holds; a layout spreads those names over folders (DirectoryStorage 1.1.21,
//! `formats.py`). Identifiers are 16 upper-case hexadecimal digits; that of a transaction is split into 6 and 10.
//!
//! | layout | `o0123456789ABCDEF.c` | `t012345.6789ABCDEF` | `x.oid` |
//! |---|---|---|---|
//! | bushy | `o0/12/34/56/78/9A/BC/DEF/c` | `t0/12/345/6789ABCDEF` | `x/oid` |
//! | chunky | `o012/345/678/9AB/CDEF.c` | `t012/345.6789ABCDEF` | `x/oid` |
//! | lawn | `o0123456789ABCDEF/c` | `t012345/6789ABCDEF` | `x/oid` |
//! | flat | as it is | as it is | `x.oid` |

use crate::name::Name;

/// The database.
pub const DATABASE: &str = "A";

/// Where the database grows while [`DATABASE`] holds still.
pub const BESIDE: &str = "B";

/// The folder of what is committed and not in the database yet.
pub const JOURNAL: &str = "journal";

/// In [`JOURNAL`]: an increment that a replica received and has not applied yet.
pub const REPLICA: &str = "replica.tar";

/// The folder of locks and marks.
pub const MISC: &str = "misc";

/// In [`MISC`]: there while the database holds still and is whole transactions.
pub const SNAPSHOT: &str = "snapshot";

/// What whoever manages the store locks.
pub const LOCK: &str = "misc/lock";

/// The folder of the settings.
pub const CONFIG: &str = "config";

/// The settings of a store.
pub const SETTINGS: &str = "config/settings";

/// What tells a store from every other: 32 hexadecimal digits.
pub const IDENTITY: &str = "config/identity";

/// A file of the database, by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum File {
    /// The highest object identifier that was given out.
    Oid,
    /// The last transaction.
    Serial,
    /// The transaction up to which the last pack went.
    Packed,
    /// Which revision of an object is current.
    Current(u64),
    /// A revision of an object: the object and the transaction that wrote it.
    Revision(u64, u64),
    /// A transaction.
    Transaction(u64),
}

impl File {
    /// Its name in the database, as the journal has it too.
    #[must_use]
    pub fn name(self) -> String {
        let (stem, rest) = self.parts();
        format!("{stem}.{rest}")
    }

    /// The file of a name in the database.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"x.oid" => Self::Oid,
            b"x.serial" => Self::Serial,
            b"x.packed" => Self::Packed,
            [b'o', rest @ ..] => {
                let (oid, rest) = rest.split_at_checked(16)?;
                match rest.strip_prefix(b".")? {
                    b"c" => Self::Current(hex(oid)?),
                    serial if serial.len() == 16 => Self::Revision(hex(oid)?, hex(serial)?),
                    _ => return None,
                }
            }
            [b't', rest @ ..] => {
                let (high, low) = rest.split_at_checked(6)?;
                let low = low.strip_prefix(b".").filter(|low| low.len() == 10)?;
                Self::Transaction(hex(high)? << 40 | hex(low)?)
            }
            _ => return None,
        })
    }

    /// What stands before the dot in its name, and what behind it.
    fn parts(self) -> (String, String) {
        let root = |what: &str| ("x".to_owned(), what.to_owned());
        match self {
            Self::Oid => root("oid"),
            Self::Serial => root("serial"),
            Self::Packed => root("packed"),
            Self::Current(oid) => (format!("o{oid:016X}"), "c".to_owned()),
            Self::Revision(oid, serial) => (format!("o{oid:016X}"), format!("{serial:016X}")),
            Self::Transaction(id) => (format!("t{:06X}", id >> 40), format!("{:010X}", id & 0xff_ffff_ffff)),
        }
    }
}

/// How the names of files are spread over folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Two digits a folder, and a folder for each object.
    Bushy,
    /// Three digits a folder.
    Chunky,
    /// A folder for each object.
    Lawn,
    /// All in one folder.
    Flat,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 4] = [Self::Bushy, Self::Chunky, Self::Lawn, Self::Flat];

    /// Its word in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bushy => "bushy",
            Self::Chunky => "chunky",
            Self::Lawn => "lawn",
            Self::Flat => "flat",
        }
    }

    /// The layout of a word.
    #[must_use]
    pub fn by_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == word)
    }

    /// How many characters of what stands before the dot the names of its folders take, one after another; what is left
    /// begins the name of the file.
    fn widths(self, kind: u8) -> &'static [usize] {
        match (self, kind) {
            (Self::Flat, _) => &[],
            (_, b'x') => &[1],
            (Self::Bushy, b'o') => &[2, 2, 2, 2, 2, 2, 2, 3],
            (Self::Bushy, _) => &[2, 2, 3],
            (Self::Chunky, b'o') => &[4, 3, 3, 3],
            (Self::Chunky, _) => &[4],
            (Self::Lawn, b'o') => &[17],
            (Self::Lawn, _) => &[7],
        }
    }

    /// Where a file lies below the folder of the database.
    #[must_use]
    pub fn path(self, file: File) -> String {
        let (stem, rest) = file.parts();
        let (mut path, mut left) = (String::new(), stem.as_str());
        for width in self.widths(stem.bytes().next().unwrap_or_default()) {
            let (folder, behind) = left.split_at_checked(*width).unwrap_or((left, ""));
            path.push_str(folder);
            path.push('/');
            left = behind;
        }
        path.push_str(left);
        if !left.is_empty() {
            path.push('.');
        }
        path.push_str(&rest);
        path
    }

    /// The file that lies at a path below the folder of the database.
    #[must_use]
    pub fn file(self, path: &[u8]) -> Option<File> {
        let (folders, last) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (path.get(..at)?, path.get(at + 1..)?),
            None => (b"".as_slice(), path),
        };
        let mut name: Vec<u8> = folders.iter().copied().filter(|byte| *byte != b'/').collect();
        if !last.contains(&b'.') {
            name.push(b'.');
        }
        name.extend_from_slice(last);
        File::parse(&name).filter(|file| self.path(*file).as_bytes() == path)
    }

    /// Whether files may lie in a folder, or in folders in it, by its path below the folder of the database.
    #[must_use]
    pub fn is_folder(self, path: &[u8]) -> bool {
        let mut widths = self.widths(path.first().copied().unwrap_or_default()).iter();
        let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        let fits = path.split(|byte| *byte == b'/').all(|part| widths.next() == Some(&part.len()));
        let digits = path.get(1..).unwrap_or_default().iter().all(|byte| digit(byte) || *byte == b'/');
        fits && digits && matches!(path.first(), Some(b'o' | b't' | b'x'))
    }

    /// The object of a file of the database.
    #[must_use]
    pub fn object(self, file: File) -> Option<Name> {
        Name::new(format!("{DATABASE}/{}", self.path(file)).as_bytes()).ok()
    }
}

/// What an entry of the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A folder of the files of a transaction that is being written, or never was to its end.
    Begun,
    /// A folder of the files of a transaction that is committed.
    Done(u64),
    /// An increment that a replica received.
    Replica,
}

/// What an entry of the journal of this name is; none where the engine refuses to start with it (`LocalFilesystem.py`).
#[must_use]
pub fn waiting(name: &[u8]) -> Option<Waiting> {
    if name == REPLICA.as_bytes() {
        return Some(Waiting::Replica);
    }
    let (id, rest) = name.strip_prefix(b"working_")?.split_at_checked(16)?;
    let id = hex(id)?;
    match rest {
        // The engine looks no further.
        [b'_', b't', b'e', b'm', b'p', ..] => Some(Waiting::Begun),
        [b'_', b'd', b'o', b'n', b'e', ..] => Some(Waiting::Done(id)),
        _ => None,
    }
}

/// A number in upper-case hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u64> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0')),
        b'A'..=b'F' => Some(u64::from(byte - b'A') + 10),
        _ => None,
    };
    digits.iter().try_fold(0, |number: u64, byte| Some(number << 4 | digit(*byte)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [File; 6] = [
        File::Oid,
        File::Serial,
        File::Packed,
        File::Current(0x0123_4567_89AB_CDEF),
        File::Revision(0x0123_4567_89AB_CDEF, 0x0346_25A0_0000_00FF),
        File::Transaction(0x0123_4567_89AB_CDEF),
    ];

    #[test]
    fn every_layout_has_the_paths_of_the_engine() {
        for (layout, paths) in [
            (
                Layout::Bushy,
                [
                    "x/oid",
                    "x/serial",
                    "x/packed",
                    "o0/12/34/56/78/9A/BC/DEF/c",
                    "o0/12/34/56/78/9A/BC/DEF/034625A0000000FF",
                    "t0/12/345/6789ABCDEF",
                ],
            ),
            (
                Layout::Chunky,
                [
                    "x/oid",
                    "x/serial",
                    "x/packed",
                    "o012/345/678/9AB/CDEF.c",
                    "o012/345/678/9AB/CDEF.034625A0000000FF",
                    "t012/345.6789ABCDEF",
                ],
            ),
            (
                Layout::Lawn,
                [
                    "x/oid",
                    "x/serial",
                    "x/packed",
                    "o0123456789ABCDEF/c",
                    "o0123456789ABCDEF/034625A0000000FF",
                    "t012345/6789ABCDEF",
                ],
            ),
            (
                Layout::Flat,
                [
                    "x.oid",
                    "x.serial",
                    "x.packed",
                    "o0123456789ABCDEF.c",
                    "o0123456789ABCDEF.034625A0000000FF",
                    "t012345.6789ABCDEF",
                ],
            ),
        ] {
            for (file, path) in ALL.into_iter().zip(paths) {
                assert_eq!(layout.path(file), path);
                assert_eq!(layout.file(path.as_bytes()), Some(file), "{layout:?} {path}");
                assert_eq!(File::parse(file.name().as_bytes()), Some(file));
                let above: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
                assert!(above.iter().all(|at| layout.is_folder(&path.as_bytes()[..*at])), "{layout:?} {path}");
                let others = Layout::ALL.into_iter().filter(|other| other.path(file) != path);
                assert!(others.into_iter().all(|other| other.file(path.as_bytes()).is_none()), "{path}");
            }
        }
    }

    #[test]
    fn what_the_engine_would_not_write_is_no_file() {
        for name in [
            "",
            "o",
            "x",
            "x.other",
            "o0123456789abcdef.c",
            "o0123456789ABCDEF.C",
            "o0123456789ABCDEF",
            "o0123456789ABCDEF.",
            "o0123456789ABCDEF.c.mark",
            "o0123456789ABCDEF.c-1700000000-deleted",
            "o0123456789ABCDEF.034625A0000000F",
            "o0123456789ABCDEF.034625A0000000FF0",
            "o+123456789ABCDEF.c",
            "t01234.56789ABCDEF",
            "t0123456.789ABCDEF",
            "t012345.6789ABCDE",
        ] {
            assert_eq!(File::parse(name.as_bytes()), None, "{name}");
            assert_eq!(Layout::Flat.file(name.as_bytes()), None, "{name}");
        }
        for path in ["x", "x.oid", "x/oid/", "/x/oid", "o0/12/34/56/78/9A/BC/DE/Fc", "o0/12/34/56/78/9A/BC/DEF.c"] {
            assert_eq!(Layout::Bushy.file(path.as_bytes()), None, "{path}");
        }
        for path in ["", "y", "o", "o0/1", "o0/12/34/56/78/9A/BC/DE", "t0/12/34", "o0/gg", "x/x", "o0/", "ox"] {
            assert!(!Layout::Bushy.is_folder(path.as_bytes()), "{path}");
        }
        assert!(!Layout::Flat.is_folder(b"x") && !Layout::Chunky.is_folder(b"o012/345/678/9AB/CDEF"));
    }

    #[test]
    fn the_journal_has_transactions_and_increments() {
        for (name, wanted) in [
            ("working_034625A0000000FF_temp", Some(Waiting::Begun)),
            ("working_034625A0000000FF_done", Some(Waiting::Done(0x0346_25A0_0000_00FF))),
            ("replica.tar", Some(Waiting::Replica)),
            ("working_034625A0000000FF", None),
            ("working_034625a0000000ff_done", None),
            ("working_034625A0000000FF_vote", None),
            ("lost+found", None),
        ] {
            assert_eq!(waiting(name.as_bytes()), wanted, "{name}");
        }
    }
}
