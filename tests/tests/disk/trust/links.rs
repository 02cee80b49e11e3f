//! Links that lead out of a repository, or round in it: what is read through them; nothing is written through any.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::repository::copy;
use highwater_tests::run::Run;

use crate::trust::stage::{GROUP, SECRET, Stage, chunks, snapshot};

/// Moves something out of a root, and leaves a link to it.
#[track_caller]
fn moved_out(path: &Path, to: &Path) {
    fs::rename(path, to).expect("it is moved out");
    symlink(to, path).expect("a link to it");
}

/// The link is named, and so is the way to allow it.
#[track_caller]
fn expect_refused(run: &Run, code: i32, link: &str) {
    run.expect(code);
    let said = run.stderr.clone() + &run.text();
    assert!(said.contains(link) && said.contains("--follow-links"), "it does not name '{link}'\n{}", run.account());
}

/// No file below a folder has the secret in it.
#[track_caller]
fn expect_no_secret(folder: &Path, run: &Run) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).unwrap_or_default();
        let found = bytes.windows(20).any(|window| window == &SECRET.as_bytes()[..20]);
        assert!(!found, "{} has the secret in it\n{}", path.display(), run.account());
    }
}

#[test]
fn a_backup_deletes_nothing_elsewhere() {
    let stage = Stage::new();
    let store = stage.store("store");
    let link = store.join(GROUP).join(".highwater-2026");
    symlink(stage.outside().join("folder/below"), &link).expect("a link");
    let victims = stage.victims();
    for minute in [2, 3] {
        let run = stage.to_store(&store, GROUP, minute);
        victims.expect_same(&run.account());
        run.expect(0).says(".highwater-2026");
        assert!(fs::symlink_metadata(&link).is_ok_and(|meta| meta.is_symlink()), "{}", run.account());
    }
    stage.verify(&store, &[]).expect(0);
}

#[test]
fn a_hostile_repository_makes_root_copy_no_secret() {
    let stage = Stage::new();
    let victims = stage.victims();
    for (number, suffix, link) in [(0, "fs", "secret"), (1, "deltafs", "secret"), (2, "deltafs", "plain")] {
        let repo = stage.path(&format!("repo {number}"));
        copy(&stage.fixture.repo, &repo);
        let data = format!("{}.{suffix}", stage.stamps[number]);
        fs::remove_file(repo.join(&data)).expect("it was there");
        symlink(stage.outside().join(link), repo.join(&data)).expect("a link");
        let out = stage.path(&format!("out {number}"));
        fs::create_dir(&out).expect("a folder");
        let run = stage.restore(&repo, &out.join("Data.fs"), &[]);
        assert_ne!(run.code, 0, "{}", run.account());
        expect_no_secret(&out, &run);
        expect_refused(&run, 3, &data);
        // What cannot be read is no damage, and never sound.
        expect_refused(&stage.verify(&repo, &[]), 3, &data);
        expect_refused(&stage.verify(&repo, &["--depth=size"]), 3, &data);
        // Whoever says that he made the link gets what it leads to, which is damage here.
        stage.verify(&repo, &["--follow-links"]).expect(1);
        victims.expect_same("a repository with links was read");
    }
}

#[test]
fn the_drop_in_copies_no_secret_either() {
    // The original follows every link. Root's cron job would copy whatever the owner of the repository lets one lead
    // to.
    let victims_and_links = [("index", true), ("fs", false)];
    for (suffix, listed) in victims_and_links {
        let stage = Stage::new();
        let victims = stage.victims();
        let (repo, out) = (&stage.fixture.repo, stage.path("out"));
        fs::create_dir(&out).expect("a folder");
        let newest = if listed { 2 } else { 0 };
        let link = stage.file(newest, suffix);
        fs::remove_file(&link).expect("it was there");
        symlink(stage.outside().join("secret"), &link).expect("a link");
        if !listed {
            fs::remove_file(stage.file(0, "dat")).expect("an index");
        }
        let name = link.file_name().expect("a name").to_string_lossy().into_owned();
        let arguments = ["repozo".as_ref(), "-R".as_ref(), "-r".as_ref(), repo.as_os_str(), "-o".as_ref()];
        let target = out.join("Data.fs");
        let run = Run::of(stage.command(&[]).args(arguments).arg(&target));
        expect_refused(&run, 1, &name);
        expect_no_secret(&out, &run);
        victims.expect_same(&run.account());
        // Whoever made the link says so.
        let run = Run::of(stage.command(&[]).args(arguments).arg(&target).arg("--follow-links"));
        assert_eq!(run.code, 0, "{}", run.account());
    }
}

#[test]
fn what_was_moved_to_another_disk_is_read_when_the_user_says_so() {
    let stage = Stage::new();
    let disk = stage.path("another disk");
    fs::create_dir(&disk).expect("a folder");
    let data = stage.file(0, "fs");
    moved_out(&data, &disk.join("data"));
    let target = stage.path("restored.fs");
    let name = data.file_name().expect("a name").to_string_lossy().into_owned();
    expect_refused(&stage.verify(&stage.fixture.repo, &[]), 3, &name);
    stage.verify(&stage.fixture.repo, &["--follow-links"]).expect(0);
    stage.restore(&stage.fixture.repo, &target, &["--follow-links"]).expect(0);
    assert!(fs::read(&target).expect("a target") == stage.fixture.data.bytes);
    // One that stays in the repository is followed by everybody.
    fs::remove_file(&data).expect("the link goes");
    fs::create_dir(stage.fixture.file("below")).expect("a folder");
    fs::rename(disk.join("data"), stage.fixture.file("below/data")).expect("it is moved in");
    symlink("below/data", &data).expect("a link");
    stage.verify(&stage.fixture.repo, &[]).expect(0);
    stage.restore(&stage.fixture.repo, &target, &["--full"]).expect(0);
}

/// What is moved out of a store, to `elsewhere`.
type Moved = fn(&Path) -> PathBuf;

#[test]
fn a_store_that_leads_out_is_never_sound() {
    let moved: [(&str, Moved); 7] = [
        ("vm", |store| store.join("vm")),
        ("vm/9", |store| store.join(GROUP)),
        ("vm/9/2", snapshot),
        ("disk.img.fidx", |store| snapshot(store).join("disk.img.fidx")),
        ("index.json.blob", |store| snapshot(store).join("index.json.blob")),
        (".chunks", |store| store.join(".chunks")),
        (".chunks/", |store| chunks(store)[0].parent().expect("a folder").to_owned()),
    ];
    for (number, (link, moved)) in moved.into_iter().enumerate() {
        let stage = Stage::new();
        let store = stage.store("store");
        let at = moved(&store);
        moved_out(&at, &stage.path(&format!("elsewhere{number}")));
        let run = stage.verify(&store, &[]);
        expect_refused(&run, 3, link);
        stage.verify(&store, &["--follow-links"]).expect(0);
    }
    // The groups of a namespace.
    let stage = Stage::new();
    let store = stage.empty_store("store");
    stage.to_store(&store, &format!("ns/x/{GROUP}"), 1).expect(0);
    stage.to_store(&store, GROUP, 1).expect(0);
    moved_out(&store.join("ns/x"), &stage.path("elsewhere"));
    expect_refused(&stage.verify(&store, &[]), 3, "ns/x");
    let run = stage.verify(&store, &["--follow-links"]);
    run.expect(0).prints("2 points");
}

#[test]
fn nothing_is_written_through_a_link() {
    // An empty folder but for a link where the chunks are to be.
    let stage = Stage::new();
    let victims = stage.victims();
    let store = stage.path("store");
    fs::create_dir(&store).expect("a folder");
    symlink(stage.outside().join("folder"), store.join(".chunks")).expect("a link");
    let run = stage.to_store(&store, GROUP, 2);
    victims.expect_same(&run.account());
    assert_ne!(run.code, 0, "{}", run.account());
    assert!(!store.join(".lock").exists(), "it is no store\n{}", run.account());

    // A folder of a store that leads out, which has to be written in.
    let links: [(&str, Moved); 4] = [
        ("vm", |store| store.join("vm")),
        ("vm/9", |store| store.join(GROUP)),
        (".chunks/", |store| chunks(store)[0].parent().expect("a folder").to_owned()),
        (".chunks", |store| store.join(".chunks")),
    ];
    for (link, folder) in links {
        let stage = Stage::new();
        let (store, good) = (stage.store("store"), stage.store("good"));
        let folder = folder(&store);
        fs::remove_dir_all(&folder).expect("it was there");
        symlink(stage.outside().join("folder"), &folder).expect("a link");
        let victims = stage.victims();
        let run = stage.to_store(&store, GROUP, 2);
        victims.expect_same(&run.account());
        assert_ne!(run.code, 0, "{link}: {}", run.account());
        run.says(link).says("link");
        let run = stage.run(stage.command(&["heal"]).arg(&store).arg("--from").arg(&good));
        victims.expect_same(&run.account());
        assert_ne!(run.code, 0, "{link}: {}", run.account());
    }
}

#[test]
fn a_namespace_that_is_a_link_is_not_written_in() {
    let stage = Stage::new();
    let store = stage.store("store");
    fs::create_dir(store.join("ns")).expect("a folder");
    symlink(stage.outside().join("folder"), store.join("ns/x")).expect("a link");
    let victims = stage.victims();
    let run = stage.to_store(&store, &format!("ns/x/{GROUP}"), 2);
    victims.expect_same(&run.account());
    assert_ne!(run.code, 0, "{}", run.account());
    run.says("ns/x").says("link");
}

/// Puts a link in the place of a file, to a copy of it among the victims: that reads well, and must not be written.
#[track_caller]
fn led_out(stage: &Stage, path: &Path) {
    let copy = stage.outside().join(path.file_name().expect("a name"));
    fs::write(&copy, fs::read(path).unwrap_or_default()).expect("a copy");
    let _ = fs::remove_file(path);
    symlink(copy, path).expect("a link");
}

#[test]
fn names_that_a_run_replaces_are_not_followed() {
    // Of a repository.
    for end in [".highwater.lock", "dat", "index", "fs.marks"] {
        for words in [&["backup"][..], &["backup", "--full"], &["repozo", "-B"], &["mark"], &["heal"]] {
            let mut stage = Stage::new();
            let (repo, good) = (stage.fixture.repo.clone(), stage.path("good"));
            copy(&repo, &good);
            let path = if end.starts_with('.') { repo.join(end) } else { stage.file(0, end) };
            led_out(&stage, &path);
            stage.fixture.grow(1);
            let victims = stage.victims();
            let source = stage.fixture.source.clone();
            let mut command = stage.command(words);
            match words[0] {
                "backup" => command.args([&source, &repo]),
                "repozo" => command.arg("-f").arg(&source).arg("-r").arg(&repo),
                "heal" => command.arg(&repo).arg("--from").arg(&good),
                _ => command.arg(&repo),
            };
            let run = stage.run(command.env("HIGHWATER_NOW", crate::trust::stage::stamp(2)));
            victims.expect_same(&format!("{end}\n{}", run.account()));
        }
    }
    // Of a store: the manifest would be written anew, as the store has lost a chunk of it.
    for name in [".lock", "vm/9/owner", "index.json.blob", "disk.img.fidx"] {
        let stage = Stage::new();
        let store = stage.store("store");
        let path =
            if name.contains(".j") || name.contains(".i") { snapshot(&store).join(name) } else { store.join(name) };
        led_out(&stage, &path);
        fs::remove_file(&chunks(&store)[0]).expect("a chunk is lost");
        let victims = stage.victims();
        let run = stage.to_store(&store, GROUP, 2);
        victims.expect_same(&format!("{name}\n{}", run.account()));
    }
    // Beside a target.
    for name in ["Data.fs", "Data.fs.index", "Data.fs.lock"] {
        for flags in [&[][..], &["--full"], &["--in-place"]] {
            let stage = Stage::new();
            let out = stage.path("out");
            fs::create_dir(&out).expect("a folder");
            led_out(&stage, &out.join(name));
            let victims = stage.victims();
            let run = stage.restore(&stage.fixture.repo, &out.join("Data.fs"), flags);
            victims.expect_same(&format!("{name}\n{}", run.account()));
            assert_eq!(run.code == 0, name.ends_with(".index"), "{name}: {}", run.account());
        }
    }
}

#[test]
fn work_files_that_are_links_are_not_written_through() {
    let stage = Stage::new();
    let (secret, repo) = (stage.outside().join("plain"), stage.fixture.repo.clone());
    let (store, good) = (stage.store("store"), stage.store("good"));
    let chunk = chunks(&store)[0].clone();
    crate::trust::stage::damage(&chunk);
    let out = stage.path("out");
    fs::create_dir(&out).expect("a folder");
    let target = out.join("Data.fs");
    let next = crate::trust::stage::stamp(5);
    let beside = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
    let works = [
        beside(&stage.file(0, "dat"), ".highwater-tmp"),
        repo.join(format!("{next}.fs.highwater-tmp")),
        repo.join(format!("{next}.deltafs.highwater-tmp")),
        repo.join(format!("{next}.index.highwater-tmp")),
        beside(&stage.file(0, "fs"), ".marks.highwater-tmp"),
        beside(&chunk, ".highwater-tmp"),
        beside(&target, ".part"),
        beside(&target, ".index.highwater-tmp"),
    ];
    works.iter().for_each(|work| symlink(&secret, work).expect("a link"));
    let victims = stage.victims();
    let grown = stage.fixture.data.clone();
    let mut grown = grown;
    grown.grow(2);
    fs::write(&stage.fixture.source, &grown.bytes).expect("the source grows");
    let commands: [(&str, Command); 5] = [
        ("backup", with(stage.command(&["backup"]), &[&stage.fixture.source, &repo])),
        ("mark", with(stage.command(&["mark"]), &[&repo])),
        ("heal", with(stage.command(&["heal"]), &[&store, Path::new("--from"), &good])),
        ("restore", with(stage.command(&["restore"]), &[&repo, &target])),
        ("full backup", with(stage.command(&["backup", "--full"]), &[&stage.fixture.source, &repo])),
    ];
    for (minute, (what, mut command)) in (5..).zip(commands) {
        let run = stage.run(command.env("HIGHWATER_NOW", crate::trust::stage::stamp(minute)));
        victims.expect_same(&format!("{what}\n{}", run.account()));
        run.expect(0);
    }
    assert!(fs::read(&target).expect("a target") == grown.bytes);
    stage.verify(&store, &[]).expect(0);
}

fn with(mut command: Command, paths: &[&Path]) -> Command {
    command.args(paths);
    command
}

#[test]
fn no_folder_is_walked_twice() {
    let stage = Stage::new();
    let store = stage.empty_store("store");
    stage.to_store(&store, &format!("ns/a/{GROUP}"), 1).expect(0);
    stage.to_store(&store, GROUP, 1).expect(0);
    let points = |run: &Run| run.text().lines().filter(|line| line.contains("disk.img")).count();
    let list = || stage.run(stage.command(&["list"]).arg(&store));
    let before = list();
    assert_eq!(points(before.expect(0)), 2, "{}", before.account());
    for number in 0..6 {
        let link = store.join(format!("ns/a{number}"));
        fs::create_dir(&link).expect("a namespace");
        symlink("../..", link.join("ns")).expect("a link round");
        symlink("..", store.join(format!("ns/b{number}"))).expect("a link round");
    }
    let after = list();
    assert_eq!(points(after.expect(0)), 2, "{}", after.account());
    stage.verify(&store, &[]).expect(0).prints("2 points");
}
