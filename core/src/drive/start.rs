//! How a claim gets its place among what is under way.

use crate::check::{Check, Verdict};
use crate::claim::{Claim, Evidence};
use crate::codec::Codec;
use crate::fault::FaultKind;
use crate::lane::{INFLATING, Lane};
use crate::name::Name;

use super::marked::Marked;
use super::offload::{Offloaded, Whole};
use super::operation::{Operation, Question};
use super::reader::{Reader, What};
use super::stream::{ENOUGH, Owner, Stream};
use super::trailing::Trailing;
use super::{Drive, OPERATIONS};

/// Trails at a time: each may hold an index of its own.
const TRAILS: usize = 2;

impl Drive {
    /// Gives places to what waits for one.
    pub(super) fn start(&mut self) -> bool {
        let mut moved = false;
        let (mut running, mut inflating, mut trails) = (0, 0, 0);
        for operation in self.operations.iter().flatten() {
            running += 1;
            match operation {
                Operation::Stream(stream) => inflating += usize::from(stream.inflates()),
                Operation::Offloaded(..) => inflating += 1,
                Operation::Trail(_) => trails += 1,
                Operation::Marked(_) | Operation::Length(_) | Operation::Fit(..) | Operation::Confirm(..) => {}
            }
        }
        // Segments first: their claim was begun before those that wait.
        for place in 0..self.operations.len() {
            while let Some(Some(Operation::Marked(marked))) = self.operations.get_mut(place)
                && running < OPERATIONS
                && (marked.claim.codec == Codec::Plain || inflating < INFLATING)
                && let Some(stream) = marked.spawn(place)
            {
                running += 1;
                inflating += usize::from(stream.inflates());
                self.put(Operation::Stream(Box::new(stream)));
                moved = true;
            }
        }
        while running < OPERATIONS
            && self.claims.front().is_some_and(|(_, next)| next.codec == Codec::Plain || inflating < INFLATING)
            && let Some((number, claim)) = self.claims.pop_front()
        {
            inflating += usize::from(claim.codec != Codec::Plain);
            running += usize::from(self.begin(number, claim));
            moved = true;
        }
        while trails < TRAILS
            && let Some(trail) = self.trails.pop_front()
        {
            trails += 1;
            self.put(Operation::Trail(Box::new(Trailing::new(trail, self.indices.survey.key().cloned()))));
            moved = true;
        }
        moved
    }

    /// Begins to check a claim. False when that needed no read.
    fn begin(&mut self, number: u32, claim: Claim) -> bool {
        let Some(file) = self.listing.number(&claim.object) else {
            let fault = self.listing.fault(&claim.object);
            let is_file = |name: &Name| self.listing.number(name).is_some();
            let verdict = match fault.kind {
                FaultKind::Absent => Verdict::absent(&claim, self.indices.survey.pool(), is_file),
                _ => Verdict::of_fault(fault),
            };
            self.settle(number, &claim, verdict, 0);
            return false;
        };
        match claim.evidence(self.depth) {
            Evidence::Presence => {
                self.settle(number, &claim, Verdict::Sound, 0);
                return false;
            }
            Evidence::StoredLength => {
                self.put(Operation::Length(Question::new(number, claim, file, What::Length)));
            }
            Evidence::Bytes => {
                let marks = claim.marks.as_ref().filter(|_| self.hashes()).and_then(|name| self.listing.number(name));
                match marks {
                    Some(marks) => self.put(Operation::Marked(Box::new(Marked::new(number, claim, file, marks)))),
                    None => self.stream(number, claim, file),
                }
            }
        }
        true
    }

    /// Begins to check a claim in one stream.
    pub(super) fn stream(&mut self, number: u32, claim: Claim, file: u32) {
        let (codec, key) = (claim.codec, self.indices.survey.key());
        let whole = (self.apart && self.hashes() && Offloaded::suits(&claim)).then(|| Whole::of(&claim, key));
        let lane = match &whole {
            Some(_) => Lane::new(Check::counting(codec, claim.expect, key), None, ENOUGH),
            None => Lane::of(&claim, self.depth, key, ENOUGH),
        };
        let reader = Reader::new(file, claim.read());
        let mut stream = Stream::new(Owner::Claim(number, Box::new(claim)), reader, codec, lane);
        stream.whole = whole;
        self.put(Operation::Stream(Box::new(stream)));
    }
}
