//! `Check`: tests one claim, from pushed bytes to a verdict.

use crate::claim::Claim;
use crate::codec::{Broken, Decoder, Flow};
use crate::digest::{Digest, Hasher};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding};
use crate::report::Depth;

/// What is known of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, at the depth it was checked at.
    Sound,
    /// It does not hold.
    Damaged(Damage),
    /// The object could not be read; it may be sound.
    Unreadable(Fault),
}

/// How a claim fails to hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The object is not there.
    #[error("the index names it, but it is not there")]
    Missing,
    /// It is too short or too long.
    #[error("it has {}{found} bytes{}, the index says {expected}", if *.more { "more than " } else { "" }, if *.decoded { " when decompressed" } else { "" })]
    Length {
        /// Bytes on record.
        expected: u64,
        /// Bytes there are.
        found: u64,
        /// There are more than `found`; nobody counted on.
        more: bool,
        /// Both count decompressed bytes.
        decoded: bool,
    },
    /// The digest differs.
    #[error("its digest is {found}, the index says {expected}")]
    Digest {
        /// On record.
        expected: Digest,
        /// What the bytes give.
        found: Digest,
    },
    /// It cannot be decompressed.
    #[error("{0}")]
    Encoding(Broken),
}

impl Damage {
    /// The code that reports it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Missing => Code::Missing,
            Self::Length { .. } => Code::Length,
            Self::Digest { .. } => Code::Digest,
            Self::Encoding(_) => Code::Encoding,
        }
    }

    /// Where in the stored object, if one place can be named.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Length { expected, found, decoded: false, .. } => Some(*expected.min(found)),
            Self::Encoding(broken) => Some(broken.at),
            Self::Missing | Self::Length { .. } | Self::Digest { .. } => None,
        }
    }
}

impl Verdict {
    /// The verdict on a claim whose object could not be opened or read.
    #[must_use]
    pub fn of_fault(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Absent => Self::Damaged(Damage::Missing),
            FaultKind::Unreadable => Self::Unreadable(fault),
        }
    }

    /// The finding that says this verdict on `claim`; none when it is sound.
    #[must_use]
    pub fn finding(self, claim: &Claim) -> Option<Finding> {
        let (code, offset, message) = match self {
            Self::Sound => return None,
            Self::Damaged(damage) => (damage.code(), damage.offset(), damage.to_string()),
            Self::Unreadable(fault) => (Code::Unreadable, None, fault.message),
        };
        Some(Finding { code, object: Some(claim.object.clone()), offset, message, hurts: claim.hurts })
    }
}

/// A running test of one claim's bytes.
pub struct Check {
    claim: Claim,
    decoder: Decoder,
    hasher: Option<Hasher>,
    length: u64,
    over: bool,
    broken: Option<Broken>,
}

impl Check {
    /// Begins to check `claim` at `depth`: below [`Depth::Digest`], bytes are counted but not hashed.
    #[must_use]
    pub fn new(claim: &Claim, depth: Depth) -> Self {
        let hasher = (depth >= Depth::Digest).then(|| Hasher::new(claim.expect.digest.algorithm()));
        Self { claim: claim.clone(), decoder: Decoder::new(claim.codec), hasher, length: 0, over: false, broken: None }
    }

    /// The verdict of a stored length, for [`crate::claim::Evidence::StoredLength`].
    #[must_use]
    pub fn of_length(claim: &Claim, found: u64) -> Verdict {
        let expected = claim.expect.length;
        if found == expected {
            return Verdict::Sound;
        }
        Verdict::Damaged(Damage::Length { expected, found, more: false, decoded: false })
    }

    /// Takes the next stored bytes and hands the decoded ones to `tee`, never more than the claim expects in all.
    ///
    /// `Break` means that the verdict is certain and [`Check::end`] can be called at once.
    pub fn push(&mut self, stored: &[u8], tee: &mut dyn FnMut(&[u8])) -> Flow {
        if self.over || self.broken.is_some() {
            return Flow::Break(());
        }
        let Self { claim, decoder, hasher, length, over, broken } = self;
        let pushed = decoder.push(stored, &mut |decoded| {
            let room = claim.expect.length - *length;
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(decoded.len());
            let (decoded, rest) = decoded.split_at_checked(fits).unwrap_or((decoded, &[]));
            if let Some(hasher) = hasher {
                hasher.update(decoded);
            }
            *length += decoded.len() as u64;
            if !decoded.is_empty() {
                tee(decoded);
            }
            *over = !rest.is_empty();
            if *over { Flow::Break(()) } else { Flow::Continue(()) }
        });
        match pushed {
            Ok(flow) => flow,
            Err(fault) => {
                *broken = Some(fault);
                Flow::Break(())
            }
        }
    }

    /// How many decoded bytes were checked so far; the same however the stored ones were cut.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The verdict, when nothing follows.
    #[must_use]
    pub fn end(mut self) -> Verdict {
        let expected = self.claim.expect.length;
        let decoded = self.claim.codec != crate::codec::Codec::Plain;
        if self.over {
            return Verdict::Damaged(Damage::Length { expected, found: expected, more: true, decoded });
        }
        if let Some(broken) = self.broken.or_else(|| self.decoder.end().err()) {
            return Verdict::Damaged(Damage::Encoding(broken));
        }
        if self.length != expected {
            return Verdict::Damaged(Damage::Length { expected, found: self.length, more: false, decoded });
        }
        match self.hasher.map(Hasher::finish) {
            Some(found) if found != self.claim.expect.digest => {
                Verdict::Damaged(Damage::Digest { expected: self.claim.expect.digest, found })
            }
            _ => Verdict::Sound,
        }
    }
}
