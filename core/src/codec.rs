//! `Codec` and `Decoder`: from stored bytes to the bytes a digest speaks of, pushed piece by piece.

#[cfg_attr(not(feature = "blob"), path = "codec/blob/none.rs")]
pub(crate) mod blob;
mod frames;
#[cfg(feature = "blob")]
#[cfg_attr(not(feature = "pbs-keys"), path = "codec/gcm/none.rs")]
pub(crate) mod gcm;
mod gzip;
pub mod member;
#[cfg_attr(not(feature = "blob"), path = "codec/sealing/none.rs")]
mod sealing;
#[cfg(feature = "zstd")]
mod zstd;

use std::ops::Range;

use crate::key::Key;

#[cfg(feature = "blob")]
pub(crate) use blob::Kept;
#[cfg(feature = "blob")]
pub use blob::encode as encode_blob;
pub(crate) use frames::Frames;
pub use sealing::Sealing;
#[cfg(feature = "zstd")]
pub(crate) use zstd::unzstd;
#[cfg(all(feature = "zstd", not(target_family = "wasm")))]
pub use zstd::{Packer, Unpacker};

/// How an object's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// As they are.
    Plain,
    /// gzip (RFC 1952), one member or several, zero padding after the last allowed.
    Gzip,
    /// A blob of Proxmox Backup Server. If it is encrypted and its key is not at hand, only its checksum can be looked
    /// at.
    Blob(Sealing),
    /// The same in the cache of a store whose objects are in a bucket: an empty one is in the bucket alone.
    Cached(Sealing),
    /// As they are: length and digest speak of the stored bytes. They are a blob's, which must open all the same.
    Kept(Sealing),
}

impl Codec {
    /// What is said of a blob's encryption; none for what is no blob, or is taken as it is stored.
    #[must_use]
    pub fn sealing(self) -> Option<Sealing> {
        match self {
            Self::Plain | Self::Gzip | Self::Kept(_) => None,
            Self::Blob(sealing) | Self::Cached(sealing) => Some(sealing),
        }
    }

    /// The name used in reports and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Blob(sealing) | Self::Cached(sealing) if sealing.is_sealed() == Some(true) => "sealed blob",
            Self::Blob(_) | Self::Cached(_) => "blob",
            Self::Kept(_) => "kept blob",
        }
    }

    /// What the digest of the decoded bytes covers after them, where `key` opens them.
    #[must_use]
    pub fn suffix(self, key: Option<&Key>) -> &[u8] {
        let sealing = self.sealing().filter(|sealing| sealing.is_sealed() == Some(true));
        sealing.and_then(|sealing| sealing.opens(key)).map_or(&[], |key| key.id())
    }
}

/// Stored bytes cannot be decoded. Everything before the fault was handed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    /// Where in the stored bytes the fault lies: at or shortly after this offset.
    pub at: u64,
    /// What is wrong, as a clause: "the gzip header has a wrong magic number".
    pub what: &'static str,
}

/// Compressed bytes that are decoded at a time where a decoder cannot stop in the middle: they grow a thousandfold at
/// most.
const STEP: usize = 1024;

/// Where `part` lies in `all`, if it is a part of it and not a copy: decoded bytes that are stored as they are.
#[must_use]
pub fn place(all: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let from = part.as_ptr().addr().checked_sub(all.as_ptr().addr())?;
    let to = from.checked_add(part.len())?;
    (to <= all.len()).then_some(from..to)
}

/// What a consumer of decoded bytes says: go on or stop. Stopping early is how a decompression bomb costs one buffer.
pub type Flow = std::ops::ControlFlow<()>;

/// The memory that a decoder works with.
pub struct Workspace(blob::Blocks);

/// A push decoder: holds at most one output buffer, whatever the input expands to.
pub enum Decoder {
    /// Hands bytes on unchanged.
    Plain,
    /// Inflates gzip members.
    Gzip(Box<gzip::Gunzip>),
    /// Opens a blob.
    Blob(Box<blob::Unblob>),
    /// Hands the bytes of a blob on unchanged, and opens it beside that.
    Kept(Box<blob::Kept>),
}

impl Decoder {
    /// A decoder at the start of an object; `key` opens what is encrypted.
    #[must_use]
    pub fn new(codec: Codec, key: Option<&Key>) -> Self {
        match codec {
            Codec::Plain => Self::Plain,
            Codec::Gzip => Self::Gzip(Box::default()),
            Codec::Blob(sealing) | Codec::Cached(sealing) => Self::Blob(Box::new(blob::Unblob::new(sealing, key))),
            Codec::Kept(sealing) => Self::Kept(Box::new(blob::Kept::new(sealing, key))),
        }
    }

    /// A decoder of gzip members for whoever reads one object after another, and long ones: it holds 128 KiB.
    #[must_use]
    pub fn of_long() -> Self {
        Self::Gzip(Box::new(gzip::Gunzip::roomy()))
    }

    /// Takes the next stored bytes and hands what they decode to on to `each`, piece by piece.
    ///
    /// # Errors
    /// [`Broken`] after every byte that could be decoded was handed on. Further pushes repeat it.
    pub fn push(&mut self, mut stored: &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        if let Self::Gzip(gunzip) = self {
            return gunzip.push(stored, each);
        }
        loop {
            let flow = self.some(&mut stored, each)?;
            if flow.is_break() || stored.is_empty() {
                return Ok(flow);
            }
        }
    }

    /// Takes some of the next stored bytes, at least one if there are any: as many as decode to what a consumer may
    /// gather, which is a block of zstd, or about a megabyte of gzip. Of an encrypted blob more may come, but only with
    /// its key. Bytes that are stored as they are come in one piece, which is a part of `stored` itself.
    ///
    /// # Errors
    /// As [`Decoder::push`].
    pub fn some(&mut self, stored: &mut &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        match self {
            Self::Plain => match std::mem::take(stored) {
                [] => Ok(Flow::Continue(())),
                all => Ok(each(all)),
            },
            Self::Gzip(gunzip) => {
                let (now, rest) = stored.split_at_checked(STEP).unwrap_or((stored, &[]));
                *stored = rest;
                gunzip.push(now, each)
            }
            Self::Blob(unblob) => unblob.some(stored, each),
            Self::Kept(kept) => match std::mem::take(stored) {
                [] => Ok(Flow::Continue(())),
                all => {
                    kept.push(all);
                    Ok(each(all))
                }
            },
        }
    }

    /// Whether [`Decoder::some`] hands decoded bytes on in one piece, which [`Decoder::held`] still gives afterwards.
    /// Not known of a blob before its header has come.
    #[must_use]
    pub fn holds(&self) -> bool {
        matches!(self, Self::Blob(unblob) if unblob.holds())
    }

    /// What the last [`Decoder::some`] handed on, if it [holds](Decoder::holds) that, so that nobody need copy it.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        if let Self::Blob(unblob) = self { unblob.held() } else { &[] }
    }

    /// Lends it what another decoder worked with, before the first byte: to make that anew takes time.
    pub fn lend(&mut self, workspace: Workspace) {
        if let Self::Blob(unblob) = self {
            unblob.lend(workspace.0);
        }
    }

    /// Gives up what it worked with, after the last byte.
    pub fn reclaim(&mut self) -> Option<Workspace> {
        if let Self::Blob(unblob) = self { unblob.reclaim().map(Workspace) } else { None }
    }

    /// Whether the bytes so far end where another member may follow.
    #[must_use]
    pub fn is_between(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Gzip(gunzip) => gunzip.is_between(),
            Self::Blob(..) | Self::Kept(_) => false,
        }
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// [`Broken`] when the object ends in the middle of a compressed member.
    pub fn end(&mut self) -> Result<(), Broken> {
        match self {
            Self::Plain => Ok(()),
            Self::Gzip(gunzip) => gunzip.end(),
            Self::Blob(unblob) => unblob.end(),
            Self::Kept(kept) => kept.end(),
        }
    }

    /// No byte of a blob has come.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        matches!(self, Self::Blob(unblob) if unblob.is_untouched())
    }

    /// Whether what comes after the last byte that anybody wants still matters: a blob's checksum covers all of it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Blob(..))
    }

    /// Whether the bytes are encrypted, so that nothing of them was handed on.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        match self {
            Self::Blob(unblob) => unblob.is_sealed(),
            Self::Kept(kept) => kept.is_sealed(),
            Self::Plain | Self::Gzip(_) => false,
        }
    }
}
