//! `Back`: walks what must lead back from one to the one before it: transactions, and the revisions of an object.

/// A walk back, newest first, over the ones that are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Back {
    /// The one that is to come, 0 where there is none; nothing when that is not known.
    next: Option<u64>,
    /// What is lower may have been packed.
    floor: u64,
    /// The one that was met last.
    last: Option<u64>,
    /// That the one that was met last leads past another was told.
    told: bool,
}

/// What it means that one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// It is the one that was to come.
    Linked,
    /// It is not, and nothing leads to it: the one before leads past it, if there was one.
    Past {
        /// Who leads past it; none where that is what the walk began with, or was told already.
        from: Option<Option<u64>>,
    },
}

impl Back {
    /// Begins where `next` is to come first; nothing lower than `floor` must be there.
    pub(super) fn new(next: Option<u64>, floor: u64) -> Self {
        Self { next, floor, last: None, told: false }
    }

    /// The next lower one that is there: what that means, and which one is not there that should come before it.
    pub(super) fn meets(&mut self, at: u64) -> (Met, Option<u64>) {
        let missing = self.next.filter(|next| at < *next);
        match (self.next, missing) {
            (_, Some(next)) if next < self.floor => self.next = Some(0),
            (Some(next), None) if next < at => {}
            _ => self.next = None,
        }
        if self.next.is_none() {
            (self.last, self.told) = (Some(at), false);
            return (Met::Linked, missing);
        }
        let from = (at >= self.floor && !self.told).then_some(self.last);
        self.told |= from.is_some();
        (Met::Past { from }, None)
    }

    /// The one that was met and linked leads to this one; 0 for none. Whether it leads back.
    pub(super) fn leads(&mut self, at: u64, previous: u64) -> bool {
        let is_back = previous < at;
        self.next = Some(previous).filter(|_| is_back);
        is_back
    }

    /// Where the one that was met leads to is not known.
    pub(super) fn lost(&mut self) {
        self.next = None;
    }

    /// Nothing more is there: which one should be.
    pub(super) fn end(self) -> Option<u64> {
        self.next.filter(|next| *next > 0 && *next >= self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of these, each with the one that it leads to.
    fn walk(first: u64, floor: u64, all: &[(u64, u64)]) -> Vec<String> {
        let (mut back, mut said) = (Back::new(Some(first), floor), Vec::new());
        for (at, previous) in all {
            let (met, missing) = back.meets(*at);
            said.extend(missing.map(|missing| format!("no {missing}")));
            match met {
                Met::Linked if !back.leads(*at, *previous) => said.push(format!("{at} leads on")),
                Met::Linked => {}
                Met::Past { from: Some(from) } => said.push(format!("{from:?} past {at}")),
                Met::Past { from: None } => said.push(format!("{at} alone")),
            }
        }
        said.extend(back.end().map(|missing| format!("no {missing}")));
        said
    }

    #[test]
    fn what_leads_back_without_a_gap_is_said_nothing_of() {
        assert!(walk(9, 0, &[(9, 7), (7, 2), (2, 0)]).is_empty());
        assert!(walk(0, 0, &[]).is_empty());
        // What is older than the last pack may be gone.
        assert!(walk(9, 5, &[(9, 7), (7, 2)]).is_empty());
        assert!(walk(3, 5, &[]).is_empty());
    }

    #[test]
    fn gaps_and_what_is_left_out_are_told_once() {
        assert_eq!(walk(9, 0, &[(7, 2), (2, 0)]), ["no 9"]);
        assert_eq!(walk(9, 0, &[(9, 7), (2, 0)]), ["no 7"]);
        assert_eq!(walk(9, 0, &[(9, 7), (7, 2)]), ["no 2"]);
        assert_eq!(walk(9, 0, &[]), ["no 9"]);
        assert_eq!(walk(7, 0, &[(9, 7), (8, 7), (7, 0)]), ["None past 9", "8 alone"]);
        assert_eq!(walk(9, 0, &[(9, 2), (7, 2), (2, 0)]), ["Some(9) past 7"]);
        assert_eq!(walk(9, 0, &[(9, 0), (7, 2), (2, 0)]), ["Some(9) past 7", "2 alone"]);
        assert_eq!(walk(9, 0, &[(9, 9), (7, 2), (2, 0)]), ["9 leads on"]);
    }

    #[test]
    fn below_the_floor_nothing_leads_and_nothing_is_missing() {
        assert_eq!(walk(9, 5, &[(9, 4), (3, 2), (2, 0)]), ["3 alone", "2 alone"]);
        assert_eq!(walk(9, 5, &[(9, 4), (4, 0), (2, 0)]), ["2 alone"]);
        assert_eq!(walk(9, 5, &[(9, 6), (4, 0)]), ["no 6"]);
    }
}
