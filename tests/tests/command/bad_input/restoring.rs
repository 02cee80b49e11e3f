//! Restores from damaged sets and onto odd targets: the old database survives whatever happens.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use highwater_tests::repo::{Ground, load};
use highwater_tests::repository::expect_same_bytes;

/// The status byte of a transaction lies so far behind its start.
const STATUS: usize = 16;

#[track_caller]
fn expect_bytes(path: &Path, wanted: &[u8], what: &str) {
    expect_same_bytes(&fs::read(path).unwrap_or_else(|error| panic!("{what}: {error}")), wanted, what);
}

/// A chain of three points, the lengths of the source at each, and a target restored to the first.
fn standby() -> (Ground, [String; 3], [usize; 3], std::path::PathBuf) {
    let (ground, stamps) = Ground::with_chain();
    let target = ground.path("standby.fs");
    let mut lengths = [0; 3];
    for (length, stamp) in lengths.iter_mut().zip(&stamps).rev() {
        ground.restore(&format!("@{stamp}"), &target, &["--full"]).expect(0);
        *length = fs::metadata(&target).expect("a target").len().try_into().expect("a length");
    }
    (ground, stamps, lengths, target)
}

/// Flips a byte of a file of the repository.
#[track_caller]
fn spoil(ground: &Ground, name: &str, at: usize) {
    let mut bytes = fs::read(ground.file(name)).expect("a file");
    bytes[at] ^= 1;
    fs::write(ground.file(name), bytes).expect("a spoilt file");
}

#[test]
fn missing_bytes_are_appended_and_nothing_else() {
    let (ground, stamps, lengths, target) = standby();
    for (flags, upto) in [(&[][..], 1), (&["--quick"], 2), (&[], 2)] {
        let run = ground.restore(&format!("@{}", stamps[upto]), &target, flags);
        run.expect(0);
        expect_bytes(&target, &ground.data.bytes[..lengths[upto]], &run.line);
        expect_bytes(
            &ground.path("standby.fs.index"),
            &fs::read(ground.file(&format!("{}.index", stamps[upto]))).expect("an index"),
            "the index beside it",
        );
    }
}

#[test]
fn a_damaged_increment_leaves_the_target_as_it_was() {
    for (case, at) in [("first byte", 0), ("status", STATUS), ("last byte", usize::MAX)] {
        for flags in [&[][..], &["--quick"]] {
            let (ground, stamps, lengths, target) = standby();
            let name = format!("{}.deltafs", stamps[2]);
            let size = fs::metadata(ground.file(&name)).expect("an increment").len();
            spoil(&ground, &name, at.min(usize::try_from(size).expect("a length") - 1));
            let run = ground.restore("", &target, flags);
            assert!(run.expect(1).one_line().contains(&name), "{case}: {}", run.account());
            expect_bytes(&target, &ground.data.bytes[..lengths[0]], case);
            ground.restore(&format!("@{}", stamps[1]), &target, flags).expect(0);
            expect_bytes(&target, &ground.data.bytes[..lengths[1]], "the point before is still to be had");
        }
    }
}

#[test]
fn a_damaged_set_replaces_no_old_database() {
    for flags in [&[][..], &["--full"]] {
        let (ground, stamps, _, _) = standby();
        let target = ground.path("other.fs");
        fs::write(&target, b"FS30 some other database").expect("an old database");
        fs::write(ground.path("other.fs.index"), b"its index").expect("an old index");
        spoil(&ground, &format!("{}.fs", stamps[0]), 700);
        let run = ground.restore("", &target, flags);
        // Unless somebody says that it may be given up, another database is not even tried.
        let (code, word) = if flags.is_empty() { (4, "other.fs".to_owned()) } else { (1, format!("{}.fs", stamps[0])) };
        assert!(run.expect(code).stderr.contains(&word), "{}", run.account());
        expect_bytes(&target, b"FS30 some other database", "the old database");
        expect_bytes(&ground.path("other.fs.index"), b"its index", "and its index");
    }
}

#[test]
fn a_missing_increment_or_a_gap_is_no_success() {
    let (ground, stamps, lengths, target) = standby();
    fs::remove_file(ground.file(&format!("{}.deltafs", stamps[1]))).expect("an increment goes");
    for out in [&target, &ground.path("new.fs")] {
        ground.restore("", out, &[]).expect(1).says("missing");
        ground.restore(&format!("@{}", stamps[1]), out, &["--full"]).expect(1).says("missing");
    }
    expect_bytes(&target, &ground.data.bytes[..lengths[0]], "the target");
    assert!(!ground.path("new.fs").exists());
    let path = ground.file(&format!("{}.dat", stamps[0]));
    let text = fs::read_to_string(&path).expect("an index");
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&path, format!("{}\n{}\n", lines[0], lines[2])).expect("an index with a gap");
    ground.restore("", &target, &[]).expect(1).says("HW112");
    expect_bytes(&target, &ground.data.bytes[..lengths[0]], "the target");
}

#[test]
fn an_older_point_cuts_and_a_grown_target_is_given_up_when_asked_to() {
    let (ground, stamps, lengths, target) = standby();
    ground.restore("", &target, &[]).expect(0);
    ground.restore(&format!("@{}", stamps[1]), &target, &[]).expect(0);
    expect_bytes(&target, &ground.data.bytes[..lengths[1]], "cut back");
    // A server ran on the standby and committed something of its own.
    let mut grown = ground.data.bytes[..lengths[1]].to_vec();
    grown.extend([9; 50]);
    for flags in [&[][..], &["--quick"]] {
        fs::write(&target, &grown).expect("a grown target");
        ground.restore("", &target, flags).expect(4).says("--full");
        expect_bytes(&target, &grown, "a tail of its own is kept");
        ground.restore("", &target, &["--full"]).expect(0);
        expect_bytes(&target, &ground.data.bytes, "a tail of its own is given up");
        fs::write(&target, [&ground.data.bytes[..], &[9; 50]].concat()).expect("longer than the newest point");
        ground.restore("", &target, flags).expect(4).says("and then 50 bytes more");
        ground.restore("", &target, &["--full"]).expect(0);
        expect_bytes(&target, &ground.data.bytes, "longer than the newest point");
    }
    // Half of an increment is there already, as after a crash.
    for extra in [1, STATUS + 1, 40] {
        fs::write(&target, &ground.data.bytes[..lengths[1] + extra]).expect("a target in the middle");
        ground.restore("", &target, &[]).expect(0);
        expect_bytes(&target, &ground.data.bytes, "taken up in the middle of an increment");
    }
}

#[test]
fn in_place_gives_the_old_file_up_only_when_all_is_written_anew() {
    let (ground, _, _, target) = standby();
    ground.restore("", &target, &["--in-place"]).expect(0).never_says("in place");
    expect_bytes(&target, &ground.data.bytes, "an append needs no room");
    fs::write(&target, b"FS30 something else, long enough to be taken for a database").expect("another file");
    ground.restore("", &target, &["--in-place", "--full"]).expect(0).says("in place");
    expect_bytes(&target, &ground.data.bytes, "written anew");
    assert!(!ground.path("standby.fs.part").exists());
}

#[test]
fn a_part_that_was_left_is_taken_up_and_made_whole() {
    let (ground, _, lengths, _) = standby();
    let whole = &ground.data.bytes;
    let mut wrong_middle = whole.clone();
    wrong_middle[lengths[0] + 5] ^= 1;
    let longer = [&whole[..], &[1; 999]].concat();
    let zeros = vec![0; whole.len()];
    let parts: [&[u8]; 6] = [b"", &whole[..lengths[1] + 3], &wrong_middle, &longer, &zeros, whole];
    for (case, part) in parts.into_iter().enumerate() {
        let target = ground.path("new.fs");
        let _ = fs::remove_file(&target);
        fs::write(ground.path("new.fs.part"), part).expect("a left over part");
        let run = ground.restore("", &target, &["-v"]);
        run.expect(0).says("taking up");
        expect_bytes(&target, whole, &format!("part {case}"));
    }
}

#[test]
fn a_part_that_is_a_link_is_not_followed() {
    let (ground, _, _, _) = standby();
    let (victim, target) = (ground.path("victim"), ground.path("new.fs"));
    fs::write(&victim, "precious").expect("a file");
    for (case, to) in [("a file", victim.clone()), ("nowhere", ground.path("nowhere"))] {
        let _ = fs::remove_file(ground.path("new.fs.part"));
        symlink(&to, ground.path("new.fs.part")).expect("a link");
        for flags in [&[][..], &["--in-place"]] {
            let run = ground.restore("", &target, flags);
            assert!(run.expect(0).one_line().contains("new.fs.part"), "{case}: {}", run.account());
            expect_bytes(&victim, b"precious", case);
            assert!(!ground.path("nowhere").exists() && ground.path("new.fs.part").is_symlink(), "{case}");
            expect_bytes(&target, &ground.data.bytes, case);
            fs::remove_file(&target).expect("a target");
        }
    }
}

#[test]
fn a_target_that_is_a_link_stays_one() {
    // `Data.fs -> /big/disk/Data.fs`: an append and a full restore must agree on what they do with it, and neither may
    // put a terabyte where the link was.
    let (ground, _, lengths, _) = standby();
    let (real, link) = (ground.path("real.fs"), ground.path("link.fs"));
    symlink(&real, &link).expect("a link");
    for (case, flags, before) in [("append", &[][..], lengths[0]), ("full", &["--full"], lengths[0])] {
        fs::write(&real, &ground.data.bytes[..before]).expect("an old database");
        let run = ground.restore("", &link, flags);
        assert!(link.is_symlink(), "{case}: the link was replaced\n{}", run.account());
        let now = fs::read(&real).expect("the real file");
        let wanted = if run.code == 0 { &ground.data.bytes[..] } else { &ground.data.bytes[..before] };
        expect_same_bytes(&now, wanted, case);
    }
}

#[test]
fn a_target_that_is_no_plain_file_is_refused() {
    let (ground, ..) = standby();
    let folder = ground.path("folder");
    fs::create_dir(&folder).expect("a folder");
    let fifo = ground.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    for (target, flags) in [(&folder, &[][..]), (&folder, &["--full"]), (&fifo, &[]), (&fifo, &["--full"])] {
        let run = ground.restore("", target, flags);
        assert!([3, 4].contains(&run.code), "{}", run.account());
        assert!(run.stderr.contains(&*target.to_string_lossy()), "{}", run.account());
        assert!(folder.is_dir() && !fifo.is_file(), "{}", run.account());
    }
    ground.restore("", &ground.path("no/such/folder/out.fs"), &[]).expect(3).says("no/such/folder");
}

#[test]
fn a_running_database_is_not_written_under() {
    let (ground, _, lengths, target) = standby();
    let lock = File::create(ground.path("standby.fs.lock")).expect("a lock file");
    lock.try_lock().expect("the database is opened");
    for flags in [&[][..], &["--full"], &["--quick"], &["--in-place", "--full"]] {
        let run = ground.restore("", &target, flags);
        assert!(run.expect(4).one_line().contains("standby.fs.lock"), "{}", run.account());
        expect_bytes(&target, &ground.data.bytes[..lengths[0]], "the open database");
    }
    lock.unlock().expect("the database is closed");
    ground.restore("", &target, &[]).expect(0);
}

#[test]
fn a_crash_before_the_seal_is_lifted_is_mended_in_every_mode() {
    // An append writes the first new transaction's status as 'c' and lifts that seal last. After a power cut just
    // before, everything is there but that byte, and a database ends where it stands: the restore must see and mend it.
    for upto in [1, 2] {
        for flags in [&[][..], &["--quick"]] {
            let (ground, _, lengths, target) = standby();
            let mut crashed = ground.data.bytes[..lengths[upto]].to_vec();
            crashed[lengths[0] + STATUS] = b'c';
            fs::write(&target, &crashed).expect("a target after a crash");
            let run = ground.restore("", &target, flags);
            run.expect(0);
            expect_bytes(&target, &ground.data.bytes, &format!("crashed at {upto}, {flags:?}\n{}", run.account()));
        }
    }
}

#[test]
fn a_quick_restore_does_not_claim_to_have_checked_every_chunk() {
    let (ground, _, _, target) = standby();
    ground.restore("", &target, &[]).expect(0);
    let mut bytes = ground.data.bytes.clone();
    bytes[500] ^= 1;
    fs::write(&target, bytes).expect("a target with a flaw in its first chunk");
    let run = ground.restore("", &target, &["--quick"]);
    assert!(!run.text().contains("every chunk checked"), "it looked at the last one only\n{}", run.account());
}

#[test]
fn a_damaged_set_to_standard_output_fails() {
    let (ground, stamps, lengths, _) = standby();
    let stdout = Path::new("-");
    let run = ground.restore("", stdout, &[]);
    expect_same_bytes(&run.expect(0).stdout, &ground.data.bytes, "a sound set");
    spoil(&ground, &format!("{}.deltafs", stamps[1]), 30);
    let run = ground.restore("", stdout, &[]);
    assert!(run.expect(1).one_line().contains(&format!("{}.deltafs", stamps[1])), "{}", run.account());
    assert!(run.stdout.len() <= lengths[1], "nothing of what follows the damage: {}", run.stdout.len());
    expect_same_bytes(&run.stdout[..lengths[0]], &ground.data.bytes[..lengths[0]], "what came before");
}

#[test]
fn a_saved_index_with_any_flaw_is_not_put_beside_the_database() {
    let mut ground = Ground::new();
    for oid in 1000..1300 {
        ground.data.commit(&[(oid, 20)]);
    }
    ground.grow(1);
    let stamp = ground.backup(&[]);
    let target = ground.path("out.fs");
    let path = ground.file(&format!("{stamp}.index"));
    let index = fs::read(&path).expect("an index");
    let mut missed = Vec::new();
    for entry in 2..60 {
        let mut flawed = index.clone();
        flawed[index.len() - 6 - 6 * entry] ^= 1;
        fs::write(&path, &flawed).expect("a flawed index");
        ground.restore("", &target, &["--full"]).expect(0);
        if fs::read(ground.path("out.fs.index")).is_ok_and(|put| put == flawed) {
            missed.push(entry);
        }
    }
    assert!(missed.is_empty(), "{} of 58 flawed indices were put beside the database: {missed:?}", missed.len());
}

#[test]
fn a_restored_database_is_never_more_open_than_the_old_one() {
    use std::os::unix::fs::PermissionsExt;
    let (ground, stamps, _, target) = standby();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("a private database");
    ground.restore("", &target, &["--full"]).expect(0);
    spoil(&ground, &format!("{}.deltafs", stamps[2]), 9);
    // The part stays, and for hours before it was growing beside the private file.
    ground.restore("", &target, &["--full"]).expect(1);
    let part = ground.path("standby.fs.part");
    for path in [&target, &part, &ground.path("standby.fs.index")] {
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
            let (ground, stamps) = Ground::with_chain();
            let before = load(&ground.repo);
            let run = ground.restore("", &ground.file(&format!("{}.{name}", stamps[0])), flags);
            assert!(load(&ground.repo) == before, "{name} {flags:?}: the repository was changed\n{}", run.account());
            assert!(run.code != 0, "{}", run.account());
        }
    }
}

#[test]
fn a_damaged_last_line_does_not_take_a_standby_back_in_time() {
    // The line ends with its line feed, so no run was interrupted: there was a newer point and its record is damaged.
    // To restore "the newest" is then no matter of course, least of all onto a target that is newer than what is left.
    for flags in [&[][..], &["--quick"], &["--full"]] {
        let (ground, stamps, _, target) = standby();
        ground.restore("", &target, &[]).expect(0);
        let name = format!("{}.dat", stamps[0]);
        let last = fs::read(ground.file(&name)).expect("an index").len() - 2;
        // A hex digit becomes none: 0 to 9 and a to f with this bit flipped are p to y and ! to &.
        let mut bytes = fs::read(ground.file(&name)).expect("an index");
        bytes[last] ^= 0x40;
        fs::write(ground.file(&name), bytes).expect("a damaged index");
        let run = ground.restore("", &target, flags);
        expect_bytes(&target, &ground.data.bytes, &format!("the standby\n{}", run.account()));
        assert!(run.expect(1).stderr.contains(&name), "{}", run.account());
        // Who asks for the point before by its name gets it.
        ground.restore(&format!("@{}", stamps[1]), &ground.path("older.fs"), &[]).expect(0);
    }
}
