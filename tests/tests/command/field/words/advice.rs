//! Advice fits the kind of set: a store is never told to make a full backup into a repozo repository.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

#[test]
fn each_kind_of_set_has_its_own_advice() {
    let mut score = Score::part(LINE, "advice of each kind");
    let (fixture, stamps) = Fixture::with_chain();
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[2]))).expect("it is removed");
    let repo = fixture.repo.to_str().expect("text");
    let sample = Sample::made();
    let store = fixture.path("store");
    copy(&sample.store(), &store);
    let chunks = store.join(".chunks");
    let prefix = fs::read_dir(&chunks).expect("a folder").next().expect("a prefix").expect("an entry").path();
    fs::remove_dir_all(&prefix).expect("it is removed");
    let (store, key) = (store.to_str().expect("text"), sample.truth("key.json"));
    let keyed = ["--keyfile", key.to_str().expect("text")];
    let of_repo = "highwater backup SRC REPO --full";
    let of_store = "`highwater heal STORE --from COPY`";
    for (sets, has, has_not) in [
        (vec![repo], vec![of_repo], vec![of_store]),
        (vec![store], vec![of_store], vec![of_repo]),
        (vec![repo, store], vec![of_repo, of_store], vec![]),
    ] {
        let words = [&["verify"], &keyed[..], &sets].concat();
        let (xml, log, page) = (fixture.path("r.xml"), fixture.path("r.sarif"), fixture.path("r.md"));
        let files = [("--junit", &xml), ("--sarif", &log), ("--summary", &page)];
        let files: Vec<String> =
            files.iter().flat_map(|(flag, file)| [(*flag).to_owned(), file.display().to_string()]).collect();
        let all: Vec<&str> = words.iter().copied().chain(files.iter().map(String::as_str)).collect();
        let text = run(&all).expect(1).text();
        let json = run(&[&words[..], &["--json"]].concat()).text();
        let notes = serde_json::from_str::<Value>(&json).expect("a report")["findings"].to_string();
        let [xml, page] = [&xml, &page].map(|file| fs::read_to_string(file).expect("a report").replace("&#96;", "`"));
        for told in [&text, &notes, &xml, &page] {
            assert!(has.iter().all(|words| told.contains(words)), "{sets:?} {has:?}\n{told}");
            assert!(!has_not.iter().any(|words| told.contains(words)), "{sets:?} {has_not:?}\n{told}");
            score.ran(1);
        }
        // The rule in SARIF is the page, which tells of every kind.
        let log = fs::read_to_string(&log).expect("a log");
        assert!(log.contains("IN A SET OF KIND repozo") && log.contains("IN A SET OF KIND datastore"), "{log}");
        score.ran(1);
    }
    score.end();
}

#[test]
fn explain_tells_what_is_true_of_all_and_then_of_each_kind() {
    let mut score = Score::part(LINE, "explain");
    for code in ["HW101", "HW103", "HW204"] {
        run(&["explain", code]).expect(0).prints("\nIN A SET OF KIND datastore");
        score.ran(1);
    }
    let page = run(&["explain", "HW103"]).text();
    let (all, kinds) = page.split_once("\nIN A SET OF KIND repozo\n").expect("a part for repozo");
    assert!(!all.contains("--full") && kinds.contains("--full"), "{page}");
    // Without a code, all of them; and a code that is none is answered with where they are listed.
    assert!(run(&["explain"]).expect(0).text().lines().count() > 20);
    run(&["explain", "HW999"]).expect(2).says("`highwater explain` lists them all");
    score.ran(3);
    score.end();
}

#[test]
fn without_any_dat_the_way_that_is_left_is_told() {
    let mut score = Score::part(LINE, "all .dat gone");
    let (fixture, stamps) = Fixture::with_chain();
    fs::remove_file(fixture.file(&format!("{}.dat", stamps[0]))).expect("it is removed");
    let way = "`highwater repozo -R -r REPO -o TARGET` still restores what is there, unverified";
    fixture.verify("digest").expect(3).prints(way);
    fixture.run(&["list".as_ref(), fixture.repo.as_os_str()]).expect(3).says(way);
    // It is true.
    let out = fixture.path("out.fs");
    fixture
        .run(&[
            "repozo".as_ref(),
            "-R".as_ref(),
            "-r".as_ref(),
            fixture.repo.as_os_str(),
            "-o".as_ref(),
            out.as_os_str(),
        ])
        .expect(0);
    assert_eq!(fs::read(out).expect("a file"), fixture.data.bytes);
    score.ran(3);
    score.end();
}

#[test]
fn a_store_whose_chunks_are_gone_is_told_so() {
    let mut score = Score::part(LINE, "a store without chunks");
    let sample = Sample::made();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let store = folder.path().join("store");
    copy(&sample.store(), &store);
    let key = sample.truth("key.json");
    let path = store.to_str().expect("text");
    let verify = || run(&["verify", "--keyfile", key.to_str().expect("text"), path]);
    // A folder of chunks that became a plain file: they are missing, and nobody is sent to mend a permission.
    let prefix = fs::read_dir(store.join(".chunks")).expect("a folder").next().expect("one").expect("an entry").path();
    fs::remove_dir_all(&prefix).expect("it is removed");
    fs::write(&prefix, "").expect("a file");
    let text = verify().expect(1).text();
    assert!(text.contains("HW101 missing") && !text.contains("HW201") && !text.contains("permission"), "{text}");
    fs::write(store.join(".lock"), "").expect("a lock");
    fs::remove_dir_all(store.join(".chunks")).expect("it is removed");
    verify()
        .expect(1)
        .prints("HW101 missing  .chunks: the folder of all chunks is not there; see that its disk is mounted");
    score.ran(2);
    score.end();
}
