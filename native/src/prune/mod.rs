//! Removes points in time by rules over their calendar ([`highwater_core::keep`]): plans first, then carries the plan
//! out.
//!
//! Before anything goes, every point is looked at. What could not be read may be needed: then nothing is removed. The
//! newest point of each series that is sound stays, and so does whatever was not shown to be sound: it may be healed. A
//! series without a sound point is left alone.
//!
//! What names a point goes first, for good, and what it named after that. So a run that is cut off leaves sound points,
//! and leftovers that the next run or the next backup removes. From a pool that nobody else sweeps goes whatever no
//! index names any more, and only when every index that is left was read whole; and so it is with other repositories in
//! the root that points are made of (`inner`).
//!
//! Another kind of backup is a file here that implements `Pruner`, and a line in `ALL`.

mod datastore;
mod decided;
mod inner;
mod needs;
mod plan;
pub(crate) mod repozo;
mod tree;

use highwater_core::inspect::Format;
use highwater_core::name::Name;
use highwater_core::point::Point;

use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;
pub use decided::Planned;
pub use inner::Inner;
use needs::Needs;
pub use plan::{PruneOptions, PrunePlan, PruneSummary, plan};

/// What is to be known of a kind of backup to remove points of it.
trait Pruner: Sync {
    /// The name of its format.
    fn kind(&self) -> &'static str;

    /// Whether a point stands for whole series, of which the others can be left alone.
    ///
    /// # Errors
    /// What to name instead, in a sentence.
    fn narrows(&self, point: &Point) -> Result<(), String>;

    /// Why points stay whatever the rules say, as clauses: one for each of `points`, which are all that were looked at.
    ///
    /// # Errors
    /// What cannot be read.
    fn holds(&self, disk: &dyn Disk, points: &[&str]) -> Result<Vec<Option<String>>, Error>;

    /// Ends what an interrupted run of this has begun.
    ///
    /// # Errors
    /// What cannot be removed.
    fn finish(&self, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error>;

    /// Removes points of one series. Each that names nothing any more, for good, is told to `gone`.
    ///
    /// # Errors
    /// What cannot be removed; whatever is still named is whole.
    fn remove(&self, job: &Removal<'_>, gone: &mut dyn FnMut(&str)) -> Result<(), Error>;

    /// The names of the files that go with points, and of those that an interrupted run has left of others. Is asked of
    /// kinds that may lie in a set of another.
    ///
    /// # Errors
    /// What cannot be read.
    fn files(&self, _disk: &dyn Disk, _goes: &[&str]) -> Result<Vec<Name>, Error> {
        Ok(Vec::new())
    }

    /// What the indices of a pool name, but where a plan is made, not those of the points that go; none where sweeping
    /// it is left to others.
    ///
    /// # Errors
    /// What cannot be read.
    fn needs(&self, _: &Sweep<'_>, _plans: bool) -> Result<Option<Needs>, Error> {
        Ok(None)
    }

    /// What of a pool nobody needs.
    ///
    /// # Errors
    /// What cannot be read.
    fn spare(&self, _: &Sweep<'_>, _: &Needs) -> Result<Spare, Error> {
        Ok(Spare::default())
    }

    /// Removes from a pool what nobody needs, once the points are gone, and counts it in `gone`.
    ///
    /// # Errors
    /// What cannot be read or removed.
    fn sweep(&self, _: &Sweep<'_>, _: &Needs, _gone: &mut Spare) -> Result<(), Error> {
        Ok(())
    }

    /// What is left to others, in a sentence; empty where nothing is.
    fn leaves(&self) -> &'static str;
}

/// Every kind of backup whose points can be removed.
const ALL: &[&dyn Pruner] = &[&repozo::Repository, &datastore::Store, &tree::Set];

/// What is to be removed of one series.
struct Removal<'a> {
    disk: &'a dyn Disk,
    /// Its points that go, the oldest first.
    goes: &'a [&'a str],
    /// The newest sound one, which stays.
    newest: &'a str,
    watch: &'a Watch<'a>,
}

/// A pool, and the points that go and stay.
struct Sweep<'a> {
    disk: &'a dyn Disk,
    format: &'static dyn Format,
    goes: &'a [&'a str],
    stays: &'a [&'a str],
    watch: &'a Watch<'a>,
}

/// Objects, or files of another repository, that nobody needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spare {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Spare {
    fn add(&mut self, bytes: u64) {
        self.objects = self.objects.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Whether points of a kind of backup can be removed, and if not, which ones' can.
///
/// # Errors
/// The names of the kinds whose can.
pub fn can(format: &dyn Format) -> Result<(), Vec<&'static str>> {
    pruner(format).map(|_| ()).ok_or_else(|| ALL.iter().map(|pruner| pruner.kind()).collect())
}

fn pruner(format: &dyn Format) -> Option<&'static dyn Pruner> {
    ALL.iter().copied().find(|pruner| pruner.kind() == format.facts().name)
}
