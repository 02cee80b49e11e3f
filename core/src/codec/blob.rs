//! `Unblob`: a push decoder of the blobs that Proxmox Backup Server stores chunks and files in.
//!
//! | bytes | plain, zstd | encrypted, encrypted after zstd |
//! |---|---|---|
//! | 0-7 | magic number: the first eight bytes of SHA-256 of a sentence | the same |
//! | 8-11 | CRC-32 of all that follows the header, little-endian | the same |
//! | 12-27 | data ... | initialisation vector |
//! | 28-43 | | tag |
//! | 44- | | ciphertext |
//!
//! Without its key, what is encrypted is not decoded: only its checksum is looked at, which covers neither vector nor
//! tag.
//!
//! The checksum has the first word on what is wrong: where it does not hold, what a library made of the bytes, and how
//! far it came, says nothing, and another library comes to something else.

use super::gcm::Gcm;
use super::zstd::{Blocks, Unzstd};
use super::{Broken, Flow, STEP, Sealing};
use crate::digest::crc::Crc32;
use crate::key::Key;

/// The magic numbers, by what they say.
const PLAIN: [u8; 8] = [0x42, 0xab, 0x38, 0x07, 0xbe, 0x83, 0x70, 0xa1];
const ZSTD: [u8; 8] = [0x31, 0xb9, 0x58, 0x42, 0x6f, 0xb6, 0xa3, 0x7f];
const ENCRYPTED: [u8; 8] = [0x7b, 0x67, 0x85, 0xbe, 0x22, 0x2d, 0x4c, 0xf0];
const ENCRYPTED_ZSTD: [u8; 8] = [0xe6, 0x59, 0x1b, 0xbf, 0x0b, 0xbf, 0xd8, 0x0b];

/// What is said of first bytes that are not those of the blob that they should be.
const NO_BLOB: &str = "its magic number is that of no blob";
const NOT_ENCRYPTED: &str = "it is not encrypted, and the manifest says that it is";
const IS_ENCRYPTED: &str = "it is encrypted, and the manifest says that it is not";

/// The lengths of the headers, in bytes.
pub(crate) const HEADER: usize = 12;
pub(crate) const SEALED_HEADER: usize = 44;

/// The longest blob that a server stores, in bytes: so far is the checksum looked for once the rest is known not to
/// hold.
const LONGEST: u64 = 128 * 1024 * 1024;

/// The decoder's state.
pub struct Unblob {
    /// What is said of its encryption.
    sealing: Sealing,
    key: Option<Key>,
    header: Vec<u8>,
    at: u64,
    crc: Crc32,
    body: Body,
    /// How decoding ended before the bytes did: with a fault, or because nobody wants more.
    early: Option<Result<(), Broken>>,
    broken: Option<Broken>,
    /// For zstd to work with.
    spare: Option<Blocks>,
}

enum Body {
    /// The header is not complete.
    Header,
    Plain,
    Zstd(Box<Unzstd>),
    /// Encrypted, and the key is not at hand.
    Sealed,
    /// Encrypted, and what is in it, if that is compressed; with the buffer in which it is opened.
    Opened(Box<Gcm>, Option<Box<Unzstd>>, Vec<u8>),
}

impl Unblob {
    /// A decoder of a blob of which this is said.
    pub(super) fn new(sealing: Sealing, key: Option<&Key>) -> Self {
        let (header, crc) = (Vec::new(), Crc32::new());
        Self {
            sealing,
            key: sealing.opens(key).cloned(),
            header,
            at: 0,
            crc,
            body: Body::Header,
            early: None,
            broken: None,
            spare: None,
        }
    }

    /// See [`super::Decoder::some`].
    pub(super) fn some(&mut self, stored: &mut &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let pushed = self.take(stored, each);
        if let Err(broken) = &pushed {
            self.broken = Some(broken.clone());
        }
        pushed
    }

    fn take(&mut self, stored: &mut &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        if matches!(self.body, Body::Header) {
            // The magic number tells how long the header is.
            for need in [HEADER, SEALED_HEADER] {
                let (some, rest) =
                    stored.split_at_checked(need.saturating_sub(self.header.len())).unwrap_or((stored, &[]));
                self.header.extend_from_slice(some);
                *stored = rest;
                if self.header.len() < need || !matches!(self.header.first_chunk(), Some(&(ENCRYPTED | ENCRYPTED_ZSTD)))
                {
                    break;
                }
            }
            self.at = self.header.len() as u64;
            let Some(magic) = self.header.first_chunk() else { return Ok(Flow::Continue(())) };
            let odd = |what| Err(Broken { at: 0, what });
            let need = match (*magic, self.sealing.is_sealed()) {
                (PLAIN | ZSTD, None | Some(false)) => HEADER,
                (ENCRYPTED | ENCRYPTED_ZSTD, None | Some(true)) => SEALED_HEADER,
                (PLAIN | ZSTD, Some(true)) => return odd(NOT_ENCRYPTED),
                (ENCRYPTED | ENCRYPTED_ZSTD, Some(false)) => {
                    return odd(IS_ENCRYPTED);
                }
                _ => return odd(NO_BLOB),
            };
            if self.header.len() < need {
                return Ok(Flow::Continue(()));
            }
            let spare = &mut self.spare;
            let mut zstd = |at: usize| Box::new(Unzstd::new(at as u64, spare.take()));
            let iv = self.header.get(HEADER..).and_then(<[u8]>::first_chunk);
            self.body = match (*magic, &self.key, iv) {
                (PLAIN, ..) => Body::Plain,
                (ZSTD, ..) => Body::Zstd(zstd(HEADER)),
                (_, Some(key), Some(iv)) => {
                    let inner = (*magic == ENCRYPTED_ZSTD).then(|| zstd(SEALED_HEADER));
                    Body::Opened(Box::new(Gcm::new(key.secret(), iv)), inner, Vec::new())
                }
                _ => Body::Sealed,
            };
        }
        if stored.is_empty() {
            return Ok(Flow::Continue(()));
        }
        let all = *stored;
        let went = if self.early.is_some() {
            *stored = &[];
            Ok(Flow::Continue(()))
        } else {
            match &mut self.body {
                Body::Header | Body::Sealed => {
                    *stored = &[];
                    Ok(Flow::Continue(()))
                }
                Body::Plain => Ok(each(std::mem::take(stored))),
                Body::Zstd(zstd) => zstd.some(stored, each),
                Body::Opened(gcm, inner, opened) => {
                    let (now, rest) = stored.split_at_checked(STEP).unwrap_or((stored, &[]));
                    *stored = rest;
                    opened.clear();
                    opened.extend_from_slice(now);
                    gcm.open(opened);
                    match inner {
                        None => Ok(each(opened)),
                        Some(zstd) => zstd.push(opened, each),
                    }
                }
            }
        };
        let (taken, _) = all.split_at_checked(all.len() - stored.len()).unwrap_or((all, &[]));
        self.at = self.at.saturating_add(taken.len() as u64);
        self.crc.update(taken);
        if let Some(early) = &self.early {
            let flow = if self.at > LONGEST { Flow::Break(()) } else { Flow::Continue(()) };
            return if flow.is_break() { early.clone().map(|()| flow) } else { Ok(flow) };
        }
        match went {
            Ok(Flow::Continue(())) => {}
            Ok(Flow::Break(())) => self.early = Some(Ok(())),
            Err(broken) => self.early = Some(Err(broken)),
        }
        Ok(Flow::Continue(()))
    }

    /// See [`super::Decoder::end`].
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        let opened = matches!(self.body, Body::Opened(..));
        let (summed, early) = (self.is_summed(), self.early.is_some());
        let ended = self.close();
        // Under another key anything comes out, and the tag does not fit.
        if opened && summed && self.sealing.is_tried() && (early || ended.is_err()) {
            (self.body, self.broken) = (Body::Sealed, None);
            return Ok(());
        }
        ended
    }

    /// Whether its checksum is that of its bytes.
    fn is_summed(&self) -> bool {
        let on_record = self.header.get(8..).and_then(<[u8]>::first_chunk).map(|crc| u32::from_le_bytes(*crc));
        on_record == Some(self.crc.clone().finalize())
    }

    fn close(&mut self) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let summed = self.is_summed();
        let odd = Broken { at: 8, what: "its checksum is not that of its bytes" };
        if let Some(early) = self.early.take() {
            // Beyond the longest, nobody knows.
            let ended = if summed || self.at > LONGEST { early } else { Err(odd) };
            self.broken = ended.clone().err();
            return ended;
        }
        let headless = matches!(self.body, Body::Header);
        let tag = self.header.get(SEALED_HEADER - 16..).and_then(<[u8]>::first_chunk);
        let ended = match std::mem::replace(&mut self.body, Body::Plain) {
            Body::Header if self.header.is_empty() => {
                Err(Broken { at: 0, what: "it is empty, as only chunks in the cache of an S3 store may be" })
            }
            Body::Header => Err(Broken { at: self.at, what: "it ends inside its header" }),
            Body::Zstd(zstd) => zstd.end(),
            Body::Opened(gcm, inner, _) => match inner.map_or(Ok(()), |zstd| zstd.end()) {
                Ok(()) if !tag.is_some_and(|tag| gcm.end(tag)) => {
                    Err(Broken { at: 28, what: "its tag is not that of its bytes and its key" })
                }
                ended => ended,
            },
            sealed @ Body::Sealed => {
                self.body = sealed;
                Ok(())
            }
            Body::Plain => Ok(()),
        };
        let ended = if summed || headless { ended } else { Err(odd) };
        self.broken = ended.clone().err();
        ended
    }

    /// See [`super::Decoder::holds`].
    pub(super) fn holds(&self) -> bool {
        matches!(self.body, Body::Zstd(_))
    }

    /// See [`super::Decoder::held`].
    pub(super) fn held(&self) -> &[u8] {
        if let Body::Zstd(zstd) = &self.body { zstd.held() } else { &[] }
    }

    /// See [`super::Decoder::lend`].
    pub(super) fn lend(&mut self, spare: Blocks) {
        self.spare = Some(spare);
    }

    /// See [`super::Decoder::reclaim`].
    pub(super) fn reclaim(&mut self) -> Option<Blocks> {
        let used = match &mut self.body {
            Body::Zstd(zstd) | Body::Opened(_, Some(zstd), _) => zstd.reclaim(),
            Body::Header | Body::Plain | Body::Sealed | Body::Opened(_, None, _) => None,
        };
        used.or_else(|| self.spare.take())
    }

    /// Nothing of it has come.
    pub(super) fn is_untouched(&self) -> bool {
        self.header.is_empty()
    }

    /// Nothing of it can be decoded without a key.
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.body, Body::Sealed)
    }
}

mod encode;
mod kept;
mod shape;

pub use encode::encode;
pub(crate) use kept::Kept;
pub(crate) use shape::Shape;

#[cfg(test)]
mod tests;
