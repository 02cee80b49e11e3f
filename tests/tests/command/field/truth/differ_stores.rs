//! Datastores with damages, judged by the binary and by an independent reader in Python, with the key and without.
//!
//! Sound means restorable: each archive and blob of a snapshot that is called sound restores with the very bytes, and
//! what the reader calls damaged is refused.

use std::fs;
use std::path::Path;

use highwater_tests::datastore::Sample;
use highwater_tests::dice::Dice;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;
use super::differ::{self, Case, sum, text};

/// Of so many files of sound snapshots it is asked whether they restore; of the others, of all.
const SOUND: usize = 6;

#[test]
fn stores_are_judged_as_an_independent_reader_judges_them() {
    let mut score = Score::part(LINE, "differential, stores");
    differ::run(&mut score, "differ_stores.py", &[Sample::made().folder()], check);
    score.end();
}

fn check(case: &mut Case) {
    let key = case.shapes.join("key.json");
    let keyed = ["--keyfile", key.to_str().expect("text")];
    verdicts(case, "open", &["--depth", "digest"]);
    // Into trees the other reader does not look, so that an index in the place of another's is sound to it.
    verdicts(case, "keyed", &[&["--depth", "digest"], &keyed[..]].concat());
    case.is_sound_at_lesser_depths(case.told["keyed"]["codes"][0] == 0, &keyed);
    let snapshots = case.told["keyed"]["snapshots"].as_object().expect("snapshots").clone();
    let mut dice = Dice::new(case.seed());
    let (mut sound, mut others) = (Vec::new(), Vec::new());
    for (path, snapshot) in &snapshots {
        let files = snapshot["files"].as_array().expect("files").iter();
        let among = if snapshot["verdict"] == "sound" { &mut sound } else { &mut others };
        among.extend(files.map(|file| (path, snapshot, file)));
    }
    while sound.len() > SOUND {
        sound.swap_remove(usize::try_from(dice.below(sound.len() as u64)).expect("it fits"));
    }
    for (number, (path, snapshot, file)) in sound.into_iter().chain(others).enumerate() {
        let target = case.root.with_extension(format!("target-{number}"));
        // Every other one to a file, which is put together in another way.
        restored(case, path, snapshot, file, &keyed, Some(&*target).filter(|_| number % 2 == 0));
    }
}

/// The verdicts with the key or without, and the exit code.
fn verdicts(case: &mut Case, eyes: &str, options: &[&str]) {
    let (code, sets) = case.verify(options);
    let told = case.told[eyes].clone();
    if !told["codes"].as_array().expect("codes").iter().any(|wanted| *wanted == code) {
        case.differs(format!("verify, {eyes}, ends with {code}, and should with {}", told["codes"]));
    }
    for (name, verdict) in &sets {
        let wanted = told["snapshots"].get(name).map_or("absent", |snapshot| text(&snapshot["verdict"]));
        let right = match wanted {
            "sound" | "damaged" => verdict == wanted,
            "open" => verdict == "inconclusive",
            _ => verdict != "sound",
        };
        if !right {
            case.differs(format!("{eyes}, {name} is called {verdict}, and is {wanted}"));
        }
    }
    for (path, _) in told["snapshots"].as_object().expect("snapshots") {
        if !sets.iter().any(|(name, _)| name == path) {
            case.differs(format!("{eyes}, {path} is not named"));
        }
    }
}

/// Restores a file of a snapshot, if it is to be had.
fn restored(case: &mut Case, path: &str, snapshot: &Value, file: &Value, keyed: &[&str], target: Option<&Path>) {
    let at = format!("{path}/{}", text(&file["name"]));
    let run = case.restore(&at, keyed, target.unwrap_or(Path::new("-")));
    let bytes = target.map_or_else(|| run.stdout.clone(), |target| fs::read(target).unwrap_or_default());
    let (whole, trusted) = (file["state"] == "whole", snapshot["trusted"] == true);
    if run.code != 0 {
        if whole && trusted {
            case.differs(format!("restoring {at}, which is whole: {}", run.account()));
        }
    } else if snapshot["refused"] != true && file["known"] == sum(&bytes) {
        // Of a chunk of zeros, the file is not read: its digest tells all.
    } else if !whole || snapshot["refused"] == true {
        case.differs(format!("restoring {at}, which is {file} of {}: {}", snapshot["verdict"], run.line));
    } else if sum(&bytes) != file["sum"] {
        case.differs(format!("restoring {at} gave other bytes: {}", run.line));
    }
}
