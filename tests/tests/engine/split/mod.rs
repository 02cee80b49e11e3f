//! The same input gives the same report, however it is cut, sharded, ordered or merged.

mod stores;

use highwater_core::render::{from_json, json};
use highwater_core::report::{Depth, Report, Verdict};
use highwater_tests::dice::Dice;
use highwater_tests::harm::harmed;
use highwater_tests::memory::{Host, Order, Steps};
use highwater_tests::repo::{Image, Sample, sample};
use highwater_tests::score::{Score, size};

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

/// The sample, sound and with every sort of damage, by name.
fn cases() -> Vec<(String, Image)> {
    let Sample { files, .. } = sample();
    let mut cases = vec![("sound".to_owned(), files.clone())];
    let mut dice = Dice::new(5);
    for (name, bytes) in &files {
        let mut case = |what: &str, bytes: Option<Vec<u8>>| {
            let mut image = files.clone();
            match bytes {
                Some(bytes) => image.insert(name.clone(), bytes),
                None => image.remove(name),
            };
            cases.push((format!("{what} {name}"), image));
        };
        let at = usize::try_from(dice.below(bytes.len() as u64)).expect("a place");
        let mut flipped = bytes.clone();
        // In an index, the last sum, and in gzip, the CRC-32: flips of paths and of much of a gzip header mean nothing.
        let place = match () {
            () if name.ends_with(".dat") => bytes.len() - 9,
            () if name.ends_with('z') => bytes.len() - 6,
            () => at,
        };
        flipped[place] ^= 1;
        case("flipped", Some(flipped));
        case("cut", Some(bytes[..at].to_vec()));
        case("empty", Some(Vec::new()));
        case("longer", Some([&bytes[..], &[7; 9000]].concat()));
        case("doubled", Some([&bytes[..], bytes].concat()));
        case("gone", None);
        if name.ends_with(".dat") {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            lines.swap(1, 2);
            case("swapped lines of", Some(lines.concat()));
            lines.swap(0, 1);
            case("turned lines of", Some(lines.concat()));
            case("windows", Some(String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes()));
            let mut long = bytes.clone();
            long.splice(0..0, std::iter::repeat_n(b'x', 40_000));
            case("a long line in", Some(long));
        }
    }
    let mut strays = files;
    for number in 0..150 {
        strays.insert(format!("stray{number:03}"), Vec::new());
    }
    cases.push(("many strays".to_owned(), strays));
    cases
}

/// Sets with random harm done to them, by what it is.
fn random(seed: u64, count: u64) -> impl Iterator<Item = (String, Image)> {
    let (files, mut dice) = (sample().files, Dice::new(seed));
    (0..count).map(move |_| harmed(&files, &mut dice))
}

/// Counts one comparison.
fn compare(score: &mut Score, found: &Report, wanted: &Report, what: impl FnOnce() -> String) {
    score.ran(1);
    if json(found) != json(wanted) {
        score.fail(what());
    }
}

fn expect_same(found: &Report, wanted: &Report, what: &str) {
    assert_eq!(json(found), json(wanted), "{what}");
}

#[test]
fn every_cut_gives_the_same_report() {
    let mut score = Score::new("split invariance");
    for (case, files) in cases() {
        for depth in DEPTHS {
            let host = Host::at(depth);
            let whole = host.report(&files, "r");
            assert_eq!(whole.verdict == Verdict::Sound, verdict_is_sound(&case, depth), "{case} {depth:?}: {whole:?}");
            let random = (0..3).map(|seed| Steps::Random(Dice::new(seed)));
            for steps in [1, 7, 31, 4095].map(Steps::Of).into_iter().chain(random) {
                let cut = host.clone().cut(steps.clone()).report(&files, "r");
                compare(&mut score, &cut, &whole, || format!("{case}, {depth:?}, {steps:?}"));
            }
        }
    }
    let mut dice = Dice::new(41);
    for (case, files) in random(43, size(300, 3_000)) {
        for depth in DEPTHS {
            let mut host = Host::at(depth);
            host.strict = dice.chance(20);
            let whole = host.report(&files, "r");
            let fixed = Steps::Of(usize::try_from(1 + dice.below(600)).expect("a short piece"));
            for (number, steps) in [fixed, Steps::Random(dice.clone()), Steps::Of(1)].into_iter().enumerate() {
                host.order = if number == 0 { Order::AtOnce } else { Order::Shuffled(dice.clone()) };
                let cut = host.clone().cut(steps.clone()).report(&files, "r");
                compare(&mut score, &cut, &whole, || format!("{case}, {depth:?}, {steps:?}"));
                dice.bits();
            }
        }
    }
    score.end();
}

/// The few cases in which damage is below the depth looked at, or is none.
fn verdict_is_sound(case: &str, depth: Depth) -> bool {
    let data = case.contains("fs");
    let index = case.ends_with(".index");
    let there = !case.starts_with("gone");
    let plain = !case.ends_with('z');
    match depth {
        _ if case == "sound" || case == "many strays" || case.starts_with("windows") => true,
        Depth::Deep => case.starts_with("gone") && index,
        _ if index => true,
        Depth::List => (data && there) || case.starts_with("flipped"),
        Depth::Size => plain && case.starts_with("flipped"),
        Depth::Digest => false,
    }
}

#[test]
fn the_bytes_read_do_not_depend_on_the_pieces_either() {
    // Law 7, "any split of the input": `coverage.bytes` is part of the report, so how far a host read into a file whose
    // verdict was certain early must not show.
    for (case, files) in cases() {
        let host = Host::at(Depth::Digest);
        let whole = host.report(&files, "r").coverage;
        for step in [1, 31, 4095] {
            let cut = host.clone().cut(Steps::Of(step)).report(&files, "r").coverage;
            assert_eq!(cut, whole, "{case}, pieces of {step}");
        }
    }
}

#[test]
fn the_order_of_the_work_does_not_matter() {
    for (case, files) in cases() {
        for depth in [Depth::Digest, Depth::Deep] {
            let mut host = Host::at(depth);
            let wanted = host.report(&files, "r");
            for order in [Order::Backward, Order::Shuffled(Dice::new(3)), Order::Shuffled(Dice::new(4))] {
                host.order = order.clone();
                expect_same(&host.report(&files, "r"), &wanted, &format!("{case} {depth:?} {order:?}"));
            }
        }
    }
}

/// The reports of all `count` parts.
fn parts(files: &Image, depth: Depth, count: u64) -> Vec<Report> {
    (1..=count).map(|number| Host::at(depth).part(number, count).report(files, "r")).collect()
}

fn merged(reports: &[Report]) -> Report {
    let empty = Report::empty(Depth::Deep, false);
    reports.iter().fold(empty, |all, report| all.merge(report.clone())).into_whole()
}

#[test]
fn shards_merged_in_any_order_are_the_whole() {
    let mut score = Score::new("shard invariance");
    let mut dice = Dice::new(11);
    for (case, files) in cases().into_iter().chain(random(47, size(100, 1_000))) {
        for depth in DEPTHS {
            let whole = Host::at(depth).report(&files, "r");
            for count in [1, 2, 3, 7, 64] {
                let mut parts = parts(&files, depth, count);
                for _ in 0..2 {
                    let found = merged(&parts);
                    compare(&mut score, &found, &whole, || format!("{case} {depth:?} in {count}"));
                    parts.sort_by_cached_key(|_| dice.bits());
                }
            }
        }
    }
    score.end();
}

#[test]
fn shards_keep_the_same_sample_when_names_need_escaping() {
    // A report keeps the smallest hundred findings. By raw name, the control characters come first; as they are shown, a
    // backslash comes after every capital letter. Whole and merged must agree on one order.
    let mut files = sample().files;
    for number in 0..120 {
        files.insert(format!("A{number:03}"), Vec::new());
        files.insert(format!("\u{1}{number:03}"), Vec::new());
    }
    let whole = Host::at(Depth::List).report(&files, "r");
    for count in [2, 7] {
        let merged = merged(&parts(&files, Depth::List, count));
        expect_same(&merged, &whole, &format!("{count} shards"));
    }
}

#[test]
fn merging_is_associative_and_commutative() {
    let mut score = Score::new("merge algebra");
    let cases = cases().into_iter().enumerate().filter(|(at, _)| at % 7 == 0).map(|(_, case)| case);
    let mut reports = Vec::new();
    for (at, (_, files)) in cases.chain(random(53, size(40, 400))).enumerate() {
        for number in 1..=3 {
            let mut host = Host::at(DEPTHS[at % 4]).part(number, 3);
            host.strict = at % 2 == 0;
            reports.push(host.report(&files, &format!("root {}", at % 3)));
        }
    }
    let mut dice = Dice::new(2);
    for round in 0..size(1_500, 15_000) {
        let [a, b, c] = [(); 3].map(|()| dice.pick(&reports).clone());
        let left = a.clone().merge(b.clone()).merge(c.clone());
        let right = a.clone().merge(b.clone().merge(c));
        compare(&mut score, &left, &right, || format!("associative, round {round}"));
        compare(&mut score, &a.clone().merge(b.clone()), &b.merge(a.clone()), || format!("commutative, round {round}"));
        let read = from_json(&json(&left)).expect("a report is read back");
        compare(&mut score, &read, &left, || format!("written and read, round {round}"));
        let nothing = Report::empty(Depth::Deep, false);
        compare(&mut score, &nothing.clone().merge(a.clone()), &a.merge(nothing), || format!("neutral, round {round}"));
    }
    score.end();
}

#[test]
fn parts_that_saw_different_lengths_of_a_point_merge_the_same_either_way() {
    let files = sample().files;
    let [one, mut two] = [1, 2].map(|number| Host::at(Depth::List).part(number, 2).report(&files, "r"));
    two.sets[0].bytes += 1;
    two.sets[0].group += 1;
    expect_same(&one.clone().merge(two.clone()), &two.merge(one), "either way");
}

#[test]
fn a_lacking_or_doubled_shard_is_never_sound() {
    let files = sample().files;
    let parts = parts(&files, Depth::Digest, 3);
    assert_eq!(merged(&parts).verdict, Verdict::Sound, "all three");
    let one = &parts[..1];
    for (case, some) in [("one of three", one), ("two of three", &parts[..2])] {
        assert_eq!(merged(some).verdict, Verdict::Inconclusive, "{case}");
    }
    let doubled = [&parts[..], one].concat();
    assert_eq!(merged(&doubled).verdict, Verdict::Inconclusive, "one twice");
    let whole = Host::at(Depth::Digest).report(&files, "r");
    let mixed = [&[whole][..], one].concat();
    assert_eq!(merged(&mixed).verdict, Verdict::Inconclusive, "the whole and a part");
}

#[test]
fn the_command_gives_the_report_that_the_engine_gives() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let repo = folder.path().join("r");
    for (case, files) in cases().into_iter().filter(|(case, _)| !case.starts_with("gone")) {
        highwater_tests::repo::store(&files, &repo);
        let host = Host::at(Depth::Deep).cut(Steps::Of(256 * 1024));
        let wanted = json(&host.report(&files, "r"));
        let arguments = ["verify", "--depth", "deep", "--json", "--", &repo.to_string_lossy()];
        let run = highwater_tests::run::ours("2026-11-20-00-00-00", &arguments);
        assert_eq!(run.text(), wanted, "{case}: {}", run.stderr);
    }
}
