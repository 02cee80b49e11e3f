//! The package for npm under node: the command's reports, lists and restores, its errors, its examples and its types.
#![expect(clippy::print_stdout, reason = "what is not run is told")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use highwater_core::facts::Shape;
use highwater_tests::binary::highwater;
use highwater_tests::browser::page;
use highwater_tests::datastore;
use highwater_tests::page::plain;
use highwater_tests::repo::{Sample, sample, store};
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Specimen};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sets::{damages, samples};
use crate::support::{DEPTHS, command_with};

/// Where `web/build` put the package that belongs to the page.
#[track_caller]
pub(crate) fn package() -> PathBuf {
    let package = page().parent().and_then(Path::parent).expect("target").join("npm");
    assert!(package.join("package.json").exists(), "there is no {}: run web/build", package.display());
    package
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// A folder where the package is installed, with the scripts of these tests and the examples.
pub(crate) fn installed() -> TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let modules = folder.path().join("node_modules");
    fs::create_dir(&modules).expect("a folder");
    symlink(package(), modules.join("highwater")).expect("a link");
    for scripts in ["tests/tests/page/scripts", "web/examples"] {
        for entry in fs::read_dir(workspace().join(scripts)).expect("the scripts") {
            let path = entry.expect("an entry").path();
            fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
    folder
}

/// Runs a script of that folder under node.
#[track_caller]
pub(crate) fn node(folder: &Path, script: &str, arguments: &[&Path]) -> Run {
    Run::of(Command::new("node").arg(folder.join(script)).args(arguments))
}

/// Runs one that answers each line with one; gives the answers.
#[track_caller]
pub(crate) fn answers(script: &str, asked: &[Value]) -> Vec<Value> {
    let folder = installed();
    let mut node = Command::new("node");
    node.arg(folder.path().join(script)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = node.spawn().expect("node; tests/run installs it");
    let mut to = child.stdin.take().expect("a pipe");
    let lines: String = asked.iter().map(|line| format!("{line}\n")).collect();
    let writer = std::thread::spawn(move || to.write_all(lines.as_bytes()));
    let out = child.wait_with_output().expect("its output");
    assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stdout));
    assert!(writer.join().expect("the writer").is_ok(), "{script} took not all of its lines");
    let text = String::from_utf8(out.stdout).expect("text");
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), asked.len(), "{script} answers each line");
    answers
}

#[test]
fn a_report_in_node_is_the_commands_for_any_set_and_damage_and_so_is_a_list() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    for (at, (specimen, sample, key)) in samples(fixture.path()).into_iter().enumerate() {
        let cases = damages(specimen, &sample, 3).into_iter().step_by(2).map(|case| (case.name, case.files));
        for (number, (name, files)) in [("sound".to_owned(), sample.files.clone())].into_iter().chain(cases).enumerate()
        {
            let set = fixture.path().join(format!("{at}-{number}"));
            specimens::lay(&files, &set);
            let keyed = key.as_ref().filter(|_| number % 2 == 0);
            let depth = if number == 0 { "deep" } else { DEPTHS[number % DEPTHS.len()] };
            let workers = 1 + number % 3;
            asked.push(json!({ "folder": set, "depth": depth, "key": keyed, "workers": workers }));
            let more = keyed.map(|key| ["--keyfile", key.to_str().expect("text")]);
            let what = format!("{} {name} at {depth} with {workers} workers", sample.name);
            wanted.push((what, command_with(&[&set], depth, more.as_ref().map_or(&[][..], |more| more))));
        }
    }
    for (answer, (what, wanted)) in answers("reports.mjs", &asked).iter().zip(&wanted) {
        assert_eq!(answer["verdict"], wanted.verdict, "{what}");
        for (kind, bytes) in &wanted.files {
            let text = answer["files"][*kind].as_str().expect("a text");
            expect_same_bytes(text.as_bytes(), bytes, &format!("{kind} of {what}"));
        }
        let object = answer["object"].as_str().expect("a text");
        expect_same_bytes(object.as_bytes(), &wanted.files["json"], &format!("the object of {what}"));
    }
    let lists: Vec<Value> = asked.iter().map(|asked| json!({ "folder": asked["folder"], "listing": true })).collect();
    for (answer, asked) in answers("reports.mjs", &lists).iter().zip(&lists) {
        let folder = asked["folder"].as_str().expect("a path");
        let run = Run::of(Command::new(highwater()).args(["list", "--json", folder]));
        let wanted: Value = serde_json::from_slice(&run.stdout).expect("a list");
        assert_eq!((&answer[0]["points"], &answer[0]["format"]), (&wanted["sets"], &wanted["format"]), "{folder}");
        let grave =
            answer[0]["findings"].as_array().expect("findings").iter().any(|note| note["severity"] != "warning");
        assert_eq!(grave, !run.stderr.is_empty(), "{folder}: {}", run.stderr);
    }
}

#[test]
fn all_points_are_restored_in_node_and_what_is_sealed_with_its_key_alone() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    for (at, (specimen, sample, key)) in samples(fixture.path()).into_iter().enumerate() {
        if matches!(specimen.format().facts().shape, Shape::Nothing | Shape::Tree) {
            continue;
        }
        let set = fixture.path().join(format!("set-{at}"));
        specimens::lay(&sample.files, &set);
        for (number, point) in sample.points.iter().enumerate() {
            let keys: Vec<&PathBuf> = key.iter().collect();
            asked.push(json!({ "folder": set, "point": point.name, "keys": keys, "streamed": number % 2 == 0 }));
            wanted.push((point.clone(), true));
            if point.sealed {
                asked.push(json!({ "folder": set, "point": point.name, "keys": [], "streamed": number % 2 == 0 }));
                wanted.push((point.clone(), false));
            }
        }
    }
    let mut sealed = 0;
    for (answer, (point, opens)) in answers("restores.mjs", &asked).iter().zip(&wanted) {
        if *opens {
            assert_eq!((answer["sum"].as_str(), &answer["state"]), (Some(&*point.sum), &json!("closed")), "{answer}");
        } else {
            sealed += 1;
            assert_eq!(answer["code"], "point", "{answer}");
            assert!(answer["message"].as_str().is_some_and(|why| why.contains("encrypted")), "{answer}");
        }
    }
    assert!(sealed > 0 && wanted.len() > 20, "{sealed} of {}", wanted.len());
}

#[test]
fn a_wrong_key_does_not_hide_the_right_one_and_a_damaged_point_aborts_what_takes_it() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let sample = datastore::Sample::made();
    let (store, key) = (plain(&sample.store()), sample.truth("key.json"));
    // A key like it, of which nothing is encrypted.
    let other = fixture.path().join("other.json");
    Run::of(Command::new("node").args(["-e", OTHER_KEY]).arg(&key).arg(&other));
    assert!(other.exists(), "no other key was made");
    let points = specimens::datastore::Datastore.samples().into_iter().find(|sample| sample.name == "made");
    let point = points.expect("it").points.into_iter().find(|point| point.sealed).expect("one");
    let mut asked = Vec::new();
    for keys in [vec![&other, &key], vec![&key, &other], vec![&other]] {
        asked.push(json!({ "folder": store, "point": point.name, "keys": keys, "streamed": false }));
    }
    let Sample { mut files, points, .. } = self::sample();
    let full = files.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup").clone();
    files.get_mut(&full).expect("its bytes")[99] ^= 1;
    let set = fixture.path().join("set");
    self::store(&files, &set);
    let newest = &points.last().expect("a point").0;
    for streamed in [true, false] {
        asked.push(json!({ "folder": set, "point": newest, "keys": [], "streamed": streamed }));
    }
    let answers = answers("restores.mjs", &asked);
    for answer in &answers[..2] {
        assert_eq!(answer["sum"], json!(point.sum), "{answer}");
    }
    assert_eq!((&answers[2]["code"], &answers[2]["sum"]), (&json!("point"), &Value::Null), "{}", answers[2]);
    for answer in &answers[3..] {
        assert_eq!((&answer["code"], &answer["sum"]), (&json!("point"), &Value::Null), "{answer}");
        assert!(answer["message"].as_str().is_some_and(|why| why.contains(&full)), "{answer}");
    }
    assert_eq!((&answers[3]["state"], &answers[4]["state"]), (&json!(""), &json!("aborted")));
}

/// Writes a key file whose key is another than that of the file it reads.
pub(crate) const OTHER_KEY: &str = r#"
const [from, to] = process.argv.slice(1);
const { readFileSync, writeFileSync } = require("node:fs");
const key = JSON.parse(readFileSync(from, "utf8"));
const bytes = Buffer.from(key.data, "base64");
bytes[0] ^= 1;
key.data = bytes.toString("base64");
delete key.fingerprint;
writeFileSync(to, JSON.stringify(key));
"#;

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence_with_a_code() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let [sound, empty, two] = ["sound", "empty", "two"].map(|name| fixture.path().join(name));
    fs::create_dir_all(&empty).expect("a folder");
    let Sample { files, .. } = sample();
    for set in [&sound, &two.join("one"), &two.join("deep/other")] {
        store(&files, set);
    }
    fs::write(two.join("notes.txt"), "x").expect("a file");
    let sealed = datastore::Sample::made();
    let (store, key) = (plain(&sealed.store()), sealed.truth("key-scrypt.json"));
    let folder = installed();
    let run = node(folder.path(), "errors.mjs", &[&sound, &empty, &store, &two, &key]);
    assert_eq!(run.code, 0, "{}", run.account());
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    for line in [
        "depth option there is no depth 'whole': list, size, digest and deep are",
        "workers option the number of workers must be 1 or more",
        "path source '",
        "empty source there are no files in it",
        "number source that is no folder",
        "items source there is something in it that is neither a file nor an entry",
        "point point ",
        "unnamed option say which point to restore",
        "early point there is no point in time at or before this one",
        "several source there are 2 backups in it: name one of them as `root`: ",
        "label source there is no 'three' among them: ",
        "key key ",
        "passphrase passphrase key 1 takes a passphrase",
        "wrong key the passphrase is wrong",
        "opened true 32",
        "sealed sound",
        "found one,other 1",
        "one one sound",
        "both one,other",
        "listed 2 true true",
    ] {
        assert!(said.lines().any(|said| said.starts_with(line)), "no line begins with {line:?}\n{said}");
    }
    assert_eq!(said.lines().count(), 20, "{said}");
}

#[test]
fn an_aborted_signal_ends_a_check_and_its_workers() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let set = fixture.path().join("set");
    fs::create_dir_all(&set).expect("a folder");
    // Files of nothing, long enough that none is through when the first bytes are told.
    let (mut dat, each) = (String::new(), 3u64 << 30);
    for number in 0..2 {
        let name = format!("2026-03-01-00-00-0{number}.{}", if number == 0 { "fs" } else { "deltafs" });
        fs::File::create(set.join(&name)).and_then(|file| file.set_len(each)).expect("a sparse file");
        dat.push_str(&format!("r/{name} {} {} {}\n", number * each, (number + 1) * each, "0".repeat(32)));
    }
    fs::write(set.join("2026-03-01-00-00-00.dat"), dat).expect("an index");
    let folder = installed();
    // A worker that is left keeps node from its end, and the run from being in time.
    let run = node(folder.path(), "abort.mjs", &[&set, Path::new("2026-03-01-00-00-01")]);
    let wanted = "during AbortError true true\nbefore AbortError\nreason true\nrestore AbortError\nleft\n";
    assert_eq!((run.code, &*String::from_utf8_lossy(&run.stdout)), (0, wanted), "{}", run.account());
}

#[test]
fn the_examples_do_what_they_say_in_few_lines() {
    let Sample { mut files, source, points } = sample();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (set, to) = (fixture.path().join("set"), fixture.path().join("restored"));
    store(&files, &set);
    let folder = installed();
    let run = node(folder.path(), "verify.mjs", &[&set]);
    assert!(run.code == 0 && run.stdout.starts_with(b"sound: "), "{}", run.account());
    let run = node(folder.path(), "points.mjs", &[&set]);
    let named =
        String::from_utf8_lossy(&run.stdout).lines().skip(1).map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let wanted = points.iter().map(|(name, length)| format!("{name}  {length} bytes")).collect::<Vec<_>>();
    assert_eq!(named, wanted, "{}", run.account());
    let (newest, _) = points.last().expect("a point");
    let run = node(folder.path(), "restore.mjs", &[&set, Path::new(newest), &to]);
    assert_eq!(run.code, 0, "{}", run.account());
    expect_same_bytes(&fs::read(&to).expect("what was restored"), &source, "the restore");
    let full = files.keys().rfind(|name| name.ends_with(".fs")).expect("a full backup").clone();
    files.get_mut(&full).expect("its bytes")[99] ^= 1;
    store(&files, &set);
    let run = node(folder.path(), "verify.mjs", &[&set]);
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.code == 1 && said.contains(&format!("HW103 {full}: ")), "{}", run.account());
    fs::remove_file(&to).expect("it was there");
    let run = node(folder.path(), "restore.mjs", &[&set, Path::new(newest), &to]);
    assert!(run.code == 1 && run.stderr.contains("not restored: "), "{}", run.account());
    assert!(!to.exists() && !fixture.path().join("restored.part").exists(), "something was kept");
    let text = fs::read_to_string(workspace().join("web/examples/verify.mjs")).expect("the example");
    assert!(text.lines().count() <= 20, "{} lines", text.lines().count());
}

#[test]
fn the_readme_shows_code_that_runs() {
    let text = fs::read_to_string(package().join("README.md")).expect("the text");
    let (_, rest) = text.split_once("```js\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    assert!(example.lines().count() <= 20 && example.contains("\"/srv/backup/zodb\""), "{example}");
    let folder = installed();
    let set = folder.path().join("set");
    store(&sample().files, &set);
    let path = format!("{:?}", set.to_str().expect("text"));
    fs::write(folder.path().join("readme.mjs"), example.replace("\"/srv/backup/zodb\"", &path)).expect("a script");
    let run = node(folder.path(), "readme.mjs", &[]);
    assert!(run.code == 0 && run.stdout.starts_with(b"sound: "), "{}", run.account());
}

#[test]
fn the_package_has_all_that_it_needs_and_depends_on_nothing() {
    let package = package();
    let about: Value =
        serde_json::from_slice(&fs::read(package.join("package.json")).expect("package.json")).expect("JSON");
    assert_eq!((&about["name"], &about["type"]), (&json!("highwater"), &json!("module")));
    assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    assert!(about["dependencies"].is_null() && about["scripts"].is_null(), "{about}");
    for path in [
        "highwater.js",
        "highwater.d.ts",
        "highwater.wasm",
        "repozo.js",
        "repozo.wasm",
        "worker.js",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(package.join(path).exists(), "there is no {path}");
    }
    // Every import of a module is of one beside it, or of node's own, where there is a node.
    for entry in fs::read_dir(&package).expect("the package") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "js") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a script");
        for (_, rest) in text.match_indices(" from \"").map(|(at, found)| text.split_at(at + found.len())) {
            let from = rest.split('"').next().unwrap_or_default();
            assert!(package.join(from).exists(), "{} imports {from}", path.display());
        }
    }
    if Command::new("npm").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        let run = Run::of(Command::new("npm").args(["pack", "--dry-run", "--json", "--offline"]).current_dir(&package));
        let packed: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{}", run.account()));
        let files = packed[0]["files"].as_array().expect("files").iter().filter_map(|file| file["path"].as_str());
        let files: BTreeSet<String> = files.map(str::to_owned).collect();
        let there = fs::read_dir(&package).expect("the package").map(|entry| entry.expect("an entry").file_name());
        assert_eq!(files, there.map(|name| name.into_string().expect("a plain name")).collect(), "what npm packs");
    } else {
        println!("not run: there is no npm, so the package was not packed");
    }
}

#[test]
fn the_types_allow_what_is_right_and_refuse_what_is_not() {
    let folder = installed();
    fs::write(folder.path().join("package.json"), "{\"type\":\"module\"}").expect("a file");
    // A project for node knows no browser.
    for (script, libraries) in [("types.ts", "es2022,dom,dom.iterable"), ("node.ts", "es2022")] {
        let options = ["--noEmit", "--strict", "--target", "es2022", "--module", "node16", "--lib"];
        let run = Run::of(Command::new("tsc").current_dir(folder.path()).args(options).args([libraries, script]));
        assert_eq!(run.code, 0, "{script}: {}", run.account());
    }
}
