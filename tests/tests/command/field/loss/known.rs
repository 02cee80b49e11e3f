//! A chunk that the store has counts as known only when it is as long as its own bytes say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::formats::datastore::Fixed;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::Sample;
use highwater_tests::dice::Dice;
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

/// Bytes of which zstd makes blobs of several blocks, the first chunk; noise, of which it makes none; and zeros.
fn source() -> Vec<u8> {
    let words: Vec<u8> = Dice::new(31).bytes(1 << 20).iter().map(|byte| byte % 20 + b'a').collect();
    [words, Dice::new(32).bytes(1 << 20), vec![0; 1 << 20]].concat()
}

struct Fixture {
    folder: tempfile::TempDir,
    keyed: Vec<String>,
}

impl Fixture {
    fn new(keyed: Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::create_dir_all(folder.path().join("store/.chunks")).expect("a folder");
        fs::write(folder.path().join("store/.lock"), "").expect("a file");
        fs::write(folder.path().join("disk"), source()).expect("a source");
        Self { folder, keyed }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn backup(&self, day: u32) -> Run {
        let mut command = Command::new(highwater());
        command.arg("backup").arg(self.path("disk")).arg(format!("{}@vm/1/a.img", self.path("store").display()));
        command.args(["--chunk-size", "1m"]).args(&self.keyed);
        Run::of(command.env("HIGHWATER_NOW", format!("2026-03-{day:02}-00-00-00")))
    }

    #[track_caller]
    fn verify(&self, depth: &str, keyed: bool) -> Run {
        let mut command = Command::new(highwater());
        command.args(["verify", "--depth", depth]).arg(self.path("store"));
        Run::of(if keyed { command.args(&self.keyed) } else { &mut command })
    }

    /// The file of a chunk of the first snapshot.
    #[track_caller]
    fn chunk(&self, at: usize) -> PathBuf {
        let index = fs::read(self.path("store/vm/1/2026-03-01T00:00:00Z/a.img.fidx")).expect("an index");
        let name = Fixed::read(&index).expect("an index").digests[at].to_string();
        self.path("store/.chunks").join(&name[..4]).join(name)
    }
}

/// Each with a key and without.
fn fixtures() -> Vec<(&'static str, Fixture)> {
    let key = Sample::made().truth("key.json").display().to_string();
    vec![("open", Fixture::new(Vec::new())), ("sealed", Fixture::new(vec!["--keyfile".to_owned(), key]))]
}

/// Lengths that are not that of the file: all short ones, and some between.
fn lengths(length: usize) -> Vec<usize> {
    let mut dice = Dice::new(33);
    let between = (0..24).map(|_| usize::try_from(dice.below(length as u64)).expect("small"));
    let near = [1, 2, 3, 4, 5, 100, 4096].into_iter().map(|less: usize| length.saturating_sub(less));
    (0..60).chain(near).chain(between).chain([length + 1, length + 4096]).filter(|cut| *cut != length).collect()
}

#[track_caller]
fn set_length(path: &Path, bytes: &[u8], length: usize) {
    let mut bytes = bytes.to_vec();
    bytes.resize(length, 0);
    fs::write(path, bytes).expect("it is written");
}

#[test]
fn a_chunk_that_is_cut_or_has_grown_is_not_known_and_not_sound() {
    let mut score = Score::part(LINE, "a chunk that is cut is not known");
    for (what, fixture) in fixtures() {
        fixture.backup(1).expect(0);
        for number in 0..3 {
            let path = fixture.chunk(number);
            let bytes = fs::read(&path).expect("a chunk");
            for length in lengths(bytes.len()) {
                set_length(&path, &bytes, length);
                fixture.verify("size", true).expect(1);
                score.ran(1);
            }
            fs::write(&path, &bytes).expect("it is written");
            fixture.verify("size", true).expect(0);
            for length in [20, bytes.len() / 2, bytes.len() - 1] {
                set_length(&path, &bytes, length);
                let run = fixture.backup(2);
                run.expect(0).prints("1 chunk that the store had lost is there again");
                let healed = fs::read(&path).expect("a chunk");
                assert_eq!(healed.len(), bytes.len(), "{what}, chunk {number} of {length} bytes");
                fixture.verify("digest", true).expect(0);
                fs::remove_dir_all(fixture.path("store/vm/1/2026-03-02T00:00:00Z")).expect("it goes");
                fs::remove_dir_all(fixture.path("store/vm/1/2026-03-01T00:00:00Z")).expect("it goes");
                fixture.backup(1).expect(0).prints("0 of them new");
                score.ran(1);
            }
        }
    }
    score.end();
}

#[test]
fn without_the_key_an_encrypted_chunk_is_as_long_as_it_can_be() {
    let mut score = Score::part(LINE, "without the key a chunk is as long as it can be");
    let (_, fixture) = fixtures().pop().expect("the one with a key");
    fixture.backup(1).expect(0);
    // Noise is not compressed: then there is one possible length, with the key or without.
    let path = fixture.chunk(1);
    let bytes = fs::read(&path).expect("a chunk");
    for length in lengths(bytes.len()) {
        set_length(&path, &bytes, length);
        fixture.verify("size", false).expect(1);
        score.ran(1);
    }
    fs::write(&path, &bytes).expect("it is written");
    fixture.verify("size", false).expect(0);
    score.end();
}

#[test]
fn a_chunk_of_zeros_of_the_right_length_is_no_chunk() {
    let mut score = Score::part(LINE, "a chunk of zeros is no chunk");
    for (what, fixture) in fixtures() {
        fixture.backup(1).expect(0);
        for number in 0..2 {
            let path = fixture.chunk(number);
            let length = fs::metadata(&path).expect("a chunk").len();
            // As a power cut leaves it on some file systems.
            fs::write(&path, vec![0; usize::try_from(length).expect("small")]).expect("it is written");
            fixture.verify("size", true).expect(1).prints("its magic number is that of no blob");
            fixture.backup(2).expect(0).prints("1 chunk that the store had lost is there again");
            fs::remove_dir_all(fixture.path("store/vm/1/2026-03-02T00:00:00Z")).expect("it goes");
            assert_eq!(fs::metadata(&path).expect("a chunk").len(), length, "{what}");
            score.ran(1);
        }
    }
    score.end();
}
