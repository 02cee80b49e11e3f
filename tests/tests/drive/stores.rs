//! The same for datastores: folders in folders, chunks that are shared, walked to a second time, compressed and sealed.

use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::render;
use highwater_core::report::Depth;
use highwater_core::shard::Shard;
use highwater_tests::datastore::{Sample, harm};
use highwater_tests::dice::Dice;
use highwater_tests::memory::Host;
use highwater_tests::score::Score;
use highwater_wasm::drive::{Event, Known};

use super::{Driven, driven_over, restored_of, survey_of};

const FORMAT: &str = "datastore";

#[test]
fn every_damage_to_a_store_gets_the_report_of_a_host_in_memory() {
    let mut score = Score::new("datastore drive in any order");
    let mut dice = Dice::new(71);
    for sample in Sample::all() {
        for key in [None, Some(sample.key())] {
            for case in sample.cases() {
                let mut image = sample.image();
                harm(&mut image, &case["ops"]);
                let name = case["name"].as_str().expect("a name");
                let depth = *dice.pick(&[Depth::Digest, Depth::Digest, Depth::Deep, Depth::List]);
                let (wanted, survey) =
                    (Host { format: FORMAT, key, ..Host::at(depth) }, survey_of((FORMAT, key), depth, Shard::WHOLE));
                let Driven { report, events, .. } = driven_over(&image, survey, depth, Dice::new(dice.bits()), &[]);
                let (found, wanted) = (render::json(&report), render::json(&wanted.report(&image, "set")));
                score.ran(1);
                if found != wanted {
                    score.fail(format!("{name} at {depth:?}, key {}: {found}\nnot {wanted}", key.is_some()));
                }
                places(&report, &events, name);
            }
        }
    }
    score.end();
}

/// Every claim is told with a snapshot and its group, for whoever draws them, and settled once.
fn places(report: &highwater_core::report::Report, events: &[Event], what: &str) {
    let mut settled = Vec::new();
    let mut claims = 0;
    for event in events {
        match event {
            Event::Claim { number, group, from } => {
                assert_eq!(*number, claims, "{what}");
                claims += 1;
                let set = &report.sets[usize::try_from(*from).expect("a number")];
                assert_eq!(set.group, *group, "{what}: {}", set.name);
            }
            Event::Settled { number, known } => {
                assert!(matches!(known, Known::Sound | Known::Damaged | Known::Unreadable));
                settled.push(*number);
            }
        }
    }
    settled.sort_unstable();
    assert_eq!(settled, (0..claims).collect::<Vec<u32>>(), "{what}");
}

#[test]
fn archives_are_restored_and_what_does_not_hold_is_refused() {
    let mut dice = Dice::new(72);
    for sample in Sample::all() {
        let (image, key) = (sample.image(), sample.key());
        let mut count = 0;
        for (name, sum) in &sample.sums() {
            let restore = |key, image: &_, dice| restored_of((FORMAT, key), image, name, dice);
            let bytes =
                restore(Some(key), &image, Dice::new(dice.bits())).unwrap_or_else(|why| panic!("{name}: {why}"));
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(&bytes);
            assert_eq!(hasher.finish().to_string(), *sum, "{name}");
            count += 1;
            // The bytes of one chunk, in a chunk that it needs.
            let mut harmed = image.clone();
            let needed = |file: &str| file == name || (file.starts_with(".chunks/") && !file.ends_with(".bad"));
            let files = harmed.iter_mut().filter(|(file, bytes)| needed(file) && !bytes.is_empty());
            files.for_each(|(_, bytes)| *bytes.last_mut().expect("a byte") ^= 1);
            assert!(bytes.is_empty() || restore(Some(key), &harmed, Dice::new(dice.bits())).is_err(), "{name}");
        }
        assert!(count >= 8, "{count} archives");
    }
}
