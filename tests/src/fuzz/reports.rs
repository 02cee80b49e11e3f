//! Targets for reports: any text read as one, any report rendered in every way, any two merged.

use highwater_core::finding::{Code, Severity};
use highwater_core::left_out::LeftOut;
use highwater_core::render::{annotations, from_json, json, junit, sarif, summary, text};
use highwater_core::report::{Coverage, Depth, Note, Report, Root, SCHEMA, Set, Soundness};
use serde_json::Value;

use super::feed::Feed;
use super::markup::{elements, expect_commands, expect_markdown, expect_plain};

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];
const VERDICTS: [Soundness; 3] = [Soundness::Sound, Soundness::Inconclusive, Soundness::Damaged];

/// Any text, or two parted by a NUL, as reports in JSON: what is read is rendered, merged, and comes back as it was.
pub(crate) fn report(bytes: &[u8]) {
    let mut reports = Vec::new();
    for part in bytes.splitn(2, |byte| *byte == 0) {
        let Ok(text) = std::str::from_utf8(part) else { continue };
        match from_json(text) {
            Ok(report) => reports.push(report),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    expect(reports, bytes.len());
}

/// Two reports with any texts and numbers in every place: the same. The first byte says by which renderer.
pub(crate) fn render(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let which = usize::from(feed.byte());
    expect(vec![made(&mut feed), made(&mut feed)], which);
}

/// Merges the reports, and renders one of them or the merged one in one way: all together take long.
fn expect(mut reports: Vec<Report>, which: usize) {
    let both = merged(&reports);
    reports.extend(both);
    if !reports.is_empty() {
        rendered(&reports[which / 7 % reports.len()], which);
    }
}

/// A renderer keeps its promises, whatever the report says.
fn rendered(report: &Report, which: usize) {
    match which % 7 {
        0 => expect_json(report),
        verbose @ 1..=2 => expect_text(report, verbose == 1),
        3 => expect_junit(report),
        4 => expect_sarif(report),
        5 => {
            let commands = annotations(report);
            expect_plain("annotations", &commands);
            expect_commands(&commands);
        }
        _ => {
            let page = summary(report);
            expect_plain("the summary", &page);
            expect_markdown(&page);
        }
    }
}

fn expect_json(report: &Report) {
    let document = json(report);
    expect_plain("JSON", &document);
    assert_eq!(&from_json(&document).expect("a report"), report, "JSON does not come back as it was");
}

fn expect_text(report: &Report, verbose: bool) {
    let plain = text(report, verbose);
    expect_plain("text", &plain);
    let word = match report.verdict {
        Soundness::Sound => "sound: ",
        Soundness::Inconclusive => "inconclusive: ",
        Soundness::Damaged => "damaged: ",
    };
    assert!(plain.lines().last().is_some_and(|line| line.starts_with(word)), "{plain}");
}

fn expect_junit(report: &Report) {
    let xml = junit(report);
    expect_plain("JUnit", &xml);
    let found = elements(&xml);
    let number = |name: &str| found.get(name).copied().unwrap_or(0);
    let (tests, failures, errors) = (number("testcase"), number("failure"), number("error"));
    let head = format!("<testsuites name=\"highwater\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">");
    assert!(xml.contains(&head), "{head}\n{xml}");
    assert!(report.verdict == Soundness::Sound || failures + errors > 0, "not sound, but green: {xml}");
}

fn expect_sarif(report: &Report) {
    let log = sarif(report);
    expect_plain("SARIF", &log);
    let log: Value = serde_json::from_str(&log).expect("SARIF is JSON");
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), report.findings.len().min(5000));
    for result in results {
        let rule = result["ruleIndex"].as_u64().and_then(|rule| usize::try_from(rule).ok()).expect("a rule");
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        let uri = place.as_str().expect("a place");
        assert!(
            !uri.starts_with('/') && uri.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%/".contains(c)),
            "{uri}"
        );
        assert!(uri.split('/').all(|part| part != ".." && !part.is_empty()), "{uri}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
    }
    let told = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(told.is_null(), report.verdict == Soundness::Sound);
}

/// Merging is judged anew, changes nothing the second time, and does not depend on the order.
fn merged(reports: &[Report]) -> Option<Report> {
    let ours: Vec<Report> = reports.iter().cloned().map(|report| empty().merge(report)).collect();
    for report in &ours {
        assert_eq!(&empty().merge(report.clone()), report, "merging a merged report changes it");
        let whole = report.clone().into_whole();
        assert!(whole.verdict >= report.verdict && (whole.verdict == report.verdict || !whole.lacking.is_empty()));
        expect_judged(report);
        expect_judged(&whole);
    }
    let [one, other] = &ours[..] else { return None };
    let both = one.clone().merge(other.clone());
    expect_judged(&both);
    let format =
        |root: &Root| other.roots.iter().all(|theirs| root.label != theirs.label || root.format == theirs.format);
    if one.roots.iter().all(format) {
        assert_eq!(other.clone().merge(one.clone()), both, "the order matters");
    }
    let damaged = [one, other].iter().any(|report| report.verdict == Soundness::Damaged);
    assert!(!damaged || both.verdict == Soundness::Damaged, "damage is lost in {both:?}");
    Some(both)
}

fn empty() -> Report {
    Report::empty(Depth::Deep, false)
}

/// A verdict of our own never says better than what is in the report.
fn expect_judged(report: &Report) {
    let severity = |name: &String| name.parse::<Code>().map_or(Severity::Damage, Code::severity);
    let listed = report.findings.iter().map(|note| note.code.severity());
    let worst = report.tallies.keys().map(severity).chain(listed).max();
    assert!(worst != Some(Severity::Damage) || report.verdict == Soundness::Damaged, "{report:?}");
    assert!(worst != Some(Severity::Warning) || !report.strict || report.verdict == Soundness::Damaged, "{report:?}");
    if report.verdict == Soundness::Sound {
        assert!(report.lacking.is_empty() && !report.roots.is_empty(), "{report:?}");
        // To a part of a set, no claim may fall; what falls to it is judged.
        let judged = |root: &Root| {
            let part = root.shards.len() == 1 && root.shards != ["1/1"];
            let Coverage { claims, checked, unjudged, .. } = root.coverage;
            let idle = part && report.sets.iter().any(|set| set.root == root.label);
            (claims > 0 || idle) && unjudged == 0 && checked == claims
        };
        assert!(report.roots.iter().all(judged), "{report:?}");
        assert!(worst != Some(Severity::Inconclusive), "{report:?}");
    }
}

/// A report out of bytes. Texts come from a few that repeat, so that parts meet, or are any.
fn made(feed: &mut Feed<'_>) -> Report {
    let words =
        ["r", "/srv/zodb", "2026-03-01-00-00-00", "]]>\n::error::x|`<b>\u{1b}[2J\u{202e}&\"' %0A,[a](b:c)*_$@\\"];
    let word = |feed: &mut Feed<'_>| match feed.byte() {
        byte @ 0..4 => words[usize::from(byte)].to_owned(),
        _ => feed.text(),
    };
    let count = |feed: &mut Feed<'_>| usize::from(feed.byte() % 5);
    let flags = feed.byte();
    let mut report = Report {
        schema: SCHEMA,
        verdict: feed.pick(&VERDICTS),
        depth: feed.pick(&DEPTHS),
        strict: flags & 1 != 0,
        whole: flags & 2 != 0,
        coverage: coverage(feed),
        ..empty()
    };
    report.roots = (0..count(feed))
        .map(|_| Root {
            label: word(feed),
            format: word(feed),
            shards: (0..count(feed)).map(|_| shard(feed)).collect(),
            coverage: coverage(feed),
            proven: (0..feed.byte() % 3).map(|_| (word(feed), feed.byte().into())).collect(),
            newest: (0..feed.byte() % 3).map(|_| word(feed)).collect(),
            asked: Some(DEPTHS[0]).filter(|_| feed.byte().is_multiple_of(4)),
        })
        .collect();
    report.sets = (0..count(feed))
        .map(|_| Set {
            root: word(feed),
            name: word(feed),
            ordinal: feed.number(),
            group: feed.number(),
            bytes: feed.number(),
            archives: (0..count(feed)).map(|_| word(feed)).collect(),
            key: feed.byte().is_multiple_of(4).then(|| word(feed)),
            left_out: LeftOut { total: feed.number() % 3, told: (0..feed.byte() % 3).map(|_| word(feed)).collect() },
            verdict: feed.pick(&VERDICTS),
        })
        .collect();
    report.findings = (0..count(feed)).map(|_| note(feed, &word)).collect();
    if flags & 4 != 0 {
        let names = report.findings.iter().map(|note| note.code.name().to_owned());
        names.for_each(|name| *report.tallies.entry(name).or_default() += 1);
    }
    for _ in 0..count(feed) {
        let name = if flags & 8 == 0 { feed.pick(Code::ALL).name().to_owned() } else { word(feed) };
        report.tallies.insert(name, feed.number());
    }
    report.lacking = (0..count(feed)).map(|_| word(feed)).collect();
    report
}

fn note(feed: &mut Feed<'_>, word: &impl Fn(&mut Feed<'_>) -> String) -> Note {
    let code = feed.pick(Code::ALL);
    Note {
        code,
        root: word(feed),
        name: if feed.byte().is_multiple_of(4) { word(feed) } else { code.name().to_owned() },
        severity: code.severity(),
        object: word(feed),
        offset: Some(feed.number()).filter(|number| number % 3 != 0),
        message: word(feed),
        advice: word(feed),
        sets: (0..feed.byte() % 4).map(|_| word(feed)).collect(),
        sets_total: feed.number(),
    }
}

fn shard(feed: &mut Feed<'_>) -> String {
    match feed.byte() {
        0 => feed.text(),
        1..80 => "1/1".to_owned(),
        80..250 => format!("{}/{}", feed.byte() % 5, feed.byte() % 5),
        _ => format!("{}/{}", feed.number(), feed.number()),
    }
}

fn coverage(feed: &mut Feed<'_>) -> Coverage {
    Coverage {
        claims: feed.number(),
        checked: feed.number(),
        unjudged: feed.number(),
        bytes: feed.number(),
        marked: feed.number(),
    }
}
