//! Presence: one listing of each folder of chunks, and a look at a chunk only where the listing does not show it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use highwater::drive;
use highwater::store::{Files, Links, Object, Store};
use highwater::watch::Watch;
use highwater_core::formats::datastore::Datastore;
use highwater_core::inspect::{Entry, Format, Of, Scope};
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::survey::{Options, Survey};
use highwater_tests::datastore::{Sample, copy};

/// The machine's files, and how often each was looked at.
struct Counting {
    files: Files,
    lists: Mutex<BTreeMap<PathBuf, usize>>,
    lengths: Mutex<Vec<PathBuf>>,
}

impl Store for Counting {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.files.told(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        *self.lists.lock().expect("no panic").entry(self.told(folder)).or_default() += 1;
        self.files.list(folder, each)
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.files.open(name)
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.lengths.lock().expect("no panic").push(self.told(Some(name)));
        self.files.length(name)
    }
}

#[test]
fn each_folder_is_listed_once_and_only_what_it_does_not_show_is_looked_at() {
    for sample in Sample::all() {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let store = fixture.path().join("store");
        copy(&sample.store(), &store);
        let run = |store: &Path| {
            let files = Files::open(store, Links::Beneath).expect("a folder");
            let files = Counting { files, lists: Mutex::default(), lengths: Mutex::default() };
            let options = Options::whole(&Datastore::STORE, "store", Depth::List);
            let survey = Survey::new(Datastore::STORE.inspect(&Scope::new(Of::All)), options);
            let survey = drive::run(&files, survey, Depth::List, &Watch::silent(), &mut |_, _| {});
            (survey.expect("it ends").finish(), files)
        };
        let (report, files) = run(&store);
        assert_eq!(report.tallies.get("missing"), None, "{report:?}");
        assert!(report.coverage.checked > 40, "{report:?}");
        assert_eq!(*files.lengths.lock().expect("no panic"), Vec::<PathBuf>::new());
        let lists = files.lists.lock().expect("no panic").clone();
        assert!(
            lists.iter().all(|(folder, count)| *count == 1 || !folder.starts_with(store.join(".chunks"))),
            "{lists:?}"
        );
        // A chunk that is gone, one in the place of which lies a folder, and a folder of chunks that is gone.
        let mut chunks = lists.keys().filter(|folder| folder.parent().is_some_and(|at| at.ends_with(".chunks")));
        let mut take = || chunks.next().expect("a folder of chunks");
        let chunk = |folder: &Path| folder.read_dir().expect("a folder").next().expect("a chunk").expect("it").path();
        let (gone, other) = (chunk(take()), chunk(take()));
        std::fs::remove_file(&gone).expect("it is removed");
        std::fs::remove_file(&other).expect("it is removed");
        std::fs::create_dir(&other).expect("a folder");
        std::fs::remove_dir_all(take()).expect("it is removed");
        let (report, files) = run(&store);
        // One look more at the index of each that is gone: it may be gone too.
        let looked = files.lengths.lock().expect("no panic").clone();
        let looked = looked.iter().filter(|path| path.starts_with(store.join(".chunks"))).count() as u64;
        let told: u64 = ["missing", "unreadable"].iter().filter_map(|name| report.tallies.get(*name)).sum();
        assert!(told >= 3, "{report:?}");
        // And one whether a server set it aside.
        let aside = report.tallies.get("missing").copied().unwrap_or_default();
        assert_eq!(looked, told + aside, "{report:?}");
    }
}
