//! The report as a monitoring plugin tells it (<https://nagios-plugins.org/doc/guidelines.html>): a line with a state
//! and figures, the findings below it, and one of four codes.

use super::view;
use super::words::one_line;
use crate::age::{newest, oldest};
use crate::finding::{Code, Severity};
use crate::report::{Report, Soundness};

/// The states of a plugin, by their exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 0: all is sound.
    Ok = 0,
    /// 1: all is sound, and there is something to look at.
    Warning = 1,
    /// 2: something is damaged, or too old.
    Critical = 2,
    /// 3: nobody can tell.
    Unknown = 3,
}

impl State {
    /// The word that plugins say.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The state that a report is in.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let has = |code: Code| report.tallies.contains_key(code.name());
        let warns = || view::groups(report).iter().any(|group| group.severity() == Severity::Warning);
        match report.verdict {
            Soundness::Damaged => Self::Critical,
            Soundness::Inconclusive if has(Code::Outdated) => Self::Critical,
            Soundness::Inconclusive => Self::Unknown,
            Soundness::Sound if warns() || lacks(report) => Self::Warning,
            Soundness::Sound => Self::Ok,
        }
    }
}

/// Whether the newest sound point of a series left something out when it was made.
fn lacks(report: &Report) -> bool {
    newest(report).any(|(root, _, name, _)| {
        report.sets.iter().any(|set| set.root == root && set.name == name && !set.left_out.is_nothing())
    })
}

/// Renders the line, the figures behind it, and the findings in lines below. `now` is in seconds since 1970, and `most`
/// how old the newest sound point may be, if that was asked.
#[must_use]
pub fn nagios(report: &Report, now: i64, most: Option<i64>) -> String {
    let of = |soundness: Soundness| report.sets.iter().filter(|set| set.verdict == soundness).count();
    let mut figures = vec![
        format!("points={}", report.sets.len()),
        format!("damaged={}", of(Soundness::Damaged)),
        format!("inconclusive={}", of(Soundness::Inconclusive)),
        format!("claims={}", report.coverage.claims),
        format!("checked={}", report.coverage.checked),
        format!("bytes={}B", report.coverage.bytes),
    ];
    if let Some(age) = oldest(report, now) {
        let limit = most.map(|most| format!(";;{most}")).unwrap_or_default();
        figures.push(format!("age={age}s{limit}"));
    }
    let mut text = format!(
        "HIGHWATER {} - {} | {}\n",
        State::of(report).word(),
        plain(&view::conclusion(report)),
        figures.join(" ")
    );
    for group in view::groups(report) {
        for note in group.notes {
            text.push_str(&format!("{} {}: {}\n", note.code, plain(&view::path(note)), plain(&view::message(note))));
        }
    }
    text
}

/// Text without what parts a plugin's line.
fn plain(text: &str) -> String {
    one_line(text).replace('|', "/")
}
