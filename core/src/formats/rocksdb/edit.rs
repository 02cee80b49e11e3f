//! `Edit`: one record of a MANIFEST, which says what changed.
//!
//! A run of fields, each a number (varint) that says what it is, then what it holds. RocksDB skips unknown fields that
//! have bit 13, which have a length; a MANIFEST with any other unknown field is refused. (RocksDB 10.4
//! `db/version_edit.cc`, `db/wal_edit.cc`, `db/blob/blob_file_addition.cc`; LevelDB 1.22 `db/version_edit.cc`.)

use super::Engine;
use crate::cursor::Cursor;

/// The bit of a field that may be skipped by who does not know it.
const SKIPPABLE: u32 = 1 << 13;

/// The bit of a part of a table's or a blob file's entry that may not be skipped.
const UNSKIPPABLE: u32 = 1 << 6;

/// How many levels LevelDB has.
const LEVELS: u32 = 7;

/// What a MANIFEST says of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its level in the tree.
    pub level: u32,
    /// Its length in bytes.
    pub size: u64,
    /// The smallest and the largest sequence number in it; none where none are named.
    pub sequences: Option<(u64, u64)>,
    /// It came whole from outside, without any log: the edit that adds it removes nothing, moves no log on, and gives
    /// it one sequence number. A MANIFEST that is begun anew does not keep this.
    pub ingested: bool,
    /// Which of the paths it lies in, by its place in `db_paths` or `cf_paths`.
    pub path: u32,
    /// The oldest blob file that it has values in.
    pub blob: Option<u64>,
    /// The checksum of the whole file, and what it is called.
    pub checksum: Option<Checksum>,
}

/// The checksum of a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// What it is called, as in `FileChecksumCrc32c`.
    pub function: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// What a MANIFEST says of a blob file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// How many values were written to it.
    pub count: u64,
    /// How many bytes they take, with their headers and keys.
    pub bytes: u64,
    /// How many of them nothing needs any more.
    pub garbage_count: u64,
    /// How many bytes those take.
    pub garbage_bytes: u64,
    /// The checksum of the whole file.
    pub checksum: Option<Checksum>,
}

/// What one record says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) comparator: Option<Vec<u8>>,
    pub(super) log_number: Option<u64>,
    pub(super) prev_log_number: Option<u64>,
    pub(super) next_file: Option<u64>,
    pub(super) last_sequence: Option<u64>,
    pub(super) min_log_to_keep: Option<u64>,
    pub(super) identity: Option<Vec<u8>>,
    /// The column family that all of it is of.
    pub(super) family: u32,
    pub(super) adds_family: Option<Vec<u8>>,
    pub(super) drops_family: bool,
    /// Levels and numbers.
    pub(super) deleted: Vec<(u32, u64)>,
    pub(super) added: Vec<(u64, Table)>,
    pub(super) blobs: Vec<(u64, Blob)>,
    /// Numbers, counts, bytes.
    pub(super) garbage: Vec<(u64, u64, u64)>,
    /// Logs, and how much of them is synced.
    pub(super) logs: Vec<(u64, Option<u64>)>,
    /// The logs before this one are gone.
    pub(super) logs_before: Option<u64>,
    /// It belongs to a group of which so many follow.
    pub(super) remaining: Option<u32>,
}

impl Edit {
    /// Reads a record.
    ///
    /// # Errors
    /// What of it cannot be understood, as half a sentence.
    pub(super) fn parse(record: &[u8], engine: Engine) -> Result<Self, String> {
        let (mut edit, mut cursor) = (Self::default(), Cursor::new(record));
        while !cursor.is_empty() {
            let tag = cursor.varint32().ok_or("an edit ends inside the number of a field")?;
            if engine == Engine::LevelDb && (tag == 10 || tag >= 100) {
                return Err(format!("an edit has the field {tag}, which LevelDB does not know"));
            }
            let known = edit.field(tag, &mut cursor).ok_or_else(|| format!("field {tag} of an edit is not whole"))?;
            if !known {
                return Err(format!("an edit has the unknown field {tag}"));
            }
        }
        let mut levels = edit.deleted.iter().map(|(level, _)| *level).chain(edit.added.iter().map(|(_, t)| t.level));
        if engine == Engine::LevelDb && levels.any(|level| level >= LEVELS) {
            return Err(format!("an edit names a level beyond {}, the last that LevelDB has", LEVELS - 1));
        }
        let alone = edit.deleted.is_empty() && edit.log_number.is_none();
        for (_, table) in &mut edit.added {
            table.ingested = alone && table.sequences.is_some_and(|(smallest, largest)| smallest == largest);
        }
        Ok(edit)
    }

    /// Takes the field `tag`: whether it is known; none when it is not whole.
    fn field(&mut self, tag: u32, cursor: &mut Cursor<'_>) -> Option<bool> {
        match tag {
            1 => self.comparator = Some(cursor.prefixed()?.to_vec()),
            2 => self.log_number = Some(cursor.varint64()?),
            3 => self.next_file = Some(cursor.varint64()?),
            4 => self.last_sequence = Some(cursor.varint64()?),
            5 => {
                // Where the next compaction of a level begins.
                cursor.varint32()?;
                key(cursor)?;
            }
            6 => self.deleted.push((cursor.varint32()?, cursor.varint64()?)),
            7 | 100 | 102 | 103 => {
                let added = self.table(tag, cursor)?;
                self.added.push(added);
            }
            9 => self.prev_log_number = Some(cursor.varint64()?),
            10 => self.min_log_to_keep = Some(cursor.varint64()?),
            200 => self.family = cursor.varint32()?,
            201 => self.adds_family = Some(cursor.prefixed()?.to_vec()),
            202 => self.drops_family = true,
            203 => _ = cursor.varint32()?,
            300 => self.remaining = Some(cursor.varint32()?),
            400 | 8194 => self.blobs.push(blob(cursor)?),
            401 | 8195 => {
                self.garbage.push((cursor.varint64()?, cursor.varint64()?, cursor.varint64()?));
                skip_custom(cursor)?;
            }
            8193 => self.identity = Some(cursor.prefixed()?.to_vec()),
            8196 => self.logs.push(log(cursor)?),
            8197 => self.logs_before = Some(cursor.varint64()?),
            8199 => self.logs.push(log(&mut Cursor::new(cursor.prefixed()?))?),
            8200 => self.logs_before = Some(Cursor::new(cursor.prefixed()?).varint64()?),
            _ if tag & SKIPPABLE != 0 => _ = cursor.prefixed()?,
            _ => return Some(false),
        }
        Some(true)
    }

    /// A table, in one of four forms.
    fn table(&mut self, tag: u32, cursor: &mut Cursor<'_>) -> Option<(u64, Table)> {
        let (level, number) = (cursor.varint32()?, cursor.varint64()?);
        let path = if tag == 102 { cursor.varint32()? } else { 0 };
        let size = cursor.varint64()?;
        key(cursor)?;
        key(cursor)?;
        let sequences = if tag == 7 { None } else { Some((cursor.varint64()?, cursor.varint64()?)) };
        let mut table = Table { level, size, sequences, ingested: false, path, blob: None, checksum: None };
        if tag == 103 {
            self.parts(&mut table, cursor)?;
        }
        Some((number, table))
    }

    /// What else an edit says of a table, in the newest form.
    fn parts(&mut self, table: &mut Table, cursor: &mut Cursor<'_>) -> Option<()> {
        let (mut function, mut value) = (Vec::new(), Vec::new());
        loop {
            let part = cursor.varint32()?;
            if part == 1 {
                table.checksum = checksum(function, value);
                return Some(());
            }
            let field = cursor.prefixed()?;
            match part {
                3 => self.min_log_to_keep = Some(Cursor::new(field).fixed64()?),
                4 => table.blob = Some(Cursor::new(field).varint64()?).filter(|number| *number != 0),
                7 => value = field.to_vec(),
                8 => function = field.to_vec(),
                65 => {
                    let [path] = field else { return None };
                    table.path = u32::from(*path);
                }
                _ if part & UNSKIPPABLE != 0 => return None,
                _ => {}
            }
        }
    }
}

/// A key with its sequence number and kind, which take eight bytes.
fn key(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.prefixed().filter(|key| key.len() >= 8).map(|_| ())
}

/// A checksum, if there is one. `Unknown` says that there is none.
fn checksum(function: Vec<u8>, value: Vec<u8>) -> Option<Checksum> {
    let known = !function.is_empty() && function != b"Unknown";
    known.then_some(Checksum { function, value })
}

fn blob(cursor: &mut Cursor<'_>) -> Option<(u64, Blob)> {
    let (number, count, bytes) = (cursor.varint64()?, cursor.varint64()?, cursor.varint64()?);
    let (function, value) = (cursor.prefixed()?.to_vec(), cursor.prefixed()?.to_vec());
    skip_custom(cursor)?;
    let checksum = checksum(function, value);
    Some((number, Blob { count, bytes, garbage_count: 0, garbage_bytes: 0, checksum }))
}

/// Passes over what later versions may say of a blob file.
fn skip_custom(cursor: &mut Cursor<'_>) -> Option<()> {
    loop {
        match cursor.varint32()? {
            0 => return Some(()),
            part if part & UNSKIPPABLE != 0 => return None,
            _ => _ = cursor.prefixed()?,
        }
    }
}

/// A log, and how much of it is synced, if that is said.
fn log(cursor: &mut Cursor<'_>) -> Option<(u64, Option<u64>)> {
    let (number, mut synced) = (cursor.varint64()?, None);
    loop {
        match cursor.varint32()? {
            1 => return Some((number, synced)),
            2 => synced = Some(cursor.varint64()?),
            _ => return None,
        }
    }
}
