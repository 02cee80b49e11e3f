//! What interrupted runs leave behind, and what the next backup makes of it.

use std::fs;

use highwater_tests::repo::{Ground, load};
use highwater_tests::repository::{dat_lines, expect_same_bytes};

/// Restores the newest point and compares it with the source.
#[track_caller]
fn expect_newest_is_the_source(ground: &Ground, case: &str) {
    let target = ground.path("restored.fs");
    let _ = fs::remove_file(&target);
    ground.restore("", &target, &["--full"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &ground.data.bytes, case);
}

#[test]
fn work_files_of_ours_go_and_those_of_others_stay() {
    let (mut ground, _) = Ground::with_chain();
    let ours = ["2026-03-01-09-00-00.fs.highwater-tmp", "2026-03-01-00-01-00.dat.highwater-tmp"];
    for name in ours.into_iter().chain(["tmp.tmp", "notes"]) {
        fs::write(ground.file(name), "x").expect("a left over file");
    }
    let run = ground.verify("deep");
    assert!(run.expect(0).text().contains("HW302"), "{}", run.account());
    ground.grow(1);
    let run = ground.try_backup(&[]);
    run.expect(0);
    for name in ours {
        assert!(!ground.file(name).exists() && run.stderr.contains(name), "{name}: {}", run.stderr);
    }
    assert!(ground.file("tmp.tmp").exists() && ground.file("notes").exists());
}

#[test]
fn a_torn_last_line_is_cut_off_and_its_data_listed_again() {
    let (whole, stamps) = Ground::with_chain();
    let name = format!("{}.dat", stamps[0]);
    let index = fs::read(whole.file(&name)).expect("an index");
    let last = index[..index.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("a line before") + 1;
    let ends = (1..4).map(|short| index.len() - short);
    for cut in (last + 1..index.len() - 3).step_by(13).chain(ends) {
        let (mut ground, _) = Ground::with_chain();
        let text = fs::read(ground.file(&name)).expect("an index");
        fs::write(ground.file(&name), &text[..cut]).expect("a torn index");
        // A torn line says nothing about the points before it.
        let target = ground.path("before.fs");
        ground.restore(&format!("@{}", stamps[1]), &target, &[]).expect(0);
        ground.grow(1);
        let run = ground.try_backup(&["--quick"]);
        run.expect(0);
        let lines = dat_lines(&ground.file(&name));
        assert_eq!(lines.len(), 4, "cut at {cut}: {lines:?}\n{}", run.account());
        assert!(lines.windows(2).all(|pair| pair[0].end == pair[1].start), "cut at {cut}: {lines:?}");
        ground.verify("deep").expect(0);
        expect_newest_is_the_source(&ground, "after a torn line");
    }
}

#[test]
fn a_whole_last_line_that_does_not_connect_is_no_torn_one() {
    // The line is complete but for its line feed, so nothing was torn off; verify calls it a gap. Cutting it off would
    // destroy the only record of what that file is.
    let (mut ground, stamps) = Ground::with_chain();
    let path = ground.file(&format!("{}.dat", stamps[0]));
    let text = fs::read_to_string(&path).expect("an index");
    let lines: Vec<&str> = text.lines().collect();
    let gap = format!("{}\n{}", lines[0], lines[2]);
    fs::write(&path, &gap).expect("an index with a gap");
    let run = ground.verify("list");
    assert!(run.expect(1).text().contains("HW112"), "{}", run.account());
    ground.grow(1);
    ground.backup(&[]);
    let now = fs::read_to_string(&path).expect("the old index");
    assert_eq!(now.trim_end(), gap, "the old chain's index is left alone");
    assert!(ground.file(&format!("{}.deltafs", stamps[2])).exists(), "so is its data");
    expect_newest_is_the_source(&ground, "after a gap");
}

#[test]
fn an_increment_that_was_not_listed_is_finished() {
    for gzip in [&[][..], &["--gzip"]] {
        for next in [&[][..], &["--quick"], &["--full"]] {
            let (mut ground, stamps) = Ground::with_chain();
            let path = ground.file(&format!("{}.dat", stamps[0]));
            ground.grow(1);
            let before = fs::read(&path).expect("an index");
            let stamp = ground.backup(gzip);
            let after = fs::read(&path).expect("an index");
            fs::write(&path, &before).expect("the line was not written");
            let run = ground.verify("list");
            assert!(run.expect(3).text().contains("HW202"), "{}", run.account());
            let run = ground.try_backup(next);
            run.expect(0).says(&stamp);
            assert_eq!(fs::read(&path).expect("an index"), after, "{gzip:?} {next:?}: the very line");
            ground.verify("deep").expect(0);
            expect_newest_is_the_source(&ground, "a finished increment");
        }
    }
}

#[test]
fn a_file_that_is_not_what_comes_next_is_set_aside_and_never_lost() {
    for (case, bytes) in [("empty", &b""[..]), ("rubbish", b"rubbish"), ("zeros", &[0; 5000])] {
        for suffix in ["deltafs", "deltafsz"] {
            let (mut ground, _) = Ground::with_chain();
            let name = format!("2026-03-01-00-03-30.{suffix}");
            fs::write(ground.file(&name), bytes).expect("an unlisted file");
            ground.grow(1);
            let run = ground.try_backup(&["--quick"]);
            run.expect(0).says(&name);
            let aside = ground.file(&format!("{name}.set-aside"));
            assert_eq!(fs::read(aside).expect("it was set aside"), bytes, "{case} {suffix}");
            ground.verify("deep").expect(0);
            expect_newest_is_the_source(&ground, case);
        }
    }
}

#[test]
fn a_name_taken_by_an_earlier_file_set_aside_does_not_stop_backups() {
    let (mut ground, _) = Ground::with_chain();
    let name = "2026-03-01-00-03-30.deltafs";
    for (file, bytes) in [(name.to_owned(), "new"), (format!("{name}.set-aside"), "old")] {
        fs::write(ground.file(&file), bytes).expect("a file");
    }
    ground.grow(1);
    ground.backup(&[]);
    let image = load(&ground.repo);
    for bytes in ["new", "old"] {
        assert!(image.values().any(|kept| kept == bytes.as_bytes()), "{bytes} is kept: {:?}", image.keys());
    }
    expect_newest_is_the_source(&ground, "two files set aside");
}

#[test]
fn an_unfinished_commit_gives_no_empty_increment() {
    let (mut ground, _) = Ground::with_chain();
    let whole = ground.data.bytes.clone();
    ground.grow(1);
    let next = ground.data.bytes[whole.len()..].to_vec();
    let mut voted = next.clone();
    voted[16] = b'c';
    let tails: [&[u8]; 4] = [&next[..next.len() - 1], &next[..10], &[0; 4096], &voted];
    for tail in tails {
        fs::write(&ground.source, [&whole[..], tail].concat()).expect("an unfinished source");
        let before = load(&ground.repo).len();
        for flags in [&[][..], &["--quick"], &["--gzip"]] {
            let run = ground.try_backup(flags);
            assert!(run.expect(0).text().contains("nothing to do"), "{}", run.account());
            assert_eq!(load(&ground.repo).len(), before, "{flags:?}");
        }
    }
}

#[test]
fn a_full_backup_cuts_an_unfinished_tail_off_in_every_form() {
    for flags in [&["-F"][..], &["-F", "-z"]] {
        for tail in [1, 22, 40, 3_000_000] {
            let mut ground = Ground::new();
            let mut bytes = ground.data.bytes.clone();
            // An unfinished transaction that is longer than a block of the copy.
            bytes.extend([0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x7f, 0, 0, 0, b' ', 0, 0, 0, 0, 0, 0]);
            bytes.resize(ground.data.bytes.len() + tail, 1);
            fs::write(&ground.source, &bytes).expect("a source");
            ground.backup(flags);
            ground.verify("deep").expect(0);
            expect_newest_is_the_source(&ground, &format!("{flags:?} {tail}"));
        }
    }
}

#[test]
fn a_flaw_in_a_saved_index_does_not_go_on_into_the_next_point() {
    // Nothing on record says what an .index should be. A backup that starts from the last one takes over every flaw
    // that its samples miss, and each later point inherits it.
    let mut ground = Ground::new();
    for oid in 1000..1300 {
        ground.data.commit(&[(oid, 20)]);
    }
    ground.grow(1);
    let stamp = ground.backup(&[]);
    let path = ground.file(&format!("{stamp}.index"));
    let index = fs::read(&path).expect("an index");
    ground.grow(1);
    let mut missed = Vec::new();
    // The values are at the end of the only bucket, six bytes each.
    for entry in 2..60 {
        let mut flawed = index.clone();
        let at = index.len() - 6 - 6 * entry;
        flawed[at] ^= 1;
        fs::write(&path, flawed).expect("a flawed index");
        let next = ground.backup(&["--quick"]);
        let run = ground.run(&["verify", "--depth", "deep", &format!("{}@{next}", ground.repo.display())]);
        if run.text().contains(&format!("{next}.index")) {
            missed.push(entry);
        }
        let dat = ground.file(&format!("{stamp}.dat"));
        let first = fs::read_to_string(&dat).expect("an index").lines().next().map(|line| format!("{line}\n"));
        fs::write(&dat, first.expect("a line")).expect("an index of one line");
        for suffix in ["deltafs", "index"] {
            fs::remove_file(ground.file(&format!("{next}.{suffix}"))).expect("the increment goes");
        }
    }
    assert!(missed.is_empty(), "{} of 58 flaws went on into the next point's index: {missed:?}", missed.len());
}
