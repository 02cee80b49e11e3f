//! `highwater list`: the points in time of a repository, as its indices name them.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::facts::Shape;
use highwater_core::finding::Severity;
use highwater_core::inspect::{Of, Scope, Set};
use highwater_core::key::Fingerprint;
use highwater_core::name::printable;
use highwater_core::render::thousands;
use highwater_core::report::{Depth, Note};
use highwater_core::survey::{Options, Survey};
use serde_json::{Value, json};

use super::exit::Exit;
use super::label::label;
use super::options::{Json, Root};
use super::out;
use super::repository::{Repository, kind_of, open, usage};
use super::verb::Run;
use crate::drive;
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::watch::Watch;

/// How many findings are told.
const TOLD: usize = 5;

/// List the points in time of a repository, without checking any.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The repository.
    repository: OsString,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    root: Root,
}

impl Run for List {
    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let Repository { path, point: one, .. } = Repository::parse(&self.repository)?;
        let store = open(&path, &self.root, stop)?;
        if one.is_some() {
            let (set, path) = (quoted(Path::new(&self.repository)), shown(&path));
            return Err(usage(format!(
                "{set} names a point, and list tells all of them: write '{path}', or see one with `highwater show`"
            )));
        }
        let format = kind_of(&*store, &self.root)?;
        let options = Options::whole(format, label(&path), Depth::List);
        let survey = Survey::new(format.inspect(&Scope::new(Of::Catalogue)), options);
        let survey = drive::run(&*store, survey, Depth::List, &Watch::new(Arc::clone(stop), |_| {}), &mut |_, _| {})?;
        let sets = survey.sets();
        if self.json.is_asked() {
            let points: Vec<_> = sets.iter().map(point).collect();
            out::document(json!({ "schema": 1, "format": format.facts().name, "sets": points }))?;
        } else {
            let mut text = String::new();
            let longest = sets.iter().map(|set| set.name.len()).max().unwrap_or(0);
            let width = sets.iter().map(|set| size(set.bytes).len()).max().unwrap_or(0);
            let mut before: Option<(u64, Option<u64>)> = None;
            for set in sets {
                let what = match before {
                    _ if format.facts().shape != Shape::Append => String::new(),
                    Some((group, bytes)) if group == set.group => {
                        let more = set.bytes.zip(bytes).map(|(bytes, before)| bytes.saturating_sub(before));
                        more.map_or_else(String::new, |more| format!("  +{}", highwater_core::render::bytes(more)))
                    }
                    _ => "  full".to_owned(),
                };
                let archives: Vec<String> = set.archives.iter().map(|name| printable(name.as_bytes())).collect();
                let archives = if archives.is_empty() { String::new() } else { format!("  {}", archives.join(", ")) };
                let key =
                    set.key.as_deref().map(|key| format!("  key {}", printable(Fingerprint::short(key).as_bytes())));
                let key = key.unwrap_or_default();
                let left = &set.left_out;
                let left =
                    if left.is_nothing() { String::new() } else { format!("  {} left out", thousands(left.total)) };
                let (name, size) = (&set.name, size(set.bytes));
                text.push_str(&format!("{name:longest$}  {size:>width$}{what}{archives}{key}{left}\n"));
                before = Some((set.group, set.bytes));
            }
            out::print(&text)?;
        }
        let report = survey.finish();
        let grave: Vec<&Note> = report.findings.iter().filter(|note| note.severity > Severity::Warning).collect();
        for note in grave.iter().take(TOLD) {
            let object = if note.object.is_empty() { &note.root } else { &note.object };
            out::say(&format!("highwater: {} {object}: {}. {}", note.code, note.message, note.advice));
        }
        if grave.len() > TOLD {
            out::say("highwater: there is more; `highwater verify` tells it");
        }
        if !grave.is_empty() {
            return Ok(report.verdict.into());
        }
        Ok(if report.sets.is_empty() { Exit::Inconclusive } else { Exit::Sound })
    }
}

/// How long a point is, as a person reads it.
pub(super) fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unread".to_owned(), |bytes| format!("{} bytes", thousands(bytes)))
}

/// A point, as `--json` writes it; `bytes` is null where what tells it could not be read; `archives` where a restore
/// takes one of them, `key` where it names one, `left_out` where it left something out.
pub(super) fn point(set: &Set) -> Value {
    let mut point = json!({ "name": set.name, "group": set.group, "bytes": set.bytes });
    if let Some(fields) = point.as_object_mut() {
        if !set.archives.is_empty() {
            fields.insert("archives".to_owned(), json!(set.archives));
        }
        fields.extend(set.key.iter().map(|key| ("key".to_owned(), json!(key))));
        let left = Some(&set.left_out).filter(|left| !left.is_nothing());
        fields.extend(left.map(|left| ("left_out".to_owned(), json!(left))));
    }
    point
}
