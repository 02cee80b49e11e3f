//! The names in a datastore: snapshots, chunks, times.

use crate::digest::Digest;
use crate::keep::days;
use crate::name::Name;
// A snapshot is written in a folder of its group. Servers pass over what is hidden.
pub use crate::name::WORK;
use crate::point::LATEST;

/// The folder of the chunks.
pub const CHUNKS: &str = ".chunks";

/// The folder of all that is no chunk, where a store lies in S3: its keys are `STORE/.cnt/…` and `STORE/.chunks/…`.
pub const CONTENTS: &str = ".cnt";

/// The lock file of all writers in its root; the server's garbage collection holds it alone.
pub const LOCK: &str = ".lock";

/// The manifest of a snapshot.
pub const MANIFEST: &str = "index.json.blob";

/// What a client said while it wrote a snapshot; it comes after the manifest, which does not name it.
pub const LOG: &str = "client.log.blob";

/// The kinds of snapshots, which are the names of folders.
pub(super) const TYPES: [&str; 3] = ["vm", "ct", "host"];

/// How deep namespaces lie in each other, at most.
pub(super) const DEEPEST: usize = 7;

/// The longest name of a file in an archive, and the longest target of a link, in bytes.
pub(super) const LONGEST_FILE: u64 = 4096;

/// Whether a file in an archive can have this name.
pub(super) fn is_file(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// Whether this can be the name of a group or a namespace: a letter, digit or `_`, then those and `.`, `-`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(plain) && text.chars().all(|c| plain(c) || c == '.' || c == '-')
}

/// The seconds since 1970 that a snapshot's folder `YYYY-MM-DDTHH:MM:SSZ` is named after.
#[must_use]
pub fn time_of(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if bytes.len() != 20 || !marks.iter().all(|(at, mark)| bytes.get(*at) == Some(mark)) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// The name of the folder of a snapshot of this second since 1970; see [`time_of`].
#[must_use]
pub fn text_of(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Years that begin in March.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + turn;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

/// The name that a folder should have whose name was changed by a program or file system that cannot write it: other
/// colons or none, percent signs, small letters, a lost end.
#[must_use]
pub fn mended(text: &str) -> Option<String> {
    let text = text.replace("%3A", ":").replace("%3a", ":");
    let mut digits = text.chars().filter_map(|c| c.to_digit(10)).peekable();
    let others = text.chars().filter(|c| !c.is_ascii_digit());
    let harmless = |c: char| {
        matches!(
            c,
            '-' | '_'
                | '.'
                | ':'
                | ' '
                | '='
                | 'T'
                | 't'
                | 'Z'
                | 'z'
                | '\u{ff1a}'
                | '\u{a789}'
                | '\u{2236}'
                | '\u{2d0}'
        ) || ('\u{e000}'..='\u{f8ff}').contains(&c)
    };
    let harmless = others.clone().all(harmless) && others.count() <= 8;
    let mut part = |length: usize| -> Option<String> {
        let part: String = digits.by_ref().take(length).filter_map(|digit| char::from_digit(digit, 10)).collect();
        (part.len() == length).then_some(part)
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let (hour, minute, second) = (part(2)?, part(2)?, part(2)?);
    let mended = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    (harmless && digits.peek().is_none() && time_of(&mended).is_some()).then_some(mended)
}

/// What is named after the `@` of `STORE@POINT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    /// The snapshot, or the group or namespace that it is in; empty for the whole store.
    pub(super) path: &'a str,
    /// Whether `path` is a snapshot, or how many of those in it are meant.
    pub(super) which: Which,
    /// The archive that may be named last.
    pub(super) archive: Option<&'a str>,
}

/// Which snapshots a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// It is that of one snapshot.
    This,
    /// Those in it: all, or the newest where one is asked for.
    In,
    /// The newest of those in it.
    Latest,
}

/// Reads what is named after the `@`: `GROUP/TIME`, `GROUP`, `ns/NAME`, or one of the latter two or nothing and
/// `latest`; all but a namespace by itself may be followed by an archive.
pub(super) fn wanted(text: &str) -> Option<Wanted<'_>> {
    let bare = |text| {
        let found = |path, which| Some(Wanted { path, which, archive: None });
        if is_snapshot(text) {
            return found(text, Which::This);
        }
        if text == LATEST {
            return found("", Which::Latest);
        }
        match text.strip_suffix(LATEST).and_then(|path| path.strip_suffix('/')) {
            Some(path) if Group::parse(path).is_some() || is_space(path) => found(path, Which::Latest),
            None if Group::parse(text).is_some() || is_space(text) => found(text, Which::In),
            _ => None,
        }
    };
    bare(text).or_else(|| {
        let (point, archive) = text.rsplit_once('/')?;
        let wanted = bare(point).filter(|wanted| wanted.which != Which::In || !is_space(point))?;
        // A word with a colon is a time that is none.
        (!archive.is_empty() && !archive.contains(':')).then_some(Wanted { archive: Some(archive), ..wanted })
    })
}

/// Whether this is the path of a namespace.
fn is_space(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    parts.len() <= 2 * DEEPEST && parts.chunks(2).all(|pair| matches!(pair, ["ns", name] if is_id(name)))
}

fn is_snapshot(text: &str) -> bool {
    text.rsplit_once('/').is_some_and(|(group, time)| Group::parse(group).is_some() && time_of(time).is_some())
}

/// A group: what its snapshots are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// Its path below the store: `[ns/NAME/...]TYPE/ID`.
    pub path: &'a str,
    /// `vm`, `ct` or `host`.
    pub kind: &'a str,
    /// What it is of.
    pub id: &'a str,
}

impl<'a> Group<'a> {
    /// The group of this path.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Self> {
        let mut parts: Vec<&str> = path.split('/').collect();
        let (id, kind) = (parts.pop()?, parts.pop()?);
        let spaces =
            parts.len() <= 2 * DEEPEST && parts.chunks(2).all(|pair| matches!(pair, ["ns", name] if is_id(name)));
        (spaces && TYPES.contains(&kind) && is_id(id)).then_some(Self { path, kind, id })
    }
}

/// Where the chunk of this digest lies.
#[must_use]
pub fn chunk(digest: &Digest) -> Option<Name> {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    let hex = digest.as_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let mut name = Vec::with_capacity(CHUNKS.len() + 6 + 64);
    name.extend_from_slice(CHUNKS.as_bytes());
    name.push(b'/');
    name.extend(hex.clone().take(4));
    name.push(b'/');
    name.extend(hex);
    Name::new(&name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_of_utc() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2000-02-29T12:30:01Z", Some(951_827_401)),
            ("2025-06-16T15:06:40Z", Some(1_750_086_400)),
            ("2025-06-16 15:06:40Z", None),
            ("2025-13-16T15:06:40Z", None),
            ("2025-06-16T24:06:40Z", None),
            ("+025-06-16T15:06:40Z", None),
            ("", None),
        ] {
            assert_eq!(time_of(text), seconds, "{text}");
        }
    }

    #[test]
    fn a_second_has_one_name() {
        for seconds in [0, -1, 951_827_401, 1_750_086_400, 253_402_300_799, 68_169_600, 68_256_000, -62_135_596_800] {
            assert_eq!(time_of(&text_of(seconds)), Some(seconds), "{seconds}");
        }
        for day in -200_000..200_000 {
            assert_eq!(time_of(&text_of(day * 86_400 + 3)), Some(day * 86_400 + 3), "{day}");
        }
    }

    #[test]
    fn names_that_copiers_write_are_mended() {
        for text in [
            "2025-06-16T15_07_40Z",
            "2025-06-16T15\u{ff1a}07\u{ff1a}40Z",
            "2025-06-16T15\u{f03a}07\u{f03a}40Z",
            "2025-06-16T15%3A07%3a40Z",
            "2025-06-16t15:07:40z",
            "2025-06-16T15:07:40",
            "2025-06-16 15-07-40",
            "20250616T150740Z",
        ] {
            assert_eq!(mended(text).as_deref(), Some("2025-06-16T15:07:40Z"), "{text}");
        }
        for text in
            ["", "notes", "2025-06-16T15:07:40Z.bak", "2025-13-16T15_07_40Z", "2025-06-16T15:07:4Z", "1234567890123456"]
        {
            assert_eq!(mended(text), None, "{text}");
        }
    }

    #[test]
    fn snapshots_are_paths_of_three_parts_below_namespaces() {
        for (text, is) in [
            ("vm/100/2025-06-16T15:06:40Z", true),
            ("ns/team/ns/a/ct/201/2025-06-16T15:10:40Z", true),
            ("ns/team/2025-06-16T15:10:40Z", false),
            ("ns/../vm/100/2025-06-16T15:06:40Z", false),
            ("vm/-/2025-06-16T15:06:40Z", false),
            ("disk/100/2025-06-16T15:06:40Z", false),
            ("vm/100", false),
        ] {
            let found = Wanted { path: text, which: Which::This, archive: None };
            assert_eq!(wanted(text).filter(|wanted| wanted.which == Which::This), is.then_some(found), "{text}");
        }
        let snapshot = "vm/100/2025-06-16T15:06:40Z";
        let wanted = |text| wanted(text).map(|Wanted { path, which, archive }| (path, which, archive));
        for (text, found) in [
            (&*format!("{snapshot}/disk.img"), Some((snapshot, Which::This, Some("disk.img")))),
            (&*format!("{snapshot}/a/b"), None),
            (&*format!("{snapshot}/"), None),
            ("vm/100", Some(("vm/100", Which::In, None))),
            ("vm/100/latest", Some(("vm/100", Which::Latest, None))),
            ("vm/100/latest/a.img", Some(("vm/100", Which::Latest, Some("a.img")))),
            ("vm/100/a.img", Some(("vm/100", Which::In, Some("a.img")))),
            ("vm/100/2025-06-16T15:06Z", None),
            ("ns/a/ns/b", Some(("ns/a/ns/b", Which::In, None))),
            ("ns/a/latest", Some(("ns/a", Which::Latest, None))),
            ("ns/a/a.img", None),
            ("ns/a/ct/7", Some(("ns/a/ct/7", Which::In, None))),
            ("latest", Some(("", Which::Latest, None))),
            ("latest/a.img", Some(("", Which::Latest, Some("a.img")))),
            ("vm", None),
            ("", None),
            ("/", None),
        ] {
            assert_eq!(wanted(text), found, "{text}");
        }
    }
}
