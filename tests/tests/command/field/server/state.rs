//! A snapshot that lost chunks is marked so that a server shows it, bases nothing on it, and verifies it again.

use std::fs;

use highwater_core::codec::encode_blob;
use highwater_core::formats::datastore::Old;
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::{Value, json};

use super::LINE;
use super::fixture::Fixture;

const SNAPSHOT: &str = "vm/100/2026-03-01T00:00:00Z";

/// What a server makes of the first snapshot when states last so many seconds.
#[track_caller]
fn to_a_server(fixture: &Fixture, seconds: u64) -> Value {
    let mut command = python::command("verify_state.py");
    let run = Run::of(command.arg(&fixture.store).arg(seconds.to_string()));
    let mut all: Value = serde_json::from_str(&run.expect(0).text()).expect("JSON");
    all[SNAPSHOT].take()
}

/// Sets the state in the first snapshot's manifest.
#[track_caller]
fn set_state(fixture: &Fixture, state: &Value) {
    let path = fixture.file(0, "index.json.blob");
    let marked = Old::read(&fs::read(&path).expect("a manifest"), SNAPSHOT).expect("a manifest").mark_failed(1);
    let mut manifest: Value = serde_json::from_slice(&marked).expect("JSON");
    manifest["unprotected"]["verify_state"] = state.clone();
    let text = serde_json::to_vec(&manifest).expect("JSON");
    fs::write(path, encode_blob(&text, &vec![0; text.len() + 1], None)).expect("it is written");
}

#[test]
fn a_failed_state_is_read_by_a_server_and_due_for_its_next_look() {
    let mut score = Score::part(LINE, "a failed state is read by a server");
    let (days, longest) = (86_400, 40 * 365 * 86_400);
    let verified = |text: &str| json!({ "state": "ok", "upid": text });
    for before in [
        None,
        // It was verified lately, and that was long enough ago, or never could be read.
        Some(verified("UPID:pbs:000002AE:00001C57:00000003:6FFFFFFF:verify::root@pam:")),
        Some(verified("UPID:pbs:000002AE:00001C57:00000003:10000000:verify:a:root@pam:")),
        Some(verified("no task")),
    ] {
        let fixture = Fixture::new(200_000);
        fixture.backup(0, &[]).expect(0);
        if let Some(state) = &before {
            set_state(&fixture, state);
        }
        fs::remove_file(fixture.chunk(0, 1)).expect("it is removed");
        let run = fixture.backup(1, &[]);
        run.expect(0).says("It is marked as failed: a server shows it so, bases no backup on it");
        run.says("in the next job that does so after some days");
        for seconds in [days, longest] {
            let wanted = json!({ "shown": "failed", "base": false, "due": true, "user": "root@pam" });
            assert_eq!(to_a_server(&fixture, seconds), wanted, "{before:?}, {seconds} s");
            score.ran(1);
        }
    }
    score.end();
}

#[test]
fn a_mark_of_an_earlier_version_that_no_server_reads_is_made_anew() {
    let mut score = Score::part(LINE, "a mark that no server reads is made anew");
    let fixture = Fixture::new(200_000);
    fixture.backup(0, &[]).expect(0);
    let upid = "UPID:highwater:0000BEEF:00000000:00000000:6650A5C1:backup:::root@pam:";
    set_state(&fixture, &json!({ "state": "failed", "upid": upid }));
    assert_eq!(to_a_server(&fixture, 1)["base"], true);
    fixture.backup(1, &["--dry-run"]).expect(0);
    assert_eq!(to_a_server(&fixture, 1)["base"], true, "a dry run writes nothing");
    fixture.backup(1, &[]).expect(0).says("marked as failed in words that no server reads");
    assert_eq!(to_a_server(&fixture, 1)["shown"], "failed");
    fixture.backup(2, &[]).expect(0).never_says("marked");
    score.ran(3);
    score.end();
}
