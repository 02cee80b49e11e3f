//! Backups of sources that only grow, and of such as are said to: what is not read again, and when all of it is.

use std::fs;

use highwater_tests::dice::Dice;

use crate::datastore::backup::Fixture;

#[test]
fn of_a_source_that_only_grows_what_is_new_is_read_and_samples_of_the_rest() {
    let fixture = Fixture::new();
    let mut bytes = Dice::new(11).bytes(64 * 65_536 + 100);
    fs::write(&fixture.source, &bytes).expect("it is written");
    let grow = |number: usize| fixture.backup(number, &["--append-only"]);
    grow(0).expect(0).prints("in 65 chunks, 65 of them new, ");
    // Nobody looks at the second chunk: that it was changed shows that it is not read. Whoever says so answers for it.
    let before = fixture.chunk(0, 1);
    bytes[65_536] ^= 1;
    bytes.extend(Dice::new(12).bytes(65_536));
    fs::write(&fixture.source, &bytes).expect("it is written");
    grow(1).expect(0).prints("in 66 chunks, 2 of them new, ").prints("stored; 64 not read again\n");
    assert_eq!(fixture.chunk(1, 1), before);
    bytes[65_536] ^= 1;
    assert!(fixture.restore("vm/100/2026-03-02T00:00:00Z/drive-scsi0.img", &[]) == bytes);
    // A chunk that is not read is not taken on trust either.
    fs::write(&fixture.source, &bytes).expect("it is written");
    fs::remove_file(fixture.chunk(1, 30)).expect("it is removed");
    grow(2).expect(0).prints("65 not read again").prints("1 chunk that the store had lost is there again");
    assert!(fixture.is_failed(1) && !fixture.is_failed(2));
    fixture.is_sound();
}

#[test]
fn a_source_that_did_not_only_grow_is_read_whole() {
    let noise = Dice::new(13).bytes(40 * 65_536);
    let edited = |at: usize| {
        let mut other = noise.clone();
        other[at] ^= 1;
        other
    };
    let last = noise.len() - 1;
    for (what, other, more) in [
        ("shorter", noise[..last].to_vec(), &[][..]),
        ("its first byte", edited(0), &[]),
        ("its last byte", edited(last), &[]),
        ("a sample between", edited(4 * 65_536), &[]),
        ("chunks of another length", [&noise[..], b"more"].concat(), &["--chunk-size", "128k"]),
    ] {
        let fixture = Fixture::new();
        fs::write(&fixture.source, &noise).expect("it is written");
        fixture.backup(0, &[]).expect(0);
        fs::write(&fixture.source, &other).expect("it is written");
        let run = fixture.backup(1, &[&["--append-only"], more].concat());
        run.expect(0);
        assert!(!run.text().contains("not read again"), "{what}: {}", run.account());
        run.says("did not grow out of what vm/100/2026-03-01T00:00:00Z holds");
        assert!(fixture.restore("vm/100/2026-03-02T00:00:00Z/drive-scsi0.img", &[]) == other, "{what}");
    }
}
