//! Backups into datastores: what is written is read by the independent reader, and what the store has lost is noticed
//! and healed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use highwater_core::formats::datastore::{Fixed, Old};
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy, report};
use highwater_tests::dice::Dice;
use highwater_tests::python;
use highwater_tests::run::Run;
use serde_json::Value;
use tempfile::TempDir;

/// The times of snapshots, one after another.
const NOW: [&str; 3] = ["2026-03-01-00-00-00", "2026-03-02-00-00-00", "2026-03-03-00-00-00"];

/// A store that was just made, and a source.
pub(crate) struct Fixture {
    folder: TempDir,
    pub(crate) store: PathBuf,
    pub(crate) source: PathBuf,
}

impl Fixture {
    /// A small source of words, zeros and noise, and a store whose chunks' folders are made as they are needed: making
    /// all of them takes a while, and one test does.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let (store, source) = (folder.path().join("store"), folder.path().join("disk.img"));
        fs::create_dir_all(store.join(".chunks")).expect("a folder");
        fs::write(store.join(".lock"), "").expect("a file");
        let mut bytes = b"words, and words again; ".repeat(10_000);
        bytes.extend_from_slice(&vec![0; 300_000]);
        bytes.extend(Dice::new(5).bytes(200_001));
        fs::write(&source, bytes).expect("it is written");
        Self { folder, store, source }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn backup_to(&self, now: &str, to: &str, more: &[&str]) -> Run {
        let mut command = Command::new(highwater());
        command.arg("backup").arg(&self.source).arg(format!("{}@{to}", self.store.display()));
        let length = if more.contains(&"--chunk-size") { &[][..] } else { &["--chunk-size", "64k"] };
        Run::of(command.args(length).args(more).env("HIGHWATER_NOW", now))
    }

    pub(crate) fn backup(&self, number: usize, more: &[&str]) -> Run {
        self.backup_to(NOW[number], "vm/100/drive-scsi0.img", more)
    }

    pub(crate) fn restore(&self, point: &str, more: &[&str]) -> Vec<u8> {
        let target = self.path("restored");
        let point = format!("{}@{point}", self.store.display());
        Run::of(Command::new(highwater()).args(["restore", "--full"]).arg(point).arg(&target).args(more)).expect(0);
        let bytes = fs::read(&target).expect("the target");
        fs::remove_file(&target).expect("it is removed");
        bytes
    }

    fn snapshot(&self, number: usize) -> PathBuf {
        let (date, time) = NOW[number].split_at(10);
        self.store.join(format!("vm/100/{date}T{}Z", time[1..].replace('-', ":")))
    }

    /// The file of a chunk of a snapshot.
    pub(crate) fn chunk(&self, number: usize, at: usize) -> PathBuf {
        self.chunk_of(number, "drive-scsi0.img", at)
    }

    /// The same of any archive.
    pub(crate) fn chunk_of(&self, number: usize, archive: &str, at: usize) -> PathBuf {
        let index = fs::read(self.snapshot(number).join(format!("{archive}.fidx"))).expect("an index");
        let name = Fixed::read(&index).expect("an index").digests[at].to_string();
        self.store.join(".chunks").join(&name[..4]).join(name)
    }

    /// Whether a snapshot is marked as failed.
    pub(crate) fn is_failed(&self, number: usize) -> bool {
        let path = self.snapshot(number);
        let blob = fs::read(path.join("index.json.blob")).expect("a manifest");
        let name = path.strip_prefix(&self.store).expect("below it").to_str().expect("text").to_owned();
        Old::read(&blob, &name).expect("a manifest").failed
    }

    pub(crate) fn is_sound(&self) {
        let (code, report) = report(&self.store, &[]);
        assert_eq!((code, report["tallies"].as_object().map(serde_json::Map::len)), (0, Some(0)), "{report:#}");
    }
}

/// What the independent reader says of a store, which must be: every snapshot sound.
pub(crate) fn is_sound_to_the_reader(store: &Path, key: Option<&Path>) -> Value {
    let read = |word: &str| -> Value {
        let run = Run::of(python::command("datastore.py").arg(word).arg(store).args(key));
        serde_json::from_str(&run.expect(0).text()).expect("JSON")
    };
    let faults = read("check");
    for (snapshot, faults) in faults.as_object().expect("a map") {
        assert_eq!(faults, &Value::Array(Vec::new()), "{snapshot}");
    }
    read("sums")
}

pub(crate) fn sum(path: &Path) -> String {
    let text = Run::of(Command::new("sha256sum").arg(path)).expect(0).text();
    text.split_whitespace().next().expect("a sum").to_owned()
}

#[test]
fn a_store_is_made_as_a_server_wants_it_and_read_by_the_independent_reader() {
    let mut fixture = Fixture::new();
    fixture.store = fixture.path("made");
    fs::create_dir(&fixture.store).expect("a folder");
    fixture.backup_to(NOW[0], "vm/100", &[]).expect(0).prints("wrote vm/100/2026-03-01T00:00:00Z/disk.img: ");
    let mode = |name: &str| fs::metadata(fixture.store.join(name)).expect("it is there").mode() & 0o7777;
    assert_eq!((mode(".chunks"), mode(".lock")), (0o750, 0o644));
    let prefixes: Vec<_> =
        fs::read_dir(fixture.store.join(".chunks")).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    assert_eq!(prefixes.len(), 65_536);
    let mut chunks = 0;
    for prefix in prefixes {
        let meta = prefix.metadata().expect("it is there");
        assert_eq!(meta.mode() & 0o7777, 0o750, "{:?}", prefix.path());
        if meta.nlink() > 2 {
            panic!("{:?} has folders in it", prefix.path());
        }
        for chunk in fs::read_dir(prefix.path()).expect("a folder") {
            let chunk = chunk.expect("an entry");
            assert_eq!(chunk.metadata().expect("it is there").mode() & 0o7777, 0o644, "{:?}", chunk.path());
            chunks += 1;
        }
    }
    assert_eq!(chunks, 9);
    assert_eq!(fs::read_to_string(fixture.store.join("vm/100/owner")).expect("an owner"), "root@pam\n");
    let sums = is_sound_to_the_reader(&fixture.store, None);
    assert_eq!(sums["vm/100/2026-03-01T00:00:00Z/disk.img.fidx"], sum(&fixture.source));
    fixture.is_sound();
}

#[test]
fn backups_with_any_key_and_size_of_chunks_go_into_any_store_and_come_back() {
    for sample in Sample::all() {
        let mut fixture = Fixture::new();
        fixture.store = fixture.path("copy");
        copy(&sample.store(), &fixture.store);
        let key = sample.truth("key.json");
        let keyed = ["--keyfile", key.to_str().expect("text")];
        fixture.backup(0, &[]).expect(0);
        fixture.backup_to(NOW[0], "ns/team/host/db1/Data.fs", &keyed).expect(0);
        let large = ["--chunk-size", "4m"];
        let run = |to: &str, more: &[&str]| {
            let to = format!("{}@{to}", fixture.store.display());
            let mut command = Command::new(highwater());
            Run::of(command.arg("backup").arg(&fixture.source).arg(to).args(more).env("HIGHWATER_NOW", NOW[1]))
        };
        run("ct/7/root.img", &large).expect(0).prints("in 1 chunks");
        let source = fs::read(&fixture.source).expect("the source");
        assert!(fixture.restore("vm/100/2026-03-01T00:00:00Z/drive-scsi0.img", &[]) == source);
        assert!(fixture.restore("ns/team/host/db1/2026-03-01T00:00:00Z/Data.fs", &keyed) == source);
        assert!(fixture.restore("ct/7/2026-03-02T00:00:00Z/root.img", &[]) == source);
        let (code, report) = report(&fixture.store, &keyed);
        assert_eq!((code, report["sets"].as_array().map(Vec::len)), (0, Some(11)), "{report:#}");
        let index =
            fs::read(fixture.store.join("ns/team/host/db1/2026-03-01T00:00:00Z/Data.fs.fidx")).expect("an index");
        let chunks = Fixed::read(&index).expect("an index").digests.into_iter().map(|digest| digest.to_string());
        let chunks: BTreeSet<String> = chunks.collect();
        let vectors = chunks
            .iter()
            .map(|name| fs::read(fixture.store.join(".chunks").join(&name[..4]).join(name)).expect("a chunk"));
        let vectors: BTreeSet<Vec<u8>> = vectors.map(|blob| blob[12..28].to_vec()).collect();
        assert_eq!((vectors.len(), chunks.len()), (9, 9), "an initialisation vector came twice");
        let sums = is_sound_to_the_reader(&fixture.store, Some(&key));
        assert_eq!(sums["ns/team/host/db1/2026-03-01T00:00:00Z/Data.fs.fidx"], sum(&fixture.source));
    }
}

#[test]
fn an_unchanged_source_stores_nothing_and_every_chunk_it_uses_is_touched() {
    let fixture = Fixture::new();
    fixture.backup(0, &[]).expect(0).prints("12 chunks, 9 of them new");
    let long_ago = SystemTime::now() - Duration::from_secs(100 * 86_400);
    let ahead = SystemTime::now() + Duration::from_secs(2 * 3600);
    let chunks: Vec<PathBuf> = (0..12).map(|at| fixture.chunk(0, at)).collect();
    for chunk in &chunks {
        let file = File::open(chunk).expect("a chunk");
        // Reading moves no time of access that lies ahead, as file systems are mounted today; setting it does.
        file.set_times(fs::FileTimes::new().set_accessed(ahead).set_modified(long_ago)).expect("its times are set");
    }
    let is_touched = |chunk: &PathBuf| {
        let used = fs::metadata(chunk).expect("a chunk").accessed().expect("a time");
        used < ahead - Duration::from_secs(3600)
    };
    fixture.backup(1, &["--dry-run"]).expect(0).prints("would write").prints("0 of them new");
    assert!(!fixture.snapshot(1).exists());
    assert!(!chunks.iter().any(is_touched), "a dry run sets no time");
    fixture.backup(1, &[]).expect(0).prints("0 of them new, 0 bytes stored");
    for chunk in &chunks {
        let changed = fs::metadata(chunk).expect("a chunk").modified().expect("a time");
        assert!(is_touched(chunk) && changed <= long_ago, "{}", chunk.display());
    }
    fixture.is_sound();
}

#[test]
fn what_the_store_has_lost_is_made_anew_and_the_snapshot_that_named_it_is_marked() {
    for (what, how) in [
        ("missing", (|chunk| fs::remove_file(chunk).expect("it is removed")) as fn(&Path)),
        ("empty", |chunk| fs::write(chunk, "").expect("it is written")),
        ("short", |chunk| fs::write(chunk, [0; 12]).expect("it is written")),
        ("long", |chunk| fs::write(chunk, vec![0; 70_000]).expect("it is written")),
    ] {
        let fixture = Fixture::new();
        fixture.backup(0, &[]).expect(0);
        how(&fixture.chunk(0, 1));
        assert!(!fixture.is_failed(0));
        let run = fixture.backup(1, &[]);
        run.expect(0).prints("1 chunk that the store had lost is there again").says("It is marked as failed");
        assert_eq!((fixture.is_failed(0), fixture.is_failed(1)), (true, false), "{what}");
        fixture.is_sound();
        is_sound_to_the_reader(&fixture.store, None);
        // What was once marked is no witness of what the store should have.
        fs::remove_dir_all(fixture.snapshot(1)).expect("it is removed");
        fs::remove_file(fixture.chunk(0, 1)).expect("it is removed");
        fixture.backup(2, &[]).expect(0).never_says("lost");
        fixture.is_sound();
    }
}

#[test]
fn a_rotten_chunk_of_the_same_size_is_found_when_its_bytes_are_asked_for() {
    let fixture = Fixture::new();
    fixture.backup(0, &[]).expect(0);
    let chunk = fixture.chunk(0, 10);
    let file = File::options().read(true).write(true).open(&chunk).expect("a chunk");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 5000).expect("a byte");
    file.write_all_at(&[byte[0] ^ 4], 5000).expect("it is written");
    // Presence is about names and sizes, and says so.
    fixture.backup(1, &[]).expect(0).prints("0 of them new");
    assert_eq!(report(&fixture.store, &[]).0, 1);
    let run = fixture.backup(2, &["--check-known", "digest"]);
    run.expect(0).prints("1 chunk that the store had lost is there again");
    assert_eq!((fixture.is_failed(1), fixture.is_failed(2)), (true, false));
    fixture.is_sound();
}

#[test]
fn one_writer_of_a_group_keeps_others_out_and_a_garbage_collection_keeps_out_all() {
    let fixture = Fixture::new();
    fixture.backup(0, &[]).expect(0);
    let group = File::open(fixture.store.join("vm/100")).expect("the group");
    group.lock().expect("it is locked");
    fixture.backup(1, &[]).expect(4).says("another backup into").says("vm/100");
    // Another group of the same store is nobody else's business.
    fixture.backup_to(NOW[1], "vm/101", &[]).expect(0);
    group.unlock().expect("it is let go of");
    let lock = File::options().read(true).write(true).open(fixture.store.join(".lock")).expect("the lock");
    lock.lock().expect("it is locked");
    fixture.backup(1, &[]).expect(4).says("garbage collection");
    lock.unlock().expect("it is let go of");
    // The other kind of lock, which a process of its own must hold.
    let script = "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f,fcntl.LOCK_EX); \
        print('held',flush=True); sys.stdin.read()";
    let mut holder = Command::new(python::interpreter());
    holder.args(["-c", script]).arg(fixture.store.join(".lock"));
    let mut holder =
        holder.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().expect("Python");
    let mut word = [0; 4];
    std::io::Read::read_exact(holder.stdout.as_mut().expect("its output"), &mut word).expect("a word");
    fixture.backup(1, &[]).expect(4).says("garbage collection");
    drop(holder.stdin.take());
    assert!(holder.wait().expect("it ends").success());
    fixture.backup(1, &[]).expect(0);
    fixture.is_sound();
}

#[test]
fn two_writers_at_once_share_their_chunks() {
    let fixture = Fixture::new();
    let runs: Vec<Run> = std::thread::scope(|scope| {
        let run = |to| {
            scope.spawn({
                let fixture = &fixture;
                move || fixture.backup_to(NOW[0], to, &[])
            })
        };
        let threads: Vec<_> = ["vm/1/a.img", "vm/2/a.img", "host/pc/a.img"].map(run).into_iter().collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    runs.iter().for_each(|run| _ = run.expect(0));
    fixture.is_sound();
    assert_eq!(is_sound_to_the_reader(&fixture.store, None).as_object().map(serde_json::Map::len), Some(3));
}

#[test]
fn what_a_killed_run_left_is_told_and_removed_by_the_next() {
    let fixture = Fixture::new();
    fixture.backup(0, &[]).expect(0);
    // Earlier versions had them in the groups.
    let left = [".highwater-snapshot.0123456789abcdef", "vm/100/.highwater-2026-03-01T12:00:00Z.0123456789abcdef"];
    let left = left.map(|name| fixture.store.join(name));
    for folder in &left {
        fs::create_dir(folder).expect("a folder");
        fs::write(folder.join("0123".repeat(16)), "half a chunk").expect("it is written");
    }
    let (code, found) = report(&fixture.store, &[]);
    assert_eq!((code, &found["tallies"]["temporary"]), (0, &2.into()), "{found:#}");
    fixture.backup(1, &[]).expect(0);
    assert_eq!(left.map(|folder| folder.exists()), [false, false]);
    fixture.is_sound();
}

#[test]
fn what_cannot_be_done_is_refused_with_what_to_do() {
    let fixture = Fixture::new();
    fixture.backup(0, &["--gzip"]).expect(2).says("--gzip is for a repozo repository").says("names a datastore");
    let odd = Run::of(Command::new(highwater()).args(["backup", "--chunk-size", "100k", "a", "b@vm/1"]));
    odd.expect(2).says("a power of two from 64K to 4M");
    let plain = |to: &Path, more: &[&str]| {
        Run::of(Command::new(highwater()).arg("backup").arg(&fixture.source).arg(to).args(more))
    };
    plain(&fixture.store, &[]).expect(2).says("STORE@vm/100/drive-scsi0.img");
    plain(&fixture.path("repo"), &["--check-known", "digest"]).expect(2).says("--check-known is for a datastore");
    let strange = fixture.path("strange");
    fs::create_dir(&strange).expect("a folder");
    fs::write(strange.join("letter.txt"), "dear").expect("it is written");
    plain(Path::new(&format!("{}@vm/1", strange.display())), &[]).expect(4).says("neither a datastore nor empty");
    assert_eq!(fs::read_dir(&strange).expect("a folder").count(), 1);
    fs::write(&fixture.source, "").expect("it is written");
    fixture.backup(0, &[]).expect(4).says("is empty");
    fs::remove_file(&fixture.source).expect("it is removed");
    fixture.backup(0, &[]).expect(3).says("cannot open");
    assert!(!fixture.store.join("vm").exists());
}

#[test]
fn an_older_image_is_brought_up_to_date_chunk_by_chunk_and_zeros_take_no_room() {
    let fixture = Fixture::new();
    fixture.backup(0, &[]).expect(0);
    let old = fs::read(&fixture.source).expect("the source");
    let mut new = old.clone();
    new[70_000..70_010].fill(b'!');
    fs::write(&fixture.source, &new).expect("it is written");
    fixture.backup(1, &[]).expect(0).prints("1 of them new");
    let target = fixture.path("disk");
    let restore = |number: usize| {
        let at = fixture.snapshot(number).strip_prefix(&fixture.store).expect("below it").display().to_string();
        let point = format!("{}@{at}/drive-scsi0.img", fixture.store.display());
        Run::of(Command::new(highwater()).arg("restore").arg(point).arg(&target))
    };
    restore(0).expect(0).prints("every chunk checked\n");
    assert!(fs::read(&target).expect("the target") == old);
    let meta = fs::metadata(&target).expect("the target");
    assert!(meta.blocks() * 512 + 200_000 < meta.len(), "{} of {} bytes", meta.blocks() * 512, meta.len());
    restore(1).expect(0).prints("64.0 KiB written");
    assert!(fs::read(&target).expect("the target") == new);
    // A target of another length keeps what it has in common.
    fs::write(&target, &new[..500_000]).expect("it is written");
    restore(1).expect(0);
    assert!(fs::read(&target).expect("the target") == new);
    // One that is the snapshot already is left alone.
    let before = fs::metadata(&target).expect("the target");
    restore(1).expect(0).prints("already");
    let after = fs::metadata(&target).expect("the target");
    assert_eq!((after.ino(), after.mtime_nsec()), (before.ino(), before.mtime_nsec()));
    // What an interrupted run left may hold anything, also where zeros belong: with an old target, and without.
    let part = fixture.path("disk.part");
    fs::write(&part, vec![0xaa; new.len()]).expect("it is written");
    fs::write(&target, &old).expect("it is written");
    restore(1).expect(0);
    assert!(fs::read(&target).expect("the target") == new);
    fs::remove_file(&target).expect("it is removed");
    fs::write(&part, vec![0xaa; new.len()]).expect("it is written");
    restore(1).expect(0);
    assert!(fs::read(&target).expect("the target") == new);
}

#[test]
fn an_old_image_is_not_given_up_in_place_for_chunks_of_impossible_lengths() {
    let fixture = Fixture::new();
    fixture.backup(0, &[]).expect(0);
    let target = fixture.path("disk");
    fs::write(&target, "the only image there is").expect("it is written");
    let point = format!("{}@vm/100/2026-03-01T00:00:00Z/drive-scsi0.img", fixture.store.display());
    let restore =
        || Run::of(Command::new(highwater()).args(["restore", "--in-place", "--full"]).arg(&point).arg(&target));
    let chunk = fixture.chunk(0, 1);
    let bytes = fs::read(&chunk).expect("its bytes");
    for wrong in [&bytes[..12], &[7; 70_000]] {
        fs::write(&chunk, wrong).expect("it is written");
        restore().expect(1).says("the old file was not given up for it");
        assert_eq!(fs::read(&target).expect("the target"), b"the only image there is");
    }
    fs::write(&chunk, bytes).expect("it is written");
    restore().expect(0);
    assert!(fs::read(&target).expect("the target") == fs::read(&fixture.source).expect("the source"));
}

#[test]
fn holes_are_read_as_zeros_and_only_holes() {
    let fixture = Fixture::new();
    let data = Dice::new(3).bytes(300_000);
    let file = File::create(&fixture.source).expect("a file");
    // A hole in the beginning, one that ends within a chunk, and one at the end.
    file.write_all_at(&data, 10_000_000).expect("it is written");
    file.write_all_at(&data[..5], 20_000_000).expect("it is written");
    file.set_len(30_000_001).expect("it is grown");
    let meta = fs::metadata(&fixture.source).expect("the source");
    assert!(meta.blocks() * 512 < 1_000_000, "this file system has no holes: {} bytes", meta.blocks() * 512);
    // Written, not left out: the same bytes.
    let whole = fs::read(&fixture.source).expect("the source");
    fixture.backup(0, &[]).expect(0);
    assert!(fixture.restore("vm/100/2026-03-01T00:00:00Z/drive-scsi0.img", &[]) == whole);
    fs::write(&fixture.source, &whole).expect("it is written");
    fixture.backup(1, &[]).expect(0).prints("0 of them new");
}
