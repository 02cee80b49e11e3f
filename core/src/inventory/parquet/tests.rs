//! What a header may ask for, and what pages may say; whole lists are read in the tests against the real pyarrow.

use super::footer::{Chunk, Kind, Leaf};
use super::page::{self, Values};
use super::*;

fn pages(kind: Kind, packed: bool, rows: u64) -> Pages {
    Pages::new(
        Leaf { column: Column::Key, number: 0, kind, optional: false },
        Chunk { at: 4, end: 1 << 40, packed },
        rows,
    )
}

fn header(stored: &[u8], whole: u64, kind: page::Kind) -> Header {
    Header { length: 20, stored: stored.len() as u64, whole, crc: None, kind }
}

fn data(count: u64, encoding: i64) -> page::Kind {
    page::Kind::Data(Values { count, encoding, levels: RLE, second: None })
}

/// Takes a page of plain values that was judged, and gives those that there are.
fn values(kind: Kind, stored: &[u8], count: u64) -> Vec<Vec<u8>> {
    let mut pages = pages(kind, false, count);
    let header = header(stored, stored.len() as u64, data(count, PLAIN));
    pages.judge(&header).unwrap();
    pages.take(&header, stored).unwrap();
    std::iter::from_fn(|| pages.advance().and_then(|()| pages.bytes().map(<[u8]>::to_vec))).collect()
}

#[test]
fn a_page_asks_for_no_more_than_its_bytes_can_hold() {
    let judge = |packed, stored: u64, whole, kind| {
        let header = Header { length: 20, stored, whole, crc: None, kind };
        pages(Kind::Text, packed, 10).judge(&header)
    };
    assert_eq!(judge(true, 100, 2_000, data(10, PLAIN)), Ok(()));
    assert_eq!(judge(false, 100, 100, data(10, PLAIN)), Ok(()));
    for (packed, stored, whole, kind, why) in [
        (true, 100, 1 << 31, data(10, PLAIN), "says that it has 2147483648"),
        (true, 3, 137, data(10, PLAIN), "says that it has 137"),
        (false, 100, 99, data(10, PLAIN), "says that it has 99"),
        (true, 1 << 30, 1 << 30, data(10, PLAIN), "at most 33554432 are read"),
        (true, 1 << 41, 1 << 30, data(10, PLAIN), "ends behind its column"),
        (true, 100, 100, data(11, PLAIN), "more values than it has rows"),
    ] {
        let refused = judge(packed, stored, whole, kind).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn a_dictionary_is_the_first_page_and_has_what_it_says() {
    let stored = [&[1, 0, 0, 0, b'a'][..], &[0, 0, 0, 0], &[2, 0, 0, 0, b'b', b'c']].concat();
    let dictionary = |count| header(&stored, stored.len() as u64, page::Kind::Dictionary { count, encoding: PLAIN });
    for count in [0, 1, 2, 4, u64::MAX] {
        let refused = pages(Kind::Text, false, 3).take(&dictionary(count), &stored).unwrap_err();
        assert!(refused.contains("not the values that it says"), "{refused}");
    }
    let mut pages = pages(Kind::Text, false, 5);
    let places = [2, 4, 2, 4, 3];
    let page = header(&places, 5, data(5, DICTIONARY));
    pages.take(&page, &places).unwrap();
    assert_eq!(pages.advance(), None, "there is no dictionary");
    let mut pages = self::pages(Kind::Text, false, 5);
    pages.take(&dictionary(3), &stored).unwrap();
    assert!(pages.judge(&dictionary(3)).unwrap_err().contains("not its first page"));
    pages.take(&page, &places).unwrap();
    for _ in 0..2 {
        assert_eq!(pages.advance().and_then(|()| pages.bytes()), Some(&b"bc"[..]));
    }
    assert_eq!(pages.advance(), None, "there is no fourth entry");
}

#[test]
fn values_end_where_their_page_does() {
    assert_eq!(values(Kind::Text, &[1, 0, 0, 0, b'a', 2, 0, 0, 0, b'b'], 2), [b"a"]);
    assert_eq!(values(Kind::Text, &[0xff, 0xff, 0xff, 0xff, b'a'], 1), [[0; 0]; 0]);
    assert_eq!(values(Kind::Number(8), &[1; 17], 3), [[1; 8]; 2]);
    let mut pages = pages(Kind::Text, false, 1);
    let wrong = Header { crc: Some(7), ..header(b"\x00\x00\x00\x00", 4, data(1, PLAIN)) };
    assert!(pages.take(&wrong, b"\x00\x00\x00\x00").unwrap_err().contains("CRC-32"));
}

#[test]
fn moments_have_their_units_and_lie_on_both_sides_of_1970() {
    let moment = |kind, stored: &[u8]| {
        let mut pages = pages(kind, false, 1);
        pages.take(&header(stored, stored.len() as u64, data(1, PLAIN)), stored).unwrap();
        pages.advance().and_then(|()| pages.moment())
    };
    let number = |number: i64| number.to_le_bytes();
    assert_eq!(moment(Kind::Moment(1_000), &number(1_649_541_134_007)), Some((1_649_541_134, 7_000_000)));
    assert_eq!(moment(Kind::Moment(1_000_000), &number(-1)), Some((-1, 999_999_000)));
    assert_eq!(moment(Kind::Moment(1_000_000_000), &number(i64::MIN)), Some((-9_223_372_037, 145_224_192)));
    let day = |nanos: u64, day: i32| [&nanos.to_le_bytes()[..], &day.to_le_bytes()].concat();
    assert_eq!(moment(Kind::Day, &day(3_000_000_005, 2_440_589)), Some((86_403, 5)));
    assert_eq!(moment(Kind::Day, &day(u64::MAX, 2_440_589)), None);
    assert!(moment(Kind::Day, &day(0, i32::MIN)).is_some());
}

#[test]
fn what_is_no_table_is_refused() {
    let schema = Schema::of_message(
        "message m { required binary key; required int64 size; required int64 last_modified_date; \
         required binary e_tag; }",
    );
    let refused = |bytes: &[u8]| {
        let mut reader = Reader::new(schema.clone().unwrap(), bytes.len() as u64);
        for _ in 0..3 {
            match reader.step() {
                Err(broken) => return broken.what,
                Ok(Step::Read { at, length }) => {
                    let (at, length) = (usize::try_from(at).unwrap(), usize::try_from(length).unwrap());
                    if let Err(broken) = reader.give(&bytes[at..at + length]) {
                        return broken.what;
                    }
                }
                Ok(other) => panic!("{other:?}"),
            }
        }
        panic!("it goes on")
    };
    for (bytes, why) in [
        (&b""[..], "shorter than any"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "does not end as Parquet does"),
        (b"PAR1\x00\x00\x00\x00PARE", "encrypted"),
        (b"PAR1\x00\x00\x00\x00PAR1", "the footer is broken"),
        (b"PAR1\x01\x00\x00\x00PAR1", "longer than the file"),
        (b"PAR1\xff\xff\xff\xffPAR1", "longer than any that is read"),
        (b"PAR1\x00\x01\x00\x00\x00PAR1", "the footer is broken"),
    ] {
        let found = refused(bytes);
        assert!(found.contains(why), "{found}");
    }
}
