//! Trees inside datastores: what is sound is called so, whatever is wrong is found, and nothing that an archive says
//! costs more than its bytes.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]

use std::collections::BTreeMap;
use std::ops::Range;

use highwater_core::finding::Code;
use highwater_core::formats::datastore::Odd;
use highwater_core::formats::datastore::pxar::Reader;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::dice::Dice;
use highwater_tests::memory::Host;
use highwater_tests::repo::Image;
use highwater_tests::score::size;
use highwater_tests::trees::{
    Archive, ENTRY, Entry, GOODBYE, HARD, NAME, PAYLOAD, SNAPSHOT, What, archive, entry, goodbye, hash, item, random,
    read, sample, store,
};

/// Every entry of an archive that is read in one piece, and what is wrong.
fn whole(archive: &Archive) -> (Vec<(Vec<u8>, String)>, Vec<Odd>) {
    read(archive, &mut || usize::MAX, false)
}

#[test]
fn sound_trees_of_every_shape_are_read_however_they_come() {
    let trees = size(300, 10_000);
    for seed in 0..trees {
        let mut dice = Dice::new(seed);
        let (split, old) = (dice.below(2) == 0, dice.below(3) == 0);
        let made = archive(&random(&mut dice), split, old);
        let (members, odds) = whole(&made);
        assert_eq!((&members, &odds[..]), (&made.members, &[][..]), "seed {seed}");
        for skip in [false, true] {
            let mut cut = || 1 + dice.below(90) as usize;
            assert_eq!(read(&made, &mut cut, skip), (members.clone(), Vec::new()), "seed {seed}");
        }
    }
    println!("{trees} trees were read without a complaint");
}

#[test]
fn every_bit_but_those_that_nothing_covers_is_found() {
    let (mut found, mut free) = (0, BTreeMap::new());
    for (split, old) in [(false, false), (false, true), (true, false)] {
        let made = archive(&sample(), split, old);
        assert_eq!(whole(&made), (made.members.clone(), Vec::new()));
        for (at, bit) in (0..made.tree.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut harmed = made.clone();
            harmed.tree[at] ^= 1 << bit;
            let (_, odds) = whole(&harmed);
            // The highest four bits of a mode are no permissions.
            let is_type = |range: &Range<usize>, what| what == "permissions" && at > range.start && bit > 3;
            let covers = |(range, what): &&(Range<usize>, &'static str)| range.contains(&at) && !is_type(range, *what);
            match (odds.first(), made.free.iter().find(covers)) {
                (Some(odd), _) => {
                    let behind = made.payloads.as_ref().map_or(0, Vec::len);
                    assert!(odd.at <= (made.tree.len() + behind) as u64 && !odd.what.is_empty(), "{odd:?}");
                    found += 1;
                }
                (None, Some((_, what))) => *free.entry(*what).or_insert(0) += 1,
                // The one bit between the two kinds of devices.
                (None, None) if bit == 6 => {
                    let (was, is) = (made.tree[at], harmed.tree[at]);
                    assert!([0x60, 0x20].contains(&(was & 0xf0)) && [0x60, 0x20].contains(&(is & 0xf0)), "{at}");
                    *free.entry("block or character").or_insert(0) += 1;
                }
                // A length that takes the whole items behind it for the value of an attribute.
                (None, None) if made.free.iter().any(|(range, _)| (range.start - 8..range.start).contains(&at)) => {
                    *free.entry("the length of an attribute").or_insert(0) += 1;
                }
                (None, None) => panic!("bit {bit} of byte {at} flips unseen, split {split}, old {old}"),
            }
        }
        let payloads = made.payloads.clone().unwrap_or_default();
        for at in 0..payloads.len() {
            let mut harmed = made.clone();
            harmed.payloads.as_mut().expect("payloads")[at] ^= 1;
            let covers = |range: &Range<usize>| range.contains(&at);
            assert_eq!(whole(&harmed).1.is_empty(), made.free_apart.iter().any(covers), "byte {at} of payloads");
        }
        for length in 0..made.tree.len() {
            let harmed = Archive::of(made.tree[..length].to_vec(), made.payloads.clone());
            assert!(!whole(&harmed).1.is_empty(), "cut to {length}");
        }
        for more in [1, 15, 16, 4000] {
            let harmed = Archive::of([&made.tree[..], &vec![0; more]].concat(), made.payloads.clone());
            assert!(!whole(&harmed).1.is_empty(), "{more} more");
        }
    }
    assert!(free["the length of an attribute"] < 10 && free["block or character"] < 10, "{free:?}");
    println!("{found} flipped bits were found; not: {free:?}");
}

/// An archive of a root with these items, and a right table for entries of these names that begin there.
fn rooted(items: &[Vec<u8>], names: &[&[u8]]) -> Archive {
    let mut tree = entry(0o040_755);
    let mut starts = Vec::new();
    for item in items {
        if item.starts_with(&NAME.to_le_bytes()) {
            starts.push(tree.len());
        }
        tree.extend_from_slice(item);
    }
    let ends = starts.iter().skip(1).copied().chain([tree.len()]);
    let lines = starts.iter().zip(ends).zip(names).map(|((start, end), name)| (hash(name), *start, end - start));
    let table = goodbye(tree.len(), 0, lines.collect());
    tree.extend(table);
    Archive::of(tree, None)
}

fn file(name: &[u8]) -> [Vec<u8>; 3] {
    [item(NAME, &[name, &[0]].concat()), entry(0o100_644), item(PAYLOAD, b"x")]
}

fn hard(name: &[u8], back: u64, of: &[u8]) -> [Vec<u8>; 2] {
    [item(NAME, &[name, &[0]].concat()), item(HARD, &[&back.to_le_bytes()[..], of, &[0]].concat())]
}

#[test]
fn hostile_archives_are_found_out_in_one_sentence() {
    let of_name = |name: &[u8]| rooted(&file(name), &[name]);
    let linked = |back: u64, of: &[u8]| rooted(&[&file(b"a")[..], &hard(b"b", back, of)].concat(), &[b"a", b"b"]);
    let length = file(b"a").concat().len() as u64;
    assert_eq!(whole(&linked(length, b"a")).1, [], "the one that is right");
    let loops = [&hard(b"a", 0, b"b")[..], &hard(b"b", hard(b"a", 0, b"b").concat().len() as u64, b"a")].concat();
    let huge = |kind: u64, length: u64| [kind.to_le_bytes(), length.to_le_bytes()].concat();
    let cases: Vec<(&str, Archive, &str)> = vec![
        ("up", of_name(b".."), "'..' is no name of a file"),
        ("here", of_name(b"."), "'.' is no name of a file"),
        ("absolute", of_name(b"/etc/passwd"), "'/etc/passwd' is no name of a file"),
        ("below", of_name(b"a/../../b"), "'a/../../b' is no name of a file"),
        ("NUL", of_name(b"a\0b"), "'a\\u{0}b' is no name of a file"),
        ("no name", rooted(&[item(NAME, &[0])], &[b""]), "the item of a name has 17 bytes, which none has"),
        ("twice", rooted(&[file(b"a"), file(b"a")].concat(), &[b"a", b"a"]), "the same name"),
        ("link to itself", linked(0, b"b"), "a hard link leads 0 bytes back to 'b'"),
        ("link out", linked(length, b"/a"), "a hard link leads"),
        ("link up", linked(length, b"../a"), "a hard link leads"),
        ("link to another path", linked(length, b"c"), "a hard link leads"),
        ("link into the middle", linked(length - 1, b"a"), "a hard link leads"),
        ("link before the begin", linked(u64::MAX, b"a"), "a hard link leads"),
        ("links in a loop", rooted(&loops, &[b"a", b"b"]), "a hard link leads"),
        ("no folder", Archive::of(entry(0o100_644), None), "the root of an archive is a folder, and this one is none"),
        ("two roots", rooted(&[entry(0o040_755)], &[]), "an item of metadata stands where"),
        ("no content", rooted(&file(b"a")[..2], &[b"a"]), "an entry ends before its content"),
        ("too long a name", of_name(&[b'x'; 4097]), "the item of a name has 4114 bytes, which none has"),
        ("noise", Archive::of(vec![0x5a; 5000], None), "unknown type 5a5a5a5a5a5a5a5a"),
        ("nothing", Archive::default(), "the archive ends before"),
        ("a long payload", rooted(&[huge(PAYLOAD, u64::MAX)], &[]), "has 18446744073709551615 bytes"),
        ("a long table", rooted(&[huge(GOODBYE, 1 << 62)], &[]), "has 4611686018427387904 bytes"),
        ("a short item", rooted(&[huge(ENTRY, 15)], &[]), "the item of metadata has 15 bytes, which none has"),
    ];
    for (case, archive, wanted) in &cases {
        let (_, odds) = whole(archive);
        let told: Vec<&str> = odds.iter().map(|odd| odd.what.as_str()).collect();
        assert!(told.iter().any(|told| told.contains(wanted)) && told.len() <= 2, "{case}: {told:?}");
        let mut dice = Dice::new(1);
        assert_eq!(read(archive, &mut || 1 + dice.below(40) as usize, true).1, odds, "{case}");
    }
}

#[test]
fn a_million_folders_in_each_other_take_no_more_memory_than_a_path() {
    let folder = [item(NAME, b"d\0"), entry(0o040_755)].concat();
    let mut reader = Reader::new(1 << 40, false);
    reader.push(&entry(0o040_755), &mut |_| {}).expect("a root");
    let stopped = (0..1_000_000).find_map(|_| reader.push(&folder, &mut |_| {}).err()).expect("an end of it");
    assert_eq!((stopped.code, stopped.what.contains("65536 bytes")), (Code::Unreadable, true), "{stopped:?}");
    assert!(stopped.at < 4_000_000 && reader.skips() > 0 && reader.end().is_ok());
}

fn report(image: &Image, depth: Depth) -> Report {
    Host { format: "datastore", ..Host::at(depth) }.report(image, "s")
}

#[test]
fn a_store_of_noise_is_sound_at_digest_and_not_at_deep() {
    let noise = vec![0x5a; 300];
    let image = store(&[("root.pxar.didx", &noise)], 100);
    assert_eq!(report(&image, Depth::Digest).verdict, Soundness::Sound);
    let deep = report(&image, Depth::Deep);
    let [note] = &deep.findings[..] else { panic!("{deep:?}") };
    assert_eq!((deep.verdict, deep.depth, note.code), (Soundness::Damaged, Depth::Deep, Code::Record));
    assert_eq!((note.offset, &*note.object), (Some(0), &*format!("{SNAPSHOT}/root.pxar.didx")));
    assert!(note.message.starts_with("byte 0 of the archive: an item has the unknown type"), "{note:?}");
    // An image is none that anybody looks into.
    let image = store(&[("noise.bin.didx", &noise)], 100);
    let deep = report(&image, Depth::Deep);
    assert_eq!((deep.verdict, deep.depth, deep.coverage.claims), (Soundness::Sound, Depth::Digest, 1));
}

#[test]
fn chunks_of_contents_alone_are_not_read_for_a_tree_and_a_lost_one_is_told_once() {
    let big = vec![Entry::new(b"big", What::File((0..5000u16).flat_map(u16::to_le_bytes).collect()))];
    let made = archive(&big, false, false);
    let image = store(&[("root.pxar.didx", &made.tree)], 500);
    let sound = report(&image, Depth::Deep);
    let chunks = made.tree.len().div_ceil(500) as u64;
    assert_eq!((sound.verdict, sound.coverage.checked), (Soundness::Sound, chunks + 1), "{sound:?}");
    let lost = |at: usize| {
        let mut image = image.clone();
        let piece = made.tree.chunks(500).nth(at).expect("a piece");
        let digest = highwater_core::digest::sha256_of(piece);
        let name = highwater_core::formats::datastore::names::chunk(&digest).expect("a name").to_string();
        image.remove(&name).expect("a chunk");
        report(&image, Depth::Deep)
    };
    // In the middle of the file, the tree is whole all the same.
    for (at, unjudged) in [(0, 1), (7, 0)] {
        let report = lost(at);
        assert_eq!((report.findings.len(), report.findings[0].code), (1, Code::Missing), "{report:?}");
        assert_eq!(
            (report.coverage.checked, report.coverage.unjudged),
            (chunks + 1 - unjudged, unjudged),
            "{report:?}"
        );
    }
}

#[test]
fn a_split_tree_is_followed_into_its_payloads() {
    let made = archive(&sample(), true, false);
    let payloads = made.payloads.clone().expect("payloads");
    let parts = |payloads: &[u8]| store(&[("r.ppxar.didx", payloads), ("r.mpxar.didx", &made.tree)], 70);
    let sound = report(&parts(&payloads), Depth::Deep);
    assert_eq!((sound.verdict, sound.depth), (Soundness::Sound, Depth::Deep), "{sound:?}");
    let mut harmed = payloads.clone();
    let at = made.free_apart.iter().find(|range| !range.is_empty()).expect("a file").start - 16;
    harmed[at] ^= 1;
    let found = report(&parts(&harmed), Depth::Deep);
    let [note] = &found.findings[..] else { panic!("{found:?}") };
    assert_eq!((note.code, note.offset), (Code::Record, Some(at as u64)));
    assert_eq!(&*note.object, format!("{SNAPSHOT}/r.ppxar.didx"));
    let alone = report(&store(&[("r.mpxar.didx", &made.tree)], 70), Depth::Deep);
    assert_eq!((alone.verdict, alone.findings.len()), (Soundness::Damaged, 1), "{alone:?}");
    assert!(alone.findings[0].message.contains("names no payloads beside it"), "{alone:?}");
    // The same tree twice: the entries that a writer took over count their metadata alone.
    let mut taken = made.clone();
    let (hash, length) = (hash(b"last"), made.tree.len());
    let line = (0..length - 8).find(|at| made.tree[*at..at + 8] == hash.to_le_bytes()).expect("its line");
    let size = u64::from_le_bytes(*made.tree[line + 16..].first_chunk().expect("a number"));
    taken.tree[line + 16..line + 24].copy_from_slice(&(size - 40).to_le_bytes());
    assert_eq!(whole(&taken).1, []);
}
