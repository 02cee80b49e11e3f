//! What is known of the files from the last run, so that those are not read that are the same.

use std::time::{SystemTime, UNIX_EPOCH};

use highwater_core::digest::{Algorithm, Digest};
use highwater_core::formats::tree::known::{Decoder, Encoder, Known, Whole, place};
use highwater_core::name::TEMPORARY;

use super::pool::Sum;
use super::walk::Found;
use crate::disk::like::Like;
use crate::disk::{Disk, Draft, Look, Time};
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// Bytes that are read or written at once.
const PIECE: usize = 1 << 20;

/// How long a file must have been left alone before it was read, in nanoseconds, for its times to tell whether anybody
/// wrote meanwhile: the longest tick of a kernel's clock, and some.
const SETTLED: i128 = 100_000_000;

/// The same where a file system keeps whole seconds, or two.
const SETTLED_COARSE: i128 = 3_000_000_000;

/// What the last run says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Its bytes are these.
    Same(Sum),
    /// It had that length too: its bytes are likely to be there already.
    Likely,
    /// Nothing.
    New,
}

/// Now, in nanoseconds since 1970.
pub(super) fn now() -> i128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(0))
}

/// Whether a file that was like this is told apart from what anybody makes of it from `now` on. One that this run gave
/// a name changed by that, and not its bytes.
pub(super) fn times_tell(look: &Look, is_linked: bool, now: i128) -> bool {
    let since = |(seconds, nanoseconds): Time| {
        let at = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        let enough = if nanoseconds == 0 { SETTLED_COARSE } else { SETTLED };
        at < now - enough
    };
    since(look.modified) && (is_linked || since(look.changed))
}

/// Says of each file, in the order of their names, what the last run says of it. `token` gives what the store itself
/// knows the bytes of a file by.
pub(super) fn recall<'f>(
    to: &dyn Disk,
    files: impl Iterator<Item = &'f Found>,
    token: impl Fn(&Found) -> Option<&'f str>,
    watch: &Watch<'_>,
) -> Result<Vec<Before>, Error> {
    let mut memory = Memory::open(to)?;
    let mut before = Vec::new();
    for one in files {
        if before.len().is_multiple_of(1024) {
            watch.go_on()?;
        }
        before.push(match memory.find(one) {
            None => Before::New,
            Some(known) => match Digest::new(Algorithm::Sha256, &known.digest) {
                Some(digest) if is_same(&known, one, token(one)) => Before::Same((known.length, digest)),
                _ if known.length == one.look.length => Before::Likely,
                _ => Before::New,
            },
        });
    }
    Ok(before)
}

/// Whether a file holds what it held: the store says so, or nothing of it changed since.
fn is_same(known: &Known, one: &Found, token: Option<&str>) -> bool {
    let look = &one.look;
    let of_store = token.is_some_and(|token| !token.is_empty() && token.as_bytes() == known.token);
    let of_system = (known.modified, known.changed, known.inode) == (look.modified, look.changed, look.identity.1);
    known.length == look.length && (of_store || of_system)
}

/// What the last run wrote.
struct Memory {
    file: Option<Box<dyn Object>>,
    at: u64,
    decoder: Decoder,
    /// One that comes after all that was asked for.
    ahead: Option<Known>,
}

impl Memory {
    /// Opens it. One that is not there, or not whole, says nothing.
    fn open(to: &dyn Disk) -> Result<Self, Error> {
        let nothing = Self { file: None, at: 0, decoder: Decoder::default(), ahead: None };
        let Some(file) = place().and_then(|name| to.open(&name).ok()) else { return Ok(nothing) };
        let mut whole = Whole::default();
        let read = file.for_each_piece(0, u64::MAX, &mut vec![0; PIECE], |piece| {
            whole.push(piece);
            true
        });
        Ok(if read.is_ok() && whole.end() { Self { file: Some(file), ..nothing } } else { nothing })
    }

    fn next(&mut self) -> Option<Known> {
        loop {
            if let Some(known) = self.ahead.take().or_else(|| self.decoder.take()) {
                return Some(known);
            }
            let file = self.file.as_ref()?;
            let mut piece = vec![0; PIECE];
            let read = file.read_at(self.at, &mut piece).unwrap_or(0);
            if read == 0 || self.decoder.is_over() {
                self.file = None;
                return None;
            }
            self.at += read as u64;
            self.decoder.push(piece.get(..read)?);
        }
    }

    /// What it says of a file that comes after those it was asked for before.
    fn find(&mut self, one: &Found) -> Option<Known> {
        while let Some(known) = self.next() {
            match known.name.walk_order(&one.name) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Some(known),
                std::cmp::Ordering::Greater => {
                    self.ahead = Some(known);
                    return None;
                }
            }
        }
        None
    }
}

/// Writes what this run knows, in the order of a walk. Should that fail, the next run reads more.
pub(super) fn remember(to: &dyn Disk, known: impl Iterator<Item = Known>, watch: &Watch<'_>) {
    let write = || {
        let Some(name) = place() else { return Ok(()) };
        let around = to.look(None)?.ok_or(std::io::ErrorKind::NotFound)?;
        let draft = Draft::of(to, &name, TEMPORARY)?;
        let (mut encoder, mut at) = (Encoder::default(), 0);
        let mut write = |bytes: &[u8]| {
            let written = draft.file().write_at(at, bytes);
            at += bytes.len() as u64;
            written
        };
        for known in known {
            encoder.push(&known);
            if encoder.waiting() >= PIECE {
                write(&encoder.take())?;
            }
        }
        write(&encoder.end())?;
        _ = draft.give(&Like::new_in(&around).with_mode(0o600))?;
        // What a power cut leaves of it is not whole, or is that of an older run.
        draft.publish(&name)
    };
    if let Err(error) = write() {
        watch.notice(format!(
            "what is known of the files cannot be kept: {error}; the point is whole, and the next run reads every file"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Owner, What};

    fn look(modified: Time, changed: Time) -> Look {
        let owner = Owner { user: 0, group: 0 };
        let (what, identity) = (What::File, (1, 2));
        Look { what, identity, names: 1, length: 3, stored: 3, owner, mode: 0o644, modified, changed }
    }

    #[test]
    fn what_was_written_in_this_moment_is_not_told_apart_from_what_is_written_next() {
        let now = 1_000 * 1_000_000_000;
        let (old, new) = ((900, 5), (999, 999_000_000));
        assert!(times_tell(&look(old, old), false, now));
        for (modified, changed) in [(new, new), (old, new), (new, old)] {
            assert!(!times_tell(&look(modified, changed), false, now), "{modified:?} {changed:?}");
        }
        // A second name changed it, and not its bytes.
        assert!(times_tell(&look(old, new), true, now) && !times_tell(&look(new, old), true, now));
        // Where a file system keeps whole seconds, the moment is longer.
        assert!(
            times_tell(&look((996, 1), (996, 1)), false, now) && !times_tell(&look((998, 0), (998, 0)), false, now)
        );
        // A clock that is behind knows nothing.
        assert!(!times_tell(&look((2_000, 1), (2_000, 1)), false, now));
    }
}
