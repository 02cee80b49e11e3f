//! `Damage`: a source that contradicts itself, told from one that a writer is at work on.

use std::cell::Cell;
use std::io;
use std::thread;
use std::time::Duration;

use highwater_core::filestorage::{Behind, MAGIC_LEN, State as WalkState, Stop, TXN_HEADER, Tid, Walk, behind};

use super::BackupOptions;
use super::copy::Base;
use super::source::Source;
use crate::error::Error;
use crate::shown::quoted;

/// How often a source that changes meanwhile is looked at again, and after how long.
const LOOKS: u32 = 50;
const LOOK: Duration = Duration::from_millis(20);

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// The byte of it.
    at: u64,
    /// What is wrong there, as a sentence.
    what: String,
}

/// What a judgement rests on: the file's length, and the header at the place where the walk stopped.
type Seen = (u64, Vec<u8>);

impl Damage {
    /// The damage at which a walk ended before `end`, which is the end of what a repository holds.
    pub(super) fn before(walk: &Walk, end: u64) -> Self {
        match walk.state() {
            WalkState::Corrupt { at, what } => Self { at, what: what.to_string() },
            _ => {
                let what = format!("no whole transaction is there, and the repository reaches byte {end}");
                Self { at: walk.end(), what }
            }
        }
    }

    /// Why nothing was backed up; the bytes from `from` on would have been left out.
    pub(super) fn refusal(&self, source: &Source, from: u64) -> Error {
        let lost = source.size.saturating_sub(from);
        Error::damage(format!(
            "the source {} is damaged at byte {}: {}; the {lost} bytes from byte {from} on cannot be backed up as \
             transactions, so nothing was backed up and nothing removed; check it with fstest and mend a copy with \
             fsrecover, or take it as it is with --damaged-source",
            quoted(&source.told()),
            self.at,
            self.what
        ))
    }

    /// What is told of a damaged source that was taken as it is, up to `end`.
    pub(super) fn warning(&self, source: &Source, end: u64, kill_old: bool) -> String {
        let kept = if kill_old { "; nothing older was removed" } else { "" };
        format!(
            "the source {} is damaged at byte {}: {}; it was taken as it is, all bytes up to {end}, without an \
             .index{kept}; check it with fstest and mend a copy with fsrecover",
            quoted(&source.told()),
            self.at,
            self.what
        )
    }
}

impl Source {
    /// Looks why a walk ended before the file does: at one unfinished transaction at the end, which is normal, or at
    /// damage. Beside a writer the file is looked at again: what was unfinished may be finished by now.
    ///
    /// # Errors
    /// When the source cannot be read, or does not keep still for as long as a look takes.
    pub(super) fn damage(&self, walk: &Walk) -> Result<Option<Damage>, Error> {
        let end = walk.end();
        for _ in 0..LOOKS {
            let before = self.seen(end)?;
            let Some(found) = self.look_behind(end, walk.last_tid(), before.0)? else { return Ok(None) };
            if self.seen(end)? == before {
                return Ok(Some(found));
            }
            thread::sleep(LOOK);
        }
        let what = "does not keep still: it changes at its end faster than it can be looked at";
        Err(Error::failed(format!("the source {} {what}; run again", quoted(&self.told()))))
    }

    /// Where a backup from `base` on would end, the id of its last transaction, and the damage that it would take as it
    /// is.
    ///
    /// # Errors
    /// When the source is damaged and not wanted so.
    pub(super) fn would_end(&self, job: &BackupOptions, base: Base) -> Result<(u64, Tid, Option<Damage>), Error> {
        let walk = self.hop_from(base.start)?;
        let damage = match base.index {
            Err(damage) => Some(damage),
            Ok(_) if walk.end() < self.size => self.damage(&walk)?,
            Ok(_) => None,
        };
        match damage {
            Some(damage) if !job.damaged_source => Err(damage.refusal(self, walk.end())),
            Some(damage) => Ok((self.size, walk.last_tid(), Some(damage))),
            None => Ok((walk.end(), walk.last_tid(), None)),
        }
    }

    fn seen(&self, at: u64) -> Result<Seen, Error> {
        let length = self.object.length().map_err(|error| self.unread(error))?;
        let mut header = vec![0; TXN_HEADER];
        let mut filled = 0;
        while filled < header.len() {
            match self.object.read_at(at + filled as u64, &mut header[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unread(error)),
            }
        }
        header.truncate(filled);
        Ok((length, header))
    }

    /// The damage at or behind `end`, where the complete transactions seemed to end, in a file of `size` bytes.
    fn look_behind(&self, end: u64, last: Tid, size: u64) -> Result<Option<Damage>, Error> {
        if size <= end {
            // The writer cut an aborted transaction off meanwhile.
            return Ok(None);
        }
        let failed = Cell::new(None);
        let read_at = |at: u64, out: &mut [u8]| match self.object.read_exact_at(at, out) {
            Ok(()) => Some(()),
            // A file that is shorter by now is looked at again.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => {
                failed.set(Some(error));
                None
            }
        };
        let mut tail = [0; 8];
        let tail = read_at(size - 8, &mut tail).map(|()| tail);
        let again = self.hop_to(Walk::new(end, size).with_tail(tail).with_last_tid(last))?;
        let found = match again.state() {
            // Finished meanwhile.
            _ if again.end() > end.max(MAGIC_LEN) => None,
            WalkState::Running | WalkState::Stopped { why: Stop::Eof, .. } => None,
            WalkState::Corrupt { at, what } => Some(Damage { at, what: what.to_string() }),
            WalkState::Stopped { why, .. } => {
                behind(end, size, last, read_at).map(|behind| Damage { at: end, what: sentence(why, behind) })
            }
        };
        failed.take().map_or(Ok(found), |error| Err(self.unread(error)))
    }
}

/// What is wrong with a transaction that the walk could not pass, though something is behind it.
fn sentence(why: Stop, behind: Behind) -> String {
    let what = match why {
        Stop::PastSize => "the transaction there would end behind the file's end",
        Stop::Voted => "the transaction there is marked as not finished",
        Stop::LastTid => "the transaction there has the highest possible id",
        Stop::Eof | Stop::ShortHeader | Stop::InvalidTail => "what is there is no transaction",
    };
    format!("{what}, but {behind}")
}
