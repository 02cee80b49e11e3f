//! `walk`: all that lies below the source.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStrExt;

use highwater_core::name::Name;
use highwater_core::node::Meta;
use rayon::prelude::*;

use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::watch::Watch;

/// Something that was found.
pub(super) struct Found {
    pub(super) name: Name,
    pub(super) look: Look,
    /// The text of a link.
    pub(super) link: Option<Box<[u8]>>,
}

impl Found {
    pub(super) fn is_file(&self) -> bool {
        self.look.what == What::File
    }

    pub(super) fn is_folder(&self) -> bool {
        self.look.what == What::Folder
    }
}

/// What was found, in the order of a walk, and what is left out, a sentence each.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) found: Vec<Found>,
    pub(super) left_out: Vec<String>,
    /// What was asked for and is not there.
    pub(super) gone: Vec<Name>,
}

impl Walked {
    /// Adds some files.
    pub(super) fn add<'n>(&mut self, from: &dyn Disk, names: impl Iterator<Item = &'n Name>) {
        for name in names {
            take_or_miss(from, name.clone(), self);
        }
        self.found.sort_by(|one, other| one.name.walk_order(&other.name));
    }
}

/// What a file system keeps of it.
pub(super) fn meta(look: &Look) -> Meta {
    Meta {
        mode: Some(look.mode),
        uid: Some(look.owner.user),
        gid: Some(look.owner.group),
        modified: Some(look.modified),
    }
}

/// Walks through the source. What goes meanwhile was not there.
pub(super) fn walk(from: &dyn Disk, watch: &Watch<'_>) -> Result<Walked, Error> {
    let mut walked = Walked::default();
    let mut ahead = vec![None];
    // Folders of one depth side by side.
    while !ahead.is_empty() {
        let looked = match from.takes_threads() {
            true => {
                ahead.par_iter().map(|folder| inside(from, folder.as_ref(), watch)).collect::<Result<Vec<_>, _>>()?
            }
            false => ahead.iter().map(|folder| inside(from, folder.as_ref(), watch)).collect::<Result<Vec<_>, _>>()?,
        };
        ahead.clear();
        for Walked { found, left_out, .. } in looked {
            ahead.extend(found.iter().filter(|one| one.is_folder()).map(|one| Some(one.name.clone())));
            walked.found.extend(found);
            walked.left_out.extend(left_out);
        }
    }
    walked.found.sort_unstable_by(|one, other| one.name.walk_order(&other.name));
    walked.left_out.sort_unstable();
    Ok(walked)
}

/// What lies in one folder.
fn inside(from: &dyn Disk, folder: Option<&Name>, watch: &Watch<'_>) -> Result<Walked, Error> {
    watch.go_on()?;
    let mut walked = Walked::default();
    let not = |error: io::Error| match folder {
        None => Err(Error::of_folder("list", from, None)(error)),
        Some(_) if error.kind() == io::ErrorKind::NotFound => Ok(Walked::default()),
        Some(folder) => {
            let left_out = vec![format!("what is in '{folder}': {error}")];
            Ok(Walked { left_out, ..Walked::default() })
        }
    };
    // One descriptor is the way to all that is in it.
    let opened = match folder.map(|folder| from.beneath(folder)).transpose() {
        Ok(opened) => opened,
        Err(error) => return not(error),
    };
    let disk = opened.as_deref().unwrap_or(from);
    let mut names: Vec<Name> = Vec::new();
    if let Err(error) = disk.list(None, &mut |entry| names.push(entry.name)) {
        return not(error);
    }
    for last in names {
        let name = folder.map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()));
        match name {
            Ok(name) => take(disk, &last, name, &mut walked),
            Err(error) => walked.left_out.push(format!("'{last}': {error}")),
        }
    }
    Ok(walked)
}

/// Looks at something that is called `last` in the folder `disk`, and `name` in the source. What is gone was not there.
fn take(disk: &dyn Disk, last: &Name, name: Name, walked: &mut Walked) {
    let look = match disk.look(Some(last)) {
        Ok(Some(look)) => look,
        Ok(None) => return,
        Err(error) => return walked.left_out.push(format!("'{name}': {error}")),
    };
    let link = match look.what {
        What::File | What::Folder => None,
        What::Link => match disk.leads_to(last) {
            Some(to) => Some(to.as_os_str().as_bytes().into()),
            None => return walked.left_out.push(format!("'{name}': nobody can tell where the link leads")),
        },
        What::Block | What::Other => {
            return walked.left_out.push(format!("'{name}': a device, a FIFO or a socket, which is not kept"));
        }
    };
    walked.found.push(Found { name, look, link });
}

/// Looks at some files, and at the folders that they lie in.
pub(super) fn those(from: &dyn Disk, names: &[Name], watch: &Watch<'_>) -> Result<Walked, Error> {
    let mut walked = Walked::default();
    let mut all: BTreeSet<Name> = names.iter().cloned().collect();
    for name in names {
        let mut inner = name.folder();
        while let Some(folder) = inner.take_if(|folder| !all.contains(folder)) {
            inner = folder.folder();
            all.insert(folder);
        }
    }
    for name in all {
        watch.go_on()?;
        take_or_miss(from, name, &mut walked);
    }
    walked.found.sort_by(|one, other| one.name.walk_order(&other.name));
    Ok(walked)
}

/// Looks at a file that is to be there.
fn take_or_miss(from: &dyn Disk, name: Name, walked: &mut Walked) {
    let before = walked.found.len() + walked.left_out.len();
    take(from, &name, name.clone(), walked);
    if before == walked.found.len() + walked.left_out.len() {
        walked.gone.push(name);
    }
}
