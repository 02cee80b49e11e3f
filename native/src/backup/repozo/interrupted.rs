//! What an interrupted run left behind: finished when the source proves it, set aside when nothing does.

use std::ops::Range;

use highwater_core::codec::{Codec, Decoder, Flow};
use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::filestorage::{OidIndex, State as WalkState, Walk};
use highwater_core::formats::repozo::dat::Line;
use highwater_core::formats::repozo::names::{DataFile, Kind, SET_ASIDE};
use highwater_core::name::{Name, TEMPORARY};

use super::BackupOptions;
use super::publish::{encoded, path_in_line, place, with_line};
use super::source::Source;
use super::state::{Dat, Newest, State};
use crate::disk::{self, Disk, What};
use crate::drive::buffer;
use crate::error::Error;
use crate::store::is_no_file;
use crate::watch::Watch;

/// Removes work files of our own.
pub(super) fn leftovers(disk: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
    disk::clear(disk, None, |name| name.ends_with(TEMPORARY.as_bytes()), watch)
}

/// Brings the newest chain into a state to build upon, and reads it anew if that changed anything.
///
/// A torn last line is cut off. A data file that no line names gets its line if it is, byte for byte, what
/// comes next in the source and ends with a transaction; otherwise it is renamed, for the original would restore it.
///
/// Names are not durable yet when this returns: the run that goes on, even one that finds nothing to do, syncs the
/// folder.
pub(super) fn interrupted(
    job: &BackupOptions,
    disk: &dyn Disk,
    state: State,
    source: &Source,
    watch: &Watch<'_>,
) -> Result<State, Error> {
    let Some(newest) = &state.newest else { return Ok(state) };
    let dat = newest.dat()?;
    match &newest.dat {
        Dat::Broken(_) => return Ok(state),
        Dat::Torn(good) => {
            let mut bytes = vec![0; usize::try_from(*good).map_err(|error| Error::failed(error.to_string()))?];
            let object = disk.open(&dat).map_err(Error::at("open", disk, &dat))?;
            object.read_exact_at(0, &mut bytes).map_err(Error::at("read", disk, &dat))?;
            place(disk, &dat, &bytes)?;
            watch.notice(format!(
                "cut a torn line off '{}' at byte {good}: an earlier run was interrupted",
                newest.chain.dat()
            ));
            return interrupted(job, disk, State::read(disk)?, source, watch);
        }
        Dat::NoLineFeed => {
            place(disk, &dat, &with_line(disk, &dat, b"\n")?)?;
            return interrupted(job, disk, State::read(disk)?, source, watch);
        }
        Dat::Absent | Dat::Whole => {}
    }
    let alone = newest.links.is_empty();
    if newest.unlisted.is_empty() || (alone && (job.quick || job.full)) {
        return Ok(state);
    }
    let mut end = newest.end();
    let mut proven = true;
    let mut index = None;
    for (at, file) in newest.unlisted.iter().enumerate() {
        let after_all = newest.links.last().is_none_or(|last| last.file < *file);
        let kind = if alone && at == 0 { Kind::Full } else { Kind::Delta };
        let data = DataFile::parse(file.as_bytes()).filter(|data| data.kind == kind);
        let sum = match data {
            Some(data) if proven && after_all => continues(disk, file, data.codec, source, end)?,
            _ => None,
        };
        if let Some((digest, next)) = sum {
            let path = path_in_line(disk, file);
            let line = Line { file: file.as_bytes(), path: &path, start: end, end: next, digest }.encode();
            index = save_index(job, disk, &state, source, index, file, end..next, watch)?;
            // Whoever wrote it may not have made it durable, and no line may outlive the file that it names.
            let made_durable = disk.open_for_writing(file).and_then(|data| data.sync());
            made_durable.and_then(|()| disk.sync_folder(None)).map_err(Error::at("sync", disk, file))?;
            match kind {
                Kind::Full => place(disk, &dat, &line)?,
                Kind::Delta => place(disk, &dat, &with_line(disk, &dat, &line)?)?,
            }
            watch.notice(format!(
                "finished '{file}', which an interrupted run had not listed: it is bytes {end} to {next} of the source"
            ));
            end = next;
        } else if alone {
            // A full backup without an index that is no prefix of the source: an older state, none of our business.
            watch.notice(format!("'{file}' has no index and is not what the source begins with: left alone"));
            break;
        } else {
            set_aside(disk, file, newest, watch)?;
            proven = false;
        }
    }
    State::read(disk)
}

/// Saves the OID index of a point that is being finished, in the place of what the interrupted run saved; `base` is the
/// one of where it begins. Gives the index as of its end; of a damaged source there is none.
#[expect(clippy::too_many_arguments, reason = "one step of the loop above, with its whole surroundings")]
fn save_index(
    job: &BackupOptions,
    disk: &dyn Disk,
    state: &State,
    source: &Source,
    base: Option<OidIndex>,
    file: &Name,
    range: Range<u64>,
    watch: &Watch<'_>,
) -> Result<Option<OidIndex>, Error> {
    let stem = DataFile::parse(file.as_bytes()).map(|data| data.stem).unwrap_or_default();
    let name = Name::new(format!("{stem}.index").as_bytes())?;
    let base = match base {
        Some(base) => base,
        None if range.start == 0 => OidIndex::new(),
        None => match source.index_at(disk, job, state, range.start, watch)? {
            Ok(base) => base,
            Err(_) => return Ok(None),
        },
    };
    let Ok(index) = source.index_on(base, range.clone())? else { return Ok(None) };
    place(disk, &name, &encoded(&index, range.end))?;
    Ok(Some(index))
}

fn set_aside(disk: &dyn Disk, file: &Name, newest: &Newest, watch: &Watch<'_>) -> Result<(), Error> {
    let mut name = Name::new(format!("{file}{SET_ASIDE}").as_bytes())?;
    let mut number = 2;
    while disk.look(Some(&name)).map_err(Error::at("look at", disk, &name))?.is_some() {
        name = Name::new(format!("{file}{SET_ASIDE}-{number}").as_bytes())?;
        number += 1;
    }
    disk.rename_new(file, &name).map_err(Error::at("rename", disk, file))?;
    watch.notice(format!(
        "set '{file}' aside as '{name}': no line of '{}' names it, and the source does not continue with it",
        newest.chain.dat()
    ));
    Ok(())
}

/// If the file's bytes are the source's from `start` on and end with a transaction: their sum, and where they end.
fn continues(
    disk: &dyn Disk,
    name: &Name,
    codec: Codec,
    source: &Source,
    start: u64,
) -> Result<Option<(Digest, u64)>, Error> {
    // A link is nobody's backup, wherever it leads.
    let look = disk.look(Some(name)).map_err(Error::at("look at", disk, name))?;
    if look.is_none_or(|look| look.what != What::File) {
        return Ok(None);
    }
    let object = match disk.open(name) {
        Ok(object) => object,
        Err(error) if is_no_file(&error) => return Ok(None),
        Err(error) => return Err(Error::at("open", disk, name)(error)),
    };
    let mut hasher = Hasher::new(Algorithm::Md5);
    let mut theirs = buffer();
    let mut decoder = Decoder::new(codec, None);
    let mut at = start;
    let mut failed = None;
    let mut equal = true;
    // Only what lies below the file's end counts, so a walk of that length must come out exactly there.
    let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |stored| {
        let pushed = decoder.push(stored, &mut |decoded| {
            let theirs = &mut theirs[..decoded.len()];
            equal = at + decoded.len() as u64 <= source.size;
            if equal && let Err(error) = source.object.read_exact_at(at, theirs) {
                failed = Some(error);
            }
            equal &= failed.is_none() && decoded == theirs;
            hasher.update(decoded);
            at += decoded.len() as u64;
            if equal { Flow::Continue(()) } else { Flow::Break(()) }
        });
        equal &= pushed.is_ok();
        equal
    });
    if let Some(error) = failed {
        return Err(source.unread(error));
    }
    read.map_err(Error::at("read", disk, name))?;
    equal &= decoder.end().is_ok() && at > start;
    if !equal {
        return Ok(None);
    }
    let walk = source.hop_to(Walk::new(start, at))?;
    let whole = matches!(walk.state(), WalkState::Stopped { at: end, .. } if end == at);
    Ok(whole.then(|| (hasher.finish(), at)))
}
