//! `Scan`: finds out where every block of a table lies, from its end backwards; `Layout`: where they lie.
//!
//! The footer names the metaindex, and that the blocks that are not data; the index names the blocks of data, or blocks
//! of an index that do (RocksDB's index of two levels), and so may the index of a filter in parts. Nothing that is read
//! is trusted before its checksum was right. What is not found here that way, [`super::Blocks`] finds: so a wrong
//! checksum is no finding of a scan, it only ends what can be known.

use std::ops::Range;

use super::super::Engine;
use super::entries::{Form, handles, pairs};
use super::footer::{Footer, Handle, LONGEST, NoFooter, TRAILER};
use super::sum::Kind;
use super::unpack::{MOST, Packed, unpack};
use crate::cursor::Cursor;
use crate::finding::Code;
use crate::sort;

/// Parts of an index that lie behind each other are read together, up to so many bytes.
const TOGETHER: u64 = 4 << 20;

/// The property that says what kind of index a table has, and the one that says how its handles are written.
const INDEX_TYPE: &[u8] = b"rocksdb.block.based.table.index.type";
const DELTA: &[u8] = b"rocksdb.index.value.is.delta.encoded";

/// The property that says the version of a table once more. Nothing protects the one in the footer before version 6.
const VERSION: &[u8] = b"rocksdb.format.version";

/// The property that RocksDB may write over when it takes in a table from outside (`write_global_seqno`). The checksum
/// is that of the block with a zero there.
const SEQUENCE: &[u8] = b"rocksdb.external_sst_file.global_seqno";

/// What a block is that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Metaindex,
    Properties,
    Index,
    /// A part of an index of two levels.
    Part,
    /// The index of a filter in parts.
    FilterIndex,
}

/// A read of a table's bytes, and which blocks are in them.
#[derive(Debug)]
struct Read {
    range: Range<u64>,
    blocks: Vec<(Role, Handle)>,
}

/// Where the blocks of a table lie.
#[derive(Debug)]
pub(in super::super) struct Layout {
    /// The length of the table on record, in bytes.
    pub(super) size: u64,
    pub(super) footer: Option<Footer>,
    /// Its blocks, in order; they do not overlap.
    pub(super) blocks: Vec<Handle>,
    /// A block that has another checksum than the one behind it, and may: where, and which.
    pub(super) waived: Option<(u64, u32)>,
    /// All of its blocks are known.
    pub(super) complete: bool,
    /// What is wrong or cannot be judged: where, and what, as half a sentence.
    pub(in super::super) odds: Vec<(Code, u64, String)>,
}

/// A look at a table.
#[derive(Debug)]
pub(in super::super) struct Scan {
    engine: Engine,
    layout: Layout,
    reads: Vec<Read>,
    index: Option<Handle>,
    two_levels: bool,
    form: Form,
    /// The properties cannot be trusted, so that nothing says how the index is written.
    blind: bool,
    /// Where the last block ends that the index named.
    end: u64,
}

impl Layout {
    /// Hands on bytes that tell it from every other layout.
    pub(in super::super) fn identify(&self, each: &mut dyn FnMut(&[u8])) {
        each(&self.size.to_le_bytes());
        each(&[u8::from(self.complete)]);
        for block in &self.blocks {
            each(&block.at.to_le_bytes());
            each(&block.size.to_le_bytes());
        }
    }
}

impl Scan {
    /// A table of this engine, of `size` bytes by its MANIFEST.
    pub(in super::super) fn new(engine: Engine, size: u64) -> Self {
        let first = Read { range: size.saturating_sub(LONGEST)..size, blocks: Vec::new() };
        let (blocks, odds) = (Vec::new(), Vec::new());
        let layout = Layout { size, footer: None, blocks, waived: None, complete: true, odds };
        let form = Form::default();
        Self { engine, layout, reads: vec![first], index: None, two_levels: false, form, blind: false, end: 0 }
    }

    /// The bytes that are needed next; none when all is known that can be.
    pub(in super::super) fn want(&self) -> Option<Range<u64>> {
        self.reads.last().map(|read| read.range.clone())
    }

    /// Takes those bytes, or as many of them as there are.
    pub(in super::super) fn take(&mut self, bytes: &[u8]) {
        let Some(read) = self.reads.pop() else { return };
        if (bytes.len() as u64) < read.range.end.saturating_sub(read.range.start) {
            // The table is shorter than it should be.
            self.layout.complete = false;
            return;
        }
        if read.blocks.is_empty() {
            self.footer(bytes);
        }
        for (role, handle) in read.blocks {
            let from = usize::try_from(handle.at.saturating_sub(read.range.start)).ok();
            let stored = from.and_then(|from| bytes.get(from..));
            if let Err((code, what)) = stored.map_or(Ok(()), |stored| self.block(role, handle, stored)) {
                self.blind |= role == Role::Properties;
                self.odd(code, handle.at, what);
            }
        }
    }

    /// Where the blocks lie, as far as that is known.
    pub(in super::super) fn end(mut self) -> Layout {
        let layout = &mut self.layout;
        sort::values(&mut layout.blocks);
        let mut end = 0;
        let mut overlap = None;
        layout.blocks.retain(|block| {
            let is_behind = block.at >= end;
            if is_behind {
                end = block.end().unwrap_or(u64::MAX);
            } else {
                overlap.get_or_insert(block.at);
            }
            is_behind
        });
        if let Some(at) = overlap {
            let what = "two of its blocks are said to overlap here".to_owned();
            layout.odds.push((Code::Malformed, at, what));
            layout.complete = false;
        }
        self.layout
    }

    fn odd(&mut self, code: Code, at: u64, what: String) {
        self.layout.complete = false;
        self.layout.odds.push((code, at, what));
    }

    fn footer(&mut self, bytes: &[u8]) {
        match Footer::parse(bytes, self.layout.size) {
            Ok(footer) => {
                if footer.sum == Kind::None {
                    self.layout.odds.push((Code::Unverifiable, footer.at, "its blocks have no checksums".to_owned()));
                }
                if let Some(at) = footer.dirt {
                    let what = "a byte of its footer that nothing reads is not zero".to_owned();
                    self.layout.odds.push((Code::OddIndex, at, what));
                }
                let (metaindex, index) = (footer.metaindex, footer.index);
                self.layout.footer = Some(footer);
                self.index = index;
                let known = [Some(metaindex), index].into_iter().flatten().try_for_each(|handle| self.add(handle));
                let at = self.layout.footer.as_ref().map_or(0, |footer| footer.at);
                match known {
                    Ok(()) => self.read(Role::Metaindex, metaindex),
                    Err(what) => self.odd(Code::Malformed, at, format!("its footer names a block that {what}")),
                }
            }
            Err(NoFooter::Other) => {
                let what = "it is a table of a kind whose blocks have no checksums".to_owned();
                self.odd(Code::Unverifiable, self.layout.size.saturating_sub(8), what);
            }
            Err(NoFooter::Odd(at, what)) => self.odd(Code::Malformed, at, what),
        }
    }

    /// Notes a block.
    fn add(&mut self, handle: Handle) -> Result<(), &'static str> {
        let limit = self.layout.footer.as_ref().map_or(0, |footer| footer.at);
        if self.layout.blocks.len() as u64 > limit / TRAILER {
            return Err("is one more than the table has room for");
        }
        match handle.end() {
            Some(end) if end <= limit => self.layout.blocks.push(handle),
            _ => return Err("goes past the blocks of the table"),
        }
        Ok(())
    }

    /// Has a block read.
    fn read(&mut self, role: Role, handle: Handle) {
        let end = handle.end().unwrap_or(u64::MAX);
        if handle.size > MOST as u64 {
            let what = format!("its index takes {} bytes here, and up to {MOST} are read", handle.size);
            return self.odd(Code::Unverifiable, handle.at, what);
        }
        // The reads are taken from the end of the list.
        if let Some(read) = self.reads.first_mut()
            && role == Role::Part
            && read.blocks.iter().all(|(role, _)| *role == Role::Part)
            && read.range.end == handle.at
            && end.saturating_sub(read.range.start) <= TOGETHER
        {
            read.range.end = end;
            read.blocks.push((role, handle));
            return;
        }
        self.reads.insert(0, Read { range: handle.at..end, blocks: vec![(role, handle)] });
    }

    /// Takes a block with what stands behind it.
    fn block(&mut self, role: Role, handle: Handle, stored: &[u8]) -> Result<(), (Code, String)> {
        if self.blind {
            return Ok(());
        }
        let Some(footer) = &self.layout.footer else { return Ok(()) };
        let (version, sum, modifier) = (footer.version, footer.sum, footer.context.modifier(handle.at));
        let size = usize::try_from(handle.size).ok();
        let Some((payload, trailer)) = size.and_then(|size| stored.split_at_checked(size)) else { return Ok(()) };
        let Some(&[kind, a, b, c, d]) = trailer.first_chunk::<5>() else { return Ok(()) };
        let on_record = u32::from_le_bytes([a, b, c, d]);
        let found = sum.of(payload, kind).wrapping_add(modifier);
        if found != on_record {
            let original = without_sequence(payload).filter(|_| role == Role::Properties);
            if original.is_none_or(|bytes| sum.of(&bytes, kind).wrapping_add(modifier) != on_record) {
                self.layout.complete = false;
                self.blind |= role == Role::Properties;
                return Ok(());
            }
            self.layout.waived = Some((handle.at, found));
        }
        let malformed = |what: String| (Code::Malformed, what);
        let block = unpack(self.engine, version, kind, payload).map_err(|packed| match packed {
            Packed::Unknown(with) => {
                (Code::Unverifiable, format!("this part of its index is compressed with {with}, which is not read"))
            }
            Packed::Large => {
                (Code::Unverifiable, "this part of its index is too long when decompressed, and is not read".to_owned())
            }
            Packed::Broken(what) => (Code::Encoding, what.to_owned()),
        })?;
        match role {
            Role::Metaindex => self.metaindex(&block),
            Role::Properties => self.properties(&block),
            Role::Index if self.two_levels => self.parts(&block, Role::Part),
            Role::FilterIndex => self.filters(&block),
            Role::Index | Role::Part => self.data(&block),
        }
        .map_err(malformed)
    }

    /// Takes the metaindex: names of blocks, and their handles.
    fn metaindex(&mut self, block: &[u8]) -> Result<(), String> {
        let (mut properties, mut filter) = (None, None);
        pairs(block, &mut |name, value| {
            let mut cursor = Cursor::new(value);
            let handle = Handle::take(&mut cursor).ok_or("an entry of the metaindex has no handle")?;
            // Some tables name the index here as well as in the footer.
            if self.index != Some(handle) || name != b"rocksdb.index" {
                self.add(handle).map_err(|what| format!("the metaindex names a block that {what}"))?;
            }
            match name {
                b"rocksdb.properties" | b"rocksdb.stats" => properties = Some(handle),
                b"rocksdb.index" => self.index = Some(handle),
                name if name.starts_with(b"partitionedfilter.") => filter = Some(handle),
                _ => {}
            }
            Ok(())
        })?;
        // How the index is written, the properties say.
        properties.into_iter().for_each(|handle| self.read(Role::Properties, handle));
        filter.into_iter().for_each(|handle| self.read(Role::FilterIndex, handle));
        let index = self.index.ok_or("neither the footer nor the metaindex names an index")?;
        self.read(Role::Index, index);
        Ok(())
    }

    /// Takes the properties: names, and values.
    fn properties(&mut self, block: &[u8]) -> Result<(), String> {
        let own = self.layout.footer.as_ref().map_or(0, |footer| footer.version);
        pairs(block, &mut |name, value| {
            let mut cursor = Cursor::new(value);
            if name == INDEX_TYPE {
                let kind = cursor.fixed32().ok_or("the properties do not say what kind its index is of")?;
                self.two_levels = kind == 2;
                self.form.first_key = kind == 3;
                if kind > 3 {
                    return Err(format!("its index is of the unknown kind {kind}"));
                }
            } else if name == VERSION {
                let version = cursor.varint64().ok_or("the properties do not say which version it is of")?;
                if version != 0 && version != u64::from(own) {
                    return Err(format!("the properties say that it is of version {version}, its footer {own}"));
                }
            } else if name == DELTA {
                self.form.delta = cursor.varint64().ok_or("the properties do not say how its index is written")? != 0;
            }
            Ok(())
        })
    }

    /// Takes an index of blocks of data.
    fn data(&mut self, block: &[u8]) -> Result<(), String> {
        handles(block, self.form, &mut |handle| {
            if handle.at < self.end {
                return Err(format!("its index names the block at byte {} out of order", handle.at));
            }
            self.add(handle).map_err(|what| format!("its index names a block that {what}"))?;
            self.end = handle.end().unwrap_or(u64::MAX);
            Ok(())
        })
    }

    /// Takes the upper level of an index.
    fn parts(&mut self, block: &[u8], role: Role) -> Result<(), String> {
        let mut end = 0;
        handles(block, self.form, &mut |handle| {
            if handle.at < end {
                return Err(format!("its index names the part at byte {} out of order", handle.at));
            }
            self.add(handle).map_err(|what| format!("its index names a part that {what}"))?;
            end = handle.end().unwrap_or(u64::MAX);
            self.read(role, handle);
            Ok(())
        })
    }

    /// Takes the index of a filter in parts.
    fn filters(&mut self, block: &[u8]) -> Result<(), String> {
        let (mut end, form) = (0, Form { first_key: false, ..self.form });
        handles(block, form, &mut |handle| {
            if handle.at < end {
                return Err(format!("the index of its filter names the part at byte {} out of order", handle.at));
            }
            end = handle.end().unwrap_or(u64::MAX);
            self.add(handle).map_err(|what| format!("the index of its filter names a part that {what}"))
        })
    }
}

/// The properties as they were before a sequence number was written into them.
fn without_sequence(block: &[u8]) -> Option<Vec<u8>> {
    let mut place = None;
    pairs(block, &mut |name, value| {
        if name == SEQUENCE && value.len() == 8 {
            place = crate::codec::place(block, value);
        }
        Ok(())
    })
    .ok()?;
    let mut block = block.to_vec();
    block.get_mut(place?)?.fill(0);
    Some(block)
}

/// The length of a block with what stands behind it.
pub(super) fn length(handle: Handle) -> u64 {
    handle.size.saturating_add(TRAILER)
}
