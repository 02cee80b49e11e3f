//! Indices as they are written, read, harmed and made up.

use super::row::Before;
use super::*;
use crate::codec::Packer;
use crate::cursor::{Cursor, push_prefixed, push_varint};
use crate::digest::{Algorithm, Digest, of, sha256_of};
use crate::odd::Odd;

const SUM: [u8; 16] = [0xfb; 16];
const VERSION: &[u8] = b"J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg";

pub(in crate::formats::mirror) fn row<'a>(key: &'a [u8], version: &'a [u8]) -> Row<'a> {
    Row {
        key,
        version,
        etag: Etag::Plain(SUM),
        size: 904,
        modified: (1_649_541_134, 0),
        marker: false,
        wanted: false,
        pruned: false,
        proof: Proof::Md5,
        own: None,
        seen: Seen { first: 0, last: 1 },
        latest: Latest::Seen,
    }
}

pub(in crate::formats::mirror) fn points(count: u32) -> Vec<Point> {
    let name = |at: u32| format!("2024-{:02}-{:02}T01-00Z", 1 + at / 28, 1 + at % 28);
    (0..count).map(|at| Point { name: name(at), manifest: [at as u8; 16], objects: 0, bytes: 0, unread: 0 }).collect()
}

pub(in crate::formats::mirror) fn write(points: Vec<Point>, rows: &[Row<'_>]) -> (Vec<u8>, Tail) {
    let mut file = Vec::new();
    let mut encoder = Encoder::new("dandiarchive", points).unwrap();
    rows.iter().for_each(|row| encoder.push(row, &mut |bytes| file.extend_from_slice(bytes)).unwrap());
    let Written { tail, sum, size } = encoder.finish(&mut |bytes| file.extend_from_slice(bytes)).unwrap();
    assert_eq!((tail_of(&file).unwrap(), size), ((tail.clone(), sum), file.len() as u64));
    (file, tail)
}

fn tail_of(file: &[u8]) -> Result<(Tail, Digest), Odd> {
    let cut = || Odd::new(0, "too short");
    let front = file.len().checked_sub(TRAILER as usize).ok_or_else(cut)?;
    let trailer = Trailer::parse(&file[front..])?;
    let size = file.len() as u64;
    let begin = usize::try_from(trailer.stretch(size).start).unwrap();
    Ok((Tail::parse(&trailer, size, &file[begin..front])?, trailer.sum))
}

/// All rows, as text.
fn read(file: &[u8]) -> Result<Vec<String>, Odd> {
    let (tail, _) = tail_of(file)?;
    let mut found = Vec::new();
    for (number, block) in tail.blocks().iter().enumerate() {
        let at = usize::try_from(block.at).unwrap();
        let stored = file.get(at..at + block.stored as usize).ok_or_else(|| Odd::new(block.at, "cut"))?;
        let mut rows = Rows::open(&tail, number, stored)?;
        while let Some(row) = rows.row()? {
            found.push(format!("{row:?}"));
        }
    }
    Ok(found)
}

fn told(rows: &[Row<'_>]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// One of each form.
fn forms() -> Vec<Row<'static>> {
    static SPANS: [Seen; 2] = [Seen { first: 0, last: 0 }, Seen { first: 2, last: 3 }];
    let seen = |first, last| Seen { first, last };
    let one = row(b"zarr/a", VERSION);
    vec![
        Row { seen: seen(0, 3), ..row(b"a", b"null") },
        Row { etag: Etag::Parts(SUM, 3), proof: Proof::Parts(64 << 20), seen: seen(1, 3), ..row(b"a", b"v") },
        Row { key: b"a/b\0\xff", size: u64::MAX, modified: (i64::MIN, 999_999_999), latest: Latest::Never, ..one },
        Row { key: b"b", modified: (i64::MAX, 1), seen: seen(3, 3), ..one },
        Row { key: b"c", etag: Etag::Other(b"odd"), proof: Proof::Nothing, own: Some([7; 32]), ..one },
        Row { key: b"d", wanted: true, proof: Proof::Nothing, seen: seen(0, 3), latest: Latest::Spans(&SPANS), ..one },
        Row { key: b"d/", marker: true, etag: Etag::Other(b""), proof: Proof::Nothing, size: 0, ..one },
        Row { key: b"e", proof: Proof::Nothing, ..one },
        Row { key: b"e", version: &[b'v'; 512], own: Some([1; 32]), ..one },
        Row { key: b"f", pruned: true, proof: Proof::Nothing, latest: Latest::Never, ..one },
    ]
}

#[test]
fn rows_of_every_form_are_read_as_they_were_written() {
    let rows = forms();
    let (file, tail) = write(points(4), &rows);
    assert_eq!(read(&file), Ok(told(&rows)));
    assert_eq!((tail.bucket.as_str(), tail.newest(), tail.number("2024-01-03T01-00Z")), ("dandiarchive", 3, Some(2)));
    let Totals { rows: count, markers, wanted, recorded, received, unproven, bytes } = tail.totals;
    assert_eq!((count, markers, wanted, recorded, received, unproven), (10, 1, 1, 5, 1, 1));
    assert_eq!(tail.totals.pruned(), 1);
    assert_eq!(bytes, u64::MAX, "it does not wrap");
    // The objects of each point, by hand: those with a span that has it.
    let objects: Vec<u64> = tail.points.iter().map(|point| point.objects).collect();
    assert_eq!(objects, [5, 5, 3, 4]);
    assert_eq!(tail.points[2].bytes, 904 * 3);
    // A mark is no file, so nothing lies aside of it.
    assert!(tail.is_aside(b"a") && !tail.is_aside(b"d") && !tail.is_aside(b"a/b"));
}

#[test]
fn a_row_has_the_bytes_that_the_page_says() {
    let mut out = Vec::new();
    let mut before = Before { key: b"zarr/1/75".to_vec(), seconds: 1_649_541_130, spans: Vec::new() };
    row(b"zarr/1/76", VERSION).push(&mut before, 1, &mut out);
    let wanted = [&[1 << 4 | 1 << 6, 1 << 2 | 16, 8, 1, b'6'][..], VERSION, &SUM, &[0x88, 7], &[8], &[0]].concat();
    assert_eq!(out, wanted);
    // Its end, without the tail: 48 bytes.
    let (file, _) = write(points(2), &[row(b"k", VERSION)]);
    let (front, trailer) = file.split_at(file.len() - 48);
    assert!(trailer.ends_with(b"HWMIRR\0\x01"));
    let length = u64::from_le_bytes(trailer[..8].try_into().unwrap()) as usize;
    let (head, tail) = front.split_at(front.len() - length);
    assert_eq!(&trailer[8..40], sha256_of(tail).as_bytes());
    assert_eq!(head[head.len() - 8..], [&[0x5e, 0x2a, 0x4d, 0x18][..], &(length as u32 + 48).to_le_bytes()].concat());
    assert!(
        head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) && tail.starts_with(b"\x0cdandiarchive\x02\x112024-01-01T01-00Z")
    );
}

/// Rows like those of `dandiarchive`.
fn many(count: u64) -> Vec<(Vec<u8>, Vec<u8>, [u8; 16])> {
    let mix = |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(31);
    let word = |at: u64| (0..32).map(|n| b'A' + (mix(at * 32 + n) >> 40) as u8 % 26).collect();
    let sum = |at: u64| [mix(at), mix(at + 1)].map(u64::to_le_bytes).concat().try_into().unwrap();
    let key =
        |at: u64| format!("zarr/73107a2a-9eb2-47ed-be62-1feef97b8026/1/{:03}/{:06}", at / 1000, at / 2).into_bytes();
    let mut rows: Vec<_> = (0..count).map(|at| (key(at), word(at), sum(at))).collect();
    rows.sort();
    rows
}

#[test]
fn blocks_are_cut_and_a_row_takes_about_as_many_bytes_as_planned() {
    let data = many(150_000);
    let rows: Vec<Row<'_>> =
        data.iter().map(|(key, version, sum)| Row { etag: Etag::Plain(*sum), ..row(key, version) }).collect();
    let (file, tail) = write(points(2), &rows);
    assert_eq!(tail.blocks().iter().map(|block| block.rows).collect::<Vec<_>>(), [65_536, 65_536, 18_928]);
    let mut raw = Vec::new();
    let mut before = Before::default();
    rows.iter().for_each(|row| row.push(&mut before, 1, &mut raw));
    let each = raw.len() / rows.len();
    assert!((50..=70).contains(&each), "{each} bytes a row");
    assert!(read(&file).unwrap() == told(&rows));
    for (at, row) in rows.iter().enumerate().step_by(997) {
        let block = tail.block_of(row.key);
        assert!(at >= block * 65_536 && at < (block + 2) * 65_536, "{at} in {block}");
    }
    // Long keys fill a block before it has as many rows.
    let keys: Vec<Vec<u8>> = (0..9000_u32).map(|at| [&at.to_be_bytes()[..], &[b'x'; 1020]].concat()).collect();
    let rows: Vec<Row<'_>> = keys.iter().map(|key| row(key, VERSION)).collect();
    let (file, tail) = write(points(2), &rows);
    assert!(tail.blocks().len() > 1 && read(&file).unwrap() == told(&rows));
}

#[test]
fn every_cut_every_flip_and_every_addition_is_noticed() {
    let rows = forms();
    let (file, _) = write(points(4), &rows);
    for cut in 0..file.len() {
        assert!(read(&file[..cut]).is_err(), "{cut}");
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit}");
    }
    for more in [[&file[..], &[0]].concat(), [&[0], &file[..]].concat(), [&file[..], &file].concat()] {
        assert!(read(&more).is_err());
    }
}

/// An index of one block of these bytes, with right sums.
fn made_up(raw: &[u8], count: u32, first: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new(1).unwrap();
    let packed = packer.pack(raw).unwrap();
    let Digest::Xxh3(sum) = of(Algorithm::Xxh3, packed) else { panic!("XXH3") };
    let block = Block { at: 0, stored: packed.len() as u32, rows: count, sum, first: first.to_vec() };
    let totals = Totals { rows: u64::from(count), ..Totals::default() };
    let tail = Tail { points: points(4), blocks: vec![block], totals, ..Tail::default() }.encode();
    [packed, &Trailer::head(tail.len() as u64), &tail, &Trailer::encode(&tail)].concat()
}

fn raw(rows: &[Row<'_>]) -> Vec<u8> {
    let (mut out, mut before) = (Vec::new(), Before::default());
    rows.iter().for_each(|row| row.push(&mut before, 3, &mut out));
    out
}

#[test]
fn right_sums_are_not_enough() {
    let one = row(b"a", b"v");
    let good = raw(&[one, row(b"b", b"v")]);
    assert_eq!(read(&made_up(&good, 2, b"a")).map(|rows| rows.len()), Ok(2));
    let refused = |file: Vec<u8>, what: &str| {
        let odd = read(&file).unwrap_err();
        assert!(odd.what.contains(what), "{what}: {odd}");
    };
    refused(made_up(&good, 3, b"a"), "is not there");
    refused(made_up(&good, 1, b"a"), "one too many");
    refused(made_up(&good, 2, b"b"), "does not begin with the key");
    refused(made_up(&good[..good.len() - 1], 2, b"a"), "ends in the middle");
    refused(made_up(&raw(&[row(b"b", b"v"), one]), 2, b"b"), "behind the one before");
    refused(made_up(&raw(&[one, one]), 2, b"a"), "behind the one before");
    let text = b"fbebe2d44529d0a25247e8b5bca5956b";
    let pruned = Row { pruned: true, proof: Proof::Nothing, latest: Latest::Never, ..one };
    for (bad, what) in [
        (Row { version: b"", ..one }, "version"),
        (Row { etag: Etag::Other(text), proof: Proof::Nothing, ..one }, "never is"),
        (Row { etag: Etag::Parts(SUM, 0), proof: Proof::Nothing, ..one }, "never is"),
        (Row { modified: (0, 1_000_000_000), ..one }, "no moment"),
        (Row { seen: Seen { first: 2, last: 1 }, ..one }, "points that have it"),
        (Row { etag: Etag::Parts(SUM, 1), ..one }, "contradicts"),
        (Row { proof: Proof::Parts(5), ..one }, "contradicts"),
        (Row { wanted: true, ..one }, "contradicts"),
        (Row { marker: true, ..one }, "contradicts"),
        (Row { pruned: true, latest: Latest::Never, ..one }, "contradicts"),
        (Row { proof: Proof::Nothing, own: Some([7; 32]), ..pruned }, "contradicts"),
        (Row { wanted: true, ..pruned }, "contradicts"),
        (Row { marker: true, ..pruned }, "contradicts"),
        (Row { latest: Latest::Seen, ..pruned }, "contradicts"),
        (Row { latest: Latest::Spans(&[Seen { first: 1, last: 1 }]), ..pruned }, "contradicts"),
        (Row { latest: Latest::Spans(&[]), ..one }, "is the latest"),
        (Row { latest: Latest::Spans(&[Seen { first: 0, last: 2 }]), ..one }, "is the latest"),
        (
            Row { latest: Latest::Spans(&[Seen { first: 1, last: 1 }, Seen { first: 0, last: 0 }]), ..one },
            "is the latest",
        ),
    ] {
        refused(
            made_up(
                &[&good[..], &{
                    let (mut out, mut before) =
                        (Vec::new(), Before { key: b"b".to_vec(), seconds: one.modified.0, ..Before::default() });
                    Row { key: b"c", ..bad }.push(&mut before, 3, &mut out);
                    out
                }]
                .concat(),
                3,
                b"a",
            ),
            what,
        );
        let mut encoder = Encoder::new("b", points(4)).unwrap();
        let odd = encoder.push(&bad, &mut |_| {}).unwrap_err();
        assert!(odd.contains(what), "{what}: {odd}");
    }
    // Flags that nobody knows, a key that shares more than there is, a longer key, more spans, more bytes than any
    // block.
    for (bytes, what) in [
        (&[0x10, 0x20, 0, 1, b'a'][..], "ends in the middle"),
        (&[0xd0, 0x04, 0, 1, b'a'], "no kind"),
        (&[0x10, 0x07, 0, 1, b'a'], "no kind"),
        (&[&[0x10, 0x54, 0, 1, b'a'][..], &SUM, &[1, 0, 0]].concat(), "not known"),
        (&[&[0x10, 0x34, 0, 1, b'a'][..], &SUM, &[1, 0, 0]].concat(), "contradicts"),
        (&[&[0x02, 0x30, 0, 1, b'a'][..], &SUM, &[1, 0, 0]].concat(), "contradicts"),
        (&[0x10, 0x04, 9, 1, b'a'], "longer than any"),
        (&[0x10, 0x04, 0, 0xff, 0xff, 0xff, 0xff, 0x0f], "ends in the middle"),
    ] {
        let (mut cursor, mut before) = (Cursor::new(bytes), Before::default());
        let odd = Row::read(&mut cursor, &mut before, 3).unwrap_err();
        assert!(odd.contains(what), "{what}: {odd}");
    }
    refused(made_up(&vec![0; BYTES + 1], 2, b"a"), "decompresses to more than");
}

#[test]
fn an_encoder_takes_rows_in_order_and_points_that_are_some() {
    let mut encoder;
    for (key, version) in [(&b"b"[..], &b"v"[..]), (b"b", b"u"), (b"a", b"w")] {
        encoder = Encoder::new("b", points(2)).unwrap();
        encoder.push(&row(b"b", b"v"), &mut |_| {}).unwrap();
        assert!(encoder.push(&row(key, version), &mut |_| {}).unwrap_err().contains("behind the one before"));
    }
    encoder = Encoder::new("b", points(2)).unwrap();
    encoder.push(&row(b"b", b"v"), &mut |_| {}).unwrap();
    assert!(encoder.push(&row(b"b", b"w"), &mut |_| {}).is_ok());
    assert!(Encoder::new("b", Vec::new()).is_err());
    assert!(Encoder::new("b", [points(1), points(1)].concat()).is_err());
    assert!(Encoder::new("b", vec![Point { name: "2024-01-01".to_owned(), ..points(1)[0].clone() }]).is_err());
}

#[test]
fn a_tail_asks_for_no_memory_that_it_does_not_have() {
    let check = |tail: &[u8]| {
        let (trailer, head) = (Trailer::parse(&Trailer::encode(tail)).unwrap(), Trailer::head(tail.len() as u64));
        Tail::parse(&trailer, tail.len() as u64 + 8 + TRAILER, &[&head, tail].concat())
    };
    let (_, tail) = write(points(4), &[]);
    let good = tail.encode();
    assert_eq!(check(&good), Ok(tail.clone()));
    for cut in 0..good.len() {
        assert!(check(&good[..cut]).is_err(), "{cut}");
    }
    // Rows of two points that could not be read; and what stands there and says nothing.
    let unread = check(&[&good[..], &[1, 7, 3, 9]].concat()).unwrap();
    assert_eq!(unread.points.iter().map(|point| point.unread).collect::<Vec<_>>(), [0, 7, 0, 9]);
    assert_eq!(unread.encode(), [&good[..], &[1, 7, 3, 9]].concat());
    for odd in [&[0][..], &[0, 0], &[3, 9, 1, 7], &[1, 7, 1, 7], &[4, 1], &[1, 7, 0x80]] {
        assert!(check(&[&good[..], odd].concat()).is_err(), "{odd:?}");
    }
    // Counts of everything, with nothing behind them.
    let mut head = Vec::new();
    push_prefixed(b"b", &mut head);
    let huge = |front: &[u8]| {
        let mut bytes = front.to_vec();
        push_varint(u64::MAX, &mut bytes);
        bytes
    };
    assert!(check(&huge(&head)).is_err() && check(&huge(&[])).is_err());
    let bare = Tail { points: points(1), ..Tail::default() }.encode();
    let (front, _) = bare.split_at(bare.len() - 2);
    assert!(check(&huge(front)).is_err() && check(&huge(&[front, &[0]].concat())).is_err());
    // Few bytes that stand for long keys.
    let mut bytes = [front, &[0]].concat();
    let count = 100_000_u32;
    push_varint(u64::from(count), &mut bytes);
    push_varint(0, &mut bytes);
    push_prefixed(&[0; 1000], &mut bytes);
    for at in 1..count {
        push_varint(1000, &mut bytes);
        push_prefixed(&at.to_be_bytes(), &mut bytes);
    }
    assert!(check(&bytes).is_err());
    // A point that is none, and points out of order.
    for (one, other) in [("2024-01-02T01-00Z", "2024-01-01T01-00Z"), ("2024-01-01T01-00Z", "../x/../../../..Z")] {
        let points = [one, other].map(|name| Point { name: name.to_owned(), ..points(1)[0].clone() });
        assert!(check(&Tail { points: points.to_vec(), ..Tail::default() }.encode()).is_err());
    }
}
