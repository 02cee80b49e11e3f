//! The blocks of zstd frames, by the C library.

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use super::{BLOCK, Flow};

const BROKEN: &str = "a block of the zstd data is broken";

/// Decodes block after block of a frame.
pub(super) struct Blocks {
    context: DCtx<'static>,
    output: Box<[u8]>,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { context: DCtx::create(), output: vec![0; BLOCK].into_boxed_slice() }
    }
}

impl Blocks {
    /// Takes the header of a frame.
    pub(super) fn begin(&mut self, header: &[u8]) -> Result<(), &'static str> {
        let odd = "a zstd frame has an impossible header";
        self.context.reset(ResetDirective::SessionOnly).map_err(|_| odd)?;
        // The walker has looked at it, and is stricter.
        self.context.set_parameter(DParameter::WindowLogMax(27)).map_err(|_| odd)?;
        self.step(header, &mut |_| Flow::Continue(())).map(|_| ()).map_err(|_| odd)
    }

    /// Takes a block with its header; after the last one of a frame, the checksum too.
    pub(super) fn block(
        &mut self,
        block: &[u8],
        _: bool,
        each: &mut dyn FnMut(&[u8]) -> Flow,
    ) -> Result<Flow, &'static str> {
        self.step(block, each)
    }

    fn step(&mut self, unit: &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, &'static str> {
        let mut input = InBuffer::around(unit);
        loop {
            let mut output = OutBuffer::around(&mut self.output[..]);
            self.context.decompress_stream(&mut output, &mut input).map_err(|_| BROKEN)?;
            let written = output.pos();
            let full = written == self.output.len();
            if let Some(decoded) = self.output.get(..written).filter(|decoded| !decoded.is_empty())
                && each(decoded).is_break()
            {
                return Ok(Flow::Break(()));
            }
            if input.pos() == unit.len() && !full {
                return Ok(Flow::Continue(()));
            }
        }
    }
}
