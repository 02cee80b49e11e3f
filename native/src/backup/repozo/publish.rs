//! Publishes a copied backup: rename, OID index, fsync of the folder, then the line that makes it a point.

use std::io;
use std::os::unix::ffi::OsStrExt;

use highwater_core::digest::sha256_of;
use highwater_core::filestorage::{self, OidIndex};
use highwater_core::formats::repozo::dat::{self, Line};
use highwater_core::formats::repozo::names::{DataFile, Kind};
use highwater_core::name::{Name, TEMPORARY};

use super::copy::Copied;
use super::state::State;
use crate::disk::like::Like;
use crate::disk::{self, Disk, Draft};
use crate::error::Error;
use crate::shown::shown;

/// Makes `copied`, which is durable as a draft, a point of the repository.
pub(super) fn publish(
    disk: &dyn Disk,
    state: &State,
    file: &Name,
    start: u64,
    draft: Draft<'_>,
    copied: &Copied,
) -> Result<(), Error> {
    match draft.publish_new(file) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let path = shown(disk.told(Some(file)));
            return Err(Error::cannot_start(format!("Cannot overwrite existing file: {path}")));
        }
        Err(error) => return Err(Error::at("put in place", disk, file)(error)),
    }
    let data =
        DataFile::parse(file.as_bytes()).ok_or_else(|| Error::failed(format!("'{file}' is no data file's name")))?;
    let index = Name::new(format!("{}.index", data.stem).as_bytes())?;
    if let Some(saved) = &copied.index {
        place(disk, &index, &encoded(saved, copied.end))?;
    }
    // No line may outlive the file that it names.
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;

    let path = path_in_line(disk, file);
    let line = Line { file: file.as_bytes(), path: &path, start, end: copied.end, digest: copied.digest }.encode();
    match (data.kind, &state.newest) {
        (Kind::Delta, Some(newest)) => {
            let dat = newest.dat()?;
            let bytes = with_line(disk, &dat, &line)?;
            // The line continues what was read; behind anything else it would say nothing.
            if sha256_of(&bytes[..bytes.len() - line.len()]) != newest.sum {
                let what = format!("somebody else changed '{dat}' during the backup");
                return Err(Error::failed(format!("{what}; look who writes there, and run again")));
            }
            replace(disk, &dat, &bytes)
        }
        _ => replace(disk, &Name::new(format!("{}.dat", data.stem).as_bytes())?, &line),
    }
}

/// The path of a data file as a line of the index has it: with what the user calls the repository.
pub(super) fn path_in_line(disk: &dyn Disk, file: &Name) -> Vec<u8> {
    dat::path(disk.told(None).as_os_str().as_bytes(), &file.to_string())
}

/// The bytes of a saved OID index as of `pos`.
pub(super) fn encoded(index: &OidIndex, pos: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    filestorage::encode(index, pos, &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// Puts a small file under its name in one step, for good: as [`place`], then fsync of the folder.
pub(super) fn replace(disk: &dyn Disk, name: &Name, bytes: &[u8]) -> Result<(), Error> {
    place(disk, name, bytes)?;
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))
}

/// Puts a small file under its name in one step, in the place of one that is there and open to the same people.
///
/// A power cut may bring the old file back, until the folder is synced.
pub(super) fn place(disk: &dyn Disk, name: &Name, bytes: &[u8]) -> Result<(), Error> {
    let like = Like::in_place_of(disk, name).map_err(Error::at("look at", disk, name))?;
    disk::put(disk, name, bytes, &like, TEMPORARY, true).map(|_| ())
}

/// An index with a line more. It takes the place of the old one as a new file: so it is never torn, and a snapshot of
/// the repository made of hard links keeps its own.
pub(super) fn with_line(disk: &dyn Disk, name: &Name, line: &[u8]) -> Result<Vec<u8>, Error> {
    let object = disk.open(name).map_err(Error::at("open", disk, name))?;
    let mut bytes = object.read_whole().map_err(Error::at("read", disk, name))?;
    bytes.extend_from_slice(line);
    Ok(bytes)
}
