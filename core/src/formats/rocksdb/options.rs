//! `Options`: what of an OPTIONS file matters to who copies or checks a store.
//!
//! Lines of text in sections (`[DBOptions]`, `[CFOptions "name"]`): a name, `=`, a value; `#` begins a comment, and `\`
//! takes its meaning from what follows it (RocksDB 10.4 `options/options_parser.cc`). RocksDB writes a new file
//! whenever options change, with all of them in it; the newest counts.

use std::collections::BTreeMap;

use super::odd::Odd;
use crate::name::printable;

/// The longest OPTIONS file that is read, in bytes. One takes some 6 kB a column family.
pub const LONGEST: usize = 16 << 20;

/// Options of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The version of RocksDB that wrote them.
    pub version: Vec<u8>,
    /// How many logs are kept to be written over.
    pub recycle_log_file_num: u64,
    /// Where the logs lie; none for the store itself.
    pub wal_dir: Option<Vec<u8>>,
    /// Where tables lie, as the file says it; none for the store itself. Files of this version do not say it.
    pub db_paths: Option<Vec<u8>>,
    /// Logs are written only when somebody asks for it.
    pub manual_wal_flush: bool,
    /// Files are written through a mapping.
    pub allow_mmap_writes: bool,
    /// Transactions commit in two phases.
    pub allow_2pc: bool,
    /// Options of each column family, by its name.
    pub families: BTreeMap<Vec<u8>, FamilyOptions>,
}

/// Options of a column family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FamilyOptions {
    /// The order of its keys.
    pub comparator: Vec<u8>,
    /// Long values lie in blob files.
    pub enable_blob_files: bool,
    /// Where its tables lie, as the file says it; none for where those of the store do.
    pub cf_paths: Option<Vec<u8>>,
}

/// Which section a line stands in.
enum Section {
    None,
    Version,
    Store,
    Family(Vec<u8>),
    Other,
}

/// Reads an OPTIONS file. Options and sections that matter to nobody here may be anything.
///
/// # Errors
/// Where and why it is none.
pub fn parse(bytes: &[u8]) -> Result<Options, Odd> {
    if bytes.len() > LONGEST {
        return Err(Odd::new(LONGEST as u64, "it is longer than any OPTIONS file"));
    }
    let (mut options, mut section, mut at) = (Options::default(), Section::None, 0_u64);
    let (mut has_store, mut has_version) = (false, false);
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        let begin = at;
        at = at.saturating_add(piece.len() as u64);
        let line = plain(piece);
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let odd = |what: &str| {
            let shown = printable(line.get(..80).unwrap_or(line));
            Odd::new(begin, format!("the line '{shown}' {what}"))
        };
        if let Some(head) = line.strip_prefix(b"[") {
            let head = head.strip_suffix(b"]").ok_or_else(|| odd("opens a section and does not end it"))?;
            section = match head {
                b"Version" => Section::Version,
                b"DBOptions" => Section::Store,
                _ => match head.strip_prefix(b"CFOptions ") {
                    Some(name) => {
                        let name = name.trim_ascii().strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\""));
                        let name = name.ok_or_else(|| odd("names no column family"))?.to_vec();
                        options.families.entry(name.clone()).or_default();
                        Section::Family(name)
                    }
                    None => Section::Other,
                },
            };
            has_version |= matches!(section, Section::Version);
            has_store |= matches!(section, Section::Store);
            continue;
        }
        let equals = line.iter().position(|byte| *byte == b'=').ok_or_else(|| odd("says nothing"))?;
        let (name, value) = line.split_at_checked(equals).unwrap_or_default();
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        match &section {
            Section::None => return Err(odd("stands before any section")),
            Section::Version if name == b"rocksdb_version" => options.version = value.to_vec(),
            Section::Store => options.take(name, value).ok_or_else(|| odd("has a value that it cannot have"))?,
            Section::Family(family) => {
                let family = options.families.entry(family.clone()).or_default();
                family.take(name, value).ok_or_else(|| odd("has a value that it cannot have"))?;
            }
            Section::Version | Section::Other => {}
        }
    }
    match (has_version, has_store, options.families.contains_key(&b"default"[..])) {
        (true, true, true) => Ok(options),
        (false, _, _) => Err(Odd::new(at, "it has no section [Version]")),
        (_, false, _) => Err(Odd::new(at, "it has no section [DBOptions]")),
        (_, _, false) => Err(Odd::new(at, "it has no section of the default column family")),
    }
}

impl Options {
    fn take(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        match name {
            b"recycle_log_file_num" => self.recycle_log_file_num = number(value)?,
            b"wal_dir" => self.wal_dir = path(value),
            b"db_paths" => self.db_paths = path(value),
            b"manual_wal_flush" => self.manual_wal_flush = flag(value)?,
            b"allow_mmap_writes" => self.allow_mmap_writes = flag(value)?,
            b"allow_2pc" => self.allow_2pc = flag(value)?,
            _ => {}
        }
        Some(())
    }
}

impl FamilyOptions {
    fn take(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        match name {
            b"comparator" => self.comparator = value.to_vec(),
            b"enable_blob_files" => self.enable_blob_files = flag(value)?,
            b"cf_paths" => self.cf_paths = path(value),
            _ => {}
        }
        Some(())
    }
}

/// A line without its comment, and with what a backslash hides as it is.
fn plain(line: &[u8]) -> Vec<u8> {
    let (mut plain, mut hidden) = (Vec::with_capacity(line.len()), false);
    for byte in line {
        match (hidden, byte) {
            (false, b'#') => break,
            (false, b'\\') => hidden = true,
            (true, byte) => {
                plain.push(match byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    byte => *byte,
                });
                hidden = false;
            }
            (false, byte) => plain.push(*byte),
        }
    }
    plain
}

fn number(value: &[u8]) -> Option<u64> {
    super::names::number(value)
}

fn flag(value: &[u8]) -> Option<bool> {
    match value {
        b"true" | b"1" => Some(true),
        b"false" | b"0" => Some(false),
        _ => None,
    }
}

/// A path or a list of such, if there is one.
fn path(value: &[u8]) -> Option<Vec<u8>> {
    (!value.is_empty() && value != b"{}").then(|| value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of what RocksDB 9.8.4 wrote.
    const SAMPLE: &str = "# This is a RocksDB option file.\n#\n\n[Version]\n  rocksdb_version=9.8.4\n  \
        options_file_version=1.1\n\n[DBOptions]\n  max_open_files=-1\n  manual_wal_flush=false\n  \
        recycle_log_file_num=2\n  wal_dir=/data/wal\n  allow_2pc=true\n  allow_mmap_writes=false\n  \n\n[CFOptions \
        \"default\"]\n  enable_blob_files=true\n  compression_opts={level=32767;window_bits=-14;}\n  \
        comparator=leveldb.BytewiseComparator\n  \n[TableOptions/BlockBasedTable \"default\"]\n  checksum=kXXH3\n\n\
        [CFOptions \"a\\#b\"]\n  enable_blob_files=false\n";

    #[test]
    fn what_matters_is_read() {
        let options = parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!((options.recycle_log_file_num, options.allow_2pc, options.manual_wal_flush), (2, true, false));
        assert_eq!((options.wal_dir.as_deref(), options.db_paths), (Some(&b"/data/wal"[..]), None));
        assert_eq!(options.version, b"9.8.4");
        let default = &options.families[&b"default"[..]];
        assert!(default.enable_blob_files && default.comparator == b"leveldb.BytewiseComparator");
        assert!(options.families.contains_key(&b"a#b"[..]) && options.families.len() == 2);
    }

    #[test]
    fn what_is_no_options_file_is_said_with_the_line() {
        for (is, but, begins, what) in [
            ("allow_2pc=true", "allow_2pc=perhaps", "  allow_2pc", "cannot have"),
            ("[Version]", "[Version", "[Version", "does not end"),
            ("wal_dir=", "wal_dir ", "  wal_dir", "says nothing"),
            ("[Version]\n", "", "  rocksdb_version", "before any section"),
            ("[CFOptions \"default\"]", "[CFOptions default]", "[CFOptions d", "names no column family"),
        ] {
            let text = SAMPLE.replace(is, but);
            let odd = parse(text.as_bytes()).unwrap_err();
            assert!(Some(odd.at) == text.find(begins).map(|at| at as u64) && odd.what.contains(what), "{odd}");
        }
        for section in ["[Version]", "[DBOptions]", "[CFOptions \"default\"]"] {
            let odd = parse(SAMPLE.replace(section, "[Other]").as_bytes()).unwrap_err();
            assert!(odd.what.contains("it has no section"), "{odd}");
        }
        assert!(parse(b"").is_err());
    }
}
