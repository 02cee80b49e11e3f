//! `Names`: which keyspaces there are, read from a table of the meta keyspace.
//!
//! The keys of the meta keyspace are `n` and the number of a keyspace, 8 bytes, most significant first, for its name,
//! and others for its options (fjall 3.1.13, `meta_keyspace.rs`). Its tables are never compressed, and their keys never
//! shortened. A table (lsm-tree 3.1.10, `table/block` and `table/data_block`) begins with blocks of data: `LSM` 3, the
//! kind of block, a byte, 0; the XXH3-128 of its content (16), its length as it is stored (4) and unpacked (4), and a
//! checksum of all that (4), little-endian. The content: items, then 255, then indices, then a trailer of 31 bytes
//! whose first is 1 where no key is shortened. An item: the kind of value, a byte; the sequence number and the length
//! of the key as varints; the key; and unless it is a removal, the length of the value as a varint, and the value.
//!
//! Which keyspaces there should be, nobody knows where a table cannot be read this way.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::archive::Fields;
use crate::codec::Flow;
use crate::digest::{Algorithm, Digest, Hasher};

/// How long the head of a block is, in bytes.
const HEAD: usize = 33;

/// How long the trailer of a block's content is, in bytes.
const TRAILER: usize = 31;

/// The longest block that is read, in bytes. The engine begins another at 4 KiB, and an item is hardly longer.
const LONGEST: usize = 1 << 20;

/// As many keyspaces as are remembered.
const MOST: usize = 1 << 20;

/// Which keyspaces the tables that were read name: by number, the sequence number of the newest word on each, and
/// whether that is its name.
#[derive(Debug, Default)]
pub struct Named(BTreeMap<u64, (u64, bool)>);

impl Named {
    /// The numbers of those that there are, in order.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.0.iter().filter(|(_, (_, is))| *is).map(|(id, _)| *id)
    }

    fn take(&mut self, id: u64, number: u64, is: bool) -> Option<()> {
        if self.0.len() >= MOST {
            return None;
        }
        let newest = self.0.entry(id).or_insert((number, is));
        if newest.0 <= number {
            *newest = (number, is);
        }
        Some(())
    }
}

/// A table on its way in.
#[derive(Debug)]
pub struct Names {
    /// What is added to the sequence numbers in it.
    base: u64,
    /// The block that is being gathered, and where it begins.
    block: Vec<u8>,
    at: u64,
    /// All blocks of data were read; none if one cannot be.
    done: Option<bool>,
}

impl Names {
    /// A table with this global sequence number.
    pub fn new(base: u64) -> Self {
        Self { base, block: Vec::new(), at: 0, done: Some(false) }
    }

    /// Takes the next bytes. `Break` when no more of them matter.
    pub fn push(&mut self, mut bytes: &[u8], named: &mut Named) -> Flow {
        while self.done == Some(false) && !bytes.is_empty() {
            let need = match length(&self.block) {
                Length::Head => HEAD,
                Length::Whole(length) => length,
                Length::Other => {
                    self.done = Some(true);
                    break;
                }
                Length::Odd => {
                    self.done = None;
                    break;
                }
            };
            let (some, rest) = bytes.split_at_checked(need.saturating_sub(self.block.len())).unwrap_or((bytes, &[]));
            self.block.extend_from_slice(some);
            bytes = rest;
            if let Length::Whole(length) = length(&self.block)
                && self.block.len() == length
            {
                self.done = block(&self.block, self.base, named).map(|()| false);
                if self.done.is_some() {
                    self.at = self.at.saturating_add(length as u64);
                    self.block.clear();
                }
            }
        }
        if self.done == Some(false) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Whether everything was read that names a keyspace.
    pub fn is_whole(&self) -> bool {
        self.done == Some(true)
    }

    /// Where the block begins that could not be read, in bytes.
    pub fn at(&self) -> u64 {
        self.at
    }
}

/// What is known of a block by its head.
enum Length {
    /// The head is not whole.
    Head,
    /// It is a block of data of this length, with its head.
    Whole(usize),
    /// It is another block: those of data come first.
    Other,
    /// It cannot be read.
    Odd,
}

fn length(block: &[u8]) -> Length {
    let Some(head) = block.get(..HEAD) else { return Length::Head };
    match kind(head) {
        Some((0, stored, plain)) if stored == plain => match usize::try_from(stored) {
            Ok(length) if (TRAILER..=LONGEST).contains(&length) => Length::Whole(HEAD + length),
            _ => Length::Odd,
        },
        Some((1..=3, ..)) => Length::Other,
        _ => Length::Odd,
    }
}

/// The kind of a block, and the lengths of its content, stored and unpacked.
fn kind(head: &[u8]) -> Option<(u8, u32, u32)> {
    let mut fields = Fields { bytes: head, at: 0 };
    let (magic, kind): ([u8; 4], u8) = (fields.take("head").ok()?, fields.byte("head").ok()?);
    fields.take::<16>("head").ok()?;
    (magic == *b"LSM\x03").then_some((kind, fields.short("head").ok()?, fields.short("head").ok()?))
}

/// Reads a block of data, all of it.
fn block(block: &[u8], base: u64, named: &mut Named) -> Option<()> {
    let content = block.get(HEAD..)?;
    let mut hasher = Hasher::new(Algorithm::Xxh3);
    hasher.update(content);
    let sum = block.get(5..21)?.try_into().ok()?;
    if hasher.finish() != Digest::xxh3(u128::from_le_bytes(sum)) {
        return None;
    }
    let trailer = content.len().checked_sub(TRAILER)?;
    if content.get(trailer) != Some(&1) {
        return None;
    }
    let mut items = content.get(..trailer)?;
    loop {
        let kind = byte(&mut items)?;
        match kind {
            255 => return Some(()),
            0..=2 => {}
            _ => return None,
        }
        let number = varint(&mut items)?;
        let key = some(&mut items)?;
        if kind == 0 {
            some(&mut items)?;
        }
        if let [b'n', id @ ..] = key
            && let Ok(id) = id.try_into()
        {
            named.take(u64::from_be_bytes(id), base.saturating_add(number), kind == 0)?;
        }
    }
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// A number in groups of seven bits, the least significant first; the highest bit of a byte says that another follows.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// A length, and so many bytes.
fn some<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(bytes)?).ok()?;
    let (some, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lsm-tree 3.1.10 wrote of a store with keyspaces 1, 2 and 3.
    const SAMPLE: &[u8] = include_bytes!("../../../../tests/fixtures/fjall/keyspaces/0/tables/3");

    fn read(bytes: &[u8], step: usize, base: u64, named: &mut Named) -> bool {
        let mut names = Names::new(base);
        for piece in bytes.chunks(step) {
            if names.push(piece, named).is_break() {
                break;
            }
        }
        names.is_whole()
    }

    #[test]
    fn the_keyspaces_that_the_engine_named_are_read_in_any_pieces() {
        for step in [1, 32, 33, 34, 1000, SAMPLE.len()] {
            let mut named = Named::default();
            assert!(read(SAMPLE, step, 0, &mut named), "{step}");
            assert_eq!(named.ids().collect::<Vec<_>>(), [1, 2, 3], "{step}");
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_says_nothing() {
        let data = SAMPLE.windows(5).rposition(|window| window == b"LSM\x03\x00").unwrap();
        for length in 0..data {
            assert!(!read(&SAMPLE[..length], 100, 0, &mut Named::default()), "{length}");
        }
        for at in (0..data).filter(|at| !(29..33).contains(at)) {
            let mut bytes = SAMPLE.to_vec();
            bytes[at] ^= 4;
            assert!(!read(&bytes, 100, 0, &mut Named::default()), "{at}");
        }
    }

    #[test]
    fn the_newest_word_on_a_keyspace_counts() {
        let mut named = Named::default();
        for (number, is) in [(5, true), (9, false), (7, true)] {
            named.take(4, number, is);
        }
        assert_eq!(named.ids().count(), 0);
        named.take(4, 11, true);
        assert_eq!(named.ids().collect::<Vec<_>>(), [4]);
    }
}
