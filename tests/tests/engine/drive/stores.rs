//! The same for datastores: folders in folders, chunks that are shared, walked to a second time, compressed and sealed.

use highwater_core::digest::sha256_of;
use highwater_core::drive::listing::Listing;
use highwater_core::drive::{Event, Known};
use highwater_core::facts::{Lock, Shape};
use highwater_core::formats::by_name;
use highwater_core::point::{LATEST, Point};
use highwater_core::render;
use highwater_core::report::{Depth, Verdict};
use highwater_core::shard::Shard;
use highwater_tests::datastore::{Sample, harm};
use highwater_tests::dice::Dice;
use highwater_tests::memory::Host;
use highwater_tests::repo::Image;
use highwater_tests::score::Score;

use super::{Driven, driven_over, restored_of, survey_of};

const FORMAT: &str = "datastore";

#[test]
fn every_damage_to_a_store_gets_the_report_of_a_host_in_memory() {
    let mut score = Score::new("datastore drive in any order");
    let (mut dice, mut asked) = (Dice::new(71), 0);
    for sample in Sample::all() {
        for key in [None, Some(sample.key())] {
            for case in sample.cases() {
                let mut image = sample.image();
                harm(&mut image, &case["ops"]);
                let name = case["name"].as_str().expect("a name");
                let depth = *dice.pick(&[Depth::Digest, Depth::Digest, Depth::Deep, Depth::List]);
                let (wanted, survey) =
                    (Host { format: FORMAT, key, ..Host::at(depth) }, survey_of((FORMAT, key), depth, Shard::WHOLE));
                let driven = driven_over(&image, survey, depth, Dice::new(dice.bits()), &[]);
                let Driven { report, events, digests, .. } = driven;
                asked += digests;
                let (found, wanted) = (render::json(&report), render::json(&wanted.report(&image, "set")));
                score.ran(1);
                if found != wanted {
                    score.fail(format!("{name} at {depth:?}, key {}: {found}\nnot {wanted}", key.is_some()));
                }
                places(&report, &events, name);
            }
        }
    }
    assert!(asked > 1000, "{asked} digests were asked for");
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
            assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name}");
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

#[test]
fn a_store_is_recognised_and_says_what_it_is() {
    let image = Sample::made().image();
    let format = super::listed(&image).format().expect("a known format");
    assert_eq!(format.facts().name, FORMAT);
    // With its lock and its groups it is one whose chunks are gone; without either, nobody can tell.
    let is_one = |prefix| listed_without(&image, prefix).format().is_some_and(|format| format.facts().name == FORMAT);
    assert!(is_one(".chunks/") && is_one(".lock") && !is_one("."));
    let snapshot = "vm/100/2025-06-16T15:06:40Z";
    for kind in [FORMAT, "datastore-cache"] {
        let format = by_name(kind).expect("a known format");
        let facts = format.facts();
        assert!(facts.colons && facts.shape == Shape::Image, "{kind}");
        assert_eq!((facts.lock, facts.pool), (Lock::Together(".lock"), Some(".chunks")), "{kind}");
        // A snapshot holds several things; one of them is restored.
        for several in [LATEST, snapshot, "vm/100", &format!("{snapshot}/index.json.blob")] {
            let point = format.point(several).expect("a point");
            assert!(point.restores().is_err(), "{kind}");
        }
        let one = format!("{snapshot}/drive-scsi0.img");
        assert_eq!(format.point(&one), Ok(Point::new(&*one)), "{kind}");
        assert_eq!(format.point(snapshot).expect("a point").as_str(), snapshot, "{kind}");
        assert!(format.point("yesterday").is_err_and(|why| why.0.contains("is no snapshot")), "{kind}");
    }
    let repozo = by_name("repozo").expect("a known format");
    let facts = repozo.facts();
    assert!(!facts.colons && facts.shape == Shape::Append && facts.pool.is_none());
    assert_eq!(facts.lock, Lock::Alone(".highwater.lock"));
    assert_eq!(repozo.point(LATEST).expect("a point").restores(), Ok(()));
    assert_eq!(repozo.point("2026-11-01-00-00-00.deltafsz"), repozo.point("2026-11-01-00-00-00"));
}

fn listed_without(image: &Image, prefix: &str) -> Listing {
    super::listed(
        &image
            .iter()
            .filter(|(name, _)| !name.starts_with(prefix))
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect(),
    )
}

#[test]
fn in_a_cache_an_empty_chunk_is_neither_sound_nor_damage() {
    let sample = Sample::made();
    let case = sample.cases().into_iter().find(|case| case["name"] == "chunk_empty").expect("a case");
    let mut image = sample.image();
    harm(&mut image, &case["ops"]);
    let key = Some(sample.key());
    for (kind, depth, verdict) in [
        (FORMAT, Depth::Digest, Verdict::Damaged),
        ("datastore-cache", Depth::Digest, Verdict::Inconclusive),
        ("datastore-cache", Depth::Size, Verdict::Inconclusive),
        ("datastore-cache", Depth::List, Verdict::Sound),
    ] {
        let survey = survey_of((kind, key), depth, Shard::WHOLE);
        let Driven { report, .. } = driven_over(&image, survey, depth, Dice::new(3), &[]);
        assert_eq!(report.verdict, verdict, "{kind} at {depth:?}: {report:?}");
    }
}
