//! `Codec` and `Decoder`: from stored bytes to the bytes a digest speaks of, pushed piece by piece.

mod gzip;
pub mod member;

/// How an object's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// As they are.
    Plain,
    /// gzip (RFC 1952), one member or several, zero padding after the last allowed.
    Gzip,
}

impl Codec {
    /// The name used in reports and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
        }
    }
}

/// Stored bytes cannot be decoded. Everything before the fault was handed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    /// Where in the stored bytes the fault lies: at or shortly after this offset.
    pub at: u64,
    /// What is wrong, as a clause: "the gzip header has a wrong magic number".
    pub what: &'static str,
}

/// What a consumer of decoded bytes says: go on or stop. Stopping early is how a decompression bomb costs one buffer.
pub type Flow = std::ops::ControlFlow<()>;

/// A push decoder: holds at most one output buffer, whatever the input expands to.
pub enum Decoder {
    /// Hands bytes on unchanged.
    Plain,
    /// Inflates gzip members.
    Gzip(Box<gzip::Gunzip>),
}

impl Decoder {
    /// A decoder at the start of an object.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Plain => Self::Plain,
            Codec::Gzip => Self::Gzip(Box::default()),
        }
    }

    /// Takes the next stored bytes and hands what they decode to on to `each`, piece by piece.
    ///
    /// # Errors
    /// [`Broken`] after every byte that could be decoded was handed on. Further pushes repeat it.
    pub fn push(&mut self, stored: &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        match self {
            Self::Plain if stored.is_empty() => Ok(Flow::Continue(())),
            Self::Plain => Ok(each(stored)),
            Self::Gzip(gunzip) => gunzip.push(stored, each),
        }
    }

    /// Whether the bytes so far end where another member may follow.
    #[must_use]
    pub fn is_between(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Gzip(gunzip) => gunzip.is_between(),
        }
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// [`Broken`] when the object ends in the middle of a compressed member.
    pub fn end(&mut self) -> Result<(), Broken> {
        match self {
            Self::Plain => Ok(()),
            Self::Gzip(gunzip) => gunzip.end(),
        }
    }
}
