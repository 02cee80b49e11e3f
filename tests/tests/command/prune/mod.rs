//! Prune by its words and exit codes: what it refuses, what it says, and what it never touches.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

mod inner;
mod tree;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use highwater::disk;
use highwater::lock;
use highwater::store::Locks;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::mounted::Mounted;
use highwater_tests::repo::{Fixture, Image, load};
use highwater_tests::run::Run;
use serde_json::Value;

/// Two chains of three days each, and one that was begun today.
fn repository() -> (Fixture, Vec<String>) {
    let mut fixture = Fixture::new();
    let mut stamps = Vec::new();
    for number in 0..7 {
        fixture.clock.tick(86_400);
        fixture.grow(2);
        let flags: &[&str] = if number % 3 == 0 { &["--full"] } else { &[] };
        stamps.push(fixture.backup(flags));
    }
    (fixture, stamps)
}

fn prune(fixture: &Fixture, more: &[&str]) -> Run {
    let words = [&["prune", fixture.repo.to_str().expect("text")][..], more].concat();
    fixture.run(&words)
}

/// The points that a list names.
fn points(set: &Path) -> Vec<String> {
    let run = Run::of(Command::new(highwater()).args(["list", "--json"]).arg(set));
    let list: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let name = |set: &Value| set["name"].as_str().expect("a name").to_owned();
    list["sets"].as_array().expect("a list").iter().map(name).collect()
}

/// The files without the lock, which says who had it.
fn image(fixture: &Fixture) -> Image {
    let mut image = load(&fixture.repo);
    image.remove(".highwater.lock");
    image
}

#[test]
fn a_disk_without_any_room_is_made_room_on() {
    let (fixture, stamps) = repository();
    let before = image(&fixture);
    fs::remove_dir_all(&fixture.repo).expect("the repository");
    let Some(_mounted) = Mounted::tmpfs(&fixture.repo, "size=1m") else {
        println!("not run: prune on a full disk: this user may not mount a tmpfs");
        return;
    };
    before.iter().for_each(|(name, bytes)| fs::write(fixture.repo.join(name), bytes).expect("a file"));
    // The lock of the run before.
    fs::write(fixture.repo.join(".highwater.lock"), "pid 1\n").expect("a lock");
    let mut filler = fs::File::create(fixture.repo.join("filler")).expect("a file");
    while filler.write_all(&[7; 4096]).is_ok() {}
    prune(&fixture, &["--keep-last", "1"]).expect(0);
    assert_eq!(points(&fixture.repo), stamps[6..]);
}

#[test]
fn without_a_rule_it_is_refused_and_nothing_changes() {
    let (fixture, _) = repository();
    let before = image(&fixture);
    for words in [
        &[][..],
        &["--dry-run"],
        &["--keep-last", "0"],
        &[
            "--keep-last=0",
            "--keep-daily=0",
            "--keep-hourly=0",
            "--keep-weekly=0",
            "--keep-monthly=0",
            "--keep-yearly=0",
        ],
    ] {
        let run = prune(&fixture, words);
        assert!(run.expect(2).one_line().contains("such as --keep-daily 7"), "{}", run.account());
    }
    prune(&fixture, &["--keep-last", "-1"]).expect(2);
    prune(&fixture, &["--keep-last", "3", "--depth", "list"]).expect(2).says("--depth size");
    let help = fixture.run(&["prune", "-h"]).expect(0).text();
    assert!(help.contains("size, digest, deep]") && !help.contains("list,"), "{help}");
    prune(&fixture, &["--keep-last", "3", "--keyfile", "k"]).expect(2).says("--keyfile is for a datastore");
    let group = format!("{}@2026-03-02", fixture.repo.display());
    fixture.run(&["prune", &group, "--keep-last", "1"]).expect(2).says("pruned together");
    assert_eq!(image(&fixture), before);
}

#[test]
fn a_dry_run_says_what_a_run_does_and_changes_nothing() {
    let (fixture, stamps) = repository();
    let before = load(&fixture.repo);
    let rules = ["--keep-last", "1", "--keep-daily", "2"];
    let dry = prune(&fixture, &[&rules[..], &["-n"]].concat());
    dry.expect(0).prints("would remove 3 of 7 points").prints(&format!("remove  {}\n", stamps[2]));
    dry.prints(&format!("keep    {}  {} needs it\n", stamps[3], stamps[4])).prints("  daily 2\n");
    assert_eq!(load(&fixture.repo), before);
    let wet = prune(&fixture, &rules);
    let plan =
        |text: &str| text.lines().filter(|line| !line.contains(" of 7 points")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(plan(&dry.text()), plan(&wet.expect(0).text()));
    wet.prints("removed 3 of 7 points").prints(&format!("the newest sound point is {}", stamps[6]));
    assert_eq!(points(&fixture.repo), stamps[3..]);
    fixture.verify("deep").expect(0);
}

#[test]
fn its_document_says_of_each_point_what_became_of_it() {
    let (fixture, stamps) = repository();
    for (more, removed) in [(&["--json", "-n"][..], false), (&["--json"], true)] {
        let run = prune(&fixture, &[&["--keep-last", "2"][..], more].concat());
        let document: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
        assert_eq!(document["dry_run"], !removed);
        assert_eq!(
            (&document["depth"], &document["newest"][0]),
            (&Value::from("size"), &Value::from(stamps[6].as_str()))
        );
        let points = document["points"].as_array().expect("a list");
        for (number, point) in points.iter().enumerate() {
            assert_eq!(point["name"], stamps[number]);
            match number {
                0..=2 => assert_eq!((&point["kept"], &point["removed"]), (&false.into(), &removed.into()), "{point}"),
                3 | 4 => assert_eq!(point["why"], format!("{} needs it", stamps[5]), "{point}"),
                _ => assert_eq!(point["why"], format!("last {}", 7 - number), "{point}"),
            }
        }
    }
    assert_eq!(points(&fixture.repo), stamps[3..]);
    prune(&fixture, &["--keep-last", "2"]).expect(0).prints("removed 0 of 4 points");
}

#[test]
fn the_newest_sound_point_stays_and_so_does_what_is_damaged() {
    let (fixture, stamps) = repository();
    // The newest chain is damaged, and the last point of the one before.
    for name in [format!("{}.fs", stamps[6]), format!("{}.deltafs", stamps[5])] {
        let bytes = fs::read(fixture.file(&name)).expect("a file");
        fs::write(fixture.file(&name), &bytes[..bytes.len() - 1]).expect("a shorter one");
    }
    let run = prune(&fixture, &["--keep-last", "1"]);
    run.expect(1).prints(&format!("keep    {}  damaged", stamps[6])).prints(&format!("keep    {}  last 1", stamps[4]));
    run.prints(&format!("the newest sound point is {}", stamps[4]));
    assert_eq!(points(&fixture.repo), stamps[3..]);
    // At a greater depth, more is seen.
    let name = format!("{}.deltafs", stamps[4]);
    let mut bytes = fs::read(fixture.file(&name)).expect("a file");
    bytes[40] ^= 1;
    fs::write(fixture.file(&name), bytes).expect("other bytes");
    let run = prune(&fixture, &["--keep-last", "1", "--depth", "digest", "-n"]);
    run.expect(1).prints(&format!("the newest sound point is {}", stamps[3])).prints("judged by every byte");
}

#[test]
fn without_a_sound_point_nothing_is_removed() {
    let (fixture, stamps) = repository();
    for stamp in [&stamps[0], &stamps[3], &stamps[6]] {
        fs::write(fixture.file(&format!("{stamp}.fs")), "").expect("an empty file");
    }
    let before = image(&fixture);
    let run = prune(&fixture, &["--keep-last", "1"]);
    run.expect(1).says("no point could be shown to be sound, so none is removed").prints("removed 0 of 7 points");
    assert_eq!(image(&fixture), before);
}

#[test]
fn files_of_nobody_stay_and_are_named() {
    let (fixture, stamps) = repository();
    fs::write(fixture.file("notes.txt"), "mine").expect("a file");
    // An increment that no line names, in the oldest chain: the chain stays.
    let unlisted = format!("{}.deltafs", stamps[2].replacen("-00-", "-12-", 1));
    fs::write(fixture.file(&unlisted), "what is it?").expect("a file");
    let run = prune(&fixture, &["--keep-last", "1"]);
    run.expect(0).says("left alone: notes.txt").prints(&format!("its chain has '{unlisted}'"));
    let mut wanted = stamps[..3].to_vec();
    wanted.push(stamps[6].clone());
    assert_eq!(points(&fixture.repo), wanted);
    assert!(fixture.file("notes.txt").exists() && fixture.file(&unlisted).exists());
}

#[test]
fn what_may_not_be_read_is_not_gone() {
    let (fixture, stamps) = repository();
    let closed = fixture.file(&format!("{}.fs", stamps[6]));
    let dat = fixture.file(&format!("{}.dat", stamps[6]));
    for path in [&closed, &dat] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("ours");
        let before = names_and_lengths(&fixture.repo);
        let run = as_nobody(&fixture.repo, &["prune", "--keep-last", "1"]);
        run.expect(3).says("what cannot be read may be needed, so nothing is removed");
        assert_eq!(names_and_lengths(&fixture.repo), before);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("ours");
    }
    as_nobody(&fixture.repo, &["prune", "--keep-last", "1"]).expect(0).prints("removed 6 of 7 points");
}

#[test]
fn two_at_once_and_a_backup_keep_out_of_each_others_way() {
    let (fixture, _) = repository();
    let before = image(&fixture);
    let held = disk::open(&fixture.repo, Locks::Needed).expect("the repository");
    let alone = lock::take(&held, highwater_core::formats::repozo::names::LOCK).expect("the lock is free");
    assert!(prune(&fixture, &["--keep-last", "1"]).expect(4).one_line().contains("another run is writing"));
    prune(&fixture, &["--keep-last", "1", "--dry-run"]).expect(0);
    assert_eq!(image(&fixture), before);
    drop(alone);
    let mut both: Vec<_> = (0..2)
        .map(|_| {
            let mut command = Command::new(highwater());
            command.arg("prune").arg(&fixture.repo).args(["--keep-last", "2", "-q"]).spawn().expect("a child")
        })
        .collect();
    let codes: Vec<_> = both.iter_mut().map(|child| child.wait().expect("an end").code()).collect();
    assert!(codes.iter().all(|code| [Some(0), Some(4)].contains(code)) && codes.contains(&Some(0)), "{codes:?}");
    assert_eq!(points(&fixture.repo).len(), 4);
    fixture.verify("deep").expect(0);
}

#[test]
fn groups_of_a_store_are_pruned_for_themselves() {
    let (folder, sample) = (tempfile::tempdir().expect("a scratch folder"), Sample::made());
    let store = folder.path().join("store");
    copy(&sample.store(), &store);
    let before = points(&store);
    let group = |name: &String| name.rsplit_once('/').expect("a group").0.to_owned();
    let mut groups: Vec<String> = before.iter().map(group).collect();
    groups.dedup();
    let largest = groups.iter().max_by_key(|name| before.iter().filter(|point| group(point) == **name).count());
    let largest = largest.expect("a group").clone();
    let of_largest: Vec<&String> = before.iter().filter(|point| group(point) == largest).collect();
    assert!(of_largest.len() > 1 && groups.len() > 1, "{before:?}");
    let run = |set: &str, more: &[&str]| Run::of(Command::new(highwater()).args(["prune", set]).args(more));
    let (whole, one) = (store.display().to_string(), format!("{}@{largest}", store.display()));
    for bad in [format!("{whole}@{}", of_largest[0]), format!("{whole}@{largest}/latest"), format!("{whole}@latest")] {
        run(&bad, &["--keep-last", "1"]).expect(2).says("snapshots are pruned by groups");
    }
    run(&format!("{whole}@vm/4711"), &["--keep-last", "1"]).expect(4);
    // A protected snapshot, and one with a file of nobody, stay.
    let newest = of_largest.last().expect("one").as_str();
    fs::write(store.join(of_largest[0]).join(".protected"), "").expect("a marker");
    let told = run(&one, &["--keep-last", "1", "-n"]);
    told.expect(0).prints(&format!("{}  protected", of_largest[0]));
    fs::rename(store.join(of_largest[0]).join(".protected"), store.join(of_largest[0]).join("mine.txt"))
        .expect("it is");
    run(&one, &["--keep-last", "1", "-n"]).expect(0).prints("mine.txt', which is no file of a snapshot");
    fs::remove_file(store.join(of_largest[0]).join("mine.txt")).expect("it was there");
    // A group that another holds is left alone.
    let held = disk::open(&store.join(&largest), Locks::Needed).expect("the group");
    let alone = disk::Disk::hold(&held, None).expect("locks").expect("it is free");
    run(&one, &["--keep-last", "1"]).expect(4).says("or another prune of it, is running");
    assert_eq!(points(&store), before);
    drop(alone);
    let told = run(&one, &["--keep-last", "1"]);
    told.expect(0).says("garbage collection").prints("removed").prints(newest);
    let wanted: Vec<&String> = before.iter().filter(|point| group(point) != largest || *point == newest).collect();
    assert_eq!(points(&store).iter().collect::<Vec<_>>(), wanted);
    run(&whole, &["--keep-last", "1"]).expect(0);
    assert_eq!(points(&store).len(), groups.len());
    let chunks = |store: &Path| walk(&store.join(".chunks")).len();
    assert_eq!(chunks(&store), chunks(&sample.store()), "chunks stay");
    Run::of(Command::new(highwater()).args(["verify", "--depth", "size"]).arg(&store)).expect(0);
}

#[test]
fn a_folder_of_a_store_that_may_not_be_listed_is_not_empty() {
    let (folder, sample) = (tempfile::tempdir().expect("a scratch folder"), Sample::made());
    let store = folder.path().join("store");
    copy(&sample.store(), &store);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let all = points(&store);
    for point in [&all[0], all.last().expect("one")] {
        let closed = store.join(point);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("ours");
        as_nobody(&store, &["prune", "--keep-last", "1"]).expect(3).says("nothing is removed");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).expect("ours");
        assert_eq!(points(&store), all);
    }
}

#[test]
fn stores_that_have_no_points_of_their_own_are_refused() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/leveldb");
    let run = Run::of(Command::new(highwater()).arg("prune").arg(&at).args(["--keep-last", "1"]));
    run.expect(2).says("only points of these kinds are pruned: repozo, datastore, tree");
    Run::of(Command::new(highwater()).arg("prune").arg(folder.path()).args(["--keep-last", "1"])).expect(4);
}

/// Every file below a folder but for locks, which say who had them, by its path there.
fn whole(folder: &Path) -> Image {
    let locks = |path: &std::path::PathBuf| path.ends_with(".highwater.lock");
    let files = walk(folder).into_iter().filter(|path| !locks(path) && path.is_file());
    let name = |path: &Path| path.strip_prefix(folder).expect("below").to_str().expect("text").to_owned();
    files.map(|path| (name(&path), fs::read(&path).expect("a file"))).collect()
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

fn names_and_lengths(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let lock = |path: &std::path::PathBuf| path.ends_with(".highwater.lock");
    let mut found: Vec<_> = walk(folder).into_iter().filter(|path| !lock(path)).collect();
    found.sort();
    found.into_iter().map(|path| (path.clone(), fs::metadata(path).expect("a file").len())).collect()
}

/// Runs a verb over a set as somebody whom permissions bind, and whom the set belongs to but for what is closed: this
/// user, or where this is root, one of another number.
fn as_nobody(set: &Path, words: &[&str]) -> Run {
    if !rustix::process::geteuid().is_root() {
        return Run::of(Command::new(highwater()).args(words).arg(set));
    }
    let around = set.parent().expect("a folder");
    fs::set_permissions(around, fs::Permissions::from_mode(0o755)).expect("ours");
    let binary = around.join("program");
    // Another process copies: a program that this one has open for writing cannot be run.
    assert!(Command::new("cp").arg(highwater()).arg(&binary).status().expect("cp").success());
    assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(set).status().expect("chown").success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&binary).args(words).arg(set);
    Run::of(&mut command)
}
