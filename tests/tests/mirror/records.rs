//! Damaged records of a plan: whatever is flipped, cut, lost or gone of what a plan keeps, no run ends with 0 unless
//! all is as it should be, and each says which file it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater::error::Error;
use highwater::mirror::{Summary, apply};
use highwater::watch::Watch;
use highwater_tests::model::{Model, Wrong};
use highwater_tests::run::Run;

use crate::cuts::{MIRROR, in_segments, scene as small, tree as shown};
use crate::scene::{Scene, tree};
use crate::segments::{folder, run, same};

/// So many bodies that a plan has two parts.
const BODIES: usize = 300;

/// What may be wrong with a file: a name, and what it does; none where it is gone.
fn harms(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let last = bytes.len().saturating_sub(1);
    let flip = |at: usize| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        (format!("flipped at {at}"), Some(flipped))
    };
    let mut harms = vec![("gone".to_owned(), None)];
    if bytes.is_empty() {
        return harms;
    }
    harms.extend([0, last / 2, last.saturating_sub(3)].map(flip));
    harms.extend([0, last].map(|at| (format!("cut at {at}"), Some(bytes[..at].to_vec()))));
    harms.push(("zeros".to_owned(), Some(vec![0; bytes.len()])));
    // Of the numbers of a plan, one that would leave out all the rest.
    let fetched = format!(" fetch {BODIES} ").into_bytes();
    if let Some(at) = bytes.windows(fetched.len()).position(|some| some == fetched) {
        let mut other = bytes.to_vec();
        other[at..at + fetched.len()].copy_from_slice(b" fetch 000 ");
        harms.push(("of another number".to_owned(), Some(other)));
    }
    harms
}

/// A copy of a mirror in which one file is another.
fn harmed(from: &Path, to: &Path, file: &str, bytes: Option<&Vec<u8>>) {
    if to.exists() {
        fs::remove_dir_all(to).expect("removed");
    }
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(copied.success());
    let path = to.join(".highwater-mirror/plan").join(file);
    match bytes {
        Some(bytes) => fs::write(path, bytes).expect("a file"),
        None => fs::remove_file(path).expect("removed"),
    }
}

#[test]
fn no_damaged_record_of_a_plan_is_passed_over() {
    let scene = Scene::new();
    for number in 0..BODIES {
        scene.put(&format!("a/{number:04}"), &format!("body {number}"));
    }
    scene.list(1);
    let (one, start, mirror) = (folder(&scene, "one"), folder(&scene, "start"), scene.folder.path().join("harmed"));
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    run(&scene, "plan", &start, &[]).expect(0);
    run(&scene, "fetch", &start, &[]).expect(0);
    let mut files: Vec<String> = fs::read_dir(start.join(".highwater-mirror/plan"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|file| !file.ends_with("lock"))
        .collect();
    files.sort_unstable();
    assert_eq!(files, ["begun", "part-0", "part-1", "parts", "rows", "steps"]);
    let mut cases = 0;
    for file in &files {
        let path: PathBuf = start.join(".highwater-mirror/plan").join(file);
        for (what, bytes) in harms(&fs::read(path).expect("a file")) {
            // A plan that nothing says was begun is none.
            if file == "begun" && bytes.is_none() {
                continue;
            }
            cases += 1;
            let case = format!("{file} {what}");
            harmed(&start, &mirror, file, bytes.as_ref());
            let applied = run(&scene, "apply", &mirror, &[]);
            let told = applied.stderr.clone();
            assert!(matches!(applied.code, 1 | 3 | 4), "{case}: {}", applied.account());
            // What was not written is called by its segment.
            assert!(told.contains(&format!("plan/{file}")) || bytes.is_none(), "{case}: {told}");
            assert!(file.starts_with("part-") || applied.code != 4, "{case}: {told}");
            assert!(!mirror.join(".highwater-mirror/applied").exists(), "{case}");
            if !file.starts_with("part-") {
                continue;
            }
            // Either it is gone without, and that is told, or a worker makes it good, and says so once.
            let lacks = tree(&mirror).len();
            if what == "flipped at 0" {
                let without = run(&scene, "apply", &mirror, &["--go-without"]);
                without.expect(3).says("versions could not be had").says("1 records of what was fetched were not");
                assert!(tree(&mirror).len() <= lacks);
                harmed(&start, &mirror, file, bytes.as_ref());
            }
            let again = run(&scene, "fetch", &mirror, &[]);
            match bytes {
                Some(_) => drop(again.expect(3).says(&format!("plan/{file}")).says("1 records of what was fetched")),
                None => drop(again.expect(0)),
            }
            run(&scene, "fetch", &mirror, &[]).expect(0);
            run(&scene, "apply", &mirror, &[]).expect(0);
            same(&one, &mirror);
        }
    }
    assert!(cases > 40, "{cases}");
}

/// One sync alone says it, too.
#[test]
fn a_sync_tells_of_a_damaged_record() {
    let scene = Scene::new();
    scene.put("a", "a body");
    scene.list(1);
    run(&scene, "plan", &scene.mirror(), &[]).expect(0);
    run(&scene, "fetch", &scene.mirror(), &[]).expect(0);
    let record = scene.mirror().join(".highwater-mirror/plan/part-0");
    let mut bytes = fs::read(&record).expect("a file");
    bytes[50] ^= 4;
    fs::write(&record, &bytes).expect("a file");
    scene.sync(&[]).expect(3).says("plan/part-0' at byte").says("1 records of what was fetched");
    scene.sync(&[]).expect(0);
    scene.verify().expect(0);
    scene.shows_the_bucket();
}

/// Whether a run said that all is there.
fn says_all(ran: &Result<Option<Summary>, Error>) -> bool {
    let Ok(Some(summary)) = ran else { return false };
    summary.fetched.missing + summary.fetched.damaged + summary.applied.lost + summary.unread == 0
}

fn applying(model: &Model) -> Result<Option<Summary>, Error> {
    apply(&model.root(MIRROR), (false, None), &Watch::silent())
}

/// What is written while a plan is settled, and then read by the same run, or by the next.
#[test]
fn what_a_disk_loses_or_turns_while_a_plan_is_applied_is_told() {
    let (scene, model) = small();
    in_segments(&scene, &model, false).expect("fetched");
    let fetched = model.killed();
    let whole = fetched.killed();
    assert!(says_all(&applying(&whole)));
    let (after, steps) = (shown(&whole), whole.steps());
    let plan = format!("{MIRROR}/.highwater-mirror/plan/");
    let (mut lost, mut turned, mut told) = (0, 0, 0);
    for (at, step) in steps.iter().enumerate() {
        let path = step.path.to_string_lossy().into_owned();
        // A write that the disk says it made.
        if step.verb == "write" && path.starts_with(&plan) {
            lost += 1;
            let model = fetched.killed();
            model.go_wrong(at as u64, Wrong::Skip);
            let ran = applying(&model);
            assert!(!says_all(&ran) || shown(&model) == after, "write {at} to {path} was lost: {ran:?}");
            told += u64::from(!says_all(&ran));
        }
        // A run that is cut off there, and a file that is another before the next one.
        let cut = fetched.killed();
        cut.cut_at(at as u64);
        _ = applying(&cut);
        for name in cut.names(&plan).into_iter().filter(|name| name != Path::new(plan.trim_end_matches('/'))) {
            let Some(bytes) = cut.get(&name) else { continue };
            for (what, bytes) in harms(&bytes) {
                let Some(bytes) = bytes else { continue };
                turned += 1;
                let model = cut.killed();
                model.put(&name, &bytes);
                let ran = applying(&model);
                let case = format!("cut before {at}, then {} {what}", name.display());
                assert!(!says_all(&ran) || shown(&model) == after, "{case}: {ran:?}");
                // No step is taken of steps that are not what was written.
                if name.ends_with("steps") && cut.get(format!("{plan}begun")).is_some() {
                    assert!(ran.is_err() && shown(&model) == shown(&cut), "{case}: {ran:?}");
                }
            }
        }
    }
    assert!(lost >= 2 && told >= 1 && turned > 500, "{lost} {told} {turned}");
}
