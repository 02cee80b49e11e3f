//! `File`: the bytes, the owner and the permissions of a file on the model disk, and which of them are durable.

use super::survivors::{SECTOR, Survivors};
use highwater::disk::{Owner, Time};

#[derive(Debug, Clone)]
pub(super) struct File {
    /// What a reader sees.
    pub(super) bytes: Vec<u8>,
    pub(super) meta: Meta,
    durable: (Vec<u8>, Meta),
    pending: Vec<Change>,
    /// How often it was changed: what takes the place of the time of that.
    pub(super) changes: u32,
}

/// Whom a file belongs to, and who may do what with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// The owner.
    pub owner: Owner,
    /// The permissions.
    pub mode: u32,
    /// When it was changed last, as somebody set it: the model has no clock.
    pub modified: Time,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
    Owner(Owner),
    Mode(u32),
    Modified(Time),
}

impl File {
    /// A durable one.
    pub(super) fn new(bytes: Vec<u8>, meta: Meta) -> Self {
        Self { durable: (bytes.clone(), meta), bytes, meta, pending: Vec::new(), changes: 0 }
    }

    /// Changes what a reader sees.
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.bytes, &mut self.meta);
        self.pending.push(change);
        self.changes += 1;
    }

    /// Makes every change durable that is still known to be none.
    pub(super) fn sync(&mut self) {
        let (bytes, meta) = &mut self.durable;
        self.pending.drain(..).for_each(|change| change.apply(bytes, meta));
    }

    /// A sync that failed: the system forgets which changes were not durable, so that no later sync makes up for it.
    pub(super) fn fail_to_sync(&mut self) {
        self.pending.clear();
    }

    /// It after a power cut.
    pub(super) fn survive(&self, outcome: Survivors) -> Self {
        let (mut bytes, mut meta) = self.durable.clone();
        let last = self.pending.len().saturating_sub(1);
        for (number, change) in self.pending.iter().enumerate().filter(|(number, _)| outcome.keeps_content(*number)) {
            match change {
                Change::Write(at, written) if outcome == Survivors::Torn && number == last => {
                    write(&mut bytes, *at, &written[..written.len() / 2]);
                }
                Change::Write(at, written) if matches!(outcome, Survivors::EvenSectors | Survivors::OddSectors) => {
                    let even = outcome == Survivors::EvenSectors;
                    let end = at + written.len();
                    bytes.resize(bytes.len().max(end), 0);
                    let kept = (*at..end).zip(written).filter(|(at, _)| (at / SECTOR).is_multiple_of(2) == even);
                    kept.for_each(|(at, byte)| bytes[at] = *byte);
                }
                change => change.apply(&mut bytes, &mut meta),
            }
        }
        Self::new(bytes, meta)
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, meta: &mut Meta) {
        match self {
            Self::Write(at, written) => write(bytes, *at, written),
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Owner(owner) => meta.owner = *owner,
            Self::Mode(mode) => meta.mode = *mode,
            Self::Modified(modified) => meta.modified = *modified,
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
