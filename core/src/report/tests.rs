//! What a report says of its parts, and how parts merge.

use super::*;
use crate::left_out::LeftOut;

#[test]
fn a_report_that_lists_damage_is_never_sound_even_if_it_counts_none() {
    let text = r#"{"schema":2,"verdict":"sound","depth":"deep","strict":false,"whole":true,"sets":[],"tallies":{},
        "coverage":{"claims":1,"checked":1,"bytes":1},"lacking":[],"roots":[{"label":"r","format":"repozo",
        "shards":["1/1"],"coverage":{"claims":1,"checked":1,"bytes":1}}],"findings":[{"code":"HW103","root":"r",
        "name":"digest","severity":"damage","object":"a.fs","offset":null,"message":"","advice":"","sets":[],
        "sets_total":0}]}"#;
    let report = Report::empty(Depth::Deep, false).merge(crate::render::from_json(text).unwrap());
    assert_eq!(report.verdict, Soundness::Damaged);
}

/// A root of these parts.
fn root(shards: &[&str], claims: u64, checked: u64, unjudged: u64) -> Root {
    Root {
        label: "r".to_owned(),
        format: "repozo".to_owned(),
        shards: shards.iter().map(|shard| (*shard).to_owned()).collect(),
        coverage: Coverage { claims, checked, unjudged, ..Coverage::default() },
        proven: BTreeMap::new(),
        newest: Vec::new(),
        asked: None,
    }
}

#[test]
fn a_report_that_checked_nothing_or_less_than_was_claimed_is_never_sound() {
    for (shard, claims, checked, unjudged, verdict) in [
        ("1/1", 2, 2, 0, Soundness::Sound),
        ("1/3", 1, 1, 0, Soundness::Sound),
        ("1/1", 2, 1, 0, Soundness::Inconclusive),
        ("1/1", 2, 2, 1, Soundness::Inconclusive),
        ("1/1", 2, 0, 0, Soundness::Inconclusive),
        ("1/1", 0, 0, 0, Soundness::Inconclusive),
        // To a part, nothing may fall; but something must be there.
        ("1/3", 0, 0, 0, Soundness::Sound),
        ("1/3", 2, 0, 0, Soundness::Inconclusive),
        ("1/3", 2, 0, 1, Soundness::Inconclusive),
        ("1/3", 2, 1, 1, Soundness::Inconclusive),
    ] {
        let root = root(&[shard], claims, checked, unjudged);
        let mut report = Report { roots: vec![root], ..Report::empty(Depth::Deep, false) };
        report.judge();
        // Of a root that holds no set, nothing is sound.
        assert!(checked > 0 || report.verdict == Soundness::Inconclusive, "{shard}: {checked} of {claims}");
        report.sets = vec![set("r", "vm/100/2026-01-02", Soundness::Sound)];
        report.judge();
        assert_eq!(report.verdict, verdict, "{shard}: {checked} of {claims}, {unjudged} not judged");
    }
}

fn set(root: &str, name: &str, verdict: Soundness) -> Set {
    Set {
        root: root.to_owned(),
        name: name.to_owned(),
        ordinal: 0,
        group: 0,
        bytes: 1,
        archives: Vec::new(),
        key: None,
        left_out: LeftOut::default(),
        verdict,
    }
}

#[test]
fn what_digests_prove_adds_up_in_any_order_and_is_told() {
    let of = |shard: &str, proven: &[(&str, u64)]| {
        let proven = proven.iter().map(|(proves, count)| ((*proves).to_owned(), *count)).collect();
        let root = Root { proven, ..root(&[shard], 3, 3, 0) };
        Report { roots: vec![root], ..Report::empty(Depth::Digest, false) }
    };
    let (one, two) = (of("1/2", &[("as recorded", 3)]), of("2/2", &[("as recorded", 1), ("as received", 2)]));
    let merged = one.clone().merge(two.clone());
    assert_eq!(merged, two.merge(one));
    let proven: Vec<(&str, u64)> = merged.roots[0].proven.iter().map(|(proves, count)| (&**proves, *count)).collect();
    assert_eq!(proven, [("as received", 2), ("as recorded", 4)]);
    let text = crate::render::text(&merged, false);
    assert!(text.contains("\n  proven: 2 as received, 4 as recorded\n"), "{text}");
    // A root of a kind that does not tell its digests apart is written as before.
    assert!(!crate::render::json(&of("1/1", &[])).contains("proven"));
    assert_eq!(crate::render::from_json(&crate::render::json(&merged)).unwrap(), merged);
}

#[test]
fn kinds_under_one_label_are_told_apart_in_any_order() {
    let other = Root { format: "another".to_owned(), ..root(&["1/1"], 2, 2, 0) };
    let of = |root: &Root| Report { roots: vec![root.clone()], ..Report::empty(Depth::Deep, false) };
    let (one, two) = (of(&root(&["1/1"], 1, 1, 0)), of(&other));
    let merged = one.clone().merge(two.clone());
    assert_eq!(merged, two.merge(one));
    assert_eq!(merged.roots.iter().map(|root| root.coverage.claims).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn the_newest_sound_point_is_that_of_each_series() {
    let mut other = root(&["1/1"], 1, 1, 0);
    other.label = "s".to_owned();
    let mut report = Report { roots: vec![root(&["1/1"], 1, 1, 0), other], ..Report::empty(Depth::Deep, false) };
    report.sets = vec![
        set("r", "vm/100/2026-01-02", Soundness::Sound),
        set("r", "vm/100/2026-01-01", Soundness::Sound),
        set("r", "vm/100/2026-01-03", Soundness::Damaged),
        set("r", "vm/2/2026-01-01", Soundness::Sound),
        set("r", "vm/3/2026-01-01", Soundness::Inconclusive),
        set("s", "2026-01-01", Soundness::Sound),
        set("s", "2026-01-02", Soundness::Sound),
    ];
    report.judge();
    let newest: Vec<&[String]> = report.roots.iter().map(|root| &*root.newest).collect();
    assert_eq!(
        newest,
        [&["vm/100/2026-01-02".to_owned(), "vm/2/2026-01-01".to_owned()][..], &["2026-01-02".to_owned()]]
    );
}

#[test]
fn all_parts_are_the_whole_and_fewer_or_more_are_not() {
    for (shards, whole, sound) in [
        (&["1/3", "2/3", "3/3"][..], true, true),
        (&["1/1"], true, true),
        (&["1/3", "3/3"], false, false),
        (&["1/2", "1/2", "2/2"], false, false),
        // Everything was looked at twice, and in two ways.
        (&["1/1", "1/2", "2/2"], false, true),
        (&[], false, false),
        (&["x"], false, false),
    ] {
        let root = root(shards, 1, 1, 0);
        let report = Report { roots: vec![root], ..Report::empty(Depth::Deep, false) }.into_whole();
        let joined = report.roots.iter().all(|root| root.shards == ["1/1"]);
        assert_eq!((joined, report.verdict == Soundness::Sound), (whole, sound), "{shards:?}");
        assert!(joined || report.roots.iter().all(|root| root.shards == shards));
    }
}

#[test]
fn shards_of_many_numbers_do_not_ask_for_memory() {
    let mut root = Root {
        label: "x".repeat(1000),
        format: "repozo".to_owned(),
        shards: (0..20_000).map(|n| format!("1/{}", u64::MAX - n)).collect(),
        coverage: Coverage::default(),
        proven: BTreeMap::new(),
        newest: Vec::new(),
        asked: None,
    };
    assert_eq!(root.lacking(true).len(), SAMPLE);
    root.shards = (0..20_000).flat_map(|n| [format!("{n}/20000"), format!("{n}/20000")]).collect();
    assert_eq!(root.lacking(true).len(), SAMPLE);
    root.shards = ["1/3", "3/3", "3/3"].map(str::to_owned).to_vec();
    assert!(root.lacking(true).iter().map(|line| line.trim_start_matches('x')).eq([" 2/3", " 3/3 twice"]));
}
