//! `highwater mirror fetch`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::render::{bytes, thousands};
use highwater_core::shard::Shard;
use serde_json::json;

use super::asking::Asking;
use super::opened;
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk, Writing};
use crate::cli::verb::Run;
use crate::cli::{out, progress};
use crate::error::Error;
use crate::mirror::{self, Fetched};
use crate::shown::quoted;

/// Fetch a segment of what `highwater mirror plan` planned: on any machine, beside any number of others.
///
/// What was fetched is on record for good some seconds later, and at the end. A run that is killed at any moment loses
/// nothing but that, and the next run of the segment goes on; one of a segment that is done does nothing. Two runs of
/// one segment at the same time share it. The number of segments may be another one each time.
///
/// The exit code is 3 where something could not be had: the segment is done then, too, and a rerun tries that once
/// more. It is 3, too, where a record of what was fetched was damaged, though what it spoke of is fetched again, and a
/// rerun ends with 0; and where the disk is full, or fails, which a sentence says: then the segment is not done, and a
/// rerun goes on. It is 0 where nothing is planned, or the plan is being applied already.
///
/// Every process needs the credentials that are told of under `highwater mirror sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mirror fetch /shared/photos --segment 3/16
  highwater mirror fetch /shared/photos --segment \"$SLURM_ARRAY_TASK_ID/16\"              an array of 1 to 16
  highwater mirror fetch /shared/photos --segment \"$((JOB_COMPLETION_INDEX + 1))/16\"     an Indexed Job of 16")]
pub(super) struct Fetch {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// Which segment of how many: i from 1 to n. All of it, if it is not given.
    #[arg(long, value_name = "i/n", default_value = "1/1")]
    segment: Shard,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Fetch {
    /// It has workers of its own.
    fn is_threaded(&self) -> bool {
        false
    }

    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let client = self.asking.client(stop)?;
        let disk = opened(&self.mirror, self.writing.locks())?;
        let watch = self.talk.watch(stop);
        let segment = progress::with("fetching", self.talk.quiet, &watch, || {
            mirror::fetch(&disk, self.segment, &client, self.asking.jobs(), &watch)
        })?;
        let name = self.segment.to_string();
        let Some(segment) = segment else {
            if self.json.is_asked() {
                out::document(json!({ "schema": 1, "segment": name, "point": null }))?;
            } else if !self.talk.quiet {
                out::print(&format!("nothing is to be fetched into {}: no plan is open\n", quoted(&self.mirror)))?;
            }
            return Ok(Exit::Sound);
        };
        let Fetched { arrived, bytes: size, there, missing, damaged } = segment.fetched;
        if self.json.is_asked() {
            let document = json!({
                "schema": 1, "segment": name, "point": segment.point, "parts": segment.parts, "of": segment.of,
                "fetched": arrived, "bytes": size, "there": there, "missing": missing,
                "damaged": damaged,
            });
            out::document(document)?;
        } else if !self.talk.quiet {
            let there = if there > 0 { format!(", {} there already", thousands(there)) } else { String::new() };
            out::print(&format!(
                "segment {name}, {} of {} parts, for {}: {} versions fetched ({}){there}\n",
                thousands(segment.parts),
                thousands(segment.of),
                segment.point,
                thousands(arrived),
                bytes(size)
            ))?;
        }
        if missing > 0 {
            out::say(&format!(
                "highwater: {} versions could not be had: `highwater mirror apply` writes down why, and a rerun tries \
                 again",
                thousands(missing)
            ));
        }
        if damaged > 0 {
            out::say(&format!(
                "highwater: {} records of what was fetched were not what was written: what they spoke of was looked at \
                 again, and fetched where that does not prove it",
                thousands(damaged)
            ));
        }
        Ok(if missing + damaged > 0 { Exit::Inconclusive } else { Exit::Sound })
    }
}
