//! Options of `highwater backup` for a ZODB and its blobs.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use highwater_core::formats::tree::Tree;
use highwater_core::name::Name;

use super::{Backup, repozo};
use crate::backup::tree::{Zodb, ZodbOptions};
use crate::cli::options::kinds::{self, Kind};
use crate::cli::options::of_kind::{Group, refuse};
use crate::cli::repository::usage;
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::quoted;

/// The word for `--kind`.
pub(super) const ZODB: &str = "zodb";

/// What is taken of a folder with a database and blobs.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Where Data.fs lies below the folder, unless it is filestorage/Data.fs or Data.fs.
    #[arg(long, value_name = "PATH")]
    data_fs: Option<PathBuf>,
    /// Where the folder of the blobs lies, unless it is blobstorage or blobs.
    #[arg(long, value_name = "PATH")]
    blobs: Option<PathBuf>,
}

impl Group for Options {
    const KIND: &'static Kind = &kinds::ZODB;
}

impl Backup {
    /// The database in a folder that is backed up, if there is one, or if `kind` says that there is.
    ///
    /// # Errors
    /// What was named is not there, or options of another kind were given.
    pub(super) fn zodb_source(&self, folder: &Arc<dyn Disk>, kind: Option<&str>) -> Result<Option<Zodb>, Error> {
        if kind.is_some_and(|kind| kind != ZODB) {
            return Ok(None);
        }
        let [data, blobs] = self.zodb.named()?;
        let repozo::Options { full, quick, gzip, other_source, .. } = *self.repozo;
        let options = ZodbOptions { data, blobs, full, quick, gzip, other_source };
        let found = Zodb::find(Arc::clone(folder), options, kind.is_some())?;
        if found.is_some() {
            self.only_of_zodb()?;
        }
        Ok(found)
    }

    /// Refuses what does not hold for a `Data.fs` with blobs. Of the options for a repository, most do.
    ///
    /// # Errors
    /// One sentence that names the option.
    fn only_of_zodb(&self) -> Result<(), Error> {
        if self.repozo.kill_old {
            return Err(usage(
                "--kill-old would remove what older points of the set are made of; prune the set".to_owned(),
            ));
        }
        if self.repozo.damaged_source {
            let what = "--damaged-source is for a repozo repository: nobody knows which blobs a damaged Data.fs has; back \
                        Data.fs up by itself, and the folder of the blobs as a folder";
            return Err(usage(what.to_owned()));
        }
        refuse(
            &[&self.datastore, &self.sources, &self.keys],
            &self.repository,
            &Tree,
            Some("a folder becomes a point of a set"),
        )
    }
}

impl Options {
    /// What the user named: `Data.fs`, and the folder of the blobs.
    ///
    /// # Errors
    /// It is no path below a folder.
    fn named(&self) -> Result<[Option<Name>; 2], Error> {
        let name = |path: &Option<PathBuf>| {
            let named = path.as_ref().map(|path| Name::new(path.as_os_str().as_bytes()).map_err(|error| (path, error)));
            named.transpose().map_err(|(path, error)| {
                usage(format!("{} is no path below the folder that is backed up: {error}", quoted(path)))
            })
        };
        Ok([name(&self.data_fs)?, name(&self.blobs)?])
    }
}
