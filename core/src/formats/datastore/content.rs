//! `Content`: what a blob holds, found out by reading it, as its manifest knows only the bytes that are stored.
//!
//! For a restore: whoever verifies a snapshot only has to see that its blobs open.

use super::manifest::File;
use crate::check::{Check, Verdict};
use crate::claim::{Claim, Expect, Extent};
use crate::codec::{Broken, Codec, Kept, Sealing};
use crate::digest::{Algorithm, Hasher};
use crate::finding::{Code, Finding, Hurts};
use crate::key::Key;
use crate::name::Name;
use crate::report::Depth;

/// A blob that is being read.
pub(super) struct Content {
    /// The claim of the manifest, on the stored bytes.
    stored: Claim,
    check: Check,
    codec: Codec,
    key: Option<Key>,
    blob: Kept,
    hasher: Hasher,
    length: u64,
}

impl Content {
    /// Begins to read `object`, which `manifest` names as `file`.
    pub(super) fn new(
        object: Name,
        manifest: Name,
        file: &File,
        (sealing, key): (Sealing, Option<&Key>),
        hurts: Hurts,
    ) -> Self {
        let stored = kept(object, manifest, file, sealing, hurts);
        let check = Check::new(&Claim { codec: Codec::Plain, ..stored.clone() }, Depth::Digest, None);
        let (blob, hasher) = (Kept::new(sealing, key), Hasher::new(Algorithm::Sha256));
        let key = key.cloned();
        Self { stored, check, codec: Codec::Blob(sealing), key, blob, hasher, length: 0 }
    }

    /// The blob's name.
    pub(super) fn name(&self) -> &Name {
        &self.stored.object
    }

    /// Takes the next stored bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Self { check, blob, hasher, length, .. } = self;
        _ = check.push(bytes, &mut |_| {});
        blob.open(bytes, &mut |decoded| {
            hasher.update(decoded);
            *length = length.saturating_add(decoded.len() as u64);
        });
    }

    /// The claim on what it holds, when the stored bytes are those of the manifest.
    pub(super) fn end(mut self) -> Result<Claim, Finding> {
        match self.check.end() {
            Verdict::Sound => {}
            verdict => return verdict.finding(&self.stored).map_or(Ok(self.stored), Err),
        }
        let Claim { object, index, hurts, .. } = self.stored;
        let finding = |code, offset, message: &str| Finding {
            code,
            object: Some(object.clone()),
            offset,
            message: message.to_owned(),
            hurts,
        };
        if let Err(Broken { at, what }) = self.blob.end() {
            return Err(finding(Code::Encoding, Some(at), what));
        }
        if self.blob.is_sealed() {
            return Err(finding(Code::Unverifiable, None, "it is encrypted, and its key is not at hand"));
        }
        self.hasher.update(self.codec.suffix(self.key.as_ref()));
        let expect = Expect { length: self.length, digest: Some(self.hasher.finish()) };
        let extent = Some(Extent { path: None, at: 0 });
        Ok(Claim { object, index, range: None, codec: self.codec, expect, extent, marks: None, hurts })
    }
}

/// The claim of a manifest on the stored bytes of a blob, of which this is said.
pub(super) fn kept(object: Name, manifest: Name, file: &File, sealing: Sealing, hurts: Hurts) -> Claim {
    Claim {
        object,
        index: manifest,
        range: None,
        codec: Codec::Kept(sealing),
        expect: Expect { length: file.size, digest: Some(file.sum) },
        extent: Some(Extent { path: None, at: 0 }),
        marks: None,
        hurts,
    }
}
