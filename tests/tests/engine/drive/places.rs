//! Parts of one object: an index at its end, claims on ranges of it with a digest of each algorithm or without, and
//! sets between two numbers.

use std::ops::Range;

use highwater::store::{Files, Links};
use highwater::watch::Watch;
use highwater_core::claim::{Claim, Expect, Extent};
use highwater_core::codec::{Codec, Flow};
use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::finding::Hurts;
use highwater_core::inspect::{Answer, Ask, Batch, Inspect, Set, Stretch};
use highwater_core::name::Name;
use highwater_core::render;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::shard::Shard;
use highwater_core::split::Lines;
use highwater_core::survey::{Options, Survey};
use highwater_tests::dice::Dice;
use highwater_tests::repo::Image;
use highwater_tests::specimens;

use super::driven_over;

const BUNDLE: &str = "bundle";

/// The number of parts and of sets: part N is of the sets N and N + 1.
const PARTS: u64 = 7;

/// Those that parts have digests of, in turn.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Sha256,
    Algorithm::Md5,
    Algorithm::Sha1,
    Algorithm::Xxh3,
    Algorithm::Crc32c,
    Algorithm::Etag { part: 30_000 },
];

/// Reads where the index is at the object's end, then the index, which says itself where it ends.
struct Bundle {
    tail: Vec<u8>,
    index: Option<Range<u64>>,
    lines: Lines,
    over: bool,
}

impl Bundle {
    fn new() -> Self {
        Self { tail: Vec::new(), index: None, lines: Lines::default(), over: false }
    }
}

/// The digest of an algorithm's name and a text; none where none is on record.
fn digest(name: &str, text: &str) -> Option<Digest> {
    ALGORITHMS
        .iter()
        .find(|algorithm| algorithm.name() == name)
        .map(|algorithm| Digest::from_hex(*algorithm, text.as_bytes()).expect("a digest"))
}

fn claim(number: u64, line: &str) -> Claim {
    let words: Vec<&str> = line.split(' ').collect();
    let [start, length] = [words[0], words[1]].map(|word| word.parse::<u64>().expect("a number"));
    let name = |text: &str| Name::new(text.as_bytes()).expect("a name");
    Claim {
        object: name(BUNDLE),
        index: name(BUNDLE),
        range: Some(start..start + length),
        codec: Codec::Plain,
        expect: Expect { length, digest: digest(words[2], words[3]) },
        extent: Some(Extent { path: Some(name(&format!("part-{number}"))), at: 0 }),
        marks: None,
        hurts: Hurts::Span { from: number, to: number + 2 },
    }
}

impl Inspect for Bundle {
    fn ask(&self) -> Ask {
        let object = Name::new(BUNDLE.as_bytes()).expect("a name");
        match &self.index {
            _ if self.over => Ask::Done,
            None => Ask::Read { object, stretch: Stretch::End(8) },
            Some(index) => Ask::Read { object, stretch: Stretch::At(index.clone()) },
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        match (answer, &self.index) {
            (Answer::Bytes(bytes), None) => self.tail.extend_from_slice(bytes),
            (Answer::End, None) => {
                let start = u64::from_le_bytes(*self.tail.first_chunk().expect("eight bytes"));
                assert_eq!(self.tail.len(), 8, "nothing else was read");
                self.index = Some(start..u64::MAX);
                out.sets = (0..PARTS)
                    .map(|at| Set { name: at.to_string(), group: 0, bytes: Some(0), ..Set::default() })
                    .collect();
            }
            (Answer::Bytes(bytes), Some(_)) => {
                let mut lines = Vec::new();
                self.lines.push(bytes, |line| lines.push(String::from_utf8_lossy(line.text).into_owned()));
                for line in lines {
                    match line.split_once(": ") {
                        Some((number, line)) => out.claims.push(claim(number.parse().expect("a number"), line)),
                        // What follows is nobody's, and would not be understood.
                        None => {
                            self.over = true;
                            return Flow::Break(());
                        }
                    }
                }
            }
            (answer, _) => panic!("{answer:?} after enough was read"),
        }
        Flow::Continue(())
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new())
    }
}

/// A bundle, and where each part lies. The last part has no digest on record, if that is wanted.
fn bundle(recorded: bool) -> (Vec<u8>, Vec<Range<usize>>) {
    let (mut bytes, mut index, mut ranges) = (vec![0; 100], String::new(), Vec::new());
    for number in 0..PARTS {
        let part: Vec<u8> = (0..40_000 * (number + 1)).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
        let algorithm = *ALGORITHMS.iter().cycle().nth(usize::try_from(number).expect("few")).expect("one");
        let mut hasher = Hasher::new(algorithm);
        hasher.update(&part);
        let digest = format!("{} {}", algorithm.name(), hasher.finish());
        let digest = if recorded || number + 1 < PARTS { &*digest } else { "none none" };
        index.push_str(&format!("{number}: {} {} {digest}\n", bytes.len(), part.len()));
        ranges.push(bytes.len()..bytes.len() + part.len());
        bytes.extend(part);
    }
    let start = bytes.len() as u64;
    bytes.extend(index.as_bytes());
    bytes.extend(b"end\n");
    // More than is read at a time: nobody asks for it.
    bytes.extend(vec![b'\n'; 1 << 20]);
    bytes.extend(start.to_le_bytes());
    (bytes, ranges)
}

/// The report of both drives, which must agree.
fn report(bytes: &[u8], depth: Depth, dice: &mut Dice) -> Report {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let image = Image::from([(BUNDLE.to_owned(), bytes.to_vec())]);
    specimens::lay(&image, folder.path());
    let survey = || {
        let options = Options { label: "b".to_owned(), format: None, depth, strict: false, shard: Shard::WHOLE };
        Survey::new(Box::new(Bundle::new()), options)
    };
    let root = Files::open(folder.path(), Links::Beneath).expect("a folder");
    let native = highwater::drive::run(&root, survey(), depth, &Watch::silent(), &mut |_, _| {});
    let native = native.expect("nobody interrupts").finish();
    let driven = driven_over(&image, survey(), depth, Dice::new(dice.bits()), &[]).report;
    assert_eq!(render::json(&driven), render::json(&native), "{depth:?}");
    native
}

fn verdicts(report: &Report) -> Vec<Soundness> {
    report.sets.iter().map(|set| set.verdict).collect()
}

#[test]
fn parts_of_an_object_are_read_and_checked_where_they_lie() {
    let mut dice = Dice::new(71);
    let (whole, ranges) = bundle(true);
    let (unrecorded, _) = bundle(false);
    for depth in [Depth::List, Depth::Size, Depth::Digest] {
        let found = report(&whole, depth, &mut dice);
        assert_eq!((found.verdict, found.coverage.checked), (Soundness::Sound, PARTS), "{depth:?}");
        // Without a digest on record, only who looks at bytes is in doubt; the last part is of the last set alone.
        let found = verdicts(&report(&unrecorded, depth, &mut dice));
        let wanted = if depth == Depth::Digest { Soundness::Inconclusive } else { Soundness::Sound };
        let (last, others) = found.split_last().expect("sets");
        assert!(*last == wanted && others.iter().all(|found| *found == Soundness::Sound), "{depth:?}: {found:?}");
    }
    for (number, range) in ranges.iter().enumerate() {
        for at in [range.start, range.end - 1] {
            let mut harmed = whole.clone();
            harmed[at] ^= 1;
            let found = verdicts(&report(&harmed, Depth::Digest, &mut dice));
            let is_hurt = |set: usize| set == number || set == number + 1;
            let wanted = (0..ranges.len()).map(|set| if is_hurt(set) { Soundness::Damaged } else { Soundness::Sound });
            assert_eq!(found, wanted.collect::<Vec<_>>(), "byte {at}");
        }
    }
    // What lies before and behind the parts and the index is nobody's.
    let end = whole.len() - 8 - (1 << 20);
    for at in [5, end, whole.len() - 9] {
        let mut harmed = whole.clone();
        harmed[at] ^= 1;
        assert_eq!(report(&harmed, Depth::Digest, &mut dice).verdict, Soundness::Sound, "byte {at}");
    }
}
