//! `Lists`: what lists and answers said of the objects of a bucket, folder by folder, and when to list a folder in
//! place of asking for its objects one by one.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use highwater_core::name::Name;

use super::cannot;
use crate::s3::Error;

/// Objects that are kept; when there are more, all are forgotten.
const KEPT: usize = 300_000;

/// So many objects of a folder are asked for by name before it is listed. A list costs as much as a dozen such
/// questions and takes as long as one.
const PATIENCE: u32 = 3;

/// What lists and answers said, as long as nothing turns out to be otherwise by now.
#[derive(Default)]
pub(crate) struct Lists(Mutex<State>);

#[derive(Default)]
struct State {
    folders: HashMap<Option<Name>, Folder>,
    kept: usize,
}

#[derive(Default)]
struct Folder {
    objects: HashMap<Vec<u8>, Known>,
    folders: HashSet<Vec<u8>>,
    /// Each name in it is known.
    is_whole: bool,
    /// Names up to this key were listed.
    upto: Option<Vec<u8>>,
    /// How often an object of it was asked for that was not known.
    asked: u32,
}

/// What a list, or an answer, says of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    pub(crate) length: u64,
    /// Empty where none is told.
    pub(crate) etag: String,
    /// When it was written, in seconds since 1970.
    pub(crate) modified: Option<i64>,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is an object's.
    Object(Known),
    /// It is a folder's.
    Folder,
    /// All names of its folder were listed, and it was none of them.
    Nothing,
    /// Nothing.
    Unknown,
}

/// How much of a folder to list now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Worth {
    /// Behind this key.
    pub(super) after: Option<Vec<u8>>,
    pub(super) pages: usize,
}

impl Lists {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, name: &Name) -> Told {
        let state = self.state();
        let Some(folder) = state.folders.get(&name.folder()) else { return Told::Unknown };
        match folder.objects.get(name.last()) {
            Some(known) => Told::Object(known.clone()),
            None if folder.folders.contains(name.last()) => Told::Folder,
            None if folder.is_whole => Told::Nothing,
            None => Told::Unknown,
        }
    }

    /// Somebody is to ask for this name alone: says how much of its folder to list before that, if that is worth it.
    pub(super) fn asks(&self, name: &Name) -> Option<Worth> {
        let mut state = self.state();
        let folder = state.folders.entry(name.folder()).or_default();
        folder.asked = folder.asked.saturating_add(1);
        // A folder that is too long for so few questions is listed on when there were twice as many.
        let is_time = folder.asked >= PATIENCE && (folder.asked / PATIENCE).is_power_of_two();
        let is_time = is_time && folder.asked.is_multiple_of(PATIENCE) && !folder.is_whole;
        is_time
            .then(|| Worth { after: folder.upto.clone(), pages: usize::try_from(folder.asked).unwrap_or(usize::MAX) })
    }

    pub(crate) fn keep(&self, name: &Name, known: Known) {
        let mut state = self.state();
        state.make_room(1);
        let folder = state.folders.entry(name.folder()).or_default();
        if folder.objects.insert(name.last().to_owned(), known).is_none() {
            state.kept += 1;
        }
    }

    /// What has this name now is not known any more, or where `is_gone`, nothing has.
    pub(crate) fn forget(&self, name: &Name, is_gone: bool) {
        let mut state = self.state();
        let Some(folder) = state.folders.get_mut(&name.folder()) else { return };
        let was = folder.objects.remove(name.last()).is_some();
        folder.is_whole &= is_gone;
        state.kept -= usize::from(was);
    }

    pub(crate) fn clear(&self) {
        *self.state() = State::default();
    }

    /// What a list of a folder said: all of it, or, from where it was listed before, up to a key.
    pub(super) fn listed(&self, name: Option<&Name>, listed: Listed, goes_on: bool) {
        let mut state = self.state();
        if !goes_on && let Some(old) = state.folders.remove(&name.cloned()) {
            state.kept -= old.objects.len();
        }
        state.make_room(listed.objects.len());
        let folder = state.folders.entry(name.cloned()).or_default();
        let before = folder.objects.len();
        folder.objects.extend(listed.objects);
        folder.folders.extend(listed.folders);
        folder.is_whole = listed.end.is_none();
        folder.upto = listed.end;
        let more = folder.objects.len() - before;
        state.kept += more;
    }

    /// An answer to whoever reads files. One that is not what was listed ends the trust in all that was.
    pub(super) fn cannot(&self, error: Error) -> io::Error {
        if matches!(error, Error::NotFound { .. } | Error::Changed { .. }) {
            self.clear();
        }
        cannot(error)
    }
}

/// What a list of a folder said.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) objects: Vec<(Vec<u8>, Known)>,
    pub(super) folders: Vec<Vec<u8>>,
    /// The key behind which it goes on.
    pub(super) end: Option<Vec<u8>>,
}

impl State {
    fn make_room(&mut self, more: usize) {
        if self.kept > 0 && self.kept + more > KEPT {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text.as_bytes()).expect("a name")
    }

    #[test]
    fn a_folder_is_listed_when_some_of_it_were_asked_for() {
        let lists = Lists::default();
        let asked: Vec<u32> = (0..50).filter(|_| lists.asks(&name("a/x")).is_some()).collect();
        assert_eq!(asked, [2, 5, 11, 23, 47]);
        assert_eq!(lists.asks(&name("b/x")), None);
        lists.listed(Some(&name("a")), Listed { end: None, ..Listed::default() }, false);
        assert_eq!((lists.get(&name("a/x")), lists.get(&name("a"))), (Told::Nothing, Told::Unknown));
        lists.keep(&name("a/x"), Known::default());
        assert_eq!(lists.get(&name("a/x")), Told::Object(Known::default()));
        lists.forget(&name("a/x"), true);
        assert_eq!(lists.get(&name("a/x")), Told::Nothing);
        lists.forget(&name("a/x"), false);
        assert_eq!(lists.get(&name("a/x")), Told::Unknown);
    }

    #[test]
    fn no_more_is_kept_than_has_room() {
        let lists = Lists::default();
        for number in 0..KEPT + 1 {
            lists.keep(&name(&format!("a/{number}")), Known::default());
        }
        assert_eq!(lists.get(&name("a/0")), Told::Unknown);
        assert_ne!(lists.get(&name(&format!("a/{KEPT}"))), Told::Unknown);
    }
}
