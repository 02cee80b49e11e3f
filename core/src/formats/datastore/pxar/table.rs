//! `Table`: the goodbye table of a folder, compared with the entries that came before it.
//!
//! An item of a table is a hash of a name, how far back from the start of the table's own item that entry begins, and
//! how many bytes it has. The items are those of a binary search tree by their hashes, complete but for its last level:
//! the children of the item at `i` are those at `2i + 1` and `2i + 2`. The last item is a mark, how far back the folder
//! itself begins, and the length of the table's item.

use super::Odd;
use super::item::{HEAD, number};
use crate::sort;

/// The length of an item of a table, in bytes.
pub(super) const LINE: usize = 24;

/// The hash that no name has: the last item's.
const LAST: u64 = 0xef5e_ed5b_753e_1555;

/// An entry of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// The hash of its name.
    pub(super) hash: u64,
    /// Where its name begins in the archive.
    pub(super) start: u64,
    /// How many bytes it has from there on; none as long as it goes on.
    pub(super) length: u64,
    /// How many more it has in the payloads of a split archive. Who writes these counts them, who takes them over from
    /// an archive before does not.
    pub(super) apart: u64,
}

/// A table that is being read.
#[derive(Debug)]
pub(super) struct Table {
    /// Where its item begins, and how long that is.
    at: u64,
    length: u64,
    /// Where the metadata of its folder begins.
    folder: u64,
    lines: Vec<Line>,
    /// The number of the item that comes next.
    next: u64,
    /// One was wrong: of the others nothing is said.
    odd: bool,
}

impl Table {
    /// Begins the table at `at` with so many bytes of content, of the folder at `folder` with these entries.
    pub(super) fn new(at: u64, content: u64, folder: u64, mut lines: Vec<Line>) -> Result<Self, Odd> {
        sort::values(&mut lines);
        let length = content.saturating_add(HEAD as u64);
        if !content.is_multiple_of(LINE as u64) {
            return Err(Odd::record(at, format!("the table of a folder has {length} bytes, which none has")));
        }
        Ok(Self { at, length, folder, lines, next: 0, odd: false })
    }

    /// What contradicts the table as a whole.
    pub(super) fn first(&mut self) -> Option<Odd> {
        let (has, wanted) = (self.items().saturating_sub(1), self.lines.len() as u64);
        if has != wanted {
            self.odd = true;
            return Some(Odd::record(self.at, format!("its folder has {wanted} entries, and its table {has}")));
        }
        let twice = self.lines.iter().zip(self.lines.iter().skip(1)).find(|(one, other)| one.hash == other.hash);
        twice.map(|(_, other)| Odd::record(other.start, "an entry before it in its folder has the same name"))
    }

    fn items(&self) -> u64 {
        (self.length - HEAD as u64) / LINE as u64
    }

    /// Whether every item was taken.
    pub(super) fn is_over(&self) -> bool {
        self.next >= self.items()
    }

    /// How many entries it remembers.
    pub(super) fn remembers(&self) -> usize {
        self.lines.len()
    }

    /// Takes the next item, of [`LINE`] bytes.
    pub(super) fn take(&mut self, item: &[u8]) -> Option<Odd> {
        let at = self.at.saturating_add(HEAD as u64).saturating_add(self.next.saturating_mul(LINE as u64));
        let place = self.next;
        self.next = place.saturating_add(1);
        let (hash, back, length) = (number(item, 0), number(item, 8), number(item, 16));
        let odd = |what: String| Some(Odd::record(at, what));
        if self.is_over() {
            // Whoever reads from the end of an archive on begins with this one.
            let folder = self.at - self.folder;
            return match () {
                () if hash != LAST => odd("the table of a folder does not end with its mark".to_owned()),
                () if back != folder => {
                    odd(format!("the table of a folder says that it begins {back} bytes before it, and not {folder}"))
                }
                () if length != self.length => {
                    odd(format!("the table of a folder says that it has {length} bytes, and not {}", self.length))
                }
                () => None,
            };
        }
        if self.odd {
            return None;
        }
        let line = usize::try_from(rank(place, self.lines.len() as u64)).ok().and_then(|rank| self.lines.get(rank))?;
        let start = self.at - line.start;
        let told = match () {
            () if hash != line.hash => {
                format!("item {place} of the table of a folder has the hash {hash:016x}, and not {:016x}", line.hash)
            }
            () if back != start => format!(
                "item {place} of the table of a folder says that its entry begins {back} bytes before it, and not \
                 {start}"
            ),
            () if length != line.length && length != line.length.saturating_add(line.apart) => format!(
                "item {place} of the table of a folder says that its entry has {length} bytes, and not {}",
                line.length
            ),
            () => return None,
        };
        self.odd = true;
        odd(told)
    }
}

/// The place among `count` sorted ones of the one at `at` of the search tree.
fn rank(at: u64, count: u64) -> u64 {
    // The way down from the root is in the bits of its number, counted from 1, behind the highest.
    let number = at.saturating_add(1);
    let (mut before, mut count) = (0u64, count);
    for level in (0..number.ilog2()).rev() {
        let left = left(count);
        if number >> level & 1 == 0 {
            count = left;
        } else {
            before = before.saturating_add(left).saturating_add(1);
            count = count.saturating_sub(left).saturating_sub(1);
        }
    }
    before.saturating_add(left(count))
}

/// How many of `count` lie left of the root of their search tree.
fn left(count: u64) -> u64 {
    let Some(level) = count.checked_ilog2().filter(|level| *level > 0) else { return 0 };
    // All levels but the last are full.
    let half = 1u64 << (level - 1);
    (half - 1).saturating_add((count - 2 * half).saturating_add(1).min(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_a_search_tree_in_an_array() {
        fn walk(at: u64, count: u64, out: &mut Vec<u64>) {
            if at < count {
                walk(2 * at + 1, count, out);
                out.push(at);
                walk(2 * at + 2, count, out);
            }
        }
        for count in 0..200 {
            let mut inorder = Vec::new();
            walk(0, count, &mut inorder);
            for (place, at) in (0..).zip(inorder) {
                assert_eq!(rank(at, count), place, "{at} of {count}");
            }
        }
    }
}
