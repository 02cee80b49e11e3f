//! `encode`: writes a blob.

use super::{ENCRYPTED, ENCRYPTED_ZSTD, HEADER, PLAIN, SEALED_HEADER, ZSTD};
use crate::codec::gcm::{Gcm, IV};
use crate::digest::crc::crc32;
use crate::key::Key;

/// The blob of `data`. `packed` are the zstd frames of it, used where they are no longer than it is. With a key and an
/// initialisation vector that was never used with it, it is encrypted.
#[must_use]
pub fn encode(data: &[u8], packed: &[u8], sealed: Option<(&Key, [u8; IV])>) -> Vec<u8> {
    let (zstd, body) = if packed.len() <= data.len() { (true, packed) } else { (false, data) };
    let magic = match (zstd, sealed.is_some()) {
        (false, false) => PLAIN,
        (true, false) => ZSTD,
        (false, true) => ENCRYPTED,
        (true, true) => ENCRYPTED_ZSTD,
    };
    let header = if sealed.is_some() { SEALED_HEADER } else { HEADER };
    let mut blob = Vec::with_capacity(header + body.len());
    blob.extend_from_slice(&magic);
    let crc = |body: &[u8]| crc32(body).to_le_bytes();
    match sealed {
        None => {
            blob.extend_from_slice(&crc(body));
            blob.extend_from_slice(body);
        }
        Some((key, iv)) => {
            let mut shut = body.to_vec();
            let tag = Gcm::new(key.secret(), &iv).seal(&mut shut);
            blob.extend_from_slice(&crc(&shut));
            blob.extend_from_slice(&iv);
            blob.extend_from_slice(&tag);
            blob.extend_from_slice(&shut);
        }
    }
    blob
}
