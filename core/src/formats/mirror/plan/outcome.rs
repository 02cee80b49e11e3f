//! `Outcome`: what became of the versions of a part of a plan, both directions.
//!
//! ```text
//! # highwater mirror 1 part 17 of 0123456789abcdef
//! had 904 md5
//! had 905 parts 8388608
//! had 906 own 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! want gone a/b J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg fbebe2d44529d0a25247e8b5bca5956b 904 404\040Not\040Found
//! # end 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! The first line names the part, from 0, and the sum of its lines, so that what another plan left says nothing of this
//! one. Then comes what was had, in the order of its rows' numbers: what proves it, its MD5, its parts of so many
//! bytes, or nothing but the SHA-256 of what arrived. Then what could not be had, as in
//! [`wanted`](super::super::wanted). The last line is the seal of those above it.

use super::super::index::Proof;
use super::super::wanted::Wanted;
use super::part::Part;
use crate::digest::{Algorithm, Digest};
use crate::mtree::Seal;
use crate::odd::Odd;

/// What is known of a body that lies where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Had {
    /// What S3 recorded of its bytes.
    pub proof: Proof,
    /// The SHA-256 of what arrived, where nothing else proves it.
    pub own: Option<[u8; 32]>,
}

/// What became of the versions of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was had, by the numbers of the rows, in their order.
    pub had: Vec<(u64, Had)>,
    /// What could not be had.
    pub wanted: Vec<Wanted>,
}

impl Outcome {
    /// Whether it says of every version of the part what became of it.
    #[must_use]
    pub fn is_whole(&self, part: &Part) -> bool {
        self.had.len().saturating_add(self.wanted.len()) as u64 == part.fetches
    }

    /// Writes it down, for the part of this number.
    #[must_use]
    pub fn text(&self, number: u64, part: &Part) -> String {
        let mut text = title(number, part);
        for (row, had) in &self.had {
            text.push_str(&match (had.proof, had.own) {
                (Proof::Md5, _) => format!("had {row} md5\n"),
                (Proof::Parts(length), _) => format!("had {row} parts {length}\n"),
                (Proof::Nothing, own) => {
                    let own = Digest::new(Algorithm::Sha256, &own.unwrap_or_default());
                    format!("had {row} own {}\n", own.map(|own| own.to_string()).unwrap_or_default())
                }
            });
        }
        for wanted in &self.wanted {
            text.push_str("want ");
            text.push_str(&wanted.line());
        }
        let mut seal = Seal::default();
        seal.push(&text);
        text.push_str(&seal.end());
        text
    }

    /// Reads it back.
    ///
    /// # Errors
    /// It is not what was written of this part, and where that shows.
    pub fn read(text: &str, number: u64, part: &Part) -> Result<Self, Odd> {
        let (mut outcome, mut seal, mut at) = (Self::default(), Seal::default(), 0_u64);
        let mut lines = text.split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        if first != title(number, part) {
            return Err(Odd::new(0, "it is not of this part of this plan"));
        }
        seal.push(first);
        at = at.saturating_add(first.len() as u64);
        while let Some(line) = lines.next() {
            if line.starts_with('#') {
                return match (line == seal.end(), lines.next()) {
                    (true, None) => Ok(outcome),
                    (true, Some(_)) => Err(Odd::new(at, "it goes on behind its last line")),
                    (false, _) => Err(Odd::new(at, "its last line is not the seal of those above")),
                };
            }
            seal.push(line);
            let taken = line.strip_suffix('\n').and_then(|line| outcome.take(line));
            taken.ok_or_else(|| Odd::new(at, "a line does not say what became of a version"))?;
            at = at.saturating_add(line.len() as u64);
        }
        Err(Odd::new(at, "it ends without its last line, so it was cut"))
    }

    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(line) = line.strip_prefix("want ") {
            self.wanted.push(Wanted::parse(line)?);
            return Some(());
        }
        let words: Vec<&str> = line.split(' ').collect();
        let (row, had) = match *words {
            ["had", row, "md5"] => (row, Had { proof: Proof::Md5, own: None }),
            ["had", row, "parts", length] => (row, Had { proof: Proof::Parts(length.parse().ok()?), own: None }),
            ["had", row, "own", own] => {
                let own = Digest::from_hex(Algorithm::Sha256, own.as_bytes())?;
                (row, Had { proof: Proof::Nothing, own: own.as_bytes().first_chunk().copied() })
            }
            _ => return None,
        };
        let row = row.parse().ok()?;
        // No row is there twice.
        if self.had.last().is_some_and(|(last, _)| *last >= row) {
            return None;
        }
        self.had.push((row, had));
        Some(())
    }
}

fn title(number: u64, part: &Part) -> String {
    format!("# highwater mirror 1 part {number} of {:016x}\n", part.sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mirror::wanted::Why;

    const PART: Part = Part { at: 27, length: 1000, fetches: 4, bytes: 99, sum: 0xabc };

    fn outcome() -> Outcome {
        let had = vec![
            (3, Had { proof: Proof::Md5, own: None }),
            (4, Had { proof: Proof::Parts(8 << 20), own: None }),
            (900, Had { proof: Proof::Nothing, own: Some([7; 32]) }),
        ];
        let (key, version) = (b"a b\n".to_vec(), b"null".to_vec());
        let wanted =
            Wanted { why: Why::Gone, key, version, etag: Vec::new(), size: 9, message: "404 Not\nFound".into() };
        Outcome { had, wanted: vec![wanted] }
    }

    #[test]
    fn what_is_written_is_read() {
        let outcome = outcome();
        assert_eq!(Outcome::read(&outcome.text(17, &PART), 17, &PART), Ok(outcome.clone()));
        assert!(outcome.is_whole(&PART));
        assert!(!outcome.is_whole(&Part { fetches: 5, ..PART }));
        assert_eq!(Outcome::read(&Outcome::default().text(0, &PART), 0, &PART), Ok(Outcome::default()));
    }

    #[test]
    fn what_another_plan_or_part_left_says_nothing() {
        let text = outcome().text(17, &PART);
        assert!(Outcome::read(&text, 16, &PART).is_err());
        assert!(Outcome::read(&text, 17, &Part { sum: 0xabd, ..PART }).is_err());
    }

    #[test]
    fn a_row_that_is_there_twice_is_refused() {
        let mut outcome = outcome();
        outcome.had.insert(1, outcome.had[0]);
        assert!(Outcome::read(&outcome.text(17, &PART), 17, &PART).is_err());
    }

    #[test]
    fn every_cut_and_flip_is_noticed() {
        let text = outcome().text(17, &PART);
        for cut in 0..text.len() {
            assert!(Outcome::read(&text[..cut], 17, &PART).is_err(), "{cut}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            assert!(Outcome::read(&flipped, 17, &PART).is_err(), "bit {bit}");
        }
    }
}
