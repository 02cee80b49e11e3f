//! What the folders of a store are, and what their listings lead to.

use super::found::{failed, finding, stray};
use super::inspect::{Ahead, Late, Now, Store};
use super::names;
use super::strange::Strange;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::foreign::is_foreign;
use crate::inspect::{self, Batch, Kind};
use crate::name::Name;
use crate::sort;

/// What else may lie in a group, and in the root.
pub(super) const OF_GROUP: [&str; 2] = [OWNER, "notes"];
const OF_ROOT: [&str; 5] = [names::CHUNKS, names::LOCK, ".gc-status", ".in-use", "ns"];

/// The file of a group that says whose it is.
const OWNER: &str = "owner";

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The root or a namespace, so deep.
    Space(usize),
    /// The namespaces in one.
    Spaces(usize),
    Type,
    Group,
    /// A snapshot of the group of this number.
    Snapshot(u64),
    /// One where nothing belongs.
    Strange,
    /// One that is listed once more, at the end.
    Late,
}

impl Store {
    /// Takes a folder's entries, all of them.
    pub(super) fn listed(
        &mut self,
        folder: Option<Name>,
        place: Role,
        mut entries: Vec<inspect::Entry>,
        out: &mut Batch,
    ) {
        entries.retain(|entry| !is_foreign(entry.name.as_bytes()));
        sort::by(&mut entries, |a, b| a.name.cmp(&b.name));
        match (place, &folder) {
            (Role::Snapshot(group), Some(folder)) => return self.snapshot(folder.clone(), group, &entries, out),
            (Role::Strange, Some(folder)) => return self.strange(folder, &entries, out),
            (Role::Late, _) => {
                let Some(Late { finding, settled, then, .. }) = self.late.pop() else { return self.next(out) };
                let is_settled = entries.iter().any(|entry| entry.name.as_bytes() == settled.as_bytes());
                out.findings.extend(if is_settled { then } else { Some(finding) });
                return self.next(out);
            }
            (Role::Group, Some(folder)) => self.group(folder, &entries),
            _ => {}
        }
        let pool = |entry: &inspect::Entry| entry.name.as_bytes() == names::CHUNKS.as_bytes();
        if place == Role::Space(0) && !self.only_lists() && !entries.iter().any(pool) {
            let message = "the folder of all chunks is not there; see that its disk is mounted".to_owned();
            let pool = Name::new(names::CHUNKS.as_bytes()).ok();
            out.findings.push(Finding { code: Code::Missing, object: pool, offset: None, message, hurts: Hurts::All });
        }
        let mut ahead = Vec::new();
        let mut others = Vec::new();
        for entry in entries {
            let Some(name) = below(folder.as_ref(), &entry.name) else { continue };
            let text = entry.name.as_str().unwrap_or_default();
            let next = match place {
                _ if !entry.kind.may_be_folder() => None,
                Role::Space(_) if names::TYPES.contains(&text) => Some(Role::Type),
                Role::Space(deep) if text == "ns" && deep < names::DEEPEST => Some(Role::Spaces(deep)),
                Role::Spaces(deep) if names::is_id(text) => Some(Role::Space(deep + 1)),
                Role::Type if names::is_id(text) => Some(Role::Group),
                Role::Group if names::time_of(text).is_some() => Some(Role::Snapshot(self.groups.saturating_sub(1))),
                _ => None,
            };
            match next {
                Some(Role::Snapshot(group)) if self.newest && self.wants(&name) => {
                    self.candidates.push((names::time_of(text).unwrap_or_default(), name, group));
                }
                Some(place) if self.wants(&name) => ahead.push(Ahead::Folder(Some(name), place)),
                Some(_) => others.push(entry.name.to_string()),
                None => self.unknown(name, text, place, entry.kind, out),
            }
        }
        // Where the path that is asked for ends, or leads on, something of it was found.
        let inside = folder
            .as_ref()
            .is_some_and(|folder| self.path.as_deref().is_some_and(|path| folder.as_bytes().len() >= path.len()));
        if self.path.is_some() && !inside && ahead.is_empty() && self.candidates.is_empty() && self.ahead.is_empty() {
            out.absent = Some(self.absent(folder.as_ref(), &others));
        }
        self.ahead.extend(ahead.into_iter().rev());
        self.next(out);
    }

    /// Takes note of a group.
    fn group(&mut self, folder: &Name, entries: &[inspect::Entry]) {
        self.groups = self.groups.saturating_add(1);
        let text = |entry: &inspect::Entry| entry.name.as_str().map(ToOwned::to_owned).unwrap_or_default();
        let holds = |wanted: &dyn Fn(&str) -> bool| entries.iter().any(|entry| wanted(&text(entry)));
        if self.tells_strays() && holds(&|name| names::time_of(name).is_some()) && !holds(&|name| name == OWNER) {
            let message = format!("it has no file '{OWNER}', which says whose it is");
            let finding = finding(Code::NoOwner, folder.clone(), None, message, Hurts::Nothing);
            self.late.push(Late { folder: folder.clone(), finding, settled: OWNER, then: None });
        }
    }

    /// Takes what lies where it has no place.
    fn unknown(&mut self, name: Name, text: &str, place: Role, kind: Kind, out: &mut Batch) {
        if !self.tells_strays() {
            return;
        }
        let why = match place {
            _ if text.starts_with(names::WORK) => {
                let why = "a backup is being written, or was interrupted; the next one removes it";
                return out.findings.push(finding(Code::Temporary, name, None, why.to_owned(), Hurts::Nothing));
            }
            Role::Space(0) if OF_ROOT.contains(&text) => return,
            Role::Group if OF_GROUP.contains(&text) => return,
            Role::Snapshot(_) => "it is no file of a snapshot",
            _ => "it belongs to no snapshot",
        };
        self.stranger(name, why, kind, out);
    }

    /// Takes something that belongs to no snapshot. A folder may hold one all the same, under a name that nothing
    /// reads; servers pass over what is hidden.
    pub(super) fn stranger(&mut self, name: Name, why: &'static str, kind: Kind, out: &mut Batch) {
        if kind == Kind::Folder && !name.last().starts_with(b".") {
            self.strange.push(Strange::new(name, why));
        } else {
            out.findings.push(stray(name, why));
        }
    }

    /// A folder cannot be listed.
    pub(super) fn unlisted(&mut self, folder: Option<Name>, place: Role, fault: Fault, out: &mut Batch) {
        match (place, folder) {
            (Role::Late, _) => {
                let late = self.late.pop();
                match (fault.kind, late) {
                    (FaultKind::Absent, Some(late)) => out.removed.push(late.folder.to_string()),
                    (_, Some(late)) => out.findings.push(late.finding),
                    (_, None) => {}
                }
            }
            (Role::Strange, Some(folder)) => {
                if fault.kind != FaultKind::Absent {
                    out.findings.push(stray(folder, &format!("it belongs to no snapshot, and {}", fault.message)));
                }
            }
            // It was there when the folder that it lies in was listed.
            (_, Some(folder)) if fault.kind == FaultKind::Absent => out.removed.push(folder.to_string()),
            (place, folder) => {
                let hurts = if place == Role::Space(0) { Hurts::All } else { Hurts::Nothing };
                out.findings.push(Finding { object: folder, ..failed(None, fault, hurts) });
            }
        }
        self.next(out);
    }

    /// Goes on to the next thing to be read, when nothing is ahead any more: what is strange, and then what is to be
    /// looked at once more.
    pub(super) fn last(&mut self, out: &mut Batch) {
        self.signed.end(out);
        if let Some(over) = self.walking.take() {
            out.findings.extend(over.end());
        }
        self.now = if let Some(strange) = self.strange.pop() {
            let folder = strange.top().clone();
            self.walking = Some(strange);
            Now::Listing(Some(folder), Role::Strange, Vec::new())
        } else if let Some(late) = self.late.last() {
            Now::Listing(Some(late.folder.clone()), Role::Late, Vec::new())
        } else {
            Now::Nothing
        };
    }
}

pub(super) fn below(folder: Option<&Name>, name: &Name) -> Option<Name> {
    folder.map_or_else(|| Some(name.clone()), |folder| folder.join(name.as_bytes()).ok())
}
