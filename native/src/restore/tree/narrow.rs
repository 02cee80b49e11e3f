//! Narrows a tree to what lies at one path in it.

use std::collections::BTreeMap;

use highwater_core::layout::{Entry, Is, Laid};
use highwater_core::name::Name;

/// The path of what lies below `part`, from there on; none of what does not.
pub(super) fn below(part: &Name, path: &Name) -> Option<Name> {
    let rest = path.as_bytes().strip_prefix(part.as_bytes())?.strip_prefix(b"/")?;
    Name::new(rest).ok()
}

/// What is at this path: of a folder, all that is in it; of anything else, itself, alone in a folder like its own. A
/// file comes along of which another name lies elsewhere. None where nothing is.
pub(super) fn to(part: &Name, (top, mut entries): Laid) -> Option<Laid> {
    let Entry { what, meta } = entries.get(part)?;
    let (within, top) = if matches!(what, Is::Folder) {
        (Some(part.clone()), *meta)
    } else {
        let folder = part.folder();
        let meta = folder.as_ref().and_then(|folder| entries.get(folder)).map_or(top, |entry| entry.meta);
        (folder, meta)
    };
    let is_alone = !matches!(what, Is::Folder);
    let new = |path: &Name| match (&within, is_alone) {
        (_, true) if path != part => None,
        (Some(within), _) => below(within, path),
        (None, _) => Some(path.clone()),
    };
    let moved: Vec<(Name, Name)> = entries.keys().filter_map(|path| Some((path.clone(), new(path)?))).collect();
    let mut left = BTreeMap::new();
    // Where each file is now.
    let mut files: BTreeMap<Name, Name> = BTreeMap::new();
    let mut hard = Vec::new();
    for (old, new) in moved {
        let Entry { what, meta } = entries.get_mut(&old)?;
        let what = match what {
            Is::Hard(of) => {
                hard.push((of.clone(), new));
                continue;
            }
            Is::File(_) => {
                files.insert(old.clone(), new.clone());
                std::mem::replace(what, Is::Folder)
            }
            Is::Folder => Is::Folder,
            Is::Link(text) => Is::Link(std::mem::take(text)),
        };
        left.insert(new, Entry { what, meta: *meta });
    }
    for (of, new) in hard {
        let Entry { what, meta } = entries.get_mut(&of)?;
        let what = match files.get(&of) {
            Some(file) => Is::Hard(file.clone()),
            None => {
                files.insert(of.clone(), new.clone());
                std::mem::replace(what, Is::Folder)
            }
        };
        left.insert(new, Entry { what, meta: *meta });
    }
    Some((top, left))
}
