//! What our server does when something is written: conditions, sums, parts, copies and deletes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::answer::{Answer, Parts};
use super::request::Request;
use super::shelves::{Shelves, Upload};
use super::text::{decode, hex, xml};

/// The answer to what writes, at this second.
pub(super) fn write(shelves: &mut Shelves, request: &Request, parts: &Parts, now: i64) -> Answer {
    let Parts { bucket, key, .. } = parts;
    if request.method == "PUT" && key.is_empty() {
        let versioned = parts.get("versioning").is_some();
        shelves.bucket(bucket).versioned |= versioned;
        return Answer::new(200, *b"");
    }
    if !shelves.buckets.contains_key(bucket) {
        return Answer::error(404, "NoSuchBucket");
    }
    if let Some(refused) = broken(request).or_else(|| barred(shelves, request, parts)) {
        return refused;
    }
    match (request.method.as_str(), parts.get("versionId"), parts.get("uploadId")) {
        ("PUT", _, Some(id)) => part(shelves, request, parts, id),
        ("PUT", ..) if request.header("x-amz-copy-source").is_some() => copy(shelves, request, parts, now),
        ("PUT", ..) => {
            let id = shelves.put(bucket, key, &request.body);
            kept(shelves, parts, &id, meta(request), now)
        }
        ("POST", ..) if parts.get("uploads").is_some() => {
            let id = shelves.fresh();
            let upload =
                Upload { bucket: bucket.clone(), key: key.clone(), meta: meta(request), parts: Default::default() };
            shelves.uploads.insert(id.clone(), upload);
            let text =
                format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
            Answer::new(200, text.into_bytes())
        }
        ("POST", _, Some(id)) => complete(shelves, request, parts, id, now),
        ("DELETE", _, Some(id)) => match shelves.uploads.remove(id) {
            Some(_) => Answer::new(204, *b""),
            None => Answer::error(404, "NoSuchUpload"),
        },
        ("DELETE", Some(id), None) => {
            shelves.remove(bucket, key, id);
            Answer::new(204, *b"")
        }
        ("DELETE", None, None) => {
            let id = shelves.delete(bucket, key);
            told(shelves, bucket, Answer::new(204, *b""), id)
        }
        _ => Answer::error(501, "NotImplemented"),
    }
}

/// A body that is not what its sums say is not taken.
fn broken(request: &Request) -> Option<Answer> {
    let differs = |name: &str, sum: String| request.header(name).is_some_and(|told| told != sum);
    if differs("content-md5", BASE64_STANDARD.encode(Md5::digest(&request.body))) {
        return Some(Answer::error(400, "BadDigest"));
    }
    let sum = hex(&Sha256::digest(&request.body));
    differs("x-amz-content-sha256", sum).then(|| Answer::error(400, "XAmzContentSHA256Mismatch"))
}

/// Whether what must be there, or must not, is otherwise. Parts of an upload have no conditions; its end has.
fn barred(shelves: &Shelves, request: &Request, parts: &Parts) -> Option<Answer> {
    let there = shelves.latest(&parts.bucket, &parts.key);
    if request.header("if-none-match") == Some("*") && there.is_some() {
        return Some(Answer::error(412, "PreconditionFailed"));
    }
    match (request.header("if-match"), there) {
        (None, _) => None,
        (Some(_), None) => Some(Answer::error(404, "NoSuchKey")),
        (Some(wanted), Some(version)) => {
            (wanted.trim_matches('"') != version.etag).then(|| Answer::error(412, "PreconditionFailed"))
        }
    }
}

fn meta(request: &Request) -> Vec<(String, String)> {
    request.headers.iter().filter(|(name, _)| name.starts_with("x-amz-meta-")).cloned().collect()
}

fn told(shelves: &mut Shelves, bucket: &str, answer: Answer, id: String) -> Answer {
    if shelves.bucket(bucket).versioned { answer.with("x-amz-version-id", id) } else { answer }
}

/// What came over the wire was written now.
fn kept(shelves: &mut Shelves, parts: &Parts, id: &str, meta: Vec<(String, String)>, now: i64) -> Answer {
    let version = shelves.version(&parts.bucket, &parts.key, id);
    (version.meta, version.modified) = (meta, now);
    let etag = format!("\"{}\"", version.etag);
    told(shelves, &parts.bucket, Answer::new(200, *b"").with("etag", etag), id.to_owned())
}

fn part(shelves: &mut Shelves, request: &Request, parts: &Parts, id: &str) -> Answer {
    let number = parts.get("partNumber").and_then(|text| text.parse().ok());
    let (Some(upload), Some(number @ 1..=10_000)) = (shelves.uploads.get_mut(id), number) else {
        return Answer::error(404, "NoSuchUpload");
    };
    upload.parts.insert(number, request.body.clone());
    Answer::new(200, *b"").with("etag", format!("\"{}\"", hex(&Md5::digest(&request.body))))
}

fn complete(shelves: &mut Shelves, request: &Request, parts: &Parts, id: &str, now: i64) -> Answer {
    let Some(upload) = shelves.uploads.get(id).filter(|upload| upload.key == parts.key).cloned() else {
        return Answer::error(404, "NoSuchUpload");
    };
    let listed = String::from_utf8_lossy(&request.body).matches("<PartNumber>").count();
    let lengths: Vec<usize> = upload.parts.values().map(Vec::len).collect();
    if listed != lengths.len() || listed == 0 {
        return Answer::error(400, "InvalidPart");
    }
    // All but the last are of one length here, and of 5 MiB at least.
    let step = lengths[0];
    if lengths[..listed - 1].iter().any(|length| *length != step || *length < 5 << 20) {
        return Answer::error(400, "EntityTooSmall");
    }
    let body: Vec<u8> = upload.parts.into_values().flatten().collect();
    let version = shelves.put_parts(&upload.bucket, &upload.key, &body, step);
    shelves.uploads.remove(id);
    let answer = kept(shelves, parts, &version, upload.meta, now);
    let etag = shelves.version(&parts.bucket, &parts.key, &version).etag.clone();
    let text = format!(
        "<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>",
        xml(&etag)
    );
    let body: std::sync::Arc<[u8]> = text.into_bytes().into();
    Answer { range: 0..body.len(), body, ..answer }
}

fn copy(shelves: &mut Shelves, request: &Request, parts: &Parts, now: i64) -> Answer {
    let source = decode(request.header("x-amz-copy-source").unwrap_or_default());
    let source = source.strip_prefix(b"/").unwrap_or(&source);
    let Some(at) = source.iter().position(|byte| *byte == b'/') else { return Answer::error(400, "InvalidArgument") };
    let (bucket, key) = (String::from_utf8_lossy(&source[..at]).into_owned(), &source[at + 1..]);
    let Some(from) = shelves.latest(&bucket, key).cloned() else { return Answer::error(404, "NoSuchKey") };
    let wanted = request.header("x-amz-copy-source-if-match");
    if wanted.is_some_and(|wanted| wanted.trim_matches('"') != from.etag) {
        return Answer::error(412, "PreconditionFailed");
    }
    let id = shelves.put(&parts.bucket, &parts.key, &from.body.expect("no marker"));
    let answer = kept(shelves, parts, &id, from.meta, now);
    let body: std::sync::Arc<[u8]> = (*b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>").into();
    Answer { range: 0..body.len(), body, ..answer }
}
