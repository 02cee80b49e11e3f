//! The same input gives the same report, however it is cut, sharded, ordered or merged.

use highwater_core::render::{from_json, json};
use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::dice::Dice;
use highwater_tests::memory::{Host, Order, Steps};
use highwater_tests::repo::Image;
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::{self, Case, Sample, Specimen};

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

/// The cases of all formats' small samples, with their specimen.
fn small_cases() -> Vec<(&'static dyn Specimen, Case)> {
    let of = |specimen: &'static dyn Specimen| {
        let sample = specimen.small();
        specimen.damages(&sample).map(|case| (specimen, case)).collect::<Vec<_>>()
    };
    specimens::all().into_iter().flat_map(of).collect()
}

/// Small sets with random harm done to them, by what it is.
fn random(specimen: &dyn Specimen, seed: u64, count: u64) -> impl Iterator<Item = (String, Image)> {
    let (files, mut dice) = (specimen.small().files, Dice::new(seed));
    (0..count).map(move |_| specimen.harmed(&files, &mut dice))
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

/// How a sample is cut: a small one in many ways, of a large one the sound case into single bytes.
fn cuts(sample: &Sample, case: &Case, dice: &mut Dice) -> Vec<Steps> {
    if sample.is_small() {
        let random = (0..3).map(|seed| Steps::Random(Dice::new(seed)));
        return [1, 7, 31, 4095].map(Steps::Of).into_iter().chain(random).collect();
    }
    let small = if case.name == "sound" { 1 } else { 31 };
    vec![Steps::Of(small), Steps::Random(Dice::new(dice.bits()))]
}

/// Every cut of every case of a format, with the key and without.
fn cut_everywhere(score: &mut Score, specimen: &dyn Specimen) {
    let mut dice = Dice::new(9);
    for sample in specimen.samples() {
        for case in specimen.damages(&sample) {
            for (key, depth) in
                sample.keys().into_iter().flat_map(|key| sample.depths().iter().map(move |at| (key.clone(), *at)))
            {
                let mut host = specimen.host(depth, key.clone());
                let whole = host.report(&case.files, "r");
                case.judge(depth, key.is_some(), &whole).unwrap_or_else(|why| panic!("{why}"));
                for (number, steps) in cuts(&sample, &case, &mut dice).into_iter().enumerate() {
                    host.order = if number == 0 { Order::AtOnce } else { Order::Shuffled(Dice::new(dice.bits())) };
                    let cut = host.clone().cut(steps.clone()).report(&case.files, "r");
                    let Case { name, .. } = &case;
                    compare(score, &cut, &whole, || format!("{name}, {depth:?}, key {}, {steps:?}", key.is_some()));
                }
            }
        }
    }
}

#[test]
fn every_cut_gives_the_same_report() {
    for specimen in specimens::all() {
        let mut score = Score::part("split invariance", specimen.name());
        cut_everywhere(&mut score, specimen);
        let mut dice = Dice::new(41);
        let key = specimen.small().key();
        for (case, files) in random(specimen, 43, size(300, 3_000)) {
            for depth in DEPTHS {
                let mut host = specimen.host(depth, key.clone());
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
}

#[test]
fn the_bytes_read_do_not_depend_on_the_pieces_either() {
    // Law 7, "any split of the input": `coverage.bytes` is part of the report, so how far a host read into a file whose
    // verdict was certain early must not show.
    for (specimen, case) in small_cases() {
        let host = specimen.host(Depth::Digest, None);
        let whole = host.report(&case.files, "r").coverage;
        for step in [1, 31, 4095] {
            let cut = host.clone().cut(Steps::Of(step)).report(&case.files, "r").coverage;
            assert_eq!(cut, whole, "{}, pieces of {step}", case.name);
        }
    }
}

#[test]
fn the_order_of_the_work_does_not_matter() {
    for (specimen, case) in small_cases() {
        for depth in [Depth::Digest, Depth::Deep] {
            let mut host = specimen.host(depth, None);
            let wanted = host.report(&case.files, "r");
            for order in [Order::Backward, Order::Shuffled(Dice::new(3)), Order::Shuffled(Dice::new(4))] {
                host.order = order.clone();
                expect_same(&host.report(&case.files, "r"), &wanted, &format!("{} {depth:?} {order:?}", case.name));
            }
        }
    }
}

/// The reports of all `count` parts.
fn parts(host: &Host, files: &Image, count: u64) -> Vec<Report> {
    (1..=count).map(|number| host.clone().part(number, count).report(files, "r")).collect()
}

fn merged(reports: &[Report]) -> Report {
    let empty = Report::empty(Depth::Deep, false);
    reports.iter().fold(empty, |all, report| all.merge(report.clone())).into_whole()
}

/// Every case of a format in several numbers of shards, merged in two orders.
fn shard_everywhere(score: &mut Score, specimen: &dyn Specimen) {
    let mut dice = Dice::new(11);
    let mut shards = |sample: &Sample, case: &str, files: &Image| {
        // Of large samples, each in one order; what is deep is the digest there.
        let (depths, counts, orders) = if sample.is_small() {
            (&DEPTHS[..], &[1, 2, 3, 7, 64][..], 2)
        } else {
            (&DEPTHS[..3], &[1, 3, 64][..], 1)
        };
        for depth in depths {
            let host = specimen.host(*depth, sample.key());
            let whole = host.report(files, "r");
            for count in counts {
                let mut parts = parts(&host, files, *count);
                for _ in 0..orders {
                    parts.sort_by_cached_key(|_| dice.bits());
                    let found = merged(&parts);
                    compare(score, &found, &whole, || format!("{case} {depth:?} in {count}"));
                }
            }
        }
    };
    for sample in specimen.samples() {
        for case in specimen.damages(&sample) {
            shards(&sample, &case.name, &case.files);
        }
    }
    let small = specimen.small();
    for (case, files) in random(specimen, 47, size(100, 1_000)) {
        shards(&small, &case, &files);
    }
}

#[test]
fn shards_merged_in_any_order_are_the_whole() {
    for specimen in specimens::all() {
        let mut score = Score::part("shard invariance", specimen.name());
        shard_everywhere(&mut score, specimen);
        score.end();
    }
}

#[test]
fn shards_keep_the_same_sample_when_names_need_escaping() {
    // A report keeps the smallest hundred findings. By raw name, the control characters come first; as they are shown,
    // a backslash comes after every capital letter. Whole and merged must agree on one order.
    for specimen in specimens::all() {
        let mut files = specimen.small().files;
        for number in 0..120 {
            files.insert(format!("A{number:03}"), Vec::new());
            files.insert(format!("\u{1}{number:03}"), Vec::new());
        }
        let host = specimen.host(Depth::List, None);
        let whole = host.report(&files, "r");
        for count in [2, 7] {
            let merged = merged(&parts(&host, &files, count));
            expect_same(&merged, &whole, &format!("{count} shards of {}", specimen.name()));
        }
    }
}

#[test]
fn merging_is_associative_and_commutative() {
    let mut score = Score::new("merge algebra");
    let mut reports = Vec::new();
    for specimen in specimens::all() {
        let sample = specimen.small();
        let cases = specimen.damages(&sample).step_by(7).map(|case| (case.name, case.files));
        for (at, (_, files)) in cases.chain(random(specimen, 53, size(40, 400))).enumerate() {
            for number in 1..=3 {
                let mut host = specimen.host(DEPTHS[at % 4], sample.key()).part(number, 3);
                host.strict = at % 2 == 0;
                reports.push(host.report(&files, &format!("{} {}", specimen.name(), at % 3)));
            }
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
    for specimen in specimens::all() {
        let files = specimen.small().files;
        let host = specimen.host(Depth::List, None);
        let [one, mut two] = [1, 2].map(|number| host.clone().part(number, 2).report(&files, "r"));
        two.sets[0].bytes += 1;
        two.sets[0].group += 1;
        expect_same(&one.clone().merge(two.clone()), &two.merge(one), "either way");
    }
}

#[test]
fn a_lacking_or_doubled_shard_is_never_sound() {
    for specimen in specimens::all() {
        let sample = specimen.small();
        let host = specimen.host(Depth::Digest, sample.key());
        let parts = parts(&host, &sample.files, 3);
        assert_eq!(merged(&parts).verdict, Soundness::Sound, "all three");
        let one = &parts[..1];
        for (case, some) in [("one of three", one), ("two of three", &parts[..2])] {
            assert_eq!(merged(some).verdict, Soundness::Inconclusive, "{case}");
        }
        let doubled = [&parts[..], one].concat();
        assert_eq!(merged(&doubled).verdict, Soundness::Inconclusive, "one twice");
        let whole = host.report(&sample.files, "r");
        let mixed = [&[whole][..], one].concat();
        assert_eq!(merged(&mixed).verdict, Soundness::Inconclusive, "the whole and a part");
    }
}

#[test]
fn the_command_gives_the_report_that_the_engine_gives() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let repo = folder.path().join("r");
    // The words for a file that is gone are the system's.
    for (specimen, case) in small_cases().into_iter().filter(|(_, case)| !case.name.starts_with("gone")) {
        specimens::lay(&case.files, &repo);
        let host = specimen.host(Depth::Deep, None).cut(Steps::Of(256 * 1024));
        let wanted = json(&host.report(&case.files, "r"));
        let kind = specimen.name();
        let arguments = ["verify", "--depth", "deep", "--json", "--kind", kind, "--", &repo.to_string_lossy()];
        let run = highwater_tests::run::ours("2026-11-20-00-00-00", &arguments);
        assert_eq!(run.text(), wanted, "{}: {}", case.name, run.stderr);
    }
}
