//! `Merge`: goes through inventory and index side by side.

use super::super::index::{Row, Tail};
use super::super::names;
use super::group::Group;
use super::{Fetch, Item, Tally, Why};
use crate::inventory;
use crate::name::{Name, printable};

/// The merge of an inventory into an index.
#[derive(Debug)]
pub struct Merge<'a> {
    tail: &'a Tail,
    /// The point that the tree shows, and the one that is planned.
    applied: u32,
    point: u32,
    group: Group,
    /// Something was said of the group's key.
    is_begun: bool,
    /// Keys whose files wait for what may follow, each of which begins with the one before it.
    open: Vec<Held>,
    /// Groups whose memory can be used again.
    spare: Vec<Group>,
    tally: Tally,
    /// Rows of the next index that are wanted.
    wanted: u64,
}

/// What a merge gives.
#[derive(Debug)]
pub enum Out<'a> {
    /// A row of the next index.
    Row(Row<'a>),
    /// Something to be done.
    Item(Item<'a>),
}

/// A key whose files wait.
#[derive(Debug)]
struct Held {
    group: Group,
    /// There are keys in the folder of its name.
    is_folder: bool,
    /// The tree has a file of this name.
    is_file: bool,
    /// Its folders cannot be made, as the tree has a file in the place of one.
    is_barred: bool,
}

impl<'a> Merge<'a> {
    /// Begins: the index with this tail, of which the tree shows the point `applied`, gets one more point.
    #[must_use]
    pub fn new(tail: &'a Tail, applied: u32) -> Self {
        Self {
            tail,
            applied,
            point: tail.newest().saturating_add(1),
            group: Group::default(),
            is_begun: false,
            open: Vec::new(),
            spare: Vec::new(),
            tally: Tally::default(),
            wanted: 0,
        }
    }

    /// Begins with a mirror that has no index yet; `tail` is an empty one.
    #[must_use]
    pub fn first(tail: &'a Tail) -> Self {
        Self { point: 0, ..Self::new(tail, u32::MAX) }
    }

    /// The number of the point that is planned.
    #[must_use]
    pub fn point(&self) -> u32 {
        self.point
    }

    /// Takes the next row of the index. Of one key, those of the index come first.
    ///
    /// # Errors
    /// It comes behind a key that is over; a sentence.
    pub fn know(&mut self, row: &Row<'_>, each: &mut dyn FnMut(Out<'_>)) -> Result<(), String> {
        self.turn(row.key, each)?;
        self.group.know(row, self.applied);
        Ok(())
    }

    /// Takes the next row of the inventory.
    ///
    /// # Errors
    /// As [`Merge::know`].
    pub fn list(&mut self, row: &inventory::Row<'_>, each: &mut dyn FnMut(Out<'_>)) -> Result<(), String> {
        self.turn(row.key, each)?;
        self.tally.listed = self.tally.listed.saturating_add(1);
        if !self.group.list(row, self.point) {
            self.tally.twice = self.tally.twice.saturating_add(1);
        }
        Ok(())
    }

    /// Says that nothing follows: gives what was held.
    pub fn end(mut self, each: &mut dyn FnMut(Out<'_>)) -> Tally {
        self.close(each);
        while let Some(held) = self.open.pop() {
            self.release(&held, each);
        }
        self.tally
    }

    /// Goes on to a key.
    fn turn(&mut self, key: &[u8], each: &mut dyn FnMut(Out<'_>)) -> Result<(), String> {
        if self.is_begun && self.group.key == key {
            return Ok(());
        }
        if self.is_begun && self.group.key.as_slice() > key {
            let (key, before) = (printable(key), printable(&self.group.key));
            return Err(format!("the key '{key}' comes behind '{before}', so the rows are not sorted"));
        }
        self.close(each);
        self.group.begin(key);
        self.is_begun = true;
        Ok(())
    }

    /// Ends the key that was begun.
    fn close(&mut self, each: &mut dyn FnMut(Out<'_>)) {
        if !std::mem::take(&mut self.is_begun) {
            return;
        }
        if !self.group.choose() {
            self.tally.unclear = self.tally.unclear.saturating_add(1);
        }
        // Nobody could fetch it again by mistake.
        self.group.versions.retain(|version| version.listed || !version.pruned);
        self.group.settle(self.point);
        for version in &mut self.group.versions {
            version.number = self.wanted;
            self.wanted = self.wanted.saturating_add(u64::from(version.wanted));
        }
        for version in &self.group.versions {
            if !version.listed {
                self.tally.vanished = self.tally.vanished.saturating_add(1);
            }
            each(Out::Row(self.group.row(version)));
        }
        let next = self.spare.pop().unwrap_or_default();
        let group = std::mem::replace(&mut self.group, next);
        // Whatever cannot be the beginning of what follows is known.
        let may_follow = |kept: &[u8]| {
            group.key.strip_prefix(kept).is_some_and(|rest| rest.first().is_some_and(|byte| *byte <= b'/'))
        };
        while let Some(held) = self.open.pop_if(|held| !may_follow(&held.group.key)) {
            self.release(&held, each);
            self.spare.push(held.group);
        }
        let has_files = group.versions.iter().any(|version| !version.marker);
        let mut is_barred = false;
        for held in &mut self.open {
            let is_in = group.key.strip_prefix(held.group.key.as_slice()).is_some_and(|rest| rest.starts_with(b"/"));
            held.is_folder |= is_in && has_files;
            is_barred |= is_in && held.is_file;
        }
        // A mark alone has no file.
        if !has_files {
            return self.spare.push(group);
        }
        let was_aside = self.tail.is_aside(&group.key);
        let is_file = !was_aside && group.versions.iter().any(|version| version.had && version.was_latest);
        self.open.push(Held { group, is_folder: false, is_file, is_barred });
    }

    /// Gives what is to be done with the files of a key: moves first, so that what is brought finds its place free.
    fn release(&mut self, held: &Held, each: &mut dyn FnMut(Out<'_>)) {
        let Held { group, is_folder, is_barred, .. } = held;
        let key = group.key.as_slice();
        let (was_aside, is_aside) = (self.tail.is_aside(key), *is_folder);
        let place = |latest: bool, aside: bool, version: &super::group::Version| -> Option<Name> {
            if latest {
                return names::latest(key, aside);
            }
            names::old(key, group.version_of(version), &super::super::index::text(&group.etag_of(version)))
        };
        let files = || group.versions.iter().filter(|version| !version.marker);
        // Most often, nothing is to be done, and no name is made.
        let is_still = |version: &super::group::Version| {
            let is_there = version.had && !version.wanted && !version.touched;
            version.pruned || is_there && version.was_latest == version.latest
        };
        if was_aside == is_aside && files().all(is_still) {
            return;
        }
        let moved = |version: &&super::group::Version| {
            version.had && (version.was_latest != version.latest || version.latest && was_aside != is_aside)
        };
        for retires in [true, false] {
            for version in files().filter(moved).filter(|version| version.latest != retires) {
                let (from, to) =
                    (place(version.was_latest, was_aside, version), place(version.latest, is_aside, version));
                let (Some(from), Some(to)) = (from, to) else { continue };
                let why = match (version.was_latest, version.latest) {
                    (true, false) => Why::Retired,
                    (false, true) => Why::Back,
                    _ => Why::Aside,
                };
                self.tally.moved = self.tally.moved.saturating_add(1);
                each(Out::Item(Item::Move { from, to, why }));
            }
        }
        let is_occupied = files().any(|version| version.had && version.was_latest) && was_aside == is_aside;
        for version in files() {
            if version.wanted && version.listed {
                self.tally.fetched = self.tally.fetched.saturating_add(1);
                self.tally.bytes = self.tally.bytes.saturating_add(version.size);
                self.tally.again = self.tally.again.saturating_add(u64::from(version.known));
                each(Out::Item(Item::Fetch(Fetch {
                    key,
                    version: group.version_of(version),
                    etag: group.etag_of(version),
                    size: version.size,
                    modified: version.modified,
                    number: version.number,
                    latest: version.latest,
                    aside: version.latest && is_aside,
                    // What the index has of it is another file, which is replaced.
                    staged: *is_barred || version.latest && is_occupied || version.had,
                    again: version.known,
                })));
            } else if version.had
                && version.touched
                && let Some(to) = place(version.latest, is_aside, version)
            {
                each(Out::Item(Item::Touch { at: to, modified: version.modified }));
            }
        }
    }
}
