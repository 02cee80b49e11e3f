//! The entries of a catalogue. It is walked through from its root, so that of one folder little is read.

use std::collections::VecDeque;
use std::ops::Range;

use highwater_core::formats::datastore::Odd;
use highwater_core::formats::datastore::pcat1::{Event, Kind, Listed, Walk};
use highwater_core::name::{Name, printable};
use highwater_core::render::thousands;
use serde_json::{Value, json};

use super::archive::Archive;
use super::chunks::Chunks;
use super::lines::Lines;
use super::tree::time;
use crate::error::Error;

/// How many bytes of chunks are kept: folders lie close to what is in them.
const KEPT: usize = 64 << 20;

/// Reads the entries; or what contradicts them, once all that could be read was taken.
pub(super) fn read(archive: &Archive, from: &Chunks<'_>, lines: &mut Lines) -> Result<Result<(), Odd>, Error> {
    let mut walk = Walk::new(from.plan.end, archive.within.as_ref().map_or(&[], Name::as_bytes));
    let mut near = Near { from, chunks: VecDeque::new() };
    let (mut odd, mut over) = (None, Ok(()));
    while let (Some(at), Ok(())) = (walk.wants(), &over) {
        let bytes = near.bytes(at)?;
        if bytes.is_empty() {
            break;
        }
        over = walk.push(bytes, &mut |event| match event {
            Event::Listed(listed) => lines.take(|| line(&listed), || object(&listed)),
            Event::Odd(one) => _ = odd.get_or_insert(one),
        });
        lines.print()?;
    }
    Ok(odd.map_or(over.and_then(|()| walk.end()), Err))
}

/// The chunks that were read last.
struct Near<'a> {
    from: &'a Chunks<'a>,
    chunks: VecDeque<(Range<u64>, Vec<u8>)>,
}

impl Near<'_> {
    /// What is in the archive from here on, to the end of a chunk; nothing where it has ended.
    fn bytes(&mut self, at: u64) -> Result<&[u8], Error> {
        let known = self.chunks.iter().position(|(range, _)| range.contains(&at));
        let chunk = match known.and_then(|known| self.chunks.remove(known)) {
            Some(chunk) => chunk,
            None => {
                let Some(claim) = self.from.plan.claims.at(at) else { return Ok(&[]) };
                (claim.target(), self.from.read(&claim)?)
            }
        };
        self.chunks.push_front(chunk);
        while self.chunks.len() > 1 && self.chunks.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > KEPT {
            self.chunks.pop_back();
        }
        let Some((range, bytes)) = self.chunks.front() else { return Ok(&[]) };
        Ok(usize::try_from(at - range.start).ok().and_then(|from| bytes.get(from..)).unwrap_or_default())
    }
}

/// What an entry is, in a letter as `ls` has it, and in a word.
fn kind(kind: Kind) -> (char, &'static str) {
    match kind {
        Kind::Folder => ('d', "folder"),
        Kind::File { .. } => ('-', "file"),
        Kind::Link => ('l', "link"),
        Kind::Hard => ('h', "hardlink"),
        Kind::Block => ('b', "block"),
        Kind::Character => ('c', "character"),
        Kind::Pipe => ('p', "pipe"),
        Kind::Socket => ('s', "socket"),
    }
}

fn line(listed: &Listed<'_>) -> String {
    let (letter, _) = kind(listed.kind);
    let (size, time) = match listed.kind {
        Kind::File { size, modified } => (thousands(size), time(modified)),
        _ => Default::default(),
    };
    format!("{letter} {size:>15} {time:>20}  {}\n", printable(listed.path))
}

fn object(listed: &Listed<'_>) -> Value {
    let (_, word) = kind(listed.kind);
    let mut object = json!({ "path": printable(listed.path), "type": word });
    if let (Kind::File { size, modified }, Some(fields)) = (listed.kind, object.as_object_mut()) {
        fields.insert("size".to_owned(), json!(size));
        fields.insert("modified".to_owned(), json!(modified));
    }
    object
}
