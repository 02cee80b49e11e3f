//! `Fjall`: stores of fjall 3.
//!
//! Each keyspace has a head of its own, and one run of journals serves them all. A journal is deleted, the oldest
//! first, only when every keyspace has what is in it in tables that a durable version names. So a batch is in the
//! tables of a keyspace, or in a journal that was there when the head of the keyspace was read. Such a journal was
//! there when the try began, or came later; came and went it has only if numbers are missing between those that are
//! held.

use std::collections::{BTreeMap, BTreeSet};

use highwater_core::codec::Flow;
use highwater_core::formats::by_name;
use highwater_core::formats::fjall::journal::{self, Tail};
use highwater_core::formats::fjall::version::Version;
use highwater_core::formats::fjall::{current, marker, names, version};
use highwater_core::inspect::Entry;
use highwater_core::name::Name;
use highwater_core::render::thousands;

use super::adapter::{
    Accepted, Adapter, Caught, Class, Content, Files, Head, Named, Passing, Scan, Scanned, Stop, read_object,
    read_small, read_whole,
};
use super::held::Held;
use crate::disk::Disk;
use crate::error::Error;

/// The adapter, and what the heads said at the last try.
#[derive(Default)]
pub(super) struct Fjall {
    keyspaces: BTreeMap<u64, Keyspace>,
    files: Files,
}

/// The head of a keyspace.
struct Keyspace {
    current: Vec<u8>,
    version: u64,
    tables: BTreeSet<u64>,
}

impl Keyspace {
    /// No table was ingested since this head was read: what was ingested was in no journal, and batches after it are in
    /// those that were copied. Each version between is looked at, as the next may have the table merged into others
    /// already; a version that nobody saw may have been one that ingested.
    fn brought_nothing(&self, store: &dyn Disk, held: &Held, id: u64) -> Result<(), Stop> {
        let Some(newest) = read_keyspace(store, id)? else { return Ok(()) };
        let missed = || Stop::Moved(format!("versions of keyspace {id} came and went unseen"));
        if newest.number <= self.version || newest.number - self.version > MANY {
            return Err(missed());
        }
        for number in self.version + 1..=newest.number {
            let name = named(names::version(id, number))?;
            let bytes = match held.head(&name) {
                Some(object) => Some(read_object(&*object, store, &name)?),
                None if number == newest.number => Some(newest.version_bytes.clone()),
                None => read_whole(store, &name)?,
            };
            let version = version::parse(&bytes.ok_or_else(missed)?).map_err(|_| missed())?;
            if version.tables.iter().any(|table| table.ingested && !self.tables.contains(&table.id)) {
                return Err(Stop::Moved(format!("tables were ingested into keyspace {id} meanwhile")));
            }
        }
        Ok(())
    }
}

/// From so many versions on, it is better to begin anew than to look at each.
const MANY: u64 = 1000;

fn number_of(name: &Name) -> Option<u64> {
    names::is_journal(name.as_bytes())
}

/// What is in the store's folder, or in those of a keyspace.
fn class(name: &Name) -> Option<Class> {
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let Some(folder) = name.folder() else { return number_of(name).map(Class::Log) };
    let is_in = |within: &str| folder.last() == within.as_bytes();
    match name.last() {
        last if is_number(last) && [names::TABLES, names::BLOBS].into_iter().any(is_in) => Some(Class::File),
        [b'v', digits @ ..] if is_number(digits) => Some(Class::Head),
        _ => None,
    }
}

/// A name that always is one.
fn named(name: Option<Name>) -> Result<Name, Stop> {
    name.ok_or_else(|| Stop::Odd("the store's head names a file that no name can be made for".to_owned()))
}

impl Adapter for Fjall {
    fn kind(&self) -> &'static str {
        "fjall"
    }

    fn recognise(&self, entries: &[Entry]) -> bool {
        by_name(self.kind()).is_some_and(|format| format.recognise(entries))
    }

    fn look(&mut self, store: &dyn Disk) -> Result<Vec<String>, Error> {
        let name = Name::new(names::VERSION.as_bytes())?;
        let bytes = read_small(store, &name)?.unwrap_or_default();
        marker::parse(&bytes).map_err(|odd| Error::cannot_start(format!("'{name}' {odd}")))?;
        Ok(Vec::new())
    }

    fn knows(&self, entry: &Entry) -> bool {
        let name = entry.name.as_bytes();
        let own = [names::VERSION, names::LOCK, names::KEYSPACES].iter().any(|own| own.as_bytes() == name);
        own || number_of(&entry.name).is_some() || name.starts_with(b".tmp")
    }

    fn settled(&self) -> fn(&Name) -> bool {
        |name| class(name) == Some(Class::File)
    }

    fn passing(&self) -> Option<Passing> {
        Some(class)
    }

    fn read(&mut self, store: &dyn Disk, held: &Held) -> Result<Head, Stop> {
        self.keyspaces.clear();
        self.files.clear();
        held.release_heads();
        let mut head = Head::default();
        for id in keyspaces(store)? {
            let folder = named(names::keyspace(id))?;
            held.watch_folder(store, &folder);
            for within in [names::TABLES, names::BLOBS] {
                held.watch_folder(store, &folder.join(within.as_bytes()).map_err(Error::from)?);
            }
            let Some(Heads { current, number, version_bytes, version }) = read_keyspace(store, id)? else { continue };
            let listed = store.list(Some(&folder), &mut |entry| {
                if entry.kind.may_be_folder() {
                    head.folders.extend(folder.join(entry.name.as_bytes()));
                }
            });
            listed.map_err(|error| Stop::Moved(format!("the folder '{folder}' cannot be listed: {error}")))?;
            head.folders.push(folder);
            let named_by = |name: Option<Name>, digest| {
                Ok::<_, Stop>(Named { length: None, digest: Some(digest), name: named(name)? })
            };
            for table in &version.tables {
                head.named.push(named_by(names::table(id, table.id), table.digest)?);
            }
            for blob in &version.blobs {
                head.named.push(named_by(names::blob(id, blob.id), blob.digest)?);
            }
            self.files.push((named(names::version(id, number))?, Content::Bytes(version_bytes)));
            self.files.push((named(names::current(id))?, Content::Bytes(current.clone())));
            let tables = version.tables.iter().map(|table| table.id).collect();
            self.keyspaces.insert(id, Keyspace { current, version: number, tables });
        }
        let marker = Name::new(names::VERSION.as_bytes()).map_err(Error::from)?;
        let Some(bytes) = read_small(store, &marker)? else {
            return Err(Stop::Odd(format!("'{marker}' is not there")));
        };
        self.files.push((marker, Content::Bytes(bytes)));
        // The engine opens no store that lacks it, and it must not be the one that the store's program holds.
        self.files.push((Name::new(names::LOCK.as_bytes()).map_err(Error::from)?, Content::Bytes(Vec::new())));
        Ok(head)
    }

    fn choose(&mut self, _: &dyn Disk, held: &Held) -> Result<Vec<u64>, Stop> {
        let numbers = held.numbers();
        match numbers.windows(2).find(|pair| pair[1] != pair[0] + 1) {
            _ if numbers.is_empty() => Err(Stop::Odd("there is no journal".to_owned())),
            Some(pair) => Err(Stop::Moved(format!("journals between {} and {} came and went", pair[0], pair[1]))),
            None => Ok(numbers),
        }
    }

    fn scan(&self, _: u64) -> Box<dyn Scan> {
        Box::new(Journal(journal::Scan::new()))
    }

    fn accept(&mut self, store: &dyn Disk, &Caught { held, logs, .. }: &Caught<'_>) -> Result<Accepted, Stop> {
        let mut now = BTreeSet::new();
        for id in keyspaces(store)? {
            let bytes = read_small(store, &named(names::current(id))?)?;
            let Some(bytes) = bytes else { continue };
            now.insert(id);
            let Some(keyspace) = self.keyspaces.get(&id) else { break };
            if keyspace.current == bytes {
                continue;
            }
            if id == names::META {
                return Err(Stop::Moved("keyspaces were made, dropped or set meanwhile".to_owned()));
            }
            keyspace.brought_nothing(store, held, id)?;
        }
        if !now.iter().eq(self.keyspaces.keys()) {
            return Err(Stop::Moved("keyspaces were made or dropped meanwhile".to_owned()));
        }
        let newest = logs.last().map(|log| log.number);
        for log in logs {
            if let Some((at, what)) = &log.scanned.broken {
                return Err(Stop::Odd(format!("'{}' is broken at byte {at}: {what}", log.name)));
            }
            if log.scanned.torn && Some(log.number) != newest {
                return Err(Stop::Odd(format!("'{}' ends within a batch, and is not the newest journal", log.name)));
            }
        }
        let last = logs.iter().rev().find_map(|log| Some((log.number, log.scanned.last?)));
        let position = match (last, newest) {
            (Some((journal, batch)), _) => format!("batch {} in journal {journal}", thousands(batch)),
            (None, Some(journal)) => format!("all of it in tables, and journal {journal} is empty"),
            (None, None) => "all of it in tables".to_owned(),
        };
        Ok(Accepted { position, files: std::mem::take(&mut self.files) })
    }
}

/// The numbers of the keyspaces that have a folder.
fn keyspaces(store: &dyn Disk) -> Result<BTreeSet<u64>, Stop> {
    let folder = Name::new(names::KEYSPACES.as_bytes()).map_err(Error::from)?;
    let mut found = BTreeSet::new();
    store
        .list(Some(&folder), &mut |entry| found.extend(names::is_keyspace(entry.name.as_bytes())))
        .map_err(Error::at("list", store, &folder))?;
    Ok(found)
}

/// The head of a keyspace, both of its files.
struct Heads {
    current: Vec<u8>,
    /// The number of the version.
    number: u64,
    version_bytes: Vec<u8>,
    version: Version,
}

/// The head of a keyspace; none while it is made or dropped.
fn read_keyspace(store: &dyn Disk, id: u64) -> Result<Option<Heads>, Stop> {
    let Some(bytes) = read_small(store, &named(names::current(id))?)? else { return Ok(None) };
    let current = current::parse(&bytes).map_err(|odd| odd_head(names::current(id), &odd))?;
    let name = named(names::version(id, current.version))?;
    let Some(version_bytes) = read_whole(store, &name)? else {
        return Err(Stop::Odd(format!("'{name}', the version that keyspace {id} names, is not there")));
    };
    let digest = highwater_core::digest::of(current.digest.algorithm(), &version_bytes);
    if digest != current.digest {
        return Err(Stop::Odd(format!("'{name}' gives the digest {digest}, and 'current' says {}", current.digest)));
    }
    let version = version::parse(&version_bytes).map_err(|odd| odd_head(Some(name), &odd))?;
    Ok(Some(Heads { current: bytes, number: current.version, version_bytes, version }))
}

fn odd_head(name: Option<Name>, odd: &highwater_core::formats::fjall::Odd) -> Stop {
    Stop::Odd(format!("'{}' {odd}", name.map(|name| name.to_string()).unwrap_or_default()))
}

/// A journal that is being copied.
struct Journal(journal::Scan);

impl Scan for Journal {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    fn end(self: Box<Self>) -> Scanned {
        let journal = self.0.end();
        let broken = if let Tail::Broken { at, what } = &journal.tail { Some((*at, what.clone())) } else { None };
        let torn = matches!(journal.tail, Tail::Torn { .. });
        Scanned {
            whole: journal.whole,
            entries: journal.batches,
            last: journal.last,
            torn,
            broken,
            ..Scanned::default()
        }
    }
}
