//! Mirrors in memory: what an inspection says of them.

use std::collections::BTreeMap;

use super::applied::Applied;
use super::index::{
    Encoder, Latest, Proof, Row, Seen,
    tests::{points, row, write},
};
use super::*;
use crate::claim::Claim;
use crate::digest::{Algorithm, Digest, md5_of, of, sha256_of};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Hurts};
use crate::inspect::{Answer, Ask, Batch, Of};
use crate::inventory::Etag;
use crate::name::Name;
use crate::node::NodeKind;
use crate::shard::Shard;

type Files = BTreeMap<String, Vec<u8>>;

/// Everything an inspection gives. Bytes come in pieces of `step`.
fn inspect(files: &Files, of: Of, step: usize) -> Batch {
    run(files, &Scope::new(of), step).0
}

/// The same, and how many blocks of the index were read for it.
fn run(files: &Files, scope: &Scope, step: usize) -> (Batch, usize) {
    let (mut inspect, mut all) = (Mirror.inspect(scope), Batch::default());
    for asked in 0..1000_usize {
        match inspect.ask() {
            // The pointer, the end of the index, and its tail.
            Ask::Done => return (all, asked.saturating_sub(3)),
            Ask::Read { object, stretch } => match files.get(object.as_str().unwrap()) {
                None => {
                    let fault = Fault { kind: FaultKind::Absent, message: "gone".to_owned() };
                    _ = inspect.answer(Answer::Failed(fault), &mut all);
                }
                Some(bytes) => {
                    let range = stretch.range(bytes.len() as u64);
                    let bytes = &bytes[range.start as usize..range.end as usize];
                    if !bytes.chunks(step).any(|piece| inspect.answer(Answer::Bytes(piece), &mut all).is_break()) {
                        _ = inspect.answer(Answer::End, &mut all);
                    }
                }
            },
            ask => panic!("{ask:?}"),
        }
    }
    panic!("it asks for ever");
}

fn md5(bytes: &[u8]) -> Etag<'static> {
    let Digest::Md5(sum) = md5_of(bytes) else { panic!("an MD5") };
    Etag::Plain(sum)
}

fn parts(bytes: &[u8], part: u64) -> Etag<'static> {
    let Digest::Etag { value, .. } = of(Algorithm::Etag { part }, bytes) else { panic!("an ETag") };
    Etag::Parts(value[..16].try_into().unwrap(), u32::from_be_bytes(value[16..].try_into().unwrap()))
}

/// Two points: `a` is a file and a folder, `a/b` was overwritten, `k` is under a foreign key, `m` was deleted, `w`
/// could not be had, `x` was pruned.
fn mirror(shown: &str) -> Files {
    let seen = |first, last| Seen { first, last };
    let Digest::Sha256(own) = sha256_of(b"kept") else { panic!("a SHA-256") };
    let rows = [
        Row { etag: md5(b"file"), size: 4, ..row(b"a", b"null") },
        Row { etag: md5(b"new"), size: 3, seen: seen(1, 1), ..row(b"a/b", b"v2") },
        Row {
            etag: parts(b"older", 2),
            proof: Proof::Parts(2),
            size: 5,
            seen: seen(0, 1),
            latest: Latest::Spans(&[Seen { first: 0, last: 0 }]),
            ..row(b"a/b", b"v3")
        },
        Row { etag: md5(b""), size: 0, ..row(b"e", b"v") },
        Row { proof: Proof::Nothing, own: Some(own), size: 4, ..row(b"k", b"v") },
        Row { etag: md5(b"m"), size: 1, seen: seen(0, 0), ..row(b"m", b"v1") },
        Row {
            marker: true,
            proof: Proof::Nothing,
            etag: Etag::Other(b""),
            size: 0,
            seen: seen(1, 1),
            ..row(b"m", b"v2")
        },
        Row { wanted: true, proof: Proof::Nothing, size: 9, latest: Latest::Never, ..row(b"w", b"v") },
        Row { pruned: true, proof: Proof::Nothing, size: 9, latest: Latest::Never, ..row(b"x", b"v") },
    ];
    let (index, tail) = write(points(2), &rows);
    let applied = Applied {
        bucket: "dandiarchive".to_owned(),
        point: shown.to_owned(),
        manifest: md5_of(b""),
        index: 7,
        size: index.len() as u64,
        tail: sha256_of(&tail.encode()),
        unread: 0,
    };
    let name = |row: &Row<'_>| row.place(tail.number(shown).unwrap(), tail.is_aside(row.key)).unwrap().to_string();
    let bodies: [&[u8]; 9] = [b"file", b"new", b"older", b"", b"kept", b"m", b"", b"", b""];
    let had = rows.iter().zip(bodies).filter(|(row, _)| !row.marker && !row.wanted && !row.pruned);
    let mut files: Files = had.map(|(row, body)| (name(row), body.to_vec())).collect();
    files.insert(names::APPLIED.to_owned(), applied.line().into_bytes());
    files.insert(names::index(7).unwrap().to_string(), index);
    files
}

const OLD: &str = "2024-01-01T01-00Z";
const NEW: &str = "2024-01-02T01-00Z";

fn holds(files: &Files, claim: &Claim) -> bool {
    let Some(bytes) = files.get(claim.object.as_str().unwrap()) else { return false };
    let mut hasher = claim.hasher().unwrap();
    hasher.update(bytes);
    bytes.len() as u64 == claim.expect.length && claim.gives(hasher, None)
}

#[test]
fn every_kept_version_is_claimed_where_it_lies_whatever_point_is_shown() {
    let old = "a/b.old.v3.";
    for (shown, aside) in [(NEW, "a/b"), (OLD, "a/b")] {
        let files = mirror(shown);
        let whole = inspect(&files, Of::All, usize::MAX);
        let names: Vec<&str> = whole.sets.iter().map(|set| &*set.name).collect();
        assert_eq!(
            (names, whole.sets[0].bytes, whole.sets[1].bytes),
            (vec![OLD, NEW], Some(4 + 5 + 4 + 1), Some(4 + 3 + 4))
        );
        assert_eq!(whole.claims.len(), 6);
        assert!(whole.claims.iter().all(|claim| holds(&files, claim)), "{:?}", whole.claims);
        let lies: Vec<String> = whole.claims.iter().map(|claim| claim.object.to_string()).collect();
        assert!(lies.contains(&"%hwfa".to_owned()) && lies.contains(&aside.to_owned()), "{lies:?}");
        assert_eq!(lies.iter().any(|name| name.starts_with(old)), shown == NEW, "{lies:?}");
        let algorithms: Vec<&str> =
            whole.claims.iter().map(|claim| claim.expect.digest.unwrap().algorithm().name()).collect();
        assert_eq!(algorithms, ["md5", "md5", "etag", "md5", "sha256", "md5"]);
        let hurts: Vec<Hurts> = whole.claims.iter().map(|claim| claim.hurts).collect();
        let span = |from, to| Hurts::Span { from, to };
        assert_eq!(hurts, [span(0, 2), span(1, 2), span(0, 1), span(0, 2), span(0, 2), span(0, 1)]);
        let [finding] = &whole.findings[..] else { panic!("{:?}", whole.findings) };
        assert_eq!((finding.code, finding.hurts), (Code::NotHad, span(0, 2)));
        for step in [1, 7, 100] {
            let cut = inspect(&files, Of::All, step);
            assert_eq!(
                (cut.sets, cut.claims, cut.findings),
                (whole.sets.clone(), whole.claims.clone(), whole.findings.clone())
            );
        }
        assert!(inspect(&files, Of::Catalogue, 100).claims.is_empty());
    }
}

#[test]
fn a_point_is_given_back_from_where_its_versions_lie_now() {
    for shown in [OLD, NEW] {
        let files = mirror(shown);
        for (point, wanted) in [
            (
                OLD,
                [("a", "folder"), ("%hwfa", "file"), ("a/b", "older"), ("e", ""), ("k", "kept"), ("m", "m")].as_slice(),
            ),
            (NEW, &[("a", "folder"), ("%hwfa", "file"), ("a/b", "new"), ("e", ""), ("k", "kept")]),
        ] {
            let asked = Mirror.point(point).unwrap();
            let batch = inspect(&files, Of::Point(Some(asked)), 50);
            assert_eq!(batch.sets.iter().map(|set| &*set.name).collect::<Vec<_>>(), [point]);
            let bytes = |path: &Name| {
                let of = |claim: &&Claim| claim.extent.as_ref().and_then(|extent| extent.path.as_ref()) == Some(path);
                let claim = batch.claims.iter().find(of);
                claim.map_or(String::new(), |claim| {
                    assert!(holds(&files, claim) && claim.hurts == Hurts::Span { from: 0, to: 1 });
                    String::from_utf8(files[claim.object.as_str().unwrap()].clone()).unwrap()
                })
            };
            let mut found: Vec<(String, String)> = batch
                .nodes
                .iter()
                .map(|node| {
                    let path = node.path.clone().unwrap();
                    let is = if node.kind == NodeKind::Folder { "folder".to_owned() } else { bytes(&path) };
                    (path.to_string(), is)
                })
                .collect();
            let mut wanted: Vec<(String, String)> =
                wanted.iter().map(|(path, is)| ((*path).to_owned(), (*is).to_owned())).collect();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{point} of what shows {shown}");
            let place =
                |path: &str| batch.nodes.iter().position(|node| node.path.as_ref().unwrap().as_str() == Some(path));
            assert!(place("a") < place("a/b"));
        }
        let none = inspect(&files, Of::Point(Some(Mirror.point("2023").unwrap())), 50);
        assert!(none.absent.unwrap().contains(OLD) && none.claims.is_empty());
    }
}

#[test]
fn what_is_wrong_with_pointer_or_index_is_said() {
    let files = mirror(NEW);
    let index = names::index(7).unwrap().to_string();
    let code = |files: &Files| {
        let batch = inspect(files, Of::All, 64);
        let mut codes: Vec<Code> = batch.findings.iter().map(|finding| finding.code).collect();
        codes.retain(|code| *code != Code::NotHad);
        (codes, batch.claims.len())
    };
    let with = |name: &str, bytes: Option<Vec<u8>>| {
        let mut files = files.clone();
        match bytes {
            Some(bytes) => files.insert(name.to_owned(), bytes),
            None => files.remove(name),
        };
        files
    };
    assert_eq!(code(&with(names::APPLIED, None)), (vec![Code::NoIndex], 0));
    assert_eq!(code(&with(&index, None)), (vec![Code::Missing], 0));
    assert_eq!(code(&with(&index, Some(Vec::new()))), (vec![Code::Malformed], 0));
    for name in [names::APPLIED, &index] {
        let bytes = &files[name];
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(code(&with(name, Some(flipped))), (vec![Code::Malformed], 0), "{name} at {at}");
        }
        assert_eq!(code(&with(name, Some([bytes, &[7; 9000][..]].concat()))), (vec![Code::Malformed], 0));
    }
    // Another index that is whole, but not the one that is meant.
    let (other, _) = write(points(2), &[row(b"x", b"v")]);
    assert_eq!(code(&with(&index, Some(other))), (vec![Code::Malformed], 0));
    // One that is as long, too.
    let ((meant, tail), (other, _)) = (write(points(2), &[row(b"x", b"v")]), write(points(2), &[row(b"y", b"v")]));
    assert!(meant.len() == other.len() && meant != other);
    let applied = Applied {
        bucket: "b".to_owned(),
        point: NEW.to_owned(),
        manifest: md5_of(b""),
        index: 7,
        size: meant.len() as u64,
        tail: sha256_of(&tail.encode()),
        unread: 0,
    };
    let one = |index_bytes: &[u8]| {
        Files::from([(names::APPLIED.to_owned(), applied.line().into_bytes()), (index.clone(), index_bytes.to_owned())])
    };
    assert_eq!(code(&one(&meant)).0, []);
    assert_eq!(code(&one(&other)), (vec![Code::Malformed], 0));
}

#[test]
fn a_mirror_without_files_claims_its_pointer() {
    let rows = [
        Row { marker: true, proof: Proof::Nothing, etag: Etag::Other(b""), size: 0, ..row(b"m", b"v") },
        Row { pruned: true, proof: Proof::Nothing, latest: Latest::Never, ..row(b"p", b"v") },
    ];
    for rows in [&rows[..], &[]] {
        let (index, tail) = write(points(2), rows);
        let applied = Applied {
            bucket: "b".to_owned(),
            point: NEW.to_owned(),
            manifest: md5_of(b""),
            index: 1,
            size: index.len() as u64,
            tail: sha256_of(&tail.encode()),
            unread: 0,
        };
        let files = Files::from([
            (names::APPLIED.to_owned(), applied.line().into_bytes()),
            (names::index(1).unwrap().to_string(), index),
        ]);
        let batch = inspect(&files, Of::All, 10);
        assert_eq!((batch.sets.len(), batch.claims.len(), batch.findings.len()), (2, 1, 0));
        assert!(holds(&files, &batch.claims[0]));
    }
}

#[test]
fn parts_are_dealt_out_by_blocks_where_there_are_many_and_by_names_otherwise() {
    let keys: Vec<String> = (0..200).map(|at| format!("k/{at:03}")).collect();
    for (most, reads) in [(5, 1..=14), (100, 2..=2)] {
        let mut index = Vec::new();
        let mut encoder = Encoder::new("b", points(2)).unwrap().of_blocks(most);
        for key in &keys {
            encoder.push(&row(key.as_bytes(), b"v"), &mut |bytes| index.extend_from_slice(bytes)).unwrap();
        }
        let written = encoder.finish(&mut |bytes| index.extend_from_slice(bytes)).unwrap();
        let applied = Applied {
            bucket: "b".to_owned(),
            point: NEW.to_owned(),
            manifest: md5_of(b""),
            index: 7,
            size: written.size,
            tail: written.sum,
            unread: 0,
        };
        let files = Files::from([
            (names::APPLIED.to_owned(), applied.line().into_bytes()),
            (names::index(7).unwrap().to_string(), index.clone()),
        ]);
        let mut damaged = files.clone();
        // A byte of the first block, of which one part tells.
        damaged.get_mut(&names::index(7).unwrap().to_string()).unwrap()[10] ^= 1;
        let (mut claimed, mut told) = (Vec::new(), 0);
        for number in 1..=3 {
            let part = Scope::new(Of::All).part(Shard::new(number, 3).unwrap());
            let (batch, blocks) = run(&files, &part, 1000);
            assert!(reads.contains(&blocks), "{blocks} blocks are read");
            assert!(batch.claims.len() > 20 && batch.sets.len() == 2);
            claimed.extend(batch.claims.into_iter().map(|claim| claim.object.to_string()));
            told += run(&damaged, &part, 1000).0.findings.len();
        }
        claimed.sort();
        assert!(claimed == keys && told == 1, "{told}");
    }
}
