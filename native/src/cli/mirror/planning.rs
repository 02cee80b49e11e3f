//! Plans a sync to an inventory: for `sync` and `plan`.

use std::sync::Arc;

use highwater_core::formats::mirror::plan::Step;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use regex::bytes::Regex;
use serde_json::json;

use crate::cli::repository::usage;
use crate::cli::{out, progress};
use crate::disk::{Disk, Room};
use crate::error::Error;
use crate::mirror::{self, Inventory, Lists, Outcome, SyncPlan};
use crate::s3::Client;
use crate::watch::Watch;

/// What is planned, and by whom.
pub(super) struct Planning<'a> {
    pub(super) sync: &'a mirror::Sync<'a>,
    pub(super) disk: &'a Arc<dyn Disk>,
    pub(super) client: &'a Client,
    /// Requests at a time.
    pub(super) jobs: usize,
    /// Which keys are asked for.
    pub(super) filter: Option<&'a Regex>,
    pub(super) quiet: bool,
    pub(super) watch: &'a Watch<'a>,
}

/// Which keys are asked for.
///
/// # Errors
/// It is no regular expression.
pub(super) fn filter(text: Option<&str>) -> Result<Option<Regex>, Error> {
    let filter = text.map(Regex::new).transpose();
    filter.map_err(|error| usage(format!("--path-filter is no regular expression: {error}")))
}

impl Planning<'_> {
    /// Plans the sync to one inventory, and says which of its rows cannot be read; none if there is nothing to plan.
    ///
    /// # Errors
    /// The bucket, the disk, the user; the inventory is of another bucket or too old.
    pub(super) fn plan(&self, inventory: &Inventory) -> Result<Option<SyncPlan>, Error> {
        let Self { sync, disk, client, filter, watch, .. } = *self;
        let asked = |key: &[u8]| filter.is_none_or(|filter| filter.is_match(key));
        let manifest = inventory.md5.as_bytes().first_chunk().copied().unwrap_or_default();
        let of = (inventory.manifest.source.as_str(), inventory.date.as_str(), manifest);
        let is_versioned = inventory.schema.is_versioned();
        if sync.has(of.0, of.1)? {
            return sync.again(is_versioned, &asked, watch);
        }
        let mut lists = progress::with("fetching the inventory", self.quiet, watch, || {
            Lists::fetch(Arc::clone(disk), inventory, client, self.jobs, watch)
        })?;
        let mut is_sorted = false;
        let plan = progress::of_rows("planning", self.quiet, watch, || {
            loop {
                let mut whole = None;
                let planned = sync.plan(
                    of,
                    is_versioned,
                    &asked,
                    &mut |each| {
                        let outcome = lists.rows(each)?;
                        let unread = match &outcome {
                            Outcome::Whole { bad, .. } => Some(bad.count),
                            Outcome::Unsorted { .. } => None,
                        };
                        whole = Some(outcome);
                        Ok(unread)
                    },
                    watch,
                )?;
                match (planned, whole) {
                    (Some(plan), Some(Outcome::Whole { bad, .. })) => {
                        tell_unread(&bad, watch);
                        return Ok(plan);
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
    ///
    /// # Errors
    /// The disk, the user; standard output takes nothing.
    pub(super) fn tell(&self, inventory: &Inventory, plan: &SyncPlan, is_json: bool) -> Result<(), Error> {
        let Self { sync, watch, .. } = *self;
        let mut text = String::new();
        if !is_json {
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
        if is_json {
            let room = room.map(|room| json!({ "bytes": room.free, "files": room.files }));
            let document = json!({
                "schema": 1, "point": inventory.date, "listed": tally.listed, "fetch": fetches, "bytes": size,
                "filtered": filtered, "move": tally.moved, "vanished": tally.vanished,
                "parts": plan.parts(),
                "need": { "bytes": need.bytes, "files": need.files }, "room": room,
            });
            return out::document(document);
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
}

/// Says which rows could not be read.
fn tell_unread(bad: &mirror::Unread, watch: &Watch<'_>) {
    bad.told.iter().for_each(|what| watch.notice(what));
    let more = bad.count.saturating_sub(bad.told.len() as u64);
    if more > 0 {
        watch.notice(format!("{} more rows cannot be read", thousands(more)));
    }
}
