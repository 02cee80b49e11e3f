//! `Live`: a store that its program goes on writing, of which a checkpoint is made, read, and removed again.
//!
//! The checkpoint lies in a hidden work folder beside the store, where tables are links and nothing is copied; where that
//! is another file system, or may not be written, it lies in the set. A dry run makes none, as nothing may be written: it
//! reads what lies in the store's folder while that changes.

use std::collections::HashMap;
use std::sync::Arc;

use highwater_core::name::Name;

use super::{Changes, Frozen, Listed, Set, Source};
use crate::disk::like::Like;
use crate::disk::{Disk, WorkFolder, sweep};
use crate::error::Error;
use crate::live::{self, State};
use crate::shown::quoted;
use crate::watch::Watch;

/// What the work folder is called, before the digits.
const WORK: &[u8] = b".highwater-frozen";

/// The checkpoint in it.
const STORE: &[u8] = b"store";

/// The file that tells a RocksDB from every other.
const IDENTITY: &str = "IDENTITY";

/// A store of one of the kinds that checkpoints are made of.
pub struct Live {
    kind: &'static str,
    store: Arc<dyn Disk>,
    beside: Option<Arc<dyn Disk>>,
    /// The set that is written to.
    set: Arc<dyn Disk>,
    work: Option<WorkFolder>,
}

impl Live {
    /// A store of this kind, which lies in the folder `beside`; `set` is the set that is written to.
    #[must_use]
    pub fn new(kind: &'static str, store: Arc<dyn Disk>, beside: Option<Arc<dyn Disk>>, set: Arc<dyn Disk>) -> Self {
        Self { kind, store, beside, set, work: None }
    }

    /// An empty folder, beside the store or in the set.
    fn room(&self, watch: &Watch<'_>) -> Result<(WorkFolder, Arc<dyn Disk>), Error> {
        let beginning = Name::new(WORK)?;
        let device = |disk: &dyn Disk| disk.identity(None).map(|(device, _)| device);
        let beside = self.beside.as_ref().filter(|beside| device(&***beside) == device(&*self.store));
        let make = |disk: &Arc<dyn Disk>| {
            let work = WorkFolder::of(Arc::clone(disk), &beginning)?;
            let (folder, inside) = work.folder(STORE)?;
            let look = self.store.look(None)?.ok_or(std::io::ErrorKind::NotFound)?;
            // Its time is given at last, by whoever fills it.
            _ = Like::of(&look).give(&*folder)?;
            Ok::<_, std::io::Error>((work, inside))
        };
        sweep(&*self.set, &beginning, watch)?;
        if let Some(beside) = beside {
            let made = sweep(&**beside, &beginning, watch).map_err(|error| error.to_string());
            match made.and_then(|()| make(beside).map_err(|error| error.to_string())) {
                Ok(made) => return Ok(made),
                Err(error) => watch.note(format!("the checkpoint does not lie beside the store: {error}")),
            }
        }
        make(&self.set).map_err(Error::of_folder("make a work folder in", &*self.set, None))
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
        let (work, inside) = self.room(watch)?;
        let State { summary, tokens, is_settled } =
            live::catch(&*self.store, self.beside.as_deref(), &*inside, self.kind, watch)?;
        self.work = Some(work);
        Ok(Frozen {
            root: Some(inside),
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
        self.work.is_none()
    }

    fn thaw(&mut self, _watch: &Watch<'_>) -> Result<(), Error> {
        let removed = self.work.take().map_or(Ok(()), WorkFolder::remove);
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
