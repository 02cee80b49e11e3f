//! A long object, which is read in blocks, some of them ahead.

use std::path::Path;

use highwater::store::{Bucket, Store as _};
use highwater_core::name::Name;
use highwater_tests::s3::Server;

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
