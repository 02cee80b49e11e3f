//! The same for datastores, whose chunks are shared and walked to a second time.

use highwater_core::key::Key;
use highwater_core::report::{Depth, Report, Verdict};
use highwater_tests::datastore::{Sample, harm};
use highwater_tests::dice::Dice;
use highwater_tests::memory::{Host, Order, Steps};
use highwater_tests::repo::Image;
use highwater_tests::score::Score;

use crate::split::{compare, merged};

/// Every case, by name, with who is hurt for one without and with the key.
fn cases(sample: &Sample) -> Vec<(String, Image, [Vec<String>; 2])> {
    let image = sample.image();
    let cases = sample.cases().into_iter().map(|case| {
        let mut image = image.clone();
        harm(&mut image, &case["ops"]);
        let name = case["name"].as_str().expect("a name").to_owned();
        let hurt = ["reference", "reference_with_key"].map(|reference| {
            let names = case[reference].as_object().expect("a map").keys().cloned();
            // What has no manifest is no snapshot.
            names.filter(|_| name != "manifest_missing").collect()
        });
        (name, image, hurt)
    });
    cases.collect()
}

fn host(depth: Depth, key: Option<Key>) -> Host {
    Host { format: "datastore", key, ..Host::at(depth) }
}

fn damaged(report: &Report) -> Vec<&str> {
    let damaged = report.sets.iter().filter(|set| set.verdict == Verdict::Damaged);
    damaged.map(|set| set.name.as_str()).collect()
}

#[test]
fn every_cut_of_a_datastore_gives_the_same_report() {
    let mut score = Score::new("datastore split invariance");
    for sample in Sample::all() {
        let mut dice = Dice::new(9);
        for (name, image, hurt) in cases(&sample) {
            for (key, hurt) in [None, Some(sample.key())].into_iter().zip(hurt) {
                let whole = host(Depth::Digest, key).report(&image, "r");
                assert_eq!(damaged(&whole), hurt, "{name}: {whole:?}");
                let small = if name == "clean" { 1 } else { 31 };
                for steps in [Steps::Of(small), Steps::Random(dice.clone())] {
                    let mut other = host(Depth::Digest, key).cut(steps.clone());
                    other.order = Order::Shuffled(dice.clone());
                    dice.bits();
                    compare(&mut score, &other.report(&image, "r"), &whole, || format!("{name}, {steps:?}"));
                }
            }
        }
    }
    score.end();
}

#[test]
fn shards_of_a_datastore_merged_in_any_order_are_the_whole() {
    let mut score = Score::new("datastore shard invariance");
    for sample in Sample::all() {
        let key = Some(sample.key());
        for (name, image, _) in cases(&sample) {
            for depth in [Depth::List, Depth::Size, Depth::Digest] {
                let whole = host(depth, key).report(&image, "r");
                for count in [1, 3, 64] {
                    let parts =
                        (1..=count).rev().map(|number| host(depth, key).part(number, count).report(&image, "r"));
                    let found = merged(&parts.collect::<Vec<Report>>());
                    compare(&mut score, &found, &whole, || format!("{name} {depth:?} in {count}"));
                }
            }
        }
    }
    score.end();
}
