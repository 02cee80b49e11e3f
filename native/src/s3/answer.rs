//! What an answer that is no success means, and what helps.

use super::ask::Place;
use super::error::{Error, Missing};
use super::xml;

/// What S3 says when it does not give what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `x-amz-bucket-region`, or the region that the body names.
    pub region: Option<String>,
    /// `x-amz-delete-marker: true`.
    pub marker: bool,
    /// `Retry-After` in seconds.
    pub after: Option<u64>,
    /// `Date` in seconds since 1970.
    pub clock: Option<i64>,
    /// S3's code; a `HEAD` has none.
    pub code: String,
    /// S3's words.
    pub message: String,
}

/// What helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Stop,
    /// Another attempt, later; not before so many seconds.
    Later(u64),
    /// The same, and fewer requests at once.
    Slower(u64),
    /// To ask in another region.
    Region(String),
    /// Other credentials.
    Renew,
    /// The server's time, in seconds since 1970.
    Clock(i64),
}

/// No server is waited for longer, whatever it says.
const LONGEST: u64 = 60;

impl Refusal {
    /// Reads code, words and region off a body; what is no XML of S3's gives none.
    pub fn read(&mut self, body: &[u8]) {
        let Ok(text) = std::str::from_utf8(body) else { return };
        let mut region = None;
        let (mut code, mut message) = (String::new(), String::new());
        let read = xml::leaves(text, |path, text| {
            match path {
                ["Error", "Code"] => text.clone_into(&mut code),
                ["Error", "Message"] => message = text.chars().take(300).collect(),
                ["Error", "Region"] => region = Some(text.to_owned()),
                _ => {}
            }
            Ok(())
        });
        if read.is_ok() {
            (self.code, self.message) = (code, message);
            self.region = self.region.take().or(region);
        }
    }

    /// What helps, if the request went to this region.
    #[must_use]
    pub fn then(&self, region: &str) -> Then {
        let after = self.after.unwrap_or(0).min(LONGEST);
        match (self.status, self.code.as_str()) {
            (429 | 503, _) | (_, "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded") => {
                Then::Slower(after)
            }
            (500 | 502 | 504 | 408, _) | (_, "RequestTimeout" | "InternalError") => Then::Later(after),
            // Another writes the same name just now.
            (409, "ConditionalRequestConflict" | "OperationAborted") => Then::Later(after),
            // The body did not come over whole.
            (400, "BadDigest" | "XAmzContentSHA256Mismatch" | "IncompleteBody") => Then::Later(after),
            (_, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired") => Then::Renew,
            (403, "RequestTimeTooSkewed") => self.clock.map_or(Then::Stop, Then::Clock),
            (301 | 302 | 307 | 308 | 400, _) => match &self.region {
                Some(other) if other != region => Then::Region(other.clone()),
                // A HEAD does not say why: it may be that the credentials have expired.
                _ if self.status == 400 && self.code.is_empty() => Then::Renew,
                _ => Then::Stop,
            },
            _ => Then::Stop,
        }
    }

    /// The error that it is, if nothing helps.
    #[must_use]
    pub fn error(self, at: Box<Place>, anonymous: bool, attempts: u32) -> Error {
        let Self { status, code, message, marker, .. } = self;
        let missing = |what, at| Error::NotFound { at, what };
        match (status, code.as_str()) {
            (404 | 405, _) if marker && at.version.is_some() => missing(Missing::Marker, at),
            (404, "NoSuchBucket") => missing(Missing::Bucket, at),
            (404, "NoSuchVersion") => missing(Missing::Version, at),
            (404, _) if at.key.is_empty() => missing(Missing::Bucket, at),
            (404, _) if at.version.is_some() && code != "NoSuchKey" => missing(Missing::Version, at),
            (404, _) => missing(Missing::Key, at),
            (403, "InvalidObjectState") => Error::Archived { at },
            (401 | 403, _) => Error::Forbidden { at, code, message, anonymous },
            (412, _) => Error::Changed { at, why: "it is no longer what it was when it was listed".to_owned() },
            (429 | 503, _) => Error::Throttled { at, attempts },
            _ => Error::Other { at, status, code, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_and_what_it_is() {
        let place = || Place::new("b", b"k", Some("v"));
        let told = |status, code: &str| {
            let mut refusal = Refusal { status, ..Refusal::default() };
            refusal
                .read(format!("<Error><Code>{code}</Code><Message>m</Message><Region>r2</Region></Error>").as_bytes());
            refusal
        };
        assert_eq!(told(400, "AuthorizationHeaderMalformed").then("r1"), Then::Region("r2".to_owned()));
        assert_eq!(told(400, "AuthorizationHeaderMalformed").then("r2"), Then::Stop);
        assert_eq!(Refusal { status: 400, ..Refusal::default() }.then("r1"), Then::Renew);
        assert_eq!(told(400, "RequestTimeout").then("r1"), Then::Later(0));
        assert_eq!(told(400, "ExpiredToken").then("r1"), Then::Renew);
        assert_eq!(told(503, "SlowDown").then("r1"), Then::Slower(0));
        assert_eq!(told(403, "AccessDenied").then("r1"), Then::Stop);
        assert_eq!(Refusal { status: 503, after: Some(u64::MAX), ..Refusal::default() }.then("r"), Then::Slower(60));
        let kind = |status, code: &str| told(status, code).error(place(), false, 1);
        assert!(matches!(kind(403, "InvalidObjectState"), Error::Archived { .. }));
        assert!(matches!(kind(404, "NoSuchVersion"), Error::NotFound { what: Missing::Version, .. }));
        assert!(matches!(kind(404, "NoSuchKey"), Error::NotFound { what: Missing::Key, .. }));
        assert!(matches!(kind(412, "PreconditionFailed"), Error::Changed { .. }));
        assert_eq!(kind(403, "X").to_string(), "s3://b/k?versionId=v: access is denied (X: m)");
        assert_eq!(kind(418, "").to_string(), "s3://b/k?versionId=v: S3 answered 418 (m)");
        let mut broken = Refusal::default();
        broken.read(b"<Error><Code>SlowDown</Code>");
        assert_eq!(broken.code, "");
    }
}
