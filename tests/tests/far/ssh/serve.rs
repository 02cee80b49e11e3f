//! A hostile near end: it reads what is served and nothing else, writes nothing, and takes no memory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use highwater_core::inspect::Kind;
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::shard::Shard;
use highwater_core::wire::{Answer, MOST, Request, VERSION, Verification, Why, framed};
use tempfile::TempDir;

use super::session::{Session, hello};

/// More than this, in KiB, no conversation may take.
const PEAK: u64 = 100 << 10;

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a name")
}

/// A folder that is served, in one with a secret.
fn served() -> (TempDir, std::path::PathBuf) {
    let scratch = tempfile::tempdir().expect("a folder");
    let root = scratch.path().join("root");
    fs::create_dir_all(root.join("folder")).expect("a folder");
    fs::write(scratch.path().join("secret"), "secret").expect("a file");
    fs::write(root.join("short"), "short").expect("a file");
    fs::write(root.join("long"), vec![7; 3 * MOST + 5]).expect("a file");
    symlink("../secret", root.join("out")).expect("a link");
    symlink(scratch.path(), root.join("up")).expect("a link");
    symlink("short", root.join("within")).expect("a link");
    (scratch, root)
}

#[test]
fn what_is_served_is_read_and_nothing_else() {
    let (_scratch, root) = served();
    let (mut session, hello) = Session::greeted(&root);
    assert!(hello.is_it && hello.protocol == VERSION && hello.limits.handles > 0);
    session.ask(1, Request::List { folder: None });
    let answer = session.answer();
    let Answer::Entries { entries, last: true } = answer.answer else { panic!("{answer:?}") };
    let kind = |text: &str| entries.iter().find(|entry| entry.name == name(text)).map(|entry| entry.kind);
    let kinds = ["short", "long", "within", "folder", "out", "up"].map(kind);
    let file = Some(Kind::File);
    assert_eq!(kinds, [file, file, file, Some(Kind::Folder), Some(Kind::Link), Some(Kind::Link)]);
    assert_eq!(entries.len(), kinds.len());
    for secret in ["out", "up/secret", "up/root/short", "folder", "none", "short/x"] {
        session.ask(2, Request::Open { name: name(secret), first: 100 });
        let answer = session.answer();
        assert!(matches!(answer.answer, Answer::Failed { .. }), "{secret}: {answer:?}");
        session.ask(3, Request::Look { name: name(secret) });
        let answer = session.answer();
        assert!(matches!(answer.answer, Answer::Failed { .. }), "{secret}: {answer:?}");
    }
    session.ask(2, Request::List { folder: Some(name("up")) });
    assert!(matches!(session.answer().answer, Answer::Failed { why: Why::Denied | Why::Other | Why::Absent, .. }));
    session.ask(4, Request::Open { name: name("within"), first: 100 });
    let answer = session.answer();
    let Answer::Opened { handle: None, bytes, .. } = answer.answer else { panic!("{answer:?}") };
    assert_eq!((answer.id, bytes.as_slice()), (4, &b"short"[..]));
    assert_eq!(session.end(), (0, String::new()));
}

/// What is held open is one version, whatever takes its name meanwhile.
#[test]
fn a_handle_is_one_version() {
    let (scratch, root) = served();
    let (mut session, _) = Session::greeted(&root);
    session.ask(1, Request::Open { name: name("long"), first: 10 });
    let answer = session.answer();
    let Answer::Opened { handle: Some(handle), meta, bytes } = answer.answer else { panic!("{answer:?}") };
    assert_eq!((meta.length, bytes.len()), (3 * MOST as u64 + 5, 10));
    let other = scratch.path().join("other");
    fs::write(&other, vec![8; 3 * MOST + 5]).expect("a file");
    fs::rename(&other, root.join("long")).expect("a rename");
    for (at, most, expected) in
        [(0, 5, 5), (2 * MOST as u64, u32::MAX, MOST), (3 * MOST as u64, 100, 5), (u64::MAX, 1, 0)]
    {
        session.ask(2, Request::Read { handle, at, most });
        let answer = session.answer();
        let Answer::Bytes(bytes) = answer.answer else { panic!("{answer:?}") };
        assert!(bytes.len() == expected && bytes.iter().all(|byte| *byte == 7), "{at}: {}", bytes.len());
    }
    session.ask(0, Request::Close { handle });
    session.ask(3, Request::Read { handle, at: 0, most: 1 });
    // Requests are answered in any order: until it is closed, it can be read.
    while matches!(session.answer().answer, Answer::Bytes(_)) {
        session.ask(3, Request::Read { handle, at: 0, most: 1 });
    }
    assert_eq!(session.end().0, 0);
}

#[test]
fn thousands_of_handles_and_reads_take_no_memory() {
    let (_scratch, root) = served();
    let (mut session, hello) = Session::greeted(&root);
    let limit = hello.limits.handles;
    let (mut held, mut full) = (0, 0);
    for id in 0..limit + 500 {
        session.ask(id, Request::Open { name: name("long"), first: 0 });
        match session.answer().answer {
            Answer::Opened { handle: Some(_), .. } => held += 1,
            Answer::Failed { why: Why::Full, .. } => full += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((held, full), (limit, 500));
    // A thousand answers of a MiB each that nobody takes: no more requests are read than wait in line.
    for id in 0..40 {
        session.ask(id, Request::Read { handle: 1, at: 0, most: u32::MAX });
    }
    for _ in 0..40 {
        assert!(matches!(session.answer().answer, Answer::Bytes(_) | Answer::Failed { .. }));
    }
    let peak = session.peak();
    assert!(peak < PEAK, "{peak} KiB");
    assert_eq!(session.end().0, 0);
}

#[test]
fn what_is_no_request_ends_the_conversation() {
    let (_scratch, root) = served();
    let head = framed(&hello(&root).encode());
    let dots = [&1_u32.to_le_bytes()[..], &[2], &9_u32.to_le_bytes(), b"../secret", &[0; 4]].concat();
    for (bytes, exit) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 2),
        (vec![0xff; 100], 2),
        (vec![0; 100], 2),
        ([&head[..], &[0xff; 64]].concat(), 2),
        ([&head[..], &framed(&dots)].concat(), 2),
        ([&head[..], &framed(&[1, 0, 0, 0, 99])].concat(), 2),
        // A line that was cut is nobody's fault.
        (head[..head.len() - 1].to_vec(), 0),
        ([&head[..], &framed(&dots)[..9]].concat(), 0),
        (Vec::new(), 0),
    ] {
        let mut session = Session::start(&root);
        session.send(&bytes);
        let (code, stderr) = session.end();
        assert!(code == exit && !stderr.contains("panicked"), "{bytes:?}: {code}: {stderr}");
        assert!(exit == 0 || stderr.starts_with("highwater: standard input has what is no request"), "{stderr}");
    }
}

/// Every byte of a conversation flipped: it ends, and nothing that is not served is given.
#[test]
fn every_flip_of_a_conversation_is_endured() {
    let (_scratch, root) = served();
    let mut talk = framed(&hello(&root).encode());
    for request in [Request::List { folder: None }, Request::Open { name: name("short"), first: 9 }] {
        talk.extend(framed(&highwater_core::wire::Asked { id: 1, request }.encode()));
    }
    for at in 0..talk.len() {
        let mut session = Session::start(&root);
        let mut other = talk.clone();
        other[at] ^= 1 << (at % 8);
        session.send(&other);
        let (code, stderr) = session.end();
        assert!([0, 2].contains(&code) && !stderr.contains("panicked"), "byte {at}: {code}: {stderr}");
    }
}

#[test]
fn another_folder_and_another_version_are_told() {
    let (scratch, root) = served();
    let (session, _) = Session::greeted(&root);
    session.end();
    for (asked, is_it) in
        [(root.clone(), true), (root.join("."), true), (root.join("folder"), false), (scratch.path().to_owned(), false)]
    {
        let mut session = Session::start(&root);
        session.send(&framed(&hello(&asked).encode()));
        let theirs = highwater_core::wire::Hello::decode(&session.frame().expect("a hello")).expect("a hello");
        assert_eq!(
            (theirs.is_it, Path::new(std::str::from_utf8(&theirs.root).expect("text"))),
            (is_it, root.as_path())
        );
        assert_eq!(session.end().0, 0);
    }
    let mut session = Session::start(&root);
    let other = highwater_core::wire::Hello { protocol: VERSION + 1, ..hello(&root) };
    session.send(&framed(&other.encode()));
    session.ask(1, Request::List { folder: None });
    assert!(session.frame().is_some());
    assert!(session.frame().is_none(), "an end of another version is answered");
    assert_eq!(session.end().0, 0);
}

#[test]
fn a_verification_there_sees_no_more_than_is_served() {
    let (_scratch, root) = served();
    let (mut session, _) = Session::greeted(&root);
    let how = Verification {
        label: "x".to_owned(),
        kind: None,
        point: None,
        depth: Depth::Deep,
        strict: false,
        shard: Shard::WHOLE,
    };
    session.ask(1, Request::Verify(Box::new(how)));
    let answer = session.answer();
    assert!(matches!(answer.answer, Answer::Failed { why: Why::CannotStart, .. }), "{answer:?}");
    assert_eq!(session.end().0, 0);
}
