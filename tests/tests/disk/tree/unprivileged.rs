//! Root may do everything, so what holds for it may not hold for others: the tests of real disks run as another user
//! too.

#![expect(clippy::print_stdout, reason = "what is not run is told")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::geteuid;

/// Nobody in particular.
const NOBODY: u32 = 65_534;

#[test]
fn the_same_holds_for_another_user() {
    if !geteuid().is_root() {
        println!("the tests beside this one run as another user than root already");
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("ours");
    let program = folder.path().join("tests");
    fs::copy(std::env::current_exe().expect("this test"), &program).expect("a copy of the test");
    let mut command = Command::new(program);
    command
        .args(["tree::kept", "tree::restored", "tree::targets"])
        .env("TMPDIR", folder.path())
        .env_remove("RUST_BACKTRACE");
    let done = command.uid(NOBODY).gid(NOBODY).current_dir("/").output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}");
    let ran = said.lines().filter(|line| line.starts_with("test tree::") && line.ends_with("... ok")).count();
    assert!(ran >= 15, "{ran} tests ran: {said}");
}
