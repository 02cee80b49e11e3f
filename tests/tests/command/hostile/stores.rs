//! Hostile datastores, and every verb of the binary over each: in bounded memory, without a hang, and nothing outside
//! is read or touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Crc;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use crate::hostile::stage::{is_clean, special};

/// Address space of a run, in KiB: four times what any of them has to hold.
const SPACE: u64 = 400_000;

const SNAPSHOT: &str = "vm/100/2025-06-16T15:06:40Z";
const INDEX: &str = "drive-scsi0.img.fidx";

/// Magic numbers of blobs.
const PLAIN: [u8; 8] = [0x42, 0xab, 0x38, 0x07, 0xbe, 0x83, 0x70, 0xa1];
const ZSTD: [u8; 8] = [0x31, 0xb9, 0x58, 0x42, 0x6f, 0xb6, 0xa3, 0x7f];

/// A store that somebody has prepared, and what he may not reach.
struct Stage {
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Stage {
    fn new(sample: &Sample) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let store = folder.path().join("store");
        copy(&sample.store(), &store);
        fs::create_dir(folder.path().join("outside")).expect("a folder");
        fs::write(folder.path().join("outside/victim"), "precious").expect("a file of somebody else");
        Self { folder, store }
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.store.join(SNAPSHOT).join(name)
    }

    /// Writes over some bytes of the index.
    fn patch(&self, at: usize, bytes: &[u8]) {
        let mut index = fs::read(self.at(INDEX)).expect("an index");
        index[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(self.at(INDEX), index).expect("it is written");
    }

    /// A manifest of these files.
    fn manifest(&self, files: &str) {
        let text = format!(
            r#"{{"backup-type":"vm","backup-id":"100","backup-time":1750086400,"files":[{files}],"signature":null}}"#
        );
        fs::write(self.at("index.json.blob"), blob(PLAIN, text.as_bytes())).expect("it is written");
    }

    /// A chunk of the archive.
    fn chunk(&self) -> PathBuf {
        let index = fs::read(self.at(INDEX)).expect("an index");
        let name: String = index[4096..4128].iter().map(|byte| format!("{byte:02x}")).collect();
        self.store.join(".chunks").join(&name[..4]).join(name)
    }

    fn replace_chunk(&self, make: impl FnOnce(&Path)) {
        let chunk = self.chunk();
        fs::remove_file(&chunk).expect("it was there");
        make(&chunk);
    }
}

fn blob(magic: [u8; 8], body: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(body);
    [&magic[..], &crc.sum().to_le_bytes(), body].concat()
}

type Harm = fn(&Stage);

/// What is done to the store, and how `verify` ends then: 3 says no more than that there are encrypted chunks.
const CASES: [(&str, Harm, i32); 16] = [
    ("an archive of 2^64 - 1 bytes", |stage| stage.patch(64, &u64::MAX.to_le_bytes()), 1),
    ("chunks of no bytes", |stage| stage.patch(72, &0u64.to_le_bytes()), 1),
    ("chunks of 2^63 bytes", |stage| stage.patch(72, &(1u64 << 63).to_le_bytes()), 1),
    ("chunks of three bytes", |stage| stage.patch(72, &3u64.to_le_bytes()), 1),
    (
        "a manifest of 64 MiB",
        |stage| fs::write(stage.at("index.json.blob"), blob(PLAIN, &vec![b' '; 64 << 20])).expect("it is written"),
        1,
    ),
    (
        "a manifest of brackets",
        |stage| fs::write(stage.at("index.json.blob"), blob(PLAIN, &vec![b'['; 1 << 20])).expect("it is written"),
        1,
    ),
    (
        "a manifest that is a bomb",
        |stage| fs::write(stage.at("index.json.blob"), blob(ZSTD, &bomb())).expect("it is written"),
        1,
    ),
    (
        "a chunk that is a bomb",
        |stage| stage.replace_chunk(|at| fs::write(at, blob(ZSTD, &bomb())).expect("a chunk")),
        1,
    ),
    (
        "an index outside",
        |stage| stage.manifest(r#"{"filename":"../../../../outside/victim.fidx","size":8,"csum":"00"}"#),
        1,
    ),
    ("an absolute blob", |stage| stage.manifest(r#"{"filename":"/etc/passwd.blob","size":8,"csum":"00"}"#), 1),
    (
        "names that mean harm",
        |stage| {
            for name in ["\u{1b}]0;x\u{7}", "a\u{202e}b", "c\nd: sound", "2031-01-01T00:00:00Z\u{7f}"] {
                fs::write(stage.store.join("vm/100").join(name), "x").expect("a file");
            }
        },
        3,
    ),
    (
        "namespaces too deep",
        |stage| {
            fs::create_dir_all(stage.store.join("ns/a/".repeat(40)).join("vm/1/2031-01-01T00:00:00Z")).expect("folders")
        },
        3,
    ),
    (
        "a chunk that is a link",
        |stage| stage.replace_chunk(|at| symlink(stage.outside().join("victim"), at).expect("a link")),
        3,
    ),
    ("a chunk that links to itself", |stage| stage.replace_chunk(|at| symlink(at, at).expect("a link")), 3),
    ("a chunk that is a FIFO", |stage| stage.replace_chunk(|at| assert!(special("FIFO", at), "a FIFO")), 3),
    (
        "a snapshot that is a link",
        |stage| symlink(stage.outside(), stage.store.join("vm/100/2031-01-01T00:00:00Z")).expect("a link"),
        3,
    ),
];

/// A frame that is 2 GiB out of 64 KiB: blocks of one byte, repeated.
fn bomb() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    // A block of 128 KiB of one byte each; there is never a last one.
    frame.extend([0x02, 0x00, 0x10, 0x00].repeat(16_384));
    frame
}

/// Runs the command in little address space.
fn run(arguments: &[&str]) -> Run {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {SPACE}; exec \"$@\""), "sh"]).arg(highwater()).args(arguments);
    Run::of(command.env("RAYON_NUM_THREADS", "2"))
}

/// Everything below a folder but the target, with its bytes.
fn seen(folder: &Path) -> Vec<String> {
    let listed = Run::of(Command::new("find").arg(folder).args(["-printf", "%P %y %s %m %T@ %l\n"]));
    let mut lines: Vec<String> = listed.expect(0).text().lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_hostile_store_is_called_so_and_leads_nobody_out_of_it() {
    let mut score = Score::new("hostile stores");
    let sample = Sample::made();
    for (what, harm, wanted) in CASES {
        let stage = Stage::new(&sample);
        harm(&stage);
        let (store, out) = (stage.store.display().to_string(), tempfile::tempdir().expect("a scratch folder"));
        let (target, healthy) = (out.path().join("disk").display().to_string(), sample.store().display().to_string());
        let archive = format!("{store}@{SNAPSHOT}/drive-scsi0.img");
        let before = seen(stage.folder.path());
        for arguments in [
            &["verify", &store][..],
            &["verify", "--depth", "list", &store],
            &["verify", "--depth", "size", "--json", &store],
            &["list", &store],
            &["strays", &store],
            &["restore", &archive, &target],
            &["heal", "--dry-run", &store, "--from", &healthy],
        ] {
            let run = run(arguments);
            let mut faults = Vec::new();
            if !(0..=4).contains(&run.code) || run.stderr.contains("panicked") {
                faults.push("it did not end as it should".to_owned());
            }
            if arguments.len() == 2 && arguments[0] == "verify" && run.code != wanted {
                faults.push(format!("exit {} and not {wanted}", run.code));
            }
            if !is_clean(&run.stdout) || !is_clean(run.stderr.as_bytes()) {
                faults.push("its output is not fit for a terminal".to_owned());
            }
            let all = format!("{}{}", run.text(), run.stderr);
            if all.contains("precious") || all.contains("root:x:") {
                faults.push("it tells what is outside".to_owned());
            }
            if fs::read(&target).is_ok_and(|bytes| bytes.windows(8).any(|some| some == b"precious")) {
                faults.push("it restores what is outside".to_owned());
            }
            if seen(stage.folder.path()) != before {
                faults.push("it touched something".to_owned());
            }
            score.ran(1);
            if !faults.is_empty() {
                score.fail(format!("{what}: {faults:?}\n{}", run.account()));
            }
            let _ = fs::remove_file(&target);
        }
    }
    score.end();
}

#[test]
fn a_key_file_gets_neither_memory_nor_time() {
    let sample = Sample::made();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (key, word) = (folder.path().join("key"), folder.path().join("word"));
    fs::write(&word, "correct horse\n").expect("a file");
    let store = sample.store().display().to_string();
    for (kdf, says) in [
        (r#"{"Scrypt":{"n":1099511627776,"r":8,"p":1,"salt":"AAAA"}}"#, "of memory"),
        (r#"{"PBKDF2":{"iter":4294967295,"salt":"AAAA"}}"#, "rounds"),
    ] {
        fs::write(&key, format!(r#"{{"kdf":{kdf},"data":"{}"}}"#, "AAAA".repeat(16))).expect("a file");
        let (key, word) = (key.display().to_string(), word.display().to_string());
        let run = run(&["verify", &store, "--keyfile", &key, "--passphrase-file", &word]);
        run.expect(2).says(says);
    }
}
