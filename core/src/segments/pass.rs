//! `Pass`: how the segments that were hashed side by side ended, in any order and on any thread.

use super::layout::Layout;
use crate::lane::Lane;

/// The segments that did not hold, how many ended at all, and whether anything was odd.
#[derive(Debug, Default)]
pub struct Pass {
    ended: usize,
    broken: Vec<usize>,
    odd: bool,
}

impl Pass {
    /// Takes the lane of segment `index` after its last byte; `read` says that all of its bytes could be read.
    pub fn end(&mut self, layout: &Layout, index: usize, lane: Lane, read: bool) {
        let segments = layout.segments();
        let (check, hasher) = lane.into_parts();
        if !hasher.is_some_and(|hasher| segments.holds(index, &hasher)) {
            self.broken.push(index);
        }
        self.ended = self.ended.saturating_add(1);
        self.odd |= !read || !check.is_whole(!segments.is_last(index));
    }

    /// Both together.
    #[must_use]
    pub fn join(mut self, mut other: Self) -> Self {
        self.broken.append(&mut other.broken);
        let ended = self.ended.saturating_add(other.ended);
        Self { ended, broken: self.broken, odd: self.odd | other.odd }
    }

    /// A segment could not be read, or was no segment: only the plain way leads to a verdict.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        self.odd
    }

    /// The segments of `layout` that did not hold; none when something was odd, or not all of them ended.
    #[must_use]
    pub fn broken(self, layout: &Layout) -> Option<Vec<usize>> {
        (!self.odd && self.ended == layout.segments().count()).then_some(self.broken)
    }
}
