//! `Sources`: what a folder that is backed up is: a store that is frozen meanwhile, or plain files.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use highwater_core::formats::tree::Tree;
use highwater_core::inspect::Entry;

use super::Backup;
use super::zodb::ZODB;
use crate::backup::tree::{Folder, Live, Source};
use crate::cli::options::kinds::{Kind, TREE};
use crate::cli::options::of_kind::Group;
use crate::disk::Disk;
use crate::error::Error;
use crate::live;
use crate::shown::quoted;
use crate::store::{Files, Links, Store};

/// Plain files, whatever they look like.
const FOLDER: &str = "folder";

/// How a folder is taken.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Sources {
    /// What the folder is, where its files do not tell: a live store, of which a checkpoint is made and read, `zodb`, a
    /// Data.fs with its blobs, or with
    /// `folder` plain files, whatever they look like.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(kinds()))]
    kind: Option<String>,
}

impl Group for Sources {
    const KIND: &'static Kind = &TREE;
}

fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    [FOLDER, ZODB].into_iter().chain(live::kinds())
}

impl Backup {
    /// What is to become a point, by its kind; `set` is the set.
    pub(super) fn tree_source(&self, folder: Files, set: Files) -> Result<Box<dyn Source>, Error> {
        let mut entries: Vec<Entry> = Vec::new();
        folder
            .list(None, &mut |entry| entries.push(entry))
            .map_err(|error| Error::cannot_start(format!("cannot list {}: {error}", quoted(&self.source))))?;
        let folder: Arc<dyn Disk> = Arc::new(folder);
        if let Some(zodb) = self.zodb_source(&folder, self.sources.kind.as_deref())? {
            return Ok(Box::new(zodb));
        }
        self.only(&Tree, Some("a folder becomes a point of a set"))?;
        let kind = match &self.sources.kind {
            Some(kind) => live::kinds().find(|live| live == kind),
            None => live::recognise(&entries),
        };
        Ok(match kind {
            Some(kind) => Box::new(Live::new(kind, folder, beside(&self.source), Arc::new(set))),
            None => Box::new(Folder(folder)),
        })
    }
}

/// The folder that another lies in, where that can be told and opened.
fn beside(folder: &Path) -> Option<Arc<dyn Disk>> {
    // `.` and `..` have no name; what a link leads to lies elsewhere than the link.
    let whole = std::fs::canonicalize(folder).ok()?;
    let around = whole.parent().filter(|around| around.as_os_str() != OsStr::new(""))?;
    Some(Arc::new(Files::open(around, Links::Followed).ok()?))
}
