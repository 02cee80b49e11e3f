//! Long objects are written in parts, some of them side by side; the object is there once all of them are.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use highwater_core::digest::{Algorithm, Digest, Hasher};

use super::ask::Place;
use super::client::{Call, Client};
use super::error::Error;
use super::get::whole;
use super::head::MARK;
use super::payload::{Content, Payload};
use super::put::{Put, Stored, told};
use super::xml;

/// The length of a part, in bytes, unless there would be too many.
const PART: u64 = 16 << 20;

/// S3 takes no more parts of an object.
const MOST: u64 = 10_000;

/// Parts of one object that are under way at once.
const WAYS: u32 = 4;

/// A part's ETag as S3 told it, and its MD5.
type Part = (String, Digest);

/// Where the parts of an object go.
struct Upload<'a> {
    put: &'a Put<'a>,
    content: &'a dyn Content,
    id: String,
    /// Bytes of a part.
    step: u64,
    count: u32,
}

impl Client {
    pub(super) fn put_parts(&self, put: &Put<'_>, content: &dyn Content, mark: &str) -> Result<Stored, Error> {
        let length = content.length();
        let step = step(length);
        let count = u32::try_from(length.div_ceil(step)).map_err(|_| Error::Settings("too long".to_owned()))?;
        let upload = Upload { put, content, id: self.begin(put, mark)?, step, count };
        let stored = self.send_parts(&upload).and_then(|parts| self.complete(&upload, &parts, mark));
        if stored.is_err() {
            // What stays of it costs until the bucket's own rule ends it.
            let query = vec![("uploadId", upload.id.into_bytes())];
            let call = Call { method: "DELETE", bucket: put.bucket, key: put.key, query, ..Call::default() };
            self.tidy(&call, put.place());
        }
        stored
    }

    fn begin(&self, put: &Put<'_>, mark: &str) -> Result<String, Error> {
        let (query, headers) = (vec![("uploads", Vec::new())], vec![(MARK, mark.to_owned())]);
        let (bucket, key, guard) = (put.bucket, put.key, put.guard);
        let call = Call { method: "POST", bucket, key, query, headers, guard, ..Call::default() };
        let mut trials = self.trials(put.place());
        loop {
            let mut answer = self.exchange(&call, &mut trials)?;
            let failed = match self.outcome(&mut answer, put.place())? {
                Ok(text) => match leaf(&text, "InitiateMultipartUploadResult", "UploadId") {
                    Some(id) => return Ok(id),
                    None => "the answer does not say what the upload is called".to_owned(),
                },
                Err(failed) => failed.why,
            };
            drop(answer);
            self.again(super::wire::Failed { why: failed, is_final: false }, &mut trials)?;
        }
    }

    /// Sends all parts; gives what S3 said of each, in order.
    fn send_parts(&self, upload: &Upload<'_>) -> Result<Vec<Part>, Error> {
        let (next, done) = (AtomicU32::new(0), Mutex::new(Vec::new()));
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= upload.count {
                    return;
                }
                let sent = self.send_part(upload, number);
                if sent.is_err() {
                    // Nobody begins another.
                    next.store(upload.count, Ordering::Relaxed);
                }
                done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, sent));
            }
        };
        thread::scope(|scope| {
            for _ in 1..WAYS.min(upload.count) {
                // Where no thread can be started, this one does all.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, sent)| sent).collect()
    }

    fn send_part(&self, upload: &Upload<'_>, number: u32) -> Result<Part, Error> {
        let Upload { put, content, id, step, .. } = upload;
        let start = u64::from(number) * step;
        let payload = Payload::new(*content, start..(start + step).min(content.length()), &put.place())?;
        let md5 = payload.md5;
        let query = vec![("partNumber", (number + 1).to_string().into_bytes()), ("uploadId", id.as_bytes().to_vec())];
        let headers = vec![payload.content_md5()];
        let (bucket, key, guard) = (put.bucket, put.key, put.guard);
        let call = Call { method: "PUT", bucket, key, query, headers, body: Some(payload), guard };
        let mut answer = self.exchange(&call, &mut self.trials(put.place()))?;
        let _ = whole(&mut answer, 64 << 10);
        answer.permit.went_well();
        let at = || put.place();
        match told(&answer) {
            (Some(etag), _, is_md5) if is_md5 && etag.len() == 32 && etag != md5.to_string() => {
                Err(Error::Garbled { at: at(), stored: etag, sent: md5.to_string() })
            }
            (Some(etag), ..) => Ok((etag, md5)),
            (None, ..) => Err(Error::Wire { at: at(), attempts: 1, why: "S3 does not say a part's ETag".to_owned() }),
        }
    }

    fn complete(&self, upload: &Upload<'_>, parts: &[Part], mark: &str) -> Result<Stored, Error> {
        let put = upload.put;
        let mut text = "<CompleteMultipartUpload>".to_owned();
        let mut sums = Hasher::new(Algorithm::Md5);
        for (number, (etag, md5)) in (1..).zip(parts) {
            let etag = etag.replace('&', "&amp;").replace('<', "&lt;");
            // A string takes whatever is written.
            let _ = write!(text, "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>");
            sums.update(md5.as_bytes());
        }
        text.push_str("</CompleteMultipartUpload>");
        let ours = format!("{}-{}", sums.finish(), parts.len());
        let bytes = text.as_bytes();
        let content = Bytes(bytes);
        let payload = Payload::new(&content, 0..content.length(), &put.place())?;
        let (query, headers) = (vec![("uploadId", upload.id.as_bytes().to_vec())], vec![put.condition()?]);
        let (bucket, key, guard) = (put.bucket, put.key, put.guard);
        let call = Call { method: "POST", bucket, key, query, headers, body: Some(payload), guard };
        let mut trials = self.trials(put.place());
        let error = loop {
            let mut answer = match self.exchange(&call, &mut trials) {
                Ok(answer) => answer,
                Err(Error::Changed { .. }) if trials.made() < 2 => return Err(put.changed()),
                Err(error) => break error,
            };
            let failed = match self.outcome(&mut answer, put.place()) {
                Ok(Ok(text)) => {
                    let (_, version, _) = told(&answer);
                    match leaf(&text, "CompleteMultipartUploadResult", "ETag") {
                        Some(etag) => return Ok(Stored { etag: etag.trim_matches('"').to_owned(), version }),
                        None => break put.untold(trials.made()),
                    }
                }
                Ok(Err(failed)) => failed,
                Err(error) => break error,
            };
            drop(answer);
            if let Err(error) = self.again(failed, &mut trials) {
                break error;
            }
        };
        // An upload that was completed is not there any more.
        self.settled(put, (&ours, mark), error)
    }
}

/// The ETag that a content has which is written in parts.
pub(super) fn etag(content: &dyn Content, at: &Place) -> Result<String, Error> {
    let (length, mut sums) = (content.length(), Hasher::new(Algorithm::Md5));
    let step = step(length);
    let starts = (0..length.div_ceil(step)).map(|number| number * step);
    for start in starts {
        sums.update(Payload::new(content, start..(start + step).min(length), at)?.md5.as_bytes());
    }
    Ok(format!("{}-{}", sums.finish(), length.div_ceil(step)))
}

/// How long the parts are of so many bytes.
fn step(length: u64) -> u64 {
    PART.max(length.div_ceil(MOST).next_multiple_of(1 << 20))
}

struct Bytes<'a>(&'a [u8]);

impl Content for Bytes<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_at(at, buffer)
    }
}

/// The text of an element of a document.
fn leaf(document: &[u8], root: &str, name: &str) -> Option<String> {
    let mut found = None;
    let read = xml::leaves(std::str::from_utf8(document).ok()?, |path, text| {
        if *path == [root, name] {
            found = Some(text.to_owned());
        }
        Ok(())
    });
    found.filter(|text| read.is_ok() && !text.is_empty())
}
