//! A small set of each format, exhaustively: every byte flipped, every length cut or grown; any two files of a
//! repository exchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::memory::Host;
use highwater_tests::repo::{self, Image};
use highwater_tests::score::{Score, full};
use highwater_tests::specimens::repozo::redundant;
use highwater_tests::specimens::{self, Sample, Specimen};

/// Threads that judge.
const THREADS: usize = 2;

/// One harm to one file: what it is, the bytes then, and why they may pass for sound.
type Harm = (String, Vec<u8>, Option<&'static str>);

type Harms<'a> = Box<dyn Iterator<Item = Harm> + 'a>;

/// Bytes from which on a file, which is mostly zeros then, is looked at less closely in CI.
const LONG: usize = 4096;

/// The report on a sample in which one file differs.
fn report(specimen: &dyn Specimen, sample: &Sample, files: &Image) -> Report {
    specimen.host(Depth::Deep, sample.key()).report(files, "r")
}

/// Does `harms` to the files of each small sample, on all cores. Gives how many passed for sound, by the reason.
fn judge_all(
    score: &Mutex<Score>,
    harms: impl for<'a> Fn(&'a dyn Specimen, &'a str, &'a [u8]) -> Harms<'a> + Sync,
) -> BTreeMap<&'static str, u64> {
    let excused = Mutex::new(BTreeMap::new());
    for specimen in specimens::all() {
        let sample = specimen.small();
        assert_eq!(report(specimen, &sample, &sample.files).verdict, Soundness::Sound);
        thread::scope(|scope| {
            for part in 0..THREADS {
                let (sample, harms, excused) = (&sample, &harms, &excused);
                scope.spawn(move || {
                    let mut files = sample.files.clone();
                    for (name, whole) in sample.files.iter().skip(part).step_by(THREADS) {
                        for (what, bytes, excuse) in harms(specimen, name, whole) {
                            files.insert(name.clone(), bytes);
                            let report = report(specimen, sample, &files);
                            let is_sound = report.verdict == Soundness::Sound && report.tallies.is_empty();
                            let mut score = score.lock().expect("no thread panicked");
                            score.ran(1);
                            match excuse {
                                Some(reason) if is_sound => {
                                    *excused.lock().expect("no thread panicked").entry(reason).or_insert(0) += 1;
                                }
                                Some(reason) => {
                                    score.fail(format!("{name} {what} is no damage, as {reason}: {report:?}"));
                                }
                                None => {
                                    let wrong = specimen.hurts(sample, name, &report).err();
                                    wrong.into_iter().for_each(|why| score.fail(format!("{name} {what}: {why}")));
                                }
                            }
                        }
                        files.insert(name.clone(), whole.clone());
                    }
                });
            }
        });
    }
    excused.into_inner().expect("no thread panicked")
}

/// Why another length of a file may pass.
const SAME: &str = "it says the same";

#[test]
fn a_change_of_any_byte_of_any_file_is_found() {
    let score = Mutex::new(Score::new("every byte flipped"));
    let excused = judge_all(&score, |specimen, name, whole| {
        // In the middle of a payload one change is as good as another.
        let masks = move |at: usize| -> Vec<u8> {
            match (full(), name.ends_with("fs")) {
                (false, true) => vec![1, 0xff],
                (false, false) if whole.len() > LONG => vec![1 << (at % 8)],
                (false, false) | (true, true) => vec![1, 2, 4, 8, 16, 32, 64, 128, 0xff],
                (true, false) => (1..=255).collect(),
            }
        };
        let flip = move |(at, mask): (usize, u8)| {
            let mut changed = whole.to_vec();
            changed[at] ^= mask;
            let excuse = specimen.unseen(name, at, whole, &changed);
            (format!("byte {at} ^ {mask:#04x}"), changed, excuse)
        };
        Box::new((0..whole.len()).flat_map(move |at| masks(at).into_iter().map(move |mask| (at, mask))).map(flip))
    });
    let score = score.into_inner().expect("no thread panicked");
    let (total, tried): (u64, u64) = (excused.values().sum(), score.cases());
    assert!(tried > 20_000 && total < tried / 5, "{total} of {tried} changes are excused: {excused:?}");
    score.end();
}

#[test]
fn a_cut_or_growth_to_any_length_of_any_file_is_found() {
    let score = Mutex::new(Score::new("every length cut or grown"));
    judge_all(&score, |specimen, name, whole| {
        let step = if !full() && whole.len() > LONG { 7 } else { 1 };
        let cuts = (0..whole.len()).step_by(step).map(move |length| ("cut to", whole[..length].to_vec()));
        let bytes = (0..=255u8).map(move |byte| ("grown by one byte to", [whole, &[byte]].concat()));
        let more = (1..=whole.len()).step_by(step).flat_map(move |more| {
            [
                ("grown with zeros to", [whole, &vec![0; more]].concat()),
                ("grown with its own beginning to", [whole, &whole[..more]].concat()),
                ("grown with its own end to", [whole, &whole[whole.len() - more..]].concat()),
            ]
        });
        let harm = move |(how, changed): (&str, Vec<u8>)| {
            let excuse = specimen.says_the_same(name, whole, &changed).then_some(SAME);
            (format!("{how} {} bytes", changed.len()), changed, excuse)
        };
        Box::new(cuts.chain(bytes).chain(more).map(harm))
    });
    score.into_inner().expect("no thread panicked").end();
}

#[test]
fn any_two_files_swapped_doubled_or_deleted_are_found() {
    let files = repo::sample().files;
    let mut score = Score::new("files swapped, doubled, deleted");
    let names: Vec<&String> = files.keys().collect();
    let mut expect = |image: &Image, least: Soundness, what: String| {
        score.ran(1);
        let report = Host::at(Depth::Deep).report(image, "r");
        if report.verdict < least || report.tallies.is_empty() {
            score.fail(format!("{what}: {:?}, {:?}", report.verdict, report.tallies));
        }
    };
    let gone = |image: &mut Image, name: &str| _ = image.remove(name);
    for (at, one) in names.iter().enumerate() {
        for other in &names[at + 1..] {
            let mut image = files.clone();
            image.insert((*one).clone(), files[*other].clone());
            image.insert((*other).clone(), files[*one].clone());
            expect(&image, Soundness::Inconclusive, format!("{one} and {other} swapped"));
            let mut image = files.clone();
            gone(&mut image, one);
            gone(&mut image, other);
            expect(&image, least_without(&[one, other]), format!("{one} and {other} deleted"));
        }
        for other in names.iter().filter(|other| other != &one) {
            let mut image = files.clone();
            image.insert((*other).clone(), files[*one].clone());
            expect(&image, Soundness::Inconclusive, format!("{one} also in the place of {other}"));
            gone(&mut image, one);
            expect(&image, Soundness::Inconclusive, format!("{one} moved over {other}"));
        }
        let mut image = files.clone();
        gone(&mut image, one);
        expect(&image, least_without(&[one]), format!("{one} deleted"));
        // A copy under a new name is no damage to what is there, but never passes without a word.
        for stamp in ["2025-01-01-00-00-00", "2026-03-01-00-04-30", "2027-01-01-00-00-00"] {
            let mut image = files.clone();
            let suffix = one.split_once('.').expect("a suffix").1;
            image.insert(format!("{stamp}.{suffix}"), files[*one].clone());
            let least = if suffix == "index" { Soundness::Sound } else { Soundness::Inconclusive };
            expect(&image, least, format!("{one} also as {stamp}.{suffix}"));
        }
    }
    score.end();
}

/// The least that must be said when these files are gone: the database makes a lost OID index anew, so a point without
/// one is as restorable as before.
fn least_without(names: &[&String]) -> Soundness {
    if names.iter().all(|name| name.ends_with(".index")) { Soundness::Sound } else { Soundness::Inconclusive }
}

#[test]
fn a_gzip_file_is_redundant_in_its_header_only() {
    // The oracle above is another gunzip; here the excused bytes are named. In a header of ours: mtime, the
    // extra flags, the system, the text flag and what is in the extra field.
    let files = repo::sample().files;
    let (name, bytes) = files.iter().find(|(name, _)| name.ends_with(".fsz")).expect("a gzip file");
    let mut excused = BTreeSet::new();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            if redundant(name, at, bytes, &changed).is_some() {
                excused.insert(at);
            }
        }
    }
    let header: BTreeSet<usize> = [3..10, 12..24].into_iter().flatten().collect();
    let body: Vec<usize> = excused.difference(&header).copied().collect();
    // A deflate stream can say the same in two ways (a match at another distance), and pads its last byte.
    assert!(body.len() * 20 < bytes.len(), "beside the header, these bytes are redundant: {body:?} of {}", bytes.len());
    assert!(excused.is_superset(&(4..10).collect()), "the time stamp is not: {excused:?}");
}
