//! `Reading`: turns the blocks of an index into sets, claims and nodes.

use std::ops::Range;

use super::index::{self, Row, Seen, Tail};
use super::names;
use crate::claim::{Claim, Expect, Extent};
use crate::codec::Codec;
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Batch, Of, Scope, Set};
use crate::left_out::LeftOut;
use crate::name::{Name, printable};
use crate::node::{Meta, Node, NodeKind};
use crate::odd::Odd;
use crate::point::Point;
use crate::shard::Shard;
use crate::stamp;

/// An index whose tail was read.
pub(super) struct Reading {
    index: Name,
    tail: Tail,
    /// The point that the tree shows.
    shown: u32,
    /// The points that are wanted.
    chosen: Range<u32>,
    wants: Wants,
    part: Shard,
    /// The block that is read next, and its bytes so far.
    block: usize,
    bytes: Vec<u8>,
    /// The folder of the last node.
    folder: Option<Name>,
}

/// From so many blocks a part on, a part reads its own blocks alone.
const BLOCKS: u64 = 8;

/// What comes of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// Nothing but the points.
    Points,
    /// Claims on all that they need.
    Claims,
    /// All that a restore of one needs.
    Tree,
}

impl Reading {
    /// Begins to read an index by its tail; gives the points that are wanted.
    pub(super) fn new(index: Name, tail: Tail, shown: u32, scope: &Scope, out: &mut Batch) -> Self {
        let wants = match scope.of {
            Of::Catalogue => Wants::Points,
            Of::Point(_) | Of::Salvage(_) => Wants::Tree,
            Of::All | Of::References | Of::Under(_) => Wants::Claims,
        };
        let chosen = choose(&tail, &scope.of, out);
        for number in chosen.clone() {
            let Some(point) = tail.points.get(number as usize) else { continue };
            let mut left_out = LeftOut::default();
            if point.unread > 0 {
                let what =
                    format!("{} rows of the inventory could not be read: what they list is not in it", point.unread);
                left_out.add(&what, LeftOut::FEW);
            }
            out.sets.push(Set {
                name: point.name.clone(),
                group: u64::from(number.saturating_sub(chosen.start)),
                bytes: Some(point.bytes),
                archives: Vec::new(),
                key: None,
                left_out,
            });
        }
        let (part, bytes) = (scope.part, Vec::new());
        let mut reading = Self { index, tail, shown, chosen, wants, part, block: 0, bytes, folder: None };
        reading.pass();
        reading
    }

    /// Whether each part has so many blocks that these can be dealt out. Otherwise every part reads all of them.
    fn deals(&self) -> bool {
        self.part.is_part() && self.tail.blocks().len() as u64 >= self.part.count().saturating_mul(BLOCKS)
    }

    /// Passes over blocks of other parts.
    fn pass(&mut self) {
        while self.deals() && self.block < self.tail.blocks().len() && !self.part.takes(self.block as u64) {
            self.block = self.block.saturating_add(1);
        }
    }

    /// Nothing but the tail is to be read, as nothing that a row could say is wanted.
    pub(super) fn is_over(&self) -> bool {
        self.wants == Wants::Points || self.chosen.is_empty() || self.block >= self.tail.blocks().len()
    }

    /// Whether no bytes lie in the mirror, so that nothing can be claimed.
    pub(super) fn is_bare(&self) -> bool {
        let totals = self.tail.totals;
        self.wants == Wants::Claims && totals.recorded == 0 && totals.received == 0 && totals.unproven == 0
    }

    /// The index, and which of its bytes are asked for.
    pub(super) fn ask(&self) -> Option<(&Name, Range<u64>)> {
        let block = self.tail.blocks().get(self.block)?;
        Some((&self.index, block.at..block.at.saturating_add(u64::from(block.stored))))
    }

    /// Takes some of these bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // No more than was asked for is kept, whatever comes.
        let most = self.tail.blocks().get(self.block).map_or(0, |block| block.stored as usize);
        let room = most.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Takes the end of the block.
    pub(super) fn end(&mut self, out: &mut Batch) {
        let bytes = std::mem::take(&mut self.bytes);
        let read = self.rows(&bytes, out);
        self.bytes = bytes;
        self.bytes.clear();
        if let Err(odd) = read
            && (self.deals() || self.part.holds(Some(&self.index)))
        {
            out.findings.push(Finding {
                code: Code::Malformed,
                object: Some(self.index.clone()),
                offset: Some(odd.at),
                message: odd.what,
                hurts: Hurts::All,
            });
        }
        self.next();
    }

    fn next(&mut self) {
        self.block = self.block.saturating_add(1);
        self.pass();
    }

    /// Takes a failure to read it.
    pub(super) fn fail(&mut self, code: Code, message: String, out: &mut Batch) {
        let (object, offset) = (Some(self.index.clone()), self.tail.blocks().get(self.block).map(|block| block.at));
        if self.deals() || self.part.holds(object.as_ref()) {
            out.findings.push(Finding { code, object, offset, message, hurts: Hurts::All });
        }
        self.bytes.clear();
        self.next();
    }

    fn rows(&mut self, bytes: &[u8], out: &mut Batch) -> Result<(), Odd> {
        let mut rows = index::Rows::open(&self.tail, self.block, bytes)?;
        while let Some(row) = rows.row()? {
            self.take(&row, out);
        }
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>, out: &mut Batch) {
        let Some(hurts) = self.hurts(row).filter(|_| !row.marker && !row.pruned) else { return };
        let aside = self.tail.is_aside(row.key);
        if self.wants == Wants::Tree && !row.is_latest(self.chosen.start) {
            return;
        }
        let Some(object) = row.place(self.shown, aside) else { return };
        if !self.deals() && !self.part.holds(Some(&object)) {
            return;
        }
        let path = names::restored(row.key, aside).filter(|_| self.wants == Wants::Tree);
        if row.wanted && path.is_some() {
            // What is had of a point is restored without it.
            let what = format!("a version of {} bytes that was not had", row.size);
            out.nodes.push(Node { path, kind: NodeKind::LeftOut(what), meta: Meta::default() });
            return;
        }
        if row.wanted {
            let version = printable(row.version);
            let message = format!("its version {version}, of {} bytes by the inventory, was not had", row.size);
            out.findings.push(Finding { code: Code::NotHad, object: Some(object), offset: None, message, hurts });
            return;
        }
        if let Some(path) = &path {
            self.give_node(path, row, out);
            if path.as_bytes() != row.key {
                out.called.push((path.clone(), row.key.to_vec()));
            }
            if row.size == 0 {
                // Nothing is written of an empty file.
                return;
            }
        }
        out.claims.push(Claim {
            object,
            index: self.index.clone(),
            range: None,
            codec: Codec::Plain,
            expect: Expect { length: row.size, digest: row.digest() },
            extent: path.map(|path| Extent { path: Some(path), at: 0 }),
            marks: None,
            hurts,
        });
    }

    /// Which of the sets need a version: none where none does.
    fn hurts(&self, row: &Row<'_>) -> Option<Hurts> {
        let hull = |one: Seen, other: Seen| Seen { first: one.first, last: other.last };
        let Seen { first, last } = row.latest_spans().reduce(hull).unwrap_or(row.seen);
        let (first, end) = (first.max(self.chosen.start), last.saturating_add(1).min(self.chosen.end));
        let ordinal = |point: u32| u64::from(point.saturating_sub(self.chosen.start));
        (first < end).then(|| Hurts::Span { from: ordinal(first), to: ordinal(end) })
    }

    /// Gives a file, and before it the folders that it lies in and nothing before it did.
    fn give_node(&mut self, path: &Name, row: &Row<'_>, out: &mut Batch) {
        let folder = path.folder();
        if folder != self.folder {
            let before = self.folder.as_ref().map_or(&[][..], Name::as_bytes);
            let bytes = folder.as_ref().map_or(&[][..], Name::as_bytes);
            let ends = bytes.iter().zip(0..).filter(|(byte, _)| **byte == b'/').map(|(_, at)| at);
            for end in ends.chain(Some(bytes.len()).filter(|end| *end > 0)) {
                let one = bytes.get(..end).unwrap_or_default();
                let is_given = before.strip_prefix(one).is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
                if let (false, Ok(name)) = (is_given, Name::new(one)) {
                    out.nodes.push(Node { path: Some(name), kind: NodeKind::Folder, meta: Meta::default() });
                }
            }
            self.folder = folder;
        }
        let meta = Meta { modified: Some(row.modified), ..Meta::default() };
        out.nodes.push(Node { path: Some(path.clone()), kind: NodeKind::File(row.size), meta });
    }
}

/// The points that are wanted.
fn choose(tail: &Tail, of: &Of, out: &mut Batch) -> Range<u32> {
    let all = 0..tail.newest().saturating_add(1);
    let stamps = || tail.points.iter().map(|point| stamp::point(&point.name).unwrap_or_default()).zip(0..);
    match of {
        Of::All | Of::Catalogue | Of::References => all,
        Of::Point(point) => {
            let until: Option<&Point> = point.as_ref().filter(|point| !point.is_latest());
            let fits = |stamp: &str| until.is_none_or(|until| stamp::at_or_before(stamp, until.as_str()));
            match stamps().filter(|(stamp, _)| fits(stamp)).last() {
                Some((_, number)) => number..number.saturating_add(1),
                None => {
                    let oldest = tail.points.first().map_or("none", |point| &*point.name);
                    out.absent = Some(format!("no point is so old; the oldest is {oldest}"));
                    0..0
                }
            }
        }
        Of::Under(point) | Of::Salvage(point) => {
            let mut under = stamps().filter(|(stamp, _)| point.is_latest() || stamp.starts_with(point.as_str()));
            let first = under.next().map(|(_, number)| number);
            let last = under.last().map(|(_, number)| number).or(first);
            first.zip(last).map_or(0..0, |(first, last)| first..last.saturating_add(1))
        }
    }
}
