//! `moved`: files of a replica that have other names in the source by now: their old ones go.
//!
//! Only in sets whose files change their names as others take these. What the source has no more under any name stays.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use highwater_core::claim::Expect;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::name::Name;
use highwater_core::part::{Change, Part};

use super::catalogue::Catalogue;
use super::withheld::each;
use crate::error::Error;
use crate::watch::Watch;

/// Removes the files that only the replica's indices claim, and whose bytes those of the source claim elsewhere: there
/// they are by now. Folders that are empty then go, too.
///
/// # Errors
/// An index cannot be read, a file not be removed, or the user interrupts.
pub(super) fn clear(catalogue: &Catalogue<'_>, format: &'static dyn Format, watch: &Watch<'_>) -> Result<(), Error> {
    let to = catalogue.to;
    let changes = |name: &Name| (catalogue.parts)(name, false) == Part::Object(Change::Any);
    let keys = RandomState::new();
    let sum = |expect: &Expect| expect.digest.map(|digest| keys.hash_one((expect.length, digest.as_bytes())));
    let (mut names, mut sums) = (HashSet::new(), HashSet::new());
    let scope = Scope::new(Of::All);
    each(&mut *format.inspect(&scope), catalogue, &mut |batch| {
        for claim in batch.claims.drain(..).chain(batch.shared.drain(..)).filter(|claim| changes(&claim.object)) {
            names.insert(keys.hash_one(claim.object.as_bytes()));
            sums.extend(sum(&claim.expect));
        }
    })?;
    if names.is_empty() {
        return Ok(());
    }
    let mut gone: Vec<Name> = Vec::new();
    each(&mut *format.inspect(&scope), to.as_store(), &mut |batch| {
        for claim in batch.claims.drain(..).chain(batch.shared.drain(..)).filter(|claim| changes(&claim.object)) {
            let is_elsewhere = sum(&claim.expect).is_some_and(|sum| sums.contains(&sum));
            if is_elsewhere && !names.contains(&keys.hash_one(claim.object.as_bytes())) {
                gone.push(claim.object);
            }
        }
    })?;
    for name in gone {
        watch.go_on()?;
        match to.look(Some(&name)).map_err(Error::at("look at", to, &name))? {
            Some(look) if look.what == crate::disk::What::File => {}
            _ => continue,
        }
        to.remove(&name).map_err(Error::at("remove", to, &name))?;
        let mut folder = name.folder();
        while let Some(empty) = folder.filter(|folder| to.remove_folder(folder).is_ok()) {
            folder = empty.folder();
        }
    }
    Ok(())
}
