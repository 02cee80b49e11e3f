//! The other verbs, points in time, usage errors, and manners towards pipes and terminals.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::Run;
use serde_json::Value;

#[test]
fn list_names_every_point_with_its_length() {
    let (fixture, stamps) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let run = fixture.run(&["list", &repo]);
    let text = run.expect(0).text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().zip(&stamps).all(|(line, stamp)| line.starts_with(stamp.as_str())), "{text}");
    assert!(lines[0].ends_with("full") && lines[1].contains('+'), "{text}");
    let run = fixture.run(&["list", "--json", &repo]);
    let list: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    assert_eq!(list["schema"], 1);
    assert_eq!(list["sets"][2]["name"], stamps[2]);
    assert_eq!(list["sets"][2]["bytes"].as_u64(), Some(fixture.data.bytes.len() as u64));
}

#[test]
fn list_of_a_point_is_refused_by_what_it_lists() {
    let (fixture, stamps) = Fixture::with_chain();
    for point in ["latest", &stamps[1]] {
        let run = fixture.run(&["list", &format!("{}@{point}", fixture.repo.display())]);
        let line = run.expect(2).one_line();
        assert!(line.contains(&format!("write '{}'", fixture.repo.display())) && line.contains("show"), "{line}");
    }
    fixture.run(&["list", "nowhere@latest"]).expect(4).says("cannot list 'nowhere'");
}

#[test]
fn one_set_is_looked_at_once_however_it_is_spelt() {
    let (fixture, stamps) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let link = fixture.path("link").to_string_lossy().into_owned();
    std::os::unix::fs::symlink(&fixture.repo, &link).expect("a link");
    for again in [repo.clone(), format!("{repo}/"), format!("{repo}/."), link.clone()] {
        let run = fixture.run(&["verify", &repo, &again]);
        assert_eq!(
            run.expect(2).one_line(),
            format!("highwater: '{again}' is named twice, the second time as path 2"),
            "{}",
            run.account()
        );
    }
    let point = |path: &str, at: usize| format!("{path}@{}", stamps[at]);
    fixture.run(&["verify", &point(&repo, 0), &point(&link, 0)]).expect(2).says("named twice");
    // Two points of a set are two things to look at.
    fixture.run(&["verify", &point(&repo, 0), &point(&repo, 1)]).expect(0);
}

#[test]
fn list_of_a_damaged_index_says_so() {
    let (fixture, stamps) = Fixture::with_chain();
    let path = fixture.file(&format!("{}.dat", stamps[0]));
    let text = fs::read_to_string(&path).expect("the index");
    fs::write(&path, text.replacen(' ', "", 1)).expect("a damaged index");
    fixture.run(&["list", &fixture.repo.to_string_lossy()]).expect(1).says("HW111").says(".dat");
}

#[test]
fn show_tells_what_a_restore_reads() {
    let (fixture, stamps) = Fixture::with_chain();
    let from = format!("{}@{}", fixture.repo.display(), stamps[1]);
    let run = fixture.run(&["show", &from]);
    let text = run.expect(0).text();
    let names = [format!("{}.fs", stamps[0]), format!("{}.deltafs", stamps[1]), format!("{}.index", stamps[1])];
    assert!(names.iter().all(|name| text.contains(name)) && !text.contains(&stamps[2]), "{text}");
    let run = fixture.run(&["show", "--json", &from]);
    let shown: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    assert_eq!(shown["point"], stamps[1]);
    assert_eq!(shown["chunks"][1]["object"], names[1]);
    assert_eq!(shown["chunks"][1]["start"], shown["chunks"][0]["end"]);
    assert_eq!(shown["bytes"], shown["chunks"][1]["end"]);
}

#[test]
fn every_code_has_a_page() {
    let fixture = Fixture::new();
    let run = fixture.run(&["explain"]);
    let table = run.expect(0).text();
    assert!(table.lines().count() > 10, "{table}");
    for line in table.lines() {
        let mut words = line.split_whitespace();
        let (code, name) = (words.next().expect("a code"), words.next().expect("a name"));
        let by_code = fixture.run(&["explain", code]);
        assert!(by_code.expect(0).text().starts_with(&format!("{code} {name}")), "{}", by_code.account());
        for other in [&code.to_lowercase(), code.trim_start_matches("HW"), name] {
            assert_eq!(fixture.run(&["explain", other]).stdout, by_code.stdout, "{other}");
        }
    }
    fixture.run(&["explain", "HW999"]).expect(2);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let fixture = Fixture::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = fixture.run(&["completions", shell]);
        assert!(run.expect(0).text().contains("restore"), "{shell}");
    }
    let run = fixture.run(&["man"]);
    assert!(run.expect(0).text().starts_with(".ie") && run.text().contains(".TH highwater"), "{}", run.account());
    let folder = fixture.path("man");
    fixture.run(&["man", "--folder", &folder.to_string_lossy()]).expect(0);
    for page in ["highwater.1", "highwater-backup.1", "highwater-restore.1", "highwater-verify.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let fixture = Fixture::new();
    let mut calls: Vec<Vec<&str>> =
        vec![vec!["--help"], vec!["-h"], vec!["--version"], vec!["report", "merge", "--help"]];
    let verbs = ["backup", "restore", "verify", "list", "show", "export", "explain", "report", "completions", "man"];
    calls.extend(verbs.map(|verb| vec![verb, "--help"]));
    for call in calls {
        let run = fixture.run(&call);
        run.expect(0);
        assert!(run.stdout.len() > 10 && run.stderr.is_empty(), "{}", run.account());
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_two() {
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let at = format!("{repo}@2026");
    for call in [
        &[][..],
        &["nonsense"],
        &["verify"],
        &["verify", "--depth", "deeper", &repo],
        &["verify", "--shard", "0/3", &repo],
        &["verify", "--shard", "4/3", &repo],
        &["verify", "--shard", "x", &repo],
        &["verify", "--subset", "daily/0", &repo],
        &["verify", "--subset", "1/2", "--shard", "1/2", &repo],
        &["verify", "--kind", "tar", &repo],
        &["verify", "--all", &at],
        &["verify", &repo, &repo],
        &["verify", &format!("{repo}@yesterday")],
        &["verify", &format!("{repo}@2026-1-1")],
        &["restore", &format!("{repo}@now"), "/dev/null/x"],
        &["restore", &repo],
        &["restore", "--full", "--quick", &repo, "x"],
        &["backup", "--gzip=0", "a", "b"],
        &["backup", "--gzip=10", "a", "b"],
        &["backup", "--full", "--quick", "a", "b"],
        &["verify", "-q", "-v", &repo],
        &["explain", "a", "b"],
    ] {
        let run = fixture.run(call);
        run.expect(2);
        assert!(run.stderr.len() > 10, "{}", run.account());
    }
}

#[test]
fn points_may_be_days_hours_or_seconds() {
    let (fixture, stamps) = Fixture::with_chain();
    let target = fixture.path("out.fs");
    let lengths: Vec<u64> = (0..3)
        .map(|at| {
            fixture.restore(&format!("@{}", stamps[at]), &target, &["--full"]).expect(0);
            fs::metadata(&target).expect("a target").len()
        })
        .collect();
    assert!(lengths[0] < lengths[1] && lengths[1] < lengths[2], "{lengths:?}");
    for (point, at) in [
        ("@2026", 2),
        ("@2026-03-01", 2),
        ("@2026-03-01T00:02", 1),
        ("@2026-03-01 00:02:59Z", 1),
        ("@2026-03-01-00-01-00", 0),
        ("", 2),
    ] {
        fixture.restore(point, &target, &["--full"]).expect(0);
        assert_eq!(fs::metadata(&target).expect("a target").len(), lengths[at], "{point}");
    }
    for point in ["@2025", "@2026-02-28", "@2026-03-01-00-00"] {
        fixture.restore(point, &target, &[]).expect(4).one_line();
        fixture.run(&["verify", &format!("{}{point}", fixture.repo.display())]).expect(4).one_line();
    }
}

#[test]
fn a_repository_may_have_an_at_sign_in_its_name() {
    let (fixture, stamps) = Fixture::with_chain();
    let odd = fixture.path("back@2026");
    fs::rename(&fixture.repo, &odd).expect("a rename");
    let odd = odd.to_string_lossy().into_owned();
    fixture.run(&["verify", &odd]).expect(0);
    let run = fixture.run(&["show", &format!("{odd}@{}", stamps[0])]);
    assert!(run.expect(0).text().starts_with(&stamps[0]), "{}", run.account());
}

#[test]
fn no_escape_sequence_leaves_the_program_off_a_terminal() {
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    for call in [&["verify", "-v", &repo][..], &["list", &repo], &["--help"], &["nonsense"], &["explain", "HW101"]] {
        for no_color in [None, Some("1")] {
            let mut command = Command::new(highwater());
            command.args(call).env_remove("NO_COLOR");
            no_color.map(|value| command.env("NO_COLOR", value));
            let run = Run::of(&mut command);
            assert!(!run.stdout.contains(&0x1b) && !run.stderr.contains('\u{1b}'), "{}", run.account());
        }
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    for call in [
        &["list", &repo][..],
        &["list", "--json", &repo],
        &["show", &repo],
        &["verify", &repo],
        &["verify", "--json", &repo],
        &["explain"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["backup", "--help"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(highwater());
        command.args(call).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a child");
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), Some(0), "{call:?}: {said}");
        assert!(!said.contains("panic") && !said.contains("roken pipe"), "{call:?}: {said}");
    }
}

#[test]
fn verify_list_and_show_change_nothing() {
    let (mut fixture, stamps) = Fixture::with_chain();
    fixture.grow(1);
    fs::write(fixture.file("2026-03-01-09-09-09.fs.highwater-tmp"), "left over").expect("a work file");
    fs::write(fixture.file("2026-03-01-09-09-09.deltafs"), "unlisted").expect("an unlisted file");
    let dat = fixture.file(&format!("{}.dat", stamps[0]));
    let torn = [fs::read(&dat).expect("an index"), b"torn line".to_vec()].concat();
    fs::write(&dat, torn).expect("a torn index");
    let before = load(&fixture.repo);
    let repo = fixture.repo.to_string_lossy().into_owned();
    for depth in ["list", "size", "digest", "deep"] {
        fixture.verify(depth).expect(1);
    }
    fixture.run(&["list", &repo]);
    fixture.run(&["show", &repo]);
    fixture.run(&["backup", "--dry-run", &fixture.source.to_string_lossy(), &repo]).expect(0);
    // The torn line may be of a newer point.
    fixture.restore("", &fixture.path("not-there.fs"), &["--dry-run"]).expect(1);
    assert!(!fixture.path("not-there.fs").exists() && !fixture.path("not-there.fs.part").exists());
    assert_eq!(load(&fixture.repo), before);
}

#[test]
fn a_daily_subset_covers_everything_in_its_days() {
    let (mut fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let mut checked = 0;
    for _ in 0..3 {
        fixture.clock.tick(86_400);
        let run = fixture.run(&["verify", "--subset", "daily/3", "--json", &repo]);
        let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
        checked += report["coverage"]["checked"].as_u64().expect("a number");
    }
    assert_eq!(checked, 3, "each of three claims on one day of three");
}

#[test]
fn a_held_lock_excuses_only_what_a_backup_is_just_publishing() {
    // A file that a running backup has not listed yet is no finding. But a lock may be held for hours, or by a process
    // that hangs: whatever else lacks its line meanwhile must not pass for sound.
    for (case, remove, cut) in
        [("the whole index is gone", true, 0), ("it is empty", false, 3), ("two lines lack", false, 2)]
    {
        let (mut fixture, _) = Fixture::with_chain();
        let mut stamps = vec![fixture.backup(&["--full"])];
        for _ in 0..2 {
            fixture.grow(1);
            stamps.push(fixture.backup(&[]));
        }
        let path = fixture.file(&format!("{}.dat", stamps[0]));
        let index = fs::read_to_string(&path).expect("an index");
        let kept: Vec<&str> = index.split_inclusive('\n').take(3 - cut).collect();
        fs::write(&path, kept.concat()).expect("a cut index");
        if remove {
            fs::remove_file(&path).expect("the index goes");
        }
        fixture.verify("deep").expect(3);
        let disk = highwater::disk::open(&fixture.repo, highwater::store::Locks::Needed).expect("the repository");
        let _lock =
            highwater::lock::take(&disk, highwater_core::formats::repozo::names::LOCK).expect("the lock is free");
        let run = fixture.verify("deep");
        assert_eq!(run.code, 3, "{case}: {}", run.account());
    }
}

#[test]
fn the_lock_file_of_a_killed_run_excuses_nothing() {
    // Its text stays behind, and the process number in it may be anybody's by now: in a container, often the very same.
    let (mut fixture, stamps) = Fixture::with_chain();
    let path = fixture.file(&format!("{}.dat", stamps[0]));
    let before = fs::read(&path).expect("an index");
    fixture.grow(1);
    fixture.backup(&[]);
    fs::write(&path, before).expect("the line was not written");
    fixture.verify("digest").expect(3);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = format!("pid {} on {host} since 2026-03-01-00-00-00\n", std::process::id());
    fs::write(fixture.file(".highwater.lock"), text).expect("a lock file");
    fixture.verify("digest").expect(3);
}
