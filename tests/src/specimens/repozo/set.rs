//! The target for everything at once: any bytes as the files of a repository, verified at every depth.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use highwater_core::digest::{Digest, md5_of};
use highwater_core::filestorage::{Indexer, Walk, encode};
use highwater_core::finding::Severity;
use highwater_core::name::Name;
use highwater_core::render::json;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::shard::Shard;
use md5::Digest as _;

use super::index_lines::fields;
use crate::fuzz::feed::{Feed, dice_of};
use crate::fuzz::names::stamped;
use crate::fuzz::reference::gunzip;
use crate::memory::{Host, Steps};
use crate::repo::Image;

/// The first byte of an input: which files are made to fit the others, so that damage reaches what lies behind a
/// digest.
pub(crate) const MAKE_DATS: u8 = 1;
/// The saved OID indices are those of the records.
pub(crate) const MAKE_INDICES: u8 = 2;
/// What is named as gzip is compressed.
pub(crate) const COMPRESS: u8 = 4;

const STAMPS: [&str; 4] = ["2026-03-01-00-00-00", "2026-03-01-00-01-00", "2026-03-02-00-00-00", "2026-03-02-00-01-00"];
const ENDINGS: [&str; 6] = ["fs", "fsz", "deltafs", "deltafsz", "dat", "index"];
const OTHERS: [&str; 5] =
    ["tmp.tmp", ".highwater.lock", "2026-03-01-00-00-00.fs.highwater-tmp", "2026-03-01-00-00-00.fs.set-aside", "notes"];

/// The name of a number below 29; other numbers stand for a name in the input.
fn name_of(number: u8) -> Option<String> {
    let number = usize::from(number);
    match number {
        0..24 => Some(format!("{}.{}", STAMPS[number / 6], ENDINGS[number % 6])),
        24..29 => Some(OTHERS[number - 24].to_owned()),
        _ => None,
    }
}

/// An input that stands for these files.
pub(crate) fn packed(flags: u8, files: &Image) -> Vec<u8> {
    let mut bytes = vec![flags];
    for (name, content) in files {
        match (0..29).find(|number| name_of(*number).as_ref() == Some(name)) {
            Some(number) => bytes.push(number),
            None => {
                bytes.extend([29, u8::try_from(name.len()).expect("a short name")]);
                bytes.extend(name.bytes());
            }
        }
        bytes.extend(u16::try_from(content.len()).expect("a short file").to_be_bytes());
        bytes.extend(content);
    }
    bytes
}

/// The files that an input stands for.
pub(crate) fn unpacked(bytes: &[u8]) -> Image {
    let mut feed = Feed(bytes);
    let flags = feed.byte();
    let mut files = Image::new();
    while !feed.is_empty() {
        let name = name_of(feed.byte() % 30).unwrap_or_else(|| feed.text());
        let content = feed.long_block();
        if Name::new(name.as_bytes()).is_ok() && files.len() < 24 {
            files.insert(name, content.to_vec());
        }
    }
    if flags & COMPRESS != 0 {
        for (_, content) in files.iter_mut().filter(|(name, _)| name.ends_with("fsz")) {
            let mut member = GzEncoder::new(Vec::new(), Compression::fast());
            member.write_all(content).expect("memory");
            *content = member.finish().expect("memory");
        }
    }
    make(flags, &mut files);
    files
}

/// Makes the indices that are there fit the data files that are there.
fn make(flags: u8, files: &mut Image) {
    let (mut dat, mut source) = (None, Vec::new());
    let (mut dats, mut indices): (BTreeMap<String, Vec<u8>>, Image) = Default::default();
    for (name, content) in &*files {
        let Some((stem, ending)) = stamped(name.as_bytes()).filter(|(_, ending)| ending.contains("fs")) else {
            continue;
        };
        if ending.starts_with("fs") {
            source.clear();
            dat = Some(format!("{stem}.dat"));
        }
        let Some(decoded) = decoded(name, content) else { continue };
        let start = source.len();
        source.extend(decoded);
        let line = format!("/r/{name} {start} {} {}\n", source.len(), md5_of(&source[start..]));
        dats.entry(dat.clone().unwrap_or_default()).or_default().extend(line.bytes());
        let (mut walk, mut indexer) = (Walk::new(0, source.len() as u64), Indexer::default());
        walk.push(&source, &mut indexer);
        let mut saved = Vec::new();
        if let Ok(index) = indexer.finish() {
            encode(&index, source.len() as u64, &mut |piece| saved.extend_from_slice(piece));
        }
        indices.insert(format!("{stem}.index"), saved);
    }
    for (flag, made) in [(MAKE_DATS, dats), (MAKE_INDICES, indices)] {
        for (name, content) in made {
            if flags & flag != 0
                && let Some(file) = files.get_mut(&name)
            {
                *file = content;
            }
        }
    }
}

/// A data file's bytes as a gunzip that is not ours sees them.
fn decoded(name: &str, stored: &[u8]) -> Option<Vec<u8>> {
    if name.ends_with('z') { gunzip(stored) } else { Some(stored.to_vec()) }
}

/// Any files: the report does not depend on cuts, on shards or on the order of work; a deeper look never finds less; a
/// report that says sound has no damage in it, and other programs find every claim of its indices to be true.
pub(crate) fn set(bytes: &[u8]) {
    let files = unpacked(bytes);
    let mut dice = dice_of(bytes);
    let depth = *dice.pick(&[Depth::List, Depth::Size, Depth::Digest, Depth::Deep, Depth::Deep]);
    let whole = expect_report(&files, depth);
    let most = *dice.pick(&[1, 7, 60, 3000]);
    let cut = Host::at(depth).cut(if most == 7 { Steps::Random(dice.clone()) } else { Steps::Of(most) });
    assert_eq!(json(&cut.report(&files, "r")), json(&whole), "in pieces, at {depth:?}");
    match dice.below(4) {
        0 => {
            let other = expect_report(&files, *dice.pick(&[Depth::List, Depth::Size, Depth::Digest]));
            let (less, more) = if other.depth < depth { (&other, &whole) } else { (&whole, &other) };
            assert!(more.verdict >= less.verdict, "{:?} says {:?}: {more:?}", more.depth, more.verdict);
        }
        1 => {
            let parts = (1..=2).map(|number| Host::at(depth).part(number, 2).report(&files, "r"));
            let empty = Report::empty(depth, false);
            let mut merged = parts.fold(empty, Report::merge).into_whole();
            merged.roots.iter_mut().for_each(|root| root.shards = vec![Shard::WHOLE.to_string()]);
            assert_eq!(json(&merged), json(&whole), "two shards, at {depth:?}");
        }
        2 => {
            let host = Host { order: crate::memory::Order::Shuffled(dice.clone()), strict: true, ..Host::at(depth) };
            let strict = host.report(&files, "r");
            assert_eq!((&strict.tallies, &strict.findings), (&whole.tallies, &whole.findings));
            assert!(strict.verdict >= whole.verdict);
        }
        _ => {}
    }
}

fn expect_report(files: &Image, depth: Depth) -> Report {
    let report = Host::at(depth).report(files, "r");
    let worst = report.findings.iter().map(|note| note.code.severity()).max();
    let judged = report.coverage.checked + report.coverage.unjudged;
    assert!(judged == report.coverage.claims, "{report:?}");
    if worst == Some(Severity::Damage) {
        assert_eq!(report.verdict, Soundness::Damaged);
    } else if worst == Some(Severity::Inconclusive) {
        assert_eq!(report.verdict, Soundness::Inconclusive);
    } else {
        assert!(report.verdict == Soundness::Sound || report.coverage.checked == 0, "{report:?}");
    }
    for set in &report.sets {
        assert!(report.verdict >= set.verdict, "the whole is better than {set:?}");
    }
    if report.verdict == Soundness::Sound && depth >= Depth::Digest {
        let mut sets = report.sets.iter();
        for (name, content) in
            files.iter().filter(|(name, _)| stamped(name.as_bytes()).is_some_and(|(_, e)| e == "dat"))
        {
            let mut end = 0;
            for line in content.split(|byte| *byte == b'\n').filter(|line| !matches!(*line, b"" | b"\r")) {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let fields = fields(line).unwrap_or_else(|| panic!("{name} is sound with {line:?}"));
                let file = std::str::from_utf8(fields.file).expect("a data file");
                let bytes = files.get(file).and_then(|stored| decoded(file, stored)).expect("a file that is sound");
                assert_eq!((fields.start, fields.end), (end, end + bytes.len() as u64), "{name}");
                end = fields.end;
                let sum = Digest::Md5(md5::Md5::digest(&bytes).into());
                assert_eq!(sum.to_string(), fields.sum, "{file} is sound with another sum");
                let set = sets.next().expect("a point for each line");
                assert_eq!((set.bytes, file.starts_with(&set.name)), (end, true));
                assert_eq!(set.verdict, Soundness::Sound);
            }
        }
        assert_eq!(sets.next(), None, "a point without a line");
    }
    report
}
