//! Brings a mirror to an inventory: plan, fetch, settle, apply, commit; or goes on with what a killed run began.

use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::Tally;
use highwater_core::shard::Shard;

use super::apply::{self, Applying};
use super::area::{Area, BEFORE, Begins, named};
use super::fetch::{self, Expects, Fetched};
use super::index::Index;
use super::journal::{self, Journal};
use super::plan::{self, Planned, Rows, Wish};
use super::room::{self, Need};
use super::settle::{self, Lacking};
use super::wants;
use crate::disk::{Disk, Room};
use crate::error::Error;
use crate::s3::Client;
use crate::watch::Watch;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The point that the tree shows.
    pub point: String,
    /// A plan of an earlier run was carried out.
    pub resumed: bool,
    /// What was fetched.
    pub fetched: Fetched,
    /// What became of files that were to be moved.
    pub applied: Applying,
    /// Rows of the inventory that cannot be read: what they list is not in the mirror.
    pub unread: u64,
}

/// A mirror that is synced.
pub struct Sync<'a> {
    area: Area<'a>,
}

impl<'a> Sync<'a> {
    /// Takes a mirror, or a folder that is to become one: an empty one, a mirror that s3invsync made, or any if it is
    /// to be taken over.
    ///
    /// # Errors
    /// Another process has it; it holds other files; the operating system's.
    pub fn begin(disk: &'a dyn Disk, take_over: bool) -> Result<Self, Error> {
        let begins = if take_over { Begins::Anywhere } else { Begins::InAnEmptyFolder };
        Ok(Self { area: Area::take(disk, begins)? })
    }

    /// What there is to say of a mirror that s3invsync made, until it is ours.
    ///
    /// # Errors
    /// The operating system's; the pointer is damaged.
    pub fn took_over(&self) -> Result<Option<String>, Error> {
        let (disk, name) = (self.area.disk, named(BEFORE)?);
        let is_theirs = disk.look(Some(&name)).map_err(Error::at("look at", disk, &name))?.is_some();
        Ok((is_theirs && self.area.applied()?.is_none()).then(|| {
            "this is a mirror that s3invsync made: its files .s3invsync* stay, and nothing needs them; delete them when \
             it is taken over, and do not run s3invsync here again, as it deletes what it does not know"
                .to_owned()
        }))
    }

    /// The newest point, whichever is shown.
    ///
    /// # Errors
    /// What says so is damaged, or cannot be read.
    pub fn newest(&self) -> Result<Option<String>, Error> {
        let Some(applied) = self.area.applied()? else { return Ok(None) };
        Ok(index_of(&self.area, &applied)?.tail.points.last().map(|newest| newest.name.clone()))
    }

    /// Whether the newest point is this one, of this bucket.
    ///
    /// # Errors
    /// As [`Sync::newest`].
    pub fn has(&self, bucket: &str, point: &str) -> Result<bool, Error> {
        let is_ours = self.area.applied()?.is_some_and(|applied| applied.bucket == bucket);
        Ok(is_ours && self.newest()?.is_some_and(|newest| newest == point))
    }

    /// Plans to try again what the newest point wants; none if that is nothing.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub fn again(
        &self,
        is_versioned: bool,
        filter: &dyn Fn(&[u8]) -> bool,
        watch: &Watch<'_>,
    ) -> Result<Option<SyncPlan>, Error> {
        self.refuse_begun()?;
        let Some(applied) = self.area.applied()? else { return Ok(None) };
        let index = index_of(&self.area, &applied)?;
        if index.tail.totals.wanted == 0 {
            return Ok(None);
        }
        let planned = plan::again(&self.area, (&applied, &index), is_versioned, filter, watch)?;
        Ok((planned.journal.fetched > 0).then_some(SyncPlan { planned, is_first: false }))
    }

    /// The point that the tree shows, and the MD5 of its manifest.
    ///
    /// # Errors
    /// The pointer is damaged, or cannot be read.
    pub fn shows(&self) -> Result<Option<Applied>, Error> {
        self.area.applied()
    }

    /// Carries out what an earlier run began, if one did.
    ///
    /// # Errors
    /// As `Sync::carry_out`.
    pub fn go_on(&self, client: &Client, jobs: usize, watch: &Watch<'_>) -> Result<Option<Summary>, Error> {
        let Some(journal) = Journal::find(&self.area)? else {
            // What was planned, and never begun.
            Journal::end(&self.area)?;
            return Ok(None);
        };
        if self.area.pointer(&journal::settled()?)?.is_none() {
            room::judge(&self.area, &journal, watch)?;
        }
        watch.decision(format!("goes on with the plan for {}, which an earlier run began", journal.applied.point));
        let summary = self.carry_out(&journal, client, jobs, Expects::Ours, watch)?;
        Ok(Some(Summary { resumed: true, ..summary }))
    }

    /// Plans; none if the rows are not in order.
    ///
    /// # Errors
    /// What cannot be read or written; the inventory is of another bucket, or no newer than the newest that was
    /// applied.
    pub fn plan(
        &self,
        (bucket, point, manifest): (&str, &str, [u8; 16]),
        is_versioned: bool,
        filter: &dyn Fn(&[u8]) -> bool,
        rows: &mut Rows<'_>,
        watch: &Watch<'_>,
    ) -> Result<Option<SyncPlan>, Error> {
        self.refuse_begun()?;
        let applied = self.area.applied()?;
        if let Some(applied) = applied.as_ref().filter(|applied| applied.bucket != bucket) {
            return Err(Error::cannot_start(format!(
                "this is a mirror of the bucket {}, and the inventory is of {bucket}; name another folder",
                applied.bucket
            )));
        }
        let index = applied.as_ref().map(|applied| index_of(&self.area, applied)).transpose()?;
        let newest = index.as_ref().and_then(|index| index.tail.points.last());
        if let Some(newest) = newest.filter(|newest| newest.name.as_str() >= point) {
            return Err(Error::cannot_start(format!(
                "the inventory {point} is no newer than {}, which was applied; `highwater mirror rollback` goes back",
                newest.name
            )));
        }
        let wish = Wish { bucket, point, manifest, is_versioned, filter };
        let before = applied.as_ref().zip(index.as_ref());
        let planned = plan::make(&self.area, before, &wish, rows, watch)?;
        Ok(planned.map(|planned| SyncPlan { planned, is_first: applied.is_none() }))
    }

    /// One plan at a time.
    fn refuse_begun(&self) -> Result<(), Error> {
        Journal::find(&self.area)?.map_or(Ok(()), |journal| {
            Err(Error::cannot_start(format!(
                "a change to {} was begun, and is not at its end: sync again, without --dry-run",
                journal.applied.point
            )))
        })
    }

    /// Carries out a plan that was made.
    ///
    /// # Errors
    /// There is no room for it; the disk, credentials, the user; what was done by then is kept, and the next run goes
    /// on.
    pub fn run(&self, plan: &SyncPlan, client: &Client, jobs: usize, watch: &Watch<'_>) -> Result<Summary, Error> {
        self.open(plan, watch)?;
        let expects = if plan.is_first && !self.area.was_empty { Expects::Anybodys } else { Expects::Nothing };
        self.carry_out(&plan.planned.journal, client, jobs, expects, watch)
    }

    /// Begins a plan, which others carry out: from now on, nothing else is done before that is.
    ///
    /// # Errors
    /// There is no room for it; the disk.
    pub fn open(&self, plan: &SyncPlan, watch: &Watch<'_>) -> Result<(), Error> {
        room::judge(&self.area, &plan.planned.journal, watch)?;
        self.area.barrier()?;
        plan.planned.journal.begin(&self.area)
    }

    /// What the pointer will say when the plan is at its end that was begun. What was planned and never begun is
    /// removed.
    ///
    /// # Errors
    /// The operating system's.
    pub fn begun(&self) -> Result<Option<Applied>, Error> {
        let journal = Journal::find(&self.area)?;
        if journal.is_none() {
            Journal::end(&self.area)?;
        }
        Ok(journal.map(|journal| journal.applied))
    }

    /// What a plan needs of the file system, and what room there is; none where nobody knows.
    ///
    /// # Errors
    /// The plan or the file system cannot be looked at; the user.
    pub fn needs(&self, plan: &SyncPlan, watch: &Watch<'_>) -> Result<(Need, Option<Room>), Error> {
        let room = room::room(&self.area)?;
        let block = room.map_or(1, |room| room.block);
        Ok((room::need(&self.area, &plan.planned.journal, (block, true), watch)?, room))
    }

    /// Throws a plan away that was only to be looked at.
    ///
    /// # Errors
    /// The operating system's.
    pub fn forget(&self) -> Result<(), Error> {
        Journal::end(&self.area)
    }

    /// Hands on the steps of a plan, as lines.
    ///
    /// # Errors
    /// The file cannot be read, and those of `each`.
    pub fn steps(
        &self,
        each: &mut dyn FnMut(highwater_core::formats::mirror::plan::Step) -> Result<(), Error>,
    ) -> Result<(), Error> {
        Journal::for_each(&self.area, each)
    }

    fn carry_out(
        &self,
        journal: &Journal,
        client: &Client,
        jobs: usize,
        expects: Expects,
        watch: &Watch<'_>,
    ) -> Result<Summary, Error> {
        let area = &self.area;
        let is_settled = area.pointer(&journal::settled()?)?;
        let (applied, fetched) = match is_settled {
            Some(applied) => {
                let missing = settle::was_settled(area, journal, &applied)?.missing;
                (applied, Fetched { missing, ..Fetched::default() })
            }
            // A rollback or a prune, which fetches nothing.
            None if journal.wanted.is_none() => (journal.applied.clone(), Fetched::default()),
            None => {
                let fetched = fetch::all(area, client, (journal, Shard::WHOLE), jobs, expects, watch)?;
                let (applied, settled) = settle::settle(area, journal, Lacking::Refused(None), watch)?;
                (applied, Fetched { damaged: fetched.damaged.max(settled.damaged), ..fetched })
            }
        };
        let done = finish(area, &applied, expects == Expects::Ours, watch)?;
        Ok(Summary { point: applied.point, resumed: false, fetched, applied: done, unread: applied.unread })
    }
}

/// A plan that was made.
#[derive(Debug)]
pub struct SyncPlan {
    planned: Planned,
    is_first: bool,
}

impl SyncPlan {
    /// Rows of the inventory that cannot be read.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.planned.journal.applied.unread
    }

    /// How much there is to do.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.planned.tally
    }

    /// How many parts it is cut into, at most so many segments have something to fetch.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.planned.journal.parts
    }

    /// Versions to be fetched, and their bytes, without what is filtered; and how many are.
    #[must_use]
    pub fn fetches(&self) -> (u64, u64, u64) {
        (self.planned.journal.fetched, self.planned.journal.bytes, self.planned.filtered)
    }
}

/// The index that a pointer means.
pub(super) fn index_of(area: &Area<'_>, applied: &Applied) -> Result<Index, Error> {
    let name = names::index(applied.index).ok_or_else(|| Error::failed("the index has no name"))?;
    Index::open(area.disk, name, applied)
}

/// Moves files, commits, and removes what goes: only now does nothing name it any more. An interrupt by hand has to be
/// meant. An earlier run may have moved some of them, if this one goes on.
pub(super) fn finish(area: &Area<'_>, applied: &Applied, goes_on: bool, watch: &Watch<'_>) -> Result<Applying, Error> {
    let _guard = watch.guard();
    Journal::prove(area, watch)?;
    let (mut done, removes) = apply::all(area, goes_on, watch)?;
    area.barrier()?;
    area.put(&named(names::APPLIED)?, applied.line().as_bytes())?;
    let renewed = wants::renew(area)?;
    if removes {
        apply::remove(area, &mut done, watch)?;
    }
    if removes || renewed {
        // The plan alone tells of what may come back.
        area.barrier()?;
    }
    // Nothing needs the plan or an older index any more.
    Journal::end(area)?;
    forget(area, applied)?;
    Ok(done)
}

/// Removes every index but the one that is meant.
pub(super) fn forget(area: &Area<'_>, applied: &Applied) -> Result<(), Error> {
    let stays = names::index(applied.index);
    for name in area.files(&named(names::INDEX)?)? {
        if Some(&name) != stays.as_ref() {
            area.remove(&name)?;
        }
    }
    Ok(())
}
