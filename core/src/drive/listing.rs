//! `Listing`: what was dropped, by name and number: the host knows an entry by its number.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use crate::fault::{Fault, FaultKind};
use crate::formats;
use crate::inspect::{Entry, Format, Kind};
use crate::name::Name;

/// Through how many links a name may lead, as in the kernel.
const LINKS: usize = 40;

/// The entries of one root. They do not change while it is looked at: a drop is a snapshot.
#[derive(Debug, Default)]
pub struct Listing {
    /// The folders by their names, the root under none. A store may have tens of thousands of them.
    folders: HashMap<Option<Name>, Folder>,
    /// Some of them are links to others.
    has_links: bool,
}

#[derive(Debug, Default)]
struct Folder {
    /// It is none where something else of its name is refused.
    is_folder: bool,
    entries: Vec<Entry>,
    /// The host's numbers of the plain files among them.
    numbers: HashMap<Name, u32>,
    /// Of a link, the folder of the same root to which it leads, or the root.
    leads: Option<Option<Name>>,
    /// Why it, and all below it, cannot be read.
    refused: Option<String>,
    /// Under which name it was looked at first: links may lead to it again.
    first: OnceCell<Option<Name>>,
}

impl Listing {
    /// Adds an entry by its name below the root, which the host knows as `number`. False when its name is none that a
    /// backup could have: such an entry is passed over, as nothing could name it.
    pub fn add(&mut self, name: &str, kind: Kind, number: u32) -> bool {
        self.add_bytes(name.as_bytes(), kind, number)
    }

    /// The same, by a name that may be no UTF-8.
    pub fn add_bytes(&mut self, name: &[u8], kind: Kind, number: u32) -> bool {
        let (folder, last) = parted(name);
        let Ok(last) = Name::new(last) else { return false };
        let Ok(folder) = folder.map(Name::new).transpose() else { return false };
        if kind == Kind::Folder
            && let Ok(whole) = Name::new(name)
        {
            self.folders.entry(Some(whole)).or_default().is_folder = true;
        }
        let folder = self.folders.entry(folder).or_default();
        if kind == Kind::File {
            folder.numbers.insert(last.clone(), number);
        }
        folder.entries.push(Entry::new(last, kind));
        true
    }

    /// Says that a folder, which was added by its name, is a link to another of the same root, or to the root.
    pub fn lead(&mut self, name: Name, to: Option<Name>) {
        self.folders.entry(Some(name)).or_default().leads = Some(to);
        self.has_links = true;
    }

    /// Says why what has this name, or the root, cannot be read, nor what is below it.
    pub fn refuse(&mut self, name: Option<Name>, why: String) {
        self.folders.entry(name).or_default().refused = Some(why);
    }

    /// Those of a folder, or of the root, in the order in which they came.
    #[must_use]
    pub fn entries(&self, folder: Option<&Name>) -> &[Entry] {
        self.folders.get(&self.own(folder)).map(|folder| &*folder.entries).unwrap_or_default()
    }

    /// The name under which a folder is listed, once links are followed; none for the root.
    #[must_use]
    pub fn own(&self, folder: Option<&Name>) -> Option<Name> {
        folder.and_then(|folder| self.led(folder).map_or_else(|| Some(folder.clone()), |to| Name::new(&to).ok()))
    }

    /// The name under which a folder was looked at before, if it was another; none for the root.
    pub(super) fn known(&self, folder: Option<&Name>) -> Option<&Option<Name>> {
        let own = self.has_links.then(|| self.own(folder))?;
        let first = self.folders.get(&own)?.first.get_or_init(|| folder.cloned());
        (first.as_ref() != folder).then_some(first)
    }

    /// Where the links on the way to a name lead, if there are any.
    fn led(&self, name: &Name) -> Option<Vec<u8>> {
        let mut at: Option<Vec<u8>> = None;
        for _ in 0..if self.has_links { LINKS } else { 0 } {
            let now = at.as_deref().unwrap_or_else(|| name.as_bytes());
            let ends = now.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
            let link = ends.chain([now.len()]).find_map(|end| {
                let link = Some(Name::new(now.get(..end)?).ok()?);
                let to = self.folders.get(&link)?.leads.as_ref()?;
                Some((to, now.get(end..).unwrap_or_default()))
            });
            let Some((to, rest)) = link else { break };
            at = Some(match to {
                Some(to) => [to.as_bytes(), rest].concat(),
                None => rest.strip_prefix(b"/").unwrap_or_default().to_vec(),
            });
        }
        at
    }

    /// Why there is no plain file of this name, or no folder.
    #[must_use]
    pub fn fault(&self, name: &Name) -> Fault {
        let own = self.own(Some(name));
        let unreadable = |why: &str| super::indices::unreadable(why);
        let mut above = own.clone();
        loop {
            if let Some(why) = self.folders.get(&above).and_then(|folder| folder.refused.as_ref()) {
                return unreadable(why);
            }
            let Some(folder) = above else { break };
            above = folder.folder();
        }
        if own.is_none() || self.folders.get(&own).is_some_and(|folder| folder.is_folder) {
            return unreadable("it is a folder, not a file");
        }
        Fault { kind: FaultKind::Absent, message: "it cannot be read: it is not there".to_owned() }
    }

    /// Why a folder, or the root, was not listed; none where it was.
    #[must_use]
    pub fn unlisted(&self, folder: Option<&Name>) -> Option<Fault> {
        let why = self.folders.get(&self.own(folder))?.refused.as_ref()?;
        Some(super::indices::unreadable(why))
    }

    /// The number of the plain file of this name.
    #[must_use]
    pub fn number(&self, name: &Name) -> Option<u32> {
        let name = self.led(name).map_or(Cow::Borrowed(name.as_bytes()), Cow::Owned);
        let (folder, last) = parted(&name);
        let folder = self.folders.get(&folder.map(Name::new).transpose().ok()?)?;
        folder.numbers.get(&Name::new(last).ok()?).copied()
    }

    /// The kind that this looks like, whether its format is in this build or not.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        formats::kind_of(self.entries(None))
    }

    /// The format that this looks like, if this build has it.
    #[must_use]
    pub fn format(&self) -> Option<&'static dyn Format> {
        self.kind().and_then(formats::by_name)
    }
}

/// The folder that a name is in, unless that is the root, and its name there.
fn parted(name: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match name.iter().rposition(|byte| *byte == b'/').and_then(|at| name.split_at_checked(at)) {
        Some((folder, last)) => (Some(folder), last.get(1..).unwrap_or_default()),
        None => (None, name),
    }
}
