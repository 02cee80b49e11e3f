//! The blocks of zstd frames, by a library in Rust, for where C cannot be compiled.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Decodes block after block of a frame.
#[derive(Default)]
pub(in crate::codec) struct Blocks {
    decoder: FrameDecoder,
    output: Vec<u8>,
}

impl Blocks {
    /// Takes the header of a frame.
    pub(super) fn begin(&mut self, header: &[u8]) -> Result<(), &'static str> {
        self.decoder.reset(header).map_err(|_| "a zstd frame has an impossible header")
    }

    /// Takes a block with its header; after the last one of a frame, the checksum too.
    pub(super) fn block(&mut self, block: &[u8], last: bool) -> Result<(), &'static str> {
        let broken = "a block of the zstd data is broken";
        self.output.clear();
        self.decoder.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| broken)?;
        self.decoder.collect_to_writer(&mut self.output).map_err(|_| broken)?;
        let on_record = self.decoder.get_checksum_from_data().filter(|_| last);
        if on_record.is_some() && on_record != self.decoder.get_calculated_checksum() {
            return Err(broken);
        }
        Ok(())
    }

    /// What the last block decodes to.
    pub(super) fn held(&self) -> &[u8] {
        &self.output
    }
}
