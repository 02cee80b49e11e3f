//! The scenes: every writing verb, each with the disk that it starts from.

use highwater::backup::repozo as backup;
use highwater::disk::{Disk, Owner, Writable};
use highwater::error::Error;
use highwater::restore;
use highwater::watch::Watch;
use highwater_core::filestorage::{self, Indexer, OidIndex, Walk};
use highwater_core::formats::repozo::Repozo;
use highwater_core::name::Name;
use highwater_tests::model::{Meta, Model, Outcome};
use highwater_tests::repo::Data;

pub(crate) const SOURCE: &str = "/model/Data.fs";
pub(crate) const REPO: &str = "/model/repo";
pub(crate) const STANDBY: &str = "/model/standby";
pub(crate) const TARGET: &str = "/model/standby/Data.fs";

/// Whom the repository belongs to, the standby's folder, and the database in it; each is somebody else than who runs.
pub(crate) const OF_REPO: Meta = Meta { owner: Owner { user: 1001, group: 1002 }, mode: 0o755 };
pub(crate) const OF_STANDBY: Meta = Meta { owner: Owner { user: 2001, group: 2002 }, mode: 0o750 };
pub(crate) const OF_TARGET: Meta = Meta { owner: Owner { user: 3001, group: 3002 }, mode: 0o640 };

/// What belongs to who runs.
pub(crate) const OURS: Meta = Meta { owner: Owner { user: 0, group: 0 }, mode: 0o640 };

/// The stamps of the chain that most scenes start from.
pub(crate) const STAMPS: [&str; 3] = ["2026-01-01-00-00-01", "2026-01-01-00-00-02", "2026-01-01-00-00-03"];
/// Those of a run, of the one that recovers, and of the last.
pub(crate) const RUNS: [&str; 3] = ["2026-01-02-00-00-00", "2026-01-03-00-00-00", "2026-01-04-00-00-00"];

/// A database as it grows, and another one.
pub(crate) struct World {
    pub(crate) states: [Vec<u8>; 4],
    /// A transaction that comes after the last state, as far as it is written.
    unfinished: Vec<u8>,
    pub(crate) other: Vec<u8>,
}

/// One writing verb, and the disk it starts from.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) start: fn(&World) -> Model,
    pub(crate) verb: fn(&Model, &str) -> Result<(), Error>,
    pub(crate) kind: Kind,
}

/// What a verb writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A point; older ones stay.
    Backup,
    /// A point; older ones may go once it is there.
    BackupAndKill,
    /// A snapshot in a datastore; older ones stay.
    Snapshot,
    /// Snapshots that are sound again.
    Heal,
    /// A target that becomes this state of the database.
    Restore(usize),
    /// The same, and the old target may be given up first.
    RestoreInPlace(usize),
}

impl Scene {
    /// Whom the target belongs to, if one is there when it begins.
    pub(crate) fn target(&self, world: &World) -> Option<Meta> {
        (self.start)(world).meta(TARGET)
    }
}

impl World {
    /// The same seed gives the same world.
    pub(crate) fn new(seed: u64) -> Self {
        let mut data = Data::new(seed);
        let states = [0u64, 100, 200, 300].map(|base| {
            for oid in 0..3 {
                data.commit(&[(oid, 30), (base + oid, 20)]);
            }
            data.bytes.clone()
        });
        data.commit(&[(0, 400)]);
        let unfinished = data.bytes[states[3].len()..][..300].to_vec();
        let mut other = Data::new(seed + 1000);
        other.grow(9);
        Self { states, unfinished, other: other.bytes }
    }

    pub(crate) fn source(&self, step: usize) -> Model {
        let model = Model::default();
        model.put(SOURCE, &self.states[step]);
        model.put_folder_with(REPO, OF_REPO);
        model.put_folder_with(STANDBY, OF_STANDBY);
        model
    }

    /// A repository with a full backup, an increment and a gzipped one; the source has grown since.
    fn chain(&self) -> Model {
        let model = self.source(0);
        back_up(&model, &job(STAMPS[0])).expect("a full backup");
        model.put(SOURCE, &self.states[1]);
        back_up(&model, &job(STAMPS[1])).expect("an increment");
        model.put(SOURCE, &self.states[2]);
        back_up(&model, &backup::Job { gzip: Some(6), ..job(STAMPS[2]) }).expect("a gzipped increment");
        model.put(SOURCE, &self.states[3]);
        model.survive(Outcome::Everything)
    }

    /// The same beside an existing target with its index.
    fn chain_and_target(&self, target: &[u8]) -> Model {
        let model = self.chain();
        put_target(&model, target, OF_TARGET);
        model
    }

    /// The same without saved indices.
    fn chain_without_indices(&self) -> Model {
        let model = self.chain();
        for stamp in STAMPS {
            assert!(model.get(format!("{REPO}/{stamp}.index")).is_some(), "a saved index");
            model.take_away(format!("{REPO}/{stamp}.index"));
        }
        model.survive(Outcome::Everything)
    }

    /// What a run leaves that was killed as soon as its data file had its name.
    fn chain_with_unlisted(&self) -> Model {
        let file = format!("{REPO}/2026-01-01-12-00-00.deltafs");
        for cut in 0.. {
            let model = self.chain();
            model.cut_at(cut);
            assert!(back_up(&model, &job("2026-01-01-12-00-00")).is_err(), "the data file was never there unlisted");
            let killed = model.killed();
            if killed.get(&file).is_some() {
                return killed;
            }
        }
        unreachable!("the loop ends by the return or the assertion")
    }

    /// The same from another program, which made nothing durable.
    fn chain_with_unsynced(&self) -> Model {
        let model = self.chain();
        let file = begin(&model, REPO, "2026-01-01-12-00-00.deltafs");
        file.write_at(0, &self.states[3][self.states[2].len()..]).expect("it is written");
        model
    }

    /// A repository whose source ends in a transaction that is still being written.
    fn chain_and_unfinished(&self) -> Model {
        let model = self.chain();
        let mut source = self.states[3].clone();
        source.extend_from_slice(&self.unfinished);
        model.put(SOURCE, &source);
        model
    }

    fn chain_with(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Model {
        let model = self.chain();
        let path = format!("{REPO}/{name}");
        let bytes = change(model.get(&path).unwrap_or_default());
        model.put_with(&path, &bytes, model.meta(&path).unwrap_or(OF_REPO));
        model
    }

    /// An append that was killed after its first write: the seal and what lies before it.
    fn sealed_at_once(&self) -> Model {
        let model = self.chain_and_target(&self.states[0]);
        model.cut_at(1);
        assert!(restore_to(&model, None, false, false).is_err(), "it was cut off");
        model.killed()
    }

    /// An append that was killed when its bytes were there and their seal still on.
    fn sealed(&self) -> Model {
        let mut last = None;
        for cut in 0.. {
            let model = self.chain_and_target(&self.states[0]);
            model.cut_at(cut);
            if restore_to(&model, None, false, false).is_ok() {
                break;
            }
            let killed = model.killed();
            let target = killed.get(TARGET).expect("the target");
            if target.len() == self.states[2].len() && target != self.states[2] {
                last = Some(killed);
            }
        }
        last.expect("a moment at which all is there but the seal")
    }

    /// A full restore of a longer point that was killed half-way.
    fn half_restored(&self) -> Model {
        let model = self.chain_and_target(&self.other);
        let part = begin(&model, STANDBY, "Data.fs.0123456789abcdef.part");
        part.write_at(0, &self.states[2][..self.states[1].len() + 7]).expect("it is written");
        part.set_length(self.states[3].len() as u64).expect("it is extended");
        model
    }
}

/// A name.
pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a name")
}

/// A new file, nothing of which is durable.
fn begin(model: &Model, folder: &str, file: &str) -> Box<dyn Writable> {
    model.root(folder).create(&name(file)).expect("a new file")
}

/// A database with its saved index.
fn put_target(model: &Model, bytes: &[u8], meta: Meta) {
    model.put_with(TARGET, bytes, meta);
    let mut indexer = Indexer::new(OidIndex::new());
    let mut walk = Walk::new(0, bytes.len() as u64);
    walk.push(bytes, &mut indexer);
    let index = indexer.finish().expect("an index");
    let mut saved = Vec::new();
    filestorage::encode(&index, walk.end(), &mut |piece| saved.extend_from_slice(piece));
    model.put_with(format!("{TARGET}.index"), &saved, meta);
}

fn job(now: &str) -> backup::Job {
    backup::Job {
        full: false,
        quick: false,
        gzip: None,
        kill_old: false,
        damaged_source: false,
        other_source: false,
        dry_run: false,
        now: Some(now.to_owned()),
        marks: 1024,
        sums: false,
    }
}

fn back_up(model: &Model, job: &backup::Job) -> Result<(), Error> {
    backup::backup(job, &model.place(SOURCE), &model.root(REPO), &Watch::silent()).map(|_| ())
}

/// A restore as it is when nothing is asked for.
fn plain() -> restore::Job {
    let look = restore::Look::Length;
    restore::Job { quick: false, full: false, in_place: false, force: false, dry_run: false, look, whole_sum: false }
}

fn restore_to(model: &Model, point: Option<&str>, full: bool, in_place: bool) -> Result<(), Error> {
    let job = restore::Job { full, in_place, ..plain() };
    let repository = model.root(REPO);
    let plan = restore::plan(&repository, &Repozo, point.map(str::to_owned), None)?;
    let target = (&model.root(STANDBY) as &dyn Disk, &name("Data.fs"));
    restore::to_file(&job, &plan, &repository, target, &Watch::silent()).map(|_| ())
}

/// Every byte of the newest point.
pub(crate) fn newest(model: &Model) -> Result<Vec<u8>, Error> {
    bytes_of(model, &restore::plan(&model.root(REPO), &Repozo, None, None)?)
}

/// Every byte that a plan gives.
pub(crate) fn bytes_of(model: &Model, plan: &restore::Plan) -> Result<Vec<u8>, Error> {
    let job = restore::Job { full: true, ..plain() };
    let mut bytes = Vec::new();
    restore::to_stream(&job, plan, &model.root(REPO), &mut bytes, &Watch::silent())?;
    Ok(bytes)
}

type Verb = fn(&Model, &str) -> Result<(), Error>;
const INCREMENT: Verb = |m, now| back_up(m, &job(now));
const RESTORE: Verb = |m, _| restore_to(m, None, false, false);

pub(crate) const fn scene(name: &'static str, kind: Kind, start: fn(&World) -> Model, verb: Verb) -> Scene {
    Scene { name, start, verb, kind }
}

/// All of them.
pub(crate) const SCENES: &[Scene] = &[
    scene("full", Kind::Backup, |w| w.source(0), INCREMENT),
    scene("full, gzip", Kind::Backup, |w| w.source(0), |m, now| back_up(m, &backup::Job { gzip: Some(6), ..job(now) })),
    scene("increment", Kind::Backup, World::chain, INCREMENT),
    scene("increment of an unfinished one", Kind::Backup, World::chain_and_unfinished, INCREMENT),
    scene("gzip of an unfinished one", Kind::Backup, World::chain_and_unfinished, |m, now| {
        back_up(m, &backup::Job { gzip: Some(6), ..job(now) })
    }),
    scene("increment, quick", Kind::Backup, World::chain, |m, now| {
        back_up(m, &backup::Job { quick: true, ..job(now) })
    }),
    scene("increment, gzip", Kind::Backup, World::chain, |m, now| {
        back_up(m, &backup::Job { gzip: Some(6), ..job(now) })
    }),
    scene("full, kill old", Kind::BackupAndKill, World::chain, |m, now| {
        back_up(m, &backup::Job { full: true, kill_old: true, ..job(now) })
    }),
    scene("increment after an unlisted one", Kind::Backup, World::chain_with_unlisted, INCREMENT),
    scene("increment after an unsynced one", Kind::Backup, World::chain_with_unsynced, INCREMENT),
    scene(
        "increment after a foreign file",
        Kind::Backup,
        |w| w.chain_with("2026-01-01-12-00-00.deltafs", |_| b"not what comes next".to_vec()),
        INCREMENT,
    ),
    scene(
        "increment after a torn line",
        Kind::Backup,
        |w| w.chain_with("2026-01-01-00-00-01.dat", |bytes| bytes[..bytes.len() - 9].to_vec()),
        INCREMENT,
    ),
    scene(
        "increment after an unended line",
        Kind::Backup,
        |w| w.chain_with("2026-01-01-00-00-01.dat", |bytes| bytes[..bytes.len() - 1].to_vec()),
        INCREMENT,
    ),
    scene("restore", Kind::Restore(2), World::chain, RESTORE),
    scene(
        "restore over another",
        Kind::Restore(2),
        |w| w.chain_and_target(&w.other),
        |m, _| restore_to(m, None, true, false),
    ),
    scene("restore, resumed", Kind::Restore(2), World::half_restored, |m, _| restore_to(m, None, true, false)),
    scene("restore without index", Kind::Restore(2), World::chain_without_indices, RESTORE),
    scene(
        "older point without index",
        Kind::Restore(0),
        |w| {
            let model = w.chain_without_indices();
            put_target(&model, &w.states[2], OF_TARGET);
            model
        },
        |m, _| restore_to(m, Some(STAMPS[0]), false, false),
    ),
    scene(
        "restore in place",
        Kind::RestoreInPlace(2),
        |w| w.chain_and_target(&w.other),
        |m, _| restore_to(m, None, true, true),
    ),
    scene(
        "restore in place of what is ours",
        Kind::RestoreInPlace(2),
        |w| {
            let model = w.chain();
            put_target(&model, &w.other, OURS);
            model
        },
        |m, _| restore_to(m, None, true, true),
    ),
    scene("incremental restore", Kind::Restore(2), |w| w.chain_and_target(&w.states[0]), RESTORE),
    scene("incremental restore, resumed", Kind::Restore(2), World::sealed, RESTORE),
    scene("incremental restore, resumed early", Kind::Restore(2), World::sealed_at_once, RESTORE),
    scene(
        "incremental restore without index",
        Kind::Restore(2),
        |w| {
            let model = w.chain_without_indices();
            model.put_with(TARGET, &w.states[0], OF_TARGET);
            model
        },
        RESTORE,
    ),
    scene(
        "restore of an older point",
        Kind::Restore(0),
        |w| w.chain_and_target(&w.states[2]),
        |m, _| restore_to(m, Some(STAMPS[0]), false, false),
    ),
];
