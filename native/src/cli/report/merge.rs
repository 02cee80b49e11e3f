//! `highwater report merge`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use highwater_core::name::printable;
use highwater_core::render;
use highwater_core::report::Report;

use crate::cli::exit::Exit;
use crate::cli::input::Input;
use crate::cli::options::{ReportFiles, Talk, Watched};
use crate::cli::repository::usage;
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// Merge the reports of shards or of several repositories into one; the exit code is that of the whole.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The reports.
    #[arg(required = true, value_name = "REPORT.json")]
    reports: Vec<PathBuf>,
    #[command(flatten)]
    files: ReportFiles,
    #[command(flatten)]
    watched: Watched,
}

impl Merge {
    /// Whether a monitoring plugin's words and codes were asked for.
    pub(super) fn is_plugin(&self) -> bool {
        self.watched.is_plugin()
    }

    pub(super) fn run(&self) -> Result<Exit, Error> {
        let files = self.files.open(self.watched, &Watch::silent())?;
        let mut merged: Option<Report> = None;
        let mut parts = Parts::default();
        for path in &self.reports {
            if !path.exists() {
                self.files.expect_equals(path)?;
            }
            let text = Input::open(path).and_then(Input::all).map_err(|error| match error {
                Error::Interrupted => error,
                error => Error::cannot_start(error.to_string()),
            })?;
            let text = String::from_utf8(text)
                .map_err(|error| usage(format!("{} is no report: {}", quoted(path), error.utf8_error())))?;
            let report =
                render::from_json(&text).map_err(|error| usage(format!("{} is no report: {error}", quoted(path))))?;
            parts.take(&report, path)?;
            let before = merged.unwrap_or_else(|| Report::empty(report.depth, report.strict));
            merged = Some(before.merge(report));
        }
        let Some(merged) = merged else { return Err(usage("no reports were given".to_owned())) };
        Ok(files.publish(&self.watched.judge(merged.into_whole())?, &Talk::default(), self.watched))
    }
}

/// The shards of a root, each as how many there are and as the report names it, with the file that reports it.
type Shards<'a> = BTreeMap<(String, String), &'a Path>;

/// Which file reports which shard of which root.
#[derive(Default)]
struct Parts<'a>(BTreeMap<String, Shards<'a>>);

impl<'a> Parts<'a> {
    /// Takes in the report of a file.
    ///
    /// # Errors
    /// When another file reports the same shard of a root, or one that overlaps it: what was checked once would count
    /// twice.
    fn take(&mut self, report: &Report, path: &'a Path) -> Result<(), Error> {
        let key = |shard: &str| {
            let count = shard.split_once('/').map_or(shard, |(_, count)| count);
            (count.to_owned(), shard.to_owned())
        };
        for root in &report.roots {
            let Some(shards) = self.0.get(&root.label) else { continue };
            for shard in &root.shards {
                let key = key(shard);
                // Shards of another division overlap some of these.
                let other = [shards.first_key_value(), shards.last_key_value()].into_iter().flatten();
                let mut other = other.filter(|((count, _), _)| *count != key.0);
                if let Some(((_, other), before)) = shards.get_key_value(&key).or_else(|| other.next()) {
                    return Err(usage(twice(&root.label, (before, other), (path, shard))));
                }
            }
        }
        for root in &report.roots {
            let shards = self.0.entry(root.label.clone()).or_default();
            shards.extend(root.shards.iter().map(|shard| (key(shard), path)));
        }
        Ok(())
    }
}

/// The refusal of two files that report the same.
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
