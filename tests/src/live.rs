//! A real ZODB that commits and packs in a process of its own while a test works beside it; see
//! `tests/python/live_writer.py`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::python;

/// The writer says something at least this often unless it is stuck.
const PATIENCE: Duration = Duration::from_secs(50);

/// A transaction as (id, sum).
pub type Transaction = (String, String);

/// The running writer and what it has said so far.
#[derive(Debug)]
pub struct Writer {
    child: Child,
    orders: ChildStdin,
    said: Receiver<String>,
    notebook: PathBuf,
    /// The id of the last transaction it has finished.
    pub last_commit: String,
    /// How many transactions it has finished.
    pub commits: u64,
    /// The newest generation whose file is in place for certain.
    pub generation: u64,
    /// The newest generation that may be in place.
    pub packing: u64,
    full: bool,
}

impl Writer {
    /// Start writing to a new database; return when its first generation is on record and commits go on.
    #[track_caller]
    pub fn start(data: &Path, notebook: &Path, seed: u64) -> Self {
        let mut child = python::command("live_writer.py")
            .args([data, notebook])
            .arg(seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the writer starts");
        let orders = child.stdin.take().expect("a piped stdin");
        let lines = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
        let (sender, said) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut writer = Self {
            child,
            orders,
            said,
            notebook: notebook.to_owned(),
            last_commit: String::new(),
            commits: 0,
            generation: 0,
            packing: 0,
            full: false,
        };
        // The root object, the first filling, and one that shows the committing thread at work.
        writer.wait("three commits", |writer| writer.commits >= 3);
        writer
    }

    fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("commit", tid)) => {
                tid.clone_into(&mut self.last_commit);
                self.commits += 1;
            }
            Some(("packing", number)) => self.packing = number.parse().expect("a number"),
            Some(("generation", number)) => {
                self.generation = number.parse().expect("a number");
                self.full = false;
            }
            _ if line == "full" => self.full = true,
            _ => panic!("the writer said {line:?}"),
        }
    }

    #[track_caller]
    fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let line = self.said.recv_timeout(PATIENCE);
            self.hear(&line.unwrap_or_else(|_| panic!("the writer does not come to {what}")));
        }
    }

    /// Take in everything it has said by now.
    pub fn listen(&mut self) {
        while let Ok(line) = self.said.try_recv() {
            self.hear(&line);
        }
    }

    /// Return when there is one more transaction than before.
    #[track_caller]
    pub fn wait_for_commit(&mut self) {
        self.listen();
        let before = self.commits;
        self.wait("a commit", |writer| writer.commits > before || writer.full);
        if self.full {
            self.begin_pack();
            self.wait("the end of a pack", |writer| !writer.full);
            let before = self.commits;
            self.wait("a commit after a pack", |writer| writer.commits > before);
        }
    }

    /// Order a pack and return as soon as it has begun; it goes on beside the test.
    #[track_caller]
    pub fn begin_pack(&mut self) {
        self.wait_for_pack();
        let next = self.packing + 1;
        self.orders.write_all(b"pack\n").expect("the writer listens");
        self.wait("the beginning of a pack", |writer| writer.packing == next);
    }

    /// Return when no pack is under way.
    #[track_caller]
    pub fn wait_for_pack(&mut self) {
        self.wait("the end of a pack", |writer| writer.generation == writer.packing);
    }

    /// Stop it and give its history: for each generation what a file of it may hold, transaction after transaction.
    #[track_caller]
    pub fn stop(mut self) -> Vec<Vec<Transaction>> {
        self.orders.write_all(b"stop\n").expect("the writer listens");
        loop {
            let line = self.said.recv_timeout(PATIENCE).expect("the writer stops");
            if line == "stopped" {
                break;
            }
            self.hear(&line);
        }
        assert!(self.child.wait().expect("the writer ends").success(), "the writer ended well");
        histories(&self.notebook)
    }
}

/// What a generation began with, followed by all later commits: every state of its file is a prefix of this.
#[track_caller]
fn histories(notebook: &Path) -> Vec<Vec<Transaction>> {
    let text = fs::read_to_string(notebook).expect("the writer's notebook");
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let transaction =
        |value: &Value| (value[0].as_str().expect("an id").to_owned(), value[1].as_str().expect("a sum").to_owned());
    let commits: Vec<Transaction> = entries
        .iter()
        .filter(|entry| entry.get("commit").is_some())
        .map(|entry| transaction(&entry["commit"]))
        .collect();
    entries
        .iter()
        .filter_map(|entry| entry.get("transactions")?.as_array())
        .map(|began_with| {
            let mut history: Vec<Transaction> = began_with.iter().map(transaction).collect();
            let last = history.last().expect("a transaction").0.clone();
            history.extend(commits.iter().filter(|(tid, _)| *tid > last).cloned());
            history
        })
        .collect()
}
