//! What whoever watches backups every night gets: silence or a report, an age that is too old, a plugin's line and
//! codes, metrics.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore;
use highwater_tests::python::interpreter;
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::{Run, ours};
use highwater_tests::specimens::{self, lay};

/// The last point of the chain, and moments after it.
struct Watched {
    fixture: Fixture,
    newest: String,
}

impl Watched {
    fn new() -> Self {
        let (fixture, [.., newest]) = Fixture::with_chain();
        Self { fixture, newest }
    }

    fn damage(&self) {
        let path = self.fixture.file(&format!("{}.deltafs", self.newest));
        let mut bytes = fs::read(&path).expect("an increment");
        bytes[10] ^= 4;
        fs::write(&path, bytes).expect("a damaged increment");
    }

    fn run(&self, flags: &[&str]) -> Run {
        let repo = self.fixture.repo.to_string_lossy().into_owned();
        self.fixture.run(&[&["verify"], flags, &[&repo]].concat())
    }

    /// So many days after the last point was made.
    fn after(&self, days: u32) -> String {
        let (date, time) = self.newest.split_at(10);
        let day: u32 = date[8..].parse().expect("a day");
        format!("{}{:02}{time}", &date[..8], day + days)
    }

    /// A verification so many days after the last point was made.
    fn days_later(&self, days: u32, flags: &[&str]) -> Run {
        let now = self.after(days);
        let repo = self.fixture.repo.to_string_lossy().into_owned();
        ours(&now, &[&["verify"], flags, &[&repo]].concat())
    }
}

#[test]
fn quiet_is_silent_when_all_is_sound_and_loud_when_not() {
    let watched = Watched::new();
    let run = watched.run(&["-q"]);
    assert_eq!((run.code, run.text(), run.stderr.as_str()), (0, String::new(), ""));
    // A variable that is set and empty names no file.
    let mut command = Command::new(highwater());
    Run::of(command.args(["verify", "-q"]).arg(&watched.fixture.repo).env("GITHUB_STEP_SUMMARY", "")).expect(0);
    watched.damage();
    let run = watched.run(&["-q"]);
    assert_eq!((run.code, run.text()), (1, String::new()));
    run.says("HW103").says("-> ").says("the newest sound point is");
}

#[test]
fn a_newest_sound_point_that_is_too_old_is_a_finding() {
    let watched = Watched::new();
    watched.days_later(1, &["--max-age", "26h"]).expect(0);
    watched.days_later(2, &["--max-age", "48h"]).expect(0);
    watched.days_later(2, &[]).expect(0);
    let run = watched.days_later(2, &["--max-age", "47h"]);
    run.expect(3).prints("HW210 outdated").prints("is 2 days old, and 1 day and 23 hours are allowed");
    // The newest is damaged, and the one before it is as old as it is.
    watched.damage();
    let run = watched.days_later(2, &["--max-age", "47h"]);
    run.expect(1).prints("HW210 outdated").prints("HW103");
    watched.run(&["--max-age", "26"]).expect(2).says("26h");
}

#[test]
fn the_age_of_a_whole_is_asked_when_its_parts_are_merged() {
    let watched = Watched::new();
    watched.run(&["--max-age", "26h", "--shard", "1/2"]).expect(2);
    let parts = ["1/2", "2/2"].map(|shard| {
        let part = watched.fixture.path(&shard.replace('/', "-")).to_string_lossy().into_owned();
        watched.run(&["-q", &format!("--json={part}"), "--shard", shard]).expect(0);
        part
    });
    let file = watched.fixture.path("merged.json").to_string_lossy().into_owned();
    let to = format!("--json={file}");
    let merge = ["report", "merge", "--max-age", "47h", &to, &parts[0], &parts[1]];
    ours(&watched.after(2), &merge).expect(3).prints("HW210 outdated");
    // What was told of another day is told once.
    let again = ["report", "merge", "--max-age", "47h", "--json", "--", &file];
    let text = ours(&watched.after(3), &again).expect(3).text();
    assert!(text.contains("\"outdated\": 1") && text.contains("is 3 days old"), "{text}");
}

#[test]
fn verbs_that_mend_or_look_are_silent_when_quiet_and_all_is_well() {
    let (fixture, stamps) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let other = fixture.path("other").to_string_lossy().into_owned();
    fs::create_dir(&other).expect("a folder");
    lay(&load(&fixture.repo), Path::new(&other));
    let store = fixture.path("store").to_string_lossy().into_owned();
    datastore::copy(&datastore::Sample::made().store(), Path::new(&store));
    let key = datastore::Sample::made().truth("key.json").to_string_lossy().into_owned();
    fixture.run(&["mark", &repo]).expect(0).prints("with marks already");
    for words in [
        &["mark", "-q", &repo][..],
        &["heal", "-q", &repo, "--from", &other],
        &["heal", "-q", &store, "--from", &store, "--keyfile", &key],
    ] {
        let run = fixture.run(words);
        assert_eq!((run.code, run.text(), run.stderr.as_str()), (0, String::new(), ""), "{}", run.account());
    }
    // What is listed was asked for; the sum was not.
    let run = fixture.run(&["strays", &store]);
    let (sum, listed): (Vec<String>, Vec<String>) =
        run.text().lines().map(ToOwned::to_owned).partition(|line| line.contains(" strays of "));
    assert_eq!((run.code, sum.len()), (0, 1), "{}", run.account());
    let quiet = fixture.run(&["strays", "-q", &store]);
    assert_eq!(quiet.expect(0).text().lines().map(ToOwned::to_owned).collect::<Vec<_>>(), listed);
    // What was damaged is told.
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[2]))).expect("it was there");
    let run = fixture.run(&["heal", "-q", &repo, "--from", &other]);
    assert_eq!(run.expect(0).text(), "");
    run.says(&format!("healed: {}.deltafs", stamps[2]));
}

#[test]
fn each_kind_is_healed_or_refused_and_a_sound_set_is_whole() {
    let (mut healed, mut refused) = (Vec::new(), Vec::new());
    for specimen in specimens::all() {
        let folder = tempfile::tempdir().expect("a folder");
        let [set, other] = ["set", "other"].map(|name| folder.path().join(name));
        for path in [&set, &other] {
            fs::create_dir(path).expect("a folder");
            lay(&specimen.small().files, path);
        }
        let [set, other] = [set, other].map(|path| path.to_string_lossy().into_owned());
        let run = ours("2026-11-28-08-00-00", &["heal", &set, "--from", &other]);
        match run.code {
            0 => healed.push(specimen.name()),
            2 => {
                assert!(run.one_line().contains("is not healed file by file"), "{}", run.account());
                refused.push(specimen.name());
            }
            _ => panic!("{}: {}", specimen.name(), run.account()),
        }
    }
    assert_eq!(healed, ["repozo", "datastore", "tree", "mirror"]);
    assert_eq!(refused, ["fjall", "rocksdb", "leveldb", "dirstorage"]);
}

#[test]
fn points_of_each_kind_have_an_age_or_are_said_to_have_none() {
    let dated = specimens::all().into_iter().filter(|specimen| {
        let folder = tempfile::tempdir().expect("a folder");
        lay(&specimen.small().files, folder.path());
        let path = folder.path().to_string_lossy().into_owned();
        let run = ours("2099-01-01-00-00-00", &["verify", "--max-age", "1h", &path]);
        run.expect(3).prints("HW210 outdated");
        let is_dated = run.text().contains(" old, and 1 hour is allowed");
        assert!(is_dated != run.text().contains("not named by times"), "{}", run.account());
        is_dated
    });
    let dated: Vec<&str> = dated.map(|specimen| specimen.name()).collect();
    assert_eq!(dated, ["repozo", "datastore", "tree", "mirror"]);
}

#[test]
fn a_plugin_tells_damage_from_a_typo() {
    let watched = Watched::new();
    let run = watched.run(&["--nagios", "--max-age", "26h"]);
    let text = run.expect(0).text();
    assert!(text.starts_with("HIGHWATER OK - sound: 3 points in time"), "{text}");
    let (_, figures) = text.lines().next().expect("a line").split_once(" | ").expect("figures");
    let bytes = watched.fixture.data.bytes.len();
    let age = figures.rsplit_once(' ').expect("an age").1;
    assert!(
        figures.starts_with(&format!("points=3 damaged=0 inconclusive=0 claims=3 checked=3 bytes={bytes}B")),
        "{figures}"
    );
    assert!(age.starts_with("age=") && age.ends_with("s;;93600"), "{age}");
    let run = watched.days_later(2, &["--nagios", "--max-age", "26h"]);
    assert!(run.expect(2).text().starts_with("HIGHWATER CRITICAL - "), "{}", run.account());
    run.prints("\nHW210 ");
    fs::write(watched.fixture.file("odd|name"), "").expect("a stray file");
    let run = watched.run(&["--nagios"]);
    assert!(run.expect(1).text().starts_with("HIGHWATER WARNING - "), "{}", run.account());
    assert_eq!(run.text().matches('|').count(), 1, "{}", run.text());
    watched.damage();
    let run = watched.run(&["--nagios"]);
    assert!(run.expect(2).text().starts_with("HIGHWATER CRITICAL - damaged"), "{}", run.account());
    for wrong in [&["--nagios", "--dept", "deep"][..], &["--nagios", "--subset", "often"]] {
        let run = watched.run(wrong);
        assert!(run.expect(3).text().starts_with("HIGHWATER UNKNOWN - "), "{wrong:?}\n{}", run.account());
    }
    let run = watched.fixture.run(&["report", "merge", "--nagios", "/nowhere/at/all"]);
    assert!(run.expect(3).text().starts_with("HIGHWATER UNKNOWN - "), "{}", run.account());
    let run = watched.fixture.run(&["verify", "--nagios", "/nowhere/at/all"]);
    assert!(run.expect(3).text().starts_with("HIGHWATER UNKNOWN - "), "{}", run.account());
    let mut command = Command::new(highwater());
    command.args(["verify", "--nagios", "/nowhere/at/all"]).env("HIGHWATER_WITHOUT", "nonsense");
    assert!(Run::of(&mut command).expect(3).text().starts_with("HIGHWATER UNKNOWN - "));
    watched.run(&["--nagios", "--json"]).expect(3).prints("HIGHWATER UNKNOWN - ");
}

/// What the library that others read metrics with finds in a file.
const READ: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    for sample in family.samples:
        print(sample.name, *sorted(f'{k}={v!r}' for k, v in sample.labels.items()), sample.value)
";

#[test]
fn metrics_are_what_prometheus_reads() {
    let watched = Watched::new();
    watched.damage();
    let file = watched.fixture.path("zodb.prom");
    watched.run(&["-q", "--prometheus", &file.to_string_lossy()]).expect(1);
    // The collector runs as somebody else.
    let mode = fs::metadata(&file).expect("the metrics").permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "{mode:o}");
    let read = Run::of(Command::new(interpreter()).args(["-c", READ]).arg(&file));
    let text = read.expect(0).text();
    let label = watched.fixture.repo.file_name().expect("a name").to_string_lossy();
    let expected = [
        "highwater_verdict run='zodb' verdict='damaged' 1".to_owned(),
        "highwater_verdict run='zodb' verdict='sound' 0".to_owned(),
        format!("highwater_points root='{label}' run='zodb' verdict='damaged' 1"),
        format!("highwater_points root='{label}' run='zodb' verdict='sound' 2"),
        format!("highwater_claims kind='repozo' root='{label}' run='zodb' 3"),
        "highwater_findings code='digest' run='zodb' 1".to_owned(),
    ];
    for line in expected {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    for name in ["highwater_newest_sound_timestamp_seconds", "highwater_verify_timestamp_seconds"] {
        assert!(text.lines().any(|found| found.starts_with(name)), "{name} is not in\n{text}");
    }
}

#[test]
fn no_sample_of_two_runs_is_the_same_and_none_stays_of_a_run_that_could_not_start() {
    let watched = Watched::new();
    let [first, second] = ["a.prom", "b.prom"].map(|name| watched.fixture.path(name).to_string_lossy().into_owned());
    for file in [&first, &second] {
        watched.run(&["-q", "--prometheus", file]).expect(0);
    }
    let samples = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(file).expect("the metrics");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.rsplit_once(' ').expect("a value").0.to_owned()).collect()
    };
    let (ours, others) = (samples(&first), samples(&second));
    assert!(ours.len() > 10 && ours.iter().all(|sample| !others.contains(sample)), "{ours:?}");
    let report = watched.fixture.path("report.json");
    let json = format!("--json={}", report.display());
    watched.run(&["-q", "--prometheus", &first, &json]).expect(0);
    fs::rename(&watched.fixture.repo, watched.fixture.path("elsewhere")).expect("it moves");
    watched.run(&["-q", "--prometheus", &first, &json]).expect(4);
    let text = fs::read_to_string(&first).expect("the metrics");
    assert!(text.contains("highwater_verdict{verdict=\"inconclusive\",run=\"a\"} 1"), "{text}");
    let told = fs::read_to_string(&report).expect("the report");
    assert!(told.contains("\"verdict\": \"inconclusive\"") && told.contains("HW201"), "{told}");
}
