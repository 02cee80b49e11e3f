//! `Version`: a file `v<N>` of a keyspace, which names its tables and blob files with their digests.
//!
//! An [archive](super::archive) with these sections (lsm-tree 3.1.10, `version/mod.rs` and `version/recovery.rs`, all
//! numbers little-endian):
//! * `format_version`, a byte, 3; `tree_type`, a byte, 0 or 1; `level_count`, a byte, 7; `filter_hash_type`, a byte, 0;
//! * `tables`: a number of levels (1); for each a number of runs (1); for each a number of tables (4); for each table
//!   its number (8), the kind of its checksum (1, 0), the XXH3-128 of its whole file (16), and its global sequence
//!   number (8), which is above 0 only for what was ingested in bulk;
//! * `blob_files`: their number (4); for each its number (8), the kind of its checksum (1, 0) and the XXH3-128 of its
//!   whole file (16);
//! * `blob_gc_stats`: a number of entries (4) of 28 bytes.

use std::collections::BTreeSet;

use super::Odd;
use super::archive::{Archive, Fields};
use crate::digest::Digest;

/// How many levels every keyspace has.
const LEVELS: u8 = 7;

/// What a version says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Its tables, level by level.
    pub tables: Vec<Table>,
    /// Its blob files.
    pub blobs: Vec<Blob>,
}

/// A table that a version names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its number.
    pub id: u64,
    /// The digest of its whole file.
    pub digest: Digest,
    /// Whether it was ingested in bulk, so that no journal ever held what it holds.
    pub ingested: bool,
    /// What is added to the sequence numbers in it.
    pub sequence: u64,
}

/// A blob file that a version names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// Its number.
    pub id: u64,
    /// The digest of its whole file.
    pub digest: Digest,
}

/// Reads a version, all of it.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(bytes: &[u8]) -> Result<Version, Odd> {
    let archive = Archive::open(bytes)?;
    constant(&archive, "format_version", |byte| byte == 3)?;
    constant(&archive, "tree_type", |byte| byte <= 1)?;
    constant(&archive, "level_count", |byte| byte == LEVELS)?;
    constant(&archive, "filter_hash_type", |byte| byte == 0)?;
    let mut version = Version { tables: Vec::new(), blobs: Vec::new() };
    let mut tables = archive.section("tables")?;
    let mut ids = BTreeSet::new();
    for _ in 0..tables.byte(TABLES)? {
        for _ in 0..tables.byte(TABLES)? {
            for _ in 0..tables.short(TABLES)? {
                let (id, digest) = named(&mut tables, TABLES, &mut ids)?;
                let sequence = tables.number(TABLES)?;
                version.tables.push(Table { id, digest, ingested: sequence > 0, sequence });
            }
        }
    }
    let mut blobs = archive.section("blob_files")?;
    ids.clear();
    for _ in 0..blobs.short(BLOBS)? {
        let (id, digest) = named(&mut blobs, BLOBS, &mut ids)?;
        version.blobs.push(Blob { id, digest });
    }
    let mut garbage = archive.section("blob_gc_stats")?;
    for _ in 0..garbage.short(GARBAGE)? {
        garbage.take::<28>(GARBAGE)?;
    }
    Ok(version)
}

const TABLES: &str = "list of tables";
const BLOBS: &str = "list of blob files";
const GARBAGE: &str = "list of garbage";

/// A section whose one byte the engine checks.
fn constant(archive: &Archive<'_>, name: &str, is_known: fn(u8) -> bool) -> Result<(), Odd> {
    let mut section = archive.section(name)?;
    let at = section.at;
    let byte = section.byte(&format!("section '{name}'"))?;
    if is_known(byte) {
        Ok(())
    } else {
        Err(Odd::new(at, format!("its section '{name}' says {byte}, which is unknown")))
    }
}

/// The number and the digest of a file, which is named once.
fn named(fields: &mut Fields<'_>, what: &str, ids: &mut BTreeSet<u64>) -> Result<(u64, Digest), Odd> {
    let at = fields.at;
    let id = fields.number(what)?;
    if !ids.insert(id) {
        return Err(Odd::new(at, format!("its {what} names file {id} twice")));
    }
    let at = fields.at;
    let kind = fields.byte(what)?;
    if kind != 0 {
        return Err(Odd::new(at, format!("the checksum of file {id} is of the unknown kind {kind}")));
    }
    Ok((id, Digest::xxh3(u128::from_le_bytes(fields.take(what)?))))
}

#[cfg(test)]
mod tests;
