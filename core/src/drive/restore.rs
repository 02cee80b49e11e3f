//! `Restore`: one point in time as a stream of bytes, every chunk of which is checked before the end is said to be
//! reached.
//!
//! The bytes of a chunk are given out while it is still being checked, so what was written is worth something only once
//! [`Restore::is_done`]; a host writes to a place that it can throw away until then.

use std::collections::VecDeque;

use crate::check::{Check, Verdict};
use crate::claim::Claim;
use crate::codec::Codec;
use crate::facts::Shape;
use crate::inspect::{Format, Of, Scope};
use crate::key::Key;
use crate::plan::{NOTHING, Obstacle, TREE, is_exactly, obstacle, reach};
use crate::point::Point;
use crate::report::Depth;
use crate::survey::{Options, Survey, Work};

use super::indices::{Indices, Step};
use super::listing::Listing;
use super::reader::{Ids, Next, Reader};
use super::{Answer, Want};

/// Decoded bytes after which the host gets them.
const ENOUGH: usize = 4 * 1024 * 1024;

/// Compressed bytes that are inflated at a time.
const INFLATED: usize = 1024;

/// A point on its way out.
pub struct Restore {
    listing: Listing,
    shape: Shape,
    /// The point that was asked for.
    point: Point,
    indices: Indices,
    /// The chunks that were not begun.
    claims: VecDeque<Claim>,
    /// All indices were read and found good.
    planned: bool,
    end: u64,
    chunk: Option<Chunk>,
    ids: Ids,
    done: bool,
}

/// A chunk that is being read.
struct Chunk {
    claim: Claim,
    reader: Reader,
    check: Check,
    /// Stored bytes that wait to be decoded, from `taken` on.
    stored: Vec<u8>,
    taken: usize,
}

impl Restore {
    /// Begins to restore the newest point at or before `point`, as [`Format::point`] read it.
    #[must_use]
    pub fn new(format: &'static dyn Format, point: Point, key: Option<Key>, listing: Listing) -> Self {
        let options = Options::whole(format, "", Depth::Digest);
        let scope = Scope::new(Of::Point(Some(point.clone()))).keyed(key);
        let survey = Survey::new(format.inspect(&scope), options);
        Self {
            listing,
            shape: format.facts().shape,
            point,
            indices: Indices::new(survey),
            claims: VecDeque::new(),
            planned: false,
            end: 0,
            chunk: None,
            ids: Ids::default(),
            done: false,
        }
    }

    /// Everything was given out, and is what was backed up.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// How long what is restored is, in bytes, once that is known.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.planned.then_some(self.end)
    }

    /// The next decoded bytes; none when more must be read first, or when it is done.
    ///
    /// # Errors
    /// One sentence that says why the point cannot be restored.
    pub fn step(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.shape {
            Shape::Nothing => return Err(NOTHING.to_owned()),
            Shape::Tree => return Err(TREE.to_owned()),
            Shape::Append | Shape::Image => {}
        }
        while !self.planned {
            match self.indices.step(&self.listing) {
                Step::Waiting => return Ok(None),
                Step::Work(work) => {
                    self.claims.extend(work.into_iter().filter_map(|work| match work {
                        Work::Claim(claim) => Some(claim),
                        Work::Trail(_) | Work::Node(_) | Work::Called(..) => None,
                    }));
                }
                Step::Done => {
                    self.end = self.plan()?;
                    self.planned = true;
                }
            }
        }
        let mut out = Vec::new();
        loop {
            let Some(chunk) = &mut self.chunk else {
                let Some(claim) = self.claims.pop_front() else {
                    self.done = true;
                    break;
                };
                let Some(file) = self.listing.number(&claim.object) else {
                    return Err(format!("'{}' is missing", claim.object));
                };
                self.chunk = Some(Chunk::new(claim, file, self.indices.survey.key()));
                continue;
            };
            match chunk.step(&mut out)? {
                Went::Waiting => break,
                Went::On if out.len() >= ENOUGH => break,
                Went::On => {}
                Went::Through => self.chunk = None,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// What to read now.
    pub fn wants(&mut self) -> Vec<Want> {
        let Self { indices, chunk, ids, .. } = self;
        let readers = indices.reader().into_iter().chain(chunk.as_mut().map(|chunk| &mut chunk.reader));
        readers.filter_map(|reader| reader.want(ids)).collect()
    }

    /// Takes the answer to want `id`.
    pub fn answer(&mut self, id: u32, answer: Answer) {
        let mut answer = Some(answer);
        for reader in self.indices.reader().into_iter().chain(self.chunk.as_mut().map(|chunk| &mut chunk.reader)) {
            answer = answer.and_then(|answer| reader.answer(id, answer));
        }
    }

    /// Makes sure that the chunks are those of a point that can be restored, and says how long it is.
    fn plan(&self) -> Result<u64, String> {
        let survey = &self.indices.survey;
        let exact = survey.sets().last().is_some_and(|set| is_exactly(self.point.as_str(), &set.name));
        match obstacle(survey, !exact) {
            None => {}
            Some(Obstacle::Finding(finding)) => {
                let object = finding.object.as_ref().map(|name| format!("'{name}': ")).unwrap_or_default();
                return Err(format!("{object}{}. {}", finding.message, survey.advice(finding.code)));
            }
            Some(Obstacle::Unnamed) => return Err("its index is damaged".to_owned()),
            Some(Obstacle::Absent(what)) => return Err(what.to_owned()),
            Some(Obstacle::NoSet) => return Err("there is no point in time at or before this one".to_owned()),
        }
        let reached = reach(&self.claims)
            .map_err(|(claim, _)| format!("'{}' does not begin where the chunk before it ends", claim.object))?;
        if survey.sets().last().is_some_and(|set| set.bytes != reached) {
            return Err("the chunks do not add up to the point".to_owned());
        }
        Ok(reached)
    }
}

/// What a step of a chunk came to.
enum Went {
    /// Something must be read first.
    Waiting,
    /// There is more.
    On,
    /// It is sound, and over.
    Through,
}

impl Chunk {
    fn new(claim: Claim, file: u32, key: Option<&Key>) -> Self {
        let (check, reader) = (Check::new(&claim, Depth::Digest, key), Reader::new(file, claim.read()));
        Self { claim, reader, check, stored: Vec::new(), taken: 0 }
    }

    fn step(&mut self, out: &mut Vec<u8>) -> Result<Went, String> {
        if self.taken < self.stored.len() {
            let plain = self.claim.codec == Codec::Plain;
            let to = if plain { self.stored.len() } else { self.stored.len().min(self.taken + INFLATED) };
            let step = self.stored.get(self.taken..to).unwrap_or_default();
            let flow = self.check.push(step, &mut |decoded| out.extend_from_slice(decoded));
            self.taken = to;
            return if flow.is_break() { self.judged() } else { Ok(Went::On) };
        }
        match self.reader.next() {
            Next::Waiting => Ok(Went::Waiting),
            Next::Bytes(bytes) => {
                (self.stored, self.taken) = (bytes, 0);
                Ok(Went::On)
            }
            Next::End => self.judged(),
            Next::Failed(message) => Err(format!("'{}' cannot be read: {message}", self.claim.object)),
        }
    }

    /// The end of the chunk: an error unless it is sound.
    fn judged(&mut self) -> Result<Went, String> {
        let check = std::mem::replace(&mut self.check, Check::counting(Codec::Plain, self.claim.expect, None));
        match check.end() {
            Verdict::Sound => Ok(Went::Through),
            Verdict::Damaged(damage) => Err(format!("'{}': {damage}", self.claim.object)),
            Verdict::Unreadable(fault) => Err(format!("'{}': {}", self.claim.object, fault.message)),
            Verdict::Unverifiable(why) => Err(format!("'{}': {why}", self.claim.object)),
        }
    }
}
