//! The list beside a checkpoint: `mtree` and `bsdtar` read it, and `highwater verify` finds by it what changed since.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::run::{Run, ours};

use super::{Scene, stores};

const NOW: &str = "2026-03-01-00-00-00";

fn mtree(scene: &Scene) -> Run {
    let mut command = Command::new("mtree");
    Run::of(command.arg("-p").arg(scene.path("snap")).arg("-f").arg(scene.path("snap.mtree")))
}

#[test]
fn other_programs_read_it() {
    let scene = Scene::new();
    for (kind, _) in stores() {
        let odd = scene.path(kind).join("a b#c=d*e?[f]\\g\u{e9}");
        fs::write(&odd, "what a wrapper keeps").expect("a file");
        ours(NOW, &["checkpoint".as_ref(), scene.path(kind).as_os_str(), scene.path("snap").as_os_str()]).expect(0);
        mtree(&scene).expect(0);
        let out = scene.path("out");
        fs::create_dir(&out).expect("a folder");
        let script = "cd \"$0\" && bsdtar --format=pax -cf - @\"$0.mtree\" | tar -xpf - -C \"$1\"";
        Run::of(Command::new("sh").arg("-c").arg(script).args([scene.path("snap"), out.clone()])).expect(0);
        assert_eq!(scene.files("out"), scene.files("snap"), "{kind}");
        let (name, _) = scene.files("snap").pop_first().expect("a file");
        fs::write(scene.path("snap").join(&name), "something else").expect("a changed file");
        mtree(&scene).expect(2);
        for folder in ["snap", "out"] {
            fs::remove_dir_all(scene.path(folder)).expect("a folder");
        }
        fs::remove_file(odd).expect("the file");
    }
}

#[test]
fn verify_finds_every_change_of_a_file_that_was_read() {
    let scene = Scene::new();
    for (kind, _) in stores() {
        let words = ["checkpoint".as_ref(), "--copy".as_ref()];
        let (store, snap) = (scene.path(kind), scene.path("snap"));
        ours(NOW, &[&words[..], &[store.as_os_str(), snap.as_os_str()]].concat()).expect(0);
        ours(NOW, &["verify".as_ref(), snap.as_os_str()]).expect(0);
        for (name, bytes) in scene.files("snap") {
            let path = snap.join(&name);
            let mut changed = bytes.clone();
            match changed.last_mut() {
                Some(last) => *last ^= 1,
                None => changed.push(0),
            }
            fs::write(&path, changed).expect("a changed file");
            let run = ours(NOW, &["verify".as_ref(), snap.as_os_str()]);
            run.expect(1).prints(&format!("snap/{name}"));
            fs::remove_file(&path).expect("the file");
            ours(NOW, &["verify".as_ref(), snap.as_os_str()]).expect(1).prints("HW101");
            fs::write(path, bytes).expect("the file as it was");
        }
        let list = scene.path("snap.mtree");
        let whole = fs::read(&list).expect("the list");
        for cut in [whole.len() - 1, whole.len() / 2, 0] {
            fs::write(&list, &whole[..cut]).expect("a list that was cut");
            ours(NOW, &["verify".as_ref(), list.as_os_str()]).expect(1).prints("HW111");
        }
        fs::remove_dir_all(snap).expect("the checkpoint");
        fs::remove_file(list).expect("its list");
    }
}

#[test]
fn a_file_without_a_digest_is_not_called_checked() {
    let scene = Scene::new();
    for (kind, code, said) in [("tantivy", 3, "HW204"), ("git", 3, "HW204"), ("fjall", 0, "sound")] {
        for verified in [false, true] {
            let mut words = vec!["checkpoint".into(), scene.path(kind), scene.path("snap")];
            words.extend(verified.then(|| "--verify".into()));
            ours(NOW, &words).expect(0);
            let run = ours(NOW, &["verify".as_ref(), scene.path("snap").as_os_str()]);
            run.expect(if verified { 0 } else { code }).prints(if verified { "sound" } else { said });
            ours(NOW, &["verify".as_ref(), "--depth=size".as_ref(), scene.path("snap").as_os_str()]).expect(0);
            fs::remove_dir_all(scene.path("snap")).expect("the checkpoint");
        }
    }
}

#[test]
fn a_checkpoint_is_judged_by_its_list_whatever_its_folder_is_called() {
    let scene = Scene::new();
    let (snap, list) = (scene.path("snap"), scene.path("snap.mtree"));
    let store = scene.path("rocksdb");
    ours(NOW, &["checkpoint".as_ref(), "--copy".as_ref(), store.as_os_str(), snap.as_os_str()]).expect(0);
    // What the store itself has no sum of.
    let options = scene.files("snap").keys().find(|name| name.starts_with("OPTIONS")).expect("options").clone();
    let mut bytes = fs::read(snap.join(&options)).expect("a file");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(snap.join(&options), bytes).expect("a changed file");
    fs::create_dir(scene.path("links")).expect("a folder");
    symlink(&snap, scene.path("links/other")).expect("a link");
    let around = snap.parent().expect("a folder").to_owned();
    for (here, named) in [
        (&around, "snap"),
        (&around, "snap/"),
        (&around, "./snap/."),
        (&around, "links/other"),
        (&around, "links/other/"),
        (&snap, "."),
        (&snap, "./"),
        (&snap, "../snap"),
        (&scene.path("links"), "other"),
    ] {
        let mut command = Command::new(highwater());
        let run = Run::of(command.args(["verify", named]).current_dir(here).env("HIGHWATER_NOW", NOW));
        run.expect(1).prints("HW103").prints(&options);
    }
    // Without its list, it is what its store says of itself.
    fs::remove_file(list).expect("the list");
    ours(NOW, &["verify".as_ref(), snap.as_os_str()]).expect(0);
}
