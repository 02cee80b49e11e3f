//! `Copies`: the logs and heads that one try writes: they go with it, unless it is the last.

use std::collections::BTreeMap;

use highwater_core::digest::Digest;
use highwater_core::name::Name;

use super::adapter::{Adapter, Content, Copied, Files, Stop};
use super::copy::{Written, copy, copy_log, write};
use super::hashing::Hashing;
use super::held::Held;
use super::{CheckpointSummary, pins};
use crate::disk::{Disk, Look};
use crate::error::Error;
use crate::watch::Watch;

/// What was written so far.
pub(super) struct Copies<'a> {
    from: &'a dyn Disk,
    to: &'a dyn Disk,
    watch: &'a Watch<'a>,
    names: Vec<Name>,
    /// Each file, and how many bytes of its source were left out at the end.
    written: Vec<(Written, u64)>,
    /// The logs, whose digests are not known yet.
    unread: Vec<Unread>,
}

/// A file whose digest is not known yet.
pub(super) struct Unread {
    pub(super) name: Name,
    pub(super) length: u64,
    /// What is about to find it out.
    pub(super) hashing: Option<Hashing>,
}

impl<'a> Copies<'a> {
    pub(super) fn new(from: &'a dyn Disk, to: &'a dyn Disk, watch: &'a Watch<'a>) -> Self {
        Self { from, to, watch, names: Vec::new(), written: Vec::new(), unread: Vec::new() }
    }

    /// Copies logs, in this order, each up to its last whole entry.
    pub(super) fn logs(&mut self, adapter: &dyn Adapter, held: &Held, chosen: &[u64]) -> Result<Vec<Copied>, Stop> {
        let mut logs = Vec::new();
        for &number in chosen {
            self.watch.go_on()?;
            let log = held.get(number).ok_or_else(|| Stop::Moved("a log was let go of".to_owned()))?;
            let (object, name) = (&*log.object, log.name);
            let look = self.look_of(&name)?;
            self.names.push(name.clone());
            let (written, scanned, hashing) = copy_log(object, (self.to, &name), &look, adapter.scan(number))
                .map_err(Error::at("copy", self.from, &name))?;
            let length = object.length().map_err(Error::at("look at", self.from, &name))?;
            self.unread.push(Unread { name: name.clone(), length: written.length, hashing });
            self.written.push((written, length.saturating_sub(scanned.whole)));
            logs.push(Copied { number, name, scanned });
        }
        Ok(logs)
    }

    /// Writes heads, into folders that are there.
    pub(super) fn heads(&mut self, files: Files) -> Result<(), Stop> {
        for (name, content) in files {
            self.watch.go_on()?;
            let look = self.look_of(&name)?;
            self.names.push(name.clone());
            let written = match content {
                Content::Bytes(bytes) => write(self.to, &name, &bytes, &look),
                Content::Prefix(object, end) => {
                    copy((&*object, end), (self.to, &name), &look, None).map(|(written, _)| written)
                }
            };
            self.written.push((written.map_err(Error::at("write", self.to, &name))?, 0));
        }
        Ok(())
    }

    /// Keeps all of it. Gives each file with its digest, and those whose digest is not known yet.
    pub(super) fn keep(mut self, summary: &mut CheckpointSummary) -> (BTreeMap<Name, Option<Digest>>, Vec<Unread>) {
        let names = std::mem::take(&mut self.names);
        let written = std::mem::take(&mut self.written);
        let each = names.into_iter().zip(written).map(|(name, (Written { length, sha256, is_clone }, cut))| {
            summary.cut = summary.cut.saturating_add(cut);
            if is_clone { &mut summary.cloned } else { &mut summary.copied }.add(length);
            (name, sha256)
        });
        (each.collect(), std::mem::take(&mut self.unread))
    }

    /// What a copy is to be like: the file itself, or where its name is gone by now, a file of the store.
    fn look_of(&self, name: &Name) -> Result<Look, Error> {
        let look = self.from.look(Some(name)).map_err(Error::at("look at", self.from, name))?;
        pins::like_file(self.from, look).map_err(Error::of_folder("look at", self.from, None))
    }
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            // The draft as a whole is removed in the end.
            _ = self.to.remove(name);
        }
    }
}
