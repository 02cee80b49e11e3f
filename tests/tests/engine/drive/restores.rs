//! Restores through the sans-I/O drive: every point, whatever the order of the answers, and no damaged one.

use highwater_core::digest::sha256_of;
use highwater_core::drive::restore::Restore;
use highwater_core::facts::Shape;
use highwater_core::formats::by_name;
use highwater_core::point::LATEST;
use highwater_tests::dice::Dice;
use highwater_tests::repo::{Image, Sample, sample};
use highwater_tests::specimens::{self, Point, Specimen};

use super::late::Late;
use super::{Kind, REPOZO, listed};

/// What a restore of `point` gives, with reads answered in any order; or why it cannot be.
fn restored(image: &Image, point: &str, dice: Dice) -> Result<Vec<u8>, String> {
    restored_of(REPOZO, image, point, dice)
}

pub(super) fn restored_of((format, key): Kind, image: &Image, point: &str, dice: Dice) -> Result<Vec<u8>, String> {
    let format = by_name(format).expect("a known format");
    let mut restore = Restore::new(format, format.point(point).expect("a point"), key, listed(image));
    let (mut store, mut out) = (Late::new(image, dice, &[]), Vec::new());
    loop {
        while let Some(bytes) = restore.step()? {
            out.extend(bytes);
        }
        if restore.is_done() {
            assert_eq!(restore.end(), Some(out.len() as u64));
            return Ok(out);
        }
        store.keep(restore.wants());
        for want in store.due() {
            restore.answer(want.id, store.answer(&want));
        }
    }
}

#[test]
fn every_point_is_restored_and_damage_is_refused() {
    let mut dice = Dice::new(72);
    // One file is what a page saves; a tree is none.
    let restores = |specimen: &&dyn Specimen| !matches!(specimen.format().facts().shape, Shape::Nothing | Shape::Tree);
    for specimen in specimens::all().into_iter().filter(restores) {
        for sample in specimen.samples() {
            assert!(sample.points.len() > 1, "{} has points", sample.name);
            let mut refused = 0;
            for Point { name, sum, sealed } in &sample.points {
                let mut restore =
                    |key, files: &Image| restored_of((specimen.name(), key), files, name, Dice::new(dice.bits()));
                let bytes = restore(sample.key(), &sample.files).unwrap_or_else(|why| panic!("{name}: {why}"));
                assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name}");
                assert!(!sealed || restore(None, &sample.files).is_err(), "{name} is sealed");
                // Each file of a small sample is harmed, and every sixth of another; what is given all the same is
                // right.
                let step = if sample.is_small() { 1 } else { 6 };
                for (file, whole) in sample.files.iter().step_by(step).filter(|(_, bytes)| !bytes.is_empty()) {
                    let mut files = sample.files.clone();
                    files.get_mut(file).expect("its bytes")[whole.len() / 2] ^= 1;
                    match restore(sample.key(), &files) {
                        Ok(bytes) => assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name} with harm to {file}"),
                        Err(_) => refused += 1,
                    }
                    files.remove(file);
                    match restore(sample.key(), &files) {
                        Ok(bytes) => assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name} without {file}"),
                        Err(_) => refused += 1,
                    }
                }
                // The last byte of all that is stored: of every chunk and every data file.
                let mut files = sample.files.clone();
                files.values_mut().filter_map(|bytes| bytes.last_mut()).for_each(|byte| *byte ^= 1);
                assert!(bytes.is_empty() || restore(sample.key(), &files).is_err(), "{name}");
            }
            assert!(refused >= sample.points.len(), "{}: {refused} were refused", sample.name);
        }
    }
}

#[test]
fn of_what_is_used_as_it_lies_nothing_is_restored() {
    let nothing = |specimen: &&dyn Specimen| specimen.format().facts().shape == Shape::Nothing;
    for specimen in specimens::all().into_iter().filter(nothing) {
        let small = specimen.small();
        assert!(small.points.is_empty());
        let why = restored_of((specimen.name(), None), &small.files, LATEST, Dice::new(1)).expect_err("a restore");
        assert!(why.contains("nothing to restore"), "{why}");
    }
}

#[test]
fn a_restore_that_is_refused_names_the_file() {
    let Sample { files, points, .. } = sample();
    assert!(restored(&files, "1999", Dice::new(1)).expect_err("there is none").contains("no point in time"));
    let newest = &points.last().expect("a point").0;
    // The second chain: its full backup, its index, and an increment in the middle.
    for ending in [".fs", ".dat", ".deltafsz"] {
        let name = files.keys().rfind(|name| name.ends_with(ending)).expect("a file of the kind");
        let mut image = files.clone();
        let bytes = image.get_mut(name).expect("its bytes");
        // Of the index, the last digest's last digit: what its lines say of folders is not looked at.
        let at = if ending == ".dat" { bytes.len() - 2 } else { bytes.len() / 2 };
        bytes[at] ^= 1;
        let why = restored(&image, newest, Dice::new(2)).expect_err(name);
        let told = if ending == ".dat" { ".deltafs" } else { name.as_str() };
        assert!(why.contains(told), "{name}: {why}");
        image.remove(name);
        let why = restored(&image, newest, Dice::new(2)).expect_err(name);
        assert!(ending == ".dat" || why.contains("is missing") && why.contains(name), "{name}: {why}");
    }
}
