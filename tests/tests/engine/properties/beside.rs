//! A reader beside a writer: whatever moments of a backup a verification falls on, it calls nothing damaged.

use highwater::backup::repozo as backup;
use highwater::prune::{self, PruneOptions};
use highwater::watch::Watch;
use highwater_core::finding::Severity;
use highwater_core::formats::repozo::Repozo;
use highwater_core::keep::Keep;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::dice::Dice;
use highwater_tests::model::{Model, Survivors};
use highwater_tests::repo::Data;
use highwater_tests::score::{Score, size};

use crate::properties::drives::{DEPTHS, REPO, SOURCE, backup_job, verify};
use crate::properties::moments::{Moment, Reader, Recorder, Schedule};
use crate::properties::processes;

/// A backup: full (F), gzipped (z), quick (Q), killing the old ones (k). Or a prune, down to the last point (p), or to
/// the newest of two weeks (P), which cuts the end off a chain where a Sunday lies in it: the second day does.
type Way = &'static str;

/// What is there before, and the backups that a reader is beside of.
struct Scene {
    before: &'static [Way],
    beside: &'static [Way],
    /// Cut the power in the last of `before`, at each of its operations.
    interrupted: bool,
}

const SCENES: &[Scene] = &[
    Scene { before: &[], beside: &["F"], interrupted: false },
    Scene { before: &[], beside: &["Fz", ""], interrupted: false },
    Scene { before: &["F", ""], beside: &[""], interrupted: false },
    Scene { before: &["Fz", "z"], beside: &["Qz", "Q", "z"], interrupted: false },
    Scene { before: &["F", ""], beside: &["F"], interrupted: false },
    Scene { before: &["F", "z"], beside: &["", "Fz", "z"], interrupted: false },
    Scene { before: &["F", ""], beside: &["Fk"], interrupted: false },
    Scene { before: &["F", "", "z", "Fz", "", ""], beside: &["Fk"], interrupted: false },
    Scene { before: &["F", "", "F", ""], beside: &["", "Fzk", "Fk", ""], interrupted: false },
    Scene { before: &["F", "", "F", ""], beside: &["p"], interrupted: false },
    Scene { before: &["F", "", "", "z", "Fz", ""], beside: &["P", ""], interrupted: false },
    Scene { before: &["F", "", ""], beside: &["", ""], interrupted: true },
    Scene { before: &["F", "", "Fk"], beside: &["", "Fk"], interrupted: true },
];

/// The database as of each backup.
struct Clock {
    data: Data,
    number: u32,
}

impl Clock {
    /// Grows the database and makes a backup of it; or prunes.
    fn back_up(&mut self, way: Way, model: &Model, recorder: Option<&Recorder>) -> bool {
        if let ("p" | "P", Some(recorder)) = (way, recorder) {
            return prune(recorder, way);
        }
        self.number += 1;
        self.data.grow(2);
        model.put(SOURCE, &self.data.bytes);
        let mut job = backup_job(&format!("2027-05-0{}-00-00-00", self.number));
        job.full = way.contains('F');
        job.quick = way.contains('Q');
        job.kill_old = way.contains('k');
        job.gzip = way.contains('z').then_some(6);
        match recorder {
            Some(recorder) => backup::backup(&job, &model.place(SOURCE), recorder, &Watch::silent()),
            None => backup::backup(&job, &model.place(SOURCE), &model.root(REPO), &Watch::silent()),
        }
        .is_ok()
    }
}

fn prune(disk: &Recorder, way: Way) -> bool {
    let keep = match way {
        "p" => Keep { last: 1, ..Keep::default() },
        _ => Keep { weekly: 2, ..Keep::default() },
    };
    let (label, under, key, dry_run) = ("repo", None, None, false);
    let job = PruneOptions { keep, label, only: None, under, depth: Depth::Size, key, dry_run };
    let plan = prune::plan(&job, &Repozo, disk, &Watch::silent()).expect("a plan");
    let done = plan.carry_out(&Watch::silent());
    done.failed.is_none() && !done.removed.is_empty()
}

impl Scene {
    /// Every state of the repository that a reader could see, for each way to begin.
    fn play(&self) -> Vec<Vec<Moment>> {
        let mut all = Vec::new();
        let mut cut = 0;
        loop {
            let mut model = Model::default();
            let mut clock = Clock { data: Data::new(17), number: 0 };
            let mut whole = true;
            for (at, way) in self.before.iter().enumerate() {
                if self.interrupted && at + 1 == self.before.len() {
                    model.cut_at(cut);
                    whole = clock.back_up(way, &model, None);
                    model = model.survive(Survivors::Everything);
                } else {
                    assert!(clock.back_up(way, &model, None), "{way}: {:?}", self.before);
                }
            }
            let recorder = Recorder::on(model.clone());
            for way in self.beside {
                assert!(clock.back_up(way, &model, Some(&recorder)), "{way}: {:?}", self.beside);
            }
            all.push(recorder.moments());
            if whole {
                return all;
            }
            cut += 1;
        }
    }

    /// Fails if the report says what is not so. Without removals and remains there is no doubt about anything either,
    /// but for a listing during which a full backup and an increment of it came, and which shows the increment alone.
    fn judge(&self, report: &Report, schedule: Schedule) -> Result<(), String> {
        let damage = report.findings.iter().find(|note| note.severity == Severity::Damage);
        if report.verdict == Soundness::Damaged || damage.is_some() {
            return Err(format!("damage: {damage:#?}"));
        }
        let long = self.beside.len() > 2 && schedule.list.0 < schedule.list.1;
        let kills = self.before.iter().chain(self.beside).any(|way| way.contains(['k', 'p', 'P']));
        let doubt = report.findings.iter().find(|note| note.severity == Severity::Inconclusive);
        match doubt {
            Some(_) if !kills && !self.interrupted && !long => Err(format!("a doubt: {doubt:#?}")),
            _ => Ok(()),
        }
    }
}

/// Five places in order, near to each other as a rule.
fn schedule(dice: &mut Dice, moments: usize) -> Schedule {
    let mut at = usize::try_from(dice.below(moments as u64)).expect("a place");
    let mut next = || {
        let far = if dice.chance(50) { 2 } else { moments as u64 };
        let step = if dice.chance(40) { 0 } else { dice.below(far + 1) };
        at = (at + usize::try_from(step).expect("a step")).min(moments - 1);
        at
    };
    let (list, index, data, again) = ((next(), next()), next(), next(), next());
    Schedule { list, index, data, again, seed: dice.bits() }
}

/// The schedules of all pairs of moments: the listing is of one, everything else of another.
fn pairs(moments: usize) -> impl Iterator<Item = Schedule> {
    let each = (0..moments).flat_map(move |first| (first..moments).map(move |then| (first, then)));
    each.map(|(first, then)| Schedule { list: (first, first), index: then, data: then, again: then, seed: 0 })
}

#[test]
fn whatever_moment_a_verification_falls_on_it_calls_nothing_damaged() {
    let mut score = Score::new("no false alarm beside a writer");
    let mut dice = Dice::new(23);
    let mut case = |scene: &Scene, moments: &[Moment], schedule: Schedule, depth: Depth| {
        let report = verify(&Reader::new(moments, schedule), depth);
        score.ran(1);
        if let Err(what) = scene.judge(&report, schedule) {
            let (before, beside) = (scene.before, scene.beside);
            score.fail(format!("{beside:?} after {before:?}, {depth:?}, {schedule:?}: {what}"));
        }
    };
    for scene in SCENES {
        let plays = scene.play();
        let some = size(700, 7_000) / plays.len() as u64;
        for moments in &plays {
            assert!(moments.len() > 5, "a backup has more moments than {}", moments.len());
            for (number, schedule) in pairs(moments.len()).enumerate() {
                let still = schedule.list.0 == schedule.index;
                if still || number % plays.len() == 0 {
                    case(scene, moments, schedule, Depth::Deep);
                }
                for depth in DEPTHS.into_iter().filter(|_| still) {
                    case(scene, moments, schedule, depth);
                }
            }
            for _ in 0..some {
                let schedule = schedule(&mut dice, moments.len());
                case(scene, moments, schedule, *dice.pick(&DEPTHS));
            }
        }
    }
    processes::verify_beside_backups(&mut score);
    score.end();
}

#[test]
fn a_point_that_comes_while_a_deep_verification_runs_is_not_called_sound_unfollowed() {
    let model = Model::default();
    let mut clock = Clock { data: Data::new(29), number: 0 };
    assert!(clock.back_up("F", &model, None), "a full backup");
    // A record that points at no record before it: a backup copies it, and only the deepest rung of verify sees it.
    let at = clock.data.bytes.len();
    clock.data.grow(1);
    clock.data.bytes[at + 23 + 7 + 16..][..8].copy_from_slice(&77u64.to_be_bytes());
    let recorder = Recorder::on(model.clone());
    assert!(clock.back_up("", &model, Some(&recorder)), "an increment");
    let moments = recorder.moments();
    let mut named = 0;
    for schedule in pairs(moments.len()) {
        let report = verify(&Reader::new(&moments, schedule), Depth::Deep);
        let second = report.sets.iter().find(|set| set.name == "2027-05-02-00-00-00");
        named += u64::from(second.is_some());
        let sound = second.is_some_and(|set| set.verdict == Soundness::Sound);
        assert!(!sound, "{schedule:?}: a damaged record is called sound: {report:#?}");
    }
    assert!(named > 0, "no verification named the new point");
}

#[test]
fn a_chain_that_is_removed_while_a_verification_reads_it_is_not_called_missing() {
    let moments = SCENES[6].play().remove(0);
    let last = moments.len() - 1;
    let late = Schedule { list: (0, 0), index: 0, data: last, again: last, seed: 0 };
    let report = verify(&Reader::new(&moments, late), Depth::Digest);
    assert_eq!(report.verdict, Soundness::Inconclusive, "{report:#?}");
    let told = |note: &highwater_core::report::Note| note.message.contains("removed while this ran");
    assert!(report.findings.iter().any(told), "{report:#?}");
    // The full backup is gone when the listing comes to it, but its increment was seen: it takes a second listing.
    for seed in 0..64 {
        let torn = Schedule { list: (0, last), index: last, data: last, again: last, seed };
        let report = verify(&Reader::new(&moments, torn), Depth::Digest);
        assert_ne!(report.verdict, Soundness::Damaged, "{seed}: {report:#?}");
    }
}
