//! What `heal` may claim, what a server set aside, and folders of chunks that are none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

struct Stores {
    _folder: tempfile::TempDir,
    store: PathBuf,
    other: PathBuf,
    key: String,
}

impl Stores {
    fn new() -> Self {
        let (sample, folder) = (Sample::made(), tempfile::tempdir().expect("a scratch folder"));
        let (store, other) = (folder.path().join("store"), folder.path().join("other"));
        copy(&sample.store(), &store);
        copy(&sample.store(), &other);
        Self { _folder: folder, store, other, key: sample.truth("key.json").display().to_string() }
    }

    #[track_caller]
    fn run(&self, verb: &str, more: &[&str]) -> Run {
        let mut command = Command::new(highwater());
        command.arg(verb).arg(&self.store).args(more);
        Run::of(if verb == "heal" { command.arg("--from").arg(&self.other) } else { &mut command })
    }

    /// The chunks whose files begin as these blobs do, in the order of their names.
    fn chunks(&self, sealed: bool) -> Vec<PathBuf> {
        let within = |folder: &Path| {
            let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
            entries.collect::<Vec<_>>()
        };
        let mut all: Vec<PathBuf> =
            within(&self.store.join(".chunks")).iter().flat_map(|folder| within(folder)).collect();
        all.sort();
        let is = |chunk: &PathBuf| matches!(fs::read(chunk).expect("a chunk")[0], 0x7b | 0xe6) == sealed;
        all.into_iter().filter(is).collect()
    }
}

fn aside(chunk: &Path, number: u32) -> PathBuf {
    PathBuf::from(format!("{}.{number}.bad", chunk.display()))
}

#[test]
fn without_a_key_all_that_could_be_judged_is_healed_and_that_is_said() {
    let mut score = Score::part(LINE, "heal without a key");
    let stores = Stores::new();
    let chunk = &stores.chunks(false)[0];
    let bytes = fs::read(chunk).expect("a chunk");
    fs::write(chunk, &bytes[..bytes.len() - 1]).expect("it is cut");
    stores.run("heal", &["--dry-run"]).expect(0).never_says("all else is whole");
    let run = stores.run("heal", &[]);
    run.expect(0).prints("objects healed: 1; left as they are: 0").says("all else is whole; of ");
    run.says("encrypted objects only the checksums were judged: --keyfile judges their bytes").never_says("HW204");
    assert!(fs::read(chunk).expect("a chunk") == bytes);
    // With the key there is nothing to add; with a broken index it is not whole all the same.
    let keyed = stores.run("heal", &["--keyfile", &stores.key]);
    keyed.expect(0).never_says("encrypted objects");
    let sealed = &stores.chunks(true)[0];
    fs::remove_file(sealed).expect("it is removed");
    stores.run("heal", &[]).expect(1).says("cannot be healed").never_says("all else is whole");
    score.ran(4);
    score.end();
}

#[test]
fn a_chunk_that_a_server_set_aside_is_named_and_taken_back_if_it_is_good() {
    let mut score = Score::part(LINE, "a chunk that a server set aside");
    for sealed in [false, true] {
        for (good, number) in [(true, 0), (true, 3), (false, 0)] {
            let stores = Stores::new();
            let chunk = &stores.chunks(sealed)[1];
            let bytes = fs::read(chunk).expect("a chunk");
            let bad = aside(chunk, number);
            fs::rename(chunk, &bad).expect("it is set aside");
            if !good {
                let mut worse = bytes.clone();
                *worse.last_mut().expect("bytes") ^= 1;
                fs::write(&bad, worse).expect("it is written");
            }
            let name = bad.strip_prefix(&stores.store).expect("below").display().to_string();
            let verify = stores.run("verify", &["--keyfile", &stores.key]);
            verify.expect(1);
            if number == 0 {
                verify.prints(&format!("verification set '{name}' aside"));
            }
            // The other store has nothing to give.
            fs::remove_dir_all(stores.other.join(".chunks")).expect("it goes");
            fs::create_dir(stores.other.join(".chunks")).expect("a folder");
            let heal = stores.run("heal", &["--keyfile", &stores.key]);
            heal.expect(i32::from(!good));
            if good {
                heal.says(&format!("'{name}', which a server had set aside, is good"));
                assert!(fs::read(chunk).expect("a chunk") == bytes);
                stores.run("verify", &["--keyfile", &stores.key]).expect(0);
            } else {
                assert!(!chunk.exists());
            }
            assert!(bad.exists(), "it is left to the server");
            score.ran(1);
        }
    }
    // Without its key, an encrypted one is not judged, and not taken back.
    let stores = Stores::new();
    let chunk = &stores.chunks(true)[1];
    fs::rename(chunk, aside(chunk, 0)).expect("it is set aside");
    stores.run("heal", &[]).expect(1).says("cannot be healed");
    assert!(!chunk.exists());
    score.ran(1);
    score.end();
}

#[test]
fn a_folder_of_chunks_that_is_a_file_or_gone_is_said_with_the_next_step() {
    let mut score = Score::part(LINE, "a folder of chunks that is a file or gone");
    let stores = Stores::new();
    let folder = stores.chunks(false)[0].parent().expect("a folder").to_owned();
    fs::remove_dir_all(&folder).expect("it is removed");
    fs::write(&folder, "").expect("a file");
    let name = format!("'{}'", folder.strip_prefix(&stores.store).expect("below").display());
    let keyed = ["--keyfile", &stores.key];
    for depth in ["list", "size", "digest"] {
        let run = stores.run("verify", &["--depth", depth, keyed[0], keyed[1]]);
        run.expect(1).prints(&format!("{name} is a file where a folder of chunks should be: move it away"));
        score.ran(1);
    }
    let run = stores.run("heal", &keyed);
    run.expect(1).says(&format!("{name} is a file here, where a folder should be: move it away, and heal again"));
    fs::remove_file(&folder).expect("it is moved away");
    stores.run("heal", &keyed).expect(0);
    stores.run("verify", &keyed).expect(0);
    // All of them.
    fs::rename(stores.store.join(".chunks"), stores.store.parent().expect("one").join("chunks")).expect("it is moved");
    stores
        .run("verify", &keyed)
        .expect(1)
        .prints("the folder of all chunks is not there; see that its disk is mounted");
    let run = stores.run("heal", &keyed);
    run.expect(4).says("the folder of all chunks, is not there: mount it, or make it (mkdir), then heal").one_line();
    fs::create_dir(stores.store.join(".chunks")).expect("a folder");
    stores.run("heal", &keyed).expect(0);
    stores.run("verify", &keyed).expect(0);
    score.ran(5);
    score.end();
}
