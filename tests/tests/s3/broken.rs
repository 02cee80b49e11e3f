//! Answers that break, lie or never end: each body is that of one version, or there is an error that says why not.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use highwater::s3::{Ask, Client, Error, Head, Listing, Missing, Sink};
use highwater_tests::dice::Dice;
use highwater_tests::s3::observe::Watched;
use highwater_tests::s3::{Fault, Rule, Server};

const BUCKET: &str = "one-bucket";
const KEY: &[u8] = b"some/key";

fn body(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).expect("small") ^ seed).collect()
}

/// A server with one object.
fn server(versioned: bool, body: &[u8]) -> Server {
    let server = Server::start();
    server.shelves(|shelves| {
        shelves.bucket(BUCKET).versioned = versioned;
        shelves.put(BUCKET, KEY, body);
    });
    server
}

fn get(client: &Client) -> Result<(Head, Vec<u8>), Error> {
    client.get_bytes(&Ask::latest(BUCKET, KEY), 1 << 30)
}

#[test]
fn a_broken_body_is_taken_up_where_it_ended() {
    for versioned in [false, true] {
        let body = body(300_000, 0);
        let server = server(versioned, &body);
        let client = server.client_with(|settings| settings.stall = Duration::from_secs(2));
        for fault in [Fault::Cut(10_000), Fault::Reset(200_000), Fault::Stall(77), Fault::Cut(0), Fault::Cut(299_999)] {
            server.log();
            server.plan(Rule::next(fault.clone()));
            let (head, found) = get(&client).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert!(found == body, "{fault:?}: {} bytes", found.len());
            let log = server.log();
            let (first, last) = (&log[0], &log[log.len() - 1]);
            assert_eq!((log.len(), first.range.clone(), last.status), (2, None, 206), "{fault:?}: {log:?}");
            let at = match fault {
                // What a reset overtakes is lost.
                Fault::Reset(_) => None,
                Fault::Cut(at) | Fault::Stall(at) => Some(at),
                _ => unreachable!("not in the list"),
            };
            if let Some(at) = at {
                assert_eq!(last.range, Some(format!("bytes={at}-299999")));
            }
            assert_eq!(last.if_match, head.etag.map(|etag| format!("\"{etag}\"")));
            assert_eq!(last.target.contains("?versionId="), versioned, "{}", last.target);
        }
    }
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again() {
    let body = body(1_000, 0);
    let server = server(false, &body);
    let client = server.client();
    for fault in [
        Fault::Closed,
        Fault::Raw(b"no HTTP at all\r\n\r\n"),
        Fault::Raw(b"HTTP/1.1 200 OK\r\nconte"),
        Fault::Raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nlength unknown"),
        Fault::Status(500, "InternalError", vec![]),
        Fault::Status(502, "", vec![]),
        Fault::Status(503, "SlowDown", vec![]),
        Fault::Status(504, "", vec![]),
        Fault::Status(429, "", vec![]),
        Fault::Status(400, "RequestTimeout", vec![]),
        Fault::Headers(vec![("content-length", "")]),
    ] {
        server.plan(Rule::next(fault.clone()).times(2));
        let (_, found) = get(&client).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(found == body && server.left() == 0, "{fault:?}");
    }
}

#[test]
fn what_changes_under_a_broken_body_is_never_put_together() {
    let (old, new) = (body(300_000, 0), body(300_000, 9));
    // Without versions the old bytes are gone.
    let server_ = server(false, &old);
    let put = new.clone();
    server_.plan(Rule::next(Fault::Cut(1_000)).then(move |shelves| drop(shelves.put(BUCKET, KEY, &put))));
    let error = get(&server_.client()).expect_err("the old body is gone");
    assert!(matches!(error, Error::Changed { .. }), "{error:?}");
    server_.plan(Rule::next(Fault::Cut(1_000)).then(|shelves| drop(shelves.delete(BUCKET, KEY))));
    let error = get(&server_.client()).expect_err("it is gone");
    assert!(matches!(error, Error::NotFound { what: Missing::Key, .. }), "{error:?}");

    // With versions the old one is read to its end.
    let server_ = server(true, &old);
    let put = new.clone();
    server_.plan(Rule::next(Fault::Cut(1_000)).then(move |shelves| drop(shelves.put(BUCKET, KEY, &put))));
    let (_, found) = get(&server_.client()).expect("the old version");
    assert!(found == old);
    assert!(get(&server_.client()).expect("the new one").1 == new);
    // Unless just that version goes.
    let id = server_.shelves(|shelves| shelves.bucket(BUCKET).keys[KEY][1].id.clone());
    server_.plan(Rule::next(Fault::Cut(1_000)).then(move |shelves| shelves.remove(BUCKET, KEY, &id)));
    let error = get(&server_.client()).expect_err("it is gone");
    assert!(matches!(error, Error::NotFound { what: Missing::Version, .. }), "{error:?}");
}

#[test]
fn an_answer_that_goes_on_with_something_else_is_refused() {
    let server = server(true, &body(10_000, 0));
    for lie in [
        Fault::Headers(vec![("etag", "\"0123\"")]),
        Fault::Headers(vec![("x-amz-version-id", "another")]),
        Fault::Headers(vec![("content-range", "bytes 999-9998/10000")]),
        Fault::Headers(vec![("content-range", "bytes 1000-9999/10001")]),
        Fault::NoRange,
    ] {
        server.plan(Rule::next(Fault::Cut(1_000)));
        server.plan(Rule::next(lie.clone()));
        let error = get(&server.client()).expect_err("a lie");
        assert!(matches!(error, Error::Changed { .. }), "{lie:?}: {error:?}");
        assert_eq!(server.left(), 0);
    }
    // A Content-Range that does not fit the body's length is no answer; a true one follows.
    server.plan(Rule::next(Fault::Cut(1_000)));
    server.plan(Rule::next(Fault::Headers(vec![("content-range", "bytes 1000-9998/10000")])));
    assert_eq!(get(&server.client()).expect("the whole body").1, body(10_000, 0));
}

#[test]
fn a_first_answer_that_is_not_what_was_asked_for_is_refused() {
    let server = server(true, &body(10_000, 0));
    let client = server.client_with(|settings| settings.attempts = 2);
    let part = Ask { range: Some(10..20), ..Ask::latest(BUCKET, KEY) };
    server.plan(Rule::next(Fault::NoRange));
    let error = client.get_bytes(&part, 99_999).expect_err("too much");
    let said = "bytes 10-19 were asked for, and the whole object came";
    assert!(matches!(error, Error::Wire { .. }) && error.to_string().contains(said), "{error}");
    server.plan(Rule::next(Fault::Headers(vec![("content-range", "bytes 11-20/10000")])));
    let error = client.get_bytes(&part, 99).expect_err("another part");
    assert!(matches!(error, Error::Wire { .. }), "{error:?}");
    for (name, ask) in [
        ("etag", Ask { if_match: Some("e"), ..Ask::latest(BUCKET, KEY) }),
        ("x-amz-version-id", Ask::version(BUCKET, KEY, "v")),
    ] {
        // A server that passes over what it does not know.
        server.plan(Rule::next(Fault::Raw(
            b"HTTP/1.1 200 OK\r\netag: \"f\"\r\nx-amz-version-id: w\r\ncontent-length: 1\r\n\r\nx",
        )));
        let error = client.get_bytes(&ask, 99).expect_err(name);
        assert!(matches!(error, Error::Changed { .. }), "{name}: {error:?}");
    }
    server.plan(Rule::next(Fault::Raw(
        b"HTTP/1.1 206 Partial\r\ncontent-range: bytes 0-0/2\r\ncontent-length: 1\r\n\r\nx",
    )));
    let error = get(&client).expect_err("a part of it");
    assert!(matches!(error, Error::Wire { .. }), "{error:?}");
}

#[test]
fn attempts_end() {
    let server = server(false, &body(1_000, 0));
    let clock = Arc::new(Watched::default());
    let client = server.client_with(|settings| {
        settings.clock = Arc::clone(&clock) as _;
        settings.attempts = 7;
    });
    for (fault, is_expected) in [
        (Fault::Closed, (|error| matches!(error, Error::Wire { attempts: 7, .. })) as fn(&Error) -> bool),
        (Fault::Cut(0), |error| matches!(error, Error::Wire { attempts: 7, .. })),
        (Fault::Status(503, "SlowDown", vec![]), |error| matches!(error, Error::Throttled { attempts: 7, .. })),
        (Fault::Status(500, "InternalError", vec![]), |error| matches!(error, Error::Other { status: 500, .. })),
    ] {
        let before = (server.requests(), clock.waits().len());
        server.plan(Rule::next(fault.clone()).times(1_000));
        let error = get(&client).expect_err("no end");
        assert!(is_expected(&error), "{fault:?}: {error:?}");
        assert_eq!((server.requests() - before.0, clock.waits().len() - before.1), (7, 6), "{fault:?}");
        server.forget();
    }
    for (at, wait) in clock.waits()[..6].iter().enumerate() {
        assert!(*wait < Duration::from_millis(100 << at), "{at}: {wait:?}");
    }
}

#[test]
fn what_is_final_is_asked_once() {
    let server = server(false, &body(1_000, 0));
    let client = server.client();
    let found = |status: u16, code: &'static str| {
        let before = server.requests();
        server.plan(Rule::next(Fault::Status(status, code, vec![])));
        let error = get(&client).expect_err(code);
        assert_eq!(server.requests() - before, 1, "{status} {code}");
        error
    };
    assert!(matches!(found(403, "AccessDenied"), Error::Forbidden { anonymous: false, .. }));
    assert!(matches!(found(403, "InvalidObjectState"), Error::Archived { .. }));
    assert!(matches!(found(404, "NoSuchKey"), Error::NotFound { what: Missing::Key, .. }));
    assert!(matches!(found(404, "NoSuchBucket"), Error::NotFound { what: Missing::Bucket, .. }));
    assert!(matches!(found(412, "PreconditionFailed"), Error::Changed { .. }));
    assert!(matches!(found(400, "InvalidArgument"), Error::Other { status: 400, .. }));
    assert!(matches!(found(501, "NotImplemented"), Error::Other { status: 501, .. }));
    assert!(matches!(found(302, "Found"), Error::Other { status: 302, .. }));
    server.shelves(|shelves| shelves.bucket(BUCKET).keys.get_mut(KEY).expect("it")[0].class = "GLACIER");
    let error = get(&client).expect_err("archived");
    assert_eq!(
        error.to_string(),
        "s3://one-bucket/some/key: it is archived; restore it in S3 first (aws s3api restore-object), \
         then run this again"
    );
}

#[test]
fn a_long_body_may_break_more_often_than_a_short_one() {
    let long = body(40 << 20, 0);
    let server = server(false, &long);
    let client = server.client_with(|settings| settings.attempts = 2);
    server.plan(Rule::next(Fault::Cut(9 << 20)).times(3));
    assert!(get(&client).expect("it gets on").1 == long);
    server.plan(Rule::next(Fault::Cut(1 << 20)).times(9));
    let error = get(&client).expect_err("it does not get on");
    assert!(matches!(error, Error::Wire { attempts: 2, .. }), "{error:?}");
}

#[test]
fn without_etag_and_version_nothing_is_taken_up() {
    let server = server(false, &body(1_000, 0));
    server.plan(Rule::next(Fault::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this")));
    let before = server.requests();
    let error = get(&server.client()).expect_err("no way on");
    assert!(matches!(error, Error::Wire { .. }) && error.to_string().contains("cannot be taken up again"), "{error}");
    // A weak ETag says nothing about bytes.
    server.plan(Rule::next(Fault::Raw(b"HTTP/1.1 200 OK\r\netag: W/\"e\"\r\ncontent-length: 1000\r\n\r\nonly this")));
    get(&server.client()).expect_err("no way on");
    assert_eq!(server.requests() - before, 2);
}

/// Refuses, or breaks.
struct Picky {
    begin: bool,
    taken: usize,
}

impl Sink for Picky {
    fn begin(&mut self, _: &Head) -> io::Result<()> {
        if self.begin { Ok(()) } else { Err(io::Error::other("not this one")) }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.taken += bytes.len();
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn a_sink_that_refuses_is_not_asked_again() {
    let server = server(false, &body(1_000_000, 0));
    let client = server.client();
    for begin in [false, true] {
        let before = server.requests();
        let mut sink = Picky { begin, taken: 0 };
        let error = client.get(&Ask::latest(BUCKET, KEY), &mut sink).expect_err("refused");
        assert!(matches!(error, Error::Sink { .. }), "{error:?}");
        assert_eq!((server.requests() - before, sink.taken > 0), (1, begin));
    }
}

#[test]
fn hostile_answers_are_errors_and_small() {
    let server = server(false, b"x");
    let client = server.client_with(|settings| settings.attempts = 2);
    let long = Vec::from("HTTP/1.1 200 OK\r\nx: ".to_owned() + &"y".repeat(1 << 20)).leak();
    let many = Vec::from("HTTP/1.1 200 OK\r\n".to_owned() + &"x: y\r\n".repeat(10_000) + "\r\n").leak();
    let chatty =
        Vec::from("HTTP/1.1 403 No\r\ncontent-length: 1000000\r\n\r\n".to_owned() + &"<a>".repeat(300_000)).leak();
    for raw in [
        &b""[..],
        b"\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        b"HTTP/1.1 206 OK\r\ncontent-length: 1\r\ncontent-range: bytes 18446744073709551615-0/1\r\n\r\nx",
        b"HTTP/1.1 206 OK\r\ncontent-length: 1\r\n\
          content-range: bytes 0-18446744073709551615/18446744073709551615\r\n\r\nx",
        b"HTTP/1.1 403 \xff\xfe\r\ncontent-length: 2\r\n\r\n\xff\xff",
        b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: a/b?c\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
        long,
        many,
        chatty,
    ] {
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(80)]);
        server.plan(Rule::next(Fault::Raw(raw)).times(2));
        let error = client.get_bytes(&Ask::latest(BUCKET, KEY), 1 << 20).expect_err(&shown).to_string();
        assert!(error.contains("s3://one-bucket/some/key") || error.contains("is no name of a region"), "{error}");
        assert!(error.len() < 600 && !error.contains('\n'), "{error}");
        server.forget();
    }
}

#[test]
fn hostile_lists_are_errors() {
    let server = server(false, b"x");
    let client = server.client_with(|settings| settings.attempts = 2);
    let list = |inner: &str| {
        let text = format!("<ListBucketResult>{inner}</ListBucketResult>");
        &*format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()).into_bytes().leak()
    };
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>";
    for (raw, times) in [
        (list("<IsTruncated>false</IsTruncated><Contents><Key>&bomb;</Key></Contents>"), 2),
        (list("<Contents><Key>k</Key></Contents>"), 2),
        (list(more), 3),
        (list(&"<a>".repeat(1_000)), 2),
        (list(&"x".repeat(1 << 20)), 2),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n<List".as_slice(), 2),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<List", 2),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n<List\r\n", 2),
    ] {
        server.plan(Rule::next(Fault::Raw(raw)).times(times));
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(200)]);
        let last = client.list(&Listing::all(BUCKET, b"")).last().expect("an answer");
        assert!(matches!(last, Err(Error::Wire { .. })), "{shown}: {last:?}");
        server.forget();
    }
}

/// Whatever goes wrong, and whatever is put meanwhile: a body that is given is that of one version.
#[test]
fn random_troubles_never_mix_versions() {
    let mut given = 0;
    for seed in 0..150 {
        let mut dice = Dice::new(seed);
        let mut below = |limit: usize| usize::try_from(dice.below(limit.try_into().expect("small"))).expect("small");
        let length = below(200_000) + 1;
        let versions: Vec<Vec<u8>> = (0..8).map(|at| body(length, at)).collect();
        let server = server(below(2) == 0, &versions[0]);
        for version in versions.iter().skip(1).take(below(7)) {
            let at = below(length + 1);
            let fault = match below(6) {
                0 => Fault::Closed,
                1 => Fault::Status(503, "SlowDown", vec![]),
                2 => Fault::NoRange,
                3 => Fault::Reset(at),
                _ => Fault::Cut(at),
            };
            let version = version.clone();
            let rule = Rule::next(fault);
            server.plan(match below(3) {
                0 => rule.then(move |shelves| drop(shelves.put(BUCKET, KEY, &version))),
                1 => rule.then(move |shelves| drop(shelves.delete(BUCKET, KEY))),
                _ => rule,
            });
        }
        match get(&server.client()) {
            Ok((_, found)) => {
                given += 1;
                assert!(versions.contains(&found), "seed {seed}: {} bytes of no version", found.len());
            }
            Err(error) => {
                let is_expected = matches!(error, Error::Changed { .. } | Error::NotFound { .. } | Error::Wire { .. });
                assert!(is_expected, "seed {seed}: {error:?}");
            }
        }
    }
    assert!(given > 50, "{given}");
}
