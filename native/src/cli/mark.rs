//! `highwater mark`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::facts::Shape;
use highwater_core::finding::Severity;
use highwater_core::marks::DISTANCE;
use highwater_core::render::thousands;
use highwater_core::report::Soundness;
use serde_json::json;

use super::exit::Exit;
use super::label::label;
use super::options::{Following, Json, Root, Talk, Writing};
use super::repository::{kind_of, open_to_write, usage};
use super::verb::Run;
use super::{out, progress};
use crate::error::Error;
use crate::mark::{MarkOptions, mark};
use crate::shown::quoted;

/// Make later verifications of a repository parallel: hash its long files once and keep marks of them.
///
/// Backups mark what they write, so this is for repositories that another program wrote. A mark is the digest's running
/// value every 4 MiB, in NAME.marks beside the file: 4 bytes a megabyte. Nobody needs to trust them: what is checked is
/// still the digest in the index, and marks that are wrong only cost time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mark /backup/zodb              once, after Python's repozo made its full backup
  highwater mark --dry-run /backup/zodb    how many files have no marks?")]
pub(super) struct Mark {
    /// The repository.
    repository: PathBuf,
    /// Say how many files would be marked; write nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    following: Following,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Mark {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let root = Root::default();
        let repository = open_to_write(&self.repository, self.following, self.writing)?;
        let format = kind_of(&repository, &root)?;
        if format.facts().shape != Shape::Append {
            let what = "what it holds is checked in parallel without marks";
            return Err(usage(format!("{} is a {}: {what}", quoted(&self.repository), format.facts().name)));
        }
        let label = label(&self.repository);
        let job = MarkOptions { label: &label, distance: DISTANCE, dry_run: self.dry_run };
        let watch = self.talk.watch(stop);
        let done = progress::with(&format!("marking {label}"), self.talk.quiet, &watch, || {
            mark(job, format, &repository, &watch)
        });
        out::shortcomings(&repository);
        let done = done?;
        let notes = done.report.findings.iter().filter(|note| note.severity > Severity::Warning);
        let listed = notes.map(|note| format!("{} {}: {}", note.code, note.object, note.message));
        let found = done.findings.iter().map(|finding| {
            let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} {object}: {}", finding.code, finding.message)
        });
        let problems: Vec<String> = listed.chain(found).collect();
        let worst = done.findings.iter().map(|finding| finding.code.severity()).max();
        let exit = match (worst, done.report.verdict) {
            (Some(Severity::Damage), _) | (_, Soundness::Damaged) => Exit::Damage,
            (Some(_), _) | (_, Soundness::Inconclusive) => Exit::Inconclusive,
            (None, Soundness::Sound) => Exit::Sound,
        };
        if self.json.is_asked() {
            let report = json!({
                "schema": 1, "made": done.made, "there": done.there, "short": done.short,
                "dry_run": self.dry_run, "problems": problems,
            });
            out::document(report)?;
        } else {
            problems.iter().for_each(|problem| out::say(&format!("highwater: {problem}")));
            let would = if self.dry_run { "to be marked" } else { "marked" };
            let (made, there, short) = (thousands(done.made), thousands(done.there), thousands(done.short));
            if !self.talk.quiet {
                out::print(&format!(
                    "files {would}: {made}; with marks already: {there}; too short for any: {short}\n"
                ))?;
            }
            if exit != Exit::Sound {
                out::say("highwater: not everything is whole; `highwater verify` says more");
            }
        }
        Ok(exit)
    }
}
