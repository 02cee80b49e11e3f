//! What is old is forgotten: what goes, what stays, and that nothing fetches again what went.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Rule};

use crate::scene::{BUCKET, Scene};

/// One o'clock, UTC, of a day in November 2024, when the inventory of that day was begun; seconds since 1970.
fn one_o_clock(day: u32) -> i64 {
    1_730_422_800 + 86_400 * i64::from(day - 1)
}

impl Scene {
    /// Puts an object an hour before the inventory of a day.
    fn put_on(&self, day: u32, key: &str, body: &str) -> String {
        let version = self.put(key, body);
        self.date(day, key, &version);
        version
    }

    fn delete_on(&self, day: u32, key: &str) {
        let version = self.delete(key);
        self.date(day, key, &version);
    }

    fn date(&self, day: u32, key: &str, version: &str) {
        self.server.shelves(|shelves| {
            shelves.version(BUCKET, key.as_bytes(), version).modified = one_o_clock(day) - 3600;
        });
    }

    fn prune(&self, until: &str, more: &[&str]) -> Run {
        let mirror = self.mirror();
        let words = [&["mirror", "prune", mirror.to_str().expect("text"), "--older-than", until], more].concat();
        self.run(&words)
    }

    /// What the files of the tree hold.
    fn bodies(&self) -> BTreeSet<String> {
        self.tree().into_values().map(|(body, _)| String::from_utf8(body).expect("text")).collect()
    }

    fn status(&self) -> Run {
        self.run(&["mirror", "status", "--quick", self.mirror().to_str().expect("text")])
    }

    /// Fails unless every point that is left is shown without a request, verifies, and gives back what it had.
    #[track_caller]
    fn every_point_is_whole(&self) {
        let before = self.server.requests();
        let mirror = self.mirror();
        let mirror = mirror.to_str().expect("text");
        let listed = self.run(&["list", mirror]);
        let points: Vec<String> =
            (1..30).map(|day| format!("2024-11-{day:02}")).filter(|day| listed.text().contains(day)).collect();
        assert!(!points.is_empty(), "{}", listed.text());
        for point in points.iter().map(String::as_str).chain(["latest"]) {
            self.roll(point).expect(0);
            self.verify().expect(0);
        }
        self.run(&["mirror", "status", mirror]).expect(0);
        assert_eq!(self.server.requests(), before);
    }
}

/// Four days of a bucket, each with a key that is overwritten, and one that is deleted on the third; all synced.
fn four_days() -> Scene {
    let scene = Scene::new();
    for day in 1..5 {
        scene.put_on(day, "k", &format!("k of day {day}"));
        scene.put_on(day, &format!("in/a/folder/of/day/{day}"), &format!("day {day}"));
        if day == 1 {
            scene.put_on(day, "gone", "for three days");
            scene.put_on(day, "folder/gone", "for three days, too");
        }
        if day == 3 {
            scene.delete_on(day, "gone");
            scene.delete_on(day, "folder/gone");
        }
        scene.list(day);
        scene.sync(&[]).expect(0);
    }
    scene
}

#[test]
fn what_is_old_goes_and_nothing_fetches_it_again() {
    let scene = four_days();
    let before = scene.tree();
    let said = scene.prune("2024-11-03", &["--dry-run"]);
    said.expect(0)
        .prints("would remove k.old.")
        .prints("remove  2024-11-01T01-00Z")
        .prints("remove  2024-11-02T01-00Z")
        .prints("keep    2024-11-03T01-00Z  not older")
        .prints("keep    2024-11-04T01-00Z  the tree shows it")
        .prints("would remove 2 of 4 points, and 1 versions");
    assert_eq!(scene.tree(), before);
    let requests = scene.server.requests();
    scene.prune("2024-11-03", &[]).expect(0).prints("removed 2 of 4 points, and 1 versions of 10 bytes");
    assert_eq!(scene.server.requests(), requests, "nobody is asked");
    // The second was replaced at midnight before the third, which is no earlier than the moment.
    let mut left = before.clone();
    left.retain(|_, (body, _)| body != b"k of day 1");
    assert_eq!(scene.tree(), left);
    scene.verify().expect(0).prints("sound");
    scene.status().expect(0).prints("1 were pruned, which the bucket lists still");
    scene.every_point_is_whole();
    // Once more: nothing is left to do.
    scene.prune("2024-11-03", &[]).expect(0).prints("removed 0 of 2 points, and 0 versions");
    // Neither the same inventory nor a newer one brings it back.
    scene.server.log();
    scene.sync(&[]).expect(0).prints("already");
    scene.put_on(5, "new", "new");
    scene.list(5);
    scene.sync(&[]).expect(0).prints("1 versions fetched");
    assert_eq!(scene.server.log().iter().filter(|asked| asked.target.contains("versionId")).count(), 1);
    scene.shows_the_bucket();
    assert!(!scene.bodies().contains("k of day 1"));
    scene.verify().expect(0);
    // All that is no latest version goes, and the folder that is empty then.
    scene.prune("2030", &[]).expect(0).prints("removed 2 of 3 points, and 4 versions");
    scene.shows_the_bucket();
    assert_eq!(scene.tree().len(), scene.bucket().len());
    assert!(!scene.mirror().join("folder").exists() && scene.mirror().join("in/a/folder").exists());
    scene.every_point_is_whole();
    scene.list(6);
    scene.sync(&[]).expect(0).prints("0 versions fetched");
    scene.verify().expect(0);
}

#[test]
fn the_point_that_the_tree_shows_stays() {
    let scene = four_days();
    scene.roll("2024-11-01").expect(0);
    let shown = |scene: &Scene| -> Vec<PathBuf> {
        scene.tree().into_keys().filter(|path| !path.to_string_lossy().contains(".old.")).collect()
    };
    let before = shown(&scene);
    scene
        .prune("2024-11-06T01-00Z", &[])
        .expect(0)
        .prints("keep    2024-11-01T01-00Z  the tree shows it")
        .prints("keep    2024-11-04T01-00Z  the newest");
    assert_eq!(shown(&scene), before);
    let bodies = scene.bodies();
    assert!(bodies.contains("k of day 1") && bodies.contains("k of day 4") && bodies.contains("for three days"));
    assert!(!bodies.contains("k of day 2") && !bodies.contains("k of day 3"), "{bodies:?}");
    scene.verify().expect(0);
    scene.every_point_is_whole();
    scene.shows_the_bucket();
}

#[test]
fn a_version_that_becomes_the_latest_again_is_fetched_again() {
    let scene = Scene::new();
    scene.put_on(1, "k", "the first");
    scene.list(1);
    scene.sync(&[]).expect(0);
    let second = scene.put_on(2, "k", "the second");
    scene.list(2);
    scene.sync(&[]).expect(0);
    scene.prune("2030-01-01", &[]).expect(0).prints("1 of 2 points, and 1 versions");
    scene.server.shelves(|shelves| shelves.remove(BUCKET, b"k", &second));
    scene.list(3);
    scene.sync(&[]).expect(0).prints("1 versions fetched");
    scene.shows_the_bucket();
    assert!(scene.bodies().contains("the first"));
    scene.every_point_is_whole();
    // And gone for good with all that the bucket has.
    scene.server.shelves(|shelves| shelves.bucket(BUCKET).keys.clear());
    scene.put_on(4, "other", "other");
    scene.list(4);
    scene.sync(&[]).expect(0);
    scene.prune("2030-01-01", &[]).expect(0).prints("2 versions");
    assert_eq!(scene.bodies(), BTreeSet::from(["other".to_owned()]));
    assert!(!scene.status().text().contains("were pruned"), "nothing is listed still");
    scene.verify().expect(0);
}

#[test]
fn what_is_no_file_of_the_mirror_stays_and_is_named() {
    let scene = four_days();
    let tree = scene.tree();
    let old = |body: &str| -> PathBuf {
        let (path, _) = tree.iter().find(|(_, (bytes, _))| bytes == body.as_bytes()).expect("a file");
        scene.mirror().join(path)
    };
    let (longer, folder, gone) = (old("k of day 1"), old("k of day 2"), old("for three days"));
    fs::write(&longer, "somebody's longer file").expect("written");
    fs::remove_file(&folder).expect("removed");
    fs::create_dir(&folder).expect("a folder");
    fs::remove_file(&gone).expect("removed");
    let link = old("for three days, too");
    fs::remove_file(&link).expect("removed");
    let victim = scene.folder.path().join("victim");
    fs::write(&victim, "for three days, too").expect("written");
    std::os::unix::fs::symlink(&victim, &link).expect("a link");
    let said = scene.prune("2024-11-04", &["--json"]);
    said.expect(3).says("was to go, and stays").says("3 files were to go, and are others");
    let document: serde_json::Value = serde_json::from_str(&said.text()).expect("JSON");
    assert_eq!(
        (&document["versions"], &document["removed"], &document["left_alone"]),
        (&4.into(), &0.into(), &3.into())
    );
    assert_eq!(fs::read_to_string(&longer).expect("text"), "somebody's longer file");
    assert!(folder.is_dir() && link.is_symlink() && victim.exists());
    scene.verify();
    scene.every_point_is_whole();
}

#[test]
fn a_file_that_lay_aside_of_what_went_comes_to_its_name_with_the_next_sync() {
    let scene = Scene::new();
    scene.put_on(1, "a", "a file");
    let inner = scene.put_on(1, "a/b", "in the folder of its name");
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.server.shelves(|shelves| shelves.remove(BUCKET, b"a/b", &inner));
    scene.list(2);
    scene.sync(&[]).expect(0);
    scene.prune("2030-01-01", &[]).expect(0).prints("1 versions");
    assert_eq!(scene.tree().into_keys().collect::<Vec<_>>(), [Path::new("%hwfa")]);
    scene.verify().expect(0);
    scene.list(3);
    scene.sync(&[]).expect(0);
    assert_eq!(scene.tree().into_keys().collect::<Vec<_>>(), [Path::new("a")]);
    scene.shows_the_bucket();
    scene.verify().expect(0);
    scene.put_on(4, "a/c", "again in a folder");
    scene.list(4);
    scene.sync(&[]).expect(0);
    scene.every_point_is_whole();
}

#[test]
fn what_was_never_had_is_wanted_no_more() {
    let scene = Scene::new();
    for day in 1..4 {
        let version = scene.put_on(day, "k", &format!("k of day {day}"));
        if day < 3 {
            let denied = Fault::Status(403, "AccessDenied", Vec::new());
            scene.server.plan(Rule::next(denied).to(&version).times(99));
        }
        scene.list(day);
        scene.sync(&[]).expect(3);
    }
    let wants = || scene.status().text().matches("wanted  denied").count();
    assert_eq!(wants(), 2);
    scene.prune("2024-11-03", &["-n"]).expect(0).prints("0 versions of 0 bytes; 1 that were never had");
    assert_eq!(wants(), 2);
    scene.prune("2024-11-03", &[]).expect(0).prints("0 versions of 0 bytes; 1 that were never had");
    assert_eq!(wants(), 1);
    scene.server.log();
    let asked = || scene.server.log().iter().filter(|asked| asked.target.contains("versionId")).count();
    scene.sync(&[]).expect(3).says("1 versions could not be had");
    assert_eq!(asked(), 1);
    scene.prune("2030", &[]).expect(0).prints("1 that were never had are wanted no more");
    assert_eq!(wants(), 0);
    scene.sync(&[]).expect(0).prints("already");
    assert_eq!(asked(), 0);
    scene.verify().expect(0);
    scene.shows_the_bucket();
}

#[test]
fn without_versions_what_was_overwritten_goes_by_when_it_was() {
    let scene = Scene::new();
    scene.server.shelves(|shelves| shelves.bucket(BUCKET).versioned = false);
    for day in 1..5 {
        scene.put_on(day, "k", &format!("body {day}"));
        scene.put_on(day, "same", "the same");
        scene.list(day);
        scene.sync(&[]).expect(0);
    }
    // Until midnight before the third inventory, the second body was what a reader got.
    scene.prune("2024-11-03", &[]).expect(0).prints("removed 2 of 4 points, and 1 versions");
    assert_eq!(scene.bodies(), ["body 2", "body 3", "body 4", "the same"].map(str::to_owned).into());
    scene.every_point_is_whole();
    scene.prune("2024-11-03T00-01Z", &[]).expect(0).prints("removed 0 of 2 points, and 1 versions");
    scene.every_point_is_whole();
    scene.list(5);
    scene.sync(&[]).expect(0).prints("0 versions fetched");
    scene.verify().expect(0);
}

#[test]
fn an_age_is_by_the_calendar_and_what_is_none_is_refused() {
    let scene = four_days();
    let on = |now: &str, age: &str| {
        let mirror = scene.mirror();
        let words = ["mirror", "prune", mirror.to_str().expect("text"), "-n", "--json", "--older-than", age];
        let mut command = scene.command(&words.map(std::ffi::OsStr::new));
        let said = Run::of(command.env("HIGHWATER_NOW", now));
        said.expect(0);
        let document: serde_json::Value = serde_json::from_str(&said.text()).expect("JSON");
        document["older_than"].as_str().expect("text").to_owned()
    };
    for (age, then) in [
        ("10d", "2024-05-21T12:00:00Z"),
        ("2w", "2024-05-17T12:00:00Z"),
        ("3m", "2024-02-29T12:00:00Z"),
        ("1y", "2023-05-31T12:00:00Z"),
        ("0d", "2024-05-31T12:00:00Z"),
        ("2024-11-02", "2024-11-02T00:00:00Z"),
        ("2024-11-02T01-00Z", "2024-11-02T01:00:00Z"),
        ("2024", "2024-01-01T00:00:00Z"),
    ] {
        assert_eq!(on("2024-05-31-12-00-00", age), then, "{age}");
    }
    for bad in ["", "90", "d", "-1d", "1.5y", "90s", "2024-13-01", "latest", "99999999999999999999d", "999999y"] {
        let mirror = scene.mirror();
        let age = format!("--older-than={bad}");
        scene.run(&["mirror", "prune", mirror.to_str().expect("text"), &age]).expect(2).says("--older-than is");
    }
    scene.run(&["mirror", "prune", scene.folder.path().to_str().expect("text"), "--older-than", "1d"]).expect(4);
}

#[test]
fn a_sync_that_was_begun_comes_first() {
    let scene = four_days();
    scene.put_on(5, "new", "new");
    scene.list(5);
    scene.server.plan(Rule::next(Fault::Closed).to("/new").times(1000));
    let mut child = scene.syncing(&scene.mirror(), &["-q"]).spawn().expect("a child");
    let begun = scene.mirror().join(".highwater-mirror/plan/begun");
    while !begun.exists() {
        assert!(child.try_wait().expect("a look").is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("an end");
    scene.server.forget();
    let before = scene.tree();
    scene.prune("2030", &[]).expect(4).says("`highwater mirror sync` goes on with it");
    assert_eq!(scene.tree(), before);
    scene.sync(&[]).expect(0);
    scene.prune("2030", &[]).expect(0);
    scene.every_point_is_whole();
}
