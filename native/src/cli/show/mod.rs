//! `highwater show`: what a restore of a point reads, and which bytes each file gives; of a tree or a catalogue, its
//! files.

mod archive;
mod catalogue;
mod chunks;
mod lines;
pub(super) mod set;
mod tree;

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::claim::Claim;
use highwater_core::facts::Shape;
use highwater_core::inspect::Set;
use highwater_core::name::printable;
use highwater_core::render::thousands;
use serde_json::{Value, json};

use self::archive::Archive;
use self::chunks::Chunks;
use super::exit::Exit;
use super::inside::{divided, path_in};
use super::options::of_kind::refuse;
use super::options::{Json, Keys, OfKind, Root};
use super::repository::{Repository, kind_of, open, usage};
use super::verb::Run;
use super::{list, out};
use crate::error::Error;
use crate::restore::tree::TreePlan;
use crate::restore::{Asked, Plan, find};
use highwater_core::report::Depth;

/// Show which files a restore of a point reads, and which bytes each one gives; of a tree or catalogue, what is in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater show /backup/zodb@2026-11-19                    which files give the state of that day?
  highwater show /backup/files@2026-11-19/etc/nginx         a folder of a point, and what is below it
  highwater show --json /backup/files | jq -r '.entries[] | [.path, .digest] | @tsv'
  highwater show /mnt/datastore@host/web/2026-11-19T03:00:00Z/root.pxar
  highwater show /mnt/datastore@host/web/latest/catalog.pcat1/root.pxar.didx/etc")]
pub(super) struct Show {
    /// The repository, and the point; of a set of points of a folder, and of a tree or catalogue in a datastore, also a
    /// path in it.
    #[arg(value_name = "REPO[@POINT[/PATH]]")]
    repository: OsString,
    #[command(flatten)]
    json: Json,
    /// Of an archived tree or a catalogue too, show the chunks that it is put together of.
    #[arg(long)]
    chunks: bool,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    keys: OfKind<Keys>,
}

impl Run for Show {
    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let repository = Repository::parse(&self.repository)?;
        let store = open(&repository.path, &self.root, stop)?;
        let format = kind_of(&*store, &self.root)?;
        refuse(&[&self.keys], &repository.path, format, None)?;
        let lacks = |point: &&String| format.point(point).is_ok_and(|point| point.restores().is_err());
        if let Some(point) = repository.point.as_ref().filter(lacks) {
            return archives(&find(&*store, format, point.clone())?, self.json.is_asked());
        }
        let key = self.keys.load()?;
        if format.facts().shape == Shape::Tree {
            if self.chunks {
                return Err(usage("--chunks is for archives; --json names the object of each file".to_owned()));
            }
            let (point, within) = divided(format, repository.point);
            let plan = TreePlan::make(&*store, Asked { format, point, key })?;
            let path =
                within.map(|within| plan.path_called(&within).map_or_else(|| path_in(&within), Ok)).transpose()?;
            set::show(&plan, path.as_ref(), self.json.is_asked())?;
            return Ok(Exit::Sound);
        }
        if let Some(point) =
            repository.point.as_deref().filter(|_| !self.chunks && format.facts().shape == Shape::Image)
            && let Some(archive) = Archive::named(format, point)?
        {
            let asked = Asked { format, point: Some(archive.point.clone()), key: key.clone() };
            let plan = Plan::make(&*store, asked, Depth::List)?;
            archive.show(&Chunks::new(&*store, &plan, key.as_ref(), stop), self.json.is_asked())?;
            return Ok(Exit::Sound);
        }
        let asked = Asked { format, point: repository.point, key };
        let plan = Plan::make(&*store, asked, Depth::List)?;
        if self.json.is_asked() {
            let chunks: Vec<_> = plan.claims.iter().map(|claim| chunk(&claim)).collect();
            let index = plan.index.as_ref().map(ToString::to_string);
            let mut document =
                json!({ "schema": 1, "point": plan.point, "bytes": plan.end, "chunks": chunks, "index": index });
            if let Some(fields) = document.as_object_mut() {
                fields.extend(plan.key.iter().map(|key| ("key".to_owned(), json!(key))));
            }
            out::document(document)?;
        } else {
            out::print(&table(&plan))?;
        }
        Ok(Exit::Sound)
    }
}

/// A chunk of a plan, as `--json` writes it.
fn chunk(claim: &Claim) -> Value {
    json!({
        "object": claim.object.to_string(),
        "codec": claim.codec.name(),
        "start": claim.target().start,
        "end": claim.target().end,
        "digest": claim.expect.digest.map(|digest| digest.to_string()),
    })
}

/// Shows a point of which a restore takes one archive.
fn archives(set: &Set, json: bool) -> Result<Exit, Error> {
    if json {
        let mut document = list::point(set);
        if let Some(fields) = document.as_object_mut() {
            fields.insert("schema".to_owned(), json!(1));
        }
        out::document(document)?;
        return Ok(Exit::Sound);
    }
    let mut text = format!("{}: {}, {} archives\n", set.name, list::size(set.bytes), set.archives.len());
    let archives = set.archives.iter().map(|archive| printable(archive.as_bytes()));
    archives.for_each(|archive| text.push_str(&format!("  {}/{archive}\n", set.name)));
    text.push_str(&key_line(set.key.as_deref()));
    out::print(&text)?;
    Ok(Exit::Sound)
}

/// The key that a point names.
fn key_line(key: Option<&str>) -> String {
    key.map(|key| format!("  key                 {}\n", printable(key.as_bytes()))).unwrap_or_default()
}

/// The chunks of a plan, a line each.
pub(super) fn table(plan: &Plan) -> String {
    let width = thousands(plan.end).len();
    let mut text = format!("{}: {} bytes from {} files\n", plan.point, thousands(plan.end), plan.claims.len());
    for claim in plan.claims.iter() {
        let (start, end) = (thousands(claim.target().start), thousands(claim.target().end));
        text.push_str(&format!("  bytes {start:>width$} to {end:>width$}  {}", claim.object));
        // The chunks of a store are named after theirs.
        let told = claim.expect.digest.filter(|digest| !claim.object.to_string().ends_with(&digest.to_string()));
        text.extend(told.map(|digest| format!("  {} {digest}", digest.algorithm().name())));
        text.push('\n');
    }
    match &plan.index {
        Some(_) => text.push_str(&format!("  OID index           {}.index\n", plan.point)),
        None if plan.shape == Shape::Append => text.push_str("  OID index           none: the database rebuilds it\n"),
        None => {}
    }
    text.push_str(&key_line(plan.key.as_deref()));
    plan.doubts.iter().for_each(|doubt| text.push_str(&format!("  doubtful: {doubt}\n")));
    text
}
