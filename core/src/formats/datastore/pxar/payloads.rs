//! `Payloads`: the stream of a split archive that has the contents of its files.
//!
//! It begins and ends with an item that says so. Between them stand payloads at the places that the tree says. What
//! lies between these is nobody's: who takes chunks over from an archive before takes what else is in them along.

use super::Odd;
use super::item::{HEAD, Head, Item};

/// How many places are remembered.
const PLACES: usize = 1 << 21;

/// The places at which something must stand, in order.
#[derive(Debug, Default)]
pub struct Places(Vec<Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    at: u64,
    length: u64,
}

impl Places {
    /// A file of this many bytes is at this place, which lies behind the last one. False when there are too many.
    #[must_use]
    pub fn push(&mut self, at: u64, length: u64) -> bool {
        let room = self.0.len() < PLACES;
        if room {
            self.0.push(Place { at, length });
        }
        room
    }
}

/// Payloads on their way in.
#[derive(Debug)]
pub struct Payloads {
    length: u64,
    at: u64,
    places: std::vec::IntoIter<Place>,
    next: Option<(Place, Item)>,
    unit: Vec<u8>,
}

impl Payloads {
    /// Begins payloads of so many bytes, which have these places.
    #[must_use]
    pub fn new(length: u64, places: Places) -> Self {
        let next = Some((Place { at: 0, length: 0 }, Item::PayloadsBegin));
        Self { length, at: 0, places: places.0.into_iter(), next, unit: Vec::new() }
    }

    /// As of [`super::Reader::skips`].
    #[must_use]
    pub fn skips(&self) -> u64 {
        match self.next {
            Some((place, _)) if self.unit.is_empty() => place.at.saturating_sub(self.at),
            Some(_) => 0,
            None => self.length.saturating_sub(self.at),
        }
    }

    /// As of [`super::Reader::skip`].
    pub fn skip(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes.min(self.skips()));
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What does not stand where it should; nothing more comes of it.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Odd> {
        while let Some((place, item)) = self.next
            && !bytes.is_empty()
        {
            let skip = usize::try_from(self.skips()).unwrap_or(usize::MAX).min(bytes.len());
            self.skip(skip as u64);
            bytes = bytes.get(skip..).unwrap_or_default();
            let need = HEAD.saturating_sub(self.unit.len());
            let (some, rest) = bytes.split_at_checked(need).unwrap_or((bytes, &[]));
            self.unit.extend_from_slice(some);
            self.at = self.at.saturating_add(some.len() as u64);
            bytes = rest;
            if self.unit.len() == HEAD {
                let unit = std::mem::take(&mut self.unit);
                if let Err(odd) = self.head(&unit, place, item) {
                    self.next = None;
                    return Err(odd);
                }
            }
        }
        Ok(())
    }

    fn head(&mut self, unit: &[u8], place: Place, item: Item) -> Result<(), Odd> {
        let wanted = Head { item, length: place.length };
        if Head::read(unit, place.at, self.length).ok() != Some(wanted) {
            let what = match item {
                Item::Payload => format!("the tree says that a file of {} bytes is there, and none is", place.length),
                Item::PayloadsBegin => "the payloads do not begin with their mark".to_owned(),
                _ => "the payloads do not end with their mark".to_owned(),
            };
            return Err(Odd::record(place.at, what));
        }
        self.next = if item == Item::PayloadsEnd {
            None
        } else {
            let last = Place { at: self.length.saturating_sub(HEAD as u64), length: 0 };
            let next = self.places.next().map(|place| (place, Item::Payload));
            Some(next.unwrap_or((last, Item::PayloadsEnd)))
        };
        match self.next {
            Some((next, _)) if next.at < self.at || next.at.saturating_add(HEAD as u64) > self.length => {
                Err(Odd::record(next.at.min(self.length), "the payloads end before what the tree says is in them"))
            }
            _ => Ok(()),
        }
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// That something is missing.
    pub fn end(&mut self) -> Result<(), Odd> {
        match self.next.take() {
            None => Ok(()),
            Some(_) => Err(Odd::record(self.at, "the payloads end before their mark")),
        }
    }
}
