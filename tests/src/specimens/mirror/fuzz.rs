//! Targets for mirrors and the inventories that they are planned from: lists, manifests, names, indices, pointers.

use highwater_core::digest::parts::PartSums;
use highwater_core::digest::{Algorithm, Digest, of};
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::{Encoder, Rows, TRAILER, Tail, Trailer};
use highwater_core::formats::mirror::{names, wanted};
use highwater_core::inventory::{Bad, Manifest, Row, Schema, parquet};
use highwater_core::name::Name;

use super::compose::{INDEX, made_up};
use super::small::{self, NEWER, OLDER};
use crate::fuzz::Target;
use crate::fuzz::feed::{Feed, pieces};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target { name: "inventory_list", run: list, seeds: seeds::list, words: seeds::LIST },
        Target { name: "inventory_table", run: table, seeds: seeds::tables, words: seeds::TABLE },
        Target { name: "inventory_manifest", run: manifest, seeds: seeds::manifest, words: seeds::MANIFEST },
        Target { name: "etag_parts", run: etag_parts, seeds: seeds::parts, words: &[] },
        Target { name: "mirror_names", run: places, seeds: seeds::places, words: seeds::PLACES },
        Target { name: "mirror_index", run: index, seeds: seeds::index, words: &[] },
        Target { name: "mirror_pointer", run: pointer, seeds: seeds::pointer, words: seeds::POINTER },
    ]
}

const COLUMNS: [&str; 3] = [
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, IsMultipartUploaded",
    "ETag, Size, New, Key, LastModifiedDate, EncryptionStatus",
    "Key, LastModifiedDate, ETag, Size, IsLatest, VersionId, IsDeleteMarker, StorageClass",
];

const TABLE: &str = "message s3.inventory { required binary key; optional binary version_id; optional boolean is_latest; \
                     optional boolean is_delete_marker; optional int64 size; optional int64 last_modified_date; \
                     optional binary e_tag; optional boolean is_multipart_uploaded; }";

/// Key, version and size of each good row, and the others.
type Read = (Vec<(Vec<u8>, Vec<u8>, u64)>, Vec<Bad>);

fn rows(columns: &str, pieces: &[&[u8]]) -> Read {
    let mut rows = highwater_core::inventory::Rows::new(Schema::parse(columns).expect("columns"));
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut each = |row: Result<Row<'_>, Bad>| match row {
        Ok(row) => {
            assert!(!row.key.is_empty() && row.key.len() <= 1024 && !row.version.is_empty());
            good.push((row.key.to_vec(), row.version.to_vec(), row.size));
        }
        Err(odd) => bad.push(odd),
    };
    pieces.iter().for_each(|piece| rows.push(piece, &mut each));
    rows.end(&mut each);
    assert_eq!(rows.count(), (good.len() + bad.len()) as u64);
    (good, bad)
}

/// The fields of a line, as slowly as can be; none where quotes do not close or something is behind them.
fn fields(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut fields, mut at) = (Vec::new(), 0);
    loop {
        let mut field = Vec::new();
        if line.get(at) == Some(&b'"') {
            at += 1;
            loop {
                match (line.get(at)?, line.get(at + 1)) {
                    (b'"', Some(b'"')) => {
                        field.push(b'"');
                        at += 2;
                    }
                    (b'"', _) => break,
                    (byte, _) => {
                        field.push(*byte);
                        at += 1;
                    }
                }
            }
            at += 1;
        } else {
            while line.get(at).is_some_and(|byte| *byte != b',') {
                field.push(line[at]);
                at += 1;
            }
            if field.contains(&b'"') {
                return None;
            }
        }
        fields.push(field);
        match line.get(at) {
            None => return Some(fields),
            Some(b',') => at += 1,
            Some(_) => return None,
        }
    }
}

/// Undoes the encoding of a key, as slowly as can be.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    let mut at = 0;
    while at < text.len() {
        key.push(match text[at] {
            b'+' => b' ',
            b'%' => {
                let digits = std::str::from_utf8(text.get(at + 1..at + 3)?).ok()?;
                at += 2;
                if digits.contains('+') {
                    return None;
                }
                u8::from_str_radix(digits, 16).ok()?
            }
            byte => byte,
        });
        at += 1;
    }
    Some(key)
}

/// Any bytes as a list: any cut gives the same; each row that is read has the key that a slow reader finds, and each
/// that is not begins where a line does.
fn list(bytes: &[u8]) {
    let (kind, text) = bytes.split_first().unwrap_or((&0, &[]));
    let columns = COLUMNS[usize::from(*kind) % COLUMNS.len()];
    let whole = rows(columns, &[text]);
    assert_eq!(rows(columns, &pieces(text)), whole);
    let names: Vec<&str> = columns.split(", ").collect();
    let key = names.iter().position(|name| *name == "Key").expect("a key");
    let lines = text.split(|byte| *byte == b'\n').collect::<Vec<_>>();
    let count = if lines.last().is_some_and(|last| last.is_empty()) { lines.len() - 1 } else { lines.len() };
    assert_eq!(whole.0.len() + whole.1.len(), count);
    let (mut good, mut bad, mut at) = (whole.0.iter(), whole.1.iter().peekable(), 0);
    for (number, line) in (1..).zip(lines.iter().take(count)) {
        let found = fields(line.strip_suffix(b"\r").unwrap_or(line));
        let found = found.filter(|fields| fields.len() == names.len()).and_then(|fields| decoded(&fields[key]));
        if let Some(odd) = bad.next_if(|odd| odd.row == number) {
            assert_eq!(odd.at, at, "{odd}");
        } else {
            assert_eq!(good.next().map(|(key, ..)| key), found.as_ref());
        }
        at += line.len() as u64 + 1;
    }
}

/// Any bytes as a list in Parquet: no more is asked for than there is, and no more rows come than bytes can hold.
fn table(bytes: &[u8]) {
    let schema = Schema::of_message(TABLE).expect("columns");
    let (mut reader, mut rows) = (parquet::Reader::new(schema, bytes.len() as u64), 0);
    loop {
        match reader.step() {
            Ok(parquet::Step::Read { at, length }) => {
                let begin = usize::try_from(at).expect("a place");
                let some = bytes.get(begin..).and_then(|rest| rest.get(..usize::try_from(length).ok()?));
                if reader.give(some.expect("what is asked for is in the file")).is_err() {
                    return;
                }
            }
            Ok(parquet::Step::Row(row)) => {
                rows += 1;
                assert!(rows <= 64 * bytes.len());
                assert!(row.is_err() || row.is_ok_and(|row| (1..=1024).contains(&row.key.len())));
            }
            Ok(parquet::Step::End) => return,
            Err(broken) => return assert!(broken.at <= bytes.len() as u64, "{broken:?}"),
        }
    }
}

/// Any bytes as a manifest: what is read of it is what a reader of JSON finds.
fn manifest(bytes: &[u8]) {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    let json: serde_json::Value = serde_json::from_slice(bytes).expect("it was read as JSON");
    assert_eq!(json["sourceBucket"], manifest.source.as_str());
    let files = json["files"].as_array().expect("files");
    assert_eq!(files.len(), manifest.files.len());
    for (json, file) in files.iter().zip(&manifest.files) {
        assert_eq!((json["key"].as_str(), json["size"].as_u64()), (Some(&*file.key), Some(file.size)));
        let sum = json["MD5checksum"].as_str().expect("a sum").to_lowercase();
        assert_eq!(sum, file.md5.to_string());
    }
    _ = manifest.schema(true);
    _ = manifest.schema(false);
}

/// Lengths of parts: the one that gives an ETag is found among others, and no other.
fn etag_parts(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let sizes: Vec<u64> = (0..1 + feed.byte() % 9).map(|_| 1 + u64::from(feed.byte()) * 3).collect();
    let size = 1 + u64::from(feed.byte()) * 3;
    let data = feed.0;
    let etag = |part| match of(Algorithm::Etag { part }, data) {
        Digest::Etag { value, .. } => value,
        other => panic!("{other:?}"),
    };
    let value = etag(size);
    let count = u32::from_be_bytes(value[16..].try_into().expect("4"));
    let mut sums = PartSums::new(value[..16].try_into().expect("16"), count, &sizes);
    pieces(data).iter().for_each(|piece| sums.update(piece));
    assert_eq!(sums.finish(), sizes.iter().copied().find(|size| etag(*size) == value));
}

/// Any bytes as a path, and as a key with a version and an ETag: what has a place is read back from it.
fn places(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let (key, version, etag) = (feed.block(), feed.block(), feed.block());
    if let Some(place) = Name::new(feed.0).ok().and_then(|path| Some((names::read(&path)?, path)))
        && let (names::Place { key: Some(key), aside, old }, path) = place
    {
        let again = match old {
            None => names::latest(&key, aside),
            Some(names::Old { version: Some(version), etag: Some(etag) }) => names::old(&key, &version, &etag),
            Some(_) => return,
        };
        assert_eq!(again.as_ref().map(Name::as_bytes), Some(path.as_bytes()));
    }
    if key.is_empty() {
        return;
    }
    let all = [names::latest(key, false), names::latest(key, true), names::old(key, version, etag)];
    let all = all.map(|name| name.expect("every key has a place"));
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    for (which, name) in all.iter().enumerate() {
        assert!(name.as_bytes().split(|byte| *byte == b'/').all(|part| part.len() <= 255), "{name}");
        assert!(!name.as_bytes().starts_with(b".highwater") && !name.as_bytes().starts_with(b".s3invsync"), "{name}");
        let place = names::read(name).expect("it is read");
        assert!(place.key.is_none_or(|read| read == key), "{name}");
        assert_eq!((place.aside, place.old.is_some()), (which == 1, which == 2));
    }
}

/// Any bytes as rows with right sums around them, or as a file: what is read is written and read again as it is.
fn index(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let file = match kind % 2 {
        0 => rest.to_vec(),
        _ => {
            let mut feed = Feed(rest);
            let (count, first) = (u64::from(feed.byte()), feed.block().to_vec());
            made_up(&[OLDER, NEWER], feed.0, count, &first)
        }
    };
    let size = file.len() as u64;
    let Some(front) = file.len().checked_sub(TRAILER as usize) else { return };
    let Ok(trailer) = Trailer::parse(&file[front..]) else { return };
    let begin = usize::try_from(trailer.stretch(size).start).expect("a place");
    let Ok(tail) = Tail::parse(&trailer, size, &file[begin..front]) else { return };
    for (number, block) in tail.blocks().iter().enumerate() {
        let at = usize::try_from(block.at).expect("a place");
        let Some(stored) = file.get(at..at + block.stored as usize) else { return };
        let Ok(mut rows) = Rows::open(&tail, number, stored) else { return };
        let mut encoder = Encoder::new("b", tail.points.clone()).expect("points");
        let (mut again, mut told) = (Vec::new(), Vec::new());
        while let Ok(Some(row)) = rows.row() {
            told.push(format!("{row:?}"));
            encoder.push(&row, &mut |bytes| again.extend_from_slice(bytes)).expect("a row that was read");
            assert!(row.marker || row.pruned || row.place(0, tail.is_aside(row.key)).is_some());
        }
        let written = encoder.finish(&mut |bytes| again.extend_from_slice(bytes)).expect("an index");
        let mut found = Vec::new();
        for (number, block) in written.tail.blocks().iter().enumerate() {
            let at = usize::try_from(block.at).expect("a place");
            let stored = &again[at..at + block.stored as usize];
            let mut rows = Rows::open(&written.tail, number, stored).expect("a block");
            while let Some(row) = rows.row().expect("a row") {
                found.push(format!("{row:?}"));
            }
        }
        assert_eq!(found, told);
    }
}

/// Any bytes as a pointer and as a list of what is wanted: what is read is written as it was.
fn pointer(bytes: &[u8]) {
    if let Ok(applied) = Applied::parse(bytes) {
        assert_eq!(applied.line().as_bytes(), bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut all = Vec::new();
    let whole = wanted::read(text, &mut |wanted| all.push(wanted)).is_ok();
    for wanted in &all {
        let again = format!("{}{}", wanted::TITLE, wanted.line());
        let mut found = Vec::new();
        assert!(wanted::read(&again, &mut |wanted| found.push(wanted)).is_err(), "it has no last line");
        assert_eq!(found.as_slice(), std::slice::from_ref(wanted));
    }
    assert!(!whole || text.ends_with('\n'));
}

mod seeds {
    use super::*;

    pub(super) const LIST: &[&[u8]] = &[
        b"\",\"",
        b"\"\"",
        b"\r\n",
        b"%2F",
        b"+",
        b"\"true\",\"false\",",
        b"2022-04-09T21:52:14.000Z",
        b"d41d8cd98f00b204e9800998ecf8427e-3",
        b"SSE-KMS",
    ];
    pub(super) const TABLE: &[&[u8]] =
        &[b"PAR1", b"\x15\x00\x15", b"\x15\x04", b"\x15\x06", b"\x2c\x15", b"\x4c\x15", b"\x00\x00", b"key", b"e_tag"];
    pub(super) const MANIFEST: &[&[u8]] =
        &[b"\"fileFormat\"", b"\"CSV\"", b"\"ORC\"", b"\"fileSchema\"", b"\"files\" : [", b"\"MD5checksum\"", b"Key, "];
    pub(super) const PLACES: &[&[u8]] =
        &[b"%hw", b"%hwf", b"%hw#", b".old.", b".highwater-mirror", b"..", b"/", b"\0", b"%2E", b".s3invsync"];
    pub(super) const POINTER: &[&[u8]] = &[
        b"highwater mirror 1 bucket ",
        b" point ",
        b" sum ",
        b"\\040",
        b"# highwater mirror 1 wanted\n",
        b"\n# end ",
        b"gone ",
    ];

    pub(super) fn list() -> Vec<Vec<u8>> {
        let dandi = "\"dandiarchive\",\"zarr/7310+7a2a/76\",\"J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg\",\"true\",\"false\",\"904\",\
                     \"2022-04-09T21:52:14.000Z\",\"fbebe2d44529d0a25247e8b5bca5956b\",\"false\"\n";
        let marker = "\"b\",\"a%2Fb\",\"\",\"false\",\"true\",\"\",\"2022-04-09T21:52:14.000Z\",\"\",\"\"\r\n";
        let plain = "x,5,what,%D0%B0,2022-04-09T21:52:14Z,SSE-KMS\n";
        let last = "\"k\",\"2022-04-09T21:52:14Z\",\"e\",\"1\",\"true\",\"v\",\"false\",\"GLACIER\"";
        let with = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
        vec![
            with(0, &format!("{dandi}{marker}{dandi}")),
            with(0, &format!("{}\n{dandi}", &dandi[..40])),
            with(1, plain),
            with(2, last),
            with(0, "\"\"\"\",\"\n,,,,,,,,\n"),
        ]
    }

    /// By pyarrow: a page of each kind, and dictionaries; and groups of plain values, not compressed.
    pub(super) fn tables() -> Vec<Vec<u8>> {
        vec![include_bytes!("packed.parquet").to_vec(), include_bytes!("plain.parquet").to_vec()]
    }

    pub(super) fn manifest() -> Vec<Vec<u8>> {
        let text = r#"{"sourceBucket":"b","destinationBucket":"arn:aws:s3:::d","version":"2016-11-30",
            "creationTimestamp":"1730854800000","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, LastModifiedDate, ETag",
            "files":[{"key":"d/b/data/1.csv.gz","size":7,"MD5checksum":"bf6060d5dbf25c6443712b9846e812c2"}]}"#;
        vec![text.into(), text.replace("CSV", "Parquet").into(), text.replace("ETag", "Etag").into()]
    }

    pub(super) fn parts() -> Vec<Vec<u8>> {
        let data: Vec<u8> = (0..200_u8).collect();
        [[2, 5, 9, 20, 9], [1, 7, 3, 3, 3], [0, 66, 66, 0, 0]].map(|head| [&head[..], &data].concat()).to_vec()
    }

    pub(super) fn places() -> Vec<Vec<u8>> {
        let blocks = |parts: [&[u8]; 3], path: &[u8]| {
            let blocks = parts.map(|part| [&[u8::try_from(part.len()).expect("short")], part].concat());
            [&blocks.concat()[..], path].concat()
        };
        let sum = "d41d8cd98f00b204e9800998ecf8427e";
        vec![
            blocks([b"a/b", b"null", b"e"], format!("a/b.old.J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg.{sum}").as_bytes()),
            blocks([b"a//../.", b"x.old.y", b"e.e"], b"%hw/a/%hw%2E%2E/%hwfx"),
            blocks([&[b'l'; 200], b"old.v", b""], b"a.old.%.%"),
            blocks([b"x.old.v.e", &[b'v'; 70], &[b'e'; 70]], b"%hw%78%2Eold%2Ev%2Ee.old.v.e"),
        ]
    }

    pub(super) fn index() -> Vec<Vec<u8>> {
        let set = small::set(NEWER);
        let file = [&[0], &set[INDEX][..]].concat();
        let one = [&[0x50, 0x14, 0, 1, b'k'][..], &[b'v'; 32], &[7; 16], &[5, 9, 0]].concat();
        let two = [&[0x04, 0x08, 0, 1, b'l'][..], &[7; 16], &[5, 9], &[1; 32], &[0, 0, 2, 0, 0, 1, 0]].concat();
        let made = [&[1, 2, 1, b'k'][..], &one, &two].concat();
        let pruned = [&[0x00, 0x30, 0, 1, b'p'][..], &[7; 16], &[5, 9, 0]].concat();
        vec![file, made, [&[1, 1, 1, b'k'][..], &one].concat(), [&[1, 1, 1, b'p'][..], &pruned].concat()]
    }

    pub(super) fn pointer() -> Vec<Vec<u8>> {
        let set = small::set(NEWER);
        let wanted = wanted::Wanted {
            why: wanted::Why::Gone,
            key: b"a b".to_vec(),
            version: b"null".to_vec(),
            etag: b"e".to_vec(),
            size: 904,
            message: "404 Not Found".to_owned(),
        };
        let mut text = format!("{}{}", wanted::TITLE, wanted.line());
        let mut seal = highwater_core::mtree::Seal::default();
        seal.push(&text);
        text.push_str(&seal.end());
        vec![set[names::APPLIED].clone(), text.into_bytes()]
    }
}
