//! `Head`: what S3 says of an object before its bytes.

use std::ops::Range;

use jiff::fmt::rfc2822::DateTimeParser;
use ureq::http::HeaderMap;

/// The names of checksums that S3 holds, as headers and inventories know them.
const CHECKSUMS: [&str; 6] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256", "md5"];

/// The header by which an upload is known again, whatever S3 makes its ETag of.
pub(super) const MARK: &str = "x-amz-meta-highwater";

/// What S3 says of an object before its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the whole object; of the part, if a part was asked for without its bytes.
    pub length: u64,
    /// Which of them the body holds.
    pub range: Range<u64>,
    /// The ETag without its quotes. A weak one (`W/`), which a proxy made, counts as none.
    pub etag: Option<String>,
    /// The version, where the bucket has versions; `null` for one that is older than they are.
    pub version: Option<String>,
    /// When it was written, in seconds since 1970.
    pub modified: Option<i64>,
    /// Where it lies, such as `GLACIER`; `None`: in `STANDARD`.
    pub class: Option<String>,
    /// How it is encrypted, such as `aws:kms`.
    pub encryption: Option<String>,
    /// How many parts it was uploaded in, if a part was asked for.
    pub parts: Option<u32>,
    /// What the server's clock said when it answered, in seconds since 1970.
    pub now: Option<i64>,
    /// The mark that [`super::Put`] gave it, if it did.
    pub mark: Option<String>,
    /// Checksums by name (`sha256`), in base64, if they were asked for.
    pub checksums: Vec<(&'static str, String)>,
}

/// A header that is text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A time of HTTP in seconds since 1970.
pub(super) fn time(text: &str) -> Option<i64> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text).ok().map(jiff::Timestamp::as_second)
}

impl Head {
    /// Reads the headers of a success.
    ///
    /// # Errors
    /// When they do not say how long the body is, or which bytes it has; in words for the end of a sentence.
    pub(super) fn read(status: u16, headers: &HeaderMap) -> Result<Self, String> {
        let get = |name| header(headers, name);
        let own = |name: &str| header(headers, name).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let body = get("content-length").and_then(|text| text.parse::<u64>().ok());
        let body = body.ok_or("the answer does not say how long it is")?;
        let (range, length) = match (status, get("content-range")) {
            (206, Some(text)) => content_range(text).ok_or("the answer's Content-Range makes no sense")?,
            // A HEAD of a part says so without saying which bytes they are.
            (206, None) | (_, _) => (0..body, body),
        };
        if range.end - range.start != body {
            return Err(format!("the answer says that it has {body} bytes, and that they are {}", shown(&range)));
        }
        let checksum = |&name: &&'static str| own(&format!("x-amz-checksum-{name}")).map(|sum| (name, sum));
        Ok(Self {
            length,
            range,
            etag: get("etag").and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"')).map(ToOwned::to_owned),
            version: own("x-amz-version-id"),
            modified: get("last-modified").and_then(time),
            class: own("x-amz-storage-class"),
            encryption: own("x-amz-server-side-encryption"),
            parts: get("x-amz-mp-parts-count").and_then(|text| text.parse().ok()),
            now: get("date").and_then(time),
            mark: own(MARK),
            checksums: CHECKSUMS.iter().filter_map(checksum).collect(),
        })
    }

    /// What another answer says differently, if it cannot be of the same bytes.
    pub(super) fn differs(&self, other: &Self) -> Option<String> {
        let both = |one: &Option<String>, two: &Option<String>, what: &str| match (one, two) {
            (Some(one), Some(two)) if one != two => Some(format!("{what} was {one} and is {two}")),
            _ => None,
        };
        let length =
            || (self.length != other.length).then(|| format!("it had {} bytes and has {}", self.length, other.length));
        both(&self.version, &other.version, "its version")
            .or_else(|| both(&self.etag, &other.etag, "its ETag"))
            .or_else(length)
    }
}

/// A range for a sentence.
pub(super) fn shown(range: &Range<u64>) -> String {
    format!("bytes {}-{}", range.start, range.end.saturating_sub(1))
}

/// `bytes 0-9/100`: the bytes, and the length of the whole.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, length): (u64, u64, u64) = (first.parse().ok()?, last.parse().ok()?, length.parse().ok()?);
    (first <= last && last < length).then(|| (first..last + 1, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_make_sense() {
        assert_eq!(content_range("bytes 0-9/100"), Some((0..10, 100)));
        for bad in ["bytes 0-9/*", "bytes */100", "bytes 9-0/100", "bytes 0-100/100", "0-9/100", "bytes -1/2", ""] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
        assert_eq!(time("Wed, 21 Oct 2015 07:28:00 GMT"), Some(1_445_412_480));
    }
}
