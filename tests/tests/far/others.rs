//! The same backups into moto and SeaweedFS, which were written by others.

use highwater::s3::{Client, Error, Put, Under};
use highwater_tests::run::Run;
use highwater_tests::s3::others::Other;

use crate::into::{KINDS, Kind};
use crate::roots::Roots;

fn backs_up(other: &Other, kind: Kind) {
    other.admin().bucket(Roots::bucket(), true);
    let roots = Roots::at(other.settings().endpoint.expect("an address"));
    for (has_grown, now) in [(false, "2026-03-01-01-00-00"), (true, "2026-03-01-02-00-00")] {
        kind.lay(&roots, has_grown);
        Run::of(&mut kind.backup(&roots, now)).expect(0);
        assert_eq!(kind.wrong(&roots), None, "{}: {kind:?}", other.name);
    }
    assert_eq!(Kind::points(&roots).len(), 2, "{}: {kind:?}", other.name);
}

/// Names that are taken, objects that are others by now, and long ones.
fn holds_conditions(client: &Client, name: &str) {
    let put = |under| Put { bucket: Roots::bucket(), key: b"conditions/one", under, guard: None };
    let changed = |done: Result<_, Error>| matches!(done, Err(Error::Changed { .. } | Error::NotFound { .. }));
    let first = client.put(&put(Under::Free), &b"one"[..]).expect("a free name");
    assert!(changed(client.put(&put(Under::Free), &b"two"[..])), "{name}");
    let second = client.put(&put(Under::Of(&first.etag)), &b"two"[..]).expect("what was there");
    assert!(changed(client.put(&put(Under::Of(&first.etag)), &b"three"[..])), "{name}");
    client.put(&put(Under::Of(&second.etag)), &b"three"[..]).expect("what was there");
    let long: Vec<u8> = (0_u32..9 << 20).flat_map(u32::to_le_bytes).collect();
    let put = Put { key: b"conditions/long", ..put(Under::Free) };
    client.put(&put, &long[..]).expect("a long one");
    assert!(changed(client.put(&put, &long[..])), "{name}: a long one");
}

#[test]
fn a_backup_into_moto_is_a_set_there() {
    for kind in KINDS {
        backs_up(&Other::moto(), kind);
    }
}

#[test]
fn a_backup_into_seaweedfs_is_a_set_there() {
    let other = Other::seaweedfs();
    backs_up(&other, Kind::Folder);
    holds_conditions(&other.client(), other.name);
    backs_up(&Other::seaweedfs(), Kind::Database);
}
