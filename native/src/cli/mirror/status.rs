//! `highwater mirror status`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::verb::Run;
use crate::disk;
use crate::error::Error;
use crate::mirror::{self, State};
use crate::shown::quoted;
use crate::store::Locks;

/// Say which inventories a mirror has applied, which one its tree shows, and what could not be had, and why.
///
/// Nothing is checked: `highwater verify DIR` does that.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Run for Status {
    fn run(&self, _: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let disk = disk::open(&self.mirror, Locks::Needed);
        let disk =
            disk.map_err(|error| Error::cannot_start(format!("cannot open {}: {error}", quoted(&self.mirror))))?;
        let state = mirror::state(&disk)?;
        out::print(&if self.json { format!("{:#}\n", document(&state)) } else { words(&state) })?;
        Ok(Exit::Sound)
    }
}

fn words(state: &State) -> String {
    let mut text = String::new();
    if let Some((applied, tail)) = &state.applied {
        text.push_str(&format!("mirror of {}, which shows {}\n", printable(applied.bucket.as_bytes()), applied.point));
        for point in &tail.points {
            let mark = if point.name == applied.point { '*' } else { ' ' };
            let (objects, size) = (thousands(point.objects), bytes(point.bytes));
            text.push_str(&format!("{mark} {}  {objects} objects, {size}\n", point.name));
        }
        let totals = tail.totals;
        text.push_str(&format!(
            "{} versions, {}: {} as S3 recorded them, {} as received; {} marks of deletion, {} wanted\n",
            thousands(totals.recorded + totals.received + totals.unproven),
            bytes(totals.bytes),
            thousands(totals.recorded),
            thousands(totals.received),
            thousands(totals.markers),
            thousands(totals.wanted),
        ));
    } else {
        text.push_str("no sync has come to its end yet\n");
    }
    if let Some(point) = &state.begun {
        text.push_str(&format!("a change to {point} was begun, and is not at its end: run it again\n"));
    }
    for wanted in &state.wanted {
        let (key, version, message) =
            (printable(&wanted.key), printable(&wanted.version), printable(wanted.message.as_bytes()));
        text.push_str(&format!("wanted  {}  {key} ({version}): {message}\n", wanted.why.word()));
    }
    let more = state.missing.saturating_sub(state.wanted.len() as u64);
    if more > 0 {
        text.push_str(&format!("and {} more, in .highwater-mirror/wanted\n", thousands(more)));
    }
    text
}

fn document(state: &State) -> Value {
    let points = state.applied.as_ref().map(|(_, tail)| {
        let point = |point: &highwater_core::formats::mirror::index::Point| {
            json!({ "name": point.name, "objects": point.objects, "bytes": point.bytes })
        };
        tail.points.iter().map(point).collect::<Vec<Value>>()
    });
    let wanted = |wanted: &highwater_core::formats::mirror::wanted::Wanted| {
        json!({
            "why": wanted.why.word(), "key": printable(&wanted.key), "version": printable(&wanted.version),
            "size": wanted.size, "message": wanted.message,
        })
    };
    json!({
        "schema": 1,
        "bucket": state.applied.as_ref().map(|(applied, _)| &applied.bucket),
        "point": state.applied.as_ref().map(|(applied, _)| &applied.point),
        "points": points,
        "begun": state.begun,
        "missing": state.missing,
        "wanted": state.wanted.iter().map(wanted).collect::<Vec<Value>>(),
    })
}
