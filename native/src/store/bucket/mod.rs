//! `Bucket`: what lies below a prefix of a bucket of S3, as a root that is read. A key is a name, and what stands before
//! a slash in it is a folder.
//!
//! Lists come with lengths and ETags, which are kept: what was listed takes one request. Whatever is read of an object is
//! of the version that was listed, or that the first answer had: one that changes meanwhile cannot be read, and is not
//! called damaged; and then nothing that was listed is trusted any more.

mod object;

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::{Object, Store};
use crate::s3::{Ask, Client, Error, Listing, Missing};
use object::{Far, Which};

/// How such a root is named.
const SCHEME: &str = "s3://";

/// Requests that are worth having under way at a time: S3 answers each late, and all of them as fast as one.
const WAYS: usize = 64;

/// Objects whose lengths are kept.
const KEPT: usize = 100_000;

/// A prefix of a bucket.
pub struct Bucket {
    client: Arc<Client>,
    bucket: Arc<str>,
    /// Empty, or with a slash at its end.
    prefix: Vec<u8>,
    known: Arc<Lists>,
    /// Blocks that were asked for ahead, of all objects.
    ahead: Arc<AtomicUsize>,
}

/// What lists and answers said, as long as nothing turns out to be otherwise by now.
#[derive(Default)]
struct Lists(Mutex<HashMap<Name, Known>>);

impl Lists {
    fn get(&self, name: &Name) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn keep(&self, name: Name, known: Known) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(name, known);
    }

    /// An answer to whoever reads files. One that is not what was listed ends the trust in all that was.
    fn cannot(&self, error: Error) -> io::Error {
        if matches!(error, Error::NotFound { .. } | Error::Changed { .. }) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        cannot(error)
    }
}

/// What a list, or an answer, says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    length: u64,
    /// Empty where none is told.
    etag: String,
}

impl Bucket {
    /// Whether a path is the name of such a root.
    #[must_use]
    pub fn is_named(path: &Path) -> bool {
        path.as_os_str().as_encoded_bytes().starts_with(SCHEME.as_bytes())
    }

    /// The root `s3://BUCKET[/PREFIX]`. Nothing is asked yet.
    ///
    /// # Errors
    /// A sentence, when it is no such name.
    pub fn new(url: &Path, client: Client) -> Result<Self, String> {
        let rest = url.as_os_str().as_encoded_bytes().strip_prefix(SCHEME.as_bytes());
        let rest = rest.ok_or_else(|| format!("it does not begin with {SCHEME}"))?;
        let (bucket, prefix) = match rest.iter().position(|byte| *byte == b'/') {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &[][..]),
        };
        let bucket = std::str::from_utf8(bucket).ok().filter(|bucket| !bucket.is_empty());
        let bucket = bucket.ok_or("it names no bucket: write s3://BUCKET/PREFIX")?;
        let mut prefix = prefix.to_vec();
        if !prefix.is_empty() && !prefix.ends_with(b"/") {
            prefix.push(b'/');
        }
        Ok(Self {
            client: Arc::new(client),
            bucket: bucket.into(),
            prefix,
            known: Arc::default(),
            ahead: Arc::default(),
        })
    }

    fn key(&self, name: &Name) -> Vec<u8> {
        [&self.prefix, name.as_bytes()].concat()
    }

    /// What is known of an object; S3 is asked if nothing is.
    fn look(&self, name: &Name) -> io::Result<Known> {
        if let Some(known) = self.known.get(name) {
            return Ok(known);
        }
        let head = self.client.head(&Ask::latest(&self.bucket, &self.key(name)));
        let head = head.map_err(|error| self.known.cannot(error))?;
        let known = Known { length: head.length, etag: head.etag.unwrap_or_default() };
        self.known.keep(name.clone(), known.clone());
        Ok(known)
    }
}

impl Store for Bucket {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        let mut url = [SCHEME.as_bytes(), self.bucket.as_bytes(), b"/", &self.prefix].concat();
        match name {
            Some(name) => url.extend_from_slice(name.as_bytes()),
            None => _ = url.pop(),
        }
        PathBuf::from(std::ffi::OsString::from_vec(url))
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let mut prefix = folder.map_or_else(|| self.prefix.clone(), |folder| self.key(folder));
        if folder.is_some() {
            prefix.push(b'/');
        }
        let listing = Listing::folder(&self.bucket, &prefix);
        let mut is_any = false;
        for page in self.client.list(&listing) {
            let page = page.map_err(cannot)?;
            is_any |= !page.objects.is_empty() || !page.folders.is_empty();
            // A key that ends with a slash stands for its folder; what has no name here, nobody can name.
            let last = |key: &[u8]| {
                let last = key.strip_prefix(prefix.as_slice())?;
                if last.contains(&b'/') { None } else { Name::new(last).ok() }
            };
            for object in page.objects {
                let Some(name) = last(&object.key) else { continue };
                let whole = folder.map_or_else(|| Ok(name.clone()), |folder| folder.join(name.as_bytes()));
                let Ok(whole) = whole else { continue };
                self.known.keep(whole, Known { length: object.length, etag: object.etag });
                each(Entry::new(name, Kind::File));
            }
            for key in page.folders {
                if let Some(name) = key.strip_suffix(b"/").and_then(last) {
                    each(Entry::new(name, Kind::Folder));
                }
            }
        }
        // A folder is there when something is in it.
        match (is_any, folder) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(io::ErrorKind::NotFound.into()),
            (false, None) => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no key begins so; see that bucket and prefix are right: the last part of a prefix is taken whole",
            )),
        }
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        let Known { length, etag } = self.look(name)?;
        let which = Which {
            client: Arc::clone(&self.client),
            bucket: Arc::clone(&self.bucket),
            key: self.key(name),
            length,
            etag: Mutex::new(Some(etag).filter(|etag| !etag.is_empty())),
            known: Arc::clone(&self.known),
        };
        Ok(Box::new(Far::new(which, Arc::clone(&self.ahead))))
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.look(name).map(|known| known.length)
    }

    fn ways(&self) -> Option<usize> {
        Some(WAYS)
    }
}

/// What an answer of S3 says to whoever reads files.
fn cannot(error: Error) -> io::Error {
    match error {
        Error::NotFound { what: Missing::Key | Missing::Version | Missing::Marker, .. } => {
            io::Error::new(io::ErrorKind::NotFound, error.to_string())
        }
        // Not `Interrupted`, which says that to try again helps.
        _ => io::Error::other(error.to_string()),
    }
}
