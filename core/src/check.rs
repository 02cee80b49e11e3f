//! `Check`: tests one claim, from pushed bytes to a verdict.

use std::ops::Range;

use crate::claim::{Claim, Expect};
use crate::codec::{Broken, Codec, Decoder, Flow, Sealing, Workspace};
use crate::digest::{Digest, Hasher};
use crate::facts::Pool;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding};
use crate::key::Key;
use crate::name::Name;
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
    /// It could be read, and nothing here can tell whether it is sound. The reason, as a sentence.
    Unverifiable(&'static str),
}

/// How a claim fails to hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The object is not there.
    #[error("the index names it, but it is not there")]
    Missing,
    /// The object is not there, and something else tells more.
    #[error("the index names it, but it is not there: {0}")]
    Gone(Trace),
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
    /// It is too short or too long to hold what it should.
    #[error("it has {found} bytes; {}", Self::possible(*.header, *.most))]
    Stored {
        /// Bytes there are.
        found: u64,
        /// It must have more than that: the bytes of its header, at least.
        header: u64,
        /// The most that it could have.
        most: u64,
    },
    /// The digest differs.
    #[error("its digest is {found}, the index says {expected}{}", Place::words(.place.as_ref()))]
    Digest {
        /// On record.
        expected: Digest,
        /// What the bytes give.
        found: Digest,
        /// Where the damage lies, when marks tell ([`crate::marks`]).
        place: Option<Place>,
    },
    /// It cannot be decompressed.
    #[error("{0}")]
    Encoding(Broken),
}

/// What lies where an object should be, or beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trace {
    /// It lies under this name, as somebody set it aside: who did, is the second.
    #[error("{1} set '{0}' aside, and `highwater heal` takes that back if it is good after all")]
    Aside(Name, &'static str),
    /// A file has the name of its folder.
    #[error(
        "'{0}' is a file where a folder of chunks should be: move it away, then `highwater heal` makes the folder anew"
    )]
    Blocked(Name),
}

/// Where in the decoded bytes the damage that a digest shows lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The first segment that is not what it was, half-open, in decoded bytes.
    pub bytes: Range<u64>,
    /// How many more there are.
    pub more: u64,
    /// Offsets of decoded bytes are those of stored ones.
    pub plain: bool,
}

impl Place {
    fn words(place: Option<&Self>) -> String {
        let Some(Self { bytes, more, plain }) = place else { return String::new() };
        let decoded = if *plain { "" } else { " when decompressed" };
        let others = match more {
            0 => String::new(),
            1 => ", and in 1 more part".to_owned(),
            more => format!(", and in {more} more parts"),
        };
        format!(
            "; its marks place the damage in bytes {}-{}{decoded}{others}",
            bytes.start,
            bytes.end.saturating_sub(1)
        )
    }
}

impl Damage {
    fn possible(less: u64, most: u64) -> String {
        if less.saturating_add(1) == most {
            return format!("a blob of what the index says that is not compressed has {most}");
        }
        format!("a blob of what the index says has more than {less} and at most {most}")
    }

    /// The code that reports it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Missing | Self::Gone(_) => Code::Missing,
            Self::Length { .. } | Self::Stored { .. } => Code::Length,
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
            Self::Digest { place: Some(place), .. } if place.plain => Some(place.bytes.start),
            Self::Missing | Self::Gone(_) | Self::Length { .. } | Self::Stored { .. } | Self::Digest { .. } => None,
        }
    }
}

impl Verdict {
    /// The verdict on a claim whose object could not be opened or read.
    #[must_use]
    pub fn of_fault(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Absent => Self::Damaged(Damage::Missing),
            FaultKind::Removed | FaultKind::Known | FaultKind::Unreadable => Self::Unreadable(fault),
        }
    }

    /// Whether the object is not there.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Damaged(Damage::Missing) => true,
            Self::Unreadable(fault) => fault.kind == FaultKind::Removed,
            Self::Sound | Self::Damaged(_) | Self::Unverifiable(_) => false,
        }
    }

    /// Whether it is only for want of the key that nothing can be told.
    #[must_use]
    pub fn lacks_key(&self) -> bool {
        matches!(self, Self::Unverifiable(why) if *why == SEALED)
    }

    /// The verdict on a claim whose object is not there, and may be of this pool; `is_file` knows what else is there.
    #[must_use]
    pub fn absent(claim: &Claim, pool: Option<Pool>, is_file: impl Fn(&Name) -> bool) -> Self {
        let Some(pool) = pool.filter(|pool| pool.holds(&claim.object)) else {
            return Self::Damaged(Damage::Missing);
        };
        let folder = claim.object.folder().filter(&is_file).map(Trace::Blocked);
        let aside = || Some(Trace::Aside(pool.asides(&claim.object).take(1).find(&is_file)?, pool.sets_aside));
        Self::Damaged(folder.or_else(aside).map_or(Damage::Missing, Damage::Gone))
    }

    /// The finding that says this verdict on `claim`; none when it is sound.
    #[must_use]
    pub fn finding(self, claim: &Claim) -> Option<Finding> {
        let (code, offset, message) = match self {
            Self::Sound => return None,
            Self::Damaged(damage) => (damage.code(), damage.offset(), damage.to_string()),
            Self::Unreadable(fault) => (Code::Unreadable, None, fault.message),
            Self::Unverifiable(why) => (Code::Unverifiable, None, why.to_owned()),
        };
        Some(Finding { code, object: Some(claim.object.clone()), offset, message, hurts: claim.hurts })
    }
}

/// What is said of bytes of which only the length is on record.
const UNRECORDED: &str = "no digest of it is on record, so only its length could be looked at";

/// What is said of encrypted bytes without their key.
const SEALED: &str = "it is encrypted, and only its checksum can be looked at without the key";

/// What is said of a chunk that the cache of a bucket does not hold.
pub(crate) const ELSEWHERE: &str =
    "it is empty, which in this cache says that it is in the bucket, and there nobody looked";

/// A running test of one claim's bytes.
pub struct Check {
    codec: Codec,
    expect: Expect,
    key: Option<Key>,
    decoder: Decoder,
    decodes: bool,
    /// A digest is on record, or is not asked for.
    recorded: bool,
    hasher: Option<Hasher>,
    length: u64,
    /// How many decoded bytes the last step gave.
    last: usize,
    over: bool,
    broken: Option<Broken>,
}

impl Check {
    /// Begins to check `claim` at `depth`: below [`Depth::Digest`], bytes are counted but not hashed. `key` opens what
    /// is encrypted.
    #[must_use]
    pub fn new(claim: &Claim, depth: Depth, key: Option<&Key>) -> Self {
        let hashed = claim.expect.digest.filter(|_| depth >= Depth::Digest);
        let mut check = Self::counting(claim.codec, claim.expect, key);
        check.hasher = hashed.map(|digest| Hasher::new(digest.algorithm()));
        check.recorded = hashed.is_some() || depth < Depth::Digest;
        check
    }

    /// Begins to check bytes that the host hashes, for [`Check::end_with`].
    #[must_use]
    pub fn counting(codec: Codec, expect: Expect, key: Option<&Key>) -> Self {
        let (decoder, decodes) = (Decoder::new(codec, key), !matches!(codec, Codec::Plain | Codec::Kept(_)));
        Self {
            codec,
            expect,
            key: codec.sealing().and_then(|_| key.cloned()),
            decoder,
            decodes,
            recorded: true,
            hasher: None,
            length: 0,
            last: 0,
            over: false,
            broken: None,
        }
    }

    /// Takes the next stored bytes and hands the decoded ones to `tee`, never more than the claim expects in all.
    ///
    /// `Break` means that the verdict is certain and [`Check::end`] can be called at once.
    pub fn push(&mut self, stored: &[u8], tee: &mut dyn FnMut(&[u8])) -> Flow {
        self.take(tee, |decoder, each| decoder.push(stored, each))
    }

    /// The same with some of the next stored bytes, for a `tee` that gathers the decoded ones; see [`Decoder::some`].
    pub fn some(&mut self, stored: &mut &[u8], tee: &mut dyn FnMut(&[u8])) -> Flow {
        self.take(tee, |decoder, each| decoder.some(stored, each))
    }

    fn take(
        &mut self,
        tee: &mut dyn FnMut(&[u8]),
        decode: impl FnOnce(&mut Decoder, &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken>,
    ) -> Flow {
        if self.broken.is_some() || self.over && !self.decoder.goes_on() {
            return Flow::Break(());
        }
        let Self { expect, decoder, hasher, length, last, over, broken, .. } = self;
        *last = 0;
        let pushed = decode(decoder, &mut |decoded| {
            let room = expect.length - *length;
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(decoded.len());
            let (decoded, rest) = decoded.split_at_checked(fits).unwrap_or((decoded, &[]));
            if let Some(hasher) = hasher {
                hasher.update(decoded);
            }
            *length += decoded.len() as u64;
            *last += decoded.len();
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

    /// Whether what [`Check::some`] gives to its `tee` need not be copied; see [`Decoder::holds`].
    #[must_use]
    pub fn holds(&self) -> bool {
        self.decoder.holds()
    }

    /// What the last [`Check::some`] gave to its `tee`, if it [holds](Check::holds) that.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        self.decoder.held().get(..self.last).unwrap_or_default()
    }

    /// See [`Decoder::lend`].
    pub fn lend(&mut self, workspace: Workspace) {
        self.decoder.lend(workspace);
    }

    /// See [`Decoder::reclaim`].
    pub fn reclaim(&mut self) -> Option<Workspace> {
        self.decoder.reclaim()
    }

    /// How many decoded bytes were checked so far; the same however the stored ones were cut.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether so many bytes as expected were decoded without a fault, up to where more may follow, or where nothing
    /// does.
    #[must_use]
    pub fn is_whole(mut self, followed: bool) -> bool {
        let ends =
            self.broken.is_none() && if followed { self.decoder.is_between() } else { self.decoder.end().is_ok() };
        ends && !self.over && self.length == self.expect.length
    }

    /// The verdict, when nothing follows.
    #[must_use]
    pub fn end(mut self) -> Verdict {
        let found = self.hasher.take().map(|mut hasher| {
            hasher.update(self.codec.suffix(self.key.as_ref()));
            hasher.finish()
        });
        self.judge(found)
    }

    /// The verdict, when nothing follows and the host has hashed the decoded bytes with `hasher`.
    #[must_use]
    pub fn end_with(mut self, hasher: Hasher) -> Verdict {
        self.hasher = Some(hasher);
        self.end()
    }

    /// The verdict, when nothing follows and the host has found that the digest of the decoded bytes, with the codec's
    /// [suffix](Codec::suffix), is `found`.
    #[must_use]
    pub fn end_as(self, found: Digest) -> Verdict {
        self.judge(Some(found))
    }

    fn judge(mut self, found: Option<Digest>) -> Verdict {
        let Expect { length: expected, digest } = self.expect;
        let decoded = self.decodes;
        if matches!(self.codec, Codec::Cached(_)) && self.decoder.is_untouched() {
            return Verdict::Unverifiable(ELSEWHERE);
        }
        let ended = if self.over && !self.decoder.goes_on() { Ok(()) } else { self.decoder.end() };
        let broken = self.broken.or(ended.err()).map(|broken| Verdict::Damaged(Damage::Encoding(broken)));
        let sealed = self.decoder.is_sealed().then(|| Verdict::Unverifiable(unopened(self.codec)));
        let opened = broken.or(sealed);
        // Where length and digest speak of the stored bytes, these have the first word.
        let kept = matches!(self.codec, Codec::Kept(_));
        if let (Some(verdict), false) = (&opened, kept) {
            return verdict.clone();
        }
        if self.over {
            return Verdict::Damaged(Damage::Length { expected, found: expected, more: true, decoded });
        }
        if self.length != expected {
            return Verdict::Damaged(Damage::Length { expected, found: self.length, more: false, decoded });
        }
        match (found, digest) {
            (Some(found), Some(expected)) if found != expected => {
                Verdict::Damaged(Damage::Digest { expected, found, place: None })
            }
            _ if !self.recorded => opened.unwrap_or(Verdict::Unverifiable(UNRECORDED)),
            _ => opened.unwrap_or(Verdict::Sound),
        }
    }
}

/// Why what is encrypted is not opened.
fn unopened(codec: Codec) -> &'static str {
    if codec.sealing().is_some_and(Sealing::is_tried) {
        "the key that was given does not open it: it is encrypted with another one, or damaged"
    } else {
        SEALED
    }
}
