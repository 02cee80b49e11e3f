//! The damages of each format's table, as the real binary calls them at each depth.

#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use highwater_tests::binary::highwater;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, is_asked_for};
use highwater_tests::specimens::{self, Row, lay};
use serde_json::Value;

const DEPTHS: [&str; 4] = ["list", "size", "digest", "deep"];

/// The clock of every run: after all that the sets hold.
const NOW: &str = "2026-03-01-01-00-00";

/// What verify says of a set at each depth, a cell each.
fn cells(set: &Path, key: Option<&Path>) -> Vec<String> {
    let cell = |depth: &&str| {
        let mut command = Command::new(highwater());
        command.env("HIGHWATER_NOW", NOW).args(["verify", "--depth", depth, "--json"]);
        if let Some(key) = key {
            command.arg("--keyfile").arg(key);
        }
        let run = Run::of(command.arg("--").arg(set));
        let report: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{}", run.account()));
        let notes = report["findings"].as_array().expect("findings").iter();
        let names: BTreeSet<&str> = notes.filter_map(|note| note["name"].as_str()).collect();
        format!("{} {}", run.code, names.into_iter().collect::<Vec<_>>().join("+")).trim_end().to_owned()
    };
    DEPTHS.iter().map(cell).collect()
}

/// Runs every row, on all cores; what is found comes back in order.
fn table(rows: Vec<Row>, key: Option<&[u8]>) -> Vec<(Row, Vec<String>)> {
    let work = Mutex::new(rows.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let folder = tempfile::tempdir().expect("a scratch folder");
                let set = folder.path().join("set");
                let key: Option<PathBuf> = key.map(|bytes| {
                    let path = folder.path().join("key");
                    fs::write(&path, bytes).expect("a key file");
                    path
                });
                loop {
                    let next = work.lock().expect("no row panics").next();
                    let Some((at, row)) = next else { break };
                    lay(&row.files, &set);
                    let cells = cells(&set, key.as_deref());
                    done.lock().expect("no row panics").push((at, row, cells));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no row panics");
    done.sort_by_key(|(at, ..)| *at);
    done.into_iter().map(|(_, row, cells)| (row, cells)).collect()
}

/// A row as it stands in the tables.
fn line(label: &str, cells: &[String]) -> String {
    let mut line = label.to_owned();
    for (at, cell) in cells.iter().enumerate() {
        let again = at > 0 && cells[at - 1] == *cell;
        line.push_str(&format!(" | {:<24}", if again { "=" } else { cell }));
    }
    line.trim_end().to_owned()
}

#[test]
fn every_damage_is_called_by_its_name_at_every_depth() {
    let mut score = Score::new("damage matrix");
    for specimen in specimens::all() {
        let rows = specimen.matrix().into_iter().filter(|row| is_asked_for(&row.name())).collect();
        let key = specimen.small().key.map(|(_, file)| file);
        for (row, cells) in table(rows, key.as_deref()) {
            let found = line(&row.label, &cells);
            println!("{found}");
            score.ran(cells.len() as u64);
            if found != row.wanted {
                score.fail(format!("found  {found}\nwanted {}", row.wanted));
            }
        }
    }
    score.end();
}
