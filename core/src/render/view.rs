//! What the renderers share: findings by code with the worst first, places, parts and the verdict line.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::words::{self, count, len, listed, one_line, thousands};
use crate::finding::{Code, Severity};
use crate::left_out::LeftOut;
use crate::report::{self, Depth, Note, Report, Root, Set, Soundness};
use crate::sort;

/// All findings of one code.
pub(super) struct Group<'a> {
    /// The code; none when a newer program counted something that this one does not know.
    pub(super) code: Option<Code>,
    /// What to call it: `HW103 digest`.
    pub(super) title: String,
    /// How many there are.
    pub(super) total: u64,
    /// Those that the report keeps in words.
    pub(super) notes: Vec<&'a Note>,
}

impl Group<'_> {
    /// How much it weighs; what is unknown weighs most.
    pub(super) fn severity(&self) -> Severity {
        self.code.map_or(Severity::Damage, Code::severity)
    }

    /// What to do about it: the advice that the findings bring, each once, as kinds of sets differ in it.
    pub(super) fn advice(&self) -> Vec<String> {
        let Some(code) = self.code else {
            return vec!["Read this report with the version of highwater that wrote it.".to_owned()];
        };
        let mut all: Vec<String> = Vec::new();
        for note in &self.notes {
            let advice = advice(note);
            if !all.contains(&advice) && all.len() < ADVICE {
                all.push(advice);
            }
        }
        if all.is_empty() { vec![code.advice().to_owned()] } else { all }
    }
}

/// How many kinds of advice are told for one code, and how long each is, in characters.
const ADVICE: usize = 5;
const LONG: usize = 500;

/// What to do about a finding.
pub(super) fn advice(note: &Note) -> String {
    if note.advice.trim().is_empty() { note.code.advice().to_owned() } else { words::clip(&note.advice, LONG) }
}

/// The findings by code, the worst first.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut known: BTreeMap<Code, Group<'_>> = BTreeMap::new();
    let mut unknown = Vec::new();
    let new = |code: Code| Group { code: Some(code), title: title(code), total: 0, notes: Vec::new() };
    for (name, tally) in &report.tallies {
        if let Ok(code) = name.parse() {
            let group = known.entry(code).or_insert_with(|| new(code));
            group.total = group.total.saturating_add(*tally);
        } else {
            let title = format!("unknown code {}", words::clip(name, 200));
            unknown.push(Group { code: None, title, total: *tally, notes: Vec::new() });
        }
    }
    for note in &report.findings {
        known.entry(note.code).or_insert_with(|| new(note.code)).notes.push(note);
    }
    let mut groups: Vec<Group<'_>> = known.into_values().chain(unknown).collect();
    for group in &mut groups {
        group.total = group.total.max(len(&group.notes));
    }
    sort::by_key(&mut groups, |group| Reverse(group.severity()));
    groups
}

/// A code with its name: `HW103 digest`.
pub(super) fn title(code: Code) -> String {
    format!("{code} {}", code.name())
}

/// How much a code weighs in this report, in which warnings may count as damage.
pub(super) fn weight(report: &Report, code: Code) -> Severity {
    match code.severity() {
        Severity::Warning if report.strict => Severity::Damage,
        severity => severity,
    }
}

/// The severity as a word.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Damage => "damage",
        Severity::Inconclusive => "inconclusive",
        Severity::Warning => "warning",
    }
}

/// What was found, in one line.
pub(super) fn message(note: &Note) -> String {
    let text = if note.message.trim().is_empty() { note.code.summary() } else { &note.message };
    one_line(text)
}

/// The object below its root, or the root: a path that somebody can open.
pub(super) fn path(note: &Note) -> String {
    let (root, object) = (one_line(&note.root), one_line(&note.object));
    match (root.is_empty(), object.is_empty()) {
        (_, true) => root,
        (true, _) => object,
        _ => format!("{}/{object}", root.trim_end_matches('/')),
    }
}

/// The points in time that it hurts: `hurts 2 points: a, b`; none when there are none.
pub(super) fn hurts(note: &Note, most: usize) -> Option<String> {
    let total = note.sets_total.max(len(&note.sets));
    let verb = if note.code.severity() == Severity::Damage { "hurts" } else { "concerns" };
    let points = count(total, "point", "points");
    let names = listed(&note.sets, total, most);
    match (total, note.sets.is_empty()) {
        (0, _) => None,
        (_, true) => Some(format!("{verb} {points}")),
        _ => Some(format!("{verb} {points}: {names}")),
    }
}

/// The points in time of each root.
pub(super) fn points(report: &Report) -> BTreeMap<&str, Vec<&Set>> {
    let mut points: BTreeMap<&str, Vec<&Set>> = BTreeMap::new();
    for set in &report.sets {
        points.entry(&set.root).or_default().push(set);
    }
    points
}

/// How many of `sets` have this verdict.
pub(super) fn having<'a>(sets: impl IntoIterator<Item = &'a Set>, verdict: Soundness) -> u64 {
    sets.into_iter().map(|set| u64::from(set.verdict == verdict)).sum()
}

/// The one shard that a report of a part covers, as `3/8`.
pub(super) fn part(root: &Root) -> Option<&str> {
    match root.shards.as_slice() {
        [one] if one != "1/1" => Some(one),
        _ => None,
    }
}

/// Only parts of the root were looked at, so that what is sound is so in these parts.
pub(super) fn partial(report: &Report, root: &Root) -> bool {
    let lacks = |line: &String| line.strip_prefix(&root.label).is_some_and(|rest| rest.starts_with(' '));
    part(root).is_some() || report.lacking.iter().any(lacks)
}

/// The coverage as words: `14 of 14 claims checked at depth digest`.
pub(super) fn checked(report: &Report) -> String {
    let claims = count(report.coverage.claims, "claim", "claims");
    let shallow = report.roots.iter().find_map(|root| root.asked.map(|asked| (root, asked)));
    let shallow = shallow.map(|(root, asked)| {
        format!(
            " ({} was asked for; this {} has nothing deeper to look at)",
            words::depth(asked),
            one_line(&root.format)
        )
    });
    let depth = words::depth(report.depth);
    format!(
        "{} of {claims} checked at depth {depth}{}",
        thousands(report.coverage.checked),
        shallow.unwrap_or_default()
    )
}

/// The verdict in one line, with its reason and what to do next.
pub(super) fn conclusion(report: &Report) -> String {
    let line = match report.verdict {
        Soundness::Sound => sound(report),
        Soundness::Damaged => damaged(report),
        Soundness::Inconclusive => inconclusive(report),
    };
    let left_out = match report.sets.iter().map(|set| u64::from(!set.left_out.is_nothing())).sum() {
        0 => String::new(),
        points => format!("; {} left something out", count(points, "point", "points")),
    };
    match len(&report.removed) {
        0 => format!("{line}{left_out}"),
        removed => format!("{line}{left_out}; {} while this ran", count(removed, "was removed", "were removed")),
    }
}

/// What a point left out, the first `most` of it: `a; b; and 3 more`; none where that is nothing.
pub(super) fn left_out(set: &Set, most: usize) -> Option<String> {
    let LeftOut { total, told } = &set.left_out;
    let mut parts: Vec<String> = told.iter().take(most).map(|what| words::clip(what, LONG)).collect();
    let rest = total.saturating_sub(len(&parts));
    parts.extend((rest > 0).then(|| match parts.len() {
        0 => count(rest, "thing", "things"),
        _ => format!("and {} more", thousands(rest)),
    }));
    (*total > 0).then(|| parts.join("; "))
}

/// A series of points: what it is called, whether any of it is in doubt, and its newest sound point.
struct Series<'a> {
    root: &'a str,
    name: String,
    doubtful: bool,
    newest: Option<&'a str>,
}

/// The series of points that the report knows, by root and name.
fn series(report: &Report) -> Vec<Series<'_>> {
    let several = report.roots.len() > 1;
    let mut doubtful: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for set in &report.sets {
        let doubt = doubtful.entry((&set.root, report::series(&set.name).0)).or_default();
        *doubt |= set.verdict != Soundness::Sound;
    }
    let mut newest: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for root in &report.roots {
        newest.extend(root.newest.iter().map(|name| ((&*root.label, report::series(name).0), &**name)));
    }
    let named = doubtful.into_iter().map(|((root, series), doubtful)| Series {
        root,
        name: match (several, series) {
            (false, series) => series.to_owned(),
            (true, "") => root.to_owned(),
            (true, series) => format!("{root}@{series}"),
        },
        doubtful,
        newest: newest.get(&(root, series)).copied(),
    });
    named.collect()
}

/// How many points are named in the verdict.
const NAMED: usize = 3;

/// The newest sound point, of each series of which something is in doubt, or of all if nothing is: `the newest sound
/// point is A`; none when there is none, or when it is not known.
fn newest(report: &Report) -> Option<String> {
    let mut all = series(report);
    if all.iter().any(|series| series.doubtful && series.newest.is_some()) {
        all.retain(|series| series.doubtful);
    }
    let several = report.roots.len() > 1;
    let told = |series: &Series<'_>| {
        let newest = series.newest?;
        Some(if several { format!("{}@{newest}", series.root) } else { newest.to_owned() })
    };
    let named: Vec<String> = all.iter().filter_map(told).collect();
    let lost: Vec<String> =
        all.iter().filter(|series| series.newest.is_none()).map(|series| series.name.clone()).collect();
    let so_far = if report.roots.iter().any(|root| partial(report, root)) { " so far" } else { "" };
    let (plural, is) = if named.len() == 1 { ("", "is") } else { ("s", "are") };
    let mut line = match named.len() {
        0 => return None,
        total => {
            format!("the newest sound point{plural}{so_far} {is} {}", listed(&named, total as u64, NAMED))
        }
    };
    if !lost.is_empty() {
        line.push_str(&format!(", and there is none of {}", listed(&lost, len(&lost), NAMED)));
    }
    Some(line)
}

/// No claim falls to the parts that were looked at, though there are some.
fn none_is_due(report: &Report) -> bool {
    report.coverage.claims == 0 && !report.sets.is_empty()
}

fn sound(report: &Report) -> String {
    let shard = report.roots.iter().find_map(part).map(one_line);
    if let (true, Some(shard)) = (none_is_due(report), &shard) {
        let points = in_time(len(&report.sets));
        return format!("sound: none is due: no claim on {points} falls to shard {shard}; the others hold them");
    }
    let mut line = format!("sound: {}, {}", in_time(len(&report.sets)), checked(report));
    let warnings = tally(report, Severity::Warning);
    if warnings > 0 {
        line.push_str(&format!(", {}", count(warnings, "warning", "warnings")));
    }
    line.extend(newest(report).map(|newest| format!("; {newest}")));
    if let Some(shard) = shard {
        line.push_str(&format!("; only shard {shard} was looked at: merge the reports of the others"));
    }
    if report.depth < Depth::Digest {
        line.push_str("; no digest was compared: --depth digest does that");
    }
    line
}

fn damaged(report: &Report) -> String {
    let hurt = having(&report.sets, Soundness::Damaged);
    let whole = having(&report.sets, Soundness::Sound);
    let findings = count(tally(report, Severity::Damage), "piece of damage", "pieces of damage");
    let newest = newest(report);
    let told = newest.as_ref().map(|newest| format!("{newest}; ")).unwrap_or_default();
    let (what, next) = if report.strict && tally(report, Severity::Damage) == 0 {
        let warnings = count(tally(report, Severity::Warning), "warning", "warnings");
        let next = format!("{told}follow the advice, or verify without --strict");
        (format!("{warnings}, counted as damage by --strict"), next)
    } else if hurt == 0 {
        let next = format!("{told}follow the advice and verify again");
        (format!("{findings} that no point in time is known to need"), next)
    } else {
        let next = match newest {
            Some(newest) => format!("{newest}: restore from a sound point only, and follow the advice"),
            None if whole > 0 => "restore from a sound point only, and follow the advice".to_owned(),
            None => "no point is known to be sound: keep everything, follow the advice and verify again".to_owned(),
        };
        (format!("{} of {}, {findings}", thousands(hurt), in_time(len(&report.sets))), next)
    };
    let lacking = match len(&report.lacking) {
        0 => String::new(),
        n => format!("; also, {} missing or doubled", count(n, "shard is", "shards are")),
    };
    format!("damaged: {what}, {}; {next}{lacking}", checked(report))
}

fn inconclusive(report: &Report) -> String {
    let outdated = report.tallies.get(Code::Outdated.name()).copied().unwrap_or(0);
    let doubts = tally(report, Severity::Inconclusive).saturating_sub(outdated);
    let lacking = len(&report.lacking);
    let (what, next) = if report.coverage.checked == 0 && report.roots.is_empty() {
        ("nothing was looked at".to_owned(), "name a folder that holds a backup")
    } else if report.coverage.checked == 0 && doubts == 0 && outdated == 0 && lacking == 0 {
        ("nothing was there to check".to_owned(), "see that the path is the right one, or make a first backup")
    } else if lacking > 0 {
        let names = listed(&report.lacking, lacking, 5);
        let shards = count(lacking, "shard is", "shards are");
        (format!("{shards} missing or doubled ({names})"), "merge exactly one report of each shard")
    } else if doubts > 0 {
        let things = count(doubts, "thing", "things");
        let young = if outdated > 0 { format!(", and {}", old(outdated)) } else { String::new() };
        (format!("{things} could not be read or judged{young}"), "mend what the findings name, then verify again")
    } else if outdated > 0 {
        // A clock that is wrong is another matter than a backup that nobody makes.
        let mut notes = report.findings.iter().filter(|note| note.code == Code::Outdated);
        let is_due = notes.all(|note| note.advice == Code::Outdated.advice());
        (old(outdated), if is_due { "back up now, and find out why no backup was made" } else { "follow the advice" })
    } else {
        let left = report.coverage.unjudged.max(report.coverage.claims.saturating_sub(report.coverage.checked));
        (format!("{} could not be judged", count(left, "claim", "claims")), "verify again")
    };
    let newest = newest(report).map(|newest| format!("{newest}; ")).unwrap_or_default();
    format!("inconclusive: {what}, {}; {newest}{next}", checked(report))
}

/// What is said of so many series of points of which no sound one is as young as was asked for.
fn old(outdated: u64) -> String {
    let of = if outdated > 1 { format!(" of {}", count(outdated, "series", "series")) } else { String::new() };
    format!("no sound point{of} is known to be young enough")
}

fn in_time(number: u64) -> String {
    count(number, "point in time", "points in time")
}

fn tally(report: &Report, severity: Severity) -> u64 {
    let groups = groups(report);
    let totals = groups.iter().filter(|group| group.severity() == severity).map(|group| group.total);
    totals.fold(0, u64::saturating_add)
}
