//! `Inventories`: the inventories that S3 wrote by one configuration, found and chosen by their dates.
//!
//! They are named by the folder that holds the dated folders, `s3://BUCKET/PREFIX/`; the way to the bucket, its region
//! and account, is the client's. The lists of an inventory are asked for in that very bucket: it is where they were
//! written, it is what the user named (an alias of the bucket, or a copy of the inventory), and nothing that a manifest
//! says sends signed requests elsewhere. Where a manifest names another bucket, [`Inventory::elsewhere`] says so.

use std::collections::BTreeSet;

use highwater_core::digest::{Digest, md5_of};
use highwater_core::formats::mirror::index::is_point;
use highwater_core::inventory::{Manifest, NoManifest, Schema};
use highwater_core::name::printable;
use highwater_core::stamp;

use crate::error::{Class, Error};
use crate::s3::{self, Ask, Client, Listing};

/// The longest manifest that is read, in bytes: of a hundred thousand lists.
const MANIFEST: u64 = 16 << 20;

/// The longest checksum file, in bytes: S3's own has 33.
const CHECKSUM: u64 = 4096;

/// As many dated folders may there be: one an hour for a century.
const DATES: usize = 1_000_000;

/// Lists in Parquet are read.
const PARQUET: bool = cfg!(feature = "parquet");

/// How often a manifest and its checksum are asked for that differ: S3 may be writing them anew.
const LOOKS: u32 = 2;

/// Where the inventories of a configuration lie.
pub struct Inventories<'a> {
    client: &'a Client,
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

/// One inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The bucket that its lists are asked for in.
    pub bucket: String,
    /// How its folder is called: `YYYY-MM-DDThh-mmZ`, the start of the scan.
    pub date: String,
    /// What its manifest says.
    pub manifest: Manifest,
    /// The MD5 of that.
    pub md5: Digest,
    /// The columns of its lists.
    pub schema: Schema,
}

impl Inventory {
    /// A sentence, where the manifest says that the lists lie in another bucket than the one that was named.
    #[must_use]
    pub fn elsewhere(&self) -> Option<String> {
        let (named, said) = (printable(self.bucket.as_bytes()), printable(self.manifest.destination.as_bytes()));
        (named != said).then(|| {
            format!(
                "the manifest of {} names the bucket '{said}' for its lists; they are read from '{named}', where it \
                 lies itself",
                self.date
            )
        })
    }
}

impl<'a> Inventories<'a> {
    /// Those in `s3://BUCKET/PREFIX/`, the folder that holds the dated folders. The prefix is a key's beginning as it
    /// is, not encoded; a slash at its end is added where it is lacking.
    ///
    /// # Errors
    /// When the URL names no such folder.
    pub fn at(url: &str, client: &'a Client) -> Result<Self, Error> {
        let shown = printable(url.as_bytes());
        let refused = |why: String| {
            let what = format!(
                "'{shown}' {why}; write s3://BUCKET/PREFIX/, the folder that holds the dated folders of an inventory"
            );
            Err(Error::Refused { class: Class::Usage, what })
        };
        let Some(rest) = url.strip_prefix("s3://") else { return refused("does not begin with s3://".to_owned()) };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if bucket.is_empty() || !bucket.bytes().all(is_letter) {
            return refused("names no bucket".to_owned());
        }
        let path = prefix.strip_suffix("/manifest.json").unwrap_or(prefix).trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or(path);
        if is_point(last) {
            return refused(format!("names a single inventory, which --date {last} chooses"));
        }
        if matches!(last, "data" | "hive") {
            return refused(format!("names the folder '{last}' beside the dated ones"));
        }
        let prefix = match prefix {
            "" => String::new(),
            whole if whole.ends_with('/') => whole.to_owned(),
            open => format!("{open}/"),
        };
        Ok(Self { client, bucket: bucket.to_owned(), prefix })
    }

    /// The URL, for sentences.
    #[must_use]
    pub fn told(&self) -> String {
        format!("s3://{}/{}", self.bucket, printable(self.prefix.as_bytes()))
    }

    /// The dates of the inventories that there are, the oldest first. Other folders, such as `data` and `hive`, are
    /// none.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn dates(&self) -> Result<Vec<String>, Error> {
        let mut dates = BTreeSet::new();
        for page in self.client.list(&Listing::folder(&self.bucket, self.prefix.as_bytes())) {
            let page = page.map_err(|error| of_s3(error, Class::CannotStart))?;
            dates.extend(page.folders.iter().filter_map(|folder| self.date(folder)));
            if dates.len() > DATES {
                return Err(Error::cannot_start(format!("{} holds more than {DATES} dated folders", self.told())));
            }
        }
        Ok(dates.into_iter().collect())
    }

    /// The date of a folder, if it is a dated one.
    fn date(&self, folder: &[u8]) -> Option<String> {
        let name = folder.strip_prefix(self.prefix.as_bytes())?.strip_suffix(b"/")?;
        let name = std::str::from_utf8(name).ok()?;
        is_point(name).then(|| name.to_owned())
    }

    /// The dates that a user chose, the oldest first, never none. `asked` is `YYYY-MM-DD`, the last of that day, or a
    /// folder's whole name, which is taken without a look; `start` and `end` are of the same forms, and give all from
    /// the one, to the other, both included. Without any of them it is the newest.
    ///
    /// # Errors
    /// When there is none such, or what was asked for makes no sense.
    pub fn choose(&self, asked: Option<&str>, start: Option<&str>, end: Option<&str>) -> Result<Vec<String>, Error> {
        let usage = |what: String| Err(Error::Refused { class: Class::Usage, what });
        for text in [asked, start, end].into_iter().flatten() {
            if !is_point(text) && !is_day(text) {
                let shown = printable(text.as_bytes());
                return usage(format!(
                    "'{shown}' is no date of an inventory: write YYYY-MM-DD, or YYYY-MM-DDThh-mmZ as its folder is \
                     called"
                ));
            }
        }
        match (asked, start, end) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return usage("--date chooses one inventory, and --start-date and --end-date several".to_owned());
            }
            (None, Some(start), Some(end)) if start > end && !start.starts_with(end) => {
                return usage(format!("the start, {start}, lies behind the end, {end}"));
            }
            (Some(name), ..) if is_point(name) => return Ok(vec![name.to_owned()]),
            _ => {}
        }
        let dates = self.dates()?;
        // An end that is a day takes in all of it.
        let is_before_end = |date: &str| end.is_none_or(|end| date <= end || date.starts_with(end));
        let mut chosen: Vec<String> = match asked {
            Some(day) => dates.iter().rfind(|date| date.starts_with(day)).cloned().into_iter().collect(),
            None => {
                let is_in = |date: &&String| start.is_none_or(|start| date.as_str() >= start) && is_before_end(date);
                dates.iter().filter(is_in).cloned().collect()
            }
        };
        if asked.or(start).or(end).is_none() {
            chosen.drain(..chosen.len().saturating_sub(1));
        }
        if chosen.is_empty() {
            return Err(Error::cannot_start(self.none(&dates, asked.is_some() || start.is_some() || end.is_some())));
        }
        Ok(chosen)
    }

    /// Why there is no inventory to choose.
    fn none(&self, dates: &[String], was_asked: bool) -> String {
        let told = self.told();
        match (dates, was_asked) {
            ([one], true) => format!("{told} has no inventory of then, but one, of {one}"),
            ([first, .., last], true) => format!(
                "{told} has no inventory of then, but {}, from {first} to {last}: --list-dates lists them",
                dates.len()
            ),
            _ => format!(
                "{told} holds no inventory: name the folder that holds the folders YYYY-MM-DDThh-mmZ; S3 writes the \
                 first one up to two days after the inventory was configured"
            ),
        }
    }

    /// The manifest of an inventory, proven by its checksum.
    ///
    /// # Errors
    /// When it cannot be had, its checksum is not of it, or its lists are none that can be read.
    pub fn manifest(&self, date: &str) -> Result<Inventory, Error> {
        let folder = format!("{}{date}/", self.prefix);
        let get = |name: &str, most: u64| {
            let key = format!("{folder}{name}");
            let got = self.client.get_bytes(&Ask::latest(&self.bucket, key.as_bytes()), most);
            got.map(|(_, bytes)| bytes).map_err(|error| self.lacking(date, error))
        };
        let told = |no: NoManifest| {
            Error::cannot_start(format!("s3://{}/{}: {no}", self.bucket, printable(folder.as_bytes())))
        };
        let mut looks = 1;
        loop {
            let sum = get("manifest.checksum", CHECKSUM)?;
            let json = get("manifest.json", MANIFEST)?;
            match Manifest::checked(&json, &sum) {
                Err(NoManifest::Sum { .. }) if looks < LOOKS => looks += 1,
                checked => {
                    let manifest = checked.map_err(told)?;
                    let schema = manifest.schema(PARQUET).map_err(told)?;
                    let (bucket, date) = (self.bucket.clone(), date.to_owned());
                    return Ok(Inventory { bucket, date, manifest, md5: md5_of(&json), schema });
                }
            }
        }
    }

    /// Why a part of a manifest could not be had.
    fn lacking(&self, date: &str, error: s3::Error) -> Error {
        match error {
            s3::Error::NotFound { at, what: s3::Missing::Key } => Error::cannot_start(format!(
                "{at}: there is no such object, so there is no inventory of {date} in {}, or S3 is still writing it: \
                 --list-dates lists what there is",
                self.told()
            )),
            error => of_s3(error, Class::CannotStart),
        }
    }
}

/// Whether a text is a day, `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    text.len() == 10 && !text.contains(['T', ' ', ':']) && stamp::point(text).is_ok()
}

/// What S3's client said, as an error of a run.
pub(super) fn of_s3(error: s3::Error, class: Class) -> Error {
    match error {
        s3::Error::Interrupted => Error::Interrupted,
        error => Error::Refused { class, what: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::Settings;

    #[test]
    fn a_url_names_the_folder_of_the_dated_folders() {
        let client = Client::new(Settings::anonymous()).unwrap();
        for (url, bucket, prefix) in [
            ("s3://b-1/p/q/", "b-1", "p/q/"),
            ("s3://b-1/p/q", "b-1", "p/q/"),
            ("s3://B_1.x/", "B_1.x", ""),
            ("s3://b", "b", ""),
            ("s3://b/a b%20//", "b", "a b%20//"),
        ] {
            let found = Inventories::at(url, &client).unwrap();
            assert_eq!((&*found.bucket, &*found.prefix), (bucket, prefix), "{url}");
        }
        for (url, why) in [
            ("", "does not begin"),
            ("/local/folder", "does not begin"),
            ("https://b.s3.amazonaws.com/p/", "does not begin"),
            ("s3:///p/", "no bucket"),
            ("s3://a b/p/", "no bucket"),
            ("s3://b/p/2024-11-06T01-00Z/", "--date 2024-11-06T01-00Z"),
            ("s3://b/p/2024-11-06T01-00Z/manifest.json", "--date 2024-11-06T01-00Z"),
            ("s3://b/p/hive/", "'hive'"),
        ] {
            let refused = Inventories::at(url, &client).err().unwrap();
            assert_eq!(refused.class(), Class::Usage);
            let refused = refused.to_string();
            assert!(refused.contains(why) && refused.contains("write s3://BUCKET/PREFIX/"), "{refused}");
        }
    }
}
