//! `Unpacker`: decompresses what a [`Packer`](super::Packer) made, by the C library.

use zstd_safe::DCtx;

/// Decompresses one frame after another, each whole.
pub struct Unpacker {
    context: DCtx<'static>,
}

impl Default for Unpacker {
    fn default() -> Self {
        Self { context: DCtx::create() }
    }
}

impl Unpacker {
    /// Decompresses a frame into `out`, which is then as long as what it gives: `length` bytes. Any bytes may be given.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn unpack(&mut self, frame: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        out.resize(length, 0);
        match self.context.decompress(out.as_mut_slice(), frame) {
            Ok(given) if given == length => Ok(()),
            Ok(_) => Err("it decompresses to fewer bytes than it should"),
            Err(_) => Err("it cannot be decompressed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Packer;
    use super::*;

    #[test]
    fn a_frame_gives_what_it_was_made_of_and_no_other_length() {
        let data: Vec<u8> = (0..100_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let frame = Packer::new(1).unwrap().pack(&data).unwrap().to_vec();
        let (mut unpacker, mut out) = (Unpacker::default(), vec![7; 9]);
        assert_eq!(unpacker.unpack(&frame, data.len(), &mut out), Ok(()));
        assert_eq!(out, data);
        for length in [0, data.len() - 1, data.len() + 1] {
            assert!(unpacker.unpack(&frame, length, &mut out).is_err());
        }
        for cut in [0, 1, 5, frame.len() / 2, frame.len() - 1] {
            assert!(unpacker.unpack(&frame[..cut], data.len(), &mut out).is_err());
        }
        // What failed spoils nothing.
        assert_eq!(unpacker.unpack(&frame, data.len(), &mut out), Ok(()));
    }
}
