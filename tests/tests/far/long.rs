//! A long object, which is read in blocks, some of them ahead.

use std::path::Path;

use highwater::store::{Bucket, Store as _};
use highwater_core::name::Name;
use highwater_tests::s3::{Fault, Rule, Server};

/// What is read at a time.
const PIECE: usize = 256 << 10;

#[test]
fn a_long_object_is_read_in_any_order() {
    let server = Server::start();
    let body: Vec<u8> = (0_u32..9 << 20).flat_map(u32::to_le_bytes).collect();
    server.shelves(|shelves| shelves.put("backups", b"set/long", &body));
    let bucket = Bucket::new(Path::new("s3://backups/set"), server.client()).expect("a root");
    let object = bucket.open(&Name::new(b"long").expect("a name")).expect("an object");
    assert_eq!(object.length().expect("a length"), body.len() as u64);
    // On to where blocks come ahead, back, past what was asked for, to the end, and some bytes here and there.
    for (from, count) in [(0, 60), (3 << 20, 30), (20 << 20, 100), (1, 1), (30 << 20, 3), (7, 20)] {
        let (mut at, mut buffer) = (from, vec![0; PIECE]);
        for _ in 0..count {
            let read = object.read_at(at as u64, &mut buffer).expect("bytes");
            assert!(read > 0 || at == body.len());
            assert!(buffer[..read] == body[at..at + read], "at {at}");
            at += read;
        }
    }
    let mut few = [0; 5];
    object.read_exact_at(12_345_678, &mut few).expect("bytes");
    assert_eq!(few, body[12_345_678..][..5]);
}

#[test]
fn objects_are_read_in_turn_where_one_request_may_be_under_way() {
    let server = Server::start();
    let body = |seed: u32| (0..3_u32 << 20).flat_map(|at| (at ^ seed).to_le_bytes()).collect::<Vec<u8>>();
    let bodies: Vec<Vec<u8>> = (1..4).map(body).collect();
    server.shelves(|shelves| {
        for (number, body) in bodies.iter().enumerate() {
            shelves.put("backups", format!("set/{number}").as_bytes(), body);
        }
    });
    let client = server.client_with(|settings| settings.in_flight = 1);
    let bucket = Bucket::new(Path::new("s3://backups/set"), client).expect("a root");
    let open = |number: usize| bucket.open(&Name::new(number.to_string().as_bytes()).expect("a name")).expect("one");
    let objects: Vec<_> = (0..bodies.len()).map(open).collect();
    // Some bodies break, and are taken up again while the others wait.
    server.plan(Rule::next(Fault::Cut(1_000_000)).times(5));
    // None of them is at the end of its block when the next is asked for.
    let (mut at, mut buffer) = (0, vec![0; PIECE - 1]);
    while at < bodies[0].len() {
        let left = buffer.len().min(bodies[0].len() - at);
        for (object, body) in objects.iter().zip(&bodies) {
            object.read_exact_at(at as u64, &mut buffer[..left]).expect("bytes");
            assert!(buffer[..left] == body[at..][..left], "at {at}");
        }
        at += left;
    }
}
