//! `Error`: why S3 did not give what was asked for, as a caller acts on it.

use std::io;

use highwater_core::name::printable;

use super::ask::Place;

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The bucket.
    Bucket,
    /// The object.
    Key,
    /// The version.
    Version,
    /// The version is a delete marker, which has no bytes.
    Marker,
}

impl Missing {
    fn words(self) -> &'static str {
        match self {
            Self::Bucket => "there is no such bucket",
            Self::Key => "there is no such object",
            Self::Version => "there is no such version",
            Self::Marker => "this version is a delete marker, which has no bytes",
        }
    }
}

/// Why S3 did not give what was asked for. The text of each is one sentence for an operator, and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there; asking again does not help.
    #[error("{at}: {}", what.words())]
    NotFound {
        /// What was asked for.
        at: Box<Place>,
        /// What of it is missing.
        what: Missing,
    },
    /// Whoever asked may not have it.
    #[error(
        "{at}: access is denied{}{}",
        said(code, message),
        if *anonymous { "; it was asked for without credentials, as none were found" } else { "" }
    )]
    Forbidden {
        /// What was asked for.
        at: Box<Place>,
        /// S3's code, such as `AccessDenied`; empty if it gave none.
        code: String,
        /// S3's words.
        message: String,
        /// Whether there was no signature.
        anonymous: bool,
    },
    /// It lies in an archive, and must be restored there before it can be read.
    #[error("{at}: it is archived; restore it in S3 first (aws s3api restore-object), then run this again")]
    Archived {
        /// What was asked for.
        at: Box<Place>,
    },
    /// It is not what was asked for, or not what it was when its body began.
    #[error("{at}: {why}")]
    Changed {
        /// What was asked for.
        at: Box<Place>,
        /// What differs.
        why: String,
    },
    /// It was stored, and not as it was sent.
    #[error(
        "{at}: S3 says that it stored {stored}, and what was sent gives {sent}; see what lies between, and run again"
    )]
    Garbled {
        /// What was written.
        at: Box<Place>,
        /// The ETag that S3 gave.
        stored: String,
        /// The ETag of what was sent.
        sent: String,
    },
    /// S3 asked for fewer requests until there were no attempts left.
    #[error("{at}: S3 asks for fewer requests, {attempts} times in a row; run this again later, or with fewer jobs")]
    Throttled {
        /// What was asked for.
        at: Box<Place>,
        /// How often it was tried.
        attempts: u32,
    },
    /// The connection failed, stalled, or gave what is no answer.
    #[error("{at}: {why} (attempts: {attempts})")]
    Wire {
        /// What was asked for.
        at: Box<Place>,
        /// How often it was tried.
        attempts: u32,
        /// What happened last.
        why: String,
    },
    /// Any other answer.
    #[error("{at}: S3 answered {status}{}", said(code, message))]
    Other {
        /// What was asked for.
        at: Box<Place>,
        /// The HTTP status.
        status: u16,
        /// S3's code; empty if it gave none.
        code: String,
        /// S3's words.
        message: String,
    },
    /// Nobody to ask as: a profile or a source of credentials does not give any.
    #[error("no credentials for S3: {0}")]
    Credentials(String),
    /// Something that was set, or asked for, makes no sense.
    #[error("{0}")]
    Settings(String),
    /// Whoever takes the body did not take it.
    #[error("{at}: {source}")]
    Sink {
        /// What was asked for.
        at: Box<Place>,
        /// Its words.
        source: io::Error,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Whether S3 does not take the credentials, whatever they are used for.
    #[must_use]
    pub fn is_of_who_asks(&self) -> bool {
        let (Self::Forbidden { code, .. } | Self::Other { code, .. }) = self else { return false };
        matches!(
            code.as_str(),
            "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "TokenRefreshRequired"
                | "InvalidToken"
                | "AccountProblem"
        )
    }
}

/// S3's own words behind ours.
fn said(code: &str, message: &str) -> String {
    let (code, message) = (printable(code.as_bytes()), printable(message.as_bytes()));
    match (code.is_empty(), message.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" ({code})"),
        (true, false) => format!(" ({message})"),
        (false, false) => format!(" ({code}: {})", message.trim_end_matches('.')),
    }
}
