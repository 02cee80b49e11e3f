//! `highwater mirror discard`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde_json::json;

use super::opened;
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::out;
use crate::cli::verb::Run;
use crate::error::Error;
use crate::mirror;
use crate::shown::quoted;

/// Throw away a plan that was begun and of which nothing was applied. The mirror shows what it showed.
///
/// Bodies that were put where they belong stay there, and the next plan finds them: `highwater mirror fetch` does not
/// fetch them again. If there is no next plan, `highwater mirror status` tells of them as strays.
#[derive(Debug, Args)]
pub(super) struct Discard {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Discard {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, _stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let disk = opened(&self.mirror, self.writing.locks())?;
        let point = mirror::discard(&disk)?;
        if self.json.is_asked() {
            out::document(json!({ "schema": 1, "discarded": point }))?;
        } else if !self.talk.quiet {
            out::print(&match point {
                Some(point) => format!("the plan of a sync to {point} is gone\n"),
                None => format!("no plan is open in {}\n", quoted(&self.mirror)),
            })?;
        }
        Ok(Exit::Sound)
    }
}
