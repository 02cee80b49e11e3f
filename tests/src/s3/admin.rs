//! `Admin`: fills a server over the wire, with requests and signatures that are not the product's.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use highwater::s3::sign::date;
use sha2::{Digest, Sha256};

use super::signature::{self, Covered};
use super::text::{encode, hex};
use super::{KEY, Listed, REGION, SECRET, versions};

/// No server is waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts and deletes, each over a connection of its own.
#[derive(Debug, Clone, Copy)]
pub struct Admin {
    address: SocketAddr,
}

/// What a server said.
#[derive(Debug)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What stood behind the headers, with the framing of chunks if there was one.
    pub body: Vec<u8>,
}

impl Said {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body without the framing of chunks.
    fn whole(&self) -> Vec<u8> {
        if self.header("transfer-encoding") != Some("chunked") {
            return self.body.clone();
        }
        let (mut whole, mut rest) = (Vec::new(), self.body.as_slice());
        loop {
            let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a chunk has a length");
            let length = std::str::from_utf8(&rest[..end]).ok().and_then(|hex| usize::from_str_radix(hex, 16).ok());
            let length = length.expect("a chunk has a length");
            if length == 0 {
                return whole;
            }
            whole.extend_from_slice(&rest[end + 2..][..length]);
            rest = &rest[end + 2 + length + 2..];
        }
    }
}

impl Admin {
    /// Of the server that listens there.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Make a bucket, with versions or without.
    #[track_caller]
    pub fn bucket(&self, name: &str, versioned: bool) {
        let said = self.make(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(said.status == 200, "{name}: {} {}", said.status, String::from_utf8_lossy(&said.body));
        if versioned {
            self.keep_versions(name);
        }
    }

    /// From now on the bucket keeps what is overwritten.
    #[track_caller]
    pub fn keep_versions(&self, bucket: &str) {
        let text = b"<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Status>Enabled</Status></VersioningConfiguration>";
        self.must("PUT", &format!("/{bucket}?versioning="), text);
    }

    /// Make a bucket, if the server is there.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn make(&self, name: &str) -> io::Result<Said> {
        let text = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.ask("PUT", &format!("/{name}"), text.as_bytes())
    }

    /// Put an object; gives its version where there are versions.
    ///
    /// # Errors
    /// The server's own words, where it does not take it.
    pub fn put(&self, bucket: &str, key: &[u8], body: &[u8]) -> Result<Option<String>, String> {
        let said = self.ask("PUT", &target(bucket, key), body).map_err(|error| error.to_string())?;
        match said.status {
            200 => Ok(said.header("x-amz-version-id").map(ToOwned::to_owned)),
            status => Err(format!("{status}: {}", String::from_utf8_lossy(&said.body))),
        }
    }

    /// Put an object in parts of so many bytes, of which S3 wants 5 MiB at least.
    #[track_caller]
    pub fn put_parts(&self, bucket: &str, key: &[u8], body: &[u8], part: usize) {
        let target = target(bucket, key);
        let begun = self.must("POST", &format!("{target}?uploads="), b"");
        let upload = versions::value(&begun.whole(), "UploadId").expect("an upload has a name");
        let upload = encode(&upload, false);
        let mut parts = String::new();
        for (number, bytes) in (1..).zip(body.chunks(part)) {
            let said = self.must("PUT", &format!("{target}?partNumber={number}&uploadId={upload}"), bytes);
            let etag = said.header("etag").expect("a part has an ETag").replace('"', "&quot;");
            parts += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        let text = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.must("POST", &format!("{target}?uploadId={upload}"), text.as_bytes());
    }

    /// Every version and every mark of deletion, in the order of keys.
    #[track_caller]
    pub fn versions(&self, bucket: &str) -> Vec<Listed> {
        versions::read(&self.must("GET", &format!("/{bucket}?versions="), b"").whole())
    }

    /// Delete a version for good.
    #[track_caller]
    pub fn remove(&self, bucket: &str, key: &[u8], version: &str) {
        self.must("DELETE", &format!("{}?versionId={}", target(bucket, key), encode(version.as_bytes(), false)), b"");
    }

    /// Delete an object; gives the version of the marker where there is one.
    #[track_caller]
    pub fn delete(&self, bucket: &str, key: &[u8]) -> Option<String> {
        self.must("DELETE", &target(bucket, key), b"").header("x-amz-version-id").map(ToOwned::to_owned)
    }

    /// Ask, and fail unless it goes well.
    #[track_caller]
    pub fn must(&self, method: &str, target: &str, body: &[u8]) -> Said {
        let said = self.ask(method, target, body).unwrap_or_else(|error| panic!("{method} {target}: {error}"));
        assert!(said.status < 300, "{method} {target}: {} {}", said.status, String::from_utf8_lossy(&said.body));
        said
    }

    /// Ask; path and query go out as they are.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(&self, method: &str, target: &str, body: &[u8]) -> io::Result<Said> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let date = date(i64::try_from(now).expect("before the end"));
        let host = self.address.to_string();
        let hash = hex(&Sha256::digest(body));
        let headers = vec![("host", host.as_str()), ("x-amz-content-sha256", &hash), ("x-amz-date", &date)];
        let signature = signature::of(SECRET, &date, REGION, &Covered { method, target, headers, body: &hash });
        let day = &date[..8];
        let mut out = format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\nx-amz-date: {date}\r\nx-amz-content-sha256: {hash}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={KEY}/{day}/{REGION}/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        out.extend_from_slice(body);
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&out)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| io::Error::other(format!("no answer: {}", String::from_utf8_lossy(&answer))))
    }
}

/// Path style.
pub fn target(bucket: &str, key: &[u8]) -> String {
    format!("/{bucket}/{}", encode(key, true))
}

fn parse(answer: &[u8]) -> Option<Said> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Some(Said { status, headers: lines.filter_map(header).collect(), body: answer[end + 4..].to_vec() })
}
