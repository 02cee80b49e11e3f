//! `Error`: why a backup or a restore could not be done, with its cause kept until it is printed.

use std::io;
use std::path::{Path, PathBuf};

use highwater_core::name::{Name, NameError};

use crate::interruption::is_interruption;
use crate::shown::quoted;
use crate::store::Store;

/// What a failure means for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A set is damaged: 1.
    Damage,
    /// The command line makes no sense: 2.
    Usage,
    /// The run could not be brought to its end: 3.
    Failed,
    /// The run could not start: 4.
    CannotStart,
    /// A signal stopped it: 130.
    Interrupted,
}

/// Why something could not be done. The text of each is one sentence for an operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused something.
    #[error("cannot {doing} {}: {source}", quoted(path))]
    Io {
        /// The verb: "read", "create".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
    /// What was asked for cannot be done as things are.
    #[error("{what}")]
    Refused {
        /// Its weight.
        class: Class,
        /// What stands in the way, with names and offsets, and what to do.
        what: String,
    },
    /// A name that nothing can have.
    #[error("{0}")]
    Name(#[from] NameError),
    /// A signal asked to stop.
    #[error("interrupted; nothing half-made was published")]
    Interrupted,
}

impl Error {
    /// Wraps an I/O error with what was being done to which path.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::of(doing, path, source)
    }

    /// An I/O error with what was being done to which path. That a run is to stop is no failure of what it did.
    fn of(doing: &'static str, path: PathBuf, source: io::Error) -> Self {
        if is_interruption(&source) { Self::Interrupted } else { Self::Io { doing, path, source } }
    }

    /// Wraps an I/O error with what was being done to which object of a store.
    pub fn at<S: Store + ?Sized>(
        doing: &'static str,
        store: &S,
        name: &Name,
    ) -> impl FnOnce(io::Error) -> Self + use<S> {
        Self::of_folder(doing, store, Some(name))
    }

    /// The same for a folder of it, or its root.
    pub fn of_folder<S: Store + ?Sized>(
        doing: &'static str,
        store: &S,
        name: Option<&Name>,
    ) -> impl FnOnce(io::Error) -> Self + use<S> {
        let path = store.told(name);
        let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
        move |source| Self::of(doing, path, source)
    }

    /// Why nothing could begin: a root cannot be listed.
    pub(crate) fn cannot_list<S: Store + ?Sized>(store: &S) -> impl FnOnce(io::Error) -> Self + use<S> {
        let path = quoted(&store.told(None));
        move |error| match is_interruption(&error) {
            true => Self::Interrupted,
            false => Self::cannot_start(format!("cannot list {path}: {error}")),
        }
    }

    /// A refusal because of damage.
    pub fn damage(what: impl Into<String>) -> Self {
        Self::Refused { class: Class::Damage, what: what.into() }
    }

    /// A refusal of what makes no sense.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::Refused { class: Class::Usage, what: what.into() }
    }

    /// A refusal to start.
    pub fn cannot_start(what: impl Into<String>) -> Self {
        Self::Refused { class: Class::CannotStart, what: what.into() }
    }

    /// A refusal to start because the system starts no thread.
    pub fn no_thread(error: impl std::fmt::Display) -> Self {
        Self::cannot_start(format!(
            "no thread can be started: {error}; raise the limit of processes (ulimit -u, TasksMax of the service), \
             or end some"
        ))
    }

    /// A run that cannot go on.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::Refused { class: Class::Failed, what: what.into() }
    }

    /// What it means for the exit code.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Io { .. } | Self::Name(_) => Class::Failed,
            Self::Refused { class, .. } => *class,
            Self::Interrupted => Class::Interrupted,
        }
    }
}
