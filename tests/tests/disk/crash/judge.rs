//! What must hold on a disk after a cut, and after a run that went to its end.

use highwater::drive;
use highwater::store::Store;
use highwater::watch::Watch;
use highwater_core::filestorage::{self, State, Walk};
use highwater_core::finding::Code;
use highwater_core::formats::datastore::Datastore;
use highwater_core::formats::datastore::names::WORK;
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::names::{KILL_OLD, MARKS, SET_ASIDE};
use highwater_core::inspect::{Entry, Format, Of, Scope};
use highwater_core::key::Key;
use highwater_core::name::TEMPORARY;
use highwater_core::report::{Depth, Report, Verdict};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::{Meta, Model, Outcome};

use crate::crash::scenes::{
    Kind, OF_REPO, OF_STANDBY, OF_TARGET, OURS, REPO, SOURCE, STAMPS, STANDBY, Scene, TARGET, World, newest,
};
use crate::crash::stores::archive;

/// What was there before a run.
pub(crate) struct Before {
    /// The points, and whether they were sound.
    points: Vec<(String, bool)>,
    target: Option<Vec<u8>>,
}

/// A sentence that says what does not hold.
pub(crate) type Judgement = Result<(), String>;

pub(crate) fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Judgement {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What verify says of the repository, or of the store.
fn verify(model: &Model) -> Report {
    let is_store = model.get(format!("{REPO}/.lock")).is_some();
    let format: &dyn Format = if is_store { &Datastore::STORE } else { &Repozo };
    let key = is_store.then(|| Key::new([7; 32]));
    let options = Options::whole(format, "repo", Depth::Deep);
    let survey = Survey::new(format.inspect(&Scope::new(Of::All).trailing(true).keyed(key)), options);
    let survey = drive::run(&model.root(REPO), survey, Depth::Deep, &Watch::silent(), &mut |_, _| {});
    survey.expect("a verification").finish()
}

impl Before {
    pub(crate) fn of(model: &Model) -> Self {
        let points = verify(model).sets.into_iter().map(|set| (set.name, set.verdict == Verdict::Sound)).collect();
        Self { points, target: model.get(TARGET) }
    }

    /// After a cut, or a run that failed: every point is sound, none is lost, the target is the old state or the new
    /// one.
    pub(crate) fn still_holds(&self, scene: &Scene, world: &World, model: &Model) -> Judgement {
        belongs(model)?;
        let report = verify(model);
        for set in &report.sets {
            let was_not = self.points.iter().any(|(name, sound)| *name == set.name && !sound);
            must(was_not || set.verdict == Verdict::Sound, || {
                format!("{} is named and not sound: {:?}", set.name, report.findings)
            })?;
        }
        // What a removal left is told from a chain that lost its index. A full backup whose own publication was cut is none.
        let newest = report.sets.last().map_or("", |set| set.name.as_str());
        let is_old = |object: &str| object < newest && STAMPS.iter().any(|stamp| object.starts_with(stamp));
        let doubtful = report.findings.iter().find(|finding| finding.code == Code::NoIndex && is_old(&finding.object));
        must(scene.kind != Kind::BackupAndKill || doubtful.is_none(), || format!("{doubtful:?}"))?;
        let is_there = |point: &String| report.sets.iter().any(|set| set.name == *point);
        let lost = self.points.iter().map(|(name, _)| name).find(|point| !is_there(point));
        match (scene.kind, lost) {
            (Kind::BackupAndKill, Some(_)) => must(!report.sets.is_empty(), || "no point is left".to_owned())?,
            (_, Some(point)) => return Err(format!("{point} was there before and is lost")),
            (_, None) => {}
        }
        match (model.get(TARGET), &self.target, scene.kind) {
            (Some(bytes), ..) => self.target_holds(world, model, &bytes),
            (None, Some(_), Kind::Restore(_)) => Err("the old target is lost".to_owned()),
            (None, ..) => Ok(()),
        }
    }

    fn target_holds(&self, world: &World, model: &Model, bytes: &[u8]) -> Judgement {
        let mut walk = Walk::new(0, bytes.len() as u64).with_tail(bytes.last_chunk().copied());
        walk.push(bytes, &mut ());
        let state = walk.state();
        must(!matches!(state, State::Corrupt { .. }), || format!("a database would refuse the target: {state:?}"))?;
        let end = usize::try_from(walk.end()).expect("small");
        let known = world.states.iter().chain(&self.target).any(|state| *state == bytes[..end]);
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
}

/// The permissions of a new file, as the mask of whoever runs the tests has it.
fn new_mode() -> u32 {
    static MODE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *MODE.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").expect("this process has a status");
        let mask = status.lines().find_map(|line| line.strip_prefix("Umask:")).expect("a mask");
        0o666 & !u32::from_str_radix(mask.trim(), 8).expect("octal digits")
    })
}

/// Whatever has its name belongs to whom it should, and those may read it who should: from its first moment on, a cut
/// there or not.
fn belongs(model: &Model) -> Judgement {
    for path in model.names(REPO) {
        let name = path.strip_prefix(REPO).expect("a name in it").to_string_lossy().into_owned();
        let passing = name.ends_with(TEMPORARY) || name.ends_with(MARKS) || name.contains(WORK);
        // What the scenes themselves left there.
        let foreign = name == "2026-01-01-12-00-00.deltafs" || name.ends_with(SET_ASIDE);
        if name.is_empty() || passing || foreign {
            continue;
        }
        let meta = model.meta(&path).expect("it has one");
        let is_folder = meta.mode & 0o111 != 0;
        let mode = if is_folder { OF_REPO.mode } else { new_mode() };
        must(meta == Meta { mode, ..OF_REPO }, || format!("{name} is {meta:?}"))?;
    }
    Ok(())
}

pub(crate) fn names(model: &Model) -> Vec<String> {
    let mut names = Vec::new();
    let listed = model.root(REPO).list(None, &mut |entry: Entry| names.push(entry.name.to_string()));
    listed.expect("a listing");
    names
}

/// Nothing was set aside that was rightly there.
pub(crate) fn sets_nothing_aside(scene: &Scene, model: &Model) -> Judgement {
    let aside = names(model).into_iter().find(|name| name.contains(SET_ASIDE));
    must(aside.is_none() || scene.name.contains("foreign"), || format!("{aside:?} was what comes next in the source"))
}

/// After a run that went to its end, everything is there, sound and durable.
pub(crate) fn is_done(scene: &Scene, world: &World, model: &Model) -> Judgement {
    let (live, model) = (model, model.survive(Outcome::Nothing));
    belongs(&model)?;
    let report = verify(&model);
    must(report.verdict == Verdict::Sound, || format!("the run is done and: {:?}", report.findings))?;
    let names = names(&model);
    let note = self::names(live).into_iter().find(|name| name.ends_with(KILL_OLD));
    must(note.is_none(), || format!("the run is done and has left {note:?}"))?;
    let work_file = names.iter().find(|name| name.ends_with(TEMPORARY));
    must(work_file.is_none(), || format!("the run is done and has left {names:?}"))?;
    match scene.kind {
        Kind::Restore(step) | Kind::RestoreInPlace(step) => {
            let target = model.get(TARGET).ok_or("the run is done and there is no target")?;
            must(target == world.states[step], || "the run is done and the target is not the point".to_owned())?;
            let beside = model.names(STANDBY);
            // One that had got the owner of a target that is gone is none of ours any more.
            let given_up = |path: &std::path::PathBuf| {
                scene.kind == Kind::RestoreInPlace(step)
                    && live.meta(path).map(|meta| meta.owner) == Some(OF_TARGET.owner)
            };
            let left = |path: &std::path::PathBuf| path.to_string_lossy().ends_with(".part") && !given_up(path);
            must(!beside.iter().any(left), || format!("it left {beside:?}"))?;
            let meta = model.meta(TARGET);
            // What an interrupted run left when there was no target, or none any more: then nobody knows what it was
            // like.
            let unknown = Meta { mode: 0o600, ..OF_STANDBY };
            let like = match scene.kind {
                Kind::RestoreInPlace(_) if meta == Some(unknown) => unknown,
                // A cut between owner and permissions: then it is of who ran, and no more open.
                Kind::RestoreInPlace(_) if meta == Some(Meta { mode: OF_TARGET.mode, ..OURS }) => OURS,
                _ => match scene.target(world) {
                    Some(like) => like,
                    None if meta == Some(unknown) => unknown,
                    None => Meta { mode: new_mode(), ..OF_STANDBY },
                },
            };
            must(meta == Some(like), || format!("the target is {meta:?} and not {like:?}"))?;
            let index = model.meta(format!("{TARGET}.index"));
            must(index.is_none_or(|index| index == like), || format!("the index beside it is {index:?}"))?;
            let saved = format!("{}.index", STAMPS[step]);
            let (has, should) = (model.get(format!("{TARGET}.index")).is_some(), names.contains(&saved));
            must(has == should, || format!("{saved} in the repository: {should}, beside the target: {has}"))?;
            Before { points: Vec::new(), target: None }.target_holds(world, &model, &target)
        }
        Kind::Snapshot | Kind::Heal => {
            must(report.findings.is_empty(), || format!("the run is done and: {:?}", report.findings))?;
            let newest = report
                .sets
                .iter()
                .map(|set| set.name.clone())
                .max_by_key(|name| name.rsplit_once('/').map(|(_, time)| time.to_owned()));
            let newest = newest.unwrap_or_default();
            let group = newest.rsplit_once('/').map_or("", |(group, _)| group);
            let owner = model.get(format!("{REPO}/{group}/owner"));
            must(owner.as_deref() == Some(b"root@pam\n"), || format!("the run is done and {group} belongs to nobody"))?;
            let restored = archive(&model, &newest).map_err(|error| error.to_string())?;
            must(model.get(SOURCE) == Some(restored), || "the newest snapshot is not the source".to_owned())
        }
        Kind::Backup | Kind::BackupAndKill => {
            let restored = newest(&model).map_err(|error| error.to_string())?;
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
    }
}
