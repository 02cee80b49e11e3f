//! Archives that `export` writes are unpacked by GNU tar and by bsdtar to what was backed up, entry by entry.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::sha256_of;
use highwater_core::formats::tree::names;
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};
use highwater_core::tar::{END, padding, push_member};
use highwater_tests::dice::Dice;
use highwater_tests::run::{Run, ours};
use tempfile::TempDir;

use super::tree::{TIMES, are_same, date, make, path};

const FIRST: &str = "2026-11-26-03-00-00";
const SECOND: &str = "2026-11-27-03-00-00";
const TARS: [&str; 2] = ["tar", "bsdtar"];

struct Stage {
    folder: TempDir,
}

impl Stage {
    /// A tree, and a set with a point of it.
    fn new() -> Self {
        Self::for_tar("tar")
    }

    /// The same with times that a program reads rightly: bsdtar takes a fraction before 1970 for one after the second.
    fn for_tar(tar: &str) -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a scratch folder") };
        fs::create_dir(stage.at("set")).expect("a folder");
        make(&stage.at("source"), false, if tar == "tar" { &TIMES } else { &TIMES[..5] });
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, now: &str) {
        ours(now, &[OsStr::new("backup"), self.at("source").as_ref(), self.at("set").as_ref()]).expect(0);
    }

    fn export(&self, words: &[&str]) -> Run {
        let set = self.at("set");
        let words: Vec<&OsStr> =
            [OsStr::new("export"), set.as_ref()].into_iter().chain(words.iter().map(OsStr::new)).collect();
        ours(SECOND, &words)
    }

    fn archive(&self, words: &[&str], name: &str) -> PathBuf {
        let archive = self.at(name);
        fs::write(&archive, &self.export(words).expect(0).stdout).expect("an archive");
        archive
    }

    /// The list of a point holds of a folder, to `mtree`.
    fn is_listed(&self, folder: &Path, point: &str) {
        let list = self.at("set/points").join(format!("{point}.mtree"));
        Run::of(Command::new("mtree").arg("-p").arg(folder).arg("-f").arg(list)).expect(0);
    }
}

/// bsdtar leaves the time of the top as it is, also with archives of its own.
fn date_top(tar: &str, folder: &Path, source: &Path) {
    if tar == "bsdtar" {
        let top = fs::metadata(source).expect("a folder");
        date(folder, (top.mtime(), top.mtime_nsec()));
    }
}

fn unpack(tar: &str, archive: &Path, folder: &Path) -> Run {
    fs::create_dir_all(folder).expect("a folder");
    Run::of(Command::new(tar).arg("-xpf").arg(archive).arg("-C").arg(folder))
}

/// What no plain header holds: long names of bytes and of text, long links, paths deeper than two fields.
fn make_long(root: &Path) {
    let long = |byte: u8, length: usize| vec![byte; length];
    for (name, times) in [(long(b'n', 255), 1), (long(b'\xfe', 255), 1), (long(b'd', 120), 9)] {
        let mut folder = root.join("long");
        for _ in 0..times {
            folder = path(&folder, &name);
            fs::create_dir_all(&folder).expect("a folder");
            date(&folder, (1_600_000_000, 7));
        }
        fs::write(path(&folder, &name), &name).expect("a file");
        fs::hard_link(path(&folder, &name), folder.join("again")).expect("another name");
        date(&folder, (1_600_000_000, 7));
    }
    for length in [99, 100, 101, 1000] {
        symlink(OsStr::from_bytes(&long(b't', length)), root.join(format!("long/{length}"))).expect("a link");
        symlink(OsStr::from_bytes(&long(b'\xfd', length)), root.join(format!("long/raw {length}"))).expect("a link");
    }
    let folder = root.join("read only");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("file"), Dice::new(3).bytes(1_500_000)).expect("a file");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).expect("a mode");
    date(&folder, (1_600_000_000, 8));
    // Other names sort before what is in a folder than in a list of bytes.
    fs::create_dir(root.join("order")).expect("a folder");
    fs::write(root.join("order-x"), b"one file").expect("a file");
    fs::hard_link(root.join("order-x"), root.join("order/x")).expect("another name");
    date(&root.join("order"), (1_600_000_000, 9));
    date(root, (1_600_000_000, 10));
}

#[test]
fn what_is_exported_is_unpacked_as_it_was() {
    for tar in TARS {
        let stage = Stage::for_tar(tar);
        make_long(&stage.at("source"));
        stage.back_up(FIRST);
        let archive = stage.archive(&[], "all.tar");
        assert_eq!(fs::metadata(&archive).expect("an archive").len() % 10_240, 0);
        let out = stage.at("out");
        unpack(tar, &archive, &out).expect(0);
        date_top(tar, &out, &stage.at("source"));
        are_same(&out, &stage.at("source"), tar);
        stage.is_listed(&out, "2026-11-26T03-00-00Z");
    }
}

#[test]
fn an_archive_in_a_file_is_the_same_and_nobody_elses_to_read() {
    let stage = Stage::new();
    make_long(&stage.at("source"));
    stage.back_up(FIRST);
    let archive = stage.archive(&[], "all.tar");
    let file = stage.at("file.tar");
    let run = stage.export(&["--json", "--output", file.to_str().expect("text")]);
    let told: serde_json::Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    assert_eq!(fs::read(&file).expect("an archive"), fs::read(&archive).expect("an archive"));
    assert_eq!(told["length"], fs::metadata(&file).expect("an archive").len());
    assert_eq!(fs::metadata(&file).expect("an archive").permissions().mode() & 0o7777, 0o600);
    let dry = stage.export(&["--dry-run"]).expect(0).text();
    assert!(dry.contains("  order/x\n") && dry.contains("  order-x -> order/x\n"), "{dry}");
}

#[test]
fn a_member_of_nine_gibibytes_has_its_size() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (size, mut blocks) = (9 << 30, Vec::new());
    let path = Name::new(b"big").ok();
    let meta = Meta { mode: Some(0o600), uid: Some(3_000_000_000), gid: Some(7), modified: Some((12, 5)) };
    push_member(&Node { path, kind: NodeKind::File(size), meta }, &mut blocks);
    let archive = folder.path().join("big.tar");
    fs::write(&archive, &blocks).expect("a file");
    let whole = blocks.len() as u64 + size + padding(size) as u64;
    File::options().write(true).open(&archive).and_then(|file| file.set_len(whole)).expect("a hole");
    fs::write(folder.path().join("end"), END).expect("a file");
    Run::of(Command::new("sh").arg("-c").arg("cat end >> big.tar").current_dir(folder.path())).expect(0);
    for tar in TARS {
        let run = Run::of(Command::new(tar).args(["--numeric-owner", "-tvf"]).arg(&archive));
        run.expect(0).prints("9663676416").prints("3000000000");
    }
}

/// What changes between the points.
fn change(root: &Path) {
    let at = |name: &str| root.join(name);
    fs::write(at("a b"), b"other bytes under each of its names").expect("a file");
    fs::write(at("folders/eq=ual/eq=ual"), b"eq=uaL").expect("a file");
    date(&at("folders/eq=ual/eq=ual"), (1_700_000_000, 5));
    fs::set_permissions(at("-dash"), fs::Permissions::from_mode(0o640)).expect("a mode");
    date(&at("~tilde"), (1_234_567_890, 1));
    fs::remove_file(at("...")).expect("a file");
    fs::remove_dir_all(at("folders/-dash")).expect("a folder");
    // Something else under the same name, each way.
    fs::remove_dir_all(at("folders/tab\tx")).expect("a folder");
    fs::write(at("folders/tab\tx"), b"a file where a folder was").expect("a file");
    fs::remove_dir_all(at("a/b/c")).expect("a folder");
    symlink("d", at("a/b/c")).expect("a link");
    fs::remove_file(at("..x")).expect("a file");
    fs::create_dir(at("..x")).expect("a folder");
    fs::write(at("..x/new\nline"), b"new").expect("a file");
    fs::remove_file(at("dangling")).expect("a link");
    fs::write(at("dangling"), b"").expect("a file");
    fs::remove_file(at("a/b/link 3")).expect("a link");
    symlink("elsewhere", at("a/b/link 3")).expect("a link");
    // GNU tar makes such links when all else is there.
    symlink("../outside", at("folders/eq=ual/link")).expect("a link");
    // One name leaves a file, two files become one, a name of one that stays goes.
    fs::remove_file(at("order/x")).expect("a name");
    fs::copy(at("order-x"), at("order/x")).expect("a copy");
    fs::remove_file(at("#first")).expect("a file");
    fs::hard_link(at("hash # inside"), at("#first")).expect("a name");
    fs::remove_file(at("a/again")).expect("a name");
}

#[test]
fn what_changed_brings_the_older_point_to_the_newer_one() {
    for tar in TARS {
        let stage = Stage::for_tar(tar);
        make_long(&stage.at("source"));
        stage.back_up(FIRST);
        let all = stage.archive(&[], "all.tar");
        change(&stage.at("source"));
        stage.back_up(SECOND);
        let day = stage.archive(&["--since", "2026-11-26"], "day.tar");
        let dry = stage.export(&["--since", "2026-11-26", "-n"]).expect(0).text();
        let big = fs::metadata(&day).expect("an archive").len();
        assert!(big < 200_000 && !dry.contains("read only/file"), "{big} bytes: {dry}");
        assert!(dry.find("removed folders/-dash/-dash\n") < dry.find("removed folders/-dash\n"), "{dry}");
        let out = stage.at("out");
        unpack(tar, &all, &out).expect(0);
        bring(tar, &day, &out);
        date_top(tar, &out, &stage.at("source"));
        are_same(&out, &stage.at("source"), tar);
        stage.is_listed(&out, "2026-11-27T03-00-00Z");
    }
}

#[test]
fn a_part_of_a_point_is_unpacked_as_it_was_and_brought_to_the_newer_one() {
    for (tar, part) in TARS.into_iter().flat_map(|tar| ["a", "a/b", "folders", "order"].map(|part| (tar, part))) {
        let stage = Stage::for_tar(tar);
        make_long(&stage.at("source"));
        // Of names that lead to one file, some lie outside of each part.
        stage.back_up(FIRST);
        let export = |point: &str, more: &[&str], name: &str| {
            let set = format!("{}@{point}/{part}", stage.at("set").display());
            let words = [&["export", &*set], more].concat();
            let archive = stage.at(name);
            let run = ours(SECOND, &words.iter().map(OsStr::new).collect::<Vec<_>>());
            fs::write(&archive, &run.expect(0).stdout).expect("an archive");
            archive
        };
        let (out, source) = (stage.at("out"), stage.at("source").join(part));
        unpack(tar, &export("2026-11-26", &[], "all.tar"), &out).expect(0);
        date_top(tar, &out, &source);
        are_same(&out, &source, &format!("{tar}: {part}"));
        change(&stage.at("source"));
        stage.back_up(SECOND);
        let day = export("latest", &["--since", "2026-11-26"], "day.tar");
        bring(tar, &day, &out);
        date_top(tar, &out, &source);
        are_same(&out, &source, &format!("{tar}: {part}, brought on"));
    }
    let stage = Stage::new();
    stage.back_up(FIRST);
    let set = |path: &str| format!("{}@latest{path}", stage.at("set").display());
    let run = |words: &[&str]| ours(SECOND, &words.iter().map(OsStr::new).collect::<Vec<_>>());
    // Of a file, itself, also where its first name lies elsewhere.
    fs::write(stage.at("one.tar"), &run(&["export", &set("/a/again")]).expect(0).stdout).expect("an archive");
    for tar in TARS {
        let out = stage.at(&format!("one {tar}"));
        unpack(tar, &stage.at("one.tar"), &out).expect(0);
        let read = |path: PathBuf| fs::read(path).expect("a file");
        assert!(read(out.join("again")) == read(stage.at("source/a b")), "{tar}");
        assert_eq!(fs::read_dir(out).expect("a folder").count(), 1);
    }
    run(&["export", &set("/nowhere")]).expect(4).says("there is no 'nowhere'");
    run(&["export", &set("/a"), "--since", "2026-11-26/b"]).expect(2).says("--since takes a point alone");
}

/// Brings a folder to the newer point, as the help of the command says.
fn bring(tar: &str, archive: &Path, folder: &Path) {
    let recipe = "\"$0\" -xOf \"$1\" ./.highwater-removed > \"$2.removed\" && cd \"$2\" && \
                  xargs -0 rm -fd -- < \"$2.removed\" && \"$0\" -xpf \"$1\" --exclude=./.highwater-removed";
    Run::of(Command::new("sh").arg("-ec").arg(recipe).arg(tar).args([archive, folder])).expect(0);
}

#[test]
fn nothing_new_is_an_archive_of_nothing() {
    let stage = Stage::new();
    stage.back_up(FIRST);
    stage.back_up(SECOND);
    let none = stage.archive(&["--since", "2026-11-26"], "none.tar");
    let listed = Run::of(Command::new("tar").arg("-tf").arg(none)).expect(0).text();
    assert_eq!(listed, "./.highwater-removed\n");
    let set = format!("{}@2026-11-26", stage.at("set").display());
    ours(SECOND, &["export", &set, "--since", "2026-11-27"].map(OsStr::new)).expect(2).says("an older point");
}

#[test]
fn no_damage_is_taken_for_an_archive() {
    for (name, bytes) in [("a b", b"\0what it holds".to_vec()), ("read only/file", Dice::new(3).bytes(1_500_000))] {
        let stage = Stage::new();
        make_long(&stage.at("source"));
        stage.back_up(FIRST);
        let object = stage.at("set").join(names::object(&sha256_of(&bytes)).expect("a name").to_string());
        let mut other = bytes.clone();
        *other.last_mut().expect("a byte") ^= 1;
        fs::remove_file(&object).expect("an object");
        fs::write(&object, &other).expect("another object");
        let run = stage.export(&[]);
        run.expect(1).says(&object.file_name().expect("a name").to_string_lossy()).says("the archive ends within");
        fs::write(stage.at("cut.tar"), &run.stdout).expect("what came");
        for tar in TARS {
            let out = stage.at(&format!("out-{tar}"));
            let unpacked = unpack(tar, &stage.at("cut.tar"), &out);
            assert!(unpacked.code != 0, "{name}: {tar} takes it for whole");
            let got = fs::read(path(&out, name.as_bytes())).unwrap_or_default();
            assert!(got != other, "{name}: {tar} has all of the wrong bytes");
        }
        let file = stage.at("file.tar");
        stage.export(&["--output", file.to_str().expect("text")]).expect(1);
        assert!(!file.exists(), "half an archive has no name");
        // What can be known before is: not a byte is written.
        for harm in [Some(&bytes[1..]), None] {
            fs::remove_file(&object).expect("an object");
            harm.into_iter().for_each(|harm| fs::write(&object, harm).expect("a shorter object"));
            let run = stage.export(&[]);
            assert!(run.expect(1).stdout.is_empty(), "{name}");
            fs::write(&object, &bytes).expect("the object");
        }
        stage.export(&[]).expect(0);
    }
}
