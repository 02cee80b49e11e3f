//! `highwater report merge`, and writing a report wherever it was asked for.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use highwater_core::name::printable;
use highwater_core::render;
use highwater_core::report::Report;

use super::args::{self, ReportFiles, ReportVerb};
use super::exit::Exit;
use super::out;
use super::outputs::Output;
use super::repository::usage;
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::watch::Watch;

pub(super) fn run(args: &args::Report) -> Result<Exit, Error> {
    let ReportVerb::Merge(args) = &args.verb;
    let outputs = Outputs::open(&args.files, &Watch::silent())?;
    let mut merged: Option<Report> = None;
    let mut parts = Parts::default();
    for path in &args.reports {
        if !path.exists() {
            expect_equals(&args.files, path)?;
        }
        let text = fs::read_to_string(path)
            .map_err(|error| Error::cannot_start(format!("cannot read {}: {error}", quoted(path))))?;
        let report =
            render::from_json(&text).map_err(|error| usage(format!("{} is no report: {error}", quoted(path))))?;
        parts.take(&report, path)?;
        let before = merged.unwrap_or_else(|| Report::empty(report.depth, report.strict));
        merged = Some(before.merge(report));
    }
    let Some(merged) = merged else { return Err(usage("no reports were given".to_owned())) };
    Ok(publish(&merged.into_whole(), outputs, false, false))
}

/// The parts of a root, each as how many there are and as the report names it, with the file that told of it.
type Told<'a> = BTreeMap<(String, String), &'a Path>;

/// Which file told of which part of which root.
#[derive(Default)]
struct Parts<'a>(BTreeMap<String, Told<'a>>);

impl<'a> Parts<'a> {
    /// Takes in the report of a file.
    ///
    /// # Errors
    /// When another file told of the same part of a root, or of one that overlaps it: what was checked once would count twice.
    fn take(&mut self, report: &Report, path: &'a Path) -> Result<(), Error> {
        let key = |shard: &str| {
            let count = shard.split_once('/').map_or(shard, |(_, count)| count);
            (count.to_owned(), shard.to_owned())
        };
        for root in &report.roots {
            let Some(told) = self.0.get(&root.label) else { continue };
            for shard in &root.shards {
                let key = key(shard);
                // Parts of another division overlap some of these.
                let other = [told.first_key_value(), told.last_key_value()].into_iter().flatten();
                let mut other = other.filter(|((count, _), _)| *count != key.0);
                if let Some(((_, other), before)) = told.get_key_value(&key).or_else(|| other.next()) {
                    return Err(usage(twice(&root.label, (before, other), (path, shard))));
                }
            }
        }
        for root in &report.roots {
            let told = self.0.entry(root.label.clone()).or_default();
            told.extend(root.shards.iter().map(|shard| (key(shard), path)));
        }
        Ok(())
    }
}

/// What is said of two files that tell of the same.
fn twice(label: &str, (before, other): (&Path, &str), (path, shard): (&Path, &str)) -> String {
    let short = |text: &str| printable(text.chars().take(200).collect::<String>().as_bytes());
    let (before, path, label, other, shard) = (quoted(before), quoted(path), short(label), short(other), short(shard));
    let what = match (other == shard, &*shard) {
        (true, "1/1") => format!("both tell of all of '{label}'"),
        (true, _) => format!("both tell of shard {shard} of '{label}'"),
        (false, _) => format!("tell of shards {other} and {shard} of '{label}', which overlap"),
    };
    let next = "leave one out; two repositories of one name are told apart when one run verifies both";
    format!("{before} and {path} {what}: {next}")
}

/// Refuses a path that is not there, or is none that can be looked at, when it looks like the file of a bare `--json`.
///
/// # Errors
/// One sentence that says how to write it.
pub(super) fn expect_equals(files: &ReportFiles, path: &Path) -> Result<(), Error> {
    let bare = files.json.as_deref() == Some(Path::new("-"));
    let is_report = path.extension().is_some_and(|ending| ending == "json");
    if bare && is_report {
        let path = shown(path);
        return Err(usage(format!("'{path}' is nothing to look at; to write the report there, say --json={path}")));
    }
    Ok(())
}

/// How a kind of report is made.
type Render = fn(&Report) -> String;

/// The files of the reports, and how each is made.
pub(super) struct Outputs(Vec<(Output, Render)>);

impl Outputs {
    /// Opens them: what cannot be written is to be known before the work.
    pub(super) fn open(files: &ReportFiles, watch: &Watch<'_>) -> Result<Self, Error> {
        let kinds: [(&Option<PathBuf>, Render); 4] = [
            (&files.json, render::json),
            (&files.junit, render::junit),
            (&files.sarif, render::sarif),
            (&files.summary, render::summary),
        ];
        let mut outputs = Vec::new();
        for (path, render) in kinds {
            outputs.extend(Output::open(path.as_deref(), watch)?.map(|output| (output, render)));
        }
        if outputs.iter().filter(|(output, _)| output.is_stdout()).count() > 1 {
            return Err(usage("only one kind of report can go to standard output".to_owned()));
        }
        Ok(Self(outputs))
    }
}

/// Prints the report and writes every file that was asked for, also when the report is bad; then says how to exit: what
/// could not be written does not outrank damage.
pub(super) fn publish(report: &Report, outputs: Outputs, verbose: bool, quiet: bool) -> Exit {
    let mut failed = Vec::new();
    let mut tried = |result: Result<(), Error>| failed.extend(result.err());
    let text = render::text(report, verbose);
    let printed = outputs.0.iter().any(|(output, _)| output.is_stdout());
    if printed {
        out::say(text.lines().next_back().unwrap_or_default());
    } else if !quiet {
        tried(out::print(&text));
    }
    if std::env::var_os("GITHUB_ACTIONS").is_some() && !printed {
        tried(out::print(&render::annotations(report)));
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let path = Path::new(&path);
        let file = OpenOptions::new().append(true).create(true).open(path);
        let appended = file.and_then(|mut file| file.write_all(render::summary(report).as_bytes()));
        tried(appended.map_err(Error::io("append to", path)));
    }
    for (output, render) in outputs.0 {
        tried(output.write(&render(report)));
    }
    failed.iter().for_each(out::error);
    if failed.is_empty() { report.verdict.into() } else { Exit::from(report.verdict).unless_worse() }
}
