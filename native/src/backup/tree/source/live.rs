//! `Live`: a store that its program goes on writing, of which a checkpoint is made, read, and removed again.
//!
//! The checkpoint lies in a hidden work folder beside the store, where tables are links and nothing is copied; where
//! that is another file system, or may not be written, it lies in the set. A dry run makes none, as nothing may be
//! written: it reads what lies in the store's folder while that changes.

use std::collections::HashMap;
use std::sync::Arc;

use highwater_core::name::Name;

use super::{Changes, Frozen, Listed, Set, Source};
use crate::disk::Disk;
use crate::error::Error;
use crate::live::{Fleet, Fleeting, State};
use crate::shown::quoted;
use crate::watch::Watch;

/// The file that tells a RocksDB from every other.
const IDENTITY: &str = "IDENTITY";

/// A store of one of the kinds that checkpoints are made of.
pub struct Live {
    kind: &'static str,
    store: Arc<dyn Disk>,
    beside: Option<Arc<dyn Disk>>,
    /// The set that is written to.
    set: Arc<dyn Disk>,
    checkpoint: Option<Fleeting>,
}

impl Live {
    /// A store of this kind, which lies in the folder `beside`; `set` is the set that is written to.
    #[must_use]
    pub fn new(kind: &'static str, store: Arc<dyn Disk>, beside: Option<Arc<dyn Disk>>, set: Arc<dyn Disk>) -> Self {
        Self { kind, store, beside, set, checkpoint: None }
    }
}

impl Source for Live {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn store(&self) -> &dyn Disk {
        &*self.store
    }

    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        let identity = identity(self.kind, &*self.store);
        if set.dry_run {
            return Ok(Frozen {
                root: Some(Arc::clone(&self.store)),
                listed: Listed::All,
                elsewhere: Vec::new(),
                identity,
                position: None,
                notes: vec![format!(
                    "a dry run makes no checkpoint: these are the files that lie in the {} store now, some of which a \
                     point would not have",
                    self.kind
                )],
                wrong: Vec::new(),
                token: None,
                changes: Changes::Expected,
                tokens: HashMap::new(),
                is_settled: |_| false,
            });
        }
        let places: Vec<&Arc<dyn Disk>> = self.beside.iter().chain([&self.set]).collect();
        let fleet = Fleet { store: &self.store, beside: self.beside.as_ref(), places: &places };
        let (checkpoint, State { summary, tokens, is_settled }) = Fleeting::make(&fleet, Some(self.kind), watch)?;
        let root = Arc::clone(&checkpoint.root);
        self.checkpoint = Some(checkpoint);
        Ok(Frozen {
            root: Some(root),
            listed: Listed::All,
            elsewhere: Vec::new(),
            identity,
            position: Some(summary.position).filter(|position| !position.is_empty()),
            notes: summary.notes,
            wrong: Vec::new(),
            token: None,
            changes: Changes::BreakIt,
            tokens,
            is_settled,
        })
    }

    fn stays(&self) -> bool {
        self.checkpoint.is_none()
    }

    fn thaw(&mut self, _watch: &Watch<'_>) -> Result<(), Error> {
        let removed = self.checkpoint.take().map_or(Ok(()), Fleeting::remove);
        removed.map_err(|error| {
            let store = quoted(&self.store.told(None));
            Error::failed(format!("the checkpoint of {store} that was read stays, until the next run: {error}"))
        })
    }
}

/// What the store calls itself; none if it does not, or by no word.
fn identity(kind: &str, store: &dyn Disk) -> Option<String> {
    let name = Name::new(IDENTITY.as_bytes()).ok().filter(|_| kind == "rocksdb")?;
    let mut bytes = [0; 64];
    let read = store.open(&name).and_then(|object| object.read_at(0, &mut bytes)).ok()?;
    super::word(&bytes[..read])
}
