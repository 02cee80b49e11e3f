//! Has the far end make a checkpoint of the live store that it serves; from then on, that is what is read there.

use std::io;

use highwater_core::digest::Digest;
use highwater_core::name::{Name, printable};
use highwater_core::wire::{Answer, Meta, Request, Why};

use super::Ssh;
use super::link::Pending;
use crate::error::{Class, Error};
use crate::shown::quoted;
use crate::watch::Watch;

/// A checkpoint that was made there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The kind of store.
    pub kind: String,
    /// Up to where it goes, in words of the store.
    pub position: String,
    /// How often the store's heads were read.
    pub tries: u32,
    /// What whoever relies on it should know, a sentence each.
    pub notes: Vec<String>,
}

/// A digest that is being found out there.
pub struct Sum<'a> {
    ssh: &'a Ssh,
    pending: Pending,
}

impl Sum<'_> {
    /// Waits for it.
    ///
    /// # Errors
    /// It cannot be found out, or the line breaks.
    pub fn end(self) -> io::Result<Digest> {
        loop {
            match self.pending.next()? {
                Answer::Progress { .. } => {}
                Answer::Sum(sum) => return Ok(sum),
                _ => return Err(self.ssh.link.broken("a digest")),
            }
        }
    }
}

impl Ssh {
    /// Has a checkpoint made.
    ///
    /// # Errors
    /// Those of the far end, with its sentence; when the line breaks; [`Error::Interrupted`].
    pub fn make_checkpoint(&self, kind: Option<&str>, watch: &Watch<'_>) -> Result<Made, Error> {
        let root = quoted(&self.told);
        let broke = |error: io::Error| match watch.go_on() {
            Err(interrupted) => interrupted,
            Ok(()) => Error::failed(format!("cannot make a checkpoint of {root}: {error}")),
        };
        let pending = self.link.ask(Request::Checkpoint { kind: kind.map(ToOwned::to_owned) }).map_err(broke)?;
        let mut notes = Vec::new();
        loop {
            match pending.whatever().map_err(broke)? {
                Answer::Progress { .. } => {}
                Answer::Notice(notice) => notes.push(printable(notice.as_bytes())),
                Answer::Made { kind, position, tries } => {
                    return Ok(Made { kind, position: printable(position.as_bytes()), tries, notes });
                }
                Answer::Failed { why, text } => return Err(refused(&root, why, &printable(text.as_bytes()))),
                _ => return Err(broke(self.link.broken("a checkpoint"))),
            }
        }
    }

    /// What is known of an object, without its bytes.
    ///
    /// # Errors
    /// As [`Store::open`](crate::store::Store::open).
    pub fn look_at(&self, name: &Name) -> io::Result<Meta> {
        self.look(name)
    }

    /// Has the SHA-256 of an object found out there; whoever wants it may do something else meanwhile.
    ///
    /// # Errors
    /// The line breaks.
    pub fn sum(&self, name: &Name) -> io::Result<Sum<'_>> {
        Ok(Sum { ssh: self, pending: self.link.ask(Request::Sum { name: name.clone() })? })
    }

    /// Has the checkpoint removed.
    ///
    /// # Errors
    /// It cannot be removed, or the line breaks: then the far end removes it by itself, or its next run does.
    pub fn discard(&self) -> io::Result<()> {
        match self.link.one(Request::Discard)? {
            Answer::Discarded => Ok(()),
            _ => Err(self.link.broken("that a checkpoint be removed")),
        }
    }
}

/// What is said when the far end makes none.
fn refused(root: &str, why: Why, text: &str) -> Error {
    match why {
        Why::Denied => Error::cannot_start(format!(
            "the far end makes no checkpoint of {root}: {text}; its authorized_keys there is to say \
             'highwater serve --checkpoint FOLDER' in the place of --read-only"
        )),
        Why::Usage => Error::usage(format!("{root}, there: {text}")),
        Why::CannotStart => Error::cannot_start(format!("{root}, there: {text}")),
        _ => Error::Refused { class: Class::Failed, what: format!("{root}, there: {text}") },
    }
}
