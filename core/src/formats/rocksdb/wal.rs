//! `Batches`: reads a write-ahead log, and says which sequence numbers each of its batches takes.
//!
//! Each logical record is a batch: the sequence number of its first entry (8 bytes), the number of its entries (4),
//! the entries (`db/write_batch.cc` of both engines). Where RocksDB compresses a log, it says so in the log's first
//! record, and nothing of a batch can be read without decompression.

use super::Engine;
use super::records::{Ended, Records, Tail};
use crate::codec::Flow;
use crate::cursor::Cursor;

/// The length of what every batch begins with, in bytes.
const HEAD: usize = 12;

/// A whole batch of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Where it begins in the log, in bytes.
    pub at: u64,
    /// Where it ends in the log.
    pub end: u64,
    /// The sequence number of its first entry, and how many entries it has; none where the log is compressed.
    pub sequence: Option<(u64, u32)>,
}

/// The sequence numbers of a run of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first.
    pub first: u64,
    /// The one behind the last.
    pub next: u64,
    /// Whether each batch begins where the one before it ended.
    pub runs_on: bool,
}

/// A write-ahead log on its way in.
#[derive(Debug)]
pub struct Batches {
    records: Records,
    head: Vec<u8>,
    count: u64,
    run: Option<Run>,
    odd: Option<(u64, &'static str)>,
}

/// What a write-ahead log comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Bytes of the log that can be kept: it ends behind the last whole batch.
    pub cut: u64,
    /// How long the log is, in bytes.
    pub length: u64,
    /// What stands behind it.
    pub tail: Tail,
    /// How many whole batches there are.
    pub count: u64,
    /// Their sequence numbers; none if there are no batches, or if they are compressed.
    pub run: Option<Run>,
    /// The batches are compressed.
    pub compressed: bool,
    /// The file may hold what is left of another log: RocksDB with `recycle_log_file_num`.
    pub recycled: bool,
}

impl Batches {
    /// The log of this number.
    #[must_use]
    pub fn new(engine: Engine, number: u64) -> Self {
        Self { records: Records::new(engine, number), head: Vec::new(), count: 0, run: None, odd: None }
    }

    /// Where the last whole batch ends so far.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.odd.map_or(self.records.cut(), |(at, _)| at)
    }

    /// Takes the next bytes and hands on each batch that they make whole. `Break` when what follows does not matter.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Batch)) -> Flow {
        let Self { records, head, count, run, odd } = self;
        // It is the first record that says so; before it, there are no batches.
        let mut compressed = records.compression().is_some();
        let mut rest = bytes;
        while !rest.is_empty() {
            // Known behind the first bytes, if at all.
            let step = if records.cut() == 0 { rest.len().min(16) } else { rest.len() };
            let (some, behind) = rest.split_at_checked(step).unwrap_or((rest, &[]));
            rest = behind;
            let flow = records.push(some, &mut |piece| {
                if odd.is_some() {
                    return;
                }
                if piece.first {
                    head.clear();
                }
                let room = HEAD.saturating_sub(head.len());
                head.extend_from_slice(piece.bytes.get(..room).unwrap_or(piece.bytes));
                let Some(end) = piece.end else { return };
                let mut cursor = Cursor::new(head);
                let sequence = match (compressed, cursor.fixed64(), cursor.fixed32()) {
                    (true, _, _) => None,
                    (false, Some(sequence), Some(count)) if sequence < 1 << 56 => Some((sequence, count)),
                    (false, Some(_), Some(_)) => {
                        *odd = Some((piece.at, "the sequence number of a batch is too large"));
                        return;
                    }
                    (false, _, _) => {
                        *odd = Some((piece.at, "a batch is shorter than its head"));
                        return;
                    }
                };
                *count = count.saturating_add(1);
                if let Some((first, entries)) = sequence {
                    let next = first.saturating_add(u64::from(entries));
                    *run = Some(match *run {
                        None => Run { first, next, runs_on: true },
                        Some(run) => Run { next: run.next.max(next), runs_on: run.runs_on && run.next == first, ..run },
                    });
                }
                each(Batch { at: piece.at, end, sequence });
            });
            compressed = records.compression().is_some();
            if odd.is_some() {
                return Flow::Break(());
            }
            if flow.is_break() {
                return flow;
            }
        }
        Flow::Continue(())
    }

    /// What it comes to, when nothing follows.
    #[must_use]
    pub fn end(self) -> Whole {
        let (compressed, recycled) = (self.records.compression().is_some(), self.records.is_recycled());
        let Ended { cut, length, tail } = self.records.end();
        let (cut, tail) = match self.odd {
            Some((at, what)) => (at, Tail::Broken { at, what: what.to_owned() }),
            None => (cut, tail),
        };
        Whole { cut, length, tail, count: self.count, run: self.run, compressed, recycled }
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::tests::{log, physical};
    use super::*;

    fn batch(sequence: u64, count: u32, length: usize) -> Vec<u8> {
        let mut batch = [&sequence.to_le_bytes()[..], &count.to_le_bytes()].concat();
        batch.resize(HEAD + length, 7);
        batch
    }

    fn read(bytes: &[u8], step: usize) -> (Vec<Batch>, Whole) {
        let (mut batches, mut all) = (Batches::new(Engine::RocksDb, 7), Vec::new());
        for bytes in bytes.chunks(step) {
            if batches.push(bytes, |batch| all.push(batch)).is_break() {
                break;
            }
        }
        (all, batches.end())
    }

    #[test]
    fn a_run_of_batches_runs_on_until_one_is_left_out() {
        let batches = [batch(10, 3, 50), batch(13, 1, 70_000), batch(14, 0, 0), batch(14, 2, 5)];
        let (bytes, ends) = log(&batches, None);
        for step in [1, 100, bytes.len()] {
            let (all, whole) = read(&bytes, step);
            assert!(all.iter().map(|batch| batch.end).eq(ends.iter().copied()));
            assert_eq!(all[1].sequence, Some((13, 1)));
            assert_eq!(whole.run, Some(Run { first: 10, next: 16, runs_on: true }));
            assert_eq!((whole.count, whole.cut, whole.tail), (4, bytes.len() as u64, Tail::Nothing));
        }
        for odd in [batch(12, 1, 3), batch(14, 1, 3), batch(3, 1, 3)] {
            let (bytes, _) = log(&[batch(10, 3, 50), odd], None);
            assert!(!read(&bytes, 9).1.run.unwrap().runs_on);
        }
    }

    #[test]
    fn a_batch_without_its_head_ends_the_log() {
        for odd in [vec![0; 11], vec![], batch(1 << 56, 1, 1)] {
            let (bytes, ends) = log(&[batch(10, 3, 50), odd, batch(13, 1, 1)], None);
            let (all, whole) = read(&bytes, 9);
            assert_eq!((all.len(), whole.cut), (1, ends[0]));
            assert!(matches!(whole.tail, Tail::Broken { at, .. } if at == ends[0]));
        }
    }

    #[test]
    fn of_a_compressed_log_only_the_ends_are_known() {
        let mut bytes = Vec::new();
        physical(&mut bytes, 9, None, &[7, 0, 0, 0]);
        physical(&mut bytes, 1, None, &[1, 2, 3]);
        for step in [1, bytes.len()] {
            let (all, whole) = read(&bytes, step);
            assert_eq!(all, [Batch { at: 11, end: bytes.len() as u64, sequence: None }]);
            assert!(whole.compressed && whole.run.is_none() && whole.tail == Tail::Nothing);
        }
    }
}
