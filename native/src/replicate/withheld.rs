//! `withheld`: the indices that are not published, as something that they name is not whole in the source.
//!
//! Which those are, a second walk over the indices tells, taken only when there is something: each that claims what is
//! not whole is not whole itself, and so on.

use std::collections::BTreeSet;

use highwater_core::finding::{Code, Severity};
use highwater_core::inspect::{Ask, Batch, Format, Inspect, Of, Scope};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::{Note, Report, Soundness};

use super::below::Below;
use super::catalogue::Catalogue;
use crate::drive::answer;
use crate::error::Error;
use crate::store::Store;
use crate::watch::Watch;

/// Adds to what is `bad` the names that are not to be published as they name something of it.
///
/// # Errors
/// An index cannot be read, or the user interrupts.
pub(super) fn add(
    within: &Below<'_, Catalogue<'_>>,
    format: &'static dyn Format,
    report: &Report,
    key: Option<&Key>,
    bad: &mut BTreeSet<Name>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let catalogue = within.store;
    // That something is shut is no reason: whoever has the key judges the copy.
    let counts = |code: Code| code.severity() == Severity::Damage || code == Code::Unreadable;
    let notes: Vec<&Note> = report.findings.iter().filter(|note| counts(note.code)).collect();
    if bad.is_empty() && notes.is_empty() {
        return Ok(());
    }
    // What could not be read once may be read now, and is not known all the same.
    let told: BTreeSet<&str> = notes.iter().map(|note| &*note.object).collect();
    let known: BTreeSet<String> = bad.iter().map(ToString::to_string).collect();
    let mut found = 0;
    for name in catalogue.items.keys().filter(|name| told.contains(&*name.to_string())) {
        found += usize::from(!known.contains(&name.to_string()));
        bad.insert(name.clone());
    }
    let unread = notes.iter().filter(|note| note.code == Code::Unreadable);
    let strange = unread.clone().filter(|note| !known.contains(&note.object)).count();
    let untold = report.tallies.get(Code::Unreadable.name()).is_some_and(|all| *all > unread.count() as u64);
    if untold || strange > found {
        bad.extend(catalogue.items.keys().cloned());
        return Ok(());
    }
    loop {
        let before = bad.len();
        watch.go_on()?;
        let mut inspect = format.inspect(&Scope::new(Of::All).keyed(key.cloned()));
        each(&mut *inspect, within, &mut |batch| {
            for claim in batch.claims.drain(..).chain(batch.shared.drain(..)) {
                if bad.contains(&within.full(&claim.object)) {
                    bad.insert(within.full(&claim.index));
                }
            }
            let worse = batch.findings.drain(..).filter(|finding| counts(finding.code));
            bad.extend(worse.filter_map(|finding| finding.object).map(|name| within.full(&name)));
        })?;
        beside(catalogue, bad);
        if bad.len() == before {
            break;
        }
    }
    // Points that are not sound, and no index that says why: then nothing is published.
    let is_told = catalogue.items.keys().any(|name| bad.contains(name));
    if !is_told && report.sets.iter().any(|set| set.verdict == Soundness::Damaged) {
        bad.extend(catalogue.items.keys().cloned());
    }
    Ok(())
}

/// What needs something that is not published is not either, and what is nothing without something that is bad.
fn beside(catalogue: &Catalogue<'_>, bad: &mut BTreeSet<Name>) {
    let is_any = !bad.is_empty();
    let mut more = Vec::new();
    for (name, item) in &catalogue.items {
        let needed = item.index.needs.and_then(|needed| match name.folder() {
            Some(folder) => folder.join(needed.as_bytes()).ok(),
            None => Name::new(needed.as_bytes()).ok(),
        });
        if let Some(needed) = needed {
            if bad.contains(name) {
                more.push(needed.clone());
            }
            if bad.contains(&needed) || !catalogue.items.contains_key(&needed) {
                more.push(name.clone());
            }
        }
        if item.index.whole && is_any {
            more.push(name.clone());
        }
    }
    bad.extend(more);
}

/// Drives an inspection to its end, and hands on what each answer gives.
///
/// # Errors
/// A folder that cannot be listed.
pub(super) fn each(
    inspect: &mut dyn Inspect,
    store: &dyn Store,
    take: &mut dyn FnMut(&mut Batch),
) -> Result<(), Error> {
    loop {
        let ask = inspect.ask();
        if ask == Ask::Done {
            return Ok(());
        }
        answer(store, ask, &mut |answer| {
            let mut batch = Batch::default();
            let flow = inspect.answer(answer, &mut batch);
            take(&mut batch);
            flow
        })?;
    }
}
