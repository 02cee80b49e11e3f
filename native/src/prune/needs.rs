//! `Needs`: the objects of a pool that indices name.
//!
//! Every index counts, and each must be read to its end: what one cannot be asked may be needed. Each object takes 16
//! bytes, whoever names it how often.

use std::collections::{BTreeMap, BTreeSet};

use highwater_core::codec::Flow;
use highwater_core::digest::{Algorithm, Digest};
use highwater_core::facts::Pool;
use highwater_core::inspect::{Answer, Ask, Batch, Format, InnerPoint, Of, Scope};
use highwater_core::name::Name;

use super::inner::Needed;
use crate::drive;
use crate::error::Error;
use crate::store::Store;
use crate::watch::Watch;

/// Names that are gathered before those are sorted out that came twice.
const TOGETHER: usize = 1 << 20;

/// What indices name.
#[derive(Debug, Default)]
pub(super) struct Needs {
    named: Vec<u128>,
    /// How many of them are sorted, and there once.
    sorted: usize,
    /// The points whose indices were read.
    points: BTreeSet<String>,
    /// Other repositories in the root, by kind and folder, and what is named of them.
    inner: BTreeMap<(String, Name), Needed>,
}

impl Needs {
    /// What the indices of a root name, but for those that `goes` says are to go. These are read as well.
    ///
    /// # Errors
    /// When one cannot be read whole, contradicts itself, or is gone; the user interrupts.
    pub(super) fn of(
        store: &dyn Store,
        format: &dyn Format,
        goes: &dyn Fn(&Name) -> bool,
        watch: &Watch<'_>,
    ) -> Result<Self, Error> {
        let Some(pool) = format.facts().pool else { return Ok(Self::default()) };
        let mut needs = Self::default();
        let mut inspect = format.inspect(&Scope::new(Of::References));
        loop {
            watch.go_on()?;
            let ask = inspect.ask();
            if ask == Ask::Done {
                needs.sort();
                return Ok(needs);
            }
            let mut odd = None;
            drive::answer(store, ask, &mut |answer: Answer<'_>| {
                let mut batch = Batch::default();
                let flow = inspect.answer(answer, &mut batch);
                odd = odd.take().or_else(|| needs.take(batch, pool, goes).err());
                if odd.is_some() || watch.stopping() { Flow::Break(()) } else { flow }
            })?;
            watch.go_on()?;
            odd.map_or(Ok(()), |odd| Err(Error::failed(odd)))?;
        }
    }

    /// Takes what an inspection says. The error is a sentence.
    fn take(&mut self, batch: Batch, pool: Pool, goes: &dyn Fn(&Name) -> bool) -> Result<(), String> {
        if let Some(finding) = batch.findings.first() {
            let object = finding.object.as_ref().map(|name| format!("'{name}'")).unwrap_or_default();
            let at = finding.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
            return Err(format!("{object}{at}: {}", finding.message));
        }
        if let Some(gone) = batch.removed.first() {
            return Err(format!("{gone} was removed meanwhile"));
        }
        self.points.extend(batch.sets.into_iter().map(|set| set.name));
        for InnerPoint { index, kind, folder, point } in batch.inner {
            // Of what goes, the repository is known nevertheless.
            let needed = self.inner.entry((kind, folder)).or_default();
            if !goes(&index) {
                needed.add(point);
            }
        }
        // What lies elsewhere is not swept as objects are.
        let in_pool = batch.claims.iter().chain(&batch.shared).filter(|claim| pool.holds(&claim.object));
        for claim in in_pool.filter(|claim| !goes(&claim.index)) {
            // By the name of the object, which is what lies there.
            let digest = Digest::from_hex(Algorithm::Sha256, claim.object.last());
            let digest =
                digest.ok_or_else(|| format!("'{}' names '{}', which is no object", claim.index, claim.object));
            self.named.push(short(&digest?));
        }
        if self.named.len() > self.sorted.saturating_mul(2).max(TOGETHER) {
            self.sort();
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.named.sort_unstable();
        self.named.dedup();
        self.sorted = self.named.len();
    }

    /// Whether some index names the object of this digest.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.named.binary_search(&short(digest)).is_ok()
    }

    /// Other repositories in the root, by kind and folder, and the points of them that are named.
    pub(super) fn inner(&self) -> impl Iterator<Item = ((&str, &Name), &Needed)> {
        self.inner.iter().map(|((kind, folder), needed)| ((&**kind, folder), needed))
    }

    /// What is named of one of them.
    pub(super) fn of_inner(&self, kind: &str, folder: &Name) -> Option<&Needed> {
        self.inner.get(&(kind.to_owned(), folder.clone()))
    }

    /// Whether the index of a point was read.
    pub(super) fn has_point(&self, point: &str) -> bool {
        self.points.contains(point)
    }
}

/// Half a digest: that two begin alike by chance happens to nobody, and on purpose it only keeps an object.
fn short(digest: &Digest) -> u128 {
    digest.as_bytes().first_chunk().map_or(0, |half| u128::from_be_bytes(*half))
}
