//! Catalogues of trees as datastores have them, written here from the table of the format; and what the engine says of
//! one.

use std::ops::Range;

use highwater_core::formats::datastore::Odd;
use highwater_core::formats::datastore::pcat1::{Event, Kind, Reader, Walk};

use crate::trees::{Entry, What, sample};

/// What a catalogue begins with.
pub const MARK: [u8; 8] = [0x91, 0xfd, 0x60, 0xf9, 0xc4, 0x67, 0x58, 0xd5];

/// When files changed last, by turns: now, at the epoch, and before it.
const TIMES: [i64; 7] = [1_750_086_400, 0, -1, -128, -62_135_596_800, i64::MAX, i64::MIN];

/// A catalogue, and what is known of its bytes.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Bytes that nothing covers as long as they are still one of their kind, with what that is.
    pub free: Vec<(Range<usize>, &'static str)>,
    /// Every entry: its path, and a word with what is said of it; a folder comes before what is in it.
    pub listed: Vec<(Vec<u8>, String)>,
    files: usize,
}

/// A number of seven bits a byte.
pub fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The same of a number that may be negative.
pub fn signed(value: i64) -> Vec<u8> {
    if value >= 0 {
        return number(value as u64);
    }
    let mut bytes = number(value.unsigned_abs());
    bytes.iter_mut().for_each(|byte| *byte |= 0x80);
    bytes.push(0);
    bytes
}

/// The table of a folder: how many entries it is said to have, and these, as they are written.
pub fn table(count: u64, entries: &[Vec<u8>]) -> Vec<u8> {
    let body = [number(count), entries.concat()].concat();
    [number(body.len() as u64), body].concat()
}

/// An entry: its letter and name, and what is behind them.
pub fn entry(letter: u8, name: &[u8], more: &[u8]) -> Vec<u8> {
    [&[letter][..], &number(name.len() as u64), name, more].concat()
}

/// The catalogue of trees, by the names of their archives.
pub fn catalogue(archives: &[(&[u8], Vec<Entry>)]) -> Catalogue {
    let root: Vec<Entry> = archives.iter().map(|(name, tree)| Entry::new(name, What::Folder(tree.clone()))).collect();
    let mut made = Catalogue { bytes: MARK.to_vec(), free: Vec::new(), listed: Vec::new(), files: 0 };
    let place = made.folder(&root);
    made.bytes.extend((place as u64).to_le_bytes());
    // In the order in which the tables are written, files have their times.
    let mut times = Vec::new();
    timed(&root, &[], &mut 0, &mut times);
    list(&root, &[], &times, &mut made.listed);
    made
}

/// Catalogues of everything: of one archive, and of several.
pub fn samples() -> [Catalogue; 2] {
    let one = catalogue(&[(b"root.pxar.didx", sample())]);
    let nested = vec![Entry::new(b"deep", What::Folder(vec![Entry::new(b"deeper", What::Folder(sample()))]))];
    [one, catalogue(&[(b"a.pxar.didx", sample()), (b"b.pxar.didx", Vec::new()), (b"c.mpxar.didx", nested)])]
}

impl Catalogue {
    /// Writes the tables of what is in a folder, then its own; says where that begins.
    fn folder(&mut self, entries: &[Entry]) -> usize {
        let places: Vec<Option<usize>> = entries
            .iter()
            .map(|entry| if let What::Folder(inner) = &entry.what { Some(self.folder(inner)) } else { None })
            .collect();
        let at = self.bytes.len();
        let (mut body, mut free) = (number(entries.len() as u64), Vec::new());
        for (one, place) in entries.iter().zip(places) {
            let begin = body.len();
            let (letter, more) = match &one.what {
                What::Folder(_) => (b'd', number((at - place.expect("its table")) as u64)),
                What::File(content) => {
                    let time = TIMES[self.files % TIMES.len()];
                    self.files += 1;
                    let size = number(content.len() as u64);
                    let from = begin + 2 + one.name.len();
                    free.push((from..from + size.len(), "the size of a file"));
                    free.push((from + size.len()..from + size.len() + signed(time).len(), "the time of a file"));
                    (b'f', [size, signed(time)].concat())
                }
                What::Link(_) => (b'l', Vec::new()),
                What::Hard(_) => (b'h', Vec::new()),
                What::Block => (b'b', Vec::new()),
                What::Character => (b'c', Vec::new()),
                What::Pipe => (b'p', Vec::new()),
                What::Socket => (b's', Vec::new()),
            };
            if more.is_empty() {
                free.push((begin..begin + 1, "the letter of what has nothing more"));
            }
            free.push((begin + 2..begin + 2 + one.name.len(), "a name"));
            body.extend(entry(letter, &one.name, &more));
        }
        self.bytes.extend(number(body.len() as u64));
        let from = self.bytes.len();
        self.free.extend(free.into_iter().map(|(range, what)| (from + range.start..from + range.end, what)));
        self.bytes.extend(body);
        at
    }
}

/// The times of files, by their paths.
fn timed(entries: &[Entry], path: &[u8], files: &mut usize, times: &mut Vec<(Vec<u8>, i64)>) {
    for entry in entries {
        if let What::Folder(inner) = &entry.what {
            timed(inner, &below(path, &entry.name), files, times);
        }
    }
    for entry in entries.iter().filter(|entry| matches!(entry.what, What::File(_))) {
        times.push((below(path, &entry.name), TIMES[*files % TIMES.len()]));
        *files += 1;
    }
}

fn list(entries: &[Entry], path: &[u8], times: &[(Vec<u8>, i64)], listed: &mut Vec<(Vec<u8>, String)>) {
    for entry in entries {
        let path = below(path, &entry.name);
        let word = match &entry.what {
            What::Folder(_) => "folder".to_owned(),
            What::File(content) => {
                let (_, time) = times.iter().find(|(of, _)| *of == path).expect("a time");
                format!("file {} {time}", content.len())
            }
            What::Link(_) => "link".to_owned(),
            What::Hard(_) => "hard".to_owned(),
            What::Block => "block".to_owned(),
            What::Character => "character".to_owned(),
            What::Pipe => "pipe".to_owned(),
            What::Socket => "socket".to_owned(),
        };
        listed.push((path.clone(), word));
        if let What::Folder(inner) = &entry.what {
            list(inner, &path, times, listed);
        }
    }
}

fn below(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

/// What is wrong with a catalogue that comes in pieces as `cut` says.
pub fn read(bytes: &[u8], cut: &mut dyn FnMut() -> usize) -> Vec<Odd> {
    let mut reader = Reader::new(bytes.len() as u64);
    let (mut odds, mut end, mut rest) = (Vec::new(), Ok(()), bytes);
    while !rest.is_empty() && end.is_ok() {
        let (now, then) = rest.split_at(cut().clamp(1, rest.len()));
        rest = then;
        end = reader.push(now, &mut |odd| odds.push(odd));
    }
    odds.extend(end.and_then(|()| reader.end()).err());
    odds
}

/// What a walk lists of a catalogue, or of what is at a path in it, and what it finds wrong; pieces are as long as
/// `cut` says.
pub fn walk(bytes: &[u8], within: &[u8], cut: &mut dyn FnMut() -> usize) -> (Vec<(Vec<u8>, String)>, Vec<Odd>) {
    let mut walk = Walk::new(bytes.len() as u64, within);
    let (mut listed, mut odds, mut end) = (Vec::new(), Vec::new(), Ok(()));
    while let (Some(at), Ok(())) = (walk.wants(), &end) {
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        end = walk.push(&rest[..cut().clamp(1, rest.len())], &mut |event| match event {
            Event::Odd(odd) => odds.push(odd),
            Event::Listed(one) => {
                let word = match one.kind {
                    Kind::Folder => "folder".to_owned(),
                    Kind::File { size, modified } => format!("file {size} {modified}"),
                    Kind::Link => "link".to_owned(),
                    Kind::Hard => "hard".to_owned(),
                    Kind::Block => "block".to_owned(),
                    Kind::Character => "character".to_owned(),
                    Kind::Pipe => "pipe".to_owned(),
                    Kind::Socket => "socket".to_owned(),
                };
                listed.push((one.path.to_vec(), word));
            }
        });
    }
    odds.extend(end.and_then(|()| walk.end()).err());
    (listed, odds)
}
