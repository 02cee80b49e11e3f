//! Lists of the keys of a bucket, page by page (ListObjectsV2).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use super::ask::Listing;
use super::client::{Call, Client};
use super::encode;
use super::error::Error;
use super::get::whole;
use super::wire::Failed;
use super::xml;

/// No page is longer: 1,000 entries of keys with 1,024 bytes, each encoded as three, take four.
const PAGE: u64 = 16 << 20;

/// So many pages in a row may say that there are more and hold none of them.
const EMPTY: u32 = 1_000;

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Its key.
    pub key: Vec<u8>,
    /// Its bytes.
    pub length: u64,
    /// Its ETag without quotes.
    pub etag: String,
    /// When it was written, in seconds since 1970.
    pub modified: Option<i64>,
    /// Where it lies, such as `STANDARD`.
    pub class: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Objects, in the order of their keys.
    pub objects: Vec<Listed>,
    /// What stands for several keys, with the delimiter at its end.
    pub folders: Vec<Vec<u8>>,
    /// Where the next page begins; `None`: this is the last one.
    next: Option<String>,
}

impl Page {
    /// Whether no page comes behind it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

/// The pages of a list; ends after an error.
pub struct Pages<'a> {
    client: &'a Client,
    listing: Listing<'a>,
    next: Next,
    /// Where pages began, as digests: none begins twice.
    begun: HashSet<u64>,
    empty: u32,
}

enum Next {
    First,
    Behind(String),
    None,
}

impl Client {
    /// The pages of a list, each fetched when it is asked for.
    #[must_use]
    pub fn list<'a>(&'a self, listing: &Listing<'a>) -> Pages<'a> {
        Pages { client: self, listing: *listing, next: Next::First, begun: HashSet::new(), empty: 0 }
    }

    fn page(&self, listing: &Listing<'_>, behind: Option<&str>) -> Result<Page, Error> {
        let mut trials = self.trials(listing.place());
        let mut query = vec![("list-type", b"2".to_vec()), ("encoding-type", b"url".to_vec())];
        let mut add = |name, value: Option<Vec<u8>>| query.extend(value.map(|value| (name, value)));
        add("prefix", Some(listing.prefix.to_owned()).filter(|prefix| !prefix.is_empty()));
        add("delimiter", listing.delimiter.map(|text| text.as_bytes().to_vec()));
        add("start-after", listing.after.map(<[u8]>::to_vec));
        add("max-keys", listing.page.map(|entries| entries.to_string().into_bytes()));
        add("continuation-token", behind.map(|text| text.as_bytes().to_vec()));
        let call = Call { method: "GET", bucket: listing.bucket, key: b"", query, ..Call::default() };
        loop {
            let mut answer = self.exchange(&call, &mut trials)?;
            let read = whole(&mut answer, PAGE).and_then(|text| {
                parse(&text).map_err(|why| Failed { why: format!("the list {why}"), is_final: false })
            });
            match read {
                Ok(page) => {
                    answer.permit.went_well();
                    return Ok(page);
                }
                Err(failed) => {
                    drop(answer);
                    self.again(failed, &mut trials)?;
                }
            }
        }
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Page, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let behind = match std::mem::replace(&mut self.next, Next::None) {
            Next::None => return None,
            Next::First => None,
            Next::Behind(token) => Some(token),
        };
        let page = match self.client.page(&self.listing, behind.as_deref()) {
            Ok(page) => page,
            Err(error) => return Some(Err(error)),
        };
        self.empty = if page.objects.is_empty() && page.folders.is_empty() { self.empty + 1 } else { 0 };
        if let Some(next) = &page.next {
            let mut hasher = DefaultHasher::new();
            next.hash(&mut hasher);
            if !self.begun.insert(hasher.finish()) || self.empty > EMPTY {
                let at = self.listing.place();
                let why = "the list goes round in circles: its pages do not get anywhere".to_owned();
                return Some(Err(Error::Wire { at, attempts: 1, why }));
            }
            self.next = Next::Behind(next.clone());
        }
        Some(Ok(page))
    }
}

/// Reads a page. The error is for the end of a sentence that begins with "the list".
fn parse(text: &[u8]) -> Result<Page, String> {
    let text = std::str::from_utf8(text).map_err(|error| format!("is no UTF-8 at byte {}", error.valid_up_to()))?;
    let mut raw = Raw::default();
    xml::leaves(text, |path, text| raw.leaf(path, text))?;
    raw.page()
}

/// A page before its keys are decoded: whether they are encoded stands somewhere in it.
#[derive(Default)]
struct Raw {
    root: bool,
    encoded: bool,
    truncated: Option<bool>,
    next: Option<String>,
    current: (Option<String>, Listed),
    objects: Vec<(String, Listed)>,
    folders: Vec<String>,
}

impl Raw {
    fn leaf(&mut self, path: &[&str], text: &str) -> Result<(), String> {
        let ["ListBucketResult", path @ ..] = path else { return Err("is of another kind".to_owned()) };
        match path {
            [] => self.root = true,
            ["EncodingType"] => self.encoded = text == "url",
            ["IsTruncated"] => self.truncated = Some(text == "true"),
            ["NextContinuationToken"] => self.next = Some(text.to_owned()),
            ["CommonPrefixes", "Prefix"] => self.folders.push(text.to_owned()),
            ["Contents", "Key"] => self.current.0 = Some(text.to_owned()),
            ["Contents", "Size"] => {
                self.current.1.length = text.parse().map_err(|_| "has a Size that is no number".to_owned())?;
            }
            ["Contents", "ETag"] => text.trim_matches('"').clone_into(&mut self.current.1.etag),
            ["Contents", "LastModified"] => {
                self.current.1.modified = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
            }
            ["Contents", "StorageClass"] => text.clone_into(&mut self.current.1.class),
            ["Contents"] => {
                let (key, object) = std::mem::take(&mut self.current);
                self.objects.push((key.ok_or("has an object without a key")?, object));
            }
            _ => {}
        }
        Ok(())
    }

    fn page(self) -> Result<Page, String> {
        let encoded = self.encoded;
        let key = |text: String| match encoded {
            true => encode::decode(&text).ok_or_else(|| "has a key that is badly encoded".to_owned()),
            false => Ok(text.into_bytes()),
        };
        let truncated = self.truncated.filter(|_| self.root).ok_or("does not say whether it is whole")?;
        let next = self.next.filter(|next| truncated && !next.is_empty());
        if truncated && next.is_none() {
            return Err("says that it goes on, but not where".to_owned());
        }
        let object = |(name, object)| Ok::<Listed, String>(Listed { key: key(name)?, ..object });
        Ok(Page {
            objects: self.objects.into_iter().map(object).collect::<Result<_, _>>()?,
            folders: self.folders.into_iter().map(key).collect::<Result<_, _>>()?,
            next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>\
        <EncodingType>url</EncodingType><Contents><Key>a+%2B%0A</Key><LastModified>2015-10-21T07:28:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
        <Size>7</Size><Owner><ID>x</ID></Owner><StorageClass>GLACIER</StorageClass></Contents>\
        <CommonPrefixes><Prefix>%D1%8F/</Prefix></CommonPrefixes></ListBucketResult>";

    #[test]
    fn a_page_is_read() {
        let object = Listed {
            key: b"a +\n".to_vec(),
            length: 7,
            etag: "e".to_owned(),
            modified: Some(1_445_412_480),
            class: "GLACIER".to_owned(),
        };
        let page = Page { objects: vec![object], folders: vec!["я/".into()], next: Some("t&1".to_owned()) };
        assert_eq!(parse(WHOLE.as_bytes()), Ok(page));
        let plain = parse(WHOLE.replace("<EncodingType>url</EncodingType>", "").as_bytes()).expect("a page");
        assert_eq!(plain.objects[0].key, b"a+%2B%0A");
    }

    #[test]
    fn a_page_that_is_cut_or_says_too_little_is_none() {
        for end in 0..WHOLE.len() {
            parse(&WHOLE.as_bytes()[..end]).expect_err("a cut page");
        }
        for (from, to) in [
            ("<IsTruncated>true</IsTruncated>", ""),
            ("<NextContinuationToken>t&amp;1</NextContinuationToken>", ""),
            ("<Key>a+%2B%0A</Key>", ""),
            ("<Size>7", "<Size>-7"),
            ("%0A", "%0"),
            ("ListBucketResult", "Error"),
        ] {
            parse(WHOLE.replace(from, to).as_bytes()).expect_err(from);
        }
    }
}
