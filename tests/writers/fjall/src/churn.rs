//! Keyspaces that come and go: `churn-r` is created and filled with a batch that says so everywhere; the next round
//! drops it after a batch that says that.

use fjall::{Database, Keyspace};
use writer_common::{Outcome, number};

use crate::keyspaces::creation;

/// How many batches lie between two rounds.
const BETWEEN: u64 = 3000;

/// The rounds of a writer.
pub struct Churn<'a> {
    database: &'a Database,
    keyspaces: &'a [(&'static str, Keyspace)],
    round: u64,
}

/// The keyspace of a round.
pub fn name(round: u64) -> String {
    format!("churn-{round}")
}

impl<'a> Churn<'a> {
    /// Go on after the round that the store holds, and drop what a killed writer left.
    pub fn open(database: &'a Database, keyspaces: &'a [(&'static str, Keyspace)]) -> Outcome<Self> {
        let (_, first) = &keyspaces[0];
        let round = first.get("churn")?.and_then(|value| number(&value)).unwrap_or(0);
        let churn = Self { database, keyspaces, round };
        // Created, and killed before the batch that fills it.
        churn.drop_keyspace(round + 1)?;
        if let Some(dropping) = first.get("dropping")?.and_then(|value| number(&value)) {
            churn.drop_keyspace(dropping)?;
        }
        Ok(churn)
    }

    /// Drop the keyspace of the last round and create the next, if it is time to.
    pub fn after(&mut self, last: u64) -> Outcome<()> {
        if !last.is_multiple_of(BETWEEN) {
            return Ok(());
        }
        if self.round > 0 {
            let mut batch = self.database.batch();
            for (_, keyspace) in self.keyspaces {
                batch.insert(keyspace, "dropping", self.round.to_string());
            }
            batch.commit()?;
            self.drop_keyspace(self.round)?;
        }
        self.round += 1;
        let called = name(self.round);
        let fresh = self.database.keyspace(&called, || creation(&called))?;
        let mut batch = self.database.batch();
        batch.insert(&fresh, "round", self.round.to_string());
        for (_, keyspace) in self.keyspaces {
            batch.insert(keyspace, "churn", self.round.to_string());
        }
        batch.commit()?;
        Ok(())
    }

    fn drop_keyspace(&self, round: u64) -> Outcome<()> {
        let called = name(round);
        if self.database.keyspace_exists(&called) {
            self.database.delete_keyspace(self.database.keyspace(&called, || creation(&called))?)?;
        }
        Ok(())
    }
}
