//! Checks claims on all threads, and hands what they decode to to a [`Sink`] while it is being hashed.
//!
//! Bytes are written before they are proven, so that they are read once. A claim that does not hold is told to
//! `settled`, and what it wrote is then the caller's to throw away or to overwrite.

use std::io;
use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::key::Key;
use highwater_core::report::Depth;

use super::behind::Behind;
use super::lanes;
use super::marked::Marked;
use super::one::{check_bytes, failed};
use super::schedule::{self, Job};
use super::sink::{Goes, Sink};
use super::ways::Ways;
use crate::error::Error;
use crate::store::{Store, fault};
use crate::watch::Watch;

/// What is done with a verdict; an error ends all.
pub(crate) type Judge<'a> = &'a (dyn Fn(&Claim, Verdict) -> Result<(), Error> + Sync);

/// Checks `claims`, whose key is given, each of whose bytes go to `sink` at the claim's own place, and hands every
/// verdict to `settled`.
///
/// # Errors
/// Those of the sink and of `settled`, and [`Error::Interrupted`].
pub(crate) fn write(
    (store, key): (&dyn Store, Option<&Key>),
    mut claims: Vec<Claim>,
    sink: &dyn Sink,
    watch: &Watch<'_>,
    settled: Judge<'_>,
) -> Result<(), Error> {
    let ways = Ways::of(store)?;
    schedule::pass_over_marks(&mut claims, ways.threads());
    let write = Write { store, key, sink, watch, settled };
    ways.each(claims, |job| match job {
        // Those of a job are alike.
        Job::Lanes(width, claims) => match claims.first().and_then(|first| first.expect.digest) {
            Some(_) if width > 1 => write.lanes(width, claims),
            _ => claims.iter().try_for_each(|claim| write.one(claim, true)),
        },
        Job::Marked(claim) => write.marked(&claim),
    })
}

#[derive(Clone, Copy)]
struct Write<'a> {
    store: &'a dyn Store,
    key: Option<&'a Key>,
    sink: &'a dyn Sink,
    watch: &'a Watch<'a>,
    settled: Judge<'a>,
}

impl Write<'_> {
    fn lanes(self, width: usize, claims: Vec<Claim>) -> Result<(), Error> {
        let mut claims = claims.into_iter();
        let next = || {
            for claim in claims.by_ref() {
                match self.store.open(&claim.object) {
                    Ok(object) => {
                        let at = claim.target().start;
                        let stream = lanes::Stream::of(claim, object.into(), Depth::Digest, self.key);
                        return Ok(Some(stream.to(Goes { sink: self.sink, at })));
                    }
                    Err(error) => {
                        let verdict = failed(self.store, &claim, &error);
                        (self.settled)(&claim, verdict)?;
                    }
                }
            }
            Ok(None)
        };
        let ended = |stream: lanes::Stream<'_, Claim>, end: io::Result<()>| {
            let verdict = match end {
                Ok(()) => stream.lane.end(),
                Err(error) => Verdict::of_fault(fault(&error)),
            };
            (self.settled)(&stream.tag, verdict)
        };
        lanes::run(width, next, ended, self.watch)
    }

    /// By its marks, or where these are of no use, in one stream.
    fn marked(self, claim: &Claim) -> Result<(), Error> {
        let goes = Goes { sink: self.sink, at: claim.target().start };
        let verdict = match Marked::of_claim(self.store, claim) {
            None => return self.one(claim, true),
            Some(marked) => marked.verdict(Some(goes), self.watch)?,
        };
        match verdict {
            Some(verdict) => (self.settled)(claim, verdict),
            // Other bytes may lie there by now.
            None => self.one(claim, false),
        }
    }

    /// In one stream, which this thread reads and hashes, and another one writes.
    fn one(self, claim: &Claim, fresh: bool) -> Result<(), Error> {
        let goes = Goes { sink: self.sink, at: claim.target().start };
        let (verdict, _) = thread::scope(|scope| {
            let mut behind = Behind::new(scope, goes, claim.expect.length, fresh);
            let checked =
                check_bytes(self.store, claim, (Depth::Digest, self.key), self.watch, &mut |bytes| behind.put(bytes));
            behind.finish()?;
            checked
        })?;
        (self.settled)(claim, verdict)
    }
}
