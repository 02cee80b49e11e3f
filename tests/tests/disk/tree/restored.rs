//! A tree that is restored is what the point says, to the last byte, bit of mode and nanosecond.

use std::collections::BTreeMap;
use std::path::PathBuf;

use highwater::restore::How;
use highwater::restore::tree::TreeOptions;
use highwater_core::node::{Meta, NodeKind};
use rustix::process::geteuid;

use super::bale::{Bale, meta, one_of_everything};
use super::{ASKED, Fixture, Seen, names, path_of, refused, seen};

/// What the restored tree has to look like, worked out from the point alone; without a mode or time on record, what was
/// `found`.
pub(super) fn wanted(bale: &Bale, found: &BTreeMap<PathBuf, Seen>) -> BTreeMap<PathBuf, Seen> {
    let mut wanted = BTreeMap::new();
    let metas: BTreeMap<PathBuf, Meta> =
        bale.nodes.iter().map(|node| (node.path.as_ref().map(path_of).unwrap_or_default(), node.meta)).collect();
    for node in &bale.nodes {
        let path = node.path.as_ref().map(path_of).unwrap_or_default();
        let (kind, bytes, same) = match &node.kind {
            NodeKind::Folder => ("folder", Vec::new(), path.clone()),
            NodeKind::Link(text) => ("link", text.clone(), path.clone()),
            NodeKind::File(_) | NodeKind::Part(_) => ("file", bytes_of(bale, &path), path.clone()),
            NodeKind::Hard(of) => ("file", bytes_of(bale, &path_of(of)), path_of(of)),
            NodeKind::LeftOut(_) => continue,
        };
        let Some(seen) = found.get(&path) else { continue };
        let meta = metas[&same];
        let mode = meta.mode.unwrap_or(seen.mode);
        let owner = (meta.uid.unwrap_or(seen.owner.0), meta.gid.unwrap_or(seen.owner.1));
        let modified = meta.modified.map_or(seen.modified, |(seconds, nanoseconds)| (seconds, nanoseconds.into()));
        wanted.insert(path, Seen { kind, bytes, mode, owner, modified, same });
    }
    // The first of a file's names, in the order of names, stands for it.
    let firsts: BTreeMap<PathBuf, PathBuf> =
        wanted.iter().rev().map(|(path, seen)| (seen.same.clone(), path.clone())).collect();
    wanted.values_mut().for_each(|seen| seen.same = firsts[&seen.same].clone());
    wanted
}

fn bytes_of(bale: &Bale, path: &PathBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    for node in bale.nodes.iter().filter(|node| node.path.as_ref().map(path_of).as_ref() == Some(path)) {
        if let NodeKind::Part(range) = &node.kind {
            let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
            return bale.objects["pack-5"][start..end].to_vec();
        }
    }
    for claim in &bale.claims {
        let extent = claim.extent.as_ref().expect("it goes somewhere");
        if extent.path.as_ref().map(path_of).as_ref() == Some(path) {
            let range = claim.range.clone().expect("a range");
            let object = &bale.objects[&claim.object.to_string()];
            assert_eq!(extent.at, bytes.len() as u64, "extents of a test are in order");
            bytes
                .extend_from_slice(&object[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]);
        }
    }
    bytes
}

#[track_caller]
pub(super) fn is_restored(fixture: &Fixture, bale: &Bale) {
    let found = seen(&fixture.target());
    let wanted = wanted(bale, &found);
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (path, seen) in &found {
        assert!(*seen == wanted[path], "{}: {:?} and not {:?}", path.display(), seen, wanted[path]);
    }
    assert_eq!(wanted.len(), bale.nodes.len());
    assert_eq!(names(&fixture.standby()), ["tree"], "nothing is left beside it");
}

#[test]
fn a_new_folder_gets_everything() {
    let bale = one_of_everything();
    let fixture = Fixture::new(&bale);
    let done = fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    is_restored(&fixture, &bale);
    assert_eq!((done.how, done.files, done.kept, done.given_up), (How::Full, 313, 0, 0));
    let length = |kind: &NodeKind| match kind {
        NodeKind::File(length) => *length,
        NodeKind::Part(range) => range.end - range.start,
        _ => 0,
    };
    assert_eq!(done.written, bale.nodes.iter().map(|node| length(&node.kind)).sum::<u64>());
    // The hole is one.
    let holes =
        std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(fixture.target().join("holes")).expect("a file"));
    assert!(holes * 512 < 100_000, "{holes}");
}

#[test]
fn what_is_not_on_record_is_as_of_any_new_file() {
    let mut bale = Bale::default();
    bale.folder("f", Meta::default());
    bale.file("f/x", b"x", Meta::default(), ("pack", 10));
    let fixture = Fixture::new(&bale);
    fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    let plain = fixture.folder.path().join("plain");
    std::fs::create_dir(&plain).expect("a folder");
    std::fs::write(plain.join("x"), b"x").expect("a file");
    let (found, like) = (seen(&fixture.target()), seen(&plain));
    for (path, other) in [("", ""), ("f", ""), ("f/x", "x")] {
        let [one, other] = [&found[&PathBuf::from(path)], &like[&PathBuf::from(other)]];
        assert_eq!((one.mode, one.owner), (other.mode, other.owner), "{path}");
    }
}

#[test]
fn owners_are_set_by_root_and_told_of_by_others() {
    let mut bale = Bale::default();
    let owned = |mode| Meta { uid: Some(1234), gid: Some(2345), ..meta(mode, 9) };
    bale.folder("f", owned(0o2755));
    bale.file("f/x", b"x", owned(0o4755), ("pack", 10));
    bale.file("f/y", b"y", owned(0o600), ("pack", 10));
    bale.node("f/z", NodeKind::Link(b"y".to_vec()), owned(0o777));
    let fixture = Fixture::new(&bale);
    let (done, notices) = fixture.restore_and_tell(&bale, TreeOptions::default(), &fixture.target());
    let done = done.expect("it is restored");
    let said = notices.iter().any(|text| text.contains("did not get all of the owner"));
    assert_eq!(said, done.ours > 0, "{notices:?}");
    let found = seen(&fixture.target());
    let of = |path: &str| (found[&PathBuf::from(path)].owner, found[&PathBuf::from(path)].mode);
    if geteuid().is_root() {
        assert_eq!(done.ours, 0);
        assert_eq!([of("f"), of("f/x"), of("f/y")].map(|(_, mode)| mode), [0o2755, 0o4755, 0o600]);
        assert!(["f", "f/x", "f/y", "f/z"].iter().all(|path| of(path).0 == (1234, 2345)), "{found:?}");
        assert_eq!(fixture.restore(&bale, TreeOptions::default()).expect("again").how, How::Nothing);
    } else {
        // Nobody runs it as whoever restored it.
        assert_eq!(done.ours, 4);
        assert_eq!([of("f"), of("f/x"), of("f/y")].map(|(_, mode)| mode), [0o755, 0o755, 0o600]);
    }
}

#[test]
fn damage_ends_it_and_leaves_nothing_new() {
    let bale = one_of_everything();
    let (object, bytes) = bale.objects.iter().next().expect("an object");
    for spoil in [
        |bytes: &mut Vec<u8>| bytes[3] ^= 1,
        |bytes: &mut Vec<u8>| bytes.truncate(20),
        |bytes: &mut Vec<u8>| {
            bytes.clear();
        },
    ] {
        let fixture = Fixture::new(&bale);
        let mut spoilt = bytes.clone();
        spoil(&mut spoilt);
        std::fs::write(fixture.repository().join(object), spoilt).expect("an object");
        let (class, words) = refused(fixture.restore(&bale, TreeOptions::default()));
        assert_eq!(class, highwater::error::Class::Damage, "{words}");
        assert!(words.contains(object), "{words}");
        assert!(names(&fixture.standby()).is_empty(), "{:?}", names(&fixture.standby()));
        // The old tree stays, whatever may be given up.
        std::fs::create_dir(fixture.target()).expect("a folder");
        std::fs::write(fixture.target().join("mine"), b"mine").expect("a file");
        let before = seen(&fixture.target());
        refused(fixture.restore(&bale, ASKED));
        assert_eq!(seen(&fixture.target()), before);
        assert_eq!(names(&fixture.standby()), ["tree"]);
    }
}

#[test]
fn what_cannot_be_restored_is_said_by_a_dry_run_too() {
    let bale = one_of_everything();
    for dry_run in [true, false] {
        let fixture = Fixture::new(&bale);
        std::fs::remove_file(fixture.repository().join("pack-4")).expect("an object");
        let (class, words) = refused(fixture.restore(&bale, TreeOptions { full: false, dry_run }));
        assert_eq!(class, highwater::error::Class::Damage, "{words}");
        assert!(words.contains("pack-4") && words.contains("missing"), "{words}");
        assert!(names(&fixture.standby()).is_empty());
    }
}
