//! The planner of prune on random calendars, beside other programs' words for their periods.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use highwater_core::keep::{Because, Dated, Decision, Keep, Moment, Rule, decide};
use highwater_tests::dice::Dice;
use highwater_tests::run::Run;

/// How many calendars.
const CALENDARS: usize = 10_000;

/// Points of some series, from minutes to years apart; some not sound, some held, some built on the one before.
fn calendar(dice: &mut Dice) -> Vec<Dated> {
    let mut seconds = 1_500_000_000 + dice.below(400_000_000);
    let chained = dice.below(2) == 0;
    let step =
        [600, 7_200, 40_000, 90_000, 700_000, 3_000_000, 20_000_000][usize::try_from(dice.below(7)).expect("small")];
    let rare = 2 + dice.below(8);
    let mut points: Vec<Dated> = Vec::new();
    for place in 0..usize::try_from(dice.below(40)).expect("small") {
        seconds += dice.below(step);
        points.push(Dated {
            at: moment(seconds),
            sound: dice.below(rare) > 0,
            held: dice.below(10) == 0,
            needs: place.checked_sub(1).filter(|_| chained && dice.below(3) > 0),
        });
    }
    points
}

fn moment(seconds: u64) -> Moment {
    let text = highwater_core::formats::datastore::names::text_of(i64::try_from(seconds).expect("it fits"));
    Moment::read(&text).expect("a moment")
}

fn rules(dice: &mut Dice) -> Keep {
    let mut some = || if dice.below(2) == 0 { 0 } else { dice.below(6) };
    Keep { last: some(), hourly: some(), daily: some(), weekly: some(), monthly: some(), yearly: some() }
}

/// One of the numbers, larger.
fn more(keep: &Keep, dice: &mut Dice) -> Keep {
    let mut more = *keep;
    let by = 1 + dice.below(3);
    let number = match dice.below(6) {
        0 => &mut more.last,
        1 => &mut more.hourly,
        2 => &mut more.daily,
        3 => &mut more.weekly,
        4 => &mut more.monthly,
        _ => &mut more.yearly,
    };
    *number += by;
    more
}

fn kept(decisions: &[Decision]) -> BTreeSet<usize> {
    let all = decisions.iter().enumerate().filter(|(_, decision)| **decision != Decision::Removed);
    all.map(|(place, _)| place).collect()
}

#[test]
fn on_any_calendar_the_newest_stays_and_more_keeps_more() {
    let mut dice = Dice::new(2026);
    let (mut removed, mut needed) = (0, 0);
    for number in 0..CALENDARS {
        let (points, keep) = (calendar(&mut dice), rules(&mut dice));
        let case = || format!("calendar {number}: {keep:?} of {points:?}");
        let decisions = decide(&points, &keep);
        assert_eq!(decisions, decide(&points, &keep), "{}", case());
        let stays = kept(&decisions);
        removed += points.len() - stays.len();
        needed += decisions.iter().filter(|one| matches!(one, Decision::Kept(Because::Needed(_)))).count();
        let sound = points.iter().enumerate().filter(|(_, point)| point.sound);
        match sound.max_by_key(|(place, point)| (point.at, *place)) {
            None => assert_eq!(stays.len(), points.len(), "{}", case()),
            Some((newest, _)) => assert!(stays.contains(&newest), "{}", case()),
        }
        for (place, point) in points.iter().enumerate() {
            assert!(stays.contains(&place) || point.sound && !point.held, "{}", case());
            let has_it = point.needs.is_none_or(|needs| stays.contains(&needs));
            assert!(!stays.contains(&place) || has_it, "{place} stays without what it needs: {}", case());
        }
        let larger = more(&keep, &mut dice);
        let all = kept(&decide(&points, &larger));
        assert!(stays.is_subset(&all), "{larger:?} keeps less, only {all:?}: {}", case());
        // By itself, a rule keeps so many, if there are so many, and what it needs.
        for rule in Rule::ALL {
            let of = |one: &&Decision| matches!(one, Decision::Kept(Because::Rule(by, _)) if *by == rule);
            let count = decisions.iter().filter(of).count() as u64;
            assert!(count <= keep.of(rule), "{rule:?} keeps {count}: {}", case());
        }
    }
    assert!(removed > 20_000 && needed > 1_000, "{removed} removed, {needed} needed");
}

/// Another way to the same: each rule keeps the newest of each period, by the words that `date` has for periods, unless
/// that is kept already.
#[test]
fn periods_are_those_of_the_calendar_of_date() {
    let mut dice = Dice::new(7);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let list = folder.path().join("dates");
    for round in 0..60 {
        // From some days to some years.
        let days = [9, 40, 400, 4_000][round % 4];
        let from = 1_000_000_000 + dice.below(800_000_000);
        let mut seconds: Vec<u64> = (0..150).map(|_| from + dice.below(days * 86_400)).collect();
        seconds.sort_unstable();
        seconds.dedup();
        let lines: String = seconds.iter().map(|second| format!("@{second}\n")).collect();
        fs::write(&list, lines).expect("a list");
        let mut date = Command::new("date");
        let words = Run::of(date.args(["-u", "-f"]).arg(&list).arg("+%s %Y-%m-%d-%H %Y-%m-%d %G-%V %Y-%m %Y"));
        let words: Vec<Vec<String>> =
            words.expect(0).text().lines().map(|line| line.split(' ').map(ToOwned::to_owned).collect()).collect();
        let points: Vec<Dated> =
            seconds.iter().map(|second| Dated { at: moment(*second), sound: true, held: false, needs: None }).collect();
        let keep = rules(&mut dice);
        let mut wanted = BTreeSet::new();
        for (column, rule) in Rule::ALL.into_iter().enumerate() {
            let mut seen = BTreeSet::new();
            let mut left = keep.of(rule);
            for place in (0..points.len()).rev() {
                if seen.insert(&words[place][column]) && left > 0 && !wanted.contains(&place) {
                    left -= 1;
                    wanted.insert(place);
                }
            }
        }
        wanted.insert(points.len() - 1);
        assert_eq!(kept(&decide(&points, &keep)), wanted, "{keep:?} of {seconds:?}");
    }
}
