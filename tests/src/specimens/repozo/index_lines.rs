//! Targets for text indices: the line splitter, and the `.dat` lines with what connects them.

use highwater_core::digest::{Algorithm, Digest};
use highwater_core::formats::repozo::chain::{Break, Continuity};
use highwater_core::formats::repozo::dat::{Line, path};
use highwater_core::split::{LONGEST, Lines};

use crate::fuzz::feed::pieces;
use crate::fuzz::markup::is_plain;
use crate::fuzz::names::stamped;

/// The stem of the chain whose lines the target `dat` reads.
pub(crate) const STEM: &str = "2026-03-01-00-00-00";

/// The stem at which the next chain begins.
const LIMIT: &str = "2026-03-02-00-00-00";

/// A line as the splitter gives it: where, what, whether it was cut and whether it was ended.
type Cut = (u64, Vec<u8>, bool, bool);

/// A line of four fields, as somebody reads it who splits all of it at white space.
pub(crate) struct Fields<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) sum: String,
}

/// Reads a line with no cunning: splits all of it at white space, takes the last three fields, and calls the rest the
/// path.
pub(crate) fn fields(text: &[u8]) -> Option<Fields<'_>> {
    let fields: Vec<&[u8]> = text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
    let [_, .., start, end, sum] = &fields[..] else { return None };
    let before = start.as_ptr().addr() - text.as_ptr().addr();
    let path = text[..before].trim_ascii();
    let file = path.rsplit(|c| matches!(c, b'/' | b'\\')).next()?;
    let number = |digits: &[u8]| {
        let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|c| c.is_ascii_digit()))?;
        text.parse::<u64>().ok()
    };
    let (start, end) = (number(start)?, number(end)?);
    let sum = String::from_utf8(sum.to_ascii_lowercase()).ok()?;
    let hex = sum.len() == 32 && sum.bytes().all(|c| c.is_ascii_hexdigit());
    (!path.is_empty() && hex && start <= end).then_some(Fields { file, start, end, sum })
}

/// Any bytes as the lines of a `.dat`: what a line says is what a reader that splits everything sees, a line that is
/// written again is read as the same, and the first line that does not continue the chain is the first that breaks a
/// rule.
pub(crate) fn dat(bytes: &[u8]) {
    let limit = (bytes.first().is_some_and(|byte| byte % 2 == 0)).then_some(LIMIT);
    let mut continuity = Continuity::new(STEM, limit);
    let (mut last, mut connected): (Option<(String, u64)>, bool) = (None, true);
    for text in bytes.split(|byte| *byte == b'\n') {
        let wanted = fields(text);
        let line = Line::parse(text).ok();
        assert_eq!(line.is_some(), wanted.is_some(), "{text:?}");
        if let (Some(line), Some(wanted)) = (&line, &wanted) {
            assert_eq!((line.file, line.start, line.end), (wanted.file, wanted.start, wanted.end), "{text:?}");
            assert_eq!(Digest::from_hex(Algorithm::Md5, wanted.sum.as_bytes()), Some(line.digest));
            let written = line.encode();
            assert_eq!(written.last(), Some(&b'\n'));
            assert_eq!(Line::parse(&written[..written.len() - 1]).as_ref(), Ok(line), "{text:?}");
        }
        let (link, fault) = continuity.line(text, false);
        if let Some(link) = &link {
            let wanted = wanted.as_ref().expect("a link needs a line");
            assert_eq!((link.file.as_bytes(), link.start, link.end), (wanted.file, wanted.start, wanted.end));
        }
        if let Some(fault) = &fault {
            assert!(fault.to_string().chars().all(is_plain), "{fault}");
            let sense = match fault {
                Break::Gap { expected, found } => found > expected,
                Break::Overlap { expected, found } => found < expected,
                _ => true,
            };
            assert!(sense && fault.code().number() > 0, "{fault:?}");
        }
        if !connected {
            continue;
        }
        let next = wanted.and_then(|wanted| {
            let (stem, extension) = stamped(wanted.file)?;
            let fits = match &last {
                None => extension.starts_with("fs") && stem == STEM && wanted.start == 0,
                Some((before, end)) => {
                    let inside = limit.is_none_or(|limit| stem < limit);
                    extension.starts_with("delta") && stem > before.as_str() && inside && wanted.start == *end
                }
            };
            let data = matches!(extension, "fs" | "fsz" | "deltafs" | "deltafsz");
            (fits && data).then(|| (stem.to_owned(), wanted.end))
        });
        assert_eq!(fault.is_none(), next.is_some(), "{text:?} gives {fault:?}");
        connected = next.is_some();
        last = next;
    }
    let repository = bytes.get(..bytes.len().min(200)).unwrap_or_default();
    let mut written = path(repository, "2026-03-01-00-00-00.fs");
    written.extend(format!(" 0 7 {}", "0".repeat(32)).bytes());
    assert!(!written.contains(&b'\n'), "{repository:?} begins a line of its own");
    let read = Line::parse(&written).expect("what is written can be read");
    assert_eq!((read.file, read.end), (&b"2026-03-01-00-00-00.fs"[..], 7));
}

/// Any bytes as lines: any cut gives the lines that splitting the whole gives. A byte 0xfe stands for a long run of the
/// one after it, so that short inputs reach the longest line.
pub(crate) fn lines(bytes: &[u8]) {
    let mut text = Vec::new();
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            0xfe if text.len() < 40_000 => {
                let (times, what) = (*rest.next().unwrap_or(&0), *rest.next().unwrap_or(&b'x'));
                let length = match (times, what) {
                    (_, b'\n' | b'\r') => usize::from(times),
                    // Exactly one byte less than the longest line.
                    (255, _) => LONGEST - 1,
                    (times, _) => 256 * usize::from(times % 66),
                };
                text.extend(std::iter::repeat_n(what, length));
            }
            byte => text.push(byte),
        }
    }
    let mut wanted: Vec<Cut> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let ended = line.ends_with(b"\n");
        let content = if ended { &line[..line.len() - 1] } else { line };
        let kept = &content[..content.len().min(LONGEST)];
        let kept = if ended { kept.strip_suffix(b"\r").unwrap_or(kept) } else { kept };
        wanted.push((at, kept.to_vec(), content.len() > LONGEST, ended));
        at += line.len() as u64;
    }
    assert!(split(&[&text]) == wanted, "in one piece");
    assert!(split(&pieces(&text)) == wanted, "in pieces");
}

fn split(pieces: &[&[u8]]) -> Vec<Cut> {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    let mut each =
        |line: highwater_core::split::Line<'_>| found.push((line.at, line.text.to_vec(), line.cut, line.ended));
    for piece in pieces {
        lines.push(piece, &mut each);
    }
    lines.end(each);
    found
}
