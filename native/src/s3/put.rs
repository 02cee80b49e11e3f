//! Objects are written: under a name that is free, or in the place of what the writer knows.

use super::answer::Refusal;
use super::ask::{Ask, Place};
use super::client::{Answer, Call, Client, Guard};
use super::error::Error;
use super::get::{matched, whole};
use super::head::{Head, MARK, header};
use super::parts;
use super::payload::{Content, Payload};
use super::wire::Failed;
use crate::random;

/// What is longer goes in parts, in bytes.
pub(super) const WHOLE: u64 = 32 << 20;

/// No answer to what writes is longer, in bytes.
const ANSWER: u64 = 64 << 10;

/// What must be there for an object to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under<'a> {
    /// Nothing of that name.
    Free,
    /// The object with this ETag, without quotes; it is replaced.
    Of(&'a str),
}

/// An object that is to be written.
#[derive(Clone, Copy)]
pub struct Put<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key, which is not empty.
    pub key: &'a [u8],
    /// What must be there.
    pub under: Under<'a>,
    /// What must hold whenever something is sent.
    pub guard: Option<Guard<'a>>,
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its ETag, without quotes.
    pub etag: String,
    /// Its version, where the bucket has versions.
    pub version: Option<String>,
}

impl Put<'_> {
    pub(super) fn place(&self) -> Box<Place> {
        Place::new(self.bucket, self.key, None)
    }

    /// The header that says what must be there.
    pub(super) fn condition(&self) -> Result<(&'static str, String), Error> {
        Ok(match self.under {
            Under::Free => ("if-none-match", "*".to_owned()),
            Under::Of(etag) => ("if-match", matched(etag, &self.place())?),
        })
    }

    /// The error when that is not there.
    pub(super) fn changed(&self) -> Error {
        let why = match self.under {
            Under::Free => "another object has this name by now",
            Under::Of(_) => "another object came in its place meanwhile",
        };
        Error::Changed { at: self.place(), why: why.to_owned() }
    }

    /// The error when an answer that says that it went well tells no ETag.
    pub(super) fn untold(&self, attempts: u32) -> Error {
        Error::Wire { at: self.place(), attempts, why: "S3 did not say what it stored".to_owned() }
    }
}

impl Client {
    /// Writes an object. It is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Changed`] when what must be there is not; [`Error::Garbled`] when S3 stored something else, which was
    /// removed if the name was free before; else as [`Error`] says: then it may be there or not.
    pub fn put(&self, put: &Put<'_>, content: &(impl Content + ?Sized)) -> Result<Stored, Error> {
        self.put_dyn(put, &By(content))
    }

    /// Whether the object that is there was made of these bytes, as far as its ETag tells.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn has(&self, ask: &Ask<'_>, content: &(impl Content + ?Sized)) -> Result<Option<Stored>, Error> {
        let head = match self.head(ask) {
            Ok(head) => head,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let content = By(content);
        let ours = match content.length() {
            0..=WHOLE => Payload::new(&content, 0..content.length(), &ask.place())?.md5.to_string(),
            _ => parts::etag(&content, &ask.place())?,
        };
        let is_it = head.length == content.length() && head.etag.as_ref() == Some(&ours);
        Ok(is_it.then_some(Stored { etag: ours, version: head.version }))
    }

    fn put_dyn(&self, put: &Put<'_>, content: &dyn Content) -> Result<Stored, Error> {
        if put.key.is_empty() {
            return Err(Error::Settings(format!("{} names a bucket, not an object", put.place())));
        }
        let mark = random::bytes::<16>().map_err(|error| Error::Settings(error.to_string()))?;
        let mark: String = mark.iter().map(|byte| format!("{byte:02x}")).collect();
        if content.length() > WHOLE {
            return self.put_parts(put, content, &mark);
        }
        let payload = Payload::new(content, 0..content.length(), &put.place())?;
        let ours = payload.md5.to_string();
        let headers = vec![put.condition()?, payload.content_md5(), (MARK, mark.clone())];
        let (bucket, key, guard) = (put.bucket, put.key, put.guard);
        let call = Call { method: "PUT", bucket, key, headers, body: Some(payload), guard, ..Call::default() };
        let mut trials = self.trials(put.place());
        let (etag, version, is_md5) = match self.exchange(&call, &mut trials) {
            Ok(mut answer) => {
                // The end must be seen for the connection to be kept; what fails here only costs that.
                let _ = whole(&mut answer, ANSWER);
                answer.permit.went_well();
                told(&answer)
            }
            // Without another attempt, nothing of ours can be there.
            Err(Error::Changed { .. }) if trials.made() < 2 => return Err(put.changed()),
            Err(error) => return self.settled(put, (&ours, &mark), error),
        };
        match etag {
            Some(etag) if is_md5 && etag.len() == ours.len() && etag != ours => {
                if put.under == Under::Free {
                    // It has the name, and is not what it should be.
                    let _ = self.remove(&Ask { if_match: Some(&etag), ..Ask::latest(bucket, key) }, guard);
                }
                Err(Error::Garbled { at: put.place(), stored: etag, sent: ours })
            }
            Some(etag) => Ok(Stored { etag, version }),
            None => self.settled(put, (&ours, &mark), put.untold(trials.made())),
        }
    }

    /// Looks whether what no answer told of is there: by its ETag, or by its mark, where S3 makes the ETag of something
    /// else. `error` is what is wrong if it is not.
    pub(super) fn settled(&self, put: &Put<'_>, (etag, mark): (&str, &str), error: Error) -> Result<Stored, Error> {
        if matches!(error, Error::Interrupted | Error::Sink { .. } | Error::Settings(_) | Error::Credentials(_)) {
            return Err(error);
        }
        match self.head(&Ask::latest(put.bucket, put.key)) {
            Ok(Head { etag: Some(there), mark: marked, version, .. })
                if there == etag || marked.as_deref() == Some(mark) =>
            {
                Ok(Stored { etag: there, version })
            }
            _ if matches!(error, Error::Changed { .. }) => Err(put.changed()),
            _ => Err(error),
        }
    }

    /// Reads what S3 says of what it did, which may be an error though the status says otherwise; none: it is to be
    /// asked again.
    pub(super) fn outcome(&self, answer: &mut Answer, at: Box<Place>) -> Result<Result<Vec<u8>, Failed>, Error> {
        let text = match whole(answer, ANSWER) {
            Ok(text) => text,
            Err(failed) => return Ok(Err(failed)),
        };
        let mut refusal = Refusal { status: 500, ..Refusal::default() };
        refusal.read(&text);
        match refusal.code.as_str() {
            "" => {
                answer.permit.went_well();
                Ok(Ok(text))
            }
            "InternalError" | "SlowDown" | "ServiceUnavailable" => {
                Ok(Err(Failed { why: format!("S3 said {}", refusal.code), is_final: false }))
            }
            "PreconditionFailed" => Err(Error::Changed { at, why: "another object has this name by now".to_owned() }),
            _ => Err(refusal.error(at, false, 1)),
        }
    }
}

/// The ETag and version that an answer tells, and whether the ETag is an MD5.
pub(super) fn told(answer: &Answer) -> (Option<String>, Option<String>, bool) {
    let get = |name| header(&answer.headers, name).filter(|text| !text.is_empty());
    let etag = get("etag").map(|etag| etag.trim_matches('"').to_owned()).filter(|etag| !etag.is_empty());
    let is_secret = get("x-amz-server-side-encryption").is_some_and(|how| how.starts_with("aws:"));
    let is_secret = is_secret || get("x-amz-server-side-encryption-customer-algorithm").is_some();
    (etag, get("x-amz-version-id").map(ToOwned::to_owned), !is_secret)
}

/// Any content, as one.
struct By<'a, C: ?Sized>(&'a C);

impl<C: Content + ?Sized> Content for By<'_, C> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_at(at, buffer)
    }
}
