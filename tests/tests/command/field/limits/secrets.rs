//! A passphrase is asked for without echo, and however the question ends, the terminal is left as it was.

use highwater_tests::binary::highwater;
use highwater_tests::datastore::Sample;
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

#[test]
fn however_the_question_ends_the_terminal_echoes_again() {
    let mut score = Score::part(LINE, "the passphrase at a terminal");
    let sample = Sample::made();
    let (store, key) = (sample.store(), sample.truth("key-pbkdf2.json"));
    for (deed, exit) in [
        ("type:correct horse", 0),
        ("type:this is not it", 2),
        ("type:", 2),
        ("SIGINT", 130),
        ("SIGTERM", 130),
        ("SIGHUP", 130),
        ("SIGQUIT", 130),
    ] {
        let mut command = python::command("passphrase.py");
        command.arg(deed).arg(highwater()).args(["verify", "--depth", "list", "--keyfile"]).arg(&key).arg(&store);
        let run = Run::of(&mut command);
        let told: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
        assert_eq!((&told["silent"], &told["echoes"]), (&true.into(), &true.into()), "{deed}: {told}");
        assert_eq!(told["exit"], exit, "{deed}: {told}");
        let said = told["said"].as_str().expect("text");
        assert!(
            said.contains("Passphrase of '") && !said.contains("correct horse") && !said.contains("this is not it"),
            "{told}"
        );
        assert!(exit != 130 || said.contains("interrupted"), "{told}");
        score.ran(1);
    }
    score.end();
}
