//! How many at once, how fast, over which connections, and how it ends when the user wants that.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use highwater::s3::{Ask, Client, Error, Sink};
use highwater_tests::s3::observe::Watched;
use highwater_tests::s3::{Fault, Rule, Server};

const BUCKET: &str = "one-bucket";

fn server(length: usize) -> Server {
    let server = Server::start();
    server.shelves(|shelves| shelves.put(BUCKET, b"k", &vec![7; length]));
    server
}

fn get(client: &Client) -> Result<usize, Error> {
    client.get_bytes(&Ask::latest(BUCKET, b"k"), 1 << 30).map(|(_, body)| body.len())
}

#[test]
fn connections_are_used_again() {
    let server = server(100);
    let client = server.client();
    for _ in 0..20 {
        assert_eq!(get(&client).expect("it"), 100);
        client.head(&Ask::latest(BUCKET, b"k")).expect("its head");
        client.head(&Ask::latest(BUCKET, b"none")).expect_err("none");
        client.get_bytes(&Ask::latest(BUCKET, b"none"), 9).expect_err("none");
        client.get_bytes(&Ask { range: Some(3..5), ..Ask::latest(BUCKET, b"k") }, 9).expect("a part");
    }
    let log = server.log();
    assert_eq!(log.len(), 100);
    assert!(log.iter().all(|asked| asked.connection == 1), "{log:?}");
}

#[test]
fn no_more_are_in_flight_than_may_be() {
    let server = server(10_000);
    let client = server.client_with(|settings| settings.in_flight = 3);
    server.plan(Rule::next(Fault::Slow(5_000, Duration::from_millis(1))).times(60));
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!(get(&client).expect("it"), 10_000)));
        }
    });
    assert_eq!((server.requests(), server.most_flying()), (60, 3));
}

#[test]
fn fewer_are_in_flight_when_s3_asks_for_fewer_and_more_again_later() {
    let server = server(10);
    let client = server.client_with(|settings| settings.in_flight = 16);
    server.plan(Rule::next(Fault::Status(503, "SlowDown", vec![])).times(3));
    get(&client).expect("it, in the end");
    // Halved three times, and grown by one request that went well.
    assert!((client.in_flight() - 2.5).abs() < 0.01, "{}", client.in_flight());
    (0..200).for_each(|_| assert_eq!(get(&client).expect("it"), 10));
    assert!(client.in_flight() > 15.9, "{}", client.in_flight());
    // Other failures say nothing about how many may be.
    server.plan(Rule::next(Fault::Status(500, "InternalError", vec![])).times(3));
    get(&client).expect("it, in the end");
    assert!(client.in_flight() > 15.9, "{}", client.in_flight());
}

#[test]
fn workers_that_are_throttled_together_all_come_through() {
    let server = server(1_000);
    let client = server.client_with(|settings| settings.in_flight = 8);
    server.plan(Rule::next(Fault::Status(503, "SlowDown", vec![])).times(40));
    thread::scope(|scope| {
        for _ in 0..8 {
            // One may be the unlucky one ten times in a row.
            scope.spawn(|| (0..25).for_each(|_| while get(&client).is_err() {}));
        }
    });
    assert_eq!((server.requests(), server.left()), (240, 0));
}

#[test]
fn a_server_that_says_when_is_not_asked_before() {
    let server = server(10);
    let clock = Arc::new(Watched::default());
    let client = server.client_with(|settings| settings.clock = Arc::clone(&clock) as _);
    server.plan(Rule::next(Fault::Status(503, "SlowDown", vec![("retry-after", "7")])));
    server.plan(Rule::next(Fault::Status(503, "SlowDown", vec![("retry-after", "86400")])));
    get(&client).expect("it");
    assert_eq!(clock.waits(), [Duration::from_secs(7), Duration::from_secs(60)]);
}

#[test]
fn bodies_come_no_faster_than_they_may() {
    let server = server(1_000_000);
    let clock = Arc::new(Watched::default());
    let client = server.client_with(|settings| {
        settings.clock = Arc::clone(&clock) as _;
        settings.bandwidth = Some(100_000);
    });
    for _ in 0..2 {
        get(&client).expect("it");
    }
    let waited: Duration = clock.waits().iter().sum();
    // Two megabytes at a tenth of one a second, but for the quarter of a second that may come at once.
    assert!((waited.as_secs_f64() - 20.0).abs() < 0.5, "{waited:?}");
}

#[test]
fn a_body_that_comes_slowly_has_not_stalled() {
    // Forty times a tenth of a second, where three without a byte would be too long.
    let server = server(200);
    let client = server.client_with(|settings| settings.stall = Duration::from_secs(3));
    server.plan(Rule::next(Fault::Slow(5, Duration::from_millis(100))));
    assert_eq!(get(&client).expect("it"), 200);
    assert_eq!(server.requests(), 1);
}

/// Wants to stop when the first bytes come.
struct Stops(Arc<AtomicBool>);

impl Sink for Stops {
    fn take(&mut self, _: &[u8]) -> io::Result<()> {
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn it_stops_when_it_is_told_to() {
    let server = server(10 << 20);
    let client = server.client();
    let stop = Arc::new(AtomicBool::new(false));
    let client_ = server.client_with(|settings| settings.stop = Arc::clone(&stop));
    let error = client_.get(&Ask::latest(BUCKET, b"k"), &mut Stops(Arc::clone(&stop))).expect_err("stopped");
    assert!(matches!(error, Error::Interrupted), "{error:?}");
    let before = server.requests();
    let error = get(&client_).expect_err("stopped");
    assert!(matches!(error, Error::Interrupted) && server.requests() == before, "{error:?}");
    assert_eq!(get(&client).expect("another client goes on"), 10 << 20);
}

#[test]
fn a_call_that_waits_for_a_byte_is_ended() {
    let server = server(1_000);
    let client = server.client_with(|settings| settings.stall = Duration::from_secs(3_600));
    server.plan(Rule::next(Fault::Stall(10)));
    let error = thread::scope(|scope| {
        let call = scope.spawn(|| get(&client));
        while server.requests() == 0 {
            thread::yield_now();
        }
        client.interrupt();
        call.join().expect("no panic")
    });
    assert!(matches!(error, Err(Error::Interrupted)), "{error:?}");
    assert!(matches!(get(&client), Err(Error::Interrupted)));
}

/// What is stored compressed is given so.
#[test]
fn a_body_is_given_as_it_is_stored() {
    let server = server(500);
    let client = server.client();
    for encoding in ["gzip", "br", "aws-chunked"] {
        server.plan(Rule::next(Fault::Headers(vec![("content-encoding", encoding)])));
        assert_eq!(get(&client).expect("it"), 500, "{encoding}");
    }
}
