//! `Moving`: looks again at a store that its own program changes meanwhile, until two looks agree.
//!
//! What such a program replaces is gone a moment later, and a head that is read while it is written is torn. So
//! whatever a look finds wrong is looked at again from the start: what was there for both looks is so, what only the
//! last one saw is not believed yet. Claims and trails that were found sound are not read again.

use std::collections::HashMap;

use crate::finding::{Code, Finding, Findings, Hurts, Severity};

/// How often a store is looked at. A look in which nothing was replaced takes no other, so this is the patience with
/// one whose files live shorter than a look takes.
const LOOKS: u32 = 10;

/// What is known of a store that moves.
#[derive(Debug, Default)]
pub(crate) struct Moving {
    looks: u32,
    /// The keys of what was found sound, and how many decoded bytes were checked for each.
    sound: HashMap<u128, u64>,
    /// What the look before this one found.
    before: Option<Findings>,
}

impl Moving {
    /// Notes that a claim or trail was found sound.
    pub(crate) fn is_sound(&mut self, key: u128, bytes: u64) {
        self.sound.insert(key, bytes);
    }

    /// How many bytes were checked of what was found sound already; none of all else.
    pub(crate) fn known(&self, key: u128) -> Option<u64> {
        self.sound.get(&key).copied()
    }

    /// A look has ended with these findings: whether another is needed. If none is, what is left are the findings to
    /// be believed.
    pub(crate) fn again(&mut self, findings: &mut Findings) -> bool {
        self.looks = self.looks.saturating_add(1);
        let Some(before) = &self.before else {
            let found = !findings.is_empty();
            if found {
                self.before = Some(std::mem::take(findings));
            }
            return found;
        };
        if findings == before {
            return false;
        }
        let is_new = |finding: &Finding| before.sample().all(|other| other != finding);
        let moved = findings.sample().any(|finding| finding.code.severity() > Severity::Warning && is_new(finding));
        if moved && self.looks < LOOKS {
            self.before = Some(std::mem::take(findings));
            return true;
        }
        let mut agreed = Findings::default();
        findings.sample().filter(|finding| !is_new(finding)).for_each(|finding| agreed.push(finding.clone()));
        if moved {
            agreed.push(Finding {
                code: Code::Moved,
                object: None,
                offset: None,
                message: format!("at each of {LOOKS} looks, its files had been replaced since the look before"),
                hurts: Hurts::All,
            });
        }
        *findings = agreed;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn findings(some: &[(Code, &str)]) -> Findings {
        let mut findings = Findings::default();
        for (code, object) in some {
            let object = Name::new(object.as_bytes()).ok();
            findings.push(Finding { code: *code, object, offset: None, message: "m".to_owned(), hurts: Hurts::One(0) });
        }
        findings
    }

    /// How many looks it takes, and what is believed at the end.
    fn looks(each: &[&[(Code, &str)]]) -> (u32, Findings) {
        let mut moving = Moving::default();
        let mut number = 0;
        loop {
            let mut found = findings(each[number.min(each.len() - 1)]);
            if !moving.again(&mut found) {
                return (moving.looks, found);
            }
            assert!(found.is_empty(), "what a look found that is not the last is no finding");
            number += 1;
        }
    }

    #[test]
    fn what_two_looks_saw_is_so_and_what_one_saw_is_not() {
        let (missing, torn) = ((Code::Missing, "1"), (Code::TornTail, "log"));
        assert_eq!(looks(&[&[]]), (1, Findings::default()));
        assert_eq!(looks(&[&[missing], &[]]), (2, Findings::default()));
        assert_eq!(looks(&[&[missing], &[missing]]), (2, findings(&[missing])));
        assert_eq!(looks(&[&[missing], &[(Code::Missing, "2")], &[]]), (3, Findings::default()));
        assert_eq!(looks(&[&[(Code::Missing, "2")], &[(Code::Missing, "2"), missing]]).0, 3);
        // A warning alone is worth one more look, and no third.
        assert_eq!(looks(&[&[torn], &[(Code::TornTail, "log2")]]), (2, Findings::default()));
        assert_eq!(looks(&[&[missing, torn], &[torn]]), (2, findings(&[torn])));
    }

    #[test]
    fn a_store_that_never_holds_still_is_neither_damaged_nor_sound() {
        let names: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let each: Vec<Vec<(Code, &str)>> =
            names.iter().map(|name| vec![(Code::Missing, name.as_str()), (Code::Digest, "bad")]).collect();
        let each: Vec<&[(Code, &str)]> = each.iter().map(Vec::as_slice).collect();
        let (looks, found) = looks(&each);
        assert_eq!(looks, LOOKS);
        assert_eq!(found.tallies().keys().copied().collect::<Vec<_>>(), [Code::Digest, Code::Moved]);
    }

    #[test]
    fn of_what_was_sound_the_bytes_are_known() {
        let mut moving = Moving::default();
        moving.is_sound(7, 100);
        assert_eq!((moving.known(7), moving.known(8)), (Some(100), None));
    }
}
