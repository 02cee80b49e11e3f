//! What is being written lies in no group: a server can remove one, and a group that lost its owner gets one.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::process::Command;

use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;
use super::fixture::{Fixture, NOW};

/// So much that a run takes a while.
const LONG: usize = 24 << 20;

#[test]
fn nothing_hidden_lies_in_a_group_while_a_snapshot_is_written() {
    let mut score = Score::part(LINE, "nothing hidden lies in a group");
    let fixture = Fixture::new(LONG);
    let mut command = fixture.command("ns/a/vm/100/drive-scsi0.img", &[]);
    command.env("HIGHWATER_NOW", NOW[1]);
    let run = fixture.halted(command, || {
        for folder in ["ns", "ns/a", "ns/a/vm", "ns/a/vm/100", ".chunks"] {
            assert_eq!(fixture.begins(folder, "."), Vec::<String>::new(), "{folder}");
            score.ran(1);
        }
        // Nor is it taken for anything else.
        fixture.verify(&["--depth", "list"]).prints("a backup is being written");
    });
    run.expect(0);
    assert_eq!(fixture.begins("", ".highwater"), Vec::<String>::new());
    fixture.verify(&["--strict"]).expect(0);
    score.end();
}

#[test]
fn a_group_that_a_server_removes_meanwhile_is_there_again_with_its_owner() {
    let mut score = Score::part(LINE, "a group removed meanwhile");
    let fixture = Fixture::new(LONG);
    fixture.backup(0, &[]).expect(0);
    let group = fixture.store.join("vm/100");
    fs::write(group.join("owner"), "backup@pbs\n").expect("it is written");
    let mut command = fixture.command("vm/100/drive-scsi0.img", &["--owner", "me@pbs"]);
    command.env("HIGHWATER_NOW", NOW[1]);
    // As the server does it: the snapshots, the owner, then the folder, which must be empty by then.
    let run = fixture.halted(command, || {
        fs::remove_dir_all(group.join("2026-03-01T00:00:00Z")).expect("the snapshot goes");
        fs::remove_file(group.join("owner")).expect("the owner goes");
        fs::remove_dir(&group).expect("nothing of ours is in it");
    });
    run.expect(0).says("vm/100' was removed while this ran");
    assert_eq!(fs::read_to_string(group.join("owner")).expect("an owner"), "me@pbs\n");
    fixture.verify(&["--strict"]).expect(0);
    score.ran(1);
    score.end();
}

#[test]
fn a_lost_owner_is_written_and_said() {
    let mut score = Score::part(LINE, "a lost owner is written");
    for empty in [false, true] {
        let fixture = Fixture::new(100_000);
        fixture.backup(0, &[]).expect(0).never_says("owner");
        let owner = fixture.store.join("vm/100/owner");
        if empty { fs::write(&owner, "") } else { fs::remove_file(&owner) }.expect("it is lost");
        let run = fixture.backup(1, &["--owner", "me@pbs"]);
        run.expect(0).says("had lost its file 'owner'").says("'me@pbs'");
        assert_eq!(fs::read_to_string(&owner).expect("an owner"), "me@pbs\n");
        fixture.backup(2, &[]).expect(0).never_says("owner");
        assert_eq!(fs::read_to_string(&owner).expect("an owner"), "me@pbs\n");
        score.ran(1);
    }
    score.end();
}

/// A mount that ends with this value.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn tmpfs(at: &std::path::Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let mut command = Command::new("mount");
        let run = command.args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(at).output();
        run.is_ok_and(|run| run.status.success()).then(|| Self(at.to_owned()))
    }

    fn bound(from: &std::path::Path, at: &std::path::Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        fs::create_dir_all(from).expect("a folder");
        let run = Command::new("mount").arg("--bind").arg(from).arg(at).output();
        run.is_ok_and(|run| run.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let ended = Command::new("umount").arg(&self.0).status();
        assert!(ended.is_ok_and(|status| status.success()), "{} stays mounted", self.0.display());
    }
}

#[test]
fn groups_and_chunks_on_mounts_of_their_own_are_written_or_refused_at_once() {
    let mut score = Score::part(LINE, "mounts of their own");
    for (what, code) in [("vm", 0), (".chunks", 0), ("ns/a", 0), ("vm/100", 4)] {
        for bind in [false, true] {
            let fixture = Fixture::new(300_000);
            let at = fixture.store.join(what);
            let mounted = if bind { Mounted::bound(&fixture.path("elsewhere"), &at) } else { Mounted::tmpfs(&at) };
            let Some(_mounted) = mounted else {
                println!("not run: mounts_of_their_own: nothing can be mounted here");
                score.ran(1);
                return score.end();
            };
            let to = if what.starts_with("ns") { "ns/a/vm/100/drive-scsi0.img" } else { "vm/100/drive-scsi0.img" };
            let run: Run = fixture.backup_to(to, 0, &[]);
            run.expect(code);
            if code == 0 {
                fixture.verify(&["--strict"]).expect(0);
                assert_eq!(fixture.begins(what, ".highwater"), Vec::<String>::new(), "{what}");
            } else {
                run.says("is a mount of its own").one_line();
            }
            score.ran(1);
        }
    }
    score.end();
}
