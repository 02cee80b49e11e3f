//! `Checkpoint`: what a replica of a live store is copied from: a checkpoint on this machine, or one behind ssh.

use std::io;

use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::name::Name;

use crate::disk::What;
use crate::drive::buffer;
use crate::error::Error;
use crate::live::{Fleeting, State};
use crate::shown::quoted;
use crate::store::{Kept, Made, Object, Ssh, Store};

/// A digest that is being found out.
pub(super) type Coming<'a> = Box<dyn FnOnce() -> io::Result<Digest> + 'a>;

/// A checkpoint that is copied from.
pub trait Checkpoint: Sync {
    /// The kind of store.
    fn kind(&self) -> &str;

    /// Up to where it goes, in words of the store.
    fn position(&self) -> &str;

    /// What whoever relies on it should know, a sentence each.
    fn notes(&self) -> &[String];

    /// What is in it.
    fn root(&self) -> &dyn Store;

    /// How long a file is, and what is kept of it, without its bytes.
    ///
    /// # Errors
    /// As [`Store::open`].
    fn look(&self, name: &Name) -> io::Result<(u64, Kept)>;

    /// The SHA-256 of a file, found out where it lies.
    ///
    /// # Errors
    /// It cannot be read.
    fn sum(&self, name: &Name) -> io::Result<Coming<'_>>;

    /// Whether bytes come by a line: what arrives is compared with what they give where they lie.
    fn is_far(&self) -> bool;

    /// Removes it.
    ///
    /// # Errors
    /// It stays, until the next one is made.
    fn discard(self: Box<Self>) -> Result<(), Error>;
}

/// A checkpoint on this machine.
pub struct Here {
    checkpoint: Fleeting,
    state: State,
    store: String,
}

impl Here {
    /// One of the store that is called so.
    #[must_use]
    pub fn new((checkpoint, state): (Fleeting, State), store: String) -> Self {
        Self { checkpoint, state, store }
    }
}

impl Checkpoint for Here {
    fn kind(&self) -> &str {
        self.state.summary.kind
    }

    fn position(&self) -> &str {
        &self.state.summary.position
    }

    fn notes(&self) -> &[String] {
        &self.state.summary.notes
    }

    fn root(&self) -> &dyn Store {
        self.checkpoint.root.as_store()
    }

    fn look(&self, name: &Name) -> io::Result<(u64, Kept)> {
        let look = self.checkpoint.root.look(Some(name))?.filter(|look| look.what == What::File);
        let look = look.ok_or(io::ErrorKind::NotFound)?;
        Ok((look.length, Kept { mode: Some(look.mode), modified: Some(look.modified) }))
    }

    fn sum(&self, name: &Name) -> io::Result<Coming<'_>> {
        let object = self.root().open(name)?;
        Ok(Box::new(move || sum_of(&*object)))
    }

    fn is_far(&self) -> bool {
        false
    }

    fn discard(self: Box<Self>) -> Result<(), Error> {
        let store = self.store;
        self.checkpoint.remove().map_err(|error| stays(&store, &error))
    }
}

/// A checkpoint behind ssh.
pub struct There {
    ssh: Ssh,
    made: Made,
}

impl There {
    /// The one that was made there.
    #[must_use]
    pub fn new(ssh: Ssh, made: Made) -> Self {
        Self { ssh, made }
    }
}

impl Checkpoint for There {
    fn kind(&self) -> &str {
        &self.made.kind
    }

    fn position(&self) -> &str {
        &self.made.position
    }

    fn notes(&self) -> &[String] {
        &self.made.notes
    }

    fn root(&self) -> &dyn Store {
        &self.ssh
    }

    fn look(&self, name: &Name) -> io::Result<(u64, Kept)> {
        let meta = self.ssh.look_at(name)?;
        Ok((meta.length, Kept { mode: Some(meta.mode), modified: Some(meta.mtime) }))
    }

    fn sum(&self, name: &Name) -> io::Result<Coming<'_>> {
        let sum = self.ssh.sum(name)?;
        Ok(Box::new(move || sum.end()))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn discard(self: Box<Self>) -> Result<(), Error> {
        let store = quoted(&self.ssh.told(None));
        self.ssh.discard().map_err(|error| stays(&store, &error))
    }
}

fn stays(store: &str, error: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("the checkpoint of {store} that was copied may stay, until the next run: {error}"))
}

/// The SHA-256 of a file.
pub(super) fn sum_of(object: &dyn Object) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        hasher.update(piece);
        true
    })?;
    Ok(hasher.finish())
}
