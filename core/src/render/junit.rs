//! The report as JUnit XML: a suite for each root and point in time, a case for each finding.

use std::collections::{BTreeMap, BTreeSet};

use super::view;
use super::words::{self, count, one_line};
use crate::finding::Severity;
use crate::report::{Note, Report, Root, Set, Soundness};
use crate::sort;

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    status: Status,
    /// What kind of failure or error it is.
    kind: String,
    message: String,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Passed,
    Failure,
    Error,
    Skipped,
}

/// Renders the report as JUnit XML, as Jenkins and GitLab read it: failures for damage, errors for what
/// could not be judged, skipped for points of which only a part was looked at. The last suite holds
/// the verdict, so that a report that is not sound never looks green.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut suites = Vec::new();
    let known: BTreeSet<(&str, &str)> = sort::set(report.sets.iter().map(|set| (&*set.root, &*set.name)));
    let mut by_set: BTreeMap<(&str, &str), Vec<&Note>> = BTreeMap::new();
    let mut by_root: BTreeMap<&str, Vec<&Note>> = BTreeMap::new();
    for note in &report.findings {
        let keys: BTreeSet<_> = sort::set(note.sets.iter().map(|name| (&*note.root, &**name)));
        let keys: Vec<_> = keys.intersection(&known).collect();
        if keys.is_empty() {
            by_root.entry(&note.root).or_default().push(note);
        }
        for key in keys {
            by_set.entry(*key).or_default().push(note);
        }
    }
    let partial: BTreeSet<&str> =
        sort::set(report.roots.iter().filter(|root| view::partial(report, root)).map(|root| &*root.label));
    for root in &report.roots {
        let mut cases = vec![coverage(root, partial.contains(&*root.label))];
        cases.extend(by_root.remove(&*root.label).unwrap_or_default().iter().map(|note| case(report, note)));
        suites.push(Suite { name: root.label.clone(), cases });
    }
    for (root, notes) in by_root {
        suites.push(Suite { name: root.to_owned(), cases: notes.iter().map(|note| case(report, note)).collect() });
    }
    for set in &report.sets {
        let mut cases = vec![point(report, set, partial.contains(&*set.root))];
        let notes = by_set.get(&(&*set.root, &*set.name)).into_iter().flatten();
        cases.extend(notes.map(|note| case(report, note)));
        suites.push(Suite { name: format!("{}@{}", set.root, set.name), cases });
    }
    suites.push(Suite { name: "highwater".to_owned(), cases: vec![verdict(report)] });
    document(&suites)
}

/// The whole report's case.
fn verdict(report: &Report) -> Case {
    let mut text = vec![view::conclusion(report)];
    for group in view::groups(report) {
        text.push(format!("{}: {}", group.title, count(group.total, "finding", "findings")));
        text.extend(group.advice().into_iter().map(|advice| format!("-> {advice}")));
    }
    text.extend(report.lacking.iter().map(|shard| format!("lacking: {}", one_line(shard))));
    Case {
        name: "verdict".to_owned(),
        status: status(report.verdict),
        kind: words::verdict(report.verdict).to_owned(),
        message: view::conclusion(report),
        text: text.join("\n"),
    }
}

/// A root's case.
fn coverage(root: &Root, partial: bool) -> Case {
    let claims = count(root.coverage.claims, "claim", "claims");
    let (status, kind) = match (partial, root.coverage.checked) {
        (true, _) => (Status::Skipped, "partial"),
        (false, 0) => (Status::Error, "nothing-checked"),
        (false, _) => (Status::Passed, "checked"),
    };
    let message = format!("{} of {claims} checked", words::thousands(root.coverage.checked));
    let text = format!("{message}, {} read, format {}", words::bytes(root.coverage.bytes), one_line(&root.format));
    Case { name: "coverage".to_owned(), status, kind: kind.to_owned(), message, text }
}

/// The case of a point in time as a whole.
fn point(report: &Report, set: &Set, partial: bool) -> Case {
    let status = match status(set.verdict) {
        Status::Passed if partial => Status::Skipped,
        other => other,
    };
    let so_far = if status == Status::Skipped { " so far: only a part was looked at" } else { "" };
    let message = format!("{}{so_far}, {}", words::verdict(set.verdict), words::bytes(set.bytes));
    Case {
        name: format!("sound at depth {}", words::depth(report.depth)),
        status,
        kind: words::verdict(set.verdict).to_owned(),
        text: message.clone(),
        message,
    }
}

/// The case of one finding.
fn case(report: &Report, note: &Note) -> Case {
    let status = match view::weight(report, note.code) {
        Severity::Damage => Status::Failure,
        Severity::Inconclusive => Status::Error,
        Severity::Warning => Status::Passed,
    };
    let at = note.offset.map_or_else(String::new, |offset| format!(" at byte {offset}"));
    let message = view::message(note);
    let mut text = vec![format!("{}{at}: {message}", view::path(note))];
    text.extend(view::hurts(note, usize::MAX));
    text.push(format!("-> {}", view::advice(note)));
    let name = format!("{} {}{at}", view::title(note.code), one_line(&note.object)).trim_end().to_owned();
    Case { name, status, kind: note.code.to_string(), message, text: text.join("\n") }
}

fn status(verdict: Soundness) -> Status {
    match verdict {
        Soundness::Sound => Status::Passed,
        Soundness::Inconclusive => Status::Error,
        Soundness::Damaged => Status::Failure,
    }
}

fn document(suites: &[Suite]) -> String {
    let number = |suite: &Suite, status| suite.cases.iter().filter(|case| case.status == status).count();
    let all = |status| suites.iter().map(|suite| number(suite, status)).sum::<usize>();
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (failures, errors) = (all(Status::Failure), all(Status::Error));
    xml.push_str(&format!(
        "<testsuites name=\"highwater\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    ));
    for suite in suites {
        let (tests, class) = (suite.cases.len(), attribute(&suite.name));
        let (failures, errors) = (number(suite, Status::Failure), number(suite, Status::Error));
        let skipped = number(suite, Status::Skipped);
        xml.push_str(&format!(
            "  <testsuite name=\"{class}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n"
        ));
        let mut names: BTreeMap<&str, u64> = BTreeMap::new();
        for case in &suite.cases {
            let seen = names.entry(&case.name).or_default();
            *seen += 1;
            let again = if *seen > 1 { format!(" ({seen})") } else { String::new() };
            let name = attribute(&format!("{}{again}", case.name));
            xml.push_str(&format!("    <testcase classname=\"{class}\" name=\"{name}\">\n"));
            xml.push_str(&inside(case));
            xml.push_str("    </testcase>\n");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn inside(case: &Case) -> String {
    let (kind, message, text) = (attribute(&case.kind), attribute(&case.message), escaped(&case.text));
    match case.status {
        Status::Passed => format!("      <system-out>{text}</system-out>\n"),
        Status::Skipped => format!("      <skipped message=\"{message}\"/>\n"),
        Status::Failure => format!("      <failure message=\"{message}\" type=\"{kind}\">{text}</failure>\n"),
        Status::Error => format!("      <error message=\"{message}\" type=\"{kind}\">{text}</error>\n"),
    }
}

/// Text of one line, for an attribute.
fn attribute(text: &str) -> String {
    escaped(&one_line(text))
}

/// Text without markup and without the characters that XML 1.0 forbids even as references.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\n' => xml.push(c),
            '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            c if c.is_control() => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    xml
}
