//! What a verification writes, and where.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::Run;
use serde_json::Value;

/// A chain of three points whose second is damaged at byte 10.
fn damaged() -> (Fixture, [String; 3]) {
    let (fixture, stamps) = Fixture::with_chain();
    let path = fixture.file(&format!("{}.deltafs", stamps[1]));
    let mut bytes = fs::read(&path).expect("an increment");
    bytes[10] ^= 4;
    fs::write(&path, bytes).expect("a damaged increment");
    (fixture, stamps)
}

#[track_caller]
fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(text)))
}

#[test]
fn json_is_one_document_with_every_field() {
    let (fixture, stamps) = damaged();
    let run = fixture.run(&["verify", "--json", &fixture.repo.to_string_lossy()]);
    let report = json(&run.expect(1).stdout);
    assert_eq!(report["schema"], 2);
    assert_eq!(report["verdict"], "damaged");
    assert_eq!(report["depth"], "digest");
    assert_eq!(report["coverage"]["claims"], 3);
    assert_eq!(report["coverage"]["checked"], 3);
    assert_eq!(report["coverage"]["bytes"].as_u64(), Some(fixture.data.bytes.len() as u64));
    let verdicts: Vec<&str> =
        report["sets"].as_array().expect("sets").iter().map(|set| set["verdict"].as_str().expect("a word")).collect();
    assert_eq!(verdicts, ["sound", "damaged", "damaged"]);
    assert_eq!(report["tallies"], serde_json::json!({ "digest": 1 }));
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "HW103");
    assert_eq!(finding["name"], "digest");
    assert_eq!(finding["object"], format!("{}.deltafs", stamps[1]));
    assert!(finding.as_object().expect("a finding").contains_key("offset"), "{finding}");
    assert_eq!(finding["sets"], serde_json::json!([stamps[1], stamps[2]]));
    for words in ["message", "advice"] {
        assert!(finding[words].as_str().is_some_and(|text| text.len() > 20), "{words}: {finding}");
    }
    assert!(run.one_line().contains("damage"), "the verdict stays on stderr: {}", run.stderr);
}

#[test]
fn the_last_line_is_the_verdict() {
    let (fixture, _) = damaged();
    let run = fixture.verify("digest");
    run.expect(1);
    let text = run.text();
    assert!(text.lines().last().expect("a last line").contains("damage"), "{text}");
    assert!(text.contains("HW103") && text.contains("-> "), "{text}");
    let (sound, _) = Fixture::with_chain();
    let run = sound.verify("deep");
    run.expect(0);
    assert!(run.text().lines().last().expect("a last line").contains("sound"), "{}", run.text());
}

#[test]
fn every_file_that_was_asked_for_is_written_in_the_same_run() {
    let (fixture, stamps) = damaged();
    let file = |name: &str| fixture.path(name).to_string_lossy().into_owned();
    let [j, x, s, m, e] = ["r.json", "r.xml", "r.sarif", "r.md", "r.ndjson"].map(file);
    let repo = fixture.repo.to_string_lossy().into_owned();
    let flags =
        ["verify", &format!("--json={j}"), "--junit", &x, "--sarif", &s, "--summary", &m, "--events", &e, &repo];
    fixture.run(&flags).expect(1);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(json(read(&j).as_bytes())["verdict"], "damaged");
    let junit = read(&x);
    assert!(junit.starts_with("<?xml") && junit.contains("<failure") && junit.contains(&stamps[1]), "{junit}");
    let sarif = json(read(&s).as_bytes());
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "HW103", "{sarif}");
    assert!(read(&m).contains("HW103"), "{}", read(&m));
    let events: Vec<Value> = read(&e).lines().map(|line| json(line.as_bytes())).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((of("claim"), of("finding"), of("root")), (3, 1, 1), "{events:?}");
    assert!(read(&e).ends_with('\n'), "the last event has its line feed");
}

#[test]
fn a_dash_is_never_silently_ignored() {
    // `--json -` goes to standard output. Whoever writes `--junit -` must get a report or be told that this is none.
    let (fixture, _) = damaged();
    for flag in ["--junit", "--sarif", "--summary"] {
        let run = fixture.run(&["verify", "--quiet", flag, "-", &fixture.repo.to_string_lossy()]);
        assert!(run.code == 2 || !run.stdout.is_empty(), "{flag} - gives nothing\n{}", run.account());
    }
}

#[test]
fn events_to_standard_output_are_json_lines_and_nothing_else() {
    let (fixture, _) = damaged();
    let run = fixture.run(&["verify", "--quiet", "--events", "-", &fixture.repo.to_string_lossy()]);
    let lines: Vec<Value> = run.expect(1).text().lines().map(|line| json(line.as_bytes())).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "progress").collect();
    assert_eq!(kinds, ["start", "claim", "claim", "claim", "finding", "root", "verdict"], "{lines:?}");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let (fixture, stamps) = damaged();
    let summary = fixture.path("summary.md");
    fs::write(&summary, "before\n").expect("a summary of an earlier step");
    let mut command = Command::new(highwater());
    command.args(["verify".as_ref(), fixture.repo.as_os_str()]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let run = Run::of(&mut command);
    let text = run.expect(1).text();
    let notes: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
    assert!(notes.len() == 2 && notes[0].contains(&stamps[1]), "{text}");
    let text = fs::read_to_string(&summary).expect("the summary");
    assert!(text.starts_with("before\n") && text.contains("HW103"), "{text}");
}

#[track_caller]
fn shards(fixture: &Fixture, count: usize) -> Vec<String> {
    let name = |number: usize| fixture.path(&format!("part-{number}.json")).to_string_lossy().into_owned();
    (1..=count)
        .map(|number| {
            let shard = format!("{number}/{count}");
            let repo = fixture.repo.to_string_lossy();
            let run = fixture.run(&[
                "verify",
                "--depth",
                "deep",
                "--shard",
                &shard,
                &format!("--json={}", name(number)),
                &repo,
            ]);
            assert!([0, 1, 3].contains(&run.code), "{}", run.account());
            name(number)
        })
        .collect()
}

#[test]
fn merged_shards_are_the_whole() {
    for (case, fixture) in [("sound", Fixture::with_chain().0), ("damaged", damaged().0)] {
        let repo = fixture.repo.to_string_lossy();
        let whole = fixture.run(&["verify", "--depth", "deep", "--json", &repo]);
        let mut parts = shards(&fixture, 3);
        parts.reverse();
        let mut arguments = vec!["report", "merge", "--json"];
        arguments.push("--");
        arguments.extend(parts.iter().map(String::as_str));
        let merged = fixture.run(&arguments);
        merged.expect(whole.code);
        expect_same_bytes(&merged.stdout, &whole.stdout, case);
    }
}

#[test]
fn a_lacking_shard_is_inconclusive() {
    let (fixture, _) = Fixture::with_chain();
    let parts = shards(&fixture, 3);
    for some in [&parts[..2], &parts[1..], &[parts[0].clone(), parts[2].clone()]] {
        let run = fixture.run(&[&["report".to_owned(), "merge".to_owned()], some].concat());
        assert!(run.expect(3).text().contains("/3"), "it names what is lacking\n{}", run.account());
    }
}

#[test]
fn one_shard_of_three_merged_alone_is_inconclusive() {
    // `report merge part-*.json` when two of three jobs never wrote their part.
    let (fixture, _) = Fixture::with_chain();
    for part in shards(&fixture, 3) {
        fixture.run(&["report", "merge", &part]).expect(3);
    }
}

#[test]
fn a_shard_without_any_claim_is_no_failure_of_the_whole() {
    let (fixture, _) = Fixture::with_chain();
    let parts = shards(&fixture, 64);
    fixture.run(&[&["report".to_owned(), "merge".to_owned()], &parts[..]].concat()).expect(0);
}

#[test]
fn what_is_no_report_is_refused() {
    let (fixture, _) = Fixture::with_chain();
    let path = fixture.path("x.json");
    let merge = |path: &Path| fixture.run(&["report".as_ref(), "merge".as_ref(), path.as_os_str()]);
    for text in ["", "{}", "[]", "{\"schema\":1}", "{\"schema\":99}", "\u{0}", "nonsense"] {
        fs::write(&path, text).expect("a file");
        assert!(merge(&path).expect(2).one_line().contains("x.json"), "{text:?}");
    }
    merge(&fixture.path("absent.json")).expect(4);
}

#[test]
fn strict_turns_warnings_into_damage() {
    let (fixture, _) = Fixture::with_chain();
    fs::write(fixture.file("notes.txt"), "mine").expect("a stray file");
    fixture.verify("digest").expect(0);
    let run = fixture.run(&["verify", "--strict", &fixture.repo.to_string_lossy()]);
    assert!(run.expect(1).text().contains("notes.txt"), "{}", run.account());
}

#[test]
fn two_repositories_of_one_name_stay_apart() {
    let (one, _) = Fixture::with_chain();
    let (other, _) = damaged();
    let paths = [&one, &other].map(|fixture| fixture.repo.to_string_lossy().into_owned());
    let run = one.run(&["verify", "--json", &paths[0], &paths[1]]);
    let report = json(&run.expect(1).stdout);
    assert_eq!(report["roots"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!(report["findings"][0]["root"], paths[1], "{report}");
}

#[test]
fn a_report_that_cannot_be_written_hides_no_damage() {
    // Hours of reading ended in "damaged": that must reach the user and the exit code, whatever becomes of the files.
    let (fixture, stamps) = damaged();
    let repo = fixture.repo.to_string_lossy().into_owned();
    for flags in [["--junit", "/dev/full"], ["--json=/dev/full", "--strict"], ["--events", "/dev/full"]] {
        let run = fixture.run(&["verify", flags[0], flags[1], &repo]);
        assert!(run.text().contains(&stamps[1]), "{flags:?}: the finding is not shown\n{}", run.account());
        run.expect(1);
        assert!(run.stderr.contains("No space left"), "{}", run.account());
    }
}

#[test]
fn a_report_that_nobody_could_write_is_refused_before_the_hours_of_reading() {
    let (fixture, _) = damaged();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let folder = fixture.path("").to_string_lossy().into_owned();
    let files = ["/no/such/folder/r", &folder];
    for (flag, file) in
        ["--json", "--junit", "--sarif", "--summary", "--events"].iter().flat_map(|flag| files.map(|file| (flag, file)))
    {
        let run = fixture.run(&["verify", &format!("{flag}={file}"), &repo]);
        assert!(run.expect(4).one_line().contains(file.trim_end_matches('/')), "{}", run.account());
        assert!(run.stdout.is_empty(), "{flag}: it was verified all the same\n{}", run.account());
    }
}

#[test]
fn a_root_that_cannot_be_looked_at_hides_no_damage_of_another() {
    // `verify /backup/*` where one folder is empty, or went away.
    let (fixture, stamps) = damaged();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let empty = fixture.path("empty");
    fs::create_dir(&empty).expect("an empty folder");
    for other in [empty, fixture.path("absent")] {
        let other = other.to_string_lossy().into_owned();
        for paths in [[&repo, &other], [&other, &repo]] {
            let run = fixture.run(&["verify", paths[0], paths[1]]);
            assert!(run.text().contains(&stamps[1]), "the finding is not shown\n{}", run.account());
            run.expect(1);
        }
    }
}
