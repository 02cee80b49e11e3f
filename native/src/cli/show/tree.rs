//! The entries of a tree of files in an archive of a datastore.

use highwater_core::formats::datastore::Odd;
use highwater_core::formats::datastore::pxar::{Content, Device, Event, Member, MemberKind, Reader};
use highwater_core::name::printable;
use highwater_core::render::thousands;
use serde_json::{Value, json};

use super::archive::Archive;
use super::chunks::Chunks;
use super::lines::Lines;
use crate::error::Error;

/// Reads the entries; or what contradicts them, once all that could be read was taken. Chunks are read as far as they
/// hold more than the contents of files.
pub(super) fn read(
    archive: &Archive,
    split: bool,
    from: &Chunks<'_>,
    lines: &mut Lines,
) -> Result<Result<(), Odd>, Error> {
    let mut reader = Reader::new(from.plan.end, split);
    let (mut odd, mut over) = (None, Ok(()));
    for claim in from.plan.claims.iter() {
        if reader.skips() >= claim.expect.length {
            reader.skip(claim.expect.length);
            continue;
        }
        let bytes = from.read(&claim)?;
        over = reader.push(&bytes, &mut |event| match event {
            Event::Member(member) if archive.is_in(member.path) => lines.take(|| line(&member), || object(&member)),
            Event::Member(_) => {}
            Event::Odd(one) => _ = odd.get_or_insert(one),
        });
        if over.is_err() {
            break;
        }
        lines.print()?;
    }
    Ok(odd.map_or(over.and_then(|()| reader.end()), Err))
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
