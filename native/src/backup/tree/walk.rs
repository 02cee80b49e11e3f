//! `walk`: all that lies below the source.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStrExt;

use highwater_core::name::Name;
use highwater_core::node::Meta;

use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::watch::Watch;

/// Something that was found.
pub(super) struct Found {
    pub(super) name: Name,
    pub(super) look: Look,
    /// The text of a link.
    pub(super) link: Option<Vec<u8>>,
}

impl Found {
    pub(super) fn is_file(&self) -> bool {
        self.look.what == What::File
    }

    pub(super) fn is_folder(&self) -> bool {
        self.look.what == What::Folder
    }
}

/// What was found, in the order of the names, and what is left out, a sentence each.
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
        self.found.sort_by(|one, other| one.name.cmp(&other.name));
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
    let mut walked = Walked { found: Vec::new(), left_out: Vec::new(), gone: Vec::new() };
    let mut ahead = vec![None];
    while let Some(folder) = ahead.pop() {
        watch.go_on()?;
        let mut names = Vec::new();
        let listed = from.list(folder.as_ref(), &mut |entry| {
            names.push(entry.name);
        });
        match listed {
            Ok(()) => {}
            Err(error) if folder.is_some() && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => match &folder {
                Some(folder) => {
                    walked.left_out.push(format!("what is in '{folder}': {error}"));
                    continue;
                }
                None => return Err(Error::of_folder("list", from, None)(error)),
            },
        }
        for last in names {
            let name = folder.as_ref().map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()));
            match name {
                Ok(name) => take(from, name, &mut walked, &mut ahead),
                Err(error) => walked.left_out.push(format!("'{last}': {error}")),
            }
        }
    }
    walked.found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    walked.left_out.sort_unstable();
    Ok(walked)
}

fn take(from: &dyn Disk, name: Name, walked: &mut Walked, ahead: &mut Vec<Option<Name>>) {
    let look = match from.look(Some(&name)) {
        Ok(Some(look)) => look,
        Ok(None) => return,
        Err(error) => return walked.left_out.push(format!("'{name}': {error}")),
    };
    let link = match look.what {
        What::File => None,
        What::Folder => {
            ahead.push(Some(name.clone()));
            None
        }
        What::Link => match from.leads_to(&name) {
            Some(to) => Some(to.as_os_str().as_bytes().to_vec()),
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
    let mut walked = Walked { found: Vec::new(), left_out: Vec::new(), gone: Vec::new() };
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
    Ok(walked)
}

/// Looks at a file that is to be there.
fn take_or_miss(from: &dyn Disk, name: Name, walked: &mut Walked) {
    let before = walked.found.len() + walked.left_out.len();
    take(from, name.clone(), walked, &mut Vec::new());
    if before == walked.found.len() + walked.left_out.len() {
        walked.gone.push(name);
    }
}
