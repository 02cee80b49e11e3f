//! Lists of what changed: what they do not name is taken from the point before, and not even looked at.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use highwater_tests::run::Run;

use super::{Scene, below};

/// Backs up with what the list's command is to print, with `%` for each NUL.
fn back_up(scene: &Scene, minute: u32, list: &str) -> Run {
    let said = scene.path("since").display().to_string();
    let list = format!("printf '%s\\n' \"${{HIGHWATER_SINCE-none}}\" >> {said}; printf '{}'", list.replace('%', "\\0"));
    scene.back_up(minute, &["--freeze", "true", "--thaw", "true", "--list", &list])
}

#[test]
fn points_follow_from_lists_of_changes() {
    let scene = Scene::new();
    for name in ["a", "b", "d/one", "d/two", "e/f/g"] {
        scene.write(&format!("source/{name}"), name);
    }
    fs::hard_link(scene.path("source/a"), scene.path("source/a2")).expect("a link");
    fs::hard_link(scene.path("source/a"), scene.path("source/a3")).expect("a link");
    back_up(&scene, 0, "full%one%a%a2%a3%b%d/one%d/two%e/f/g%").expect(0);
    assert_eq!(below(&scene.restore(0)), below(&scene.path("source")));
    // A file that changed, one that came, one that went, and a folder that went with all that was in it.
    scene.write("source/b", "another b");
    scene.write("source/c/new", "new");
    fs::remove_file(scene.path("source/d/one")).expect("it is there");
    fs::remove_file(scene.path("source/a3")).expect("it is there");
    fs::remove_dir_all(scene.path("source/e")).expect("it is there");
    let wanted = below(&scene.path("source"));
    // What is not named is not even looked at: it could not be read.
    let two = scene.path("source/d/two");
    fs::remove_file(&two).expect("it is there");
    std::os::unix::fs::symlink("nowhere", &two).expect("a link");
    back_up(&scene, 1, "since one%two%+b%+c/new%-d/one%-a3%-e%").expect(0);
    assert_eq!(scene.text("since"), "none\none\n");
    let copy = scene.restore(1);
    assert_eq!(below(&copy), wanted);
    let [a, a2] = ["a", "a2"].map(|name| fs::metadata(copy.join(name)).expect("a file"));
    assert_eq!((a.ino(), a.nlink()), (a2.ino(), 2), "two names are left of three");
    // A folder that is a file by now; a name that is gone and comes again.
    fs::remove_dir_all(scene.path("source/d")).expect("it is there");
    scene.write("source/d", "a file");
    fs::set_permissions(scene.path("source/d"), fs::Permissions::from_mode(0o751)).expect("a mode");
    fs::remove_dir_all(scene.path("source/c")).expect("it is there");
    scene.write("source/c/other", "other");
    back_up(&scene, 2, "since two%a \\\\ b\\\\%+d%-c%+c/other%-never%").expect(0);
    let copy = scene.restore(2);
    assert_eq!(below(&copy), below(&scene.path("source")));
    assert_eq!(fs::metadata(copy.join("d")).expect("a file").mode() & 0o7777, 0o751);
    // Nothing changed, and the list has no name: the next one begins anew.
    back_up(&scene, 3, "since a \\\\ b\\\\%%").expect(0).prints("new in 0 objects");
    back_up(&scene, 4, "full%four%a%").expect(0);
    assert_eq!(scene.text("since"), "none\none\ntwo\na \\ b\\\nnone\n");
    assert_eq!(below(&scene.restore(3)), below(&scene.path("source")));
}

#[test]
fn what_does_not_follow_makes_no_point() {
    let scene = Scene::new();
    scene.write("source/a", "a");
    for (list, why) in [
        ("since one%two%", "no such point"),
        ("full%one%a%gone%", "'gone' is listed and not there"),
        ("full%one%a%cu", "it was cut"),
        ("full%one%../a%", "field 3"),
        ("full%one%/a%", "field 3"),
        ("", "before what it is called"),
    ] {
        back_up(&scene, 0, list).expect(3).says(why);
        assert!(!scene.has_point(0), "{list}");
    }
    back_up(&scene, 0, "full%one%a%").expect(0);
    for (list, why) in [
        ("since other%two%", "was asked since 'one'"),
        ("since one%two%+gone%", "'gone' is listed and not there"),
        ("since one%two%a%", "neither"),
        ("since one%two%+a", "it was cut"),
    ] {
        back_up(&scene, 1, list).expect(3).says(why);
        assert!(!scene.has_point(1), "{list}");
    }
}

#[test]
fn what_a_point_lacks_or_its_pool_has_lost_is_not_built_on() {
    let scene = Scene::new();
    scene.write("source/a", "a");
    scene.write("source/b", "b");
    back_up(&scene, 0, "full%one%a%b%").expect(0);
    // An object is lost: what is not named cannot be had again, but from a full list.
    let object = below(&scene.path("set/objects")).into_iter().find(|(_, bytes)| bytes == b"b").expect("an object").0;
    let kept = scene.path("kept");
    fs::rename(scene.path("set/objects").join(&object), &kept).expect("it is there");
    let made = back_up(&scene, 1, "since one%two%+a%");
    made.expect(3).says("no such point");
    assert!(!scene.has_point(1));
    fs::rename(&kept, scene.path("set/objects").join(&object)).expect("it is free");
    // A list that was changed says nothing.
    let list = scene.path("set/points/2026-11-27T00-00-00Z.mtree");
    let text = fs::read_to_string(&list).expect("a list");
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).expect("a mode");
    fs::write(&list, text.replace("size=1", "size=2")).expect("a list");
    back_up(&scene, 2, "since one%two%").expect(3).says("no such point");
    // A point that lacks something cannot be built on.
    let whole = text.replace("# token", "# left out: 'c' cannot be read\n# token");
    let (body, _) = whole.rsplit_once("# end ").expect("an end");
    let sealed = format!("{body}# end {}\n", highwater_core::digest::sha256_of(body.as_bytes()));
    fs::write(&list, sealed).expect("a list");
    back_up(&scene, 3, "since one%two%").expect(3).says("no such point");
    fs::write(&list, text).expect("a list");
    back_up(&scene, 4, "since one%two%").expect(0);
    assert_eq!(below(&scene.restore(4)), below(&scene.path("source")));
}
