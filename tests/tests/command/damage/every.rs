//! A small set, exhaustively: every byte flipped, every length cut or grown, any two files swapped, doubled or deleted.

use std::collections::BTreeMap;

use highwater_core::report::{Depth, Verdict};
use highwater_tests::memory::Host;
use highwater_tests::repo::{Image, Sample, sample};
use highwater_tests::score::{Score, full};

use super::redundant::redundant;

/// The report's verdict on a repository in which one file differs.
fn judge(files: &mut Image, name: &str, bytes: Vec<u8>) -> Verdict {
    let whole = files.insert(name.to_owned(), bytes).expect("a file of the repository");
    let verdict = deep(files);
    files.insert(name.to_owned(), whole);
    verdict
}

fn deep(files: &Image) -> Verdict {
    Host::at(Depth::Deep).report(files, "r").verdict
}

#[test]
fn a_change_of_any_byte_of_any_file_is_found() {
    let Sample { mut files, .. } = sample();
    let mut score = Score::new("every byte flipped");
    let names: Vec<String> = files.keys().cloned().collect();
    let mut excused = BTreeMap::new();
    let any: Vec<u8> = (1..=255).collect();
    for name in names {
        // In the middle of a payload one change is as good as another.
        let masks: &[u8] = match (full(), name.ends_with("fs")) {
            (false, true) => &[1, 0xff],
            (false, false) | (true, true) => &[1, 2, 4, 8, 16, 32, 64, 128, 0xff],
            (true, false) => &any,
        };
        let whole = files[&name].clone();
        for at in 0..whole.len() {
            for mask in masks {
                let mut changed = whole.clone();
                changed[at] ^= mask;
                score.ran(1);
                if judge(&mut files, &name, changed.clone()) != Verdict::Sound {
                    continue;
                }
                match redundant(&name, at, &whole, &changed) {
                    Some(reason) => *excused.entry(reason).or_insert(0u64) += 1,
                    None => score.fail(format!("byte {at} of {name} ^ {mask:#04x} goes unseen")),
                }
            }
        }
    }
    let (total, tried): (u64, u64) = (excused.values().sum(), score.cases());
    assert!(tried > 20_000 && total < tried / 5, "{total} of {tried} changes are excused: {excused:?}");
    score.end();
}

#[test]
fn a_cut_or_growth_to_any_length_of_any_file_is_found() {
    let Sample { mut files, .. } = sample();
    let mut score = Score::new("every length cut or grown");
    let names: Vec<String> = files.keys().cloned().collect();
    for name in names {
        let whole = files[&name].clone();
        let (gzip, dat) = (name.ends_with('z'), name.ends_with(".dat"));
        let mut expect = |bytes: Vec<u8>, sound: bool, how: &str| {
            score.ran(1);
            let length = bytes.len();
            if (judge(&mut files, &name, bytes) == Verdict::Sound) != sound {
                let wrong = if sound { "is no damage" } else { "goes unseen" };
                score.fail(format!("{name} of {} bytes {how} to {length} {wrong}", whole.len()));
            }
        };
        for length in 0..whole.len() {
            // A last line without its line feed says all that it has to say.
            expect(whole[..length].to_vec(), dat && length == whole.len() - 1, "cut");
        }
        for byte in 0..=255u8 {
            // gzip allows zero padding; a .dat may have an empty line at its end.
            let padding = (gzip && byte == 0) || (dat && byte == b'\n');
            expect([&whole[..], &[byte]].concat(), padding, "grown by one byte");
        }
        for more in 1..=whole.len() {
            expect([&whole[..], &vec![0; more]].concat(), gzip, "grown with zeros");
            expect([&whole[..], &whole[..more]].concat(), false, "grown with its own beginning");
            let end = &whole[whole.len() - more..];
            let padding = (gzip && end.iter().all(|byte| *byte == 0)) || (dat && end == b"\n");
            expect([&whole[..], end].concat(), padding, "grown with its own end");
        }
    }
    score.end();
}

#[test]
fn any_two_files_swapped_doubled_or_deleted_are_found() {
    let Sample { files, .. } = sample();
    let mut score = Score::new("files swapped, doubled, deleted");
    let names: Vec<&String> = files.keys().collect();
    let mut expect = |image: &Image, least: Verdict, what: String| {
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
            expect(&image, Verdict::Inconclusive, format!("{one} and {other} swapped"));
            let mut image = files.clone();
            gone(&mut image, one);
            gone(&mut image, other);
            expect(&image, least_without(&[one, other]), format!("{one} and {other} deleted"));
        }
        for other in names.iter().filter(|other| other != &one) {
            let mut image = files.clone();
            image.insert((*other).clone(), files[*one].clone());
            expect(&image, Verdict::Inconclusive, format!("{one} also in the place of {other}"));
            gone(&mut image, one);
            expect(&image, Verdict::Inconclusive, format!("{one} moved over {other}"));
        }
        let mut image = files.clone();
        gone(&mut image, one);
        expect(&image, least_without(&[one]), format!("{one} deleted"));
        // A copy under a new name is no damage to what is there, but never passes without a word.
        for stamp in ["2025-01-01-00-00-00", "2026-03-01-00-04-30", "2027-01-01-00-00-00"] {
            let mut image = files.clone();
            let suffix = one.split_once('.').expect("a suffix").1;
            image.insert(format!("{stamp}.{suffix}"), files[*one].clone());
            let least = if suffix == "index" { Verdict::Sound } else { Verdict::Inconclusive };
            expect(&image, least, format!("{one} also as {stamp}.{suffix}"));
        }
    }
    score.end();
}

/// The least that must be said when these files are gone: the database makes a lost OID index anew, so a point without one
/// is as restorable as before.
fn least_without(names: &[&String]) -> Verdict {
    if names.iter().all(|name| name.ends_with(".index")) { Verdict::Sound } else { Verdict::Inconclusive }
}
