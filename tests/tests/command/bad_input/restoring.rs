//! Restores from damaged sets and onto odd targets: the old database survives whatever happens.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use highwater_tests::repo::{Fixture, load};
use highwater_tests::repository::expect_same_bytes;

/// The status byte of a transaction lies so far behind its start.
const STATUS: usize = 16;

#[track_caller]
fn expect_bytes(path: &Path, wanted: &[u8], what: &str) {
    expect_same_bytes(&fs::read(path).unwrap_or_else(|error| panic!("{what}: {error}")), wanted, what);
}

/// A chain of three points, the lengths of the source at each, and a target restored to the first.
fn standby() -> (Fixture, [String; 3], [usize; 3], std::path::PathBuf) {
    let (fixture, stamps) = Fixture::with_chain();
    let target = fixture.path("standby.fs");
    let mut lengths = [0; 3];
    for (length, stamp) in lengths.iter_mut().zip(&stamps).rev() {
        fixture.restore(&format!("@{stamp}"), &target, &["--full"]).expect(0);
        *length = fs::metadata(&target).expect("a target").len().try_into().expect("a length");
    }
    (fixture, stamps, lengths, target)
}

/// Flips a byte of a file of the repository.
#[track_caller]
fn spoil(fixture: &Fixture, name: &str, at: usize) {
    let mut bytes = fs::read(fixture.file(name)).expect("a file");
    bytes[at] ^= 1;
    fs::write(fixture.file(name), bytes).expect("a spoilt file");
}

#[test]
fn missing_bytes_are_appended_and_nothing_else() {
    let (fixture, stamps, lengths, target) = standby();
    for (flags, upto) in [(&[][..], 1), (&["--quick"], 2), (&[], 2)] {
        let run = fixture.restore(&format!("@{}", stamps[upto]), &target, flags);
        run.expect(0);
        expect_bytes(&target, &fixture.data.bytes[..lengths[upto]], &run.line);
        expect_bytes(
            &fixture.path("standby.fs.index"),
            &fs::read(fixture.file(&format!("{}.index", stamps[upto]))).expect("an index"),
            "the index beside it",
        );
    }
}

#[test]
fn a_damaged_increment_leaves_the_target_as_it_was() {
    for (case, at) in [("first byte", 0), ("status", STATUS), ("last byte", usize::MAX)] {
        for flags in [&[][..], &["--quick"]] {
            let (fixture, stamps, lengths, target) = standby();
            let name = format!("{}.deltafs", stamps[2]);
            let size = fs::metadata(fixture.file(&name)).expect("an increment").len();
            spoil(&fixture, &name, at.min(usize::try_from(size).expect("a length") - 1));
            let run = fixture.restore("", &target, flags);
            assert!(run.expect(1).one_line().contains(&name), "{case}: {}", run.account());
            expect_bytes(&target, &fixture.data.bytes[..lengths[0]], case);
            fixture.restore(&format!("@{}", stamps[1]), &target, flags).expect(0);
            expect_bytes(&target, &fixture.data.bytes[..lengths[1]], "the point before is still to be had");
        }
    }
}

#[test]
fn a_damaged_set_replaces_no_old_database() {
    for flags in [&[][..], &["--full"]] {
        let (fixture, stamps, _, _) = standby();
        let target = fixture.path("other.fs");
        fs::write(&target, b"FS30 some other database").expect("an old database");
        fs::write(fixture.path("other.fs.index"), b"its index").expect("an old index");
        spoil(&fixture, &format!("{}.fs", stamps[0]), 700);
        let run = fixture.restore("", &target, flags);
        // Unless somebody says that it may be given up, another database is not even tried.
        let (code, word) = if flags.is_empty() { (4, "other.fs".to_owned()) } else { (1, format!("{}.fs", stamps[0])) };
        assert!(run.expect(code).stderr.contains(&word), "{}", run.account());
        expect_bytes(&target, b"FS30 some other database", "the old database");
        expect_bytes(&fixture.path("other.fs.index"), b"its index", "and its index");
    }
}

#[test]
fn a_missing_increment_or_a_gap_is_no_success() {
    let (fixture, stamps, lengths, target) = standby();
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[1]))).expect("an increment goes");
    for out in [&target, &fixture.path("new.fs")] {
        fixture.restore("", out, &[]).expect(1).says("missing");
        fixture.restore(&format!("@{}", stamps[1]), out, &["--full"]).expect(1).says("missing");
    }
    expect_bytes(&target, &fixture.data.bytes[..lengths[0]], "the target");
    assert!(!fixture.path("new.fs").exists());
    let path = fixture.file(&format!("{}.dat", stamps[0]));
    let text = fs::read_to_string(&path).expect("an index");
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&path, format!("{}\n{}\n", lines[0], lines[2])).expect("an index with a gap");
    fixture.restore("", &target, &[]).expect(1).says("HW112");
    expect_bytes(&target, &fixture.data.bytes[..lengths[0]], "the target");
}

#[test]
fn an_older_point_cuts_and_a_grown_target_is_given_up_when_asked_to() {
    let (fixture, stamps, lengths, target) = standby();
    fixture.restore("", &target, &[]).expect(0);
    fixture.restore(&format!("@{}", stamps[1]), &target, &[]).expect(0);
    expect_bytes(&target, &fixture.data.bytes[..lengths[1]], "cut back");
    // A server ran on the standby and committed something of its own.
    let mut grown = fixture.data.bytes[..lengths[1]].to_vec();
    grown.extend([9; 50]);
    for flags in [&[][..], &["--quick"]] {
        fs::write(&target, &grown).expect("a grown target");
        fixture.restore("", &target, flags).expect(4).says("--full");
        expect_bytes(&target, &grown, "a tail of its own is kept");
        fixture.restore("", &target, &["--full"]).expect(0);
        expect_bytes(&target, &fixture.data.bytes, "a tail of its own is given up");
        fs::write(&target, [&fixture.data.bytes[..], &[9; 50]].concat()).expect("longer than the newest point");
        fixture.restore("", &target, flags).expect(4).says("and then 50 bytes more");
        fixture.restore("", &target, &["--full"]).expect(0);
        expect_bytes(&target, &fixture.data.bytes, "longer than the newest point");
    }
    // Half of an increment is there already, as after a crash.
    for extra in [1, STATUS + 1, 40] {
        fs::write(&target, &fixture.data.bytes[..lengths[1] + extra]).expect("a target in the middle");
        fixture.restore("", &target, &[]).expect(0);
        expect_bytes(&target, &fixture.data.bytes, "taken up in the middle of an increment");
    }
}

#[test]
fn in_place_gives_the_old_file_up_only_when_all_is_written_anew() {
    let (fixture, _, _, target) = standby();
    fixture.restore("", &target, &["--in-place"]).expect(0).never_says("in place");
    expect_bytes(&target, &fixture.data.bytes, "an append needs no room");
    fs::write(&target, b"FS30 something else, long enough to be taken for a database").expect("another file");
    fixture.restore("", &target, &["--in-place", "--full"]).expect(0).says("in place");
    expect_bytes(&target, &fixture.data.bytes, "written anew");
    assert!(!fixture.path("standby.fs.part").exists());
}

#[test]
fn a_part_that_was_left_is_taken_up_and_made_whole() {
    let (fixture, _, lengths, _) = standby();
    let whole = &fixture.data.bytes;
    let mut wrong_middle = whole.clone();
    wrong_middle[lengths[0] + 5] ^= 1;
    let longer = [&whole[..], &[1; 999]].concat();
    let zeros = vec![0; whole.len()];
    let parts: [&[u8]; 6] = [b"", &whole[..lengths[1] + 3], &wrong_middle, &longer, &zeros, whole];
    for (case, part) in parts.into_iter().enumerate() {
        let target = fixture.path("new.fs");
        let _ = fs::remove_file(&target);
        fs::write(fixture.path("new.fs.part"), part).expect("a left over part");
        let run = fixture.restore("", &target, &["-v"]);
        run.expect(0).says("taking up");
        expect_bytes(&target, whole, &format!("part {case}"));
    }
}

#[test]
fn a_part_that_is_a_link_is_not_followed() {
    let (fixture, _, _, _) = standby();
    let (victim, target) = (fixture.path("victim"), fixture.path("new.fs"));
    fs::write(&victim, "precious").expect("a file");
    for (case, to) in [("a file", victim.clone()), ("nowhere", fixture.path("nowhere"))] {
        let _ = fs::remove_file(fixture.path("new.fs.part"));
        symlink(&to, fixture.path("new.fs.part")).expect("a link");
        for flags in [&[][..], &["--in-place"]] {
            let run = fixture.restore("", &target, flags);
            assert!(run.expect(0).one_line().contains("new.fs.part"), "{case}: {}", run.account());
            expect_bytes(&victim, b"precious", case);
            assert!(!fixture.path("nowhere").exists() && fixture.path("new.fs.part").is_symlink(), "{case}");
            expect_bytes(&target, &fixture.data.bytes, case);
            fs::remove_file(&target).expect("a target");
        }
    }
}

#[test]
fn a_target_that_is_a_link_stays_one() {
    // `Data.fs -> /big/disk/Data.fs`: an append and a full restore must agree on what they do with it, and neither may
    // put a terabyte where the link was.
    let (fixture, _, lengths, _) = standby();
    let (real, link) = (fixture.path("real.fs"), fixture.path("link.fs"));
    symlink(&real, &link).expect("a link");
    for (case, flags, before) in [("append", &[][..], lengths[0]), ("full", &["--full"], lengths[0])] {
        fs::write(&real, &fixture.data.bytes[..before]).expect("an old database");
        let run = fixture.restore("", &link, flags);
        assert!(link.is_symlink(), "{case}: the link was replaced\n{}", run.account());
        let now = fs::read(&real).expect("the real file");
        let wanted = if run.code == 0 { &fixture.data.bytes[..] } else { &fixture.data.bytes[..before] };
        expect_same_bytes(&now, wanted, case);
    }
}

#[test]
fn a_target_that_is_no_plain_file_is_refused() {
    let (fixture, ..) = standby();
    let folder = fixture.path("folder");
    fs::create_dir(&folder).expect("a folder");
    let fifo = fixture.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    for (target, flags) in [(&folder, &[][..]), (&folder, &["--full"]), (&fifo, &[]), (&fifo, &["--full"])] {
        let run = fixture.restore("", target, flags);
        assert!([3, 4].contains(&run.code), "{}", run.account());
        assert!(run.stderr.contains(&*target.to_string_lossy()), "{}", run.account());
        assert!(folder.is_dir() && !fifo.is_file(), "{}", run.account());
    }
    fixture.restore("", &fixture.path("no/such/folder/out.fs"), &[]).expect(4).says("no/such/folder");
}

#[test]
fn a_running_database_is_not_written_under() {
    let (fixture, _, lengths, target) = standby();
    let lock = File::create(fixture.path("standby.fs.lock")).expect("a lock file");
    lock.try_lock().expect("the database is opened");
    for flags in [&[][..], &["--full"], &["--quick"], &["--in-place", "--full"]] {
        let run = fixture.restore("", &target, flags);
        assert!(run.expect(4).one_line().contains("standby.fs.lock"), "{}", run.account());
        expect_bytes(&target, &fixture.data.bytes[..lengths[0]], "the open database");
    }
    lock.unlock().expect("the database is closed");
    fixture.restore("", &target, &[]).expect(0);
}

#[test]
fn a_crash_before_the_seal_is_lifted_is_mended_in_every_mode() {
    // An append writes the first new transaction's status as 'c' and lifts that seal last. After a power cut just
    // before, everything is there but that byte, and a database ends where it stands: the restore must see and mend it.
    for upto in [1, 2] {
        for flags in [&[][..], &["--quick"]] {
            let (fixture, _, lengths, target) = standby();
            let mut crashed = fixture.data.bytes[..lengths[upto]].to_vec();
            crashed[lengths[0] + STATUS] = b'c';
            fs::write(&target, &crashed).expect("a target after a crash");
            let run = fixture.restore("", &target, flags);
            run.expect(0);
            expect_bytes(&target, &fixture.data.bytes, &format!("crashed at {upto}, {flags:?}\n{}", run.account()));
        }
    }
}

#[test]
fn a_quick_restore_does_not_claim_to_have_checked_every_chunk() {
    let (fixture, _, _, target) = standby();
    fixture.restore("", &target, &[]).expect(0);
    let mut bytes = fixture.data.bytes.clone();
    bytes[500] ^= 1;
    fs::write(&target, bytes).expect("a target with a flaw in its first chunk");
    let run = fixture.restore("", &target, &["--quick"]);
    assert!(!run.text().contains("every chunk checked"), "it looked at the last one only\n{}", run.account());
}

#[test]
fn a_damaged_set_to_standard_output_fails() {
    let (fixture, stamps, lengths, _) = standby();
    let stdout = Path::new("-");
    let run = fixture.restore("", stdout, &[]);
    expect_same_bytes(&run.expect(0).stdout, &fixture.data.bytes, "a sound set");
    spoil(&fixture, &format!("{}.deltafs", stamps[1]), 30);
    let run = fixture.restore("", stdout, &[]);
    assert!(run.expect(1).one_line().contains(&format!("{}.deltafs", stamps[1])), "{}", run.account());
    assert!(run.stdout.len() <= lengths[1], "nothing of what follows the damage: {}", run.stdout.len());
    expect_same_bytes(&run.stdout[..lengths[0]], &fixture.data.bytes[..lengths[0]], "what came before");
}

#[test]
fn a_saved_index_with_any_flaw_is_not_put_beside_the_database() {
    let mut fixture = Fixture::new();
    for oid in 1000..1300 {
        fixture.data.commit(&[(oid, 20)]);
    }
    fixture.grow(1);
    let stamp = fixture.backup(&[]);
    let target = fixture.path("out.fs");
    let path = fixture.file(&format!("{stamp}.index"));
    let index = fs::read(&path).expect("an index");
    let mut missed = Vec::new();
    for entry in 2..60 {
        let mut flawed = index.clone();
        flawed[index.len() - 6 - 6 * entry] ^= 1;
        fs::write(&path, &flawed).expect("a flawed index");
        fixture.restore("", &target, &["--full"]).expect(0);
        if fs::read(fixture.path("out.fs.index")).is_ok_and(|put| put == flawed) {
            missed.push(entry);
        }
    }
    assert!(missed.is_empty(), "{} of 58 flawed indices were put beside the database: {missed:?}", missed.len());
}

#[test]
fn a_restored_database_is_never_more_open_than_the_old_one() {
    use std::os::unix::fs::PermissionsExt;
    let (fixture, stamps, _, target) = standby();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("a private database");
    fixture.restore("", &target, &["--full"]).expect(0);
    spoil(&fixture, &format!("{}.deltafs", stamps[2]), 9);
    // The part stays, and for hours before it was growing beside the private file.
    fixture.restore("", &target, &["--full"]).expect(1);
    let part = fixture.path("standby.fs.part");
    for path in [&target, &part, &fixture.path("standby.fs.index")] {
        let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}

#[test]
fn a_target_among_the_repository_s_own_files_is_refused() {
    // `restore repo repo/STAMP.fs`: the full backup is a prefix of the newest point, so an append would grow it, and a
    // restore that was to save a database would ruin its backup.
    for name in ["fs", "dat", "index"] {
        for flags in [&[][..], &["--full"], &["--quick"]] {
            let (fixture, stamps) = Fixture::with_chain();
            let before = load(&fixture.repo);
            let run = fixture.restore("", &fixture.file(&format!("{}.{name}", stamps[0])), flags);
            assert!(load(&fixture.repo) == before, "{name} {flags:?}: the repository was changed\n{}", run.account());
            assert!(run.code != 0, "{}", run.account());
        }
    }
}

#[test]
fn a_damaged_last_line_does_not_take_a_standby_back_in_time() {
    // The line ends with its line feed, so no run was interrupted: there was a newer point and its record is damaged.
    // To restore "the newest" is then no matter of course, least of all onto a target that is newer than what is left.
    for flags in [&[][..], &["--quick"], &["--full"]] {
        let (fixture, stamps, _, target) = standby();
        fixture.restore("", &target, &[]).expect(0);
        let name = format!("{}.dat", stamps[0]);
        let last = fs::read(fixture.file(&name)).expect("an index").len() - 2;
        // A hex digit becomes none: 0 to 9 and a to f with this bit flipped are p to y and ! to &.
        let mut bytes = fs::read(fixture.file(&name)).expect("an index");
        bytes[last] ^= 0x40;
        fs::write(fixture.file(&name), bytes).expect("a damaged index");
        let run = fixture.restore("", &target, flags);
        expect_bytes(&target, &fixture.data.bytes, &format!("the standby\n{}", run.account()));
        assert!(run.expect(1).stderr.contains(&name), "{}", run.account());
        // Who asks for the point before by its name gets it.
        fixture.restore(&format!("@{}", stamps[1]), &fixture.path("older.fs"), &[]).expect(0);
    }
}
