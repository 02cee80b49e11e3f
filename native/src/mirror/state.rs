//! What a mirror says of itself: its points, what is under way, what is wanted. Nothing is locked.

use highwater_core::formats::mirror::applied::{self, Applied};
use highwater_core::formats::mirror::index::Tail;
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::wanted::{self, Wanted};

use super::area::{named, read};
use super::index::Index;
use super::journal::Journal;
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
    let pointer = named(names::APPLIED)?;
    let applied = match read(disk, &pointer, applied::LONGEST)? {
        None => None,
        Some(bytes) => {
            let applied = Applied::parse(&bytes)
                .map_err(|odd| Error::damage(format!("'{pointer}' at byte {}: {}", odd.at, odd.what)))?;
            let name = names::index(applied.index).ok_or_else(|| Error::failed("the index has no name"))?;
            let tail = Index::open(disk, name, &applied)?.tail;
            Some((applied, tail))
        }
    };
    let begun = Journal::read(disk)?.map(|journal| journal.applied.point);
    let name = named(names::WANTED)?;
    let (mut missing, mut some) = (0, Vec::new());
    if let Some(bytes) = read(disk, &name, LONGEST)? {
        let text = String::from_utf8(bytes).map_err(|_| Error::damage(format!("'{name}' is no text")))?;
        wanted::read(&text, &mut |wanted| {
            missing += 1;
            if some.len() < FEW {
                some.push(wanted);
            }
        })
        .map_err(|odd| Error::damage(format!("'{name}' at byte {}: {}", odd.at, odd.what)))?;
    }
    Ok(State { applied, begun, missing, wanted: some })
}
