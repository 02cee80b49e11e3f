//! `REPO[@POINT]`: which repository, which kind, which point.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use highwater_core::facts::Shape;
use highwater_core::formats;
use highwater_core::formats::datastore::names;
use highwater_core::inspect::{Entry, Format};
use highwater_core::name::Name;

use super::near::near;
use super::options::{Bandwidth, Following, Root, Writing};
use super::out;
use crate::disk::{Disk, Shelf};
use crate::error::Error;
use crate::kind;
use crate::s3::{Client, Environment, Settings};
use crate::shown::{quoted, shown};
use crate::store::{Apart, Asks, Bucket, Files, Links, Scheme, Ssh, SshSettings, Store};

/// A repository as named on the command line.
pub(super) struct Repository {
    pub(super) path: PathBuf,
    pub(super) point: Option<String>,
    /// Its kind, where that is known without a look.
    pub(super) kind: Option<&'static str>,
}

impl Repository {
    /// Splits `REPO@POINT` at the last `@`, unless the whole is the name of something that is there.
    pub(super) fn parse(text: &OsStr) -> Result<Self, Error> {
        let path = Path::new(text);
        let far = Scheme::of(path);
        // Of a far root, an `@` may stand before the host; a name that holds one is ended by a slash.
        let begin = far.map_or(0, |far| far.folder(text.as_bytes()));
        let at = text.as_bytes().iter().rposition(|byte| *byte == b'@').filter(|at| *at >= begin);
        let is_whole = far.is_some() && text.as_bytes().ends_with(b"/");
        // Nobody means the folder at hand by nothing: a variable was empty.
        let empty = || Err(usage("a path is empty; the folder at hand is '.'".to_owned()));
        if text.is_empty() {
            return empty();
        }
        let Some(at) = at.filter(|_| !is_whole && !path.exists()) else {
            return Ok(Self { path: path.to_owned(), point: None, kind: None });
        };
        let (repository, point) = text.as_bytes().split_at(at);
        if repository.is_empty() {
            return empty();
        }
        let point =
            std::str::from_utf8(&point[1..]).map_err(|_| usage(format!("the point in {} is no text", quoted(path))))?;
        Ok(Self { path: PathBuf::from(OsStr::from_bytes(repository)), point: Some(point.to_owned()), kind: None })
    }
}

/// Opens a repository to read it: a folder, `s3://BUCKET/PREFIX` or `ssh://HOST/FOLDER`.
pub(super) fn open(path: &Path, root: &Root, stop: &Arc<AtomicBool>) -> Result<Box<dyn Store>, Error> {
    as_laid_out(match Scheme::of(path) {
        None => Box::new(open_folder(path, root.following)?),
        Some(Scheme::Bucket) => Box::new(bucket(path, root.bandwidth, stop)?),
        Some(Scheme::Ssh) => Box::new(ssh(path, root, stop)?),
    })
}

/// A store that its server keeps in S3, or that was copied from there, has its files in a folder beside the chunks.
fn as_laid_out(store: Box<dyn Store>) -> Result<Box<dyn Store>, Error> {
    let [files, chunks] = [names::CONTENTS, names::CHUNKS].map(|name| Name::new(name.as_bytes()));
    let (files, chunks) = (files?, chunks?);
    // Why something cannot be listed is said by whoever needs more of it.
    let mut has_chunks = false;
    if store.list(Some(&files), &mut |_| {}).is_ok() {
        _ = store.list(None, &mut |entry| has_chunks |= entry.kind.may_be_folder() && entry.name == chunks);
    }
    Ok(if has_chunks { Box::new(Apart::new(store, files, chunks)) } else { store })
}

/// Reaches a folder on another machine, by the command that the environment says.
fn ssh(url: &Path, root: &Root, stop: &Arc<AtomicBool>) -> Result<Ssh, Error> {
    ssh_to(url, Asks::Folder, root, stop)
}

/// Reaches what is asked for of a folder on another machine.
pub(super) fn ssh_to(url: &Path, asks: Asks<'_>, root: &Root, stop: &Arc<AtomicBool>) -> Result<Ssh, Error> {
    if root.following.links() == Links::Followed {
        let what = "--follow-links has no meaning there, as a far end follows no link out of the folder that it serves";
        return Err(usage(format!("{}: {what}", quoted(url))));
    }
    let settings = SshSettings::from_environment(Arc::clone(stop), out::say).map_err(usage)?;
    let settings = SshSettings { bandwidth: root.bandwidth.limit(), ..settings };
    Ssh::reach(url, asks, &settings)
}

/// Opens a prefix of a bucket, with the credentials and at the endpoint that the environment says.
fn bucket(url: &Path, bandwidth: Bandwidth, stop: &Arc<AtomicBool>) -> Result<Bucket, Error> {
    let client = client(|settings| {
        settings.bandwidth = bandwidth.limit();
        settings.stop = Arc::clone(stop);
    })?;
    Bucket::new(url, client).map_err(|what| usage(format!("{}: {what}", quoted(url))))
}

/// A client with what the environment says, changed.
fn client(change: impl FnOnce(&mut Settings)) -> Result<Client, Error> {
    let made = || {
        let mut settings = Settings::from_environment(&Environment::process())?;
        change(&mut settings);
        Client::new(settings)
    };
    made().map_err(|error| Error::cannot_start(error.to_string()))
}

/// Opens what is backed up into: a folder, or a prefix of a bucket.
pub(super) fn open_target(
    path: &Path,
    following: Following,
    writing: Writing,
    bandwidth: Bandwidth,
    stop: &Arc<AtomicBool>,
) -> Result<Arc<dyn Disk>, Error> {
    if Scheme::of(path) == Some(Scheme::Ssh) {
        let path = quoted(path);
        return Err(usage(format!("{path} lies on another machine, where nothing is written: run this there")));
    }
    if !Bucket::is_named(path) {
        return Ok(Arc::new(open_folder(path, following)?.with_locks(writing.locks())));
    }
    // The lock is renewed in time or not at all, and let go of also by a run that is to stop.
    let keeper = client(|settings| (settings.attempts, settings.stall) = KEEPER)?;
    Ok(Arc::new(Shelf::new(bucket(path, bandwidth, stop)?, keeper)))
}

/// How often, and how patiently, a lock in a bucket is written.
const KEEPER: (u32, Duration) = (4, Duration::from_secs(10));

/// Opens the folder of a repository that is written to.
pub(super) fn open_to_write(path: &Path, following: Following, writing: Writing) -> Result<Files, Error> {
    if let Some(far) = Scheme::of(path) {
        return Err(usage(format!("{} {}, which is only read by this command", quoted(path), far.lies())));
    }
    open_folder(path, following).map(|files| files.with_locks(writing.locks()))
}

/// Opens a folder of this machine.
pub(super) fn open_folder(path: &Path, following: Following) -> Result<Files, Error> {
    near(path)?;
    Files::open(path, following.links()).map_err(|error| {
        let part = part_of(path).map(|part| format!("; {part}")).unwrap_or_default();
        Error::cannot_start(format!("cannot list {}: {error}{part}", quoted(path)))
    })
}

/// What is said of a path inside a repository to whoever took it for one: how to name what it stands for.
pub(super) fn part_of(path: &Path) -> Option<String> {
    if Scheme::of(path).is_some() {
        return None;
    }
    let whole = std::path::absolute(path).ok()?;
    whole.ancestors().skip(1).find_map(|folder| {
        let inner = whole.strip_prefix(folder).ok()?.to_str()?;
        let mut entries: Vec<Entry> = Vec::new();
        Files::open(folder, Links::Beneath).ok()?.list(None, &mut |entry| entries.push(entry)).ok()?;
        let format = formats::recognise(&entries).next()?;
        let point = format.point(inner).ok()?;
        let (named, folder) = (format!("{}@{point}", shown(folder)), quoted(folder));
        Some(format!("it lies in {folder}, of kind {}, so write '{named}'", format.facts().name))
    })
}

/// Refuses to remove points of a repository that lies in a set of another kind, whose points may be made of them.
/// `instead` is what to do.
pub(super) fn refuse_within(path: &Path, instead: &str) -> Result<(), Error> {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(around) = whole.parent() else { return Ok(()) };
    let mut entries: Vec<Entry> = Vec::new();
    let listed =
        Files::open(around, Links::Beneath).and_then(|files| files.list(None, &mut |entry| entries.push(entry)));
    if listed.is_err() {
        return Ok(());
    }
    match formats::recognise(&entries).find(|format| format.facts().shape == Shape::Tree) {
        Some(format) => Err(usage(format!(
            "{} lies in {}, of kind {}, whose points may be made of it: {instead}",
            quoted(path),
            quoted(around),
            format.facts().name
        ))),
        None => Ok(()),
    }
}

/// The kind of a repository: as asked for, or as its entries look.
pub(super) fn kind_of(store: &dyn Store, root: &Root) -> Result<&'static dyn Format, Error> {
    kind::of(store, root.kind.as_deref(), || part_of(&store.told(None)))
}

pub(super) fn usage(what: String) -> Error {
    Error::usage(what)
}
