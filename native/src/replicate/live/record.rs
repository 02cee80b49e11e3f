//! `Record`: the list beside a replica, of what the run that made it put there.
//!
//! It is mtree(5), as beside a checkpoint: every file with its length, time and SHA-256. A replica is replaced only if
//! it is as its list says: what its own program wrote there since is nobody else's to remove. The list of a replica
//! that takes its place lies in the work folder before that, and gets its name after it. So whenever a run ends, the
//! replica is as one of the two says.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use highwater_core::digest::Digest;
use highwater_core::inspect::Entry;
use highwater_core::mtree::{Line, Lines, SIGNATURE, push_line, seal};
use highwater_core::name::{Name, printable};
use highwater_core::node::{Meta, Node, NodeKind};

use super::{At, Filled, StoreOptions, StoreSummary, folder};
use crate::disk::{Disk, Look, Time, What, first_mount, remove_tree};
use crate::drive::buffer;
use crate::error::Error;
use crate::live;
use crate::shown::quoted;
use crate::store::Identity;
use crate::watch::Watch;

/// What the list begins with, behind the signature: the kind of store follows.
const TITLE: &str = "highwater replica 1 · store ";

/// What its second comment begins with: what the source is called follows.
const SOURCE: &str = "source ";

/// A file as it is on record.
pub(super) struct Kept {
    pub(super) length: u64,
    pub(super) modified: Time,
    pub(super) digest: Digest,
}

/// What a list says.
#[derive(Default)]
pub(super) struct Record {
    kind: String,
    of: String,
    pub(super) files: BTreeMap<Name, Kept>,
    folders: BTreeSet<Name>,
}

/// The replica that is there.
#[derive(Default)]
pub(super) struct Old {
    /// Which folder it is; none where there is none.
    pub(super) folder: Option<Look>,
    /// What is known of it; none of one that is empty, or is replaced whatever is in it.
    pub(super) record: Option<Record>,
    /// The kind that its files look like, where nothing is known of it.
    looks: Option<&'static str>,
}

impl Old {
    /// Whether a replica of a store of this kind may take its place.
    pub(super) fn is_of(&self, kind: &str) -> bool {
        self.record.as_ref().map_or(self.looks.is_none_or(|looks| looks == kind), |record| record.kind == kind)
    }

    /// Which folder it is.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.folder.map(|look| look.identity)
    }
}

/// Looks at the replica that is there, and ends what a run was at that was killed when the replica had its place.
///
/// # Errors
/// It is none, or of something else, or not as it was made.
pub(super) fn old(job: &StoreOptions<'_>, at: &At<'_>, watch: &Watch<'_>) -> Result<Old, Error> {
    let path = || quoted(&at.disk.told(Some(at.dest)));
    let list = || quoted(&at.disk.told(Some(&at.list)));
    let (next, listed) = (read(at.disk, &at.next)?, read(at.disk, &at.list)?);
    let Some(look) = folder(at)? else {
        return match listed {
            Listed::Odd(_) => Err(Error::cannot_start(format!(
                "{}, where the list of the files is to lie, is something else; move it away",
                list()
            ))),
            _ => Ok(Old::default()),
        };
    };
    let mut entries: Vec<Entry> = Vec::new();
    let inside = at.disk.beneath(at.dest).map_err(Error::at("open", at.disk, at.dest))?;
    inside.list(None, &mut |entry| entries.push(entry)).map_err(Error::at("list", at.disk, at.dest))?;
    if entries.is_empty() && !matches!(listed, Listed::Odd(_)) {
        return Ok(Old { folder: Some(look), ..Old::default() });
    }
    if let Listed::Record(record) = next
        && record.differs(&*inside, watch)?.is_none()
    {
        at.disk.rename(&at.next, &at.list).map_err(Error::at("publish", at.disk, &at.list))?;
        at.disk.sync_folder(at.list.folder().as_ref()).map_err(Error::at("publish", at.disk, &at.list))?;
        return of_this(job, record, look, at);
    }
    let why = match listed {
        Listed::Record(record) => match record.differs(&*inside, watch)? {
            None => return of_this(job, record, look, at),
            Some(why) => format!("it is not as the last run left it: {why}"),
        },
        Listed::None => format!("{} is not there, so no run of this made it", list()),
        Listed::Odd(why) => format!("{} is no list of a replica: {why}", list()),
    };
    match live::recognise(&entries) {
        Some(looks) if job.related => {
            refuse_mounts(at)?;
            Ok(Old { folder: Some(look), record: None, looks: Some(looks) })
        }
        Some(_) => Err(Error::cannot_start(format!(
            "{} is not replaced: {why}; name a new folder, or say --related if it may go with all that is in it",
            path()
        ))),
        None => Err(Error::cannot_start(format!("{} is no replica of a live store: {why}; name a new folder", path()))),
    }
}

/// What is known of the replica, if it is one of this source.
fn of_this(job: &StoreOptions<'_>, record: Record, folder: Look, at: &At<'_>) -> Result<Old, Error> {
    if record.of != printable(job.of.as_bytes()) && !job.related {
        let (dest, of) = (quoted(&at.disk.told(Some(at.dest))), &record.of);
        return Err(Error::cannot_start(format!(
            "{dest} is a replica of '{of}': name another folder, or say --related if that is this store"
        )));
    }
    Ok(Old { folder: Some(folder), record: Some(record), looks: None })
}

/// What has the name of a list.
enum Listed {
    None,
    Record(Record),
    /// It is no list of a replica: why.
    Odd(String),
}

fn read(disk: &dyn Disk, name: &Name) -> Result<Listed, Error> {
    let object = match disk.open(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listed::None),
        object => object.map_err(Error::at("open", disk, name))?,
    };
    let (mut lines, mut record, mut odd) = (Lines::default(), Record::default(), None);
    let mut take = |line: Line| match line {
        Line::Comment(text) => {
            if let Some(rest) = text.strip_prefix(TITLE) {
                record.kind = rest.split(' ').next().unwrap_or_default().to_owned();
            } else if let Some(of) = text.strip_prefix(SOURCE) {
                record.of = of.to_owned();
            }
        }
        Line::Entry(entry) => match (entry.node.path, entry.node.kind, entry.node.meta.modified, entry.digest) {
            (Some(path), NodeKind::Folder, ..) => _ = record.folders.insert(path),
            (None, NodeKind::Folder, ..) => {}
            (Some(path), NodeKind::File(length), Some(modified), Some(digest)) => {
                record.files.insert(path, Kept { length, modified, digest });
            }
            _ => odd = Some("it lists what no replica has".to_owned()),
        },
        Line::Special { .. } => odd = Some("it lists what no replica has".to_owned()),
    };
    object
        .for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
            lines.push(piece, &mut take);
            true
        })
        .map_err(Error::at("read", disk, name))?;
    if let Err(wrong) = lines.end() {
        odd = Some(wrong.what);
    } else if record.kind.is_empty() {
        odd = Some("it has another title".to_owned());
    }
    Ok(odd.map_or(Listed::Record(record), Listed::Odd))
}

impl Record {
    /// What is not as it is on record, as a clause; none where all is.
    ///
    /// # Errors
    /// The replica cannot be read.
    pub(super) fn differs(&self, inside: &dyn Disk, watch: &Watch<'_>) -> Result<Option<String>, Error> {
        let (mut ahead, mut files, mut folders) = (vec![None], 0, 0);
        while let Some(folder) = ahead.pop() {
            watch.go_on()?;
            let mut names = Vec::new();
            let told = Error::of_folder("list", inside, folder.as_ref());
            inside.list(folder.as_ref(), &mut |entry| names.push(entry.name)).map_err(told)?;
            for last in names {
                let name: Name =
                    folder.as_ref().map_or_else(|| Ok(last.clone()), |f: &Name| f.join(last.as_bytes()))?;
                let look = inside.look(Some(&name)).map_err(Error::at("look at", inside, &name))?;
                let is_same = |look: &Look| match (look.what, self.files.get(&name)) {
                    (What::Folder, _) => self.folders.contains(&name),
                    (What::File, Some(kept)) => kept.length == look.length && kept.modified == look.modified,
                    _ => false,
                };
                match look.filter(is_same) {
                    None => return Ok(Some(format!("'{name}' was written since, as by its own program"))),
                    Some(look) if look.what == What::Folder => {
                        folders += 1;
                        ahead.push(Some(name));
                    }
                    Some(_) => files += 1,
                }
            }
        }
        let is_whole = files == self.files.len() && folders == self.folders.len();
        Ok((!is_whole).then(|| "files are gone".to_owned()))
    }
}

/// The list of a replica.
pub(super) fn list(job: &StoreOptions<'_>, summary: &StoreSummary, top: &Look, filled: &Filled) -> String {
    let (kind, position) = (&summary.kind, &summary.position);
    let of = printable(job.of.as_bytes());
    let mut text = format!("{SIGNATURE}# {TITLE}{kind} · {position}\n# {SOURCE}{of}\n");
    let meta = |look: &Look| Meta {
        mode: Some(look.mode),
        uid: Some(look.owner.user),
        gid: Some(look.owner.group),
        modified: Some(look.modified),
    };
    // A folder's time is that of its last entry.
    let folder = Meta { modified: None, ..meta(top) };
    push_line(&Node { path: None, kind: NodeKind::Folder, meta: folder }, None, None, &mut text);
    let folders = filled.folders.iter().map(|name| (name, None));
    let mut all: Vec<_> = folders.chain(filled.files.iter().map(|(name, came)| (name, Some(came)))).collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    for (name, came) in all {
        let path = Some(name.clone());
        let (kind, meta, digest) = match came {
            Some(came) => (NodeKind::File(came.look.length), meta(&came.look), Some(&came.digest)),
            None => (NodeKind::Folder, folder, None),
        };
        push_line(&Node { path, kind, meta }, digest, None, &mut text);
    }
    seal(&mut text);
    text
}

/// What is mounted in the folder that is given up would go with it.
fn refuse_mounts(at: &At<'_>) -> Result<(), Error> {
    let mount = first_mount(at.disk, at.dest).map_err(Error::at("look at", at.disk, at.dest))?;
    let Some(mount) = mount else { return Ok(()) };
    let path = quoted(&at.disk.told(Some(&mount)));
    let what = format!(
        "something is mounted on {path}, and the whole replica is replaced: unmount that, or name a new folder"
    );
    Err(Error::cannot_start(what))
}

/// Removes a folder that had its place taken, with all that is in it.
pub(super) fn remove(at: &At<'_>, identity: Identity) -> Result<(), Error> {
    remove_tree(at.disk, &at.store, identity).map_err(Error::at(
        "remove the old replica, which is now",
        at.disk,
        &at.store,
    ))
}
