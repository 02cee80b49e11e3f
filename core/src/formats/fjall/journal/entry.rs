//! `Batches`: the entries of a journal, put together to batches as the engine does, and checked against their ends.

use xxhash_rust::xxh3::Xxh3Default;

use super::super::marker::MAGIC;
use super::{Disorder, Journal, Tail};

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;

/// The longest entry without key and value, in bytes: an item's.
const LONGEST: usize = 21;

/// The first sequence number that the engine never gives.
const NUMBERS: u64 = 1 << 63;

/// Why no more batches can be read.
#[derive(Debug)]
pub(super) enum End {
    /// The engine cuts the journal off behind the last whole batch. This entry cannot be read.
    Cut { at: u64 },
    /// The engine does not open the store.
    Refused { at: u64, what: String },
}

/// The batches of a journal on their way in.
pub(super) struct Batches {
    /// Bytes taken so far.
    at: u64,
    /// The entry that is being gathered, without its key and value: where it begins, and how many bytes of it are
    /// there.
    begin: u64,
    entry: [u8; LONGEST],
    held: usize,
    /// So many bytes of key and value follow.
    payload: u64,
    open: Option<Open>,
    hasher: Box<Xxh3Default>,
    whole: u64,
    batches: u64,
    last: Option<u64>,
    disorder: Option<Disorder>,
}

/// A batch that has started.
#[derive(Debug)]
struct Open {
    at: u64,
    /// So many items are to follow.
    left: u32,
    number: u64,
    /// Where an item stands that only tables can hold.
    pointer: Option<u64>,
    /// Where an item stands that is one too many.
    surplus: Option<u64>,
}

impl Batches {
    /// Goes on behind what was whole.
    pub(super) fn resume(journal: &Journal) -> Self {
        let Journal { whole, batches, last, disorder, .. } = *journal;
        let (entry, hasher) = ([0; LONGEST], Box::default());
        Self { at: whole, begin: whole, entry, held: 0, payload: 0, open: None, hasher, whole, batches, last, disorder }
    }

    /// Takes the next bytes. When no more batches can be read: why, and the bytes behind what was read of the entry
    /// that shows it.
    pub(super) fn push<'a>(&mut self, mut bytes: &'a [u8]) -> (&'a [u8], Option<End>) {
        while let Some(first) = bytes.first() {
            if self.payload > 0 {
                bytes = self.payload(bytes);
                if let Some(end) = self.refused() {
                    return (bytes, Some(end));
                }
                continue;
            }
            let tag = if self.held > 0 { self.entry.first() } else { Some(first) };
            let need = match tag.copied() {
                Some(START | END) => 13,
                Some(ITEM) => LONGEST,
                Some(CLEAR) => 9,
                _ => return (bytes, Some(End::Cut { at: self.at })),
            };
            if self.held == 0 {
                self.begin = self.at;
            }
            let (some, rest) = bytes.split_at_checked(need - self.held).unwrap_or((bytes, &[]));
            if let Some(place) = self.entry.get_mut(self.held..self.held + some.len()) {
                place.copy_from_slice(some);
            }
            bytes = rest;
            self.held += some.len();
            self.at = self.at.saturating_add(some.len() as u64);
            if self.held == need
                && let Some(end) = self.take()
            {
                return (bytes, Some(end));
            }
        }
        (bytes, None)
    }

    /// Takes of key and value what is there.
    fn payload<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let some = usize::try_from(self.payload).unwrap_or(usize::MAX);
        let (some, rest) = bytes.split_at_checked(some).unwrap_or((bytes, &[]));
        self.hasher.update(some);
        self.payload -= some.len() as u64;
        self.at = self.at.saturating_add(some.len() as u64);
        if self.payload == 0 {
            self.held = 0;
        }
        rest
    }

    /// Takes the entry that is gathered.
    fn take(&mut self) -> Option<End> {
        let begin = self.begin;
        match self.entry {
            [START, c0, c1, c2, c3, n0, n1, n2, n3, n4, n5, n6, n7, ..] => {
                let left = u32::from_le_bytes([c0, c1, c2, c3]);
                self.start(begin, left, u64::from_le_bytes([n0, n1, n2, n3, n4, n5, n6, n7]))
            }
            // The kinds of value and the compressions that the engine knows.
            [ITEM, 0 | 1 | 2 | 4, 0 | 1, _, _, _, _, _, _, _, _, k0, k1, _, _, _, _, v0, v1, v2, v3] => {
                let value = u64::from(u32::from_le_bytes([v0, v1, v2, v3]));
                self.item(begin, value + u64::from(u16::from_le_bytes([k0, k1])))
            }
            [END, s0, s1, s2, s3, s4, s5, s6, s7, m0, m1, m2, m3, ..] if [m0, m1, m2, m3] == MAGIC => {
                self.finish(begin, u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]))
            }
            [CLEAR, ..] => self.item(begin, 0),
            _ => Some(End::Cut { at: begin }),
        }
    }

    fn start(&mut self, begin: u64, left: u32, number: u64) -> Option<End> {
        if self.open.is_some() {
            return Some(End::Cut { at: begin });
        }
        if number >= NUMBERS {
            let what = format!("the batch says that its sequence number is {number}, and none is as high");
            return Some(End::Refused { at: begin.saturating_add(5), what });
        }
        self.open = Some(Open { at: begin, left, number, pointer: None, surplus: None });
        self.hasher.reset();
        self.held = 0;
        None
    }

    /// Takes an item or a clear, behind which so many bytes of key and value stand.
    fn item(&mut self, begin: u64, payload: u64) -> Option<End> {
        let Some(open) = &mut self.open else { return Some(End::Cut { at: begin }) };
        match open.left.checked_sub(1) {
            Some(left) => open.left = left,
            None => open.surplus = Some(begin),
        }
        if let [ITEM, 4, ..] = self.entry {
            open.pointer = open.pointer.or(Some(begin));
        }
        self.hasher.update(self.entry.get(..self.held).unwrap_or_default());
        self.payload = payload;
        if payload == 0 {
            self.held = 0;
        }
        self.refused()
    }

    /// An item that is one too many, once all of it is there: one that is cut short is cut off instead.
    fn refused(&self) -> Option<End> {
        let Open { at, surplus, .. } = self.open.as_ref().filter(|_| self.payload == 0)?;
        let what = format!("the batch that begins at byte {at} has more items than it says");
        surplus.map(|at| End::Refused { at, what })
    }

    fn finish(&mut self, begin: u64, sum: u64) -> Option<End> {
        let Some(Open { at, left, number, pointer, .. }) = self.open.take() else {
            return Some(End::Cut { at: begin });
        };
        if left > 0 {
            let what = format!("the batch that begins at byte {at} has {left} items fewer than it says");
            return Some(End::Refused { at: begin, what });
        }
        let found = self.hasher.digest();
        if found != sum {
            let what = format!(
                "the checksum of the batch that begins at byte {at} is {found:016x}, and its end says {sum:016x}"
            );
            return Some(End::Refused { at: begin, what });
        }
        if let Some(pointer) = pointer {
            let what = "the item points into a blob file, and only those of tables do".to_owned();
            return Some(End::Refused { at: pointer, what });
        }
        if let Some(before) = self.last.filter(|before| *before >= number) {
            self.disorder = self.disorder.or(Some(Disorder { at, before, number }));
        }
        self.last = Some(number);
        self.batches = self.batches.saturating_add(1);
        self.whole = self.at;
        self.held = 0;
        None
    }

    /// Where the entry begins that is being gathered, or the next.
    pub(super) fn entry(&self) -> u64 {
        if self.held > 0 { self.begin } else { self.at }
    }

    /// Whether nothing stands behind the last whole batch.
    pub(super) fn is_between(&self) -> bool {
        self.at == self.whole
    }

    /// What the journal comes to.
    pub(super) fn journal(self, tail: Tail) -> Journal {
        let Self { whole, batches, last, disorder, .. } = self;
        Journal { whole, batches, last, disorder, tail }
    }
}
