//! Files of trees through the sans-I/O drive: named by path or key, and each restored, whatever the order of the
//! answers.

use highwater_core::drive::tree::{Files, Held};
use highwater_core::facts::Shape;
use highwater_core::inspect::Format;
use highwater_core::key::Key;
use highwater_tests::dice::Dice;
use highwater_tests::repo::Image;
use highwater_tests::specimens::{self, Sample, Specimen};

use super::late::Late;
use super::listed;
use super::restores::restored_of;

/// The files of a point, with reads answered in any order; or why there are none.
fn named(
    format: &'static dyn Format,
    key: Option<Key>,
    image: &Image,
    point: &str,
    dice: Dice,
) -> Result<Vec<Held>, String> {
    let mut files = Files::new(format, format.point(point).expect("a point"), key, listed(image));
    let mut store = Late::new(image, dice, &[]);
    loop {
        if let Some(held) = files.step()? {
            return Ok(held);
        }
        store.keep(files.wants());
        for want in store.due() {
            files.answer(want.id, store.answer(&want));
        }
    }
}

/// Trees by the points of samples: of sets that are trees all points, of others those that are archives of one.
fn trees() -> Vec<(&'static dyn Specimen, Sample, Vec<String>)> {
    let mut found = Vec::new();
    for specimen in specimens::all() {
        let is_tree = specimen.format().facts().shape == Shape::Tree;
        for sample in specimen.samples() {
            let points: Vec<String> = match is_tree {
                true => vec!["latest".to_owned()],
                false => sample.points.iter().map(|point| point.name.clone()).collect(),
            };
            let points: Vec<String> = points
                .into_iter()
                .filter(|point| {
                    specimen.format().point(point).is_ok_and(|point| point.is_tree() && point.restores().is_ok())
                })
                .collect();
            if !points.is_empty() {
                found.push((specimen, sample, points));
            }
        }
    }
    found
}

#[test]
fn every_file_is_named_and_restored_and_no_damaged_one() {
    let mut dice = Dice::new(73);
    let (mut whole, mut shared, mut refused) = (0, 0, 0);
    for (specimen, sample, points) in trees() {
        let format = specimen.format();
        for point in points {
            let all = match named(format, sample.key(), &sample.files, &point, Dice::new(dice.bits())) {
                Ok(all) => all,
                Err(why) => {
                    assert!(why.contains("is a catalogue"), "{point}: {why}");
                    continue;
                }
            };
            assert!(!all.is_empty(), "{} at {point} has files", sample.name);
            for held in all.iter().filter(|held| !held.name.ends_with(b"/")).take(20) {
                let name = String::from_utf8(held.name.clone()).expect("text");
                let at = format!("{point}/{name}");
                let mut restore =
                    |files: &Image| restored_of((specimen.name(), sample.key()), files, &at, Dice::new(dice.bits()));
                let bytes = restore(&sample.files).unwrap_or_else(|why| panic!("{at}: {why}"));
                assert_eq!(bytes.len() as u64, held.bytes, "{at}");
                if let [object] = &held.objects[..] {
                    let stored = &sample.files[&object.to_string()];
                    match format.facts().shape == Shape::Tree && stored.len() == bytes.len() {
                        true => {
                            assert_eq!(*stored, bytes, "{at}");
                            whole += 1;
                        }
                        false => shared += 1,
                    }
                }
                for object in held.objects.iter().take(2) {
                    let mut files = sample.files.clone();
                    let stored = files.get_mut(&object.to_string()).expect("its object");
                    *stored.last_mut().expect("a byte") ^= 1;
                    let why = restore(&files).expect_err(&at);
                    assert!(!why.is_empty(), "{at}");
                    refused += 1;
                }
            }
        }
    }
    assert!(whole > 8 && shared > 4 && refused > 12, "{whole} whole, {shared} in part, {refused} refused");
}

#[test]
fn a_mirrors_keys_are_named_as_the_bucket_has_them() {
    let (specimen, sample, _) =
        trees().into_iter().find(|(specimen, ..)| specimen.name() == "mirror").expect("a mirror");
    let all = named(specimen.format(), None, &sample.files, "latest", Dice::new(1)).expect("its files");
    let names: Vec<String> = all.iter().map(|held| String::from_utf8_lossy(&held.name).into_owned()).collect();
    // A file called so would be a folder as well.
    for key in ["zarr", "zarr/0/new", "zarr/1/deep/er"] {
        assert!(names.iter().any(|name| name == key), "{key} is not in {names:?}");
    }
    assert!(names.iter().all(|name| !name.contains("%hw")), "{names:?}");
}

#[test]
fn what_is_no_file_is_refused_in_a_sentence() {
    let (specimen, sample, _) = trees().into_iter().find(|(specimen, ..)| specimen.name() == "tree").expect("a tree");
    for (path, why) in [
        ("a", "'a' is a folder: name a file in it"),
        ("nowhere", "there is no 'nowhere' in latest"),
        ("a/both/more", "there is no 'a/both/more' in latest"),
        ("../a", "'../a': "),
    ] {
        let said = restored_of((specimen.name(), None), &sample.files, &format!("latest/{path}"), Dice::new(2));
        assert!(said.as_ref().is_err_and(|said| said.starts_with(why)), "{path}: {said:?}");
    }
    let said = restored_of((specimen.name(), None), &sample.files, "latest", Dice::new(2)).expect_err("a tree");
    assert!(said.contains("name one of them behind it"), "{said}");
}
