//! What a mirror says of itself: its points, what is under way, what is wanted. Nothing is locked.

use highwater_core::formats::mirror::applied::{self, Applied};
use highwater_core::formats::mirror::index::Tail;
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::wanted::{self, Wanted};

use super::area::{named, read};
use super::index::Index;
use super::journal::Journal;
use super::parts;
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::quoted;

/// No list of what is wanted is read further, in bytes.
const LONGEST: u64 = 256 << 20;

/// How many wanted versions are told one by one.
const FEW: usize = 20;

/// The state of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The pointer, and what the index says of its points; none before the first sync is at its end.
    pub applied: Option<(Applied, Tail)>,
    /// The point that a run began to change to, and did not reach.
    pub begun: Option<String>,
    /// Of how many parts of that plan it is known what became of them, and how many there are.
    pub parts: Option<(u64, u64)>,
    /// How many versions the last sync could not have.
    pub missing: u64,
    /// Some of them.
    pub wanted: Vec<Wanted>,
}

/// Reads it.
///
/// # Errors
/// It is no mirror, or something of it is damaged or cannot be read.
pub fn state(disk: &dyn Disk) -> Result<State, Error> {
    let top = named(names::FOLDER)?;
    if disk.look(Some(&top)).map_err(Error::at("look at", disk, &top))?.is_none() {
        let path = quoted(&disk.told(None));
        return Err(Error::cannot_start(format!("{path} is no mirror: it holds no {}", names::FOLDER)));
    }
    let applied = pointer(disk)?.map(|(applied, index)| (applied, index.tail));
    let journal = Journal::read(disk)?;
    let parts = journal.as_ref().filter(|journal| journal.parts > 0);
    let parts = parts.map(|journal| Ok::<_, Error>((parts::tried(disk)?, journal.parts))).transpose()?;
    let begun = journal.map(|journal| journal.applied.point);
    let (mut missing, mut some) = (0, Vec::new());
    _ = for_each_wanted(disk, &mut |wanted| {
        missing += 1;
        if some.len() < FEW {
            some.push(wanted);
        }
    })?;
    Ok(State { applied, begun, parts, missing, wanted: some })
}

/// What the pointer says, and the index that it means; none before the first sync is at its end.
///
/// # Errors
/// Either is damaged or cannot be read.
pub(super) fn pointer(disk: &dyn Disk) -> Result<Option<(Applied, Index)>, Error> {
    let pointer = named(names::APPLIED)?;
    let Some(bytes) = read(disk, &pointer, applied::LONGEST)? else { return Ok(None) };
    let applied =
        Applied::parse(&bytes).map_err(|odd| Error::damage(format!("'{pointer}' at byte {}: {}", odd.at, odd.what)))?;
    let name = names::index(applied.index).ok_or_else(|| Error::failed("the index has no name"))?;
    let index = Index::open(disk, name, &applied)?;
    Ok(Some((applied, index)))
}

/// Hands on whatever the last sync could not have; false where no list says it.
///
/// # Errors
/// The list is damaged or cannot be read.
pub(super) fn for_each_wanted(disk: &dyn Disk, each: &mut dyn FnMut(Wanted)) -> Result<bool, Error> {
    let name = named(names::WANTED)?;
    let Some(bytes) = read(disk, &name, LONGEST)? else { return Ok(false) };
    let damaged = |at: u64, what: &str| {
        Error::damage(format!("'{name}' at byte {at}: {what}; move it elsewhere: the index knows what is wanted, too"))
    };
    let text = String::from_utf8(bytes);
    let text = text.map_err(|error| damaged(error.utf8_error().valid_up_to() as u64, "it is no text"))?;
    wanted::read(&text, each).map(|()| true).map_err(|odd| damaged(odd.at, &odd.what))
}
