//! A long object is written in parts, on a wire that breaks.

use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Rule};
use rustix::process::Signal;

use crate::both::Both as _;
use crate::into::signal;
use crate::roots::Roots;

#[test]
fn a_long_file_goes_in_parts_that_are_sent_again_when_they_break() {
    let roots = Roots::new();
    let source = roots.near().with_file_name("source");
    fs::create_dir(&source).expect("a folder");
    // Three parts, of which the last is short.
    let body: Vec<u8> = (0_u32..9 << 20).flat_map(u32::to_le_bytes).collect();
    fs::write(source.join("long"), &body).expect("a file");
    let busy = || Fault::Status(503, "SlowDown", vec![]);
    for (to, fault) in [
        ("uploads=", Fault::Closed),
        ("partNumber=2", Fault::Before),
        ("partNumber=3", Fault::Closed),
        ("partNumber=1", busy()),
        ("POST /backups/set/objects/", Fault::None),
    ] {
        roots.server.plan(Rule::next(fault).to(to));
    }
    // The end of the upload, whose answer is lost.
    roots.server.plan(Rule::next(Fault::None).to("?uploads="));
    roots.server.plan(Rule::next(Fault::Closed).to("?uploadId="));
    let far = Roots::far();
    let mut command = roots.command(&["backup".as_ref(), source.as_os_str(), far.as_os_str()]);
    Run::of(&mut command).expect(0);
    let parts = roots.server.shelves(|shelves| {
        let held = shelves.bucket(Roots::bucket());
        let long = held.keys.values().flatten().find(|version| version.parts.len() > 1).expect("parts");
        (long.parts.len(), long.body.as_deref() == Some(&body[..]))
    });
    assert_eq!(parts, (3, true));
    roots.run(&["verify"], &Roots::far(), &[]).expect(0);
}

/// Of a part that S3 stored otherwise nothing stays.
#[test]
fn a_part_that_is_stored_otherwise_makes_no_object() {
    let roots = Roots::new();
    let source = roots.near().with_file_name("source");
    fs::create_dir(&source).expect("a folder");
    fs::write(source.join("long"), vec![7; 33 << 20]).expect("a file");
    roots.server.plan(Rule::next(Fault::Garbles(9)).to("partNumber=2"));
    let far = Roots::far();
    let mut command = roots.command(&["backup".as_ref(), source.as_os_str(), far.as_os_str()]);
    let run = Run::of(&mut command);
    assert!(run.code == 3 && run.stderr.contains("what was sent gives"), "{}", run.account());
    let (objects, uploads) = roots.server.shelves(|shelves| {
        let keys = shelves.bucket(Roots::bucket()).keys.keys();
        (keys.filter(|key| key.starts_with(b"set/objects/")).count(), shelves.uploads.len())
    });
    assert_eq!((objects, uploads), (0, 0));
}

/// Who ends a run in the midst of an upload is told that it was interrupted, and nothing of the upload stays at S3.
#[test]
fn an_upload_that_is_interrupted_is_given_up() {
    for ends in [Signal::INT, Signal::TERM, Signal::HUP] {
        let roots = Roots::new();
        let source = roots.near().with_file_name("source");
        fs::create_dir(&source).expect("a folder");
        fs::write(source.join("long"), vec![7; 33 << 20]).expect("a file");
        let (pid, far) = (Arc::new(AtomicI32::new(0)), Roots::far());
        // There is an upload then, and a part of it cannot be sent meanwhile.
        let rule = Rule::next(Fault::Status(503, "SlowDown", vec![])).to("partNumber=2").times(1_000);
        let seen = Arc::clone(&pid);
        roots.server.plan(rule.then(move |shelves| {
            assert_eq!(shelves.uploads.len(), 1);
            signal(&seen, ends);
        }));
        let mut command = roots.command(&["backup".as_ref(), source.as_os_str(), far.as_os_str()]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
        pid.store(i32::try_from(child.id()).expect("a number"), Ordering::SeqCst);
        let output = child.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{ends:?}: {said}");
        assert!(said.contains("interrupted; nothing half-made was published"), "{said}");
        roots.server.forget();
        let left = roots.server.shelves(|shelves| (shelves.uploads.len(), shelves.bucket(Roots::bucket()).keys.len()));
        assert_eq!(left, (0, 0), "{ends:?}");
        let mut command = roots.command(&["backup".as_ref(), source.as_os_str(), far.as_os_str()]);
        Run::of(&mut command).expect(0);
        roots.run(&["verify"], &far, &[]).expect(0);
    }
}
