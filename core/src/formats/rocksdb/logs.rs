//! `Logs`: follows the write-ahead logs of a store, oldest first, and says what its engine would lose of them.
//!
//! RocksDB reads logs up to the first byte that is wrong, and drops all that comes after it, unless the sequence
//! numbers of the next log go on right there (`kPointInTimeRecovery`, the default; RocksDB 10.4
//! `db/db_impl/db_impl_open.cc`). LevelDB drops the rest of a block and goes on (LevelDB 1.22 `db/db_impl.cc`). Neither
//! says so to whoever opens the store. The torn end of the newest log is what a program leaves that was killed.
//!
//! Sequence numbers only grow. They may leave some out, as writes past the log do; they never go back, or the same
//! batch is there twice. With two-phase commits, what was prepared takes none, so only where batches begin grows.

use super::records::Tail;
use super::wal::{Batches, Run, Whole};
use super::{Engine, HURTS, names};
use crate::codec::Flow;
use crate::fault::FaultKind;
use crate::finding::{Code, Finding, Findings};
use crate::name::Name;
use crate::trail::{Ended, Follow, Part};

/// The follower of all logs that are needed.
pub(super) struct Logs {
    engine: Engine,
    /// How many bytes of each log must be there, where that is on record.
    synced: Vec<Option<u64>>,
    current: Option<(usize, Name, Batches)>,
    /// Batches begin where the one before them ended, or later. Otherwise, they begin where it began, or later.
    strict: bool,
    /// The sequence numbers of the batches that were read: the first of the last one, and the one that goes on.
    last: Option<(u64, u64)>,
    /// A batch of the log that is being read goes back.
    back: Option<u64>,
    /// A MANIFEST that is torn: its name, where, and its last sequence number. The oldest batch must not lie behind it.
    manifest: Option<(Name, u64, u64)>,
    /// A log before that ends in the middle of a batch, and no batch behind it yet: its name, where, and the sequence
    /// number that would go on.
    torn: Option<(Name, u64, Option<u64>)>,
    bytes: u64,
    unread: bool,
}

impl Logs {
    /// Of each log, how much of it must be there, where that is known; `strict` where nothing can have been prepared;
    /// of a torn `manifest`, its name, where it is torn, and the last sequence number before that.
    pub(super) fn new(
        engine: Engine,
        strict: bool,
        synced: Vec<Option<u64>>,
        manifest: Option<(Name, u64, u64)>,
    ) -> Self {
        Self {
            engine,
            synced,
            current: None,
            strict,
            last: None,
            back: None,
            manifest,
            torn: None,
            bytes: 0,
            unread: false,
        }
    }

    /// A log was read to its end.
    fn ends(&mut self, index: usize, name: Name, whole: Whole, out: &mut Findings) {
        let Whole { cut, length, tail, run, .. } = whole;
        // How much is read of what follows depends on the pieces it comes in.
        self.bytes = self.bytes.saturating_add(cut);
        if let Some(Run { first, .. }) = run
            && let Some((manifest, at, last)) =
                self.manifest.take().filter(|(_, _, last)| first > last.saturating_add(1))
        {
            let what = format!("it ends here at the sequence number {last}, and the oldest log begins with {first}");
            out.push(finding(Code::Malformed, manifest, at, what));
        }
        if let Some(Run { first, .. }) = run
            && let Some((torn, at, _)) = self.torn.take().filter(|(_, _, goes_on)| *goes_on != Some(first))
        {
            let what = format!("it ends in the middle of a batch, and '{name}' does not go on from there");
            out.push(finding(Code::Malformed, torn, at, what));
        }
        if let Some(at) = self.back.take() {
            let what = "the sequence number of the batch here goes back behind those before it".to_owned();
            out.push(finding(Code::Malformed, name.clone(), at, what));
        }
        let synced = self.synced.get(index).copied().flatten();
        if let Some(synced) = synced.filter(|synced| length < *synced) {
            let what = format!("it has {length} bytes, the MANIFEST says at least {synced}");
            out.push(finding(Code::Length, name.clone(), length, what));
        }
        match tail {
            Tail::Nothing | Tail::Zeros | Tail::Old { .. } => {}
            Tail::Torn { at } => self.torn = Some((name, at, self.last.map(|(_, next)| next))),
            Tail::Broken { at, what } => {
                let loses = match self.engine {
                    Engine::RocksDb => "RocksDB drops this batch and all behind it",
                    Engine::LevelDb => "LevelDB drops what follows in the block",
                };
                out.push(finding(Code::Malformed, name, at, format!("{what}; {loses}")));
            }
        }
        // No batch follows it: it is as if it were the newest.
        if let Some((torn, at, _)) = self.torn.take_if(|_| index + 1 == self.synced.len()) {
            out.push(finding(Code::TornTail, torn, at, "it ends in the middle of a batch".to_owned()));
        }
    }
}

fn finding(code: Code, object: Name, at: u64, message: String) -> Finding {
    Finding { code, object: Some(object), offset: Some(at), message, hurts: HURTS }
}

impl Follow for Logs {
    fn begin(&mut self, index: usize, part: &Part) {
        let number = match names::file(part.object.last()) {
            Some(names::File::Log(number)) => number,
            _ => 0,
        };
        self.current = Some((index, part.object.clone(), Batches::new(self.engine, number)));
    }

    fn push(&mut self, bytes: &[u8], _: &mut Findings) -> Flow {
        let Some((_, _, batches)) = &mut self.current else { return Flow::Break(()) };
        let (strict, last, back) = (self.strict, &mut self.last, &mut self.back);
        batches.push(bytes, |batch| {
            let Some((first, count)) = batch.sequence else { return };
            let least = last.map_or(0, |(began, next)| if strict { next } else { began });
            if first < least {
                back.get_or_insert(batch.at);
            }
            *last = Some((first, first.saturating_add(u64::from(count))));
        })
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        let Some((index, name, batches)) = self.current.take() else { return };
        let Ended::Failed(fault) = ended else { return self.ends(index, name, batches.end(), out) };
        self.unread = true;
        let (code, message) = match fault.kind {
            FaultKind::Absent => {
                (Code::Missing, "it was there when the store was listed, and is not any more".to_owned())
            }
            _ => (Code::Unreadable, fault.message.clone()),
        };
        out.push(Finding { code, object: Some(name), offset: None, message, hurts: HURTS });
    }

    fn is_whole(&self) -> bool {
        !self.unread
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::tests::log;
    use super::*;
    use crate::codec::Codec;

    fn batch(sequence: u64, count: u32) -> Vec<u8> {
        [&sequence.to_le_bytes()[..], &count.to_le_bytes(), &[7; 20]].concat()
    }

    /// What is found in logs of these bytes: code, number of the log, where.
    fn found(mut logs: Logs, all: &[&[u8]]) -> Vec<(Code, String, Option<u64>)> {
        let mut out = Findings::default();
        for (index, bytes) in all.iter().enumerate() {
            let object = names::log(index as u64 + 1).unwrap();
            logs.begin(index, &Part { object, codec: Codec::Plain });
            _ = logs.push(bytes, &mut out);
            logs.end(Ended::Whole, &mut out);
        }
        out.sample().map(|it| (it.code, it.object.as_ref().unwrap().to_string(), it.offset)).collect()
    }

    fn logs(count: usize) -> Logs {
        Logs::new(Engine::RocksDb, true, vec![None; count], None)
    }

    fn at(code: Code, object: &str, offset: u64) -> Vec<(Code, String, Option<u64>)> {
        vec![(code, object.to_owned(), Some(offset))]
    }

    #[test]
    fn a_torn_log_is_fine_where_the_next_one_goes_on_from_there() {
        let (first, ends) = log(&[batch(10, 2), batch(12, 3)], None);
        let torn = &first[..first.len() - 5];
        let (goes_on, _) = log(&[batch(12, 1)], None);
        let (skips, _) = log(&[batch(15, 1)], None);
        assert_eq!(found(logs(2), &[torn, &goes_on]), []);
        assert_eq!(found(logs(2), &[torn, &skips]), at(Code::Malformed, "000001.log", ends[0]));
        // No batch behind it: it is the newest.
        assert_eq!(found(logs(3), &[torn, b"", b""]), at(Code::TornTail, "000001.log", ends[0]));
        assert_eq!(found(logs(3), &[torn, b"", &goes_on]), []);
        assert_eq!(found(logs(2), &[&first, &skips]), []);
        // Not even its first batch is whole.
        assert_eq!(found(logs(2), &[&first[..20], &goes_on]), at(Code::Malformed, "000001.log", 0));
    }

    #[test]
    fn sequence_numbers_leave_some_out_but_never_go_back() {
        let (first, _) = log(&[batch(10, 2), batch(20, 3)], None);
        let (next, ends) = log(&[batch(30, 2), batch(31, 1)], None);
        assert_eq!(found(logs(2), &[&first, &next]), at(Code::Malformed, "000002.log", ends[0]));
        assert_eq!(found(logs(2), &[&first, &first]), at(Code::Malformed, "000002.log", 0));
        // What was prepared takes no number; what began later still begins later.
        let lenient = || Logs::new(Engine::RocksDb, false, vec![None; 2], None);
        assert_eq!(found(lenient(), &[&first, &next]), []);
        assert_eq!(found(lenient(), &[&next, &first]), at(Code::Malformed, "000002.log", 0));
    }

    #[test]
    fn what_is_on_record_of_a_log_must_be_there() {
        let (bytes, _) = log(&[batch(10, 2)], None);
        let length = bytes.len() as u64;
        let synced = |bytes| Logs::new(Engine::RocksDb, true, vec![Some(bytes)], None);
        assert_eq!(found(synced(length), &[&bytes]), []);
        assert_eq!(found(synced(length + 1), &[&bytes]), at(Code::Length, "000001.log", length));
        // Behind a torn MANIFEST, the oldest log must go on, or begin earlier.
        let behind = |last| {
            let manifest = names::manifest(5).unwrap();
            Logs::new(Engine::RocksDb, true, vec![None], Some((manifest, 77, last)))
        };
        assert_eq!(found(behind(9), &[&bytes]), []);
        assert_eq!(found(behind(20), &[&bytes]), []);
        assert_eq!(found(behind(8), &[&bytes]), at(Code::Malformed, "MANIFEST-000005", 77));
    }
}
