//! What lies in a store's folder and is none of the store's: short files are copied as they are, as a program that
//! wraps the store may need them; the rest is left out, and said.

use highwater_core::foreign::is_foreign;
use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::adapter::{Adapter, read_small};
use super::refused;
use crate::disk::Disk;
use crate::error::Error;

/// The longest such file that is copied, in bytes.
const LONGEST: u64 = 1 << 20;

/// How many names a sentence tells.
const FEW: usize = 5;

/// What is copied, and what is to be said.
pub(super) struct Strangers {
    /// The files and their bytes.
    pub(super) files: Vec<(Name, Vec<u8>)>,
    /// A sentence on each kind of them.
    pub(super) notes: Vec<String>,
}

/// Looks for them. None is told of that a store's program makes, or another program leaves everywhere.
pub(super) fn strangers(store: &dyn Disk, adapter: &dyn Adapter) -> Result<Strangers, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    store.list(None, &mut |entry| entries.push(entry)).map_err(Error::of_folder("list", store, None))?;
    entries.retain(|entry| !adapter.knows(entry) && !is_foreign(entry.name.as_bytes()));
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let (mut files, mut left) = (Vec::new(), Vec::new());
    for Entry { name, kind, .. } in entries {
        match read_settled(store, &name, kind)? {
            Some(bytes) => files.push((name, bytes)),
            None => left.push(name),
        }
    }
    let names: Vec<&Name> = files.iter().map(|(name, _)| name).collect();
    let copied = told(&names, "copied as they were found, as no file of the store has such a name");
    let left: Vec<&Name> = left.iter().collect();
    let left = told(&left, "left out, as nothing of the store has such a name");
    Ok(Strangers { notes: copied.into_iter().chain(left).collect(), files })
}

/// A short file that did not change while it was read.
fn read_settled(store: &dyn Disk, name: &Name, kind: Kind) -> Result<Option<Vec<u8>>, Error> {
    let look = || store.look(Some(name)).map_err(Error::at("look at", store, name));
    let Some(before) = look()?.filter(|look| kind == Kind::File && look.length <= LONGEST) else { return Ok(None) };
    // A store of another kind that writes in place is no true copy, whatever it looks like.
    if refused::file(store.as_store(), name).is_some() {
        return Ok(None);
    }
    let bytes = read_small(store, name)?;
    let same = look()?.is_some_and(|now| (now.identity, now.modified) == (before.identity, before.modified));
    Ok(bytes.filter(|bytes| same && bytes.len() as u64 == before.length))
}

fn told(names: &[&Name], what: &str) -> Option<String> {
    let mut some: Vec<String> = names.iter().take(FEW).map(|name| format!("'{name}'")).collect();
    let more = names.len().saturating_sub(FEW);
    if more > 0 {
        some.push(format!("{more} more"));
    }
    (!some.is_empty()).then(|| format!("{what}: {}", some.join(", ")))
}
