//! `Journal`: the plan that is carried out: which steps, which index, and which pointer when all is done.
//!
//! ```text
//! .highwater-mirror/plan/begun      the pointer that is meant, and a line on what else the plan is, which ends with
//!                                   the first 16 digits of the SHA-256 of all before: the plan's last file
//! .highwater-mirror/plan/steps      what is to be done, in order (formats/mirror/plan/step)
//! .highwater-mirror/plan/rows       the next index, in which what is to be fetched is wanted; of a sync alone
//! .highwater-mirror/plan/parts      a record for each part of the steps that one worker fetches (…/plan/part)
//! .highwater-mirror/plan/part-N     what became of part N, when all of it was tried (…/plan/outcome)
//! .highwater-mirror/plan/part-N-some    the same, of some of it
//! .highwater-mirror/plan/part-N-lock    is locked by whoever fetches part N, where several do
//! .highwater-mirror/plan/results    what was fetched, a record for each wanted row, gathered from all parts
//! .highwater-mirror/plan/settled    the pointer to the index in which that stands: from now on files are moved
//! .highwater-mirror/plan/wanted     the list of what is wanted, where a prune takes some off it
//! ```
//!
//! A plan that has begun is carried out before anything else is, by whichever run comes next. One that has not is
//! removed.

use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::{Step, TITLE, parse};
use highwater_core::mtree::Seal;
use highwater_core::name::Name;

use super::area::{Area, named, read};
use super::place::{FOLDER, forget_folder};
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// A plan that is not what was written: what it is to say is not done.
pub(super) fn damaged(what: &str) -> Error {
    Error::damage(format!(
        "{what}. Move {} and {} elsewhere and sync again: what was moved by then is found by verify",
        names::PLAN,
        names::STAGE
    ))
}

/// No file `begun` is longer, in bytes.
const LONGEST: u64 = 8 << 10;

/// What stands before the sum, and how many digits that has.
const SUM: &str = " sum ";
const DIGITS: usize = 16;

/// How long the last line of the steps is, in bytes: `# end `, a SHA-256, and the line's end.
const SEAL: u64 = 71;

fn sum_of(pieces: &[&[u8]]) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finish().to_string().chars().take(DIGITS).collect()
}

/// The plan of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journal {
    /// What the pointer is to say, with the index as it was planned.
    pub(super) applied: Applied,
    /// Rows of `rows` that are wanted; none where the index stays as it is.
    pub(super) wanted: Option<u64>,
    /// The bucket keeps versions.
    pub(super) is_versioned: bool,
    /// Versions to be fetched, and their bytes.
    pub(super) fetched: u64,
    pub(super) bytes: u64,
    /// Parts that the steps are cut into.
    pub(super) parts: u64,
}

fn file(last: &str) -> Result<Name, Error> {
    Ok(named(names::PLAN)?.join(last.as_bytes())?)
}

/// Where the steps are.
pub(super) fn steps() -> Result<Name, Error> {
    file("steps")
}

/// Where the next index is.
pub(super) fn rows() -> Result<Name, Error> {
    file("rows")
}

/// Where the parts are.
pub(super) fn parts() -> Result<Name, Error> {
    file("parts")
}

/// Where it says what became of a part.
pub(super) fn part(number: u64) -> Result<Name, Error> {
    file(&format!("part-{number}"))
}

/// Where it says what became of some of a part.
pub(super) fn part_so_far(number: u64) -> Result<Name, Error> {
    file(&format!("part-{number}-some"))
}

/// What is locked by whoever fetches a part.
pub(super) fn part_lock(number: u64) -> Result<Name, Error> {
    file(&format!("part-{number}-lock"))
}

/// What is locked by whoever moves something out of the way, where several fetch.
pub(super) fn way_lock() -> Result<Name, Error> {
    file("way-lock")
}

/// Where the records of what was fetched are.
pub(super) fn results() -> Result<Name, Error> {
    file("results")
}

/// Where the pointer to the settled index is.
pub(super) fn settled() -> Result<Name, Error> {
    file("settled")
}

/// Where the list of what is wanted waits for the commit.
pub(super) fn wanted() -> Result<Name, Error> {
    file("wanted")
}

/// Where it says that a plan was begun.
pub(super) fn begun() -> Result<Name, Error> {
    file("begun")
}

impl Journal {
    /// A plan that fetches nothing, and makes the pointer this one.
    pub(super) fn of_moves(applied: &Applied) -> Self {
        Self { applied: applied.clone(), wanted: None, is_versioned: true, fetched: 0, bytes: 0, parts: 0 }
    }

    /// The plan that was begun, if one was.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub(super) fn find(area: &Area<'_>) -> Result<Option<Self>, Error> {
        Self::read(area.disk)
    }

    /// The same, of a mirror that is only looked at.
    ///
    /// # Errors
    /// As [`Journal::find`].
    pub(super) fn read(disk: &dyn Disk) -> Result<Option<Self>, Error> {
        let name = begun()?;
        let Some(bytes) = read(disk, &name, LONGEST)? else { return Ok(None) };
        let odd = || damaged(&format!("'{name}' is damaged: it is to say what is carried out"));
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(odd)?;
        let (line, rest) = bytes.split_at_checked(end + 1).ok_or_else(odd)?;
        let applied = Applied::parse(line).map_err(|_| odd())?;
        let rest = std::str::from_utf8(rest).map_err(|_| odd())?;
        let (words, sum) = rest.rsplit_once(SUM).ok_or_else(odd)?;
        if sum.strip_suffix('\n') != Some(&*sum_of(&[line, words.as_bytes()])) {
            return Err(odd());
        }
        let words: Vec<&str> = words.split(' ').collect();
        let ["wanted", wanted, "versioned", versioned, "fetch", fetched, "bytes", bytes, "parts", parts] = *words
        else {
            return Err(odd());
        };
        let read = || {
            Some(Self {
                applied,
                wanted: if wanted == "-" { None } else { Some(wanted.parse().ok()?) },
                is_versioned: versioned == "yes",
                fetched: fetched.parse().ok()?,
                bytes: bytes.parse().ok()?,
                parts: parts.parse().ok()?,
            })
        };
        read().map(Some).ok_or_else(odd)
    }

    /// Begins to carry it out: all that it names must be durable.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn begin(&self, area: &Area<'_>) -> Result<(), Error> {
        let Self { applied, wanted, is_versioned, fetched, bytes, parts } = self;
        let wanted = wanted.map_or_else(|| "-".to_owned(), |wanted| wanted.to_string());
        let versioned = if *is_versioned { "yes" } else { "no" };
        let line = applied.line();
        let text = format!("{line}wanted {wanted} versioned {versioned} fetch {fetched} bytes {bytes} parts {parts}");
        let sum = sum_of(&[text.as_bytes()]);
        area.put(&begun()?, format!("{text}{SUM}{sum}\n").as_bytes())
    }

    /// Hands on every step, in order.
    ///
    /// # Errors
    /// The file cannot be read or is not what was written, and those of `each`.
    pub(super) fn for_each(area: &Area<'_>, each: &mut dyn FnMut(Step) -> Result<(), Error>) -> Result<(), Error> {
        let name = steps()?;
        let object = area.disk.open(&name).map_err(Error::at("open", area.disk, &name))?;
        let (mut seal, mut rest, mut at, mut is_over) = (Seal::default(), Vec::new(), 0_u64, false);
        let odd = |at: u64, what: &str| Error::damage(format!("'{name}' at byte {at}: {what}"));
        let mut failed = None;
        let mut take = |line: &[u8], at: u64| -> Result<(), Error> {
            let text = std::str::from_utf8(line).map_err(|_| odd(at, "it is no text"))?;
            if is_over {
                return Err(odd(at, "it goes on behind its last line"));
            }
            if at == 0 {
                if text != TITLE {
                    return Err(odd(0, "it is no plan"));
                }
            } else if text.starts_with('#') {
                let seal = std::mem::take(&mut seal);
                is_over = text == seal.end();
                return if is_over { Ok(()) } else { Err(odd(at, "its last line is not the seal of those above")) };
            } else {
                each(parse(text.trim_end_matches('\n')).ok_or_else(|| odd(at, "a line is no step"))?)?;
            }
            seal.push(text);
            Ok(())
        };
        object
            .for_each_piece(0, u64::MAX, &mut vec![0; 256 << 10], |piece| {
                for part in piece.split_inclusive(|byte| *byte == b'\n') {
                    rest.extend_from_slice(part);
                    if rest.last() != Some(&b'\n') {
                        break;
                    }
                    if let Err(error) = take(&rest, at) {
                        failed = Some(error);
                        return false;
                    }
                    at += rest.len() as u64;
                    rest.clear();
                }
                true
            })
            .map_err(Error::at("read", area.disk, &name))?;
        failed.map_or(Ok(()), Err)?;
        if is_over && rest.is_empty() { Ok(()) } else { Err(odd(at, "it was cut")) }
    }

    /// Reads the steps, and looks whether they are what was written, so that no step is taken that is not.
    ///
    /// # Errors
    /// They are not, or cannot be read; the user.
    pub(super) fn prove(area: &Area<'_>, watch: &Watch<'_>) -> Result<(), Error> {
        let name = steps()?;
        let object = area.disk.open(&name).map_err(Error::at("open", area.disk, &name))?;
        let length = object.length().map_err(Error::at("look at", area.disk, &name))?;
        let end = length.saturating_sub(SEAL);
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut seal = vec![0; usize::try_from(length - end).unwrap_or(0)];
        let read = object.for_each_piece(0, end, &mut vec![0; 256 << 10], |piece| {
            hasher.update(piece);
            !watch.stopping()
        });
        read.and_then(|_| object.read_exact_at(end, &mut seal)).map_err(Error::at("read", area.disk, &name))?;
        watch.go_on()?;
        match seal == format!("# end {}\n", hasher.finish()).as_bytes() {
            true => Ok(()),
            false => Err(damaged(&format!("'{name}' at byte {end}: its last line is not the seal of those above"))),
        }
    }

    /// Removes whatever is left of a plan: what says that it was begun first.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn end(area: &Area<'_>) -> Result<(), Error> {
        let folder = named(names::PLAN)?;
        area.remove(&begun()?)?;
        area.sync(Some(&folder))?;
        for name in area.files(&folder)? {
            area.remove(&name)?;
        }
        let stage = named(names::STAGE)?;
        for name in area.files(&stage)? {
            match name.last().starts_with(FOLDER) {
                true => forget_folder(area.disk, &name)?,
                false => area.remove(&name)?,
            }
        }
        Ok(())
    }
}
