//! `Archive`: a tree of files in a datastore, or the catalogue of some, of which the entries are shown.

use highwater_core::formats::datastore::Odd;
use highwater_core::formats::datastore::archives::{Part, part_of};
use highwater_core::inspect::Format;
use highwater_core::name::{Name, printable};

use super::chunks::Chunks;
use super::lines::Lines;
use super::{catalogue, tree};
use crate::cli::inside::path_in;
use crate::error::Error;

/// What was asked for: an archive that holds a tree.
pub(super) struct Archive {
    /// The archive, as a point.
    pub(super) point: String,
    part: Part,
    /// The path in it.
    pub(super) within: Option<Name>,
}

impl Archive {
    /// Reads what was named; none if it is no such archive.
    pub(super) fn named(format: &'static dyn Format, text: &str) -> Result<Option<Self>, Error> {
        let Ok(point) = format.point(text) else { return Ok(None) };
        let archive = point.as_str().rsplit_once('/').and_then(|(_, archive)| part_of(archive));
        let Some((_, part)) = archive.filter(|(_, part)| *part != Part::Payloads) else { return Ok(None) };
        let within = point.within().map(path_in).transpose()?;
        Ok(Some(Self { point: point.as_str().to_owned(), part, within }))
    }

    /// Prints the entries. What could be read is shown, whatever is wrong behind it.
    pub(super) fn show(&self, from: &Chunks<'_>, json: bool) -> Result<(), Error> {
        let mut lines = Lines::new(from.plan, json);
        let read = match self.part {
            Part::Catalogue => catalogue::read(self, from, &mut lines)?,
            part => tree::read(self, part == Part::Tree, from, &mut lines)?,
        };
        if let (Ok(()), Some(within), true) = (&read, &self.within, lines.is_empty()) {
            let point = printable(self.point.as_bytes());
            return Err(Error::cannot_start(format!("there is no '{within}' in {point}")));
        }
        lines.end()?;
        let point = &from.plan.point;
        read.map_err(|Odd { at, what, .. }| Error::damage(format!("byte {at} of the archive in {point}: {what}")))
    }

    /// Whether this is asked for.
    pub(super) fn is_in(&self, path: &[u8]) -> bool {
        self.within.as_ref().is_none_or(|within| {
            path.strip_prefix(within.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    }
}
