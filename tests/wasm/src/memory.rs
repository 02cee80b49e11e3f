//! Drives a `Survey` over files in memory, with the input cut at will and the work done in any order.

use std::collections::BTreeMap;

use highwater_core::check::{Check, Verdict};
use highwater_core::claim::{Claim, Evidence};
use highwater_core::codec::Flow;
use highwater_core::fault::{Fault, FaultKind};
use highwater_core::fit::Fit;
use highwater_core::formats::by_name;
use highwater_core::formats::pool_of;
use highwater_core::inspect::{Answer, Ask, Entry, Kind, Of, Scope};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::{Depth, Report};
use highwater_core::shard::Shard;
use highwater_core::survey::{Options, Survey, Work};
use highwater_core::trail::Following;

use crate::Image;
use crate::dice::Dice;

/// How the input is cut.
#[derive(Debug, Clone)]
pub enum Steps {
    /// Pieces of this many bytes (and listings of this many entries).
    Of(usize),
    /// Pieces of 1 to 5000 bytes, mostly short.
    Random(Dice),
    /// Not at all.
    Whole,
}

/// When and in which order the work is done.
#[derive(Debug, Clone)]
pub enum Order {
    /// At once.
    AtOnce,
    /// At the end, last first.
    Backward,
    /// At the end, shuffled.
    Shuffled(Dice),
}

/// A host with its habits.
#[derive(Debug, Clone)]
pub struct Host {
    /// Of which format.
    pub format: &'static str,
    /// What opens what is encrypted.
    pub key: Option<Key>,
    /// How thoroughly.
    pub depth: Depth,
    /// Warnings count.
    pub strict: bool,
    /// Which part.
    pub shard: Shard,
    /// How the input is cut.
    pub steps: Steps,
    /// When the work is done.
    pub order: Order,
}

impl Host {
    /// Looks at everything, uncut.
    pub fn at(depth: Depth) -> Self {
        Self {
            format: "repozo",
            key: None,
            depth,
            strict: false,
            shard: Shard::WHOLE,
            steps: Steps::Whole,
            order: Order::AtOnce,
        }
    }

    /// The same, cut so.
    pub fn cut(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// The same, of part `number` of `count`.
    pub fn part(mut self, number: u64, count: u64) -> Self {
        self.shard = Shard::new(number, count).expect("a shard");
        self
    }

    /// The report on `files`, called `label`.
    pub fn report(&self, files: &Image, label: &str) -> Report {
        let format = by_name(self.format).expect("a known format");
        let trails = self.depth >= format.facts().trails;
        let scope = Scope::new(Of::All).trailing(trails).keyed(self.key.clone()).part(self.shard);
        let options = Options {
            label: label.to_owned(),
            format: Some(format),
            depth: self.depth,
            strict: self.strict,
            shard: self.shard,
        };
        let mut survey = Survey::new(format.inspect(&scope), options);
        let mut cutter = Cutter(self.steps.clone());
        loop {
            let mut waiting = self.walk(files, &mut survey, &mut cutter);
            match self.order.clone() {
                Order::Shuffled(mut dice) => waiting.sort_by_cached_key(|_| dice.bits()),
                Order::AtOnce | Order::Backward => waiting.reverse(),
            }
            waiting.into_iter().for_each(|work| self.work(work, files, &mut survey, &mut cutter));
            if !survey.retrace() {
                return survey.finish();
            }
        }
    }

    /// Answers what is asked until nothing is any more. Gives the work that is still to be done.
    fn walk(&self, files: &Image, survey: &mut Survey, cutter: &mut Cutter) -> Vec<Work> {
        let mut waiting: Vec<Work> = Vec::new();
        loop {
            match survey.ask() {
                Ask::Done => return waiting,
                Ask::Writing(_) => _ = survey.answer(Answer::Writing(false), &mut waiting),
                Ask::List(folder) => {
                    let entries = entries(files, folder.as_ref());
                    let answers = cutter.pieces(&entries).map(Answer::Entries);
                    give(survey, answers, Answer::End, &mut waiting);
                }
                Ask::Read { object, stretch } => {
                    let (bytes, end) = match bytes(files, &object) {
                        Err(fault) => (&[][..], Answer::Failed(fault)),
                        Ok(bytes) => (bytes, Answer::End),
                    };
                    let range = stretch.range(bytes.len() as u64);
                    let place = |at| usize::try_from(at).expect("it fits");
                    let bytes = &bytes[place(range.start)..place(range.end)];
                    give(survey, cutter.pieces(bytes).map(Answer::Bytes), end, &mut waiting);
                }
            }
            if matches!(self.order, Order::AtOnce) {
                waiting.drain(..).for_each(|work| self.work(work, files, survey, cutter));
            }
        }
    }

    fn work(&self, work: Work, files: &Image, survey: &mut Survey, cutter: &mut Cutter) {
        match work {
            Work::Node(_) | Work::Called(..) => {}
            Work::Claim(claim) => {
                let (verdict, read) = self.check(&claim, files, cutter);
                survey.settle(&claim, verdict, read);
            }
            Work::Trail(trail) => {
                let mut following = Following::new(trail, self.key.clone());
                while let Some(name) = following.begin() {
                    let object = bytes(files, &name);
                    if let Ok(bytes) = object {
                        for piece in cutter.pieces(bytes) {
                            if following.push(piece).is_break() {
                                break;
                            }
                        }
                    }
                    following.end(object.err().as_ref());
                }
                survey.followed(following.finish());
            }
        }
    }

    fn check(&self, claim: &Claim, files: &Image, cutter: &mut Cutter) -> (Verdict, u64) {
        let bytes = match bytes(files, &claim.object) {
            Ok(bytes) => bytes,
            Err(_) => {
                let is_file = |name: &Name| name.as_str().is_some_and(|name| files.contains_key(name));
                return (Verdict::absent(claim, pool_of(&claim.object), is_file), 0);
            }
        };
        match claim.evidence(self.depth) {
            Evidence::Presence => (Verdict::Sound, 0),
            Evidence::StoredLength => {
                let mut fit = Fit::new(claim, bytes.len() as u64, self.key.as_ref());
                while let Some(range) = fit.ask() {
                    let place = |at: u64| usize::try_from(at).expect("it fits");
                    fit.answer(&bytes[place(range.start)..place(range.end)]);
                }
                (fit.verdict(), 0)
            }
            Evidence::Bytes => {
                let mut check = Check::new(claim, self.depth, self.key.as_ref());
                for piece in cutter.pieces(bytes) {
                    if check.push(piece, &mut |_| {}) == Flow::Break(()) {
                        break;
                    }
                }
                let length = check.length();
                (check.end(), length)
            }
        }
    }
}

/// What the listing of a folder, or of the root, says.
fn entries(files: &Image, folder: Option<&Name>) -> Vec<Entry> {
    let prefix = folder.map(|name| format!("{name}/")).unwrap_or_default();
    let mut found = BTreeMap::new();
    for name in files.keys() {
        if let Some(rest) = name.strip_prefix(&prefix) {
            let (first, kind) = rest.split_once('/').map_or((rest, Kind::File), |(first, _)| (first, Kind::Folder));
            found.insert(first, kind);
        }
    }
    let entry = |(name, kind): (&str, Kind)| Entry::new(Name::new(name.as_bytes()).expect("a plain name"), kind);
    found.into_iter().map(entry).collect()
}

fn bytes<'a>(files: &'a Image, name: &Name) -> Result<&'a [u8], Fault> {
    let found = name.as_str().and_then(|name| files.get(name));
    let absent = || Fault { kind: FaultKind::Absent, message: "it cannot be read: absent".to_owned() };
    found.map(Vec::as_slice).ok_or_else(absent)
}

struct Cutter(Steps);

impl Cutter {
    fn next(&mut self) -> usize {
        match &mut self.0 {
            Steps::Of(length) => *length,
            Steps::Whole => usize::MAX,
            Steps::Random(dice) => {
                let most = if dice.chance(70) { 40 } else { 5000 };
                1 + usize::try_from(dice.below(most)).expect("a short piece")
            }
        }
    }

    fn pieces<'b, T>(&mut self, mut rest: &'b [T]) -> impl Iterator<Item = &'b [T]> {
        std::iter::from_fn(move || {
            let (piece, left) = rest.split_at(self.next().min(rest.len()));
            rest = left;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// Gives a survey these answers and then the last one, unless it has enough before.
fn give<'a>(survey: &mut Survey, mut answers: impl Iterator<Item = Answer<'a>>, end: Answer<'_>, work: &mut Vec<Work>) {
    if answers.try_for_each(|answer| survey.answer(answer, work)).is_continue() {
        _ = survey.answer(end, work);
    }
}
