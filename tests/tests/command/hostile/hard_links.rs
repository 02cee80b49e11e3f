//! What has a second name: a snapshot made of hard links keeps its bytes, whatever is written under the first name.

use std::fs;
use std::os::unix::fs::MetadataExt;

use highwater_tests::specimens::hostile::NOW;
use highwater_tests::specimens::repozo::hostile::Stage;

#[test]
fn a_lock_file_in_a_snapshot_is_not_written() {
    let stage = Stage::new();
    let (lock, kept) = (stage.fixture.file(".highwater.lock"), stage.outside("lock"));
    fs::hard_link(&lock, &kept).expect("a hard link");
    let before = fs::read(&kept).expect("a lock");
    for _ in 0..2 {
        let paths = ["backup".as_ref(), stage.fixture.source.as_os_str(), stage.repo.as_os_str()];
        stage.fixture.run(&paths).expect(0);
        assert!(fs::read(&kept).expect("the snapshot's lock") == before, "the lock's other name was written to");
        assert_eq!(fs::metadata(&lock).expect("a lock").nlink(), 1, "the repository has a lock of its own now");
        assert_ne!(fs::read(&lock).expect("a lock"), before, "which names its holder");
    }
    assert!(!stage.fixture.file(".highwater.lock.highwater-tmp").exists());
}

#[test]
fn a_restore_does_not_write_through_a_hard_link() {
    for (flags, at) in [(&[][..], 2), (&["--quick"], 2), (&["--full"], 2), (&["--in-place", "--full"], 2), (&[], 1)] {
        let stage = Stage::new();
        let (target, kept) = (stage.fixture.path("out/standby.fs"), stage.outside("snapshot.fs"));
        // At point 1 from the newest one, this cuts; otherwise it appends.
        let held = &stage.backed_up[..stage.lengths[if at == 1 { 2 } else { 0 }]];
        fs::write(&target, held).expect("a standby");
        fs::hard_link(&target, &kept).expect("a hard link");
        stage.fixture.restore(&format!("@{}", stage.stamps[at]), &target, flags).expect(0);
        assert!(fs::read(&target).expect("a target") == stage.backed_up[..stage.lengths[at]], "{flags:?} {at}");
        assert!(fs::read(&kept).expect("the snapshot") == held, "{flags:?} {at}: its other name was written to");
    }
}

#[test]
fn a_part_with_another_name_is_not_taken_up() {
    for flags in [&[][..], &["--in-place", "--full"]] {
        let stage = Stage::new();
        let (target, part) = (stage.fixture.path("out/standby.fs"), stage.fixture.path("out/standby.fs.part"));
        // A beginning of the point that ends nowhere, so that all of it is written anew.
        fs::write(&target, &stage.backed_up[..30]).expect("an old database");
        fs::hard_link(stage.outside("victim"), &part).expect("a hard link");
        let run = stage.fixture.restore("", &target, flags);
        run.expect(0).says("standby.fs.part").says("another name");
        assert_eq!(fs::read(stage.outside("victim")).expect("the victim"), b"precious");
        assert_eq!(fs::read(&part).expect("the part"), b"precious", "{flags:?}");
        assert!(fs::read(&target).expect("the database") == stage.backed_up, "{flags:?}");
    }
}

#[test]
fn an_index_of_the_future_without_a_backup_stops_the_next_one() {
    // A full backup would sort before it, and "the newest point" would then lead to the index and not to the backup.
    let stage = Stage::new();
    fs::write(stage.fixture.file("2099-01-01-00-00-00.dat"), "").expect("an index");
    let paths = ["backup".as_ref(), stage.fixture.source.as_os_str(), stage.repo.as_os_str()];
    let run = stage.fixture.run(&paths);
    assert!(run.expect(4).one_line().contains("2099-01-01-00-00-00"), "{}", run.account());
    assert!(!stage.fixture.file(&format!("{NOW}.fs")).exists(), "{}", run.account());
}
