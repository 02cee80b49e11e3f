//! The blocks of zstd frames, by the C library.

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use super::BLOCK;

const BROKEN: &str = "a block of the zstd data is broken";

/// Decodes block after block of a frame.
pub(in crate::codec) struct Blocks {
    context: DCtx<'static>,
    output: Box<[u8]>,
    /// How many bytes of the output the last block gave.
    held: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { context: DCtx::create(), output: vec![0; BLOCK].into_boxed_slice(), held: 0 }
    }
}

impl Blocks {
    /// Takes the header of a frame.
    pub(super) fn begin(&mut self, header: &[u8]) -> Result<(), &'static str> {
        let odd = "a zstd frame has an impossible header";
        self.context.reset(ResetDirective::SessionOnly).map_err(|_| odd)?;
        // The walker has looked at it, and is stricter.
        self.context.set_parameter(DParameter::WindowLogMax(27)).map_err(|_| odd)?;
        self.step(header).map_err(|_| odd)
    }

    /// Takes a block with its header; after the last one of a frame, the checksum too.
    pub(super) fn block(&mut self, block: &[u8], _: bool) -> Result<(), &'static str> {
        self.step(block)
    }

    /// What the last block decodes to.
    pub(super) fn held(&self) -> &[u8] {
        self.output.get(..self.held).unwrap_or_default()
    }

    fn step(&mut self, unit: &[u8]) -> Result<(), &'static str> {
        self.held = 0;
        let (mut input, mut output) = (InBuffer::around(unit), OutBuffer::around(&mut self.output[..]));
        while input.pos() < unit.len() {
            let before = (input.pos(), output.pos());
            self.context.decompress_stream(&mut output, &mut input).map_err(|_| BROKEN)?;
            if (input.pos(), output.pos()) == before {
                // It has more than a block may have.
                return Err(BROKEN);
            }
        }
        self.held = output.pos();
        Ok(())
    }
}
