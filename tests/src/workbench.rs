//! A Python process that stays up and does small things on request; see `tests/python/workbench.py`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::python;
use crate::run::Run;

/// A running workbench; it ends with this value.
#[derive(Debug)]
pub struct Workbench {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Workbench {
    /// Start the process.
    #[track_caller]
    pub fn open() -> Self {
        let mut child = python::command("workbench.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the workbench starts");
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a piped stdout"));
        Self { child, requests, answers }
    }

    /// Ask for one action by name; its failure is a panic with Python's traceback.
    #[track_caller]
    pub fn ask(&mut self, action: &str, mut details: Value) -> Value {
        details["do"] = json!(action);
        let mut line = details.to_string();
        line.push('\n');
        let requests = self.requests.as_mut().expect("an open workbench");
        requests.write_all(line.as_bytes()).expect("the workbench reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the workbench answers");
        let mut answer: Value = serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("the workbench answered {answer:?} to {line}: {error}"));
        if let Some(failure) = answer["failed"].as_str() {
            panic!("the workbench failed at {line}{failure}");
        }
        answer["ok"].take()
    }

    /// Run the original repozo in this process, with the clock at `stamp`, as a shell would see it.
    #[track_caller]
    pub fn original(&mut self, stamp: &str, arguments: &[&str]) -> Run {
        let answer = self.ask("original", json!({ "argv": arguments, "now": stamp }));
        Run {
            line: format!("repozo {}", arguments.join(" ")),
            code: i32::try_from(answer["code"].as_i64().expect("a code")).expect("a small code"),
            stdout: answer["stdout"].as_str().expect("text").into(),
            stderr: answer["stderr"].as_str().expect("text").into(),
        }
    }

    /// A new database at `path`.
    #[track_caller]
    pub fn create(&mut self, path: &Path, seed: u64) {
        self.ask("create", json!({ "path": path, "seed": seed }));
    }

    /// Commit `count` transactions of small (`few`) or wide (`many`) changes.
    #[track_caller]
    pub fn commit(&mut self, path: &Path, seed: u64, count: u64, shape: &str) {
        self.ask("commit", json!({ "path": path, "seed": seed, "count": count, "shape": shape, "largest": 4000 }));
    }

    /// Pack; says whether the file changed.
    #[track_caller]
    pub fn pack(&mut self, path: &Path) -> bool {
        self.ask("pack", json!({ "path": path })).as_bool().expect("true or false")
    }

    /// Undo a recent transaction; says whether one could be undone.
    #[track_caller]
    pub fn undo(&mut self, path: &Path, seed: u64) -> bool {
        self.ask("undo", json!({ "path": path, "seed": seed })).as_bool().expect("true or false")
    }

    /// Leave an unfinished tail of a kind that `grow.py` knows; says where it starts.
    #[track_caller]
    pub fn leave_tail(&mut self, path: &Path, seed: u64, kind: &str) -> u64 {
        self.ask("leave_tail", json!({ "path": path, "seed": seed, "kind": kind })).as_u64().expect("a position")
    }

    /// Finish a whole voted tail, or cut off a broken one; says whether it was finished.
    #[track_caller]
    pub fn finish_tail(&mut self, path: &Path, start: u64) -> bool {
        self.ask("finish_tail", json!({ "path": path, "start": start })).as_bool().expect("true or false")
    }

    /// Where the real FileStorage sees the end of the last complete transaction.
    #[track_caller]
    pub fn end_of_history(&mut self, path: &Path) -> u64 {
        self.ask("end_of_history", json!({ "path": path })).as_u64().expect("a position")
    }

    /// Fail unless `index` is what the real fsIndex saves for `data`, entry for entry and byte for byte.
    #[track_caller]
    pub fn expect_index(&mut self, data: &Path, index: &Path) {
        let found = self.ask("index_against_scan", json!({ "data": data, "index": index }));
        assert!(
            found.as_array().is_some_and(Vec::is_empty),
            "{} is not the index of {}: {found}",
            index.display(),
            data.display()
        );
    }

    /// Open a database with the real ZODB, load everything, and give its transactions as (id, sum).
    #[track_caller]
    pub fn history(&mut self, path: &Path) -> Vec<(String, String)> {
        let told = self.ask("history", json!({ "path": path }));
        let transactions = told["transactions"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        transactions.iter().map(|entry| (text(&entry[0]), text(&entry[1]))).collect()
    }
}

impl Drop for Workbench {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}
