//! `highwater mirror sync`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::formats::mirror::plan::Step;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use regex::bytes::Regex;
use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::options::{Talk, Writing};
use crate::cli::repository::usage;
use crate::cli::verb::Run;
use crate::cli::{out, progress};
use crate::disk::{self, Disk, Room};
use crate::error::{Class, Error};
use crate::mirror::{self, Inventories, Inventory, Lists, Outcome, Summary, SyncPlan};
use crate::s3::{Client, Environment, Settings};
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
    /// Requests at a time, at most.
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    jobs: u32,
    /// Bytes a second, at most.
    #[arg(long, value_name = "BYTES")]
    max_bandwidth: Option<u64>,
    /// Pay for the requests, in a bucket whose owner does not.
    #[arg(long)]
    requester_pays: bool,
    /// Begin in a folder that holds other files: what lies in the way is moved into .highwater-mirror/found.
    #[arg(long)]
    take_over: bool,
    /// Print what would be done, and do nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Print a summary as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Sync {
    fn is_quiet(&self) -> bool {
        self.talk.quiet
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let filter = self.path_filter.as_deref().map(Regex::new).transpose();
        let filter = filter.map_err(|error| usage(format!("--path-filter is no regular expression: {error}")))?;
        let client = self.client(stop)?;
        let inventories = Inventories::at(&self.inventories, &client)?;
        if self.list_dates {
            return self.list(&inventories);
        }
        let (start, end) = (self.start_date.as_deref(), self.end_date.as_deref());
        let disk = disk::open(&self.mirror, self.writing.locks());
        let disk =
            disk.map_err(|error| Error::cannot_start(format!("cannot open {}: {error}", quoted(&self.mirror))))?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let watch = self.talk.watch(stop);
        let sync = mirror::Sync::begin(&*disk, self.take_over)?;
        sync.took_over()?.iter().for_each(|what| watch.notice(what));
        let jobs = self.jobs as usize;
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
            let Some(plan) = self.plan(&sync, &disk, &client, &inventory, filter.as_ref(), &watch)? else {
                continue;
            };
            if self.dry_run {
                let told = self.tell_plan(&sync, &inventory, &plan, &watch);
                sync.forget()?;
                return told.map(|()| if plan.unread() > 0 { Exit::Inconclusive } else { Exit::Sound });
            }
            done.push(self.shown("fetching", &watch, || sync.run(&plan, &client, jobs, &watch))?);
        }
        self.tell(&sync, &done)
    }
}

impl Sync {
    fn client(&self, stop: &Arc<AtomicBool>) -> Result<Client, Error> {
        let make = || {
            let settings = Settings {
                in_flight: self.jobs,
                bandwidth: self.max_bandwidth,
                requester_pays: self.requester_pays,
                stop: Arc::clone(stop),
                ..Settings::from_environment(&Environment::process())?
            };
            Client::new(settings)
        };
        make().map_err(|error| Error::Refused { class: Class::CannotStart, what: error.to_string() })
    }

    fn shown<T>(&self, what: &str, watch: &Watch<'_>, work: impl FnOnce() -> T) -> T {
        progress::with(what, self.talk.quiet, watch, work)
    }

    fn list(&self, inventories: &Inventories<'_>) -> Result<Exit, Error> {
        let dates = inventories.dates()?;
        let text = match self.json {
            true => format!("{:#}\n", json!({ "schema": 1, "dates": dates })),
            false => dates.iter().map(|date| format!("{date}\n")).collect(),
        };
        out::print(&text)?;
        Ok(Exit::Sound)
    }

    /// Plans the sync to one inventory, and says which of its rows cannot be read; none if there is nothing to plan.
    fn plan(
        &self,
        sync: &mirror::Sync<'_>,
        disk: &Arc<dyn Disk>,
        client: &Client,
        inventory: &Inventory,
        filter: Option<&Regex>,
        watch: &Watch<'_>,
    ) -> Result<Option<SyncPlan>, Error> {
        let asked = |key: &[u8]| filter.is_none_or(|filter| filter.is_match(key));
        let manifest = inventory.md5.as_bytes().first_chunk().copied().unwrap_or_default();
        let of = (inventory.manifest.source.as_str(), inventory.date.as_str(), manifest);
        let is_versioned = inventory.schema.is_versioned();
        if sync.has(of.0, of.1)? {
            return sync.again(is_versioned, &asked, watch);
        }
        let jobs = self.jobs as usize;
        let mut lists = self.shown("fetching the inventory", watch, || {
            Lists::fetch(Arc::clone(disk), inventory, client, jobs, watch)
        })?;
        let mut is_sorted = false;
        let plan = progress::of_rows("planning", self.talk.quiet, watch, || {
            loop {
                let mut whole = None;
                let planned = sync.plan(
                    of,
                    is_versioned,
                    &asked,
                    &mut |each| {
                        let outcome = lists.rows(each)?;
                        let is_whole = matches!(outcome, Outcome::Whole { .. });
                        whole = Some(outcome);
                        Ok(is_whole)
                    },
                    watch,
                )?;
                match (planned, whole) {
                    (Some(plan), Some(Outcome::Whole { bad, .. })) => {
                        tell_unread(&bad, watch);
                        return Ok(plan.lacking(bad.count));
                    }
                    (_, Some(Outcome::Unsorted { why })) if !is_sorted => {
                        watch.decision(format!("the inventory is not in order, and is sorted: {why}"));
                        lists.sort()?;
                        is_sorted = true;
                    }
                    _ => return Err(Error::failed("the rows of the inventory cannot be brought into order")),
                }
            }
        })?;
        lists.remove()?;
        Ok(Some(plan))
    }

    /// Prints what a plan would do.
    fn tell_plan(
        &self,
        sync: &mirror::Sync<'_>,
        inventory: &Inventory,
        plan: &SyncPlan,
        watch: &Watch<'_>,
    ) -> Result<(), Error> {
        let mut text = String::new();
        if !self.json {
            sync.steps(&mut |step| {
                match step {
                    Step::Fetch(wish) => {
                        let (key, version) = (printable(&wish.key), printable(&wish.version));
                        text.push_str(&format!("would fetch {key} ({version}, {} bytes)\n", thousands(wish.size)));
                    }
                    Step::Move { from, to, .. } => text.push_str(&format!("would move {from} to {to}\n")),
                    Step::Touch { at, .. } => text.push_str(&format!("would set the time of {at}\n")),
                    Step::Remove { at, .. } => text.push_str(&format!("would remove {at}\n")),
                }
                if text.len() > 1 << 16 {
                    out::print(&text)?;
                    text.clear();
                }
                Ok(())
            })?;
        }
        let (fetches, size, filtered) = plan.fetches();
        let tally = plan.tally();
        let (need, room) = sync.needs(plan, watch)?;
        if self.json {
            let room = room.map(|room| json!({ "bytes": room.free, "files": room.files }));
            let document = json!({
                "schema": 1, "point": inventory.date, "listed": tally.listed, "fetch": fetches, "bytes": size,
                "filtered": filtered, "move": tally.moved, "vanished": tally.vanished,
                "need": { "bytes": need.bytes, "files": need.files }, "room": room,
            });
            return out::print(&format!("{document:#}\n"));
        }
        text.push_str(&format!(
            "would bring the mirror to {}: {} versions listed, {} to fetch ({}), {} files to move, {} listed no more, which \
             stay{}\n",
            inventory.date,
            thousands(tally.listed),
            thousands(fetches),
            bytes(size),
            thousands(tally.moved),
            thousands(tally.vanished),
            if filtered > 0 { format!("; {} left out by the filter", thousands(filtered)) } else { String::new() },
        ));
        let has = room.map(|Room { free, files, .. }| {
            let files = files.map(|files| format!(" and {} files", thousands(files))).unwrap_or_default();
            format!("; there is room for {}{files}", bytes(free))
        });
        text.push_str(&format!(
            "needs {} and {} files and folders{}\n",
            bytes(need.bytes),
            thousands(need.files),
            has.unwrap_or_default()
        ));
        out::print(&text)
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
        if self.json {
            let runs: Vec<Value> = done.iter().map(document).collect();
            let point = shows.map(|applied| applied.point);
            out::print(&format!("{:#}\n", json!({ "schema": 1, "point": point, "runs": runs })))?;
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
        if unread > 0 {
            out::say(&format!(
                "highwater: {} rows of the inventory cannot be read: what they list is not in the mirror",
                thousands(unread)
            ));
        }
        Ok(if missing + lost + unread > 0 { Exit::Inconclusive } else { Exit::Sound })
    }
}

/// Says which rows could not be read.
fn tell_unread(bad: &mirror::Unread, watch: &Watch<'_>) {
    bad.told.iter().for_each(|what| watch.notice(what));
    let more = bad.count.saturating_sub(bad.told.len() as u64);
    if more > 0 {
        watch.notice(format!("{} more rows cannot be read", thousands(more)));
    }
}

fn sentence(summary: &Summary) -> String {
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
        (*unread, "rows of the inventory that cannot be read"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {} {what}", thousands(count)));
        }
    }
    text.push('\n');
    text
}

fn document(summary: &Summary) -> Value {
    let Summary { point, resumed, fetched, applied, unread } = summary;
    json!({
        "point": point, "resumed": resumed, "fetched": fetched.arrived, "bytes": fetched.bytes, "there": fetched.there,
        "moved": applied.moved, "lost": applied.lost, "missing": fetched.missing, "unread": unread,
    })
}
