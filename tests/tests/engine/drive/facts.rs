//! What the formats say of themselves, and what is true of one of them alone.

use highwater_core::drive::listing::Listing;
use highwater_core::facts::{Lock, Shape};
use highwater_core::formats::by_name;
use highwater_core::point::{LATEST, Point};
use highwater_core::report::{Depth, Soundness};
use highwater_core::shard::Shard;
use highwater_tests::datastore::{Sample, harm};
use highwater_tests::dice::Dice;
use highwater_tests::repo::Image;

use super::{Driven, driven_over, survey_of};

const FORMAT: &str = "datastore";

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
        let pool = facts.pool.map(|pool| pool.folder);
        assert_eq!((facts.lock, pool), (Lock::Together(".lock"), Some(".chunks")), "{kind}");
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
        (FORMAT, Depth::Digest, Soundness::Damaged),
        ("datastore-cache", Depth::Digest, Soundness::Inconclusive),
        ("datastore-cache", Depth::Size, Soundness::Inconclusive),
        ("datastore-cache", Depth::List, Soundness::Sound),
    ] {
        let survey = survey_of((kind, key.clone()), depth, Shard::WHOLE);
        let Driven { report, .. } = driven_over(&image, survey, depth, Dice::new(3), &[]);
        assert_eq!(report.verdict, verdict, "{kind} at {depth:?}: {report:?}");
    }
}
