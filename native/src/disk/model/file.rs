//! `File`: the bytes of a file on the model disk, and which of them are durable.

use super::outcome::{Outcome, SECTOR};

#[derive(Debug, Default, Clone)]
pub(super) struct File {
    /// What a reader sees.
    pub(super) bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl File {
    /// A durable one.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), bytes, pending: Vec::new() }
    }

    /// Changes what a reader sees.
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.bytes);
        self.pending.push(change);
    }

    /// Makes every change durable that is still known to be none.
    pub(super) fn sync(&mut self) {
        self.pending.drain(..).for_each(|change| change.apply(&mut self.durable));
    }

    /// A sync that failed: the system forgets which changes were not durable, so that no later sync makes up for it.
    pub(super) fn fail_to_sync(&mut self) {
        self.pending.clear();
    }

    /// Its bytes after a power cut.
    pub(super) fn survive(&self, outcome: Outcome) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let last = self.pending.len().saturating_sub(1);
        for (number, change) in self.pending.iter().enumerate().filter(|(number, _)| outcome.keeps_content(*number)) {
            match change {
                Change::Write(at, written) if outcome == Outcome::Torn && number == last => {
                    write(&mut bytes, *at, &written[..written.len() / 2]);
                }
                Change::Write(at, written) if matches!(outcome, Outcome::EvenSectors | Outcome::OddSectors) => {
                    let even = outcome == Outcome::EvenSectors;
                    let end = at + written.len();
                    bytes.resize(bytes.len().max(end), 0);
                    let kept = (*at..end).zip(written).filter(|(at, _)| (at / SECTOR).is_multiple_of(2) == even);
                    kept.for_each(|(at, byte)| bytes[at] = *byte);
                }
                change => change.apply(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => write(bytes, *at, written),
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

/// Bytes between the old end and a write past it read as zero, as in any file with a hole.
fn write(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    if written.is_empty() {
        return;
    }
    bytes.resize(bytes.len().max(at + written.len()), 0);
    bytes[at..at + written.len()].copy_from_slice(written);
}
