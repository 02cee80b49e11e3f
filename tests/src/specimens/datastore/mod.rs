//! Chunk datastores: one of some kilobytes, one that a script makes, one that a real server wrote, if it is at hand.

mod catalogues;
mod crash;
mod fuzz;
pub mod hostile;
mod injected;
mod matrix;
mod small;
mod trees;

use std::fs;

use highwater_core::digest::sha256_of;
use highwater_core::formats::datastore::names::WORK;
use highwater_core::key::Key;
use highwater_core::report::{Depth, Report, Soundness};

use super::crash::{Judgement, Scene, Seen};
use super::{Case, Expect, Point, Row, Sample, Specimen, harms, with};
use crate::datastore::{self, harm};
use crate::dice::Dice;
use crate::fuzz::Target;
use crate::model::Model;

pub use small::{small_key, small_store};

/// The format.
#[derive(Debug)]
pub struct Datastore;

/// What [`Datastore::small`] is called.
const SMALL: &str = "small";

impl Specimen for Datastore {
    fn name(&self) -> &'static str {
        "datastore"
    }

    fn small(&self) -> Sample {
        let file = br#"{"kdf":null,"data":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}"#;
        let sum = sha256_of(&small::data()).to_string();
        let point = |(name, sealed): (&str, bool)| Point { name: format!("{name}/d.img"), sum: sum.clone(), sealed };
        Sample {
            name: SMALL,
            files: small_store(),
            key: Some((small_key(), file.to_vec())),
            points: [(small::PLAIN, false), (small::SEALED, true)].map(point).to_vec(),
        }
    }

    fn key(&self) -> Option<Key> {
        Some(small_key())
    }

    fn samples(&self) -> Vec<Sample> {
        let mut samples = vec![self.small()];
        samples.extend(datastore::Sample::all().iter().zip(["made", "of a real server"]).map(|(made, name)| Sample {
            name,
            files: made.image(),
            key: Some((made.key(), fs::read(made.truth("key.json")).expect("a key file"))),
            points: made.sums().into_iter().map(point).collect(),
        }));
        samples
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        if sample.name == SMALL {
            return Box::new(small_damages(sample).into_iter());
        }
        let made = datastore::Sample::all().into_iter().zip(["made", "of a real server"]);
        let (made, _) = made.into_iter().find(|(_, name)| *name == sample.name).expect("a sample of ours");
        Box::new(made.cases().into_iter().map(|case| {
            let name = case["name"].as_str().expect("a name").to_owned();
            let mut files = sample.files.clone();
            harm(&mut files, &case["ops"]);
            let expected = [("reference", [true, false]), ("reference_with_key", [false, true])].map(|(of, keyed)| {
                let names = case[of].as_object().expect("a map").keys().cloned();
                // What has no manifest is no snapshot.
                let names = names.filter(|_| name != "manifest_missing").collect();
                (vec![Depth::Digest, Depth::Deep], keyed, Expect::Damaged(names))
            });
            let name = if name == "clean" { "sound".to_owned() } else { name };
            Case { name, files, expected: expected.to_vec() }
        }))
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows()
    }

    fn unseen(&self, name: &str, at: usize, _: &[u8], _: &[u8]) -> Option<&'static str> {
        match () {
            () if name == ".lock" || name.ends_with("/owner") => Some("nobody here asks whose a group is"),
            () if name.ends_with(".fidx") && (8..32).contains(&at) => Some("the random name and the time of an index"),
            () => None,
        }
    }

    fn says_the_same(&self, name: &str, _: &[u8], _: &[u8]) -> bool {
        name == ".lock" || name.ends_with("/owner")
    }

    fn hurts(&self, sample: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let damaged = report.sets.iter().filter(|set| set.verdict != Soundness::Sound).map(|set| set.name.as_str());
        let damaged: Vec<&str> = damaged.collect();
        // Reserved bytes are a warning: they hurt nobody.
        let is_right =
            damaged == [owner(sample, name)] || (damaged.is_empty() && report.tallies.contains_key("odd-index"));
        let told = report.tallies.values().sum::<u64>() > 0;
        if told && is_right {
            Ok(())
        } else {
            Err(format!("a change of {name} hurts {damaged:?}: {:?}", report.findings))
        }
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases()
    }

    fn scenes(&self) -> &'static [Scene] {
        crash::SCENES
    }

    fn is_nobodys(&self, name: &str) -> bool {
        name.contains(WORK)
    }

    fn done(&self, seen: &Seen<'_>, _: &Model) -> Judgement {
        crash::done(seen)
    }

    fn injected(&self) -> Vec<super::injected::Scene> {
        injected::scenes()
    }

    fn targets(&self) -> Vec<Target> {
        vec![
            Target { name: "blob", run: fuzz::blob, seeds: fuzz::seeds::blob, words: fuzz::seeds::WORDS },
            Target { name: "seal", run: fuzz::seal, seeds: fuzz::seeds::seal, words: &[] },
            Target { name: "fidx", run: fuzz::fidx, seeds: fuzz::seeds::fidx, words: &[] },
            Target { name: "manifest", run: fuzz::manifest, seeds: fuzz::seeds::manifest, words: fuzz::seeds::TEXT },
            Target { name: "keyfile", run: fuzz::keyfile, seeds: fuzz::seeds::keyfile, words: fuzz::seeds::TEXT },
            Target { name: "pxar", run: trees::pxar, seeds: trees::seeds, words: trees::WORDS },
            Target { name: "pcat1", run: catalogues::pcat1, seeds: catalogues::seeds, words: catalogues::WORDS },
            Target { name: "store", run: fuzz::store, seeds: fuzz::seeds::store, words: fuzz::seeds::WORDS },
        ]
    }
}

/// What a sum of the truth is of: archives are called without the suffix of their index.
fn point((name, sum): (String, String)) -> Point {
    let name = match name.rsplit_once('.') {
        Some((stem, "fidx" | "didx")) => stem.to_owned(),
        _ => name,
    };
    Point { sealed: name.contains("ns/team/ns/a/"), name, sum }
}

/// The snapshot that a file of the small store belongs to: the two share no chunk; those of the second are encrypted.
fn owner<'a>(sample: &Sample, name: &'a str) -> &'a str {
    match name.rsplit_once('/') {
        Some((_, _)) if name.starts_with(".chunks/") => {
            let sealed = matches!(sample.files[name].first(), Some(0x7b | 0xe6));
            if sealed { small::SEALED } else { small::PLAIN }
        }
        Some((folder, _)) => folder,
        None => "",
    }
}

/// The small store, sound and with every sort of damage to each file.
fn small_damages(sample: &Sample) -> Vec<Case> {
    let depths = vec![Depth::Digest, Depth::Deep];
    let sound = Case {
        name: "sound".to_owned(),
        files: sample.files.clone(),
        expected: vec![(depths.clone(), [false, true], Expect::Sound(true))],
    };
    let (mut cases, mut dice) = (vec![sound], Dice::new(6));
    for (name, bytes) in &sample.files {
        let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).expect("a place");
        for (what, bytes) in harms(name, bytes, bytes.len().saturating_sub(1), at) {
            // Nobody here asks whose a group is, and a store is one with its lock or its chunks.
            let passed_over = name == ".lock" || name.ends_with("/owner");
            let expect = (depths.clone(), [false, true], Expect::Sound(passed_over));
            cases.push(Case { name: what, files: with(&sample.files, name, bytes), expected: vec![expect] });
        }
    }
    cases
}
