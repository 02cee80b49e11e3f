//! Points made in a loop beside a ZODB that commits, undoes and packs without pause.

use highwater::backup::tree::ZodbOptions;
use highwater_tests::score::size;
use serde_json::json;

use super::{Site, make, source};

/// So many points of each of the two kinds of pack.
const POINTS: u64 = 16;

/// Makes points beside commits; a pack begins right before every second one.
#[track_caller]
fn make_and_judge(keep_old: bool) {
    let mut site = Site::new(json!({ "seed": 7, "keep_old": keep_old }));
    site.commit(60);
    site.ask("run", json!({}));
    let mut made = Vec::new();
    let rounds = size(POINTS, 10 * POINTS);
    for round in 0..rounds {
        let options = ZodbOptions { quick: round % 3 == 1, gzip: (round % 4 == 3).then_some(1), ..Default::default() };
        let mut source = source(&site.path("var"), options);
        let at_least = site.ask("more", json!({ "count": 2 }));
        if round % 2 == 1 {
            site.ask("pack_aside", json!({}));
        }
        let stamp = site.clock.tick(60);
        let point =
            make(&mut source, &site.path("set"), &stamp).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!((&point.left_out, &point.changed), (&Vec::new(), &Vec::new()), "round {round}");
        site.ask("packed", json!({}));
        made.push((point.point, at_least.as_str().expect("an id").to_owned()));
    }
    site.ask("rest", json!({}));
    site.ask("close", json!({}));
    site.ours(&["verify", ":set"]).expect(0);
    let mut blobs = 0;
    for (number, (point, at_least)) in made.iter().enumerate() {
        assert!(site.transaction(point) >= *at_least, "{point} ends before {at_least}, which was finished");
        // Every third onto what is there of another point, which ZODB has opened, the others into nothing.
        let to = if number % 3 == 0 { "again".to_owned() } else { format!("out-{number}") };
        blobs += site.expect_good(point, &to);
    }
    assert!(blobs > rounds * 10, "{blobs} blobs are too few to tell anything");
    assert_eq!(site.points().len(), made.len());
}

#[test]
fn every_point_beside_commits_and_packs_has_exactly_the_blobs_that_it_names() {
    make_and_judge(false);
}

#[test]
fn the_same_holds_where_packs_keep_what_was_before() {
    make_and_judge(true);
}
