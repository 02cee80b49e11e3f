//! `Keep`: which points in time stay and which go, by rules over their calendar. Pure: points in, decisions out.
//!
//! The rules are those that people know from restic, borg and Proxmox Backup Server:
//!
//! * A rule looks at periods: the hour, day, ISO week (from Monday), month or year that a point lies in, UTC. Only
//!   periods that have a point count, from the newest on. Of each, the newest point is kept.
//! * Rules are applied in the order of [`Rule::ALL`]. A period whose newest point an earlier rule keeps costs a later
//!   one nothing: as in borg. restic counts each rule by itself, and so keeps at most what is kept here. Proxmox Backup
//!   Server differs only where a week lies in two months or years: there any kept point covers a period.
//! * A larger number, or one more rule, never removes more.
//! * Only what was shown to be sound takes part. What was not, and what is held, stays and fills no period.
//! * The newest sound point stays in any case. Without one, all stay.
//! * What a kept point needs stays with it.

use crate::sort;

/// How many periods of each kind keep a point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// The last points, whenever they were made.
    pub last: u64,
    /// Hours.
    pub hourly: u64,
    /// Days.
    pub daily: u64,
    /// Weeks, from Monday.
    pub weekly: u64,
    /// Months.
    pub monthly: u64,
    /// Years.
    pub yearly: u64,
}

impl Keep {
    /// How many periods a rule keeps a point of.
    #[must_use]
    pub fn of(&self, rule: Rule) -> u64 {
        match rule {
            Rule::Last => self.last,
            Rule::Hourly => self.hourly,
            Rule::Daily => self.daily,
            Rule::Weekly => self.weekly,
            Rule::Monthly => self.monthly,
            Rule::Yearly => self.yearly,
        }
    }

    /// Whether no rule keeps anything.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        Rule::ALL.iter().all(|rule| self.of(*rule) == 0)
    }
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The last points.
    Last,
    /// The newest of each hour.
    Hourly,
    /// The newest of each day.
    Daily,
    /// The newest of each week.
    Weekly,
    /// The newest of each month.
    Monthly,
    /// The newest of each year.
    Yearly,
}

impl Rule {
    /// All, in the order in which they are applied.
    pub const ALL: [Self; 6] = [Self::Last, Self::Hourly, Self::Daily, Self::Weekly, Self::Monthly, Self::Yearly];

    /// The word for it, as in `--keep-daily`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }

    /// The period that a moment lies in; none where each point is one by itself.
    fn period(self, at: Moment) -> Option<i64> {
        let day = days(at.year.into(), at.month.into(), at.day.into());
        match self {
            Self::Last => None,
            Self::Hourly => Some(day * 24 + i64::from(at.hour)),
            Self::Daily => Some(day),
            // The first day of 1970 was a Thursday.
            Self::Weekly => Some((day + 3).div_euclid(7)),
            Self::Monthly => Some(i64::from(at.year) * 12 + i64::from(at.month)),
            Self::Yearly => Some(at.year.into()),
        }
    }
}

/// A moment in the calendar, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The year, to 9999.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second; 60 is one that was put in.
    pub second: u8,
}

impl Moment {
    /// Reads a text that begins like `2026-03-01T00:00:00`, with any one character between the numbers; none when no
    /// calendar and no clock has it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.get(..19)?;
        let number = |at: usize, length: usize| {
            let digits = text.get(at..at.checked_add(length)?)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok())?
        };
        let part = |at: usize| u8::try_from(number(at, 2)?).ok();
        let moment = Self {
            year: number(0, 4)?,
            month: part(5)?,
            day: part(8)?,
            hour: part(11)?,
            minute: part(14)?,
            second: part(17)?,
        };
        let Self { month, day, hour, minute, second, .. } = moment;
        let is_there = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        is_there.then_some(moment)
    }

    /// The same in seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        let Self { year, month, day, hour, minute, second } = self;
        let clock = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
        days(year.into(), month.into(), day.into()) * 86_400 + clock
    }
}

/// Days since 1970-01-01.
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the day that some have more comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// A point, as far as a decision needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// When it was made.
    pub at: Moment,
    /// It was looked at and is sound.
    pub sound: bool,
    /// It stays, whatever the rules say.
    pub held: bool,
    /// The point that it cannot be restored without, by its place among all.
    pub needs: Option<usize>,
}

/// What becomes of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It stays.
    Kept(Because),
    /// It goes.
    Removed,
}

/// Why a point stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// It is the newest of the period of this number, from 1, that the rule keeps.
    Rule(Rule, u64),
    /// It is the newest sound one.
    Newest,
    /// It is held.
    Held,
    /// It was not shown to be sound.
    Unproven,
    /// None was shown to be sound.
    NoneSound,
    /// The point of this place stays, and needs it.
    Needed(usize),
}

/// Decides on the points of one series, which may come in any order; of equal moments, the later one is newer.
#[must_use]
pub fn decide(points: &[Dated], keep: &Keep) -> Vec<Decision> {
    let mut newest_first: Vec<(usize, &Dated)> = points.iter().enumerate().collect();
    sort::by_key(&mut newest_first, |(place, point)| std::cmp::Reverse((point.at, *place)));
    let Some((newest, _)) = newest_first.iter().find(|(_, point)| point.sound) else {
        return vec![Decision::Kept(Because::NoneSound); points.len()];
    };
    let standing = |point: &Dated| match point {
        Dated { held: true, .. } => Decision::Kept(Because::Held),
        Dated { sound: false, .. } => Decision::Kept(Because::Unproven),
        _ => Decision::Removed,
    };
    let mut decisions: Vec<Decision> = points.iter().map(standing).collect();
    for rule in Rule::ALL {
        let (most, mut kept, mut before) = (keep.of(rule), 0, None);
        for (place, point) in newest_first.iter().filter(|(_, point)| point.sound && !point.held) {
            let period = rule.period(point.at);
            if kept == most {
                break;
            }
            if period.is_some() && period == before {
                continue;
            }
            before = period;
            if let Some(decision) = decisions.get_mut(*place).filter(|decision| **decision == Decision::Removed) {
                kept += 1;
                *decision = Decision::Kept(Because::Rule(rule, kept));
            }
        }
    }
    if let Some(decision) = decisions.get_mut(*newest).filter(|decision| **decision == Decision::Removed) {
        *decision = Decision::Kept(Because::Newest);
    }
    // From the oldest on, so that each is told the next point that needs it.
    for (place, _) in newest_first.iter().rev() {
        if decisions.get(*place).is_some_and(|decision| *decision != Decision::Removed) {
            keep_needed(points, *place, &mut decisions);
        }
    }
    decisions
}

/// Keeps whatever a kept point needs.
fn keep_needed(points: &[Dated], place: usize, decisions: &mut [Decision]) {
    let mut needs = points.get(place).and_then(|point| point.needs);
    while let Some(needed) = needs {
        match decisions.get_mut(needed) {
            Some(decision) if *decision == Decision::Removed => *decision = Decision::Kept(Because::Needed(place)),
            // What stays has been seen to, or will be.
            _ => return,
        }
        needs = points.get(needed).and_then(|point| point.needs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(texts: &[&str]) -> Vec<Dated> {
        let at = |text: &&str| Moment::read(text).unwrap();
        texts.iter().map(|text| Dated { at: at(text), sound: true, held: false, needs: None }).collect()
    }

    fn kept(points: &[Dated], keep: Keep) -> Vec<usize> {
        let decisions = decide(points, &keep);
        let all = decisions.iter().enumerate().filter(|(_, decision)| **decision != Decision::Removed);
        all.map(|(place, _)| place).collect()
    }

    #[test]
    fn moments_are_read_from_every_form_of_name() {
        let is = Moment { year: 2026, month: 3, day: 1, hour: 4, minute: 5, second: 6 };
        for text in ["2026-03-01-04-05-06", "2026-03-01T04:05:06Z", "2026-03-01T04-05-06Z.more"] {
            assert_eq!(Moment::read(text), Some(is), "{text}");
        }
        for text in [
            "",
            "2026-03-01",
            "2026-13-01-04-05-06",
            "2026-03-00-04-05-06",
            "2026-03-01-24-05-06",
            "2026-03-01T04:05:0é",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_of_each_period_stays_and_earlier_rules_cost_later_ones_nothing() {
        let all = points(&[
            "2024-12-31T10:00:00", // 0
            "2025-11-30T10:00:00", // 1, a Sunday
            "2025-12-01T10:00:00", // 2, a Monday
            "2025-12-02T09:00:00", // 3
            "2025-12-02T10:00:00", // 4
            "2025-12-02T10:30:00", // 5
        ]);
        for (keep, stays) in [
            (Keep { last: 2, ..Keep::default() }, &[4, 5][..]),
            (Keep { hourly: 2, ..Keep::default() }, &[3, 5]),
            (Keep { daily: 2, ..Keep::default() }, &[2, 5]),
            (Keep { weekly: 2, ..Keep::default() }, &[1, 5]),
            (Keep { monthly: 2, ..Keep::default() }, &[1, 5]),
            (Keep { yearly: 2, ..Keep::default() }, &[0, 5]),
            (Keep { last: 1, daily: 1, ..Keep::default() }, &[2, 5]),
            (Keep { last: 1, yearly: 1, ..Keep::default() }, &[0, 5]),
            (Keep { daily: 100, ..Keep::default() }, &[0, 1, 2, 5]),
            (Keep::default(), &[5]),
        ] {
            assert_eq!(kept(&all, keep), stays, "{keep:?}");
        }
    }

    #[test]
    fn what_is_not_sound_fills_no_period_and_stays() {
        let mut all = points(&["2025-12-01T10:00:00", "2025-12-02T09:00:00", "2025-12-02T10:00:00"]);
        all[2].sound = false;
        assert_eq!(kept(&all, Keep { last: 1, ..Keep::default() }), [1, 2]);
        all[1].held = true;
        assert_eq!(kept(&all, Keep { last: 1, ..Keep::default() }), [0, 1, 2]);
        all.iter_mut().for_each(|point| point.sound = false);
        assert!(decide(&all, &Keep::default()).iter().all(|one| *one == Decision::Kept(Because::NoneSound)));
    }

    #[test]
    fn what_a_kept_point_needs_stays() {
        let mut all =
            points(&["2025-12-01T10:00:00", "2025-12-02T10:00:00", "2025-12-03T10:00:00", "2025-12-04T10:00:00"]);
        (all[1].needs, all[2].needs) = (Some(0), Some(1));
        let decisions = decide(&all, &Keep { last: 2, ..Keep::default() });
        let needed = Decision::Kept(Because::Needed(2));
        assert_eq!(decisions[..2], [needed, needed]);
        assert_eq!(kept(&all, Keep { last: 1, ..Keep::default() }), [3]);
        // Whoever needs himself keeps nobody busy.
        all[0].needs = Some(1);
        assert_eq!(kept(&all, Keep { last: 2, ..Keep::default() }), [0, 1, 2, 3]);
    }
}
