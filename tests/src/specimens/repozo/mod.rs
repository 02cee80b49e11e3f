//! Repozo repositories: chains of full backups and increments beside their index.

mod crash;
pub mod hostile;
mod index_lines;
mod injected;
mod matrix;
mod redundant;
pub(crate) mod set;

use highwater_core::digest::sha256_of;
use highwater_core::formats::repozo::names::MARKS;
use highwater_core::report::{Depth, Report, Soundness};

use super::crash::{Judgement, Scene, Seen};
use super::{Case, Expect, Point, Row, Sample, Specimen, harms, with};
use crate::dice::Dice;
use crate::fuzz::{Target, oids, records, seeds};
use crate::model::Model;
use crate::repo::{self, Image};

pub use crash::plain_backup;
pub use redundant::redundant;

/// The format.
#[derive(Debug)]
pub struct Repozo;

impl Specimen for Repozo {
    fn name(&self) -> &'static str {
        "repozo"
    }

    fn small(&self) -> Sample {
        let repo::Sample { files, source, points } = repo::sample();
        let point = |(name, length): (String, usize)| Point {
            name,
            sum: sha256_of(&source[..length]).to_string(),
            sealed: false,
        };
        Sample { name: "two chains", files, key: None, points: points.into_iter().map(point).collect() }
    }

    fn samples(&self) -> Vec<Sample> {
        vec![self.small()]
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        Box::new(damages(&sample.files).into_iter().map(|(name, files)| {
            let depths = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];
            let expect = |depth| (vec![depth], [true, true], Expect::Sound(is_sound(&name, depth)));
            Case { expected: depths.map(expect).to_vec(), name, files }
        }))
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows()
    }

    fn unseen(&self, name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
        redundant(name, at, before, after)
    }

    fn says_the_same(&self, name: &str, before: &[u8], after: &[u8]) -> bool {
        let (gzip, dat) = (name.ends_with('z'), name.ends_with(".dat"));
        match after.strip_prefix(before) {
            // gzip allows zero padding; an index may have an empty line at its end.
            Some(more) => (gzip && more.iter().all(|byte| *byte == 0)) || (dat && more == b"\n"),
            // A last line without its line feed says all that it has to say.
            None => dat && before.strip_suffix(b"\n") == Some(after),
        }
    }

    fn hurts(&self, _: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let seen = report.verdict != Soundness::Sound;
        if seen { Ok(()) } else { Err(format!("a change of {name} goes unseen")) }
    }

    fn scenes(&self) -> &'static [Scene] {
        crash::SCENES
    }

    fn is_nobodys(&self, name: &str) -> bool {
        crash::is_nobodys(name)
    }

    fn is_extra(&self, name: &str) -> bool {
        name.ends_with(MARKS)
    }

    fn holds(&self, seen: &Seen<'_>) -> Judgement {
        crash::holds(seen)
    }

    fn target_holds(&self, seen: &Seen<'_>, bytes: &[u8]) -> Judgement {
        crash::target_holds(seen, bytes)
    }

    fn keeps(&self, scene: &Scene, model: &Model) -> Judgement {
        crash::keeps(scene, model)
    }

    fn done(&self, seen: &Seen<'_>, live: &Model) -> Judgement {
        crash::done(seen, live)
    }

    fn injected(&self) -> Vec<super::injected::Scene> {
        injected::scenes()
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases()
    }

    fn targets(&self) -> Vec<Target> {
        vec![
            Target { name: "dat", run: index_lines::dat, seeds: seeds::dat, words: seeds::DAT_WORDS },
            Target { name: "lines", run: index_lines::lines, seeds: seeds::lines, words: seeds::LINE_WORDS },
            Target { name: "walk", run: records::walk, seeds: seeds::walk, words: seeds::RECORD_WORDS },
            Target { name: "sane", run: records::sane_index, seeds: seeds::sane, words: seeds::RECORD_WORDS },
            Target { name: "compose", run: records::compose, seeds: seeds::compose, words: &[] },
            Target { name: "fsindex", run: oids::fsindex, seeds: seeds::fsindex, words: seeds::INDEX_WORDS },
            Target { name: "oids", run: oids::oids, seeds: seeds::oids, words: &[] },
            Target { name: "set", run: set::set, seeds: seeds::set, words: seeds::SET_WORDS },
        ]
    }
}

/// The sample, sound and with every sort of damage, by name.
fn damages(files: &Image) -> Vec<(String, Image)> {
    let mut cases = vec![("sound".to_owned(), files.clone())];
    let mut dice = Dice::new(5);
    for (name, bytes) in files {
        let at = usize::try_from(dice.below(bytes.len() as u64)).expect("a place");
        // In an index, the last sum, and in gzip, the CRC-32: flips of paths and of much of a gzip header mean nothing.
        let flip = match () {
            () if name.ends_with(".dat") => bytes.len() - 9,
            () if name.ends_with('z') => bytes.len() - 6,
            () => at,
        };
        let mut harms = harms(name, bytes, flip, at);
        if name.ends_with(".dat") {
            let mut case = |what: &str, bytes| harms.push((format!("{what} {name}"), Some(bytes)));
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            lines.swap(1, 2);
            case("swapped lines of", lines.concat());
            lines.swap(0, 1);
            case("turned lines of", lines.concat());
            case("windows", String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes());
            case("a long line in", [&[b'x'; 40_000], &bytes[..]].concat());
        }
        cases.extend(harms.into_iter().map(|(what, bytes)| (what, with(files, name, bytes))));
    }
    let mut strays = files.clone();
    strays.extend((0..150).map(|number| (format!("stray{number:03}"), Vec::new())));
    cases.push(("many strays".to_owned(), strays));
    let mut odd = files.clone();
    odd.insert("a <b>&\"c'.txt".to_owned(), b"x".to_vec());
    odd.insert("\u{202e}\u{3b1}.deltafs".to_owned(), b"y".to_vec());
    cases.push(("odd names".to_owned(), odd));
    cases
}

/// The few cases in which damage is below the depth looked at, or is none.
fn is_sound(case: &str, depth: Depth) -> bool {
    let data = case.contains("fs");
    let index = case.ends_with(".index");
    let there = !case.starts_with("gone");
    let plain = !case.ends_with('z');
    match depth {
        _ if ["sound", "many strays", "odd names"].contains(&case) || case.starts_with("windows") => true,
        Depth::Deep => case.starts_with("gone") && index,
        _ if index => true,
        Depth::List => (data && there) || case.starts_with("flipped"),
        Depth::Size => plain && case.starts_with("flipped"),
        Depth::Digest => false,
    }
}
