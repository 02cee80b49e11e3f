//! `Records`: reads the log format that MANIFESTs and write-ahead logs share, piece by piece.
//!
//! A log is a run of blocks of 32 KiB. A physical record has a header, CRC-32C (masked) 4, length 2, kind 1, and lies
//! within one block; fewer than seven bytes at the end of a block are padding. A logical record is one physical record
//! or several. RocksDB's recyclable records have the number of their log behind the kind, 4 bytes, which tells them
//! from what is left of the log that the file was before. The checksum is over all from the kind on.
//! (RocksDB 10.4 `db/log_format.h`, `db/log_reader.cc`; LevelDB 1.22 `db/log_reader.cc`.)
//!
//! How a log ends: the engines cut a record in silence that the end of the file cuts, and pass over zeros, which
//! preallocation leaves. They refuse, or skip with all that follows in the block or the log, what a checksum or a
//! length condemns. A record that seems to be cut by the end of the file, while whole ones follow it, has a wrong
//! length: the engines would lose those that follow in silence, so that is no torn end here.

use crate::digest::crc::{crc32c, crc32c_append};

use super::Engine;
use crate::codec::Flow;

/// The length of a block, in bytes.
const BLOCK: usize = 32 * 1024;

/// The length of a header, in bytes: of a classic one, and of a recyclable one.
const HEADER: usize = 7;
const RECYCLABLE: usize = 11;

/// What a CRC-32C is masked with, so that checksums of bytes that hold checksums are good ones (`util/crc32c.h`).
const MASK: u32 = 0xa282_ead8;

/// The CRC-32C that a masked one stands for.
pub(super) fn unmask(masked: u32) -> u32 {
    masked.wrapping_sub(MASK).rotate_left(15)
}

/// The masked form of a CRC-32C.
pub(super) fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(MASK)
}

/// A piece of a logical record, the checksum of which was right.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Where the logical record begins in the file, in bytes.
    pub at: u64,
    /// It is the first piece of its record. What came of a record before it without its last piece is void.
    pub first: bool,
    /// The bytes, at most 32 KiB.
    pub bytes: &'a [u8],
    /// Where the logical record ends in the file, if this is its last piece.
    pub end: Option<u64>,
}

/// What stands behind the last whole logical record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Nothing,
    /// Zeros, up to the end of the file: preallocated.
    Zeros,
    /// A record that the end of the file cuts. The engine cuts it off in silence.
    Torn {
        /// Where the logical record begins.
        at: u64,
    },
    /// What is left of the log that a recycled file was before, or a record that was cut there. No checksum tells
    /// which. The engine ends there in silence.
    Old {
        /// Where.
        at: u64,
    },
    /// What the engine refuses, or skips with loss.
    Broken {
        /// Where.
        at: u64,
        /// What is wrong, as half a sentence.
        what: String,
    },
}

/// What a log comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Where the last whole logical record ends: bytes of the log that can be kept.
    pub cut: u64,
    /// How long the log is.
    pub length: u64,
    /// What stands behind it.
    pub tail: Tail,
}

/// A log on its way in. It holds a block of it at most.
#[derive(Debug)]
pub struct Records {
    engine: Engine,
    /// The number that recyclable records must have.
    number: u32,
    /// Bytes that came in of the block, and how many of them were taken.
    block: Vec<u8>,
    taken: usize,
    /// Where the block begins.
    start: u64,
    cut: u64,
    /// The logical record that is not whole yet: where it begins, and how many bytes of it there are.
    open: Option<(u64, u64)>,
    any: bool,
    recycled: bool,
    compression: Option<u32>,
    /// Why nothing more is read, and where that begins.
    tail: Option<Tail>,
    stopped: u64,
    length: u64,
}

/// What is to be done with a physical record.
enum Step {
    /// It is taken; so many bytes.
    On(usize),
    /// More bytes are needed.
    More,
}

/// What a physical record is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Full,
    First,
    Middle,
    Last,
    /// Something about the log itself: no logical record.
    Meta,
}

impl Records {
    /// A log of this engine, whose file has this number.
    #[must_use]
    pub fn new(engine: Engine, number: u64) -> Self {
        Self {
            engine,
            number: u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default(),
            block: Vec::new(),
            taken: 0,
            start: 0,
            cut: 0,
            open: None,
            any: false,
            recycled: false,
            compression: None,
            tail: None,
            stopped: 0,
            length: 0,
        }
    }

    /// Where the last whole logical record ends so far.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Whether its records are recyclable ones.
    #[must_use]
    pub fn is_recycled(&self) -> bool {
        self.recycled
    }

    /// How the logical records behind this are compressed, by RocksDB's number of it, if they are.
    #[must_use]
    pub fn compression(&self) -> Option<u32> {
        self.compression
    }

    /// Takes the next bytes and hands on each piece that they make whole. `Break` when what follows does not matter.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Piece<'_>)) -> Flow {
        self.length = self.length.saturating_add(bytes.len() as u64);
        while !bytes.is_empty() {
            match self.tail {
                None | Some(Tail::Old { .. }) => {}
                Some(Tail::Zeros) => {
                    self.only_zeros(bytes.iter().all(|byte| *byte == 0));
                    break;
                }
                Some(_) => return Flow::Break(()),
            }
            let room = BLOCK.saturating_sub(self.block.len());
            let (some, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.block.extend_from_slice(some);
            bytes = rest;
            self.take(each);
            if self.block.len() == BLOCK && (self.taken >= BLOCK || self.tail.is_some()) {
                self.leftovers();
                self.start = self.start.saturating_add(BLOCK as u64);
                self.block.clear();
                self.taken = 0;
            }
        }
        match self.tail {
            Some(Tail::Broken { .. } | Tail::Torn { .. }) => Flow::Break(()),
            _ => Flow::Continue(()),
        }
    }

    /// What the log comes to, when nothing follows.
    #[must_use]
    pub fn end(mut self) -> Ended {
        self.leftovers();
        let at = self.position();
        let rest = self.block.get(self.taken..).unwrap_or_default();
        let tail = match (self.tail, self.open) {
            (Some(tail), _) => tail,
            (None, None) if rest.is_empty() => Tail::Nothing,
            (None, None) if rest.iter().all(|byte| *byte == 0) => Tail::Zeros,
            (None, open) => {
                let header = if self.recycled { Some(self.number) } else { None };
                match hidden(rest, header) {
                    Some(behind) => {
                        let behind = at.saturating_add(behind as u64);
                        let what = format!(
                            "a record has a length that goes past the end of the file, but a whole record begins at \
                             byte {behind}"
                        );
                        Tail::Broken { at, what }
                    }
                    None => Tail::Torn { at: open.map_or(at, |(begin, _)| begin) },
                }
            }
        };
        Ended { cut: self.cut, length: self.length, tail }
    }

    fn position(&self) -> u64 {
        self.start.saturating_add(self.taken as u64)
    }

    /// Takes the physical records of the block as far as they are there.
    fn take(&mut self, each: &mut dyn FnMut(Piece<'_>)) {
        while self.tail.is_none() && self.taken < BLOCK {
            // Moved out while it is looked at; nothing in between can fail.
            let block = std::mem::take(&mut self.block);
            let rest = block.get(self.taken..).unwrap_or_default();
            let step = self.physical(rest, BLOCK - self.taken, each);
            self.block = block;
            match step {
                Ok(Step::On(length)) => self.taken = self.taken.saturating_add(length).min(BLOCK),
                Ok(Step::More) => return,
                Err(tail) => {
                    self.tail = Some(tail);
                    self.stopped = self.position();
                    self.only_zeros(self.block.get(self.taken..).unwrap_or_default().iter().all(|byte| *byte == 0));
                }
            }
        }
    }

    /// Looks at the physical record at the start of `bytes`, behind which the block has `room` bytes in all.
    fn physical(&mut self, bytes: &[u8], room: usize, each: &mut dyn FnMut(Piece<'_>)) -> Result<Step, Tail> {
        let at = self.position();
        let broken = |what: &str| Tail::Broken { at, what: what.to_owned() };
        if room < HEADER {
            return Ok(if bytes.len() < room { Step::More } else { Step::On(room) });
        }
        let Some(&[c0, c1, c2, c3, low, high, kind]) = bytes.first_chunk::<HEADER>() else { return Ok(Step::More) };
        let length = usize::from(u16::from_le_bytes([low, high]));
        if kind == 0 && length == 0 {
            if self.recycled && room < RECYCLABLE {
                // Too little for a header: padding.
                return Ok(if bytes.len() < room { Step::More } else { Step::On(room) });
            }
            if self.open.is_some() {
                return Err(broken("zeros stand where the next piece of a record should"));
            }
            // What follows is looked at as it comes.
            return Err(match [c0, c1, c2, c3] {
                [0, 0, 0, 0] => Tail::Zeros,
                _ => broken("neither a record nor zeros"),
            });
        }
        let recyclable = matches!(kind, 5..=8 | 11 | 131) && self.engine == Engine::RocksDb;
        if recyclable && self.any && !self.recycled {
            return Err(broken("a recyclable record in a log of others"));
        }
        let header = if recyclable { RECYCLABLE } else { HEADER };
        let whole = header.saturating_add(length);
        if whole > room {
            return Err(match self.recycled {
                true => Tail::Old { at: self.begin() },
                false => broken("a record is longer than its block"),
            });
        }
        let (Some(record), Some(payload)) = (bytes.get(6..whole), bytes.get(header..whole)) else {
            return Ok(Step::More);
        };
        let number = record.get(1..5).and_then(|number| number.try_into().ok()).map(u32::from_le_bytes);
        let right = crc32c(record) == unmask(u32::from_le_bytes([c0, c1, c2, c3]));
        match (right, recyclable && number != Some(self.number)) {
            (true, false) => self.recycled |= recyclable,
            (true, true) => return Err(Tail::Old { at: self.begin() }),
            (false, _) if self.recycled => return Err(Tail::Old { at: self.begin() }),
            (false, _) => return Err(broken("a record's checksum is wrong")),
        }
        let end = at.saturating_add(whole as u64);
        match self.kind(kind, payload).map_err(|what| broken(&what))? {
            Kind::Meta if self.open.is_some() => return Err(broken("a record begins before the one before it ended")),
            Kind::Meta => self.cut = end,
            kind => self.logical(kind, end, payload, each).map_err(broken)?,
        }
        Ok(Step::On(whole))
    }

    /// What a kind of record is to this engine.
    fn kind(&mut self, kind: u8, payload: &[u8]) -> Result<Kind, String> {
        Ok(match (kind, self.engine) {
            (1, _) | (5, Engine::RocksDb) => Kind::Full,
            (2, _) | (6, Engine::RocksDb) => Kind::First,
            (3, _) | (7, Engine::RocksDb) => Kind::Middle,
            (4, _) | (8, Engine::RocksDb) => Kind::Last,
            (9, Engine::RocksDb) => {
                let is = payload.try_into().ok().map(u32::from_le_bytes);
                match is {
                    None => return Err("a record of the log's compression has a wrong length".to_owned()),
                    Some(_) if self.any || self.compression.is_some() => {
                        return Err("a record of the log's compression does not come first".to_owned());
                    }
                    Some(0) => {}
                    Some(is) => self.compression = Some(is),
                }
                Kind::Meta
            }
            // Lengths of timestamps, and what the log before was; others from 128 on are for later versions.
            (10 | 11 | 128.., Engine::RocksDb) => Kind::Meta,
            _ => return Err(format!("a record is of the unknown kind {kind}")),
        })
    }

    /// Takes a piece of a logical record, the last byte of which lies before `end`.
    fn logical(
        &mut self,
        kind: Kind,
        end: u64,
        bytes: &[u8],
        each: &mut dyn FnMut(Piece<'_>),
    ) -> Result<(), &'static str> {
        let first = matches!(kind, Kind::Full | Kind::First);
        let last = matches!(kind, Kind::Full | Kind::Last);
        let at = match (first, self.open) {
            // Old versions wrote an empty first piece at the end of a block, and then began the record anew.
            (true, None | Some((_, 0))) => self.position(),
            (true, Some(_)) => return Err("a record begins before the one before it ended"),
            (false, None) => return Err("a piece of a record whose beginning is not there"),
            (false, Some((at, _))) => at,
        };
        let before = if first { 0 } else { self.open.map_or(0, |(_, length)| length) };
        self.open = if last { None } else { Some((at, before.saturating_add(bytes.len() as u64))) };
        if last {
            self.any = true;
            self.cut = end;
        }
        each(Piece { at, first, bytes, end: last.then_some(end) });
        Ok(())
    }

    /// Where the logical record begins that is not whole, or the physical one that is looked at.
    fn begin(&self) -> u64 {
        self.open.map_or(self.position(), |(begin, _)| begin)
    }

    /// Behind what is left of another log, no record of this one may follow.
    fn leftovers(&mut self) {
        let Some(Tail::Old { at }) = self.tail else { return };
        let rest = self.block.get(self.taken..).unwrap_or_default();
        if let Some(behind) = hidden(rest, Some(self.number)) {
            let behind = self.position().saturating_add(behind as u64);
            let what = format!("no record of this log begins here, but one begins at byte {behind}");
            self.tail = Some(Tail::Broken { at, what });
        }
    }

    /// Behind zeros, only zeros may follow: whether they do.
    fn only_zeros(&mut self, zeros: bool) {
        if self.tail == Some(Tail::Zeros) && !zeros {
            let what = "zeros stand where a record should, and something follows them".to_owned();
            self.tail = Some(Tail::Broken { at: self.stopped, what });
        }
    }
}

/// Where in these last bytes of a log, behind a header that cannot be trusted, a whole record begins.
fn hidden(bytes: &[u8], number: Option<u32>) -> Option<usize> {
    (0..bytes.len()).find(|at| {
        let Some((head, rest)) = bytes.get(*at..).and_then(<[u8]>::split_first_chunk::<HEADER>) else { return false };
        let [c0, c1, c2, c3, low, high, kind] = *head;
        let known = match number {
            Some(_) => matches!(kind, 5..=8),
            None => matches!(kind, 1..=4),
        };
        let length = usize::from(u16::from_le_bytes([low, high]));
        let extra = if number.is_some() { RECYCLABLE - HEADER } else { 0 };
        if !known || length == 0 || number.is_some_and(|number| rest.get(..4) != Some(&number.to_le_bytes())) {
            return false;
        }
        rest.get(..length.saturating_add(extra))
            .is_some_and(|rest| crc32c_append(crc32c(&[kind]), rest) == unmask(u32::from_le_bytes([c0, c1, c2, c3])))
    })
}

#[cfg(test)]
pub(super) mod tests;
