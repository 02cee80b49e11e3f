//! What S3 answers to a request, as our server knows it.

use std::ops::Range;
use std::sync::Arc;

use super::list;
use super::request::Request;
use super::shelves::{Bucket, Shelves, Version};
use super::text::{decode, xml};

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Arc<[u8]>,
    /// Which bytes of it are sent.
    pub(super) range: Range<usize>,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Arc<[u8]>>) -> Self {
        let body = body.into();
        Self { status, headers: Vec::new(), range: 0..body.len(), body }
    }

    /// One of S3's errors.
    pub(super) fn error(status: u16, code: &str) -> Self {
        let text =
            format!("<?xml version=\"1.0\"?>\n<Error><Code>{}</Code><Message>told so</Message></Error>", xml(code));
        Self::new(status, text.into_bytes())
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Answer {
    /// A list without the objects whose keys have this in them.
    pub(super) fn without(self, part: &str) -> Self {
        self.each_object(|object| if object.contains(part) { String::new() } else { object.to_owned() })
    }

    /// A list with each object twice.
    pub(super) fn twice(self) -> Self {
        self.each_object(|object| object.repeat(2))
    }

    fn each_object(mut self, change: impl Fn(&str) -> String) -> Self {
        let text = String::from_utf8(self.body.to_vec()).expect("a list is text");
        let (mut changed, mut rest) = (String::new(), text.as_str());
        while let Some(at) = rest.find("<Contents>") {
            let end = rest.find("</Contents>").expect("its end") + "</Contents>".len();
            changed.push_str(&rest[..at]);
            changed.push_str(&change(&rest[at..end]));
            rest = &rest[end..];
        }
        changed.push_str(rest);
        self.body = changed.into_bytes().into();
        self.range = 0..self.body.len();
        self
    }
}

/// A request, taken apart.
pub(super) struct Parts {
    pub(super) bucket: String,
    pub(super) key: Vec<u8>,
    query: Vec<(String, String)>,
}

impl Parts {
    /// Path style: `/bucket/key?query`.
    pub(super) fn of(request: &Request) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let text = |text: &str| String::from_utf8_lossy(&decode(text)).into_owned();
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (text(name), text(value))
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        Self { bucket: text(bucket), key: decode(key), query }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The answer to what only reads.
pub(super) fn read(shelves: &Shelves, request: &Request, parts: &Parts) -> Answer {
    let Some(held) = shelves.buckets.get(&parts.bucket) else { return Answer::error(404, "NoSuchBucket") };
    match request.method.as_str() {
        "GET" if parts.key.is_empty() => list::answer(held, parts),
        "HEAD" if parts.key.is_empty() => Answer::new(200, *b"").with("x-amz-bucket-region", &*held.region),
        _ => object(held, request, parts, parts.get("versionId")),
    }
}

fn object(held: &Bucket, request: &Request, parts: &Parts, id: Option<&str>) -> Answer {
    let versions = held.keys.get(&parts.key).map(Vec::as_slice).unwrap_or_default();
    let found = match id {
        Some(id) => versions.iter().find(|version| version.id == id),
        None => versions.last(),
    };
    let Some(version) = found else {
        return Answer::error(404, if id.is_some() { "NoSuchVersion" } else { "NoSuchKey" });
    };
    let Some(body) = &version.body else {
        let refused =
            if id.is_some() { Answer::error(405, "MethodNotAllowed") } else { Answer::error(404, "NoSuchKey") };
        return refused.with("x-amz-delete-marker", "true").with("x-amz-version-id", &*version.id);
    };
    let etag = format!("\"{}\"", version.etag);
    if request.header("if-match").is_some_and(|wanted| wanted != etag) {
        return Answer::error(412, "PreconditionFailed");
    }
    if version.class == "GLACIER" && request.method == "GET" {
        return Answer::error(403, "InvalidObjectState");
    }
    let mut answer = Answer::new(200, Arc::clone(body));
    if let Some(part) = parts.get("partNumber") {
        match part_of(version, part) {
            Some(range) => answer.range = range,
            None => return Answer::error(416, "InvalidPartNumber"),
        }
        answer = answer.with("x-amz-mp-parts-count", version.parts.len().to_string());
    }
    if let Some(range) = request.header("range") {
        match range_of(range, body.len()) {
            Some(range) => answer.range = range,
            None => return Answer::error(416, "InvalidRange"),
        }
    }
    let whole = answer.range == (0..body.len());
    if request.header("range").is_some() || !whole {
        answer.status = 206;
        let Range { start, end } = answer.range;
        answer = answer.with("content-range", format!("bytes {start}-{}/{}", end - 1, body.len()));
    }
    answer =
        answer.with("etag", etag).with("last-modified", http_date(version.modified)).with("accept-ranges", "bytes");
    if held.versioned || version.id != "null" {
        answer = answer.with("x-amz-version-id", &*version.id);
    }
    if version.encryption != "NOT-SSE" {
        let how = if version.encryption == "SSE-S3" { "AES256" } else { "aws:kms" };
        answer = answer.with("x-amz-server-side-encryption", how);
    }
    if version.class != "STANDARD" {
        answer = answer.with("x-amz-storage-class", version.class);
    }
    version.meta.iter().fold(answer, |answer, (name, value)| answer.with(name, &**value))
}

fn part_of(version: &Version, part: &str) -> Option<Range<usize>> {
    let number: usize = part.parse().ok()?;
    let length = *version.parts.get(number.checked_sub(1)?)?;
    let start = version.parts[..number - 1].iter().sum();
    Some(start..start + length)
}

fn range_of(text: &str, length: usize) -> Option<Range<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let end = if last.is_empty() { length } else { last.parse::<usize>().ok()?.saturating_add(1).min(length) };
    (first < end).then_some(first..end)
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`.
pub(super) fn http_date(second: i64) -> String {
    let (day, second) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let (year, month, date) = civil(day);
    let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][usize::try_from(day.rem_euclid(7)).expect("a day")];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{week}, {date:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", months[month - 1])
}

/// `2015-10-21T07:28:00.000Z`.
pub(super) fn iso_date(second: i64) -> String {
    let (day, second) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let (year, month, date) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// Year, month and day of the month of a day since 1970-01-01.
fn civil(day: i64) -> (i64, usize, i64) {
    let (mut year, mut left) = (1970, day);
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    (year, month + 1, left + 1)
}
