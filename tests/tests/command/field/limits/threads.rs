//! Where threads cannot be started, there are fewer, or one sentence; and no number of them is taken at its word.
#![expect(clippy::print_stdout, reason = "what cannot run here is told")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::inject::cannot_trace;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;

/// What needs threads: source and repository come behind.
fn jobs(fixture: &Fixture) -> Vec<Vec<String>> {
    let (source, repo) = (fixture.source.display().to_string(), fixture.repo.display().to_string());
    let (fresh, out) = (fixture.path("fresh").display().to_string(), fixture.path("out.fs").display().to_string());
    let store = format!("{}@host/x/data.img", fixture.path("store").display());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    vec![
        words(&["backup", &source, &fresh]),
        words(&["backup", "-z", &source, &fresh]),
        words(&["backup", &source, &store]),
        words(&["verify", "--depth", "deep", &repo]),
        words(&["restore", "--full", &repo, &out]),
        words(&["list", &repo]),
        words(&["mark", &repo]),
        words(&["repozo", "-B", "-z", "-f", &source, "-r", &fresh]),
        words(&["repozo", "-R", "-r", &repo, "-o", &out]),
        words(&["repozo", "-V", "-r", &repo]),
    ]
}

/// A chain with enough in it for a restore to want a thread that writes, and empty folders.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.data.grow_large(9);
    fixture.grow(1);
    fixture.backup(&["-z=1"]);
    for name in ["fresh", "store"] {
        fs::create_dir(fixture.path(name)).expect("a folder");
    }
    // The folders of a store are made once.
    let store = format!("{}@host/x/data.img", fixture.path("store").display());
    fixture.run(&["backup", &fixture.source.display().to_string(), &store]).expect(0);
    fixture
}

fn judge(score: &mut Score, run: &Run, case: &str) {
    score.ran(1);
    let refused = if run.line.contains("repozo") { 1 } else { 4 };
    // One line says that there are fewer, one that there are too few.
    let sentence = run.stderr.contains("no thread can be started") && run.stderr.lines().count() <= 2;
    let right = run.code == 0 || (run.code == refused && sentence);
    if !right || run.stderr.contains("panicked") {
        score.fail(format!("{case}: {}", run.account()));
    }
}

#[test]
fn a_thread_that_cannot_start_is_one_sentence() {
    let mut score = Score::part(LINE, "a thread that cannot start");
    if let Some(why) = cannot_trace() {
        println!("not run: {why}");
        score.ran(1);
        return score.end();
    }
    let fixture = fixture();
    let numbers = ["1+", "2+", "3+", "4+", "5+", "6", "6+", "7+", "8", "8+", "9+"];
    for (round, when) in numbers.into_iter().enumerate() {
        let now = format!("2026-03-02-00-{round:02}-00");
        for job in jobs(&fixture) {
            let mut command = Command::new("strace");
            command.args(["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=clone3", "-e"]);
            command.arg(format!("inject=clone3:error=EAGAIN:when={when}")).arg(highwater()).args(&job);
            let run = Run::of(command.env("HIGHWATER_NOW", &now).env("RAYON_NUM_THREADS", "3"));
            judge(&mut score, &run, &format!("thread {when} fails"));
            let _ = fs::remove_dir_all(fixture.path("fresh"));
            fs::create_dir(fixture.path("fresh")).expect("a folder");
        }
    }
    score.end();
}

#[test]
fn a_limit_of_processes_is_one_sentence_or_fewer_threads() {
    let mut score = Score::part(LINE, "a limit of processes");
    if !rustix::process::getuid().is_root() {
        println!("not run: only root can run it as a user who has no other processes");
        score.ran(1);
        return score.end();
    }
    let fixture = fixture();
    for path in [fixture.path(""), fixture.repo.clone(), fixture.path("fresh")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("open to all");
    }
    for limit in 1..9 {
        // Of what is written, only what this user may write.
        let writable = |job: &Vec<String>| job[0] != "mark" && !job.iter().any(|word| word.contains('@'));
        for job in jobs(&fixture).into_iter().filter(writable) {
            let mut command = Command::new("prlimit");
            // A user whom nobody else is: what counts is all of a user's processes.
            command.arg(format!("--nproc={limit}")).args(["setpriv", "--reuid=54321", "--clear-groups"]);
            command.arg(highwater()).args(&job);
            let run = Run::of(command.env("HIGHWATER_NOW", "2026-03-02-00-00-00").env("RAYON_NUM_THREADS", "3"));
            judge(&mut score, &run, &format!("{limit} processes"));
            for name in fs::read_dir(fixture.path("fresh")).expect("a folder") {
                fs::remove_file(name.expect("an entry").path()).expect("a file goes");
            }
            let _ = fs::remove_file(fixture.path("out.fs"));
        }
    }
    score.end();
}

#[test]
fn no_number_of_threads_is_taken_at_its_word() {
    let mut score = Score::part(LINE, "200,000 threads");
    let fixture = fixture();
    for job in jobs(&fixture) {
        let run = Run::of(Command::new(highwater()).args(&job).env("RAYON_NUM_THREADS", "200000"));
        run.expect(0).says("RAYON_NUM_THREADS asks for 200000 threads; ");
        score.ran(1);
        let _ = fs::remove_dir_all(fixture.path("fresh"));
        fs::create_dir(fixture.path("fresh")).expect("a folder");
    }
    score.end();
}
