//! `highwater mirror apply`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::render::thousands;
use serde_json::json;

use super::opened;
use super::sync::{document, sentence};
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::verb::Run;
use crate::cli::{out, progress};
use crate::error::Error;
use crate::mirror;
use crate::shown::quoted;

/// End a sync whose segments were fetched: files are moved, and the mirror shows the new point. No network.
///
/// As long as parts of the plan were not fetched, nothing is done; the exit code is 4, and a sentence says which. A run
/// that was killed is gone on with by the next. What could not be had is in .highwater-mirror/wanted then, and tried
/// again by the next plan or sync; the exit code is 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mirror apply /shared/photos
  highwater mirror apply /shared/photos --segments 16        if some are not done, say which of 16
  highwater mirror apply /shared/photos --go-without         what was not fetched is fetched by the next plan or sync")]
pub(super) struct Apply {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// How many segments there were: those that are not done are called by this.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    segments: Option<u64>,
    /// Go on although not all was fetched: the rest is wanted, and the exit code is 3.
    #[arg(long)]
    go_without: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Apply {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let disk = opened(&self.mirror, self.writing.locks())?;
        let watch = self.talk.watch(stop);
        let summary = progress::with("applying", self.talk.quiet, &watch, || {
            mirror::apply(&disk, (self.go_without, self.segments), &watch)
        })?;
        let Some(summary) = summary else {
            if self.json.is_asked() {
                out::document(json!({ "schema": 1, "point": null, "runs": [] }))?;
            } else if !self.talk.quiet {
                out::print(&format!("nothing is to be applied to {}: no plan is open\n", quoted(&self.mirror)))?;
            }
            return Ok(Exit::Sound);
        };
        if self.json.is_asked() {
            let all = json!({ "schema": 1, "point": summary.point, "runs": [document(&summary)] });
            out::document(all)?;
        } else if !self.talk.quiet {
            out::print(&sentence(&summary))?;
        }
        let (missing, damaged) = (summary.fetched.missing, summary.fetched.damaged);
        let (lost, unread) = (summary.applied.lost, summary.unread);
        for (count, what) in [
            (
                missing,
                "versions could not be had: `highwater mirror status` says why; the next plan or sync tries again",
            ),
            (damaged, "records of what was fetched were not what was written: nothing that they said was believed"),
            (unread, "rows of the inventory cannot be read: what they list is not in the mirror"),
        ] {
            if count > 0 {
                out::say(&format!("highwater: {} {what}", thousands(count)));
            }
        }
        Ok(if missing + damaged + lost + unread > 0 { Exit::Inconclusive } else { Exit::Sound })
    }
}
