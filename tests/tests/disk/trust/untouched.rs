//! What each verb leaves as it was: all but what it says it writes, to the owner, the permissions and the nanosecond.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use highwater_tests::datastore::copy;

use crate::trust::record::Record;
use crate::trust::stage::{GROUP, NOBODY, Stage, chunks, damage, set_mode, snapshot, stamp};

/// The minute of the clock at which everything runs.
const NOW: u64 = 30;

/// What lies beside a database or an image, and is none of a backup's or restore's business.
const BESIDE: [&str; 8] = ["lock", "index", "old", "bak", "tmp", "pack", "part.of.another", "0123.part"];

/// A folder that everything lies in.
struct World {
    stage: Stage,
}

impl World {
    #[track_caller]
    fn new() -> Self {
        let mut stage = Stage::new();
        let (source, image) = (stage.fixture.source.clone(), stage.path("disk.img"));
        let standby = stage.path("standby");
        fs::create_dir_all(standby.join("folder")).expect("folders");
        fs::write(standby.join("folder/note"), "a note").expect("a file");
        let first = fs::read(stage.file(0, "fs")).expect("a full backup");
        for name in ["Data.fs", "disk.img"] {
            fs::write(standby.join(name), if name == "Data.fs" { &first[..] } else { &stage.image[..100] })
                .expect("a file");
            set_mode(&standby.join(name), 0o640);
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(standby.join(name), Some(NOBODY), Some(NOBODY)).expect("it is given away");
            }
        }
        let targets = [source, image, standby.join("Data.fs"), standby.join("disk.img"), standby.join("new")];
        for (target, end) in targets.iter().flat_map(|target| BESIDE.map(|end| (target, end))) {
            let path = format!("{}.{end}", target.display());
            fs::write(&path, format!("what lies beside: {end}")).expect("a file");
            set_mode(Path::new(&path), 0o604);
        }
        stage.store("store");
        copy(&stage.path("store"), &stage.path("good store"));
        copy(&stage.fixture.repo, &stage.path("good repo"));
        for place in ["repo", "store", "store/vm", "store/.chunks"] {
            fs::write(stage.path(place).join("a note"), "a note").expect("a file");
        }
        stage.fixture.grow(2);
        Self { stage }
    }

    /// Runs a command in the folder; of all that lies there, exactly what is named changes, comes or goes.
    #[track_caller]
    fn changes(&self, words: &[OsString], code: i32, wanted: &[String]) {
        let root = self.stage.path("");
        let before = Record::of(&root);
        let mut command = self.stage.command(&[]);
        let run = self.stage.run(command.args(words).current_dir(&root).env("HIGHWATER_NOW", stamp(NOW)));
        run.expect(code);
        let changed = before.changed(&Record::of(&root), &root);
        let wanted: BTreeSet<String> = wanted.iter().cloned().collect();
        assert_eq!(changed, wanted, "{}", run.account());
    }

    /// A run that only says what it would do changes nothing; after it, the run itself changes what is named.
    #[track_caller]
    fn changes_when_not_dry(&self, line: &str, wanted: &[&str]) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let dry: Vec<OsString> =
            words[..1].iter().cloned().chain(["--dry-run".into()]).chain(words[1..].iter().cloned()).collect();
        self.changes(&dry, 0, &[]);
        self.changes(&words, 0, &self.named(wanted));
    }

    /// Names, in which `NOW` and `FIRST` and so on are stamps.
    fn named(&self, names: &[&str]) -> Vec<String> {
        let stamps = [("NOW", stamp(NOW)), ("FIRST", self.stage.stamps[0].clone())];
        let named =
            |name: &&str| stamps.iter().fold((*name).to_owned(), |name, (word, stamp)| name.replace(word, stamp));
        names.iter().map(named).collect()
    }
}

fn said(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[test]
fn a_backup_changes_nothing_but_its_repository() {
    let increment = ["repo", "repo/.highwater.lock", "repo/FIRST.dat", "repo/NOW.deltafs", "repo/NOW.index"];
    let full = ["repo", "repo/.highwater.lock", "repo/NOW.dat", "repo/NOW.fs", "repo/NOW.index"];
    let compressed = ["repo", "repo/.highwater.lock", "repo/FIRST.dat", "repo/NOW.deltafsz", "repo/NOW.index"];
    World::new().changes_when_not_dry("backup Data.fs repo", &increment);
    World::new().changes_when_not_dry("backup --quick Data.fs repo", &increment);
    World::new().changes_when_not_dry("backup --gzip Data.fs repo", &compressed);
    World::new().changes_when_not_dry("backup --full Data.fs repo", &full);
    let world = World::new();
    let old = ["dat", "fs", "index"].map(|end| format!("repo/FIRST.{end}"));
    let later =
        world.stage.stamps[1..].iter().flat_map(|stamp| ["deltafs", "index"].map(|end| format!("repo/{stamp}.{end}")));
    let all: Vec<String> = full.map(str::to_owned).into_iter().chain(old).chain(later).collect();
    world.changes_when_not_dry(
        "backup --full --kill-old Data.fs repo",
        &all.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    for (line, wanted) in [
        ("repozo -B -f Data.fs -r repo", &increment),
        ("repozo -B -F -f Data.fs -r repo", &full),
        ("repozo -BQz -f Data.fs -r repo", &compressed),
    ] {
        let world = World::new();
        world.changes(&said(line), 0, &world.named(wanted));
        // Nothing is new: only the lock says who was there.
        world.changes(&said("repozo -B -f Data.fs -r repo"), 0, &world.named(&["repo/.highwater.lock"]));
    }
}

#[test]
fn a_backup_changes_nothing_of_a_store_but_its_group_and_new_chunks() {
    let world = World::new();
    let time = format!("2026-03-02T00:{NOW:02}:00Z");
    let snapshot = format!("store/{GROUP}/{time}");
    let of_snapshot = [String::new(), "/disk.img.fidx".to_owned(), "/index.json.blob".to_owned()];
    let mut wanted: Vec<String> = of_snapshot.map(|name| format!("{snapshot}{name}")).into();
    // The hidden folder comes and goes in the root.
    wanted.extend([format!("store/{GROUP}"), "store".to_owned()]);
    let line = format!("backup --chunk-size=64K disk.img store@{GROUP}/disk.img");
    world.changes_when_not_dry(&line, &wanted.iter().map(String::as_str).collect::<Vec<_>>());

    // Chunks that the store has not.
    let world = World::new();
    let mut image = world.stage.image.clone();
    image[70_000] ^= 1;
    fs::write(world.stage.path("disk.img"), image).expect("another image");
    let root = world.stage.path("");
    let before: BTreeSet<_> = chunks_of(&world);
    world.changes(&said(&line.replace("backup", "backup --dry-run")), 0, &[]);
    let record = Record::of(&root);
    let mut command = world.stage.command(&[]);
    let run = world.stage.run(command.args(said(&line)).current_dir(&root).env("HIGHWATER_NOW", stamp(NOW)));
    run.expect(0);
    let new: Vec<String> = chunks_of(&world).difference(&before).cloned().collect();
    assert_eq!(new.len(), 1, "{}", run.account());
    let folder = Path::new(&new[0]).parent().expect("a folder").display().to_string();
    wanted.extend([new[0].clone(), folder, "store/.chunks".to_owned()]);
    assert_eq!(record.changed(&Record::of(&root), &root), wanted.into_iter().collect(), "{}", run.account());
}

/// The chunks of the store, by their paths in the world.
fn chunks_of(world: &World) -> BTreeSet<String> {
    let store = world.stage.path("store");
    let found = chunks(&store);
    let root = world.stage.path("");
    found.iter().map(|chunk| chunk.strip_prefix(&root).expect("below").display().to_string()).collect()
}

#[test]
fn a_restore_changes_nothing_but_the_database_and_its_index() {
    let target = ["standby", "standby/Data.fs", "standby/Data.fs.index"];
    let new = ["standby", "standby/new", "standby/new.index"];
    for flags in ["", "--quick ", "--full ", "--in-place ", "--in-place --full "] {
        World::new().changes_when_not_dry(&format!("restore {flags}repo standby/Data.fs"), &target);
        World::new().changes_when_not_dry(&format!("restore {flags}repo standby/new"), &new);
    }
    let world = World::new();
    let mut line = format!("restore repo@{} standby/Data.fs", world.stage.stamps[1]);
    fs::write(world.stage.path("standby/Data.fs"), newest(&world)).expect("a standby");
    world.changes_when_not_dry(&line, &target);
    // It is there: the index is put there again, and nothing else is written.
    line = line.replace("restore", "restore --quick");
    world.changes_when_not_dry(&line, &["standby", "standby/Data.fs.index"]);
    for (line, wanted) in [
        ("repozo -R -r repo -o standby/Data.fs", &target),
        ("repozo -R -F -r repo -o standby/Data.fs", &target),
        ("repozo -R -r repo -o standby/new", &new),
    ] {
        let world = World::new();
        world.changes(&said(line), 0, &world.named(wanted));
    }
}

/// What the newest point of the repository holds.
fn newest(world: &World) -> Vec<u8> {
    let run = world.stage.run(world.stage.command(&["restore"]).arg(&world.stage.fixture.repo).arg("-"));
    run.expect(0).stdout.clone()
}

#[test]
fn a_restore_changes_nothing_but_the_image() {
    for flags in ["", "--full ", "--in-place "] {
        for (name, wanted) in [("disk.img", ["standby", "standby/disk.img"]), ("new", ["standby", "standby/new"])] {
            let world = World::new();
            let store = world.stage.path("store");
            let from = snapshot(&store).strip_prefix(&store).expect("below").display().to_string();
            world.changes_when_not_dry(&format!("restore {flags}store@{from}/disk.img standby/{name}"), &wanted);
        }
    }
}

#[test]
fn a_heal_changes_nothing_but_what_was_damaged() {
    let world = World::new();
    let repo = world.stage.fixture.repo.clone();
    damage(&repo.join(format!("{}.fs", world.stage.stamps[0])));
    let dry: Vec<OsString> = ["heal", "--dry-run", "repo", "--from", "good repo"].map(OsString::from).into();
    world.changes(&dry, 0, &[]);
    let heal: Vec<OsString> = ["heal", "repo", "--from", "good repo"].map(OsString::from).into();
    world.changes(&heal, 0, &world.named(&["repo", "repo/.highwater.lock", "repo/FIRST.fs"]));

    let (store, good) = (world.stage.path("store"), world.stage.path("good store"));
    let chunk = chunks(&good)[2].strip_prefix(&good).expect("below").to_owned();
    damage(&store.join(&chunk));
    let dry: Vec<OsString> = ["heal", "--dry-run", "store", "--from", "good store"].map(OsString::from).into();
    let heal: Vec<OsString> = ["heal", "store", "--from", "good store"].map(OsString::from).into();
    world.changes(&dry, 0, &[]);
    let chunk = Path::new("store").join(chunk);
    let folder = chunk.parent().expect("a folder").display().to_string();
    world.changes(&heal, 0, &[chunk.display().to_string(), folder]);
    // There is nothing to heal.
    world.changes(&heal, 0, &[]);
}

#[test]
fn marks_are_the_only_thing_that_marking_writes() {
    let mut world = World::new();
    world.stage.fixture.data.grow_large(5);
    world.stage.fixture.grow(1);
    world
        .stage
        .run(
            world
                .stage
                .command(&["backup", "--full"])
                .args([&world.stage.fixture.source, &world.stage.fixture.repo])
                .env("HIGHWATER_NOW", stamp(1)),
        )
        .expect(0);
    let marks = format!("repo/{}.fs.marks", stamp(1));
    fs::remove_file(world.stage.path(&marks)).expect("a backup marks what it writes");
    let wanted = ["repo".to_owned(), "repo/.highwater.lock".to_owned(), marks];
    world.changes_when_not_dry("mark repo", &wanted.iter().map(String::as_str).collect::<Vec<_>>());
    world.changes_when_not_dry("mark repo", &["repo/.highwater.lock"]);
}

#[test]
fn whoever_only_reads_changes_nothing() {
    let world = World::new();
    let point = format!("repo@{}", world.stage.stamps[0]);
    for line in [
        "verify repo",
        "verify --depth=deep repo",
        "verify --mmap store",
        "list repo",
        "list store",
        "show repo",
        "strays store",
        "restore repo -",
        "repozo -V -r repo",
        "repozo -V -Q -r repo",
        "repozo -R -r repo",
        &format!("show {point}"),
    ] {
        world.changes(&said(line), 0, &[]);
    }
    world.changes(&said("verify --json=report repo"), 0, &world.named(&["", "report"]));
}
