//! Catalogues inside datastores: what is sound is called so, whatever is wrong is found, and nothing that a catalogue
//! says costs more than its bytes.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]

use std::collections::BTreeMap;

use highwater_core::finding::Code;
use highwater_core::formats::datastore::Odd;
use highwater_core::formats::datastore::pcat1::{Reader, Walk};
use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::catalogues::{MARK, catalogue, entry, number, read, samples, signed, table, walk};
use highwater_tests::dice::Dice;
use highwater_tests::memory::Host;
use highwater_tests::repo::Image;
use highwater_tests::score::size;
use highwater_tests::trees::{Entry, SNAPSHOT, What, random, store};

/// What is wrong with a catalogue that comes in one piece.
fn whole(bytes: &[u8]) -> Vec<Odd> {
    read(bytes, &mut || usize::MAX)
}

/// What a walk finds in all of it.
fn walked(bytes: &[u8]) -> (Vec<(Vec<u8>, String)>, Vec<Odd>) {
    walk(bytes, b"", &mut || usize::MAX)
}

#[test]
fn sound_catalogues_of_every_shape_are_read_however_they_come() {
    let catalogues = size(300, 10_000);
    for seed in 0..catalogues {
        let mut dice = Dice::new(seed);
        let archives = dice.below(3) + 1;
        let names: Vec<Vec<u8>> = (0..archives).map(|number| format!("{number}.pxar.didx").into_bytes()).collect();
        let trees: Vec<(&[u8], Vec<Entry>)> = names.iter().map(|name| (&name[..], random(&mut dice))).collect();
        let made = catalogue(&trees);
        assert_eq!(whole(&made.bytes), [], "seed {seed}");
        assert_eq!(walked(&made.bytes), (made.listed.clone(), Vec::new()), "seed {seed}");
        assert_eq!(read(&made.bytes, &mut || 1 + dice.below(90) as usize), [], "seed {seed}");
        let cut = &mut || 1 + dice.below(90) as usize;
        assert_eq!(walk(&made.bytes, b"", cut), (made.listed.clone(), Vec::new()), "seed {seed}");
        let (path, _) = &made.listed[dice.below(made.listed.len() as u64) as usize];
        let is_in = |(one, _): &&(Vec<u8>, String)| {
            one.strip_prefix(&path[..]).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        let wanted: Vec<_> = made.listed.iter().filter(is_in).cloned().collect();
        assert_eq!(walk(&made.bytes, path, &mut || 1 + dice.below(90) as usize), (wanted, Vec::new()), "seed {seed}");
    }
    println!("{catalogues} catalogues were read without a complaint");
}

#[test]
fn every_bit_but_those_that_nothing_covers_is_found() {
    let (mut found, mut free, mut cuts) = (0, BTreeMap::new(), 0);
    for made in samples() {
        let bytes = &made.bytes;
        assert_eq!((whole(bytes), walked(bytes)), (Vec::new(), (made.listed.clone(), Vec::new())));
        for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut harmed = bytes.clone();
            harmed[at] ^= 1 << bit;
            let odds = whole(&harmed);
            let (listed, wrong) = walked(&harmed);
            if let Some(odd) = odds.first() {
                assert!(odds.iter().all(|odd| odd.at <= bytes.len() as u64 && !odd.what.is_empty()), "{odd:?}");
                assert!(listed.len() * 2 <= bytes.len(), "{} entries", listed.len());
                found += 1;
                continue;
            }
            let covers = made.free.iter().find(|(range, _)| range.contains(&at));
            let Some((_, what)) = covers else { panic!("bit {bit} of byte {at} flips unseen") };
            // It is of one entry, and its path is in those of what lies below it.
            assert_eq!((listed.len(), wrong.len()), (made.listed.len(), 0), "bit {bit} of byte {at}");
            let word = |(path, word): &(Vec<u8>, String)| (path.len(), word.clone());
            let differing = listed.iter().zip(&made.listed).filter(|(one, other)| word(one) != word(other)).count();
            assert_eq!(differing, usize::from(*what != "a name"), "bit {bit} of byte {at}, {what}");
            *free.entry(*what).or_insert(0) += 1;
        }
        for length in 0..bytes.len() {
            let odds = whole(&bytes[..length]);
            assert!(!odds.is_empty() && odds.iter().all(|odd| odd.at <= length as u64), "cut to {length}");
            assert!(!walked(&bytes[..length]).1.is_empty(), "cut to {length}");
            cuts += 1;
        }
        for more in [1, 7, 8, 9, 4000] {
            let harmed = [&bytes[..], &vec![0; more]].concat();
            assert!(!whole(&harmed).is_empty() && !walked(&harmed).1.is_empty(), "{more} more");
        }
    }
    let kinds: Vec<&str> = free.keys().copied().collect();
    let wanted = ["a name", "the letter of what has nothing more", "the size of a file", "the time of a file"];
    assert_eq!(kinds, wanted);
    println!("{found} flipped bits and {cuts} cuts were found; not: {free:?}");
}

/// A catalogue of these tables, of which the last is the root's.
fn of(tables: &[Vec<u8>]) -> Vec<u8> {
    let (last, before) = tables.split_last().expect("a table");
    let place = MARK.len() + before.concat().len();
    placed(&[&before.concat()[..], last].concat(), place as u64)
}

/// A catalogue with these bytes for its tables, and its root said to be there.
fn placed(tables: &[u8], root: u64) -> Vec<u8> {
    [&MARK[..], tables, &root.to_le_bytes()].concat()
}

/// A root of one archive whose folder has these entries.
fn rooted(count: u64, entries: &[Vec<u8>]) -> Vec<u8> {
    let folder = table(count, entries);
    let root = table(1, &[entry(b'd', b"a.pxar.didx", &number(folder.len() as u64))]);
    of(&[folder, root])
}

fn file(name: &[u8]) -> Vec<u8> {
    entry(b'f', name, &[number(7), signed(-7)].concat())
}

/// A root of one archive, how far before it the folder is said to begin.
fn root(back: u64) -> Vec<u8> {
    table(1, &[entry(b'd', b"a.pxar.didx", &number(back))])
}

#[test]
fn hostile_catalogues_are_found_out_in_one_sentence() {
    let named = |name: &[u8]| rooted(1, &[file(name)]);
    assert_eq!(whole(&named(b"a")), [], "the one that is right");
    let empty = table(0, &[]);
    let far = [&[0xff; 9][..], &[1]].concat();
    let wide = [&[0xff; 9][..], &[2]].concat();
    let twice = table(2, &[entry(b'd', b"a", &[2]), entry(b'd', b"b", &[2])]);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("up", named(b".."), "'..' is no name of a file"),
        ("here", named(b"."), "'.' is no name of a file"),
        ("absolute", named(b"/etc/passwd"), "'/etc/passwd' is no name of a file"),
        ("below", named(b"a/../../b"), "'a/../../b' is no name of a file"),
        ("NUL", named(b"a\0b"), "'a\\u{0}b' is no name of a file"),
        ("no name", named(b""), "'' is no name of a file"),
        ("too long a name", named(&[b'x'; 4097]), "a name has 4097 bytes, and the longest has 4096"),
        ("twice", rooted(2, &[file(b"a"), entry(b'l', b"a", &[])]), "the same name"),
        ("no letter", rooted(1, &[entry(b'x', b"a", &[])]), "begins with the byte 78"),
        ("noise", vec![0x5a; 5000], "does not begin with the mark"),
        ("nothing", Vec::new(), "ends before the place of its root"),
        ("a mark alone", MARK.to_vec(), "it has 8 bytes"),
        ("no table", placed(&[], 8), "it has 16 bytes"),
        ("no folder", of(&[table(1, &[file(b"a")])]), "this one is no folder"),
        ("no archive", of(std::slice::from_ref(&empty)), "its root has no entry"),
        ("no head", placed(&[0], 8), "ends within its head"),
        ("half a head", placed(&[0x80, 0x80], 8), "ends within its head"),
        ("too many entries", rooted(2, &[file(b"a")]), "an entry goes on behind its table"),
        ("too few entries", rooted(1, &[file(b"a"), file(b"b")]), "are in the table of a folder behind its last entry"),
        (
            "a hostile count",
            of(&[[&number(11)[..], &far, &[0]].concat()]),
            "has 18446744073709551615 entries, and room",
        ),
        (
            "a hostile length",
            placed(&[&far[..], &[0; 40]].concat(), 8),
            "has 18446744073709551615 bytes, and 40 follow",
        ),
        ("too wide a length", placed(&[&wide[..], &[0; 40]].concat(), 8), "more than 64 bits"),
        ("too wide a size", rooted(1, &[entry(b'f', b"a", &[&wide[..], &[0]].concat())]), "more than 64 bits"),
        ("too wide a time", rooted(1, &[entry(b'f', b"a", &[&[0][..], &far].concat())]), "more than 64 bits"),
        ("itself", of(&[root(0)]), "begin 0 bytes before byte 8"),
        ("before the begin", of(&[empty.clone(), root(u64::MAX)]), "begin 18446744073709551615 bytes before byte 10"),
        ("into the mark", of(&[empty.clone(), root(3)]), "begin 3 bytes before byte 10"),
        ("into the middle", of(&[empty.clone(), root(1)]), "begin 1 bytes before byte 10"),
        ("one in two", of(&[empty.clone(), twice]), "'b' is said to begin 2 bytes before byte 10"),
        ("one in none", of(&[empty.clone(), empty.clone(), root(2)]), "no folder has the table that begins there"),
        ("a root in the middle", placed(&[&empty[..], &root(2)].concat(), 8), "its root is said to be at byte 8"),
        ("a root nowhere", placed(&[&empty[..], &root(2)].concat(), u64::MAX), "its root is said to be at byte"),
    ];
    for (case, bytes, wanted) in &cases {
        let odds = whole(bytes);
        let told: Vec<&str> = odds.iter().map(|odd| odd.what.as_str()).collect();
        assert!(told.len() == 1 && told[0].contains(wanted), "{case}: {told:?}");
        let mut dice = Dice::new(1);
        assert_eq!(read(bytes, &mut || 1 + dice.below(40) as usize), odds, "{case}");
        let (listed, _) = walked(bytes);
        assert!(listed.len() * 2 <= bytes.len(), "{case}");
        assert_eq!(walk(bytes, b"", &mut || 1 + dice.below(40) as usize).0, listed, "{case}");
    }
}

#[test]
fn a_folder_that_is_said_to_be_in_many_others_is_listed_once() {
    // Each table names the one before it twice: a walk through all of them would end after 2^200 entries.
    let mut tables = vec![table(0, &[])];
    for _ in 0..200 {
        let back = number(tables.last().expect("one").len() as u64);
        tables.push(table(2, &[entry(b'd', b"a", &back), entry(b'd', b"b", &back)]));
    }
    let bytes = of(&tables);
    let (listed, odds) = walked(&bytes);
    assert!(listed.len() < 1000 && odds[0].what.contains("are more than there are"), "{odds:?}");
    assert!(whole(&bytes)[0].what.contains("that is left for it"));
}

#[test]
fn folders_without_end_take_no_more_memory_than_is_said() {
    // No folder names any of them.
    let piece = table(0, &[]).repeat(1 << 16);
    let mut reader = Reader::new(1 << 40);
    reader.push(&MARK, &mut |odd| panic!("{odd:?}")).expect("a mark");
    let stopped = (0..100).find_map(|_| reader.push(&piece, &mut |odd| panic!("{odd:?}")).err()).expect("an end of it");
    assert_eq!((stopped.code, stopped.at), (Code::Unreadable, 8 + 2 * (1 << 21)), "{stopped:?}");
    assert!(reader.skips() > 0 && reader.end().is_ok());
    // In each other, they have a path.
    let mut tables = vec![table(0, &[])];
    for _ in 0..40_000 {
        let back = number(tables.last().expect("one").len() as u64);
        tables.push(table(1, &[entry(b'd', b"d", &back)]));
    }
    let bytes = of(&tables);
    assert_eq!(whole(&bytes), []);
    let mut walk = Walk::new(bytes.len() as u64, b"");
    let stopped = loop {
        let at = usize::try_from(walk.wants().expect("an end of it")).expect("a place");
        if let Err(odd) = walk.push(&bytes[at..], &mut |_| {}) {
            break odd;
        }
    };
    assert_eq!((stopped.code, stopped.what.contains("65536 bytes")), (Code::Unreadable, true), "{stopped:?}");
}

#[test]
fn names_of_a_folder_with_more_entries_than_are_remembered_are_said_not_to_be_compared() {
    let count = (1 << 21) + 2;
    let entries: Vec<Vec<u8>> =
        (0..count).map(|number: u64| entry(b'l', format!("{number:x}").as_bytes(), &[])).collect();
    let bytes = rooted(count, &entries);
    let odds = whole(&bytes);
    assert_eq!(odds.iter().map(|odd| odd.code).collect::<Vec<_>>(), [Code::Unreadable], "{odds:?}");
    assert!(odds[0].what.contains("the names of no more are compared"), "{odds:?}");
}

fn report(image: &Image) -> Report {
    Host { format: "datastore", ..Host::at(Depth::Deep) }.report(image, "s")
}

#[test]
fn a_store_whose_catalogue_is_wrong_is_sound_at_digest_and_not_at_deep() {
    for (at, made) in samples().into_iter().enumerate() {
        for chunk in [1, 7, 50, 5000] {
            let sound = report(&store(&[("catalog.pcat1.didx", &made.bytes)], chunk));
            assert_eq!((sound.verdict, sound.depth), (Soundness::Sound, Depth::Deep), "{at}, {chunk}: {sound:?}");
        }
    }
    let tree = vec![Entry::new(b"x", What::File(b"y".to_vec())), Entry::new(b"d", What::Folder(Vec::new()))];
    let made = catalogue(&[(b"root.pxar.didx", tree)]);
    // How far back the last folder is.
    let mut harmed = made.bytes.clone();
    let byte = harmed.len() - 9;
    harmed[byte] ^= 1;
    let image = store(&[("catalog.pcat1.didx", &harmed)], 10);
    let digest = Host { format: "datastore", ..Host::at(Depth::Digest) }.report(&image, "s");
    assert_eq!(digest.verdict, Soundness::Sound);
    let deep = report(&image);
    let [note] = &deep.findings[..] else { panic!("{deep:?}") };
    assert_eq!((deep.verdict, note.code), (Soundness::Damaged, Code::Record));
    let entry = byte as u64 - 16;
    assert_eq!((note.offset, &*note.object), (Some(entry), &*format!("{SNAPSHOT}/catalog.pcat1.didx")));
    let told = format!("byte {entry} of the archive: the table of the folder 'root.pxar.didx' is said to begin");
    assert!(note.message.starts_with(&told), "{note:?}");
}

#[test]
fn a_damaged_or_lost_chunk_of_a_catalogue_is_told_once() {
    let [_, made] = samples();
    let image = store(&[("catalog.pcat1.didx", &made.bytes)], 40);
    let chunks: Vec<String> = image.keys().filter(|name| name.starts_with(".chunks/")).cloned().collect();
    assert!(chunks.len() > 5);
    for chunk in &chunks {
        for lost in [true, false] {
            let mut image = image.clone();
            if lost {
                image.remove(chunk).expect("a chunk");
            } else {
                *image.get_mut(chunk).expect("a chunk").last_mut().expect("a byte") ^= 1;
            }
            let found = report(&image);
            let wanted = if lost { Code::Missing } else { Code::Encoding };
            assert_eq!((found.findings.len(), found.findings[0].code), (1, wanted), "{found:?}");
            assert_eq!((found.verdict, found.coverage.unjudged), (Soundness::Damaged, 1), "{found:?}");
        }
    }
}
