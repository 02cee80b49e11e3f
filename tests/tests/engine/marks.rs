//! Marks on the real binary: made by backups and by `mark`, used by verify and restore, harmless when they are wrong.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use highwater_core::digest::md5_of;
use highwater_tests::binary::highwater;
use highwater_tests::dice::Dice;
use highwater_tests::python::original;
use highwater_tests::repo::Fixture;
use highwater_tests::run::{Run, ours};
use serde_json::Value;

/// Bytes from mark to mark.
const DISTANCE: u64 = 4 << 20;

/// A repository with one full backup of 10 MiB and an increment of some bytes.
fn fixture(flags: &[&str]) -> (Fixture, String) {
    let mut fixture = Fixture::new();
    fixture.data.grow_large(40);
    fixture.grow(1);
    let stem = fixture.backup(flags);
    fixture.grow(2);
    fixture.backup(flags);
    let ending = if flags.contains(&"--gzip") { "fsz" } else { "fs" };
    (fixture, format!("{stem}.{ending}"))
}

fn verify(repository: &Path, flags: &[&str], without: &str) -> Run {
    let mut arguments: Vec<&OsStr> = vec!["verify".as_ref(), "--json".as_ref()];
    arguments.extend(flags.iter().map(OsStr::new));
    arguments.push(repository.as_os_str());
    Run::of(Command::new(highwater()).env("HIGHWATER_WITHOUT", without).args(arguments))
}

fn report(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.account()))
}

/// A report without what marks may change: how much was checked by them, and the place they name.
fn without_marks(run: &Run) -> Value {
    let mut report = report(run);
    let forget = |coverage: &mut Value| drop(coverage.as_object_mut().map(|fields| fields.remove("marked")));
    forget(&mut report["coverage"]);
    report["roots"].as_array_mut().into_iter().flatten().for_each(|root| forget(&mut root["coverage"]));
    for finding in report["findings"].as_array_mut().into_iter().flatten() {
        let message = finding["message"].as_str().expect("a message");
        let message = message.split("; its marks place").next().expect("a sentence").to_owned();
        if message != finding["message"] {
            finding["offset"] = Value::Null;
        }
        finding["message"] = Value::String(message);
    }
    report
}

/// Expects success and these words in the result.
#[track_caller]
fn said(run: &Run, words: &str) {
    assert!(run.expect(0).text().contains(words), "{}", run.account());
}

fn marked(run: &Run) -> u64 {
    report(run)["coverage"]["marked"].as_u64().unwrap_or(0)
}

#[test]
fn a_backup_is_marked_and_verified_by_its_marks_and_the_original_passes_them_over() {
    for flags in [&[][..], &["--gzip"]] {
        let (mut fixture, full) = fixture(flags);
        let length = original_length(&fixture);
        let marks = fs::metadata(fixture.file(&format!("{full}.marks"))).expect("marks");
        assert_eq!(marks.len(), 8 + 2 + 8 + 16 + 16 * ((length - 1) / DISTANCE), "{flags:?}");
        let run = verify(&fixture.repo, &[], "");
        run.expect(0);
        assert_eq!(marked(&run), length, "{}", run.account());
        let text = ours(&fixture.clock.stamp(), &["verify".as_ref(), fixture.repo.as_os_str()]).expect(0).text();
        assert!(text.contains("by its marks"), "{text}");

        let out = fixture.path("original.fs");
        let restore: [&OsStr; 5] =
            ["-R".as_ref(), "-r".as_ref(), fixture.repo.as_os_str(), "-o".as_ref(), out.as_os_str()];
        original(&fixture.clock.stamp(), &restore).expect(0);
        assert!(fs::read(&out).expect("restored bytes") == fixture.data.bytes);
        original(&fixture.clock.stamp(), &["-V".as_ref(), "-r".as_ref(), fixture.repo.as_os_str()]).expect(0);
        fixture.grow(1);
        let stamp = fixture.clock.tick(60);
        let backup: [&OsStr; 5] =
            ["-B".as_ref(), "-r".as_ref(), fixture.repo.as_os_str(), "-f".as_ref(), fixture.source.as_os_str()];
        original(&stamp, &backup).expect(0);
        assert_eq!(marked(&verify(&fixture.repo, &[], "")), length);
    }
}

/// How long the full backup is, decompressed.
fn original_length(fixture: &Fixture) -> u64 {
    let run = verify(&fixture.repo, &["--depth", "list"], "");
    report(&run)["sets"][0]["bytes"].as_u64().expect("a length")
}

#[test]
fn damage_is_the_same_with_marks_and_without_and_is_placed() {
    for flags in [&[][..], &["--gzip"]] {
        let (fixture, full) = fixture(flags);
        let (file, marks) = (fixture.file(&full), fixture.file(&format!("{full}.marks")));
        let (sound, kept) = (fs::read(&file).expect("the backup"), fs::read(&marks).expect("its marks"));
        let plain = flags.is_empty();
        let mut dice = Dice::new(7);
        let mut at = |upto: usize| usize::try_from(dice.below(upto as u64)).expect("a place");
        let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
        for _ in 0..12 {
            let (place, mut bytes) = (at(sound.len()), sound.clone());
            bytes[place] ^= 1 << at(8);
            cases.push((format!("flip {place}"), bytes));
        }
        for place in [0, 1, 4 << 20, (4 << 20) + 1, sound.len() - 1] {
            cases.push((format!("cut {place}"), sound[..place.min(sound.len() - 1)].to_vec()));
        }
        cases.push(("grown".to_owned(), [&sound[..], b"x"].concat()));
        cases.push(("zeros follow".to_owned(), [&sound[..], &[0; 600]].concat()));
        let (mut two, last) = (sound.clone(), sound.len() - 5);
        two[5] ^= 1;
        two[last] ^= 1;
        cases.push(("two places".to_owned(), two));
        for (what, bytes) in cases {
            fs::write(&file, &bytes).expect("a damaged backup");
            fs::write(&marks, &kept).expect("marks");
            let with = verify(&fixture.repo, &[], "");
            fs::remove_file(&marks).expect("no marks");
            let without = verify(&fixture.repo, &[], "");
            assert_eq!(without_marks(&with), without_marks(&without), "{what} {flags:?}");
            assert_eq!(with.code, without.code, "{what} {flags:?}");
            let harmless = !plain && (what == "zeros follow" || with.code == 0);
            assert!(with.code == 1 || harmless, "{what}: {}", with.account());
            let flipped = what.strip_prefix("flip ").and_then(|place| place.parse::<u64>().ok());
            if let (true, Some(place)) = (plain, flipped) {
                assert_eq!(report(&with)["findings"][0]["offset"], place / DISTANCE * DISTANCE, "{}", with.account());
            }
        }
    }
}

#[test]
fn zeros_between_members_are_damage_with_marks_as_without() {
    let (fixture, full) = fixture(&["--gzip"]);
    let (file, marks) = (fixture.file(&full), fixture.file(&format!("{full}.marks")));
    let mut bytes = fs::read(&file).expect("the backup");
    // What a member's header says of its length: at its 16th byte.
    let stored = |bytes: &[u8], at: usize| u32::from_le_bytes(*bytes[at + 16..].first_chunk().expect("a header"));
    let second = stored(&bytes, 0) as usize;
    let length = stored(&bytes, second);
    // The second of 2 MiB ends at the first mark. Zeros follow that it counts as its own.
    let border = second + length as usize;
    bytes[second + 16..second + 20].copy_from_slice(&(length + 512).to_le_bytes());
    bytes.splice(border..border, [0; 512]);
    fs::write(&file, &bytes).expect("a damaged backup");
    let with = verify(&fixture.repo, &[], "");
    fs::remove_file(&marks).expect("no marks");
    let without = verify(&fixture.repo, &[], "");
    without.expect(1);
    assert_eq!(report(&without)["tallies"]["encoding"], 1, "{}", without.account());
    assert_eq!(report(&with), report(&without));
}

#[test]
fn many_files_side_by_side_are_each_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut dice, mut lines, mut end, mut files) = (Dice::new(3), String::new(), 0, Vec::new());
    for number in 0..150usize {
        let length = if number % 5 == 0 { number } else { number * number * 13 % 100_000 };
        let bytes: Vec<u8> = (0..=length / 8).flat_map(|_| dice.bits().to_le_bytes()).collect();
        let kind = if number == 0 { "fs" } else { "deltafs" };
        let name = format!("2026-03-01-{:02}-{:02}-00.{kind}", number / 60, number % 60);
        let start = end;
        end += bytes.len();
        lines += &format!("/r/{name} {start} {end} {}\n", md5_of(&bytes));
        files.push((folder.path().join(name), bytes));
    }
    fs::write(folder.path().join("2026-03-01-00-00-00.dat"), lines).expect("an index");
    files.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("a file"));
    let run = verify(folder.path(), &["--depth", "digest"], "");
    run.expect(0);
    assert_eq!(report(&run)["coverage"], serde_json::json!({"claims": 150, "checked": 150, "bytes": end}));
    for (path, bytes) in &mut files {
        let at = bytes.len() - 1 - bytes.len() / 3;
        bytes[at] ^= 4;
        fs::write(path, bytes).expect("a damaged file");
    }
    for (flags, without) in [(&["--depth", "digest"][..], ""), (&["--depth", "digest", "--mmap"], "avx512,sha")] {
        let run = verify(folder.path(), flags, without);
        run.expect(1);
        let report = report(&run);
        // All are counted; of each kind, the first hundred are listed.
        assert_eq!(
            (&report["tallies"]["digest"], &report["coverage"]["checked"]),
            (&150.into(), &150.into()),
            "{flags:?}"
        );
    }
}

#[test]
fn wrong_marks_are_harmless_in_every_form() {
    let (fixture, full) = fixture(&[]);
    let (other, other_full) = self::fixture(&["--gzip"]);
    let marks = fixture.file(&format!("{full}.marks"));
    let sound = fs::read(&marks).expect("marks");
    let foreign = fs::read(other.file(&format!("{other_full}.marks"))).expect("marks");
    let flip = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let mut forms: Vec<(String, Vec<u8>)> = vec![("empty".to_owned(), Vec::new()), ("foreign".to_owned(), foreign)];
    forms.extend((0..sound.len()).map(|at| (format!("flip {at}"), flip(at))));
    forms.extend([1, 8, 18, 33, 34, 50, sound.len() - 1].map(|at| (format!("cut {at}"), sound[..at].to_vec())));
    forms.push(("zeros".to_owned(), vec![0; sound.len()]));
    forms.push(("grown".to_owned(), [&sound[..], &[0; 16]].concat()));
    for (what, bytes) in forms {
        fs::write(&marks, bytes).expect("wrong marks");
        let run = verify(&fixture.repo, &["--strict"], "");
        assert!(run.code == 0 && report(&run)["findings"] == Value::Array(Vec::new()), "{what}: {}", run.account());
    }
    fs::remove_file(&marks).expect("no marks");
    symlink("/dev/zero", &marks).expect("a link");
    verify(&fixture.repo, &[], "").expect(0);
    fs::remove_file(&marks).expect("no link");
    rustix::fs::mkfifoat(rustix::fs::CWD, &marks, rustix::fs::Mode::RUSR).expect("a FIFO");
    verify(&fixture.repo, &[], "").expect(0);
}

#[test]
fn a_foreign_repository_can_be_marked_and_only_what_is_sound_is() {
    let mut fixture = Fixture::new();
    fixture.data.grow_large(40);
    fixture.grow(1);
    let stamp = fixture.clock.tick(60);
    let backup: [&OsStr; 6] = [
        "-B".as_ref(),
        "-F".as_ref(),
        "-r".as_ref(),
        fixture.repo.as_os_str(),
        "-f".as_ref(),
        fixture.source.as_os_str(),
    ];
    original(&stamp, &backup).expect(0);
    let full = format!("{stamp}.fs");
    let marks = fixture.file(&format!("{full}.marks"));
    let mark = |flags: &[&str]| {
        let mut arguments: Vec<OsString> = vec!["mark".into()];
        arguments.extend(flags.iter().map(OsString::from));
        arguments.push(fixture.repo.clone().into());
        ours(&stamp, &arguments)
    };
    assert_eq!(marked(&verify(&fixture.repo, &[], "")), 0);
    said(&mark(&["--dry-run"]), "files to be marked: 1;");
    assert!(!marks.exists());
    // What an interrupted run left is in nobody's way.
    fs::write(fixture.file(&format!("{full}.marks.highwater-tmp")), b"begun").expect("a leftover");
    said(&mark(&[]), "files marked: 1; with marks already: 0; too short for any: 0");
    assert_eq!(marked(&verify(&fixture.repo, &[], "")), fixture.data.bytes.len() as u64);
    let made = fs::read(&marks).expect("marks");
    said(&mark(&[]), "files marked: 0; with marks already: 1;");
    let json: Value = serde_json::from_slice(&mark(&["--json"]).expect(0).stdout).expect("JSON");
    assert_eq!((&json["made"], &json["there"]), (&0.into(), &1.into()));

    // Those of another file are replaced; a damaged file gets none.
    fs::write(&marks, &made[..made.len() - 16]).expect("too few marks");
    said(&mark(&[]), "files marked: 1;");
    assert!(fs::read(&marks).expect("marks") == made);
    fs::remove_file(&marks).expect("no marks");
    let mut bytes = fs::read(fixture.file(&full)).expect("the backup");
    bytes[5_000_000] ^= 1;
    fs::write(fixture.file(&full), bytes).expect("a damaged backup");
    mark(&[]).expect(1).says("HW103");
    assert!(!marks.exists());
    let lock = fs::File::open(fixture.file(".highwater.lock")).expect("the lock file");
    lock.lock().expect("the lock");
    mark(&[]).expect(4).says("another run is writing");
}

#[test]
fn marks_go_with_their_backup_and_lone_ones_are_named() {
    let (mut fixture, full) = fixture(&[]);
    let marks = fixture.file(&format!("{full}.marks"));
    fixture.grow(1);
    fixture.backup(&["--full", "--kill-old"]);
    assert!(!marks.exists());
    fs::write(&marks, b"of nothing").expect("lone marks");
    let run = verify(&fixture.repo, &[], "");
    run.expect(0);
    assert_eq!(report(&run)["tallies"]["stray"], 1, "{}", run.account());
    fixture.grow(1);
    fixture.backup(&["--full", "--kill-old"]);
    assert!(!marks.exists());
}

#[test]
fn a_target_is_compared_by_marks_and_a_flip_in_it_is_found() {
    let (mut fixture, full) = fixture(&[]);
    let target = fixture.path("standby.fs");
    fixture.restore("", &target, &[]).expect(0);
    fixture.grow(1);
    fixture.backup(&[]);
    fixture.restore("", &target, &[]).expect(0).never_says("falling back");
    assert!(fs::read(&target).expect("the target") == fixture.data.bytes);
    for place in [4, 6_000_000] {
        let mut bytes = fixture.data.bytes.clone();
        bytes[place] ^= 1;
        fs::write(&target, bytes).expect("a damaged target");
        fixture.restore("", &target, &[]).expect(0).says("not consistent with backup").says(&full);
        assert!(fs::read(&target).expect("the target") == fixture.data.bytes, "{place}");
    }
}

#[test]
fn every_set_of_instructions_and_a_memory_map_give_the_same_report() {
    for flags in [&[][..], &["--gzip"]] {
        let (fixture, full) = fixture(flags);
        let file = fixture.file(&full);
        let marks = fixture.file(&format!("{full}.marks"));
        for state in ["sound", "damaged", "without marks"] {
            if state == "damaged" {
                let mut bytes = fs::read(&file).expect("the backup");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&file, bytes).expect("a damaged backup");
            } else if state == "without marks" {
                fs::remove_file(&marks).expect("no marks");
            }
            let all = verify(&fixture.repo, &[], "");
            assert_eq!(all.code, i32::from(state != "sound"), "{}", all.account());
            for without in ["avx512", "avx2", "sha", "neon", "avx512,sha", "avx2, sha, neon"] {
                let run = verify(&fixture.repo, &[], without);
                assert!((run.code, &run.stdout) == (all.code, &all.stdout), "{state} without {without}");
            }
            let run = verify(&fixture.repo, &["--mmap"], "");
            assert!((run.code, &run.stdout) == (all.code, &all.stdout), "{state} mapped: {}", run.account());
        }
    }
    let (fixture, _) = fixture(&[]);
    verify(&fixture.repo, &[], "avx1024").expect(2).says("avx1024");
}
