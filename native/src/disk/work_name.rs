//! The names that drafts have until they are whole: nobody can guess one, and every run knows them.

use std::io;

use highwater_core::name::Name;

use crate::random;

/// The longest name of a file, in bytes.
const LONGEST: usize = 255;

/// Hexadecimal digits by which one draft's name differs from another's.
const DIGITS: usize = 16;

/// The beginning of the names of all drafts of `to` that end with `ending`; between them come a dot and the digits.
fn stem<'a>(to: &'a Name, ending: &str) -> &'a [u8] {
    let last = to.last();
    last.get(..LONGEST - DIGITS - 1 - ending.len()).unwrap_or(last)
}

/// What a name is that looks like a draft's: the beginning of the name of the file that it was to be, and the ending.
pub(super) fn drafted(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = |at: usize| {
        let (digits, ending) = name.get(at + 1..)?.split_at_checked(DIGITS)?;
        let is_draft = digits.iter().all(u8::is_ascii_hexdigit) && (ending.is_empty() || ending.starts_with(b"."));
        is_draft.then(|| (&name[..at], ending))
    };
    (0..name.len()).rev().filter(|at| name[*at] == b'.').find_map(digits)
}

/// Whether a name in the folder of `to` is that of a draft of it that ends with `ending`.
pub(crate) fn is_draft(last: &[u8], to: &Name, ending: &str) -> bool {
    drafted(last) == Some((stem(to, ending), ending.as_bytes()))
}

/// Whether a name is that of a draft of anything that ends with `ending`.
pub(crate) fn is_any_draft(last: &[u8], ending: &str) -> bool {
    drafted(last).is_some_and(|(_, end)| end == ending.as_bytes())
}

/// A name of a draft of `to`, which nobody can guess.
pub(crate) fn work(to: &Name, ending: &str) -> io::Result<Name> {
    let digits = u64::from_le_bytes(random::bytes().map_err(io::Error::other)?);
    let last = [stem(to, ending), format!(".{digits:0width$x}{ending}", width = DIGITS).as_bytes()].concat();
    let name = to.folder().map_or_else(|| Name::new(&last), |folder| folder.join(&last));
    name.map_err(io::Error::other)
}
