//! What both target and point have stays; what only the target has is given up only when that is asked for.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use highwater::error::Class;
use highwater::restore::How;
use highwater::restore::tree::{Change, TreeOptions, TreeSummary};

use highwater_core::node::{Meta, NodeKind};
use rustix::process::geteuid;

use super::bale::{Bale, one_of_everything};
use super::restored::is_restored;
use super::{ASKED, Fixture, inode, names, refused, seen};

/// A change to a restored tree, and a part of what is said of it.
type Case = (&'static str, fn(&Path), &'static str);

/// Each makes the tree hold something else than the point.
/// Changes one byte of a file.
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("ours");
}

const FOREIGN: [Case; 12] = [
    ("a new file", |tree| fs::write(tree.join("new"), b"mine").unwrap(), "'new', it is not in the point"),
    ("a new folder", |tree| fs::create_dir(tree.join("a/new")).unwrap(), "'a/new', it is not in the point"),
    ("a byte", |tree| fs::write(tree.join("a/small"), b"smalL").unwrap(), "'a/small', it holds other bytes"),
    ("a byte of a short part", |tree| flip(&tree.join("parts/last"), 2), "'parts/last', it holds other bytes"),
    ("a byte within a long part", |tree| flip(&tree.join("parts/long"), 75_000), "'parts/long', it holds other bytes"),
    ("the last byte of zeros", |tree| flip(&tree.join("parts/zeros"), 199_999), "'parts/zeros', it holds other bytes"),
    ("a longer file", |tree| fs::write(tree.join("empty"), b"full").unwrap(), "'empty', it has another length"),
    (
        "a folder for a file",
        |tree| {
            fs::remove_file(tree.join("holes")).unwrap();
            fs::create_dir(tree.join("holes")).unwrap();
        },
        "'holes', it is something else",
    ),
    (
        "a link for a folder",
        |tree| {
            fs::rename(tree.join("many"), tree.parent().unwrap().join("outside")).unwrap();
            symlink("../outside", tree.join("many")).unwrap();
        },
        "'many', it is something else",
    ),
    (
        "a link for a file",
        |tree| {
            fs::rename(tree.join("empty"), tree.parent().unwrap().join("outside")).unwrap();
            symlink("../outside", tree.join("empty")).unwrap();
        },
        "'empty', it is something else",
    ),
    (
        "another link",
        |tree| {
            fs::remove_file(tree.join("link")).unwrap();
            symlink("/etc/group", tree.join("link")).unwrap();
        },
        "'link', it leads elsewhere",
    ),
    (
        "a copy for another name",
        |tree| {
            fs::remove_file(tree.join("a/again")).unwrap();
            fs::copy(tree.join("a/small"), tree.join("a/again")).map(|_| ()).unwrap();
        },
        "'a/again', it is a file of its own",
    ),
];

fn restored() -> (Bale, Fixture) {
    let bale = one_of_everything();
    let fixture = Fixture::new(&bale);
    fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    (bale, fixture)
}

#[test]
fn a_second_run_changes_nothing() {
    let (bale, fixture) = restored();
    let (before, top) = (seen(&fixture.target()), inode(&fixture.target()));
    for dry_run in [true, false] {
        let done = fixture.restore(&bale, TreeOptions { full: false, dry_run }).expect("it is there");
        assert_eq!((done.how, done.kept, done.written), (How::Nothing, 313, 0), "dry run: {dry_run}");
        assert_eq!((seen(&fixture.target()), inode(&fixture.target())), (before.clone(), top));
        assert_eq!(names(&fixture.standby()), ["tree"]);
    }
}

#[test]
fn what_is_missing_is_written_and_no_other_byte() {
    let (bale, fixture) = restored();
    let tree = fixture.target();
    let kept = inode(&tree.join("a/b/big"));
    for file in ["many/7", "many/8", "a/again", "a/link", "holes"] {
        fs::remove_file(tree.join(file)).expect("it was there");
    }
    let length = |path: &str| {
        bale.nodes.iter().find_map(|node| match &node.kind {
            NodeKind::File(length) if node.path.as_ref().is_some_and(|name| name.as_bytes() == path.as_bytes()) => {
                Some(*length)
            }
            _ => None,
        })
    };
    let wanted: u64 = ["many/7", "many/8", "holes"].iter().filter_map(|path| length(path)).sum();
    let dry = fixture.restore(&bale, TreeOptions { full: false, dry_run: true }).expect("it can be");
    assert!(!tree.join("holes").exists());
    let done = fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    let told: Vec<(String, Change)> = dry.changes.iter().map(|(path, change)| (path.to_string(), *change)).collect();
    let change = |path: &str, change| (path.to_owned(), change);
    let all = [
        change("a", Change::Set),
        change("a/again", Change::Make),
        change("a/link", Change::Make),
        change("holes", Change::Write),
        change("many", Change::Set),
        change("many/7", Change::Write),
        change("many/8", Change::Write),
    ];
    assert_eq!(told, all);
    assert_eq!(TreeSummary { changes: Vec::new(), ..dry }, done);
    assert_eq!((done.how, done.kept, done.written, done.given_up), (How::Appended, 310, wanted, 0));
    is_restored(&fixture, &bale);
    assert_eq!(inode(&tree.join("a/b/big")), kept, "it is the same file");
}

#[test]
fn modes_and_times_are_mended() {
    let (bale, fixture) = restored();
    let tree = fixture.target();
    fs::set_permissions(tree.join("a/small"), fs::Permissions::from_mode(0o666)).expect("ours");
    fs::set_permissions(tree.join("a/b"), fs::Permissions::from_mode(0o777)).expect("ours");
    fs::File::open(tree.join("holes")).and_then(|file| file.set_modified(std::time::SystemTime::now())).expect("ours");
    let done = fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    // Who could write it may have it open still.
    assert_eq!((done.how, done.written), (How::Appended, 5));
    is_restored(&fixture, &bale);
}

#[test]
fn what_the_point_has_not_is_refused_until_it_is_given_up() {
    for (what, change, words) in FOREIGN {
        let (bale, fixture) = restored();
        change(&fixture.target());
        let below = || {
            let mut below = seen(&fixture.standby());
            // A work folder was in it, and is not any more.
            below.remove(Path::new(""));
            below
        };
        let before = below();
        for dry_run in [true, false] {
            let (class, said) = refused(fixture.restore(&bale, TreeOptions { full: false, dry_run }));
            assert_eq!(class, Class::CannotStart, "{what}: {said}");
            assert!(said.contains(words) && said.contains("--full"), "{what}: {said}");
            assert_eq!(below(), before, "{what}");
        }
        let outside = fixture.standby().join("outside");
        let stranger = outside.exists().then(|| seen(&outside));
        let done = fixture.restore(&bale, ASKED).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((done.how, done.given_up), (How::Full, 1), "{what}");
        if let Some(stranger) = stranger {
            assert_eq!(seen(&outside), stranger, "{what}: what a link led to");
            if outside.is_dir() { fs::remove_dir_all(&outside) } else { fs::remove_file(&outside) }.expect("ours");
        }
        is_restored(&fixture, &bale);
    }
}

#[test]
fn a_file_that_has_a_name_elsewhere_is_not_shared() {
    let (bale, fixture) = restored();
    let (stranger, ours) = (fixture.folder.path().join("stranger"), fixture.target().join("a/b/big"));
    fs::hard_link(&ours, &stranger).expect("another name");
    fs::set_permissions(&stranger, fs::Permissions::from_mode(0o600)).expect("ours");
    fs::remove_file(fixture.target().join("empty")).expect("it was there");
    fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    is_restored(&fixture, &bale);
    assert_ne!(inode(&ours), inode(&stranger));
    let mode = fs::metadata(&stranger).expect("it stays").mode();
    assert_eq!(mode & 0o777, 0o600, "what is not in the target stays as it was");
}

#[test]
fn what_is_not_on_record_stays_as_the_old_tree_has_it() {
    let mut bale = Bale::default();
    bale.folder("f", Meta::default());
    bale.file("f/kept", b"kept", Meta::default(), ("pack", 10));
    bale.file("f/lost", b"lost", Meta::default(), ("pack", 10));
    bale.file("f/spoilt", b"spoilt", Meta::default(), ("pack", 10));
    let fixture = Fixture::new(&bale);
    fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    let tree = fixture.target();
    let root = geteuid().is_root();
    for (path, mode) in [("", 0o710), ("f", 0o700), ("f/kept", 0o600), ("f/spoilt", 0o640)] {
        fs::set_permissions(tree.join(path), fs::Permissions::from_mode(mode)).expect("ours");
        if root {
            chown(tree.join(path), Some(1234), Some(2345)).expect("root may");
        }
    }
    fs::write(tree.join("f/spoilt"), b"SPOILT").expect("ours");
    fs::remove_file(tree.join("f/lost")).expect("it was there");
    fixture.restore(&bale, ASKED).expect("it is restored");
    let found = seen(&tree);
    let of = |path: &str| (found[Path::new(path)].mode, found[Path::new(path)].owner);
    let owner = if root { (1234, 2345) } else { of("").1 };
    let kept = [("", 0o710), ("f", 0o700), ("f/kept", 0o600), ("f/spoilt", 0o640)];
    kept.into_iter().for_each(|(path, mode)| assert_eq!(of(path), (mode, owner), "{path}"));
    // One that is new belongs to whom its surroundings belong to.
    assert_eq!(of("f/lost").1, owner);
    assert_eq!(found[Path::new("f/spoilt")].bytes, b"spoilt");
}

#[test]
fn a_file_that_cannot_be_read_is_not_called_changed() {
    let (bale, fixture) = restored();
    let closed = fixture.target().join("a/b/big");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o200)).expect("ours");
    // Root reads everything.
    if !geteuid().is_root() {
        let (class, said) = refused(fixture.restore(&bale, TreeOptions::default()));
        assert_eq!(class, Class::CannotStart);
        assert!(said.contains("'a/b/big', it cannot be read"), "{said}");
    }
    fixture.restore(&bale, ASKED).expect("it is given up");
    is_restored(&fixture, &bale);
}
