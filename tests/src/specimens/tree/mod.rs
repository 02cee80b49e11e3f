//! Sets of points of folders: one of some kilobytes, written by hand.

mod crash;
mod fuzz;
mod hostile;
mod matrix;
mod small;
mod zodb;

use highwater_core::formats::tree::names;
use highwater_core::name::WORK;
use highwater_core::report::{Depth, Report, Soundness};

use super::crash::{Judgement, Scene, Seen};
use super::{Case, Expect, Row, Sample, Specimen, harms, with};
use crate::dice::Dice;
use crate::fuzz::Target;
use small::{NEWER, OLDER, list};

/// The format.
#[derive(Debug)]
pub struct Tree;

impl Specimen for Tree {
    fn name(&self) -> &'static str {
        "tree"
    }

    fn small(&self) -> Sample {
        Sample { name: "small", files: small::set(), key: None, points: Vec::new() }
    }

    fn samples(&self) -> Vec<Sample> {
        vec![self.small()]
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        let depths = vec![Depth::Digest, Depth::Deep];
        let case = move |name: String, files, hurt: Vec<String>| Case {
            name,
            files,
            expected: vec![(depths.clone(), [true, true], Expect::Damaged(hurt))],
        };
        let mut dice = Dice::new(20);
        let mut cases = vec![case("sound".to_owned(), sample.files.clone(), Vec::new())];
        for (name, bytes) in &sample.files {
            let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).expect("a place");
            for (what, bytes) in harms(name, bytes, bytes.len() / 2, at) {
                let files = with(&sample.files, name, bytes);
                if files.get(name) == sample.files.get(name) {
                    continue;
                }
                // A point whose list is gone was given up.
                let hurt = if what.starts_with("gone points") { Vec::new() } else { hurt_by(sample, name) };
                cases.push(case(what, files, hurt));
            }
        }
        Box::new(cases.into_iter())
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows()
    }

    /// A digest may be written with digits of either case.
    fn unseen(&self, name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
        let is_case = before.get(at).zip(after.get(at)).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
        (name.starts_with("points/") && is_case && before.len() - at <= 65)
            .then_some("the digits of the last line's digest may be of either case")
    }

    fn says_the_same(&self, _: &str, _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn hurts(&self, sample: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let damaged: Vec<String> =
            report.sets.iter().filter(|set| set.verdict != Soundness::Sound).map(|set| set.name.clone()).collect();
        if damaged == hurt_by(sample, name) {
            return Ok(());
        }
        Err(format!("a change of {name} hurts {damaged:?}: {:?}", report.findings))
    }

    fn scenes(&self) -> &'static [Scene] {
        crash::SCENES
    }

    /// What is being made and has no name of its own yet, and what need not survive.
    fn is_nobodys(&self, name: &str) -> bool {
        name.split('/').any(|part| part.starts_with(WORK)) || name == names::KNOWN
    }

    fn may_have(&self, name: &str, mode: u32, usual: u32) -> bool {
        match name {
            // Whoever may read the source may read it; of one that was healed, nobody knows who may.
            name if name.starts_with("objects/") => [0o444, 0o600].contains(&mode),
            name if name.starts_with("points/") => mode == 0o600,
            _ => mode == usual,
        }
    }

    fn is_extra(&self, name: &str) -> bool {
        name == names::KNOWN
    }

    fn done(&self, seen: &Seen<'_>, live: &crate::model::Model) -> Judgement {
        crash::done(seen, live)
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases()
    }

    fn targets(&self) -> Vec<Target> {
        vec![Target { name: "tree_list", run: fuzz::list, seeds: fuzz::seeds, words: fuzz::WORDS }]
    }
}

/// The points that need a file of the small set.
fn hurt_by(sample: &Sample, name: &str) -> Vec<String> {
    let last = name.rsplit('/').next().unwrap_or_default();
    let needs = |point: &&str| {
        let text = sample.files.get(&list(point)).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        name == list(point) || text.is_some_and(|text| text.contains(&format!("sha256={last}")))
    };
    [OLDER, NEWER].into_iter().filter(needs).map(ToOwned::to_owned).collect()
}
