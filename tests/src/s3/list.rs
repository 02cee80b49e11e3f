//! ListObjectsV2 of our server.

use std::fmt::Write;
use std::ops::Bound;

use super::answer::{Answer, Parts, iso_date};
use super::shelves::Bucket;
use super::text::{form, hex, xml};

/// S3 gives no more at once.
const MOST: usize = 1_000;

pub(super) fn answer(held: &Bucket, parts: &Parts) -> Answer {
    let prefix = parts.get("prefix").unwrap_or_default().as_bytes();
    let delimiter = parts.get("delimiter").unwrap_or_default().as_bytes();
    let most = parts.get("max-keys").and_then(|text| text.parse().ok()).unwrap_or(MOST).min(MOST);
    let token = match parts.get("continuation-token").map(unhex) {
        Some(None) => return Answer::error(400, "InvalidArgument"),
        token => token.flatten(),
    };
    let after = token.or_else(|| parts.get("start-after").map(|text| text.as_bytes().to_vec())).unwrap_or_default();
    let is_url = parts.get("encoding-type") == Some("url");
    let name = |bytes: &[u8]| if is_url { form(bytes) } else { xml(&String::from_utf8_lossy(bytes)) };

    let mut text =
        String::from("<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    let (mut entries, mut last, mut more) = (0, Vec::new(), false);
    let mut folder: Option<Vec<u8>> = None;
    for (key, versions) in held.keys.range::<[u8], _>((Bound::Excluded(&after[..]), Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        let Some(version) = versions.last().filter(|version| version.body.is_some()) else { continue };
        let at = (!delimiter.is_empty()).then(|| rest.windows(delimiter.len()).position(|part| part == delimiter));
        let shared = at.flatten().map(|at| key[..prefix.len() + at + delimiter.len()].to_vec());
        if shared.is_some() && (shared == folder || shared.as_deref().is_some_and(|shared| after.starts_with(shared))) {
            last.clone_from(key);
            continue;
        }
        if entries == most {
            more = true;
            break;
        }
        entries += 1;
        last.clone_from(key);
        match &shared {
            Some(shared) => {
                write!(text, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", name(shared)).expect("a string");
                folder.clone_from(&Some(shared.clone()));
            }
            None => write!(
                text,
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
                 <StorageClass>{}</StorageClass></Contents>",
                name(key),
                iso_date(version.modified),
                version.etag,
                version.body.as_ref().map_or(0, |body| body.len()),
                version.class
            )
            .expect("a string"),
        }
    }
    write!(text, "<IsTruncated>{more}</IsTruncated><KeyCount>{entries}</KeyCount>").expect("a string");
    if is_url {
        text.push_str("<EncodingType>url</EncodingType>");
    }
    if more {
        write!(text, "<NextContinuationToken>{}</NextContinuationToken>", hex(&last)).expect("a string");
    }
    text.push_str("</ListBucketResult>");
    Answer::new(200, text.into_bytes())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(byte).collect()
}
