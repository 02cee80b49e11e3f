//! Archives have the files that a server's clients look for, and a name that cannot have one is refused.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use super::LINE;
use super::fixture::Fixture;

/// The files of the first snapshot of a group, but for its manifest.
fn files(fixture: &Fixture, group: &str) -> Vec<String> {
    let snapshot = fixture.store.join(group).join("2026-03-01T00:00:00Z");
    let mut names: Vec<String> = fs::read_dir(snapshot)
        .expect("a snapshot")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "index.json.blob")
        .collect();
    names.sort();
    names
}

#[test]
fn each_archive_has_the_file_that_its_name_says_and_comes_back_by_either() {
    let mut score = Score::part(LINE, "archives have the files that their names say");
    for (number, (archive, file, told)) in [
        ("a.img", "a.img.fidx", "a.img"),
        ("a.img.fidx", "a.img.fidx", "a.img"),
        ("Data.fs", "Data.fs.fidx", "Data.fs.fidx"),
        ("Data.fs.fidx", "Data.fs.fidx", "Data.fs.fidx"),
        ("all.log", "all.log.blob", "all.log"),
        ("all.log.img", "all.log.img.fidx", "all.log.img"),
        ("all.log.fidx", "all.log.fidx", "all.log.fidx"),
        ("notes.blob", "notes.blob", "notes.blob"),
    ]
    .into_iter()
    .enumerate()
    {
        let fixture = Fixture::new(150_000);
        let group = format!("host/h{number}");
        fixture.backup_to(&format!("{group}/{archive}"), 0, &[]).expect(0).prints(&format!("Z/{told}: "));
        assert_eq!(files(&fixture, &group), [file], "{archive}");
        let list = Run::of(Command::new(highwater()).arg("list").arg(&fixture.store));
        if !file.ends_with(".blob") {
            list.expect(0).prints(told);
        }
        for name in [archive, file, told] {
            let point = format!("{}@{group}/2026-03-01T00:00:00Z/{name}", fixture.store.display());
            let run = Run::of(Command::new(highwater()).arg("restore").arg(point).arg("-"));
            assert!(run.expect(0).stdout == fs::read(&fixture.source).expect("the source"), "{archive} as {name}");
            score.ran(1);
        }
        fixture.verify(&["--strict"]).expect(0);
    }
    score.end();
}

#[test]
fn a_snapshot_of_either_name_is_the_one_before_of_the_other() {
    let mut score = Score::part(LINE, "a snapshot of either name is the one before");
    let fixture = Fixture::new(300_000);
    fixture.backup_to("vm/100/Data.fs", 0, &["--append-only"]).expect(0);
    let run = fixture.backup_to("vm/100/Data.fs.fidx", 1, &["--append-only"]);
    run.expect(0).prints("0 of them new").prints("4 not read again");
    fixture.backup_to("vm/100/Data.fs", 2, &["--append-only"]).expect(0).prints("4 not read again");
    score.ran(2);
    score.end();
}

#[test]
fn a_name_that_a_server_takes_for_something_else_is_refused_with_what_to_call_it() {
    let mut score = Score::part(LINE, "a name that means something else is refused");
    for (archive, more, says) in [
        ("root.pxar", &[][..], "call it root.pxar.img"),
        ("root.pxar.didx", &[], "call it root.pxar.img"),
        ("catalog.pcat1", &[], "call it catalog.pcat1.img"),
        ("root.mpxar", &[], "call it root.mpxar.img"),
        ("root.ppxar", &[], "call it root.ppxar.img"),
        ("index.json.blob", &[], "the name of another file of a snapshot"),
        ("client.log", &[], "the name of another file of a snapshot"),
        ("a b.img", &[], "begin with a letter"),
        ("all.log", &["--append-only"], "call it all.log.img"),
        ("vm.conf", &["--append-only"], "call it vm.conf.img"),
        ("a.img", &["--also", "a.img.fidx=/dev/null"], "two archives"),
    ] {
        let fixture = Fixture::new(100_000);
        let run = fixture.backup_to(&format!("vm/100/{archive}"), 0, more);
        run.expect(2).says(says).one_line();
        assert!(!fixture.store.join("vm").exists(), "{archive}");
        score.ran(1);
    }
    // Beside what is stored in chunks, the configuration is stored whole as ever.
    let fixture = Fixture::new(100_000);
    let conf = format!("vm.conf={}", fixture.source.display());
    fixture.backup(0, &["--append-only", "--also", &conf]).expect(0);
    score.ran(1);
    score.end();
}
