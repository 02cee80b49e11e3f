//! Runs beside a checkpoint: two at once, one that was killed, and a command that runs on it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater::error::Error;
use highwater::live::{self, LiveOptions, Step};
use highwater::watch::Watch;
use highwater_tests::binary::highwater;
use highwater_tests::run::{Run, ours};

use super::{Scene, stores};

const NOW: &str = "2026-03-01-00-00-00";

#[test]
fn two_at_once_are_both_whole_and_of_one_name_one_is_refused() {
    let scene = Scene::new();
    for (kind, _) in stores() {
        for names in [["one", "two"], ["same", "same"]] {
            let start = |name: &str| {
                let mut command = Command::new(highwater());
                command.arg("checkpoint").args([scene.path(kind), scene.path(name)]).stdout(Stdio::null());
                command.stderr(Stdio::piped()).spawn().expect("it starts")
            };
            let runs = names.map(start);
            let ends = runs.map(|run| run.wait_with_output().expect("it ends"));
            let good = ends.iter().filter(|end| end.status.success()).count();
            let said: Vec<_> = ends.iter().map(|end| String::from_utf8_lossy(&end.stderr).into_owned()).collect();
            assert!(good == 2 || good == 1 && names[0] == names[1], "{kind}: {said:?}");
            let whole = scene.files(names[0]);
            for name in names {
                assert_eq!(scene.files(name), whole, "{kind}: {name}");
            }
            for name in names.iter().take(if names[0] == names[1] { 1 } else { 2 }) {
                fs::remove_dir_all(scene.path(name)).expect("the checkpoint");
                fs::remove_file(scene.path(&format!("{name}.mtree"))).expect("its list");
            }
            let hidden: Vec<String> = scene.names().into_iter().filter(|name| name.starts_with('.')).collect();
            assert!(hidden.is_empty(), "{kind}: {hidden:?} is left");
        }
    }
}

/// Makes a folder as a run leaves it that was killed while it filled it.
fn left_behind(scene: &Scene, name: &str, mark: Option<&str>) {
    let folder = scene.path(name);
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("a-link"), "of a table").expect("a file");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("ours");
    let own = fs::metadata(&folder).expect("it is there").ino().to_string();
    if let Some(inode) = mark {
        let inode = if inode == "own" { &own } else { inode };
        let text = format!("work folder {inode}; removed by the next run if this one was killed\n");
        fs::write(folder.join(".highwater-work"), text).expect("a mark");
    }
}

#[test]
fn what_a_killed_run_left_is_swept_and_what_only_looks_so_is_not() {
    let scene = Scene::new();
    let digits = "0123456789abcdef";
    for (name, mark, goes) in [
        (format!(".snap.part.{digits}"), Some("own"), true),
        (format!(".highwater-pins.{digits}"), Some("own"), true),
        (format!(".snap.part.{digits}"), None, false),
        (format!(".snap.part.{digits}"), Some("1"), false),
        (format!(".highwater-pins.{digits}"), None, false),
        (format!(".other.part.{digits}"), Some("own"), false),
    ] {
        left_behind(&scene, &name, mark);
        let run = ours(NOW, &["checkpoint".as_ref(), scene.path("fjall").as_os_str(), scene.path("snap").as_os_str()]);
        run.expect(0);
        assert_eq!(scene.path(&name).exists(), !goes, "{name}, {mark:?}");
        let told = name.starts_with(".other") || run.stderr.contains(&name);
        assert!(told, "{name}, {mark:?}: {}", run.stderr);
        if !goes {
            fs::remove_dir_all(scene.path(&name)).expect("the folder");
        }
        fs::remove_dir_all(scene.path("snap")).expect("the checkpoint");
    }
}

#[test]
fn a_command_runs_on_it_and_it_is_gone_afterwards() {
    let scene = Scene::new();
    let folder = scene.path("");
    for (kind, image) in stores() {
        for (script, code) in [("test -d snap && cp -r snap seen", 0), ("exit 7", 7), ("kill -9 $$", 3)] {
            let mut command = Command::new(highwater());
            command.current_dir(&folder).args(["checkpoint", kind, "snap", "--", "sh", "-c", script]);
            let run = Run::of(&mut command);
            run.expect(code);
            assert_eq!(run.text(), "", "what it says is the command's");
            let left: Vec<String> = scene.names().into_iter().filter(|name| name.contains("snap")).collect();
            assert!(left.is_empty(), "{kind}: {left:?}");
        }
        assert_eq!(scene.files(kind), image, "{kind}");
        fs::remove_dir_all(scene.path("seen")).expect("what the command saw");
        let mut command = Command::new(highwater());
        command.current_dir(&folder).args(["checkpoint", kind, "snap", "--", "no-such-program"]);
        let run = Run::of(&mut command);
        run.expect(4).says("cannot run 'no-such-program'");
        assert!(!scene.path("snap").exists());
    }
}

#[test]
fn a_folder_that_took_its_place_stays() {
    let scene = Scene::new();
    let script = "mv snap moved && mkdir snap && echo mine > snap/mine";
    let mut command = Command::new(highwater());
    command.current_dir(scene.path("")).args(["checkpoint", "fjall", "snap", "--", "sh", "-c", script]);
    Run::of(&mut command).expect(3).says("somebody put another folder in its place");
    assert_eq!(fs::read(scene.path("snap/mine")).expect("what the command put there"), b"mine\n");
    assert!(scene.path("moved/lock").is_file(), "what was made is the command's by now");
}

#[test]
fn whoever_is_interrupted_between_two_steps_leaves_nothing() {
    let scene = Scene::new();
    for (kind, image) in stores() {
        for last in [Step::Held, Step::Read, Step::Pinned, Step::Listed, Step::Copied, Step::Accepted] {
            for copy in [false, true] {
                let stop = Arc::new(AtomicBool::new(false));
                let step = |step| _ = stop.fetch_or(step == last, Ordering::Relaxed);
                let options = LiveOptions { copy, step: Some(&step), ..LiveOptions::default() };
                let before = scene.names();
                let watch = Watch::new(Arc::clone(&stop), |_| {});
                let made = live::checkpoint(&scene.path(kind), &scene.path("snap"), &options, &watch);
                assert!(matches!(made, Err(Error::Interrupted)), "{kind}, {last:?}: {made:?}");
                assert_eq!((scene.names(), scene.files(kind)), (before, image.clone()), "{kind}, {last:?}");
            }
        }
    }
}
