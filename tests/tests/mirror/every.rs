//! The same suite against our own server, moto and SeaweedFS: syncs, what goes and changes meanwhile, and back in time.
#![expect(clippy::print_stdout, reason = "what a server lacks is told")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use highwater_tests::run::Run;
use highwater_tests::s3::keys::{KEYS, Lacks, MOTO, OURS, SEAWEEDFS, longest};
use highwater_tests::s3::others::Other;
use highwater_tests::s3::{Admin, Recipe, Server};
use tempfile::TempDir;

use crate::scene::{BUCKET, asking, tree};

/// The bucket that inventories are written to.
const LISTS: &str = "inventories";

/// What a reader of the bucket gets, by key.
type Shown = BTreeMap<Vec<u8>, Vec<u8>>;

/// One of the three.
enum Place {
    Ours(Server),
    Other(Other),
}

impl Place {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "our own server",
            Self::Other(other) => other.name,
        }
    }

    fn endpoint(&self) -> String {
        match self {
            Self::Ours(server) => server.endpoint(),
            Self::Other(other) => other.settings().endpoint.expect("an address"),
        }
    }

    fn admin(&self) -> Admin {
        match self {
            Self::Ours(server) => server.admin(),
            Self::Other(other) => other.admin(),
        }
    }

    fn put_parts(&self, key: &[u8], body: &[u8], part: usize) {
        match self {
            Self::Ours(server) => drop(server.shelves(|shelves| shelves.put_parts(BUCKET, key, body, part))),
            Self::Other(other) => other.admin().put_parts(BUCKET, key, body, part),
        }
    }

    fn publish(&self, recipe: &Recipe) {
        match self {
            Self::Ours(server) => drop(recipe.publish(server)),
            Self::Other(other) => drop(recipe.publish_at(&other.admin())),
        }
    }
}

/// A bucket on one of them, a mirror of it, and what it held at each point.
struct Bench {
    place: Place,
    admin: Admin,
    folder: TempDir,
    now: Shown,
    points: Vec<(String, Shown)>,
    /// Every body that ever was.
    bodies: BTreeSet<Vec<u8>>,
}

impl Bench {
    fn new(place: Place) -> Self {
        let (admin, folder) = (place.admin(), tempfile::tempdir().expect("a folder"));
        fs::create_dir(folder.path().join("mirror")).expect("a folder");
        admin.bucket(BUCKET, false);
        admin.bucket(LISTS, false);
        let (now, points, bodies) = (Shown::new(), Vec::new(), BTreeSet::new());
        Self { place, admin, folder, now, points, bodies }
    }

    /// Puts an object, whose body no other has.
    #[track_caller]
    fn put(&mut self, key: &[u8]) -> Option<String> {
        let body = [format!("body {} of ", self.bodies.len()).as_bytes(), key].concat();
        let put = self.admin.put(BUCKET, key, &body);
        let version = put.unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(key)));
        self.bodies.insert(body.clone());
        self.now.insert(key.to_vec(), body);
        version
    }

    fn delete(&mut self, key: &[u8]) {
        self.admin.delete(BUCKET, key);
        self.now.remove(key);
    }

    /// Writes the inventory of the next day.
    fn list(&mut self) {
        let day = self.points.len() + 1;
        let date: &'static str = format!("2024-11-{day:02}T01-00Z").leak();
        self.place.publish(&Recipe { date, lists: 3, ..Recipe::default() });
        self.points.push((date.to_owned(), self.now.clone()));
    }

    fn mirror(&self) -> PathBuf {
        self.folder.path().join("mirror")
    }

    fn run(&self, words: &[&str]) -> Run {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        Run::of(&mut asking(&self.place.endpoint(), self.folder.path(), &words))
    }

    fn sync(&self, mirror: &Path, more: &[&str]) -> Run {
        let mirror = mirror.to_str().expect("text");
        self.run(&[&["mirror", "sync", "s3://inventories/of/archive/daily/", mirror], more].concat())
    }

    /// Fails unless the mirror shows this, and has every body that ever was but these.
    #[track_caller]
    fn shows(&self, shown: &Shown, but: &BTreeSet<Vec<u8>>) {
        let tree = tree(&self.mirror());
        let is_old = |path: &Path| path.as_os_str().as_bytes().windows(5).any(|some| some == b".old.");
        let bodies = |all: bool| -> BTreeSet<Vec<u8>> {
            tree.iter().filter(|(path, _)| all || !is_old(path)).map(|(_, (bytes, _))| bytes.clone()).collect()
        };
        let told = |bodies: &BTreeSet<Vec<u8>>| -> Vec<String> {
            bodies.iter().map(|body| String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned()).collect()
        };
        assert_eq!(told(&bodies(false)), told(&shown.values().cloned().collect()), "{}", self.place.name());
        let kept: BTreeSet<Vec<u8>> = self.bodies.difference(but).cloned().collect();
        assert_eq!(told(&bodies(true)), told(&kept), "{}", self.place.name());
        for (key, body) in shown.iter().filter(|(key, _)| key.starts_with(b"k/")) {
            assert_eq!(tree.get(Path::new(OsStr::from_bytes(key))).map(|(bytes, _)| bytes), Some(body));
        }
    }

    #[track_caller]
    fn verify(&self, point: &str) -> Run {
        self.run(&["verify", &format!("{}@{point}", self.mirror().to_str().expect("text"))])
    }
}

/// All of it, one thing after another.
fn all(place: Place, lacks: &Lacks) {
    let mut bench = Bench::new(place);
    let (mirror, none) = (bench.mirror(), BTreeSet::new());
    // First: of all kinds.
    bench.put(b"k/null");
    bench.put(b"k/null, later another");
    bench.admin.keep_versions(BUCKET);
    bench.put(b"k/null, later another");
    let longest = longest();
    let lacking: BTreeMap<&[u8], &str> = lacks.held.iter().chain(lacks.versioned).copied().collect();
    let keys = KEYS.iter().copied().chain([longest.as_slice()]);
    keys.filter(|key| !lacking.contains_key(key)).for_each(|key| drop(bench.put(key)));
    let changes = bench.put(b"k/changes").expect("a version");
    bench.put(b"k/changes");
    bench.put(b"k/twice");
    let before = bench.now[b"k/twice".as_slice()].clone();
    let twice = bench.put(b"k/twice").expect("a version");
    for key in [b"k/deleted", b"k/del/now", b"k/deleted"] {
        bench.put(key);
    }
    bench.delete(b"k/deleted");
    let big: Vec<u8> = (0..(5 << 20) + 4321_u32).map(|number| number.to_le_bytes()[0] ^ 0x5a).collect();
    bench.place.put_parts(b"k/big", &big, 5 << 20);
    bench.bodies.insert(big.clone());
    bench.now.insert(b"k/big".to_vec(), big);
    bench.list();
    bench.sync(&mirror, &["--dry-run"]).expect(0).prints("to fetch");
    let text = mirror.to_str().expect("text");
    let first = bench.sync(&mirror, &[]);
    let status = bench.run(&["mirror", "status", text]);
    assert!(first.code == 0, "{}{}", first.account(), status.account());
    first.prints("at 2024-11-01T01-00Z: ");
    bench.shows(&bench.now, &none);
    status.expect(0).prints(" 0 as received");
    // No change.
    bench.sync(&mirror, &[]).expect(0).prints("at 2024-11-01T01-00Z already");
    // A change.
    bench.put(b"k/changes");
    bench.put(b"k/new");
    bench.put(b"k/deleted");
    bench.delete(b"k/del/now");
    bench.list();
    bench.sync(&mirror, &[]).expect(0).prints("3 versions fetched");
    bench.shows(&bench.now, &none);
    // Versions vanish; one of them was the latest, so that the one before it is again.
    bench.admin.remove(BUCKET, b"k/changes", &changes);
    bench.admin.remove(BUCKET, b"k/twice", &twice);
    bench.now.insert(b"k/twice".to_vec(), before);
    bench.list();
    bench.sync(&mirror, &[]).expect(0).prints("0 versions fetched");
    bench.shows(&bench.now, &none);
    // A version goes between plan and fetch, as far as the fetch can tell.
    let soon = bench.put(b"k/soon").expect("a version");
    let gone = BTreeSet::from([bench.now[b"k/soon".as_slice()].clone()]);
    bench.list();
    bench.admin.remove(BUCKET, b"k/soon", &soon);
    bench.now.remove(b"k/soon".as_slice());
    bench.points[3].1.remove(b"k/soon".as_slice());
    bench.sync(&mirror, &[]).expect(3).says("1 versions could not be had");
    bench.run(&["mirror", "status", text]).expect(3).prints("wanted  k/soon (").prints("there is no such ");
    bench.shows(&bench.now, &gone);
    bench.list();
    bench.sync(&mirror, &[]).expect(0);
    bench.shows(&bench.now, &gone);
    // Back, and forward again, and each of them is whole but the one that lacks a version.
    let newest = tree(&mirror);
    for (date, shown) in bench.points.iter().rev().chain(&bench.points) {
        let code = if date.starts_with("2024-11-04") { 3 } else { 0 };
        bench.run(&["mirror", "rollback", text, "--to", date]).expect(code);
        bench.shows(shown, &gone);
        bench.verify(date).expect(code);
    }
    assert!(tree(&mirror) == newest, "{}: forward again, it is another", bench.place.name());
    // A filter.
    let filtered = bench.folder.path().join("filtered");
    fs::create_dir(&filtered).expect("a folder");
    bench.sync(&filtered, &["--path-filter", "^k/de"]).expect(0);
    let found: Vec<PathBuf> = tree(&filtered).into_keys().collect();
    assert!(found.len() == 4 && found.iter().all(|path| path.starts_with("k")), "{found:?}");
    bench.admin.bucket("odd-keys", true);
    for (key, why) in lacks.versioned {
        let is_put = bench.admin.put("odd-keys", key, b"1").is_ok();
        let works = is_put && bench.admin.versions("odd-keys").iter().any(|row| row.key == *key);
        assert!(!works, "{:?} works, and is an exception: {why}", String::from_utf8_lossy(key));
    }
    for (key, why) in &lacking {
        println!("{}: exception: '{}': {why}", bench.place.name(), String::from_utf8_lossy(key).escape_debug());
    }
    println!("{}: {} exceptions", bench.place.name(), lacking.len());
}

#[test]
fn our_own_server() {
    all(Place::Ours(Server::start()), &OURS);
}

#[test]
fn moto() {
    all(Place::Other(Other::moto()), &MOTO);
}

#[test]
fn seaweedfs() {
    all(Place::Other(Other::seaweedfs()), &SEAWEEDFS);
}
