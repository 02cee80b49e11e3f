//! Indices and pointers, of rows as they are written and of bytes that nobody writes, with right sums.

use highwater_core::codec::Packer;
use highwater_core::digest::{Algorithm, Digest, etag, md5_of, of, sha256_of};
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::{Encoder, Latest, Point, Proof, Row, Seen, Written};
use highwater_core::formats::mirror::names;
use highwater_core::inventory::Etag;

use crate::repo::Image;

/// The bucket.
pub(super) const BUCKET: &str = "dandiarchive";

/// The file of the index.
pub(super) const INDEX: &str = ".highwater-mirror/index/00000007";

/// Points of these names.
pub(super) fn points(names: &[&str]) -> Vec<Point> {
    let point = |name: &&str| Point { name: (*name).to_owned(), manifest: [7; 16], objects: 0, bytes: 0, unread: 0 };
    names.iter().map(point).collect()
}

/// The ETag of bytes in one piece.
pub(super) fn md5(bytes: &[u8]) -> Etag<'static> {
    let Digest::Md5(sum) = md5_of(bytes) else { panic!("an MD5") };
    Etag::Plain(sum)
}

/// The ETag of bytes in parts.
pub(super) fn parts(bytes: &[u8], part: u64) -> Etag<'static> {
    let Digest::Etag { value, .. } = of(Algorithm::Etag { part }, bytes) else { panic!("an ETag") };
    let (sum, parts): ([u8; etag::LENGTH - 4], [u8; 4]) =
        (value[..16].try_into().expect("16"), value[16..].try_into().expect("4"));
    Etag::Parts(sum, u32::from_be_bytes(parts))
}

/// The SHA-256 of bytes.
pub(super) fn own(bytes: &[u8]) -> [u8; 32] {
    let Digest::Sha256(sum) = sha256_of(bytes) else { panic!("a SHA-256") };
    sum
}

/// A row of bytes whose MD5 is the ETag, seen and the latest from the first of two points on.
pub(super) fn row<'a>(key: &'a [u8], version: &'a [u8], bytes: &[u8]) -> Row<'a> {
    Row {
        key,
        version,
        etag: md5(bytes),
        size: bytes.len() as u64,
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

/// The mark of a deletion.
pub(super) fn marker<'a>(key: &'a [u8], version: &'a [u8]) -> Row<'a> {
    Row { marker: true, proof: Proof::Nothing, etag: Etag::Other(b""), size: 0, ..row(key, version, b"") }
}

/// A mirror of these rows and their bytes, which shows a point.
pub(super) fn mirror(names: &[&str], shown: &str, rows: &[(Row<'_>, &[u8])]) -> Image {
    let (index, Written { tail, sum, size }) = index(names, rows.iter().map(|(row, _)| row));
    let mut files = Image::new();
    let shows = tail.number(shown).expect("a point");
    for (row, bytes) in rows.iter().filter(|(row, _)| !row.marker && !row.wanted) {
        let place = row.place(shows, tail.is_aside(row.key)).expect("a place");
        files.insert(place.to_string(), bytes.to_vec());
    }
    files.insert(INDEX.to_owned(), index);
    files.insert(names::APPLIED.to_owned(), pointer(shown, size, sum));
    files
}

/// An index of these rows.
pub(super) fn index<'a>(names: &[&str], rows: impl Iterator<Item = &'a Row<'a>>) -> (Vec<u8>, Written) {
    let (mut file, mut encoder) = (Vec::new(), Encoder::new(BUCKET, points(names)).expect("points"));
    rows.for_each(|row| encoder.push(row, &mut |bytes| file.extend_from_slice(bytes)).expect("a row"));
    let written = encoder.finish(&mut |bytes| file.extend_from_slice(bytes)).expect("an index");
    (file, written)
}

/// The pointer to it.
pub(super) fn pointer(point: &str, size: u64, tail: Digest) -> Vec<u8> {
    let (bucket, point, manifest) = (BUCKET.to_owned(), point.to_owned(), md5_of(b"manifest"));
    Applied { bucket, point, manifest, index: 7, size, tail, unread: 0 }.line().into_bytes()
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("seven bits"));
}

fn prefixed(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// An index with one block of these bytes, which says that it has so many rows, and begins with a key.
pub(super) fn made_up(names: &[&str], raw: &[u8], rows: u64, first: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new(1).expect("zstd");
    let packed = packer.pack(raw).expect("memory");
    let mut tail = Vec::new();
    prefixed(BUCKET.as_bytes(), &mut tail);
    varint(names.len() as u64, &mut tail);
    for name in names {
        prefixed(name.as_bytes(), &mut tail);
        tail.extend([7; 16]);
        tail.extend([0, 0]);
    }
    varint(rows, &mut tail);
    tail.extend([0; 6]);
    tail.push(1);
    varint(packed.len() as u64, &mut tail);
    varint(rows, &mut tail);
    tail.extend_from_slice(of(Algorithm::Xxh3, packed).as_bytes());
    prefixed(first, &mut tail);
    tail.push(0);
    ended(packed, &tail)
}

/// An index of these blocks and this tail, with its end.
pub(super) fn ended(blocks: &[u8], tail: &[u8]) -> Vec<u8> {
    let length = u32::try_from(tail.len() + 48).expect("a short tail").to_le_bytes();
    let whole = (tail.len() as u64).to_le_bytes();
    [blocks, &[0x5e, 0x2a, 0x4d, 0x18], &length, tail, &whole, sha256_of(tail).as_bytes(), b"HWMIRR\0\x01"].concat()
}

/// The SHA-256 of an index's tail, as its end says.
pub(super) fn tail_sum(index: &[u8]) -> Digest {
    let at = index.len() - 40;
    Digest::new(Algorithm::Sha256, &index[at..at + 32]).expect("32 bytes")
}
