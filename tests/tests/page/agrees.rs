//! The package under node and the command agree: on a point that is asked for, on links, and on what cannot be read.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Image, sample, store};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::Run;
use highwater_tests::specimens;
use serde_json::{Value, json};

use crate::package::answers;
use crate::sets::samples;

/// What the command says of a set, or of a point of it: its report, or why there is none.
fn said(set: &Path, point: Option<&str>, depth: &str) -> Result<Vec<u8>, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut named = set.as_os_str().to_owned();
    if let Some(point) = point {
        named.push(format!("@{point}"));
    }
    let mut verify = Command::new(highwater());
    verify.args(["verify", "--depth", depth]).arg(format!("--json={}", file.path().display())).arg(named);
    let run = Run::of(&mut verify);
    match run.code {
        0 | 1 | 3 => Ok(fs::read(file.path()).expect("a report")),
        _ => Err(run.stderr.trim().trim_start_matches("highwater: ").to_owned()),
    }
}

/// The package says of each what the command does; gives of how many each had a report, and of how many none.
#[track_caller]
fn expect_agreement(asked: &[(PathBuf, Option<String>, &str)]) -> (usize, usize) {
    let lines: Vec<Value> = asked
        .iter()
        .enumerate()
        .map(
            |(at, (set, point, depth))| json!({ "folder": set, "point": point, "depth": depth, "workers": 1 + at % 2 }),
        )
        .map(|mut line| {
            line.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
            line
        })
        .collect();
    let mut none = 0;
    for (answer, (set, point, depth)) in answers("reports.mjs", &lines).iter().zip(asked) {
        let what = format!("{}@{point:?} at {depth}", set.display());
        match said(set, point.as_deref(), depth) {
            Ok(report) => {
                let text = answer["files"]["json"].as_str().unwrap_or_else(|| panic!("{what}: {answer}"));
                expect_same_bytes(text.as_bytes(), &report, &what);
            }
            Err(why) => {
                none += 1;
                assert_eq!(
                    (answer["code"].as_str(), answer["message"].as_str()),
                    (Some("point"), Some(&*why)),
                    "{what}"
                );
            }
        }
    }
    (asked.len() - none, none)
}

#[test]
fn a_point_is_all_that_the_command_verifies_by_that_name_and_one_that_is_not_there_is_refused() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let mut asked = Vec::new();
    for (at, (_, sample, _)) in samples(fixture.path()).into_iter().enumerate() {
        let set = fixture.path().join(format!("set-{at}"));
        specimens::lay(&sample.files, &set);
        let mut points: Vec<String> =
            ["latest", "2099", "1999", "vm", "vm/100", "vm/999/latest", "ns/team"].map(String::from).into();
        for name in sample.points.iter().map(|point| &point.name).step_by(1 + sample.points.len() / 3) {
            points.push(name.clone());
            points.extend(name.rsplit_once('/').map(|(group, _)| group.to_owned()));
            points.extend([4, 7, 10].iter().filter_map(|end| name.get(..*end)).map(str::to_owned));
        }
        points.sort();
        points.dedup();
        let depth = ["list", "digest"][at % 2];
        asked.extend(points.into_iter().map(|point| (set.clone(), Some(point), depth)));
    }
    let (reports, none) = expect_agreement(&asked);
    assert!(reports > 20 && none > 10, "{reports} reports, {none} refused");
}

/// A repository with what is done to it.
fn repository(at: &Path, change: impl FnOnce(&Path, &Image)) -> PathBuf {
    let files = sample().files;
    store(&files, at);
    change(at, &files);
    at.to_owned()
}

/// The name of a file of it.
fn ending(files: &Image, end: &str) -> String {
    files.keys().rfind(|name| name.ends_with(end)).expect("a file").clone()
}

#[test]
fn links_are_judged_as_the_command_judges_them_and_what_is_no_file_is_never_opened() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let at = |name: &str| fixture.path().join(name);
    fs::create_dir(at("elsewhere")).expect("a folder");
    let mut sets = Vec::new();
    let aside = |set: &Path, name: &str, to: &Path| {
        fs::rename(set.join(name), to).expect("it is moved");
    };
    sets.push(repository(&at("out"), |set, files| {
        let name = ending(files, ".fs");
        aside(set, &name, &at("elsewhere").join(&name));
        symlink(at("elsewhere").join(&name), set.join(&name)).expect("a link");
    }));
    sets.push(repository(&at("up"), |set, files| {
        let name = ending(files, ".deltafs");
        aside(set, &name, &at("elsewhere").join(&name));
        symlink(format!("../elsewhere/{name}"), set.join(&name)).expect("a link");
    }));
    sets.push(repository(&at("inside"), |set, files| {
        let name = ending(files, ".fs");
        fs::create_dir(set.join("kept")).expect("a folder");
        aside(set, &name, &set.join("kept").join(&name));
        symlink(format!("kept/../kept/./{name}"), set.join(&name)).expect("a link");
    }));
    sets.push(repository(&at("dangling"), |set, files| {
        let name = ending(files, ".fs");
        fs::remove_file(set.join(&name)).expect("it is gone");
        symlink("nowhere", set.join(&name)).expect("a link");
    }));
    sets.push(repository(&at("circle"), |set, files| {
        let name = ending(files, ".fs");
        fs::remove_file(set.join(&name)).expect("it is gone");
        symlink(&name, set.join(&name)).expect("a link");
    }));
    sets.push(repository(&at("loops"), |set, _| {
        for name in ["one", "two", "three"] {
            symlink(".", set.join(name)).expect("a link");
        }
    }));
    sets.push(repository(&at("folder"), |set, files| {
        let name = ending(files, ".deltafs");
        fs::remove_file(set.join(&name)).expect("it is gone");
        fs::create_dir(set.join(&name)).expect("a folder");
    }));
    sets.push(repository(&at("fifo"), |set, files| {
        let name = ending(files, ".deltafs");
        fs::remove_file(set.join(&name)).expect("it is gone");
        Run::of(Command::new("mkfifo").arg(set.join(&name))).expect(0);
    }));
    sets.push(repository(&at("socket"), |set, files| {
        let name = ending(files, ".deltafs");
        fs::remove_file(set.join(&name)).expect("it is gone");
        std::os::unix::net::UnixListener::bind(set.join(&name)).expect("a socket");
    }));
    sets.push(repository(&at("bytes"), |set, _| {
        let odd = set.join(std::ffi::OsStr::from_bytes(b"odd-\xff\xfe"));
        fs::create_dir(&odd).expect("a folder");
        fs::write(odd.join(std::ffi::OsStr::from_bytes(b"2026-01-01-00-00-00.f\xe9")), "x").expect("a file");
        fs::write(set.join(std::ffi::OsStr::from_bytes(b"2026-01-01-00-00-\xc3.fs")), "x").expect("a file");
    }));
    // Sets with folders: each of them behind a link that stays, and behind one that leads out.
    for (number, (_, sample, _)) in samples(fixture.path()).into_iter().enumerate() {
        let Some(folder) = sample.files.keys().find_map(|name| name.split_once('/')).map(|(folder, _)| folder) else {
            continue;
        };
        for (what, to) in [("stays", format!("aside-{number}")), ("leaves", format!("../elsewhere/{number}"))] {
            let set = at(&format!("{what}-{number}"));
            specimens::lay(&sample.files, &set);
            fs::rename(set.join(folder), set.join(&to)).expect("it is moved");
            symlink(&to, set.join(folder)).expect("a link");
            symlink(".", set.join("again")).expect("a link");
            sets.push(set);
        }
    }
    let asked: Vec<_> =
        sets.iter().flat_map(|set| ["list", "digest"].map(|depth| (set.clone(), None, depth))).collect();
    assert!(asked.len() > 30, "{}", asked.len());
    assert_eq!(expect_agreement(&asked).1, 0);
}

#[test]
fn a_backup_without_the_point_does_not_hide_what_another_came_to() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let top = fixture.path().join("top");
    let made = sample();
    let (first, last) = (&made.points.first().expect("a point").0, ending(&made.files, ".fs"));
    store(&made.files, &top.join("all"));
    let late = made.files.iter().filter(|(name, _)| name[..19] >= last[..19]);
    store(&late.map(|(name, bytes)| (name.clone(), bytes.clone())).collect(), &top.join("late"));
    let file = fixture.path().join("report.json");
    let named = ["all", "late"].map(|name| format!("{}@{first}", top.join(name).display()));
    let mut verify = Command::new(highwater());
    verify.arg("verify").arg(format!("--json={}", file.display())).args(&named);
    Run::of(&mut verify).expect(3);
    let asked = [first.as_str(), "1999"].map(|point| json!({ "folder": top, "point": point }));
    let answers = answers("reports.mjs", &asked);
    let text = answers[0]["files"]["json"].as_str().unwrap_or_else(|| panic!("{}", answers[0]));
    expect_same_bytes(text.as_bytes(), &fs::read(&file).expect("a report"), "both");
    assert_eq!(answers[1]["code"], "point", "{}", answers[1]);
}
