//! `Files`: which files the folder of a database shows: 16 bytes for each revision and each transaction, 8
//! for each object.

use std::ops::Range;

use super::names::File;
use crate::sort;

/// What is there, in order once all was taken.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Objects and transactions that wrote a revision of them.
    revisions: Vec<(u64, u64)>,
    /// Objects of which is said which revision is current.
    currents: Vec<u64>,
    /// Transactions, and how many revisions each wrote that are there.
    transactions: Vec<(u64, u32)>,
    /// A folder could not be listed: what is not here may be there.
    pub(super) is_torn: bool,
}

/// An object of which something is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) oid: u64,
    /// It is said which revision is current.
    pub(super) has_current: bool,
    /// Where its revisions are among all.
    pub(super) revisions: Range<usize>,
}

impl Files {
    pub(super) fn take(&mut self, file: File) {
        match file {
            File::Revision(oid, serial) => self.revisions.push((oid, serial)),
            File::Current(oid) => self.currents.push(oid),
            File::Transaction(id) => self.transactions.push((id, 0)),
            File::Oid | File::Serial | File::Packed => {}
        }
    }

    /// All were taken.
    pub(super) fn sort(&mut self) {
        sort::values(&mut self.revisions);
        self.revisions.dedup();
        sort::values(&mut self.currents);
        self.currents.dedup();
        sort::values(&mut self.transactions);
        self.transactions.dedup();
        for (_, serial) in &self.revisions {
            if let Ok(place) = self.transactions.binary_search_by_key(serial, |(id, _)| *id)
                && let Some((_, count)) = self.transactions.get_mut(place)
            {
                *count = count.saturating_add(1);
            }
        }
    }

    pub(super) fn has(&self, file: File) -> bool {
        match file {
            File::Revision(oid, serial) => self.revisions.binary_search(&(oid, serial)).is_ok(),
            File::Current(oid) => self.currents.binary_search(&oid).is_ok(),
            File::Transaction(id) => self.transactions.binary_search_by_key(&id, |(id, _)| *id).is_ok(),
            File::Oid | File::Serial | File::Packed => false,
        }
    }

    /// The highest transaction that is lower than another, or of all; and how many revisions it wrote that are there.
    pub(super) fn transaction_below(&self, other: Option<u64>) -> Option<(u64, u32)> {
        let end =
            other.map_or(self.transactions.len(), |other| self.transactions.partition_point(|(id, _)| *id < other));
        self.transactions.get(end.checked_sub(1)?).copied()
    }

    /// The object at a place among the revisions and one among the currents, and the places behind it.
    pub(super) fn object(&self, (revision, current): (usize, usize)) -> Option<(Object, (usize, usize))> {
        let of_revision = self.revisions.get(revision).map(|(oid, _)| *oid);
        let of_current = self.currents.get(current).copied();
        let oid = match (of_revision, of_current) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other)?,
        };
        let rest = self.revisions.get(revision..).unwrap_or_default();
        let revisions = revision..revision + rest.partition_point(|(other, _)| *other == oid);
        let has_current = of_current == Some(oid);
        let behind = (revisions.end, current + usize::from(has_current));
        Some((Object { oid, has_current, revisions }, behind))
    }

    /// The transaction that wrote the revision at a place.
    pub(super) fn serial(&self, place: usize) -> Option<u64> {
        self.revisions.get(place).map(|(_, serial)| *serial)
    }

    /// The highest object of which something is there.
    pub(super) fn highest(&self) -> Option<u64> {
        self.revisions.last().map(|(oid, _)| *oid).max(self.currents.last().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_in_order_with_all_that_is_theirs() {
        let mut files = Files::default();
        let all = [
            File::Revision(2, 9),
            File::Current(5),
            File::Revision(2, 4),
            File::Transaction(9),
            File::Revision(3, 9),
            File::Current(2),
            File::Transaction(4),
        ];
        all.into_iter().chain(all).for_each(|file| files.take(file));
        files.sort();
        let (mut at, mut objects) = ((0, 0), Vec::new());
        while let Some((object, behind)) = files.object(at) {
            objects.push((object.oid, object.has_current, object.revisions));
            at = behind;
        }
        assert_eq!(objects, [(2, true, 0..2), (3, false, 2..3), (5, true, 3..3)]);
        assert_eq!(files.transaction_below(None), Some((9, 2)));
        assert_eq!((files.transaction_below(Some(9)), files.transaction_below(Some(4))), (Some((4, 1)), None));
        assert!(files.has(File::Revision(2, 4)) && !files.has(File::Revision(2, 5)) && !files.has(File::Current(3)));
        assert_eq!((files.highest(), files.serial(1), Files::default().highest()), (Some(5), Some(9), None));
    }
}
