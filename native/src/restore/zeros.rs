//! `Zeros`: which chunks are zeros and nothing else, as their digests say: they need not be read, nor written where
//! nothing was.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use highwater_core::claim::Claim;
use highwater_core::digest::{Digest, Hasher};
use highwater_core::facts::Shape;
use highwater_core::key::Key;

use super::Plan;

/// The shortest and the longest chunk that this is worth while for, in bytes: a block of a disk, a chunk of its image.
const SHORTEST: u64 = 4096;
const LONGEST: u64 = 16 << 20;

/// Of how many lengths the digests are kept: a fixed index has two.
const LENGTHS: usize = 8;

/// Zeros that are written at a time.
static BLOCK: [u8; 64 * 1024] = [0; 64 * 1024];

/// Digests of zeros, by length.
#[derive(Debug)]
pub(super) struct Zeros {
    /// An image may have some.
    image: bool,
    /// What opens what is encrypted: digests cover it.
    key: Option<Key>,
    known: Mutex<HashMap<u64, Digest>>,
}

impl Zeros {
    /// Those of a plan, whose chunks share algorithm and key.
    pub(super) fn of(plan: &Plan) -> Self {
        Self { image: plan.shape == Shape::Image, key: plan.opens.clone(), known: Mutex::default() }
    }

    /// Hands out the bytes of a chunk of zeros.
    ///
    /// # Errors
    /// What `put` says.
    pub(super) fn put<E>(claim: &Claim, mut put: impl FnMut(u64, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut at = claim.target().start;
        while at < claim.target().end {
            let some = usize::try_from(claim.target().end - at).unwrap_or(usize::MAX).min(BLOCK.len());
            put(at, &BLOCK[..some])?;
            at += some as u64;
        }
        Ok(())
    }

    /// Whether a chunk is zeros; false also when that is not worth finding out.
    pub(super) fn are(&self, claim: &Claim) -> bool {
        let length = claim.expect.length;
        if !self.image || !(SHORTEST..=LONGEST).contains(&length) {
            return false;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(&length) && known.len() >= LENGTHS {
            return false;
        }
        let Some(expected) = claim.expect.digest else { return false };
        let digest = known.entry(length).or_insert_with(|| {
            let mut hasher = Hasher::new(expected.algorithm());
            hasher.update(&vec![0; usize::try_from(length).unwrap_or(0)]);
            hasher.update(claim.codec.suffix(self.key.as_ref()));
            hasher.finish()
        });
        *digest == expected
    }
}
