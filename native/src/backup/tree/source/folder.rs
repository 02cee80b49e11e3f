//! `Folder`: any folder. Nobody freezes it, so a file that changes while it is read is told, and that is all.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Changes, Frozen, Listed, Set, Source};
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// A folder and all that lies in it.
pub struct Folder(pub Arc<dyn Disk>);

impl Source for Folder {
    fn kind(&self) -> &'static str {
        "folder"
    }

    fn store(&self) -> &dyn Disk {
        &*self.0
    }

    fn freeze(&mut self, _set: &Set<'_>, _watch: &Watch<'_>) -> Result<Frozen, Error> {
        Ok(Frozen {
            root: Some(Arc::clone(&self.0)),
            listed: Listed::All,
            elsewhere: Vec::new(),
            identity: None,
            position: None,
            notes: Vec::new(),
            wrong: Vec::new(),
            token: None,
            changes: Changes::Happen,
            tokens: HashMap::new(),
            is_settled: |_| false,
        })
    }
}
