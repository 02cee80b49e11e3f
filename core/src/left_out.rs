//! `LeftOut`: what a set has not of what it was made of, by its own account.

#[cfg(feature = "json")]
use serde::{Deserialize, Serialize};

use crate::render::one_line;

/// How long a sentence is at most, in characters.
const LONGEST: usize = 1000;

/// What a set left out, and how much of that is told in words. A set is sound without it, and is not all that was
/// there.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct LeftOut {
    /// How many things.
    pub total: u64,
    /// The first of them, a sentence each: one line without anything that a terminal obeys.
    pub told: Vec<String>,
}

impl LeftOut {
    /// How many are told where several sets are looked at.
    pub const FEW: usize = 20;

    /// How many are told where it is one.
    pub const MANY: usize = 10_000;

    /// Whether nothing was left out.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.total == 0 && self.told.is_empty()
    }

    /// Counts one more, and keeps it in words unless there are `most`.
    pub fn add(&mut self, what: &str, most: usize) {
        self.total = self.total.saturating_add(1);
        if self.told.len() < most {
            self.told.push(one_line(what).chars().take(LONGEST).collect());
        }
    }

    /// How many are not told.
    #[must_use]
    pub fn untold(&self) -> u64 {
        self.total.saturating_sub(u64::try_from(self.told.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_told_in_a_line_each() {
        let mut left = LeftOut::default();
        assert!(left.is_nothing());
        for what in ["'a\\012' is a socket", "\u{1b}[2Jb\n", &"x".repeat(5000)] {
            left.add(what, 3);
        }
        left.add("one more", 3);
        assert_eq!((left.total, left.untold(), left.told.len()), (4, 1, 3));
        assert_eq!(left.told.first().map(String::as_str), Some("'a\\012' is a socket"));
        assert!(left.told.iter().all(|told| told.chars().count() <= LONGEST && !told.contains(char::is_control)));
    }
}
