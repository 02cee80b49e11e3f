//! `highwater mirror prune`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::render::{bytes, thousands};
use highwater_core::stamp;
use serde_json::{Value, json};

use super::opened;
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::repository::usage;
use crate::cli::verb::Run;
use crate::cli::{out, progress};
use crate::clock;
use crate::error::Error;
use crate::mirror::{self, Pruning};

/// Forget what is old: points, and versions that were the latest before them alone. No network.
///
/// A point stays that is not older; and so do the newest one and the one that the tree shows. A version stays that is
/// the latest in a point which stays, or was the latest at that time or later. Nothing fetches a version again that
/// went, although the bucket may list it still, unless it becomes the latest once more.
///
/// A file is removed only if it has the length that the mirror knows; any other is left alone and named, and the exit
/// code is 3. A run that was killed is gone on with by the next one, or by the next sync or rollback.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mirror prune --dry-run /srv/photos --older-than 90d           what would go?
  highwater mirror prune /srv/photos --older-than 1y
  highwater mirror prune /srv/photos --older-than 2026-01-01              what was before that day
  highwater mirror prune /srv/photos --older-than 2026-11-06T01-00Z       what was before that point")]
pub(super) struct Prune {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// An age: 90d, 12w, 6m (months) or 1y, UTC; or the moment itself: YYYY-MM-DD, or a point, which stays.
    #[arg(long, value_name = "AGE|DATE")]
    older_than: String,
    /// Say what would go, and do nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Prune {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let until = until(&self.older_than)?;
        let disk = opened(&self.mirror, self.writing.locks())?;
        let watch = self.talk.watch(stop);
        let is_told = !self.json.is_asked() && !self.talk.quiet;
        let pruning = progress::with("pruning", self.talk.quiet, &watch, || {
            mirror::prune(&disk, until, self.dry_run, &watch, &mut |name, size| match is_told {
                true => out::print(&format!("would remove {name} ({} bytes)\n", thousands(size))),
                false => Ok(()),
            })
        })?;
        if self.json.is_asked() {
            out::document(self.document(&pruning, until)?)?;
        } else if is_told {
            out::print(&self.words(&pruning))?;
        }
        let stays = pruning.applied.lost;
        if stays > 0 {
            out::say(&format!("highwater: {} files were to go, and are others: they stay", thousands(stays)));
        }
        Ok(if stays > 0 { Exit::Inconclusive } else { Exit::Sound })
    }
}

impl Prune {
    fn words(&self, pruning: &Pruning) -> String {
        let mut text = String::new();
        for point in &pruning.points {
            match point.kept {
                Some(why) => text.push_str(&format!("keep    {}  {why}\n", point.name)),
                None => text.push_str(&format!("remove  {}\n", point.name)),
            }
        }
        let (all, goes) = (pruning.points.len(), pruning.points.iter().filter(|point| point.kept.is_none()).count());
        let (verb, versions, size) = match self.dry_run {
            true => ("would remove", pruning.pruned.versions, pruning.pruned.bytes),
            false => ("removed", pruning.applied.removed, pruning.applied.freed),
        };
        let wanted = match pruning.pruned.wanted {
            0 => String::new(),
            wanted => format!("; {} that were never had are wanted no more", thousands(wanted)),
        };
        text.push_str(&format!(
            "{verb} {} of {} points, and {} versions of {}{wanted}\n",
            thousands(goes as u64),
            thousands(all as u64),
            thousands(versions),
            bytes(size)
        ));
        text
    }

    fn document(&self, pruning: &Pruning, until: i64) -> Result<Value, Error> {
        let points = pruning.points.iter().map(|point| match point.kept {
            Some(why) => json!({ "name": point.name, "kept": true, "why": why }),
            None => json!({ "name": point.name, "kept": false }),
        });
        Ok(json!({
            "schema": 1,
            "older_than": clock::snapshot(until)?,
            "dry_run": self.dry_run,
            "points": points.collect::<Vec<Value>>(),
            "versions": pruning.pruned.versions,
            "bytes": pruning.pruned.bytes,
            "wanted": pruning.pruned.wanted,
            "removed": pruning.applied.removed,
            "freed": pruning.applied.freed,
            "left_alone": pruning.applied.lost,
        }))
    }
}

/// The second before which everything is old.
fn until(text: &str) -> Result<i64, Error> {
    let told = || {
        usage(format!(
            "--older-than is '{}': write an age, such as 90d, 12w, 6m or 1y, or a moment, as YYYY-MM-DD or a point",
            highwater_core::name::printable(text.as_bytes())
        ))
    };
    let mut rest = text.chars();
    let unit = rest.next_back().filter(char::is_ascii_lowercase);
    match (unit, rest.as_str()) {
        (Some(unit), count) => {
            let count = count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok()).flatten();
            let ago = count.map(|count| clock::ago(count, unit)).transpose()?;
            ago.flatten().ok_or_else(told)
        }
        (None, _) => {
            let point = stamp::point(text).map_err(|_| told())?;
            stamp::begins(&point).ok_or_else(told)
        }
    }
}
