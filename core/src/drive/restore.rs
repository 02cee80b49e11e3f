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
use crate::fault::FaultKind;
use crate::inspect::Format;
use crate::key::Key;
use crate::layout::File;
use crate::plan::{NOTHING, TREE, reach};
use crate::point::Point;
use crate::report::Depth;
use crate::survey::Work;

use super::indices::{Indices, Step};
use super::listing::Listing;
use super::reader::{Ids, Next, Reader};
use super::tree::{Tree, indices, judged};
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
    /// One file of a tree is restored: what the index names until all of it was read, then the file.
    tree: Option<Tree>,
    file: Option<File>,
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
    /// Where the next decoded byte belongs.
    at: u64,
}

impl Restore {
    /// Begins to restore the newest point at or before `point`, as [`Format::point`] read it: one file of it, where the
    /// point has the path of one.
    #[must_use]
    pub fn new(format: &'static dyn Format, point: Point, key: Option<Key>, listing: Listing) -> Self {
        let tree = point.within().map(|_| Tree::default());
        Self {
            listing,
            shape: format.facts().shape,
            indices: indices(format, &point, tree.is_some(), key),
            point,
            claims: VecDeque::new(),
            tree,
            file: None,
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

    /// The name of the point that is restored, once its indices were read.
    #[must_use]
    pub fn restored(&self) -> Option<&str> {
        self.indices.survey.sets().last().filter(|_| self.planned).map(|set| &*set.name)
    }

    /// The next decoded bytes; none when more must be read first, or when it is done.
    ///
    /// # Errors
    /// One sentence that says why the point cannot be restored.
    pub fn step(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.shape {
            Shape::Nothing => return Err(NOTHING.to_owned()),
            Shape::Tree if self.point.within().is_none() => return Err(TREE.to_owned()),
            Shape::Tree | Shape::Append | Shape::Image => {}
        }
        while !self.planned {
            match self.indices.step(&self.listing) {
                Step::Waiting => return Ok(None),
                Step::Work(work) => match &mut self.tree {
                    Some(tree) => work.into_iter().for_each(|work| tree.take(work)),
                    None => self.claims.extend(work.into_iter().filter_map(|work| match work {
                        Work::Claim(claim) => Some(claim),
                        Work::Trail(_) | Work::Node(_) | Work::Called(..) => None,
                    })),
                },
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
                    let fault = self.listing.fault(&claim.object);
                    return Err(match fault.kind {
                        FaultKind::Absent => format!("'{}' is missing", claim.object),
                        _ => format!("'{}': {fault}", claim.object),
                    });
                };
                self.chunk = Some(Chunk::new(claim, file, self.indices.survey.key()));
                continue;
            };
            let before = out.len();
            let went = chunk.step(&mut out)?;
            if let Some(file) = &self.file {
                // A chunk may be on bytes of others too.
                let decoded = out.split_off(before);
                out.extend_from_slice(file.part_of(chunk.at, &decoded).map_or(&[], |(_, part)| part));
                chunk.at = chunk.at.saturating_add(decoded.len() as u64);
            }
            match went {
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
    fn plan(&mut self) -> Result<u64, String> {
        let survey = &self.indices.survey;
        judged(survey, &self.point)?;
        if let Some(tree) = self.tree.take() {
            let (file, claims) = tree.file(self.point.within().unwrap_or_default(), &self.point)?;
            self.claims = claims.into();
            return Ok(self.file.insert(file).length());
        }
        let reached = reach(&self.claims)
            .map_err(|(claim, _)| format!("'{}' does not begin where the chunk before it ends", claim.object))?;
        if survey.sets().last().is_some_and(|set| set.bytes != Some(reached)) {
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
        let at = claim.target().start;
        Self { claim, reader, check, stored: Vec::new(), taken: 0, at }
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
