//! Checks the files that a `SHA256SUMS` list names, through the engine and its lanes: what `tests/bench-hashing` times
//! SHA-256 with.
//!
//! Usage: sums FOLDER; exits with 1 unless the verdict is sound.
#![expect(clippy::print_stdout, reason = "it prints the verdict")]

use std::path::Path;
use std::process::ExitCode;

use highwater::drive;
use highwater::store::{Files, Links};
use highwater::watch::Watch;
use highwater_core::claim::{Claim, Expect};
use highwater_core::codec::{Codec, Flow};
use highwater_core::digest::{Algorithm, Digest};
use highwater_core::finding::Hurts;
use highwater_core::inspect::{Answer, Ask, Batch, Inspect, Set};
use highwater_core::name::Name;
use highwater_core::report::{Depth, Soundness};
use highwater_core::shard::Shard;
use highwater_core::split::Lines;
use highwater_core::survey::{Options, Survey};

/// Reads the list; every line is a digest, a length and a name.
#[derive(Default)]
struct Sums {
    lines: Lines,
    done: bool,
}

impl Inspect for Sums {
    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::default())
    }

    fn ask(&self) -> Ask {
        if self.done { Ask::Done } else { Ask::read(Name::new(b"SHA256SUMS").expect("a name")) }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        let Answer::Bytes(bytes) = answer else {
            self.done = true;
            return Flow::Continue(());
        };
        self.lines.push(bytes, |line| {
            let text = std::str::from_utf8(line.text).expect("text");
            let [sum, length, name] = text.split_whitespace().collect::<Vec<_>>().try_into().expect("three words");
            let digest = Digest::from_hex(Algorithm::Sha256, sum.as_bytes()).expect("a digest");
            let object = Name::new(name.as_bytes()).expect("a name");
            let length: u64 = length.parse().expect("a length");
            out.claims.push(Claim {
                index: object.clone(),
                object,
                codec: Codec::Plain,
                range: None,
                expect: Expect { length, digest: Some(digest) },
                extent: None,
                marks: None,
                hurts: Hurts::Nothing,
            });
        });
        if out.sets.is_empty() {
            out.sets.push(Set { name: "all".to_owned(), group: 0, bytes: Some(0), ..Set::default() });
        }
        Flow::Continue(())
    }
}

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).expect("a folder");
    let options =
        Options { label: "sums".to_owned(), format: None, depth: Depth::Digest, strict: false, shard: Shard::WHOLE };
    let survey = Survey::new(Box::new(Sums::default()), options);
    let root = Files::open(Path::new(&folder), Links::Beneath).expect("a folder");
    let survey = drive::run(&root, survey, Depth::Digest, &Watch::silent(), &mut |_, _| {});
    let report = survey.expect("nobody interrupts").finish();
    println!("{:?}, {} bytes", report.verdict, report.coverage.bytes);
    ExitCode::from(u8::from(report.verdict != Soundness::Sound))
}
