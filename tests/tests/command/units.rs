//! The units of systemd in `packaging/systemd`: systemd takes them and finds them closed, and what they start gets
//! along with what they leave it: these capabilities, and these system calls.

#![expect(clippy::print_stdout, reason = "scores are part of the result")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use tempfile::TempDir;

/// The units, and for services how exposed they may be, in tenths of what systemd tells.
const UNITS: [(&str, Option<u32>); 4] = [
    ("highwater-verify@.service", Some(11)),
    ("highwater-verify@.timer", None),
    ("highwater-backup@.service", Some(15)),
    ("highwater-backup@.timer", None),
];

/// The user that a unit's own user stands for here.
const NOBODY: u32 = 54_321;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd").join(name)
}

/// A unit, with the program that is tested in the place of the one that will be installed.
fn unit(name: &str) -> String {
    let text = fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.replace("/usr/bin/highwater", &highwater().to_string_lossy())
}

/// What a unit says of a key, line by line.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Whether this machine has systemd's programs; `tests/run` installs them.
fn has_systemd() -> bool {
    let has = Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has {
        println!("not run: there is no systemd-analyze");
    }
    has
}

/// The units in a folder of their own.
fn laid() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, _) in UNITS {
        fs::write(folder.path().join(name), unit(name)).expect("a unit");
    }
    folder
}

#[test]
fn systemd_takes_every_unit() {
    let there: BTreeSet<String> = fs::read_dir(path(""))
        .expect("the units")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    assert!(there.iter().map(String::as_str).eq(BTreeSet::from(UNITS.map(|(name, _)| name))), "{there:?}");
    if !has_systemd() {
        return;
    }
    let folder = laid();
    let verify = |names: &[&str]| {
        let names = names.iter().map(|name| folder.path().join(name));
        Run::of(Command::new("systemd-analyze").args(["verify", "--man=no"]).args(names))
    };
    let run = verify(&UNITS.map(|(name, _)| name));
    assert_eq!((run.code, run.text(), run.stderr.as_str()), (0, String::new(), ""));
    // It does look.
    let wrong = unit(UNITS[0].0).replace("ProtectSystem=strict", "ProtectSystem=very");
    fs::write(folder.path().join("wrong@.service"), wrong).expect("a unit");
    let run = verify(&["wrong@.service"]);
    assert!(run.stderr.contains("protect system"), "{}", run.account());
}

#[test]
fn what_they_start_is_closed_in() {
    if !has_systemd() {
        return;
    }
    let folder = laid();
    for (name, exposed) in UNITS {
        let Some(exposed) = exposed else { continue };
        let run = Run::of(
            Command::new("systemd-analyze")
                .args(["security", "--offline=true", "--no-pager", &format!("--threshold={exposed}")])
                .arg(folder.path().join(name)),
        );
        println!("{name}: {}", run.last_line());
        run.expect(0).prints("Overall exposure level");
    }
}

/// What a service starts over this folder, with these settings of its environment.
fn started(unit: &str, folder: &Path, state: &Path, settings: &[(&str, &str)]) -> Vec<String> {
    let line = values(unit, "ExecStart")[0];
    let mut words = Vec::new();
    for word in line.split(' ') {
        let word = word.replace("%S", &state.to_string_lossy()).replace("%i", "instance");
        let word = word.replace("%f", &folder.to_string_lossy());
        match word.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}')) {
            Some(name) => {
                let (_, value) = settings.iter().find(|(known, _)| *known == name).expect("a setting");
                // In braces, it is one word.
                let is_one = word.starts_with("${");
                words.extend(value.split(' ').filter(|word| is_one || !word.is_empty()).map(ToOwned::to_owned));
            }
            None => words.push(word),
        }
    }
    assert!(words.iter().all(|word| !word.contains(['%', '$'])), "{words:?}");
    words
}

/// A repository that only its owner may read, a source that only another may, and a place for state.
struct Scene {
    fixture: Fixture,
    state: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        fixture.backup(&[]);
        fixture.grow(3);
        fixture.clock.tick(60);
        let state = fixture.path("state");
        fs::create_dir_all(state.join("highwater")).expect("a folder");
        Self { fixture, state }
    }

    /// The lines of both services.
    fn lines(&self) -> [(&'static str, Vec<String>); 2] {
        let [verify, backup] = [UNITS[0].0, UNITS[2].0];
        let source = self.fixture.source.to_string_lossy().into_owned();
        let of =
            |name, settings: &[(&str, &str)]| (name, started(&unit(name), &self.fixture.repo, &self.state, settings));
        [
            of(backup, &[("BACKUP_OPTIONS", "--gzip --quick"), ("SOURCE", &source)]),
            of(verify, &[("VERIFY_OPTIONS", "--max-age 26h")]),
        ]
    }

    fn run(&self, command: &mut Command, line: &[String]) -> Run {
        Run::of(command.args(line).env("HIGHWATER_NOW", self.fixture.clock.stamp()))
    }
}

#[test]
fn the_capabilities_that_are_left_are_enough() {
    if !rustix::process::getuid().is_root() {
        println!("not run: only root can give capabilities away");
        return;
    }
    let scene = Scene::new();
    let open = |path: &Path, mode, user| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
        chown(path, Some(user), Some(user)).expect("an owner");
    };
    open(scene.fixture.folder(), 0o755, 0);
    open(&scene.fixture.source, 0o600, 1234);
    open(&scene.fixture.repo, 0o700, 1235);
    for entry in fs::read_dir(&scene.fixture.repo).expect("a repository") {
        open(&entry.expect("an entry").path(), 0o600, 1235);
    }
    open(&scene.state.join("highwater"), 0o755, NOBODY);
    for (name, line) in scene.lines() {
        let unit = unit(name);
        let left = values(&unit, "CapabilityBoundingSet")[0].to_lowercase().replace("cap_", "+").replace(' ', ",");
        let mut command = Command::new("setpriv");
        command.args(["--no-new-privs", "--clear-groups", &format!("--bounding-set=-all,{left}")]);
        command.arg(format!("--inh-caps=-all,{left}"));
        if values(&unit, "DynamicUser") == ["yes"] {
            let lifted = values(&unit, "AmbientCapabilities")[0].to_lowercase().replace("cap_", "+").replace(' ', ",");
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
            command.arg(format!("--ambient-caps=-all,{lifted}"));
        }
        command.arg("--");
        let run = scene.run(&mut command, &line);
        assert_eq!((run.code, run.text(), run.stderr.as_str()), (0, String::new(), ""), "{}", run.account());
    }
    let report = fs::read_to_string(scene.state.join("highwater/instance.json")).expect("a report");
    assert!(report.contains("\"verdict\": \"sound\"") && report.contains("\"origins\""), "{report}");
    scene.fixture.verify("deep").expect(0).prints("2 points in time");
}

/// The calls of a filter's set, in all their parts.
fn calls(set: &str) -> BTreeSet<String> {
    let run = Run::of(Command::new("systemd-analyze").args(["syscall-filter", set]));
    let text = run.expect(0).text();
    let mut calls = BTreeSet::new();
    for word in text.lines().skip(1).map(str::trim).filter(|line| !line.starts_with('#')) {
        match word.starts_with('@') {
            true => calls.extend(self::calls(word)),
            false => _ = calls.insert(word.to_owned()),
        }
    }
    calls
}

/// The calls that a unit lets through: what is named first decides, and what follows adds to it or takes away.
fn allowed(unit: &str) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for value in values(unit, "SystemCallFilter") {
        let (takes, sets) = value.strip_prefix('~').map_or((false, value), |sets| (true, sets));
        for call in sets.split(' ').flat_map(calls) {
            if takes { _ = allowed.remove(&call) } else { _ = allowed.insert(call) }
        }
    }
    allowed
}

#[test]
fn the_system_calls_that_are_let_through_are_enough() {
    if !has_systemd() {
        return;
    }
    let trace = |scene: &Scene, line: &[String], to: &Path| {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(to).arg("--");
        scene.run(&mut command, line)
    };
    let scene = Scene::new();
    let to = scene.fixture.path("calls");
    for (name, line) in scene.lines() {
        let run = trace(&scene, &line, &to);
        if run.stderr.contains("ptrace") {
            println!("not run: this machine lets nobody trace");
            return;
        }
        run.expect(0);
        let text = fs::read_to_string(&to).expect("a trace");
        let call = |line: &str| {
            let (_, rest) = line.split_once(' ')?;
            let (call, _) = rest.trim_start().split_once('(')?;
            call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| call.to_owned())
        };
        let made: BTreeSet<String> = text.lines().filter_map(call).collect();
        println!("{name}: {} kinds of system calls", made.len());
        let allowed = allowed(&unit(name));
        assert!(made.len() > 20 && allowed.contains("openat") && !allowed.contains("ptrace"), "{made:?}");
        let refused: Vec<&String> = made.difference(&allowed).collect();
        assert!(refused.is_empty(), "{name} refuses {refused:?}");
    }
}
