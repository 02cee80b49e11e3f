//! `Step`: a line of a plan, both directions.
//!
//! ```text
//! # highwater mirror 1 plan
//! fetch 0 l 904 1730851200 0 a/b J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg fbebe2d44529d0a25247e8b5bca5956b
//! move retired a/c a/c.old.kwvZf1xKzwFUvPZe.0cc175b9c0f1b6a831c399e269772661
//! touch 1730851200 0 a/d
//! remove 904 a/b.old.J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg.fbebe2d44529d0a25247e8b5bca5956b
//! # end 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! A line of `fetch` has the number of its row among those of the index that are wanted, letters (`l`: the latest of
//! its key; `a`: which lies aside; `s`: staged; `t`: tried before; `-`: none of them), the length, seconds since 1970
//! and nanoseconds, key, version and ETag. Keys, names and words are written as paths in lists of mtree(5) are; an
//! empty one is `\`. The last line is the seal of those above it.

use super::super::index::text;
use super::super::names;
use super::{Fetch, Item, Why};
use crate::inventory::Etag;
use crate::mtree::{escape, unescape};
use crate::name::Name;

/// The first line.
pub const TITLE: &str = "# highwater mirror 1 plan\n";

/// What is empty.
const EMPTY: &str = "\\";

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A version is to be had.
    Fetch(Wish),
    /// A file has another place.
    Move {
        /// Where it lies.
        from: Name,
        /// Where it is to lie.
        to: Name,
        /// Why.
        why: Why,
    },
    /// A file was written at another time than it says.
    Touch {
        /// Where it lies when all is done.
        at: Name,
        /// When it was written: seconds since 1970, and nanoseconds.
        modified: (i64, u32),
    },
    /// A file goes.
    Remove {
        /// Where it lies.
        at: Name,
        /// Its length in bytes: any other file stays.
        size: u64,
    },
}

/// A version that is to be had; [`Fetch`] that lives on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The key.
    pub key: Vec<u8>,
    /// The version.
    pub version: Vec<u8>,
    /// The ETag's text.
    pub etag: Vec<u8>,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// As in [`Fetch`].
    pub number: u64,
    /// As in [`Fetch`].
    pub latest: bool,
    /// As in [`Fetch`].
    pub aside: bool,
    /// As in [`Fetch`].
    pub staged: bool,
    /// As in [`Fetch`].
    pub again: bool,
}

impl Wish {
    /// Where it is to lie.
    #[must_use]
    pub fn place(&self) -> Option<Name> {
        match self.latest {
            true => names::latest(&self.key, self.aside),
            false => names::old(&self.key, &self.version, &text(&Etag::parse(&self.etag))),
        }
    }
}

impl Why {
    const ALL: [(Self, &'static str); 3] = [(Self::Retired, "retired"), (Self::Back, "back"), (Self::Aside, "aside")];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(why, _)| *why == self).map_or("", |(_, word)| word)
    }
}

impl Item<'_> {
    /// Writes its line.
    pub fn push(&self, out: &mut String) {
        match self {
            Item::Fetch(Fetch { key, version, etag, size, modified, number, latest, aside, staged, again }) => {
                let letters = [(*latest, 'l'), (*aside, 'a'), (*staged, 's'), (*again, 't')];
                // There is one for each version of a bucket, at first: no text is made but this.
                out.push_str("fetch ");
                decimal(*number, out);
                out.push(' ');
                out.extend(letters.iter().filter(|(is, _)| *is).map(|(_, letter)| *letter));
                out.push_str(if letters.iter().any(|(is, _)| *is) { " " } else { "- " });
                decimal(*size, out);
                let (seconds, nanos) = modified;
                out.push_str(if *seconds < 0 { " -" } else { " " });
                decimal(seconds.unsigned_abs(), out);
                out.push(' ');
                decimal(u64::from(*nanos), out);
                for bytes in [key, version] {
                    out.push(' ');
                    push_word(bytes, out);
                }
                out.push(' ');
                push_word(&text(etag), out);
                out.push('\n');
            }
            Item::Move { from, to, why } => {
                let (from, to) = (word(from.as_bytes()), word(to.as_bytes()));
                out.push_str(&format!("move {} {from} {to}\n", why.word()));
            }
            Item::Touch { at, modified: (seconds, nanos) } => {
                out.push_str(&format!("touch {seconds} {nanos} {}\n", word(at.as_bytes())));
            }
            Item::Remove { at, size } => out.push_str(&format!("remove {size} {}\n", word(at.as_bytes()))),
        }
    }
}

/// Reads a line, without its end; none if it is no step.
#[must_use]
pub fn parse(line: &str) -> Option<Step> {
    let words: Vec<&str> = line.split(' ').collect();
    let name = |word: &str| Name::new(&bytes(word)?).ok();
    let modified = |seconds: &str, nanos: &str| {
        let nanos: u32 = nanos.parse().ok()?;
        Some((seconds.parse().ok()?, Some(nanos).filter(|nanos| *nanos < 1_000_000_000)?))
    };
    match *words {
        ["fetch", number, letters, size, seconds, nanos, key, version, etag] => {
            if letters != "-" && !letters.trim_matches(['l', 'a', 's', 't']).is_empty() {
                return None;
            }
            let has = |letter| letters.contains(letter);
            Some(Step::Fetch(Wish {
                key: bytes(key).filter(|key| !key.is_empty())?,
                version: bytes(version)?,
                etag: bytes(etag)?,
                size: size.parse().ok()?,
                modified: modified(seconds, nanos)?,
                number: number.parse().ok()?,
                latest: has('l'),
                aside: has('a'),
                staged: has('s'),
                again: has('t'),
            }))
        }
        ["move", why, from, to] => {
            let why = Why::ALL.iter().find(|(_, word)| *word == why)?.0;
            Some(Step::Move { from: name(from)?, to: name(to)?, why })
        }
        ["remove", size, at] => Some(Step::Remove { at: name(at)?, size: size.parse().ok()? }),
        ["touch", seconds, nanos, at] => Some(Step::Touch { at: name(at)?, modified: modified(seconds, nanos)? }),
        _ => None,
    }
}

fn word(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_word(bytes, &mut text);
    text
}

fn push_word(bytes: &[u8], out: &mut String) {
    if bytes.is_empty() { out.push_str(EMPTY) } else { escape(bytes, out) }
}

fn decimal(mut number: u64, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut from = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        from -= 1;
        if number == 0 {
            break;
        }
    }
    out.push_str(digits.get(from..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
}

fn bytes(word: &str) -> Option<Vec<u8>> {
    if word == EMPTY { Some(Vec::new()) } else { unescape(word.as_bytes()).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_are_written() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        let fetch = Fetch {
            key: b"a b/\xff\n%",
            version: b"",
            etag: Etag::Other(b""),
            size: u64::MAX,
            modified: (-1, 999_999_999),
            number: 7,
            latest: true,
            aside: true,
            staged: true,
            again: true,
        };
        let plain = Fetch { latest: false, aside: false, staged: false, again: false, ..fetch.clone() };
        let items = [
            Item::Fetch(fetch),
            Item::Fetch(plain),
            Item::Move { from: name("a #b"), to: name("c\\d"), why: Why::Aside },
            Item::Touch { at: name("x=y"), modified: (0, 0) },
            Item::Remove { at: name("x y\n"), size: u64::MAX },
        ];
        for item in items {
            let mut line = String::new();
            item.push(&mut line);
            let step = parse(line.trim_end_matches('\n')).unwrap();
            match (&item, &step) {
                (Item::Fetch(one), Step::Fetch(two)) => {
                    assert_eq!((one.key, one.number, one.size), (&*two.key, two.number, two.size));
                    assert_eq!((one.latest, one.aside, one.staged), (two.latest, two.aside, two.staged));
                    assert_eq!((one.modified, one.again, one.version), (two.modified, two.again, &*two.version));
                }
                (Item::Move { from, to, why }, Step::Move { from: a, to: b, why: c }) => {
                    assert_eq!((from, to, why), (a, b, c));
                }
                (Item::Touch { at, modified }, Step::Touch { at: a, modified: b }) => {
                    assert_eq!((at, modified), (a, b));
                }
                (Item::Remove { at, size }, Step::Remove { at: a, size: b }) => assert_eq!((at, size), (a, b)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for line in [
            "",
            "fetch",
            "fetch 0 x 1 0 0 a b c",
            "fetch 0 l 1 0 1000000000 a b c",
            "fetch 0 l 1 0 0 \\ b c",
            "fetch -1 l 1 0 0 a b c",
            "move retired ../a b",
            "move retired /a b",
            "move gone a b",
            "touch 0 0 a/../../b",
            "touch 0 0 a b",
            "remove a",
            "remove -1 a",
            "remove 1 ../a",
            "remove 1 a b",
            "# end",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
