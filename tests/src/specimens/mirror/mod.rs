//! Mirrors of buckets: one of some kilobytes, composed of its byte tables.

mod compose;
mod fuzz;
mod hostile;
mod matrix;
mod small;

use highwater_core::formats::mirror::names;
use highwater_core::report::{Depth, Report, Soundness};

use super::{Case, Expect, Row, Sample, Specimen, harms, with};
use crate::dice::Dice;
use crate::fuzz::Target;
use small::{HURT, NEWER, OLDER};

/// The format.
#[derive(Debug)]
pub struct Mirror;

impl Specimen for Mirror {
    fn name(&self) -> &'static str {
        "mirror"
    }

    fn small(&self) -> Sample {
        Sample { name: "small", files: small::set(NEWER), key: None, points: Vec::new() }
    }

    fn samples(&self) -> Vec<Sample> {
        vec![self.small(), Sample { name: "rolled back", files: small::set(OLDER), key: None, points: Vec::new() }]
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        let mut dice = Dice::new(21);
        let depths = vec![Depth::Digest, Depth::Deep];
        let case = |name, files, expect| Case { name, files, expected: vec![(depths.clone(), [true, true], expect)] };
        let mut cases = vec![case("sound".to_owned(), sample.files.clone(), Expect::Sound(true))];
        for (name, bytes) in &sample.files {
            let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).expect("a place");
            for (what, bytes) in harms(name, bytes, bytes.len() / 2, at) {
                let files = with(&sample.files, name, bytes);
                if files.get(name) == sample.files.get(name) {
                    continue;
                }
                let hurt = hurt_by(sample, name);
                cases.push(case(what, files, hurt.map_or(Expect::Sound(false), Expect::Damaged)));
            }
        }
        Box::new(cases.into_iter())
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows()
    }

    fn unseen(&self, _: &str, _: usize, _: &[u8], _: &[u8]) -> Option<&'static str> {
        None
    }

    fn says_the_same(&self, _: &str, _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn hurts(&self, sample: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let damaged: Vec<String> =
            report.sets.iter().filter(|set| set.verdict != Soundness::Sound).map(|set| set.name.clone()).collect();
        match hurt_by(sample, name) {
            // Without its index, nobody knows what there is.
            None if report.verdict != Soundness::Sound => Ok(()),
            Some(hurt) if damaged == hurt => Ok(()),
            _ => Err(format!("a change of {name} hurts {damaged:?}: {:?}", report.findings)),
        }
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases()
    }

    fn targets(&self) -> Vec<Target> {
        fuzz::targets()
    }
}

/// The points that need a file; none for what they are all known by.
fn hurt_by(sample: &Sample, name: &str) -> Option<Vec<String>> {
    if name.starts_with(names::FOLDER) {
        return None;
    }
    let is_rolled_back = sample.name != "small";
    // Which version has the name changes with the point that is shown.
    let is_latest = |name: &str| name == "zarr/0/new" || name == "gone";
    let points: &[&str] =
        match HURT.iter().find(|(known, _)| *known == name || name.starts_with(known) && known.ends_with('.')) {
            _ if is_rolled_back && is_latest(name) => &[OLDER],
            _ if is_rolled_back && name.starts_with("zarr/0/new.old.") => &[NEWER],
            Some((_, points)) => points,
            None => &[OLDER, NEWER],
        };
    Some(points.iter().map(|point| (*point).to_owned()).collect())
}
