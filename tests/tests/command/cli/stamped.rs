//! Which run a document is of, where that was asked; and the schema that every report is held to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::python::interpreter;
use highwater_tests::repo::Fixture;
use highwater_tests::run::{Run, ours};
use highwater_tests::specimens::{self, lay};
use serde_json::{Value, json};

/// Says of each file whether the schema takes it, a word a line.
const VALIDATE: &str = "
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for path in sys.argv[2:]:
    errors = [f'{error.json_path}: {error.message[:200]}' for error in validator.iter_errors(json.load(open(path)))]
    print(json.dumps(errors))
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the schema has against each file.
#[track_caller]
fn errors(files: &[PathBuf]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = folder.path().join("schema.json");
    fs::write(&schema, ours("2026-11-28-08-00-00", &["report", "schema"]).expect(0).text()).expect("the schema");
    let run = Run::of(Command::new(interpreter()).args(["-c", VALIDATE]).arg(&schema).args(files));
    run.expect(0).text().lines().map(|line| serde_json::from_str(line).expect("a list")).collect()
}

#[track_caller]
fn expect_valid(files: &[PathBuf]) {
    for (file, errors) in files.iter().zip(errors(files)) {
        assert!(errors.is_empty(), "{}: {errors:?}", file.display());
    }
}

/// The reports that the renderer is held to, byte for byte.
fn goldens() -> Vec<PathBuf> {
    let folder = root().join("core/src/render/goldens");
    fs::read_dir(folder).expect("the golden reports").map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn the_schema_lies_with_the_documentation() {
    let published = fs::read_to_string(root().join("web/docs/report.schema.json")).expect("the schema");
    assert_eq!(ours("2026-11-28-08-00-00", &["report", "schema"]).expect(0).text(), published);
}

#[test]
fn the_schema_takes_every_golden_report() {
    let goldens = goldens();
    assert!(goldens.len() >= 10, "{goldens:?}");
    expect_valid(&goldens);
}

#[test]
fn the_schema_takes_reports_on_sound_and_damaged_sets_of_each_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for specimen in specimens::all() {
        let small = specimen.small();
        let damages = specimen.damages(&small).step_by(7).take(12).map(|case| case.files);
        for (number, set) in std::iter::once(small.files.clone()).chain(damages).enumerate() {
            let at = folder.path().join("set");
            lay(&set, &at);
            let file = folder.path().join(format!("{}-{number}.json", specimen.name()));
            let to = format!("--json={}", file.display());
            let run = ours("2026-11-28-08-00-00", &["verify", "-q", "--depth", "deep", &to, &at.to_string_lossy()]);
            if run.code != 4 && run.code != 2 {
                files.push(file);
            }
        }
    }
    assert!(files.len() > 40, "{}", files.len());
    expect_valid(&files);
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let text = fs::read_to_string(root().join("core/src/render/goldens/stamped.json")).expect("a golden report");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    let mut wrong = Vec::new();
    for field in golden.as_object().expect("an object").keys().filter(|field| *field != "origins") {
        let mut without = golden.clone();
        without.as_object_mut().expect("an object").remove(field);
        wrong.push(without);
    }
    for (at, bad) in [
        ("/schema", json!(1)),
        ("/verdict", json!("fine")),
        ("/coverage/claims", json!(-1)),
        ("/sets/0/verdict", json!("good")),
        ("/roots/0/shards", json!("1/1")),
        ("/origins/0/start", json!("yesterday")),
        ("/more", json!(1)),
    ] {
        let mut other = golden.clone();
        match other.pointer_mut(at) {
            Some(value) => *value = bad,
            None => _ = other.as_object_mut().expect("an object").insert(at[1..].to_owned(), bad),
        }
        wrong.push(other);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let write = |(number, report): (usize, &Value)| {
        let file = folder.path().join(format!("{number}.json"));
        fs::write(&file, report.to_string()).expect("a file");
        file
    };
    let files: Vec<PathBuf> = wrong.iter().enumerate().map(write).collect();
    for (report, errors) in wrong.iter().zip(errors(&files)) {
        assert!(!errors.is_empty(), "{report}");
    }
}

#[test]
fn a_report_says_which_run_it_is_of_where_that_was_asked() {
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let verify = |now: &str, flags: &[&str]| ours(now, &[&["verify", "--json"], flags, &[&repo]].concat());
    let plain = verify("2026-11-28-08-00-00", &[]);
    plain.expect(0);
    assert_eq!(plain.stdout, verify("2027-01-01-00-00-00", &[]).stdout, "another day gives the same bytes");
    let stamped = verify("2026-11-28-08-00-00", &["--stamp"]);
    let mut report: Value = serde_json::from_slice(&stamped.expect(0).stdout).expect("JSON");
    let origins = report.as_object_mut().expect("an object").remove("origins").expect("origins");
    assert_eq!(report, serde_json::from_slice::<Value>(&plain.stdout).expect("JSON"), "nothing else differs");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let time = "2026-11-28T08:00:00Z";
    let origin = json!([{
        "start": time, "end": time, "host": host, "paths": [repo], "tool": "highwater",
        "version": env!("CARGO_PKG_VERSION"),
    }]);
    assert_eq!(origins, origin);
    ours("2026-11-28-08-00-00", &["verify", "--stamp", &repo]).expect(2).says("--json");
}

#[test]
fn merged_reports_keep_what_runs_they_are_of() {
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let part = |now: &str, shard: &str, flags: &[&str]| {
        let file = fixture.path(&format!("{}{}.json", shard.replace('/', "-"), flags.len()));
        let to = format!("--json={}", file.display());
        ours(now, &[&["verify", "-q", "--shard", shard, &to], flags, &[&repo]].concat()).expect(0);
        file
    };
    let stamped = [part("2026-11-28-09-00-00", "1/2", &["--stamp"]), part("2026-11-28-08-00-00", "2/2", &["--stamp"])];
    let plain = [part("2026-11-28-09-00-00", "1/2", &[]), part("2026-11-28-08-00-00", "2/2", &[])];
    let merged = |parts: [&PathBuf; 2]| {
        let parts = parts.map(|part| part.to_string_lossy().into_owned());
        ours("2026-11-28-10-00-00", &["report", "merge", "--json", "--", &parts[0], &parts[1]]).expect(0).text()
    };
    let text = merged([&stamped[0], &stamped[1]]);
    assert_eq!(text, merged([&stamped[1], &stamped[0]]), "the order does not matter");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let starts: Vec<&Value> =
        report["origins"].as_array().expect("origins").iter().map(|origin| &origin["start"]).collect();
    assert_eq!(starts, ["2026-11-28T08:00:00Z", "2026-11-28T09:00:00Z"]);
    let whole = ours("2026-11-28-10-00-00", &["verify", "--json", &repo]);
    assert_eq!(merged([&plain[0], &plain[1]]), whole.expect(0).text(), "without stamps, as ever");
    let file = fixture.path("merged.json");
    fs::write(&file, text).expect("a file");
    expect_valid(&[file]);
}

#[test]
fn a_point_that_not_every_shard_saw_is_not_called_sound() {
    let (mut fixture, _) = Fixture::with_chain();
    let (source, repo) = (fixture.source.to_string_lossy().into_owned(), fixture.repo.to_string_lossy().into_owned());
    let files = ["1", "2"].map(|shard| fixture.path(&format!("{shard}.json")).to_string_lossy().into_owned());
    let part = |fixture: &Fixture, at: usize| {
        let (shard, to) = (format!("{}/2", at + 1), format!("--json={}", files[at]));
        fixture.run(&["verify", "-q", "--shard", &shard, &to, &repo]).expect(0);
    };
    let merged = |fixture: &Fixture, code: i32| -> Value {
        let run = fixture.run(&["report", "merge", "--json", &files[0], &files[1]]);
        serde_json::from_slice(&run.expect(code).stdout).expect("JSON")
    };
    part(&fixture, 0);
    part(&fixture, 1);
    let before = merged(&fixture, 0);
    fixture.grow(2);
    fixture.clock.tick(60);
    fixture.run(&["backup", &source, &repo]).expect(0);
    part(&fixture, 1);
    let report = merged(&fixture, 3);
    let sets = report["sets"].as_array().expect("sets");
    let known = before["sets"].as_array().expect("sets").len();
    assert_eq!(sets.len(), known + 1);
    let wanted = |at: usize| json!(if at < known { "sound" } else { "inconclusive" });
    assert!(sets.iter().enumerate().all(|(at, set)| set["verdict"] == wanted(at)), "{sets:?}");
}

#[test]
fn every_document_says_which_run_it_is_of_where_that_was_asked() {
    let now = "2026-11-28-08-00-00";
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    for name in ["notes", "set"] {
        fs::create_dir(at(name)).expect("a folder");
    }
    fs::write(at("notes/a"), "one").expect("a file");
    let [notes, set, back, copy, tar] = ["notes", "set", "back", "copy", "set.tar"].map(at);
    ours("2026-11-27-08-00-00", &["backup", "-q", &notes, &set]).expect(0);
    let point = format!("{set}@latest");
    for (words, paths) in [
        (&["backup", "-n", &notes, &set][..], &[&notes, &set][..]),
        (&["restore", "-n", &point, &back], &[&point, &back]),
        (&["list", &set], &[&set]),
        (&["show", &point], &[&point]),
        (&["export", "-n", &point], &[&point]),
        (&["export", &point, "--output", &tar], &[&point]),
        (&["prune", "-n", "--keep-last", "1", &set], &[&set]),
        (&["replicate", "-n", &set, &copy], &[&set, &copy]),
        (&["heal", "-n", &set, "--from", &set], &[&set]),
        (&["explain", "HW101"], &[]),
    ] {
        let told = |more: &[&str]| -> Value {
            let run = ours(now, &[&words[..1], &["--json"], more, &words[1..]].concat());
            serde_json::from_slice(&run.expect(0).stdout).unwrap_or_else(|error| panic!("{error}: {}", run.account()))
        };
        let mut stamped = told(&["--stamp"]);
        let origins = stamped.as_object_mut().expect("an object").remove("origins");
        assert_eq!(stamped, told(&[]), "{words:?}: nothing else differs");
        let [origin] = origins.as_ref().and_then(Value::as_array).expect("origins").as_slice() else {
            panic!("{words:?}: {origins:?}")
        };
        let time = "2026-11-28T08:00:00Z";
        let fields = ["start", "end", "paths", "tool", "version"].map(|name| origin[name].clone());
        let wanted = [json!(time), json!(time), json!(paths), json!("highwater"), json!(env!("CARGO_PKG_VERSION"))];
        assert_eq!(fields, wanted, "{words:?}");
        ours(now, &[&words[..1], &["--stamp"], &words[1..]].concat()).expect(2).says("--json");
    }
    let run = ours(now, &["export", "--json", "--stamp", &point]);
    let told: Value = serde_json::from_str(&run.expect(0).stderr).expect("JSON beside the archive");
    assert_eq!(told["origins"][0]["paths"], json!([point]));
}
