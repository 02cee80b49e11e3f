//! `Recorder`: a disk that remembers every state its repository goes through, and `Reader`: one who sees it change
//! while reading.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use highwater::disk::{Disk, Held, Inode, Look, Time, Writable};
use highwater::store::{Object, Store};
use highwater_core::formats::repozo::names::LOCK;
use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;
use highwater_tests::dice::Dice;
use highwater_tests::model::{Model, Root};

use crate::properties::drives::REPO;

/// What a reader can see of the repository between two operations of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The files, by name.
    pub(crate) files: BTreeMap<String, Arc<Vec<u8>>>,
    /// The writer's lock is held.
    pub(crate) written: bool,
}

type Moments = Arc<Mutex<Vec<Moment>>>;

/// The repository of the model, at which it looks after every operation.
#[derive(Clone)]
pub(crate) struct Recorder {
    model: Model,
    root: Root,
    moments: Moments,
}

impl Recorder {
    /// Begins with the repository as it is.
    pub(crate) fn on(model: Model) -> Self {
        let recorder = Self { root: model.root(REPO), model, moments: Moments::default() };
        recorder.moment();
        recorder
    }

    /// Every state so far.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        self.moments.lock().expect("no panic").clone()
    }

    fn moment(&self) {
        let mut names = Vec::new();
        self.root.list(None, &mut |entry| names.push(entry.name.to_string())).expect("a listing");
        let mut moments = self.moments.lock().expect("no panic");
        let last = moments.last();
        let mut files = BTreeMap::new();
        for name in names {
            let bytes = self.model.get(format!("{REPO}/{name}")).expect("a listed file");
            let before = last.and_then(|moment| moment.files.get(&name)).filter(|before| ***before == bytes);
            let bytes = before.cloned().unwrap_or_else(|| Arc::new(bytes));
            files.insert(name, bytes);
        }
        let moment = Moment { files, written: self.root.is_locked(&Name::new(LOCK.as_bytes()).expect("a name")) };
        if last != Some(&moment) {
            moments.push(moment);
        }
    }

    fn after<T>(&self, done: T) -> T {
        self.moment();
        done
    }

    fn watched(&self, file: Box<dyn Writable>) -> Box<dyn Writable> {
        Box::new(Watched { file, recorder: self.clone() })
    }
}

impl Store for Recorder {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.root.told(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        self.root.list(folder, each)
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.root.open(name)
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.root.is_locked(name)
    }
}

impl Disk for Recorder {
    fn as_store(&self) -> &dyn Store {
        self
    }

    fn beneath(&self, folder: &Name) -> io::Result<Box<dyn Disk>> {
        self.root.beneath(folder)
    }

    fn create(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        self.after(self.root.create(name)).map(|file| self.watched(file))
    }

    fn open_for_writing(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        self.root.open_for_writing(name).map(|file| self.watched(file))
    }

    fn open_to_hold(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        self.root.open_to_hold(name)
    }

    fn rename(&self, from: &Name, to: &Name) -> io::Result<()> {
        self.after(self.root.rename(from, to))
    }

    fn rename_new(&self, from: &Name, to: &Name) -> io::Result<()> {
        self.after(self.root.rename_new(from, to))
    }

    fn sync_folder(&self, folder: Option<&Name>) -> io::Result<()> {
        self.root.sync_folder(folder)
    }

    fn barrier(&self, folder: Option<&Name>) -> io::Result<()> {
        self.root.barrier(folder)
    }

    fn remove(&self, name: &Name) -> io::Result<()> {
        self.after(self.root.remove(name))
    }

    fn look(&self, name: Option<&Name>) -> io::Result<Option<Look>> {
        self.root.look(name)
    }

    fn make_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        self.after(self.root.make_folder(name))
    }

    fn remove_folder(&self, name: &Name) -> io::Result<()> {
        self.after(self.root.remove_folder(name))
    }

    fn lock(&self, name: &Name, text: &str) -> io::Result<Option<Held>> {
        let held = self.after(self.root.lock(name, text))?;
        Ok(held.map(|held| Box::new(Release { held: Some(held), recorder: self.clone() }) as Held))
    }

    fn hold(&self, name: Option<&Name>) -> io::Result<Option<Held>> {
        self.root.hold(name)
    }

    fn touch(&self, name: &Name) -> io::Result<u64> {
        self.root.touch(name)
    }

    fn user(&self) -> u32 {
        self.root.user()
    }
}

/// A lock whose release is a moment of its own.
struct Release {
    held: Option<Held>,
    recorder: Recorder,
}

impl Drop for Release {
    fn drop(&mut self) {
        self.held = None;
        self.recorder.moment();
    }
}

/// A file whose changes are seen.
struct Watched {
    file: Box<dyn Writable>,
    recorder: Recorder,
}

impl Object for Watched {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(at, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        self.file.identity()
    }
}

impl Writable for Watched {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.recorder.after(self.file.write_at(at, bytes))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.recorder.after(self.file.set_length(length))
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, from: &dyn Object) -> bool {
        self.file.reflink(from)
    }
}

impl Inode for Watched {
    fn look(&self) -> io::Result<Look> {
        self.file.look()
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        self.file.set_owner(user, group)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.file.set_mode(mode)
    }

    fn set_modified(&self, modified: Time) -> io::Result<()> {
        self.file.set_modified(modified)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }
}

/// When a reader does what, as places in the moments; each is at or after the one before.
///
/// A reader's threads are not told what to do when: what a file is decides when it is read, so that a case can be
/// played again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// The listing begins and ends. In between it shows of what appears or goes whatever it comes across.
    pub(crate) list: (usize, usize),
    /// The indices are read, and it is looked up whether a writer is at work.
    pub(crate) index: usize,
    /// The other files are read: from here on up to the last place.
    pub(crate) data: usize,
    /// Whatever is looked at once more.
    pub(crate) again: usize,
    /// What decides within all that.
    pub(crate) seed: u64,
}

/// A store as a reader with a schedule sees it.
pub(crate) struct Reader<'a> {
    moments: &'a [Moment],
    schedule: Schedule,
    listed: Mutex<u32>,
    opened: Mutex<BTreeMap<String, u32>>,
}

impl<'a> Reader<'a> {
    /// One who begins now.
    pub(crate) fn new(moments: &'a [Moment], schedule: Schedule) -> Self {
        Self { moments, schedule, listed: Mutex::default(), opened: Mutex::default() }
    }

    /// The dice of a file.
    fn dice(&self, path: &str) -> Dice {
        Dice::new(path.bytes().fold(self.schedule.seed, |seed, byte| seed.rotate_left(9) ^ u64::from(byte)))
    }

    fn find(&self, name: &str, at: usize) -> io::Result<Box<dyn Object>> {
        let bytes = self.moments[at].files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Still(bytes.clone())))
    }
}

impl Store for Reader<'_> {
    fn told(&self, _: Option<&Name>) -> PathBuf {
        PathBuf::from(REPO)
    }

    fn list(&self, _: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let Schedule { list, index, .. } = self.schedule;
        let mut listed = self.listed.lock().expect("no panic");
        *listed += 1;
        // The second listing is no more of one moment than the first.
        let (first, last) = match *listed {
            1 => list,
            2 => (list.1, index),
            _ => (index, index),
        };
        let seen = &self.moments[first..=last];
        let mut all: Vec<&String> = seen.iter().flat_map(|moment| moment.files.keys()).collect();
        all.sort();
        all.dedup();
        for name in all {
            let always = seen.iter().all(|moment| moment.files.contains_key(name));
            if always || self.dice(name).below(1 << *listed) == 0 {
                each(Entry::new(Name::new(name.as_bytes()).expect("a name"), Kind::File));
            }
        }
        Ok(())
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        let name = name.as_str().expect("plain text");
        let Schedule { index, data, again, .. } = self.schedule;
        if name.ends_with(".dat") {
            let mut opened = self.opened.lock().expect("no panic");
            let times = opened.entry(name.to_owned()).or_default();
            *times += 1;
            return self.find(name, if *times == 1 { index } else { again });
        }
        let span = (again - data + 1) as u64;
        let later = usize::try_from(self.dice(name).below(span)).expect("a place");
        self.find(name, data + later)
    }

    /// Only the length of an index is looked at after something else was found missing.
    fn length(&self, name: &Name) -> io::Result<u64> {
        let text = name.as_str().expect("plain text");
        if text.ends_with(".dat") {
            return self.find(text, self.schedule.again)?.length();
        }
        self.open(name)?.length()
    }

    fn is_locked(&self, _: &Name) -> bool {
        self.moments[self.schedule.index].written
    }
}

/// A file as it was when it was opened: no file that a reader opens is changed in place.
struct Still(Arc<Vec<u8>>);

impl Object for Still {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.0.get(at..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        Ok((0, 0))
    }
}
