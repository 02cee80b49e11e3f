//! The browser's drive comes to the native command's report, byte for byte, in whatever order its reads are answered.

mod facts;
mod files;
mod host;
mod late;
mod marks;
mod places;
mod restores;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use highwater::store::{Files, Links};
use highwater::watch::Watch;
use highwater_core::drive::listing::Listing;
use highwater_core::drive::{Event, Known};
use highwater_core::formats::by_name;
use highwater_core::inspect::{self, Of, Scope};
use highwater_core::key::Key;
use highwater_core::render;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::shard::Shard;
use highwater_core::survey::{Options, Survey};
use highwater_tests::dice::Dice;
use highwater_tests::repo::{Image, sample};
use highwater_tests::repository::is_data_file;
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::{self, Case};
use late::{Driven, driven_over, driven_over_a_bad_line};
use marks::marked;

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

fn survey(depth: Depth, shard: Shard) -> Survey {
    survey_of(REPOZO, depth, shard)
}

/// A format, and the key of what is encrypted.
type Kind = (&'static str, Option<Key>);

const REPOZO: Kind = ("repozo", None);

fn survey_of((format, key): Kind, depth: Depth, shard: Shard) -> Survey {
    let format = by_name(format).expect("a known format");
    let options = Options { label: "set".to_owned(), format: Some(format), depth, strict: false, shard };
    Survey::new(format.inspect(&Scope::new(Of::All).trailing(depth >= format.facts().trails).keyed(key)), options)
}

/// The files of a set and the folders they are in.
fn listed(image: &Image) -> Listing {
    let mut listing = Listing::default();
    let mut folders = BTreeSet::new();
    for (number, name) in image.keys().enumerate() {
        assert!(listing.add(name, inspect::Kind::File, u32::try_from(number).expect("a number")));
        folders.extend(name.match_indices('/').map(|(at, _)| &name[..at]));
    }
    folders.iter().for_each(|name| assert!(listing.add(name, inspect::Kind::Folder, u32::MAX)));
    listing
}

/// The native command's report on the files of a folder.
fn native(kind: Kind, folder: &Path, depth: Depth) -> Report {
    let survey = survey_of(kind, depth, Shard::WHOLE);
    let watch = Watch::silent();
    let root = Files::open(folder, Links::Beneath).expect("a folder");
    highwater::drive::run(&root, survey, depth, &watch, &mut |_, _| {}).expect("it ends").finish()
}

/// Drives a survey over `image`, whose bytes come late and in any order.
fn driven(image: &Image, depth: Depth, shard: Shard, dice: Dice, failing: &[(&str, u64)]) -> Driven {
    driven_over(image, survey(depth, shard), depth, dice, failing)
}

/// Compares both for one set, whole and in shards.
fn compare(kind: Kind, image: &Image, folder: &Path, dice: &mut Dice, score: &mut Score) {
    specimens::lay(image, folder);
    for depth in DEPTHS {
        let wanted = render::json(&native(kind.clone(), folder, depth));
        let parts = 1 + dice.below(4);
        let mut merged = Report::empty(depth, false);
        for part in 1..=parts {
            let shard = Shard::new(part, parts).expect("a part");
            let survey = survey_of(kind.clone(), depth, shard);
            let Driven { report, events, .. } = driven_over(image, survey, depth, Dice::new(dice.bits()), &[]);
            is_settled_once(&report, &events, kind.0);
            merged = merged.merge(report);
        }
        score.ran(1);
        let found = render::json(&merged.into_whole());
        if found != wanted {
            score.fail(format!("{depth:?} in {parts} parts: {:?}\n{wanted}\n{found}", image.keys()));
        }
    }
}

/// Every claim is told with a point and its group, for whoever draws them, and settled once.
fn is_settled_once(report: &Report, events: &[Event], what: &str) {
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
fn any_order_of_answers_gives_the_native_report() {
    for specimen in specimens::all() {
        let mut score = Score::part("the browser's drive", specimen.name());
        let mut dice = Dice::new(5);
        let folder = tempfile::tempdir().expect("a scratch folder");
        let folder = folder.path().join("set");
        let small = specimen.small();
        let kind = |key| (specimen.name(), key);
        for image in [&small.files, &Image::new()] {
            small.keys().into_iter().for_each(|key| compare(kind(key), image, &folder, &mut dice, &mut score));
        }
        for _ in 0..size(60, 1_500) {
            let key = dice.pick(&small.keys()).clone();
            let image = specimen.harmed(&small.files, &mut dice).1;
            compare(kind(key), &image, &folder, &mut dice, &mut score);
        }
        score.end();
    }
}

#[test]
fn every_damage_gets_the_report_of_a_host_in_memory() {
    let (mut dice, mut asked) = (Dice::new(71), 0);
    for specimen in specimens::all() {
        let mut score = Score::part("the browser's drive", &format!("{}, damages", specimen.name()));
        for sample in specimen.samples() {
            for (case, key) in specimen.damages(&sample).flat_map(|case| {
                let with = |key| (case.clone(), key);
                sample.keys().into_iter().map(with).collect::<Vec<_>>()
            }) {
                let depth = *dice.pick(&[Depth::Digest, Depth::Digest, Depth::Deep, Depth::List]);
                let survey = survey_of((specimen.name(), key.clone()), depth, Shard::WHOLE);
                let Driven { report, events, digests, .. } =
                    driven_over(&case.files, survey, depth, Dice::new(dice.bits()), &[]);
                asked += digests;
                let wanted = render::json(&specimen.host(depth, key.clone()).report(&case.files, "set"));
                let found = render::json(&report);
                score.ran(1);
                if found != wanted {
                    let Case { name, .. } = &case;
                    score.fail(format!("{name} at {depth:?}, key {}: {found}\nnot {wanted}", key.is_some()));
                }
                is_settled_once(&report, &events, &case.name);
            }
        }
        score.end();
    }
    assert!(asked > 1000, "{asked} digests were asked for");
}

#[test]
fn what_cannot_be_read_is_not_damage_and_every_claim_is_settled_once() {
    let image = marked(&sample());
    let names: Vec<&String> = image.keys().filter(|name| !name.ends_with(".marks")).collect();
    for name in names {
        for from in [0, 100] {
            let long = image[name].len() as u64 > from;
            let Driven { report, events, .. } =
                driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(from), &[(name, from)]);
            let (mut begun, mut settled) = (Vec::new(), BTreeMap::new());
            for event in events {
                match event {
                    Event::Claim { number, .. } => begun.push(number),
                    Event::Settled { number, known } => {
                        assert!(settled.insert(number, known).is_none(), "{number} is settled twice");
                        assert_ne!(known, Known::Damaged, "{name} from {from}");
                    }
                }
            }
            assert!(begun.iter().copied().eq(0..u32::try_from(begun.len()).expect("a few")), "{begun:?}");
            assert!(begun.iter().eq(settled.keys()), "{begun:?} {settled:?}");
            let unreadable = long && !name.ends_with(".index");
            let wanted = if unreadable { Soundness::Inconclusive } else { Soundness::Sound };
            assert_eq!(report.verdict, wanted, "{name} from {from}: {report:?}");
        }
    }
}

#[test]
fn damage_is_said_only_of_a_file_that_is_still_the_same() {
    for mut image in [sample().files, marked(&sample())] {
        let name = image.keys().find(|name| is_data_file(name)).expect("a data file").clone();
        image.entry(name.clone()).and_modify(|bytes| bytes[0] ^= 1);
        let verdict = |failing: &[(&str, u64)]| {
            let Driven { report, .. } = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(5), failing);
            (report.verdict, report.tallies.contains_key("unreadable"))
        };
        assert_eq!(verdict(&[]), (Soundness::Damaged, false));
        assert_eq!(verdict(&[(&name, u64::MAX)]), (Soundness::Inconclusive, true));
    }
}

#[test]
fn what_a_bad_line_keeps_back_is_never_called_damage() {
    let mut dice = Dice::new(18);
    for specimen in specimens::all() {
        let mut score = Score::part("the browser's drive", &format!("{}, bad lines", specimen.name()));
        let small = specimen.small();
        let mut kept_back = 0;
        for number in 0..size(60, 1_000) {
            let key = dice.pick(&small.keys()).clone();
            let survey = survey_of((specimen.name(), key), Depth::Digest, Shard::WHOLE);
            let (flaky, dice) = (2 + dice.below(30), Dice::new(dice.bits()));
            let Driven { report, events, .. } =
                driven_over_a_bad_line(&small.files, survey, Depth::Digest, dice, flaky);
            score.ran(1);
            let is_unreadable = |event: &Event| matches!(event, Event::Settled { known: Known::Unreadable, .. });
            // Of what is followed, and of what says what there is, only the report tells.
            let unread = events.iter().any(is_unreadable) || report.tallies.contains_key("unreadable");
            kept_back += u64::from(unread);
            // What may move is looked at again, and may be read then.
            let passed = unread && report.verdict == Soundness::Sound && !specimen.format().facts().moves;
            if report.verdict == Soundness::Damaged || passed {
                score.fail(format!("round {number}, one read in {flaky} fails: {report:?}"));
            }
            is_settled_once(&report, &events, specimen.name());
        }
        assert!(kept_back > 0, "{}: no line was bad", specimen.name());
        score.end();
    }
}

#[test]
fn memory_stays_bounded_whatever_the_set() {
    // A hundred backups that claim 100 GB each, in files of a few bytes.
    let mut image = Image::new();
    let sum = "d41d8cd98f00b204e9800998ecf8427e";
    let line = |number: u64| {
        let kind = if number == 0 { "fs" } else { "deltafs" };
        let name = format!("2026-03-01-00-{:02}-{:02}.{kind}", number / 60, number % 60);
        let (start, end) = (number * 100_000_000_000, (number + 1) * 100_000_000_000);
        (name.clone(), format!("r/{name} {start} {end} {sum}\n"))
    };
    let (names, lines): (Vec<String>, Vec<String>) = (0..100).map(line).unzip();
    image.extend(names.into_iter().map(|name| (name, b"short".to_vec())));
    image.insert("2026-03-01-00-00-00.dat".to_owned(), lines.concat().into_bytes());
    let Driven { report, under_way, foreseen, .. } = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(1), &[]);
    assert_eq!((report.verdict, report.tallies["length"]), (Soundness::Damaged, 100));
    assert!(foreseen);
    assert!(under_way > 12 && under_way <= 18, "{under_way} reads are waited for");
}
