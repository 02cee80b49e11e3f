//! `Payload`: the body of a request that writes, with its sums; it is read anew for each attempt.

use std::io::{self, Read};
use std::ops::Range;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use highwater_core::digest::{Algorithm, Digest, Hasher};

use super::ask::Place;
use super::client::Client;
use super::error::Error;

/// What is read at once.
const PIECE: usize = 64 << 10;

/// What is to be written. It must stay the same until it is.
pub trait Content: Sync {
    /// In bytes.
    fn length(&self) -> u64;

    /// Reads some bytes at an offset; 0 at the end.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Content for [u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let some = rest.len().min(buffer.len());
        buffer[..some].copy_from_slice(&rest[..some]);
        Ok(some)
    }
}

/// Some bytes of a content.
pub(super) struct Payload<'a> {
    content: &'a dyn Content,
    range: Range<u64>,
    /// In hexadecimal digits.
    pub(super) sha256: String,
    pub(super) md5: Digest,
}

impl<'a> Payload<'a> {
    /// Reads them once, for their sums.
    pub(super) fn new(content: &'a dyn Content, range: Range<u64>, at: &Place) -> Result<Self, Error> {
        let (mut sha256, mut md5) = (Hasher::new(Algorithm::Sha256), Hasher::new(Algorithm::Md5));
        let (mut next, mut piece) = (range.start, vec![0; PIECE]);
        while next < range.end {
            let room = usize::try_from(range.end - next).unwrap_or(PIECE).min(PIECE);
            let read = content.read_at(next, &mut piece[..room]).and_then(|read| match read {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                read => Ok(read),
            });
            let read = read.map_err(|source| Error::Sink { at: Box::new(at.clone()), source })?;
            sha256.update(&piece[..read]);
            md5.update(&piece[..read]);
            next += read as u64;
        }
        Ok(Self { content, range, sha256: sha256.finish().to_string(), md5: md5.finish() })
    }

    pub(super) fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// The MD5 as its header has it.
    pub(super) fn content_md5(&self) -> (&'static str, String) {
        ("content-md5", BASE64_STANDARD.encode(self.md5.as_bytes()))
    }
}

/// A payload on its way.
pub(super) struct Sending<'a> {
    payload: &'a Payload<'a>,
    next: u64,
    client: &'a Client,
}

impl<'a> Sending<'a> {
    pub(super) fn new(payload: &'a Payload<'a>, client: &'a Client) -> Self {
        Self { payload, next: payload.range.start, client }
    }
}

impl Read for Sending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.payload.range.end - self.next).unwrap_or(usize::MAX);
        let room = left.min(buffer.len());
        if room == 0 {
            return Ok(0);
        }
        self.client.go_on().map_err(io::Error::other)?;
        let read = self.payload.content.read_at(self.next, &mut buffer[..room])?;
        self.next += read as u64;
        self.client.pace(read);
        Ok(read)
    }
}
