//! `Prune`: what becomes of a mirror when its past is forgotten up to some moment, row by row, out of the index alone.
//!
//! A point stays if it is not older than that moment; the newest stays, and so does the one that the tree shows. Of the
//! versions of a key:
//!
//! | a version | what becomes of it |
//! |---|---|
//! | is the latest in a point that stays | it stays |
//! | ceased to be the latest at that moment or later | it stays |
//! | any other | its file goes, or nobody wants it any more; and its row goes too, unless the newest point lists it |
//! | is wanted, and no point that stays lists it | it is to be had nowhere: so it goes as well |
//! | is a mark, and is not listed by the newest point | it goes, unless a version stays that is older than it |
//!
//! When a version ceased to be the latest: when the first row of its key was written that is later than it, and than
//! the last point which shows it as the latest; but not later than the point after that. If there is no such row, and
//! no later point has the version, it vanished: that was at the last point that has it. One that no point shows as the
//! latest was none when the first point listed it.
//!
//! What goes and is listed by the newest point keeps a row that says so: no sync fetches it again, as long as it does
//! not become the latest again. So does what lies in a folder for which a file lies aside: that file is not moved, and
//! the next sync sees to both. A version that stays, although no point that has it does, is taken for one of the next
//! point.

use super::super::index::{Point, Row, Seen, Tail};
use super::super::names;
use super::group::{Group, Version};
use super::{Item, Out};
use crate::stamp;

/// The forgetting of what is old.
#[derive(Debug)]
pub struct Prune<'a> {
    tail: &'a Tail,
    /// When each point was, in seconds since 1970.
    times: Vec<i64>,
    /// The numbers of those that stay, in order.
    stays: Vec<u32>,
    shown: u32,
    /// What is older goes: seconds since 1970.
    until: i64,
    group: Group,
    is_begun: bool,
    /// When the rows of the key were written, in order.
    written: Vec<(i64, u32)>,
    pruned: Pruned,
}

/// How much goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Files that go.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that were wanted, and are not any more.
    pub wanted: u64,
    /// Rows that the next index does not have.
    pub forgotten: u64,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    /// Without bytes.
    Pruned,
    Forgotten,
}

impl<'a> Prune<'a> {
    /// Begins: of the index with this tail, of which the tree shows the point `shown`, goes what is older than `until`,
    /// in seconds since 1970.
    #[must_use]
    pub fn new(tail: &'a Tail, shown: u32, until: i64) -> Self {
        let time = |point: &Point| stamp::point(&point.name).ok().and_then(|point| stamp::begins(&point));
        let times: Vec<i64> = tail.points.iter().map(|point| time(point).unwrap_or(i64::MAX)).collect();
        let newest = tail.newest();
        let is_kept = |(number, time): &(u32, &i64)| **time >= until || *number == newest || *number == shown;
        let stays = (0..).zip(&times).filter(is_kept).map(|(number, _)| number).collect();
        Self {
            tail,
            times,
            stays,
            shown,
            until,
            group: Group::default(),
            is_begun: false,
            written: Vec::new(),
            pruned: Pruned::default(),
        }
    }

    /// The points that stay, the oldest first, and whether the tree shows them.
    pub fn stays(&self) -> impl Iterator<Item = (&'a Point, bool)> {
        let tail = self.tail;
        let point = |number: &u32| Some((tail.points.get(*number as usize)?, *number == self.shown));
        self.stays.iter().filter_map(point)
    }

    /// Takes the next row of the index.
    pub fn take(&mut self, row: &Row<'_>, each: &mut dyn FnMut(Out<'_>)) {
        if !self.is_begun || self.group.key != row.key {
            self.close(each);
            self.group.begin(row.key);
            self.is_begun = true;
        }
        self.group.know(row, self.shown);
    }

    /// Says that nothing follows.
    pub fn end(mut self, each: &mut dyn FnMut(Out<'_>)) -> Pruned {
        self.close(each);
        self.pruned
    }

    /// Ends the key that was begun.
    fn close(&mut self, each: &mut dyn FnMut(Out<'_>)) {
        if !std::mem::take(&mut self.is_begun) {
            return;
        }
        let mut group = std::mem::take(&mut self.group);
        self.written.clear();
        self.written.extend(group.versions.iter().map(|version| version.modified));
        self.written.sort_unstable();
        let mut fates: Vec<Fate> = group.versions.iter().map(|version| self.fate(&group, version)).collect();
        // The oldest version that stays: marks that are later say when it ceased to be the latest.
        let oldest =
            group.versions.iter().zip(&fates).filter(|(version, fate)| !version.marker && **fate == Fate::Stays);
        let oldest = oldest.map(|(version, _)| version.modified).min();
        for (version, fate) in group.versions.iter().zip(&mut fates).filter(|(version, _)| version.marker) {
            let is_needed = oldest.is_some_and(|oldest| oldest <= version.modified);
            *fate = if is_needed || self.is_listed(version) { Fate::Stays } else { Fate::Forgotten };
        }
        for (at, fate) in fates.into_iter().enumerate() {
            self.tell(&mut group, at, fate, each);
        }
        self.group = group;
    }

    /// What becomes of a version; that of a mark follows from the others.
    fn fate(&self, group: &Group, version: &Version) -> Fate {
        let shows = |span: &Seen| self.place(*span).is_some();
        let is_shown = group.spans_of(version).iter().any(shows);
        let is_nowhere = version.wanted && self.place(version.seen).is_none();
        let is_gone = version.pruned || !is_shown && (is_nowhere || self.ceased(group, version) < (self.until, 0));
        match is_gone {
            _ if version.marker => Fate::Stays,
            false => Fate::Stays,
            true if self.is_listed(version) => Fate::Pruned,
            true if self.holds_aside(&group.key) => Fate::Pruned,
            true => Fate::Forgotten,
        }
    }

    /// When a version ceased to be the latest.
    fn ceased(&self, group: &Group, version: &Version) -> (i64, u32) {
        let time = |point: u32| self.times.get(point as usize).map(|time| (*time, 0));
        let last = group.spans_of(version).last().map(|span| span.last);
        let since = version.modified.max(last.and_then(time).unwrap_or(version.modified));
        let next = self.written.get(self.written.partition_point(|written| *written <= since)).copied();
        // From this point on it was not.
        let point = last.map_or(version.seen.first, |last| last.saturating_add(1));
        let latest = time(point).unwrap_or((i64::MAX, 0));
        match next {
            Some(next) => next.min(latest),
            None if version.seen.last < point => time(version.seen.last).unwrap_or(latest),
            None => latest,
        }
    }

    fn is_listed(&self, version: &Version) -> bool {
        version.seen.last == self.tail.newest()
    }

    /// Whether a key lies in the folder of a file that lies aside.
    fn holds_aside(&self, key: &[u8]) -> bool {
        let slashes = key.iter().zip(0..).filter(|(byte, _)| **byte == b'/').map(|(_, at)| at);
        slashes.filter_map(|at| key.get(..at)).any(|folder| self.tail.is_aside(folder))
    }

    /// The same points among those that stay; none where none of them does.
    fn place(&self, span: Seen) -> Option<Seen> {
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let first = number(self.stays.partition_point(|point| *point < span.first));
        let end = number(self.stays.partition_point(|point| *point <= span.last));
        (first < end).then(|| Seen { first, last: end.saturating_sub(1) })
    }

    /// Gives what becomes of the version of this number.
    fn tell(&mut self, group: &mut Group, at: usize, fate: Fate, each: &mut dyn FnMut(Out<'_>)) {
        let Some(version) = group.versions.get(at) else { return };
        if fate != Fate::Stays && !version.marker {
            if version.had {
                self.pruned.versions = self.pruned.versions.saturating_add(1);
                self.pruned.bytes = self.pruned.bytes.saturating_add(version.size);
                let etag = super::text(&group.etag_of(version));
                if let Some(at) = names::old(&group.key, group.version_of(version), &etag) {
                    each(Out::Item(Item::Remove { at, size: version.size }));
                }
            }
            self.pruned.wanted = self.pruned.wanted.saturating_add(u64::from(version.wanted));
        }
        if fate == Fate::Forgotten {
            self.pruned.forgotten = self.pruned.forgotten.saturating_add(1);
            return;
        }
        let seen = self.place(version.seen).unwrap_or_else(|| {
            let next = self.stays.partition_point(|point| *point <= version.seen.last);
            let next = u32::try_from(next.min(self.stays.len().saturating_sub(1))).unwrap_or(u32::MAX);
            Seen { first: next, last: next }
        });
        let spans: Vec<Seen> = group.spans_of(version).iter().filter_map(|span| self.place(*span)).collect();
        group.renew(at, fate == Fate::Pruned, seen, &spans);
        if let Some(version) = group.versions.get(at) {
            each(Out::Row(group.row(version)));
        }
    }
}
