//! Ten ways of damage and flips at named places, in each kind of file.

use super::redundant;
use crate::repo::{Fixture, Image, load};
use crate::specimens::Row;

const ALL_WAYS: [&str; 10] =
    ["flip", "truncate", "extend", "delete", "duplicate", "swap", "rename", "zero-fill", "stale", "empty"];

/// A file of a repository that is to be damaged.
struct Target {
    kind: &'static str,
    name: &'static str,
    /// Whose content it changes places with.
    neighbour: &'static str,
    /// A stale copy of it: what it held one backup earlier, or for a file that never changes, what the one before it
    /// holds.
    older: Vec<u8>,
    /// The repository around it.
    files: Image,
}

/// Every kind of file that a repository can hold.
///
/// Two chains. First: `.fsz` at minute 1, `.deltafsz`, `.deltafs`. Second: `.fs` at minute 4, `.deltafs`, `.deltafsz`,
/// `.deltafs`; for the last `.deltafsz` also that one at minute 8. The lock, the work file and the orphan (a data file
/// that an interrupted run did not list) each come to the repository of two chains by themselves.
fn targets() -> Vec<Target> {
    let mut fixture = Fixture::new();
    let mut step = |flags: &[&str]| {
        fixture.grow(2);
        fixture.backup(flags);
        let mut files = load(&fixture.repo);
        files.remove(".highwater.lock");
        files
    };
    let mut last = Image::new();
    for flags in [&["-z"][..], &["-z=9"], &[], &["-F"], &[], &["-z"], &[]] {
        last = step(flags);
    }
    let (whole, longer) = (last, step(&["-z"]));
    let next = longer["2026-03-01-00-08-00.deltafsz"].clone();
    let with = |name: &str, bytes: &[u8]| {
        let mut files = whole.clone();
        files.insert(name.to_owned(), bytes.to_vec());
        files
    };
    let shorter = |name: &str| {
        let lines: Vec<&[u8]> = whole[name].split_inclusive(|byte| *byte == b'\n').collect();
        lines[..lines.len() - 1].concat()
    };
    let of = |name: &str| whole[name].clone();
    let target =
        |kind, name, neighbour, older, files: &Image| Target { kind, name, neighbour, older, files: files.clone() };
    let [fs, dat, old_dat] = ["2026-03-01-00-04-00.fs", "2026-03-01-00-04-00.dat", "2026-03-01-00-01-00.dat"];
    let [two, three, five] =
        ["2026-03-01-00-02-00.deltafsz", "2026-03-01-00-03-00.deltafs", "2026-03-01-00-05-00.deltafs"];
    let [six, seven, eight] =
        ["2026-03-01-00-06-00.deltafsz", "2026-03-01-00-07-00.deltafs", "2026-03-01-00-08-00.deltafsz"];
    let [index, last_index] = ["2026-03-01-00-05-00.index", "2026-03-01-00-07-00.index"];
    let (lock, work) = (".highwater.lock", "2026-03-01-00-08-00.deltafsz.highwater-tmp");
    let [held, before] = ["pid 5 on host since 2026-03-01-00-07-00\n", "pid 4 on host since 2026-03-01-00-05-00\n"];
    vec![
        target("full .fs", fs, five, of(fs)[..900].to_vec(), &whole),
        target(".deltafs", five, seven, of(three), &whole),
        target("last .deltafs", seven, six, of(five), &whole),
        target(".fsz", "2026-03-01-00-01-00.fsz", six, of(six), &whole),
        target(".deltafsz", two, six, of(six), &whole),
        target("last .deltafsz", eight, seven, of(six), &longer),
        target(".dat", dat, old_dat, shorter(dat), &whole),
        target("old .dat", old_dat, dat, shorter(old_dat), &whole),
        target(".index", index, last_index, of("2026-03-01-00-04-00.index"), &whole),
        target("last .index", last_index, index, of(index), &whole),
        target("lock", lock, dat, before.into(), &with(lock, held.as_bytes())),
        target("work file", work, seven, next[..20].to_vec(), &with(work, &next[..next.len() / 2])),
        target("orphan", eight, seven, of(six), &with(eight, &next)),
    ]
}

/// Damages one file of a repository in one way.
fn damage(way: &str, target: &Target) -> Image {
    let (name, mut files) = (target.name, target.files.clone());
    let bytes = files[name].clone();
    let suffix = name.split_once('.').expect("a stamp and a suffix").1;
    let half = bytes.len() / 2;
    let mut put = |bytes: Vec<u8>| _ = files.insert(name.to_owned(), bytes);
    match way {
        "flip" => {
            let mut flipped = bytes;
            // In the index: the sum of the last line, since the paths mean nothing. In gzip: the CRC-32.
            let place = match suffix {
                "dat" => flipped.len() - 9,
                _ if suffix.ends_with('z') => flipped.len() - 6,
                _ => half,
            };
            flipped[place] ^= 1;
            put(flipped);
        }
        "truncate" => put(bytes[..half].to_vec()),
        "extend" => put([&bytes[..], b"more"].concat()),
        "zero-fill" => put(vec![0; bytes.len()]),
        "empty" => put(Vec::new()),
        "stale" => put(target.older.clone()),
        "delete" => _ = files.remove(name),
        "duplicate" => _ = files.insert(format!("2026-03-01-00-09-00.{suffix}"), bytes),
        "rename" => {
            files.remove(name);
            files.insert(format!("2026-03-01-00-09-00.{suffix}"), bytes);
        }
        "swap" => {
            let other = files.insert(target.neighbour.to_owned(), bytes).expect("a neighbour");
            files.insert(name.to_owned(), other);
        }
        _ => unreachable!("no such way: {way}"),
    }
    files
}

/// Named places of a file, and which bits to flip there.
fn places(target: &Target) -> Vec<(&'static str, usize, u8)> {
    let bytes = &target.files[target.name];
    let end = bytes.len();
    let mut places = vec![("first byte", 0, 1), ("last byte", end - 1, 1)];
    if !target.name.ends_with(".dat") {
        // Where the middle of an index is depends on the path of the repository.
        places.push(("middle", end / 2, 1));
    }
    match target.name.rsplit('.').next().expect("a suffix") {
        "fs" => places.extend([("first tid", 4, 1), ("status", 4 + 16, 1), ("record's oid", 4 + 23 + 7, 1)]),
        "deltafs" => places.extend([("tid", 7, 1), ("length", 15, 1), ("status", 16, 1), ("length again", end - 2, 1)]),
        "fsz" | "deltafsz" => places.extend([
            ("method", 2, 1),
            ("flag FTEXT", 3, 1),
            ("flag FEXTRA", 3, 4),
            ("a reserved flag", 3, 0x80),
            ("time", 4, 1),
            ("hints", 8, 1),
            ("system", 9, 1),
            ("FEXTRA: length", 10, 1),
            ("subfield: name", 12, 1),
            ("subfield: length", 14, 1),
            ("member's length", 16, 1),
            ("plain length", 20, 1),
            ("deflate: block", 24, 1),
            ("deflate: body", body(target.name, bytes), 1),
            ("deflate: end", end - 9, 1),
            ("CRC-32", end - 8, 1),
            ("ISIZE", end - 4, 1),
        ]),
        "dat" => {
            let first = bytes.iter().position(|byte| *byte == b'\n').expect("a line");
            let second = first + 1;
            let end = second + bytes[second..].iter().position(|byte| *byte == b'\n').expect("a second line");
            let text = std::str::from_utf8(&bytes[second..end]).expect("text");
            let [sum, to, from] = {
                let mut at = text.len();
                std::array::from_fn(|_| {
                    at = text[..at].rfind(' ').expect("a field");
                    second + at + 1
                })
            };
            let slash = second + text.rfind('/').expect("a path");
            places.extend([
                ("full's end", bytes[..first - 33].iter().rposition(|byte| *byte == b' ').expect("a field") + 1, 1),
                ("full's sum", first - 1, 1),
                ("line feed", first, 1),
                ("path: folder", second + 1, 1),
                ("path: slash", slash, 1),
                ("path: stamp", slash + 19, 1),
                ("path: suffix", from - 2, 1),
                ("space", from - 1, 1),
                ("start: first", from, 1),
                ("start: last", to - 2, 1),
                ("end: first", to, 1),
                ("end: last", sum - 2, 1),
                ("sum", sum, 1),
                ("last line feed", bytes.len() - 1, 1),
            ]);
        }
        "index" => places.extend([("protocol", bytes.iter().position(|byte| *byte == 0x80).expect("a pickle"), 1)]),
        _ => {}
    }
    places
}

/// The first byte from the middle of a deflate stream on whose lowest bit is not redundant: there are some, where a
/// match at another distance gives the same bytes.
fn body(name: &str, bytes: &[u8]) -> usize {
    let counts = |at: &usize| {
        let mut changed = bytes.to_vec();
        changed[*at] ^= 1;
        redundant(name, *at, bytes, &changed).is_none()
    };
    ((24 + bytes.len() - 8) / 2..bytes.len() - 8).find(counts).expect("a byte that counts")
}

/// Every damage, and what verify must say.
pub(super) fn rows() -> Vec<Row> {
    let targets = targets();
    let ways = ALL_WAYS.iter().flat_map(|way| {
        targets.iter().map(move |target| (format!("{way:<10} {:<14}", target.kind), damage(way, target)))
    });
    let flips = targets.iter().flat_map(|target| {
        places(target).into_iter().map(move |(place, at, mask)| {
            let mut files = target.files.clone();
            files.get_mut(target.name).expect("it is there")[at] ^= mask;
            (format!("{:<14} {place:<17}", target.kind), files)
        })
    });
    Row::all(ways.chain(flips), include_str!("matrix.txt"))
}
