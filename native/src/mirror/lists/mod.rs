//! The lists of an inventory: fetched whole, then read in the order of keys; sorted outside memory where they are not.
//!
//! ```text
//! .highwater-mirror/lists/MD5.csv.gz          a list, under the MD5 that its manifest says
//! .highwater-mirror/lists/MD5.parquet         or so
//! .highwater-mirror/lists/sort.0123…/runs/N   sorted rows, while they are needed
//! ```
//!
//! Whoever reads them holds the mirror's lock: what is here of other inventories, or of runs that were killed, goes.
//!
//! S3 promises no order. So [`Lists::rows`] takes the lists in the order of their first keys, judges each key as it
//! comes, and stops at the first that comes before another: whatever was made of the rows until then is to be thrown
//! away. [`Lists::sort`] then puts all rows into order, and [`Lists::rows`] gives them. Rows of one key come in the
//! order in which the lists have them, whether sorted or not; equal keys over the ends of lists are all kept.
//!
//! Reading holds a piece of one list. Sorting holds [`Limits::bytes`] of rows; giving what was sorted, a block of each
//! of at most [`Limits::open`] runs.

mod batch;
mod fetch;
mod list;
mod merge;
#[cfg(feature = "parquet")]
mod parquet;
mod run;
mod sort;
mod tail;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use highwater_core::codec::Flow;
use highwater_core::inventory::{Bad, Order, Row, Schema};
use highwater_core::name::printable;

use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;
use list::{List, Piece};
pub use sort::Limits;
use sort::Sorted;

/// So many rows that cannot be read are told of.
const TOLD: usize = 100;

/// The lists of an inventory, all of them here.
pub struct Lists<'a> {
    disk: Arc<dyn Disk>,
    watch: &'a Watch<'a>,
    schema: Schema,
    lists: Vec<List>,
    /// All rows in order, if they had to be sorted.
    sorted: Option<Sorted>,
}

/// How reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All rows were given, in the order of their keys.
    Whole {
        /// How many.
        rows: u64,
        /// Those that cannot be read, and were not given.
        bad: Unread,
    },
    /// They are not in order: what was given is to be thrown away, and they are to be sorted.
    Unsorted {
        /// Where that was seen; a sentence.
        why: String,
    },
}

/// Rows that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub count: u64,
    /// The first hundred: a sentence each, with list, row, and byte.
    pub told: Vec<String>,
}

impl Unread {
    fn take(&mut self, list: &List, bad: &Bad) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("{list}: {bad}"));
        }
    }
}

impl Lists<'_> {
    /// Gives all rows in the order of their keys, as long as they come so.
    ///
    /// # Errors
    /// That of `each`; when a list cannot be read; [`Error::Interrupted`] when the user wants to stop.
    pub fn rows(&self, each: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>) -> Result<Outcome, Error> {
        if let Some(sorted) = &self.sorted {
            return sorted.rows(self.watch, each);
        }
        let (mut order, mut rows, mut bad) = (Order::default(), 0, Unread::default());
        let in_order = self.in_order()?;
        let mut ahead: u64 = in_order.iter().map(|list| list.size).sum();
        self.watch.expect(ahead);
        for list in in_order {
            let mut why = None;
            _ = list.read(&*self.disk, &self.schema, Piece::WHOLE, &mut |some, row| {
                self.told_of(some, &mut ahead)?;
                match row {
                    None => {}
                    Some(Err(row)) => bad.take(list, &row),
                    Some(Ok(row)) if order.take(row.key) => {
                        rows += 1;
                        each(&row)?;
                    }
                    Some(Ok(row)) => {
                        why = Some(format!("{list}: the key '{}' comes behind a greater one", printable(row.key)));
                        return Ok(Flow::Break(()));
                    }
                }
                Ok(Flow::Continue(()))
            })?;
            if let Some(why) = why {
                self.watch.advance(ahead);
                return Ok(Outcome::Unsorted { why });
            }
        }
        Ok(Outcome::Whole { rows, bad })
    }

    /// Puts all rows into the order of their keys, for [`Lists::rows`] to give; those of one key stay as they come.
    ///
    /// # Errors
    /// When a list cannot be read, or there is no room for what is sorted; [`Error::Interrupted`].
    pub fn sort(&mut self) -> Result<(), Error> {
        self.sort_within(&Limits::default())
    }

    /// The same with less or more memory.
    ///
    /// # Errors
    /// As [`Lists::sort`].
    pub fn sort_within(&mut self, limits: &Limits) -> Result<(), Error> {
        let in_order = self.in_order()?;
        let mut ahead: u64 = in_order.iter().map(|list| list.size).sum();
        self.watch.expect(ahead);
        let mut bad = Unread::default();
        let mut sorting = sort::Sorting::begin(&self.disk, self.watch, limits)?;
        for list in in_order {
            _ = list.read(&*self.disk, &self.schema, Piece::WHOLE, &mut |some, row| {
                self.told_of(some, &mut ahead)?;
                match row {
                    None => {}
                    Some(Err(row)) => bad.take(list, &row),
                    Some(Ok(row)) => sorting.take(&row)?,
                }
                Ok(Flow::Continue(()))
            })?;
        }
        self.sorted = Some(sorting.finish(bad)?);
        Ok(())
    }

    /// Bytes of a list were read; whether to go on is asked at each of them.
    fn told_of(&self, some: u64, ahead: &mut u64) -> Result<(), Error> {
        if some == 0 {
            return Ok(());
        }
        self.watch.go_on()?;
        self.watch.advance(some);
        *ahead = ahead.saturating_sub(some);
        Ok(())
    }

    /// The lists in the order of the first keys that can be read in them; of those that begin with one key, those that
    /// have no other come first. Lists without any come before all.
    fn in_order(&self) -> Result<Vec<&List>, Error> {
        let mut begins = Vec::with_capacity(self.lists.len());
        for list in &self.lists {
            let (mut first, mut second) = (None::<Vec<u8>>, None::<Vec<u8>>);
            _ = list.read(&*self.disk, &self.schema, Piece::BEGINNING, &mut |some, row| {
                if some > 0 {
                    self.watch.go_on()?;
                }
                let Some(Ok(row)) = row else { return Ok(Flow::Continue(())) };
                match &first {
                    None => first = Some(row.key.to_vec()),
                    Some(first) if first == row.key => {}
                    Some(_) => {
                        second = Some(row.key.to_vec());
                        return Ok(Flow::Break(()));
                    }
                }
                Ok(Flow::Continue(()))
            })?;
            begins.push((first, second, list));
        }
        begins.sort_by(|(first, second, _), (other, next, _)| (first, second).cmp(&(other, next)));
        Ok(begins.into_iter().map(|(_, _, list)| list).collect())
    }
}
