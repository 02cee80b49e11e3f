//! Reports for the tests of the renderers.

use std::collections::BTreeMap;

use crate::finding::Code;
use crate::left_out::LeftOut;
use crate::origin::Origin;
use crate::report::{Coverage, Depth, Note, Report, Root, Set, Soundness};

/// A root without sets.
pub(super) fn root(label: &str, shard: &str, claims: u64, checked: u64) -> Root {
    let coverage = Coverage { claims, checked, bytes: checked * 1_610_612_736, ..Coverage::default() };
    Root {
        label: label.to_owned(),
        format: "repozo".to_owned(),
        shards: vec![shard.to_owned()],
        coverage,
        asked: None,
        proven: BTreeMap::new(),
        newest: Vec::new(),
    }
}

/// A point in time of a root.
pub(super) fn set(root: &str, ordinal: u64, verdict: Soundness) -> Set {
    let name = format!("2026-11-{:02}-00-00-00", ordinal + 1);
    Set {
        root: root.to_owned(),
        name,
        ordinal,
        group: 0,
        bytes: 1_610_612_736,
        archives: Vec::new(),
        key: None,
        left_out: LeftOut::default(),
        verdict,
    }
}

/// A finding that hurts these points of `/srv/zodb`.
pub(super) fn note(code: Code, object: &str, offset: Option<u64>, message: &str, sets: &[&str]) -> Note {
    Note {
        root: "/srv/zodb".to_owned(),
        code,
        name: code.name().to_owned(),
        severity: code.severity(),
        object: object.to_owned(),
        offset,
        message: message.to_owned(),
        advice: code.advice().to_owned(),
        sets: sets.iter().map(|&set| set.to_owned()).collect(),
        sets_total: sets.len() as u64,
    }
}

/// A report of one root, judged.
pub(super) fn report(root: Root, sets: Vec<Set>, findings: Vec<Note>) -> Report {
    let mut report = Report::empty(Depth::Digest, false);
    for note in &findings {
        *report.tallies.entry(note.name.clone()).or_default() += 1;
    }
    (report.roots, report.sets, report.findings) = (vec![root], sets, findings);
    report.judge();
    report
}

/// Two points, all sound.
pub(super) fn sound() -> Report {
    let sets = vec![set("/srv/zodb", 0, Soundness::Sound), set("/srv/zodb", 1, Soundness::Sound)];
    report(root("/srv/zodb", "1/1", 2, 2), sets, Vec::new())
}

/// Two of three points are damaged, one file is a stray, and most of the damage is only counted.
pub(super) fn damaged() -> Report {
    let [first, second, third] = [Soundness::Sound, Soundness::Damaged, Soundness::Damaged];
    let sets = vec![set("/srv/zodb", 0, first), set("/srv/zodb", 1, second), set("/srv/zodb", 2, third)];
    let hurt = ["2026-11-02-00-00-00", "2026-11-03-00-00-00"];
    let object = "2026-11-02-00-00-00.deltafs";
    let findings = vec![
        note(Code::Digest, object, Some(123), "the MD5 is 00 instead of ff", &hurt),
        note(Code::Stray, "notes.txt", None, "no index names it", &[]),
    ];
    let mut report = report(root("/srv/zodb", "1/1", 3, 3), sets, findings);
    report.tallies.insert("digest".to_owned(), 4322);
    report.judge();
    report
}

/// One file cannot be read.
pub(super) fn inconclusive() -> Report {
    let sets = vec![set("/srv/zodb", 0, Soundness::Sound), set("/srv/zodb", 1, Soundness::Inconclusive)];
    let object = "2026-11-02-00-00-00.deltafs";
    let denied = note(Code::Unreadable, object, None, "permission denied", &["2026-11-02-00-00-00"]);
    report(root("/srv/zodb", "1/1", 2, 1), sets, vec![denied])
}

/// A sound report but for a warning, which counts.
pub(super) fn strict() -> Report {
    let stray = note(Code::Stray, "notes.txt", None, "no index names it", &[]);
    let mut report = report(root("/srv/zodb", "1/1", 1, 1), vec![set("/srv/zodb", 0, Soundness::Sound)], vec![stray]);
    report.strict = true;
    report.judge();
    report
}

/// One of three shards, sound.
pub(super) fn shard() -> Report {
    report(root("/srv/zodb", "1/3", 1, 1), vec![set("/srv/zodb", 0, Soundness::Sound)], Vec::new())
}

/// A shard to which nothing falls.
pub(super) fn idle() -> Report {
    report(root("/srv/zodb", "2/3", 0, 0), vec![set("/srv/zodb", 0, Soundness::Sound)], Vec::new())
}

/// Points of several machines in one root, and of another root: the newest of some are in doubt.
pub(super) fn several() -> Report {
    let point = |root: &str, name: &str, ordinal, verdict| Set { name: name.to_owned(), ..set(root, ordinal, verdict) };
    let sets = vec![
        point("store", "vm/100/2026-11-01T00:00:00Z", 0, Soundness::Sound),
        point("store", "vm/100/2026-11-02T00:00:00Z", 1, Soundness::Damaged),
        point("store", "vm/101/2026-11-01T00:00:00Z", 2, Soundness::Damaged),
        point("store", "vm/102/2026-11-01T00:00:00Z", 3, Soundness::Sound),
    ];
    let lost = note(Code::Missing, ".chunks/ab", None, "it is not there", &["vm/101/2026-11-01T00:00:00Z"]);
    let lost = Note { root: "store".to_owned(), ..lost };
    report(root("store", "1/1", 4, 4), sets, vec![lost])
}

/// Two of three shards, both sound.
pub(super) fn lacking() -> Report {
    let last = report(root("/srv/zodb", "3/3", 1, 1), vec![set("/srv/zodb", 0, Soundness::Sound)], Vec::new());
    shard().merge(last)
}

/// The report of two runs, which says so.
pub(super) fn stamped() -> Report {
    let origin = |host: &str, end: &str| Origin {
        start: "2026-11-03T03:30:00Z".to_owned(),
        end: end.to_owned(),
        host: host.to_owned(),
        paths: vec!["/srv/zodb".to_owned()],
        tool: "highwater".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let first = Report { origins: vec![origin("db2", "2026-11-03T03:31:00Z")], ..shard() };
    let last = report(root("/srv/zodb", "3/3", 1, 1), vec![set("/srv/zodb", 0, Soundness::Sound)], Vec::new());
    first.merge(Report { origins: vec![origin("db1", "2026-11-03T03:30:01Z")], ..last })
}

/// Everything that somebody can choose is meant to break out of its place.
pub(super) fn hostile() -> Report {
    let evil =
        "]]>\n::error::x|`<script>alert(1)</script>\r\u{1b}[2J\u{0}\u{fffe}\u{9b}\u{202e}&\"' %0A,[a](b:c)*_$@\\";
    let mut place = root(evil, "1/1", 1, 1);
    place.format = evil.to_owned();
    let mut point = set(evil, 0, Soundness::Damaged);
    point.name = evil.to_owned();
    let mut one = note(Code::Digest, evil, Some(u64::MAX), evil, &[evil]);
    one.root = evil.to_owned();
    let mut other = note(Code::Gap, evil, None, "", &[]);
    other.root = format!("{evil}/..//.");
    let mut report = report(place, vec![point], vec![one.clone(), one, other]);
    report.tallies.insert(evil.to_owned(), 1);
    report.judge();
    report.lacking.push(evil.to_owned());
    report
}

/// A hundred findings that hurt twenty points each, with long names.
pub(super) fn large() -> Report {
    let names: Vec<String> = (0..20).map(|i| format!("{i:<4096}").replace(' ', "|")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let long = "<".repeat(4096);
    let findings = (0..100).map(|i| note(Code::Digest, &long, Some(i), &long, &names)).collect();
    let sets = (0..10_000).map(|i| set("/srv/zodb", i, Soundness::Damaged)).collect();
    report(root("/srv/zodb", "1/1", 3, 3), sets, findings)
}

/// All of them.
pub(super) fn all() -> Vec<Report> {
    let nothing = Report::empty(Depth::List, false);
    let bare = report(root("/srv/empty", "1/1", 0, 0), Vec::new(), Vec::new());
    let mut newer = sound();
    newer.tallies.insert("not-yet-known".to_owned(), 3);
    newer.judge();
    let mut cut = damaged();
    cut.findings.clear();
    let [idle, several] = [idle(), several()];
    vec![
        sound(),
        damaged(),
        inconclusive(),
        strict(),
        shard(),
        idle,
        several,
        lacking(),
        stamped(),
        hostile(),
        nothing,
        bare,
        newer,
        cut,
    ]
}
