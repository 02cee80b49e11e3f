//! What is written: requests that S3 takes as they are, and long objects that are given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater::s3::{Ask, Client, Error, Put, Stored, Under};
use highwater_tests::s3::{Fault, Rule, Server};

const BUCKET: &str = "one-bucket";

fn server() -> Server {
    let server = Server::start();
    server.shelves(|shelves| _ = shelves.bucket(BUCKET));
    server
}

fn put(client: &Client, key: &[u8], body: &[u8]) -> Result<Stored, Error> {
    client.put(&Put { bucket: BUCKET, key, under: Under::Free, guard: None }, body)
}

/// Longer than what goes as a whole: three parts.
fn long() -> Vec<u8> {
    vec![7; 33 << 20]
}

/// S3 takes no body in chunks: what begins an upload and what copies say that they have none. Each of these requests is
/// sent once, over the connection that is there.
#[test]
fn a_request_without_a_body_says_so() {
    let server = server();
    let client = server.client();
    let stored = put(&client, b"whole", b"body").expect("it is stored");
    put(&client, b"parts", &long()).expect("it is stored in parts");
    let to = Put { bucket: BUCKET, key: b"copy", under: Under::Free, guard: None };
    let from = Ask { if_match: Some(&stored.etag), ..Ask::latest(BUCKET, b"whole") };
    client.copy(&from, &to).expect("it is copied");
    client.remove(&Ask::latest(BUCKET, b"whole"), None).expect("it is removed");
    let log = server.log();
    let asked: Vec<(&str, u16)> = log.iter().map(|asked| (asked.method.as_str(), asked.status)).collect();
    let parts = [("PUT", 200); 3];
    let before = [("PUT", 200), ("POST", 200)];
    let after = [("POST", 200), ("PUT", 200), ("HEAD", 200), ("DELETE", 204)];
    assert_eq!(asked, [&before[..], &parts, &after].concat(), "{log:?}");
}

/// What S3 does not say it has stored may be there or not, and is looked for; nobody else is blamed for it.
#[test]
fn an_answer_that_tells_no_etag_says_nothing_of_others() {
    let server = server();
    let client = server.client();
    let error = b"HTTP/1.1 200 OK\r\ncontent-length: 47\r\n\r\n<Error><Code>AccessDenied</Code>told so</Error>";
    let nothing = b"HTTP/1.1 200 OK\r\ncontent-length: 33\r\n\r\n<CompleteMultipartUploadResult />";
    for (key, to, body, raw) in [
        (&b"whole"[..], "PUT /one-bucket/whole", b"body".to_vec(), &error[..]),
        (b"parts", "POST /one-bucket/parts?uploadId", long(), nothing),
    ] {
        // The server keeps what it got, and says something else: by its ETag it is found.
        server.plan(Rule::next(Fault::Raw(raw)).to(to));
        put(&client, key, &body).expect("it is there");
        server.shelves(|shelves| shelves.delete(BUCKET, key));
        // Or it is gone.
        let gone = key.to_vec();
        let rule = Rule::next(Fault::Raw(raw)).to(to);
        server.plan(rule.then(move |shelves| _ = shelves.delete(BUCKET, &gone)));
        let error = put(&client, key, &body).expect_err("it is not there");
        let said = error.to_string().contains("S3 did not say what it stored");
        assert!(said && matches!(error, Error::Wire { .. }), "{error}");
    }
}

/// An upload that is given up leaves nothing at S3, also when that is as all is to end.
#[test]
fn a_long_object_that_is_given_up_leaves_no_upload() {
    for deed in ["stops", "interrupts", "is refused"] {
        let server = server();
        let stop = Arc::new(AtomicBool::new(false));
        let client = Arc::new(server.client_with(|settings| settings.stop = Arc::clone(&stop)));
        let (code, status) = if deed == "is refused" { ("AccessDenied", 403) } else { ("SlowDown", 503) };
        let (stops, interrupts) = (Arc::clone(&stop), Arc::clone(&client));
        // There is an upload then, and a part of it can never be sent.
        let rule = Rule::next(Fault::Status(status, code, vec![])).to("partNumber=2").times(1_000);
        server.plan(rule.then(move |shelves| {
            assert_eq!(shelves.uploads.len(), 1);
            match deed {
                "stops" => stops.store(true, Ordering::Relaxed),
                "interrupts" => interrupts.interrupt(),
                _ => {}
            }
        }));
        let error = put(&client, b"parts", &long()).expect_err(deed);
        let is_it = match deed {
            "is refused" => matches!(error, Error::Forbidden { .. }),
            _ => matches!(error, Error::Interrupted),
        };
        assert!(is_it, "{deed}: {error:?}");
        let left = server.shelves(|shelves| (shelves.uploads.len(), shelves.bucket(BUCKET).keys.len()));
        assert_eq!(left, (0, 0), "{deed}");
    }
}
