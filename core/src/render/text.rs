//! The report as plain text for people; its last line is the verdict.

use super::view::{self, Group};
use super::words::{self, count, len, listed, one_line, thousands};
use crate::finding::SAMPLE;
use crate::report::{Report, Root, Set, Soundness};
use crate::sort;

/// How many points, findings of one code and shards are listed when not verbose.
const FEW: usize = 20;

/// How many kinds of proof are told.
const PROVEN: usize = 8;

/// Renders the report as lines of plain text, without colours. `verbose` lists every point and every
/// finding that the report keeps. The last line is the verdict and what to do next.
#[must_use]
pub fn text(report: &Report, verbose: bool) -> String {
    let mut lines = Vec::new();
    let points = view::points(report);
    for root in &report.roots {
        let sets = points.get(root.label.as_str()).map_or(&[][..], Vec::as_slice);
        root_lines(&mut lines, root, sets, view::partial(report, root), verbose);
    }
    for group in view::groups(report) {
        lines.push(String::new());
        group_lines(&mut lines, report, &group, verbose);
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let total = len(&report.lacking);
    if total > 0 {
        lines.push(format!("lacking: {}", listed(&report.lacking, total, if verbose { SAMPLE } else { FEW })));
    }
    let total = len(&report.removed);
    if total > 0 {
        let names = listed(&report.removed, total, if verbose { SAMPLE } else { FEW });
        lines.push(format!("removed while this ran, and left out: {names}"));
    }
    lines.push(coverage(report));
    lines.push(view::conclusion(report));
    lines.push(String::new());
    lines.join("\n")
}

fn root_lines(lines: &mut Vec<String>, root: &Root, sets: &[&Set], partial: bool, verbose: bool) {
    let word = |verdict| if partial && verdict == Soundness::Sound { "sound so far" } else { words::verdict(verdict) };
    let mut line = format!("in {} ({}): ", one_line(&root.label), one_line(&root.format));
    line.push_str(&count(len(sets), "point in time", "points in time"));

    for verdict in [Soundness::Sound, Soundness::Damaged, Soundness::Inconclusive] {
        let number = view::having(sets.iter().copied(), verdict);
        if number > 0 {
            line.push_str(&format!(", {} {}", thousands(number), word(verdict)));
        }
    }
    lines.push(line);
    if !root.proven.is_empty() {
        let proven = root.proven.iter().take(PROVEN);
        let proven: Vec<String> =
            proven.map(|(proves, count)| format!("{} {}", thousands(*count), one_line(proves))).collect();
        lines.push(format!("  proven: {}", proven.join(", ")));
    }
    let all = verbose || sets.len() <= FEW;
    let is_worth = |set: &&&Set| all || set.verdict != Soundness::Sound || !set.left_out.is_nothing();
    let worth: Vec<&&Set> = sets.iter().filter(is_worth).collect();
    let most = if all { worth.len() } else { FEW };
    for set in worth.iter().take(most) {
        let (name, size) = (one_line(&set.name), words::bytes(set.bytes));
        lines.push(format!("  {:<12}  {name}  {size}", word(set.verdict)));
        lines.extend(view::left_out(set, if verbose { SAMPLE } else { 1 }).map(|what| format!("    left out: {what}")));
    }
    let rest = len(&worth).saturating_sub(len(worth.get(..most).unwrap_or(&worth)));
    if rest > 0 {
        let what = if sets.iter().any(|set| !set.left_out.is_nothing()) { ", or left something out" } else { "" };
        lines.push(format!("  and {} more that are not sound{what}", thousands(rest)));
    }
}

fn group_lines(lines: &mut Vec<String>, report: &Report, group: &Group<'_>, verbose: bool) {
    let most = if verbose { group.notes.len() } else { FEW };
    let mut shown = 0;
    for note in group.notes.iter().take(most) {
        shown += 1;
        let place = match report.roots.as_slice() {
            [_] if !note.object.is_empty() => one_line(&note.object),
            _ => view::path(note),
        };
        let at = note.offset.map_or_else(String::new, |offset| format!(" at byte {offset}"));
        lines.push(format!("{}  {place}{at}: {}", group.title, view::message(note)));
        let names = if verbose { usize::MAX } else { 5 };
        lines.extend(view::hurts(note, names).map(|hurts| format!("  {hurts}")));
    }
    let rest = group.total.saturating_sub(shown);
    if shown == 0 {
        lines.push(format!("{}  {}, none kept in words", group.title, count(rest, "finding", "findings")));
    } else if rest > 0 {
        lines.push(format!("  and {} more of {}", thousands(rest), group.title));
    }
    lines.extend(group.advice().into_iter().map(|advice| format!("  -> {advice}")));
}

fn coverage(report: &Report) -> String {
    let mut line = format!("{}, {} read", view::checked(report), words::bytes(report.coverage.bytes));
    if report.coverage.marked > 0 {
        line.push_str(&format!(", {} of it by its marks", words::bytes(report.coverage.marked)));
    }
    let mut shards: Vec<String> = report.roots.iter().flat_map(|root| root.shards.clone()).collect();
    shards.retain(|shard| shard != "1/1");
    sort::all(&mut shards);
    shards.dedup();
    if !shards.is_empty() {
        line.push_str(&format!(
            ", {} {}",
            if shards.len() == 1 { "shard" } else { "shards" },
            listed(&shards, len(&shards), 8)
        ));
    }
    if report.strict {
        line.push_str(", warnings count as damage");
    }
    line
}
