//! What belongs to a database beside its file: no index of other bytes, and what its records give.

use std::io;
use std::sync::{Mutex, PoisonError};

use highwater_core::name::Name;

use super::index;
use crate::disk::Disk;
use crate::error::Error;
use crate::filestorage::{Records, records};
use crate::restore::{Run, full};
use crate::store::Object;

/// From so many bytes on, the records are read while the file is being made durable.
const BESIDE: u64 = 8 << 20;

/// The company of a target.
pub(super) struct Company<'a> {
    pub(super) to: &'a dyn Disk,
    pub(super) target: &'a Name,
    /// What its records give up to this byte, once that was read; none when nobody asks.
    pub(super) records: Option<(u64, Mutex<Option<io::Result<Records>>>)>,
}

impl<'a> Company<'a> {
    pub(super) fn of(run: &Run<'a>) -> Self {
        let Run { plan, to, target, .. } = *run;
        let reads = plan.index.is_some() && plan.end >= BESIDE;
        Self { to, target, records: reads.then(|| (plan.end, Mutex::default())) }
    }

    /// What the records gave.
    pub(super) fn finish(self) -> Option<io::Result<Records>> {
        self.records.and_then(|(_, read)| read.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl full::Company for Company<'_> {
    /// An index of the old file beside the new one could mislead the database; none never does.
    fn before(&self) -> Result<(), Error> {
        index::remove(self.to, self.target)
    }

    fn reads(&self) -> bool {
        self.records.is_some()
    }

    fn read(&self, whole: &dyn Object) {
        if let Some((end, read)) = &self.records {
            *read.lock().unwrap_or_else(PoisonError::into_inner) = Some(records(whole, *end));
        }
    }
}
