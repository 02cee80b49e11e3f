//! `Unit`: the begin of something that goes on in the next bytes.

use super::Odd;
use super::entry::LONGEST;

/// Gathers one thing at a time, if it comes in several pieces.
#[derive(Debug, Default)]
pub(super) struct Unit(Vec<u8>);

impl Unit {
    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes the next thing off the begin of `bytes`, with what waits before them. `take` says how many bytes the thing
    /// has; none where it needs more of them, which then wait. What is left is given back.
    ///
    /// # Errors
    /// What `take` says is wrong.
    pub(super) fn take<'b>(
        &mut self,
        bytes: &'b [u8],
        mut take: impl FnMut(&[u8]) -> Result<Option<usize>, Odd>,
    ) -> Result<&'b [u8], Odd> {
        let had = self.0.len();
        if had == 0 {
            return Ok(match take(bytes)? {
                Some(used) => bytes.get(used..).unwrap_or_default(),
                None => {
                    self.0.extend_from_slice(bytes);
                    &[]
                }
            });
        }
        // Nothing is longer, so that as much does to see its end.
        let some = LONGEST.saturating_sub(had).max(1);
        let (some, rest) = bytes.split_at_checked(some).unwrap_or((bytes, &[]));
        self.0.extend_from_slice(some);
        let Some(used) = take(&self.0)? else { return Ok(rest) };
        self.0.clear();
        Ok(bytes.get(used.saturating_sub(had)..).unwrap_or_default())
    }
}
