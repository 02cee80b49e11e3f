//! Publishes a copied backup: rename, fsync of the folder, OID index, then the line that makes it a point.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use highwater_core::filestorage;
use highwater_core::formats::repozo::dat::{self, Line};
use highwater_core::formats::repozo::names::{DataFile, Kind, TEMPORARY};

use super::Job;
use super::copy::Copied;
use super::state::State;
use crate::disk::Disk;
use crate::drive::buffer;
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
    disk.sync_folder(repository).map_err(Error::io("sync", repository))?;

    let data =
        DataFile::parse(file.as_bytes()).ok_or_else(|| Error::failed(format!("'{file}' is no data file's name")))?;
    let mut bytes = Vec::new();
    filestorage::encode(&copied.index, copied.end, &mut |piece| bytes.extend_from_slice(piece));
    replace(disk, &repository.join(format!("{}.index", data.stem)), &bytes, None)?;

    let path = dat::path(repository.as_os_str().as_bytes(), file);
    let line = Line { file: file.as_bytes(), path: &path, start, end: copied.end, digest: copied.digest }.encode();
    match (data.kind, &state.newest) {
        (Kind::Delta, Some(newest)) => append(disk, &newest.dat_path(repository), &line),
        _ => replace(disk, &repository.join(format!("{}.dat", data.stem)), &line, None),
    }
}

/// Puts a small file under its name in one step: work file, fsync, rename, fsync of the folder. It gets the owner and
/// permissions of `like`.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8], like: Option<&Path>) -> Result<(), Error> {
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
        disk.adopt(temporary, like);
    }
    disk.rename(temporary, path).map_err(Error::io("rename", temporary))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    disk.sync_folder(folder).map_err(Error::io("sync", folder))
}

/// Appends a line to an index, by a new file in the place of the old one: it is never torn, and a snapshot of the
/// repository made of hard links keeps its own.
pub(super) fn append(disk: &dyn Disk, path: &Path, line: &[u8]) -> Result<(), Error> {
    let object = disk.open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        bytes.extend_from_slice(piece);
        true
    });
    read.map_err(Error::io("read", path))?;
    bytes.extend_from_slice(line);
    replace(disk, path, &bytes, Some(path))
}
