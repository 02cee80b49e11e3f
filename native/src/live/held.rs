//! `Held`: the logs of a store, open, so that they last though their names go; the heads that pass meanwhile, too; and
//! the watch that opens new ones, and has new files pinned.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use highwater_core::name::Name;

use super::adapter::{Class, Passing};
use super::fresh::Fresh;
use crate::disk::Disk;
use crate::store::{Coming, News, Object};

/// How long the watch waits for news before it looks whether it is still wanted.
const PATIENCE: Duration = Duration::from_millis(20);

/// How often it lists the folder where the system tells no news.
const OFTEN: Duration = Duration::from_millis(5);

/// An open log.
#[derive(Clone)]
pub(super) struct Log {
    /// Its name in the store.
    pub(super) name: Name,
    /// It, open.
    pub(super) object: Arc<dyn Object>,
}

/// Has a store watched while `work` goes on, which calls what it is given when that may end: it takes a moment, and
/// nobody need wait for it.
pub(super) fn watching<R>(
    store: &dyn Disk,
    passing: Option<Passing>,
    work: impl FnOnce(&Held, &Fresh<'_>, &dyn Fn()) -> R,
) -> R {
    let coming = passing.map(|_| store.coming());
    // Where nobody tells of names at all, and where no thread can be started, each try lists.
    let is_watched = !matches!(&coming, Some(Err(error)) if error.kind() == io::ErrorKind::Unsupported);
    let (held, fresh) = (Held::new(store, coming.and_then(Result::ok)), Fresh::new(store));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        if let Some(passing) = passing.filter(|_| is_watched) {
            let (held, fresh, over) = (&held, &fresh, &over);
            _ = thread::Builder::new().spawn_scoped(scope, move || held.watch(store, passing, fresh, over));
        }
        // Whatever ends the work, the watch must not go on.
        let ends = Ends(&over);
        work(&held, &fresh, &|| ends.now())
    })
}

/// Ends the watch: now, or at the latest when it is dropped.
struct Ends<'a>(&'a AtomicBool);

impl Ends<'_> {
    fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.now();
    }
}

/// The logs that are held, by their place among the logs.
pub(super) struct Held {
    logs: Mutex<BTreeMap<u64, Log>>,
    /// Heads that came in folders that an adapter has watched.
    heads: Mutex<BTreeMap<Name, Arc<dyn Object>>>,
    news: Mutex<Option<Arc<dyn News>>>,
    /// Whoever takes news deals with them before the next does.
    turn: Mutex<()>,
}

impl Held {
    /// Nothing yet; with what tells of new names in the store's folder, if anybody does.
    pub(super) fn new(store: &dyn Disk, news: Option<Box<dyn News>>) -> Self {
        let news = news.filter(|news| store.tell_of(None, &**news).is_ok()).map(Arc::from);
        Self { logs: Mutex::default(), heads: Mutex::default(), news: Mutex::new(news), turn: Mutex::default() }
    }

    /// Somebody tells of new names.
    pub(super) fn is_told(&self) -> bool {
        self.news().is_some()
    }

    fn news(&self) -> Option<Arc<dyn News>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has heads that come in this folder opened, from now on. Where nobody tells of them, none is.
    pub(super) fn watch_folder(&self, store: &dyn Disk, folder: &Name) {
        if let Some(news) = self.news() {
            // What is not seen is missed by whoever asks for it.
            _ = store.tell_of(Some(folder), &*news);
        }
    }

    /// A head that came in a folder that is watched, open, though its name may be gone.
    pub(super) fn head(&self, name: &Name) -> Option<Arc<dyn Object>> {
        self.heads().get(name).cloned()
    }

    /// Lets go of the heads that are held.
    pub(super) fn release_heads(&self) {
        self.heads().clear();
    }

    fn heads(&self) -> MutexGuard<'_, BTreeMap<Name, Arc<dyn Object>>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<u64, Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a log that is not held yet. One that is gone by now is passed over.
    fn hold(&self, store: &dyn Disk, number: u64, name: Name) -> io::Result<()> {
        if self.logs().contains_key(&number) {
            return Ok(());
        }
        match store.open(&name) {
            Ok(object) => {
                let object = Arc::from(object);
                self.logs().entry(number).or_insert(Log { name, object });
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Opens every log that is there now, and gives the place of the oldest.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn list(&self, store: &dyn Disk, passing: Passing) -> io::Result<Option<u64>> {
        let mut found = Vec::new();
        store.list(None, &mut |entry| {
            if let Some(Class::Log(number)) = passing(&entry.name).filter(|_| entry.kind.may_be_file()) {
                found.push((number, entry.name));
            }
        })?;
        found.sort_unstable();
        let oldest = found.first().map(|(number, _)| *number);
        found.into_iter().try_for_each(|(number, name)| self.hold(store, number, name))?;
        Ok(oldest)
    }

    /// The places of the logs that are held, oldest first.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.logs().keys().copied().collect()
    }

    /// A log that is held.
    pub(super) fn get(&self, number: u64) -> Option<Log> {
        self.logs().get(&number).cloned()
    }

    /// Lets go of logs that are older than this one: no head needs them any more.
    pub(super) fn release_before(&self, number: u64) {
        let mut logs = self.logs();
        let kept = logs.split_off(&number);
        *logs = kept;
    }

    /// Holds logs and heads, and pins files, as they come, until `over` is set; runs on a thread of its own.
    fn watch(&self, store: &dyn Disk, passing: Passing, fresh: &Fresh<'_>, over: &AtomicBool) {
        let mut news = self.news();
        while !over.load(Ordering::Relaxed) {
            match news.as_ref().map(|news| news.wait(PATIENCE)) {
                Some(Ok(false)) => {}
                Some(Ok(true)) => self.catch_up(store, passing, fresh),
                Some(Err(_)) => {
                    fresh.go_to(None);
                    news = None;
                }
                None => {
                    thread::sleep(OFTEN);
                    // What cannot be opened now is tried again by whoever lists, and told by him.
                    _ = self.list(store, passing);
                }
            }
        }
        // It takes the system some time to let go of these.
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Holds and pins what came so far. What cannot be held now is tried again by whoever lists, and told by him.
    pub(super) fn catch_up(&self, store: &dyn Disk, passing: Passing, fresh: &Fresh<'_>) {
        let Some(news) = self.news() else { return };
        let _turn = self.turn.lock();
        match news.take() {
            Ok(Coming::Names(names)) => {
                for name in names {
                    match passing(&name) {
                        Some(Class::Log(number)) => _ = self.hold(store, number, name),
                        Some(Class::Head) => _ = self.hold_head(store, name),
                        Some(Class::File) => fresh.pin(name),
                        None => {}
                    }
                }
            }
            Ok(Coming::Lost) => {
                // What came since of the same name is another file.
                fresh.forget();
                self.release_heads();
                _ = self.list(store, passing);
            }
            Err(_) => fresh.go_to(None),
        }
    }

    fn hold_head(&self, store: &dyn Disk, name: Name) -> io::Result<()> {
        let object = store.open(&name)?;
        // A name that comes again is another file.
        self.heads().insert(name, Arc::from(object));
        Ok(())
    }
}
