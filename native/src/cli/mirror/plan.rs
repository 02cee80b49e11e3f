//! `highwater mirror plan`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::render::{bytes, thousands};
use serde_json::json;

use super::asking::Asking;
use super::opened;
use super::planning::{Planning, filter};
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::out;
use crate::cli::verb::Run;
use crate::disk::Disk;
use crate::error::Error;
use crate::mirror::{self, Inventories, Inventory, SyncPlan};
use crate::shown::quoted;

/// Begin a sync that several machines carry out: plan it, and cut it into parts.
///
/// The mirror lies on a file system that all of them share. `highwater mirror fetch DIR --segment i/n` is run for each
/// i from 1 to n, anywhere, at the same time or not, and as often as it is killed; then `highwater mirror apply DIR`.
/// Nothing else changes the mirror meanwhile; `highwater mirror sync` would carry the plan out alone, and
/// `highwater mirror discard` throws it away.
///
/// If a plan was begun already, that is said, and nothing is done: it comes first, also where a newer inventory is
/// there by now, unless --date asks for another one. The exit code is 0 then, and also where there is nothing to do, or
/// rows of the inventory cannot be read: that is said, and `highwater mirror apply` ends with 3 for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mirror plan s3://inventories/photos/daily/ /shared/photos
  highwater mirror plan s3://inventories/photos/daily/ /shared/photos --dry-run      what would that do?
  highwater mirror fetch /shared/photos --segment 3/16                               on the third of sixteen machines
  highwater mirror apply /shared/photos --segments 16                                when all are done")]
pub(super) struct Plan {
    /// The folder in a bucket that holds the folders YYYY-MM-DDThh-mmZ of an inventory.
    #[arg(value_name = "s3://BUCKET/PREFIX/")]
    inventories: String,
    /// The mirror: an empty folder at first, or a mirror that s3invsync made.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// The inventory: YYYY-MM-DD, the last of that day, or YYYY-MM-DDThh-mmZ. The newest, if it is not given.
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Fetch only versions of keys that match this regular expression. What is there already stays.
    #[arg(long, value_name = "REGEX")]
    path_filter: Option<String>,
    #[command(flatten)]
    asking: Asking,
    /// Begin in a folder that holds other files: what lies in the way is moved into .highwater-mirror/found.
    #[arg(long)]
    take_over: bool,
    /// Print what would be done, and do nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Plan {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let filter = filter(self.path_filter.as_deref())?;
        let client = self.asking.client(stop)?;
        let inventories = Inventories::at(&self.inventories, &client)?;
        let disk = opened(&self.mirror, self.writing.locks())?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let watch = self.talk.watch(stop);
        let sync = mirror::Sync::begin(&*disk, self.take_over)?;
        sync.took_over()?.iter().for_each(|what| watch.notice(what));
        let begun = sync.begun()?;
        let dates = inventories.choose(self.date.as_deref(), None, None)?;
        let date = dates.first().ok_or_else(|| Error::cannot_start("there is no inventory"))?;
        let inventory = inventories.manifest(date)?;
        if let Some(begun) = begun {
            return self.goes_on(&begun, &inventory);
        }
        inventory.elsewhere().iter().for_each(|what| watch.notice(what));
        let planning = Planning {
            sync: &sync,
            disk: &disk,
            client: &client,
            jobs: self.asking.jobs(),
            filter: filter.as_ref(),
            quiet: self.talk.quiet,
            watch: &watch,
        };
        let Some(plan) = planning.plan(&inventory)? else {
            self.print(&format!("{} is at {date} already\n", quoted(&self.mirror)), date, None)?;
            return Ok(Exit::Sound);
        };
        if self.dry_run {
            let told = planning.tell(&inventory, &plan, self.json.is_asked());
            sync.forget()?;
            return told.map(|()| if plan.unread() > 0 { Exit::Inconclusive } else { Exit::Sound });
        }
        sync.open(&plan, &watch)?;
        let (fetches, size, filtered) = plan.fetches();
        let text = format!(
            "planned a sync to {date}: {} versions to fetch ({}) in {} parts{}\n",
            thousands(fetches),
            bytes(size),
            thousands(plan.parts()),
            if filtered > 0 { format!("; {} left out by the filter", thousands(filtered)) } else { String::new() }
        );
        self.print(&text, date, Some(&plan))?;
        // What rows could not be read was told, and is told by how `mirror apply` ends: whoever divides the plan goes
        // on.
        Ok(Exit::Sound)
    }
}

impl Plan {
    /// What there is to say where a plan was begun already: it comes first, if it is of this bucket.
    fn goes_on(&self, begun: &Applied, inventory: &Inventory) -> Result<Exit, Error> {
        let (point, date, bucket) = (&begun.point, &inventory.date, &inventory.manifest.source);
        if begun.bucket != *bucket {
            return Err(Error::cannot_start(format!(
                "a sync of the bucket {} to {point} was begun, and this inventory is of {bucket}: name another folder",
                begun.bucket
            )));
        }
        if point == date && begun.manifest != inventory.md5 {
            return Err(Error::cannot_start(format!(
                "a sync to {point} was begun by another manifest than the one that is there now: fetch and apply it, or \
                 throw it away with `highwater mirror discard`, before it is planned again"
            )));
        }
        if point != date && self.date.is_some() {
            return Err(Error::cannot_start(format!(
                "a change to {point} was begun, and is not at its end: fetch and apply it, or throw it away with \
                 `highwater mirror discard`, before {date} is planned"
            )));
        }
        let text = if point == date {
            format!("a sync to {point} was planned already\n")
        } else {
            format!("a sync to {point} was planned already, and comes first: plan {date} when that is applied\n")
        };
        self.print(&text, point, None)?;
        Ok(Exit::Sound)
    }

    fn print(&self, text: &str, point: &str, plan: Option<&SyncPlan>) -> Result<(), Error> {
        if !self.json.is_asked() {
            return if self.talk.quiet { Ok(()) } else { out::print(text) };
        }
        let document = match plan {
            Some(plan) => {
                let ((fetches, size, filtered), tally) = (plan.fetches(), plan.tally());
                json!({
                    "schema": 1, "point": point, "begun": true, "listed": tally.listed, "fetch": fetches, "bytes": size,
                    "filtered": filtered, "move": tally.moved, "vanished": tally.vanished, "parts": plan.parts(),
                    "unread": plan.unread(),
                })
            }
            None => json!({ "schema": 1, "point": point, "begun": false }),
        };
        out::document(document)
    }
}
