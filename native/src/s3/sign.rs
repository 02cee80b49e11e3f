//! AWS Signature Version 4 as S3 takes it: over the path as it is sent, encoded once.
//!
//! Source: "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference, and AWS's test suite.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::credentials::Credentials;

/// The SHA-256 of no bytes: the body of every request that reads.
pub const NO_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request as it is signed, and sent.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// The query without `?`, encoded, each with a `=`, sorted.
    pub query: &'a str,
    /// Names in lower case, sorted, each once; values without blanks at their ends.
    pub headers: &'a [(&'a str, &'a str)],
    /// The SHA-256 of the body in hexadecimal digits.
    pub body: &'a str,
}

/// Signs for one service, and keeps the key that it made for a day and region.
#[derive(Debug)]
pub struct Signer {
    service: &'static str,
    last: Mutex<Option<Arc<Key>>>,
}

/// What a secret becomes for one day and region.
struct Key {
    id: String,
    day: String,
    region: String,
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, {}, {})", self.id, self.day, self.region)
    }
}

/// A second as `x-amz-date` has it: `20150830T123600Z`. Seconds that no calendar has are those of 1970.
#[must_use]
pub fn date(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn sum(mut mac: Hmac<Sha256>, data: &str) -> [u8; 32] {
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        // A string takes whatever is written.
        let _ = write!(out, "{byte:02x}");
    }
}

impl Signer {
    /// For a service, as the scope names it: `s3`.
    #[must_use]
    pub fn new(service: &'static str) -> Self {
        Self { service, last: Mutex::new(None) }
    }

    /// The value of `Authorization`. `date` is the one that stands among the headers as `x-amz-date`.
    #[must_use]
    pub fn authorization(&self, who: &Credentials, date: &str, region: &str, request: &Signed<'_>) -> String {
        let day = date.get(..8).unwrap_or_default();
        let service = self.service;
        let (canonical, names) = canonical(request);
        let mut text = format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n");
        hex(&Sha256::digest(canonical.as_bytes()), &mut text);
        let id = who.id();
        let mut value = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{day}/{region}/{service}/aws4_request, SignedHeaders={names}, Signature="
        );
        hex(&sum(self.key(who, day, region).mac.clone(), &text), &mut value);
        value
    }

    fn key(&self, who: &Credentials, day: &str, region: &str) -> Arc<Key> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(key) if key.id == who.id() && key.day == day && key.region == region => Arc::clone(key),
            _ => {
                let key = Arc::new(Key {
                    id: who.id().to_owned(),
                    day: day.to_owned(),
                    region: region.to_owned(),
                    mac: mac(&derived(who, day, region, self.service)),
                });
                *last = Some(Arc::clone(&key));
                key
            }
        }
    }
}

fn derived(who: &Credentials, day: &str, region: &str, service: &str) -> [u8; 32] {
    let secret = zeroize::Zeroizing::new(format!("AWS4{}", who.secret()));
    let of_day = sum(mac(secret.as_bytes()), day);
    let of_region = sum(mac(&of_day), region);
    let of_service = sum(mac(&of_region), service);
    sum(mac(&of_service), "aws4_request")
}

/// The canonical request, and the names of the signed headers in it.
fn canonical(request: &Signed<'_>) -> (String, String) {
    let Signed { method, path, query, headers, body } = request;
    let mut names = String::new();
    let mut text = format!("{method}\n{path}\n{query}\n");
    for (name, value) in *headers {
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
        text.push_str(name);
        text.push(':');
        // Runs of blanks inside a value count as one.
        for (at, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        text.push('\n');
    }
    let _ = write!(text, "\n{names}\n{body}");
    (text, names)
}
