//! Publishes a copied backup: rename, OID index, fsync of the folder, then the line that makes it a point.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use highwater_core::filestorage::{self, OidIndex};
use highwater_core::formats::repozo::dat::{self, Line};
use highwater_core::formats::repozo::names::{DataFile, Kind, TEMPORARY};

use super::Job;
use super::copy::Copied;
use super::state::State;
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::shown;

/// Makes `copied`, whose bytes are durable under a work name, a point of the repository.
pub(super) fn publish(
    job: &Job,
    disk: &dyn Disk,
    state: &State,
    file: &str,
    start: u64,
    copied: Copied,
) -> Result<(), Error> {
    let repository = &job.repository;
    let to = repository.join(file);
    match disk.rename_new(&copied.temporary, &to) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            _ = disk.remove(&copied.temporary);
            return Err(Error::cannot_start(format!("Cannot overwrite existing file: {}", shown(&to))));
        }
        Err(error) => return Err(Error::io("rename", &copied.temporary)(error)),
    }
    let data =
        DataFile::parse(file.as_bytes()).ok_or_else(|| Error::failed(format!("'{file}' is no data file's name")))?;
    let index = repository.join(format!("{}.index", data.stem));
    place(disk, &index, &encoded(&copied.index, copied.end), None)?;
    // No line may outlive the file that it names.
    disk.sync_folder(repository).map_err(Error::io("sync", repository))?;

    let path = dat::path(repository.as_os_str().as_bytes(), file);
    let line = Line { file: file.as_bytes(), path: &path, start, end: copied.end, digest: copied.digest }.encode();
    match (data.kind, &state.newest) {
        (Kind::Delta, Some(newest)) => {
            let dat = newest.dat_path(repository);
            replace(disk, &dat, &with_line(disk, &dat, &line)?, Some(&dat))
        }
        _ => replace(disk, &repository.join(format!("{}.dat", data.stem)), &line, None),
    }
}

/// The bytes of a saved OID index as of `pos`.
pub(super) fn encoded(index: &OidIndex, pos: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    filestorage::encode(index, pos, &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// Puts a small file under its name in one step, for good: as [`place`], then fsync of the folder.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8], like: Option<&Path>) -> Result<(), Error> {
    place(disk, path, bytes, like)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    disk.sync_folder(folder).map_err(Error::io("sync", folder))
}

/// Puts a small file under its name in one step: work file, fsync, rename. It gets the owner and permissions of `like`.
///
/// A power cut may bring the old file back, until the folder is synced.
pub(super) fn place(disk: &dyn Disk, path: &Path, bytes: &[u8], like: Option<&Path>) -> Result<(), Error> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY);
    let temporary = Path::new(&temporary);
    _ = disk.remove(temporary);
    let written = disk.create(temporary).and_then(|file| {
        file.write_at(0, bytes)?;
        file.sync()
    });
    if let Err(error) = written {
        _ = disk.remove(temporary);
        return Err(Error::io("write", temporary)(error));
    }
    if let Some(like) = like {
        disk.adopt(temporary, like).map_err(Error::io("set the permissions of", temporary))?;
    }
    disk.rename(temporary, path).map_err(Error::io("rename", temporary))
}

/// An index with a line more. It takes the place of the old one as a new file: so it is never torn, and a snapshot of
/// the repository made of hard links keeps its own.
pub(super) fn with_line(disk: &dyn Disk, path: &Path, line: &[u8]) -> Result<Vec<u8>, Error> {
    let object = disk.open(path).map_err(Error::io("open", path))?;
    let mut bytes = object.read_whole().map_err(Error::io("read", path))?;
    bytes.extend_from_slice(line);
    Ok(bytes)
}
