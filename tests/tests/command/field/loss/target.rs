//! A target that holds more, or something else, than the set knows is never replaced without being asked to.

use std::fs;
use std::path::Path;

use highwater_tests::datastore::Sample;
use highwater_tests::repo::{Data, Fixture};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::{Run, drop_in, ours};
use highwater_tests::score::Score;

use super::{LINE, thousands};

const NOW: &str = "2030-01-01-00-00-00";

fn recover(repo: &Path, target: &Path, more: &[&str]) -> Run {
    let (repo, target) = (repo.to_str().expect("text"), target.to_str().expect("text"));
    drop_in(NOW, &[&["-R", "-r", repo, "-o", target], more].concat())
}

/// Every way of restoring that was not told to give the target up refuses; the one that was does it.
#[track_caller]
fn refused(score: &mut Score, fixture: &Fixture, holds: &[u8], words: &str) {
    let target = fixture.path("target.fs");
    for flags in [&[][..], &["--quick"], &["--in-place"], &["--dry-run"], &["--in-place", "--quick"]] {
        fs::write(&target, holds).expect("a target");
        let line = fixture.restore("", &target, flags).expect(4).one_line().to_owned();
        assert!(line.contains(words) && line.contains("--full"), "{words}: {line}");
        expect_same_bytes(&fs::read(&target).expect("a target"), holds, words);
        score.ran(1);
    }
    for flags in [&[][..], &["-Q"], &["-w"]] {
        let line = recover(&fixture.repo, &target, flags).expect(1).one_line().to_owned();
        assert!(line.contains(words) && line.contains("--full"), "{words}: {line}");
        expect_same_bytes(&fs::read(&target).expect("a target"), holds, words);
        score.ran(1);
    }
    assert!(
        fs::read_dir(target.parent().expect("a folder"))
            .expect("a folder")
            .all(|entry| { !entry.expect("an entry").file_name().to_string_lossy().ends_with(".part") })
    );
    fixture.restore("", &target, &["--full", "--dry-run"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), holds, words);
    fixture.restore("", &target, &["--full"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, words);
    fs::write(&target, holds).expect("a target");
    recover(&fixture.repo, &target, &["-F"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, words);
    score.ran(3);
}

#[test]
fn a_target_that_holds_more_is_not_cut_back() {
    let mut score = Score::part(LINE, "a target that holds more");
    let (fixture, _) = Fixture::with_chain();
    let mut grown = fixture.data.clone();
    grown.grow(3);
    let more = grown.bytes.len() - fixture.data.bytes.len();
    refused(&mut score, &fixture, &grown.bytes, &format!("and then {} bytes more", thousands(more)));
    let tail = [&fixture.data.bytes[..], &[7; 50]].concat();
    refused(&mut score, &fixture, &tail, "and then 50 bytes more");
    score.end();
}

#[test]
fn a_target_that_is_something_else_is_not_replaced() {
    let mut score = Score::part(LINE, "a target that is something else");
    let (fixture, stamps) = Fixture::with_chain();
    refused(&mut score, &fixture, b"my notes", "it is no database");
    refused(&mut score, &fixture, &vec![b'x'; fixture.data.bytes.len()], "it is no database");
    // Another database, shorter and longer.
    for transactions in [1, 40] {
        let mut other = Data::new(77);
        other.grow(transactions);
        refused(&mut score, &fixture, &other.bytes, "another database");
    }
    // It went on by itself from an older point, or in the middle of an increment.
    let older = fixture.path("older.fs");
    fixture.restore(&format!("@{}", stamps[0]), &older, &[]).expect(0);
    let older = fs::read(older).expect("an older point");
    let mut own = Data::new(5);
    own.grow(1);
    refused(&mut score, &fixture, &[&older[..], &own.bytes[4..]].concat(), "another database, or a newer one");
    // An older point is asked for, and the target is ahead of all of them.
    let mut grown = fixture.data.clone();
    grown.grow(1);
    let target = fixture.path("target.fs");
    fs::write(&target, &grown.bytes).expect("a target");
    for point in &stamps {
        fixture.restore(&format!("@{point}"), &target, &[]).expect(4).says("bytes more");
        expect_same_bytes(&fs::read(&target).expect("a target"), &grown.bytes, "ahead");
        score.ran(1);
    }
    score.end();
}

#[test]
fn what_the_set_knows_is_replaced_as_before() {
    let mut score = Score::part(LINE, "a target that the set knows");
    let (mut fixture, stamps) = Fixture::with_chain();
    let target = fixture.path("target.fs");
    let whole = fixture.data.bytes.clone();
    let mut spoilt = whole.clone();
    spoilt[300] ^= 1;
    let half = &whole[..whole.len() / 3];
    for (what, holds) in [
        ("nothing", &b""[..]),
        ("a new database", b"FS30"),
        ("half of the first backup", half),
        ("bit rot", &spoilt),
        ("the newest", &whole),
    ] {
        for point in [String::new(), format!("@{}", stamps[0]), format!("@{}", stamps[1])] {
            fs::write(&target, holds).expect("a target");
            let run = fixture.restore(&point, &target, &[]);
            assert_eq!(run.code, 0, "{what}: {}", run.account());
            score.ran(1);
        }
    }
    // A hole holds nothing.
    fs::remove_file(&target).expect("it goes");
    fs::File::create(&target).and_then(|file| file.set_len(10_000_000)).expect("a hole");
    fixture.restore("", &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &whole, "over a hole");
    // A new chain, not an extension of the old one: the standby at the old one is known, while its points are there and
    // after they were removed, as its newest transaction is in the new one.
    let mut packed = Data::new(1);
    packed.grow(6);
    let old = whole.clone();
    let last_of_old = transactions(&old);
    fixture.data.bytes = repacked(&old);
    fixture.grow(1);
    fixture.backup(&["--full"]);
    let back = format!("@{}", stamps[2]);
    fs::write(&target, &old).expect("a standby");
    fixture.restore("", &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, "the new chain");
    fixture.restore(&back, &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &old, "back to the old chain");
    fixture.grow(1);
    fixture.backup(&["--full", "--kill-old"]);
    fixture.restore("", &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, "the old chain is gone");
    assert!(last_of_old > 1);
    score.ran(4);
    score.end();
}

/// Where transactions begin.
fn transactions(bytes: &[u8]) -> usize {
    starts(bytes).len()
}

fn starts(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut found) = (4, Vec::new());
    while at < bytes.len() {
        found.push(at);
        let length = u64::from_be_bytes(bytes[at + 8..at + 16].try_into().expect("eight bytes"));
        at += usize::try_from(length).expect("a length") + 8;
    }
    found
}

/// The database without the payload of its first record, as a pack leaves one that is no longer reachable: every later
/// byte moves, the transactions stay.
fn repacked(bytes: &[u8]) -> Vec<u8> {
    let starts = starts(bytes);
    let mut data = Data::new(9);
    data.bytes.truncate(4);
    let mut packed = bytes[..4].to_vec();
    for start in &starts[1..] {
        let length = u64::from_be_bytes(bytes[start + 8..start + 16].try_into().expect("eight bytes"));
        let tid: [u8; 8] = bytes[*start..start + 8].try_into().expect("eight bytes");
        // One record, new to this file, in a transaction of the same id.
        let at = packed.len() as u64;
        packed.extend(tid);
        packed.extend((23u64 + 42 + 5).to_be_bytes());
        packed.extend(*b"p\0\0\0\0\0\0");
        for number in [length, u64::from_be_bytes(tid), 0, at] {
            packed.extend(number.to_be_bytes());
        }
        packed.extend([0; 2]);
        packed.extend(5u64.to_be_bytes());
        packed.extend(*b"hello");
        packed.extend((23u64 + 42 + 5).to_be_bytes());
    }
    packed
}

#[test]
fn files_that_were_put_together_unchecked_keep_the_law_too() {
    let mut score = Score::part(LINE, "repozo -R without an index onto something else");
    let (fixture, stamps) = Fixture::with_chain();
    fs::remove_file(fixture.file(&format!("{}.dat", stamps[0]))).expect("it goes");
    let mut grown = fixture.data.clone();
    grown.grow(1);
    let target = fixture.path("target.fs");
    for (holds, words) in [(&grown.bytes[..], "bytes more"), (b"my notes", "it is no database")] {
        fs::write(&target, holds).expect("a target");
        recover(&fixture.repo, &target, &[]).expect(1).says(words).says("--full");
        expect_same_bytes(&fs::read(&target).expect("a target"), holds, words);
        recover(&fixture.repo, &target, &["-F"]).expect(0);
        expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, words);
        score.ran(2);
    }
    fs::write(&target, &fixture.data.bytes[..500]).expect("an older one");
    recover(&fixture.repo, &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, "known");
    score.ran(1);
    score.end();
}

#[test]
fn an_image_with_bytes_of_its_own_is_not_replaced() {
    let mut score = Score::part(LINE, "an image with bytes of its own");
    let folder = tempfile::tempdir().expect("a folder");
    let store = Sample::made().store();
    let target = folder.path().join("target.img");
    let restore = |hour: usize, flags: &[&str]| {
        let from = format!("{}@vm/100/2025-06-16T{}:06:40Z/drive-scsi0.img", store.display(), 15 + hour);
        ours(NOW, &[&["restore", &from, target.to_str().expect("text")], flags].concat())
    };
    let states = [0, 1].map(|hour| {
        restore(hour, &["--full"]).expect(0);
        fs::read(&target).expect("an image")
    });
    assert!(states[0] != states[1]);
    // From any snapshot of the group to any other.
    for (from, to) in [(0, 1), (1, 0), (1, 1)] {
        fs::write(&target, &states[from]).expect("an image");
        restore(to, &[]).expect(0);
        expect_same_bytes(&fs::read(&target).expect("an image"), &states[to], "another snapshot");
        score.ran(1);
    }
    let mut used = states[1].clone();
    used[100] ^= 1;
    let longer = [&states[1][..], b"more"].concat();
    for (holds, words) in [
        (&used[..], "as any snapshot of its group has it"),
        (&longer, "and then 4 bytes more"),
        (b"my notes", "as any snapshot of its group has it"),
    ] {
        for flags in [&[][..], &["--in-place"], &["--dry-run"]] {
            fs::write(&target, holds).expect("an image");
            restore(1, flags).expect(4).says(words).says("--full");
            expect_same_bytes(&fs::read(&target).expect("an image"), holds, words);
            score.ran(1);
        }
        restore(1, &["--full"]).expect(0);
        expect_same_bytes(&fs::read(&target).expect("an image"), &states[1], words);
        score.ran(1);
    }
    fs::remove_file(&target).expect("it goes");
    fs::File::create(&target).and_then(|file| file.set_len(9 << 20)).expect("a new, empty image");
    restore(1, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("an image"), &states[1], "over a hole");
    score.ran(1);
    score.end();
}
