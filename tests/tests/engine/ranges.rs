//! Restores in lanes and ranges: whatever marks say, only what the digests on record speak of is restored.

use std::fs;
use std::path::{Path, PathBuf};

use highwater_tests::dice::Dice;
use highwater_tests::repo::Fixture;

/// Where a file of marks has its first mark, in bytes.
const FIRST_MARK: usize = 34;

/// A repository of one full backup, with as many transactions of a mebibyte as said.
fn fixture(large: u64, flags: &[&str]) -> (Fixture, String, PathBuf) {
    let mut fixture = Fixture::new();
    fixture.data.grow_large(large);
    fixture.grow(1);
    let stem = fixture.backup(flags);
    let ending = if flags.contains(&"--gzip") { "fsz" } else { "fs" };
    let file = fixture.file(&format!("{stem}.{ending}"));
    (fixture, stem, file)
}

fn marks_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".marks");
    name.into()
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x10;
    bytes
}

#[test]
fn a_full_restore_is_right_whatever_its_marks_say() {
    for flags in [&[][..], &["--gzip"]] {
        let (fixture, _, file) = fixture(14, flags);
        let (marks, out) = (marks_of(&file), fixture.path("out.fs"));
        let sound = fs::read(&marks).expect("marks");
        let mut forms = vec![sound.clone(), vec![0; sound.len()], sound[..sound.len() - 1].to_vec()];
        forms.extend((FIRST_MARK..sound.len()).step_by(16).map(|at| flipped(&sound, at)));
        for form in forms {
            fs::write(&marks, form).expect("marks");
            fixture.restore("", &out, &[]).expect(0);
            assert!(fs::read(&out).expect("the target") == fixture.data.bytes, "{flags:?}");
            fs::remove_file(&out).expect("the target goes");
        }
    }
}

#[test]
fn damage_is_refused_with_marks_as_without_and_the_next_restore_takes_up_what_was_written() {
    for flags in [&[][..], &["--gzip"]] {
        let (fixture, _, file) = fixture(14, flags);
        let (marks, out) = (marks_of(&file), fixture.path("out.fs"));
        let (sound, kept) = (fs::read(&file).expect("the backup"), fs::read(&marks).expect("marks"));
        let part = fixture.path("out.fs.part");
        let mut dice = Dice::new(5);
        for round in 0..6 {
            let at = usize::try_from(dice.below(sound.len() as u64)).expect("an offset");
            fs::write(&file, flipped(&sound, at)).expect("a damaged backup");
            let with = fixture.restore("", &out, &[]);
            with.expect(1);
            assert!(!out.exists(), "{flags:?} {round}");
            fs::remove_file(&part).expect("what was written stays");
            fs::remove_file(&marks).expect("no marks");
            let without = fixture.restore("", &out, &[]);
            without.expect(1);
            assert_eq!(with.text(), without.text(), "{flags:?} at {at}");
            fs::write(&marks, &kept).expect("marks");
            fs::write(&file, &sound).expect("the backup");
            fixture.restore("", &out, &[]).expect(0);
            assert!(!part.exists() && fs::read(&out).expect("the target") == fixture.data.bytes, "{flags:?} at {at}");
            fs::remove_file(&out).expect("the target goes");
        }
    }
}

#[test]
fn chunks_side_by_side_are_appended_and_restored_and_none_that_is_damaged() {
    let (mut fixture, first, _) = fixture(3, &[]);
    let short = fixture.data.bytes.clone();
    let mut files = Vec::new();
    for number in 0..5 {
        fixture.data.grow_large(if number == 2 { 12 } else { 2 });
        fixture.grow(1);
        let stem = fixture.backup(&[]);
        files.push(fixture.file(&format!("{stem}.deltafs")));
    }
    let target = fixture.path("standby.fs");
    for without in [false, true] {
        if without {
            files.iter().for_each(|file| drop(fs::remove_file(marks_of(file))));
        }
        fixture.restore("", &target, &["--full"]).expect(0);
        assert!(fs::read(&target).expect("the target") == fixture.data.bytes);
        fixture.restore(&format!("@{first}"), &target, &[]).expect(0);
        assert!(fs::read(&target).expect("the target") == short, "cut back");
        fixture.restore("", &target, &[]).expect(0).never_says("falling back");
        assert!(fs::read(&target).expect("the target") == fixture.data.bytes, "appended");
        for file in &files {
            fs::write(&target, &short).expect("the older point");
            let sound = fs::read(file).expect("an increment");
            // Also in the first bytes, which are written before all others, where the seal of an append lies.
            for at in [3, 16, 17, sound.len() / 2, sound.len() - 1] {
                fs::write(file, flipped(&sound, at)).expect("a damaged increment");
                fixture.restore("", &target, &[]).expect(1).says("checksum");
                assert!(fs::read(&target).expect("the target") == short, "{}: {at}", file.display());
            }
            fs::write(file, &sound).expect("the increment");
        }
        fs::remove_file(&target).expect("the target goes");
    }
}
