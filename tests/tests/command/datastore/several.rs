//! Snapshots of several archives, and of small files beside them: a machine with two disks and its configuration.

use std::fs::{self, File};
use std::path::PathBuf;

use highwater_tests::datastore::{Sample, by_verdict, report};
use highwater_tests::dice::Dice;
use serde_json::Value;

use crate::datastore::backup::{Fixture, is_sound_to_the_reader, sum};

const POINT: &str = "vm/100/2026-03-01T00:00:00Z";
const CONFIGURATION: &str = "name: secret-machine\nscsi0: local:vm-100-disk-0\n";

/// What goes into a snapshot beside the first disk.
struct Machine {
    fixture: Fixture,
    disk: PathBuf,
    configuration: PathBuf,
}

impl Machine {
    /// The second disk begins like the first, and ends with noise of its own.
    fn new() -> Self {
        let fixture = Fixture::new();
        let (disk, configuration) = (fixture.path("disk1.raw"), fixture.path("100=a.conf"));
        let mut bytes = fs::read(&fixture.source).expect("the source")[..131_072].to_vec();
        bytes.extend(Dice::new(21).bytes(100_000));
        fs::write(&disk, bytes).expect("it is written");
        fs::write(&configuration, CONFIGURATION).expect("it is written");
        Self { fixture, disk, configuration }
    }

    fn backup(&self, number: usize, more: &[&str]) -> highwater_tests::run::Run {
        let disk = format!("drive-scsi1.img={}", self.disk.display());
        let configuration = format!("qemu-server.conf={}", self.configuration.display());
        self.fixture.backup(number, &[&["--also", &disk, "--also", &configuration], more].concat())
    }
}

/// The sums that the reader gives for the three.
#[track_caller]
fn expect_sums(machine: &Machine, sums: &Value, point: &str) {
    for (name, file) in [
        ("drive-scsi0.img.fidx", &machine.fixture.source),
        ("drive-scsi1.img.fidx", &machine.disk),
        ("qemu-server.conf.blob", &machine.configuration),
    ] {
        assert_eq!(sums[format!("{point}/{name}")], sum(file), "{name}");
    }
}

#[test]
fn disks_and_their_configuration_are_one_snapshot_and_come_back_one_by_one() {
    let machine = Machine::new();
    let fixture = &machine.fixture;
    machine.backup(0, &["--dry-run"]).expect(0).prints("would write").prints("16 chunks, 11 of them new");
    assert!(!fixture.store.join("vm").exists());
    let wrote = format!(
        "wrote {POINT}: drive-scsi0.img 722.6 KiB, drive-scsi1.img 225.6 KiB, qemu-server.conf 48 bytes in 16 \
         chunks, 11 of them new, "
    );
    machine.backup(0, &[]).expect(0).prints(&wrote);
    expect_sums(&machine, &is_sound_to_the_reader(&fixture.store, None), POINT);
    fixture.is_sound();
    for (name, file) in [
        ("drive-scsi0.img", &fixture.source),
        ("drive-scsi1.img", &machine.disk),
        ("qemu-server.conf", &machine.configuration),
    ] {
        let bytes = fixture.restore(&format!("{POINT}/{name}"), &[]);
        assert!(bytes == fs::read(file).expect("a source"), "{name}");
    }
    // Of both disks, what was there before is not read again; the second has grown.
    let mut bytes = fs::read(&machine.disk).expect("a disk");
    bytes.extend_from_slice(b"more");
    fs::write(&machine.disk, bytes).expect("it is written");
    machine.backup(1, &["--append-only"]).expect(0).prints("16 chunks, 1 of them new").prints("14 not read again");
    expect_sums(&machine, &is_sound_to_the_reader(&fixture.store, None), "vm/100/2026-03-02T00:00:00Z");
    fixture.is_sound();
}

#[test]
fn a_configuration_is_encrypted_like_the_disks() {
    let machine = Machine::new();
    let key = Sample::made().truth("key.json");
    let keyed = ["--keyfile", key.to_str().expect("text")];
    machine.backup(0, &keyed).expect(0);
    let blob = fs::read(machine.fixture.store.join(POINT).join("qemu-server.conf.blob")).expect("a blob");
    assert!(!blob.windows(6).any(|bytes| bytes == b"secret"));
    expect_sums(&machine, &is_sound_to_the_reader(&machine.fixture.store, Some(&key)), POINT);
    assert_eq!(machine.fixture.restore(&format!("{POINT}/qemu-server.conf"), &keyed), CONFIGURATION.as_bytes());
    let (code, found) = report(&machine.fixture.store, &keyed);
    assert_eq!((code, &found["verdict"]), (0, &"sound".into()), "{found:#}");
    let (code, found) = report(&machine.fixture.store, &[]);
    assert_eq!((code, by_verdict(&found)["inconclusive"].len()), (3, 1), "{found:#}");
}

#[test]
fn of_each_archive_the_snapshot_before_is_marked_when_it_lost_a_chunk() {
    // The first snapshot has both disks, the second the first alone: each of them is the one before for one disk. That
    // the first needs a chunk of the first disk too is not looked at: a verification tells.
    for (archive, at, marked) in [("drive-scsi0.img", 11, [false, true]), ("drive-scsi1.img", 3, [true, false])] {
        let machine = Machine::new();
        let fixture = &machine.fixture;
        machine.backup(0, &[]).expect(0);
        fixture.backup(1, &[]).expect(0);
        fs::remove_file(fixture.chunk_of(0, archive, at)).expect("it is removed");
        machine.backup(2, &[]).expect(0).prints("1 chunk that the store had lost is there again");
        assert_eq!([fixture.is_failed(0), fixture.is_failed(1)], marked, "{archive}");
        fixture.is_sound();
    }
    // A chunk that both disks have was lost to the snapshot once.
    let machine = Machine::new();
    machine.backup(0, &[]).expect(0);
    fs::remove_file(machine.fixture.chunk_of(0, "drive-scsi1.img", 0)).expect("it is removed");
    let run = machine.backup(1, &[]);
    run.expect(0).prints("1 chunk that the store had lost is there again");
    assert_eq!(run.stderr.matches("It is marked as failed").count(), 1, "{}", run.account());
    assert!(run.stderr.contains("1 of them are there again"), "{}", run.account());
}

#[test]
fn what_cannot_be_in_a_snapshot_is_refused_before_anything_is_written() {
    let machine = Machine::new();
    let fixture = &machine.fixture;
    let (empty, long) = (fixture.path("empty"), fixture.path("long"));
    File::create(&empty).expect("a file");
    File::create(&long).expect("a file").set_len((16 << 20) + 1).expect("its length is set");
    let nowhere = fixture.path("nowhere");
    for (name, file, code, says) in [
        ("drive-scsi0.img", &machine.disk, 2, "two archives are called 'drive-scsi0.img'"),
        ("drive-scsi0.img.fidx", &machine.disk, 2, "two archives are called 'drive-scsi0.img.fidx'"),
        ("root.pxar.didx", &machine.disk, 2, "an archive cannot be called 'root.pxar.didx'"),
        ("client.log", &machine.disk, 2, "an archive cannot be called 'client.log'"),
        ("../drive.img", &machine.disk, 2, "an archive cannot be called '../drive.img'"),
        ("", &machine.disk, 2, "it must be a name, =, and a file"),
        ("drive-scsi1.img", &empty, 4, "is empty"),
        ("qemu-server.conf", &empty, 4, "is empty"),
        ("qemu-server.conf", &long, 4, "is for at most 16777216"),
        ("drive-scsi1.img", &nowhere, 3, "nowhere"),
        ("qemu-server.conf", &nowhere, 3, "nowhere"),
    ] {
        let also = format!("{name}={}", file.display());
        fixture.backup(0, &["--also", &also]).expect(code).says(says);
    }
    assert!(!fixture.store.join("vm").exists());
}
