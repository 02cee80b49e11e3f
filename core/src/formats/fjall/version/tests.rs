//! Versions that the engine wrote, and what could become of one.

use super::*;
use crate::digest::{Algorithm, Hasher};
use crate::formats::fjall::current;

/// What lsm-tree 3.1.10 wrote: keyspaces with one table, with a table and a blob file, and with two tables.
const SAMPLES: [(&[u8], &[u8]); 3] = [
    (
        include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/1/current"),
        include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/1/v2"),
    ),
    (
        include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/2/current"),
        include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/2/v2"),
    ),
    (
        include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/3/current"),
        include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/3/v3"),
    ),
];

const TABLE: &[u8] = include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/2/tables/0");
const BLOB: &[u8] = include_bytes!("../../../../../tests/fixtures/fjall/keyspaces/2/blobs/0");

fn sum(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Xxh3);
    hasher.update(bytes);
    hasher.finish()
}

/// An archive of sections, with a right checksum.
fn archive(sections: &[(&str, &[u8])], count: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut table = [&b"TOC!"[..], &count.to_le_bytes()].concat();
    for (name, section) in sections {
        table.extend((bytes.len() as u64).to_le_bytes());
        table.extend((section.len() as u64).to_le_bytes());
        table.extend((name.len() as u16).to_le_bytes());
        table.extend(name.as_bytes());
        bytes.extend_from_slice(section);
    }
    let at = bytes.len() as u64;
    bytes.extend_from_slice(&table);
    bytes.extend_from_slice(b"SFA!\x01\x00");
    let Digest::Xxh3(mut digest) = sum(&table) else { panic!("another digest") };
    digest.reverse();
    bytes.extend_from_slice(&digest);
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&(table.len() as u64).to_le_bytes());
    bytes
}

const SECTIONS: [(&str, &[u8]); 7] = [
    ("format_version", &[3]),
    ("tree_type", &[0]),
    ("level_count", &[7]),
    ("filter_hash_type", &[0]),
    ("tables", &[0]),
    ("blob_files", &[0; 4]),
    ("blob_gc_stats", &[0; 4]),
];

#[test]
fn what_the_engine_wrote_is_read_and_has_the_digest_that_current_says() {
    let shapes: Vec<_> = SAMPLES
        .iter()
        .map(|(current, version)| {
            assert_eq!(current::parse(current).unwrap().digest, sum(version));
            let version = parse(version).unwrap();
            assert!(version.tables.iter().all(|table| !table.ingested));
            (version.tables.len(), version.blobs.len())
        })
        .collect();
    assert_eq!(shapes, [(1, 0), (1, 1), (2, 0)]);
    let version = parse(SAMPLES[1].1).unwrap();
    assert_eq!((version.tables[0].id, version.tables[0].digest), (0, sum(TABLE)));
    assert_eq!((version.blobs[0].id, version.blobs[0].digest), (0, sum(BLOB)));
    for file in [TABLE, BLOB] {
        let trailer = crate::formats::fjall::archive::Trailer::parse(&file[file.len() - 38..]).unwrap();
        assert_eq!(trailer.file(), Some(file.len() as u64));
    }
}

#[test]
fn what_is_cut_short_is_refused_at_a_place_that_there_is() {
    for (_, version) in SAMPLES {
        for length in 0..version.len() {
            let odd = parse(&version[..length]).unwrap_err();
            assert!(odd.at <= length as u64, "{odd}");
        }
    }
}

#[test]
fn each_section_must_be_there_and_say_what_the_engine_knows() {
    assert_eq!(parse(&archive(&SECTIONS, 7)), Ok(Version::default()));
    for left in 0..7 {
        let mut some = SECTIONS.to_vec();
        let (name, _) = some.remove(left);
        assert!(parse(&archive(&some, 6)).unwrap_err().what.contains(name));
    }
    for (section, value) in [(0, 2), (1, 2), (2, 6), (3, 1)] {
        let mut other = SECTIONS;
        let value = [value];
        other[section].1 = &value;
        let odd = parse(&archive(&other, 7)).unwrap_err();
        assert!(odd.at == section as u64 && odd.what.contains("unknown"), "{odd}");
    }
}

#[test]
fn counts_that_nothing_stands_behind_are_refused_and_cost_nothing() {
    let many = [255; 1 << 10];
    for (section, value) in
        [(4, &many[..6]), (4, &[7, 0][..]), (5, &many[..4]), (6, &many[..4]), (5, &many[..]), (4, &[])]
    {
        let mut other = SECTIONS;
        other[section].1 = value;
        let odd = parse(&archive(&other, 7)).unwrap_err();
        assert!(odd.what.contains("ends in the middle") || odd.what.contains("unknown kind"), "{odd}");
    }
    for count in [6, 8, u32::MAX] {
        assert!(parse(&archive(&SECTIONS, count)).is_err());
    }
}

#[test]
fn trailer_and_table_of_contents_are_checked() {
    let good = archive(&SECTIONS, 7);
    let trailer = good.len() - 38;
    for at in trailer - 40..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        let odd = parse(&bytes).unwrap_err();
        assert!(odd.at < good.len() as u64, "{at}: {odd}");
    }
    let long = [&good[..trailer], &[0], &good[trailer..]].concat();
    assert!(parse(&long).unwrap_err().what.contains("not where the trailer begins"));
}

#[test]
fn a_file_is_named_once() {
    let file = [&7u64.to_le_bytes()[..], &[0; 17]].concat();
    let twice = [&2u32.to_le_bytes()[..], &file, &file].concat();
    let mut other = SECTIONS;
    other[5].1 = &twice;
    let odd = parse(&archive(&other, 7)).unwrap_err();
    assert!(odd.at == 5 + 4 + 25 && odd.what.contains("names file 7 twice"), "{odd}");
    // The numbers of tables and of blob files have nothing to do with each other.
    let (blob, table) = ([&1u32.to_le_bytes()[..], &file].concat(), [&[1, 1, 1, 0, 0, 0][..], &file, &[0; 8]].concat());
    (other[4].1, other[5].1) = (&table, &blob);
    assert!(parse(&archive(&other, 7)).is_ok());
}
