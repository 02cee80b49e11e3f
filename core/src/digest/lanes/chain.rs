//! What MD5 and SHA-256 share: a state, the bytes of a block begun, and how many were taken.

use super::schedule::{Blocks, Engine, Stream};

/// A digest that takes blocks of 64 bytes into `S` words of state.
#[derive(Clone, Debug)]
pub(in crate::digest) struct Chain<const S: usize> {
    state: [u32; S],
    block: [u8; 64],
    length: u64,
}

impl<const S: usize> Chain<S> {
    /// Starts with `state`.
    pub(in crate::digest) fn new(state: [u32; S]) -> Self {
        Self { state, block: [0; 64], length: 0 }
    }

    /// Goes on with `state` after `length` bytes, if that is a whole number of blocks.
    pub(in crate::digest) fn resume(state: [u32; S], length: u64) -> Option<Self> {
        (length & 63 == 0).then_some(Self { state, block: [0; 64], length })
    }

    /// How many bytes were taken.
    pub(in crate::digest) fn length(&self) -> u64 {
        self.length
    }

    /// The state, whatever of a block has been begun.
    pub(in crate::digest) fn words(&self) -> [u32; S] {
        self.state
    }

    /// The state, if no block has been begun.
    pub(in crate::digest) fn state(&self) -> Option<[u32; S]> {
        (self.length & 63 == 0).then_some(self.state)
    }

    /// Takes bytes.
    pub(in crate::digest) fn update(&mut self, bytes: &[u8], advance: impl Fn(&mut [u32; S], Blocks<'_>)) {
        let (full, blocks, tail) = self.fill(bytes);
        if full {
            advance(&mut self.state, std::slice::from_ref(&self.block));
        }
        advance(&mut self.state, blocks);
        self.keep(tail);
    }

    /// Counts `bytes` as taken and ends the block begun with them: whether it is full now and to be taken first,
    /// the blocks to be taken next, and the bytes to be kept at last.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> (bool, Blocks<'a>, &'a [u8]) {
        let filled = usize::from((self.length & 63) as u8);
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        if filled > 0 {
            let room = self.block.get_mut(filled..).unwrap_or_default();
            let (head, after) = bytes.split_at_checked(room.len()).unwrap_or((bytes, &[]));
            room.iter_mut().zip(head).for_each(|(slot, byte)| *slot = *byte);
            if head.len() < room.len() {
                return (false, &[], &[]);
            }
            rest = after;
        }
        let (blocks, tail) = rest.as_chunks();
        (filled > 0, blocks, tail)
    }

    /// Begins a block.
    fn keep(&mut self, tail: &[u8]) {
        self.block.iter_mut().zip(tail).for_each(|(slot, byte)| *slot = *byte);
    }

    /// What follows the last byte: a one bit, zeros up to eight bytes before a block's end, then the length in bits.
    pub(in crate::digest) fn padding(&self, length: fn(u64) -> [u8; 8]) -> Padding {
        let filled = (self.length & 63) as u8;
        let zeros = if filled < 56 { 55 - filled } else { 119 - filled };
        let mut bytes = [0; 72];
        let end = usize::from(zeros) + 9;
        bytes[0] = 0x80;
        let slots = bytes.get_mut(end - 8..end).unwrap_or_default();
        slots.iter_mut().zip(length(self.length.wrapping_mul(8))).for_each(|(slot, byte)| *slot = byte);
        Padding { bytes, end }
    }
}

/// The last bytes of a digest, see [`Chain::padding`].
pub(in crate::digest) struct Padding {
    bytes: [u8; 72],
    end: usize,
}

impl Padding {
    pub(in crate::digest) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }
}

/// Gives each digest its own bytes, many at a time.
pub(super) fn update<const S: usize>(engine: &Engine<S>, mut work: Vec<(&mut Chain<S>, &[u8])>) {
    let mut rest = Vec::with_capacity(work.len());
    let mut heads = Vec::new();
    for (chain, bytes) in &mut work {
        let (full, blocks, tail) = chain.fill(bytes);
        rest.push((blocks, tail));
        if full {
            let Chain { state, block, .. } = &mut **chain;
            heads.push(Stream { state, blocks: std::slice::from_ref(&*block) });
        }
    }
    engine.run(&mut heads);
    let mut bodies = Vec::with_capacity(work.len());
    for ((chain, _), (blocks, tail)) in work.iter_mut().zip(rest) {
        chain.keep(tail);
        bodies.push(Stream { state: &mut chain.state, blocks });
    }
    engine.run(&mut bodies);
}
