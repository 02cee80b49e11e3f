//! What must hold on a disk after a cut, and after a run that went to its end, for every format.

use highwater::drive;
use highwater::watch::Watch;
use highwater_core::inspect::{Of, Scope};
use highwater_core::name::TEMPORARY;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::{Meta, Model, Survivors};
use highwater_tests::specimens::Specimen;
use highwater_tests::specimens::crash::{
    Judgement, Kind, OF_REPO, OF_STANDBY, OF_TARGET, OURS, REPO, STANDBY, Scene, Seen, TARGET, World, must, names,
};

/// What was there before a run.
pub(crate) struct Before {
    specimen: &'static dyn Specimen,
    /// The points, and whether they were sound.
    points: Vec<(String, bool)>,
    target: Option<Vec<u8>>,
}

/// What verify says of the repository, or of the store.
fn verify(specimen: &dyn Specimen, model: &Model) -> Report {
    let options = Options::whole(specimen.format(), "repo", Depth::Deep);
    let scope = Scope::new(Of::All).trailing(true).keyed(specimen.key());
    let survey = Survey::new(specimen.format().inspect(&scope), options);
    let survey = drive::run(&model.root(REPO), survey, Depth::Deep, &Watch::silent(), &mut |_, _| {});
    survey.expect("a verification").finish()
}

impl Before {
    pub(crate) fn of(specimen: &'static dyn Specimen, model: &Model) -> Self {
        let sets = verify(specimen, model).sets;
        let points = sets.into_iter().map(|set| (set.name, set.verdict == Soundness::Sound)).collect();
        Self { specimen, points, target: model.get(TARGET) }
    }

    /// After a cut, or a run that failed: every point is sound, none is lost, the target is the old state or the new
    /// one.
    pub(crate) fn still_holds(&self, scene: &Scene, world: &World, model: &Model) -> Judgement {
        belongs(self.specimen, model)?;
        let report = verify(self.specimen, model);
        for set in &report.sets {
            let was_not = self.points.iter().any(|(name, sound)| *name == set.name && !sound);
            must(was_not || set.verdict == Soundness::Sound, || {
                format!("{} is named and not sound: {:?}", set.name, report.findings)
            })?;
        }
        let seen = Seen { scene, world, model, report: &report, target: self.target.as_deref() };
        self.specimen.holds(&seen)?;
        let is_there = |point: &String| report.sets.iter().any(|set| set.name == *point);
        let lost = self.points.iter().map(|(name, _)| name).find(|point| !is_there(point));
        match (scene.kind, lost) {
            (Kind::BackupAndKill, Some(_)) => must(!report.sets.is_empty(), || "no point is left".to_owned())?,
            (_, Some(point)) => return Err(format!("{point} was there before and is lost")),
            (_, None) => {}
        }
        match (model.get(TARGET), &self.target, scene.kind) {
            (Some(bytes), ..) => self.specimen.target_holds(&seen, &bytes),
            (None, Some(_), Kind::Restore(_)) => Err("the old target is lost".to_owned()),
            (None, ..) => Ok(()),
        }
    }

    /// After a run that went to its end, everything is there, sound and durable.
    pub(crate) fn is_done(&self, scene: &Scene, world: &World, live: &Model) -> Judgement {
        let model = &live.survive(Survivors::Nothing);
        belongs(self.specimen, model)?;
        let report = verify(self.specimen, model);
        must(report.verdict == Soundness::Sound, || format!("the run is done and: {:?}", report.findings))?;
        let names = names(model);
        let work_file = names.iter().find(|name| name.ends_with(TEMPORARY));
        must(work_file.is_none(), || format!("the run is done and has left {names:?}"))?;
        if let Kind::Restore(step) | Kind::RestoreInPlace(step) = scene.kind {
            is_restored(scene, world, (live, model), step)?;
        }
        self.specimen.done(&Seen { scene, world, model, report: &report, target: None }, live)
    }
}

/// The target is a state of the source, belongs to whom it should, and no work file is beside it.
fn is_restored(scene: &Scene, world: &World, (live, model): (&Model, &Model), step: usize) -> Judgement {
    let target = model.get(TARGET).ok_or("the run is done and there is no target")?;
    must(target == world.states[step], || "the run is done and the target is not the point".to_owned())?;
    let beside = model.names(STANDBY);
    // One that had got the owner of a target that is gone is none of ours any more.
    let given_up = |path: &std::path::PathBuf| {
        scene.kind == Kind::RestoreInPlace(step) && live.meta(path).map(|meta| meta.owner) == Some(OF_TARGET.owner)
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
    must(meta == Some(like), || format!("the target is {meta:?} and not {like:?}"))
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
fn belongs(specimen: &dyn Specimen, model: &Model) -> Judgement {
    for path in model.names(REPO) {
        let name = path.strip_prefix(REPO).expect("a name in it").to_string_lossy().into_owned();
        if name.is_empty() || name.ends_with(TEMPORARY) || specimen.is_nobodys(&name) {
            continue;
        }
        let meta = model.meta(&path).expect("it has one");
        let is_folder = meta.mode & 0o111 != 0;
        let may_have =
            if is_folder { meta.mode == OF_REPO.mode } else { specimen.may_have(&name, meta.mode, new_mode()) };
        must(may_have && meta == Meta { mode: meta.mode, ..OF_REPO }, || format!("{name} is {meta:?}"))?;
    }
    Ok(())
}
