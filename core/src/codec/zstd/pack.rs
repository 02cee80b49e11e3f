//! `Packer`: compresses with zstd, by the C library.

use zstd_safe::{CCtx, CParameter, compress_bound};

/// Compresses one piece after another, each into a frame of its own.
pub struct Packer {
    context: CCtx<'static>,
    packed: Vec<u8>,
}

impl Packer {
    /// A packer of this level; 1 is what Proxmox Backup Server's clients use.
    ///
    /// # Errors
    /// One sentence, when the library does not take the level.
    pub fn new(level: i32) -> Result<Self, String> {
        let mut context = CCtx::create();
        let set = context.set_parameter(CParameter::CompressionLevel(level));
        set.map_err(|code| format!("zstd takes no level {level}: {}", zstd_safe::get_error_name(code)))?;
        Ok(Self { context, packed: Vec::new() })
    }

    /// The frame of `data`.
    ///
    /// # Errors
    /// The library's word, which is that there is no memory.
    pub fn pack(&mut self, data: &[u8]) -> Result<&[u8], String> {
        let bound = compress_bound(data.len());
        if self.packed.len() < bound {
            self.packed.resize(bound, 0);
        }
        let packed = self.context.compress2(self.packed.as_mut_slice(), data);
        let length = packed.map_err(|code| format!("zstd cannot compress: {}", zstd_safe::get_error_name(code)))?;
        Ok(self.packed.get(..length).unwrap_or_default())
    }
}
