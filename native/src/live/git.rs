//! `Git`: git repositories: bare ones, and the `.git` of a working tree.
//!
//! Refs name objects, and objects name others, which are there before anything names them. So refs are read first, and
//! all objects that are there are pinned after that. Packing moves objects from file to file, each new file before an
//! old one goes: pinned are those that were there before the refs were read, and those after it, loose ones before
//! packs, until nothing is removed while they are listed. What goes between its listing and its pin was packed, and is
//! pinned as that, or pruned, which matters only if a ref was changed. A ref that is deleted meanwhile is left out, as
//! what it named may be pruned at once; so is a log of a ref that was rewritten.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::adapter::{Accepted, Adapter, Caught, Content, Head, Named, Stop, read_whole};
use super::held::Held;
use crate::disk::Disk;
use crate::error::Error;

/// Folders of which every file is read as a head, in this order: loose refs before the packed ones, as packing writes
/// those first.
const HEADS: [&str; 5] = ["logs", "worktrees", "refs", "info", "hooks"];

const PACKED: &str = "packed-refs";
const OBJECTS: &str = "objects";

/// Names the folders of objects of other repositories.
const ALTERNATES: &str = "objects/info/alternates";

/// The adapter, and what it read at the last try.
#[derive(Default)]
pub(super) struct Git {
    /// Refs and logs, with their bytes.
    heads: BTreeMap<Name, Vec<u8>>,
    /// The files of objects that were listed since.
    seen: BTreeSet<Name>,
}

fn name(text: &str) -> Result<Name, Error> {
    Ok(Name::new(text.as_bytes())?)
}

/// Whether a file is one that is being written, or says who is at work.
fn is_work(last: &[u8]) -> bool {
    last.ends_with(b".lock") || last == b"gc.pid" || last.starts_with(b"tmp_") || last.starts_with(b".tmp-")
}

/// Whether a file in the repository's own folder is a head.
fn is_head(entry: &Entry) -> bool {
    entry.kind == Kind::File && !is_work(entry.name.as_bytes())
}

/// Whether it is a loose object, or a pack and what belongs to it. A file that says to keep a pack may be written anew.
fn is_of_objects(name: &Name) -> bool {
    let Some(rest) = name.as_bytes().strip_prefix(b"objects/") else { return false };
    match rest.strip_prefix(b"pack/pack-") {
        Some(last) => !last.ends_with(b".keep") && !last.ends_with(b".promisor"),
        None => rest.len() >= 40 && rest.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'/'),
    }
}

impl Adapter for Git {
    fn kind(&self) -> &'static str {
        "git"
    }

    fn recognise(&self, entries: &[Entry]) -> bool {
        let has = |name: &str| entries.iter().any(|entry| entry.name.as_bytes() == name.as_bytes());
        has("HEAD") && has(OBJECTS) && has("refs")
    }

    fn knows(&self, entry: &Entry) -> bool {
        let name = entry.name.as_bytes();
        let folder = HEADS.iter().chain(&[OBJECTS]).any(|own| own.as_bytes() == name);
        folder || is_head(entry) || is_work(name) || name == b"branches"
    }

    fn settled(&self) -> fn(&Name) -> bool {
        is_of_objects
    }

    fn look(&mut self, store: &dyn Disk) -> Result<Vec<String>, Error> {
        if store.look(Some(&name("reftable")?)).map_err(Error::of_folder("look at", store, None))?.is_some() {
            return Err(Error::cannot_start(
                "the repository keeps its refs as reftable, which is not read here: use `git clone --mirror`",
            ));
        }
        let alternates = name(ALTERNATES)?;
        let borrows = read_whole(store, &alternates)?.is_some();
        Ok(borrows
            .then(|| format!("objects that '{alternates}' leads to lie in other repositories, and are not in it"))
            .into_iter()
            .collect())
    }

    fn list(&mut self, store: &dyn Disk) -> Result<Option<Vec<Named>>, Stop> {
        let objects = objects(store)?;
        self.seen.extend(objects.iter().cloned());
        Ok(Some(objects.into_iter().map(Named::new).collect()))
    }

    fn read(&mut self, store: &dyn Disk, _: &Held) -> Result<Head, Stop> {
        self.heads = heads(store)?;
        // What was lost before they were read, they do not need.
        self.seen.clear();
        let folders = [OBJECTS, "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"];
        Ok(Head { named: Vec::new(), folders: folders.into_iter().map(name).collect::<Result<_, _>>()? })
    }

    fn accept(&mut self, store: &dyn Disk, has: &Caught<'_>) -> Result<Accepted, Stop> {
        let now = heads(store)?;
        // What went before it was pinned was packed or pruned. Refs that still are what they were need nothing that is
        // pruned.
        if let Some(lost) = self.seen.iter().find(|name| !has.pins.holds(name))
            && self.heads.iter().any(|(name, bytes)| now.get(name) != Some(bytes))
        {
            return Err(Stop::Moved(format!("'{lost}' went before it was pinned, and refs were changed meanwhile")));
        }
        let there = refs(&now);
        self.heads.retain(|name, bytes| keeps(name, bytes, &there, &now));
        if let Some(packed) = self.heads.get_mut(&name(PACKED)?) {
            *packed = without(packed, &there);
        }
        let count = refs(&self.heads).len();
        let position = format!("{count} {}", if count == 1 { "ref" } else { "refs" });
        let heads = std::mem::take(&mut self.heads).into_iter();
        Ok(Accepted { position, files: heads.map(|(name, bytes)| (name, Content::Bytes(bytes))).collect() })
    }
}

/// Whether a head that was captured goes into the checkpoint.
fn keeps(head: &Name, bytes: &[u8], there: &BTreeSet<Vec<u8>>, now: &BTreeMap<Name, Vec<u8>>) -> bool {
    let text = head.as_bytes();
    if text.starts_with(b"refs/") {
        return there.contains(text);
    }
    // A log goes on; one that does not begin as it did was rewritten, so that what it names may be pruned.
    !text.starts_with(b"logs/") || now.get(head).is_some_and(|now| now.starts_with(bytes))
}

/// The names of all refs, loose and packed.
fn refs(heads: &BTreeMap<Name, Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let loose = heads.keys().filter(|name| name.as_bytes().starts_with(b"refs/")).map(|name| name.as_bytes().to_vec());
    let packed = heads.iter().filter(|(name, _)| name.as_bytes() == PACKED.as_bytes());
    let packed = packed.flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n').filter_map(packed_ref));
    loose.chain(packed.map(<[u8]>::to_vec)).collect()
}

/// The ref that a line of packed refs is of: `VALUE NAME`. Others are comments, or begin with `^`.
fn packed_ref(line: &[u8]) -> Option<&[u8]> {
    let (value, name) = line.split_at(line.iter().position(|byte| *byte == b' ')?);
    let is_value = value.len() >= 40 && value.iter().all(u8::is_ascii_hexdigit);
    is_value.then(|| &name[1..])
}

/// Packed refs without those that are not there any more, and without what is said of these.
fn without(packed: &[u8], there: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let mut kept = true;
    let lines = packed.split_inclusive(|byte| *byte == b'\n').filter(|line| {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        match packed_ref(bare) {
            Some(name) => kept = there.contains(name),
            None if bare.starts_with(b"^") => {}
            None => kept = true,
        }
        kept
    });
    lines.flatten().copied().collect()
}

/// All heads, in the order in which they must be read.
fn heads(store: &dyn Disk) -> Result<BTreeMap<Name, Vec<u8>>, Stop> {
    let mut heads = BTreeMap::new();
    let mut take = |name: Name| -> Result<(), Stop> {
        heads.extend(read_whole(store, &name)?.map(|bytes| (name, bytes)));
        Ok(())
    };
    take(name("HEAD")?)?;
    take(name(ALTERNATES)?)?;
    for folder in HEADS {
        files(store, name(folder)?, &mut take)?;
    }
    let mut entries: Vec<Entry> = Vec::new();
    store.list(None, &mut |entry| entries.push(entry)).map_err(Error::of_folder("list", store, None))?;
    let others = entries.into_iter().filter(|entry| is_head(entry) && entry.name.as_bytes() != b"HEAD");
    let mut others: Vec<Name> = others.map(|entry| entry.name).collect();
    // That of the packed refs must come after the loose ones, which it does here; its own order does not matter.
    others.sort_unstable();
    others.into_iter().try_for_each(&mut take)?;
    Ok(heads)
}

/// Hands on every file below a folder.
fn files(store: &dyn Disk, folder: Name, take: &mut dyn FnMut(Name) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut ahead = vec![folder];
    while let Some(folder) = ahead.pop() {
        for entry in listed(store, &folder)? {
            let name = folder.join(entry.name.as_bytes()).map_err(Error::from)?;
            match entry.kind {
                Kind::Folder => ahead.push(name),
                Kind::File if !is_work(entry.name.as_bytes()) => take(name)?,
                Kind::File | Kind::Link | Kind::Other => {}
            }
        }
    }
    Ok(())
}

/// The entries of a folder; none of one that is not there.
fn listed(store: &dyn Disk, folder: &Name) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    match store.list(Some(folder), &mut |entry| entries.push(entry)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map(|()| entries).map_err(Error::at("list", store, folder)),
    }
}

/// What git writes of a pack beside its index: the index comes last, so that a pack without one is being written.
const BESIDE: [&str; 5] = ["rev", "bitmap", "mtimes", "keep", "promisor"];

/// All objects: loose ones first, then packs with what belongs to them.
fn objects(store: &dyn Disk) -> Result<BTreeSet<Name>, Stop> {
    let folder = name(OBJECTS)?;
    let mut objects = BTreeSet::new();
    for entry in listed(store, &folder)? {
        let last = entry.name.as_bytes();
        if entry.kind != Kind::Folder || last.len() != 2 || !last.iter().all(u8::is_ascii_hexdigit) {
            continue;
        }
        let fan = folder.join(last).map_err(Error::from)?;
        for entry in listed(store, &fan)? {
            let last = entry.name.as_bytes();
            if last.len() >= 38 && last.iter().all(u8::is_ascii_hexdigit) {
                objects.insert(fan.join(last).map_err(Error::from)?);
            }
        }
    }
    let packs = name("objects/pack")?;
    let there: BTreeSet<Vec<u8>> =
        listed(store, &packs)?.into_iter().map(|entry| entry.name.as_bytes().to_vec()).collect();
    let with = |stem: &[u8], ending: &str| [stem, b".", ending.as_bytes()].concat();
    for index in &there {
        let Some(stem) = index.strip_suffix(b".idx").filter(|stem| stem.starts_with(b"pack-")) else { continue };
        let endings = ["pack", "idx"].iter().chain(BESIDE.iter().filter(|ending| there.contains(&with(stem, ending))));
        for ending in endings {
            objects.insert(packs.join(&with(stem, ending)).map_err(Error::from)?);
        }
    }
    Ok(objects)
}
