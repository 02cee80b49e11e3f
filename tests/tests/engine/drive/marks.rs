//! Marks, and members at their borders: they change no report, and say where the damage is.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use highwater_core::claim::Sum;
use highwater_core::codec::member::{HEADER, Lengths, header};
use highwater_core::digest::{Algorithm, md5_of};
use highwater_core::marks::Marker;
use highwater_core::report::{Depth, Soundness};
use highwater_core::shard::Shard;
use highwater_tests::dice::Dice;
use highwater_tests::harm::harmed;
use highwater_tests::repo::{Image, Sample, sample, store};
use highwater_tests::repository::{decoded, is_data_file};
use highwater_tests::score::{Score, size};
use std::io::Write;

use super::{REPOZO, compare, driven};

/// Bytes as gzip members of `size` bytes each, which say how long they are.
fn members(raw: &[u8], size: usize) -> Vec<u8> {
    let mut stored = Vec::new();
    for raw in raw.chunks(size) {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(raw).expect("memory");
        let deflated = deflate.finish().expect("memory");
        let mut crc = Crc::new();
        crc.update(raw);
        let number = |length: usize| u32::try_from(length).expect("a short member");
        let lengths = Lengths { stored: number(HEADER + deflated.len() + 8), decoded: number(raw.len()) };
        stored.extend(header(lengths));
        stored.extend(deflated);
        stored.extend(crc.sum().to_le_bytes());
        stored.extend(lengths.decoded.to_le_bytes());
    }
    stored
}

fn marks(data: &[u8], distance: u64) -> Vec<u8> {
    let mut marker = Marker::new(Algorithm::Md5, distance);
    marker.update(data);
    let expect = Sum { length: data.len() as u64, digest: md5_of(data) };
    marker.marks(expect).expect("all of it was taken").encode()
}

/// The sample with marks beside every data file.
pub(super) fn marked(Sample { files, .. }: &Sample) -> Image {
    let folder = tempfile::tempdir().expect("a scratch folder");
    store(files, folder.path());
    let mut image = files.clone();
    for name in files.keys().filter(|name| is_data_file(name)) {
        image.insert(format!("{name}.marks"), marks(&decoded(&folder.path().join(name)), 1024));
    }
    image
}

/// A set whose only backup is stored in members, with marks at their borders: `borders` members to a mark.
fn in_members(borders: u64) -> Image {
    const MEMBER: usize = 64 * 1024;
    let data: Vec<u8> = (0..600_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 12).to_le_bytes()).collect();
    let stem = "2026-03-01-00-00-00";
    let dat = format!("r/{stem}.fsz 0 {} {}\n", data.len(), md5_of(&data));
    Image::from([
        (format!("{stem}.dat"), dat.into_bytes()),
        (format!("{stem}.fsz.marks"), marks(&data, borders * MEMBER as u64)),
        (format!("{stem}.fsz"), members(&data, MEMBER)),
    ])
}

#[test]
fn marks_change_no_report() {
    let mut score = Score::part("the browser's drive", "marks");
    let sample = sample();
    let mut dice = Dice::new(5);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let folder = folder.path().join("set");
    let mut bases = vec![marked(&sample), in_members(1), in_members(4)];
    // Marks that fit no border of a member.
    bases.push(Image::from_iter(in_members(1).into_iter().map(|(name, bytes)| {
        let odd = name.ends_with(".marks");
        (name, if odd { in_members(2).remove("2026-03-01-00-00-00.fsz.marks").expect("marks") } else { bytes })
    })));
    for image in &bases {
        compare(REPOZO, image, &folder, &mut dice, &mut score);
    }
    // More than a mark expects behind the last segment, and less in it.
    for image in &bases[..2] {
        for name in image.keys().filter(|name| is_data_file(name)) {
            for change in [-1, 1, 700] {
                let mut image = image.clone();
                let bytes = image.get_mut(name).expect("its bytes");
                bytes.resize(bytes.len().saturating_add_signed(change), 0);
                compare(REPOZO, &image, &folder, &mut dice, &mut score);
            }
        }
    }
    for number in 0..size(80, 2_000) {
        let base = &bases[if number % 8 == 0 { 1 + usize::from(number % 16 == 0) } else { 0 }];
        compare(REPOZO, &harmed(base, &mut dice).1, &folder, &mut dice, &mut score);
    }
    score.end();
}

#[test]
fn marks_are_used_and_say_where_the_damage_is() {
    for (mut image, wanted) in [(in_members(1), 2_400_000), (marked(&sample()), 0)] {
        let report = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(1), &[]).report;
        assert_eq!(report.verdict, Soundness::Sound);
        let bytes = report.coverage.bytes;
        assert!(report.coverage.marked == wanted || wanted == 0 && report.coverage.marked > 0, "{report:?}");
        assert!(report.coverage.marked <= bytes);
        let name = image.keys().find(|name| name.ends_with(".fs") || name.ends_with(".fsz")).expect("a full").clone();
        if name.ends_with(".fs") {
            image.get_mut(&name).expect("its bytes")[2000] ^= 1;
            let report = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(1), &[]).report;
            let note = report.findings.first().expect("a finding");
            assert!(note.offset == Some(1024) && note.message.contains("in bytes 1024-2047"), "{note:?}");
        }
    }
}
