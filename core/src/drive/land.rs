//! How what was under way ends: as the verdict on a claim.

use crate::check::Verdict;
use crate::claim::Claim;
use crate::report::Report;

use super::indices::unreadable;
use super::marked::{Advance, Marked};
use super::offload::Offloaded;
use super::operation::{Operation, Question};
use super::reader::What;
use super::stream::{Owner, Stream};
use super::{Drive, Event, Known};

impl Drive {
    /// The report, and why there is no such point, if its format knows.
    #[must_use]
    pub fn concluded(self) -> (Option<String>, Report) {
        (self.indices.survey.absent().map(ToOwned::to_owned), self.finish())
    }

    /// Ends a marked stream.
    pub(super) fn decide(&mut self, place: usize, advance: Advance) {
        let Some(Operation::Marked(marked)) = self.operations.get_mut(place).and_then(Option::take) else { return };
        let Marked { number, claim, .. } = *marked;
        if let Advance::Verdict(verdict) = advance {
            let bytes = claim.expect.length;
            self.conclude(number, claim, verdict, bytes);
            self.indices.survey.marked(bytes);
        } else if let Some(file) = self.listing.number(&claim.object) {
            self.stream(number, claim, file);
        }
    }

    /// Ends the stream at `place`.
    pub(super) fn land(&mut self, place: usize) {
        let Some(Operation::Stream(mut stream)) = self.operations.get_mut(place).and_then(Option::take) else { return };
        let end = stream.end();
        if let Owner::Segment { marked, index } = stream.owner {
            if let Some(Some(Operation::Marked(marked))) = self.operations.get_mut(marked) {
                marked.ended(index, stream.lane, end.is_ok());
            }
            return;
        }
        let Stream { owner, lane, whole, .. } = *stream;
        let Owner::Claim(number, claim) = owner else { return };
        let bytes = lane.length();
        let verdict = match (end, whole) {
            (Err(message), _) => Verdict::of_fault(unreadable(&message)),
            (Ok(()), Some(whole)) if bytes == claim.expect.length => {
                // Its bytes were read: no file is asked for.
                let question = Question::new(number, *claim, 0, What::Digest);
                return self.put(Operation::Offloaded(question, Box::new(Offloaded::new(lane.into_parts().0, whole))));
            }
            // Where the length is another, or all are not to be hashed, there is no digest to speak of.
            (Ok(()), whole) => {
                self.done = self.done.saturating_add(if whole.is_some() { bytes } else { 0 });
                lane.end()
            }
        };
        self.conclude(number, *claim, verdict, bytes);
    }

    /// Settles a claim by what was read of it; what does not hold, only once its file is known to be the same still.
    pub(super) fn conclude(&mut self, number: u32, claim: Claim, verdict: Verdict, bytes: u64) {
        match self.listing.number(&claim.object) {
            Some(file) if matches!(verdict, Verdict::Damaged(_)) => {
                self.put(Operation::Confirm(Question::new(number, claim, file, What::Unchanged), verdict, bytes));
            }
            _ => self.settle(number, &claim, verdict, bytes),
        }
    }

    pub(super) fn settle(&mut self, number: u32, claim: &Claim, verdict: Verdict, bytes: u64) {
        let known = match &verdict {
            Verdict::Sound => Known::Sound,
            Verdict::Damaged(_) => Known::Damaged,
            Verdict::Unreadable(_) | Verdict::Unverifiable(_) => Known::Unreadable,
        };
        self.events.push(Event::Settled { number, known });
        self.indices.survey.settle(claim, verdict, bytes);
    }
}
