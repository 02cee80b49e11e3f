//! What is old is forgotten, amid random histories and in cases that were thought of.

use super::super::{Prune, Pruned};
use super::*;
use crate::formats::mirror::index::{Point, Seen};

/// When the first of [`points`] was: seconds since 1970. The others follow it day by day.
const FIRST: i64 = 1_704_070_800;
const DAY: i64 = 86_400;

/// What a prune makes of an index: the next one, the files that go, and how much that is.
fn prune(index: &Index, shown: u32, until: i64) -> (Index, Vec<(String, u64)>, Pruned) {
    let mut prune = Prune::new(&index.tail, shown, until);
    let points: Vec<Point> = prune.stays().map(|(point, _)| point.clone()).collect();
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    let mut each = |out: Out<'_>| match out {
        Out::Row(row) => rows.push(Owned::of(&row)),
        Out::Item(Item::Remove { at, size }) => gone.push((at.to_string(), size)),
        Out::Item(other) => panic!("{other:?}"),
    };
    index.rows(&mut |row| prune.take(row, &mut each));
    let pruned = prune.end(&mut each);
    let rows: Vec<Row<'_>> = rows.iter().map(Owned::row).collect();
    let (file, tail) = write(points, &rows);
    // What they show, they show still.
    let stays: Vec<&Point> = index.tail.points.iter().filter(|one| tail.number(&one.name).is_some()).collect();
    assert_eq!(tail.points.iter().collect::<Vec<_>>(), stays);
    (Index { file, tail }, gone, pruned)
}

/// The files that an index tells of when the tree shows a point, and the bodies by their ETags.
fn tree_of(index: &Index, shown: u32, bodies: &BTreeMap<String, String>) -> Tree {
    let mut tree = Tree::new();
    index.rows(&mut |row| {
        let body = bodies.get(&Owned::of(row).etag);
        if let Some(place) = row.place(shown, index.tail.is_aside(row.key)).filter(|_| !row.wanted) {
            assert_eq!(tree.insert(place.to_string(), body.unwrap().clone()), None, "{place} twice");
        }
    });
    tree
}

/// What a reader gets in a point.
fn shown_in(index: &Index, point: u32, bodies: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    index.rows(&mut |row| {
        if row.is_latest(point) && !row.marker {
            assert!(!row.pruned);
            let row = Owned::of(row);
            assert_eq!(shown.insert(row.key, bodies[&row.etag].clone()), None);
        }
    });
    shown
}

/// Versions by key, version and body.
type Which = (String, String, String);

fn latest_of(bucket: &Bucket) -> BTreeSet<Which> {
    let last = |(key, versions): (&String, &Vec<Version>)| {
        let last = versions.last()?;
        Some((key.clone(), last.version.clone(), last.body.clone()?))
    };
    bucket.iter().filter_map(last).collect()
}

#[test]
fn random_histories_are_forgotten_up_to_a_moment_and_no_further() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let (mut bucket, mut tree, mut bodies) = (Bucket::new(), Tree::new(), BTreeMap::new());
        let (mut index, mut applied): (Option<Index>, u32) = (None, 0);
        // What a reader got in each point, by its name; and when a version was not the latest any more, for the first
        // time since a point that shows it: nobody knows what was between two points.
        let mut history: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut ceased: BTreeMap<Which, i64> = BTreeMap::new();
        let (mut gone, mut oldest): (BTreeSet<String>, i64) = (BTreeSet::new(), i64::MIN);
        for (number, name) in (0..).zip(points(9).into_iter().map(|point| point.name)) {
            let time = FIRST + DAY * number;
            for step in (0..).take(dice.below(8)) {
                let clock = time - 40_000 + step * 20;
                let before = latest_of(&bucket);
                happen(&mut bucket, &mut dice, clock);
                let after = latest_of(&bucket);
                before.difference(&after).for_each(|which| _ = ceased.entry(which.clone()).or_insert(clock));
            }
            let latest = latest_of(&bucket);
            ceased.retain(|which, _| !latest.contains(which));
            for version in bucket.values().flatten() {
                bodies.extend(version.body.clone().map(|body| (sum(&body), body)));
            }
            let plan = plan(index.as_ref(), applied, &bucket);
            let latest: BTreeSet<String> = latest.iter().map(|(.., body)| sum(body)).collect();
            for (key, _, etag, ..) in &plan.fetches {
                assert!(!gone.contains(etag) || latest.contains(etag), "seed {seed}: {key} is fetched again");
            }
            gone.retain(|body| plan.fetches.iter().all(|(_, _, etag, ..)| etag != body));
            carry_out(&plan, &bodies, &mut tree);
            let rows: Vec<Row<'_>> = plan
                .rows
                .iter()
                .map(Owned::row)
                .map(|row| if row.wanted { Row { wanted: false, proof: Proof::Md5, ..row } } else { row })
                .collect();
            let mut all = index.map_or(Vec::new(), |index| index.tail.points);
            all.push(Point { name: name.clone(), ..points(1)[0].clone() });
            let (file, tail) = write(all, &rows);
            let mut now = Index { file, tail };
            applied = now.tail.newest();
            assert_eq!(tree, tree_of(&now, applied, &bodies), "seed {seed}, {name}");
            let shown = latest_of(&bucket).into_iter().map(|(key, _, body)| (key, body)).collect();
            history.insert(name.clone(), shown);
            if dice.below(2) == 0 {
                let days = [0, 1, 2, 3][dice.below(4)];
                let until = time - DAY * days - [0, 39_970][dice.below(2)];
                let (next, files, pruned) = prune(&now, applied, until);
                oldest = oldest.max(until);
                assert_eq!((pruned.versions as usize, pruned.wanted), (files.len(), 0));
                for (path, size) in files {
                    let body = tree.remove(&path).unwrap_or_else(|| panic!("seed {seed}: nothing is at {path}"));
                    assert_eq!(body.len() as u64, size);
                    gone.insert(sum(&body));
                }
                let names: Vec<&String> = next.tail.points.iter().map(|point| &point.name).collect();
                history.retain(|name, _| names.contains(&name));
                assert_eq!(history.len(), names.len());
                let held: BTreeSet<&String> = tree.values().collect();
                for ((key, version, body), when) in &ceased {
                    let is_shown = history.values().any(|shown| shown.get(key) == Some(body));
                    let (is_there, told) =
                        (held.contains(body), format!("seed {seed}: {key} {version} {when} {until}"));
                    // A version that vanished did so at some time of a day.
                    assert!(!gone.contains(&sum(body)) || when - DAY < oldest && !is_shown, "{told} went");
                    assert!(!is_there || is_shown || when + DAY >= until, "{told} stays");
                }
                now = next;
                applied = now.tail.newest();
                assert_eq!(tree, tree_of(&now, applied, &bodies), "seed {seed}, {name}: what is there");
            }
            for (point, shown) in (0..).zip(history.values()) {
                assert_eq!(shown_in(&now, point, &bodies), *shown, "seed {seed}, {name}: point {point}");
            }
            index = Some(now);
        }
    }
}

fn had(key: &'static [u8], version: &'static [u8], modified: i64, seen: (u32, u32)) -> Row<'static> {
    Row {
        modified: (FIRST + modified, 0),
        seen: Seen { first: seen.0, last: seen.1 },
        latest: Latest::Never,
        ..index::tests::row(key, version)
    }
}

fn told(index: &Index) -> Vec<String> {
    let mut told = Vec::new();
    index.rows(&mut |row| {
        let (key, version) = (String::from_utf8_lossy(row.key), String::from_utf8_lossy(row.version));
        let mark = if row.pruned { "-" } else { "" };
        told.push(format!("{mark}{key} {version} {}..{}", row.seen.first, row.seen.last));
    });
    told
}

#[test]
fn a_version_goes_when_its_successor_is_old_and_says_so_as_long_as_it_is_listed() {
    static FIRST_TWO: [Seen; 1] = [Seen { first: 0, last: 1 }];
    let rows = [
        // Replaced shortly after the second point, and listed still.
        Row { latest: Latest::Spans(&FIRST_TWO), ..had(b"k", b"v1", -10, (0, 3)) },
        Row { latest: Latest::Seen, ..had(b"k", b"v2", DAY + 10, (2, 3)) },
        // The same, but listed no more.
        Row { latest: Latest::Seen, ..had(b"l", b"v1", -10, (0, 1)) },
        Row { latest: Latest::Seen, ..had(b"l", b"v2", DAY + 10, (2, 3)) },
        // Never the latest in any point.
        had(b"m", b"v1", DAY + 5, (2, 3)),
        Row { latest: Latest::Seen, ..had(b"m", b"v2", DAY + 10, (2, 3)) },
        // It vanished.
        Row { latest: Latest::Seen, ..had(b"n", b"v1", -10, (0, 1)) },
    ];
    let (file, tail) = write(points(4), &rows);
    let index = Index { file, tail };
    let at = |until: i64| prune(&index, 3, FIRST + until);
    let (same, files, pruned) = at(0);
    assert_eq!((files.len(), pruned, same.tail.points.len()), (0, Pruned::default(), 4));
    // Of the moment itself, nothing goes that ceased then. What is of no point any more is of the next one.
    let (next, files, pruned) = at(DAY + 10);
    assert_eq!((files.len(), pruned.versions, pruned.forgotten, next.tail.points.len()), (1, 1, 1, 2));
    assert_eq!(told(&next), ["k v1 0..1", "k v2 0..1", "l v1 0..0", "l v2 0..1", "m v1 0..1", "m v2 0..1"]);
    let (next, files, pruned) = at(DAY + 11);
    assert_eq!((files.len(), pruned.versions, pruned.bytes, pruned.forgotten), (4, 4, 4 * 904, 2));
    assert_eq!(told(&next), ["-k v1 0..1", "k v2 0..1", "l v2 0..1", "-m v1 0..1", "m v2 0..1"]);
    assert_eq!((next.tail.totals.pruned(), next.tail.totals.bytes), (2, 3 * 904));
    // The point that the tree shows stays, with all that it shows; and so does the newest.
    let (next, files, _) = prune(&index, 0, FIRST + 99 * DAY);
    assert_eq!((files.len(), next.tail.points.len()), (1, 2));
    let (next, files, _) = at(99 * DAY);
    assert_eq!((files.len(), next.tail.points.len()), (4, 1));
    assert_eq!(told(&next), ["-k v1 0..0", "k v2 0..0", "l v2 0..0", "-m v1 0..0", "m v2 0..0"]);
}

#[test]
fn marks_stay_as_long_as_they_are_needed_and_what_was_never_had_goes_too() {
    let mark = |key, version, modified, seen| Row {
        marker: true,
        proof: Proof::Nothing,
        etag: Etag::Other(b""),
        size: 0,
        ..had(key, version, modified, seen)
    };
    let never = |row| Row { wanted: true, proof: Proof::Nothing, ..row };
    let rows = [
        Row { latest: Latest::Seen, ..had(b"k", b"v1", -10, (0, 0)) },
        mark(b"k", b"v2", DAY - 10, (1, 1)),
        Row { latest: Latest::Seen, ..had(b"l", b"v1", -10, (0, 0)) },
        mark(b"l", b"v2", 5, (1, 1)),
        mark(b"m", b"v1", 5, (0, 2)),
        never(had(b"n", b"v1", -10, (0, 2))),
        Row { latest: Latest::Seen, ..never(had(b"n", b"v2", 5, (1, 2))) },
        Row { latest: Latest::Seen, ..never(had(b"o", b"v1", -10, (0, 0))) },
        Row { latest: Latest::Seen, ..had(b"o", b"v2", DAY - 5, (1, 2)) },
    ];
    let (file, tail) = write(points(3), &rows);
    let index = Index { file, tail };
    let (next, files, pruned) = prune(&index, 2, FIRST + DAY / 2);
    assert_eq!((files.len(), pruned.versions, pruned.wanted, next.tail.points.len()), (1, 1, 2, 2));
    assert_eq!(
        told(&next),
        ["k v1 0..0", "k v2 0..0", "m v1 0..1", "-n v1 0..1", "n v2 0..1", "o v2 0..1"],
        "what says when k v1 went stays"
    );
    assert_eq!((next.tail.totals.wanted, next.tail.totals.pruned()), (1, 1));
    let (next, ..) = prune(&index, 2, FIRST + 9 * DAY);
    assert_eq!(told(&next), ["m v1 0..0", "-n v1 0..0", "n v2 0..0", "o v2 0..0"]);
}

#[test]
fn what_makes_a_file_lie_aside_stays_known_until_the_next_sync_moves_it() {
    let rows = [
        Row { latest: Latest::Seen, ..had(b"a", b"v1", -10, (0, 1)) },
        Row { latest: Latest::Seen, ..had(b"a/b", b"v1", -10, (0, 0)) },
    ];
    let (file, tail) = write(points(2), &rows);
    let (next, files, _) = prune(&Index { file, tail }, 1, FIRST + 9 * DAY);
    assert_eq!(files.len(), 1);
    assert_eq!(told(&next), ["a v1 0..0", "-a/b v1 0..0"]);
    assert!(next.tail.is_aside(b"a"));
    let mut merge = Merge::new(&next.tail, 0);
    let (mut rows, mut moves) = (Vec::new(), Vec::new());
    let mut each = |out: Out<'_>| match out {
        Out::Row(row) => rows.push(row.key.to_vec()),
        Out::Item(Item::Move { from, to, why }) => moves.push((from.to_string(), to.to_string(), why)),
        Out::Item(other) => panic!("{other:?}"),
    };
    next.rows(&mut |row| {
        merge.know(row, &mut each).unwrap();
        let text = index::text(&row.etag);
        let listed = inventory::Row {
            key: row.key,
            version: row.version,
            latest: true,
            marker: false,
            size: row.size,
            etag: &text,
            modified: row.modified,
            multipart: None,
            encryption: Encryption::Plain,
            class: b"",
        };
        if row.key == b"a" {
            merge.list(&listed, &mut each).unwrap();
        }
    });
    let tally = merge.end(&mut each);
    assert_eq!((rows, tally.fetched, tally.vanished), (vec![b"a".to_vec()], 0, 0));
    assert_eq!(moves, [("%hwfa".to_owned(), "a".to_owned(), Why::Aside)]);
}
