//! Stores of fjall: one of some kilobytes that fjall itself made, and the same as a running program has it.

mod fuzz;
mod hostile;
mod layout;
mod matrix;
mod small;

use highwater_core::report::{Depth, Report, Soundness};

use super::{Case, Expect, Row, Sample, Specimen, harms, with};
use crate::dice::Dice;
use crate::fuzz::Target;
use layout::batches;
use small::JOURNAL;

/// The format.
#[derive(Debug)]
pub struct Fjall;

/// What [`Fjall::small`] is called.
const SMALL: &str = "small";

impl Specimen for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn small(&self) -> Sample {
        Sample { name: SMALL, files: small::store(), key: None, points: Vec::new() }
    }

    fn samples(&self) -> Vec<Sample> {
        vec![self.small(), Sample { name: "running", files: small::running(), ..self.small() }]
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        let cases = if sample.name == SMALL { small_damages(sample) } else { running_damages(sample) };
        Box::new(cases.into_iter())
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows()
    }

    fn unseen(&self, name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
        if name != JOURNAL {
            return None;
        }
        let all = batches(before);
        let place = all.iter().position(|batch| (batch.start + 5..batch.start + 13).contains(&at))?;
        let number = batches(after).get(place)?.number;
        let low = place.checked_sub(1).map(|before| all[before].number);
        let high = all.get(place + 1).map(|behind| behind.number);
        (low.is_none_or(|low| low < number) && high.is_none_or(|high| number < high))
            .then_some("no checksum covers the number of a batch, and it is between its neighbours' still")
    }

    /// A journal says nowhere how many batches it has, and the engine looks at the first four bytes of the marker
    /// alone.
    fn says_the_same(&self, name: &str, before: &[u8], after: &[u8]) -> bool {
        match name {
            "lock" => true,
            "version" => after.starts_with(before),
            JOURNAL => {
                let is_cut = after.is_empty() || batches(before).iter().any(|batch| batch.end == after.len());
                let more = after.strip_prefix(before);
                more.map_or(is_cut, |more| more.iter().all(|byte| *byte == 0))
            }
            _ => false,
        }
    }

    fn hurts(&self, _: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let damaged: Vec<&str> =
            report.sets.iter().filter(|set| set.verdict != Soundness::Sound).map(|set| set.name.as_str()).collect();
        let warned = ["torn-tail", "odd-record"].iter().any(|name| report.tallies.contains_key(*name));
        if damaged == ["current"] || damaged.is_empty() && warned && name == JOURNAL {
            return Ok(());
        }
        Err(format!("a change of {name} hurts {damaged:?}: {:?}", report.findings))
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases()
    }

    fn targets(&self) -> Vec<Target> {
        let words = fuzz::seeds::WORDS;
        vec![
            Target { name: "fjall_current", run: fuzz::current, seeds: fuzz::seeds::current, words: &[] },
            Target { name: "fjall_version", run: fuzz::version, seeds: fuzz::seeds::version, words },
            Target { name: "fjall_journal", run: fuzz::journal, seeds: fuzz::seeds::journal, words },
            Target { name: "fjall_meta", run: fuzz::meta, seeds: fuzz::seeds::meta, words },
        ]
    }
}

/// A case that is sound or not at the depths that look at bytes.
fn case(name: impl Into<String>, files: crate::repo::Image, sound: bool) -> Case {
    let expected = vec![(vec![Depth::Digest, Depth::Deep], [true, true], Expect::Sound(sound))];
    Case { name: name.into(), files, expected }
}

/// The small store, sound and with every sort of damage to each file.
fn small_damages(sample: &Sample) -> Vec<Case> {
    let (mut cases, mut dice) = (vec![case("sound", sample.files.clone(), true)], Dice::new(6));
    for (name, bytes) in &sample.files {
        let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).expect("a place");
        for (what, bytes) in harms(name, bytes, bytes.len().saturating_sub(1), at) {
            let way = what.split(' ').next().unwrap_or_default();
            let sound = match name.as_str() {
                // The newest journal is cut at its end, and nobody knows how many batches it had.
                "lock" | JOURNAL => way != "gone",
                "version" => matches!(way, "longer" | "doubled"),
                _ => false,
            };
            cases.push(case(what, with(&sample.files, name, bytes), sound));
        }
    }
    cases
}

/// A store with two journals, and what may happen to more than a file.
fn running_damages(sample: &Sample) -> Vec<Case> {
    let files = &sample.files;
    let renamed = |from: &str, to: &str| {
        let mut files = files.clone();
        let bytes = files.remove(from).expect("a file");
        files.insert(to.to_owned(), bytes);
        files
    };
    let changed = |name: &str, change: fn(&mut Vec<u8>)| {
        let mut files = files.clone();
        change(files.get_mut(name).expect("a file"));
        files
    };
    let without = |prefix: &str| {
        let mut files = files.clone();
        files.retain(|name, _| !name.starts_with(prefix));
        files
    };
    let beside = |from: &str, to: &str| with(files, to, files.get(from).cloned());
    let mut unnamed = files.clone();
    for (name, bytes) in files {
        if let Some(rest) = name.strip_prefix("keyspaces/1/") {
            unnamed.insert(format!("keyspaces/9/{rest}"), bytes.iter().map(|byte| byte ^ 1).collect());
        }
    }
    vec![
        case("sound", files.clone(), true),
        case("cut sealed journal", changed("0.jnl", |bytes| bytes.truncate(bytes.len() - 210)), false),
        case("flipped sealed journal", changed("0.jnl", |bytes| bytes[3000] ^= 1), false),
        case("torn newest journal", changed("1.jnl", |bytes| bytes.truncate(900)), true),
        // The tag of an item in the second batch: a batch ends behind it.
        case("flipped tag in newest journal", changed("1.jnl", |bytes| flip_tag(bytes)), false),
        case("lost journal", renamed("1.jnl", "2.jnl"), false),
        case("misnamed journal", renamed("1.jnl", "01.jnl"), false),
        case("exchanged journals", exchanged(files, "0.jnl", "1.jnl"), true),
        case("exchanged tables", exchanged(files, "keyspaces/1/tables/0", "keyspaces/2/tables/0"), false),
        case("exchanged keyspaces", exchanged(files, "keyspaces/1/current", "keyspaces/3/current"), false),
        case("lost keyspace", without("keyspaces/1/"), false),
        case("lost names", without("keyspaces/0/"), false),
        case("lost head of a keyspace", without("keyspaces/2/current"), false),
        case("lost keyspaces", without("keyspaces/"), false),
        case("lost blobs", without("keyspaces/2/blobs/"), false),
        case("strange folder", beside("version", "keyspaces/lost+found/x"), false),
        case("keyspace without a name", unnamed, true),
        case("table that no version names", beside("version", "keyspaces/1/tables/77"), true),
        case("version that is not current", beside("version", "keyspaces/1/v1"), true),
        case("work file", beside("version", "keyspaces/1/.tmpxYz"), true),
        case("file of somebody else", beside("version", "notes.txt"), true),
        case("store of fjall 2", changed("version", |bytes| bytes[3] = 2), false),
    ]
}

/// Changes the tag of the first item of the second batch.
fn flip_tag(journal: &mut [u8]) {
    let at = batches(journal)[1].start + 13;
    journal[at] ^= 8;
}

fn exchanged(files: &crate::repo::Image, one: &str, other: &str) -> crate::repo::Image {
    let (first, second) = (files.get(one).cloned(), files.get(other).cloned());
    with(&with(files, one, second), other, first)
}
