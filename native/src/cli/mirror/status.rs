//! `highwater mirror status`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::formats::mirror::wanted::Wanted;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use serde_json::{Map, Value, json};

use super::opened;
use crate::cli::exit::Exit;
use crate::cli::options::{Json, Talk};
use crate::cli::verb::Run;
use crate::cli::{out, progress, whence};
use crate::disk::Disk;
use crate::error::Error;
use crate::mirror::{self, Count, Difference, Differences, Kind, State, Weight};
use crate::store::Locks;

/// How many of a kind are told one by one.
const FEW: usize = 10;

/// What is printed at once, in bytes.
const PIECE: usize = 1 << 16;

/// Say which inventories a mirror has applied and which one its tree shows, and explain every difference between its
/// index and its tree.
///
/// Each row of the index is looked at where it should lie (what is there, how long it is, when it was changed), and the
/// tree is walked through for files that no row names. No byte of a file is read: `highwater verify DIR` does that.
/// Nothing is asked of S3, nothing is changed, and what is held does not grow with the mirror. With --quick, only what
/// the index says of itself is told, and what the last sync could not have. With --json, all differences are.
#[derive(Debug, Args)]
#[command(after_help = "\
What may be told of, and the exit code that comes of it:
  missing, no-file, length     1  a file that the index names is not there, is none, or has another length
  time                         3  it has the length, and was changed at another time: verify tells more
  unreadable                   3  it cannot be looked at
  wanted                       3  it could not be had, with the reason; the next sync tries again
  past                         3  it could not be had, and the newest inventory lists it no more
  filtered                     0  a --path-filter left it out
  stray, foreign               0  no row names it: somebody's, or one that file systems and desktops make
  renamed                      0  a key lies under another name, as no file can have its own
  stays                        0  the newest inventory lists the version no more, and it stays
  aside                        0  it lay in the way, and is none of the mirror's: .highwater-mirror/found
  staged                       0  it was fetched, and has no place yet; the next sync settles or removes it
A sync or rollback that was begun and is not at its end gives 3, whatever else is told of.")]
pub(super) struct Status {
    /// The mirror.
    #[arg(value_name = "DIR")]
    mirror: PathBuf,
    /// Look at no file: what the index says of itself, at once.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Status {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let disk = opened(&self.mirror, Locks::Needed)?;
        let state = mirror::state(&disk)?;
        let is_unread = state.applied.as_ref().is_some_and(|(applied, _)| applied.unread > 0);
        let exit = match state.begun.is_some() || state.missing > 0 || is_unread {
            false => Exit::Sound,
            true => Exit::Inconclusive,
        };
        if self.quick {
            if self.json.is_asked() {
                out::document(Value::Object(document(&state)))?;
            } else {
                out::print(&(head(&state) + &wanted(&state)))?;
            }
            return Ok(exit);
        }
        let found =
            if self.json.is_asked() { self.objects(&disk, &state, stop)? } else { self.lines(&disk, &state, stop)? };
        Ok(match found.weight() {
            // What was moved by then lies where no row of this index says.
            _ if state.begun.is_some() => Exit::Inconclusive,
            Weight::Damage => Exit::Damage,
            Weight::Lack => Exit::Inconclusive,
            Weight::Nothing if is_unread => Exit::Inconclusive,
            Weight::Nothing => Exit::Sound,
        })
    }
}

impl Status {
    fn look(
        &self,
        disk: &dyn Disk,
        stop: &Arc<AtomicBool>,
        each: &mut dyn FnMut(&Difference) -> Result<(), Error>,
    ) -> Result<Differences, Error> {
        let watch = self.talk.watch(stop);
        progress::of_rows("looking", self.talk.quiet, &watch, || mirror::differences(disk, each, &watch))
    }

    /// Prints what was found: some of each kind, or all.
    fn lines(&self, disk: &dyn Disk, state: &State, stop: &Arc<AtomicBool>) -> Result<Differences, Error> {
        out::print(&head(state))?;
        let (mut some, mut text): (BTreeMap<Kind, Vec<String>>, String) = (BTreeMap::new(), String::new());
        let found = self.look(disk, stop, &mut |difference| {
            if !self.talk.verbose {
                let some = some.entry(difference.kind).or_default();
                if some.len() < FEW {
                    some.push(line(difference));
                }
                return Ok(());
            }
            text.push_str(&line(difference));
            if text.len() > PIECE {
                out::print(&std::mem::take(&mut text))?;
            }
            Ok(())
        })?;
        for (kind, Count { count, bytes: size }) in &found.counts {
            let (word, of) = (kind.word(), explained(*kind));
            text.push_str(&format!("{word}: {}, {}: {of}\n", thousands(*count), bytes(*size)));
            let some = some.remove(kind).unwrap_or_default();
            text.push_str(&some.concat());
            let more = count.saturating_sub(some.len() as u64);
            if more > 0 && !self.talk.verbose {
                text.push_str(&format!("  and {} more, which --verbose tells\n", thousands(more)));
            }
        }
        if state.applied.is_some() {
            text.push_str(&format!(
                "{} files are as the index says, of {} in the tree\n",
                thousands(found.right),
                thousands(found.files)
            ));
        }
        out::print(&text)?;
        Ok(found)
    }

    /// The same as a document, which is written while files are looked at.
    fn objects(&self, disk: &dyn Disk, state: &State, stop: &Arc<AtomicBool>) -> Result<Differences, Error> {
        let head = Value::Object(document(state)).to_string();
        let mut text = format!("{},\n  \"differences\": [", head.strip_suffix('}').unwrap_or(&head));
        let mut is_first = true;
        let found = self.look(disk, stop, &mut |difference| {
            text.push_str(if std::mem::replace(&mut is_first, false) { "\n    " } else { ",\n    " });
            text.push_str(&object(difference).to_string());
            if text.len() > PIECE {
                out::print(&std::mem::take(&mut text))?;
            }
            Ok(())
        })?;
        let counts: Map<String, Value> = found
            .counts
            .iter()
            .map(|(kind, Count { count, bytes })| (kind.word().to_owned(), json!({ "count": count, "bytes": bytes })))
            .collect();
        let end = json!({ "counts": counts, "files": found.files, "right": found.right });
        let end = whence::stamped(end)?.to_string();
        text.push_str(&format!("\n  ],\n  {}\n", end.strip_prefix('{').unwrap_or(&end)));
        out::print(&text)?;
        Ok(found)
    }
}

/// What the pointer and the index say.
fn head(state: &State) -> String {
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
        if totals.pruned() > 0 {
            text.push_str(&format!("{} were pruned, which the bucket lists still\n", thousands(totals.pruned())));
        }
        if applied.unread > 0 {
            text.push_str(&format!(
                "{} rows of the newest inventory cannot be read: what they list may not be here\n",
                thousands(applied.unread)
            ));
        }
    } else {
        text.push_str("no sync has come to its end yet\n");
    }
    if let Some(point) = &state.begun {
        text.push_str(&format!(
            "a change to {point} was begun, and is not at its end: run it again; until then, what it has moved or put in \
             its place already differs from the index\n"
        ));
    }
    if let Some((tried, parts)) = state.parts {
        text.push_str(&format!("{} of {} parts of its plan are fetched\n", thousands(tried), thousands(parts)));
    }
    text
}

/// What the last sync could not have.
fn wanted(state: &State) -> String {
    let one = |wanted: &Wanted| {
        let (key, version, message) =
            (printable(&wanted.key), printable(&wanted.version), printable(wanted.message.as_bytes()));
        format!("wanted  {}  {key} ({version}): {message}\n", wanted.why.word())
    };
    let mut text: String = state.wanted.iter().map(one).collect();
    let more = state.missing.saturating_sub(state.wanted.len() as u64);
    if more > 0 {
        text.push_str(&format!("and {} more, in .highwater-mirror/wanted\n", thousands(more)));
    }
    text
}

/// A difference in a line: its kind, where it lies, which version of which key, and the evidence.
fn line(difference: &Difference) -> String {
    let Difference { kind, place, key, version, what, .. } = difference;
    let mut text = format!("  {}", kind.word());
    if let Some(place) = place {
        text.push_str(&format!("  {place}"));
    }
    let is_elsewhere = place.as_ref().is_none_or(|place| place.as_bytes() != key.as_slice());
    match (key.is_empty(), is_elsewhere) {
        (true, _) => {}
        (false, true) => text.push_str(&format!("  {} ({})", printable(key), printable(version))),
        (false, false) => text.push_str(&format!(" ({})", printable(version))),
    }
    if !what.is_empty() {
        text.push_str(&format!(": {what}"));
    }
    text.push('\n');
    text
}

/// What a kind of difference comes of, and what to do.
fn explained(kind: Kind) -> &'static str {
    match kind {
        Kind::Missing | Kind::NoFile | Kind::Length => {
            "somebody removed or changed it since; `highwater verify` tells which points it hurts, and what to do"
        }
        Kind::Time => "somebody wrote it or set its time; `highwater verify` tells whether its bytes are right",
        Kind::Unreadable => "nothing is known of it",
        Kind::Wanted => "it could not be had; the next sync tries again",
        Kind::Past => "it was never had, and the newest inventory lists it no more, so nothing tries again",
        Kind::Filtered => "a --path-filter left it out; a sync without one fetches it",
        Kind::Stray => "no row names it; it is in nobody's way, and is moved aside should its place be needed",
        Kind::Foreign => "file systems and desktops make such names; it is in nobody's way",
        Kind::Renamed => "no file can have the key's own name; the key stands behind the name",
        Kind::Stays => "the newest inventory lists it no more; it stays, and older points need it",
        Kind::Aside => "it lay in the way and is none of the mirror's; nothing needs it",
        Kind::Staged => "it was fetched and has no place yet; the next sync settles or removes it",
    }
}

fn object(difference: &Difference) -> Value {
    let Difference { kind, place, key, version, bytes, what } = difference;
    let mut object = json!({ "kind": kind.word(), "bytes": bytes });
    let Some(fields) = object.as_object_mut() else { return object };
    let mut put = |name: &str, value: Option<Value>| fields.extend(value.map(|value| (name.to_owned(), value)));
    put("path", place.as_ref().map(|place| json!(place)));
    put("key", Some(json!(printable(key))).filter(|_| !key.is_empty()));
    put("version", Some(json!(printable(version))).filter(|_| !version.is_empty()));
    put("what", Some(json!(what)).filter(|_| !what.is_empty()));
    object
}

fn document(state: &State) -> Map<String, Value> {
    let points = state.applied.as_ref().map(|(_, tail)| {
        let point = |point: &highwater_core::formats::mirror::index::Point| {
            json!({ "name": point.name, "objects": point.objects, "bytes": point.bytes })
        };
        tail.points.iter().map(point).collect::<Vec<Value>>()
    });
    let wanted = |wanted: &Wanted| {
        json!({
            "why": wanted.why.word(), "key": printable(&wanted.key), "version": printable(&wanted.version),
            "size": wanted.size, "message": wanted.message,
        })
    };
    let document = json!({
        "schema": 1,
        "bucket": state.applied.as_ref().map(|(applied, _)| &applied.bucket),
        "point": state.applied.as_ref().map(|(applied, _)| &applied.point),
        "points": points,
        "begun": state.begun,
        "parts": state.parts.map(|(tried, parts)| json!({ "fetched": tried, "of": parts })),
        "pruned": state.applied.as_ref().map(|(_, tail)| tail.totals.pruned()),
        "missing": state.missing,
        "wanted": state.wanted.iter().map(wanted).collect::<Vec<Value>>(),
    });
    if let Value::Object(fields) = document { fields } else { Map::new() }
}
