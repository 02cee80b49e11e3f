//! The tree of files in an archive of a datastore, a line or a JSON object each.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::formats::datastore::archives::{Part, part_of};
use highwater_core::formats::datastore::pxar::{Content, Device, Event, Member, MemberKind, Odd, Reader};
use highwater_core::key::Key;
use highwater_core::name::printable;
use highwater_core::render::thousands;
use highwater_core::report::Depth;
use serde_json::{Value, json};

use super::super::out;
use crate::drive::check_bytes;
use crate::error::Error;
use crate::restore::{Plan, damaged};
use crate::store::Store;
use crate::watch::Watch;

/// Entries that are printed at a time.
const LINES: usize = 1024;

/// Whether what was asked for is an archive that holds a tree; `point` as it was named.
pub(super) fn is_tree(point: &str) -> Option<Part> {
    let (_, archive) = point.rsplit_once('/')?;
    part_of(archive).map(|(_, part)| part).filter(|part| *part != Part::Payloads)
}

/// Prints the tree of a plan that is of such an archive. Chunks are read as far as they hold more than the contents of
/// files, and checked before anything of them is taken.
pub(super) fn show(
    store: &dyn Store,
    plan: &Plan,
    part: Part,
    key: Option<&Key>,
    json: bool,
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let mut lines = Lines { json, text: String::new(), count: 0, waiting: 0 };
    let head = json!({ "schema": 1, "point": plan.point, "bytes": plan.end });
    lines.text = if json {
        let head = head.to_string();
        format!("{},\n  \"entries\": [", head.strip_suffix('}').unwrap_or(&head))
    } else {
        format!("{}: {} bytes\n", plan.point, thousands(plan.end))
    };
    let mut reader = Reader::new(plan.end, part == Part::Tree);
    let watch = Watch::new(Arc::clone(stop), |_| {});
    let mut odds = Vec::new();
    let mut over = Ok(());
    for claim in plan.claims.iter() {
        if reader.skips() >= claim.expect.length {
            reader.skip(claim.expect.length);
            continue;
        }
        let bytes = chunk(store, &claim, (plan, key), &watch)?;
        over = reader.push(&bytes, &mut |event| match event {
            Event::Member(member) => lines.take(&member),
            Event::Odd(odd) => odds.push(odd),
        });
        if over.is_err() {
            break;
        }
        lines.print(LINES)?;
    }
    let over = over.and_then(|()| reader.end());
    if json {
        lines.text.push_str("\n  ]}\n");
    }
    lines.print(0)?;
    match odds.into_iter().next().map_or(over, Err) {
        Ok(()) => Ok(()),
        Err(Odd { at, what, .. }) => Err(Error::damage(format!("byte {at} of the archive in {}: {what}", plan.point))),
    }
}

/// The bytes of a chunk, which are what its index says.
fn chunk(
    store: &dyn Store,
    claim: &Claim,
    (plan, key): (&Plan, Option<&Key>),
    watch: &Watch<'_>,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut take = |some: &[u8]| bytes.extend_from_slice(some);
    let (verdict, _) = check_bytes(store, claim, (Depth::Digest, key), watch, &mut take)?;
    let named = plan.key.as_deref().filter(|_| key.is_none());
    let named = named.map(|named| format!("; its key is {}", printable(named.as_bytes()))).unwrap_or_default();
    match verdict {
        Verdict::Sound => Ok(bytes),
        Verdict::Damaged(damage) => Err(Error::damage(damaged(store, claim, &damage))),
        Verdict::Unreadable(fault) => Err(Error::failed(format!("'{}': {fault}", claim.object))),
        Verdict::Unverifiable(why) => {
            let object = &claim.object;
            Err(Error::failed(format!("'{object}': {why}{named}; --chunks shows which chunks the archive has")))
        }
    }
}

/// What is printed.
struct Lines {
    json: bool,
    text: String,
    count: u64,
    waiting: usize,
}

impl Lines {
    fn take(&mut self, member: &Member<'_>) {
        if self.json {
            self.text.push_str(if self.count == 0 { "\n    " } else { ",\n    " });
            self.text.push_str(&object(member).to_string());
        } else {
            self.text.push_str(&line(member));
        }
        self.count += 1;
        self.waiting += 1;
    }

    /// Prints what waits, if it is more than so many.
    fn print(&mut self, most: usize) -> Result<(), Error> {
        if self.waiting > most || most == 0 {
            let text = std::mem::take(&mut self.text);
            out::through(|out| out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
            self.waiting = 0;
        }
        Ok(())
    }
}

/// What an entry is, in a letter as `ls` has it, and in a word.
fn kind(kind: &MemberKind) -> (char, &'static str) {
    match kind {
        MemberKind::Folder => ('d', "folder"),
        MemberKind::File(_) => ('-', "file"),
        MemberKind::Link(_) => ('l', "link"),
        MemberKind::Hard(_) => ('h', "hardlink"),
        MemberKind::Block(_) => ('b', "block"),
        MemberKind::Character(_) => ('c', "character"),
        MemberKind::Pipe => ('p', "pipe"),
        MemberKind::Socket => ('s', "socket"),
    }
}

/// The time of an entry in UTC, to the second; where no calendar has it, the seconds since 1970.
pub(super) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

fn line(member: &Member<'_>) -> String {
    let (letter, _) = kind(&member.kind);
    let path = if member.path.is_empty() { ".".to_owned() } else { printable(member.path) };
    let what = match &member.kind {
        MemberKind::Link(target) | MemberKind::Hard(target) => format!("{path} -> {}", printable(target)),
        _ => path,
    };
    let size = match &member.kind {
        MemberKind::File(content) => thousands(content.length()),
        MemberKind::Block(Device { major, minor }) | MemberKind::Character(Device { major, minor }) => {
            format!("{major},{minor}")
        }
        _ => String::new(),
    };
    let (mode, owner, time) = member.stat.map_or_else(Default::default, |stat| {
        (format!("{:04o}", stat.mode), format!("{}:{}", stat.uid, stat.gid), time(stat.modified.0))
    });
    format!("{letter}{mode:>5} {owner:>11} {size:>15} {time:>20}  {what}\n")
}

fn object(member: &Member<'_>) -> Value {
    let (_, word) = kind(&member.kind);
    let mut object = json!({ "path": printable(member.path), "type": word });
    let Some(fields) = object.as_object_mut() else { return object };
    if let Some(stat) = member.stat {
        let (seconds, nanoseconds) = stat.modified;
        fields.insert("mode".to_owned(), json!(format!("{:04o}", stat.mode)));
        fields.insert("uid".to_owned(), json!(stat.uid));
        fields.insert("gid".to_owned(), json!(stat.gid));
        fields.insert("modified".to_owned(), json!(seconds));
        fields.insert("nanoseconds".to_owned(), json!(nanoseconds));
    }
    match &member.kind {
        MemberKind::File(content) => {
            fields.insert("size".to_owned(), json!(content.length()));
            if let Content::Apart { at, .. } = content {
                fields.insert("payload".to_owned(), json!(at));
            }
        }
        MemberKind::Link(target) | MemberKind::Hard(target) => {
            fields.insert("target".to_owned(), json!(printable(target)));
        }
        MemberKind::Block(Device { major, minor }) | MemberKind::Character(Device { major, minor }) => {
            fields.insert("major".to_owned(), json!(major));
            fields.insert("minor".to_owned(), json!(minor));
        }
        MemberKind::Folder | MemberKind::Pipe | MemberKind::Socket => {}
    }
    object
}
