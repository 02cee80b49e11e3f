//! The report for GitHub Actions: annotations for the log, and a Markdown summary of the job.

use super::view::{self, Group};
use super::words::{self, clip, count, len, listed, thousands};
use crate::finding::Severity;
use crate::report::{Report, Soundness};

/// How many annotations of a kind GitHub shows of one step, the line with the verdict included.
const SHOWN: usize = 10;

/// How long a summary may be, in bytes.
const LONGEST: usize = 1024 * 1024;

/// How many rows of a table a summary shows.
const ROWS: usize = 100;

/// Renders the worst findings and the verdict as workflow commands, one a line, at most ten.
#[must_use]
pub fn annotations(report: &Report) -> String {
    let mut lines = String::new();
    let groups = view::groups(report);
    for note in groups.iter().flat_map(|group| &group.notes).take(SHOWN - 1) {
        let kind = match view::weight(report, note.code) {
            Severity::Damage => "error",
            Severity::Inconclusive => "warning",
            Severity::Warning => "notice",
        };
        let mut message = clip(&view::message(note), 1000);
        if let Some(hurts) = view::hurts(note, 5) {
            message.push_str(&format!("; {hurts}"));
        }
        let place = view::path(note);
        let file = if place.is_empty() { String::new() } else { format!(",file={}", property(&place)) };
        let title = property(&view::title(note.code));
        lines.push_str(&format!("::{kind} title={title}{file}::{}\n", data(&message)));
    }
    let kind = match report.verdict {
        Soundness::Damaged => "error",
        Soundness::Inconclusive => "warning",
        Soundness::Sound => "notice",
    };
    let total = groups.iter().map(|group| group.total).fold(0, u64::saturating_add);
    let findings = count(total, "finding", "findings");
    lines.push_str(&format!(
        "::{kind} title=highwater::{}\n",
        data(&format!("{} ({findings})", view::conclusion(report)))
    ));
    lines
}

/// Text as the message of a workflow command.
fn data(text: &str) -> String {
    words::one_line(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Markdown that grows up to a limit.
struct Page {
    text: String,
    full: bool,
}

impl Page {
    /// Adds a line, or nothing more once one did not fit.
    fn line(&mut self, line: &str) {
        self.full |= self.text.len() + line.len() + 1 > LONGEST - 1024;
        if !self.full {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

/// Renders the report as Markdown for `GITHUB_STEP_SUMMARY`, at most 1 MiB.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut page = Page { text: String::new(), full: false };
    page.line(&format!("## highwater: {}\n", words::verdict(report.verdict)));
    page.line(&format!("{}\n", cell(&view::conclusion(report), 2000)));
    roots(&mut page, report);
    points(&mut page, report);
    for group in view::groups(report) {
        findings(&mut page, &group);
    }
    if page.full {
        page.text.push_str("\nThe rest was cut, because a summary holds at most 1 MiB.\n");
    }
    page.text
}

fn roots(page: &mut Page, report: &Report) {
    if report.roots.is_empty() {
        return;
    }
    let points = view::points(report);
    page.line("| root | format | points | sound | damaged | inconclusive | checked | read |");
    page.line("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for root in report.roots.iter().take(ROWS) {
        let sets = points.get(root.label.as_str()).map_or(&[][..], Vec::as_slice);
        let having = |verdict| thousands(view::having(sets.iter().copied(), verdict));
        let (points, sound) = (thousands(len(sets)), having(Soundness::Sound));
        let (damaged, inconclusive) = (having(Soundness::Damaged), having(Soundness::Inconclusive));
        let so_far = if view::partial(report, root) { " so far" } else { "" };
        let checked = format!("{} of {}", thousands(root.coverage.checked), thousands(root.coverage.claims));
        let (label, format, read) = (code(&root.label, 200), cell(&root.format, 40), words::bytes(root.coverage.bytes));
        page.line(&format!(
            "| {label} | {format} | {points} | {sound}{so_far} | {damaged} | {inconclusive} | {checked} | {read} |"
        ));
    }
    more(page, report.roots.len(), "roots");
}

fn points(page: &mut Page, report: &Report) {
    let worth: Vec<_> = report.sets.iter().filter(|set| set.verdict != Soundness::Sound).collect();
    if worth.is_empty() {
        return;
    }
    page.line("\n### Points in time that are not sound\n");
    page.line("| point | verdict | size |\n| --- | --- | ---: |");
    for set in worth.iter().take(ROWS) {
        let name = code(&format!("{}@{}", set.root, set.name), 200);
        page.line(&format!("| {name} | {} | {} |", words::verdict(set.verdict), words::bytes(set.bytes)));
    }
    more(page, worth.len(), "points");
}

fn findings(page: &mut Page, group: &Group<'_>) {
    let severity = view::severity(group.severity());
    page.line(&format!("\n### {} ({severity}, {})\n", cell(&group.title, 200), thousands(group.total)));
    group.advice().iter().for_each(|advice| page.line(&cell(advice, 1000)));
    if !group.notes.is_empty() {
        page.line("\n| where | at byte | what | points |\n| --- | ---: | --- | --- |");
    }
    for note in &group.notes {
        let (place, what) = (code(&view::path(note), 400), cell(&view::message(note), 500));
        let at = note.offset.map_or_else(String::new, |offset| offset.to_string());
        let points = cell(&listed(&note.sets, note.sets_total.max(len(&note.sets)), 5), 1200);
        page.line(&format!("| {place} | {at} | {what} | {points} |"));
    }
    let rest = group.total.saturating_sub(len(&group.notes));
    if rest > 0 {
        page.line(&format!("\nand {} more", thousands(rest)));
    }
}

fn more(page: &mut Page, total: usize, what: &str) {
    if let Some(rest @ 1..) = total.checked_sub(ROWS) {
        page.line(&format!("\nand {} more {what}", thousands(u64::try_from(rest).unwrap_or(u64::MAX))));
    }
}

/// Text as code in Markdown: HTML, because backquotes cannot quote backquotes.
fn code(text: &str, longest: usize) -> String {
    format!("<code>{}</code>", cell(text, longest))
}

/// Text in Markdown, also in a table: whatever might be markup is a character reference.
fn cell(text: &str, longest: usize) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in clip(text, longest).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '.' | ',' | ';' | '/' | '\'' | '(' | ')' | '=' | '%') {
            cell.push_str(&format!("&#{};", u32::from(c)));
        } else {
            cell.push(c);
        }
    }
    cell
}
