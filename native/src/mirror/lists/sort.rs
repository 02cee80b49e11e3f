//! `Sorting`: puts rows into order outside memory; `Sorted`: gives them.

use std::sync::Arc;

use highwater_core::formats::mirror::names;
use highwater_core::inventory::Row;
use highwater_core::name::Name;

use super::batch::Batch;
use super::merge::merge;
use super::run::{Run, Writer};
use super::{Outcome, Unread, tail};
use crate::disk::{Disk, WorkFolder};
use crate::error::Error;
use crate::watch::Watch;

/// How much is held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of rows in memory, at least a mebibyte.
    pub bytes: usize,
    /// Runs that are read at once, at least two.
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 44 << 20, open: 64 }
    }
}

/// What work folders for sorting are called, before their digits.
pub(super) fn beginning() -> Result<Name, Error> {
    Ok(Name::new(format!("{}/sort", names::LISTS).as_bytes())?)
}

/// Rows that are being sorted.
pub(super) struct Sorting<'a> {
    folder: WorkFolder,
    inside: Arc<dyn Disk>,
    watch: &'a Watch<'a>,
    batch: Batch,
    runs: Vec<Run>,
    /// How many runs there were.
    count: u64,
    open: usize,
    rows: u64,
}

/// Rows that were sorted. Their runs go when this is dropped.
pub(super) struct Sorted {
    _folder: WorkFolder,
    inside: Arc<dyn Disk>,
    runs: Vec<Run>,
    rows: u64,
    bad: Unread,
}

impl<'a> Sorting<'a> {
    /// Begins in a work folder beside the lists.
    pub(super) fn begin(disk: &Arc<dyn Disk>, watch: &'a Watch<'a>, limits: &Limits) -> Result<Self, Error> {
        let beginning = beginning()?;
        let made = WorkFolder::of(Arc::clone(disk), &beginning).and_then(|folder| {
            let (_, inside) = folder.folder(b"runs")?;
            Ok((folder, inside))
        });
        let (folder, inside) = made.map_err(Error::at("make a work folder beside", &**disk, &beginning))?;
        let limits = Limits { bytes: limits.bytes.max(1 << 20), open: limits.open.max(2) };
        let batch = Batch::new(&limits);
        Ok(Self { folder, inside, watch, batch, runs: Vec::new(), count: 0, open: limits.open, rows: 0 })
    }

    /// Takes the next row.
    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<(), Error> {
        self.rows += 1;
        if self.batch.take(row) {
            return Ok(());
        }
        self.spill()?;
        if self.batch.take(row) { Ok(()) } else { Err(Error::failed("a row is longer than any that S3 writes")) }
    }

    fn name(&mut self) -> Result<Name, Error> {
        self.count += 1;
        Ok(Name::new(format!("{:08}", self.count).as_bytes())?)
    }

    /// Writes what is in memory as a run.
    fn spill(&mut self) -> Result<(), Error> {
        self.watch.go_on()?;
        let name = self.name()?;
        let mut writer = Writer::new(&*self.inside, name)?;
        self.batch.write(&mut writer)?;
        self.runs.push(writer.finish()?);
        Ok(())
    }

    /// Ends: as many runs are left as may be open at once.
    pub(super) fn finish(mut self, bad: Unread) -> Result<Sorted, Error> {
        if !self.batch.is_empty() {
            self.spill()?;
        }
        // The memory of rows goes before that of readers comes.
        self.batch = Batch::new(&Limits { bytes: 0, open: 0 });
        let mut at = 0;
        while self.runs.len() > self.open {
            // Neighbours become one, so that rows of one key stay as they came.
            let group = (self.runs.len() - self.open + 1).min(self.open).min(self.runs.len() - at);
            if group < 2 {
                at = 0;
                continue;
            }
            let name = self.name()?;
            let mut writer = Writer::new(&*self.inside, name)?;
            let some = at..at + group;
            merge(&*self.inside, &self.runs[some.clone()], self.watch, &mut |key, tail| writer.push(key, tail))?;
            let merged = writer.finish()?;
            for run in self.runs.splice(some, [merged]) {
                self.inside.remove(&run.name).map_err(Error::at("remove", &*self.inside, &run.name))?;
            }
            at += 1;
        }
        let Self { folder, inside, runs, rows, .. } = self;
        Ok(Sorted { _folder: folder, inside, runs, rows, bad })
    }
}

impl Sorted {
    /// Gives all rows in order.
    pub(super) fn rows(
        &self,
        watch: &Watch<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        merge(&*self.inside, &self.runs, watch, &mut |key, tail| match tail::read(key, tail) {
            Some(row) => each(&row),
            None => Err(Error::failed("a row of a work file is none; run this again, and look at the memory")),
        })?;
        Ok(Outcome::Whole { rows: self.rows, bad: self.bad.clone() })
    }

    /// How many runs there are.
    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }
}
