//! The report as SARIF 2.1.0, for code scanning and SARIF viewers.

use serde::Serialize;

use super::json::document;
use super::view;
use super::words;
use crate::finding::{Code, Severity};
use crate::formats;
use crate::report::{Note, Report, Soundness};

/// How many results GitHub keeps of one run.
const MOST: usize = 5_000;

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation; 1],
    results: Vec<RuleResult<'a>>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: &'static str,
    short_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleResult<'a> {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    properties: Extent<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    byte_offset: u64,
}

#[derive(Serialize)]
struct Extent<'a> {
    root: &'a str,
    sets: &'a [String],
    sets_total: u64,
    severity: Severity,
}

#[derive(Serialize)]
struct Properties<'a> {
    verdict: Soundness,
    depth: &'static str,
    strict: bool,
    claims: u64,
    checked: u64,
    bytes: u64,
    sets: usize,
    lacking: &'a [String],
    tallies: &'a std::collections::BTreeMap<String, u64>,
}

/// Renders the report as a SARIF 2.1.0 log of one run: a rule for each code that occurs, a result for
/// each kept finding, the worst first. A verdict that is not sound is also a notification, because
/// it may have no finding at all.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let groups = view::groups(report);
    let mut rules = Vec::new();
    let mut results = Vec::new();
    for (group, code) in groups.iter().filter_map(|group| group.code.map(|code| (group, code))) {
        let room = MOST.saturating_sub(results.len());
        results.extend(group.notes.iter().take(room).map(|note| result(report, note, rules.len())));
        rules.push(rule(code));
    }
    let notification = |level| Notification { level, message: Text { text: view::conclusion(report) } };
    let run = Run {
        tool: Tool { driver: Driver { name: "highwater", version: env!("CARGO_PKG_VERSION"), rules } },
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: match report.verdict {
                Soundness::Sound => Vec::new(),
                Soundness::Inconclusive => vec![notification("warning")],
                Soundness::Damaged => vec![notification("error")],
            },
        }],
        results,
        properties: Properties {
            verdict: report.verdict,
            depth: words::depth(report.depth),
            strict: report.strict,
            claims: report.coverage.claims,
            checked: report.coverage.checked,
            bytes: report.coverage.bytes,
            sets: report.sets.len(),
            lacking: &report.lacking,
            tallies: &report.tallies,
        },
    };
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    document(&Log { schema, version: "2.1.0", runs: [run] })
}

fn rule(code: Code) -> Rule {
    Rule {
        id: code.to_string(),
        name: code.name(),
        short_description: Text { text: code.summary().to_owned() },
        help: Text { text: formats::page(code) },
        default_configuration: Configuration { level: level(code.severity()) },
    }
}

fn result<'a>(report: &Report, note: &'a Note, rule_index: usize) -> RuleResult<'a> {
    let artifact_location = Artifact { uri: uri(note) };
    let region = note.offset.map(|byte_offset| Region { byte_offset });
    RuleResult {
        rule_id: note.code.to_string(),
        rule_index,
        level: level(view::weight(report, note.code)),
        message: Text { text: view::message(note) },
        locations: [Location { physical_location: Physical { artifact_location, region } }],
        properties: Extent {
            root: &note.root,
            sets: &note.sets,
            sets_total: note.sets_total,
            severity: note.code.severity(),
        },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Damage => "error",
        Severity::Inconclusive => "warning",
        Severity::Warning => "note",
    }
}

/// The object's path as a relative URI: no scheme, no leading slash, no `..`, all else percent-encoded.
fn uri(note: &Note) -> String {
    let path = format!("{}/{}", note.root, note.object);
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let parts: Vec<String> = parts.map(percent).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn percent(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
