//! `Run`: sorted rows in a work file, in compressed blocks, each proven by its checksum when it is read.
//!
//! ```text
//! u32, u32    how long the frame is, and what it decompresses to
//! 16 bytes    the XXH3 of the frame
//! the frame   zstd; rows, of each: u16 bytes that its key shares with the one before it, u16 and u32 the lengths of
//!             the rest of its key and of its tail, and both
//! ```
//!
//! Numbers have their least significant byte first; keys share nothing over the borders of blocks.

use std::ops::Range;

use highwater_core::codec::{Packer, Unpacker};
use highwater_core::digest::{Algorithm, of};
use highwater_core::name::Name;

use crate::disk::{Disk, Writable};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Object;

/// A block ends when its rows have so many bytes.
const BLOCK: usize = 64 << 10;

/// No block has more: a last row may have a quarter of it.
const MOST: usize = 1 << 20;

/// The bytes before a frame, and before a row.
const HEAD: usize = 24;
const ROW: usize = 8;

/// The level of zstd: runs are read once.
const LEVEL: i32 = 1;

/// A run that was written.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: Name,
    /// Its length in bytes.
    pub(super) length: u64,
}

/// Writes a run.
pub(super) struct Writer<'a> {
    disk: &'a dyn Disk,
    name: Name,
    file: Box<dyn Writable>,
    at: u64,
    block: Vec<u8>,
    last: Vec<u8>,
    packer: Packer,
}

impl<'a> Writer<'a> {
    /// Begins a run of this name.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn new(disk: &'a dyn Disk, name: Name) -> Result<Self, Error> {
        let file = disk.create(&name).map_err(Error::at("create", disk, &name))?;
        let packer = Packer::new(LEVEL).map_err(Error::failed)?;
        Ok(Self { disk, name, file, at: 0, block: Vec::with_capacity(2 * BLOCK), last: Vec::new(), packer })
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn push(&mut self, key: &[u8], tail: &[u8]) -> Result<(), Error> {
        let shared = self.last.iter().zip(key).take_while(|(one, other)| one == other).count();
        let rest = &key[shared..];
        let (Ok(common), Ok(length), Ok(size)) =
            (u16::try_from(shared), u16::try_from(rest.len()), u32::try_from(tail.len()))
        else {
            return Err(Error::failed("a row is longer than any that S3 writes"));
        };
        self.block.extend_from_slice(&common.to_le_bytes());
        self.block.extend_from_slice(&length.to_le_bytes());
        self.block.extend_from_slice(&size.to_le_bytes());
        self.block.extend_from_slice(rest);
        self.block.extend_from_slice(tail);
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
        if self.block.len() >= BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), Error> {
        let frame = self.packer.pack(&self.block).map_err(Error::failed)?;
        let lengths = (u32::try_from(frame.len()), u32::try_from(self.block.len()));
        let (Ok(stored), Ok(length)) = lengths else { return Err(Error::failed("a block of rows is too long")) };
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(&stored.to_le_bytes());
        head.extend_from_slice(&length.to_le_bytes());
        head.extend_from_slice(of(Algorithm::Xxh3, frame).as_bytes());
        let head_at = self.at;
        let frame_at = head_at + head.len() as u64;
        let written = self.file.write_at(head_at, &head).and_then(|()| self.file.write_at(frame_at, frame));
        written.map_err(Error::at("write", self.disk, &self.name))?;
        self.at = frame_at + u64::from(stored);
        self.block.clear();
        self.last.clear();
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub(super) fn finish(mut self) -> Result<Run, Error> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        Ok(Run { name: self.name, length: self.at })
    }
}

/// What all readers decompress with.
#[derive(Default)]
pub(super) struct Unpack {
    unpacker: Unpacker,
    frame: Vec<u8>,
}

/// Reads a run. Holds a block.
pub(super) struct Reader {
    object: Box<dyn Object>,
    told: String,
    /// Where the next block begins, and where the last one ends.
    at: u64,
    end: u64,
    /// The block, and where its next row begins.
    block: Vec<u8>,
    next: usize,
    key: Vec<u8>,
    tail: Range<usize>,
}

impl Reader {
    /// Opens a run, before its first row.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn open(disk: &dyn Disk, run: &Run) -> Result<Self, Error> {
        let object = disk.open(&run.name).map_err(Error::at("open", disk, &run.name))?;
        let told = quoted(&disk.told(Some(&run.name)));
        let (block, key) = (Vec::new(), Vec::new());
        Ok(Self { object, told, at: 0, end: run.length, block, next: 0, key, tail: 0..0 })
    }

    /// The key of the row.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// What else it has.
    pub(super) fn tail(&self) -> &[u8] {
        &self.block[self.tail.clone()]
    }

    /// Goes on to the next row; none behind the last one. Gives how many bytes of the file were read for it.
    ///
    /// # Errors
    /// The operating system's, or it is not what was written.
    pub(super) fn advance(&mut self, unpack: &mut Unpack) -> Result<Option<u64>, Error> {
        let mut read = 0;
        if self.next == self.block.len() {
            if self.at == self.end {
                return Ok(None);
            }
            read = self.load(unpack)?;
        }
        self.row().ok_or_else(|| self.odd("its rows are none"))?;
        Ok(Some(read))
    }

    fn row(&mut self) -> Option<()> {
        let (head, rest) = self.block.get(self.next..)?.split_first_chunk::<ROW>()?;
        let [s0, s1, k0, k1, t0, t1, t2, t3] = *head;
        let shared = usize::from(u16::from_le_bytes([s0, s1]));
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([k0, k1])))?;
        let tail = usize::try_from(u32::from_le_bytes([t0, t1, t2, t3])).ok()?;
        if shared > self.key.len() || tail > rest.len() {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(key);
        let begin = self.next + ROW + key.len();
        self.tail = begin..begin + tail;
        self.next = begin + tail;
        Some(())
    }

    fn load(&mut self, unpack: &mut Unpack) -> Result<u64, Error> {
        let mut head = [0; HEAD];
        self.object.read_exact_at(self.at, &mut head).map_err(|error| self.unread(&error))?;
        let [a, b, c, d, e, f, g, h, sum @ ..] = head;
        let stored = u64::from(u32::from_le_bytes([a, b, c, d]));
        let length = usize::try_from(u32::from_le_bytes([e, f, g, h])).unwrap_or(usize::MAX);
        let begin = self.at + HEAD as u64;
        if length > MOST || stored > 2 * MOST as u64 || begin + stored > self.end {
            return Err(self.odd("a block is longer than any"));
        }
        unpack.frame.resize(usize::try_from(stored).unwrap_or_default(), 0);
        self.object.read_exact_at(begin, &mut unpack.frame).map_err(|error| self.unread(&error))?;
        if of(Algorithm::Xxh3, &unpack.frame).as_bytes() != sum {
            return Err(self.odd("its checksum differs"));
        }
        let unpacked = unpack.unpacker.unpack(&unpack.frame, length, &mut self.block);
        unpacked.map_err(|what| self.odd(what))?;
        self.at = begin + stored;
        self.next = 0;
        self.key.clear();
        Ok(HEAD as u64 + stored)
    }

    fn unread(&self, error: &std::io::Error) -> Error {
        Error::failed(format!("cannot read {} at byte {}: {error}", self.told, self.at))
    }

    fn odd(&self, what: &str) -> Error {
        Error::failed(format!(
            "{}, a work file, is not what was written at byte {}: {what}; look at the disk, then run this again",
            self.told, self.at
        ))
    }
}
