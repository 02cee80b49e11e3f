//! Hostile key files: numbers that ask for memory or time without end.

use std::fs;

use highwater_tests::datastore::Sample;
use highwater_tests::measured::measured_within;
use highwater_tests::specimens::datastore::hostile::SPACE_KIB;
use highwater_tests::specimens::hostile::NOW;

#[test]
fn a_key_file_gets_neither_memory_nor_time() {
    let sample = Sample::made();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (key, word) = (folder.path().join("key"), folder.path().join("word"));
    fs::write(&word, "correct horse\n").expect("a file");
    let store = sample.store().display().to_string();
    for (kdf, says) in [
        (r#"{"Scrypt":{"n":1099511627776,"r":8,"p":1,"salt":"AAAA"}}"#, "of memory"),
        (r#"{"PBKDF2":{"iter":4294967295,"salt":"AAAA"}}"#, "rounds"),
    ] {
        fs::write(&key, format!(r#"{{"kdf":{kdf},"data":"{}"}}"#, "AAAA".repeat(16))).expect("a file");
        let (key, word) = (key.display().to_string(), word.display().to_string());
        let words = ["verify", &store, "--keyfile", &key, "--passphrase-file", &word];
        measured_within(NOW, &words, Some(SPACE_KIB)).run.expect(2).says(says);
    }
}
