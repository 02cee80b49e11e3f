//! A damaged source is refused with the byte and what would be left out, or taken as it is when that is wanted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Data, Fixture, Image, load};
use highwater_tests::repository::{data_files, expect_same_bytes};
use highwater_tests::run::{Run, drop_in};
use highwater_tests::score::Score;

use super::LINE;

/// Where the transactions of a database begin.
fn transactions(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 4;
    while at < bytes.len() {
        starts.push(at);
        at += 8 + usize::try_from(length_at(bytes, at)).expect("a length");
    }
    starts
}

fn length_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at + 8..at + 16].try_into().expect("8 bytes"))
}

/// Every kind of damage to the headers in the middle of a database, and a part of what must be said of it.
fn damages(whole: &[u8], at: usize) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.to_vec();
        change(&mut bytes);
        bytes
    };
    let last = *transactions(whole).last().expect("a transaction");
    let unfinished = whole[last..whole.len() - 9].to_vec();
    vec![
        ("length", changed(&|bytes| bytes[at + 10] = 1), "would end behind the file's end"),
        ("status", changed(&|bytes| bytes[at + 16] = b'c'), "is marked as not finished"),
        ("shorter length", changed(&|bytes| bytes[at + 15] -= 1), "is damaged at byte"),
        ("zeros", changed(&|bytes| bytes[at..at + 23].fill(0)), "is damaged at byte"),
        (
            "length and an unfinished end",
            changed(&|bytes| {
                bytes[at + 10] = 1;
                bytes.extend(&unfinished);
            }),
            "would end behind the file's end",
        ),
        (
            "status and an unfinished end",
            changed(&|bytes| {
                bytes[at + 16] = b'c';
                bytes.extend(&unfinished);
            }),
            "is marked as not finished",
        ),
        (
            "status before a voted end",
            changed(&|bytes| {
                let starts = transactions(bytes);
                bytes[starts[starts.len() - 2] + 16] = b'c';
                bytes[last + 16] = b'c';
            }),
            "is marked as not finished",
        ),
    ]
}

/// What a program is asked for: the highest exit code apart, both must say the same.
fn back_up(fixture: &Fixture, program: &str, flags: &[&str]) -> Run {
    let (source, repo) = (fixture.source.to_str().expect("a path"), fixture.repo.to_str().expect("a path"));
    let flags = flags.to_vec();
    match program {
        "backup" => fixture.run(&[&["backup"], &flags[..], &[source, repo]].concat()),
        _ => {
            let flags: Vec<&str> =
                flags.iter().map(|flag| if *flag == "--kill-old" { "--kill-old-on-full" } else { flag }).collect();
            drop_in(&fixture.clock.stamp(), &[&["-B", "-f", source, "-r", repo], &flags[..]].concat())
        }
    }
}

fn without_lock(folder: &Path) -> Image {
    let mut image = load(folder);
    image.remove(".highwater.lock");
    image
}

#[test]
fn a_damaged_source_is_refused_and_nothing_is_written_or_removed() {
    let mut score = Score::part(LINE, "a damaged source is refused");
    // No backup, one that is older than the damage, and one that holds all that lies before it.
    for (program, before) in ["backup", "repozo"].into_iter().flat_map(|program| (0..3).map(move |n| (program, n))) {
        let mut fixture = Fixture::new();
        let mut at = transactions(&fixture.data.bytes)[3];
        if before > 0 {
            fixture.backup(&[]);
            at = fixture.data.bytes.len();
            fixture.grow(3);
        }
        if before == 2 {
            fixture.backup(&[]);
            at = fixture.data.bytes.len();
            fixture.grow(3);
        }
        let whole = fixture.data.bytes.clone();
        let (held, stamp) = (without_lock(&fixture.repo), fixture.clock.stamp());
        for (what, bytes, says) in damages(&whole, at) {
            fs::write(&fixture.source, &bytes).expect("a damaged source");
            for flags in [&[][..], &["--full", "--kill-old"], &["--quick"], &["--gzip"]] {
                fixture.clock.tick(60);
                let run = back_up(&fixture, program, flags);
                score.ran(1);
                let case = format!("{program} {flags:?}, {before} backups, {what}");
                let at =
                    if what.contains("voted end") { transactions(&whole)[transactions(&whole).len() - 2] } else { at };
                let lost = format!("the {} bytes from byte {at} on", bytes.len() - at);
                let right = run.code == 1
                    && run.stderr.trim_end().lines().count() == 1
                    && [says, "--damaged-source", "fstest", &lost].iter().all(|part| run.stderr.contains(part));
                if !right {
                    score.fail(format!("{case}: no refusal with {says:?} and {lost:?}\n{}", run.account()));
                }
                if without_lock(&fixture.repo) != held {
                    score.fail(format!("{case}: the repository was changed (last backup {stamp})"));
                }
            }
        }
    }
    score.end();
}

#[test]
fn a_dry_run_looks_too() {
    let mut score = Score::part(LINE, "a dry run sees a damaged source");
    let mut fixture = Fixture::new();
    fixture.backup(&[]);
    let at = fixture.data.bytes.len();
    fixture.grow(3);
    let mut bytes = fixture.data.bytes.clone();
    bytes[at + 10] = 1;
    fs::write(&fixture.source, &bytes).expect("a damaged source");
    for flags in [&["--dry-run"][..], &["--dry-run", "--full"]] {
        fixture.try_backup(flags).expect(1).says("would end behind the file's end");
        score.ran(1);
    }
    fixture.try_backup(&["--dry-run", "--damaged-source"]).expect(0).says("as it is").prints("would write increment");
    score.ran(1);
    score.end();
}

#[test]
fn the_one_unfinished_transaction_at_the_end_is_left_out_as_before() {
    let mut score = Score::part(LINE, "one unfinished transaction at the end is normal");
    for large in [false, true] {
        let mut fixture = Fixture::new();
        let whole = fixture.data.bytes.clone();
        if large {
            // A database inside an object's data, of which the writer has got as far as its end.
            let inner = fixture.data.bytes.clone();
            fixture.data.commit(&[(50, inner.len() + 300)]);
            let payload = fixture.data.bytes.len() - 8 - inner.len() - 300;
            fixture.data.bytes.truncate(payload);
            fixture.data.bytes.extend(inner);
        } else {
            fixture.data.grow(1);
        }
        let next = fixture.data.bytes.clone();
        let mut voted = next.clone();
        voted[whole.len() + 16] = b'c';
        let zeros = [&whole[..], &[0; 4096]].concat();
        let cuts = (whole.len() + 1..next.len()).step_by(if large { 97 } else { 1 });
        let mut tails: Vec<Vec<u8>> = cuts.map(|end| next[..end].to_vec()).collect();
        tails.extend([next, voted, zeros].into_iter().skip(usize::from(!large)));
        for tail in tails {
            fs::write(&fixture.source, &tail).expect("a source");
            let _ = fs::remove_dir_all(&fixture.repo);
            fs::create_dir(&fixture.repo).expect("a new repository");
            let run = fixture.try_backup(&["--damaged-source"]);
            score.ran(1);
            let stored = data_files(&fixture.repo).pop().map(|name| fs::read(fixture.file(&name)).expect("a backup"));
            if run.code != 0 || stored.as_ref() != Some(&whole) || run.stderr.contains("damaged") {
                score.fail(format!("{} of {} bytes: {}", tail.len(), whole.len(), run.account()));
            }
        }
    }
    score.end();
}

#[test]
fn a_damaged_source_is_taken_as_it_is_when_that_is_wanted() {
    let mut score = Score::part(LINE, "a damaged source as it is");
    for program in ["backup", "repozo"] {
        for gzip in [&[][..], &["--gzip"]] {
            let mut fixture = Fixture::new();
            fixture.backup(&[]);
            fixture.grow(4);
            let at = transactions(&fixture.data.bytes)[7];
            for (what, bytes, says) in damages(&fixture.data.bytes, at) {
                fs::write(&fixture.source, &bytes).expect("a damaged source");
                fixture.clock.tick(60);
                let old = data_files(&fixture.repo);
                let flags = [&["--damaged-source", "--full", "--kill-old"], gzip].concat();
                let run = back_up(&fixture, program, &flags);
                run.expect(0).says("as it is").says(says).says("without an .index; nothing older was removed");
                let new = data_files(&fixture.repo);
                assert_eq!(new.len(), old.len() + 1, "{program}, {what}: {new:?}");
                let stamp = fixture.clock.stamp();
                assert!(!fixture.file(&format!("{stamp}.index")).exists(), "{program}, {what}: an index was written");
                let target = fixture.path("out.fs");
                fixture.restore("", &target, &["--full"]).expect(0);
                expect_same_bytes(&fs::read(&target).expect("a restored file"), &bytes, what);
                assert!(!fixture.path("out.fs.index").exists(), "{program}, {what}: an index was restored");
                // What the repository holds byte for byte is not missing; what comes after it would be.
                fixture.clock.tick(60);
                back_up(&fixture, program, &[]).expect(0);
                score.ran(1);
            }
        }
    }
    score.end();
}

#[test]
fn an_increment_of_a_source_that_was_damaged_before_is_refused_or_taken() {
    let mut score = Score::part(LINE, "an increment behind damage");
    let mut fixture = Fixture::new();
    let at = transactions(&fixture.data.bytes)[3];
    fixture.data.bytes[at + 10] = 1;
    fixture.grow(1);
    fixture.try_backup(&["--damaged-source"]).expect(0).says("as it is");
    fixture.grow(2);
    let held = without_lock(&fixture.repo);
    fixture.try_backup(&[]).expect(1).says("is damaged at byte").says("--damaged-source");
    assert_eq!(without_lock(&fixture.repo), held, "the repository was changed");
    fixture.try_backup(&["--damaged-source"]).expect(0).prints("wrote increment").says("as it is");
    let target = fixture.path("out.fs");
    fixture.restore("", &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a restored file"), &fixture.data.bytes, "the increment");
    score.ran(3);
    score.end();
}

#[test]
fn no_false_alarm_beside_a_writer() {
    let mut score = Score::part(LINE, "no false alarm beside a writer");
    let fixture = Fixture::new();
    // The writer votes, finishes, and now and then gives up, as a FileStorage does: for as long as backups are made.
    let script = "import os, sys, struct, random\n\
        path = sys.argv[1]\n\
        file = open(path, 'r+b', buffering=0)\n\
        at, tid = file.seek(0, 2), 0x0400000000000000\n\
        random.seed(7)\n\
        print('ready', flush=True)\n\
        while os.path.exists(path):\n\
        \x20   tid += 1\n\
        \x20   size = random.choice([10, 200, 30000])\n\
        \x20   record = struct.pack('>QQQQHQ', 1, tid, 0, at, 0, size) + os.urandom(size)\n\
        \x20   tlen = 23 + len(record)\n\
        \x20   file.seek(at)\n\
        \x20   file.write(struct.pack('>QQcHHH', tid, tlen, b'c', 0, 0, 0))\n\
        \x20   file.write(record[:50]); file.write(record[50:])\n\
        \x20   file.write(struct.pack('>Q', tlen))\n\
        \x20   if random.random() < .3:\n\
        \x20       file.truncate(at)\n\
        \x20       continue\n\
        \x20   file.seek(at + 16)\n\
        \x20   file.write(b' ')\n\
        \x20   at += tlen + 8\n\
        \x20   if at > 60 << 20:\n\
        \x20       break\n";
    let mut writer = Command::new(highwater_tests::python::interpreter())
        .args(["-c", script])
        .arg(&fixture.source)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a writer starts");
    let mut ready = [0; 6];
    std::io::Read::read_exact(&mut writer.stdout.take().expect("its output"), &mut ready).expect("the writer is ready");
    for round in 0..highwater_tests::score::size(25, 300) {
        let repo: PathBuf = fixture.path(&format!("beside-{round}"));
        fs::create_dir(&repo).expect("a new repository");
        for flags in [&[][..], &["--quick"], &[]] {
            let mut command = Command::new(highwater());
            let run = Run::of(command.arg("backup").args(flags).arg(&fixture.source).arg(&repo));
            score.ran(1);
            if run.code != 0 {
                score.fail(run.account());
            }
        }
        fs::remove_dir_all(&repo).expect("the repository goes");
    }
    fs::remove_file(&fixture.source).expect("the writer is told to end");
    writer.wait().expect("the writer ends");
    score.end();
}

#[test]
fn a_source_that_does_not_succeed_the_newest_point_is_refused_and_a_packed_one_is_not() {
    let mut score = Score::part(LINE, "a source that is not the newest point's successor");
    let programs = [("backup", &[][..]), ("backup", &["--gzip"]), ("repozo", &[]), ("repozo", &["--gzip"])];
    // The newest point ends in a full backup, in an increment of one transaction, of some.
    for ((program, gzip), increment) in programs.into_iter().flat_map(|how| [0, 1, 5].map(|increment| (how, increment)))
    {
        let mut fixture = Fixture::new();
        let early = fixture.data.bytes.clone();
        fixture.grow(30);
        back_up(&fixture, program, gzip).expect(0);
        let full = fixture.data.bytes.clone();
        if increment > 0 {
            fixture.grow(increment);
            fixture.clock.tick(60);
            back_up(&fixture, program, gzip).expect(0);
        }
        let held = without_lock(&fixture.repo);
        let whole = fixture.data.bytes.clone();
        let starts = transactions(&whole);
        // Begun anew after the newest point: the ids are newer, whatever the length.
        let mut fresh = b"FS30".to_vec();
        let mut other = Data::new(9);
        other.grow(60);
        for start in transactions(&other.bytes) {
            let end = start + 8 + usize::try_from(length_at(&other.bytes, start)).expect("a length");
            let mut transaction = other.bytes[start..end].to_vec();
            transaction[0] += 1;
            fresh.extend(transaction);
        }
        let older = if increment > 0 { full } else { early.clone() };
        let refused = [
            ("an older state", early, "which is older"),
            ("the state before the last backup", older, "which is older"),
            ("an empty one", b"FS30".to_vec(), "has no transaction"),
            ("one begun anew", fresh.clone(), "nothing of the point is in it"),
        ];
        for (what, bytes, says) in refused {
            fs::write(&fixture.source, &bytes).expect("another source");
            for flags in [&[][..], &["--full", "--kill-old"]] {
                fixture.clock.tick(60);
                let run = back_up(&fixture, program, &[gzip, flags].concat());
                let lengths = [format!("holds {} bytes", whole.len()), format!("source of {} bytes", bytes.len())];
                let said = run.stderr.contains(says) && lengths.iter().all(|length| run.stderr.contains(length));
                score.ran(1);
                if run.code != 1 || !said || !run.stderr.contains("--other-source") {
                    score.fail(format!("{program} {flags:?}, {what}: {}", run.account()));
                }
                assert_eq!(without_lock(&fixture.repo), held, "{program}, {what}: the repository was changed");
            }
            // When it is meant, it is done.
            let repo = fixture.path("meant");
            let _ = fs::remove_dir_all(&repo);
            highwater_tests::repository::copy(&fixture.repo, &repo);
            let kept = std::mem::replace(&mut fixture.repo, repo);
            fixture.clock.tick(60);
            back_up(&fixture, program, &["--other-source"]).expect(0);
            fixture.repo = kept;
            score.ran(1);
        }
        // A pack drops old transactions, here all but the first and the last few, and all that it keeps stays itself.
        let mut packed = whole[..starts[1]].to_vec();
        for &start in &starts[starts.len() - 2..] {
            let end = start + 8 + usize::try_from(length_at(&whole, start)).expect("a length");
            let moved = packed.len();
            packed.extend(&whole[start..end]);
            relocate(&mut packed, moved);
        }
        fs::write(&fixture.source, &packed).expect("a packed source");
        fixture.clock.tick(60);
        let run = back_up(&fixture, program, gzip);
        score.ran(1);
        if run.code != 0 {
            score.fail(format!("{program}, packed: {}", run.account()));
        }
        // One in which every object was written again since the point keeps nothing older, and says that it was packed.
        let mut rewritten = fresh;
        for start in transactions(&rewritten) {
            rewritten[start + 16] = b'p';
            relocate(&mut rewritten, start);
        }
        fs::write(&fixture.source, &rewritten).expect("a packed source");
        fixture.clock.tick(60);
        let run = back_up(&fixture, program, gzip);
        score.ran(1);
        if run.code != 0 {
            score.fail(format!("{program}, packed and all of it newer: {}", run.account()));
        }
    }
    score.end();
}

/// Makes the records of a transaction that was copied to `at` say that they lie there, as a pack does.
fn relocate(bytes: &mut [u8], at: usize) {
    let short =
        |bytes: &[u8], at: usize| usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().expect("2 bytes")));
    let end = at + usize::try_from(length_at(bytes, at)).expect("a length");
    let mut record = at + 23 + short(bytes, at + 17) + short(bytes, at + 19) + short(bytes, at + 21);
    while record < end {
        bytes[record + 16..record + 24].fill(0);
        bytes[record + 24..record + 32].copy_from_slice(&(at as u64).to_be_bytes());
        let length = u64::from_be_bytes(bytes[record + 34..record + 42].try_into().expect("8 bytes"));
        record += 42 + if length == 0 { 8 } else { usize::try_from(length).expect("a length") };
    }
}
