//! `Root`: what the listing of a store's own folder shows: its journals, its lock, and what is odd about them.

use std::collections::BTreeSet;

use super::found::{STORE, finding};
use super::names;
use crate::finding::{Code, Finding};
use crate::inspect::Entry;
use crate::name::Name;

/// What the listing of the root shows.
#[derive(Default)]
pub(super) struct Root {
    pub(super) journals: BTreeSet<u64>,
    lock: bool,
}

impl Root {
    /// Takes an entry, and says what is odd about it.
    pub(super) fn take(&mut self, entry: &Entry) -> Option<Finding> {
        let name = entry.name.as_bytes();
        self.lock |= name == names::LOCK.as_bytes() && entry.kind.may_be_file();
        let why = match names::is_journal(name) {
            Some(id) if entry.kind.may_be_file() => {
                self.journals.insert(id);
                return None;
            }
            Some(_) => "it has the name of a journal, and is no file",
            None if entry.name.as_str().is_none() => {
                "its name is no text, and the engine opens no store with such a file"
            }
            None if is_like_a_journal(name) => {
                "it has the ending of a journal, and no name that the engine gives to one"
            }
            None => return None,
        };
        Some(finding(Code::Malformed, entry.name.clone(), None, why))
    }

    /// Tells what is wrong once all entries were taken.
    pub(super) fn judge(self, out: &mut Vec<Finding>) {
        let Self { journals, lock } = self;
        if let (false, Ok(name)) = (lock, Name::new(names::LOCK.as_bytes())) {
            let message = "it is not there, and the engine opens no store without it; it is an empty file";
            out.push(finding(Code::Missing, name, None, message));
        }
        if journals.is_empty() {
            let message = "there is no journal, and a store always has one".to_owned();
            out.push(Finding { code: Code::Missing, object: None, offset: None, message, hurts: STORE });
        }
        for (before, behind) in journals.iter().zip(journals.iter().skip(1)) {
            let first = before.saturating_add(1);
            if let Some(name) = names::journal(first).filter(|_| first < *behind) {
                let message = format!(
                    "it is not there, the first of {} between {before} and {behind}; the engine removes the oldest \
                     first, so it did not remove these",
                    behind.saturating_sub(first)
                );
                out.push(finding(Code::Missing, name, None, message));
            }
        }
    }
}

/// Whether the engine takes a file for a journal: by what stands behind the last dot of its name, if anything stands
/// before that, in any case.
fn is_like_a_journal(name: &[u8]) -> bool {
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    dot.and_then(|at| name.get(at..)).is_some_and(|ending| ending.eq_ignore_ascii_case(names::JOURNAL.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Kind;

    /// What is said of a root with these files, by object.
    fn judged(files: &[&str]) -> Vec<(Option<String>, Code)> {
        let (mut root, mut found) = (Root::default(), Vec::new());
        for name in files {
            found.extend(root.take(&Entry::new(Name::new(name.as_bytes()).unwrap(), Kind::File)));
        }
        root.judge(&mut found);
        found.into_iter().map(|finding| (finding.object.map(|name| name.to_string()), finding.code)).collect()
    }

    #[test]
    fn a_root_has_its_lock_and_journals_without_a_gap() {
        let missing = |name: &str| (Some(name.to_owned()), Code::Missing);
        assert_eq!(judged(&["lock", "7.jnl", "8.jnl", "9.jnl", "notes", ".jnl"]), []);
        assert_eq!(judged(&["7.jnl"]), [missing("lock")]);
        assert_eq!(judged(&["lock"]), [(None, Code::Missing)]);
        assert_eq!(judged(&["lock", "7.jnl", "9.jnl", "12.jnl"]), [missing("8.jnl"), missing("10.jnl")]);
        assert_eq!(judged(&["lock", "0.jnl", "18446744073709551615.jnl"]), [missing("1.jnl")]);
    }

    #[test]
    fn what_the_engine_would_take_for_a_journal_is_told() {
        for name in ["07.jnl", "x.jnl", "3.JNL", "18446744073709551616.jnl"] {
            let found = judged(&["lock", "0.jnl", name]);
            assert_eq!(found, [(Some(name.to_owned()), Code::Malformed)], "{name}");
        }
    }
}
