//! Scenes of repozo's writing verbs, and what must hold after them.

use highwater::backup::repozo as backup;
use highwater::disk::{Disk, Writable};
use highwater::error::Error;
use highwater::restore::{self, Asked, Plan, Run};
use highwater::watch::Watch;
use highwater_core::filestorage::{self, Indexer, OidIndex, State, Walk};
use highwater_core::finding::Code;
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::names::{KILL_OLD, MARKS, SET_ASIDE};
use highwater_core::report::Depth;

use crate::model::{Meta, Model, Survivors};
use crate::specimens::crash::{
    Judgement, Kind, OF_REPO, OF_TARGET, OURS, REPO, SOURCE, STANDBY, Scene, Seen, TARGET, World, bytes_of, must, name,
    names, plain,
};

/// The stamps of the chain that most scenes start from.
const STAMPS: [&str; 3] = ["2026-01-01-00-00-01", "2026-01-01-00-00-02", "2026-01-01-00-00-03"];

impl World {
    /// A repository with a full backup, an increment and a gzipped one; the source has grown since.
    fn chain(&self) -> Model {
        let model = self.source(0);
        back_up(&model, &plain_backup(STAMPS[0])).expect("a full backup");
        model.put(SOURCE, &self.states[1]);
        back_up(&model, &plain_backup(STAMPS[1])).expect("an increment");
        model.put(SOURCE, &self.states[2]);
        back_up(&model, &backup::BackupOptions { gzip: Some(6), ..plain_backup(STAMPS[2]) })
            .expect("a gzipped increment");
        model.put(SOURCE, &self.states[3]);
        model.survive(Survivors::Everything)
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
        model.survive(Survivors::Everything)
    }

    /// What a run leaves that was killed as soon as its data file had its name.
    fn chain_with_unlisted(&self) -> Model {
        let file = format!("{REPO}/2026-01-01-12-00-00.deltafs");
        for cut in 0.. {
            let model = self.chain();
            model.cut_at(cut);
            assert!(
                back_up(&model, &plain_backup("2026-01-01-12-00-00")).is_err(),
                "the data file was never there unlisted"
            );
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

/// A backup at a time, as it is when nothing is asked for.
pub fn plain_backup(now: &str) -> backup::BackupOptions {
    backup::BackupOptions {
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

fn back_up(model: &Model, job: &backup::BackupOptions) -> Result<(), Error> {
    backup::backup(job, &model.place(SOURCE), &model.root(REPO), &Watch::silent()).map(|_| ())
}

fn restore_to(model: &Model, point: Option<&str>, full: bool, in_place: bool) -> Result<(), Error> {
    let job = restore::RestoreOptions { full, in_place, ..plain() };
    let repository = model.root(REPO);
    let asked = Asked { format: &Repozo, point: point.map(str::to_owned), key: None };
    let plan = Plan::make(&repository, asked, Depth::Digest)?;
    let (to, target, watch) = (&model.root(STANDBY), &name("Data.fs"), &Watch::silent());
    restore::to_file(&Run { job: &job, plan: &plan, from: &repository, to, target, watch }).map(|_| ())
}

/// Every byte of the newest point.
fn newest(model: &Model) -> Result<Vec<u8>, Error> {
    let asked = Asked { format: &Repozo, point: None, key: None };
    bytes_of(model, &Plan::make(&model.root(REPO), asked, Depth::Digest)?)
}

type Verb = fn(&Model, &str) -> Result<(), Error>;
const INCREMENT: Verb = |m, now| back_up(m, &plain_backup(now));
const RESTORE: Verb = |m, _| restore_to(m, None, false, false);

const fn scene(name: &'static str, kind: Kind, start: fn(&World) -> Model, verb: Verb) -> Scene {
    Scene { name, start, verb, kind, long: false }
}

/// All of them.
pub(super) const SCENES: &[Scene] = &[
    scene("full", Kind::Backup, |w| w.source(0), INCREMENT),
    scene(
        "full, gzip",
        Kind::Backup,
        |w| w.source(0),
        |m, now| back_up(m, &backup::BackupOptions { gzip: Some(6), ..plain_backup(now) }),
    ),
    scene("increment", Kind::Backup, World::chain, INCREMENT),
    scene("increment of an unfinished one", Kind::Backup, World::chain_and_unfinished, INCREMENT),
    scene("gzip of an unfinished one", Kind::Backup, World::chain_and_unfinished, |m, now| {
        back_up(m, &backup::BackupOptions { gzip: Some(6), ..plain_backup(now) })
    }),
    scene("increment, quick", Kind::Backup, World::chain, |m, now| {
        back_up(m, &backup::BackupOptions { quick: true, ..plain_backup(now) })
    }),
    scene("increment, gzip", Kind::Backup, World::chain, |m, now| {
        back_up(m, &backup::BackupOptions { gzip: Some(6), ..plain_backup(now) })
    }),
    scene("full, kill old", Kind::BackupAndKill, World::chain, |m, now| {
        back_up(m, &backup::BackupOptions { full: true, kill_old: true, ..plain_backup(now) })
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

/// Names whose owner and permissions nobody asks for: marks, and what the scenes themselves left there.
pub(super) fn is_nobodys(name: &str) -> bool {
    name.ends_with(MARKS) || name == "2026-01-01-12-00-00.deltafs" || name.ends_with(SET_ASIDE)
}

/// Nothing was set aside that was rightly there.
pub(super) fn keeps(scene: &Scene, model: &Model) -> Judgement {
    let aside = names(model).into_iter().find(|name| name.contains(SET_ASIDE));
    must(aside.is_none() || scene.name.contains("foreign"), || format!("{aside:?} was what comes next in the source"))
}

/// What a removal left is told from a chain that lost its index. A full backup whose own publication was cut is none.
pub(super) fn holds(Seen { scene, report, .. }: &Seen<'_>) -> Judgement {
    let newest = report.sets.last().map_or("", |set| set.name.as_str());
    let is_old = |object: &str| object < newest && STAMPS.iter().any(|stamp| object.starts_with(stamp));
    let doubtful = report.findings.iter().find(|finding| finding.code == Code::NoIndex && is_old(&finding.object));
    must(scene.kind != Kind::BackupAndKill || doubtful.is_none(), || format!("{doubtful:?}"))
}

/// What a FileStorage would make of the target, and of the index beside it.
pub(super) fn target_holds(seen: &Seen<'_>, bytes: &[u8]) -> Judgement {
    let Seen { world, model, target, .. } = seen;
    let mut walk = Walk::new(0, bytes.len() as u64).with_tail(bytes.last_chunk().copied());
    walk.push(bytes, &mut ());
    let state = walk.state();
    must(!matches!(state, State::Corrupt { .. }), || format!("a database would refuse the target: {state:?}"))?;
    let end = usize::try_from(walk.end()).expect("small");
    let known = world.states.iter().map(Vec::as_slice).chain(*target).any(|state| *state == bytes[..end]);
    must(known, || format!("a database would see neither the old state nor the new one, but {end} bytes"))?;
    let Some(saved) = model.get(format!("{TARGET}.index")) else { return Ok(()) };
    let (pos, index) = filestorage::decode_whole(&saved).map_err(|bad| format!("the index beside it: {bad}"))?;
    must(pos as usize <= end, || format!("the index beside it is of byte {pos}, the target ends at {end}"))?;
    let read_at = |at: u64, out: &mut [u8]| {
        let at = usize::try_from(at).ok()?;
        out.copy_from_slice(bytes.get(at..at.checked_add(out.len())?)?);
        Some(())
    };
    let sane = filestorage::sane(&index, pos, read_at);
    sane.map(|_| ()).map_err(|insane| format!("the index beside the target does not fit it: {insane}"))
}

/// After a run that went to its end.
pub(super) fn done(seen: &Seen<'_>, live: &Model) -> Judgement {
    let Seen { scene, model, report, .. } = seen;
    let names = names(model);
    let note = crate::specimens::crash::names(live).into_iter().find(|name| name.ends_with(KILL_OLD));
    must(note.is_none(), || format!("the run is done and has left {note:?}"))?;
    if let Kind::Restore(step) | Kind::RestoreInPlace(step) = scene.kind {
        let index = format!("{TARGET}.index");
        let beside = model.meta(&index);
        must(beside.is_none() || beside == model.meta(TARGET), || format!("the index beside it is {beside:?}"))?;
        let saved = format!("{}.index", STAMPS[step]);
        let (has, should) = (model.get(&index).is_some(), names.contains(&saved));
        must(has == should, || format!("{saved} in the repository: {should}, beside the target: {has}"))?;
        return target_holds(seen, &model.get(TARGET).unwrap_or_default());
    }
    let restored = newest(model).map_err(|error| error.to_string())?;
    let source = model.get(SOURCE).expect("the source");
    let mut walk = Walk::new(0, source.len() as u64);
    walk.push(&source, &mut ());
    let end = usize::try_from(walk.end()).expect("small");
    must(restored == source[..end], || "the newest point is not the source".to_owned())?;
    let newest = report.sets.last().map(|set| format!("{}.index", set.name)).unwrap_or_default();
    must(names.contains(&newest), || format!("the run is done and {newest} is not there"))?;
    let old = names.iter().find(|name| STAMPS.iter().any(|stamp| name.starts_with(stamp)));
    must(scene.kind != Kind::BackupAndKill || old.is_none(), || format!("{old:?} should have been removed"))
}
