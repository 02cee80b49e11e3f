//! `highwater mirror sync`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::asking::Asking;
use super::opened;
use super::planning::{Planning, filter};
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::verb::Run;
use crate::cli::{out, progress};
use crate::disk::Disk;
use crate::error::Error;
use crate::mirror::{self, Inventories, Summary};
use crate::shown::quoted;
use crate::watch::Watch;

/// Bring a mirror to an inventory: fetch what is new, move what is the latest version no more, lose nothing.
///
/// Inventories are read in CSV, and in Parquet by a program that was built with the feature `parquet`.
///
/// What the inventory lists no more stays. What cannot be had is written down in .highwater-mirror/wanted, with the
/// reason, and tried again by the next run; the exit code is 3 then. A run that was killed is gone on with by the next.
///
/// Credentials are found as the AWS command line finds them: in the environment, in profiles (AWS_PROFILE), by
/// credential_process, or from the role of the container or machine. Without any, nobody signs the requests.
/// AWS_ENDPOINT_URL names another server than AWS.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mirror sync s3://inventories/photos/daily/ /srv/photos
  highwater mirror sync s3://inventories/photos/daily/ /srv/photos --list-dates
  highwater mirror sync s3://inventories/photos/daily/ /srv/photos --start-date 2026-01-01    each of them, in order
  highwater mirror sync s3://inventories/photos/daily/ /srv/photos --path-filter '^2026/'")]
pub(super) struct Sync {
    /// The folder in a bucket that holds the folders YYYY-MM-DDThh-mmZ of an inventory.
    #[arg(value_name = "s3://BUCKET/PREFIX/")]
    inventories: String,
    /// The mirror: an empty folder at first, or a mirror that s3invsync made.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// The inventory: YYYY-MM-DD, the last of that day, or YYYY-MM-DDThh-mmZ. The newest, if it is not given.
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Apply each inventory from this one on, one after another.
    #[arg(long, value_name = "DATE")]
    start_date: Option<String>,
    /// Apply each inventory up to this one, one after another.
    #[arg(long, value_name = "DATE")]
    end_date: Option<String>,
    /// List the inventories that there are, and do nothing.
    #[arg(long)]
    list_dates: bool,
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

impl Run for Sync {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let filter = filter(self.path_filter.as_deref())?;
        let client = self.asking.client(stop)?;
        let inventories = Inventories::at(&self.inventories, &client)?;
        if self.list_dates {
            return self.list(&inventories);
        }
        let (start, end) = (self.start_date.as_deref(), self.end_date.as_deref());
        let disk = opened(&self.mirror, self.writing.locks())?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let watch = self.talk.watch(stop);
        let sync = mirror::Sync::begin(&*disk, self.take_over)?;
        sync.took_over()?.iter().for_each(|what| watch.notice(what));
        let jobs = self.asking.jobs();
        let planning = Planning {
            sync: &sync,
            disk: &disk,
            client: &client,
            jobs,
            filter: filter.as_ref(),
            quiet: self.talk.quiet,
            watch: &watch,
        };
        let mut done = Vec::new();
        if !self.dry_run
            && let Some(summary) = self.shown("fetching", &watch, || sync.go_on(&client, jobs, &watch))?
        {
            done.push(summary);
        }
        let newest = sync.newest()?;
        for date in inventories.choose(self.date.as_deref(), start, end)? {
            // Of several, those that were applied are passed over.
            if self.date.is_none() && newest.as_ref().is_some_and(|newest| &date < newest) {
                continue;
            }
            let inventory = inventories.manifest(&date)?;
            inventory.elsewhere().iter().for_each(|what| watch.notice(what));
            let Some(plan) = planning.plan(&inventory)? else { continue };
            if self.dry_run {
                let told = planning.tell(&inventory, &plan, self.json.is_asked());
                sync.forget()?;
                return told.map(|()| if plan.unread() > 0 { Exit::Inconclusive } else { Exit::Sound });
            }
            done.push(self.shown("fetching", &watch, || sync.run(&plan, &client, jobs, &watch))?);
        }
        self.tell(&sync, &done)
    }
}

impl Sync {
    fn shown<T>(&self, what: &str, watch: &Watch<'_>, work: impl FnOnce() -> T) -> T {
        progress::with(what, self.talk.quiet, watch, work)
    }

    fn list(&self, inventories: &Inventories<'_>) -> Result<Exit, Error> {
        let dates = inventories.dates()?;
        match self.json.is_asked() {
            true => out::document(json!({ "schema": 1, "dates": dates }))?,
            false => out::print(&dates.iter().map(|date| format!("{date}\n")).collect::<String>())?,
        }
        Ok(Exit::Sound)
    }

    /// Prints what was done.
    fn tell(&self, sync: &mirror::Sync<'_>, done: &[Summary]) -> Result<Exit, Error> {
        let shows = sync.shows()?;
        let unread = match &shows {
            Some(applied) if done.is_empty() => applied.unread,
            _ => done.iter().map(|summary| summary.unread).sum(),
        };
        let lost: u64 = done.iter().map(|summary| summary.applied.lost).sum();
        // What a point still lacks, its last run says.
        let last = |(at, run): &(usize, &Summary)| done.get(at + 1).is_none_or(|next| next.point != run.point);
        let missing = done.iter().enumerate().filter(last).map(|(_, run)| run.fetched.missing).max().unwrap_or(0);
        let damaged: u64 = done.iter().map(|summary| summary.fetched.damaged).sum();
        if self.json.is_asked() {
            let runs: Vec<Value> = done.iter().map(document).collect();
            let point = shows.map(|applied| applied.point);
            out::document(json!({ "schema": 1, "point": point, "runs": runs }))?;
        } else if !self.talk.quiet {
            let mut text: String = done.iter().map(sentence).collect();
            if done.is_empty()
                && let Some(applied) = shows
            {
                text = format!("{} is at {} already\n", quoted(&self.mirror), applied.point);
            }
            out::print(&text)?;
        }
        if missing > 0 {
            out::say(&format!(
                "highwater: {} versions could not be had: `highwater mirror status` of {} says why; the next sync tries again",
                thousands(missing),
                quoted(&self.mirror)
            ));
        }
        if damaged > 0 {
            out::say(&format!(
                "highwater: {} records of what was fetched were not what was written: what they spoke of was looked at \
                 again, and fetched where that does not prove it",
                thousands(damaged)
            ));
        }
        if unread > 0 {
            out::say(&format!(
                "highwater: {} rows of the inventory cannot be read: what they list is not in the mirror",
                thousands(unread)
            ));
        }
        Ok(if missing + damaged + lost + unread > 0 { Exit::Inconclusive } else { Exit::Sound })
    }
}

/// What was done, in a line.
pub(super) fn sentence(summary: &Summary) -> String {
    let Summary { point, resumed, fetched, applied, unread } = summary;
    let mut text = format!(
        "at {point}{}: {} versions fetched ({})",
        if *resumed { ", which an earlier run began" } else { "" },
        thousands(fetched.arrived),
        bytes(fetched.bytes)
    );
    for (count, what) in [
        (fetched.there, "there already"),
        (applied.moved, "files moved"),
        (applied.lost, "files that were not where they should be"),
        (fetched.missing, "not to be had"),
        (fetched.damaged, "damaged records of what was fetched"),
        (*unread, "rows of the inventory that cannot be read"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {} {what}", thousands(count)));
        }
    }
    text.push('\n');
    text
}

/// The same as a document.
pub(super) fn document(summary: &Summary) -> Value {
    let Summary { point, resumed, fetched, applied, unread } = summary;
    json!({
        "point": point, "resumed": resumed, "fetched": fetched.arrived, "bytes": fetched.bytes, "there": fetched.there,
        "moved": applied.moved, "lost": applied.lost, "missing": fetched.missing,
        "damaged": fetched.damaged, "unread": unread,
    })
}
