//! `RocksDb`: stores of RocksDB and of LevelDB.
//!
//! One MANIFEST names the tables of all column families and the oldest log that any of them needs; a log goes only
//! after an edit that raises that. So the tables that a MANIFEST names, and every log that it needs as they are later,
//! hold each batch up to the cut. Whether every needed log is held is known in one of two ways: the oldest one needed
//! is still the same after all logs were opened, so none went; or that log is held, and the sequence numbers run on
//! without a gap from it to the newest.
//!
//! That all numbers between are there says nothing, as files of all kinds share them; that all logs are held which
//! edits name is not enough either, as logs of memtables that were flushed together are named by none.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use highwater_core::codec::Flow;
use highwater_core::formats::by_name;
use highwater_core::formats::rocksdb::manifest::{Manifest, Read};
use highwater_core::formats::rocksdb::names::{self, Ending, File};
use highwater_core::formats::rocksdb::options::{self, Options};
use highwater_core::formats::rocksdb::records::Tail;
use highwater_core::formats::rocksdb::wal::Batches;
use highwater_core::formats::rocksdb::{Engine, State, current};
use highwater_core::inspect::Entry;
use highwater_core::name::{Name, printable};
use highwater_core::render::thousands;

use super::adapter::{
    Accepted, Adapter, Caught, Class, Content, Copied, Files, Head, Named, Passing, Scan, Scanned, Stop, read_small,
    read_whole,
};
use super::held::Held;
use crate::disk::Disk;
use crate::error::Error;
use crate::store::Object;

/// The adapter, and what the head said at the last try.
pub(super) struct RocksDb {
    engine: Engine,
    two_phase: bool,
    current: Vec<u8>,
    manifest: u64,
    state: State,
    files: Files,
    /// The oldest log that was needed was the same when all logs were held.
    stood_still: bool,
    /// How often the newest OPTIONS lacked a column family.
    lacked: u32,
}

/// So often the newest OPTIONS may lack a column family, and so long it is waited for one that has it: the engine makes
/// the family first. What a crash left between the two lacks it for good.
const LACKING: u32 = 4;
const WAIT: Duration = Duration::from_millis(50);

impl RocksDb {
    pub(super) fn of(engine: Engine) -> Self {
        Self {
            engine,
            two_phase: false,
            current: Vec::new(),
            manifest: 0,
            state: State::default(),
            files: Vec::new(),
            stood_still: false,
            lacked: 0,
        }
    }
}

fn class(name: &Name) -> Option<Class> {
    match names::file(name.as_bytes()) {
        Some(File::Log(number)) => Some(Class::Log(number)),
        Some(File::Table(_) | File::Blob(_)) => Some(Class::File),
        _ => None,
    }
}

fn name_of(file: Option<Name>) -> Result<Name, Stop> {
    file.ok_or_else(|| Stop::Odd("the MANIFEST names a file that no name can be made for".to_owned()))
}

impl Adapter for RocksDb {
    fn kind(&self) -> &'static str {
        match self.engine {
            Engine::RocksDb => "rocksdb",
            Engine::LevelDb => "leveldb",
        }
    }

    fn recognise(&self, entries: &[Entry]) -> bool {
        by_name(self.kind()).is_some_and(|format| format.recognise(entries))
    }

    fn look(&mut self, store: &dyn Disk) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        if self.engine == Engine::LevelDb {
            return Ok(notes);
        }
        let Some((name, bytes)) = newest_options(store)? else {
            notes.push("there is no OPTIONS file, so the options are taken for the usual ones".to_owned());
            return Ok(notes);
        };
        let options = options::parse(&bytes)
            .map_err(|odd| Error::cannot_start(format!("'{name}' cannot be understood at {odd}")))?;
        refuse(store, &options)?;
        self.two_phase = options.allow_2pc;
        if options.manual_wal_flush {
            notes.push("what the store's program holds back (manual_wal_flush) is not in it".to_owned());
        }
        Ok(notes)
    }

    fn knows(&self, entry: &Entry) -> bool {
        // What logs are moved to that are kept, and what a repair of LevelDB put aside.
        let folders: [&[u8]; 2] = [b"archive", b"lost"];
        names::file(entry.name.as_bytes()).is_some() || folders.contains(&entry.name.as_bytes())
    }

    fn settled(&self) -> fn(&Name) -> bool {
        |name| class(name) == Some(Class::File)
    }

    fn passing(&self) -> Option<Passing> {
        Some(class)
    }

    fn read(&mut self, store: &dyn Disk, _: &Held) -> Result<Head, Stop> {
        self.stood_still = false;
        self.files.clear();
        self.current = read_current(store)?;
        self.manifest = current::parse(&self.current).map_err(|odd| Stop::Odd(format!("'CURRENT' {odd}")))?;
        let (object, read) = self.read_manifest(store)?;
        self.state = read.state;
        let mut head = Head::default();
        let there = tables_there(store)?;
        for family in self.state.families.values() {
            for (number, table) in &family.tables {
                if table.path != 0 {
                    return Err(Stop::Error(elsewhere("db_paths")));
                }
                let ending = there.get(number).copied().unwrap_or(match self.engine {
                    Engine::RocksDb => Ending::Sst,
                    Engine::LevelDb => Ending::Ldb,
                });
                let name = name_of(names::table(*number, ending))?;
                head.named.push(Named { length: Some(table.size), ..Named::new(name) });
            }
            for (number, _) in family.live_blobs() {
                head.named.push(Named::new(name_of(names::blob(number))?));
            }
        }
        let manifest = name_of(names::manifest(self.manifest))?;
        self.files.push((manifest, Content::Prefix(Arc::from(object), read.cut)));
        self.files.push((name(names::CURRENT)?, Content::Bytes(current::compose(self.manifest).into_bytes())));
        if self.engine == Engine::RocksDb {
            let identity = name("IDENTITY")?;
            let bytes = read_small(store, &identity)?;
            self.files.extend(bytes.map(|bytes| (identity, Content::Bytes(bytes))));
        }
        Ok(head)
    }

    fn choose(&mut self, store: &dyn Disk, held: &Held) -> Result<Vec<u64>, Stop> {
        let now = self.look_again(store)?;
        let oldest = self.state.min_log(self.two_phase);
        self.stood_still = now.min_log(self.two_phase) == oldest && now.prev_log_number == self.state.prev_log_number;
        let needed: Vec<u64> =
            held.numbers().into_iter().filter(|number| self.state.needs_log(*number, self.two_phase)).collect();
        if !self.stood_still && needed.first() != Some(&oldest) {
            return Err(Stop::Moved(format!("log {oldest}, which was needed, is gone")));
        }
        Ok(needed)
    }

    fn scan(&self, number: u64) -> Box<dyn Scan> {
        Box::new(Log { batches: Batches::new(self.engine, number), first: None })
    }

    fn accept(&mut self, store: &dyn Disk, &Caught { logs, .. }: &Caught<'_>) -> Result<Accepted, Stop> {
        for log in logs {
            if let Some((at, what)) = &log.scanned.broken {
                return Err(Stop::Odd(format!("'{}' is broken at byte {at}: {what}", log.name)));
            }
        }
        let runs_on = runs_on(logs);
        if let (Some(pair), true) = (&runs_on, !self.stood_still) {
            return Err(Stop::Moved(format!("the logs do not run on from {} to {}", pair.0, pair.1)));
        }
        // Of a log that is torn and not the newest, something may be lost that the next one builds on.
        let torn = logs.iter().rev().skip(1).find(|log| log.scanned.torn);
        if let (Some(log), Some(_)) = (torn, &runs_on) {
            return Err(Stop::Odd(format!(
                "'{}' ends within a batch, and the next log does not go on there",
                log.name
            )));
        }
        let now = self.look_again(store)?;
        let families = |state: &State| -> Vec<(u32, Vec<u8>)> {
            state.families.iter().map(|(number, family)| (*number, family.name.clone())).collect()
        };
        if families(&now) != families(&self.state) {
            return Err(Stop::Moved("column families were made or dropped meanwhile".to_owned()));
        }
        // What was ingested is in no log, and batches after it are in those that were copied. Its table may be merged
        // into others and gone by now.
        if now.ingestions != self.state.ingestions {
            return Err(Stop::Moved("tables were ingested meanwhile".to_owned()));
        }
        self.take_options(store)?;
        let last = logs.iter().rev().find_map(|log| Some((&log.name, log.scanned.last?)));
        let position = match (last, self.state.last_sequence) {
            (Some((log, sequence)), _) => format!("sequence number {} in log {log}", thousands(sequence)),
            (None, Some(sequence)) => format!("sequence number {}, all of it in tables", thousands(sequence)),
            (None, None) => "all of it in tables".to_owned(),
        };
        Ok(Accepted { position, files: std::mem::take(&mut self.files) })
    }
}

impl RocksDb {
    /// The MANIFEST, open, and what it says up to its present end.
    fn read_manifest(&self, store: &dyn Disk) -> Result<(Box<dyn Object>, Read), Stop> {
        let name = name_of(names::manifest(self.manifest))?;
        let object = match store.open(&name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Stop::Odd(format!("'{name}', which CURRENT names, is not there")));
            }
            object => object.map_err(Error::at("open", store, &name))?,
        };
        let mut manifest = Manifest::new(self.engine);
        let end = object.length().map_err(Error::at("look at", store, &name))?;
        object
            .for_each_piece(0, end, &mut vec![0; 1 << 20], |piece| manifest.push(piece).is_continue())
            .map_err(Error::at("read", store, &name))?;
        let read = manifest.end();
        if let Tail::Broken { at, what } = &read.tail {
            return Err(Stop::Odd(format!("'{name}' is broken at byte {at}: {what}")));
        }
        Ok((object, read))
    }

    /// Takes the newest OPTIONS, if there are any: they must have every column family, which the engine makes first.
    fn take_options(&mut self, store: &dyn Disk) -> Result<(), Stop> {
        if self.engine == Engine::LevelDb {
            return Ok(());
        }
        let Some((name, bytes)) = newest_options(store)? else { return Ok(()) };
        let known = options::parse(&bytes).map(|options| options.families).unwrap_or_default();
        let lacks = self.state.families.values().find(|family| !known.contains_key(&family.name));
        if let Some(family) = lacks.filter(|_| self.lacked < LACKING) {
            self.lacked += 1;
            thread::sleep(WAIT);
            let family = printable(&family.name);
            return Err(Stop::Moved(format!("'{name}' has no options of the column family '{family}' yet")));
        }
        self.files.push((name, Content::Bytes(bytes)));
        Ok(())
    }

    /// What the same MANIFEST says now.
    fn look_again(&self, store: &dyn Disk) -> Result<State, Stop> {
        if read_current(store)? != self.current {
            return Err(Stop::Moved("a new MANIFEST was begun".to_owned()));
        }
        Ok(self.read_manifest(store)?.1.state)
    }
}

fn name(text: &str) -> Result<Name, Error> {
    Ok(Name::new(text.as_bytes())?)
}

fn read_current(store: &dyn Disk) -> Result<Vec<u8>, Stop> {
    let bytes = read_small(store, &name(names::CURRENT)?)?;
    bytes.ok_or_else(|| Stop::Odd("'CURRENT' is not there".to_owned()))
}

/// The entries of the store.
fn entries(store: &dyn Disk) -> Result<Vec<Name>, Error> {
    let mut names = Vec::new();
    store.list(None, &mut |entry| names.push(entry.name)).map_err(Error::of_folder("list", store, None))?;
    Ok(names)
}

/// How the tables that are there are named.
fn tables_there(store: &dyn Disk) -> Result<BTreeMap<u64, Ending>, Error> {
    let tables = entries(store)?.into_iter().filter_map(|name| match names::file(name.as_bytes()) {
        Some(File::Table(number)) => {
            let ending = if name.as_bytes().ends_with(b".ldb") { Ending::Ldb } else { Ending::Sst };
            Some((number, ending))
        }
        _ => None,
    });
    Ok(tables.collect())
}

/// The newest OPTIONS file, and its bytes. One that goes meanwhile has a newer one.
fn newest_options(store: &dyn Disk) -> Result<Option<(Name, Vec<u8>)>, Error> {
    for _ in 0..4 {
        let options = entries(store)?.into_iter().filter_map(|name| match names::file(name.as_bytes()) {
            Some(File::Options(number)) => Some((number, name)),
            _ => None,
        });
        let Some((_, name)) = options.max() else { return Ok(None) };
        if let Some(bytes) = read_whole(store, &name)? {
            return Ok(Some((name, bytes)));
        }
    }
    Err(Error::failed("the OPTIONS files change faster than they can be read"))
}

/// What is said of a store that does not lie in one folder.
fn elsewhere(option: &str) -> Error {
    Error::cannot_start(format!(
        "the store does not lie in one folder ({option}), and only one is looked at: use RocksDB's own Checkpoint, or \
         set {option} to the store's folder"
    ))
}

/// Refuses a store of which no copy from outside can be true.
fn refuse(store: &dyn Disk, options: &Options) -> Result<(), Error> {
    let in_place = |what: &str, why: &str| {
        Err(Error::cannot_start(format!(
            "the store has {what}, so {why}: use RocksDB's own Checkpoint, or open the store without it"
        )))
    };
    if options.recycle_log_file_num > 0 {
        return in_place("recycle_log_file_num", "its logs are written over while they are copied");
    }
    if options.allow_mmap_writes {
        return in_place("allow_mmap_writes", "what it writes is not seen in order");
    }
    let is_elsewhere = |path: &Vec<u8>| {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let here = store.identity(None);
        let there = crate::store::Files::open(path, crate::store::Links::Followed).ok();
        there.and_then(|there| crate::store::Store::identity(&there, None)) != here
    };
    if options.wal_dir.as_ref().is_some_and(is_elsewhere) {
        return Err(elsewhere("wal_dir"));
    }
    let families = options.families.iter().filter(|(_, family)| family.cf_paths.is_some());
    if let Some((family, _)) = families.into_iter().next() {
        return Err(elsewhere(&format!("cf_paths of the column family '{}'", printable(family))));
    }
    if options.db_paths.is_some() {
        return Err(elsewhere("db_paths"));
    }
    Ok(())
}

/// Between which two of the logs numbers are missing, or may be; none if they run on from the first to the last.
fn runs_on(logs: &[Copied]) -> Option<(&Name, &Name)> {
    let mut before: Option<(&Name, u64)> = None;
    for log in logs.iter().filter(|log| log.scanned.entries > 0) {
        let Scanned { first, last, runs_on, .. } = log.scanned;
        match (first, last) {
            (Some(first), Some(last)) if runs_on => {
                if let Some((name, _)) = before.filter(|(_, last)| first != last + 1) {
                    return Some((name, &log.name));
                }
                before = Some((&log.name, last));
            }
            _ => return Some((&log.name, &log.name)),
        }
    }
    None
}

/// A log that is being copied.
struct Log {
    batches: Batches,
    first: Option<u64>,
}

impl Scan for Log {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        let first = &mut self.first;
        self.batches.push(bytes, |batch| *first = first.or(batch.sequence.map(|(sequence, _)| sequence)))
    }

    fn end(self: Box<Self>) -> Scanned {
        let whole = self.batches.end();
        let torn = matches!(whole.tail, Tail::Torn { .. } | Tail::Old { .. });
        let broken = match whole.tail {
            Tail::Broken { at, what } => Some((at, what)),
            _ if whole.recycled => Some((0, "it may hold what is left of another log".to_owned())),
            Tail::Old { .. } | Tail::Nothing | Tail::Zeros | Tail::Torn { .. } => None,
        };
        Scanned {
            whole: whole.cut,
            entries: whole.count,
            first: whole.run.map(|run| run.first),
            last: whole.run.map(|run| run.next.saturating_sub(1)),
            runs_on: whole.run.is_none_or(|run| run.runs_on),
            torn,
            broken,
        }
    }
}
