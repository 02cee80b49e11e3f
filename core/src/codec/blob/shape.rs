//! `Shape`: what the first bytes of a blob say of the rest.

use super::{ENCRYPTED, ENCRYPTED_ZSTD, HEADER, PLAIN, SEALED_HEADER, ZSTD};
use crate::codec::gcm::Peek;
use crate::codec::{Broken, Sealing};
use crate::key::Key;

/// What a blob is.
pub(crate) struct Shape {
    /// The length of its header, in bytes.
    pub(crate) header: u64,
    /// It is compressed.
    pub(crate) zstd: bool,
    /// It is encrypted; with what any part of it is opened, if the key is at hand.
    sealed: Option<Option<Peek>>,
}

impl Shape {
    /// Reads the header of a blob of which this is said, out of its first bytes: as many as it has, up to the longest
    /// header.
    pub(crate) fn of(bytes: &[u8], sealing: Sealing, key: Option<&Key>) -> Result<Self, Broken> {
        let odd = |what| Err(Broken { at: 0, what });
        let (zstd, sealed) = match bytes.first_chunk() {
            Some(&PLAIN) => (false, false),
            Some(&ZSTD) => (true, false),
            Some(&ENCRYPTED) => (false, true),
            Some(&ENCRYPTED_ZSTD) => (true, true),
            _ => return odd(super::NO_BLOB),
        };
        match sealing.is_sealed() {
            Some(true) if !sealed => return odd(super::NOT_ENCRYPTED),
            Some(false) if sealed => return odd(super::IS_ENCRYPTED),
            _ => {}
        }
        let peek = || {
            let iv = bytes.get(HEADER..).and_then(<[u8]>::first_chunk)?;
            // Under a wrong key, anything comes out.
            Some(Peek::of(sealing.opens(key).filter(|_| !sealing.is_tried())?, iv))
        };
        let header = if sealed { SEALED_HEADER } else { HEADER } as u64;
        Ok(Self { header, zstd, sealed: sealed.then(peek) })
    }

    /// Whether what it holds cannot be read.
    pub(crate) fn is_shut(&self) -> bool {
        matches!(self.sealed, Some(None))
    }

    /// Turns bytes from an offset of the blob on into what they were before they were encrypted. Nothing proves them.
    pub(crate) fn open(&mut self, at: u64, bytes: &mut [u8]) {
        if let Some(Some(peek)) = &mut self.sealed {
            peek.open(at.saturating_sub(self.header), bytes);
        }
    }
}
