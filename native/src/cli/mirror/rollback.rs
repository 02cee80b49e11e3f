//! `highwater mirror rollback`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::render::thousands;
use serde_json::json;

use super::opened;
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::verb::Run;
use crate::cli::{out, progress};
use crate::error::Error;
use crate::mirror;

/// Show how the bucket was: files are moved, nothing is fetched, nothing is lost, and forward again goes the same way.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// The newest inventory that was applied at or before YYYY-MM-DD or YYYY-MM-DDThh-mmZ; or `latest`.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// Say what would be done, and do nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Rollback {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let disk = opened(&self.mirror, self.writing.locks())?;
        let watch = self.talk.watch(stop);
        let rolled = progress::with("moving files", self.talk.quiet, &watch, || {
            mirror::rollback(&disk, &self.to, self.dry_run, &watch)
        })?;
        if self.json.is_asked() {
            let document = json!({
                "schema": 1, "from": rolled.from, "to": rolled.to, "moved": rolled.applied.moved,
                "lost": rolled.applied.lost, "wanted": rolled.wanted,
            });
            out::document(document)?;
        } else if !self.talk.quiet {
            let verb = if self.dry_run { "would go" } else { "went" };
            out::print(&format!(
                "{verb} from {} to {}: {} files moved\n",
                rolled.from,
                rolled.to,
                thousands(rolled.applied.moved)
            ))?;
        }
        if rolled.wanted > 0 {
            out::say(&format!("highwater: {} files of that point were never had", thousands(rolled.wanted)));
        }
        Ok(if rolled.wanted + rolled.applied.lost > 0 { Exit::Inconclusive } else { Exit::Sound })
    }
}
