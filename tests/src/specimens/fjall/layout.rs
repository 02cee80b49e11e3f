//! Where the batches of a journal stand, and archives and journals that are made right again: read and written here
//! without the engine's parsers.

use std::ops::Range;

use highwater_core::digest::{Algorithm, Digest, Hasher};

/// The end of every batch.
const MAGIC: &[u8] = b"FJL\x03";

/// A batch of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) number: u64,
}

/// What stands behind the last whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    Zeros,
    Torn,
    Broken,
}

/// So many bytes from a place on.
fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    field(bytes, at).map(u64::from_le_bytes)
}

/// The end of an item or clear at a place, if one stands there.
fn item(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        2 => {
            let [kind, compression] = field(bytes, at + 1)?;
            let key = u16::from_le_bytes(field(bytes, at + 11)?);
            let value = u32::from_le_bytes(field(bytes, at + 17)?);
            let end = at + 21 + usize::from(key) + usize::try_from(value).ok()?;
            (matches!(kind, 0 | 1 | 2 | 4) && compression < 2 && end <= bytes.len()).then_some(end)
        }
        4 => (at + 9 <= bytes.len()).then_some(at + 9),
        _ => None,
    }
}

/// The batches from the start on, and what stands behind them, as the engine's own reader has it.
pub(super) fn read(bytes: &[u8]) -> (Vec<Batch>, Rest) {
    let mut found: Vec<Batch> = Vec::new();
    loop {
        let start = found.last().map_or(0, |batch| batch.end);
        match batch(bytes, start) {
            Ok(batch) => found.push(batch),
            Err(_) if start == bytes.len() => return (found, Rest::Nothing),
            Err(Rest::Torn) if bytes[start..].iter().all(|byte| *byte == 0) => return (found, Rest::Zeros),
            Err(rest) => return (found, rest),
        }
    }
}

/// The whole batches.
pub(super) fn batches(bytes: &[u8]) -> Vec<Batch> {
    read(bytes).0
}

fn batch(bytes: &[u8], start: usize) -> Result<Batch, Rest> {
    let torn = || Rest::Torn;
    if bytes.get(start) != Some(&1) {
        return Err(Rest::Torn);
    }
    let left = u32::from_le_bytes(field(bytes, start + 1).ok_or_else(torn)?);
    let order = number(bytes, start + 5).ok_or_else(torn)?;
    if order >> 63 == 1 {
        return Err(Rest::Broken);
    }
    let (mut at, mut items, mut points) = (start + 13, 0, false);
    while let Some(end) = item(bytes, at) {
        if items == left {
            return Err(Rest::Broken);
        }
        points |= bytes[at..].starts_with(&[2, 4]);
        (at, items) = (end, items + 1);
    }
    if bytes.get(at) != Some(&3) || field::<4>(bytes, at + 9).is_none_or(|magic| magic != MAGIC) {
        return Err(Rest::Torn);
    }
    let sum = number(bytes, at + 1).ok_or_else(torn)?;
    if items < left || points || xxhash_rust::xxh3::xxh3_64(&bytes[start + 13..at]) != sum {
        return Err(Rest::Broken);
    }
    Ok(Batch { start, end: at + 13, number: order })
}

/// The digest of a whole file.
pub(super) fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut hasher = Hasher::new(Algorithm::Xxh3);
    hasher.update(bytes);
    let Digest::Xxh3(mut value) = hasher.finish() else { unreachable!("it is XXH3") };
    value.reverse();
    value
}

/// An archive of sections, whose table of contents counts `count`.
pub(super) fn archive(sections: &[(&str, &[u8])], count: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut table = [b"TOC!", &count.to_le_bytes()[..]].concat();
    for (name, section) in sections {
        table.extend((bytes.len() as u64).to_le_bytes());
        table.extend((section.len() as u64).to_le_bytes());
        table.extend(u16::try_from(name.len()).expect("a short name").to_le_bytes());
        table.extend(name.as_bytes());
        bytes.extend_from_slice(section);
    }
    let at = bytes.len() as u64;
    bytes.extend_from_slice(&table);
    bytes.extend_from_slice(b"SFA!\x01\x00");
    bytes.extend(digest(&table));
    bytes.extend(at.to_le_bytes());
    bytes.extend((table.len() as u64).to_le_bytes());
    bytes
}

/// A version of these tables and blob files, by number and digest.
pub(super) fn version(tables: &[(u64, [u8; 16])], blobs: &[(u64, [u8; 16])]) -> Vec<u8> {
    let count = |some: usize| u32::try_from(some).expect("a count").to_le_bytes();
    let named = |(id, digest): &(u64, [u8; 16])| [&id.to_le_bytes()[..], &[0], digest].concat();
    let table = |table: &(u64, [u8; 16])| [named(table), vec![0; 8]].concat();
    let runs = [&[1, 1][..], &count(tables.len())].concat();
    let tables = [runs, tables.iter().flat_map(table).collect()].concat();
    let blobs = [count(blobs.len()).to_vec(), blobs.iter().flat_map(named).collect()].concat();
    sections(&tables, &blobs)
}

/// A version with these lists.
pub(super) fn sections(tables: &[u8], blobs: &[u8]) -> Vec<u8> {
    archive(
        &[
            ("format_version", &[3]),
            ("tree_type", &[0]),
            ("level_count", &[7]),
            ("filter_hash_type", &[0]),
            ("tables", tables),
            ("blob_files", blobs),
            ("blob_gc_stats", &[0; 4]),
        ],
        7,
    )
}

/// What names a version of these bytes.
pub(super) fn current(id: u64, version: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &digest(version), &[0]].concat()
}

/// Bytes as an archive whose checksum is right: as far as its trailer says where its table of contents is.
pub(super) fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let places = || -> Option<(usize, Range<usize>)> {
        let trailer = bytes.len().checked_sub(38)?;
        let [at, length] = [22, 30].map(|field| number(&bytes, trailer + field));
        let (at, length) = (usize::try_from(at?).ok()?, usize::try_from(length?).ok()?);
        let table = at..at.checked_add(length).filter(|end| *end <= bytes.len())?;
        Some((trailer, table))
    };
    if let Some((trailer, table)) = places() {
        let sum = digest(&bytes[table]);
        bytes[trailer + 6..trailer + 22].copy_from_slice(&sum);
    }
    bytes
}

/// Bytes as a journal whose checksums are right, as far as there are items and an end behind them.
pub(super) fn mended(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut start = 0;
    while bytes.get(start) == Some(&1) {
        let mut at = start + 13;
        while let Some(end) = item(&bytes, at) {
            at = end;
        }
        if bytes.get(at) != Some(&3) || at + 13 > bytes.len() {
            break;
        }
        let sum = xxhash_rust::xxh3::xxh3_64(&bytes[start + 13..at]);
        bytes[at + 1..at + 9].copy_from_slice(&sum.to_le_bytes());
        start = at + 13;
    }
    bytes
}

/// Bytes as a table whose blocks have right checksums.
pub(super) fn blocked(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut start = 0;
    while let Some(length) = field(&bytes, start + 21).map(u32::from_le_bytes) {
        let Some(end) = usize::try_from(length).ok().and_then(|length| (start + 33).checked_add(length)) else { break };
        if end > bytes.len() || !bytes[start..].starts_with(b"LSM\x03") {
            break;
        }
        let sum = digest(&bytes[start + 33..end]);
        bytes[start + 5..start + 21].copy_from_slice(&sum);
        start = end;
    }
    bytes
}
