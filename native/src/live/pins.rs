//! `Pins`: what the heads named so far, in the checkpoint or on its way there. What is pinned stays so from one try to
//! the next: a store whose files live shorter than a try would never be caught otherwise.
//!
//! | way | when |
//! |---|---|
//! | link | the file gets a second name in the checkpoint: nothing is read |
//! | link beside | another file system, or nothing may be shared: it gets one in a hidden folder beside the store, and is copied from there once a try has come to its end |
//! | held | links are not to be had: it is opened, and copied at once; its length and digest are compared, as some programs cut off what they delete |

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use highwater_core::digest::Digest;
use highwater_core::name::Name;
use rustix::io::Errno;

use super::adapter::{Named, Stop};
use super::copy::{Written, copy};
use super::fresh::Fresh;
use super::{CheckpointSummary, Count};
use crate::disk::{Disk, FolderDraft, Look, What};
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// What is pinned, and how.
pub(super) struct Pins<'a> {
    store: &'a dyn Disk,
    to: &'a dyn Disk,
    beside: Option<&'a dyn Disk>,
    /// What came and is named by no head yet.
    pub(super) fresh: &'a Fresh<'a>,
    watch: &'a Watch<'a>,
    way: Way,
    /// Why it is not the first of the ways, a clause.
    pub(super) why: Option<String>,
    hidden: Option<Hidden<'a>>,
    /// The folder for what comes is there.
    has_fresh: bool,
    pinned: HashMap<Name, Pinned>,
    folders: BTreeSet<Name>,
    /// What was copied, by name.
    pub(super) written: HashMap<Name, Written>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Link,
    Beside,
    Held,
}

/// A folder beside the store that holds links.
struct Hidden<'a> {
    draft: FolderDraft<'a>,
    inside: Arc<dyn Disk>,
    count: u64,
}

#[derive(Debug, Clone)]
enum Pinned {
    /// It has its name in the checkpoint, and so many bytes.
    There(u64),
    /// It has this name in the hidden folder.
    Beside(Name),
}

/// What the hidden folder is called, before the digits.
pub(super) const HIDDEN: &[u8] = b".highwater-pins";

/// The folder in the checkpoint, while that is made, for what comes meanwhile.
const FRESH: &[u8] = b".highwater-fresh";

/// How many files of a folder are pinned before another look whether to stop.
const SOME: usize = 256;

impl<'a> Pins<'a> {
    pub(super) fn new(
        store: &'a dyn Disk,
        to: &'a dyn Disk,
        beside: Option<&'a dyn Disk>,
        fresh: &'a Fresh<'a>,
        copies: bool,
        watch: &'a Watch<'a>,
    ) -> Self {
        let way = if copies { Way::Beside } else { Way::Link };
        Self {
            store,
            to,
            beside,
            fresh,
            watch,
            way,
            why: None,
            hidden: None,
            has_fresh: false,
            pinned: HashMap::new(),
            folders: BTreeSet::new(),
            written: HashMap::new(),
        }
    }

    /// Has what comes pinned from now on, as long as there are links.
    pub(super) fn pin_what_comes(&mut self) -> Result<(), Error> {
        match self.way {
            Way::Link => {
                let folder = Name::new(FRESH)?;
                self.to.make_folder(&folder).map_err(Error::at("make the folder", self.to, &folder))?;
                let place = self.to.beneath(&folder).map_err(Error::at("open", self.to, &folder))?;
                self.fresh.go_to(Some(Arc::from(place)));
                self.has_fresh = true;
            }
            Way::Beside => {
                _ = self.hidden();
            }
            Way::Held => {}
        }
        Ok(())
    }

    /// Makes a folder of the checkpoint, with those that it lies in.
    pub(super) fn folder(&mut self, folder: &Name) -> Result<(), Error> {
        if self.folders.contains(folder) {
            return Ok(());
        }
        if let Some(outer) = folder.folder() {
            self.folder(&outer)?;
        }
        self.to.make_folder(folder).map_err(Error::at("make the folder", self.to, folder))?;
        self.folders.insert(folder.clone());
        Ok(())
    }

    /// The folders that were made.
    pub(super) fn folders(&self) -> impl DoubleEndedIterator<Item = &Name> {
        self.folders.iter()
    }

    /// Removes the folders that only an earlier try wanted: neither these nor what these files lie in.
    pub(super) fn settle_folders<'n>(
        &mut self,
        folders: impl IntoIterator<Item = &'n Name>,
        files: impl IntoIterator<Item = &'n Name>,
    ) -> Result<(), Error> {
        let mut wanted = BTreeSet::new();
        let within = files.into_iter().filter_map(Name::folder);
        for folder in folders.into_iter().cloned().chain(within) {
            let mut next = Some(folder);
            while let Some(folder) = next {
                next = folder.folder();
                if !wanted.insert(folder) {
                    break;
                }
            }
        }
        // The innermost first.
        for folder in self.folders.iter().rev().filter(|folder| !wanted.contains(*folder)) {
            self.to.remove_folder(folder).map_err(Error::at("remove the folder", self.to, folder))?;
        }
        self.folders.retain(|folder| wanted.contains(folder));
        Ok(())
    }

    /// Pins files. With `ahead`, one that is gone is passed over.
    pub(super) fn pin(&mut self, named: &[Named], ahead: bool) -> Result<(), Stop> {
        let mut left: Vec<&Named> = named.iter().filter(|named| !self.pinned.contains_key(&named.name)).collect();
        left.sort_by(|one, other| one.name.cmp(&other.name));
        let mut gone = None;
        // Files of one folder are reached by one descriptor.
        for group in left.chunk_by(|one, other| one.name.folder() == other.name.folder()) {
            let folder = group.first().and_then(|named| named.name.folder());
            if let Some(folder) = &folder {
                self.folder(folder)?;
            }
            for some in group.chunks(SOME) {
                self.watch.go_on()?;
                // What else is there is pinned all the same: the next try need not find it again.
                for named in self.pin_some(folder.as_ref(), some)? {
                    gone = gone.or((!ahead).then(|| named.name.clone()));
                }
            }
        }
        self.fresh.forget_gone().map_err(Error::of_folder("look at", self.store, None))?;
        gone.map_or(Ok(()), |name| Err(Stop::Odd(format!("'{name}', which the store's head names, is not there"))))
    }

    /// Pins files of one folder. Gives those that are gone.
    fn pin_some<'n>(&mut self, folder: Option<&Name>, mut some: &[&'n Named]) -> Result<Vec<&'n Named>, Stop> {
        let mut gone = Vec::new();
        while let [first, rest @ ..] = some {
            match self.way {
                Way::Link => match self.link_all(folder, some, &mut gone)? {
                    linked if linked == some.len() => break,
                    linked => some = &some[linked..],
                },
                Way::Beside => {
                    if let Some(is_there) = self.link_beside(first)? {
                        gone.extend((!is_there).then_some(*first));
                        some = rest;
                    }
                }
                Way::Held => {
                    let held = self.hold(some, &mut gone)?;
                    some = &some[held..];
                }
            }
        }
        Ok(gone)
    }

    /// Goes on in another way, for a reason that is told once.
    fn turn_to(&mut self, way: Way, why: String) {
        self.watch.note(format!("files are not linked: {why}"));
        self.fresh.go_to(None);
        self.way = way;
        self.why.get_or_insert(why);
    }

    /// Links files of one folder, as long as that is to be had. Gives how many were taken care of.
    fn link_all<'n>(
        &mut self,
        folder: Option<&Name>,
        some: &[&'n Named],
        gone: &mut Vec<&'n Named>,
    ) -> Result<usize, Stop> {
        let (from, to): (Box<dyn Disk>, Box<dyn Disk>);
        let (from, to) = match folder {
            None => (self.store, self.to),
            Some(folder) => {
                match self.store.beneath(folder) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        gone.extend(some);
                        return Ok(some.len());
                    }
                    opened => from = opened.map_err(Error::at("open", self.store, folder))?,
                }
                to = self.to.beneath(folder).map_err(Error::at("open", self.to, folder))?;
                (&*from, &*to)
            }
        };
        for (number, named) in some.iter().enumerate() {
            let last = Name::new(named.name.last()).map_err(Error::from)?;
            let linked = match to.adopt(from.as_store(), &last, &last) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.take_fresh(&named.name, error),
                linked => linked,
            };
            match linked {
                Ok(()) => {
                    let look = to.look(Some(&last)).map_err(Error::at("look at", to, &last))?;
                    let length = look.filter(|look| look.what == What::File).map(|look| look.length);
                    if length.is_none() || named.length.is_some_and(|wanted| Some(wanted) != length) {
                        to.remove(&last).map_err(Error::at("remove", to, &last))?;
                        return Err(odd_length(named, length));
                    }
                    self.pinned.insert(named.name.clone(), Pinned::There(length.unwrap_or_default()));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => gone.push(*named),
                Err(error) if error.kind() == io::ErrorKind::TooManyLinks => {
                    self.why.get_or_insert(format!("'{}' has as many names as its file system allows", named.name));
                    self.hold(&[named], gone)?;
                }
                Err(error) => {
                    match why_not(&error) {
                        Some((way, why)) => self.turn_to(way, why.to_owned()),
                        None => return Err(Error::at("link", self.store, &named.name)(error).into()),
                    }
                    return Ok(number);
                }
            }
        }
        Ok(some.len())
    }

    /// Gives a file its name that came, was pinned, and is gone; or the error if there is none.
    fn take_fresh(&self, name: &Name, gone: io::Error) -> io::Result<()> {
        let Some(staged) = self.fresh.take(name) else { return Err(gone) };
        let staged = Name::new(FRESH).and_then(|folder| folder.join(staged.as_bytes())).map_err(io::Error::other)?;
        self.to.rename_new(&staged, name)
    }

    /// Links a file into the hidden folder; false when it is gone. None where that is not to be had: then another way
    /// is turned to.
    fn link_beside(&mut self, named: &Named) -> Result<Option<bool>, Stop> {
        let store = self.store;
        let Some(hidden) = self.hidden() else { return Ok(None) };
        let name = Name::new(hidden.count.to_string().as_bytes()).map_err(Error::from)?;
        match hidden.inside.adopt(store.as_store(), &named.name, &name) {
            Ok(()) => {
                hidden.count += 1;
                self.pinned.insert(named.name.clone(), Pinned::Beside(name));
                Ok(Some(true))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(match self.fresh.take(&named.name) {
                Some(staged) => {
                    self.pinned.insert(named.name.clone(), Pinned::Beside(staged));
                    true
                }
                None => false,
            })),
            Err(error) => match why_not(&error) {
                Some((_, why)) => {
                    self.turn_to(Way::Held, why.to_owned());
                    Ok(None)
                }
                None => Err(Error::at("link", self.store, &named.name)(error).into()),
            },
        }
    }

    /// The hidden folder, which is made when it is asked for first; none, and another way is turned to, where it cannot
    /// be made.
    fn hidden(&mut self) -> Option<&mut Hidden<'a>> {
        if self.hidden.is_none() {
            match self.hide() {
                Ok(hidden) => {
                    self.fresh.go_to(Some(Arc::clone(&hidden.inside)));
                    self.hidden = Some(hidden);
                }
                Err(error) => self.turn_to(Way::Held, format!("beside the store nothing can be written ({error})")),
            }
        }
        self.hidden.as_mut()
    }

    fn hide(&self) -> io::Result<Hidden<'a>> {
        let beside = self.beside.ok_or(io::ErrorKind::NotFound)?;
        let draft = FolderDraft::marked(beside, &Name::new(HIDDEN).map_err(io::Error::other)?)?;
        let inside = Arc::from(draft.inside()?);
        Ok(Hidden { draft, inside, count: 0 })
    }

    /// Opens as many of these as may be open at once, then copies them. Gives how many were taken care of.
    fn hold<'n>(&mut self, some: &[&'n Named], gone: &mut Vec<&'n Named>) -> Result<usize, Stop> {
        let mut open: Vec<(&Named, Arc<dyn Object>, u64)> = Vec::new();
        let mut taken = 0;
        for named in some {
            match self.store.open(&named.name) {
                Ok(object) => {
                    let length = object.length().map_err(Error::at("look at", self.store, &named.name))?;
                    open.push((named, Arc::from(object), length));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => gone.push(*named),
                // Copying takes a few, too.
                Err(error) if is_too_many(&error) && open.len() > SPARE => {
                    let kept = open.len() - SPARE;
                    taken -= open.len() - kept;
                    open.truncate(kept);
                    break;
                }
                Err(error) => return Err(Error::at("open", self.store, &named.name)(error).into()),
            }
            taken += 1;
        }
        self.watch.expect(open.iter().map(|(.., length)| length).sum());
        for (named, object, length) in open {
            self.watch.go_on()?;
            self.copy(named, (&*object, length))?;
            self.watch.advance(length);
        }
        Ok(taken)
    }

    /// Copies a file into the checkpoint that had so many bytes when it was opened, and compares what is on record of
    /// it.
    fn copy(&mut self, named: &Named, (object, end): (&dyn Object, u64)) -> Result<(), Stop> {
        let name = named.name.clone();
        let look = self.look_of(named, object).map_err(Error::at("copy", self.store, &name))?;
        let algorithm = named.digest.map(|digest| digest.algorithm());
        let (written, digest) =
            copy((object, end), (self.to, &name), &look, algorithm).map_err(Error::at("write", self.to, &name))?;
        let length = Some(written.length);
        let wrong = named.length.is_some_and(|wanted| Some(wanted) != length).then(|| odd_length(named, length));
        let wrong = wrong.or_else(|| digest.and_then(|found| odd_digest(named, found)));
        // Where nothing is on record, a program that cuts off what it deletes shows all the same.
        let cut = || Stop::Moved(format!("'{name}' was cut off while it was copied"));
        let wrong = wrong.or_else(|| (written.length != end).then(cut));
        if let Some(wrong) = wrong {
            self.to.remove(&name).map_err(Error::at("remove", self.to, &name))?;
            return Err(wrong);
        }
        self.pinned.insert(named.name.clone(), Pinned::There(written.length));
        self.written.insert(name, written);
        Ok(())
    }

    /// What a copy is to be like: the file itself, or where its name is gone by now, the store.
    fn look_of(&self, named: &Named, object: &dyn Object) -> io::Result<Look> {
        let look = self.store.look(Some(&named.name))?;
        like_file(self.store, look.filter(|look| object.identity().is_ok_and(|identity| identity == look.identity)))
    }

    /// Ends with what the heads name at last: copies what lies beside the store, and takes out what is not named any
    /// more; none if everything is kept that was pinned.
    pub(super) fn settle(&mut self, named: Option<&Vec<Named>>, summary: &mut CheckpointSummary) -> Result<(), Stop> {
        self.fresh.go_to(None);
        if std::mem::take(&mut self.has_fresh) {
            let folder = Name::new(FRESH).map_err(Error::from)?;
            self.to.remove_folder(&folder).map_err(Error::at("remove the folder", self.to, &folder))?;
        }
        let all: Vec<Named>;
        let named = match named {
            Some(named) => named,
            None => {
                all = self.pinned.keys().cloned().map(Named::new).collect();
                &all
            }
        };
        for named in named {
            if let Some(Pinned::Beside(pin)) = self.pinned.get(&named.name).cloned()
                && let Some(hidden) = &self.hidden
            {
                self.watch.go_on()?;
                let object = hidden.inside.open(&pin).map_err(Error::at("open", &*hidden.inside, &pin))?;
                let length = object.length().map_err(Error::at("look at", &*hidden.inside, &pin))?;
                self.watch.expect(length);
                self.copy(named, (&*object, length))?;
                self.watch.advance(length);
            }
        }
        let wanted: BTreeSet<&Name> = named.iter().map(|named| &named.name).collect();
        for (name, pinned) in &self.pinned {
            let Pinned::There(length) = pinned else { continue };
            if !wanted.contains(name) {
                self.to.remove(name).map_err(Error::at("remove", self.to, name))?;
                self.written.remove(name);
                continue;
            }
            let count: &mut Count = match self.written.get(name) {
                None => &mut summary.linked,
                Some(written) if written.is_clone => &mut summary.cloned,
                Some(_) => &mut summary.copied,
            };
            count.add(*length);
        }
        self.pinned.retain(|name, _| wanted.contains(name));
        if let Some(hidden) = self.hidden.take() {
            // Dropping it removes it.
            drop(hidden.inside);
            drop(hidden.draft);
        }
        Ok(())
    }

    /// Whether a file is pinned.
    pub(super) fn holds(&self, name: &Name) -> bool {
        self.pinned.contains_key(name)
    }

    /// The files that are there, and what they give where their bytes were read.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Name, Option<Digest>)> {
        self.pinned.keys().map(|name| (name, self.written.get(name).and_then(|written| written.sha256)))
    }
}

/// What a copy of a file is to be like whose name leads to this: that, or if its name is gone, a file of the store.
pub(super) fn like_file(store: &dyn Disk, look: Option<Look>) -> io::Result<Look> {
    match look.filter(|look| look.what == What::File) {
        Some(look) => Ok(look),
        None => {
            let store = store.look(None)?.ok_or(io::ErrorKind::NotFound)?;
            Ok(Look { mode: store.mode & 0o666, what: What::File, ..store })
        }
    }
}

/// Descriptors that are given back when there are too few.
const SPARE: usize = 6;

fn is_too_many(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error())).contains(&error.raw_os_error())
}

/// Why files cannot be linked into the checkpoint, if that is what an error says, and what is tried next.
fn why_not(error: &io::Error) -> Option<(Way, &'static str)> {
    let why = match error.kind() {
        io::ErrorKind::CrossesDevices => return Some((Way::Beside, "another file system")),
        io::ErrorKind::PermissionDenied => "the system does not let this user link them",
        io::ErrorKind::ReadOnlyFilesystem => "the store lies on a file system that is mounted read-only",
        io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput => "the file system has no links",
        _ => return None,
    };
    Some((Way::Held, why))
}

fn odd_length(named: &Named, found: Option<u64>) -> Stop {
    Stop::Odd(match (found, named.length) {
        (Some(found), Some(wanted)) => {
            format!("'{}' has {found} bytes, and the store's head says {wanted}", named.name)
        }
        _ => format!("'{}', which the store's head names, is no plain file", named.name),
    })
}

fn odd_digest(named: &Named, found: Digest) -> Option<Stop> {
    let wanted = named.digest.filter(|wanted| *wanted != found)?;
    Some(Stop::Odd(format!("'{}' gives the digest {found}, and the store's head says {wanted}", named.name)))
}
