//! What is no target of a tree is refused, and stays as it was.

use std::fs;
use std::os::unix::fs::symlink;

use highwater::disk;
use highwater::error::Class;
use highwater::restore::tree::TreeOptions;
use highwater::store::Locks;

use super::bale::one_of_everything;
use super::restored::is_restored;
use super::{ASKED, Fixture, names, refused, seen};

#[test]
fn what_is_no_folder_of_its_own_is_refused() {
    let bale = one_of_everything();
    let fixture = Fixture::new(&bale);
    let standby = fixture.standby();
    fs::write(standby.join("file"), b"mine").expect("a file");
    fs::create_dir(standby.join("real")).expect("a folder");
    symlink("real", standby.join("link")).expect("a link");
    let around = fixture.folder.path().to_owned();
    let cases = [
        (standby.join("file"), "is no folder"),
        (standby.join("link"), "is a link to"),
        (fixture.repository(), "would be replaced"),
        (around.clone(), "would be replaced"),
        (fixture.repository().join("tree"), "lies inside the repository"),
    ];
    let before = seen(&around);
    for (target, words) in cases {
        for dry_run in [true, false] {
            let (class, said) = refused(fixture.restore_to(&bale, TreeOptions { full: true, dry_run }, &target));
            assert!(class == Class::CannotStart && said.contains(words), "{}: {said}", target.display());
            assert_eq!(seen(&around), before);
        }
    }
}

#[test]
fn a_target_that_another_restore_holds_is_left_to_it() {
    let bale = one_of_everything();
    let fixture = Fixture::new(&bale);
    fixture.restore(&bale, TreeOptions::default()).expect("it is restored");
    let before = seen(&fixture.target());
    let place = disk::target(&fixture.target(), Locks::Needed).expect("a place");
    let held = disk::Disk::hold(&*place.root, Some(&place.name)).expect("locks").expect("nobody has it");
    let (class, said) = refused(fixture.restore(&bale, ASKED));
    assert!(class == Class::CannotStart && said.contains("another restore is at work"), "{said}");
    assert_eq!(seen(&fixture.target()), before);
    drop(held);
    fixture.restore(&bale, ASKED).expect("it is free");
    is_restored(&fixture, &bale);
}

#[test]
fn a_folder_that_looks_like_a_leftover_is_told_of_and_stays() {
    let bale = one_of_everything();
    let fixture = Fixture::new(&bale);
    let left = fixture.standby().join("tree.part.0123456789abcdef");
    fs::create_dir(&left).expect("a folder");
    fs::write(left.join("precious"), b"precious").expect("a file");
    let (done, notices) = fixture.restore_and_tell(&bale, TreeOptions::default(), &fixture.target());
    done.expect("it is restored");
    let says = |text: &String| text.contains("tree.part.0123456789abcdef") && text.contains("remove it");
    assert!(notices.iter().any(says), "{notices:?}");
    assert_eq!(names(&fixture.standby()), ["tree", "tree.part.0123456789abcdef"]);
    assert_eq!(fs::read(left.join("precious")).expect("it stays"), b"precious");
}
