//! `Source`: a database that lives: it grows, is left with an unfinished transaction, and is packed.

use highwater_tests::dice::Dice;
use highwater_tests::repo::Data;

/// What an unfinished transaction at the end of a file looks like.
#[derive(Debug, Clone, Copy)]
enum Tail {
    /// The writer has got so far and no further.
    Cut,
    /// Everything is there, but the status byte says that it is not finished.
    Voted,
    /// Space that was set aside and never written.
    Zeros,
}

/// The database under backup.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    data: Data,
    /// States that a pack may fall back to.
    older: Vec<Data>,
    tail: Vec<u8>,
}

impl Source {
    /// A new database, at times without any transaction.
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let mut source = Self { data: Data::new(dice.bits()), older: Vec::new(), tail: Vec::new() };
        if !dice.chance(10) {
            source.grow(dice);
        }
        source
    }

    /// The bytes up to the end of the last whole transaction.
    pub(crate) fn whole(&self) -> &[u8] {
        &self.data.bytes
    }

    /// All bytes of the file.
    pub(crate) fn file(&self) -> Vec<u8> {
        [&self.data.bytes[..], &self.tail].concat()
    }

    /// Whether an unfinished transaction is at its end.
    pub(crate) fn is_left_unfinished(&self) -> bool {
        !self.tail.is_empty()
    }

    /// Lets something happen to it: commits mostly, and now and then an unfinished transaction, a pack or nothing.
    pub(crate) fn live(&mut self, dice: &mut Dice) {
        self.tail.clear();
        match dice.below(100) {
            0..=9 => {}
            10..=24 => self.pack(dice),
            _ => self.grow(dice),
        }
        if dice.chance(30) {
            self.leave_unfinished(dice);
        }
    }

    fn grow(&mut self, dice: &mut Dice) {
        if self.older.len() < 6 || dice.chance(20) {
            self.older.push(self.data.clone());
        }
        for _ in 0..=dice.below(3) {
            commit(&mut self.data, dice);
        }
    }

    /// Rewrites the database: another file that has a part of the old one as its beginning, or nothing but the magic.
    fn pack(&mut self, dice: &mut Dice) {
        if self.older.is_empty() || dice.chance(30) {
            self.data = Data::new(dice.bits());
            self.older.clear();
        } else {
            let at = usize::try_from(dice.below(self.older.len() as u64)).expect("an index");
            self.older.truncate(at + 1);
            self.data = self.older[at].clone();
        }
        // Its dice stand where they stood then: what comes next must differ from what came then.
        self.data.commit(&[(50 + dice.below(50), 10 + length(dice, 50))]);
        if dice.chance(50) {
            self.grow(dice);
        }
    }

    fn leave_unfinished(&mut self, dice: &mut Dice) {
        let mut next = self.data.clone();
        next.commit(&[(60, length(dice, 200)), (61, length(dice, 20))]);
        let added = &next.bytes[self.data.bytes.len()..];
        self.tail = match dice.pick(&[Tail::Cut, Tail::Cut, Tail::Voted, Tail::Zeros]) {
            Tail::Cut => added[..1 + length(dice, added.len() as u64 - 1)].to_vec(),
            Tail::Voted => {
                let mut voted = added.to_vec();
                voted[16] = b'c';
                voted
            }
            Tail::Zeros => vec![0; 1 + length(dice, 300)],
        };
    }
}

/// A number below `limit`.
fn length(dice: &mut Dice, limit: u64) -> usize {
    usize::try_from(dice.below(limit.max(1))).expect("a short length")
}

/// One transaction: of a few records mostly, and at times empty, an undo, a large one, or one of very many records.
fn commit(data: &mut Data, dice: &mut Dice) {
    match dice.below(3000) {
        0..=199 => data.commit(&[]),
        // A record without a payload points back at the one before, as an undo does; the first one of an object, at 0.
        200..=499 => data.commit(&[(dice.below(45), 0), (50 + dice.below(9), length(dice, 30))]),
        500..=509 => data.commit(&[(7, 20_000 + length(dice, 300_000))]),
        // More than what is read, and more than what is compressed, at a time.
        510 => data.commit(&[(7, (2 << 20) + length(dice, 1 << 20))]),
        511..=520 => {
            let records: Vec<(u64, usize)> = (0..300).map(|oid| (oid * 97, 1 + length(dice, 9))).collect();
            data.commit(&records);
        }
        _ => data.grow(1),
    }
}
