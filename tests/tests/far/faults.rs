//! A wire that breaks, and a bucket that changes: no damage is found that is none, and none is passed over.

use std::ffi::OsStr;
use std::time::Duration;

use highwater_tests::s3::text::encode;
use highwater_tests::s3::{Fault, Rule};
use highwater_tests::specimens::{self, Specimen as _};

use crate::both::Both as _;
use crate::roots::Roots;

/// A repository, and its full backup's name.
fn repository() -> (Roots, String) {
    let roots = Roots::new();
    let sample = specimens::repozo::Repozo.small();
    roots.lay(&sample.files);
    let name = sample.files.keys().find(|name| name.ends_with(".fs")).expect("a full backup").clone();
    (roots, name)
}

fn breaks(roots: &Roots, name: &str, fault: Fault, times: u32) {
    let name = encode(name.as_bytes(), true);
    roots.server.plan(Rule { to: format!("GET /{}/set/{name}", Roots::bucket()), times, fault, deed: None });
}

#[test]
fn a_body_that_breaks_is_taken_up_again() {
    for fault in [Fault::Cut(100), Fault::Reset(100), Fault::Closed, Fault::Status(503, "SlowDown", vec![])] {
        let (roots, name) = repository();
        breaks(&roots, &name, fault.clone(), 2);
        let run = roots.run(&["verify"], &Roots::far(), &[]);
        assert_eq!((run.code, roots.server.left()), (0, 0), "{fault:?}: {}", run.account());
    }
}

#[test]
fn what_cannot_be_read_is_not_damaged() {
    for fault in [Fault::Status(403, "AccessDenied", vec![]), Fault::Status(403, "InvalidObjectState", vec![])] {
        let (roots, name) = repository();
        breaks(&roots, &name, fault.clone(), 100);
        let run = roots.run(&["verify", "--json"], &Roots::far(), &[]);
        assert_eq!(run.code, 3, "{fault:?}: {}", run.account());
        assert!(run.text().contains("it cannot be read"), "{fault:?}: {}", run.account());
    }
}

/// How long a point is nobody knows whose list cannot be read, or says nothing of it.
#[test]
fn a_list_tells_no_length_that_it_has_not_read() {
    for (specimen, list) in [
        (&specimens::tree::Tree as &dyn specimens::Specimen, ".mtree"),
        (&specimens::datastore::Datastore, "index.json.blob"),
    ] {
        for (fault, code) in [(Fault::Status(403, "AccessDenied", vec![]), 3), (Fault::Flip(2), 1)] {
            let (roots, files) = (Roots::new(), &specimen.small().files);
            roots.lay(files);
            let name = files.keys().find(|name| name.ends_with(list)).expect("a list").clone();
            breaks(&roots, &name, fault.clone(), 100);
            let run = roots.run(&["list", "--json"], &Roots::far(), &[]);
            let told: serde_json::Value = serde_json::from_slice(&run.expect(code).stdout).expect("JSON");
            let bytes: Vec<&serde_json::Value> =
                told["sets"].as_array().expect("points").iter().map(|point| &point["bytes"]).collect();
            let unread = bytes.iter().filter(|bytes| bytes.is_null()).count();
            assert_eq!(unread, 1, "{name}, {fault:?}: {told}");
            assert!(bytes.len() > 1 && bytes.iter().all(|bytes| bytes.is_null() || bytes.as_u64() > Some(0)), "{told}");
            let text = roots.run(&["list"], &Roots::far(), &[]).expect(code).text();
            let lines = |part: &str| text.lines().filter(|line| line.contains(part)).count();
            assert_eq!((lines("  unread"), lines(" bytes")), (1, bytes.len() - 1), "{text}");
        }
    }
}

#[test]
fn wrong_bytes_on_the_wire_are_damage_that_is_told() {
    let (roots, name) = repository();
    breaks(&roots, &name, Fault::Flip(50), 1);
    assert_eq!(roots.run(&["verify"], &Roots::far(), &[]).code, 1);
    assert_eq!(roots.run(&["verify"], &Roots::far(), &[]).code, 0);
}

#[test]
fn an_object_that_changes_behind_its_listing_cannot_be_read() {
    let (roots, name) = repository();
    let (key, body) = (Roots::key(&name), vec![7; 5_000]);
    let deed = Box::new(move |shelves: &mut highwater_tests::s3::Shelves| {
        _ = shelves.put(Roots::bucket(), &key, &body);
    });
    // After the list has gone out that is the survey's; the ones before it are for the layout and the kind.
    let to = format!("GET /{}?", Roots::bucket());
    roots.server.plan(Rule::next(Fault::None).to(&to).times(2));
    roots.server.plan(Rule { to, times: 1, fault: Fault::None, deed: Some(deed) });
    let run = roots.run(&["verify", "--json"], &Roots::far(), &[]);
    assert_eq!((run.code, roots.server.left()), (3, 0), "{}", run.account());
    assert!(run.text().contains("it cannot be read"), "{}", run.account());
    roots.run(&["verify"], &Roots::far(), &[]).expect(1);
}

/// What lies between may take the ETag off: nothing is said to have changed.
#[test]
fn an_object_without_an_etag_is_not_said_to_have_changed() {
    let (roots, name) = repository();
    breaks(&roots, &name, Fault::Headers(vec![("etag", "")]), 100);
    let run = roots.run(&["verify"], &Roots::far(), &[]);
    run.expect(3).prints("the answer has no ETag");
    assert!(!run.text().contains("changed while it was read"), "{}", run.account());
}

/// Whoever prunes removes an index first; what it named may be gone then, and is not called damaged.
#[test]
fn a_chain_that_is_removed_meanwhile_is_no_damage() {
    let (roots, name) = repository();
    let removed: Vec<Vec<u8>> = specimens::repozo::Repozo.small().files.keys().map(|name| Roots::key(name)).collect();
    let deed = Box::new(move |shelves: &mut highwater_tests::s3::Shelves| {
        let keys = &mut shelves.bucket(Roots::bucket()).keys;
        removed.iter().for_each(|key| drop(keys.remove(key)));
    });
    // When the index was read, and before anything that it names.
    let index = specimens::repozo::Repozo.small().files.keys().find(|name| name.ends_with(".dat")).cloned();
    let to = format!("GET /{}/set/{}", Roots::bucket(), index.expect("an index"));
    roots.server.plan(Rule { to, times: 1, fault: Fault::None, deed: Some(deed) });
    let run = roots.run(&["verify", "--json"], &Roots::far(), &[]);
    assert_eq!(roots.server.left(), 0);
    assert!(run.code != 1 && !run.text().contains("\"damaged\""), "{name}: {}", run.account());
}

#[test]
fn a_bucket_that_is_not_there_is_said() {
    let (roots, _) = repository();
    for (root, word) in
        [("s3://nowhere-1/set", "bucket"), ("s3://backups/nothing", "no key begins so"), ("s3://", "bucket")]
    {
        for verb in ["verify", "list", "show"] {
            let run = roots.run(&[verb], OsStr::new(root).as_ref(), &[]);
            assert!([2, 4].contains(&run.code) && run.stderr.contains(word), "{}", run.account());
        }
    }
}

#[test]
fn a_slow_wire_changes_nothing() {
    let (roots, name) = repository();
    breaks(&roots, &name, Fault::Slow(200, Duration::from_millis(1)), 1);
    roots.run(&["verify"], &Roots::far(), &[]).expect(0);
}
