//! `Fit`: whether an object is as long as it must be, by its length and as few of its bytes as tell.
//!
//! A plain object has one possible length. A blob says in its first bytes which kind it is: one that is not compressed
//! has one possible length too. The frames of a compressed one say of each of their blocks how long it is (RFC 8878),
//! so a walk from header to header ends where the blob must end: a blob that was cut, or has grown, is found by a few
//! small reads. What is encrypted is walked with its key; without it, it is no longer than it can be, and no more is
//! known.

use std::ops::Range;

use crate::check::{Damage, ELSEWHERE, Verdict};
use crate::claim::{Claim, Expect};
use crate::codec::blob::Shape;
use crate::codec::{Broken, Codec, Frames, Sealing};
use crate::key::Key;

/// So many bytes are asked for at once: the header of a blob and of a frame, or of a few short blocks.
const WINDOW: u64 = 128;

/// So often is asked at most: a writer's blocks are as long as they may be, but for the last.
const ASKED: u32 = 1024;

/// What does not compress grows by a part in so many at most, and by so many bytes for a few frames.
const LONGER: u64 = 128;
const FRAMES: u64 = 64;

/// A test of the length of one object.
pub struct Fit {
    sealing: Option<Sealing>,
    expect: Expect,
    found: u64,
    /// Where in the object the bytes of the claim begin.
    start: u64,
    key: Option<Key>,
    /// The bytes that are asked for, and those of them that have come.
    asked: Range<u64>,
    window: Vec<u8>,
    shape: Option<Shape>,
    frames: Frames,
    times: u32,
    verdict: Option<Verdict>,
}

impl Fit {
    /// Begins to look at the object of a claim, which has `found` bytes; `key` opens what is encrypted.
    #[must_use]
    pub fn new(claim: &Claim, found: u64, key: Option<&Key>) -> Self {
        let Claim { codec, expect, .. } = *claim;
        let stored = claim.stored();
        let found = found.min(stored.end).saturating_sub(stored.start);
        let mut fit = Self {
            start: stored.start,
            key: codec.sealing().and_then(|_| key.cloned()),
            sealing: codec.sealing(),
            expect,
            found,
            asked: 0..0,
            window: Vec::new(),
            shape: None,
            frames: Frames::new(),
            times: 0,
            verdict: None,
        };
        match codec {
            Codec::Cached(_) if found == 0 => fit.verdict = Some(Verdict::Unverifiable(ELSEWHERE)),
            Codec::Blob(sealing) | Codec::Cached(sealing) => {
                fit.bound(sealing.header());
                fit.want(0);
            }
            // Whoever asks for a length of gzip's knows why.
            Codec::Plain | Codec::Gzip | Codec::Kept(_) => {
                let expected = expect.length;
                let damage = Damage::Length { expected, found, more: false, decoded: false };
                fit.verdict = Some(if found == expected { Verdict::Sound } else { Verdict::Damaged(damage) });
            }
        }
        fit
    }

    /// The bytes of the object that are wanted next; none when the verdict is certain.
    #[must_use]
    pub fn ask(&self) -> Option<Range<u64>> {
        let from = self.asked.start.saturating_add(self.window.len() as u64);
        let place = |at: u64| self.start.saturating_add(at);
        self.verdict.is_none().then(|| place(from)..place(self.asked.end))
    }

    /// Takes the first of the bytes that were asked for, at least one.
    pub fn answer(&mut self, bytes: &[u8]) {
        self.window.extend_from_slice(bytes);
        if self.verdict.is_none() && self.window.len() as u64 >= self.asked.end - self.asked.start {
            let window = std::mem::take(&mut self.window);
            if let Err(damage) = self.turn(window) {
                self.verdict = Some(Verdict::Damaged(damage));
            }
        }
    }

    /// The verdict, when nothing is wanted.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        self.verdict.unwrap_or(Verdict::Sound)
    }

    /// A blob has more than its header, unless it holds nothing. Writers compress only where that makes it shorter;
    /// what was compressed all the same is hardly longer than the bytes themselves.
    fn bound(&mut self, header: u64) {
        let (found, length) = (self.found, self.expect.length);
        let most = length.saturating_add(length / LONGER).saturating_add(FRAMES).saturating_add(header);
        if found < header || (found == header && self.expect.length > 0) || found > most {
            self.verdict = Some(Verdict::Damaged(Damage::Stored { found, header, most }));
        }
    }

    /// Asks for bytes from an offset on, which is in the object.
    fn want(&mut self, at: u64) {
        self.asked = at..at.saturating_add(WINDOW).min(self.found);
        self.times = self.times.saturating_add(1);
    }

    fn turn(&mut self, mut window: Vec<u8>) -> Result<(), Damage> {
        let at = self.asked.start;
        let header = match &mut self.shape {
            Some(shape) => {
                shape.open(at, &mut window);
                shape.header
            }
            None => {
                // Whatever else is stored has its verdict already.
                let Some(sealing) = self.sealing else { return Ok(()) };
                let shape = Shape::of(&window, sealing, self.key.as_ref()).map_err(Damage::Encoding)?;
                let header = shape.header;
                self.bound(header);
                if self.verdict.is_some() {
                    return Ok(());
                }
                let (found, most) = (self.found, self.expect.length.saturating_add(header));
                if !shape.zstd {
                    let damage = Damage::Stored { found, header: most - 1, most };
                    self.verdict = Some(if found == most { Verdict::Sound } else { Verdict::Damaged(damage) });
                    return Ok(());
                }
                if shape.is_shut() {
                    self.verdict = Some(Verdict::Sound);
                    return Ok(());
                }
                window = window.split_off(usize::try_from(header).unwrap_or(usize::MAX).min(window.len()));
                self.shape.insert(shape).open(header, &mut window);
                header
            }
        };
        let (end, before) = (self.found.saturating_sub(header), self.frames.at());
        let broken = |at: u64, what| Damage::Encoding(Broken { at: at.saturating_add(header), what });
        self.frames.take(&window).map_err(|what| broken(self.frames.at(), what))?;
        let now = self.frames.at();
        if now > end || (now == before && now < end) || (now == end && !self.frames.is_between()) {
            return Err(broken(end, "the zstd data end in the middle of a frame"));
        }
        if now < end {
            if self.times >= ASKED {
                self.verdict = Some(Verdict::Sound);
            } else {
                self.want(now.saturating_add(header));
            }
            return Ok(());
        }
        let expected = self.expect.length;
        match self.frames.declared() {
            Some(found) if found != expected => Err(Damage::Length { expected, found, more: false, decoded: true }),
            _ => {
                self.verdict = Some(Verdict::Sound);
                Ok(())
            }
        }
    }
}
