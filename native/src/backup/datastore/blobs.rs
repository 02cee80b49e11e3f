//! Small files of a snapshot that are stored whole: the configuration of a machine, the log of its backup.

use highwater_core::digest::sha256_of;
use highwater_core::formats::datastore::NewFile;

use super::{Archive, SnapshotOptions, blob, write};
use crate::disk::like::Like;
use crate::disk::{Disk, FolderDraft};
use crate::error::Error;
use crate::shown::quoted;

/// The longest that a server takes, in bytes.
const LONGEST: u64 = 16 << 20;

/// A small file as it was when the backup began.
pub(super) struct Blob<'a> {
    archive: &'a Archive,
    data: Vec<u8>,
}

impl<'a> Blob<'a> {
    /// Reads it.
    pub(super) fn read(archive: &'a Archive) -> Result<Self, Error> {
        let path = &archive.source.told();
        let object = archive.source.root.open(&archive.source.name).map_err(Error::io("open", path))?;
        let length = object.length().map_err(Error::io("read", path))?;
        if length == 0 {
            return Err(Error::cannot_start(format!("{} is empty: there is nothing to store", quoted(path))));
        }
        if length > LONGEST {
            let what = format!("{} has {length} bytes, and {} is stored whole", quoted(path), archive.name());
            return Err(Error::cannot_start(format!(
                "{what}, which is for at most {LONGEST}: give it a name that ends otherwise, as in {}.img",
                archive.file.trim_end_matches(".blob")
            )));
        }
        Ok(Self { archive, data: object.read_whole().map_err(Error::io("read", path))? })
    }

    /// Its name, and its length in bytes.
    pub(super) fn told(&self) -> (String, u64) {
        (self.archive.name().to_owned(), self.data.len() as u64)
    }

    /// Writes it into the folder of the snapshot; a sync of everything makes it durable.
    pub(super) fn write(
        &self,
        job: &SnapshotOptions,
        disk: &dyn Disk,
        draft: &FolderDraft<'_>,
        like: &Like,
    ) -> Result<NewFile, Error> {
        let raw = blob(&self.data, job.key.as_ref())?;
        let name = self.archive.file.clone();
        write(disk, draft, &name, like, &raw)?;
        Ok(NewFile { name, size: raw.len() as u64, sum: sha256_of(&raw) })
    }
}
