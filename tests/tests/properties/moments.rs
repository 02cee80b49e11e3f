//! `Recorder`: a disk that remembers every state its repository goes through, and `Reader`: one who sees it change while reading.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use highwater::disk::model::Model;
use highwater::disk::{Disk, Held, Writable};
use highwater::lock;
use highwater::store::{Object, Store};
use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;
use highwater_tests::dice::Dice;

use crate::drives::REPO;

/// What a reader can see of the repository between two operations of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The files, by path.
    pub(crate) files: BTreeMap<String, Arc<Vec<u8>>>,
    /// The writer's lock is held.
    pub(crate) written: bool,
}

type Moments = Arc<Mutex<Vec<Moment>>>;

/// The model, which after every operation looks at the repository.
#[derive(Clone)]
pub(crate) struct Recorder {
    model: Model,
    moments: Moments,
}

impl Recorder {
    /// Begins with the repository as it is.
    pub(crate) fn on(model: Model) -> Self {
        let recorder = Self { model, moments: Moments::default() };
        recorder.look();
        recorder
    }

    /// Every state so far.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        self.moments.lock().expect("no panic").clone()
    }

    fn look(&self) {
        let mut names = Vec::new();
        self.model.list(Path::new(REPO), &mut |entry| names.push(entry.name.to_string())).expect("a listing");
        let mut moments = self.moments.lock().expect("no panic");
        let last = moments.last();
        let mut files = BTreeMap::new();
        for path in names.into_iter().map(|name| format!("{REPO}/{name}")) {
            let bytes = self.model.get(&path).expect("a listed file");
            let before = last.and_then(|moment| moment.files.get(&path)).filter(|before| ***before == bytes);
            files.insert(path, before.cloned().unwrap_or_else(|| Arc::new(bytes)));
        }
        let moment = Moment { files, written: self.model.is_locked(&lock::path(Path::new(REPO))) };
        if last != Some(&moment) {
            moments.push(moment);
        }
    }

    fn after<T>(&self, done: T) -> T {
        self.look();
        done
    }

    fn watched(&self, file: Box<dyn Writable>) -> Box<dyn Writable> {
        Box::new(Watched { file, recorder: self.clone() })
    }
}

impl Store for Recorder {
    fn list(&self, folder: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        self.model.list(folder, each)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        self.model.open(path)
    }

    fn is_locked(&self, path: &Path) -> bool {
        self.model.is_locked(path)
    }
}

impl Disk for Recorder {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        self.after(self.model.create(path)).map(|file| self.watched(file))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        self.model.open_for_writing(path).map(|file| self.watched(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.after(self.model.rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.after(self.model.rename_new(from, to))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.model.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.after(self.model.remove(path))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.model.exists(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.model.is_folder(path)
    }

    fn lock(&self, path: &Path, text: &str) -> io::Result<Option<Held>> {
        let held = self.after(self.model.lock(path, text))?;
        Ok(held.map(|held| Box::new(Release { held: Some(held), recorder: self.clone() }) as Held))
    }

    fn adopt(&self, path: &Path, like: &Path) -> io::Result<()> {
        self.model.adopt(path, like)
    }

    fn make_folder(&self, path: &Path, like: &Path) -> io::Result<()> {
        self.after(self.model.make_folder(path, like))
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.after(self.model.remove_folder(path))
    }

    fn sync_all(&self, folder: &Path) -> io::Result<()> {
        self.model.sync_all(folder)
    }

    fn touch(&self, path: &Path) -> io::Result<u64> {
        self.model.touch(path)
    }

    fn hold(&self, path: &Path) -> io::Result<Option<Held>> {
        self.model.hold(path)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.model.set_mode(path, mode)
    }

    fn reflink(&self, _: &Path, _: &dyn Writable) -> bool {
        false
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
        self.recorder.look();
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

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }

    fn as_object(&self) -> &dyn Object {
        self
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

    fn find(&self, path: &Path, at: usize) -> io::Result<Box<dyn Object>> {
        let name = path.to_str().expect("plain text");
        let bytes = self.moments[at].files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Still(bytes.clone())))
    }
}

impl Store for Reader<'_> {
    fn list(&self, _: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
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
        for path in all {
            let always = seen.iter().all(|moment| moment.files.contains_key(path));
            if always || self.dice(path).below(1 << *listed) == 0 {
                let (_, name) = path.rsplit_once('/').expect("a path");
                each(Entry { name: Name::new(name.as_bytes()).expect("a name"), kind: Kind::File });
            }
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        let name = path.to_str().expect("plain text");
        let Schedule { index, data, again, .. } = self.schedule;
        if name.ends_with(".dat") {
            let mut opened = self.opened.lock().expect("no panic");
            let times = opened.entry(name.to_owned()).or_default();
            *times += 1;
            return self.find(path, if *times == 1 { index } else { again });
        }
        let span = (again - data + 1) as u64;
        let later = usize::try_from(self.dice(name).below(span)).expect("a place");
        self.find(path, data + later)
    }

    /// Only the length of an index is looked at after something else was found missing.
    fn length(&self, path: &Path) -> io::Result<u64> {
        if path.extension().is_some_and(|extension| extension == "dat") {
            return self.find(path, self.schedule.again)?.length();
        }
        self.open(path)?.length()
    }

    fn is_locked(&self, _: &Path) -> bool {
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
