//! `action.yml`: its steps, run as a runner of GitHub runs them, with the files that it gives them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::run::Run;
use serde_json::Value;
use tempfile::TempDir;

use super::{archive, damaged, release, root, sound, yaml};

/// A runner and what it keeps of a job.
struct Runner {
    folder: TempDir,
    action: Value,
}

/// What a job left: the last step that ran, and the outputs.
struct Job {
    last: Run,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Runner {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for inner in ["temp", "work", "release"] {
            fs::create_dir(folder.path().join(inner)).expect("a folder");
        }
        for file in ["path", "output", "summary"] {
            fs::write(folder.path().join(file), "").expect("a file");
        }
        Self { folder, action: yaml("action.yml") }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).expect("a file of the runner")
    }

    /// A value with what its expression stands for.
    fn filled(&self, value: &str, inputs: &[(&str, String)]) -> String {
        let Some(expression) = value.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
            return value.to_owned();
        };
        match expression.split_once('.').expect("a context") {
            ("inputs", name) => {
                let input = &self.action["inputs"][name];
                assert!(input.is_object(), "no input is called {name}");
                let given = inputs.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
                given.unwrap_or_else(|| input["default"].as_str().expect("a default").to_owned())
            }
            ("github", "action_repository") => String::new(),
            _ => panic!("a runner of these tests does not know {expression}"),
        }
    }

    /// Runs the steps up to the first that fails.
    fn job(&self, inputs: &[(&str, String)]) -> Job {
        let mut last = None;
        for step in self.action["runs"]["steps"].as_array().expect("steps") {
            let Some(script) = step["run"].as_str() else { continue };
            let file = self.at("step.sh");
            fs::write(&file, script).expect("a script");
            let before = self.read("path").lines().map(|line| format!("{line}:")).collect::<String>();
            let path = format!("{before}{}", std::env::var("PATH").expect("a path"));
            let mut shell = Command::new("bash");
            shell.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).current_dir(self.at("work"));
            shell.env("PATH", path).env("GITHUB_ACTION_PATH", root()).env("RUNNER_TEMP", self.at("temp"));
            shell.env("GITHUB_PATH", self.at("path")).env("GITHUB_OUTPUT", self.at("output"));
            shell.env("GITHUB_STEP_SUMMARY", self.at("summary")).env("GITHUB_ACTIONS", "true");
            for (name, value) in step["env"].as_object().expect("what it is given") {
                shell.env(name, self.filled(value.as_str().expect("text"), inputs));
            }
            let run = Run::of(&mut shell);
            let failed = run.code != 0;
            last = Some(run);
            if failed {
                break;
            }
        }
        let output = self.read("output");
        let outputs = output.lines().map(|line| line.split_once('=').expect("a name and a value"));
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Job { last: last.expect("a step"), outputs, summary: self.read("summary") }
    }

    fn verifies(&self, sets: &[&Path], options: &str) -> Job {
        let from = release(&self.at("release"));
        let sets: Vec<String> = sets.iter().map(|set| set.display().to_string()).collect();
        let from = ("from", from.display().to_string());
        self.job(&[from, ("set", sets.join("\n")), ("options", options.to_owned())])
    }
}

/// The files that a step uploads.
fn reports(job: &Job) -> Vec<String> {
    let Some(folder) = job.outputs.get("reports") else { return Vec::new() };
    let entries = fs::read_dir(folder).expect("the reports").map(|entry| entry.expect("an entry"));
    let mut names: Vec<String> = entries
        .filter(|entry| entry.metadata().is_ok_and(|found| found.len() > 0))
        .map(|entry| entry.file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_sound_set_passes_and_its_reports_are_kept() {
    let runner = Runner::new();
    let job = runner.verifies(&[&sound(&runner.at("a set"))], "--depth\ndeep\n");
    job.last.expect(0).prints("deep was asked for");
    assert_eq!(job.outputs["code"], "0");
    assert!(job.outputs["verdict"].starts_with("sound: "), "{:?}", job.outputs);
    assert_eq!(reports(&job), ["report.json", "report.md", "report.sarif", "report.txt", "report.xml"]);
    let report = Path::new(&job.outputs["reports"]).join("report.md");
    assert_eq!(job.summary, fs::read_to_string(report).expect("a report"), "the summary is the report, once");
}

#[test]
fn a_quiet_run_over_a_sound_set_is_sound() {
    let runner = Runner::new();
    let job = runner.verifies(&[&sound(&runner.at("a set"))], "-q");
    job.last.expect(0);
    assert_eq!(job.outputs["verdict"], "sound");
}

#[test]
fn one_damaged_set_of_two_fails_the_step_and_is_told() {
    let runner = Runner::new();
    let job = runner.verifies(&[&sound(&runner.at("one")), &damaged(&runner.at("two"))], "");
    job.last.expect(1).prints("::error title=HW101 missing");
    assert_eq!(job.outputs["code"], "1");
    assert!(job.outputs["verdict"].starts_with("damaged: "), "{:?}", job.outputs);
    assert_eq!(reports(&job).len(), 5);
    assert!(job.summary.contains("HW101"), "{}", job.summary);
}

#[test]
fn a_set_that_is_not_there_fails_the_step_and_its_reports_say_so() {
    let runner = Runner::new();
    let job = runner.verifies(&[&runner.at("nothing")], "");
    job.last.expect(4).prints("::error::");
    assert_eq!(job.outputs["code"], "4");
    let report = fs::read_to_string(Path::new(&job.outputs["reports"]).join("report.json")).expect("a report");
    assert!(report.contains("\"verdict\": \"inconclusive\"") && report.contains("HW201"), "{report}");
    assert!(job.summary.contains("nothing"), "{}", job.summary);
    let misspelt = Runner::new();
    let job = misspelt.verifies(&[&sound(&misspelt.at("a set"))], "--dept=deep");
    job.last.expect(2).prints("::error::error: unexpected argument '--dept'");
    assert!(job.outputs["verdict"].contains("'--dept'"), "{:?}", job.outputs);
    let unnamed = Runner::new();
    unnamed.verifies(&[], "").last.expect(2).prints("say `set:`");
}

/// What is done to the folder of a release.
type Harm<'a> = &'a dyn Fn(&Path);

#[test]
fn an_archive_that_is_not_what_its_sum_says_is_not_run() {
    let name = archive();
    let harms: [(&str, Harm<'_>); 3] = [
        ("is not what its SHA256SUMS says", &|folder| {
            let path = folder.join(format!("{name}.tar.gz"));
            let mut bytes = fs::read(&path).expect("the archive");
            bytes.push(0);
            fs::write(path, bytes).expect("a longer one");
        }),
        ("does not name", &|folder| fs::write(folder.join("SHA256SUMS"), "").expect("an empty list")),
        ("cannot get SHA256SUMS from", &|folder| fs::remove_file(folder.join("SHA256SUMS")).expect("it was there")),
    ];
    for (says, harm) in harms {
        let runner = Runner::new();
        let from = release(&runner.at("release"));
        harm(&from);
        let job = runner.job(&[("from", from.display().to_string()), ("set", "work".to_owned())]);
        job.last.expect(4).prints(says);
        assert_eq!(runner.read("path"), "", "{says}");
    }
}

#[test]
fn a_release_is_fetched_by_its_address_too() {
    let runner = Runner::new();
    let from = format!("file://{}", release(&runner.at("release")).display());
    let set = sound(&runner.at("set")).display().to_string();
    runner.job(&[("from", from), ("set", set.clone())]).last.expect(0);
    runner.job(&[("set", set)]).last.expect(4).prints("say `from:`");
}

#[test]
fn what_the_action_gives_out_is_what_its_step_writes() {
    let runner = Runner::new();
    let job = runner.verifies(&[&sound(&runner.at("set"))], "");
    let given: Vec<String> = runner.action["outputs"]
        .as_object()
        .expect("outputs")
        .values()
        .map(|output| output["value"].to_string())
        .collect();
    for value in &given {
        let name = value.trim_matches('"').strip_prefix("${{ steps.verify.outputs.").expect("the step that verifies");
        assert!(job.outputs.contains_key(name.trim_end_matches(" }}")), "{value}");
    }
    assert_eq!(given.len(), job.outputs.len());
    let steps = runner.action["runs"]["steps"].as_array().expect("steps");
    let scripts = steps.iter().filter(|step| step["run"].is_string());
    assert!(scripts.clone().all(|step| step["shell"] == "bash"), "each script of an action names its shell");
    let upload = steps.last().expect("a step");
    assert_eq!(upload["with"]["path"], "${{ steps.verify.outputs.reports }}");
    assert!(upload["if"].as_str().is_some_and(|when| when.starts_with("always() && ")), "{upload}");
}
