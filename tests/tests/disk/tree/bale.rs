//! `Bale`: a made-up format whose one point is what a test says: files cut into extents of packed objects.

use std::collections::BTreeMap;
use std::ops::Range;

use highwater::restore::Asked;
use highwater::restore::tree::TreePlan;
use highwater_core::claim::{Claim, Expect, Extent};
use highwater_core::codec::{Codec, Flow};
use highwater_core::digest::sha256_of;
use highwater_core::facts::{Facts, Lock, Shape};
use highwater_core::finding::Hurts;
use highwater_core::inspect::{Answer, Ask, Batch, Entry, Format, Inspect, Scope, Set};
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};
use highwater_core::point::{NoPoint, Point};
use highwater_core::report::Depth;
use highwater_tests::dice::Dice;

/// The point's name.
pub(super) const POINT: &str = "monday";

static FACTS: Facts = Facts {
    name: "bale",
    looks: "",
    hint: None,
    lock: Lock::Alone(".bale.lock"),
    pool: None,
    parts: None,
    shape: Shape::Tree,
    trails: Depth::Deep,
    moves: false,
    colons: false,
    advice: |_| None,
    notes: |_| None,
    proves: |_| None,
};

/// A point, and the objects that hold its bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Bale {
    pub(super) nodes: Vec<Node>,
    pub(super) claims: Vec<Claim>,
    pub(super) objects: BTreeMap<String, Vec<u8>>,
}

pub(super) fn name(text: impl AsRef<[u8]>) -> Name {
    Name::new(text.as_ref()).expect("a name")
}

/// On record: this mode and time, and no owner.
pub(super) fn meta(mode: u32, modified: i64) -> Meta {
    Meta { mode: Some(mode), uid: None, gid: None, modified: Some((modified, 123_456_789)) }
}

impl Bale {
    pub(super) fn node(&mut self, path: impl AsRef<[u8]>, kind: NodeKind, meta: Meta) {
        self.nodes.push(Node { path: Some(name(path)), kind, meta });
    }

    pub(super) fn folder(&mut self, path: impl AsRef<[u8]>, meta: Meta) {
        self.node(path, NodeKind::Folder, meta);
    }

    /// A file whose bytes lie in `object`, behind what is there already, in extents of at most `piece` bytes.
    pub(super) fn file(&mut self, path: impl AsRef<[u8]>, bytes: &[u8], meta: Meta, (object, piece): (&str, usize)) {
        let path = path.as_ref();
        self.node(path, NodeKind::File(bytes.len() as u64), meta);
        for (number, part) in bytes.chunks(piece).enumerate() {
            let pack = self.objects.entry(object.to_owned()).or_default();
            let range = pack.len() as u64..(pack.len() + part.len()) as u64;
            pack.extend_from_slice(part);
            self.claims.push(claim(object, range, part, path, (number * piece) as u64));
        }
    }

    /// Files that are parts of one stream, which has other bytes before and behind each, in claims on `piece` bytes of
    /// an object.
    pub(super) fn stream(&mut self, files: &[(&str, Vec<u8>, Meta)], (object, piece): (&str, usize)) {
        let mut stream = Vec::new();
        for (path, bytes, meta) in files {
            stream.extend_from_slice(format!("here begins {path}").as_bytes());
            let start = stream.len() as u64;
            stream.extend_from_slice(bytes);
            self.node(path, NodeKind::Part(start..stream.len() as u64), *meta);
        }
        stream.extend_from_slice(b"the end");
        for (number, part) in stream.chunks(piece).enumerate() {
            let at = (number * piece) as u64;
            let stored = claim(object, at..at + part.len() as u64, part, b"x", 0);
            self.claims.push(Claim { extent: Some(Extent { path: None, at }), ..stored });
        }
        self.objects.insert(object.to_owned(), stream);
    }

    /// Its point, of a format that lives as long as the test, as formats do.
    pub(super) fn asked(&self) -> Asked {
        Asked { format: Box::leak(Box::new(self.clone())), point: None, key: None }
    }

    /// Whether its plan is refused, and in which words.
    pub(super) fn refusal(&self) -> Option<String> {
        let from = highwater_tests::model::Model::default().root("/model");
        TreePlan::make(&from, self.asked()).err().map(|error| error.to_string())
    }
}

/// A claim that bytes of an object are those of a file from an offset on.
pub(super) fn claim(object: &str, range: Range<u64>, bytes: &[u8], path: &[u8], at: u64) -> Claim {
    Claim {
        object: name(object),
        index: name("index"),
        range: Some(range),
        codec: Codec::Plain,
        expect: Expect { length: bytes.len() as u64, digest: Some(sha256_of(bytes)) },
        extent: Some(Extent { path: Some(name(path)), at }),
        marks: None,
        hurts: Hurts::One(0),
    }
}

/// A tree with one of everything: extents in several objects, more files than are open at a time, holes, an empty file,
/// links that lead out, another name, odd names.
pub(super) fn one_of_everything() -> Bale {
    let mut dice = Dice::new(18);
    let mut bale = Bale::default();
    bale.nodes.push(Node { path: None, kind: NodeKind::Folder, meta: meta(0o750, 1_000_000) });
    bale.folder("a", meta(0o755, 1_100_000));
    bale.folder("a/b", meta(0o700, 1_200_000));
    bale.folder("a/closed", meta(0o500, 1_250_000));
    bale.file("a/small", b"small", meta(0o640, 1_300_000), ("pack-1", 1 << 20));
    bale.file("a/closed/read-only", b"not to be written", meta(0o400, 1_350_000), ("pack-1", 7));
    bale.file("a/b/big", &dice.bytes(300_000), meta(0o644, 1_400_000), ("pack-2", 100_001));
    bale.file("empty", b"", meta(0o604, -5), ("pack-1", 1 << 20));
    let holes = [vec![0; 1 << 20], dice.bytes(5000), vec![0; 40_000]].concat();
    bale.file("holes", &holes, meta(0o4755, 1_500_000), ("pack-3", 1 << 20));
    bale.file("zeros", &vec![0; 3 << 20], meta(0o644, 1_550_000), ("pack-3", 1 << 20));
    bale.file(b"odd\nna\xffme", b"odd", meta(0o644, 1_600_000), ("pack-1", 1 << 20));
    bale.folder("many", meta(0o777, 1_700_000));
    for number in 0..300 {
        let length = usize::try_from(dice.below(3000)).expect("a length");
        let bytes = dice.bytes(length);
        bale.file(format!("many/{number}"), &bytes, meta(0o644, number), ("pack-4", 1000));
    }
    bale.folder("parts", meta(0o755, 1_800_000));
    let part = |path: &'static str, bytes: Vec<u8>, modified| (path, bytes, meta(0o644, modified));
    let parts = [
        part("parts/one", dice.bytes(10), 1),
        part("parts/two", dice.bytes(700), 2),
        part("parts/three", Vec::new(), 3),
        part("parts/long", dice.bytes(150_000), 4),
        part("parts/zeros", vec![0; 200_000], 5),
        part("parts/last", dice.bytes(3), 6),
    ];
    bale.stream(&parts, ("pack-5", 4000));
    bale.node("parts/again", NodeKind::Hard(name("parts/two")), Meta::default());
    bale.node("a/again", NodeKind::Hard(name("a/small")), Meta::default());
    bale.node(
        "a/link",
        NodeKind::Link(b"../../elsewhere".to_vec()),
        Meta { modified: Some((77, 8)), ..Meta::default() },
    );
    bale.node("link", NodeKind::Link(b"/etc/passwd".to_vec()), Meta::default());
    bale
}

struct Reading {
    bale: Bale,
    over: bool,
}

impl Format for Bale {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn recognise(&self, _: &[Entry]) -> bool {
        true
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        Ok(Point::new(text))
    }

    fn inspect(&self, _: &Scope) -> Box<dyn Inspect> {
        Box::new(Reading { bale: self.clone(), over: false })
    }
}

impl Inspect for Reading {
    fn ask(&self) -> Ask {
        if self.over { Ask::Done } else { Ask::List(None) }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        if matches!(answer, Answer::End) {
            self.over = true;
            let bytes = self.bale.claims.iter().map(|claim| claim.expect.length).sum();
            let (name, bytes) = (POINT.to_owned(), Some(bytes));
            out.sets.push(Set { name, group: 0, bytes, ..Set::default() });
            out.claims = self.bale.claims.clone();
            out.nodes = self.bale.nodes.clone();
        }
        Flow::Continue(())
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self { bale: self.bale.clone(), over: false })
    }
}
