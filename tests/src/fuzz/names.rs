//! Targets for what is written by hand or comes from a listing: names, points, shards, codes, sums in hex.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use highwater_core::codec::Codec;
use highwater_core::digest::{Algorithm, Digest};
use highwater_core::finding::Code;
use highwater_core::formats::by_name;
use highwater_core::formats::repozo::names::{DataFile, Kind, Role};
use highwater_core::name::{LONGEST, Name, printable};
use highwater_core::point::Point;
use highwater_core::shard::Shard;
use highwater_core::stamp::{at_or_before, point};

use super::markup::is_plain;

/// Any bytes as the name of an object: what is accepted stays below its root as the system sees it, what is shown can
/// be told apart from every other name, and a name's role is the one that the original's pattern gives it.
pub(crate) fn names(bytes: &[u8]) {
    let shown = printable(bytes);
    assert!(shown.chars().all(is_plain), "{shown:?} shows {bytes:?}");
    assert_eq!(unescaped(&shown), bytes, "two names look like {shown:?}");
    let plain = bytes.len() <= LONGEST && !bytes.contains(&0) && is_below(bytes);
    let Ok(name) = Name::new(bytes) else {
        assert!(!plain, "{shown} is refused");
        return;
    };
    assert!(plain, "{shown} is accepted");
    assert_eq!((name.as_bytes(), name.to_string()), (bytes, shown));
    assert_eq!(serde_json::to_value(&name).expect("a string"), serde_json::Value::String(name.to_string()));
    let data = |kind, codec| stamped(bytes).map(|(stem, _)| DataFile { stem, kind, codec });
    let wanted = match stamped(bytes) {
        Some((_, "fs")) => data(Kind::Full, Codec::Plain).map(Role::Data),
        Some((_, "fsz")) => data(Kind::Full, Codec::Gzip).map(Role::Data),
        Some((_, "deltafs")) => data(Kind::Delta, Codec::Plain).map(Role::Data),
        Some((_, "deltafsz")) => data(Kind::Delta, Codec::Gzip).map(Role::Data),
        Some((stem, "dat")) => Some(Role::Dat(stem)),
        Some((stem, "index")) => Some(Role::Index(stem)),
        _ if bytes == b".highwater.lock" => Some(Role::Lock),
        _ if bytes == b"tmp.tmp" || bytes.ends_with(b".highwater-tmp") => Some(Role::Temporary),
        _ => None,
    };
    assert_eq!(Role::of(&name), wanted.unwrap_or(Role::Stray));
    if let Some(data) = DataFile::parse(bytes) {
        assert_eq!(data.name().as_bytes(), bytes);
    }
}

/// Any text as a point, a shard, a code or a sum, and any lines after the first as file names that a point is compared
/// with.
pub(crate) fn words(bytes: &[u8]) {
    if let Some(digest) = Digest::from_hex(Algorithm::Md5, bytes) {
        assert_eq!(digest.to_string().as_bytes(), bytes.to_ascii_lowercase());
    } else {
        assert!(bytes.len() != 32 || !bytes.iter().all(u8::is_ascii_hexdigit));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(code) = first.parse::<Code>() {
        let number = first.trim_start_matches("HW").trim_start_matches("hw");
        assert!(first == code.name() || number == code.number().to_string(), "{first} is {code}");
        assert!(code.page().contains(code.name()));
    }
    if let Ok(shard) = first.parse::<Shard>() {
        assert_eq!(shard.to_string().parse::<Shard>().as_ref(), Ok(&shard), "{first}");
        let count: u64 = first.split_once('/').and_then(|(_, count)| count.parse().ok()).expect("a count");
        assert_eq!(shard.is_part(), count != 1);
        let name = Name::new(rest.as_bytes()).ok();
        let holders = (1..=count.min(40)).filter(|i| Shard::new(*i, count).is_some_and(|s| s.holds(name.as_ref())));
        assert!(holders.count() == 1 || count > 40, "{count} shards and {rest}");
    }
    let format = by_name("repozo").expect("a known format");
    if let Ok(point) = point(first) {
        assert_eq!(format.point(first).as_ref().map(Point::as_str), Ok(&*point));
    }
    let Ok(wanted) = point(first) else { return };
    assert_eq!(point(&wanted).as_ref(), Ok(&wanted), "a point is read as itself");
    assert!(wanted.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'), "{wanted}");
    let stems: Vec<&str> = rest.lines().filter_map(|line| DataFile::parse(line.as_bytes())).map(|d| d.stem).collect();
    for stem in stems.iter().take(8) {
        assert!(!stem.starts_with(&wanted) || at_or_before(stem, &wanted), "{stem} lies in {wanted}");
        for later in stems.iter().take(8).filter(|later| *later >= stem && at_or_before(later, &wanted)) {
            assert!(at_or_before(stem, &wanted), "{stem} is after {wanted}, {later} is not");
        }
    }
}

/// Whether the system finds the path below the folder it starts in, written in the only way for this object.
fn is_below(bytes: &[u8]) -> bool {
    let part = |part| match part {
        Component::Normal(part) => Some(OsStr::as_bytes(part)),
        _ => None,
    };
    let parts: Option<Vec<&[u8]>> = Path::new(OsStr::from_bytes(bytes)).components().map(part).collect();
    parts.is_some_and(|parts| !parts.is_empty() && parts.join(&b'/') == bytes)
}

/// The stamp and what follows it, when a name begins with a stamp and a dot.
pub(crate) fn stamped(name: &[u8]) -> Option<(&str, &str)> {
    let (stem, rest) = std::str::from_utf8(name).ok()?.split_once('.')?;
    let lengths: Vec<usize> = stem.split('-').map(str::len).collect();
    let digits = stem.chars().all(|c| c == '-' || c.is_ascii_digit());
    (digits && lengths == [4, 2, 2, 2, 2, 2]).then_some((stem, rest))
}

/// The bytes that `printable` shows so.
fn unescaped(shown: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            bytes.extend(c.to_string().into_bytes());
            continue;
        }
        let kind = rest.chars().next().expect("something escaped");
        rest = &rest[kind.len_utf8()..];
        match kind {
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            '\\' => bytes.push(b'\\'),
            'x' => {
                bytes.push(u8::from_str_radix(&rest[..2], 16).expect("two digits"));
                rest = &rest[2..];
            }
            'u' => {
                let (number, after) = rest[1..].split_once('}').expect("a brace");
                let c = u32::from_str_radix(number, 16).ok().and_then(char::from_u32).expect("a character");
                bytes.extend(c.to_string().into_bytes());
                rest = after;
            }
            other => panic!("an unknown escape {other:?} in {shown:?}"),
        }
    }
    bytes
}
