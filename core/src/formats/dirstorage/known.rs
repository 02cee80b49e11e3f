//! `Known`: what an inspection knows of a store, and what it means that a file is not in the database.

use std::collections::BTreeSet;

use super::files::Files;
use super::found::finding;
use super::names::{File, Layout};
use crate::finding::{Code, Finding};

/// What is known of a store.
pub(super) struct Known {
    pub(super) layout: Layout,
    /// What the folder of the database shows.
    pub(super) files: Files,
    /// What is still on its way into the database, where that does not hold still.
    pub(super) elsewhere: BTreeSet<File>,
    /// The highest object that was given out.
    pub(super) oid: Option<u64>,
    /// The last transaction.
    pub(super) serial: Option<u64>,
    /// What is older may have been packed.
    pub(super) floor: u64,
    /// The transactions that lead back from the last one, in order.
    pub(super) chain: Vec<u64>,
    /// How many bytes revisions and transactions have.
    pub(super) bytes: u64,
}

impl Known {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            files: Files::default(),
            elsewhere: BTreeSet::new(),
            oid: None,
            serial: None,
            floor: 0,
            chain: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether a file is not there, and should be.
    pub(super) fn lacks(&self, file: File) -> bool {
        !self.files.is_torn && !self.files.has(file) && !self.elsewhere.contains(&file)
    }

    /// That a file is not there which this says should be.
    pub(super) fn missing(&self, file: File, who: File) -> Option<Finding> {
        let object = self.layout.object(file).filter(|_| self.lacks(file))?;
        let message = format!("it is not there, and {} names it", self.layout.path(who));
        Some(finding(Code::Missing, object, None, message))
    }

    /// A finding on a file.
    pub(super) fn finding(&self, code: Code, file: File, at: u64, message: impl Into<String>) -> Option<Finding> {
        self.layout.object(file).map(|object| finding(code, object, Some(at), message))
    }

    /// What is odd about the transaction that wrote a revision to which its object leads.
    pub(super) fn transaction_of(&self, revision: File, serial: u64) -> Option<Finding> {
        let transaction = File::Transaction(serial);
        if self.chain.binary_search(&serial).is_ok() {
            return None;
        }
        let path = self.layout.path(transaction);
        let (code, message) = if self.files.has(transaction) {
            // A pack that is interrupted leaves transactions that it was about to remove.
            let code = if serial >= self.floor { Code::Record } else { Code::OddRecord };
            (code, format!("its transaction, {path}, is none of those that lead back from the last one"))
        } else if serial >= self.floor && self.lacks(transaction) {
            (Code::Record, format!("its transaction, {path}, is not there"))
        } else {
            return None;
        };
        self.finding(code, revision, 64, message)
    }
}
