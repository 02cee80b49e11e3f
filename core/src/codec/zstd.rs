//! `Unzstd`: a push decoder of Zstandard frames (RFC 8878), one block at a time.
//!
//! The frames are walked here and only whole blocks go to a library, so the same bytes give the same faults at the same
//! offsets whatever library decodes them and however they were cut. Skippable frames are none that a backup writes, and
//! are refused.

#[cfg_attr(target_family = "wasm", path = "zstd/rust.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "zstd/c.rs")]
mod blocks;
#[cfg(not(target_family = "wasm"))]
mod pack;
#[cfg(not(target_family = "wasm"))]
mod unpack;

pub(super) use blocks::Blocks;
#[cfg(not(target_family = "wasm"))]
pub use pack::Packer;
#[cfg(not(target_family = "wasm"))]
pub use unpack::Unpacker;

use super::frames::{BLOCK, MAGIC, rest_of_header};
use super::{Broken, Flow};

/// The largest window accepted, in bytes: that is how much memory a frame may ask for. Level 1 of the reference encoder
/// asks for half a megabyte, and a frame that knows how long it is for no more than that.
const WINDOW: u64 = 16 * 1024 * 1024;

/// The decoder's state.
pub(super) struct Unzstd {
    /// The unit that is being gathered (a frame's header, or a block with its own), how long it is, as far as that is
    /// known, and where in the stored bytes it begins.
    unit: Vec<u8>,
    need: usize,
    at: u64,
    stage: Stage,
    /// The frame's header says that a checksum follows its last block.
    summed: bool,
    blocks: Option<Blocks>,
    broken: Option<Broken>,
}

/// What the unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Magic number and descriptor, which tells how long the rest of the header is.
    Descriptor,
    /// The header.
    Header,
    /// A block's header.
    BlockHeader,
    /// A block.
    Block {
        /// It is the last of its frame.
        last: bool,
    },
}

/// What these frames decode to; none if that is more than `most` bytes. What is wrong with them, as a clause.
pub(crate) fn unzstd(stored: &[u8], most: usize) -> Result<Option<Vec<u8>>, &'static str> {
    let (mut out, mut decoder) = (Vec::new(), Unzstd::new(0, Some(Blocks::default())));
    let flow = decoder.push(stored, &mut |bytes| {
        if out.len().saturating_add(bytes.len()) > most {
            return Flow::Break(());
        }
        out.extend_from_slice(bytes);
        Flow::Continue(())
    });
    if flow.map_err(|broken| broken.what)?.is_break() {
        return Ok(None);
    }
    decoder.end().map_err(|broken| broken.what)?;
    Ok(Some(out))
}

impl Unzstd {
    /// A decoder of bytes that begin at offset `at` of an object; it works with `blocks`, if there are any.
    pub(super) fn new(at: u64, blocks: Option<Blocks>) -> Self {
        Self {
            unit: Vec::new(),
            need: MAGIC.len() + 1,
            at,
            stage: Stage::Descriptor,
            summed: false,
            blocks,
            broken: None,
        }
    }

    /// See [`super::Decoder::push`].
    pub(super) fn push(&mut self, mut stored: &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        loop {
            let flow = self.some(&mut stored, each)?;
            if flow.is_break() || stored.is_empty() {
                return Ok(flow);
            }
        }
    }

    /// See [`super::Decoder::some`]: up to the end of a block.
    pub(super) fn some(&mut self, stored: &mut &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        while !stored.is_empty() {
            let (some, rest) = stored.split_at_checked(self.need - self.unit.len()).unwrap_or((stored, &[]));
            self.unit.extend_from_slice(some);
            *stored = rest;
            if self.unit.len() < self.need {
                break;
            }
            let is_block = matches!(self.stage, Stage::Block { .. });
            match self.turn(each) {
                Ok(Flow::Continue(())) if is_block => break,
                Ok(Flow::Continue(())) => {}
                Ok(flow) => return Ok(flow),
                Err(what) => {
                    let broken = Broken { at: self.at, what };
                    self.broken = Some(broken.clone());
                    return Err(broken);
                }
            }
        }
        Ok(Flow::Continue(()))
    }

    /// See [`super::Decoder::held`].
    pub(super) fn held(&self) -> &[u8] {
        self.blocks.as_ref().map_or(&[], Blocks::held)
    }

    /// Gives up what it works with, once all was pushed.
    pub(super) fn reclaim(&mut self) -> Option<Blocks> {
        self.blocks.take()
    }

    /// See [`super::Decoder::end`].
    pub(super) fn end(&self) -> Result<(), Broken> {
        match &self.broken {
            Some(broken) => Err(broken.clone()),
            None if self.is_between() => Ok(()),
            None => {
                let at = self.at.saturating_add(self.unit.len() as u64);
                Err(Broken { at, what: "the zstd data end in the middle of a frame" })
            }
        }
    }

    /// Whether another frame may follow, or nothing.
    pub(super) fn is_between(&self) -> bool {
        self.broken.is_none() && self.stage == Stage::Descriptor && self.unit.is_empty()
    }

    /// Takes a unit that is as long as was known to be needed.
    fn turn(&mut self, each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, &'static str> {
        match self.stage {
            Stage::Descriptor => {
                if !self.unit.starts_with(&MAGIC) {
                    return Err("the zstd data have a wrong magic number");
                }
                let descriptor = self.unit.last().copied().unwrap_or_default();
                self.need += rest_of_header(descriptor)?;
                self.summed = descriptor & 4 != 0;
                self.stage = Stage::Header;
                if self.unit.len() < self.need { Ok(Flow::Continue(())) } else { self.turn(each) }
            }
            Stage::Header => {
                if window(&self.unit).is_none_or(|window| window > WINDOW) {
                    return Err("a zstd frame asks for more memory than it may");
                }
                self.blocks.get_or_insert_default().begin(&self.unit)?;
                self.next(Stage::BlockHeader, 3);
                Ok(Flow::Continue(()))
            }
            Stage::BlockHeader => {
                let [a, b, c] = *self.unit.first_chunk().unwrap_or(&[0; 3]);
                let header = u32::from_le_bytes([a, b, c, 0]);
                let (last, kind) = (header & 1 != 0, header >> 1 & 3);
                let length = usize::try_from(header >> 3).unwrap_or(usize::MAX);
                if kind == 3 || length > BLOCK {
                    return Err("a block of the zstd data has an impossible header");
                }
                // One byte that is repeated, or so many bytes.
                self.need += if kind == 1 { 1 } else { length };
                self.need += if last && self.summed { 4 } else { 0 };
                self.stage = Stage::Block { last };
                if self.unit.len() < self.need { Ok(Flow::Continue(())) } else { self.turn(each) }
            }
            Stage::Block { last } => {
                self.blocks.get_or_insert_default().block(&self.unit, last)?;
                if last {
                    self.next(Stage::Descriptor, MAGIC.len() + 1);
                } else {
                    self.next(Stage::BlockHeader, 3);
                }
                match self.held() {
                    [] => Ok(Flow::Continue(())),
                    decoded => Ok(each(decoded)),
                }
            }
        }
    }

    /// Begins the next unit.
    fn next(&mut self, stage: Stage, need: usize) {
        self.at = self.at.saturating_add(self.unit.len() as u64);
        self.unit.clear();
        (self.stage, self.need) = (stage, need);
    }
}

/// How long the window of the frame with this header is, in bytes.
fn window(header: &[u8]) -> Option<u64> {
    let descriptor = *header.get(MAGIC.len())?;
    let rest = header.get(MAGIC.len() + 1..)?;
    if descriptor & 32 == 0 {
        let byte = *rest.first()?;
        let base = 1u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    let mut size = [0; 8];
    size.get_mut(..rest.len())?.copy_from_slice(rest);
    let size = u64::from_le_bytes(size);
    Some(if rest.len() == 2 { size + 256 } else { size })
}
