//! `Body`: writes what arrives of a version, and finds out what S3's own record of it says of the bytes.

use std::io;

use highwater_core::digest::parts::{PartSums, likely};
use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::formats::mirror::index::Proof;
use highwater_core::formats::mirror::plan::outcome::Had;
use highwater_core::inventory::Etag;

use crate::disk::Writable;
use crate::s3::{self, Head};
use crate::store::Object;

/// What the bytes are held against.
pub(super) struct Sums {
    md5: Option<([u8; 16], Hasher)>,
    parts: Option<PartSums>,
    own: Option<Hasher>,
}

/// What the bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What S3 recorded, or something of which it recorded nothing.
    Is(Had),
    /// Not what S3 recorded.
    IsNot,
}

impl Sums {
    /// Of an object of this ETag and length. That of one under a foreign key says nothing.
    pub(super) fn new(etag: &Etag<'_>, size: u64, is_foreign: bool) -> Self {
        let (mut md5, mut parts) = (None, None);
        match etag {
            Etag::Plain(sum) if !is_foreign => md5 = Some((*sum, Hasher::new(Algorithm::Md5))),
            Etag::Parts(sum, number) if !is_foreign => {
                let likely = likely(size, *number);
                parts = (!likely.is_empty()).then(|| PartSums::new(*sum, *number, &likely));
            }
            _ => {}
        }
        let own = md5.is_none().then(|| Hasher::new(Algorithm::Sha256));
        Self { md5, parts, own }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some((_, md5)) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(parts) = &mut self.parts {
            parts.update(bytes);
        }
        if let Some(own) = &mut self.own {
            own.update(bytes);
        }
    }

    /// All of them came.
    pub(super) fn end(self) -> Outcome {
        if let Some((sum, md5)) = self.md5 {
            let is = md5.finish() == Digest::Md5(sum);
            return if is { Outcome::Is(Had { proof: Proof::Md5, own: None }) } else { Outcome::IsNot };
        }
        let own = match self.own.map(Hasher::finish) {
            Some(Digest::Sha256(own)) => Some(own),
            _ => None,
        };
        match self.parts.and_then(PartSums::finish) {
            Some(part) => Outcome::Is(Had { proof: Proof::Parts(part), own: None }),
            None => Outcome::Is(Had { proof: Proof::Nothing, own }),
        }
    }
}

/// What a file holds, held against what S3 recorded; none if it is of another length.
///
/// # Errors
/// It cannot be read.
pub(super) fn of_file(object: &dyn Object, etag: &Etag<'_>, size: u64) -> io::Result<Option<Outcome>> {
    if object.length()? != size {
        return Ok(None);
    }
    let mut sums = Sums::new(etag, size, false);
    object.for_each_piece(0, u64::MAX, &mut vec![0; 256 << 10], |piece| {
        sums.update(piece);
        true
    })?;
    Ok(Some(sums.end()))
}

/// A body on its way into a file.
pub(super) struct Body<'a> {
    pub(super) file: &'a dyn Writable,
    pub(super) etag: Etag<'a>,
    /// The ETag's text.
    pub(super) text: &'a [u8],
    pub(super) size: u64,
    pub(super) at: u64,
    pub(super) sums: Option<Sums>,
    pub(super) advance: &'a dyn Fn(u64),
}

impl s3::Sink for Body<'_> {
    fn begin(&mut self, head: &Head) -> io::Result<()> {
        if head.length != self.size {
            let what = format!("it has {} bytes, and the inventory says {}", head.length, self.size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let found = head.etag.as_deref().unwrap_or_default().as_bytes();
        if found != self.text {
            let (found, wanted) = (String::from_utf8_lossy(found), String::from_utf8_lossy(self.text));
            let what = format!("its ETag is {found}, and the inventory says {wanted}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let is_foreign = head.encryption.as_deref().is_some_and(|how| how != "AES256");
        self.sums = Some(Sums::new(&self.etag, self.size, is_foreign));
        self.at = 0;
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.at, bytes)?;
        self.at = self.at.saturating_add(bytes.len() as u64);
        if let Some(sums) = &mut self.sums {
            sums.update(bytes);
        }
        (self.advance)(bytes.len() as u64);
        Ok(())
    }
}
