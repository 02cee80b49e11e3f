//! Random damage of every sort: it never passes for sound, and what a restore gives with exit 0 is right.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::dice::Dice;
use highwater_tests::memory::{Host, Steps};
use highwater_tests::repo::{Fixture, Image, Sample, load, sample, store};

/// What a reader with no cunning restores of each point: the chain's files, as its lines name them, one after another.
fn restored(files: &Image) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut points = BTreeMap::new();
    for (name, index) in files.iter().filter(|(name, _)| name.ends_with(".dat")) {
        let mut so_far = Vec::new();
        for line in String::from_utf8_lossy(index).lines().filter(|line| !line.is_empty()) {
            let file = line.rsplitn(4, ' ').nth(3)?.rsplit(['/', '\\']).next()?.to_owned();
            let stored = files.get(&file)?;
            if file.ends_with('z') {
                so_far.extend(gunzipped(stored)?);
            } else {
                so_far.extend(stored);
            }
            let stem = file.split_once('.')?.0.to_owned();
            points.insert(stem, so_far.clone()).is_none().then_some(())?;
        }
        if so_far.is_empty() {
            return Some(BTreeMap::from([(name.clone(), Vec::new())]));
        }
    }
    Some(points)
}

/// What another gunzip makes of some bytes, which zeros may follow as in a padded archive.
fn gunzipped(stored: &[u8]) -> Option<Vec<u8>> {
    let shortest = stored.iter().rposition(|byte| *byte != 0)? + 1;
    (shortest..=stored.len()).rev().find_map(|length| {
        let mut bytes = Vec::new();
        MultiGzDecoder::new(&stored[..length]).read_to_end(&mut bytes).is_ok().then_some(bytes)
    })
}

/// Changes a few places of a few files.
fn mutate(files: &mut Image, dice: &mut Dice) -> String {
    let names: Vec<String> = files.keys().cloned().collect();
    let mut told = String::new();
    for _ in 0..1 + dice.below(3) {
        let name = dice.pick(&names).clone();
        let other = files[dice.pick(&names)].clone();
        let bytes = files.get_mut(&name).expect("a file");
        let place = |dice: &mut Dice, length: usize| usize::try_from(dice.below(length as u64 + 1)).expect("a place");
        let (from, length) = (place(dice, bytes.len()), place(dice, 60));
        let to = (from + length).min(bytes.len());
        let what = dice.below(7);
        match what {
            0 if from < bytes.len() => bytes[from] ^= 1 << dice.below(8),
            1 if from < bytes.len() => bytes[from] = *dice.pick(b" \n\r/0129af\0\xff.\\"),
            2 => drop(bytes.drain(from..to)),
            3 => {
                let copy = bytes[from..to].to_vec();
                bytes.splice(from..from, copy);
            }
            4 => {
                let start = place(dice, other.len());
                let piece = other[start..(start + length).min(other.len())].to_vec();
                bytes.splice(from..to, piece);
            }
            5 => bytes.truncate(from),
            _ => bytes[from..to].fill(0),
        }
        told.push_str(&format!("{what} at {from}..{to} of {name}; "));
    }
    told
}

#[test]
fn no_random_damage_passes_for_sound_or_panics() {
    let Sample { files, source, points } = sample();
    let wanted: BTreeMap<String, Vec<u8>> =
        points.into_iter().map(|(name, length)| (name, source[..length].to_vec())).collect();
    assert_eq!(restored(&files), Some(wanted.clone()), "the oracle reads the undamaged repository");
    let mut sound = 0;
    for seed in 0..6000 {
        let mut dice = Dice::new(seed);
        let mut image = files.clone();
        let told = mutate(&mut image, &mut dice);
        let mut reports: Vec<Report> = Vec::new();
        for depth in [Depth::Digest, Depth::Deep] {
            reports.push(Host::at(depth).cut(Steps::Random(dice.clone())).report(&image, "r"));
        }
        let [digest, deep] = &reports[..] else { unreachable!("two depths") };
        assert!(deep.verdict >= digest.verdict, "seed {seed}: deep sees less than digest: {told}");
        if digest.verdict == Soundness::Sound {
            sound += 1;
            assert_eq!(restored(&image).as_ref(), Some(&wanted), "seed {seed} passes for sound: {told}");
        }
    }
    assert!(sound > 20, "some damage is none, so the oracle was asked: {sound} of 6000");
}

#[test]
fn a_sound_verdict_means_a_right_restore_and_damage_none() {
    // The same with the whole program: what it restores from a damaged repository with exit 0 are the original bytes.
    let Sample { files, source, points } = sample();
    let (newest, length) = points.last().expect("a point").clone();
    for seed in 0..150 {
        let mut image = files.clone();
        let told = mutate(&mut image, &mut Dice::new(1_000_000 + seed));
        let fixture = Fixture::new();
        store(&image, &fixture.repo);
        let before = load(&fixture.repo);
        let out = fixture.path("out.fs");
        let run = fixture.restore(&format!("@{newest}"), &out, &[]);
        if run.code == 0 {
            let got = fs::read(&out).expect("a target");
            let right = points.iter().any(|(point, length)| run.text().contains(point) && got == source[..*length]);
            assert!(right, "seed {seed}: {told}\n{}", run.account());
            let claims_newest = run.text().contains(&newest);
            assert!(!claims_newest || got.len() == length, "seed {seed}: {told}\n{}", run.account());
        } else {
            assert!([1, 3, 4].contains(&run.code) && !out.exists(), "seed {seed}: {told}\n{}", run.account());
            assert!(run.stderr.lines().count() >= 1 && !run.stderr.contains("panic"), "{}", run.account());
        }
        assert_eq!(load(&fixture.repo), before, "seed {seed}: a restore writes nothing to the repository");
    }
}
