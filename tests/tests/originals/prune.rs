//! What prune leaves of a repository, the original restores and verifies: every point that is kept, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use highwater_tests::python::original;
use highwater_tests::repository::{data_files, expect_same_bytes};
use highwater_tests::run::ours;
use highwater_tests::scene::{Scene, bytes};

#[test]
fn the_original_restores_and_verifies_every_point_that_is_kept() {
    for rules in [
        &["--keep-last", "1"][..],
        &["--keep-daily", "3"],
        &["--keep-hourly", "5"],
        &["--keep-weekly", "2", "--keep-last", "1"],
        &["--keep-monthly", "2"],
    ] {
        let mut scene = Scene::new();
        let mut states: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for number in 0..12u64 {
            scene.clock.tick([3_600, 86_400, 400_000][usize::try_from(number % 3).expect("small")]);
            let flags: &[&str] = match number % 5 {
                0 => &["-F"],
                1 | 4 => &["-z"],
                _ => &["-Q"],
            };
            // By the original and by ours in turn.
            let stamp = if number % 2 == 0 {
                scene.original_backup(flags)
            } else {
                let stamp = scene.later();
                highwater_tests::run::drop_in(&stamp, &scene.backup_arguments(&scene.repo, flags)).expect(0);
                stamp
            };
            states.insert(stamp, scene.source());
            scene.grow(2);
        }
        let now = scene.later();
        let words = [&["prune", "--json", scene.repo.to_str().expect("text")][..], rules].concat();
        let run = ours(&now, &words);
        let document: serde_json::Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
        let points = document["points"].as_array().expect("a list");
        assert_eq!(points.len(), states.len(), "{}", run.account());
        let kept: Vec<&str> = points
            .iter()
            .filter(|point| point["kept"] == true)
            .map(|point| point["name"].as_str().expect("a name"))
            .collect();
        assert!(kept.len() < states.len(), "{rules:?} removes nothing");
        let left: Vec<String> = data_files(&scene.repo).iter().map(|name| name[..19].to_owned()).collect();
        assert_eq!(left, kept, "{rules:?}");
        original(&now, &Scene::verify_arguments(&scene.repo, &[])).expect(0);
        for point in &kept {
            let target = scene.path("restored.fs");
            let _ = std::fs::remove_file(&target);
            let mut arguments = Scene::recover_arguments(&scene.repo, &target, &["-w"]);
            arguments.extend(["-D".into(), point.into()]);
            original(&now, &arguments).expect(0);
            expect_same_bytes(&bytes(&target), &states[*point], point);
        }
        ours(&now, &[Path::new("verify"), Path::new("--strict"), &scene.repo]).expect(0);
        // And it goes on.
        let stamp = scene.original_backup(&["-Q"]);
        let (run, got) = scene.original_recover(&scene.repo, &["-w"]);
        run.expect(0);
        expect_same_bytes(&got.expect("a file"), &scene.source(), &stamp);
    }
}
