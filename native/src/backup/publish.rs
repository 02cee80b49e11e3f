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
use crate::error::Error;

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
            return Err(Error::cannot_start(format!("Cannot overwrite existing file: {}", to.display())));
        }
        Err(error) => return Err(Error::io("rename", &copied.temporary)(error)),
    }
    disk.sync_folder(repository).map_err(Error::io("sync", repository))?;

    let data =
        DataFile::parse(file.as_bytes()).ok_or_else(|| Error::failed(format!("'{file}' is no data file's name")))?;
    let mut bytes = Vec::new();
    filestorage::encode(&copied.index, copied.end, &mut |piece| bytes.extend_from_slice(piece));
    replace(disk, &repository.join(format!("{}.index", data.stem)), &bytes)?;

    let path = dat::path(repository.as_os_str().as_bytes(), file);
    let line = Line { file: file.as_bytes(), path: &path, start, end: copied.end, digest: copied.digest }.encode();
    match (data.kind, &state.newest) {
        (Kind::Delta, Some(newest)) => append(disk, &newest.dat_path(repository), &line),
        _ => replace(disk, &repository.join(format!("{}.dat", data.stem)), &line),
    }
}

/// Puts a small file under its name in one step: work file, fsync, rename, fsync of the folder.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), Error> {
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
    disk.rename(temporary, path).map_err(Error::io("rename", temporary))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    disk.sync_folder(folder).map_err(Error::io("sync", folder))
}

/// Appends a line to an index and makes it durable; takes it back if that fails.
pub(super) fn append(disk: &dyn Disk, path: &Path, line: &[u8]) -> Result<(), Error> {
    let file = disk.open_for_writing(path).map_err(Error::io("open", path))?;
    let end = file.length().map_err(Error::io("read", path))?;
    if let Err(error) = file.write_at(end, line).and_then(|()| file.sync()) {
        _ = file.set_length(end).and_then(|()| file.sync());
        return Err(Error::io("write", path)(error));
    }
    Ok(())
}
