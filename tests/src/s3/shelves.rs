//! `Shelves`: buckets in memory, with every version of every key.

use std::collections::BTreeMap;
use std::sync::Arc;

use md5::{Digest, Md5};

use super::REGION;
use super::text::hex;

/// Buckets by name.
#[derive(Debug, Default)]
pub struct Shelves {
    /// The buckets.
    pub buckets: BTreeMap<String, Bucket>,
    /// Uploads in parts that are not complete, by their names.
    pub uploads: BTreeMap<String, Upload>,
    made: u64,
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Keys in order, each with its versions, the newest last.
    pub keys: BTreeMap<Vec<u8>, Vec<Version>>,
    /// Whether what is overwritten stays.
    pub versioned: bool,
    /// Where it is.
    pub region: String,
    /// Whether everyone may read it.
    pub public: bool,
    /// Whether only those who pay may.
    pub requester_pays: bool,
}

impl Default for Bucket {
    fn default() -> Self {
        let region = REGION.to_owned();
        Self { keys: BTreeMap::new(), versioned: false, region, public: false, requester_pays: false }
    }
}

/// One version of a key, or a delete marker.
#[derive(Debug, Clone)]
pub struct Version {
    /// `null` without versions.
    pub id: String,
    /// `None`: a delete marker.
    pub body: Option<Arc<[u8]>>,
    /// Without quotes.
    pub etag: String,
    /// Seconds since 1970.
    pub modified: i64,
    /// `STANDARD`, `GLACIER`.
    pub class: &'static str,
    /// Whose key it is encrypted with, as inventories say it: `SSE-S3`, `SSE-KMS`.
    pub encryption: &'static str,
    /// The lengths of the parts that it was uploaded in, if it was.
    pub parts: Vec<usize>,
    /// What the uploader had S3 keep beside it: names in lower case.
    pub meta: Vec<(String, String)>,
}

/// Parts by their numbers.
pub type Parts = BTreeMap<u32, Vec<u8>>;

/// An upload in parts that is not complete.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: Vec<u8>,
    /// What goes beside it.
    pub meta: Vec<(String, String)>,
    /// What has come.
    pub parts: Parts,
}

impl Shelves {
    /// The bucket, made if there is none.
    pub fn bucket(&mut self, name: &str) -> &mut Bucket {
        self.buckets.entry(name.to_owned()).or_default()
    }

    /// Puts an object; gives its version.
    pub fn put(&mut self, bucket: &str, key: &[u8], body: &[u8]) -> String {
        self.add(bucket, key, Some(body.into()), hex(&Md5::digest(body)))
    }

    /// Puts an object in parts of so many bytes, with the ETag that S3 gives such ones.
    pub fn put_parts(&mut self, bucket: &str, key: &[u8], body: &[u8], part: usize) -> String {
        let parts: Vec<&[u8]> = body.chunks(part).collect();
        let sums: Vec<u8> = parts.iter().flat_map(|part| Md5::digest(part).to_vec()).collect();
        let id = self.add(bucket, key, Some(body.into()), format!("{}-{}", hex(&Md5::digest(&sums)), parts.len()));
        self.version(bucket, key, &id).parts = parts.iter().map(|part| part.len()).collect();
        id
    }

    /// Deletes an object as S3 does: behind a marker where there are versions. Gives the marker's version.
    pub fn delete(&mut self, bucket: &str, key: &[u8]) -> String {
        if self.bucket(bucket).versioned {
            return self.add(bucket, key, None, String::new());
        }
        self.bucket(bucket).keys.remove(key);
        "null".to_owned()
    }

    /// Removes a version for good, if it is there.
    pub fn remove(&mut self, bucket: &str, key: &[u8], id: &str) {
        let bucket = self.bucket(bucket);
        if let Some(versions) = bucket.keys.get_mut(key) {
            versions.retain(|version| version.id != id);
            if versions.is_empty() {
                bucket.keys.remove(key);
            }
        }
    }

    /// A name that nothing had before.
    pub(super) fn fresh(&mut self) -> String {
        self.made += 1;
        format!("upload-{}", self.made)
    }

    /// The latest version of a key, if it is no marker.
    pub fn latest(&self, bucket: &str, key: &[u8]) -> Option<&Version> {
        let latest = self.buckets.get(bucket)?.keys.get(key)?.last();
        latest.filter(|version| version.body.is_some())
    }

    /// A version that is there.
    pub fn version(&mut self, bucket: &str, key: &[u8], id: &str) -> &mut Version {
        let versions = self.bucket(bucket).keys.get_mut(key).expect("the key is there");
        versions.iter_mut().find(|version| version.id == id).expect("the version is there")
    }

    fn add(&mut self, bucket: &str, key: &[u8], body: Option<Arc<[u8]>>, etag: String) -> String {
        self.made += 1;
        let made = self.made;
        let bucket = self.bucket(bucket);
        // As long as S3's, with the letters that theirs have.
        let id =
            if bucket.versioned { format!("{made:09}.hw_Version-{:012x}", made * 0x9e37) } else { "null".to_owned() };
        let modified = 1_700_000_000 + i64::try_from(made).expect("few");
        let version = Version {
            id: id.clone(),
            body,
            etag,
            modified,
            class: "STANDARD",
            encryption: "SSE-S3",
            parts: Vec::new(),
            meta: Vec::new(),
        };
        let versions = bucket.keys.entry(key.to_owned()).or_default();
        if !bucket.versioned {
            versions.retain(|version| version.id != "null");
        }
        versions.push(version);
        id
    }
}
