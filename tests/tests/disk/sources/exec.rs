//! Folders that commands make hold still.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use highwater_tests::binary::highwater;
use rustix::process::{Pid, Signal, kill_process};

use super::{Scene, below};

/// Commands that say so in the file `said`.
fn commands(scene: &Scene) -> [String; 4] {
    let said = scene.path("said").display().to_string();
    let say = |what: &str| {
        format!("echo {what} $SNAPSHOT_VERSION $SNAPSHOT_DIRECTORY ${{SNAPSHOT_TIMESTAMP:+at}} >> {said}; echo out")
    };
    ["--freeze".to_owned(), say("freeze"), "--thaw".to_owned(), say("thaw")]
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn both(scene: &Scene) -> String {
    let path = scene.path("source").display().to_string();
    format!("freeze 2 {path} at\nthaw 2 {path} at\n")
}

#[test]
fn the_folder_is_read_between_the_two() {
    let scene = Scene::new();
    let (inside, said) = (scene.path("source/inside"), scene.path("said"));
    // It is there only while the folder holds still.
    let freeze = format!("mkdir {}; echo x > {0}/file; echo freeze >> {}", inside.display(), said.display());
    let thaw = format!("rm -r {}; echo thaw >> {}", inside.display(), said.display());
    let made = scene.back_up(0, &["--freeze", &freeze, "--thaw", &thaw]);
    made.expect(0);
    assert_eq!(scene.text("said"), "freeze\nthaw\n");
    let copy = scene.restore(0);
    assert_eq!(fs::read(copy.join("inside/file")).expect("a file"), b"x\n");
    assert!(scene.list(0).contains(" store exec · point "), "{}", scene.list(0));
}

#[test]
fn nothing_in_it_is_open_when_it_is_let_go_of() {
    let scene = Scene::new();
    let (at, open) = (scene.path("source").display().to_string(), scene.path("open").display().to_string());
    // What a mount would hide is moved away, as descriptors tell where they lead.
    let freeze = format!("mv {at} {at}.hidden && mkdir -p {at}/folder && echo x > {at}/folder/file");
    let thaw = format!("ls -l /proc/$PPID/fd > {open}; rm -r {at} && mv {at}.hidden {at}");
    scene.back_up(0, &["--freeze", &freeze, "--thaw", &thaw]).expect(0);
    let open = scene.text("open");
    let inside = format!("-> {at}");
    let held: Vec<&str> =
        open.lines().filter(|line| line.ends_with(&inside) || line.contains(&format!("{inside}/"))).collect();
    assert!(held.is_empty() && open.contains("->"), "it could not be unmounted: {held:?}");
    assert_eq!(fs::read(scene.restore(0).join("folder/file")).expect("a file"), b"x\n");
}

#[test]
fn commands_are_told_what_they_are_for_and_print_to_standard_error() {
    let scene = Scene::new();
    let words = commands(&scene);
    let made = scene.back_up(0, &refs(&words));
    made.expect(0).says("out\nout\n");
    assert!(!made.text().contains("out"), "{}", made.account());
    assert_eq!(scene.text("said"), both(&scene));
}

#[test]
fn one_that_fails_makes_no_point_and_one_that_fails_later_is_told() {
    let scene = Scene::new();
    scene.write("source/a", "a");
    let words = commands(&scene);
    let made = scene.back_up(0, &["--freeze", "exit 9", "--thaw", &words[3]]);
    made.expect(3).says("exit code 9").says("no point was made");
    assert!(!scene.has_point(0) && scene.text("said").is_empty(), "nothing holds still, so nothing is let go of");
    let made = scene.back_up(1, &["--freeze", &words[1], "--thaw", "exit 7"]);
    made.expect(3).says("the point is whole").says("exit code 7").says("run it by hand");
    assert!(scene.has_point(1));
    // Both at once: the point fails, and the folder holds still.
    let list = "printf 'full\\0\\0no such file\\0'";
    let made = scene.back_up(2, &["--freeze", "true", "--thaw", "exit 7", "--list", list]);
    made.expect(3).says("'no such file' is listed and not there").says("exit code 7");
    assert!(!scene.has_point(2));
}

#[test]
fn whatever_fails_meanwhile_it_is_let_go_of() {
    let scene = Scene::new();
    let words = commands(&scene);
    for list in [
        "exit 5",
        "printf 'full\\0'",
        "printf 'full\\0\\0gone\\0'",
        "printf 'full\\0\\0../x\\0'",
        "printf 'full\\0\\0cut'",
    ] {
        fs::remove_file(scene.path("said")).ok();
        let line = [refs(&words), vec!["--list", list]].concat();
        scene.back_up(0, &line).expect(3).says("no point was made");
        assert_eq!(scene.text("said"), both(&scene), "{list}");
        assert!(!scene.has_point(0), "{list}");
    }
    // What cannot be written to ends it, too.
    fs::remove_file(scene.path("said")).ok();
    fs::remove_dir_all(scene.path("set/objects")).expect("it is there");
    scene.write("set/objects", "no folder");
    scene.write("source/a", "a");
    let made = scene.back_up(0, &refs(&words));
    assert!(made.code != 0 && !scene.has_point(0), "{}", made.account());
    let said = scene.text("said");
    assert!(said.is_empty() || said == both(&scene), "{said}");
}

#[test]
fn a_file_that_changes_all_the_same_makes_no_point() {
    let scene = Scene::new();
    let file = scene.path("source/file");
    fs::write(&file, vec![7; 32 << 20]).expect("a file");
    // It is written to for as long as it is said to hold still, and long before that.
    let (stop, begun, path) = (scene.path("stop"), scene.path("begun"), file.display());
    let freeze = format!(
        "(until [ -e {} ]; do echo >> {path}; : > {begun}; done) > /dev/null 2>&1 & until [ -e {begun} ]; do :; done",
        stop.display(),
        begun = begun.display()
    );
    let made = scene.back_up(0, &["--freeze", &freeze, "--thaw", &format!("touch {}", stop.display())]);
    made.expect(3).says("changed while it was read, though the store was to be frozen");
    assert!(!scene.has_point(0));
}

#[test]
fn a_dry_run_runs_nothing_and_says_so() {
    let scene = Scene::new();
    scene.write("source/a", "a");
    let words = commands(&scene);
    let line = [refs(&words), vec!["--list", "exit 1", "--dry-run"]].concat();
    scene.back_up(0, &line).expect(0).says("runs no command").prints("would make point");
    assert!(scene.text("said").is_empty() && below(&scene.path("set")).is_empty());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let scene = Scene::new();
    for line in [vec!["--freeze", "true"], vec!["--thaw", "true"], vec!["--list", "true"]] {
        scene.back_up(0, &line).expect(2);
    }
    let line = ["--freeze", "true", "--thaw", "true", "--kind", "rocksdb"];
    scene.back_up(0, &line).expect(2).says("is backed up without it");
}

#[test]
fn an_interrupt_lets_go_of_it_at_any_moment() {
    for (moment, signal) in [("freeze", Signal::TERM), ("list", Signal::TERM), ("list", Signal::INT)] {
        let scene = Scene::new();
        let (said, here) = (scene.path("said").display().to_string(), scene.path("here"));
        let wait = |what: &str| {
            if what == moment { format!("touch {}; exec sleep 100", here.display()) } else { "true".to_owned() }
        };
        let freeze = format!("{}; echo freeze >> {said}", wait("freeze"));
        let list = format!("printf 'full\\0\\0'; {}", wait("list"));
        let thaw = format!("echo thaw >> {said}");
        let mut command = Command::new(highwater());
        command.args(scene.words(&["--freeze", &freeze, "--thaw", &thaw, "--list", &list]));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let since = Instant::now();
        while !here.exists() {
            assert!(since.elapsed() < Duration::from_secs(30), "{moment} never came");
            thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).expect("it runs");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), status.signal()), (Some(130), None), "{moment}");
        let wanted = if moment == "freeze" { "" } else { "freeze\nthaw\n" };
        assert_eq!(scene.text("said"), wanted, "{moment}");
        assert!(fs::read_dir(scene.path("set/points")).is_ok_and(|points| points.count() == 0), "{moment}");
    }
}
