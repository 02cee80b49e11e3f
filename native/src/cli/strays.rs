//! `highwater strays`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::render::{bytes, thousands};
use serde_json::json;

use super::exit::Exit;
use super::options::{Json, Root, Talk};
use super::repository::{kind_of, open, usage};
use super::verb::Run;
use super::{out, progress};
use crate::error::Error;
use crate::shown::quoted;
use crate::strays::{What, strays};

/// List what lies among the chunks of a datastore and no snapshot needs. Removes nothing.
///
/// These are chunks that no index names, which a garbage collection would remove unless a backup that is running has
/// just put them there; chunks that a server set aside as bad; and whatever else lies there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater strays /mnt/datastore
  highwater strays --json /mnt/datastore | jq '[.strays[].bytes] | add'    how much would a garbage collection free?")]
pub(super) struct Strays {
    /// The store.
    store: PathBuf,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Strays {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let store = open(&self.store, &self.root, stop)?;
        let format = kind_of(&*store, &self.root)?;
        if format.facts().pool.is_none() {
            let what = "`highwater verify` names what belongs to no backup in it";
            return Err(usage(format!("{} is of the kind {}: {what}", quoted(&self.store), format.facts().name)));
        }
        let watch = self.talk.watch(stop);
        let found = progress::with("looking", self.talk.quiet, &watch, || strays(&*store, format, &watch))?;
        let word = |what| match what {
            What::Unreferenced => "unreferenced",
            What::Bad => "set aside",
            What::Other => "no chunk",
        };
        let exit = if found.doubts.is_empty() { Exit::Sound } else { Exit::Inconclusive };
        if self.json.is_asked() {
            let list = found
                .strays
                .iter()
                .map(|stray| json!({ "name": stray.name, "what": word(stray.what), "bytes": stray.bytes }));
            let list: Vec<_> = list.collect();
            let report = json!({ "schema": 1, "referenced": found.referenced, "strays": list, "doubts": found.doubts });
            out::document(report)?;
            return Ok(exit);
        }
        for stray in &found.strays {
            out::print(&format!("{:<12}  {}  {}\n", word(stray.what), stray.name, bytes(stray.bytes)))?;
        }
        found.doubts.iter().for_each(|doubt| out::say(&format!("highwater: {doubt}")));
        let total: u64 = found.strays.iter().map(|stray| stray.bytes).sum();
        let (count, referenced) = (thousands(found.strays.len() as u64), thousands(found.referenced));
        if !self.talk.quiet {
            out::print(&format!("{count} strays of {}; {referenced} chunks are named by indices\n", bytes(total)))?;
        }
        if exit != Exit::Sound {
            out::say(
                "highwater: chunks are not called unreferenced, as nobody knows what the above names; `highwater \
                 verify` says more",
            );
        }
        Ok(exit)
    }
}
