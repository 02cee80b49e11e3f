//! Every sort of damage to every sort of file at every depth: what verify says, and that nothing goes unseen.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use highwater_core::report::{Depth, Verdict};
use highwater_tests::memory::Host;
use highwater_tests::repo::{Ground, Image, Sample, sample, store};
use serde_json::Value;

/// The files of the sample that the matrix damages; the stamps are those of its second and first chain.
const TARGETS: [(&str, &str); 7] = [
    ("full .fs", "2026-03-01-00-04-00.fs"),
    (".deltafs", "2026-03-01-00-05-00.deltafs"),
    ("last .deltafs", "2026-03-01-00-07-00.deltafs"),
    (".fsz", "2026-03-01-00-01-00.fsz"),
    (".deltafsz", "2026-03-01-00-02-00.deltafsz"),
    (".dat", "2026-03-01-00-04-00.dat"),
    (".index", "2026-03-01-00-05-00.index"),
];

/// What verify must say: the exit code and the names of the findings, at the depths list, size, digest and deep.
///
/// `=` is the same as at the depth before. Of note: a file's length is looked at from `size` on and its bytes from `digest` on; a gzip file is decompressed at
/// `size`; a saved index has no sum on record, so only `deep` can judge it; what no line lists is inconclusive, never sound.
const EXPECTED: &str = "
flip       full .fs      | 0                        | =                        | 1 digest                 | 1 digest+odd-record
flip       .deltafs      | 0                        | =                        | 1 digest                 | =
flip       last .deltafs | 0                        | =                        | 1 digest                 | =
flip       .fsz          | 0                        | 1 encoding               | =                        | =
flip       .deltafsz     | 0                        | 1 encoding               | =                        | =
flip       .dat          | 0                        | =                        | 1 digest                 | =
flip       .index        | 0                        | =                        | =                        | 1 oid-index
truncate   full .fs      | 0                        | 1 length                 | =                        | =
truncate   .deltafs      | 0                        | 1 length                 | =                        | =
truncate   last .deltafs | 0                        | 1 length                 | =                        | =
truncate   .fsz          | 0                        | 1 encoding               | =                        | =
truncate   .deltafsz     | 0                        | 1 encoding               | =                        | =
truncate   .dat          | 1 malformed-index+unlisted | =                        | =                        | =
truncate   .index        | 0                        | =                        | =                        | 1 oid-index
extend     full .fs      | 0                        | 1 length                 | =                        | =
extend     .deltafs      | 0                        | 1 length                 | =                        | =
extend     last .deltafs | 0                        | 1 length                 | =                        | =
extend     .fsz          | 0                        | 1 encoding               | =                        | =
extend     .deltafsz     | 0                        | 1 encoding               | =                        | =
extend     .dat          | 1 malformed-index        | =                        | =                        | =
extend     .index        | 0                        | =                        | =                        | 1 oid-index
delete     full .fs      | 1 missing                | =                        | =                        | =
delete     .deltafs      | 1 missing                | =                        | =                        | =
delete     last .deltafs | 1 missing                | =                        | =                        | =
delete     .fsz          | 1 missing                | =                        | =                        | =
delete     .deltafsz     | 1 missing                | =                        | =                        | =
delete     .dat          | 3 no-index+unlisted      | =                        | =                        | =
delete     .index        | 0 no-oid-index           | =                        | =                        | =
duplicate  full .fs      | 3 no-index               | =                        | =                        | =
duplicate  .deltafs      | 3 unlisted               | =                        | =                        | =
duplicate  last .deltafs | 3 unlisted               | =                        | =                        | =
duplicate  .fsz          | 3 no-index               | =                        | =                        | =
duplicate  .deltafsz     | 3 unlisted               | =                        | =                        | =
duplicate  .dat          | 1 missing-base           | =                        | =                        | =
duplicate  .index        | 0 stray                  | =                        | =                        | =
swap       full .fs      | 0                        | 1 length                 | =                        | 1 length+record
swap       .deltafs      | 0                        | 1 length                 | =                        | 1 length+record
swap       last .deltafs | 0                        | 1 encoding+length        | =                        | =
swap       .fsz          | 0                        | 1 length                 | =                        | 1 length+record
swap       .deltafsz     | 0                        | 1 length                 | =                        | 1 length+odd-record+record
swap       .dat          | 1 malformed-index+missing-base+unlisted | =                        | =                        | =
swap       .index        | 0                        | =                        | =                        | 1 oid-index
rename     full .fs      | 1 missing+no-index       | =                        | =                        | =
rename     .deltafs      | 1 missing+unlisted       | =                        | =                        | =
rename     last .deltafs | 1 missing+unlisted       | =                        | =                        | =
rename     .fsz          | 1 missing+no-index       | =                        | =                        | =
rename     .deltafsz     | 1 missing+unlisted       | =                        | =                        | =
rename     .dat          | 1 missing-base+no-index+unlisted | =                        | =                        | =
rename     .index        | 0 no-oid-index+stray     | =                        | =                        | =
zero-fill  full .fs      | 0                        | =                        | 1 digest                 | 1 digest+record
zero-fill  .deltafs      | 0                        | =                        | 1 digest                 | 1 digest+record
zero-fill  last .deltafs | 0                        | =                        | 1 digest                 | 1 digest+record
zero-fill  .fsz          | 0                        | 1 encoding               | =                        | =
zero-fill  .deltafsz     | 0                        | 1 encoding               | =                        | =
zero-fill  .dat          | 1 malformed-index+unlisted | =                        | =                        | =
zero-fill  .index        | 0                        | =                        | =                        | 1 oid-index
stale      full .fs      | 0                        | 1 length                 | =                        | =
stale      .deltafs      | 0                        | 1 length                 | =                        | 1 length+odd-record+record
stale      last .deltafs | 0                        | 1 length                 | =                        | 1 length+odd-record+record
stale      .fsz          | 0                        | 1 length                 | =                        | 1 length+record
stale      .deltafsz     | 0                        | 1 length                 | =                        | 1 length+record
stale      .dat          | 3 unlisted               | =                        | =                        | =
stale      .index        | 0                        | =                        | =                        | 1 oid-index
empty      full .fs      | 0                        | 1 length                 | =                        | =
empty      .deltafs      | 0                        | 1 length                 | =                        | =
empty      last .deltafs | 0                        | 1 length                 | =                        | =
empty      .fsz          | 0                        | 1 encoding               | =                        | =
empty      .deltafsz     | 0                        | 1 encoding               | =                        | =
empty      .dat          | 3 no-index+unlisted      | =                        | =                        | =
empty      .index        | 0                        | =                        | =                        | 1 oid-index
";

/// Damages one file of a repository in one way.
fn damage(way: &str, name: &str, files: &mut Image, older: &Image) {
    let bytes = files[name].clone();
    let (stem, suffix) = name.split_once('.').expect("a stamp and a suffix");
    let half = bytes.len() / 2;
    let neighbour = match suffix {
        "fs" => "2026-03-01-00-05-00.deltafs".to_owned(),
        "dat" => "2026-03-01-00-01-00.dat".to_owned(),
        "index" => "2026-03-01-00-07-00.index".to_owned(),
        _ => if stem.ends_with("05-00") { "2026-03-01-00-07-00.deltafs" } else { "2026-03-01-00-06-00.deltafsz" }
            .to_owned(),
    };
    let mut put = |bytes: Vec<u8>| files.insert(name.to_owned(), bytes);
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
        "truncate" => drop(put(bytes[..half].to_vec())),
        "extend" => drop(put([&bytes[..], b"more"].concat())),
        "zero-fill" => drop(put(vec![0; bytes.len()])),
        "empty" => drop(put(Vec::new())),
        "stale" => drop(put(older[name].clone())),
        "delete" => drop(files.remove(name)),
        "duplicate" => drop(files.insert(format!("2026-03-01-00-09-00.{suffix}"), bytes)),
        "rename" => {
            files.remove(name);
            files.insert(format!("2026-03-01-00-09-00.{suffix}"), bytes);
        }
        "swap" => {
            let other = files.insert(neighbour.clone(), bytes).expect("a neighbour");
            files.insert(name.to_owned(), other);
        }
        _ => unreachable!("no such way: {way}"),
    }
}

#[test]
fn every_damage_is_called_by_its_name_at_every_depth() {
    let Sample { files, .. } = sample();
    // A stale copy: what the file held one backup earlier. For a data file or an index, which never change, that is the
    // file of the point before it.
    let mut older = Image::new();
    for (_, name) in TARGETS {
        let before = match name.split_once('.').expect("a suffix").1 {
            "dat" => {
                let lines: Vec<&[u8]> = files[name].split_inclusive(|byte| *byte == b'\n').collect();
                lines[..lines.len() - 1].concat()
            }
            "index" => files["2026-03-01-00-04-00.index"].clone(),
            "fs" => files["2026-03-01-00-04-00.fs"][..900].to_vec(),
            "deltafs" if name.contains("05-00") => files["2026-03-01-00-03-00.deltafs"].clone(),
            "deltafs" => files["2026-03-01-00-05-00.deltafs"].clone(),
            _ => files["2026-03-01-00-06-00.deltafsz"].clone(),
        };
        older.insert(name.to_owned(), before);
    }
    let mut ground = Ground::new();
    ground.clock.tick(3600);
    let mut found = Vec::new();
    for way in ["flip", "truncate", "extend", "delete", "duplicate", "swap", "rename", "zero-fill", "stale", "empty"] {
        for (target, name) in TARGETS {
            let mut image = files.clone();
            damage(way, name, &mut image, &older);
            store(&image, &ground.repo);
            let mut row = format!("{way:<10} {target:<13}");
            let mut before = String::new();
            for depth in ["list", "size", "digest", "deep"] {
                let paths = ["verify", "--depth", depth, "--json", "--", &ground.repo.to_string_lossy()];
                let run = ground.run(&paths);
                let report: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{}", run.account()));
                let names: BTreeSet<&str> = report["findings"]
                    .as_array()
                    .expect("findings")
                    .iter()
                    .filter_map(|note| note["name"].as_str())
                    .collect();
                let cell = format!("{} {}", run.code, names.into_iter().collect::<Vec<_>>().join("+"));
                row.push_str(&format!(" | {:<24}", if cell == before { "=" } else { &cell }));
                before = cell;
            }
            found.push(row.trim_end().to_owned());
        }
    }
    let wanted: Vec<String> = EXPECTED.trim().lines().map(|row| row.trim_end().to_owned()).collect();
    let wrong: Vec<String> = found
        .iter()
        .enumerate()
        .filter(|(at, row)| wanted.get(*at) != Some(row))
        .map(|(at, row)| format!("found  {row}\nwanted {}", wanted.get(at).map_or("no such row", String::as_str)))
        .collect();
    assert!(wrong.is_empty() && wanted.len() == found.len(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Why a change of one byte may go unseen: a reason, or none.
fn redundant(name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
    let (old, new) = (before[at], after[at]);
    if name.ends_with(".dat") {
        let start = before[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
        let end = before[at..].iter().position(|byte| *byte == b'\n').map_or(before.len(), |more| at + more);
        let slash = before[start..end].iter().rposition(|byte| *byte == b'/').map_or(start, |more| start + more);
        if at < slash {
            return Some("readers take the path's last component only");
        }
        if at == slash && new == b'\\' {
            return Some("a Python on Windows separates so");
        }
        if at >= end.saturating_sub(32) && old.eq_ignore_ascii_case(&new) {
            return Some("hex digits mean the same in both cases");
        }
    }
    if name.ends_with(".index") && at > 0 && before[at - 1] == 0x80 && (1..=3).contains(&old) && (1..=3).contains(&new)
    {
        return Some("the pickle protocols 1 to 3 differ in opcodes that stand elsewhere");
    }
    if name.ends_with('z') {
        let mut bytes = Vec::new();
        let read = MultiGzDecoder::new(after).read_to_end(&mut bytes);
        let mut whole = Vec::new();
        MultiGzDecoder::new(before).read_to_end(&mut whole).expect("the undamaged file is whole");
        if read.is_ok() && bytes == whole {
            return Some("another gunzip gets the very same bytes, sums included");
        }
    }
    None
}

/// The report's verdict on a repository in which one file differs.
fn judge(files: &mut Image, name: &str, bytes: Vec<u8>) -> Verdict {
    let whole = files.insert(name.to_owned(), bytes).expect("a file of the repository");
    let verdict = Host::at(Depth::Deep).report(files, "r").verdict;
    files.insert(name.to_owned(), whole);
    verdict
}

#[test]
fn a_change_of_any_byte_of_any_file_is_found() {
    let Sample { mut files, .. } = sample();
    let names: Vec<String> = files.keys().cloned().collect();
    let mut tried = 0;
    let mut excused = std::collections::BTreeMap::new();
    for name in names {
        let whole = files[&name].clone();
        for at in 0..whole.len() {
            // In the middle of a payload one change is as good as another.
            let masks: &[u8] = if name.ends_with("fs") { &[1, 0xff] } else { &[1, 2, 4, 8, 16, 32, 64, 128, 0xff] };
            for mask in masks {
                let mut changed = whole.clone();
                changed[at] ^= mask;
                tried += 1;
                match redundant(&name, at, &whole, &changed) {
                    Some(reason) => *excused.entry(reason).or_insert(0) += 1,
                    None => {
                        let verdict = judge(&mut files, &name, changed);
                        assert!(verdict != Verdict::Sound, "byte {at} of {name} ^ {mask:#04x} goes unseen");
                    }
                }
            }
        }
    }
    let total: i32 = excused.values().sum();
    assert!(tried > 20_000 && total < tried / 5, "{total} of {tried} changes are excused: {excused:?}");
}

#[test]
fn a_gzip_file_is_redundant_in_its_header_only() {
    // The oracle of the test above is another gunzip; here the excused bytes are named. In a header of ours: mtime, the
    // extra flags, the system, the text flag and what is in the extra field.
    let Sample { files, .. } = sample();
    let (name, bytes) = files.iter().find(|(name, _)| name.ends_with(".fsz")).expect("a gzip file");
    let mut excused = BTreeSet::new();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            if redundant(name, at, bytes, &changed).is_some() {
                excused.insert(at);
            }
        }
    }
    let header: BTreeSet<usize> = [3..10, 12..24].into_iter().flatten().collect();
    let body: Vec<usize> = excused.difference(&header).copied().collect();
    // A deflate stream can say the same in two ways (a match at another distance), and pads its last byte.
    assert!(body.len() * 20 < bytes.len(), "beside the header, these bytes are redundant: {body:?} of {}", bytes.len());
    assert!(excused.is_superset(&(4..10).collect()), "the time stamp is not: {excused:?}");
}

#[test]
fn a_cut_at_any_length_of_any_file_is_found() {
    let Sample { mut files, .. } = sample();
    let names: Vec<String> = files.keys().cloned().collect();
    for name in names {
        let whole = files[&name].clone();
        for length in 0..whole.len() {
            let verdict = judge(&mut files, &name, whole[..length].to_vec());
            // A last line without its line feed says all that it has to say.
            let only_the_line_feed = name.ends_with(".dat") && length == whole.len() - 1;
            assert_eq!(
                verdict == Verdict::Sound,
                only_the_line_feed,
                "{name} cut to {length} of {} bytes",
                whole.len()
            );
        }
    }
}

#[test]
fn any_byte_more_at_the_end_of_any_file_is_found() {
    let Sample { mut files, .. } = sample();
    let names: Vec<String> = files.keys().cloned().collect();
    for name in names {
        let whole = files[&name].clone();
        for byte in 0..=255u8 {
            let verdict = judge(&mut files, &name, [&whole[..], &[byte]].concat());
            // gzip allows zero padding; a .dat may have an empty line or white space at its end.
            let padding = (name.ends_with('z') && byte == 0) || (name.ends_with(".dat") && b"\n".contains(&byte));
            assert_eq!(verdict == Verdict::Sound, padding, "{name} with {byte:#04x} at its end");
        }
    }
}

#[test]
fn any_two_files_swapped_are_found() {
    let Sample { files, .. } = sample();
    let names: Vec<&String> = files.keys().collect();
    for (at, one) in names.iter().enumerate() {
        for other in &names[at + 1..] {
            let mut image = files.clone();
            image.insert((*one).clone(), files[*other].clone());
            image.insert((*other).clone(), files[*one].clone());
            let verdict = Host::at(Depth::Deep).report(&image, "r").verdict;
            assert_ne!(verdict, Verdict::Sound, "{one} and {other} swapped");
        }
    }
}

#[test]
fn any_file_gone_is_found() {
    let Sample { files, .. } = sample();
    for name in files.keys() {
        let mut image = files.clone();
        image.remove(name);
        let report = Host::at(Depth::Digest).report(&image, "r");
        // The database makes a lost index anew, so a point without one is as restorable as before.
        let wanted = if name.ends_with(".index") { Verdict::Sound } else { Verdict::Inconclusive };
        assert!(report.verdict >= wanted, "{name} gone: {:?}", report.verdict);
        assert!(!report.tallies.is_empty(), "{name} gone, and no finding");
    }
}
