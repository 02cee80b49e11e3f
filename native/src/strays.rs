//! What lies among the chunks of a datastore and no snapshot needs: what a garbage collection would remove, and what it would not.
//!
//! Nothing is removed here. A chunk that no index names may be of a backup that is running: a server's collection waits a day and
//! five minutes for that. When an index or a manifest cannot be read, nobody knows what it names, so nothing is called unreferenced.

use std::io;
use std::path::Path;

use highwater_core::digest::{Algorithm, Digest};
use highwater_core::finding::Severity;
use highwater_core::inspect::{Format, Kind, Scope};
use highwater_core::name::Name;
use highwater_core::report::{Depth, Report};
use highwater_core::survey::{Options, Survey};
use rayon::prelude::*;

use crate::disk::Disk;
use crate::drive::{self, path_of};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::watch::Watch;

/// What something is that nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A chunk that no index names.
    Unreferenced,
    /// What a server's verification set aside: `.N.bad`.
    Bad,
    /// Anything else: a work file, a marker, a file of nobody.
    Other,
}

/// Something that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    /// Its path below the store.
    pub name: String,
    /// What it is.
    pub what: What,
    /// Its length, in bytes.
    pub bytes: u64,
}

/// What was found.
#[derive(Debug)]
pub struct Outcome {
    /// In the order of their names.
    pub strays: Vec<Stray>,
    /// How many chunks the indices name.
    pub referenced: u64,
    /// What of the indices could not be read or understood, in sentences: then chunks are not called unreferenced.
    pub doubts: Vec<String>,
}

/// Looks for strays.
///
/// # Errors
/// When the format has no chunks that are named after their digests, a folder of them cannot be listed, or the user interrupts.
pub fn strays(store: &Path, format: &dyn Format, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Outcome, Error> {
    let Some(pool) = format.pool() else {
        return Err(Error::cannot_start(format!("{} is no store of chunks", quoted(store))));
    };
    let options = Options::whole(format, shown(store), Depth::List);
    let survey = Survey::new(format.inspect(&Scope::All { trails: false }, None), options);
    let mut named: Vec<Digest> = Vec::new();
    let survey = drive::run(disk, store, survey, Depth::List, watch, &mut |claim, _| {
        named.extend(is_in(pool, &claim.object).then_some(claim.expect.digest));
    })?;
    named.sort_unstable();
    named.dedup();
    let doubts = doubts(&survey.finish(), pool);
    let folders = listed(disk, &store.join(pool))?;
    let found = folders.par_iter().filter(|(_, kind)| *kind == Kind::Folder).map(|(folder, _)| {
        watch.go_on()?;
        let path = path_of(&store.join(pool), folder);
        let mut found = Vec::new();
        for (name, _) in listed(disk, &path)? {
            let text = name.to_string();
            let what = match Digest::from_hex(Algorithm::Sha256, text.as_bytes()) {
                Some(digest) if named.binary_search(&digest).is_ok() => continue,
                Some(_) if !doubts.is_empty() => continue,
                Some(_) => What::Unreferenced,
                None if text.ends_with(".bad") => What::Bad,
                None => What::Other,
            };
            // What is gone by now is no stray any more; what is no file has no length.
            let bytes = disk.length(&path_of(&path, &name)).unwrap_or_default();
            found.push(Stray { name: format!("{pool}/{folder}/{text}"), what, bytes });
        }
        Ok(found)
    });
    let mut strays = found.collect::<Result<Vec<_>, Error>>()?.concat();
    strays.sort();
    Ok(Outcome { strays, referenced: named.len() as u64, doubts })
}

/// What is wrong with indices and manifests; what is wrong with chunks does not matter here.
fn doubts(report: &Report, pool: &str) -> Vec<String> {
    let grave = report.findings.iter().filter(|note| note.severity > Severity::Warning);
    let mut doubts: Vec<String> = grave
        .clone()
        .filter(|note| note.object.strip_prefix(pool).is_none_or(|rest| !rest.starts_with('/')))
        .map(|note| format!("{}: {}", if note.object.is_empty() { &note.root } else { &note.object }, note.message))
        .collect();
    let all: u64 = report.tallies.values().sum();
    if doubts.is_empty() && all > report.findings.len() as u64 {
        doubts.push("there are more findings than are kept; `highwater verify` tells their number".to_owned());
    }
    doubts
}

fn is_in(pool: &str, name: &Name) -> bool {
    name.as_bytes().strip_prefix(pool.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}

fn listed(disk: &dyn Disk, folder: &Path) -> Result<Vec<(Name, Kind)>, Error> {
    let mut entries = Vec::new();
    match disk.list(folder, &mut |entry| entries.push((entry.name, entry.kind))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map(|()| entries).map_err(Error::io("list", folder)),
    }
}
