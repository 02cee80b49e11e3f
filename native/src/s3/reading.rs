//! `Reading`: the body of an object as it comes, from one version only however often its connection breaks.

use std::io::{self, Read};

use ureq::BodyReader;

use super::ask::{Ask, Place};
use super::client::{Answer, Call, Client, Trials};
use super::error::Error;
use super::get::{expected, opening, quoted, range_header};
use super::head::{Head, shown};
use super::limit::Permit;
use super::wire::{Failed, explain_io};

/// A body that has grown by so much has got somewhere.
const STRIDE: u64 = 8 << 20;

/// The body of an object, or of a part of it: as much of it was read as somebody has taken.
pub struct Reading {
    trials: Trials,
    head: Head,
    /// The next byte of the object.
    next: u64,
    /// Where it was when it last got somewhere.
    mark: u64,
    /// What comes; none once it broke, and at the end.
    body: Option<BodyReader<'static>>,
    permit: Option<Permit>,
    /// It does not count as in flight, nor does what takes it up again.
    landed: bool,
}

impl Reading {
    /// What came before the first byte.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Counts it as in flight no longer: whoever reads it does other things meanwhile.
    pub fn lands(&mut self) {
        self.landed = true;
        self.permit.take().iter().for_each(Permit::went_well);
    }

    pub(super) fn into_head(self) -> Head {
        self.head
    }

    /// Whether an answer goes on exactly where the body broke.
    fn resumed(&self, head: &Head) -> Result<(), Error> {
        let wanted = self.next..self.head.range.end;
        let why = match self.head.differs(head) {
            Some(difference) => format!("it changed while it was read: {difference}"),
            None if head.range != wanted => {
                format!("its body broke, {} were left, and the answer is {}", shown(&wanted), shown(&head.range))
            }
            None => return Ok(()),
        };
        Err(Error::Changed { at: self.trials.at.clone(), why })
    }

    fn goes_on(&mut self, answer: Answer) {
        self.body = Some(answer.body.into_reader());
        self.permit = Some(answer.permit);
        if self.landed {
            self.lands();
        }
        self.ends();
    }

    fn ends(&mut self) {
        if self.next == self.head.range.end {
            // The end must be seen for the connection to be kept; what fails here only costs that.
            let _ = self.body.take().map(|mut body| body.read(&mut [0]));
            self.lands();
        }
    }
}

/// The request for what is left of a body, from that version or not at all.
fn rest<'a>(at: &'a Place, head: &'a Head, next: u64) -> Call<'a> {
    let mut headers = vec![("range", range_header(&(next..head.range.end)))];
    headers.extend(head.etag.as_deref().map(|etag| ("if-match", quoted(etag))));
    let version = at.version.as_deref().or(head.version.as_deref());
    let query = version.map(|version| ("versionId", version.as_bytes().to_vec()));
    let query = query.into_iter().collect();
    Call { method: "GET", bucket: &at.bucket, key: &at.key, query, headers, ..Call::default() }
}

impl Client {
    /// Begins to read an object, or a part of it. Its body is taken by [`Client::read`].
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn reading(&self, ask: &Ask<'_>) -> Result<Reading, Error> {
        let mut trials = self.trials(ask.place());
        let call = opening("GET", ask)?;
        loop {
            let answer = self.exchange(&call, &mut trials)?;
            let Some((answer, head)) = self.headed(answer, &mut trials)? else { continue };
            expected(ask, answer.status, &head, &trials)?;
            let next = head.range.start;
            let mut reading = Reading { trials, head, next, mark: next, body: None, permit: None, landed: false };
            reading.goes_on(answer);
            return Ok(reading);
        }
    }

    /// Takes the next bytes of a body, some or as many as there is room for; 0 at its end. Where it breaks, it is taken
    /// up again.
    ///
    /// # Errors
    /// As [`Error`] says. Whatever was taken by then is to be thrown away.
    pub fn read(&self, reading: &mut Reading, buffer: &mut [u8]) -> Result<usize, Error> {
        let end = reading.head.range.end;
        while reading.next < end {
            self.go_on()?;
            let failed = match &mut reading.body {
                None => {
                    let at = reading.trials.at.clone();
                    let answer = self.exchange(&rest(&at, &reading.head, reading.next), &mut reading.trials)?;
                    if let Some((answer, head)) = self.headed(answer, &mut reading.trials)? {
                        reading.resumed(&head)?;
                        reading.goes_on(answer);
                    }
                    continue;
                }
                Some(body) => match body.read(buffer) {
                    Ok(0) => Failed { why: "the body ended too early".to_owned(), is_final: false },
                    Ok(some) => {
                        let after = reading.next.saturating_add(some as u64);
                        if after <= end {
                            self.took(reading, some, after);
                            return Ok(some);
                        }
                        Failed { why: "the body is longer than it should be".to_owned(), is_final: true }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => explain_io(&error),
                },
            };
            (reading.body, reading.permit) = (None, None);
            let is_known = reading.head.etag.is_some() || reading.head.version.is_some();
            let failed = if is_known {
                failed
            } else {
                let why = failed.why;
                let why = format!("{why}, and the body cannot be taken up again without an ETag or a version");
                Failed { why, is_final: true }
            };
            self.again(failed, &mut reading.trials)?;
        }
        Ok(0)
    }

    fn took(&self, reading: &mut Reading, some: usize, after: u64) {
        reading.next = after;
        if after - reading.mark >= STRIDE {
            reading.mark = after;
            reading.trials.got_somewhere();
        }
        self.pace(some);
        reading.ends();
    }

    /// An answer with its head; none when that makes no sense, and another is to be asked for.
    pub(super) fn headed(&self, answer: Answer, trials: &mut Trials) -> Result<Option<(Answer, Head)>, Error> {
        match Head::read(answer.status, &answer.headers) {
            Ok(head) => Ok(Some((answer, head))),
            Err(why) => {
                drop(answer);
                self.again(Failed { why, is_final: false }, trials).map(|()| None)
            }
        }
    }
}
