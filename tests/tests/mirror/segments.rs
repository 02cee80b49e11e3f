//! Plan, fetch in segments, apply: on any number of workers, in any order, killed and run again at will, the mirror is
//! that of one sync.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use highwater::disk;
use highwater::mirror::Sync;
use highwater::store::Locks;
use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Recipe, Rule};
use serde_json::Value;

use crate::scene::{BUCKET, Scene, tree};

/// So many bodies that a plan has several parts.
pub(crate) const BODIES: usize = 1100;

/// A bucket, and its first inventory.
pub(crate) fn large() -> Scene {
    let scene = Scene::new();
    for number in 0..BODIES {
        scene.put(&format!("a/{}/{number:04}", number % 7), &format!("body {number}"));
    }
    scene.list(1);
    scene
}

/// Changes a third of it, and writes the next inventory; if so asked, with keys in what were files.
pub(crate) fn change(scene: &Scene, folders: bool) {
    for number in 0..BODIES {
        let key = format!("a/{}/{number:04}", number % 7);
        match number % 3 {
            0 => drop(scene.put(&key, &format!("another {number}"))),
            1 if number % 5 == 0 => drop(scene.delete(&key)),
            1 if folders => drop(scene.put(&format!("{key}/below"), "in the folder of a file")),
            _ if number % 2 == 0 => drop(scene.put(&format!("b/{number}"), &format!("new {number}"))),
            _ => {}
        }
    }
    scene.list(2);
}

fn words<'w>(verb: &'w str, mirror: &'w Path, more: &[&'w str]) -> Vec<&'w str> {
    let mut words = vec!["mirror", verb];
    if verb == "plan" {
        words.push("s3://inventories/of/archive/daily/");
    }
    words.push(mirror.to_str().expect("text"));
    words.extend(more);
    words
}

/// `highwater mirror VERB` of a mirror.
pub(crate) fn run(scene: &Scene, verb: &str, mirror: &Path, more: &[&str]) -> Run {
    scene.run(&words(verb, mirror, more))
}

/// The same, begun.
pub(crate) fn begin(scene: &Scene, verb: &str, mirror: &Path, more: &[&str]) -> Child {
    let words = words(verb, mirror, more);
    let words: Vec<_> = words.iter().map(std::ffi::OsStr::new).collect();
    let mut command = scene.command(&words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child")
}

pub(crate) fn folder(scene: &Scene, name: &str) -> PathBuf {
    let folder = scene.folder.path().join(name);
    fs::create_dir(&folder).expect("a folder");
    folder
}

/// Requests for bodies, and how often each was asked for.
fn asked(scene: &Scene) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for one in scene.server.log().into_iter().filter(|one| one.target.contains("versionId")) {
        *asked.entry(one.target).or_default() += 1;
    }
    asked
}

/// Fails unless two mirrors are the same: files, times, pointer and index; and nothing is left beside them.
#[track_caller]
pub(crate) fn same(one: &Path, other: &Path) {
    assert!(tree(one) == tree(other), "the trees differ");
    let hidden = |mirror: &Path, name: &str| fs::read(mirror.join(".highwater-mirror").join(name)).expect("a file");
    for name in ["applied", "wanted"] {
        assert!(hidden(one, name) == hidden(other, name), "'{name}' differs");
    }
    let index = |mirror: &Path| {
        let mut files = fs::read_dir(mirror.join(".highwater-mirror/index")).expect("a folder");
        fs::read(files.next().expect("an index").expect("an entry").path()).expect("a file")
    };
    assert!(index(one) == index(other), "the indices differ");
    for mirror in [one, other] {
        for empty in ["plan", "stage", "found"] {
            let left: Vec<_> = fs::read_dir(mirror.join(".highwater-mirror").join(empty)).expect("a folder").collect();
            assert!(left.is_empty(), "{}: {left:?}", mirror.display());
        }
    }
}

#[test]
fn a_plan_that_was_begun_comes_first_and_is_of_one_bucket() {
    let scene = Scene::new();
    scene.put("k", "a body");
    scene.list(1);
    let (mirror, inventories) = (folder(&scene, "parted"), "s3://inventories/of/archive/daily/");
    let plan = |inventories: &str, more: &[&str]| {
        let words = ["mirror", "plan", inventories, mirror.to_str().expect("text")];
        scene.run(&[&words[..], more].concat())
    };
    plan(inventories, &[]).expect(0).prints("planned a sync to 2024-11-01T01-00Z");
    // The next day's inventory is there when a job is run again.
    scene.list(2);
    plan(inventories, &[]).expect(0).prints("2024-11-01T01-00Z was planned already, and comes first");
    plan(inventories, &["--date", "2024-11-02"]).expect(4).says("was begun");
    plan(inventories, &["--date", "2024-11-01"]).expect(0).prints("was planned already");
    // Another bucket has an inventory of the same day.
    scene.server.shelves(|shelves| {
        shelves.bucket("other").versioned = true;
        shelves.put("other", b"k", b"another");
    });
    let other = Recipe { source: "other", prefix: "of/other/daily/", date: "2024-11-01T01-00Z", ..Recipe::default() }
        .publish(&scene.server);
    plan(&other.url, &[]).expect(4).says("of the bucket archive").says("is of other");
    run(&scene, "fetch", &mirror, &["--segment", "1/1"]).expect(0);
    run(&scene, "apply", &mirror, &[]).expect(0);
    plan(inventories, &[]).expect(0).prints("planned a sync to 2024-11-02T01-00Z");
}

#[test]
fn a_row_that_cannot_be_read_keeps_no_plan_from_being_divided() {
    let scene = Scene::new();
    scene.put("k", "a body");
    Recipe { first: vec![(0, "\"archive\",\"half a row\"\n")], ..Recipe::default() }.publish(&scene.server);
    let mirror = folder(&scene, "parted");
    run(&scene, "plan", &mirror, &["--dry-run"]).expect(3);
    run(&scene, "plan", &mirror, &[]).expect(0);
    run(&scene, "fetch", &mirror, &["--segment", "1/1"]).expect(0);
    run(&scene, "apply", &mirror, &[]).expect(3).says("cannot be read");
}

#[test]
fn a_plan_whose_steps_are_damaged_can_be_thrown_away() {
    let scene = large();
    let mirror = folder(&scene, "parted");
    run(&scene, "plan", &mirror, &[]).expect(0);
    run(&scene, "fetch", &mirror, &["--segment", "1/1"]).expect(0);
    let steps = mirror.join(".highwater-mirror/plan/steps");
    let mut bytes = fs::read(&steps).expect("the steps");
    let last = bytes.iter().rposition(|byte| *byte == b'#').expect("a seal") - 3;
    bytes[last] ^= 1;
    fs::write(&steps, bytes).expect("damaged steps");
    run(&scene, "apply", &mirror, &[]).expect(1);
    run(&scene, "discard", &mirror, &[]).expect(0);
    run(&scene, "plan", &mirror, &["--take-over"]).expect(0);
    run(&scene, "fetch", &mirror, &["--segment", "1/1"]).expect(0);
    run(&scene, "apply", &mirror, &[]).expect(0);
}

#[test]
fn segments_make_what_one_sync_makes_and_ask_for_each_body_once() {
    let scene = large();
    let (one, parted) = (folder(&scene, "one"), folder(&scene, "parted"));
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    scene.server.log();
    run(&scene, "plan", &parted, &[]).expect(0).prints("1,100 versions to fetch").prints("in 5 parts");
    run(&scene, "plan", &parted, &[]).expect(0).prints("was planned already");
    run(&scene, "fetch", &parted, &["--segment", "2/3"]).expect(0).prints("segment 2/3, 2 of 5 parts");
    let mut all = asked(&scene);
    assert_eq!(all.len(), 332, "a segment is its own parts");
    run(&scene, "fetch", &parted, &["--segment", "3/3"]).expect(0);
    run(&scene, "fetch", &parted, &["--segment", "1/3"]).expect(0);
    asked(&scene).into_iter().for_each(|(body, times)| *all.entry(body).or_default() += times);
    assert!(all.len() == BODIES && all.values().all(|times| *times == 1), "{} bodies", all.len());
    // What is done is not done again, however it is cut.
    for segment in ["1/3", "2/3", "3/3", "1/1", "7/9"] {
        run(&scene, "fetch", &parted, &["--segment", segment]).expect(0).prints("0 versions fetched");
    }
    assert!(asked(&scene).is_empty());
    run(&scene, "status", &parted, &["--quick"]).expect(3).prints("5 of 5 parts of its plan are fetched");
    run(&scene, "apply", &parted, &[]).expect(0).prints("at 2024-11-01T01-00Z");
    same(&one, &parted);
    // The next inventory: what replaces something waits in the stage.
    change(&scene, true);
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    run(&scene, "plan", &parted, &[]).expect(0);
    for segment in ["4/4", "3/4", "2/4", "1/4"] {
        run(&scene, "fetch", &parted, &["--segment", segment, "--jobs", "3"]).expect(0);
    }
    let before = scene.run(&["verify", parted.to_str().expect("text")]);
    assert!(before.code != 1, "a plan that is open harms nothing that was applied: {}", before.account());
    before.says("a plan is open");
    let applied = run(&scene, "apply", &parted, &["--json"]);
    applied.expect(0);
    let document: Value = serde_json::from_slice(&applied.stdout).expect("JSON");
    assert_eq!(document["point"], "2024-11-02T01-00Z", "{document}");
    same(&one, &parted);
    scene.run(&["verify", parted.to_str().expect("text")]).expect(0).never_says("a plan is open");
    // Late ones find nothing to do.
    run(&scene, "fetch", &parted, &["--segment", "1/4"]).expect(0).prints("no plan is open");
    run(&scene, "apply", &parted, &[]).expect(0).prints("no plan is open");
    run(&scene, "plan", &parted, &[]).expect(0).prints("is at 2024-11-02T01-00Z already");
}

#[test]
fn a_segment_that_is_missing_is_named_and_can_be_gone_without() {
    let scene = large();
    let mirror = folder(&scene, "parted");
    run(&scene, "plan", &mirror, &[]).expect(0);
    for segment in ["1/4", "3/4"] {
        run(&scene, "fetch", &mirror, &["--segment", segment]).expect(0);
    }
    let named = "2 of 5 parts of the plan were not fetched, of the segments 2/4, 4/4";
    run(&scene, "apply", &mirror, &["--segments", "4"]).expect(4).says(named);
    run(&scene, "apply", &mirror, &[]).expect(4).says("counted from 0, 1, 3:");
    run(&scene, "status", &mirror, &["--quick"]).expect(3).prints("3 of 5 parts of its plan are fetched");
    run(&scene, "apply", &mirror, &["--go-without"]).expect(3).says("512 versions could not be had");
    let status = run(&scene, "status", &mirror, &["--quick"]);
    status.expect(3).prints("its segment of the plan was not fetched");
    // The next plan has nothing but these.
    run(&scene, "plan", &mirror, &[]).expect(0).prints("512 versions to fetch");
    run(&scene, "fetch", &mirror, &[]).expect(0);
    run(&scene, "apply", &mirror, &[]).expect(0);
    let one = folder(&scene, "one");
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    assert!(tree(&one) == tree(&mirror), "the trees differ");
}

/// What a killed worker left in the stage is not taken for a body, whatever is said.
#[test]
fn what_is_gone_without_takes_nothing_half() {
    let scene = Scene::new();
    scene.put("a", "the old one");
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.put("a", "the new one");
    scene.list(2);
    run(&scene, "plan", &scene.mirror(), &[]).expect(0);
    fs::write(scene.mirror().join(".highwater-mirror/stage/0"), "the n").expect("a file");
    run(&scene, "apply", &scene.mirror(), &["--go-without"]).expect(3);
    assert!(!scene.mirror().join("a").exists());
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

#[test]
fn two_workers_with_one_segment_share_it() {
    let scene = large();
    let mirror = folder(&scene, "parted");
    run(&scene, "plan", &mirror, &[]).expect(0);
    scene.server.log();
    // The first body comes slowly, so that the other meets it.
    scene.server.plan(Rule::next(Fault::Slow(1, std::time::Duration::from_millis(40))).times(40).to("versionId"));
    let workers: Vec<Child> =
        ["1/1", "1/1", "1/2", "2/2"].map(|segment| begin(&scene, "fetch", &mirror, &["--segment", segment])).into();
    for worker in workers {
        let done = worker.wait_with_output().expect("an end");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let all = asked(&scene);
    assert!(all.len() == BODIES && all.values().all(|times| *times == 1), "{} bodies", all.len());
    run(&scene, "apply", &mirror, &[]).expect(0);
    let one = folder(&scene, "one");
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    same(&one, &mirror);
}

/// Where no locks keep them apart, neither takes the other's half.
#[test]
fn two_workers_without_locks_write_nothing_that_is_the_others() {
    let scene = Scene::new();
    scene.put("a", &"body ".repeat(20));
    scene.list(1);
    let mirror = folder(&scene, "parted");
    run(&scene, "plan", &mirror, &[]).expect(0);
    // The first one's body comes slowly, so that the other overtakes it.
    scene.server.plan(Rule::next(Fault::Slow(1, std::time::Duration::from_millis(40))).to("versionId"));
    let first = begin(&scene, "fetch", &mirror, &["--no-lock"]);
    while scene.server.left() > 0 {
        std::thread::yield_now();
    }
    run(&scene, "fetch", &mirror, &["--no-lock"]).expect(0);
    let first = first.wait_with_output().expect("an end");
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    run(&scene, "apply", &mirror, &[]).expect(0);
    let one = folder(&scene, "one");
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    same(&one, &mirror);
}

#[test]
fn whoever_fetches_keeps_everybody_else_out_and_lets_each_other_in() {
    let scene = large();
    scene.sync(&[]).expect(0);
    change(&scene, false);
    let mirror = scene.mirror();
    run(&scene, "plan", &mirror, &[]).expect(0);
    for (verb, more) in [("rollback", &["--to", "latest"][..]), ("prune", &["--older-than", "1y"])] {
        run(&scene, verb, &mirror, more).expect(4).says("a sync to 2024-11-02T01-00Z was begun");
    }
    // It waits for a body until it is killed.
    scene.server.plan(Rule::next(Fault::Stall(1)).to("versionId"));
    let mut stalled = begin(&scene, "fetch", &mirror, &["--segment", "1/2", "--jobs", "1"]);
    while scene.server.left() > 0 {
        assert!(stalled.try_wait().expect("a look").is_none(), "it ended");
        std::thread::yield_now();
    }
    let held = "segments of a plan are being fetched";
    for (verb, more) in [
        ("plan", &[][..]),
        ("apply", &[]),
        ("discard", &[]),
        ("rollback", &["--to", "latest"]),
        ("prune", &["--older-than", "1y"]),
    ] {
        run(&scene, verb, &mirror, more).expect(4).says(held);
    }
    scene.sync(&[]).expect(4).says(held);
    run(&scene, "fetch", &mirror, &["--segment", "2/2"]).expect(0);
    run(&scene, "status", &mirror, &["--quick"]).expect(3);
    stalled.kill().expect("a signal");
    stalled.wait().expect("an end");
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(0);
    let area = disk::open(&mirror, Locks::Needed).expect("a folder");
    let alone = Sync::begin(&area, false).expect("nobody has it");
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(4).says("another run has");
    drop(alone);
    run(&scene, "apply", &mirror, &[]).expect(0);
    scene.shows_the_bucket();
}

#[test]
fn a_plan_is_thrown_away_and_its_bodies_are_found_by_the_next() {
    let scene = large();
    scene.sync(&[]).expect(0);
    change(&scene, false);
    let mirror = scene.mirror();
    let before = tree(&mirror);
    run(&scene, "discard", &mirror, &[]).expect(0).prints("no plan is open");
    run(&scene, "plan", &mirror, &[]).expect(0);
    run(&scene, "fetch", &mirror, &[]).expect(0);
    run(&scene, "discard", &mirror, &[]).expect(0).prints("2024-11-02T01-00Z is gone");
    let kept = tree(&mirror);
    assert!(before.iter().all(|(path, file)| kept.get(path) == Some(file)), "what was applied is as it was");
    run(&scene, "status", &mirror, &[]).expect(0).prints("stray");
    let new = kept.len() - before.len();
    scene.list(3);
    run(&scene, "plan", &mirror, &[]).expect(0).prints("planned a sync to 2024-11-03T01-00Z");
    scene.server.log();
    run(&scene, "fetch", &mirror, &[]).expect(0).prints(&format!("{new} there already"));
    run(&scene, "apply", &mirror, &[]).expect(0);
    scene.shows_the_bucket();
    assert_eq!(fs::read_dir(mirror.join(".highwater-mirror/found")).expect("a folder").count(), 0);
    // The same of a sync, which looks only at what is in its way.
    scene.put("z/new", "to be thrown away");
    scene.list(4);
    run(&scene, "plan", &mirror, &[]).expect(0);
    run(&scene, "fetch", &mirror, &[]).expect(0);
    run(&scene, "discard", &mirror, &[]).expect(0);
    scene.sync(&[]).expect(0).never_says("held other bytes");
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

/// A plan is for versions: what became of the bucket since is said, and tried again.
#[test]
fn a_bucket_that_changed_since_is_told_of() {
    let scene = Scene::new();
    let mut gone = String::new();
    for number in 0..300 {
        let version = scene.put(&format!("k{number:03}"), &format!("body {number}"));
        if number == 7 {
            gone = version;
        }
    }
    scene.list(1);
    let mirror = scene.mirror();
    run(&scene, "plan", &mirror, &[]).expect(0);
    scene.put("k008", "newer than the plan");
    scene.server.shelves(|shelves| shelves.remove(BUCKET, b"k007", &gone));
    scene.server.plan(Rule::next(Fault::Status(403, "AccessDenied", Vec::new())).to("/k009?"));
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(3).says("2 versions could not be had");
    // A rerun asks for these alone; one of them is there again.
    scene.server.log();
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(3).says("1 versions could not be had");
    assert_eq!(asked(&scene).len(), 2);
    run(&scene, "fetch", &mirror, &["--segment", "2/2"]).expect(0);
    run(&scene, "apply", &mirror, &["--segments", "2"]).expect(3).says("1 versions could not be had");
    run(&scene, "status", &mirror, &["--quick"]).expect(3).prints("wanted  gone  k007");
    assert_eq!(fs::read_to_string(mirror.join("k008")).expect("a file"), "body 8");
    assert_eq!(fs::read_to_string(mirror.join("k009")).expect("a file"), "body 9");
}

/// Bytes that end early, or are others than recorded, are no body, in whichever segment.
#[test]
fn a_short_body_is_not_taken() {
    let scene = Scene::new();
    let version = scene.put("a", "a body of some length");
    scene.list(1);
    scene.server.shelves(|shelves| {
        let version = shelves.version(BUCKET, b"a", &version);
        // S3 recorded nothing that its bytes could be held against.
        version.encryption = "SSE-KMS";
        version.body = Some(b"a body"[..].into());
    });
    let mirror = scene.mirror();
    run(&scene, "plan", &mirror, &[]).expect(0);
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(3);
    assert!(!mirror.join("a").exists());
    run(&scene, "apply", &mirror, &[]).expect(3);
    run(&scene, "status", &mirror, &["--quick"]).expect(3).prints("it has 6 bytes, and the inventory says 21");
}

/// A plan that is not what was written is read no further than its damage.
#[test]
fn a_damaged_part_is_told_of_by_its_byte() {
    let scene = large();
    let mirror = folder(&scene, "parted");
    run(&scene, "plan", &mirror, &[]).expect(0);
    let (steps, parts) = (mirror.join(".highwater-mirror/plan/steps"), mirror.join(".highwater-mirror/plan/parts"));
    let (whole, table) = (fs::read(&steps).expect("a file"), fs::read(&parts).expect("a file"));
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    fs::write(&steps, &flipped).expect("a file");
    run(&scene, "fetch", &mirror, &["--segment", "1/2"])
        .expect(1)
        .says("plan/steps' at byte 26: the lines of this part");
    // Another segment reads nothing of that.
    run(&scene, "fetch", &mirror, &["--segment", "2/2"]).expect(0);
    fs::write(&steps, &whole).expect("a file");
    let mut flipped = table.clone();
    flipped[50] ^= 1;
    fs::write(&parts, &flipped).expect("a file");
    run(&scene, "fetch", &mirror, &["--segment", "2/2"]).expect(1).says("plan/parts' at byte 48");
    fs::write(&parts, &table[..100]).expect("a file");
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(1).says("it ends, and the plan has 5 parts");
    fs::write(&parts, &table).expect("a file");
    run(&scene, "fetch", &mirror, &["--segment", "1/2"]).expect(0);
    // What is on record of a part is believed whole, or not at all.
    let record = mirror.join(".highwater-mirror/plan/part-3");
    let mut bytes = fs::read(&record).expect("a file");
    bytes.truncate(bytes.len() - 9);
    fs::write(&record, &bytes).expect("a file");
    run(&scene, "apply", &mirror, &["--segments", "2"]).expect(4).says("1 of 5 parts").says("2/2");
    run(&scene, "fetch", &mirror, &["--segment", "2/2"]).expect(3).prints("there already").says("plan/part-3' at byte");
    run(&scene, "fetch", &mirror, &["--segment", "2/2"]).expect(0);
    run(&scene, "apply", &mirror, &[]).expect(0);
    let one = folder(&scene, "one");
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    same(&one, &mirror);
}
