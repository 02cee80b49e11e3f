//! `Keeper`: holds credentials while they are good, and fetches new ones before they expire.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::error::Error;
use super::super::wire::Metadata;
use super::{Credentials, Source};

/// Seconds before the end of credentials at which new ones are fetched.
const EARLY: i64 = 300;

/// Seconds between two tries while the old ones are still good.
const PAUSE: i64 = 30;

/// Shared by all threads of a client; one fetches, the others wait for it.
#[derive(Debug)]
pub struct Keeper {
    sources: Vec<Source>,
    metadata: Metadata,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The source that gave the last ones; it gives the next ones too.
    from: Option<usize>,
    current: Option<Arc<Credentials>>,
    /// No source has any: requests go without a signature.
    anonymous: bool,
    /// While the current ones are good, no try before this second.
    not_before: i64,
}

impl Keeper {
    /// From these sources, the first that has any; without one, nobody.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self { sources, metadata: Metadata::new(), held: Mutex::new(Held::default()) }
    }

    /// Credentials that are good at this second; `None`: ask without a signature.
    ///
    /// # Errors
    /// When the source fails and there are none that are still good.
    pub fn at(&self, now: i64) -> Result<Option<Arc<Credentials>>, Error> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.anonymous {
            return Ok(None);
        }
        if let Some(current) = &held.current {
            let left = current.expires.map_or(i64::MAX, |end| end.saturating_sub(now));
            if left > EARLY || (left > 0 && now < held.not_before) {
                return Ok(Some(Arc::clone(current)));
            }
        }
        match self.fetch(&mut held, now) {
            Ok(()) => Ok(held.current.clone()),
            Err(error) => {
                held.not_before = now.saturating_add(PAUSE);
                let good = held.current.clone().filter(|current| current.expires.is_none_or(|end| end > now));
                good.map(Some).ok_or(error)
            }
        }
    }

    /// S3 says that these have expired: they are not used again, unless they are all there is.
    pub fn expired(&self, used: &Arc<Credentials>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, used)) {
            held.current = None;
        }
    }

    fn fetch(&self, held: &mut Held, now: i64) -> Result<(), Error> {
        for (at, source) in self.sources.iter().enumerate().filter(|(at, _)| held.from.is_none_or(|from| from == *at)) {
            let Some(found) = source.fetch(&self.metadata).map_err(Error::Credentials)? else { continue };
            if found.expires.is_some_and(|end| end <= now) {
                return Err(Error::Credentials("those that were given have expired already".to_owned()));
            }
            held.from = Some(at);
            held.current = Some(Arc::new(found));
            return Ok(());
        }
        if held.from.is_some() {
            return Err(Error::Credentials("where they came from there are none any more".to_owned()));
        }
        held.anonymous = true;
        Ok(())
    }
}
