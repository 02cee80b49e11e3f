//! A set of some megabytes in which random bits flip: each flip is found, or lies in a byte that is provably redundant.

#![expect(clippy::print_stdout, reason = "what was excused, and where the flips fell, is part of the result")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::dice::Dice;
use highwater_tests::memory::Host;
use highwater_tests::repo::{Fixture, Image, load};
use highwater_tests::score::{Score, size};

use highwater_tests::specimens::repozo::redundant;

/// One flip in so many is also judged within the whole set.
const WHOLE: u64 = 250;

/// What the flips came to.
#[derive(Default)]
struct Tally {
    ran: u64,
    excused: BTreeMap<&'static str, u64>,
    kinds: BTreeMap<String, u64>,
    failed: Vec<String>,
}

/// Chains of every kind of file, apart: a file's bytes are looked at for its own chain only, which [`judged`] relies on
/// and the test below checks.
fn chains() -> Vec<Image> {
    let mut fixture = Fixture::new();
    for (at, full) in
        [&["-F"][..], &["-F", "-z"], &["-F", "-z=9"], &["-F"], &["-F", "-z"], &["-F"]].into_iter().enumerate()
    {
        for flags in [full, &[], &["-z"], &[]] {
            // The database grows; a chain has a full backup and three increments, of some hundred kilobytes together.
            for _ in 0..4 {
                let long = usize::try_from(fixture.data.bytes.len() as u64 % 9000).expect("short");
                fixture.data.commit(&[(100 + at as u64, 2000 + long), (7, 300)]);
            }
            fixture.grow(40);
            fixture.backup(flags);
        }
    }
    let files: Image = load(&fixture.repo).into_iter().filter(|(name, _)| !name.starts_with('.')).collect();
    let mut chains: Vec<Image> = Vec::new();
    for (name, bytes) in files {
        let begins = name.ends_with(".dat");
        if begins {
            chains.push(Image::new());
        }
        chains.last_mut().expect("a .dat sorts before the files of its chain").insert(name, bytes);
    }
    chains
}

/// The report on a chain, or on several, in which one bit is flipped.
fn judged(files: &Image, name: &str, changed: &[u8]) -> Report {
    let mut image = files.clone();
    image.insert(name.to_owned(), changed.to_vec());
    Host::at(Depth::Deep).report(&image, "r")
}

/// Flips `count` bits, each somewhere else.
fn flip(chains: &[Image], all: &Image, seed: u64, count: u64) -> Tally {
    let places: Vec<(&Image, &String)> =
        chains.iter().flat_map(|chain| chain.keys().map(move |name| (chain, name))).collect();
    let total: u64 = all.values().map(|bytes| bytes.len() as u64).sum();
    let mut told = Tally::default();
    for number in 0..count {
        let mut dice = Dice::new(seed + number);
        // Half of the flips go to any byte, the others to any file, since an index is small beside the data.
        let (chain, name) = if dice.chance(50) {
            *dice.pick(&places)
        } else {
            let mut left = dice.below(total);
            *places
                .iter()
                .find(|(chain, name)| {
                    let length = chain[*name].len() as u64;
                    let here = left < length;
                    left = left.saturating_sub(length);
                    here
                })
                .expect("a byte lies in some file")
        };
        let whole = &chain[name];
        let at = usize::try_from(dice.below(whole.len() as u64)).expect("a place");
        let bit = dice.below(8);
        let mut changed = whole.clone();
        changed[at] ^= 1 << bit;
        told.ran += 1;
        *told.kinds.entry(name.split_once('.').expect("a suffix").1.to_owned()).or_default() += 1;
        let report = judged(chain, name, &changed);
        if report.verdict == Soundness::Sound {
            match redundant(name, at, whole, &changed) {
                Some(reason) => *told.excused.entry(reason).or_default() += 1,
                None => {
                    told.failed.push(format!("seed {}: bit {bit} of byte {at} of {name} goes unseen", seed + number))
                }
            }
        }
        if number % WHOLE == 0 {
            let among_all = judged(all, name, &changed);
            if (among_all.verdict == Soundness::Sound) != (report.verdict == Soundness::Sound) {
                told.failed.push(format!("seed {}: {name} is judged otherwise among all chains", seed + number));
            }
        }
    }
    told
}

#[test]
fn a_random_flip_anywhere_in_megabytes_is_found() {
    let chains = chains();
    let all: Image = chains.iter().flatten().map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
    let bytes: usize = all.values().map(Vec::len).sum();
    let sound = Host::at(Depth::Deep).report(&all, "r");
    assert!(sound.verdict == Soundness::Sound && sound.tallies.is_empty(), "{:?}", sound.tallies);
    assert!(bytes > 2_000_000, "the set has {bytes} bytes");
    let mut score = Score::new("random flips");
    let told = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(1, usize::from).min(16) as u64;
    let each = size(5_000, 100_000).div_ceil(threads);
    thread::scope(|scope| {
        for number in 0..threads {
            let (chains, all, told) = (&chains, &all, &told);
            scope.spawn(move || {
                let mine = flip(chains, all, number * each, each);
                told.lock().expect("no flip panics").push(mine);
            });
        }
    });
    let (mut excused, mut kinds): (BTreeMap<_, u64>, BTreeMap<_, u64>) = Default::default();
    for told in told.into_inner().expect("no flip panics") {
        score.ran(told.ran);
        told.failed.into_iter().for_each(|what| score.fail(what));
        told.excused.into_iter().for_each(|(why, count)| *excused.entry(why).or_default() += count);
        told.kinds.into_iter().for_each(|(kind, count)| *kinds.entry(kind).or_default() += count);
    }
    println!("{bytes} bytes in {} chains; flips by kind: {kinds:?}; excused: {excused:?}", chains.len());
    assert!(kinds.len() == 6, "every kind of file was hit: {kinds:?}");
    let total: u64 = excused.values().sum();
    assert!(total < score.cases() / 5, "{total} of {} flips are excused: {excused:?}", score.cases());
    score.end();
}
