//! Plans of random histories of a bucket, carried out on a tree in memory and compared with what the tree should be.

mod prune;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::digest::{Digest, md5_of};
use crate::formats::mirror::index::tests::{points, write};
use crate::formats::mirror::index::{self, Latest, Proof, Row, Rows, Tail};
use crate::formats::mirror::names;
use crate::inventory::{self, Encryption};

/// A version in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    version: String,
    body: Option<String>,
    modified: i64,
}

/// The versions of each key, the latest last.
type Bucket = BTreeMap<String, Vec<Version>>;

/// What lies where.
type Tree = BTreeMap<String, String>;

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn sum(body: &str) -> String {
    md5_of(body.as_bytes()).to_string()
}

/// An index, as bytes and as its tail says.
struct Index {
    file: Vec<u8>,
    tail: Tail,
}

impl Index {
    fn rows(&self, each: &mut dyn FnMut(&Row<'_>)) {
        for (number, block) in self.tail.blocks().iter().enumerate() {
            let at = block.at as usize;
            let mut rows = Rows::open(&self.tail, number, &self.file[at..at + block.stored as usize]).unwrap();
            while let Some(row) = rows.row().unwrap() {
                each(&row);
            }
        }
    }
}

/// A row that lives on, of an index or of an inventory.
#[derive(Debug, Clone)]
struct Owned {
    key: String,
    version: String,
    etag: String,
    row: Row<'static>,
    spans: Vec<index::Seen>,
}

impl Owned {
    fn of(row: &Row<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            key: text(row.key),
            version: text(row.version),
            etag: text(&index::text(&row.etag)),
            spans: if let Latest::Spans(spans) = row.latest { spans.to_vec() } else { Vec::new() },
            row: Row { key: b"", version: b"", etag: Etag::Other(b""), latest: Latest::Never, ..plain(row) },
        }
        .with(row.latest)
    }

    fn with(mut self, latest: Latest<'_>) -> Self {
        self.row.latest = if latest == Latest::Seen { Latest::Seen } else { Latest::Never };
        self
    }

    fn row(&self) -> Row<'_> {
        let latest = if self.spans.is_empty() { self.row.latest } else { Latest::Spans(&self.spans) };
        let (key, version) = (self.key.as_bytes(), self.version.as_bytes());
        Row { key, version, etag: Etag::parse(self.etag.as_bytes()), latest, ..self.row }
    }
}

/// The same without what it borrows.
fn plain(row: &Row<'_>) -> Row<'static> {
    let Row { size, modified, marker, wanted, pruned, proof, own, seen, .. } = *row;
    Row {
        key: b"",
        version: b"",
        etag: Etag::Other(b""),
        size,
        modified,
        marker,
        wanted,
        pruned,
        proof,
        own,
        seen,
        latest: Latest::Never,
    }
}

/// What a plan says.
#[derive(Debug, Default)]
struct Plan {
    rows: Vec<Owned>,
    moves: Vec<(String, String, Why)>,
    /// Key, version, ETag, place, staged.
    fetches: Vec<(String, String, String, String, bool)>,
    touched: usize,
    tally: Tally,
}

fn plan(index: Option<&Index>, applied: u32, bucket: &Bucket) -> Plan {
    let (empty, mut plan) = (Tail::default(), Plan::default());
    let mut merge = index.map_or_else(|| Merge::first(&empty), |index| Merge::new(&index.tail, applied));
    let mut known: Vec<Owned> = Vec::new();
    if let Some(index) = index {
        index.rows(&mut |row| known.push(Owned::of(row)));
    }
    let Plan { rows, moves, fetches, touched, .. } = &mut plan;
    let mut each = |out: Out<'_>| match out {
        Out::Row(row) => rows.push(Owned::of(&row)),
        Out::Item(Item::Move { from, to, why }) => moves.push((from.to_string(), to.to_string(), why)),
        Out::Item(Item::Touch { .. }) => *touched += 1,
        Out::Item(Item::Remove { at, .. }) => panic!("no sync removes {at}"),
        Out::Item(Item::Fetch(fetch)) => {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let etag = text(&index::text(&fetch.etag));
            fetches.push((
                text(fetch.key),
                text(fetch.version),
                etag,
                fetch.place().unwrap().to_string(),
                fetch.staged,
            ));
        }
    };
    let keys: BTreeSet<&str> = known.iter().map(|row| &*row.key).chain(bucket.keys().map(String::as_str)).collect();
    for key in keys {
        known.iter().filter(|row| row.key == key).for_each(|row| merge.know(&row.row(), &mut each).unwrap());
        let versions = bucket.get(key).map_or(&[][..], Vec::as_slice);
        // An inventory may have them in any order.
        for (at, version) in versions.iter().enumerate() {
            let etag = version.body.as_ref().map_or(String::new(), |body| sum(body));
            let row = inventory::Row {
                key: key.as_bytes(),
                version: version.version.as_bytes(),
                latest: at + 1 == versions.len(),
                marker: version.body.is_none(),
                size: version.body.as_ref().map_or(0, |body| body.len() as u64),
                etag: etag.as_bytes(),
                modified: (version.modified, 0),
                multipart: None,
                encryption: Encryption::Plain,
                class: b"",
            };
            merge.list(&row, &mut each).unwrap();
        }
    }
    plan.tally = merge.end(&mut each);
    plan
}

/// Carries a plan out: what is new and not staged is written at once, then files are moved, then what was staged comes
/// to its place. Nothing may be in the way.
fn carry_out(plan: &Plan, bodies: &BTreeMap<String, String>, tree: &mut Tree) {
    let clear = |tree: &Tree, path: &str| {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.into_iter().all(|folder| !tree.contains_key(folder))
            && !tree.range(format!("{path}/")..format!("{path}0")).any(|_| true)
            && !tree.contains_key(path)
    };
    for (_, _, etag, to, _) in plan.fetches.iter().filter(|(.., staged)| !staged) {
        assert!(clear(tree, to), "{to} is written in place, and something is in its way: {tree:?}");
        tree.insert(to.clone(), bodies[etag].clone());
    }
    for (from, to, _) in &plan.moves {
        let body = tree.remove(from).unwrap_or_else(|| panic!("nothing is at {from}: {plan:?}"));
        assert!(clear(tree, to), "{from} moves to {to}, and something is in its way: {tree:?}");
        tree.insert(to.clone(), body);
    }
    for (_, _, etag, to, _) in plan.fetches.iter().filter(|(.., staged)| *staged) {
        assert!(clear(tree, to), "{to} comes to its place, and something is in its way: {tree:?}");
        tree.insert(to.clone(), bodies[etag].clone());
    }
}

/// What the tree should be, from all that was ever listed and what is the latest.
fn wanted(ever: &BTreeSet<(String, String, String)>, latest: &BTreeMap<String, (String, String)>) -> Tree {
    let is_folder = |key: &str| ever.iter().any(|(other, ..)| other.starts_with(&format!("{key}/")));
    let place = |(key, version, body): &(String, String, String)| {
        let name = if latest.get(key) == Some(&(version.clone(), body.clone())) {
            names::latest(key.as_bytes(), is_folder(key))
        } else {
            names::old(key.as_bytes(), version.as_bytes(), sum(body).as_bytes())
        };
        (name.unwrap().to_string(), body.clone())
    };
    ever.iter().map(place).collect()
}

const KEYS: [&str; 9] = ["a", "a-", "a-x", "a/b", "a/b/c", "a/", "a0", "b", "a/b-c/d"];

/// Something happens in the bucket.
fn happen(bucket: &mut Bucket, dice: &mut Dice, clock: i64) {
    let key = KEYS[dice.below(KEYS.len())].to_owned();
    let versions = bucket.entry(key.clone()).or_default();
    let body = || format!("{key} at {clock}");
    match dice.below(10) {
        0..=3 => versions.push(Version { version: format!("v{clock}"), body: Some(body()), modified: clock }),
        4 => versions.push(Version { version: format!("v{clock}"), body: None, modified: clock }),
        5 => {
            versions.retain(|version| version.version != "null");
            versions.push(Version { version: "null".to_owned(), body: Some(body()), modified: clock });
        }
        // An upload in parts that was begun long ago.
        6 => versions.push(Version { version: format!("v{clock}"), body: Some(body()), modified: clock - 50 }),
        // Somebody undeletes, or a rule removes the oldest, or all of it.
        7 => _ = versions.pop(),
        8 if !versions.is_empty() => _ = versions.remove(0),
        _ => versions.clear(),
    }
    bucket.retain(|_, versions| !versions.is_empty());
}

#[test]
fn random_histories_are_followed_and_every_point_can_be_shown_again() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let (mut bucket, mut tree) = (Bucket::new(), Tree::new());
        let (mut ever, mut bodies) = (BTreeSet::new(), BTreeMap::new());
        let (mut index, mut applied): (Option<Index>, u32) = (None, 0);
        let mut history: Vec<BTreeMap<String, (String, String)>> = Vec::new();
        for point in 0..8_u32 {
            for step in (0_i64..).take(dice.below(8)) {
                happen(&mut bucket, &mut dice, 1000 + i64::from(point) * 10 + step);
            }
            let mut latest = BTreeMap::new();
            for (key, versions) in &bucket {
                for version in versions {
                    if let Some(body) = &version.body {
                        ever.insert((key.clone(), version.version.clone(), body.clone()));
                        bodies.insert(sum(body), body.clone());
                    }
                }
                let last = versions.last().unwrap();
                latest.extend(last.body.clone().map(|body| (key.clone(), (last.version.clone(), body))));
            }
            let before = tree.clone();
            let plan = plan(index.as_ref(), applied, &bucket);
            carry_out(&plan, &bodies, &mut tree);
            history.push(latest);
            assert_eq!(tree, wanted(&ever, &history[point as usize]), "seed {seed}, point {point}: {before:?}");
            assert_eq!((plan.tally.twice, plan.tally.unclear), (0, 0));
            assert_eq!(plan.tally.fetched as usize, plan.fetches.len());
            // What was fetched is had.
            let rows: Vec<Row<'_>> = plan
                .rows
                .iter()
                .map(Owned::row)
                .map(|row| if row.wanted { Row { wanted: false, proof: Proof::Md5, ..row } } else { row })
                .collect();
            let (file, tail) = write(points(point + 1), &rows);
            let objects = tail.points.iter().map(|point| point.objects as usize);
            assert!(objects.eq(history.iter().map(BTreeMap::len)), "{:?}", tail.points);
            index = Some(Index { file, tail });
            applied = point;
            let index = index.as_ref().unwrap();
            // Back to any point, and on from there at times.
            let back = dice.below(history.len());
            let mut rolled = tree.clone();
            let (mut moves, mut places) = (Vec::new(), BTreeSet::new());
            index.rows(&mut |row| {
                let aside = index.tail.is_aside(row.key);
                if let (Some(from), Some(to)) = (row.place(applied, aside), row.place(back as u32, aside)) {
                    assert!(places.insert(to.clone()), "{to} twice");
                    moves.extend((from != to).then(|| (from.to_string(), to.to_string())));
                }
            });
            let taken: Vec<String> = moves.iter().map(|(from, _)| rolled.remove(from).unwrap()).collect();
            moves.iter().zip(taken).for_each(|((_, to), body)| assert_eq!(rolled.insert(to.clone(), body), None));
            assert_eq!(rolled, wanted(&ever, &history[back]), "seed {seed}, from {point} back to {back}");
            if dice.below(3) == 0 {
                (tree, applied) = (rolled, back as u32);
            }
        }
    }
}

#[test]
fn an_inventory_that_says_nothing_new_asks_for_nothing() {
    let version =
        |version: &str, body: &str| Version { version: version.to_owned(), body: Some(body.to_owned()), modified: 5 };
    let bucket = Bucket::from([
        ("a".to_owned(), vec![version("v1", "x"), version("v2", "y")]),
        ("a/b".to_owned(), vec![version("null", "z")]),
    ]);
    let first = plan(None, 0, &bucket);
    assert_eq!((first.fetches.len(), first.moves.len(), first.tally.fetched, first.tally.bytes), (3, 0, 3, 3));
    // Nothing is staged where nothing was before.
    assert!(first.fetches.iter().all(|(.., staged)| !staged), "{:?}", first.fetches);
    let place = |plan: &Plan, version: &str| plan.fetches.iter().find(|fetch| fetch.1 == version).unwrap().3.clone();
    assert_eq!((place(&first, "v2"), place(&first, "null")), ("%hwfa".to_owned(), "a/b".to_owned()));
    let had = |plan: &Plan| {
        let rows: Vec<Row<'_>> =
            plan.rows.iter().map(Owned::row).map(|row| Row { wanted: false, proof: Proof::Md5, ..row }).collect();
        let (file, tail) = write(points(rows[0].seen.last + 1), &rows);
        Index { file, tail }
    };
    let index = had(&first);
    let again = plan(Some(&index), 0, &bucket);
    assert_eq!((again.fetches.len(), again.moves.len(), again.touched, again.tally.vanished), (0, 0, 0, 0));
    assert!(again.rows.iter().all(|row| row.row.seen == index::Seen { first: 0, last: 1 }));
    // What vanishes stays; if it was the latest, under its older name.
    let gone = plan(Some(&index), 0, &Bucket::new());
    assert_eq!((gone.tally.vanished, gone.fetches.len()), (3, 0));
    assert!(gone.moves.iter().all(|(.., why)| *why == Why::Retired) && gone.moves.len() == 2, "{:?}", gone.moves);
    // A file that becomes a folder too moves aside, and what comes into the folder waits until it did.
    let file = Bucket::from([("a".to_owned(), vec![version("v1", "x")])]);
    let index = had(&plan(None, 0, &file));
    let both = Bucket::from([
        ("a".to_owned(), vec![version("v1", "x")]),
        ("a-".to_owned(), vec![version("v", "u")]),
        ("a/b".to_owned(), vec![version("v", "w")]),
    ]);
    let both = plan(Some(&index), 0, &both);
    assert_eq!(both.moves, [("a".to_owned(), "%hwfa".to_owned(), Why::Aside)]);
    let staged: Vec<bool> = both.fetches.iter().map(|fetch| fetch.4).collect();
    assert_eq!((staged, both.fetches[1].3.as_str()), (vec![false, true], "a/b"));
}

#[test]
fn rows_that_contradict_each_other_have_one_outcome() {
    let empty = Tail::default();
    let row = |version: &'static [u8], latest, modified, size| inventory::Row {
        key: b"k",
        version,
        latest,
        marker: false,
        size,
        etag: b"fbebe2d44529d0a25247e8b5bca5956b",
        modified: (modified, 0),
        multipart: None,
        encryption: Encryption::Plain,
        class: b"",
    };
    let run = |rows: &[inventory::Row<'_>]| {
        let (mut merge, mut latest) = (Merge::first(&empty), Vec::new());
        let mut each = |out: Out<'_>| {
            if let Out::Row(row) = out {
                latest.extend((row.latest == Latest::Seen).then(|| row.version.to_vec()));
            }
        };
        rows.iter().for_each(|row| merge.list(row, &mut each).unwrap());
        let tally = merge.end(&mut each);
        (latest, tally)
    };
    for rows in [
        [row(b"1", true, 5, 1), row(b"2", true, 9, 1), row(b"3", false, 11, 1)],
        [row(b"2", true, 9, 1), row(b"3", false, 11, 1), row(b"1", true, 5, 1)],
    ] {
        let (latest, tally) = run(&rows);
        assert_eq!((latest, tally.unclear), (vec![b"2".to_vec()], 1));
    }
    let (latest, tally) = run(&[row(b"1", false, 5, 1), row(b"2", false, 9, 1)]);
    assert_eq!((latest, tally.unclear), (vec![b"2".to_vec()], 1));
    // The same row in two lists.
    let (latest, tally) = run(&[row(b"1", true, 5, 1), row(b"1", true, 5, 1)]);
    assert_eq!((latest.len(), tally.twice, tally.listed, tally.fetched), (1, 1, 2, 1));
    // Rows that go back.
    let mut merge = Merge::first(&empty);
    merge.list(&row(b"1", true, 5, 1), &mut |_| {}).unwrap();
    let before = inventory::Row { key: b"j", ..row(b"1", true, 5, 1) };
    assert!(merge.list(&before, &mut |_| {}).unwrap_err().contains("not sorted"));
}

#[test]
fn what_was_not_had_is_asked_for_again_and_a_lie_about_its_length_too() {
    let Digest::Md5(sum) = md5_of(b"x") else { panic!("an MD5") };
    let row = |key, wanted, size| Row {
        wanted,
        proof: if wanted { Proof::Nothing } else { Proof::Md5 },
        size,
        etag: Etag::Plain(sum),
        seen: index::Seen { first: 0, last: 0 },
        ..index::tests::row(key, b"v")
    };
    let (file, tail) = write(points(1), &[row(b"a", true, 1), row(b"b", false, 7), row(b"c", false, 1)]);
    let version =
        |_: &str| vec![Version { version: "v".to_owned(), body: Some("x".to_owned()), modified: 1_649_541_134 }];
    let bucket: Bucket = ["a", "b", "c"].map(|key| (key.to_owned(), version(key))).into();
    let plan = plan(Some(&Index { file, tail }), 0, &bucket);
    let found: Vec<(&str, bool)> = plan.fetches.iter().map(|fetch| (&*fetch.0, fetch.4)).collect();
    assert_eq!((found, plan.tally.again), (vec![("a", false), ("b", true)], 2));
    // Its time alone differs.
    let bucket: Bucket = [("c".to_owned(), vec![Version { modified: 7, ..version("c")[0].clone() }])].into();
    let (file, tail) = write(points(1), &[row(b"c", false, 1)]);
    let plan = self::plan(Some(&Index { file, tail }), 0, &bucket);
    assert_eq!((plan.touched, plan.fetches.len(), plan.moves.len()), (1, 0, 0));
}
