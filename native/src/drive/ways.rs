//! `Ways`: how many threads check claims, and which claims go together: as many as there are cores, in lanes; of a far
//! root, as many as reads are best under way, one claim each.

use highwater_core::claim::Claim;
use rayon::prelude::*;
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

use super::Has;
use super::schedule::{Job, schedule};
use crate::error::Error;
use crate::store::Store;

/// Threads for one drive.
pub(super) struct Ways {
    /// Those of a far root: most of them wait.
    far: Option<ThreadPool>,
}

impl Ways {
    /// Those for a root.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn of(store: &dyn Store) -> Result<Self, Error> {
        let pool = |ways| ThreadPoolBuilder::new().num_threads(ways).build();
        let far = store.ways().map(pool).transpose();
        Ok(Self { far: far.map_err(|error| Error::failed(format!("cannot start threads: {error}")))? })
    }

    /// How many there are.
    pub(super) fn threads(&self) -> usize {
        self.far.as_ref().map_or_else(rayon::current_num_threads, ThreadPool::current_num_threads)
    }

    /// Runs what gives them work.
    pub(super) fn scope<'scope, R>(&self, work: impl FnOnce(&Scope<'scope>) -> R) -> R {
        match &self.far {
            Some(pool) => pool.in_place_scope(work),
            None => rayon::in_place_scope(work),
        }
    }

    /// Asks of each claim, by all of them.
    pub(super) fn all(&self, claims: &mut [Claim], ask: Has<'_>) -> Vec<bool> {
        let mut ask = || claims.par_iter_mut().map(ask).collect();
        match &self.far {
            Some(pool) => pool.install(ask),
            None => ask(),
        }
    }

    /// Does something with all of these claims.
    ///
    /// # Errors
    /// The first of `deed`.
    pub(super) fn each(
        &self,
        claims: Vec<Claim>,
        deed: impl Fn(Job) -> Result<(), Error> + Sync + Send,
    ) -> Result<(), Error> {
        let jobs = self.schedule(claims);
        match &self.far {
            None => jobs.into_par_iter().try_for_each(deed),
            Some(pool) => pool.install(|| jobs.into_par_iter().with_max_len(1).try_for_each(deed)),
        }
    }

    /// Gives claims out to them.
    pub(super) fn schedule(&self, claims: Vec<Claim>) -> Vec<Job> {
        match self.far {
            None => schedule(claims, self.threads()),
            // What waits for the wire gains nothing by a lane, and holds a block.
            Some(_) => claims.into_iter().map(|claim| Job::Lanes(1, vec![claim])).collect(),
        }
    }
}
