//! `highwater report merge`, and writing a report wherever it was asked for.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use highwater_core::render;
use highwater_core::report::Report;

use super::args::{self, ReportFiles, ReportVerb};
use super::exit::Exit;
use super::out;
use super::repository::usage;
use crate::error::Error;
use crate::shown::quoted;

pub(super) fn run(args: &args::Report) -> Result<Exit, Error> {
    let ReportVerb::Merge(args) = &args.verb;
    let mut merged: Option<Report> = None;
    for path in &args.reports {
        let text = fs::read_to_string(path)
            .map_err(|error| Error::cannot_start(format!("cannot read {}: {error}", quoted(path))))?;
        let report =
            render::from_json(&text).map_err(|error| usage(format!("{} is no report: {error}", quoted(path))))?;
        let before = merged.unwrap_or_else(|| Report::empty(report.depth, report.strict));
        merged = Some(before.merge(report));
    }
    let Some(merged) = merged else { return Err(usage("no reports were given".to_owned())) };
    publish(&merged.into_whole(), &args.files, false, false)
}

/// A file that a report can be written to, and how.
type Output<'a> = (&'a Option<PathBuf>, fn(&Report) -> String);

/// Prints the report and writes every file that was asked for, also when the report is bad; then says how to exit: what
/// could not be written does not outrank damage.
pub(super) fn publish(report: &Report, files: &ReportFiles, verbose: bool, quiet: bool) -> Result<Exit, Error> {
    let outputs: [Output<'_>; 4] = [
        (&files.json, render::json),
        (&files.junit, render::junit),
        (&files.sarif, render::sarif),
        (&files.summary, render::summary),
    ];
    let to_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
    let printed: Vec<_> = outputs.iter().filter(|(path, _)| to_stdout(path)).collect();
    if printed.len() > 1 {
        return Err(usage("only one kind of report can go to standard output".to_owned()));
    }
    let mut failed = Vec::new();
    let mut tried = |result: Result<(), Error>| failed.extend(result.err());
    let text = render::text(report, verbose);
    if let Some((_, render)) = printed.first() {
        tried(out::print(&render(report)));
        out::say(text.lines().next_back().unwrap_or_default());
    } else if !quiet {
        tried(out::print(&text));
    }
    if std::env::var_os("GITHUB_ACTIONS").is_some() && printed.is_empty() {
        tried(out::print(&render::annotations(report)));
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let path = Path::new(&path);
        let file = OpenOptions::new().append(true).create(true).open(path);
        let appended = file.and_then(|mut file| file.write_all(render::summary(report).as_bytes()));
        tried(appended.map_err(Error::io("append to", path)));
    }
    for (path, render) in outputs {
        if let Some(path) = path.as_deref().filter(|path| *path != Path::new("-")) {
            tried(write(path, &render(report)));
        }
    }
    failed.iter().for_each(out::error);
    Ok(if failed.is_empty() { report.verdict.into() } else { Exit::from(report.verdict).unless_worse() })
}

/// Writes a file in one step, so that a reader never sees half of it.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".highwater-report-")
        .tempfile_in(folder)
        .map_err(Error::io("write to", folder))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(Error::io("write", path))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode).map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}
