//! `Bucket`: what lies below a prefix of a bucket of S3, as a root that is read. A key is a name, and what stands
//! before a slash in it is a folder.
//!
//! Lists come with lengths and ETags, which are kept: what was listed takes one request. Whatever is read of an object
//! is of the version that was listed, or that the first answer had: one that changes meanwhile cannot be read, and is
//! not called damaged; and then nothing that was listed is trusted any more.

mod lists;
mod object;

use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::ahead::{Ahead, Room};
use super::{Object, Store};
use crate::interruption::interruption;
use crate::s3::{self, Ask, Client, Error, Head, Listing, Missing, Page};
pub(crate) use lists::{Known, Told};
use lists::{Listed, Lists, Worth};
use object::{Far, Which};

/// How such a root is named.
const SCHEME: &str = "s3://";

/// Requests that are worth having under way at a time: S3 answers each late, and all of them as fast as one.
const WAYS: usize = 64;

/// Blocks that come ahead, of all objects.
const AHEAD: usize = 16;

/// A prefix of a bucket.
pub struct Bucket {
    client: Arc<Client>,
    bucket: Arc<str>,
    /// Empty, or with a slash at its end.
    prefix: Vec<u8>,
    known: Arc<Lists>,
    /// Where blocks come ahead.
    room: Arc<Room>,
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
            room: Room::of(AHEAD),
        })
    }

    pub(crate) fn key(&self, name: &Name) -> Vec<u8> {
        [&self.prefix, name.as_bytes()].concat()
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The bucket's own name.
    pub(crate) fn called(&self) -> &str {
        &self.bucket
    }

    pub(crate) fn known(&self) -> &Lists {
        &self.known
    }

    /// What the last lists say of a name; S3 is asked for it if they say nothing, or for some of its folder.
    pub(crate) fn tell(&self, name: &Name) -> io::Result<Told> {
        match self.known.get(name) {
            Told::Unknown => {}
            told => return Ok(told),
        }
        if let Some(worth) = self.known.asks(name) {
            self.list_some(name.folder().as_ref(), worth)?;
            match self.known.get(name) {
                Told::Unknown => {}
                told => return Ok(told),
            }
        }
        Ok(self.head(name)?.map_or(Told::Nothing, Told::Object))
    }

    /// Asks S3 for an object; none when there is none.
    pub(crate) fn head(&self, name: &Name) -> io::Result<Option<Known>> {
        match self.client.head(&Ask::latest(&self.bucket, &self.key(name))) {
            Ok(Head { length, etag, modified, .. }) => {
                let known = Known { length, etag: etag.unwrap_or_default(), modified };
                self.known.keep(name, known.clone());
                Ok(Some(known))
            }
            Err(Error::NotFound { what: Missing::Key | Missing::Version | Missing::Marker, .. }) => Ok(None),
            Err(error) => Err(cannot(error)),
        }
    }

    /// What is known of an object; S3 is asked if nothing is. That one is not there counts only if S3 says so now.
    fn look(&self, name: &Name) -> io::Result<Known> {
        let told = self.tell(name)?;
        let found = if let Told::Object(known) = told { Some(known) } else { self.head(name)? };
        found.ok_or_else(|| {
            self.known.clear();
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("{}: there is no such object", self.told(Some(name)).display()),
            )
        })
    }

    fn prefix_of(&self, folder: Option<&Name>) -> Vec<u8> {
        let mut prefix = folder.map_or_else(|| self.prefix.clone(), |folder| self.key(folder));
        if folder.is_some() {
            prefix.push(b'/');
        }
        prefix
    }

    /// Lists a folder on, as far as is worth it.
    fn list_some(&self, folder: Option<&Name>, Worth { after, pages }: Worth) -> io::Result<()> {
        let (prefix, goes_on) = (self.prefix_of(folder), after.is_some());
        let listing = Listing { after: after.as_deref(), ..Listing::folder(&self.bucket, &prefix) };
        let (mut listed, mut is_over) = (Listed::default(), true);
        for page in self.client.list(&listing).take(pages) {
            let page = page.map_err(cannot)?;
            is_over = page.is_last();
            listed.add(page, &prefix);
        }
        listed.end = listed.end.filter(|_| !is_over);
        self.known.listed(folder, listed, goes_on);
        Ok(())
    }
}

impl Listed {
    /// Adds a page. A key that ends with a slash stands for its folder; what has no name here, nobody can name.
    fn add(&mut self, page: Page, prefix: &[u8]) {
        let last = |key: &[u8]| {
            let last = key.strip_prefix(prefix)?;
            if last.contains(&b'/') { None } else { Name::new(last).ok().map(|_| last.to_owned()) }
        };
        let end = page.objects.last().map(|object| &object.key).max(page.folders.last());
        self.end = end.cloned().or(self.end.take());
        for s3::Listed { key, length, etag, modified, .. } in page.objects {
            self.objects.extend(last(&key).map(|last| (last, Known { length, etag, modified })));
        }
        self.folders.extend(page.folders.iter().filter_map(|key| last(key.strip_suffix(b"/")?)));
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
        let prefix = self.prefix_of(folder);
        let (mut all, mut is_any) = (Listed::default(), false);
        for page in self.client.list(&Listing::folder(&self.bucket, &prefix)) {
            let page = page.map_err(cannot)?;
            is_any |= !page.objects.is_empty() || !page.folders.is_empty();
            let (objects, folders) = (all.objects.len(), all.folders.len());
            all.add(page, &prefix);
            let objects = all.objects[objects..].iter().map(|(last, _)| (last, Kind::File));
            for (last, kind) in objects.chain(all.folders[folders..].iter().map(|last| (last, Kind::Folder))) {
                if let Ok(name) = Name::new(last) {
                    each(Entry::new(name, kind));
                }
            }
        }
        all.end = None;
        self.known.listed(folder, all, false);
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
        let Known { length, etag, .. } = self.look(name)?;
        let which = Which {
            client: Arc::clone(&self.client),
            bucket: Arc::clone(&self.bucket),
            key: self.key(name),
            length,
            etag: Mutex::new(Some(etag).filter(|etag| !etag.is_empty())),
            known: Arc::clone(&self.known),
        };
        Ok(Box::new(Ahead::new(Far(Arc::new(which)), Vec::new(), Arc::clone(&self.room))))
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.look(name).map(|known| known.length)
    }

    fn ways(&self) -> Option<usize> {
        Some(WAYS)
    }
}

/// What an answer of S3 says to whoever reads files.
pub(crate) fn cannot(error: Error) -> io::Error {
    match error {
        Error::NotFound { what: Missing::Key | Missing::Version | Missing::Marker, .. } => {
            io::Error::new(io::ErrorKind::NotFound, error.to_string())
        }
        Error::Interrupted => interruption(),
        _ => io::Error::other(error.to_string()),
    }
}
