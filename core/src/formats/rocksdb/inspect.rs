//! `Store`: reads a store from CURRENT down to the indices of its tables, and turns them into claims, trails and
//! findings.

use xxhash_rust::xxh3::Xxh3;

use super::edit::{Blob, Checksum, Table};
use super::listing::Listing;
use super::logs::Logs;
use super::manifest::{Manifest, Read};
use super::odd::Odd;
use super::options::{self, Options};
use super::records::Tail;
use super::state::State;
use super::table::{Blocks, Scan, failed};
use super::values::{self, Values};
use super::{Engine, HURTS, SET, current, names};
use crate::claim::{Claim, Expect};
use crate::codec::{Codec, Flow};
use crate::digest::{Algorithm, Digest};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Answer, Ask, Batch, Inspect, Of, Scope, Set, Stretch};
use crate::name::{Name, printable};
use crate::report::Depth;
use crate::trail::{Follow, Part, Trail};

/// The inspection of one store.
pub(super) struct Store {
    engine: Engine,
    scope: Scope,
    now: Now,
    listing: Listing,
    manifest: Option<Name>,
    /// Where the MANIFEST ends in the middle of an edit.
    torn: Option<u64>,
    state: State,
    options: Option<Options>,
    /// Tables that are to be looked at, the next at the end.
    tables: Vec<Job>,
}

/// A table that is to be looked at.
struct Job {
    object: Name,
    size: u64,
    digest: Option<Digest>,
}

/// What is being read.
enum Now {
    Listing,
    Current(Name, Vec<u8>),
    Manifest(Name, Box<Manifest>),
    Options(Name, Vec<u8>),
    Table(Job, Box<Scan>, Vec<u8>),
    Nothing,
}

impl Store {
    pub(super) fn new(engine: Engine, scope: &Scope) -> Self {
        Self {
            engine,
            scope: scope.clone(),
            now: Now::Listing,
            listing: Listing::default(),
            manifest: None,
            torn: None,
            state: State::default(),
            options: None,
            tables: Vec::new(),
        }
    }

    /// What is being read has ended, or could not be read.
    fn end(&mut self, fault: Option<Fault>, out: &mut Batch) {
        match (std::mem::replace(&mut self.now, Now::Nothing), fault) {
            (Now::Listing, Some(fault)) => {
                let (code, message) = (Code::Unreadable, fault.message);
                out.findings.push(Finding { code, object: None, offset: None, message, hurts: Hurts::All });
            }
            (Now::Listing, None) => match Name::new(names::CURRENT.as_bytes()) {
                Ok(name) => self.now = Now::Current(name, Vec::new()),
                Err(_) => self.give_up(None, out),
            },
            (Now::Current(name, _), Some(fault)) => {
                let message = "it is not there, and without it nothing says which MANIFEST is the store's".to_owned();
                let absent = Finding { message, ..failed(&name, &fault) };
                let is_absent = fault.kind == FaultKind::Absent;
                self.give_up(Some(if is_absent { absent } else { failed(&name, &fault) }), out);
            }
            (Now::Current(name, bytes), None) => match current::parse(&bytes) {
                Ok(number) => match names::manifest(number) {
                    Some(name) => self.now = Now::Manifest(name, Box::new(Manifest::new(self.engine))),
                    None => self.give_up(None, out),
                },
                Err(odd) => self.give_up(Some(malformed(&name, odd)), out),
            },
            (Now::Manifest(name, _), Some(fault)) => {
                let message = "CURRENT names it, but it is not there".to_owned();
                let absent = Finding { message, ..failed(&name, &fault) };
                let is_absent = fault.kind == FaultKind::Absent;
                self.give_up(Some(if is_absent { absent } else { failed(&name, &fault) }), out);
            }
            (Now::Manifest(name, manifest), None) => self.read(name, manifest.end(), out),
            (Now::Options(name, bytes), None) => {
                match options::parse(&bytes) {
                    Ok(options) => self.options = Some(options),
                    // The engine opens a store without it.
                    Err(Odd { at, what }) => out.findings.push(finding(Code::OddIndex, &name, Some(at), what)),
                }
                self.files(out);
            }
            // It was replaced meanwhile, and the engine opens a store without it.
            (Now::Options(_, _), Some(Fault { kind: FaultKind::Absent, .. })) => self.files(out),
            (Now::Options(name, _), Some(fault)) => {
                out.findings.push(failed(&name, &fault));
                self.files(out);
            }
            (Now::Table(job, _, _), Some(_)) => {
                // The claim says why it cannot be read.
                let claim = self.claim(job.object, job.size, job.digest);
                out.claims.extend(claim);
                self.table();
            }
            (Now::Table(job, mut scan, bytes), None) => {
                scan.take(&bytes);
                if scan.want().is_some() {
                    self.now = Now::Table(job, scan, Vec::new());
                } else {
                    self.scanned(job, *scan, out);
                    self.table();
                }
            }
            (Now::Nothing, _) => {}
        }
    }

    /// Nothing but this can be said of the store.
    fn give_up(&mut self, finding: Option<Finding>, out: &mut Batch) {
        out.sets.push(set(None));
        out.findings.extend(finding);
        self.now = Now::Nothing;
    }

    /// The MANIFEST was read.
    fn read(&mut self, name: Name, Read { state, tail, .. }: Read, out: &mut Batch) {
        match tail {
            Tail::Broken { at, what } => return self.give_up(Some(malformed(&name, Odd::new(at, what))), out),
            Tail::Torn { at } => {
                let what = "it ends in the middle of an edit, or of edits that count only together".to_owned();
                out.findings.push(finding(Code::TornTail, &name, Some(at), what));
                self.torn = Some(at);
            }
            Tail::Nothing | Tail::Zeros | Tail::Old { .. } => {}
        }
        self.state = state;
        self.manifest = Some(name);
        let tables = self.state.families.values().flat_map(|family| family.tables.values().map(|table| table.size));
        let blobs = self.state.families.values().flat_map(|family| family.live_blobs());
        let bytes = tables.chain(blobs.map(|(_, blob)| values::size(blob.bytes))).fold(0, u64::saturating_add);
        out.sets.push(set(Some(bytes)));
        if self.scope.of == Of::Catalogue {
            return;
        }
        match self.listing.options.and_then(names::options).filter(|_| self.engine == Engine::RocksDb) {
            Some(name) => self.now = Now::Options(name, Vec::new()),
            None => self.files(out),
        }
    }

    /// Goes through the files that the MANIFEST names.
    fn files(&mut self, out: &mut Batch) {
        let families = std::mem::take(&mut self.state.families);
        for (number, family) in &families {
            for (number, table) in &family.tables {
                self.named(*number, table, out);
            }
            for (blob_number, blob) in family.live_blobs() {
                if let Some(object) = names::blob(blob_number) {
                    self.blob(object, *number, blob, out);
                }
            }
        }
        self.state.families = families;
        self.logs(out);
        self.tables.reverse();
        self.table();
    }

    /// A table that the MANIFEST names.
    fn named(&mut self, number: u64, table: &Table, out: &mut Batch) {
        let Some((object, there)) = self.listing.table(number, self.engine) else { return };
        let digest = digest(table.checksum.as_ref());
        if table.path > 0 && !there {
            let what = format!("it lies in the path {} of db_paths or cf_paths, which is not looked at", table.path);
            out.findings.push(finding(Code::Unverifiable, &object, None, what));
        } else if self.scope.trails && there {
            self.tables.push(Job { object, size: table.size, digest });
        } else {
            self.claims(object, table.size, digest, out);
        }
    }

    /// A blob file that the MANIFEST names.
    fn blob(&self, object: Name, family: u32, blob: &Blob, out: &mut Batch) {
        let digest = digest(blob.checksum.as_ref());
        if !self.scope.trails {
            return self.claims(object, values::size(blob.bytes), digest, out);
        }
        let mut key = Xxh3::new();
        for number in [u64::from(family), blob.count, blob.bytes] {
            key.update(&number.to_le_bytes());
        }
        let follow = Box::new(Values::new(object.clone(), family, blob, digest));
        out.trails.push(trail(object, key, follow));
    }

    /// All blocks of a table are known that can be.
    fn scanned(&self, job: Job, scan: Scan, out: &mut Batch) {
        let layout = scan.end();
        for (code, at, what) in &layout.odds {
            out.findings.push(finding(*code, &job.object, Some(*at), what.clone()));
        }
        let mut key = Xxh3::new();
        layout.identify(&mut |bytes| key.update(bytes));
        let follow = Box::new(Blocks::new(job.object.clone(), layout, job.digest));
        out.trails.push(trail(job.object, key, follow));
    }

    /// Goes on with the next table.
    fn table(&mut self) {
        self.now = self.tables.pop().map_or(Now::Nothing, |job| {
            let scan = Scan::new(self.engine, job.size);
            Now::Table(job, Box::new(scan), Vec::new())
        });
    }

    /// The logs that are needed.
    fn logs(&self, out: &mut Batch) {
        let two_phase = self.options.as_ref().is_some_and(|options| options.allow_2pc);
        let elsewhere = self.options.as_ref().and_then(|options| options.wal_dir.as_ref());
        let logs: Vec<u64> =
            self.listing.logs.iter().copied().filter(|log| self.state.needs_log(*log, two_phase)).collect();
        for number in self.lost() {
            if let Some(object) = names::log(number) {
                let message = "the MANIFEST names it, but it is not there".to_owned();
                out.findings.push(finding(Code::Missing, &object, None, message));
            }
        }
        if !self.scope.trails {
            return;
        }
        if let (Some(folder), true, Some(object)) =
            (elsewhere, logs.is_empty(), self.listing.options.and_then(names::options))
        {
            let shown = printable(folder);
            let what = format!("the logs lie in '{shown}' (wal_dir), which is not looked at");
            out.findings.push(finding(Code::Unverifiable, &object, None, what));
        }
        let object = |number: &u64| names::log(*number);
        let parts: Vec<Part> =
            logs.iter().filter_map(object).map(|object| Part { object, codec: Codec::Plain }).collect();
        if !parts.is_empty() {
            let synced = logs.iter().map(|log| self.state.logs.get(log).copied().flatten()).collect();
            let torn = self.torn.zip(self.state.last_sequence);
            let torn = self.manifest.clone().zip(torn).map(|(name, (at, last))| (name, at, last));
            // Without OPTIONS, nothing says whether there are two phases.
            let strict = match self.engine {
                Engine::RocksDb => self.options.is_some() && !two_phase,
                Engine::LevelDb => true,
            };
            let follow = Box::new(Logs::new(self.engine, strict, synced, torn));
            out.trails.push(Trail { parts, follow, key: None });
        }
    }

    /// Logs that must be there, and are not: of LevelDB the one that the MANIFEST names, which is made before it is
    /// named; of RocksDB those that it keeps track of.
    fn lost(&self) -> Vec<u64> {
        let named = match self.engine {
            Engine::LevelDb => self.state.families.values().map(|family| family.log_number).collect(),
            Engine::RocksDb => {
                let synced = self.state.logs.iter().filter(|(_, synced)| synced.is_some());
                let wal_dir = self.options.as_ref().is_some_and(|options| options.wal_dir.is_some());
                synced.map(|(number, _)| *number).filter(|_| !wal_dir).collect::<Vec<u64>>()
            }
        };
        named.into_iter().filter(|number| *number != 0 && !self.listing.logs.contains(number)).collect()
    }

    fn claim(&self, object: Name, length: u64, digest: Option<Digest>) -> Option<Claim> {
        Some(Claim {
            object,
            index: self.manifest.clone()?,
            range: None,
            codec: Codec::Plain,
            expect: Expect { length, digest },
            extent: None,
            marks: None,
            hurts: HURTS,
        })
    }

    fn claims(&self, object: Name, length: u64, digest: Option<Digest>, out: &mut Batch) {
        let claim = self.claim(object, length, digest);
        match self.scope.of {
            Of::References => out.shared.extend(claim),
            _ => out.claims.extend(claim),
        }
    }
}

impl Inspect for Store {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Listing => Ask::List(None),
            Now::Current(name, _) => {
                Ask::Read { object: name.clone(), stretch: Stretch::At(0..current::LONGEST as u64 + 1) }
            }
            Now::Manifest(name, _) | Now::Options(name, _) => Ask::read(name.clone()),
            Now::Table(job, scan, _) => {
                Ask::Read { object: job.object.clone(), stretch: Stretch::At(scan.want().unwrap_or_default()) }
            }
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        let mut flow = Flow::Continue(());
        match (answer, &mut self.now) {
            (Answer::Entries(entries), Now::Listing) => entries.iter().for_each(|entry| self.listing.take(entry)),
            (Answer::Bytes(bytes), Now::Current(_, held) | Now::Table(_, _, held)) => held.extend_from_slice(bytes),
            (Answer::Bytes(bytes), Now::Manifest(_, manifest)) => flow = manifest.push(bytes),
            (Answer::Bytes(bytes), Now::Options(_, held)) => {
                held.extend_from_slice(bytes);
                if held.len() > options::LONGEST {
                    flow = Flow::Break(());
                }
            }
            (Answer::End, _) => self.end(None, out),
            (Answer::Failed(fault), _) => self.end(Some(fault), out),
            (Answer::Entries(_) | Answer::Bytes(_) | Answer::Writing(_), _) => {}
        }
        if flow.is_break() {
            self.end(None, out);
        }
        flow
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(self.engine, &self.scope))
    }

    /// Checksums are of blocks, and cover all that a table holds.
    fn deepest(&self) -> Depth {
        Depth::Digest
    }
}

fn set(bytes: Option<u64>) -> Set {
    Set { name: SET.to_owned(), group: 0, bytes, ..Set::default() }
}

fn finding(code: Code, object: &Name, offset: Option<u64>, message: String) -> Finding {
    Finding { code, object: Some(object.clone()), offset, message, hurts: HURTS }
}

fn malformed(object: &Name, Odd { at, what }: Odd) -> Finding {
    finding(Code::Malformed, object, Some(at), what)
}

/// The digest of a whole file, if one is on record that can be worked out: `FileChecksumCrc32c` stores the most
/// significant byte first (RocksDB 10.4 `util/file_checksum_helper.h`).
fn digest(checksum: Option<&Checksum>) -> Option<Digest> {
    let Checksum { function, value } = checksum?;
    Digest::new(Algorithm::Crc32c, value).filter(|_| function == b"FileChecksumCrc32c")
}

/// A trail of one object, told from others by what `key` took of it.
fn trail(object: Name, mut key: Xxh3, follow: Box<dyn Follow>) -> Trail {
    key.update(object.as_bytes());
    Trail { parts: vec![Part { object, codec: Codec::Plain }], follow, key: Some(key.digest128()) }
}
