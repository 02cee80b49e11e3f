//! `SecondLook`: before a data file of the newest chain is called unlisted, looks whether a backup is just publishing
//! it.
//!
//! A writer renames a data file into place, then appends its line to the `.dat`. A reader that lists the folder in
//! between sees a file that no line names. So it asks whether a writer is at work, and otherwise reads the `.dat` once
//! more.

use std::collections::BTreeSet;

use super::{LOCK, dat};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Answer, Ask, Batch};
use crate::name::Name;
use crate::sort;
use crate::split::{Line, Lines};

/// The files in doubt, and how far the look is.
pub(super) struct SecondLook {
    dat: Name,
    doubts: Vec<(Name, Finding)>,
    files: BTreeSet<Name>,
    asked: bool,
    lines: Lines,
    named: BTreeSet<Name>,
}

impl SecondLook {
    /// Begins to look at files that the index `dat` does not name, each with the finding that says so.
    pub(super) fn new(dat: Name, doubts: Vec<(Name, Finding)>) -> Self {
        // A writer publishes one file at a time: of several, not all can be its doing, so none is excused.
        let files: BTreeSet<Name> = sort::set(doubts.iter().map(|(file, _)| file.clone()));
        let asked = files.len() > 1;
        Self { dat, doubts, files, asked, lines: Lines::default(), named: BTreeSet::new() }
    }

    /// What to answer next.
    pub(super) fn ask(&self) -> Ask {
        if self.asked { Ask::read(self.dat.clone()) } else { Ask::Writing(LOCK) }
    }

    /// Takes an answer; none when everything is said.
    pub(super) fn answer(mut self, answer: Answer<'_>, out: &mut Batch) -> Option<Self> {
        match answer {
            Answer::Writing(false) => self.asked = true,
            Answer::Writing(true) => {
                out.findings.extend(self.files.into_iter().map(|file| Finding {
                    code: Code::BeingWritten,
                    object: Some(file),
                    offset: None,
                    message: "a backup that is running now has not listed it yet".to_owned(),
                    hurts: Hurts::Nothing,
                }));
                return None;
            }
            Answer::Bytes(bytes) => {
                let mut lines = std::mem::take(&mut self.lines);
                lines.push(bytes, |line| self.line(line));
                self.lines = lines;
            }
            Answer::End => {
                let mut lines = std::mem::take(&mut self.lines);
                lines.end(|line| self.line(line));
                let still = self.doubts.into_iter().filter(|(file, _)| !self.named.contains(file));
                out.findings.extend(still.map(|(_, finding)| finding));
                return None;
            }
            Answer::Failed(_) => {
                out.findings.extend(self.doubts.into_iter().map(|(_, finding)| finding));
                return None;
            }
            Answer::Entries(_) => {}
        }
        Some(self)
    }

    fn line(&mut self, line: Line<'_>) {
        let name = dat::Line::parse(line.text).ok().and_then(|line| Name::new(line.file).ok());
        if let Some(name) = name.filter(|name| self.files.contains(name)) {
            self.named.insert(name);
        }
    }
}
