//! `Gcm`: opens AES-256-GCM piece by piece, and seals with it, with an initialisation vector of 16 bytes (NIST SP
//! 800-38D).
//!
//! What is handed on before the end is not proven to be anybody's: whoever takes it must throw it away unless
//! [`Gcm::end`] agrees. A vector that has not 12 bytes is hashed to the first counter; an implementation that cuts or
//! pads it opens nothing of what these servers keep.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher, StreamCipherSeek};
use ctr::Ctr32BE;
use ghash::GHash;
use ghash::universal_hash::UniversalHash;

use crate::key::Key;

/// The lengths of vector and tag, in bytes.
pub(crate) const IV: usize = 16;
pub(crate) const TAG: usize = 16;

type Block = [u8; 16];

/// The state.
pub(crate) struct Gcm {
    cipher: Ctr32BE<Aes256>,
    hash: GHash,
    mask: Block,
    /// Ciphertext that does not fill a block yet, and how much there was in all.
    part: Vec<u8>,
    length: u64,
}

/// Opens any part of a ciphertext, and proves nothing of it.
pub(crate) struct Peek(Ctr32BE<Aes256>);

impl Peek {
    pub(crate) fn of(key: &Key, iv: &[u8; IV]) -> Self {
        Self::new(key.secret(), iv)
    }

    pub(crate) fn new(key: &[u8; 32], iv: &[u8; IV]) -> Self {
        Self(begin(key, iv).0)
    }

    /// Turns bytes from an offset of the ciphertext on into what they were.
    pub(crate) fn open(&mut self, at: u64, bytes: &mut [u8]) {
        // The first block of the key stream hides the tag. No blob is so long that the counter comes to its end.
        if self.0.try_seek(at.saturating_add(16)).is_ok() {
            self.0.apply_keystream(bytes);
        }
    }
}

/// The key stream, from its beginning, and the hash.
fn begin(key: &[u8; 32], iv: &[u8; IV]) -> (Ctr32BE<Aes256>, GHash) {
    let mut hash_key = aes::Block::default();
    Aes256::new(&(*key).into()).encrypt_block(&mut hash_key);
    let hash = GHash::new(&hash_key);
    let mut first = hash.clone();
    first.update_padded(iv);
    first.update(&[lengths(0, IV as u64).into()]);
    (Ctr32BE::<Aes256>::new(&(*key).into(), &first.finalize()), hash)
}

impl Gcm {
    pub(crate) fn of(key: &Key, iv: &[u8; IV]) -> Self {
        Self::new(key.secret(), iv)
    }

    pub(crate) fn new(key: &[u8; 32], iv: &[u8; IV]) -> Self {
        let (mut cipher, hash) = begin(key, iv);
        let mut mask = [0; 16];
        cipher.apply_keystream(&mut mask);
        Self { cipher, hash, mask, part: Vec::new(), length: 0 }
    }

    /// Turns the next bytes of the ciphertext into what they were.
    pub(crate) fn open(&mut self, bytes: &mut [u8]) {
        self.take(bytes);
        self.cipher.apply_keystream(bytes);
    }

    /// Encrypts all of `bytes`, which are the first, and gives their tag.
    pub(crate) fn seal(mut self, bytes: &mut [u8]) -> [u8; TAG] {
        self.cipher.apply_keystream(bytes);
        self.take(bytes);
        self.tag()
    }

    /// Hashes the next bytes of the ciphertext.
    fn take(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        let mut rest = bytes;
        if !self.part.is_empty() {
            let (some, after) = rest.split_at_checked(16 - self.part.len()).unwrap_or((rest, &[]));
            self.part.extend_from_slice(some);
            rest = after;
            if self.part.len() == 16 {
                self.hash.update_padded(&self.part);
                self.part.clear();
            }
        }
        let (blocks, after) = rest.split_at_checked(rest.len() / 16 * 16).unwrap_or((rest, &[]));
        self.hash.update_padded(blocks);
        self.part.extend_from_slice(after);
    }

    /// Whether everything was of who holds the key.
    pub(crate) fn end(self, tag: &[u8; TAG]) -> bool {
        self.tag().iter().zip(tag).fold(0, |differs, (found, tag)| differs | (found ^ tag)) == 0
    }

    fn tag(mut self) -> [u8; TAG] {
        self.hash.update_padded(&self.part);
        self.hash.update(&[lengths(0, self.length).into()]);
        let mut tag: Block = self.hash.finalize().into();
        tag.iter_mut().zip(self.mask).for_each(|(byte, mask)| *byte ^= mask);
        tag
    }
}

/// The last block that is hashed: the lengths of what is not and what is encrypted, in bits.
fn lengths(associated: u64, encrypted: u64) -> Block {
    ((u128::from(associated) << 64 | u128::from(encrypted)) << 3).to_be_bytes()
}
