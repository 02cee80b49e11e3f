//! A mirror of two points of some kilobytes, with one version of each kind.

use highwater_core::formats::mirror::index::{Latest, Proof, Row, Seen};

use super::compose::{marker, mirror, own, parts, row};
use crate::dice::Dice;
use crate::repo::Image;

/// The older point.
pub(super) const OLDER: &str = "2026-11-25T01-00Z";
/// The newer one.
pub(super) const NEWER: &str = "2026-11-26T01-00Z";

/// A version that S3's own words name.
const VERSION: &[u8] = b"J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg";
const OTHER: &[u8] = b"xy7HOh0ZZKXczghVqPCdijvxKQMAG_04";

/// Files by what they are, and the points that each hurts.
pub(super) const HURT: [(&str, &[&str]); 7] = [
    ("%hwfzarr", &[OLDER, NEWER]),
    ("zarr/0/new", &[NEWER]),
    ("zarr/0/parts", &[OLDER, NEWER]),
    ("zarr/0/%hw", &[OLDER, NEWER]),
    ("under key", &[OLDER, NEWER]),
    ("zarr/0/new.old.", &[OLDER]),
    ("gone.old.", &[OLDER]),
];

/// A mirror that shows a point.
pub(super) fn set(shown: &str) -> Image {
    let mut dice = Dice::new(21);
    let [file, new, old, large, foreign, gone] = [300, 700, 500, 2500, 400, 600].map(|length| dice.bytes(length));
    let first = Seen { first: 0, last: 0 };
    let second = Seen { first: 1, last: 1 };
    let rows: [(Row<'_>, &[u8]); 9] = [
        (Row { seen: first, ..row(b"gone", VERSION, &gone) }, &gone),
        (Row { seen: second, ..marker(b"gone", OTHER) }, b""),
        (Row { proof: Proof::Nothing, own: Some(own(&foreign)), ..row(b"under key", VERSION, b"") }, &foreign),
        (row(b"zarr", b"null", &file), &file),
        (row(b"zarr/0/", VERSION, b""), b""),
        (Row { latest: Latest::Spans(&[Seen { first: 0, last: 0 }]), ..row(b"zarr/0/new", VERSION, &old) }, &old),
        (Row { seen: second, ..row(b"zarr/0/new", OTHER, &new) }, &new),
        (Row { etag: parts(&large, 1000), proof: Proof::Parts(1000), ..row(b"zarr/0/parts", VERSION, &large) }, &large),
        (row(b"zarr/1/deep/er", VERSION, &file), &file),
    ];
    let mut rows = rows.to_vec();
    // What S3 says of it is not what its bytes give.
    rows[2].0.size = foreign.len() as u64;
    mirror(&[OLDER, NEWER], shown, &rows)
}
