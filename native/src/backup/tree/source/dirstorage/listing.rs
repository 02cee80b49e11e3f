//! `list`: the files of a store that are of its state.

use highwater_core::foreign::is_foreign;
use highwater_core::formats::dirstorage::names;
use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::MARK;
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// What the name of a file ends with that a pack left for delayed deletion.
const DELETED: &[u8] = b"-deleted";

/// What the name of an empty file ends with by which a pack marks another (`posix.mark` = `file`).
const MARKS: &[u8] = b".mark";

/// How many names a sentence tells.
const FEW: usize = 5;

/// What is of the state.
pub(super) struct Listing {
    /// The files of the database, and the folders in it.
    pub(super) files: Vec<Name>,
    /// What else is.
    pub(super) others: Vec<Name>,
    /// What is to be said, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Lists the files.
///
/// # Errors
/// A folder cannot be listed.
pub(super) fn list(store: &dyn Disk, watch: &Watch<'_>) -> Result<Listing, Error> {
    let named = |name: &str| Name::new(name.as_bytes()).map_err(Error::from);
    let database = named(names::DATABASE)?;
    let mut files = below(store, &database, watch)?;
    files.retain(|name| !name.as_bytes().ends_with(DELETED) && !name.as_bytes().ends_with(MARKS));
    files.push(database);
    let config = named(names::CONFIG)?;
    let mut others = below(store, &config, watch)?;
    others.extend([config, named(MARK)?]);
    let (mut strange, mut lacking) = (Vec::new(), Vec::new());
    let entries = entries(store, None)?;
    for folder in [names::BESIDE, names::JOURNAL, names::MISC] {
        match entries.iter().any(|entry| entry.name.as_bytes() == folder.as_bytes() && entry.kind == Kind::Folder) {
            true => others.push(named(folder)?),
            false => lacking.push(folder),
        }
    }
    let own = [names::DATABASE, names::BESIDE, names::JOURNAL, names::MISC, names::CONFIG];
    strange.extend(
        entries
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| !own.iter().any(|own| own.as_bytes() == name.as_bytes()) && !is_foreign(name.as_bytes())),
    );
    strange.sort_unstable();
    let mut notes = Vec::new();
    if !strange.is_empty() {
        let mut some: Vec<String> = strange.iter().take(FEW).map(|name| format!("'{name}'")).collect();
        let more = strange.len().saturating_sub(FEW);
        some.extend((more > 0).then(|| format!("{more} more")));
        notes.push(format!("left out, as nothing of the store has such a name: {}", some.join(", ")));
    }
    if !lacking.is_empty() {
        notes.push(format!(
            "the store lacks the folder {}, which the storage needs: make it after a restore",
            lacking.join(" and the folder ")
        ));
    }
    Ok(Listing { files, others, notes })
}

fn entries(store: &dyn Disk, folder: Option<&Name>) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    store.list(folder, &mut |entry| entries.push(entry)).map_err(Error::of_folder("list", store, folder))?;
    Ok(entries)
}

/// All that lies below a folder.
fn below(store: &dyn Disk, folder: &Name, watch: &Watch<'_>) -> Result<Vec<Name>, Error> {
    let (mut found, mut ahead) = (Vec::new(), vec![folder.clone()]);
    while let Some(folder) = ahead.pop() {
        watch.go_on()?;
        for entry in entries(store, Some(&folder))? {
            let name = folder.join(entry.name.as_bytes())?;
            if entry.kind == Kind::Folder {
                ahead.push(name.clone());
            }
            found.push(name);
        }
    }
    Ok(found)
}
