//! `Wants`: the list of what could not be had, while it is written.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::wanted::{TITLE, Wanted, Why};
use highwater_core::mtree::Seal;
use highwater_core::name::{Name, TEMPORARY};

use super::area::{Area, named};
use super::journal;
use crate::disk::like::Like;
use crate::disk::{Appender, Draft, Writable};
use crate::error::Error;
use crate::s3;

/// A list that has no name yet.
pub(super) struct Wants<'a> {
    area: &'a Area<'a>,
    name: Name,
    draft: Draft<'a>,
    out: BufWriter<Appender<Arc<dyn Writable>>>,
    seal: Seal,
}

impl<'a> Wants<'a> {
    /// Begins an empty one, which takes the place of the mirror's.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn begin(area: &'a Area<'a>) -> Result<Self, Error> {
        Self::at(area, named(names::WANTED)?)
    }

    /// Begins an empty one that is to have another name.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn at(area: &'a Area<'a>, name: Name) -> Result<Self, Error> {
        let draft = Draft::of(area.disk, &name, TEMPORARY).map_err(Error::at("create", area.disk, &name))?;
        let out = BufWriter::new(Appender { file: draft.held(), at: 0 });
        let mut wants = Self { area, name, draft, out, seal: Seal::default() };
        wants.say(TITLE)?;
        Ok(wants)
    }

    /// Takes down one.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn push(&mut self, wanted: &Wanted) -> Result<(), Error> {
        self.say(&wanted.line())
    }

    fn say(&mut self, line: &str) -> Result<(), Error> {
        self.seal.push(line);
        self.out.write_all(line.as_bytes()).map_err(|error| cannot(&error))
    }

    /// Puts it in the place of the one before.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn end(mut self) -> Result<(), Error> {
        let seal = std::mem::take(&mut self.seal).end();
        let (disk, name) = (self.area.disk, self.name.clone());
        let mut publish = || {
            self.out.write_all(seal.as_bytes())?;
            self.out.flush()?;
            _ = self.draft.give(&Like::in_place_of(disk, &name)?)?;
            self.draft.file().sync()
        };
        publish().map_err(|error| cannot(&error))?;
        self.draft.publish(&name).map_err(Error::at("write", disk, &name))
    }
}

/// Puts the list of a plan in the place of the mirror's; false if it has none.
///
/// # Errors
/// The operating system's.
pub(super) fn renew(area: &Area<'_>) -> Result<bool, Error> {
    let (from, to) = (journal::wanted()?, named(names::WANTED)?);
    match area.disk.rename(&from, &to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        renamed => renamed.map(|()| true).map_err(Error::at("write", area.disk, &to)),
    }
}

fn cannot(error: &io::Error) -> Error {
    Error::failed(format!("cannot write what is wanted: {error}; make room, and run this again"))
}

/// Why a version could not be had, in a word and a sentence.
///
/// # Errors
/// Nothing can be had: whoever asks is not known, the disk takes nothing, the user wants to stop.
pub(super) fn why(error: s3::Error) -> Result<(Why, String), Error> {
    let message = error.to_string();
    // Whom S3 does not know gets nothing else either.
    if error.is_of_who_asks() {
        return Err(Error::cannot_start(format!(
            "{message}; nothing else can be had: see to the credentials, and run this again"
        )));
    }
    let why = match error {
        s3::Error::NotFound { what: s3::Missing::Bucket, .. } | s3::Error::Credentials(_) | s3::Error::Settings(_) => {
            return Err(Error::cannot_start(message));
        }
        s3::Error::Interrupted => return Err(Error::Interrupted),
        s3::Error::Sink { source, .. } if source.kind() != io::ErrorKind::InvalidData => {
            return Err(Error::failed(format!("{message}; make room, and run this again, which goes on")));
        }
        s3::Error::NotFound { .. } => Why::Gone,
        s3::Error::Forbidden { .. } => Why::Denied,
        s3::Error::Archived { .. } => Why::Archived,
        s3::Error::Sink { .. } | s3::Error::Changed { .. } => Why::Other,
        s3::Error::Throttled { .. } | s3::Error::Wire { .. } | s3::Error::Garbled { .. } | s3::Error::Other { .. } => {
            Why::Failed
        }
    };
    Ok((why, message))
}
