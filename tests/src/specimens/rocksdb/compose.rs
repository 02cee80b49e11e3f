//! Composes logs, MANIFESTs and tables that no engine wrote, with right checksums wherever one is expected.

use highwater_core::digest::{Algorithm, Digest, Hasher};

use crate::repo::Image;

/// The length of a block of a log, and of the header of a record.
const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;

/// The MANIFEST of a composed store, and the number of its one table.
pub(super) const MANIFEST: &str = "MANIFEST-000002";
const TABLE: u64 = 5;

/// The masked CRC-32C of these bytes, as both engines store it.
pub(super) fn masked(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = Hasher::new(Algorithm::Crc32c);
    parts.iter().for_each(|part| hasher.update(part));
    let Digest::Crc32c(crc) = hasher.finish() else { unreachable!("it is CRC-32C") };
    u32::from_be_bytes(crc).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// A number, seven bits a byte.
pub(super) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Appends a physical record.
pub(super) fn physical(log: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    log.extend(masked(&[&[kind], payload]));
    log.extend((payload.len() as u16).to_le_bytes());
    log.push(kind);
    log.extend_from_slice(payload);
}

/// A log of these records.
pub(super) fn log(records: &[Vec<u8>]) -> Vec<u8> {
    let mut log = Vec::new();
    for record in records {
        let (mut rest, mut first) = (&record[..], true);
        loop {
            let room = BLOCK - log.len() % BLOCK;
            if room < HEADER {
                log.resize(log.len() + room, 0);
                continue;
            }
            let (some, behind) = rest.split_at(rest.len().min(room - HEADER));
            let kind = match (first, behind.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            physical(&mut log, kind, some);
            (rest, first) = (behind, false);
            if rest.is_empty() {
                break;
            }
        }
    }
    log
}

/// The numbers that every MANIFEST has: the log, the next file, the last sequence number.
pub(super) const BASE: &[u8] = &[2, 0, 3, 20, 4, 9];

/// An edit that adds a table of some size to level 0, as LevelDB writes it.
pub(super) fn added(number: u64, size: u64) -> Vec<u8> {
    let key = [9, b'k', 1, 0, 0, 0, 0, 0, 0, 0];
    [&[7, 0][..], &varint(number), &varint(size), &key, &key].concat()
}

/// A store of these edits.
pub(super) fn store(edits: &[Vec<u8>]) -> Image {
    let edits = [&[BASE.to_vec()], edits].concat();
    let current = format!("{MANIFEST}\n").into_bytes();
    Image::from([("CURRENT".to_owned(), current), (MANIFEST.to_owned(), log(&edits))])
}

/// A store of one table, under its name in RocksDB or in LevelDB.
pub(super) fn store_of(table: Vec<u8>, rocksdb: bool) -> Image {
    let mut store = store(&[added(TABLE, table.len() as u64)]);
    let ending = if rocksdb { "sst" } else { "ldb" };
    store.insert(format!("{TABLE:06}.{ending}"), table);
    store
}

/// A block: where it lies, and how long it is.
pub(super) type Handle = (u64, u64);

/// A handle, as indices have it.
pub(super) fn handle((at, size): Handle) -> Vec<u8> {
    [varint(at), varint(size)].concat()
}

/// A table that is being made.
#[derive(Default)]
pub(super) struct Table {
    pub(super) bytes: Vec<u8>,
}

impl Table {
    /// Appends a block that is compressed as `kind` says, with the CRC-32C behind it.
    pub(super) fn add(&mut self, kind: u8, block: &[u8]) -> Handle {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(block);
        self.bytes.push(kind);
        self.bytes.extend(masked(&[block, &[kind]]));
        (at, block.len() as u64)
    }

    /// Ends it with a footer of this version; 0 is LevelDB's.
    pub(super) fn end(mut self, version: u32, metaindex: Handle, index: Handle) -> Vec<u8> {
        let mut handles = [handle(metaindex), handle(index)].concat();
        handles.resize(40, 0);
        if version == 0 {
            self.bytes.extend(handles);
            self.bytes.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
        } else {
            self.bytes.push(1);
            self.bytes.extend(handles);
            self.bytes.extend(version.to_le_bytes());
            self.bytes.extend(0x88e2_41b7_85f4_cff7_u64.to_le_bytes());
        }
        self.bytes
    }
}

/// A block of these entries.
pub(super) fn block(entries: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (key, value) in entries {
        block.push(0);
        block.extend(varint(key.len() as u64));
        block.extend(varint(value.len() as u64));
        block.extend_from_slice(key);
        block.extend(value);
    }
    block.extend([0_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat());
    block
}
