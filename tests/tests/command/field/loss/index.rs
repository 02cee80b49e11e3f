//! A saved `.index` is put beside a database, and inherited by an increment, only as the records give it.

use std::fs;
use std::path::Path;

use highwater_tests::repo::Fixture;
use highwater_tests::repository::{data_files, expect_same_bytes};
use highwater_tests::run::drop_in;
use highwater_tests::score::Score;

use super::LINE;

/// The records of a database: object, and where the record lies.
fn records(bytes: &[u8]) -> Vec<(u64, usize)> {
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let short = |at: usize| usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().expect("2 bytes")));
    let size = |number: u64| usize::try_from(number).expect("a size");
    let (mut found, mut at) = (Vec::new(), 4);
    while at < bytes.len() {
        let end = at + size(number(at + 8));
        let mut record = at + 23 + short(at + 17) + short(at + 19) + short(at + 21);
        while record < end {
            found.push((number(record), record));
            record += 42 + size(number(record + 34)).max(8 * usize::from(number(record + 34) == 0));
        }
        at = end + 8;
    }
    found
}

/// Makes a saved index lead to the last but one record of an object that was written before `until`; all else in it is
/// right.
fn lead_to_an_older_revision(index: &Path, database: &[u8], until: usize) {
    let records: Vec<(u64, usize)> = records(database).into_iter().filter(|(_, at)| *at < until).collect();
    let older = records.iter().enumerate().find_map(|(place, (oid, at))| {
        let mut later = records[place + 1..].iter().filter(|(other, _)| other == oid);
        let next = later.next()?.1;
        later.next().is_none().then_some((*at, next))
    });
    let (older, newest) = older.expect("an object that was written twice");
    let six = |at: usize| (at as u64).to_be_bytes()[2..].to_vec();
    let mut bytes = fs::read(index).expect("a saved index");
    let place =
        bytes.windows(6).position(|six_bytes| six_bytes == six(newest)).expect("the newest record is in the index");
    bytes[place..place + 6].copy_from_slice(&six(older));
    fs::write(index, bytes).expect("the index is written");
}

/// Flips a bit of the last entry.
fn flip(index: &Path) {
    let mut bytes = fs::read(index).expect("a saved index");
    let place = bytes.len() - 6;
    bytes[place] ^= 4;
    fs::write(index, bytes).expect("the index is written");
}

/// A chain whose newest index is flawed in one of two ways, and that index as it was.
fn flawed(older: bool) -> (Fixture, [String; 3], Vec<u8>) {
    let (fixture, stamps) = Fixture::with_chain();
    let path = fixture.file(&format!("{}.index", stamps[2]));
    let right = fs::read(&path).expect("a saved index");
    if older {
        lead_to_an_older_revision(&path, &fixture.data.bytes, fixture.data.bytes.len());
    } else {
        flip(&path);
    }
    (fixture, stamps, right)
}

#[test]
fn a_restored_index_is_the_one_that_the_records_give() {
    let mut score = Score::part(LINE, "a saved index that leads elsewhere is not restored");
    for older in [true, false] {
        let (fixture, stamps, right) = flawed(older);
        let repo = fixture.repo.to_str().expect("a path");
        let dat = fixture.file(&format!("{}.dat", stamps[0]));
        let lines = fs::read(&dat).expect("a .dat file");
        let now = fixture.clock.stamp();
        for way in ["full", "append", "nothing", "drop-in", "drop-in append", "drop-in without .dat"] {
            let target = fixture.path("out.fs");
            let shown = target.to_str().expect("a path");
            let _ = fs::remove_file(&target);
            let run = match way {
                "full" => fixture.restore("", &target, &["--full"]),
                "append" => {
                    fixture.restore(&format!("@{}", stamps[0]), &target, &[]).expect(0);
                    fixture.restore("", &target, &[])
                }
                "nothing" => {
                    fs::write(&target, &fixture.data.bytes).expect("a standby");
                    fixture.restore("", &target, &[])
                }
                "drop-in" => drop_in(&now, &["-R", "-r", repo, "-o", shown]),
                "drop-in append" => {
                    fixture.restore(&format!("@{}", stamps[1]), &target, &[]).expect(0);
                    drop_in(&now, &["-R", "-r", repo, "-o", shown])
                }
                _ => {
                    fs::remove_file(&dat).expect("the .dat file goes");
                    let run = drop_in(&now, &["-R", "-r", repo, "-o", shown]);
                    fs::write(&dat, &lines).expect("it comes back");
                    run
                }
            };
            run.expect(0).says("is not the one that the records give");
            expect_same_bytes(&fs::read(&target).expect("a restored file"), &fixture.data.bytes, way);
            expect_same_bytes(&fs::read(fixture.path("out.fs.index")).expect("an index"), &right, way);
            score.ran(1);
        }
    }
    score.end();
}

#[test]
fn a_restored_index_that_is_right_is_put_in_place_byte_for_byte_and_without_a_word() {
    let mut score = Score::part(LINE, "a right index is restored as it is");
    let (fixture, stamps) = Fixture::with_chain();
    for stamp in stamps {
        let target = fixture.path(&format!("{stamp}.fs"));
        let run = fixture.restore(&format!("@{stamp}"), &target, &[]);
        assert_eq!(run.expect(0).stderr, "", "{}", run.account());
        let saved = fs::read(fixture.file(&format!("{stamp}.index"))).expect("a saved index");
        expect_same_bytes(&fs::read(fixture.path(&format!("{stamp}.fs.index"))).expect("an index"), &saved, &stamp);
        score.ran(1);
    }
    score.end();
}

#[test]
fn an_increment_inherits_no_index_that_leads_elsewhere() {
    let mut score = Score::part(LINE, "an index that leads elsewhere is not inherited");
    for (older, program) in
        [true, false].into_iter().flat_map(|older| ["backup", "repozo"].map(|program| (older, program)))
    {
        let (mut fixture, _, _) = flawed(older);
        fixture.data.commit(&[(90, 10)]);
        fs::write(&fixture.source, &fixture.data.bytes).expect("a grown source");
        fixture.clock.tick(60);
        let now = fixture.clock.stamp();
        let (source, repo) = (fixture.source.to_str().expect("a path"), fixture.repo.to_str().expect("a path"));
        match program {
            "backup" => fixture.run(&["backup", source, repo]).expect(0),
            _ => drop_in(&now, &["-B", "-f", source, "-r", repo]).expect(0),
        };
        assert!(data_files(&fixture.repo).pop().is_some_and(|name| name == format!("{now}.deltafs")), "an increment");
        let fresh = fixture.path("fresh");
        fs::create_dir(&fresh).expect("a new repository");
        fixture.run(&["backup", source, fresh.to_str().expect("a path")]).expect(0);
        let read = |folder: &Path| fs::read(folder.join(format!("{now}.index"))).expect("an index");
        expect_same_bytes(&read(&fixture.repo), &read(&fresh), &format!("{program}, older: {older}"));
        score.ran(1);
    }
    score.end();
}
