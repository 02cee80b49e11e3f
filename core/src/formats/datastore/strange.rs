//! `Strange`: a folder that has no place in a store, and may hold snapshots all the same: moved away by hand, or under
//! names that a copier made of theirs.
//!
//! File systems that know no colons, and programs that copy to them, write `15_06_40Z`, `15%3A06%3A40Z` or a colon of
//! another alphabet. No server and no restore sees such a snapshot, and its chunks are somebody's only copy.

use super::found::{finding, stray};
use super::inspect::{Ahead, Now, Store};
use super::manifest::Reading;
use super::names::{self, MANIFEST};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{self, Batch, Kind};
use crate::name::Name;

/// A folder that is walked through.
pub(super) struct Strange {
    top: Name,
    why: &'static str,
    /// There is something in it that somebody may need.
    needed: bool,
}

impl Strange {
    /// It lies where it has no place: why, as a clause.
    pub(super) fn new(top: Name, why: &'static str) -> Self {
        Self { top, why, needed: false }
    }

    pub(super) fn top(&self) -> &Name {
        &self.top
    }

    /// All of it was looked at.
    pub(super) fn end(self) -> Option<Finding> {
        (!self.needed).then(|| stray(self.top, self.why))
    }
}

impl Store {
    /// Takes the entries of a folder that lies where nothing belongs.
    pub(super) fn strange(&mut self, folder: &Name, entries: &[inspect::Entry], out: &mut Batch) {
        let is_index = |name: &[u8]| name.ends_with(b".fidx") || name.ends_with(b".didx");
        let files = || entries.iter().filter(|entry| entry.kind.may_be_file());
        let manifest = files().find(|entry| entry.name.as_bytes() == MANIFEST.as_bytes());
        let manifest = manifest.and_then(|manifest| folder.join(manifest.name.as_bytes()).ok());
        let index = files().any(|entry| is_index(entry.name.as_bytes()));
        if let Some(walking) = self.walking.as_mut().filter(|_| index || manifest.is_some()) {
            walking.needed = true;
        }
        if index && manifest.is_none() {
            let message = format!("it lies where nothing reads it, and has indices and no {MANIFEST}");
            out.findings.push(finding(Code::Unfinished, folder.clone(), None, message, Hurts::Nothing));
        }
        self.ahead.extend(manifest.map(|manifest| Ahead::Misnamed(folder.clone(), manifest)));
        let folders =
            entries.iter().filter(|entry| entry.kind == Kind::Folder && !entry.name.as_bytes().starts_with(b"."));
        let folders = folders.filter_map(|entry| folder.join(entry.name.as_bytes()).ok());
        self.ahead.extend(folders.map(|folder| Ahead::Folder(Some(folder), super::folders::Role::Strange)));
        self.next(out);
    }

    /// Begins to read the manifest of a snapshot whose folder has another name than it should.
    pub(super) fn misnamed(folder: Name, name: Name) -> Now {
        Now::Misnamed { folder, name, reading: Reading::new() }
    }

    /// Names the snapshot that lies in `folder`, by its manifest, which was read; none if it cannot be read.
    pub(super) fn tell_misnamed(&self, folder: Name, manifest: Result<(String, String, i64), String>, out: &mut Batch) {
        let text = folder.as_str().unwrap_or_default();
        let wanted = manifest.map(|(kind, id, time)| format!("{}{kind}/{id}/{}", space(text), names::text_of(time)));
        let (code, message) = match wanted {
            Ok(wanted) if self.names_snapshot(&wanted) => {
                (Code::Stray, format!("it is a copy of {wanted}, which is there"))
            }
            Ok(wanted) => (
                Code::Misnamed,
                format!("it is a snapshot under a name that nothing reads; its name should be {wanted}"),
            ),
            Err(why) => {
                let wanted =
                    text.rsplit_once('/').and_then(|(group, time)| Some(format!("{group}/{}", names::mended(time)?)));
                let wanted = wanted.map(|wanted| format!(", but its name should be {wanted}")).unwrap_or_default();
                (
                    Code::Misnamed,
                    format!("it is a snapshot under a name that nothing reads{wanted}; its manifest: {why}"),
                )
            }
        };
        out.findings.push(finding(code, folder, None, message, Hurts::Nothing));
    }
}

/// The namespaces that a path begins with, as far as they can have a name: `ns/a/ns/b/`, or nothing.
fn space(path: &str) -> &str {
    let mut end = 0;
    for _ in 0..names::DEEPEST {
        let rest = path.get(end..).unwrap_or_default();
        let Some(name) = rest.strip_prefix("ns/").and_then(|rest| rest.split_once('/')).map(|(name, _)| name) else {
            break;
        };
        if !names::is_id(name) {
            break;
        }
        end += "ns/".len() + name.len() + 1;
    }
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_namespace_belongs_into_it() {
        for (path, within) in [
            ("vm/100/x", ""),
            ("old/vm/100/x", ""),
            ("ns/team/VM/100/x", "ns/team/"),
            ("ns/team/ns/a/vm/100/x", "ns/team/ns/a/"),
            ("ns/te am/vm/100/x", ""),
            ("ns/a/ns/b/ns/c/ns/d/ns/e/ns/f/ns/g/ns/h/vm/100/x", "ns/a/ns/b/ns/c/ns/d/ns/e/ns/f/ns/g/"),
        ] {
            assert_eq!(space(path), within, "{path}");
        }
    }
}
