//! Replicas by the binary: out of a bucket and out of a folder, killed, side by side, of sources that break or change.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use highwater_tests::repo::Data;
use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Rule};
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::{self, Specimen, lay};
use highwater_tests::{python, repository};

use crate::both::Both as _;
use crate::roots::Roots;
use crate::ssh::machine::Machine;

fn specimens() -> impl Iterator<Item = &'static dyn Specimen> {
    specimens::all().into_iter().filter(|specimen| specimen.format().facts().parts.is_some())
}

fn replica(roots: &Roots, name: &str) -> PathBuf {
    roots.near().with_file_name(name)
}

fn replicate(roots: &Roots, from: &Path, to: &Path, more: &[&str]) -> Run {
    let words = ["replicate".as_ref(), from.as_os_str(), to.as_os_str()];
    Run::of(&mut roots.command(&words.into_iter().chain(more.iter().map(OsStr::new)).collect::<Vec<_>>()))
}

/// What verify says of a root, whatever that is called.
fn verdict(roots: &Roots, root: &Path) -> (i32, serde_json::Value) {
    let run = roots.run(&["verify", "--json"], root, &[]);
    let mut report: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let sets = report["sets"].take();
    (run.code, sets)
}

/// The names and verdicts of points.
fn names(sets: &serde_json::Value) -> Vec<(serde_json::Value, serde_json::Value)> {
    let sets = sets.as_array().expect("a list").iter();
    sets.map(|set| (set["name"].clone(), set["verdict"].clone())).collect()
}

#[test]
fn every_kind_of_set_comes_home_from_a_bucket() {
    let (roots, mut score) = (Roots::new(), Score::part("replicas", "from a bucket"));
    for specimen in specimens() {
        roots.lay(&specimen.small().files);
        let to = replica(&roots, "home");
        let _ = fs::remove_dir_all(&to);
        score.ran(1);
        let run = replicate(&roots, &Roots::far(), &to, &["--kind", specimen.name()]);
        let again = replicate(&roots, &Roots::far(), &to, &["--kind", specimen.name()]);
        if run.code != 0 || again.code != 0 {
            score.fail(format!("{}: {}, then {}", specimen.name(), run.account(), again.account()));
        } else if specimen.name() != "mirror" && !again.text().contains("copied 0 objects of 0 bytes and 0 indices") {
            score.fail(format!("{}: {}", specimen.name(), again.account()));
        }
        let ((near, of_near), (home, of_home)) = (verdict(&roots, &roots.near()), verdict(&roots, &to));
        if near != home || names(&of_near) != names(&of_home) {
            score.fail(format!("{}: {of_home} is not {of_near}", specimen.name()));
        }
    }
    score.end();
}

#[test]
fn every_kind_of_set_comes_from_another_machine_with_times_and_permissions() {
    let (machine, mut score) = (Machine::new(), Score::part("replicas", "from another machine"));
    for specimen in specimens() {
        machine.lay(&specimen.small().files);
        let home = machine.scratch.path().join("home");
        let _ = fs::remove_dir_all(&home);
        let words = ["replicate", "--kind", specimen.name()].map(OsStr::new);
        let paths = [machine.far(), home.clone()];
        let words: Vec<&OsStr> = words.into_iter().chain(paths.iter().map(|path| path.as_os_str())).collect();
        let runs = [(); 2].map(|()| Run::of(&mut machine.command(&words)));
        score.ran(1);
        if runs[0].code != 0 || runs[1].code != 0 || !runs[1].text().contains("copied 0 objects of 0 bytes and 0 ind") {
            score.fail(format!("{}: {}, then {}", specimen.name(), runs[0].account(), runs[1].account()));
        }
        let stat =
            |path: &Path| fs::metadata(path).map(|meta| (meta.len(), meta.mode(), meta.mtime(), meta.mtime_nsec()));
        for name in specimen.small().files.keys().filter(|name| home.join(name).exists()) {
            let (near, copy) =
                (stat(&machine.near().join(name)).expect("a file"), stat(&home.join(name)).expect("a file"));
            if near != copy && !name.ends_with(".lock") {
                score.fail(format!("{}: {name} is {copy:?} and not {near:?}", specimen.name()));
            }
        }
        let of = |path: &Path| machine.run(&["verify"], path, &[OsStr::new("--kind"), specimen.name().as_ref()]).code;
        assert_eq!(of(&home), of(&machine.near()), "{}", specimen.name());
        let back = ["replicate".as_ref(), home.as_os_str(), paths[0].as_os_str()];
        Run::of(&mut machine.command(&back)).expect(2).says("where nothing is written");
    }
    score.end();
}

/// Every kind that can lie in a bucket, and from one place there to another; the others are refused.
#[test]
fn every_kind_of_set_goes_to_a_bucket_or_is_refused() {
    let (roots, mut score) = (Roots::new(), Score::part("replicas", "to a bucket"));
    let mut copied = 0;
    for specimen in specimens() {
        roots.lay(&specimen.small().files);
        let (kind, there) = (["--kind", specimen.name()], PathBuf::from(format!("s3://{}/copy", Roots::bucket())));
        let other = there.with_file_name("again");
        if ["datastore", "mirror"].contains(&specimen.name()) {
            replicate(&roots, &roots.near(), &there, &kind).expect(2).says("are not replicated into a bucket");
            continue;
        }
        copied += 1;
        for (from, to) in [(roots.near(), &there), (there.clone(), &other)] {
            score.ran(1);
            let run = replicate(&roots, &from, to, &kind);
            let again = replicate(&roots, &from, to, &kind);
            if run.code != 0 || again.code != 0 || !again.text().contains("copied 0 objects of 0 bytes and 0 indices") {
                score.fail(format!("{}: {}, then {}", specimen.name(), run.account(), again.account()));
            }
            let ((near, of_near), (far, of_far)) = (verdict(&roots, &roots.near()), verdict(&roots, to));
            if near != far || names(&of_near) != names(&of_far) {
                score.fail(format!("{}: {of_far} is not {of_near}", specimen.name()));
            }
        }
        let inside = there.join("inside");
        replicate(&roots, &there, &inside, &kind).expect(4).says("lie in each other");
        replicate(&roots, &roots.near(), &there, &["--delete"]).expect(2).says("none is removed from a bucket");
    }
    assert_eq!(copied, 2);
    score.end();
}

#[test]
fn a_new_replica_is_as_open_as_the_user_says() {
    let roots = Roots::new();
    roots.lay(&specimens::repozo::Repozo.small().files);
    let around = replica(&roots, "everybodys");
    fs::create_dir(&around).expect("a folder");
    fs::set_permissions(&around, fs::Permissions::from_mode(0o1777)).expect("it is everybody's");
    for (mask, mode) in [(0o022, 0o755), (0o077, 0o700)] {
        let to = around.join(format!("{mode:o}"));
        let words = ["replicate".as_ref(), roots.near().as_os_str().to_owned().as_os_str(), to.as_os_str()]
            .map(OsStr::to_owned);
        let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
        let command = roots.command(&words);
        let mut masked = Command::new("sh");
        masked.args(["-c", &format!("umask {mask:04o}; exec \"$0\" \"$@\"")]);
        masked.arg(command.get_program()).args(command.get_args());
        Run::of(&mut masked).expect(0);
        assert_eq!(fs::metadata(&to).expect("the replica").mode() & 0o7777, mode);
    }
}

/// What is damaged at home is named, and keeps nothing else from going to a bucket, which keeps no times to compare.
#[test]
fn damage_at_home_is_named_and_the_rest_goes_to_a_bucket() {
    let roots = Roots::new();
    for specimen in specimens().filter(|specimen| !["datastore", "mirror"].contains(&specimen.name())) {
        let mut files = specimen.small().files.clone();
        let is_data = |name: &&String| name.starts_with("objects/") || name.ends_with(".deltafs");
        let gone = files.keys().rfind(is_data).expect("a data file").clone();
        files.remove(&gone);
        roots.lay(&files);
        let there = PathBuf::from(format!("s3://{}/hurt-{}", Roots::bucket(), specimen.name()));
        for _ in 0..2 {
            let run = replicate(&roots, &roots.near(), &there, &["--kind", specimen.name()]);
            run.expect(1).says("HW101");
            assert!(!run.stderr.contains("once more"), "{}", run.account());
        }
    }
}

#[test]
fn a_short_or_wrong_body_is_never_taken() {
    for (fault, code) in [(Fault::Flip(50), 1), (Fault::Status(403, "AccessDenied", vec![]), 3)] {
        let roots = Roots::new();
        let sample = specimens::repozo::Repozo.small();
        roots.lay(&sample.files);
        let name = sample.files.keys().find(|name| name.ends_with(".fs")).expect("a full backup").clone();
        let to = replica(&roots, "home");
        let to_name = format!("GET /{}/set/{name}", Roots::bucket());
        roots.server.plan(Rule { to: to_name, times: 100, fault: fault.clone(), deed: None });
        let run = replicate(&roots, &Roots::far(), &to, &[]);
        assert_eq!(run.code, code, "{fault:?}: {}", run.account());
        assert!(!to.join(&name).exists(), "{fault:?}: it was taken");
        roots.run(&["verify"], &to, &[]).expect(0);
    }
}

/// A set of some files, and two points; its replica has the first.
fn grown(roots: &Roots, kind: &str) -> (PathBuf, PathBuf) {
    let (source, set, to) = (replica(roots, "source"), replica(roots, kind), replica(roots, "first"));
    fs::create_dir_all(&source).expect("a folder");
    fs::create_dir_all(&set).expect("a folder");
    let mut data = Data::new(3);
    let back_up = |now: &str, data: &Data| {
        let from = match kind {
            "repozo" => source.join("Data.fs"),
            _ => source.clone(),
        };
        fs::write(source.join("Data.fs"), &data.bytes).expect("written");
        (0..40).for_each(|number| {
            fs::write(source.join(format!("{number}")), format!("{now} {}", number / 2)).expect("written");
        });
        let mut command = roots.command(&["backup".as_ref(), from.as_os_str(), set.as_os_str()]);
        Run::of(command.env("HIGHWATER_NOW", now)).expect(0);
    };
    data.grow(50);
    back_up("2026-01-01-00-00-00", &data);
    replicate(roots, &set, &to, &[]).expect(0);
    data.grow(20);
    back_up("2026-01-02-00-00-00", &data);
    data.grow(20);
    back_up("2026-01-03-00-00-00", &data);
    (set, to)
}

/// Every file of a replica but its lock.
fn files(root: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let (mut found, mut ahead) = (std::collections::BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                ahead.push(path);
            } else if !path.ends_with(".highwater.lock") {
                let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn a_run_that_is_killed_leaves_a_sound_replica_and_the_next_ends_it() {
    let mut score = Score::part("replicas", "killed");
    for kind in ["repozo", "tree"] {
        let roots = Roots::new();
        let (set, first) = grown(&roots, kind);
        let to = replica(&roots, "killed");
        let from_first = || {
            let _ = fs::remove_dir_all(&to);
            Run::of(Command::new("cp").arg("-a").arg(&first).arg(&to)).expect(0);
        };
        from_first();
        let started = Instant::now();
        replicate(&roots, &set, &to, &[]).expect(0);
        let (whole, wanted) = (started.elapsed(), files(&to));
        let rounds = u32::try_from(size(28, 100)).expect("few");
        for round in 0..rounds {
            from_first();
            let mut command = roots.command(&["replicate".as_ref(), set.as_os_str(), to.as_os_str()]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
            thread::sleep(whole * round / rounds);
            let _ = child.kill();
            let _ = child.wait();
            score.ran(1);
            let seen = roots.run(&["verify"], &to, &[]);
            let rerun = replicate(&roots, &set, &to, &[]);
            // As after a backup that was killed, files may lie there that no line names yet.
            if ![0, 3].contains(&seen.code) || rerun.code != 0 || files(&to) != wanted {
                score.fail(format!("{kind}, round {round}: {}, then {}", seen.account(), rerun.account()));
            }
        }
    }
    score.end();
}

#[test]
fn two_at_once_are_one_and_a_refusal_or_two_and_end_right() {
    let roots = Roots::new();
    let (set, to) = grown(&roots, "tree");
    let mut command = roots.command(&["replicate".as_ref(), set.as_os_str(), to.as_os_str()]);
    let children: Vec<_> = (0..4).map(|_| command.stderr(Stdio::null()).spawn().expect("a child")).collect();
    let codes: Vec<i32> =
        children.into_iter().map(|mut child| child.wait().expect("an end").code().unwrap_or(-1)).collect();
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 4].contains(code)), "{codes:?}");
    replicate(&roots, &set, &to, &[]).expect(0).prints("copied 0 objects");
    roots.run(&["verify"], &to, &[]).expect(0);
    assert!(!to.join(".highwater-replica").exists(), "the work folder is left");
}

#[test]
fn a_replica_in_its_source_or_around_it_is_refused() {
    let roots = Roots::new();
    let (set, _) = grown(&roots, "tree");
    for to in [set.clone(), set.join("points"), set.join("new"), set.parent().expect("a folder").to_owned()] {
        let there = to.exists();
        let run = replicate(&roots, &set, &to, &[]);
        assert!(run.code == 4 && to.exists() == there, "{}: {}", to.display(), run.account());
    }
}

#[test]
fn points_that_the_source_has_no_more_go_when_that_is_asked_for_and_not_before() {
    let roots = Roots::new();
    let (set, to) = grown(&roots, "tree");
    replicate(&roots, &set, &to, &[]).expect(0);
    let before = files(&to);
    roots.run(&["prune", "--keep-last", "1"], &set, &[]).expect(0);
    let run = replicate(&roots, &set, &to, &[]);
    run.expect(0).says("2 points are in the replica alone");
    let run = replicate(&roots, &set, &to, &["--delete"]);
    run.expect(0).prints("would remove 2026-01-01T00-00-00Z").says("--delete=apply removes them");
    assert_eq!(files(&to), before, "a plan removes something");
    replicate(&roots, &set, &to, &["--delete=apply"]).expect(0).prints("removed 2026-01-02T00-00-00Z");
    let left: Vec<String> = files(&to).into_keys().filter(|name| name.starts_with("points/")).collect();
    assert_eq!(left, ["points/2026-01-03T00-00-00Z.mtree"]);
    roots.run(&["verify"], &to, &[]).expect(0);
}

/// Which points the replica alone has is told of all of them, also of one that does not go.
#[test]
fn a_point_that_only_the_replica_has_and_that_stays_is_named() {
    let roots = Roots::new();
    let (set, to) = grown(&roots, "tree");
    replicate(&roots, &set, &to, &[]).expect(0);
    for point in ["01", "03"] {
        fs::remove_file(set.join(format!("points/2026-01-{point}T00-00-00Z.mtree"))).expect("removed");
    }
    replicate(&roots, &set, &to, &[]).expect(0).says("2 points are in the replica alone; --delete shows them");
    for (options, verb) in [(&["--delete"][..], "would remove"), (&["--delete=apply"], "removed")] {
        let run = replicate(&roots, &set, &to, options);
        run.expect(0).prints(&format!("{verb} 2026-01-01T00-00-00Z\n"));
        run.prints("keep 2026-01-03T00-00-00Z (the newest that is sound)\n");
        let both = ["keep 2026-01-02", &format!("{verb} 2026-01-02")].iter().any(|line| run.text().contains(line));
        assert!(!both, "what both have is no such point: {}", run.account());
    }
    replicate(&roots, &set, &to, &[]).expect(0).says("1 point is in the replica alone");
    // From a bucket none is removed: nothing is named that would be refused.
    let there = PathBuf::from(format!("s3://{}/copy", Roots::bucket()));
    replicate(&roots, &to, &there, &[]).expect(0);
    let run = replicate(&roots, &set, &there, &[]);
    run.expect(0).says("1 point is in the replica alone");
    assert!(!run.stderr.contains("--delete"), "{}", run.account());
}

#[test]
fn a_standby_restores_from_its_replica_and_so_does_the_original() {
    let roots = Roots::new();
    let (set, to) = grown(&roots, "repozo");
    let target = replica(&roots, "standby.fs");
    roots.run(&["restore"], &to, &[target.as_os_str()]).expect(0);
    replicate(&roots, &set, &to, &[]).expect(0);
    let wanted = fs::read(replica(&roots, "source").join("Data.fs")).expect("the source");
    let run = roots.run(&["restore", "--verbose"], &to, &[target.as_os_str()]);
    run.expect(0);
    repository::expect_same_bytes(&fs::read(&target).expect("restored"), &wanted, "the standby");
    let by_original = replica(&roots, "original.fs");
    let words = ["-R".as_ref(), "-r".as_ref(), to.as_os_str(), "-o".as_ref(), by_original.as_os_str()];
    python::original("2026-02-01-00-00-00", &words).expect(0);
    repository::expect_same_bytes(&fs::read(&by_original).expect("restored"), &wanted, "the original's");
}

#[test]
fn a_long_object_is_gone_on_with_and_checked_from_its_first_byte() {
    let roots = Roots::new();
    let (source, set, to) = (replica(&roots, "source"), replica(&roots, "set"), replica(&roots, "home"));
    fs::create_dir_all(&source).expect("a folder");
    fs::create_dir_all(&set).expect("a folder");
    let mut long = vec![7u8; 70 << 20];
    long.iter_mut().enumerate().for_each(|(at, byte)| *byte = u8::try_from(at * 7919 % 251).expect("small"));
    fs::write(source.join("long"), &long).expect("written");
    roots.run(&["backup"], &source, &[set.as_os_str()]).expect(0);
    for right in [true, false] {
        let _ = fs::remove_dir_all(&to);
        replicate(&roots, &set, &to, &[]).expect(0);
        // As a run would have left it that was killed: in the work folder, half of it.
        let object = files(&to).into_iter().find(|(_, bytes)| bytes.len() == long.len()).expect("an object").0;
        fs::remove_file(to.join(&object)).expect("removed");
        let mut command = roots.command(&["replicate".as_ref(), set.as_os_str(), to.as_os_str()]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
        let partial = loop {
            let work = fs::read_dir(to.join(".highwater-replica")).into_iter().flatten().flatten();
            let found = work.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("long-"));
            let begun = found.filter(|path| fs::metadata(path).is_ok_and(|meta| meta.len() > 1 << 20));
            if begun.is_some() || child.try_wait().expect("a look").is_some() {
                break begun;
            }
        };
        let _ = child.kill();
        let _ = child.wait();
        if let (Some(partial), false) = (partial.filter(|partial| partial.exists()), right) {
            let mut bytes = fs::read(&partial).expect("it is there");
            bytes[1000] ^= 1;
            fs::write(&partial, bytes).expect("written");
        }
        replicate(&roots, &set, &to, &[]).expect(0);
        assert!(fs::read(to.join(&object)).expect("an object") == long, "{object} is another");
        roots.run(&["verify"], &to, &[]).expect(0);
        assert!(!to.join(".highwater-replica").exists(), "the work folder is left");
    }
}

#[test]
fn another_folder_is_left_alone() {
    let roots = Roots::new();
    let (set, _) = grown(&roots, "tree");
    let other = replica(&roots, "other");
    lay(&[("thesis.tex".to_owned(), b"mine".to_vec())].into_iter().collect(), &other);
    replicate(&roots, &set, &other, &[]).expect(4).says("thesis.tex");
    assert_eq!(files(&other).len(), 1);
}
