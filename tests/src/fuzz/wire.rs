//! A target for the messages between two ends: what is understood is written again as it was.

use highwater_core::digest::sha256_of;
use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::shard::Shard;
use highwater_core::wire::{
    Answer, Answered, Asked, HEAD, Hello, LONGEST, Limits, Meta, Request, VERSION, Verification, Why, framed, length,
};

/// Words that messages are made of.
pub(crate) static WORDS: &[&[u8]] =
    &[b"highwater reads\n", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\0\0\0", b"../", b"\0\0\x10\0"];

/// Any bytes as every kind of message, and as frames of them.
pub(crate) fn wire(bytes: &[u8]) {
    message(bytes);
    // As a conversation: a frame behind another, until one is none.
    let mut rest = bytes;
    while let Some((head, behind)) = rest.split_first_chunk::<HEAD>() {
        let Ok(length) = length(*head) else { break };
        assert!(length > 0 && length <= LONGEST);
        let Some((frame, next)) = behind.split_at_checked(length) else { break };
        assert!(framed(frame) == rest[..HEAD + length]);
        message(frame);
        rest = next;
    }
}

fn message(bytes: &[u8]) {
    match Asked::decode(bytes) {
        Ok(asked) => assert!(asked.encode() == bytes, "another request is written: {asked:?}"),
        Err(bad) => assert!(bad.at <= bytes.len(), "{bad}"),
    }
    match Answered::decode(bytes) {
        Ok(answered) => {
            assert!(answered.encode() == bytes, "another answer is written: {answered:?}");
            if let Answer::Entries { entries, .. } = answered.answer {
                assert!(entries.iter().all(|entry| entry.name.folder().is_none()), "an entry of another folder");
            }
        }
        Err(bad) => assert!(bad.at <= bytes.len(), "{bad}"),
    }
    match Hello::decode(bytes) {
        Ok(hello) if hello.protocol == VERSION => {
            assert!(hello.encode() == bytes, "another hello is written: {hello:?}")
        }
        Ok(_) => {}
        Err(bad) => assert!(bad.at <= bytes.len(), "{bad}"),
    }
}

/// One of each message, and a conversation.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let name = |text: &[u8]| Name::new(text).expect("a name");
    let meta = Meta { length: 3, mtime: (-1, 999_999_999), mode: 0o640 };
    let how = Verification {
        label: "set".to_owned(),
        kind: Some("tree".to_owned()),
        point: None,
        depth: Depth::Deep,
        strict: false,
        shard: Shard::WHOLE,
    };
    let requests = [
        Request::List { folder: Some(name(b"a/b")) },
        Request::Open { name: name(b"a/b/\xff"), first: 65_536 },
        Request::Read { handle: 7, at: 1 << 40, most: 1 << 20 },
        Request::Close { handle: 7 },
        Request::Look { name: name(b"a") },
        Request::Verify(Box::new(how)),
        Request::Checkpoint { kind: Some("kind".to_owned()) },
        Request::Sum { name: name(b"a") },
        Request::Discard,
    ];
    let entry = |text: &[u8], kind, length| Entry { name: name(text), kind, length };
    let answers = [
        Answer::Entries { entries: vec![entry(b"x", Kind::File, Some(1)), entry(b"y", Kind::Link, None)], last: true },
        Answer::Opened { handle: Some(7), meta, bytes: b"bytes".to_vec() },
        Answer::Opened { handle: None, meta, bytes: b"abc".to_vec() },
        Answer::Bytes(b"bytes".to_vec()),
        Answer::Looked(meta),
        Answer::Identity(Some((1, 2))),
        Answer::Progress { done: 1, total: 2 },
        Answer::Notice("so".to_owned()),
        Answer::Report { bytes: b"{}".to_vec(), last: true },
        Answer::Made { kind: "kind".to_owned(), position: "entry 7".to_owned(), tries: 1 },
        Answer::Sum(sha256_of(b"bytes")),
        Answer::Discarded,
        Answer::Failed { why: Why::Absent, text: "nothing".to_owned() },
    ];
    let limits = Limits { handles: 1024, under_way: 256 };
    let hello = Hello { protocol: VERSION, program: "1".to_owned(), root: b"/srv".to_vec(), is_it: true, limits };
    let asked = requests.into_iter().map(|request| Asked { id: 1, request }.encode());
    let answered = answers.into_iter().map(|answer| Answered { id: 1, answer }.encode());
    let mut seeds: Vec<Vec<u8>> = asked.chain(answered).chain([hello.encode()]).collect();
    seeds.push(seeds.iter().rev().take(4).flat_map(|message| framed(message)).collect());
    seeds
}
