//! What programs read of verbs that write: `--json` of a backup and a restore of each kind, and `--events`.

use std::fs;
use std::path::Path;

use highwater_tests::repo::Fixture;
use highwater_tests::run::{Run, ours};
use serde_json::{Value, json};
use tempfile::TempDir;

const NOW: &str = "2026-11-28-08-00-00";
const LATER: &str = "2026-11-28-09-00-00";

#[track_caller]
fn document(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{}", run.account()))
}

#[track_caller]
fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    text.lines().map(line).collect()
}

/// The values of some fields.
fn fields(document: &Value, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| document[name].clone()).collect()
}

/// A folder with two files in `notes`, an empty `set`, an empty `store` and an image.
fn folder() -> TempDir {
    // A store has 65,536 folders, which a disk takes long to make.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    for name in ["notes", "set", "store"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    for (name, bytes) in [("notes/a", &b"one"[..]), ("notes/b", b"other"), ("disk.img", &[7; 100_000])] {
        fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

fn at(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

#[test]
fn a_repository_tells_programs_what_it_got_and_gave() {
    let mut fixture = Fixture::new();
    let (source, repo) = (fixture.source.to_string_lossy().into_owned(), fixture.repo.to_string_lossy().into_owned());
    let end = fixture.data.bytes.len();
    let made = document(fixture.run(&["backup", "--json", &source, &repo]).expect(0));
    assert_eq!(
        fields(&made, &["schema", "format", "dry_run", "bytes"]),
        [json!(1), json!("repozo"), json!(false), json!(end)]
    );
    assert_eq!(fields(&made["made"], &["kind", "start", "end"]), [json!("full"), json!(0), json!(end)]);
    let again = document(fixture.run(&["backup", "--json", "-q", &source, &repo]).expect(0));
    assert_eq!(fields(&again, &["made", "bytes"]), [Value::Null, json!(end)]);
    fixture.grow(2);
    let dry = document(fixture.run(&["backup", "--json", "-n", &source, &repo]).expect(0));
    assert_eq!(fields(&dry["made"], &["kind", "start"]), [json!("increment"), json!(end)]);
    assert_eq!(dry["dry_run"], true);
    let target = fixture.path("Restored.fs").to_string_lossy().into_owned();
    let restored = document(fixture.run(&["restore", "--json", &repo, &target]).expect(0));
    let told = ["format", "target", "how", "bytes", "written", "index", "lost"];
    let wanted = [json!("repozo"), json!(target), json!("full"), json!(end), json!(end), json!(true), json!([])];
    assert_eq!(fields(&restored, &told), wanted, "{restored}");
    let same = document(fixture.run(&["restore", "--json", &repo, &target]).expect(0));
    assert_eq!(fields(&same, &["how", "written"]), [json!("nothing"), json!(0)]);
    fixture.run(&["restore", "--json", &repo, "-"]).expect(2).says("standard output");
}

#[test]
fn a_set_of_points_tells_programs_what_it_got_and_gave() {
    let folder = folder();
    let [notes, set, back] = ["notes", "set", "back"].map(|name| at(folder.path(), name));
    let made = document(ours(NOW, &["backup", "--json", &notes, &set]).expect(0));
    let told = ["schema", "format", "point", "entries", "bytes", "new", "left_out", "changed"];
    let new = json!({ "count": 2, "bytes": 8 });
    let wanted =
        [json!(1), json!("tree"), json!("2026-11-28T08-00-00Z"), json!(3), json!(8), new, json!([]), json!([])];
    assert_eq!(fields(&made, &told), wanted, "{made}");
    let plan = document(ours(LATER, &["restore", "--json", "-n", &set, &back]).expect(0));
    assert_eq!(fields(&plan, &["dry_run", "how"]), [json!(true), json!("full")], "{plan}");
    let restored = document(ours(LATER, &["restore", "--json", &set, &back]).expect(0));
    let told = ["format", "point", "target", "how", "files", "kept", "written", "given_up", "left_out"];
    let wanted = [
        json!("tree"),
        json!("2026-11-28T08-00-00Z"),
        json!(back),
        json!("full"),
        json!(2),
        json!(0),
        json!(8),
        json!(0),
        json!([]),
    ];
    assert_eq!(fields(&restored, &told), wanted, "{restored}");
    fs::write(folder.path().join("back/b"), "else").expect("a file");
    fs::write(folder.path().join("back/c"), "more").expect("a file");
    let plan = document(ours(LATER, &["restore", "--json", "-n", "--full", &set, &back]).expect(0));
    let changes = plan["changes"].as_array().expect("changes");
    let wanted = [json!({ "path": "b", "change": "write" }), json!({ "path": "c", "change": "remove" })];
    assert!(wanted.iter().all(|change| changes.contains(change)), "{plan}");
}

#[test]
fn a_datastore_tells_programs_what_it_got_and_gave() {
    let folder = folder();
    let [disk, store, back] = ["disk.img", "store", "back.img"].map(|name| at(folder.path(), name));
    let group = format!("{store}@vm/100/drive.img");
    let made = document(ours(NOW, &["backup", "--json", &disk, &group]).expect(0));
    let told = ["schema", "format", "snapshot", "archives", "bytes", "chunks", "known", "healed"];
    let archives = json!([{ "name": "drive.img", "bytes": 100_000 }]);
    let wanted = [
        json!(1),
        json!("datastore"),
        json!("vm/100/2026-11-28T08:00:00Z"),
        archives,
        json!(100_000),
        json!(1),
        json!(0),
        json!([]),
    ];
    assert_eq!(fields(&made, &told), wanted, "{made}");
    let again = document(ours(LATER, &["backup", "--json", &disk, &group]).expect(0));
    assert_eq!(fields(&again, &["chunks", "known", "stored"]), [json!(1), json!(1), json!(0)], "{again}");
    let point = format!("{store}@vm/100/latest/drive.img");
    let restored = document(ours(LATER, &["restore", "--json", &point, &back]).expect(0));
    let told = ["format", "how", "bytes", "index", "lost"];
    assert_eq!(fields(&restored, &told), [json!("datastore"), json!("full"), json!(100_000), json!(false), json!([])]);
}

#[test]
fn findings_are_explained_to_programs() {
    let one = document(ours(NOW, &["explain", "--json", "HW210"]).expect(0));
    let code = &one["codes"][0];
    assert_eq!(fields(code, &["code", "name", "severity"]), [json!("HW210"), json!("outdated"), json!("inconclusive")]);
    assert_eq!(code["page"], ours(NOW, &["explain", "HW210"]).text());
    let all = document(ours(NOW, &["explain", "--json"]).expect(0));
    let lines = ours(NOW, &["explain"]).text().lines().count();
    assert_eq!(all["codes"].as_array().map(Vec::len), Some(lines));
}

/// The kinds of events, without such as come as often as time goes by.
fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    kinds.dedup();
    kinds
}

#[test]
fn events_begin_with_a_start_tell_how_far_it_is_and_end_with_a_verdict() {
    let folder = folder();
    let [notes, set, back, file] = ["notes", "set", "back", "events"].map(|name| at(folder.path(), name));
    for (verb, line) in
        [("backup", [&notes, &set]), ("restore", [&set, &back]), ("replicate", [&set, &at(folder.path(), "copy")])]
    {
        ours(NOW, &[verb, "--events", &file, line[0], line[1]]).expect(0);
        let text = fs::read_to_string(&file).expect("events");
        let events = lines(&text);
        assert_eq!(kinds(&events), ["start", "progress", "verdict"], "{text}");
        let [start, end] = [&events[0], &events[events.len() - 1]];
        assert_eq!(
            fields(start, &["verb", "tool", "at"]),
            [json!(verb), json!("highwater"), json!("2026-11-28T08:00:00Z")]
        );
        assert!(start["host"].as_str().is_some_and(|host| !host.is_empty()), "{start}");
        assert_eq!(fields(end, &["verdict", "exit", "error"]), [json!("done"), json!(0), Value::Null]);
        let last = events.iter().rfind(|event| event["event"] == "progress").expect("progress");
        assert_eq!(last["bytes"], last["of"], "all of it is done in the end: {last}");
    }
    ours(NOW, &["verify", "--events", &file, &set]).expect(0);
    let events = lines(&fs::read_to_string(&file).expect("events"));
    assert_eq!(events[events.len() - 1]["verdict"], "sound", "what was checked is called so, and nothing else is");
    let run = ours(NOW, &["mirror", "status", "--events", &file, &notes]);
    let events = lines(&fs::read_to_string(&file).expect("events"));
    assert_eq!(events[0]["verb"], "mirror status");
    let end = &events[events.len() - 1];
    assert_eq!(end["exit"], run.code);
    assert!(run.code != 0 && run.stderr.contains(end["error"].as_str().expect("why")), "{end}\n{}", run.account());
}

#[test]
fn where_events_have_standard_output_nothing_else_goes_there() {
    let folder = folder();
    let [notes, set] = ["notes", "set"].map(|name| at(folder.path(), name));
    let run = ours(NOW, &["backup", "--events", "-", &notes, &set]);
    lines(&run.expect(0).text());
    run.says("made point 2026-11-28T08-00-00Z");
    let run = ours(NOW, &["verify", "--events", "-", "--json", &set]);
    lines(&run.expect(0).text());
    run.says("\"verdict\": \"sound\"");
    let run = ours(NOW, &["restore", "--events", "-", &format!("{set}@2026-11-28/a"), "-"]);
    let events = lines(&run.expect(2).text());
    assert_eq!(events[events.len() - 1]["verdict"], "usage");
    run.says("standard output");
}

#[test]
fn events_that_cannot_be_written_are_told_and_outrank_what_is_sound() {
    let folder = folder();
    let [notes, set] = ["notes", "set"].map(|name| at(folder.path(), name));
    ours(NOW, &["backup", "--events", "/dev/full", &notes, &set]).expect(3).says("cannot write the events");
    ours(NOW, &["verify", "--events", &at(folder.path(), "no/where"), &set]).expect(4).says("cannot write");
}
