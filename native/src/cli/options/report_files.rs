//! `--json`, `--junit`, `--sarif`, `--summary`: where a report goes, beside standard output.

use std::fs::OpenOptions;
use std::io::{Write, stderr, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use clap::Args;
use highwater_core::name::printable;
use highwater_core::render;
use highwater_core::render::State;
use highwater_core::report::{Report, Soundness};

use super::{Talk, Watched};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::repository::usage;
use crate::cli::{colour, out};
use crate::clock;
use crate::error::Error;
use crate::shown::shown;
use crate::watch::Watch;

/// Where a report goes, beside standard output.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReportFiles {
    /// Print the report as JSON in place of the text; with =FILE, write it there beside the text.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Write the report as JUnit XML; here and below, - prints it in place of the text.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as SARIF 2.1.0.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write the report as Markdown.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Write the report as metrics for Prometheus' textfile collector.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
}

/// How a kind of report is made, at such a time, in seconds since 1970, for a file of such a name.
type Render = fn(&Report, i64, &str) -> String;

impl ReportFiles {
    /// Refuses a path that is not there, or is none that can be looked at, when it looks like the file of a bare
    /// `--json`.
    ///
    /// # Errors
    /// One sentence that says how to write it.
    pub(in crate::cli) fn expect_equals(&self, path: &Path) -> Result<(), Error> {
        let bare = self.json.as_deref() == Some(Path::new("-"));
        let is_report = path.extension().is_some_and(|ending| ending == "json");
        if bare && is_report {
            let path = shown(path);
            return Err(usage(format!("'{path}' is nothing to look at; to write the report there, say --json={path}")));
        }
        Ok(())
    }

    /// Opens them: what cannot be written is to be known before the work.
    ///
    /// # Errors
    /// When one cannot be written, or two would go to standard output.
    pub(in crate::cli) fn open(&self, watched: Watched, watch: &Watch<'_>) -> Result<Reports, Error> {
        let kinds: [(&Option<PathBuf>, Render); 5] = [
            (&self.json, |report, _, _| render::json(report)),
            (&self.junit, |report, _, _| render::junit(report)),
            (&self.sarif, |report, _, _| render::sarif(report)),
            (&self.summary, |report, _, _| render::summary(report)),
            (&self.prometheus, render::prometheus),
        ];
        let mut outputs = Vec::new();
        for (path, render) in kinds {
            let name = path.as_deref().and_then(Path::file_stem).map(|name| printable(name.as_bytes()));
            let name = name.unwrap_or_default();
            outputs.extend(Output::open(path.as_deref(), watch)?.map(|output| ReportFile { output, render, name }));
        }
        if outputs.iter().filter(|ReportFile { output, .. }| output.is_stdout()).count() > 1 {
            return Err(usage("only one kind of report can go to standard output".to_owned()));
        }
        if watched.is_plugin() && outputs.iter().any(|file| file.output.is_stdout()) {
            return Err(usage("a plugin has standard output for itself: write the report to a file".to_owned()));
        }
        // Whatever asks for the time says so where that is not the clock's.
        let is_timed = watched.is_plugin() || self.prometheus.is_some();
        Ok(Reports { outputs, begun: is_timed.then(clock::seconds).transpose()? })
    }
}

/// The open files of the reports, and how each report is made.
pub(in crate::cli) struct Reports {
    outputs: Vec<ReportFile>,
    /// In seconds since 1970, where one of them tells the time.
    begun: Option<i64>,
}

/// An open file of a report, how the report is made, and the file's name without its ending.
struct ReportFile {
    output: Output,
    render: Render,
    name: String,
}

impl Reports {
    /// Writes the files of a report of what could not be looked at, so that none of the run before is taken for this
    /// one's. What goes to standard output is not written: the error is told.
    pub(in crate::cli) fn leave(self, report: &Report) {
        let now = self.begun.map(|begun| clock::seconds().unwrap_or(begun)).unwrap_or_default();
        for ReportFile { output, render, name } in self.outputs {
            if !output.is_stdout()
                && let Err(error) = output.write(&render(report, now, &name))
            {
                out::error(&error);
            }
        }
    }

    /// Prints the report and writes every file that was asked for, also when the report is bad; then says how to exit:
    /// what could not be written does not outrank damage.
    pub(in crate::cli) fn publish(self, report: &Report, talk: &Talk, watched: Watched) -> Exit {
        let mut failed = Vec::new();
        let mut tried = |result: Result<(), Error>| failed.extend(result.err());
        let now = self.begun.map(|begun| clock::seconds().unwrap_or(begun)).unwrap_or_default();
        let text = render::text(report, talk.verbose);
        let printed = self.outputs.iter().any(|file| file.output.is_stdout());
        if watched.is_plugin() {
            tried(out::print(&render::nagios(report, now, watched.limit())));
        } else if printed {
            out::say(text.lines().next_back().unwrap_or_default());
        } else if !talk.quiet {
            tried(out::print(&colour::verdict(&text, report.verdict, &stdout())));
        } else if report.verdict != Soundness::Sound {
            // Whoever wants to hear nothing wants to hear this.
            out::say(colour::verdict(&text, report.verdict, &stderr()).trim_end());
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some() && !printed {
            tried(out::print(&render::annotations(report)));
        }
        if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
            let path = Path::new(&path);
            let file = OpenOptions::new().append(true).create(true).open(path);
            let appended = file.and_then(|mut file| file.write_all(render::summary(report).as_bytes()));
            tried(appended.map_err(Error::io("append to", path)));
        }
        for ReportFile { output, render, name } in self.outputs {
            tried(output.write(&render(report, now, &name)));
        }
        failed.iter().for_each(out::error);
        if watched.is_plugin() {
            let state = State::of(report);
            return Exit::Plugin(if failed.is_empty() || state == State::Critical { state } else { State::Unknown });
        }
        if failed.is_empty() { report.verdict.into() } else { Exit::from(report.verdict).unless_worse() }
    }
}
