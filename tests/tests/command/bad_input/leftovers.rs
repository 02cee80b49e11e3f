//! What interrupted runs leave behind, and what the next backup makes of it.

use std::fs;

use highwater_tests::repo::{Fixture, load};
use highwater_tests::repository::{dat_lines, expect_same_bytes};

/// Restores the newest point and compares it with the source.
#[track_caller]
fn expect_newest_is_the_source(fixture: &Fixture, case: &str) {
    let target = fixture.path("restored.fs");
    let _ = fs::remove_file(&target);
    fixture.restore("", &target, &["--full"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, case);
}

#[test]
fn work_files_of_ours_go_and_those_of_others_stay() {
    let (mut fixture, _) = Fixture::with_chain();
    let ours = ["2026-03-01-09-00-00.fs.highwater-tmp", "2026-03-01-00-01-00.dat.highwater-tmp"];
    for name in ours.into_iter().chain(["tmp.tmp", "notes"]) {
        fs::write(fixture.file(name), "x").expect("a left over file");
    }
    let run = fixture.verify("deep");
    assert!(run.expect(0).text().contains("HW302"), "{}", run.account());
    fixture.grow(1);
    let run = fixture.try_backup(&[]);
    run.expect(0);
    for name in ours {
        assert!(!fixture.file(name).exists() && run.stderr.contains(name), "{name}: {}", run.stderr);
    }
    assert!(fixture.file("tmp.tmp").exists() && fixture.file("notes").exists());
}

#[test]
fn a_torn_last_line_is_cut_off_and_its_data_listed_again() {
    let (whole, stamps) = Fixture::with_chain();
    let name = format!("{}.dat", stamps[0]);
    let index = fs::read(whole.file(&name)).expect("an index");
    let last = index[..index.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("a line before") + 1;
    let ends = (1..4).map(|short| index.len() - short);
    for cut in (last + 1..index.len() - 3).step_by(13).chain(ends) {
        let (mut fixture, _) = Fixture::with_chain();
        let text = fs::read(fixture.file(&name)).expect("an index");
        fs::write(fixture.file(&name), &text[..cut]).expect("a torn index");
        // A torn line says nothing about the points before it.
        let target = fixture.path("before.fs");
        fixture.restore(&format!("@{}", stamps[1]), &target, &[]).expect(0);
        fixture.grow(1);
        let run = fixture.try_backup(&["--quick"]);
        run.expect(0);
        let lines = dat_lines(&fixture.file(&name));
        assert_eq!(lines.len(), 4, "cut at {cut}: {lines:?}\n{}", run.account());
        assert!(lines.windows(2).all(|pair| pair[0].end == pair[1].start), "cut at {cut}: {lines:?}");
        fixture.verify("deep").expect(0);
        expect_newest_is_the_source(&fixture, "after a torn line");
    }
}

#[test]
fn a_whole_last_line_that_does_not_connect_is_no_torn_one() {
    // The line is complete but for its line feed, so nothing was torn off; verify calls it a gap. Cutting it off would
    // destroy the only record of what that file is.
    let (mut fixture, stamps) = Fixture::with_chain();
    let path = fixture.file(&format!("{}.dat", stamps[0]));
    let text = fs::read_to_string(&path).expect("an index");
    let lines: Vec<&str> = text.lines().collect();
    let gap = format!("{}\n{}", lines[0], lines[2]);
    fs::write(&path, &gap).expect("an index with a gap");
    let run = fixture.verify("list");
    assert!(run.expect(1).text().contains("HW112"), "{}", run.account());
    fixture.grow(1);
    fixture.backup(&[]);
    let now = fs::read_to_string(&path).expect("the old index");
    assert_eq!(now.trim_end(), gap, "the old chain's index is left alone");
    assert!(fixture.file(&format!("{}.deltafs", stamps[2])).exists(), "so is its data");
    expect_newest_is_the_source(&fixture, "after a gap");
}

#[test]
fn an_increment_that_was_not_listed_is_finished() {
    for gzip in [&[][..], &["--gzip"]] {
        for next in [&[][..], &["--quick"], &["--full"]] {
            let (mut fixture, stamps) = Fixture::with_chain();
            let path = fixture.file(&format!("{}.dat", stamps[0]));
            fixture.grow(1);
            let before = fs::read(&path).expect("an index");
            let stamp = fixture.backup(gzip);
            let after = fs::read(&path).expect("an index");
            fs::write(&path, &before).expect("the line was not written");
            let run = fixture.verify("list");
            assert!(run.expect(3).text().contains("HW202"), "{}", run.account());
            let run = fixture.try_backup(next);
            run.expect(0).says(&stamp);
            assert_eq!(fs::read(&path).expect("an index"), after, "{gzip:?} {next:?}: the very line");
            fixture.verify("deep").expect(0);
            expect_newest_is_the_source(&fixture, "a finished increment");
        }
    }
}

#[test]
fn a_file_that_is_not_what_comes_next_is_set_aside_and_never_lost() {
    for (case, bytes) in [("empty", &b""[..]), ("rubbish", b"rubbish"), ("zeros", &[0; 5000])] {
        for suffix in ["deltafs", "deltafsz"] {
            let (mut fixture, _) = Fixture::with_chain();
            let name = format!("2026-03-01-00-03-30.{suffix}");
            fs::write(fixture.file(&name), bytes).expect("an unlisted file");
            fixture.grow(1);
            let run = fixture.try_backup(&["--quick"]);
            run.expect(0).says(&name);
            let aside = fixture.file(&format!("{name}.set-aside"));
            assert_eq!(fs::read(aside).expect("it was set aside"), bytes, "{case} {suffix}");
            fixture.verify("deep").expect(0);
            expect_newest_is_the_source(&fixture, case);
        }
    }
}

#[test]
fn a_name_taken_by_an_earlier_file_set_aside_does_not_stop_backups() {
    let (mut fixture, _) = Fixture::with_chain();
    let name = "2026-03-01-00-03-30.deltafs";
    for (file, bytes) in [(name.to_owned(), "new"), (format!("{name}.set-aside"), "old")] {
        fs::write(fixture.file(&file), bytes).expect("a file");
    }
    fixture.grow(1);
    fixture.backup(&[]);
    let image = load(&fixture.repo);
    for bytes in ["new", "old"] {
        assert!(image.values().any(|kept| kept == bytes.as_bytes()), "{bytes} is kept: {:?}", image.keys());
    }
    expect_newest_is_the_source(&fixture, "two files set aside");
}

#[test]
fn an_unfinished_commit_gives_no_empty_increment() {
    let (mut fixture, _) = Fixture::with_chain();
    let whole = fixture.data.bytes.clone();
    fixture.grow(1);
    let next = fixture.data.bytes[whole.len()..].to_vec();
    let mut voted = next.clone();
    voted[16] = b'c';
    let tails: [&[u8]; 4] = [&next[..next.len() - 1], &next[..10], &[0; 4096], &voted];
    for tail in tails {
        fs::write(&fixture.source, [&whole[..], tail].concat()).expect("an unfinished source");
        let before = load(&fixture.repo).len();
        for flags in [&[][..], &["--quick"], &["--gzip"]] {
            let run = fixture.try_backup(flags);
            assert!(run.expect(0).text().contains("nothing to do"), "{}", run.account());
            assert_eq!(load(&fixture.repo).len(), before, "{flags:?}");
        }
    }
}

#[test]
fn a_full_backup_cuts_an_unfinished_tail_off_in_every_form() {
    for flags in [&["-F"][..], &["-F", "-z"]] {
        for tail in [1, 22, 40, 3_000_000] {
            let mut fixture = Fixture::new();
            let mut bytes = fixture.data.bytes.clone();
            // An unfinished transaction that is longer than a block of the copy.
            bytes.extend([0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x7f, 0, 0, 0, b' ', 0, 0, 0, 0, 0, 0]);
            bytes.resize(fixture.data.bytes.len() + tail, 1);
            fs::write(&fixture.source, &bytes).expect("a source");
            fixture.backup(flags);
            fixture.verify("deep").expect(0);
            expect_newest_is_the_source(&fixture, &format!("{flags:?} {tail}"));
        }
    }
}

#[test]
fn a_flaw_in_a_saved_index_does_not_go_on_into_the_next_point() {
    // Nothing on record says what an .index should be. A backup that starts from the last one takes over every flaw
    // that its samples miss, and each later point inherits it.
    let mut fixture = Fixture::new();
    for oid in 1000..1300 {
        fixture.data.commit(&[(oid, 20)]);
    }
    fixture.grow(1);
    let stamp = fixture.backup(&[]);
    let path = fixture.file(&format!("{stamp}.index"));
    let index = fs::read(&path).expect("an index");
    fixture.grow(1);
    let mut missed = Vec::new();
    // The values are at the end of the only bucket, six bytes each.
    for entry in 2..60 {
        let mut flawed = index.clone();
        let at = index.len() - 6 - 6 * entry;
        flawed[at] ^= 1;
        fs::write(&path, flawed).expect("a flawed index");
        let next = fixture.backup(&["--quick"]);
        let run = fixture.run(&["verify", "--depth", "deep", &format!("{}@{next}", fixture.repo.display())]);
        if run.text().contains(&format!("{next}.index")) {
            missed.push(entry);
        }
        let dat = fixture.file(&format!("{stamp}.dat"));
        let first = fs::read_to_string(&dat).expect("an index").lines().next().map(|line| format!("{line}\n"));
        fs::write(&dat, first.expect("a line")).expect("an index of one line");
        for suffix in ["deltafs", "index"] {
            fs::remove_file(fixture.file(&format!("{next}.{suffix}"))).expect("the increment goes");
        }
    }
    assert!(missed.is_empty(), "{} of 58 flaws went on into the next point's index: {missed:?}", missed.len());
}
