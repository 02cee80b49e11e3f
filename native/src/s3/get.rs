//! Objects: their heads, and their bodies into a sink.

use std::io::{self, Read};
use std::ops::Range;

use ureq::http::HeaderMap;

use super::ask::{Ask, Place};
use super::client::{Answer, Call, Client, Trials};
use super::error::Error;
use super::head::{Head, shown};
use super::wire::{Failed, explain_io};

/// What is read at once.
const PIECE: usize = 64 << 10;

/// Takes the body of an object.
pub trait Sink {
    /// What comes, before its first byte, once. An error refuses the body.
    ///
    /// # Errors
    /// When this is not what is wanted.
    fn begin(&mut self, _: &Head) -> io::Result<()> {
        Ok(())
    }

    /// The next bytes.
    ///
    /// # Errors
    /// When they cannot be taken.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A body in memory, up to a bound.
struct Memory {
    most: u64,
    bytes: Vec<u8>,
}

impl Sink for Memory {
    fn begin(&mut self, head: &Head) -> io::Result<()> {
        let length = head.range.end - head.range.start;
        if length > self.most {
            return Err(io::Error::other(format!("it has {length} bytes, and no more than {} are read", self.most)));
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

impl Client {
    /// Reads an object, or a part of it, into a sink.
    ///
    /// # Errors
    /// As [`Error`] says. Whatever the sink has taken by then is to be thrown away.
    pub fn get(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<Head, Error> {
        let mut reading = self.reading(ask)?;
        let at = || ask.place();
        sink.begin(reading.head()).map_err(|source| Error::Sink { at: at(), source })?;
        let range = &reading.head().range;
        let left = usize::try_from(range.end - range.start).unwrap_or(PIECE);
        let mut piece = vec![0; left.clamp(1, PIECE)];
        loop {
            match self.read(&mut reading, &mut piece)? {
                0 => return Ok(reading.into_head()),
                some => sink.take(&piece[..some]).map_err(|source| Error::Sink { at: at(), source })?,
            }
        }
    }

    /// Reads an object, or a part of it, into memory.
    ///
    /// # Errors
    /// As [`Client::get`], and when it has more bytes than `most`.
    pub fn get_bytes(&self, ask: &Ask<'_>, most: u64) -> Result<(Head, Vec<u8>), Error> {
        let mut memory = Memory { most, bytes: Vec::new() };
        let head = self.get(ask, &mut memory)?;
        Ok((head, memory.bytes))
    }

    /// Asks what an object is, without its bytes.
    ///
    /// # Errors
    /// As [`Error`] says. S3 gives no words with these answers: an archived object, for example, is none here.
    pub fn head(&self, ask: &Ask<'_>) -> Result<Head, Error> {
        let mut trials = self.trials(ask.place());
        let call = opening("HEAD", ask)?;
        loop {
            let answer = self.exchange(&call, &mut trials)?;
            let Some((answer, head)) = self.headed(answer, &mut trials)? else { continue };
            answer.permit.went_well();
            same(ask, &head)?;
            return Ok(head);
        }
    }
}

pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// An ETag as a header has it, which is one line.
pub(super) fn matched(etag: &str, at: &Place) -> Result<String, Error> {
    match etag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
        true => Ok(quoted(etag)),
        false => Err(Error::Settings(format!("{at} was asked for by what is no ETag"))),
    }
}

/// The request for an object before any of it came.
pub(super) fn opening<'a>(method: &'static str, ask: &Ask<'a>) -> Result<Call<'a>, Error> {
    if ask.key.is_empty() {
        return Err(Error::Settings(format!("{} names a bucket, not an object", ask.place())));
    }
    let mut headers = Vec::new();
    let mut query = Vec::new();
    match (&ask.range, ask.part) {
        (Some(range), None) if !range.is_empty() => headers.push(("range", range_header(range))),
        (None, Some(part)) => query.push(("partNumber", part.to_string().into_bytes())),
        (None, None) => {}
        _ => return Err(Error::Settings(format!("{}: no bytes were asked for, or a part's range", ask.place()))),
    }
    if let Some(etag) = ask.if_match {
        headers.push(("if-match", matched(etag, &ask.place())?));
    }
    if ask.checksums {
        headers.push(("x-amz-checksum-mode", "ENABLED".to_owned()));
    }
    query.extend(ask.version.map(|version| ("versionId", version.as_bytes().to_vec())));
    Ok(Call { method, bucket: ask.bucket, key: ask.key, query, headers, ..Call::default() })
}

pub(super) fn range_header(range: &Range<u64>) -> String {
    if range.end == u64::MAX {
        return format!("bytes={}-", range.start);
    }
    format!("bytes={}-{}", range.start, range.end - 1)
}

/// Whether this is the version that was asked for.
fn same(ask: &Ask<'_>, head: &Head) -> Result<(), Error> {
    let differs = |asked: Option<&str>, given: Option<&str>, what: &str| match (asked, given) {
        (Some(asked), Some(given)) if asked != given => {
            Err(Error::Changed { at: ask.place(), why: format!("{what} is {given}, and {asked} was asked for") })
        }
        _ => Ok(()),
    };
    differs(ask.if_match, head.etag.as_deref(), "its ETag")?;
    differs(ask.version, head.version.as_deref(), "its version")
}

/// Whether the first answer is what was asked for.
pub(super) fn expected(ask: &Ask<'_>, status: u16, head: &Head, trials: &Trials) -> Result<(), Error> {
    same(ask, head)?;
    let wire = |why: String| Error::Wire { at: ask.place(), attempts: trials.made(), why };
    match &ask.range {
        None if ask.part.is_none() && status != 200 => Err(wire(format!("the answer is only {}", shown(&head.range)))),
        None => Ok(()),
        Some(range) => {
            let wanted = range.start..range.end.min(head.length);
            if status == 206 && head.range == wanted {
                return Ok(());
            }
            let wanted = shown(&wanted);
            Err(wire(match status {
                200 => format!(
                    "{wanted} were asked for, and the whole object came: something on the way passes over ranges"
                ),
                _ => format!("{wanted} were asked for, and the answer is {}", shown(&head.range)),
            }))
        }
    }
}

/// Reads a body of unknown length, such as that of a list, up to a bound.
pub(super) fn whole(answer: &mut Answer, most: u64) -> Result<Vec<u8>, Failed> {
    let mut text = Vec::new();
    answer.body.as_reader().take(most + 1).read_to_end(&mut text).map_err(|error| explain_io(&error))?;
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if length > most {
        return Err(Failed { why: format!("the answer is longer than {most} bytes"), is_final: true });
    }
    match promised(&answer.headers) {
        Some(promised) if promised != length => {
            Err(Failed { why: format!("the answer has {length} of {promised} bytes"), is_final: false })
        }
        _ => Ok(text),
    }
}

fn promised(headers: &HeaderMap) -> Option<u64> {
    super::head::header(headers, "content-length")?.parse().ok()
}
