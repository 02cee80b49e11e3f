//! A host that reads at once comes to the report of any other, and to the same bytes.

use std::ops::ControlFlow;

use highwater_core::digest::sha256_of;
use highwater_core::drive::host::{self, Host};
use highwater_core::facts::Shape;
use highwater_core::formats::by_name;
use highwater_core::render;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_tests::repo::{Image, sample};
use highwater_tests::score::Score;
use highwater_tests::specimens::{self, Point, Specimen};

use super::{DEPTHS, Kind, REPOZO, listed};

/// Files in memory, which are given a few bytes at a time; one may be cut off by a failure, and whoever asks may be
/// given more than was asked for.
struct Memory<'a> {
    files: Vec<&'a [u8]>,
    failing: Option<usize>,
    /// Every file was replaced since it was listed.
    replaced: bool,
}

impl<'a> Memory<'a> {
    fn of(image: &'a Image) -> Self {
        Self { files: image.values().map(Vec::as_slice).collect(), failing: None, replaced: false }
    }

    fn file(&self, file: u32) -> Result<&'a [u8], String> {
        let at = usize::try_from(file).expect("a place");
        if self.failing == Some(at) { Err("the disk is gone".to_owned()) } else { Ok(self.files[at]) }
    }
}

impl Host for Memory<'_> {
    fn length(&mut self, file: u32) -> Result<u64, String> {
        Ok(self.file(file)?.len() as u64)
    }

    fn read(&mut self, file: u32, at: u64, most: u64) -> Result<Vec<u8>, String> {
        let bytes = self.file(file)?;
        let rest = &bytes[usize::try_from(at).expect("a place").min(bytes.len())..];
        // Some more than was asked for, of a short read; thousands of bytes, of a long one.
        let most = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(3).min(5_000);
        Ok(rest[..rest.len().min(most)].to_vec())
    }

    fn confirm(&mut self, _: u32) -> Result<(), String> {
        if self.replaced { Err("it was replaced".to_owned()) } else { Ok(()) }
    }
}

fn verified((format, key): Kind, memory: &mut Memory<'_>, image: &Image, depth: Depth) -> Report {
    let format = by_name(format).expect("a known format");
    host::verify(memory, (format, key), listed(image), "set", depth)
}

#[test]
fn every_damage_gets_the_report_of_any_other_host() {
    for specimen in specimens::all() {
        let mut score = Score::part("the browser's drive", &format!("{}, read at once", specimen.name()));
        for sample in specimen.samples() {
            for (number, case) in specimen.damages(&sample).enumerate() {
                let depth = DEPTHS[number % DEPTHS.len()];
                for key in sample.keys() {
                    let wanted = render::json(&specimen.host(depth, key.clone()).report(&case.files, "set"));
                    let kind = (specimen.name(), key);
                    let found = render::json(&verified(kind, &mut Memory::of(&case.files), &case.files, depth));
                    score.ran(1);
                    if found != wanted {
                        score.fail(format!("{} at {depth:?}: {found}\nnot {wanted}", case.name));
                    }
                }
            }
        }
        score.end();
    }
}

#[test]
fn what_it_cannot_read_is_inconclusive() {
    let image = sample().files;
    for (at, name) in image.keys().enumerate() {
        let mut memory = Memory { failing: Some(at), ..Memory::of(&image) };
        let report = verified(REPOZO, &mut memory, &image, Depth::Digest);
        let wanted = if name.ends_with(".index") { Soundness::Sound } else { Soundness::Inconclusive };
        assert_eq!(report.verdict, wanted, "{name}: {}", render::text(&report, true));
    }
}

#[test]
fn damage_to_what_was_replaced_is_none() {
    let mut image = sample().files;
    *image.values_mut().max_by_key(|bytes| bytes.len()).expect("a file").last_mut().expect("a byte") ^= 1;
    for (replaced, verdict) in [(false, Soundness::Damaged), (true, Soundness::Inconclusive)] {
        let report = verified(REPOZO, &mut Memory { replaced, ..Memory::of(&image) }, &image, Depth::Digest);
        assert_eq!(report.verdict, verdict, "{}", render::text(&report, true));
    }
}

#[test]
fn every_point_is_restored_or_the_reason_is_said() {
    let restores = |specimen: &&dyn Specimen| !matches!(specimen.format().facts().shape, Shape::Nothing | Shape::Tree);
    for specimen in specimens::all().into_iter().filter(restores) {
        for sample in specimen.samples() {
            for Point { name, sum, .. } in &sample.points {
                let restore = |memory: &mut Memory<'_>, enough: usize| {
                    let (format, mut out) = (specimen.format(), Vec::new());
                    let point = format.point(name).expect("a point");
                    let done =
                        host::restore(memory, (format, sample.key()), listed(&sample.files), point, &mut |bytes| {
                            out.extend_from_slice(bytes);
                            if out.len() >= enough {
                                ControlFlow::Break("enough".to_owned())
                            } else {
                                ControlFlow::Continue(())
                            }
                        });
                    done.map(|()| out)
                };
                let out = restore(&mut Memory::of(&sample.files), usize::MAX).expect(name);
                assert_eq!(sha256_of(&out).to_string(), *sum, "{name}");
                assert_eq!(restore(&mut Memory::of(&sample.files), 1), Err("enough".to_owned()));
                let mut memory = Memory::of(&sample.files);
                memory.files.iter_mut().for_each(|file| *file = &[]);
                assert!(restore(&mut memory, usize::MAX).is_err(), "{name} out of nothing");
            }
        }
    }
}
