//! `Chunks`: the chunks of an archive, which are checked before anything of them is taken.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::key::Key;
use highwater_core::name::printable;
use highwater_core::report::Depth;

use crate::drive::check_bytes;
use crate::error::Error;
use crate::restore::{Plan, damaged};
use crate::store::Store;
use crate::watch::Watch;

/// What reads them.
pub(super) struct Chunks<'a> {
    pub(super) plan: &'a Plan,
    store: &'a dyn Store,
    key: Option<&'a Key>,
    watch: Watch<'a>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(store: &'a dyn Store, plan: &'a Plan, key: Option<&'a Key>, stop: &Arc<AtomicBool>) -> Self {
        Self { plan, store, key, watch: Watch::new(Arc::clone(stop), |_| {}) }
    }

    /// The bytes of a chunk, which are what its index says.
    pub(super) fn read(&self, claim: &Claim) -> Result<Vec<u8>, Error> {
        let Self { plan, store, key, watch } = self;
        let mut bytes = Vec::new();
        let mut take = |some: &[u8]| bytes.extend_from_slice(some);
        let (verdict, _) = check_bytes(*store, claim, (Depth::Digest, *key), watch, &mut take)?;
        let named = plan.key.as_deref().filter(|_| key.is_none());
        let named = named.map(|named| format!("; its key is {}", printable(named.as_bytes()))).unwrap_or_default();
        match verdict {
            Verdict::Sound => Ok(bytes),
            Verdict::Damaged(damage) => Err(Error::damage(damaged(*store, claim, &damage))),
            Verdict::Unreadable(fault) => Err(Error::failed(format!("'{}': {fault}", claim.object))),
            Verdict::Unverifiable(why) => {
                let object = &claim.object;
                Err(Error::failed(format!("'{object}': {why}{named}; --chunks shows which chunks the archive has")))
            }
        }
    }
}
