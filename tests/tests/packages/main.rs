//! What people install: the crates, the action for GitHub and the template for GitLab, whose steps are run here.

mod action;
mod crates;
mod gitlab;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::python::interpreter;
use highwater_tests::run::Run;
use highwater_tests::specimens::{Specimen, lay, tree};
use serde_json::Value;

/// The version of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the root")
}

/// A file of the repository in YAML.
fn yaml(path: &str) -> Value {
    let program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let read = Run::of(Command::new(interpreter()).args(["-c", program]).arg(root().join(path)));
    serde_json::from_slice(&read.expect(0).stdout).expect("JSON")
}

/// A folder as a release has it: the archive for this machine, and its sum. `HIGHWATER_TEST_RELEASE` names a real one;
/// otherwise the program in it runs the one under test, which is too large to be packed for each test.
fn release(folder: &Path) -> PathBuf {
    if let Some(real) = std::env::var_os("HIGHWATER_TEST_RELEASE") {
        let copied = Run::of(Command::new("cp").args(["-rT"]).arg(real).arg(folder));
        copied.expect(0);
        return folder.to_owned();
    }
    let name = archive();
    let inner = folder.join(&name);
    fs::create_dir_all(&inner).expect("a folder");
    let program = inner.join("highwater");
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", highwater().display())).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let line = format!("tar -czf {name}.tar.gz {name} && sha256sum {name}.tar.gz > SHA256SUMS");
    Run::of(Command::new("sh").args(["-c", &line]).current_dir(folder)).expect(0);
    folder.to_owned()
}

/// The name of the archive for this machine.
fn archive() -> String {
    format!("highwater-{VERSION}-{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// A sound set in a new folder.
fn sound(folder: &Path) -> PathBuf {
    lay(&tree::Tree.small().files, folder);
    folder.to_owned()
}

/// A set whose objects are all lost.
fn damaged(folder: &Path) -> PathBuf {
    lay(&tree::Tree.small().files, folder);
    for entry in fs::read_dir(folder.join("objects")).expect("objects") {
        fs::remove_dir_all(entry.expect("an entry").path()).expect("it was there");
    }
    folder.to_owned()
}
