//! Points of which something is not to be had, or not known: the rest is given back, and it is told what is not.

use std::fs;

use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Recipe, Rule};

use super::scene::Scene;

/// A mirror of `a/one`, which is not had, `a/two` and `b`.
fn scene() -> Scene {
    let scene = Scene::new();
    for key in ["a/one", "a/two", "b"] {
        scene.put(key, key);
    }
    scene.list(1);
    scene.server.plan(Rule::next(Fault::Status(404, "NoSuchKey", Vec::new())).to("/a/one?").times(9));
    scene.sync(&[]).expect(3);
    scene
}

fn at(scene: &Scene, behind: &str) -> String {
    format!("{}{behind}", scene.mirror().display())
}

fn text(scene: &Scene, name: &str) -> String {
    fs::read_to_string(scene.folder.path().join(name)).unwrap_or_else(|error| format!("{error}"))
}

#[test]
fn what_was_not_had_hinders_nothing_else() {
    let scene = scene();
    let out = |name: &str| scene.folder.path().join(name).display().to_string();
    let lacks = |run: &Run, code: i32| _ = run.expect(code).says("'a/one' is a version of 5 bytes that was not had");
    lacks(&scene.run(&["restore", &at(&scene, "@latest"), &out("all")]), 3);
    assert_eq!((text(&scene, "all/a/two"), text(&scene, "all/b")), ("a/two".to_owned(), "b".to_owned()));
    assert!(!scene.folder.path().join("all/a/one").exists());
    let archive = scene.run(&["export", &at(&scene, ""), "--output", &out("all.tar")]);
    archive.expect(3).says("'a/one' is a version of 5 bytes that was not had");
    let mut listed = std::process::Command::new("tar");
    Run::of(listed.arg("-tf").arg(out("all.tar"))).expect(0).prints("a/two").prints("b");
    scene.run(&["show", &at(&scene, "@latest")]).expect(0).prints("not to be had: 'a/one'").prints("a/two");
    // Of what lacks nothing, nothing is said.
    let whole = scene.run(&["restore", &at(&scene, "@latest/b"), "-"]);
    assert_eq!((whole.expect(0).text(), whole.stderr.as_str()), ("b".to_owned(), ""));
    let shown = scene.run(&["show", &at(&scene, "@latest/b")]);
    assert!(!shown.expect(0).text().contains("not to be had"), "{}", shown.account());
    // What was not had is no file that is not there.
    scene.run(&["restore", &at(&scene, "@latest/a/one"), "-"]).expect(3).says("was not had");
    scene.verify().expect(3).prints("HW209");
}

#[test]
fn what_a_filter_leaves_out_hinders_nothing_else() {
    let scene = Scene::new();
    for key in ["a/one", "b"] {
        scene.put(key, key);
    }
    scene.list(1);
    scene.sync(&["--path-filter", "^a/"]).expect(0);
    let out = scene.folder.path().join("out").display().to_string();
    scene.run(&["restore", &at(&scene, "@latest/a"), &out]).expect(0);
    assert_eq!(text(&scene, "out/one"), "a/one");
    scene.run(&["restore", &at(&scene, "@latest"), &out, "--full"]).expect(3).says("'b'");
}

#[test]
fn a_point_of_whose_inventory_a_row_is_unread_says_so_ever_after() {
    let scene = Scene::new();
    scene.put("k", "a body");
    scene.list(1);
    scene.sync(&[]).expect(0);
    Recipe { date: "2024-11-02T01-00Z", first: vec![(0, "\"archive\",\"half a row\"\n")], ..Recipe::default() }
        .publish(&scene.server);
    scene.sync(&[]).expect(3);
    let told = "1 rows of the inventory could not be read";
    let tells = |point: &str, is_told: bool| {
        for words in [
            &["verify", &at(&scene, "")][..],
            &["verify", "--json", &at(&scene, "")],
            &["show", &at(&scene, point)],
            &["restore", &at(&scene, point), &scene.folder.path().join("out").display().to_string()],
            &["export", "--output", "/dev/null", &at(&scene, point)],
        ] {
            let run = scene.run(words);
            let all = format!("{}{}", run.expect(0).text(), run.stderr);
            assert_eq!(all.contains(told), is_told, "{}", run.account());
        }
    };
    tells("@2024-11-02", true);
    scene.run(&["list", &at(&scene, "")]).expect(0).prints("2024-11-02T01-00Z  6 bytes  1 left out");
    scene.run(&["verify", "--nagios", &at(&scene, "")]).expect(1).prints("WARNING");
    // A newer inventory, of which all could be read, says nothing of the point before.
    scene.list(3);
    scene.sync(&[]).expect(0);
    tells("@2024-11-02", true);
    scene.run(&["verify", "--nagios", &at(&scene, "")]).expect(0);
    let whole = scene.run(&["show", &at(&scene, "@2024-11-03")]);
    assert!(!whole.expect(0).text().contains(told), "{}", whole.account());
}

#[test]
fn the_advice_for_a_file_that_is_lost_or_damaged_mends_it() {
    let scene = scene();
    scene.sync(&[]).expect(3);
    let copy = scene.folder.path().join("copy").display().to_string();
    scene.run(&["replicate", &at(&scene, ""), &copy]);
    let file = scene.mirror().join("a/two");
    let harms: [&dyn Fn(); 3] =
        [&|| fs::remove_file(&file).expect("a file"), &|| fs::write(&file, "a/t").expect("a file"), &|| {
            fs::write(&file, "other").expect("a file")
        }];
    let quick = scene.run(&["mirror", "status", &at(&scene, "")]).text();
    for harm in harms {
        harm();
        scene.verify().expect(1).prints("highwater heal DIR --from COPY");
        scene.run(&["heal", &at(&scene, ""), "--from", &copy]).prints("1");
        scene.verify().expect(3);
        // The file has its time, too.
        assert_eq!(scene.run(&["mirror", "status", &at(&scene, "")]).text(), quick);
    }
}
