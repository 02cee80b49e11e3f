//! Random folders and their points: sound is called sound, and each point gives back what the folder held.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater::backup::tree::{Folder, TreeOptions, backup};
use highwater::drive;
use highwater::restore::Asked;
use highwater::restore::tree::{Run, TreeOptions as RestoreOptions, TreePlan, to_folder};
use highwater::watch::Watch;
use highwater_core::formats::tree::Tree;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::name::Name;
use highwater_core::report::{Depth, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::dice::Dice;
use highwater_tests::model::Model;
use highwater_tests::score::{Score, size};

const FOLDER: &str = "/model/files";
const SET: &str = "/model/set";
const OUT: &str = "/model/out";

/// Parts of names, some of which lists have a meaning for.
const PARTS: [&str; 14] = [
    "a",
    "a b",
    "a-b",
    "a!",
    "b",
    "c.d",
    "#x",
    "back\\slash",
    "new\nline",
    "umläut",
    "type=dir",
    "...",
    "star*",
    "x,again",
];

/// What a folder holds: the bytes of each file, by its path.
type Held = BTreeMap<PathBuf, Vec<u8>>;

fn name(dice: &mut Dice) -> String {
    let depth = 1 + dice.below(4);
    let part = |dice: &mut Dice| PARTS[usize::try_from(dice.below(PARTS.len() as u64)).expect("a place")];
    (0..depth).map(|_| part(dice)).collect::<Vec<_>>().join("/")
}

fn bytes(dice: &mut Dice) -> Vec<u8> {
    let length = match dice.below(5) {
        0 => 0,
        1 => 1,
        // Many files hold the same.
        2 => return b"the same".to_vec(),
        3 => dice.below(300),
        _ => dice.below(200_000) * dice.below(2),
    };
    (0..length).map(|_| dice.bits() as u8).collect()
}

/// What lies below a folder of the model.
fn held(model: &Model, folder: &str) -> Held {
    let names = model.names(folder).into_iter();
    let file = |path: PathBuf| {
        let is_folder = model.meta(&path).is_none_or(|meta| meta.mode & 0o111 != 0);
        let inside = path.strip_prefix(folder).expect("it lies there").to_owned();
        let bytes = model.get(&path).filter(|_| !is_folder && !inside.as_os_str().is_empty())?;
        Some((inside, bytes))
    };
    names.filter_map(file).collect()
}

/// Changes the folder: files come, change and go.
fn live(model: &Model, dice: &mut Dice) {
    for _ in 0..1 + dice.below(8) {
        let held = held(model, FOLDER);
        if dice.below(3) == 0
            && let Some((path, _)) =
                held.iter().nth(usize::try_from(dice.below(held.len().max(1) as u64)).expect("a place"))
        {
            model.take_away(Path::new(FOLDER).join(path));
            continue;
        }
        let path = PathBuf::from(name(dice));
        // No file lies in a file.
        let clashes = held.keys().any(|other| other != &path && (other.starts_with(&path) || path.starts_with(other)));
        if !clashes {
            model.put(Path::new(FOLDER).join(path), &bytes(dice));
        }
    }
}

/// What verify says, at some depth.
fn verify(model: &Model, dice: &mut Dice) -> Result<(), String> {
    let depth =
        [Depth::List, Depth::Size, Depth::Digest, Depth::Deep][usize::try_from(dice.below(4)).expect("a depth")];
    let survey = Survey::new(Tree.inspect(&Scope::new(Of::All).trailing(true)), Options::whole(&Tree, "set", depth));
    let survey = drive::run(&model.root(SET), survey, depth, &Watch::silent(), &mut |_, _| {});
    let report = survey.map_err(|error| error.to_string())?.finish();
    if report.verdict == Soundness::Sound && report.findings.is_empty() {
        return Ok(());
    }
    Err(format!("{:?} at depth {depth:?}: {:?}", report.verdict, report.findings))
}

/// One folder and its points, from the first to the last.
fn play(seed: u64) -> Result<u64, String> {
    let mut dice = Dice::new(seed);
    let model = Model::default();
    [FOLDER, SET, "/model"].into_iter().for_each(|folder| model.put_folder(folder));
    let mut points: Vec<(String, Held)> = Vec::new();
    for hour in 0..1 + dice.below(4) {
        live(&model, &mut dice);
        let now = format!("2026-01-01-{hour:02}-00-00");
        let job = TreeOptions { now: Some(now), ..TreeOptions::default() };
        let (mut source, to) = (Folder(Arc::new(model.root(FOLDER))), model.root(SET));
        let made = backup(&job, &mut source, &to, &Watch::silent()).map_err(|error| error.to_string())?;
        if !made.left_out.is_empty() || !made.changed.is_empty() {
            return Err(format!("it is said to lack {:?} {:?}", made.left_out, made.changed));
        }
        points.push((made.point, held(&model, FOLDER)));
        verify(&model, &mut dice)?;
    }
    // Onto nothing, then each onto what the one before left.
    for (point, wanted) in &points {
        let from = model.root(SET);
        let plan = TreePlan::make(&from, Asked { format: &Tree, point: Some(point.clone()), key: None })
            .map_err(|error| error.to_string())?;
        let (to, target) = (model.root("/model"), Name::new(b"out").map_err(|error| error.to_string())?);
        let job = RestoreOptions { full: true, dry_run: false };
        to_folder(&Run { job: &job, plan: &plan, from: &from, to: &to, target: &target, watch: &Watch::silent() })
            .map_err(|error| format!("{point}: {error}"))?;
        let found = held(&model, OUT);
        if found != *wanted {
            let differs = wanted.iter().find(|(path, bytes)| found.get(*path) != Some(bytes)).map(|(path, _)| path);
            return Err(format!("{point} gives back another folder: {differs:?}, {} of {}", found.len(), wanted.len()));
        }
    }
    Ok(points.len() as u64)
}

#[test]
fn every_point_of_a_random_folder_is_sound_and_gives_it_back() {
    let mut score = Score::new("random folders");
    for seed in 0..size(700, 10_000) {
        match play(seed) {
            Ok(points) => score.ran(points),
            Err(what) => {
                score.ran(1);
                score.fail(format!("folder {seed}: {what}"));
            }
        }
    }
    score.end();
}
