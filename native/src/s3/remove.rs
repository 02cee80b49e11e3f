//! Objects are deleted, and copied within S3. Where a bucket has versions, what was there stays behind a marker.

use super::ask::Ask;
use super::client::{Call, Client, Guard};
use super::encode;
use super::error::Error;
use super::get::{matched, whole};
use super::put::{Put, Stored, told};

impl Client {
    /// Deletes the latest version of an object, or puts a marker before it. One that is not there is no error.
    ///
    /// # Errors
    /// As [`Error`] says; [`Error::Changed`] when it has another ETag than asked for, where the server looks.
    pub fn remove(&self, ask: &Ask<'_>, guard: Option<Guard<'_>>) -> Result<(), Error> {
        if ask.key.is_empty() {
            return Err(Error::Settings(format!("{} names a bucket, not an object", ask.place())));
        }
        let headers = ask.if_match.map(|etag| Ok(("if-match", matched(etag, &ask.place())?))).transpose()?;
        let headers = headers.into_iter().collect();
        let call = Call { method: "DELETE", bucket: ask.bucket, key: ask.key, headers, guard, ..Call::default() };
        let mut trials = self.trials(ask.place());
        match self.exchange(&call, &mut trials) {
            Ok(mut answer) => {
                let _ = whole(&mut answer, 64 << 10);
                answer.permit.went_well();
                Ok(())
            }
            Err(Error::NotFound { what: super::Missing::Key, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Copies an object of up to 5 GiB within its bucket, as `put` says where to; S3 moves the bytes.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn copy(&self, from: &Ask<'_>, put: &Put<'_>) -> Result<Stored, Error> {
        let mut source = format!("/{}/", from.bucket);
        encode::path(from.key, &mut source);
        let mut headers = vec![put.condition()?, ("x-amz-copy-source", source)];
        if let Some(etag) = from.if_match {
            headers.push(("x-amz-copy-source-if-match", matched(etag, &from.place())?));
        }
        let (bucket, key, guard) = (put.bucket, put.key, put.guard);
        let call = Call { method: "PUT", bucket, key, headers, guard, ..Call::default() };
        let mut trials = self.trials(put.place());
        loop {
            let mut answer = self.exchange(&call, &mut trials)?;
            match self.outcome(&mut answer, put.place())? {
                Ok(_) => {
                    let version = told(&answer).1;
                    let head = self.head(&Ask::latest(bucket, key))?;
                    return Ok(Stored { etag: head.etag.unwrap_or_default(), version });
                }
                Err(failed) => {
                    drop(answer);
                    self.again(failed, &mut trials)?;
                }
            }
        }
    }
}
