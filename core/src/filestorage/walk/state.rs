//! `State`: where a walk is, and why it ended.

/// Where a walk is. Sentences are for a person; the offsets count from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// More bytes are needed, see [`Walk::want`](super::Walk::want).
    Running,
    /// The complete transactions end here; ZODB opens the file and cuts or leaves the rest.
    Stopped {
        /// The offset after the last complete transaction.
        at: u64,
        /// Why nothing more is read.
        why: Stop,
    },
    /// The file contradicts itself; ZODB refuses to open it.
    Corrupt {
        /// The offset of the contradiction.
        at: u64,
        /// What is wrong there.
        what: Damage,
    },
}

/// Why a walk stopped without a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The last transaction ends where the file ends.
    #[error("the file ends after a complete transaction")]
    Eof,
    /// Fewer bytes than a transaction's header are left.
    #[error("the file ends within a transaction's header")]
    ShortHeader,
    /// The transaction would end after the file.
    #[error("the file ends within a transaction")]
    PastSize,
    /// The transaction is voted, not finished.
    #[error("the last transaction is not finished")]
    Voted,
    /// The header is too short for itself and nothing after it looks like a transaction's end.
    #[error("the bytes after the last transaction are no transaction")]
    InvalidTail,
    /// The transaction has the highest possible id, which ZODB's scan takes as its limit.
    #[error("the transaction has the highest possible id, where reading ends")]
    LastTid,
}

/// Why a file cannot be walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file does not begin with a known [`Magic`](super::super::Magic).
    #[error("the file is no FileStorage: it begins with neither FS30 nor FS21")]
    Magic,
    /// The walk was to start after the end of the file.
    #[error("the file ends before the place where reading should start")]
    Start,
    /// `tlen` is less than the header needs.
    #[error("the transaction's length is less than its header takes")]
    HeaderLen,
    /// The status is no ASCII character; ZODB on Python 3 fails to decode it.
    #[error("the transaction's status is no character")]
    Status,
    /// The data record ends after its transaction.
    #[error("the data record ends after its transaction")]
    RecordExceeds,
    /// Bytes are left at the end of the transaction that are too few for a record's header.
    #[error("the data records do not fill their transaction")]
    Leftover,
    /// `tloc` is not the transaction's offset.
    #[error("the data record says that it belongs to another transaction")]
    Tloc,
    /// The record is one of a version, which ZODB no longer knows.
    #[error("the data record has a version name")]
    Version,
    /// The two lengths of a transaction differ.
    #[error("the length after the transaction is not the one before it")]
    RedundantLen,
}
