//! Which points are older than they may be: a backup that nobody makes any more is as sound as ever.

use std::collections::BTreeMap;

use crate::finding::{Code, SAMPLE, Severity};
use crate::keep::Moment;
use crate::report::{Note, Report, Set, Soundness, series};
use crate::{sort, stamp};

/// How far a point may lie ahead of the clock, in seconds: two machines are never quite of one mind.
const AHEAD: i64 = 15 * 60;

/// What to do about a point that lies in the future.
const CLOCKS: &str =
    "Find out which clock is wrong, this machine's or that of whoever made the point, and set it right.";

/// What is known of a series of points.
#[derive(Default)]
struct Known<'a> {
    /// Whether it has any.
    has_points: bool,
    /// Whether the names of its points are times.
    is_dated: bool,
    /// The newest sound point, and when it was made.
    newest: Option<(i64, &'a str)>,
}

/// How long a time is at least that says its minute.
const MINUTE: usize = "dddd-dd-dd-dd-dd".len();

/// When a point was made, in seconds since 1970, by its name; none where that is no time to the minute.
#[must_use]
pub fn made(point: &str) -> Option<i64> {
    let time = series(point).1;
    let short = || stamp::begins(&stamp::point(time).ok().filter(|short| short.len() >= MINUTE)?);
    Moment::read(time).map(Moment::seconds).or_else(short)
}

/// The report, with a finding for each [series] of points whose newest sound one is more than `most` seconds old at
/// `now`, in seconds since 1970. What cannot be told counts: a root without points, points without times or without a
/// sound one among them, and such as lie in the future.
#[must_use]
pub fn judged(mut report: Report, now: i64, most: i64) -> Report {
    let found: Vec<Note> = known(&report)
        .iter()
        .filter_map(|((root, series), known)| {
            let (message, advice) = known.judge(now, most)?;
            Some(note(root, series, message, advice))
        })
        .collect();
    for note in found {
        // A report that was put together may tell it already, of another moment.
        let is_same = |other: &Note| (other.code, &other.root, &other.object) == (note.code, &note.root, &note.object);
        if let Some(told) = report.findings.iter_mut().find(|other| is_same(other)) {
            *told = note;
        } else {
            let tally = report.tallies.entry(note.name.clone()).or_default();
            *tally = tally.saturating_add(1);
            report.findings.push(note);
        }
    }
    sort::all(&mut report.findings);
    report.findings.truncate(SAMPLE);
    report.judge();
    report
}

/// How old the newest sound point is, at `now`, of the series in which it is the oldest; in seconds, and none where no
/// point that is sound is named by a time.
#[must_use]
pub fn oldest(report: &Report, now: i64) -> Option<i64> {
    let newest = known(report).into_values().filter_map(|known| known.newest);
    newest.map(|(at, _)| now.saturating_sub(at).max(0)).max()
}

/// The newest sound point of each series that has one named by a time: its root, series and name, and when it was made,
/// in seconds since 1970.
pub fn newest(report: &Report) -> impl Iterator<Item = (&str, &str, &str, i64)> {
    known(report).into_iter().filter_map(|((root, series), Known { newest, .. })| {
        let (at, name) = newest?;
        Some((root, series, name, at))
    })
}

/// What is known of each series, by its root and name.
fn known(report: &Report) -> BTreeMap<(&str, &str), Known<'_>> {
    let mut all: BTreeMap<(&str, &str), Known<'_>> = BTreeMap::new();
    for Set { root, name, verdict, .. } in &report.sets {
        let known = all.entry((root, series(name).0)).or_default();
        known.has_points = true;
        let Some(at) = made(name) else { continue };
        known.is_dated = true;
        if *verdict == Soundness::Sound {
            known.newest = known.newest.max(Some((at, name)));
        }
    }
    for root in &report.roots {
        // Of what could not be looked at, that is told, and no more is known.
        let unknown = |note: &Note| note.root == root.label && note.severity == Severity::Inconclusive;
        let mut its = all.range((&*root.label, "")..);
        let is_empty = its.next().is_none_or(|((label, _), _)| *label != root.label);
        if is_empty && !report.findings.iter().any(unknown) {
            all.insert((&root.label, ""), Known::default());
        }
    }
    all
}

impl Known<'_> {
    /// Why it is not young enough, if it is not, and what to do.
    fn judge(&self, now: i64, most: i64) -> Option<(String, &'static str)> {
        let again = |message: String| Some((message, Code::Outdated.advice()));
        let Some((at, name)) = self.newest else {
            return again(match (self.has_points, self.is_dated) {
                (false, _) => format!("it has no point, and a sound one of the last {} is asked for", span(most)),
                (true, true) => format!("it has no sound point, and one of the last {} is asked for", span(most)),
                (true, false) => "its points are not named by times, so nobody can tell how old they are".to_owned(),
            });
        };
        let age = now.saturating_sub(at);
        if age > most {
            let more = if span(age) == span(most) { format!(" and {}", span(age - most)) } else { String::new() };
            let (age, most) = (span(age), span(most));
            let are = if most.starts_with("1 ") && !most.contains(" and ") { "is" } else { "are" };
            return again(format!("its newest sound point, {name}, is {age}{more} old, and {most} {are} allowed"));
        }
        let ahead =
            || format!("its newest sound point, {name}, lies {} ahead of this clock", span(age.saturating_neg()));
        (age < -AHEAD).then(|| (ahead(), CLOCKS))
    }
}

fn note(root: &str, series: &str, message: String, advice: &str) -> Note {
    Note {
        code: Code::Outdated,
        root: root.to_owned(),
        name: Code::Outdated.name().to_owned(),
        severity: Code::Outdated.severity(),
        object: series.to_owned(),
        offset: None,
        message,
        advice: advice.to_owned(),
        sets: Vec::new(),
        sets_total: 0,
    }
}

/// Seconds as people say them, in two units at most.
#[must_use]
pub fn span(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut left = seconds.max(0);
    let mut parts = Vec::new();
    for (unit, name) in units {
        let count = left / unit;
        left %= unit;
        if count > 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Coverage, Depth, Root};

    const NOW: i64 = 1_764_331_200; // 2025-11-28T12:00:00Z

    fn report(points: &[(&str, Soundness)]) -> Report {
        let mut report = Report::empty(Depth::Digest, false);
        for (ordinal, (name, verdict)) in points.iter().enumerate() {
            report.sets.push(Set {
                root: "r".to_owned(),
                name: (*name).to_owned(),
                ordinal: ordinal as u64,
                group: 0,
                bytes: 1,
                archives: Vec::new(),
                key: None,
                left_out: crate::left_out::LeftOut::default(),
                verdict: *verdict,
            });
        }
        report
    }

    fn messages(points: &[(&str, Soundness)], most: i64) -> Vec<(String, String)> {
        judged(report(points), NOW, most).findings.into_iter().map(|note| (note.object, note.message)).collect()
    }

    #[test]
    fn each_series_is_judged_by_its_newest_sound_point() {
        use Soundness::{Damaged, Sound};
        let points = [("2025-11-26-12-00-00", Sound), ("2025-11-28-11-00-00", Damaged)];
        assert_eq!(messages(&points, 172_800), []);
        let found = messages(&points, 172_799);
        assert!(found[0].1.contains("2025-11-26-12-00-00, is 2 days old"), "{found:?}");
        let groups = [("vm/100/2025-11-28T11:00:00Z", Sound), ("ct/7/2025-11-01T00:00:00Z", Sound)];
        let found = messages(&groups, 86_400);
        assert_eq!(found.len(), 1);
        assert!(found[0].0.contains("ct/7") && found[0].1.contains("27 days and 12 hours"), "{found:?}");
    }

    #[test]
    fn what_cannot_be_told_is_not_young_enough() {
        use Soundness::{Damaged, Sound};
        assert!(messages(&[("2025-11-28-11-00-00", Damaged)], 86_400)[0].1.contains("no sound point"));
        assert!(messages(&[("as it is", Sound)], 86_400)[0].1.contains("not named by times"));
        assert!(messages(&[("2025-11-29-11-00-00", Sound)], 86_400)[0].1.contains("23 hours ahead"));
        assert_eq!(messages(&[("2025-11-28-12-10-00", Sound)], 86_400), []);
        let advice = |point: &str| judged(report(&[(point, Sound)]), NOW, 86_400).findings.remove(0).advice;
        assert!(advice("2025-11-29-11-00-00").contains("which clock is wrong"));
        assert_eq!(advice("2025-11-20-11-00-00"), Code::Outdated.advice());
        // What is allowed and what is too old by minutes are told apart.
        let found = messages(&[("2025-11-27-11-50-00", Sound)], 86_400);
        assert!(found[0].1.contains("is 1 day and 10 minutes old, and 1 day is allowed"), "{found:?}");
    }

    #[test]
    fn a_root_without_points_is_not_young_enough_unless_it_could_not_be_looked_at() {
        let empty = |label: &str| Root {
            label: label.to_owned(),
            format: "f".to_owned(),
            shards: vec!["1/1".to_owned()],
            coverage: Coverage::default(),
            proven: BTreeMap::new(),
            newest: Vec::new(),
            asked: None,
        };
        let mut report = report(&[("2025-11-28-11-00-00", Soundness::Sound)]);
        report.roots.extend(["r", "s", "t"].map(empty));
        report.findings.push(Note { code: Code::Unreadable, ..note("t", "", String::new(), "") });
        let report = judged(judged(report, NOW, 86_400), NOW + 86_400, 86_400);
        let told = |root: &str| report.findings.iter().filter(|note| note.root == root).collect::<Vec<_>>();
        assert!(told("r")[0].message.contains("is 1 day and 1 hour old"), "{report:?}");
        assert!(told("s")[0].message.contains("it has no point"), "{report:?}");
        assert_eq!([told("r").len(), told("s").len(), told("t").len()], [1; 3]);
        assert_eq!(report.tallies.get("outdated"), Some(&2));
    }

    #[test]
    fn a_time_says_its_minute_at_least() {
        for point in ["2025-11-28-12-00-00", "vm/1/2025-11-28T12:00:00Z", "2025-11-28T12-00-00Z.1", "2025-11-28T12-00Z"]
        {
            assert_eq!(made(point), Some(NOW), "{point}");
        }
        for point in ["", "2025", "2025-11-28", "vm/1/2025-11-28T12", "as it is", "2025-13-28T12-00Z"] {
            assert_eq!(made(point), None, "{point}");
        }
    }

    #[test]
    fn the_age_of_all_is_that_of_the_series_that_is_behind() {
        use Soundness::{Damaged, Sound};
        let points = [
            ("vm/1/2025-11-28T11:00:00Z", Sound),
            ("vm/2/2025-11-27T12:00:00Z", Sound),
            ("vm/2/2025-11-28T11:00:00Z", Damaged),
        ];
        assert_eq!(oldest(&report(&points), NOW), Some(86_400));
        assert_eq!(oldest(&report(&points[..1]), NOW), Some(3_600));
        assert_eq!(oldest(&report(&points[2..]), NOW), None);
    }

    #[test]
    fn spans_are_said_in_two_units() {
        for (seconds, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (3_600, "1 hour"),
            (3_661, "1 hour and 1 minute"),
            (86_461, "1 day"),
            (93_600, "1 day and 2 hours"),
            (-5, "0 seconds"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }
}
