//! Replicas of live stores behind ssh: as of one moment whatever ends meanwhile, and nothing else can be read or
//! written.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highwater_core::name::Name;
use highwater_core::wire::{Answer, Hello, Request, Why, framed};
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};
use highwater_tests::writers::{Kind, Writer};

use super::machine::Machine;
use super::session::{Session, hello};
use crate::both::Both as _;

/// No run may take longer, whatever the other end does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages of the far end, by their numbers.
const OPENED: u8 = 2;
const BYTES: u8 = 3;
const LOOKED: u8 = 4;
const MADE: u8 = 11;
const SUM: u8 = 12;

type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Every file below a folder, by its path there.
fn files(top: &Path) -> Tree {
    let (mut found, mut ahead) = (Tree::new(), vec![top.to_owned()]);
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => ahead.push(path),
                false => {
                    let name = path.strip_prefix(top).expect("below").to_owned();
                    found.insert(name, fs::read(path).expect("a file"));
                }
            }
        }
    }
    found
}

/// A repository of git as its program leaves it, in little: a head, packs, and a file that is its user's.
fn store(machine: &Machine, state: u8) {
    let root = machine.near();
    let value = format!("{state:040x}");
    let mut files = vec![
        ("HEAD".to_owned(), b"ref: refs/heads/main\n".to_vec()),
        ("config".to_owned(), b"[core]\n\tbare = true\n".to_vec()),
        ("refs/heads/main".to_owned(), format!("{value}\n").into_bytes()),
        ("description".to_owned(), vec![b'a' + state; 40]),
    ];
    for pack in 0..=state {
        files.push((format!("objects/pack/pack-{pack}.pack"), vec![pack; 150_000]));
        files.push((format!("objects/pack/pack-{pack}.idx"), vec![pack; 2_000]));
    }
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        if !path.exists() || fs::read(&path).expect("a file") != bytes {
            fs::write(path, bytes).expect("a file");
        }
    }
}

fn dest(machine: &Machine) -> PathBuf {
    machine.scratch.path().join("standby/db")
}

fn replicate(machine: &Machine, options: &[&str]) -> Run {
    let (far, dest) = (machine.far(), dest(machine));
    let words = ["replicate", "--checkpoint"].iter().chain(options).map(OsStr::new);
    let words: Vec<&OsStr> = words.chain([far.as_os_str(), dest.as_os_str()]).collect();
    Run::within(PATIENCE, machine.command(&words).env("HIGHWATER_SSH_STALL", "5"))
}

/// What lies hidden beside the store and beside the replica.
fn left(machine: &Machine) -> Vec<String> {
    let folders = [machine.scratch.path().to_owned(), machine.scratch.path().join("standby")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}

/// A replica of the first state of the store, which has a second one by now: what the replica is before and after.
fn scene(machine: &Machine) -> [Tree; 2] {
    fs::create_dir_all(machine.scratch.path().join("standby")).expect("a folder");
    store(machine, 1);
    replicate(machine, &[]).expect(0);
    let before = files(&dest(machine));
    store(machine, 2);
    [before, files(&machine.near())]
}

#[test]
fn either_end_dies_at_every_message_of_a_replica_and_the_rerun_ends_equal() {
    let mut machine = Machine::new();
    let states = scene(&machine);
    let kept = machine.scratch.path().join("kept");
    let copy = |from: &Path, to: &Path| {
        _ = fs::remove_dir_all(to);
        let mut command = Command::new("cp");
        Run::of(command.arg("-a").args([from, to])).expect(0);
    };
    copy(&machine.scratch.path().join("standby"), &kept);
    let mut score = Score::part("far roots: killed", "live stores");
    for (how, into) in [("cut near", " 0"), ("cut near", " 9"), ("cut far", " 3"), ("kill near", ""), ("kill far", "")]
    {
        let mut ended = false;
        for number in 0..size(200, 400) {
            machine.by(format!("{how} {number}{into}"));
            let run = replicate(&machine, &[]);
            let found = files(&dest(&machine));
            ended = run.code == 0;
            score.ran(1);
            let told = [3, 4].contains(&run.code) && run.stderr.contains("the line broke");
            let killed = how.starts_with("kill") && run.code == -1;
            if !(ended || told || killed) || !states.contains(&found) || run.stderr.contains("panicked") {
                score.fail(format!("{how} {number}{into}: {}\n{:?}", run.account(), found.keys()));
            }
            machine.by("count /dev/null");
            let again = replicate(&machine, &[]);
            if again.code != 0 || files(&dest(&machine)) != states[1] || !left(&machine).is_empty() {
                score.fail(format!("{how} {number}{into}, and again: {}\n{:?}", again.account(), left(&machine)));
            }
            if ended {
                break;
            }
            copy(&kept, &machine.scratch.path().join("standby"));
        }
        assert!(ended, "{how}{into}: there are more messages than were tried");
        copy(&kept, &machine.scratch.path().join("standby"));
    }
    score.end();
}

#[test]
fn a_far_end_that_lies_of_a_checkpoint_leaves_the_replica_as_it_was() {
    for (kind, numbers) in [(OPENED, 0..6), (BYTES, 0..2), (SUM, 0..6), (MADE, 0..1), (LOOKED, 0..6)] {
        let mut machine = Machine::new();
        let [before, after] = scene(&machine);
        let mut refused = 0;
        for number in numbers {
            machine.by(format!("lie {kind} {number}"));
            let run = replicate(&machine, &[]);
            assert!([0, 3, 4].contains(&run.code) && !run.stderr.contains("panicked"), "{}", run.account());
            refused += u64::from(run.code != 0);
            let found = files(&dest(&machine));
            assert!(
                found == if run.code == 0 { after.clone() } else { before.clone() },
                "{kind} {number}: {:?}",
                found.keys()
            );
            // What is taken up from the runs before does not come again: by now nothing was changed.
            if run.code == 0 {
                break;
            }
        }
        // Of permissions, and of how often it was tried, nobody else knows.
        assert!([MADE, LOOKED].contains(&kind) || refused > 0, "{kind}");
        machine.by("count /dev/null");
        replicate(&machine, &[]).expect(0);
        assert!(files(&dest(&machine)) == after && left(&machine).is_empty(), "{kind}: {:?}", left(&machine));
    }
}

#[test]
fn a_far_end_that_answers_nonsense_leaves_the_old_state_or_the_new_one() {
    let mut machine = Machine::new();
    let states = scene(&machine);
    let mut score = Score::part("far roots: nonsense", "live stores");
    for seed in 0..size(60, 5_000) {
        machine.by(format!("garble {seed}"));
        let run = replicate(&machine, &[]);
        score.ran(1);
        let found = files(&dest(&machine));
        if ![0, 1, 2, 3, 4].contains(&run.code) || run.stderr.contains("panicked") || !states.contains(&found) {
            score.fail(format!("seed {seed}: {}\n{:?}", run.account(), found.keys()));
        }
    }
    machine.by("count /dev/null");
    replicate(&machine, &[]).expect(0);
    assert!(files(&dest(&machine)) == states[1] && left(&machine).is_empty(), "{:?}", left(&machine));
    score.end();
}

/// What never changes does not come again.
#[test]
fn a_second_run_moves_what_is_new_and_little_else() {
    let mut machine = Machine::new();
    let (store, count) = (machine.near(), machine.scratch.path().join("count"));
    fs::create_dir(machine.scratch.path().join("standby")).expect("a folder");
    let writer = Writer::start(Kind::Fjall, &store, Kind::Fjall.rate(), &[], None);
    let before = writer.end();
    machine.by(format!("count {}", count.display()));
    let counted = |machine: &Machine| -> (serde_json::Value, u64) {
        let run = replicate(machine, &["--json"]);
        let done = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
        (done, fs::read_to_string(&count).expect("a count").parse().expect("a number"))
    };
    let (first, whole) = counted(&machine);
    let (second, rest) = counted(&machine);
    let had = second["had"]["bytes"].as_u64().expect("a number");
    let copied = second["copied"]["bytes"].as_u64().expect("a number");
    assert!(first["had"]["files"] == 0 && had > 0, "{first}, {second}");
    assert!(whole > had + copied && rest < copied + (64 << 10), "{whole} and {rest} bytes: {second}");
    let judgement = Kind::Fjall.judge(&dest(&machine), before);
    assert!(judgement.good, "{}", judgement.why);
    // As if its own program wrote there.
    fs::write(dest(&machine).join("1.jnl"), "of another history").expect("a file");
    replicate(&machine, &[]).expect(4).says("--related");
    replicate(&machine, &["--related"]).expect(0);
}

#[test]
fn a_far_end_that_only_reads_makes_no_checkpoint() {
    let mut machine = Machine::new();
    let [before, _] = scene(&machine);
    machine.by("count /dev/null");
    let (far, dest) = (machine.far(), dest(&machine));
    let mut command =
        machine.command(&["replicate".as_ref(), "--checkpoint".as_ref(), far.as_os_str(), dest.as_os_str()]);
    // As a line of authorized_keys does.
    let program = highwater_tests::binary::highwater();
    let forced = format!("{} serve --read-only '{}'; true", program.display(), machine.near().display());
    let run = Run::of(command.env("HIGHWATER_FAR", forced));
    run.expect(4).says("makes no checkpoint").says("highwater serve --checkpoint");
    assert_eq!(files(&dest), before);
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a name")
}

fn greeted(option: &str, root: &Path) -> Session {
    let mut session = Session::serving(option, root);
    session.send(&framed(&hello(root).encode()));
    Hello::decode(&session.frame().expect("a hello")).expect("a hello");
    session
}

/// Whoever asks for anything else gets nothing, and of the store only what the checkpoint has.
#[test]
fn a_checkpoint_is_all_that_can_be_read() {
    let machine = Machine::new();
    store(&machine, 1);
    let hidden = || {
        let entries = fs::read_dir(machine.scratch.path()).expect("a folder").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count()
    };
    let mut session = greeted("--checkpoint", &machine.near());
    let everything = || {
        [
            Request::List { folder: None },
            Request::Open { name: name("HEAD"), first: 9 },
            Request::Look { name: name("HEAD") },
            Request::Sum { name: name("HEAD") },
            Request::IsLocked { name: name("HEAD") },
            Request::Identity { folder: None },
        ]
    };
    for request in everything() {
        session.ask(1, request);
        let answer = session.answer();
        assert!(matches!(answer.answer, Answer::Failed { why: Why::Denied, .. }), "{answer:?}");
    }
    session.ask(2, Request::Checkpoint { kind: None });
    let answer = session.answer();
    assert!(matches!(&answer.answer, Answer::Made { kind, .. } if kind == "git"), "{answer:?}");
    assert_eq!(hidden(), 1);
    session.ask(3, Request::Checkpoint { kind: None });
    assert!(matches!(session.answer().answer, Answer::Failed { why: Why::Full, .. }));
    // What the store is now is none of its business.
    fs::write(machine.near().join("HEAD"), "of later").expect("a file");
    fs::write(machine.near().join("later"), "of later").expect("a file");
    session.ask(4, Request::Open { name: name("HEAD"), first: 100 });
    let answer = session.answer();
    assert!(matches!(&answer.answer, Answer::Opened { bytes, .. } if bytes.starts_with(b"ref: ")), "{answer:?}");
    for secret in ["later", "../store", "..", "objects"] {
        if let Ok(name) = Name::new(secret.as_bytes()) {
            session.ask(5, Request::Open { name, first: 1 });
            assert!(matches!(session.answer().answer, Answer::Failed { .. }), "{secret}");
        }
    }
    session.ask(6, Request::Discard);
    assert!(matches!(session.answer().answer, Answer::Discarded));
    assert_eq!(hidden(), 0);
    for request in everything() {
        session.ask(7, request);
        assert!(matches!(session.answer().answer, Answer::Failed { why: Why::Denied, .. }));
    }
    // One that is not asked to remove it does so when the line ends.
    session.ask(8, Request::Checkpoint { kind: Some("git".to_owned()) });
    assert!(matches!(session.answer().answer, Answer::Made { .. }));
    assert_eq!(session.end(), (0, String::new()));
    assert_eq!(hidden(), 0);
    // And one that only reads writes nothing.
    let mut session = greeted("--read-only", &machine.near());
    session.ask(1, Request::Checkpoint { kind: None });
    assert!(matches!(session.answer().answer, Answer::Failed { why: Why::Denied, .. }));
    assert!(hidden() == 0 && session.end().0 == 0);
}

#[test]
fn a_far_end_that_is_asked_to_end_removes_its_checkpoint() {
    let machine = Machine::new();
    store(&machine, 1);
    let mut session = greeted("--checkpoint", &machine.near());
    session.ask(1, Request::Checkpoint { kind: None });
    assert!(matches!(session.answer().answer, Answer::Made { .. }));
    let pid = rustix::process::Pid::from_child(&session.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert!(session.frame().is_none(), "it ends by itself");
    session.end();
    let left: Vec<_> = fs::read_dir(machine.scratch.path()).expect("a folder").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with('.')), "{left:?}");
}
