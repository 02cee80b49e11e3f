//! `Head`: what the comments of a list say, which stand above its entries.

use super::within::Within;
use super::{BYTES, CHANGED, LEFT_OUT, TITLE};
use crate::left_out::LeftOut;
use crate::name::Name;

/// As many files of a point may lie in other repositories.
const ELSEWHERE: usize = 64;

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// How many bytes the files have; none until the title was read.
    pub(super) told: Option<u64>,
    /// Files whose bytes lie in other repositories, and how long each is once its entry came.
    pub(super) within: Vec<(Within, Option<u64>)>,
    /// What could not be read, is nothing that a point holds, or changed while it was read.
    pub(super) left_out: LeftOut,
}

impl Head {
    /// Takes a comment, of which `most` that something was left out are kept. `is_over` says that there were entries.
    /// Gives what is wrong with it, if anything is.
    pub(super) fn take(&mut self, text: &str, most: usize, is_over: bool) -> Option<String> {
        let told = text.strip_prefix(TITLE).and_then(|rest| rest.rsplit_once(BYTES));
        self.told = self.told.or_else(|| told.and_then(|(_, bytes)| bytes.parse().ok()));
        let changed = || {
            let name = text.strip_prefix(CHANGED)?;
            Some(format!("{name} as of one moment: it changed while it was read, and is kept as it was found"))
        };
        if let Some(what) = text.strip_prefix(LEFT_OUT).map(ToOwned::to_owned).or_else(changed) {
            self.left_out.add(&what, most);
            // By then the point was given as one that lacks less.
            return is_over.then(|| "it says below its first entry what it left out".to_owned());
        }
        match Within::parse(text)? {
            Ok(_) if self.within.len() >= ELSEWHERE => {
                Some(format!("more than {ELSEWHERE} files lie in other repositories"))
            }
            Ok(within) => {
                self.within.push((within, None));
                None
            }
            Err(what) => Some(what),
        }
    }

    /// Whether the bytes of this file lie elsewhere; takes note of how many they are.
    pub(super) fn has_elsewhere(&mut self, path: Option<&Name>, length: u64) -> bool {
        let found = self.within.iter_mut().find(|(within, _)| path == Some(&within.path));
        found.map(|(_, found)| *found = Some(length)).is_some()
    }
}
