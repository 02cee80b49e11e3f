//! Repozo repositories with damages, judged by the binary and by an independent reader in Python.
//!
//! Sound means restorable: each point that is called sound restores with the very bytes, each other one is refused, and
//! neither verdict differs from the reader's. Python's own repozo restores what the reader calls sound, as a third
//! opinion.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::dice::Dice;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;
use super::differ::{self, Case, sum, text};

#[test]
fn repositories_are_judged_as_an_independent_reader_judges_them() {
    let mut score = Score::part(LINE, "differential, repositories");
    differ::run(&mut score, "differ_repositories.py", &[], check);
    score.end();
}

fn check(case: &mut Case) {
    let points: Vec<(String, Value)> = case.told["points"].as_object().expect("points").clone().into_iter().collect();
    for depth in ["digest", "deep"] {
        verdicts(case, depth, &points);
    }
    case.is_sound_at_lesser_depths(case.told["digest"] == 0, &[]);
    // A folder of its own for each: what a refused restore leaves must not help the next one.
    let work = case.root.with_extension("targets");
    fs::create_dir(&work).expect("a folder");
    for (number, (stamp, point)) in points.iter().enumerate() {
        let folder = work.join(number.to_string());
        fs::create_dir(&folder).expect("a folder");
        let target = folder.join("Data.fs");
        // Every other sound one onto an older state that the target holds: what that holds already is not read.
        let older = points[..number].iter().enumerate().rev().find(|(_, (_, point))| sound(point));
        let older = older.filter(|_| sound(point));
        if let (Some((older, _)), 1) = (older, (case.seed() + number as u64) % 2) {
            fs::copy(work.join(older.to_string()).join("Data.fs"), &target).expect("it was restored");
        }
        let before = fs::read(&target).ok();
        restored(case, stamp, stamp, point, true, &target, before.as_deref());
    }
    newest(case, &points, &work);
    drop_in(case, &points, &work);
    let doubt = text(&case.told["original"]).to_owned();
    if !doubt.is_empty() {
        case.differs(format!("Python's repozo does not agree with the reader: {doubt}"));
    }
    fs::remove_dir_all(&work).expect("it is removed");
}

fn sound(point: &Value) -> bool {
    point["digest"] == "sound"
}

/// The verdicts at a depth, and the exit code.
fn verdicts(case: &mut Case, depth: &str, points: &[(String, Value)]) {
    let (code, sets) = case.verify(&["--depth", depth]);
    let wanted = case.told[depth].clone();
    if wanted != code {
        case.differs(format!("verify --depth {depth} ends with {code}, and should with {wanted}"));
    }
    for (name, verdict) in &sets {
        let wanted = points.iter().find(|(stamp, _)| stamp == name).map_or("absent", |(_, point)| text(&point[depth]));
        if (verdict == "sound") != (wanted == "sound") {
            case.differs(format!("at depth {depth}, {name} is called {verdict}, and is {wanted}"));
        }
    }
    for (stamp, point) in points.iter().filter(|(_, point)| point[depth] == "sound") {
        if !sets.iter().any(|(name, _)| name == stamp) {
            case.differs(format!("at depth {depth}, {stamp} is not named: {point}"));
        }
    }
}

/// The newest point, or nothing: never an older one.
fn newest(case: &mut Case, points: &[(String, Value)], work: &Path) {
    let newest = text(&case.told["newest"]).to_owned();
    let Some((_, point)) = points.iter().find(|(stamp, _)| *stamp == newest) else { return };
    // Where lines behind it make no sense, it may not have been the newest.
    let must = case.told["hidden"] == false;
    let folder = work.join("newest");
    fs::create_dir(&folder).expect("a folder");
    restored(case, "", "the newest", point, must, &folder.join("Data.fs"), None);
}

/// One point by the drop-in, with all its checks.
fn drop_in(case: &mut Case, points: &[(String, Value)], work: &Path) {
    if points.is_empty() {
        return;
    }
    let (stamp, point) = Dice::new(case.seed()).pick(points);
    // Without a line there is nothing to check against; that it restores so is the original's way.
    if point["digest"] == "unlisted" {
        return;
    }
    let target = work.join("drop-in.fs");
    let mut command = Command::new(highwater());
    command.args(["repozo", "-R", "-w", "-D", stamp]).arg("-r").arg(&case.root).arg("-o").arg(&target);
    let run = Run::of(&mut command);
    if (run.code == 0) != sound(point) {
        case.differs(format!("the drop-in, of {stamp}, which is {}: {}", point["digest"], run.account()));
    } else if run.code == 0 && sum(&fs::read(&target).expect("a target")) != point["sum"] {
        case.differs(format!("the drop-in, of {stamp}, gave other bytes: {}", run.account()));
    }
}

/// Restores a point, if it is to be had; `must` says that it has to be if it is sound.
fn restored(case: &mut Case, at: &str, told: &str, point: &Value, must: bool, target: &Path, before: Option<&[u8]>) {
    let run = case.restore(at, &[], target);
    if run.code != 0 {
        if sound(point) && must {
            case.differs(format!("restoring {told}, which is sound: {}", run.account()));
        } else if fs::read(target).ok().as_deref() != before {
            case.differs(format!("restoring {told} was refused, and the target is another: {}", run.account()));
        }
        return;
    }
    if !sound(point) {
        return case.differs(format!("restoring {told}, which is {}: {}", point["digest"], run.account()));
    }
    if sum(&fs::read(target).expect("a target")) != point["sum"] {
        case.differs(format!("restoring {told} gave other bytes: {}", run.account()));
    }
    let index = fs::read(target.with_extension("fs.index")).map_or(Value::Null, |bytes| sum(&bytes).into());
    if index != point["index"] {
        case.differs(format!(
            "restoring {told}, the index is {index}, and should be {}: {}",
            point["index"],
            run.account()
        ));
    }
}
