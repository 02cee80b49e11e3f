//! `World`: a source, a repository and a standby on the model of a disk, beside what must be true of them.

use std::path::Path;
use std::sync::Arc;

use highwater::backup::repozo::{self as backup, BackupSummary as Backup};
use highwater::error::Class;
use highwater::restore::{self, Asked, How, Plan, Run};
use highwater::store::Store;
use highwater::watch::Watch;
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::names::Kind;
use highwater_core::name::Name;
use highwater_core::report::{Depth, Soundness};
use highwater_tests::dice::Dice;
use highwater_tests::model::Model;
use highwater_tests::repo::Image;
use highwater_tests::specimens::crash::plain;
use highwater_tests::stamps::Clock;

use crate::properties::drives::{DEPTHS, REPO, SOURCE, backup_job, list, verify};
use crate::properties::source::Source;

const STANDBY: &str = "/model/standby/Data.fs";

/// A point in time that must be there.
#[derive(Debug, Clone)]
struct Point {
    stamp: String,
    group: u64,
    /// What the source held, up to its last whole transaction.
    state: Arc<Vec<u8>>,
}

/// Everything, and the expectations.
pub(crate) struct World {
    model: Model,
    source: Source,
    clock: Clock,
    points: Vec<Point>,
    /// States that were backed up at some time, also of points that are gone: what a standby may hold.
    states: Vec<Arc<Vec<u8>>>,
    /// How many states of the repository were verified, and how many restores were compared.
    pub(crate) verified: u64,
    pub(crate) restored: u64,
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a name")
}

/// Says what is wrong, unless `holds`.
fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// What may be at a target that no backup holds, or none any more: also what was restored from a chain that was removed
/// since, if a pack took its newest transaction away.
const OWN: [&str; 4] = ["what was there", "some state of the source", "a foreign file", "more than it"];

impl World {
    /// A new database, and nothing else.
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let source = Source::new(dice);
        let model = Model::default();
        model.put(SOURCE, &source.file());
        let clock = Clock::at("2027-12-31-22-00-00");
        Self { model, source, clock, points: Vec::new(), states: Vec::new(), verified: 0, restored: 0 }
    }

    /// Lets the source live on.
    pub(crate) fn live(&mut self, dice: &mut Dice) {
        self.source.live(dice);
        self.model.put(SOURCE, &self.source.file());
    }

    /// Every file of the repository.
    fn image(&self) -> Image {
        // The model is locked while it lists.
        let mut names = Vec::new();
        self.model.root(REPO).list(None, &mut |entry| names.push(entry.name.to_string())).expect("a listing");
        let bytes = |name: &String| self.model.get(Path::new(REPO).join(name)).expect("a listed file");
        names.into_iter().map(|name| (name.clone(), bytes(&name))).collect()
    }

    /// Makes a backup in one of many ways and looks at everything that follows.
    pub(crate) fn back_up(&mut self, dice: &mut Dice) -> Result<(), String> {
        let now = self.clock.tick(1 + dice.below(90_000));
        let mut job = backup_job(&now);
        job.full = dice.chance(15);
        job.quick = dice.chance(40);
        job.kill_old = dice.chance(20);
        job.dry_run = dice.chance(8);
        job.sums = dice.chance(5);
        job.gzip = dice.chance(50).then(|| u32::try_from(1 + dice.below(9)).expect("a level"));
        let backward = dice.chance(8);
        if let Some(newest) = self.points.last().filter(|_| backward) {
            // The clock was set back, or two runs fall into one second.
            job.now = Some(if dice.chance(50) { newest.stamp.clone() } else { "2027-12-31-21-59-59".to_owned() });
        }
        let (before, steps) = (self.image(), self.model.operations());
        let what = format!("{job:?}");
        let wanted = self.wanted(&job);
        let longer = |wanted: &Option<_>| wanted.is_some() || self.source.is_left_unfinished();
        let done = backup::backup(&job, &self.model.place(SOURCE), &self.model.root(REPO), &Watch::silent());
        match (&wanted, done) {
            // Without a byte more than before no stamp is needed; an unfinished transaction is seen to be one too late.
            (wanted, Err(error)) if backward && longer(wanted) && !job.dry_run && !self.points.is_empty() => {
                let refused = error.to_string();
                let known = refused.contains("sort before it") || refused.contains("Cannot overwrite");
                ensure(known, || format!("{what}: an odd refusal: {refused}"))?;
                ensure(self.image() == before, || format!("{what}: refused, and yet something changed"))?;
                return Ok(());
            }
            (_, Err(error)) => return Err(format!("{what}: {error}")),
            (Some(_), Ok(_)) if backward && !job.dry_run && !self.points.is_empty() => {
                return Err(format!("{what}: a stamp that is not after the newest was accepted"));
            }
            (None, Ok(Backup::Nothing(end))) => {
                let there = self.points.last().map_or(0, |point| point.state.len() as u64);
                ensure(end == there, || format!("{what}: nothing to do up to {end}, but the point ends at {there}"))?;
                ensure(self.image() == before, || format!("{what}: nothing to do, and yet something changed"))?;
            }
            (Some((kind, start)), Ok(Backup::Made(made))) => {
                let end = self.source.whole().len() as u64;
                let as_wanted = (made.kind, made.start, made.end) == (*kind, *start, end);
                ensure(as_wanted, || format!("{what}: wanted {kind:?} from {start} to {end}, made {made:?}"))?;
                if job.dry_run {
                    ensure(self.model.operations() == steps, || format!("{what}: a dry run wrote"))?;
                } else {
                    self.made(job.now.as_deref().expect("a time"), *kind, job.kill_old);
                    self.expect_unchanged(&before).map_err(|error| format!("{what}: {error}"))?;
                }
            }
            (wanted, Ok(outcome)) => return Err(format!("{what}: wanted {wanted:?}, did {outcome:?}")),
        }
        if !job.dry_run {
            self.expect_sound().map_err(|error| format!("{what}: {error}"))?;
        }
        Ok(())
    }

    /// What a backup must do: a kind and where it begins, or nothing.
    fn wanted(&self, job: &backup::BackupOptions) -> Option<(Kind, u64)> {
        let whole = self.source.whole();
        match self.points.last() {
            Some(newest) if !job.full && whole.starts_with(&newest.state) => {
                (whole.len() > newest.state.len()).then(|| (Kind::Delta, newest.state.len() as u64))
            }
            _ => Some((Kind::Full, 0)),
        }
    }

    fn made(&mut self, stamp: &str, kind: Kind, kill_old: bool) {
        let last = self.points.last().map(|point| point.group);
        let group = match kind {
            Kind::Full if kill_old => {
                self.points.clear();
                0
            }
            Kind::Full => last.map_or(0, |group| group + 1),
            Kind::Delta => last.unwrap_or(0),
        };
        let state = Arc::new(self.source.whole().to_vec());
        self.states.push(state.clone());
        self.points.push(Point { stamp: stamp.to_owned(), group, state });
    }

    /// What was stored for a point that is still there is as it was; an index may only have got longer; and of a point
    /// that is gone nothing is left.
    fn expect_unchanged(&self, before: &Image) -> Result<(), String> {
        let now = self.image();
        let kept = |name: &str| self.points.iter().any(|point| name.starts_with(&point.stamp));
        for (name, old) in before.iter().filter(|(name, _)| kept(name)) {
            let Some(new) = now.get(name) else { return Err(format!("{name} is gone")) };
            let same = if name.ends_with(".dat") { new.starts_with(old) } else { new == old };
            ensure(same, || format!("{name} has changed"))?;
        }
        match now.keys().find(|name| !kept(name)) {
            Some(name) => Err(format!("{name} belongs to no point")),
            None => Ok(()),
        }
    }

    /// The repository is sound at every depth without a single finding, and lists what it must.
    fn expect_sound(&mut self) -> Result<(), String> {
        for depth in DEPTHS {
            let report = verify(&self.model.root(REPO), depth);
            let clean = report.verdict == Soundness::Sound && report.findings.is_empty() && report.tallies.is_empty();
            ensure(clean, || format!("at {depth:?}: {:?}: {:#?}", report.verdict, report.findings))?;
            let wrong = report.sets.iter().find(|set| set.verdict != Soundness::Sound);
            ensure(wrong.is_none(), || format!("at {depth:?}: {wrong:?}"))?;
        }
        let found: Vec<(String, u64, u64)> =
            list(&self.model.root(REPO)).sets.into_iter().map(|set| (set.name, set.group, set.bytes)).collect();
        let wanted: Vec<(String, u64, u64)> =
            self.points.iter().map(|point| (point.stamp.clone(), point.group, point.state.len() as u64)).collect();
        ensure(found == wanted, || format!("it lists {found:?} in place of {wanted:?}"))?;
        self.verified += 1;
        Ok(())
    }

    /// Restores every point once, each onto what a random earlier life left there.
    pub(crate) fn restore_all(&mut self, dice: &mut Dice) -> Result<(), String> {
        (0..self.points.len()).try_for_each(|at| self.restore(at, dice))
    }

    /// Restores the newest point or another one.
    pub(crate) fn restore_one(&mut self, dice: &mut Dice) -> Result<(), String> {
        let Some(newest) = self.points.len().checked_sub(1) else { return Ok(()) };
        let other = usize::try_from(dice.below(self.points.len() as u64)).expect("an index");
        self.restore(if dice.chance(60) { newest } else { other }, dice)
    }

    /// Restores a point in one of many ways onto one of many things and compares every byte.
    fn restore(&mut self, at: usize, dice: &mut Dice) -> Result<(), String> {
        let Point { stamp, state, .. } = self.points[at].clone();
        let newest = at + 1 == self.points.len();
        let target = Path::new(STANDBY);
        let there = self.prepare(target, &state, dice);
        let point = (!newest || dice.chance(50)).then(|| stamp.clone());
        let mut job = plain();
        job.full = dice.chance(15);
        job.quick = dice.chance(40);
        job.in_place = dice.chance(15);
        job.whole_sum = dice.chance(10);
        let what = format!("{job:?} of {stamp} onto {there}");
        let asked = Asked { format: &Repozo, point, key: None };
        let plan = Plan::make(&self.model.root(REPO), asked, Depth::Digest);
        let plan = plan.map_err(|error| format!("{what}: {error}"))?;
        ensure(plan.doubts.is_empty(), || format!("{what}: doubts: {:?}", plan.doubts))?;
        let watch = Watch::silent();
        if dice.chance(10) {
            let mut out = Vec::new();
            let done = restore::to_stream(&job, &plan, &self.model.root(REPO), &mut out, &watch);
            done.map_err(|error| format!("{what} to a stream: {error}"))?;
            ensure(out == *state, || format!("{what}: the stream is not the source of then"))?;
            self.restored += 1;
        }
        let (repository, standby, name) = (self.model.root(REPO), self.model.root("/model/standby"), name("Data.fs"));
        let onto = |job: &restore::RestoreOptions| {
            restore::to_file(&Run { job, plan: &plan, from: &repository, to: &standby, target: &name, watch: &watch })
        };
        let dry = restore::RestoreOptions { dry_run: true, ..job.clone() };
        let steps = self.model.operations();
        let planned = onto(&dry);
        let planned = match planned {
            // What no backup holds is given up only when that is asked for.
            Err(error) if !job.full && error.class() == Class::CannotStart && OWN.contains(&there) => {
                job.full = true;
                let dry = restore::RestoreOptions { dry_run: true, ..job.clone() };
                onto(&dry)
            }
            planned => planned,
        };
        let planned = planned.map_err(|error| format!("{what}, dry: {error}"))?;
        ensure(self.model.operations() == steps, || format!("{what}: a dry run wrote"))?;
        let done = onto(&job);
        let done = done.map_err(|error| format!("{what}: {error}"))?;
        // Only the real run reads a chunk of which the target holds a part, and it may find that the part is another's.
        let other = (planned.how, done.how) == (How::Appended, How::Full);
        let as_planned = done.end == planned.end && (done.how == planned.how || other);
        ensure(as_planned, || format!("{what}: planned {planned:?}, {done:?}"))?;
        let found = self.model.get(target).unwrap_or_default();
        ensure(found == *state, || format!("{what}: {:?} gives other bytes than the source of then", done.how))?;
        let beside = self.model.names("/model/standby");
        let only = [STANDBY.to_owned(), format!("{STANDBY}.index")].map(std::path::PathBuf::from);
        ensure(beside == only, || format!("{what}: beside it lies {beside:?}"))?;
        let index = self.model.get(format!("{STANDBY}.index"));
        let saved = self.model.get(format!("{REPO}/{stamp}.index"));
        ensure(index.is_some() && index == saved, || format!("{what}: the OID index is not the saved one"))?;
        self.restored += 1;
        Ok(())
    }

    /// Puts something where the restore is to go: what was there, nothing, another state, a foreign file, an
    /// interrupted copy.
    fn prepare(&self, target: &Path, state: &[u8], dice: &mut Dice) -> &'static str {
        match dice.below(10) {
            0..=3 => "what was there",
            4 => {
                self.model.take_away(target);
                "nothing"
            }
            5 | 6 => {
                self.model.put(target, dice.pick::<Arc<Vec<u8>>>(&self.states));
                "some state of the source"
            }
            7 => {
                let length = dice.below(state.len() as u64 + 200);
                let foreign: Vec<u8> = (0..length).map(|_| dice.bits().to_le_bytes()[0]).collect();
                self.model.put(target, &foreign);
                "a foreign file"
            }
            8 => {
                let length = usize::try_from(dice.below(state.len() as u64 + 1)).expect("a length");
                self.model.put(target, &state[..length]);
                "a part of it"
            }
            _ => {
                self.model.put(target, &[state, &[7; 100][..]].concat());
                "more than it"
            }
        }
    }
}
