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
use crate::watch::quoted;

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
    publish(&merged, &args.files, false, false)?;
    Ok(merged.verdict.into())
}

/// A file that a report can be written to, and how.
type Output<'a> = (&'a Option<PathBuf>, fn(&Report) -> String);

/// Prints the report and writes every file that was asked for, also when the report is bad.
pub(super) fn publish(report: &Report, files: &ReportFiles, verbose: bool, quiet: bool) -> Result<(), Error> {
    let text = render::text(report, verbose);
    let verdict = text.lines().next_back().unwrap_or_default();
    let json_to_stdout = files.json.as_deref() == Some(Path::new("-"));
    if json_to_stdout {
        out::print(&render::json(report))?;
        out::say(verdict);
    } else if !quiet {
        out::print(&text)?;
    }
    if std::env::var_os("GITHUB_ACTIONS").is_some() && !json_to_stdout {
        out::print(&render::annotations(report))?;
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let path = Path::new(&path);
        let appended = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|mut file| file.write_all(render::summary(report).as_bytes()));
        appended.map_err(Error::io("append to", path))?;
    }
    let outputs: [Output<'_>; 4] = [
        (&files.json, render::json),
        (&files.junit, render::junit),
        (&files.sarif, render::sarif),
        (&files.summary, render::summary),
    ];
    for (path, render) in outputs {
        if let Some(path) = path.as_deref().filter(|path| *path != Path::new("-")) {
            write(path, &render(report))?;
        }
    }
    Ok(())
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
