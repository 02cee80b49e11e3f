//! What is left of an image can be had, and what is lost is said.

use std::fs;
use std::path::{Path, PathBuf};

use highwater_tests::datastore::{Sample, copy};
use highwater_tests::repo::Fixture;
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::{Run, ours};
use highwater_tests::score::Score;
use tempfile::TempDir;

use super::{LINE, thousands};

const NOW: &str = "2030-01-01-00-00-00";
const SNAPSHOT: &str = "vm/100/2025-06-16T15:06:40Z";
const INDEX: &str = "drive-scsi0.img.fidx";

/// A store of one's own, and what a snapshot's image should be.
struct Stage {
    folder: TempDir,
    store: PathBuf,
    image: Vec<u8>,
    /// The length of a chunk, in bytes.
    chunk: usize,
    digests: Vec<[u8; 32]>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("store");
        copy(&Sample::made().store(), &store);
        let index = fs::read(store.join(SNAPSHOT).join(INDEX)).expect("an index");
        let chunk = u64::from_le_bytes(index[72..80].try_into().expect("eight bytes"));
        let digests = index[4096..].chunks_exact(32).map(|digest| digest.try_into().expect("a digest")).collect();
        let stage =
            Self { folder, store, image: Vec::new(), chunk: usize::try_from(chunk).expect("a length"), digests };
        let whole = stage.path("whole.img");
        stage.restore(SNAPSHOT, &whole, &[]).expect(0);
        let image = fs::read(whole).expect("an image");
        Self { image, ..stage }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn restore(&self, snapshot: &str, target: &Path, flags: &[&str]) -> Run {
        let from = format!("{}@{snapshot}/drive-scsi0.img", self.store.display());
        ours(NOW, &[&["restore", &from, target.to_str().expect("text")], flags].concat())
    }

    fn chunk_file(&self, at: usize) -> PathBuf {
        let hex: String = self.digests[at].iter().map(|byte| format!("{byte:02x}")).collect();
        self.store.join(".chunks").join(&hex[..4]).join(hex)
    }

    /// The image with zeros where chunks like these lie, and how many bytes that are.
    fn without(&self, chunks: &[usize]) -> (Vec<u8>, usize) {
        let (mut image, mut gone) = (self.image.clone(), 0);
        for (at, digest) in self.digests.iter().enumerate() {
            if chunks.iter().any(|chunk| self.digests[*chunk] == *digest) {
                let end = ((at + 1) * self.chunk).min(image.len());
                image[at * self.chunk..end].fill(0);
                gone += end - at * self.chunk;
            }
        }
        (image, gone)
    }

    /// Chunks that are not only zeros.
    fn full_chunks(&self) -> Vec<usize> {
        let holds = |at: &usize| self.image[at * self.chunk..].iter().take(self.chunk).any(|byte| *byte != 0);
        (0..self.digests.len()).filter(holds).collect()
    }
}

/// A way to lose a chunk, by its name.
type Way = (&'static str, &'static dyn Fn(&Path));

#[test]
fn a_snapshot_that_lost_chunks_is_restored_as_far_as_they_are_sound() {
    let mut score = Score::part(LINE, "salvage of lost chunks");
    let ways: [Way; 4] = [
        ("gone", &|path| fs::remove_file(path).expect("it goes")),
        ("empty", &|path| fs::write(path, b"").expect("it is cut")),
        ("flipped", &|path| {
            let mut bytes = fs::read(path).expect("a chunk");
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(path, bytes).expect("it is written");
        }),
        ("a folder", &|path| {
            fs::remove_file(path).expect("it goes");
            fs::create_dir(path).expect("a folder");
        }),
    ];
    for (what, way) in ways {
        let stage = Stage::new();
        let full = stage.full_chunks();
        let bad = [full[0], full[full.len() / 2]];
        bad.iter().for_each(|at| way(&stage.chunk_file(*at)));
        let target = stage.path("disk.img");
        let refused = stage.restore(SNAPSHOT, &target, &[]);
        assert!(matches!(refused.code, 1 | 3) && !target.exists(), "{what}: {}", refused.account());
        _ = fs::remove_file(stage.path("disk.img.part"));
        let run = stage.restore(SNAPSHOT, &target, &["--salvage"]);
        let (wanted, gone) = stage.without(&bad);
        run.expect(1).prints("lost: bytes ").prints(&format!("{} bytes are lost", of_image(gone, stage.image.len())));
        expect_same_bytes(&fs::read(&target).expect("an image"), &wanted, what);
        score.ran(2);
    }
    score.end();
}

/// As the program says it.
fn of_image(gone: usize, all: usize) -> String {
    format!("{} of {}", thousands(gone), thousands(all))
}

#[test]
fn what_contradicts_an_index_keeps_nothing_back() {
    let mut score = Score::part(LINE, "salvage of odd indices");
    for what in ["header sum", "moved", "no manifest", "empty manifest", "an entry", "cut"] {
        let stage = Stage::new();
        let mut snapshot = SNAPSHOT.to_owned();
        let (manifest, index) =
            (stage.store.join(SNAPSHOT).join("index.json.blob"), stage.store.join(SNAPSHOT).join(INDEX));
        let mut bytes = fs::read(&index).expect("an index");
        let mut wanted = stage.image.clone();
        match what {
            "header sum" => bytes[32] ^= 1,
            "moved" => {}
            "no manifest" => fs::remove_file(&manifest).expect("it goes"),
            "empty manifest" => fs::write(&manifest, b"").expect("it is cut"),
            "an entry" => {
                let at = stage.full_chunks()[1];
                bytes[4096 + 32 * at] ^= 1;
                let end = ((at + 1) * stage.chunk).min(wanted.len());
                wanted[at * stage.chunk..end].fill(0);
            }
            _ => {
                bytes.truncate(4096 + 32 * 2 + 5);
                wanted[2 * stage.chunk..].fill(0);
            }
        }
        fs::write(&index, bytes).expect("it is written");
        if what == "moved" {
            fs::rename(stage.store.join("vm/100"), stage.store.join("vm/555")).expect("it moves");
            snapshot = SNAPSHOT.replace("100", "555");
        }
        let target = stage.path("disk.img");
        let run = stage.restore(&snapshot, &target, &[]);
        assert!(run.code != 0 && !target.exists(), "{what}: {}", run.account());
        _ = fs::remove_file(stage.path("disk.img.part"));
        let run = stage.restore(&snapshot, &target, &["--salvage"]);
        // What contradicts it is said all the same.
        run.expect(1).says("HW");
        expect_same_bytes(&fs::read(&target).expect("an image"), &wanted, what);
        score.ran(2);
    }
    score.end();
}

#[test]
fn a_salvage_gives_nothing_up() {
    let mut score = Score::part(LINE, "salvage onto something");
    let stage = Stage::new();
    let full = stage.full_chunks();
    fs::remove_file(stage.chunk_file(full[0])).expect("it goes");
    let target = stage.path("disk.img");
    fs::write(&target, b"something").expect("a file");
    stage.restore(SNAPSHOT, &target, &["--salvage"]).expect(4).says("--full");
    assert_eq!(fs::read(&target).expect("a file"), b"something");
    // What is whole stays, and what the old one holds is taken.
    fs::write(&target, &stage.image).expect("the image");
    for flags in [&["--salvage"][..], &["--salvage", "--full"]] {
        stage.restore(SNAPSHOT, &target, flags).expect(0).prints("already");
        expect_same_bytes(&fs::read(&target).expect("the image"), &stage.image, "it is whole");
    }
    let mut spoilt = stage.image.clone();
    let last = spoilt.len() - 1;
    spoilt[last] ^= 1;
    fs::write(&target, &spoilt).expect("the image");
    stage.restore(SNAPSHOT, &target, &["--salvage", "--full"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("the image"), &stage.image, "from both");
    score.ran(4);
    // Nothing at all is left.
    let lone = stage.path("lone.img");
    for at in &full {
        _ = fs::remove_file(stage.chunk_file(*at));
    }
    fs::rename(stage.store.join(".chunks"), stage.store.join("chunks")).expect("it moves");
    fs::create_dir(stage.store.join(".chunks")).expect("a folder");
    let zeros = stage.digests.len() > full.len();
    let run = stage.restore(SNAPSHOT, &lone, &["--salvage"]);
    assert_eq!((run.code, lone.exists()), (1, zeros), "{}", run.account());
    // Standard output takes nothing back, and a database with holes is none.
    ours(NOW, &["restore", "--salvage", &format!("{}@{SNAPSHOT}/drive-scsi0.img", stage.store.display()), "-"])
        .expect(2);
    let (fixture, stamps) = Fixture::with_chain();
    let mut bytes = fs::read(fixture.file(&format!("{}.deltafs", stamps[2]))).expect("an increment");
    bytes[50] ^= 1;
    fs::write(fixture.file(&format!("{}.deltafs", stamps[2])), bytes).expect("it is written");
    let new = fixture.path("new.fs");
    fixture
        .restore("", &new, &["--salvage"])
        .expect(2)
        .says("--salvage is for a datastore")
        .says(&format!("@{}", stamps[1]));
    assert!(!new.exists());
    score.ran(3);
    score.end();
}
