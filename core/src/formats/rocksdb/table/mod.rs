//! Tables: where their blocks lie, and whether the checksum of each is right.
//!
//! A table is blocks, one behind the other, each with five bytes behind it: how it is compressed, and a checksum.
//! Blocks of data come first, then filters, indices, properties, and the metaindex, which names what is not data; the
//! footer ends it.

mod blocks;
mod entries;
mod footer;
mod layout;
mod sum;
mod unpack;

pub(super) use blocks::{Blocks, failed};
pub(super) use layout::Scan;

#[cfg(test)]
mod tests;
