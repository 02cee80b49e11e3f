//! `Fault`: why a host could not list or read something, which says nothing about the bytes.

/// Why a host could not list or read something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of failure.
    pub kind: FaultKind,
    /// The operating system's words.
    pub message: String,
}

/// Kinds of read failures that lead to different findings or advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The object is not there.
    Absent,
    /// The object is not there, and neither is what named it: both were removed.
    Removed,
    /// A folder that was listed under another name already, to which a link led: what is in it is known.
    Known,
    /// Everything else: permission, a bad disk, a folder where a file should be.
    Unreadable,
}
