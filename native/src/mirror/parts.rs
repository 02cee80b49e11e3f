//! `Parts`: the parts of a plan, each read by itself: its record, its steps, and what became of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::outcome::Outcome;
use highwater_core::formats::mirror::plan::part::{Part, RECORD};
use highwater_core::formats::mirror::plan::{Step, Wish, parse};
use highwater_core::name::Name;

use super::area::{Area, named, read};
use super::journal::{self, Journal};
use crate::disk::Disk;
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// What became of a part is never longer, in bytes.
const LONGEST: u64 = 1 << 30;

/// The parts of a plan.
pub(super) struct Parts<'a> {
    disk: &'a dyn Disk,
    /// None where nothing is fetched.
    files: Option<Opened>,
    count: u64,
    /// What says what became of a part, and is not what was written.
    damaged: Mutex<BTreeSet<Name>>,
}

/// The table, and the steps.
struct Opened {
    table: Box<dyn Object>,
    steps: Box<dyn Object>,
}

impl<'a> Parts<'a> {
    /// Opens those of a plan.
    ///
    /// # Errors
    /// A file cannot be opened, or has another length than the plan says.
    pub(super) fn open(area: &Area<'a>, journal: &Journal) -> Result<Self, Error> {
        let (disk, count, damaged) = (area.disk, journal.parts, Mutex::default());
        if count == 0 {
            return Ok(Self { disk, files: None, count, damaged });
        }
        let open = |name: &Name| disk.open(name).map_err(Error::at("open", disk, name));
        let (name, steps) = (journal::parts()?, open(&journal::steps()?)?);
        let table = open(&name)?;
        let length = table.length().map_err(Error::at("look at", disk, &name))?;
        if Some(length) != count.checked_mul(RECORD as u64) {
            return Err(Error::damage(format!("'{name}' at byte {length}: it ends, and the plan has {count} parts")));
        }
        Ok(Self { disk, files: Some(Opened { table, steps }), count, damaged })
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many files were met that say what became of a part, and are not what was written.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn files(&self) -> Result<&Opened, Error> {
        self.files.as_ref().ok_or_else(|| Error::failed("the plan has no parts"))
    }

    /// One of them: nothing else is read.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub(super) fn get(&self, number: u64) -> Result<Part, Error> {
        let Opened { table, steps } = self.files()?;
        let (name, at) = (journal::parts()?, number.saturating_mul(RECORD as u64));
        let mut record = [0; RECORD];
        table.read_exact_at(at, &mut record).map_err(Error::at("read", self.disk, &name))?;
        let length = steps.length().map_err(Error::at("look at", self.disk, &name))?;
        let part = Part::parse(&record);
        let part =
            part.ok_or_else(|| Error::damage(format!("'{name}' at byte {at}: it is not the record of a part")))?;
        match part.at.checked_add(part.length) {
            Some(end) if end <= length => Ok(part),
            _ => Err(Error::damage(format!(
                "'{}' at byte {length}: it ends, and part {number} of the plan goes on",
                journal::steps()?
            ))),
        }
    }

    /// Hands on what a part fetches, once all of its lines are known to be what was written.
    ///
    /// # Errors
    /// They cannot be read, or are not; and those of `each`.
    pub(super) fn wishes(&self, part: &Part, each: &mut dyn FnMut(Wish) -> Result<(), Error>) -> Result<(), Error> {
        let (Opened { steps, .. }, name) = (self.files()?, journal::steps()?);
        let length = usize::try_from(part.length).map_err(|_| Error::failed("a part is longer than memory"))?;
        let mut bytes = vec![0; length];
        steps.read_exact_at(part.at, &mut bytes).map_err(Error::at("read", self.disk, &name))?;
        let odd = |at: u64, what: &str| Error::damage(format!("'{name}' at byte {at}: {what}"));
        let lines = || bytes.split_inclusive(|byte| *byte == b'\n');
        let sum = lines().fold(0_u64, |sum, line| sum.wrapping_add(Part::sum_of(line)));
        if sum != part.sum {
            return Err(odd(part.at, "the lines of this part of the plan are not those that were written"));
        }
        let mut at = part.at;
        for line in lines() {
            if line.starts_with(b"fetch ") {
                let text = std::str::from_utf8(line).ok().and_then(|line| parse(line.trim_end_matches('\n')));
                let Some(Step::Fetch(wish)) = text else { return Err(odd(at, "a line is no step")) };
                each(wish)?;
            }
            at = at.saturating_add(line.len() as u64);
        }
        Ok(())
    }

    /// What became of all of a part; none as long as nobody has tried all of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn outcome(&self, number: u64, part: &Part, watch: &Watch<'_>) -> Result<Option<Outcome>, Error> {
        let name = journal::part(number)?;
        let Some(outcome) = self.read(&name, (number, part), watch)? else { return Ok(None) };
        if outcome.is_whole(part) {
            return Ok(Some(outcome));
        }
        self.tell(&name, "does not say of each version of its part what became of it", watch);
        Ok(None)
    }

    /// What became of some of a part.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn so_far(&self, number: u64, part: &Part, watch: &Watch<'_>) -> Result<Outcome, Error> {
        Ok(self.read(&journal::part_so_far(number)?, (number, part), watch)?.unwrap_or_default())
    }

    fn read(&self, name: &Name, of: (u64, &Part), watch: &Watch<'_>) -> Result<Option<Outcome>, Error> {
        let Some(bytes) = read(self.disk, name, LONGEST)? else { return Ok(None) };
        let outcome = Outcome::read(&String::from_utf8_lossy(&bytes), of.0, of.1);
        // It has had its name since it was durable, so neither a power cut nor a killed run leaves it so.
        Ok(outcome.map_err(|odd| self.tell(name, &format!("at byte {}: {}", odd.at, odd.what), watch)).ok())
    }

    fn tell(&self, name: &Name, what: &str, watch: &Watch<'_>) {
        let is_new = self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        if is_new {
            watch.notice(format!(
                "'{name}' {what}: nothing that it says is believed, and what it is to speak of is looked at again; \
                 look at the disk"
            ));
        }
    }
}

/// How many parts of an open plan were tried, of which it is only known that it says so.
///
/// # Errors
/// The operating system's.
pub(super) fn tried(disk: &dyn Disk) -> Result<u64, Error> {
    let (folder, mut count) = (named(names::PLAN)?, 0);
    let listed = disk.list(Some(&folder), &mut |entry| {
        let number = entry.name.as_bytes().strip_prefix(b"part-");
        count += u64::from(number.is_some_and(|number| number.iter().all(u8::is_ascii_digit)));
    });
    listed.map_err(Error::at("list", disk, &folder))?;
    Ok(count)
}
