//! `Manifest`: reads a MANIFEST, and keeps what the store consists of behind its last whole edit.
//!
//! A MANIFEST is a log of version edits. Edits of an atomic group count only together, so that a MANIFEST that ends
//! inside one stands where the group begins. What the engines refuse ends the reading (RocksDB 10.4
//! `db/version_edit_handler.cc`, `db/version_builder.cc`; LevelDB 1.22 `db/version_set.cc`).

use super::Engine;
use super::edit::Edit;
use super::records::{Ended, Records, Tail};
use super::state::State;
use crate::codec::Flow;

/// The longest edit that is read, in bytes.
pub const LONGEST: usize = 64 << 20;

/// The most that edits of one atomic group may take together, in bytes.
const GROUP: usize = 64 << 20;

/// A MANIFEST on its way in.
#[derive(Debug)]
pub struct Manifest {
    records: Records,
    edits: Edits,
}

/// What a MANIFEST comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What the store consists of behind `cut`; nothing where an edit was refused, as it may have been applied in part.
    pub state: State,
    /// Bytes of the MANIFEST that hold that: it ends behind the last whole edit that is not of an open group.
    pub cut: u64,
    /// How long the MANIFEST is, in bytes.
    pub length: u64,
    /// What stands behind it.
    pub tail: Tail,
}

/// The edits as they come.
#[derive(Debug)]
struct Edits {
    engine: Engine,
    state: State,
    /// The record that is being gathered.
    record: Vec<u8>,
    group: Option<Group>,
    cut: u64,
    /// Where the next record begins, and what of an edit is refused.
    odd: Option<(u64, String)>,
}

/// Edits that count only together.
#[derive(Debug)]
struct Group {
    at: u64,
    edits: Vec<Edit>,
    /// Bytes of their records.
    bytes: usize,
}

impl Manifest {
    /// A MANIFEST of this engine.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let state = State::new();
        let edits = Edits { engine, state, record: Vec::new(), group: None, cut: 0, odd: None };
        Self { records: Records::new(engine, 0), edits }
    }

    /// Takes the next bytes. `Break` when what follows does not matter.
    pub fn push(&mut self, bytes: &[u8]) -> Flow {
        let edits = &mut self.edits;
        let flow = self.records.push(bytes, &mut |piece| {
            if edits.odd.is_some() {
                return;
            }
            if piece.first {
                edits.record.clear();
            }
            if edits.record.len().saturating_add(piece.bytes.len()) > LONGEST {
                edits.odd = Some((piece.at, format!("an edit is longer than {LONGEST} bytes")));
                return;
            }
            edits.record.extend_from_slice(piece.bytes);
            if let Some(end) = piece.end {
                let record = std::mem::take(&mut edits.record);
                if let Err(what) = edits.take(&record, piece.at, end) {
                    edits.odd = Some((piece.at, what));
                }
                edits.record = record;
            }
        });
        if self.edits.odd.is_some() { Flow::Break(()) } else { flow }
    }

    /// What it comes to, when nothing follows.
    #[must_use]
    pub fn end(self) -> Read {
        let Edits { state, group, cut, odd, .. } = self.edits;
        let state = if odd.is_some() { State::default() } else { state };
        let Ended { length, tail, .. } = self.records.end();
        let tail = match (odd, tail) {
            (Some((at, what)), _) => Tail::Broken { at, what },
            (None, tail @ Tail::Broken { .. }) => tail,
            (None, tail) => match (state.lacks(), group, tail) {
                (Some(what), _, _) => Tail::Broken { at: cut, what: format!("no edit says {what}") },
                // The engine drops an open group in silence.
                (None, Some(group), _) => Tail::Torn { at: group.at },
                (None, None, tail) => tail,
            },
        };
        Read { state, cut, length, tail }
    }
}

impl Edits {
    /// Takes the record that lies in these bytes of the MANIFEST.
    fn take(&mut self, record: &[u8], at: u64, end: u64) -> Result<(), String> {
        let edit = Edit::parse(record, self.engine)?;
        let bytes = record.len();
        match (edit.remaining, self.group.take()) {
            (None, None) => self.state.apply(edit, self.engine)?,
            (None, Some(_)) => return Err("an edit stands inside of an atomic group".to_owned()),
            (Some(remaining), open) => {
                let fresh = Group { at, edits: Vec::new(), bytes: 0 };
                let mut group = open.unwrap_or(fresh);
                if group
                    .edits
                    .last()
                    .and_then(|edit| edit.remaining)
                    .is_some_and(|was| Some(was) != remaining.checked_add(1))
                {
                    return Err("an edit of an atomic group is left out".to_owned());
                }
                group.bytes = group.bytes.saturating_add(bytes);
                if group.bytes > GROUP {
                    return Err(format!("an atomic group is longer than {GROUP} bytes"));
                }
                group.edits.push(edit);
                if remaining > 0 {
                    self.group = Some(group);
                    return Ok(());
                }
                group.edits.into_iter().try_for_each(|edit| self.state.apply(edit, self.engine))?;
            }
        }
        self.cut = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
