//! Somebody else takes the second that a snapshot was to have: a server's locks lie outside the store.

use std::fs;
use std::process::Command;

use highwater_core::formats::datastore::names::time_of;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::Sample;
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;
use super::fixture::{Fixture, NOW, folder_of};

#[test]
fn a_second_that_another_takes_meanwhile_is_left_to_it() {
    let mut score = Score::part(LINE, "a second that another takes meanwhile");
    for key in [None, Some(Sample::made().truth("key.json"))] {
        let fixture = Fixture::new(24 << 20);
        let mut more = vec!["--also"];
        let conf = format!("vm.conf={}", fixture.path("vm.conf").display());
        fs::write(fixture.path("vm.conf"), "cores: 2\n").expect("it is written");
        more.push(&conf);
        let path = key.as_ref().map(|key| key.display().to_string());
        let keyed: Vec<&str> = path.iter().flat_map(|path| ["--keyfile", path]).collect();
        let mut command = fixture.command("vm/100/drive-scsi0.img", &[&more[..], &keyed].concat());
        command.env("HIGHWATER_NOW", NOW[0]);
        let theirs = fixture.store.join("vm/100").join(folder_of(NOW[0]));
        let run = fixture.halted(command, || {
            fs::create_dir(&theirs).expect("the group is there");
            fs::write(theirs.join("drive-scsi0.img.tmp_fidx"), "of a server").expect("it is written");
        });
        run.expect(0).says("appeared while this ran").says("whose locks lie outside the store");
        run.prints("wrote vm/100/2026-03-01T00:00:01Z: ");
        assert_eq!(fs::read_dir(&theirs).expect("a folder").count(), 1, "it is left as it is");
        let point = format!("{}@vm/100/2026-03-01T00:00:01Z", fixture.store.display());
        let mut verify = Command::new(highwater());
        Run::of(verify.arg("verify").arg(point).args(&keyed)).expect(0);
        score.ran(1);
    }
    score.end();
}

#[test]
fn beside_a_snapshot_of_this_second_the_next_is_waited_for() {
    let mut score = Score::part(LINE, "a second that another has");
    let fixture = Fixture::new(100_000);
    let times = || {
        let found = fixture.begins("vm/100", "2");
        found.iter().map(|name| time_of(name).expect("a time")).max().expect("a snapshot")
    };
    // By the clock that moves on: runs one after another take less than a second each.
    let to = "vm/100/drive-scsi0.img";
    for _ in 0..2 {
        Run::of(&mut fixture.command(to, &[])).expect(0);
        let before = times();
        Run::of(&mut fixture.command(to, &[])).expect(0);
        assert!(times() > before, "after second {before}");
        score.ran(1);
    }
    score.end();
}
