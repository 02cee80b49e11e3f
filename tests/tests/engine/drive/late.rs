//! `Late`: a store that keeps every question of a drive and answers late, in any order, in short reads or with a
//! failure; and what a drive over it comes to. All of it follows from the seed.

use std::collections::BTreeMap;

use highwater_core::digest::sha256_of;
use highwater_core::drive::{Answer, Drive, Event, Want, What};
use highwater_core::report::{Depth, Report};
use highwater_core::survey::Survey;
use highwater_tests::dice::Dice;
use highwater_tests::repo::Image;

use super::listed;

/// The most that is read at a time.
const PIECE: u64 = 1 << 20;

/// A store in memory that keeps every question, and answers it when it likes.
pub(super) struct Late<'a> {
    files: Vec<&'a [u8]>,
    dice: Dice,
    /// Files that cannot be read from some offset on; those from the very last on were replaced.
    failing: BTreeMap<usize, u64>,
    /// One read in so many fails.
    flaky: Option<u64>,
    /// The questions, each with the time of its answer.
    kept: Vec<(u64, Want)>,
    now: u64,
}

impl<'a> Late<'a> {
    pub(super) fn new(image: &'a Image, dice: Dice, failing: &[(&str, u64)]) -> Self {
        let place = |name: &str| image.keys().position(|other| other == name).expect("a file of the set");
        let failing = failing.iter().map(|(name, from)| (place(name), *from)).collect();
        let files = image.values().map(Vec::as_slice).collect();
        Self { files, dice, failing, flaky: None, kept: Vec::new(), now: 0 }
    }

    /// Keeps questions; most answers come soon, and some after many others.
    pub(super) fn keep(&mut self, wants: Vec<Want>) {
        for want in wants {
            let delay = if self.dice.below(8) == 0 { self.dice.below(40) } else { self.dice.below(4) };
            self.kept.push((self.now + delay, want));
        }
        assert!(!self.kept.is_empty(), "it waits for nothing");
    }

    /// The questions whose time has come, at least one, in any order.
    pub(super) fn due(&mut self) -> Vec<Want> {
        let first = self.kept.iter().map(|(due, _)| *due).min().expect("a question");
        self.now = first.max(self.now + 1);
        let mut due = Vec::new();
        let mut at = 0;
        while let Some((time, want)) = self.kept.get(at).copied() {
            if time <= self.now {
                self.kept.swap_remove(at);
                let place = usize::try_from(self.dice.below(due.len() as u64 + 1)).expect("a place");
                due.insert(place, want);
            } else {
                at += 1;
            }
        }
        due
    }
}

impl Late<'_> {
    /// The answer to a question of a file.
    pub(super) fn answer(&mut self, want: &Want) -> Answer {
        let number = usize::try_from(want.file).expect("a number");
        let file = self.files[number];
        match want.what {
            What::Length => Answer::Length(file.len() as u64),
            What::Unchanged if self.failing.get(&number) == Some(&u64::MAX) => {
                Answer::Failed("it is another".to_owned())
            }
            What::Unchanged => Answer::Unchanged,
            What::Digest => panic!("its bytes are not in a file"),
            What::Bytes { at, length } => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(file.len());
                if self.flaky.is_some_and(|one| self.dice.below(one) == 0) {
                    return Answer::Failed("the line is bad".to_owned());
                }
                // Most of it, or a little.
                let most = if self.dice.below(2) == 0 { PIECE } else { 1 + self.dice.below(300) };
                let end = at + length.min(most);
                if self.failing.get(&number).is_some_and(|from| end > *from) {
                    return Answer::Failed("it was not meant to be".to_owned());
                }
                let bytes = file[place(at)..place(end)].to_vec();
                // That it is the end may be known only when it is looked for.
                let sure = end > file.len() as u64;
                if sure && (bytes.is_empty() || self.dice.below(2) == 0) {
                    Answer::Last(bytes)
                } else {
                    Answer::Bytes(bytes)
                }
            }
        }
    }
}

impl Late<'_> {
    /// The digest of `bytes`; now and then it has none.
    fn digest(&mut self, bytes: &[u8]) -> Answer {
        match self.dice.below(10) {
            0 => Answer::Failed("it has no time".to_owned()),
            1 => Answer::Digest(vec![1; 20]),
            2 => Answer::Unchanged,
            _ => Answer::Digest(sha256_of(bytes).as_bytes().to_vec()),
        }
    }
}

/// What a drive came to, and the most reads that were waited for at a time.
pub(super) struct Driven {
    pub(super) report: Report,
    pub(super) events: Vec<Event>,
    pub(super) under_way: usize,
    /// How many digests it asked for.
    pub(super) digests: usize,
    /// How much there is was known before all of it was checked.
    pub(super) foreseen: bool,
}

/// Drives a survey over `image`, whose bytes come late and in any order.
pub(super) fn driven_over(image: &Image, survey: Survey, depth: Depth, dice: Dice, failing: &[(&str, u64)]) -> Driven {
    driven(Late::new(image, dice, failing), image, survey, depth)
}

/// The same, where one read in `flaky` fails.
pub(super) fn driven_over_a_bad_line(image: &Image, survey: Survey, depth: Depth, dice: Dice, flaky: u64) -> Driven {
    driven(Late { flaky: Some(flaky), ..Late::new(image, dice, &[]) }, image, survey, depth)
}

fn driven(mut store: Late<'_>, image: &Image, survey: Survey, depth: Depth) -> Driven {
    let mut drive = Drive::new(survey, depth, listed(image));
    let (mut digests, lends) = (Vec::new(), store.dice.below(4) > 0);
    if lends {
        drive.ask_digests();
    }
    let (mut events, mut under_way, mut foreseen) = (Vec::new(), 0, false);
    loop {
        drive.step();
        events.extend(drive.events());
        if drive.is_done() {
            break;
        }
        store.keep(drive.wants());
        under_way = store.kept.len().max(under_way);
        foreseen |= drive.progress().complete;
        for want in store.due() {
            let answer = match want.what {
                What::Digest => {
                    digests.push(want.id);
                    store.digest(drive.offloaded(want.id).expect("its bytes"))
                }
                _ => store.answer(&want),
            };
            drive.answer(want.id, answer);
        }
        // An answer that nobody asked for changes nothing.
        drive.answer(u32::MAX, Answer::Length(1));
    }
    let progress = drive.progress();
    assert!(progress.complete && (lends || digests.is_empty()));
    assert!(digests.iter().all(|id| drive.offloaded(*id).is_none()), "nothing is kept");
    let digests = digests.len();
    Driven { report: drive.finish(), events, under_way, digests, foreseen }
}
