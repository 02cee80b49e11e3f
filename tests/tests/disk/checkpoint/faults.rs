//! Links, memory, room and descriptors that are not to be had: what comes of each is a whole checkpoint, or none and a
//! sentence.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::mounted::Mounted;
use highwater_tests::run::{Run, ours};
use rustix::process::geteuid;

use super::{Scene, stores};

const NOW: &str = "2026-03-01-00-00-00";

/// Makes a checkpoint while a call fails in a way.
fn with(fault: &str, store: &Path, dest: &Path) -> Run {
    let call = fault.split(':').next().unwrap_or_default();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
    command.arg("-e").arg(format!("inject={fault}"));
    Run::of(command.arg(highwater()).arg("checkpoint").args([store, dest]).env("HIGHWATER_NOW", NOW))
}

/// What the run said of links, and the whole checkpoint.
fn is_whole(scene: &Scene, kind: &str, what: &str) {
    let list = scene.path("snap.mtree");
    assert!(list.is_file(), "{kind}, {what}: no list");
    let (whole, found) = (scene.files("whole"), scene.files("snap"));
    assert_eq!(found, whole, "{kind}, {what}");
    fs::remove_dir_all(scene.path("snap")).expect("the checkpoint");
    fs::remove_file(list).expect("its list");
    let left: Vec<String> = scene.names().into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(left.is_empty(), "{kind}, {what}: {left:?} is left");
}

#[test]
fn where_there_are_no_links_it_is_copied_and_the_reason_is_said() {
    let scene = Scene::new();
    for (kind, _) in stores() {
        let (store, dest) = (scene.path(kind), scene.path("snap"));
        ours(NOW, &["checkpoint".as_ref(), store.as_os_str(), scene.path("whole").as_os_str()]).expect(0);
        for (fault, said) in [
            ("linkat:error=EPERM", "the system does not let this user link them"),
            ("linkat:error=EACCES", "the system does not let this user link them"),
            ("linkat:error=EROFS", "mounted read-only"),
            ("linkat:error=EXDEV", "another file system"),
            ("linkat:error=EXDEV:when=1", "another file system"),
            ("linkat:error=EOPNOTSUPP", "the file system has no links"),
            ("linkat:error=EMLINK", "as many names as its file system allows"),
            ("linkat:error=EMLINK:when=2", "as many names as its file system allows"),
        ] {
            let run = with(fault, &store, &dest);
            run.expect(0).prints(said);
            assert!(!run.text().contains("linked ") || fault.contains("when=2"), "{kind}, {fault}: {}", run.text());
            is_whole(&scene, kind, fault);
        }
        fs::remove_dir_all(scene.path("whole")).expect("the other checkpoint");
        fs::remove_file(scene.path("whole.mtree")).expect("its list");
    }
}

#[test]
fn where_there_is_no_room_nothing_is_left() {
    let scene = Scene::new();
    for (kind, image) in stores() {
        for fault in
            ["pwrite64:error=ENOSPC", "pwrite64:error=ENOSPC:when=3+", "fsync:error=EIO", "linkat:error=ENOSPC"]
        {
            let before = scene.names();
            let run = with(fault, &scene.path(kind), &scene.path("snap"));
            run.expect(3);
            assert_eq!(run.stderr.lines().count(), 1, "{kind}, {fault}: {}", run.stderr);
            assert_eq!((scene.names(), scene.files(kind)), (before, image.clone()), "{kind}, {fault}");
        }
    }
}

#[test]
fn with_few_descriptors_it_is_whole_all_the_same() {
    let scene = Scene::new();
    for (kind, _) in stores() {
        let (store, dest) = (scene.path(kind), scene.path("snap"));
        ours(NOW, &["checkpoint".as_ref(), store.as_os_str(), scene.path("whole").as_os_str()]).expect(0);
        for copy in ["", "--copy"] {
            let script = format!("ulimit -n 32; exec \"$0\" checkpoint {copy} \"$1\" \"$2\"");
            let mut command = Command::new("sh");
            command.arg("-c").arg(script).arg(highwater()).args([&store, &dest]).env("HIGHWATER_NOW", NOW);
            Run::of(&mut command).expect(0);
            is_whole(&scene, kind, copy);
        }
        // Held open and copied at once, far more files than may be open.
        let many = scene.path(kind);
        let script = "ulimit -n 32; exec strace -f -qq -o /dev/null -e trace=linkat -e inject=linkat:error=EPERM \"$0\" \
                      checkpoint \"$1\" \"$2\"";
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(highwater()).args([&many, &dest]).env("HIGHWATER_NOW", NOW);
        Run::of(&mut command).expect(0);
        is_whole(&scene, kind, "held");
        fs::remove_dir_all(scene.path("whole")).expect("the other checkpoint");
        fs::remove_file(scene.path("whole.mtree")).expect("its list");
    }
}

#[test]
fn more_files_than_may_be_open_are_copied_in_parts() {
    let scene = Scene::new();
    let fan = scene.path("git").join("objects/ab");
    fs::create_dir(&fan).expect("a folder of objects");
    for number in 0..200 {
        fs::write(fan.join(format!("{number:038x}")), format!("object {number}")).expect("an object");
    }
    let script = "ulimit -n 32; exec strace -f -qq -o /dev/null -e trace=linkat -e inject=linkat:error=EPERM \"$0\" \
                  checkpoint \"$1\" \"$2\"";
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(highwater()).args([scene.path("git"), scene.path("snap")]);
    Run::of(&mut command).expect(0);
    assert_eq!(fs::read_dir(scene.path("snap/objects/ab")).expect("the copies").count(), 200);
}

#[test]
fn a_store_on_another_file_system_is_pinned_beside_it_and_copied() {
    let scene = Scene::new();
    let other = scene.path("other");
    let Some(_mounted) = Mounted::tmpfs(&other, "size=64m") else {
        println!("not run: this user may not mount a tmpfs");
        return;
    };
    for (kind, image) in stores() {
        let dest = other.join(kind);
        let run = ours(NOW, &["checkpoint".as_ref(), scene.path(kind).as_os_str(), dest.as_os_str()]);
        run.expect(0).prints("another file system");
        assert!(!run.text().contains("linked "), "{kind}: {}", run.text());
        assert_eq!(scene.files(kind), image);
        assert!(scene.names().iter().all(|name| !name.starts_with('.')), "{kind}: {:?}", scene.names());
    }
}

#[test]
fn a_store_on_a_read_only_mount_is_held_and_copied() {
    let scene = Scene::new();
    let (all, at) = (scene.path("all"), scene.path("read-only"));
    fs::create_dir(&all).expect("a folder");
    for (kind, _) in stores() {
        fs::rename(scene.path(kind), all.join(kind)).expect("the store");
    }
    let bound = Mounted::bound(&all, &at);
    let Some(_mounted) = bound.filter(|_| ran(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&at))) else {
        println!("not run: this user may not make a read-only mount");
        return;
    };
    for (kind, _) in stores() {
        let run = ours(NOW, &["checkpoint".as_ref(), at.join(kind).as_os_str(), scene.path(kind).as_os_str()]);
        run.expect(0).prints("files were not linked");
    }
}

fn ran(command: &mut Command) -> bool {
    command.output().is_ok_and(|done| done.status.success())
}

#[test]
fn another_user_who_may_only_read_copies() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let protected = fs::read_to_string("/proc/sys/fs/protected_hardlinks").unwrap_or_default();
    if !geteuid().is_root() || protected.trim() != "1" {
        println!("not run: this user is not root, or the system lets everybody link everything");
        return;
    }
    let scene = Scene::new();
    fs::set_permissions(scene.path("."), fs::Permissions::from_mode(0o755)).expect("ours");
    let out = scene.path("out");
    fs::create_dir(&out).expect("a folder");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o777)).expect("ours");
    let program = scene.path("program");
    fs::copy(highwater(), &program).expect("a copy of the program");
    for (kind, _) in stores() {
        let mut command = Command::new(&program);
        command.arg("checkpoint").args([scene.path(kind), out.join(kind)]).uid(NOBODY).gid(NOBODY).current_dir("/");
        let run = Run::of(&mut command);
        run.expect(0).prints("does not let this user link");
        ours(NOW, &["checkpoint".as_ref(), scene.path(kind).as_os_str(), scene.path("whole").as_os_str()]).expect(0);
        assert_eq!(scene.files(&format!("out/{kind}")), scene.files("whole"), "{kind}");
        fs::remove_dir_all(scene.path("whole")).expect("the other checkpoint");
    }
}
