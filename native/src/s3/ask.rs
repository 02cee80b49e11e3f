//! `Place`, `Ask` and `Listing`: what is asked of S3.

use std::fmt;
use std::ops::Range;

use highwater_core::name::printable;

/// An object, or a bucket if the key is empty, as errors name it: `s3://bucket/key?versionId=V`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The key: S3 holds up to 1,024 bytes of UTF-8.
    pub key: Vec<u8>,
    /// The version, if one was asked for.
    pub version: Option<String>,
}

impl Place {
    pub(super) fn new(bucket: &str, key: &[u8], version: Option<&str>) -> Box<Self> {
        let version = version.map(ToOwned::to_owned);
        Box::new(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", printable(self.bucket.as_bytes()), printable(&self.key))?;
        match &self.version {
            Some(version) => write!(f, "?versionId={}", printable(version.as_bytes())),
            None => Ok(()),
        }
    }
}

/// One object, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key, which is not empty.
    pub key: &'a [u8],
    /// The version; `null` is one that was written before the bucket had versions.
    pub version: Option<&'a str>,
    /// The ETag, without quotes, that the object must have.
    pub if_match: Option<&'a str>,
    /// Bytes from the start; an end past the object's is the object's. Not empty.
    pub range: Option<Range<u64>>,
    /// A part of an upload in parts, counted from 1. Not together with a range.
    pub part: Option<u32>,
    /// Whether to ask for the checksums that S3 holds beside the ETag.
    pub checksums: bool,
}

impl<'a> Ask<'a> {
    /// The latest version of an object, whole.
    #[must_use]
    pub fn latest(bucket: &'a str, key: &'a [u8]) -> Self {
        Self { bucket, key, version: None, if_match: None, range: None, part: None, checksums: false }
    }

    /// One version of an object, whole.
    #[must_use]
    pub fn version(bucket: &'a str, key: &'a [u8], version: &'a str) -> Self {
        Self { version: Some(version), ..Self::latest(bucket, key) }
    }

    /// How errors name it.
    pub(super) fn place(&self) -> Box<Place> {
        Place::new(self.bucket, self.key, self.version)
    }
}

/// The keys of a bucket that begin with a prefix, in the order of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// What each key begins with; may be empty.
    pub prefix: &'a [u8],
    /// Keys that have this after the prefix are listed as one folder.
    pub delimiter: Option<&'a str>,
    /// Only keys behind this one.
    pub after: Option<&'a [u8]>,
    /// Entries a page; S3 gives 1,000 at most, and as many by itself.
    pub page: Option<u32>,
}

impl<'a> Listing<'a> {
    /// All keys with a prefix.
    #[must_use]
    pub fn all(bucket: &'a str, prefix: &'a [u8]) -> Self {
        Self { bucket, prefix, delimiter: None, after: None, page: None }
    }

    /// How errors name it.
    pub(super) fn place(&self) -> Box<Place> {
        Place::new(self.bucket, self.prefix, None)
    }

    /// What a folder holds: its objects and its folders. The prefix is empty or ends with `/`.
    #[must_use]
    pub fn folder(bucket: &'a str, prefix: &'a [u8]) -> Self {
        Self { delimiter: Some("/"), ..Self::all(bucket, prefix) }
    }
}
