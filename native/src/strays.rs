//! What lies in the pool of a root and no set needs: what a garbage collection would remove, and what it
//! would not.
//!
//! Nothing is removed here. A chunk that no index names may be of a backup that is running: a server's collection waits
//! a day and five minutes for that. Every index counts, wherever it lies. When one or a folder cannot be read, nobody
//! knows what it names, so nothing is called unreferenced.
//!
//! Each chunk that an index names takes 16 bytes, beside the some 14 that the survey keeps of it; folders of the pool
//! are listed one by one, and only what is a stray is kept of them.

use std::io;

use highwater_core::digest::{Algorithm, Digest};
use highwater_core::finding::Severity;
use highwater_core::foreign::is_foreign;
use highwater_core::inspect::{Entry, Format, Of, Scope};
use highwater_core::name::Name;
use highwater_core::report::{Depth, Report};
use highwater_core::survey::{Options, Survey};
use rayon::prelude::*;

use crate::drive;
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::Store;
use crate::watch::Watch;

/// What something is that nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A chunk that no index names.
    Unreferenced,
    /// What was set aside as bad.
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
pub struct StraysSummary {
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
/// When the format has no chunks that are named after their digests, a folder of them cannot be listed, or the user
/// interrupts.
pub fn strays(store: &dyn Store, format: &'static dyn Format, watch: &Watch<'_>) -> Result<StraysSummary, Error> {
    let Some(pool) = format.facts().pool else {
        return Err(Error::cannot_start(format!("{} is no store of chunks", quoted(&store.told(None)))));
    };
    let options = Options::whole(format, shown(store.told(None)), Depth::List);
    let survey = Survey::new(format.inspect(&Scope::new(Of::References)), options);
    let mut named: Vec<u128> = Vec::new();
    let survey = drive::run(store, survey, Depth::List, watch, &mut |claim, _| {
        // By the name of the object, which is what lies there; its digest may be another's.
        let digest = Digest::from_hex(Algorithm::Sha256, claim.object.last()).filter(|_| pool.holds(&claim.object));
        named.extend(digest.map(short));
    })?;
    named.sort_unstable();
    named.dedup();
    let doubts = doubts(&survey.finish(), pool.folder);
    // What is gone by now is no stray any more; what is no file has no length.
    let stray = |name: Name, what, length: Option<u64>| Stray {
        bytes: length.or_else(|| store.length(&name).ok()).unwrap_or_default(),
        name: name.to_string(),
        what,
    };
    let within = Name::new(pool.folder.as_bytes())?;
    let (folders, others): (Vec<Entry>, Vec<Entry>) =
        listed(store, &within)?.into_iter().partition(|entry| entry.kind.may_be_folder());
    let found = folders.par_iter().filter(|folder| !is_foreign(folder.name.as_bytes())).map(|folder| {
        watch.go_on()?;
        let folder = within.join(folder.name.as_bytes())?;
        let mut found = Vec::new();
        for entry in listed(store, &folder)? {
            if is_foreign(entry.name.as_bytes()) {
                continue;
            }
            let text = entry.name.to_string();
            let what = match Digest::from_hex(Algorithm::Sha256, text.as_bytes()) {
                Some(digest) if named.binary_search(&short(digest)).is_ok() => continue,
                Some(_) if !doubts.is_empty() => continue,
                Some(_) => What::Unreferenced,
                None if text.ends_with(pool.aside) => What::Bad,
                None => What::Other,
            };
            found.push(stray(folder.join(entry.name.as_bytes())?, what, entry.length));
        }
        Ok(found)
    });
    let mut strays = found.collect::<Result<Vec<Vec<Stray>>, Error>>()?.into_iter().flatten().collect::<Vec<_>>();
    // No chunk lies here: not even one that is called so.
    for entry in others.into_iter().filter(|entry| !is_foreign(entry.name.as_bytes())) {
        strays.push(stray(within.join(entry.name.as_bytes())?, What::Other, entry.length));
    }
    strays.sort();
    Ok(StraysSummary { strays, referenced: named.len() as u64, doubts })
}

/// What is wrong with indices; what is wrong with chunks does not matter here.
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

/// Half a digest: that two begin alike by chance happens to nobody, and on purpose it only hides a stray.
fn short(digest: Digest) -> u128 {
    digest.as_bytes().first_chunk().map_or(0, |half| u128::from_be_bytes(*half))
}

fn listed(store: &dyn Store, folder: &Name) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    match store.list(Some(folder), &mut |entry| entries.push(entry)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map(|()| entries).map_err(Error::at("list", store, folder)),
    }
}
