//! `Ahead`: what is committed and not in the database yet, and whether that holds still meanwhile.

use super::found::{STORE, finding};
use super::names::{self, Waiting};
use crate::finding::{Code, Finding};
use crate::inspect::Entry;
use crate::name::Name;

/// What is committed and not in the database yet.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The database holds still, and is whole transactions.
    pub(super) is_snapshot: bool,
    /// Files lie beside the database.
    pub(super) beside: bool,
    /// How many transactions are in the journal, and the last of them.
    transactions: u64,
    last: u64,
    /// Folders of the journal that are to be listed.
    folders: Vec<Name>,
    /// Something is in the journal that was never committed.
    is_begun: bool,
    replica: Option<Name>,
}

impl Ahead {
    /// Takes an entry of the journal, and says what is odd about it.
    pub(super) fn take(&mut self, entry: &Entry) -> Option<Finding> {
        let name = Name::new(names::JOURNAL.as_bytes()).and_then(|journal| journal.join(entry.name.as_bytes())).ok()?;
        match names::waiting(entry.name.as_bytes()) {
            Some(Waiting::Done(id)) => {
                self.transactions = self.transactions.saturating_add(1);
                self.last = self.last.max(id);
                // While the database holds still, nothing of theirs is in it.
                if !self.is_snapshot {
                    self.folders.push(name);
                }
            }
            Some(Waiting::Begun) => self.is_begun = true,
            Some(Waiting::Replica) => self.replica = Some(name),
            None => {
                let message = "it does not belong into a journal, and the engine does not start while it is there";
                return Some(finding(Code::Malformed, name, None, message));
            }
        }
        None
    }

    /// The next folder of the journal that is to be listed.
    pub(super) fn next(&mut self) -> Option<Name> {
        self.folders.pop()
    }

    /// What is to be said, once all was taken.
    pub(super) fn judge(&mut self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(name) = self.replica.clone().filter(|_| self.is_begun || self.transactions > 0 || self.beside) {
            let message = "transactions are in the journal beside this increment of a replica, or files in B, and the \
                           engine does not start with both";
            found.push(finding(Code::Malformed, name, None, message));
        }
        let mut parts = Vec::new();
        if self.transactions > 0 {
            let Self { transactions, last, .. } = self;
            parts.push(match transactions {
                1 => format!("a transaction, {last:016X}, is in the journal"),
                _ => format!("{transactions} transactions are in the journal, the last of them {last:016X}"),
            });
        }
        if self.beside {
            parts.push(format!("files are in {}", names::BESIDE));
        }
        if self.replica.is_some() {
            parts.push(format!("an increment is in {}/{}", names::JOURNAL, names::REPLICA));
        }
        if parts.is_empty() {
            return found;
        }
        let still = if self.is_snapshot {
            "the store is in snapshot mode, so the database is whole without that"
        } else {
            "the store is not in snapshot mode, so some of that may be in the database already"
        };
        let message = format!("committed, and not in the database yet: {}; {still}", parts.join(", "));
        found.push(Finding { code: Code::Pending, object: None, offset: None, message, hurts: STORE });
        found
    }
}
