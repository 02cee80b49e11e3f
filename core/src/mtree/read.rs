//! `Lines`: reads a list of mtree(5), line by line.

use crate::digest::{Algorithm, Digest, Hasher};
use crate::name::Name;
use crate::node::{Meta, Node, NodeKind};

use super::{AGAIN, END, SIGNATURE, TWIN, Twin};

/// The longest line, in bytes: a path and the text of a link, each byte of them escaped, and the rest.
const LONGEST: usize = 48 << 10;

/// A list on its way in. It holds a line of it at most.
#[derive(Debug)]
pub struct Lines {
    line: Vec<u8>,
    /// Where the line begins, in bytes.
    at: u64,
    hasher: Hasher,
    signed: bool,
    end: Option<Digest>,
    odd: Option<Odd>,
}

/// A list cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Where the line begins, in bytes.
    pub at: u64,
    /// What is wrong with it, as a sentence.
    pub what: String,
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A comment, without its `#` and the space behind that.
    Comment(String),
    /// An entry.
    Entry(Entry),
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is; of a file with several names, each is given as a file.
    pub node: Node,
    /// The digest of its bytes, where that is on record.
    pub digest: Option<Digest>,
    /// Which names lead to the same file.
    pub twin: Option<Twin>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { line: Vec::new(), at: 0, hasher: Hasher::new(Algorithm::Sha256), signed: false, end: None, odd: None }
    }
}

impl Lines {
    /// Takes the next bytes, and hands on every line that they make whole.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Line)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.odd.is_some() {
                return;
            }
            if self.line.len().saturating_add(piece.len()) > LONGEST {
                return self.refuse("the line is longer than any can be".to_owned());
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                match self.take(&line) {
                    Ok(Some(line)) => each(line),
                    Ok(None) => {}
                    Err(what) => return self.refuse(what),
                }
                self.at = self.at.saturating_add(line.len() as u64);
            }
        }
    }

    /// What is wrong with the list, when nothing follows.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn end(mut self) -> Result<(), Odd> {
        match (&self.odd, self.end, self.line.is_empty()) {
            (Some(odd), ..) => return Err(odd.clone()),
            (None, Some(_), true) => return Ok(()),
            (None, _, false) => self.refuse("the list ends within a line".to_owned()),
            (None, None, true) => self.refuse("the list ends without the line that says so: it was cut".to_owned()),
        }
        self.odd.map_or(Ok(()), Err)
    }

    fn refuse(&mut self, what: String) {
        self.odd = Some(Odd { at: self.at, what });
    }

    fn take(&mut self, line: &[u8]) -> Result<Option<Line>, String> {
        if self.end.is_some() {
            return Err("something follows the line that ends the list".to_owned());
        }
        if !self.signed {
            self.signed = line == SIGNATURE.as_bytes();
            self.hasher.update(line);
            return if self.signed { Ok(None) } else { Err("it does not begin with #mtree".to_owned()) };
        }
        let text = std::str::from_utf8(line).map_err(|_| "the line is no UTF-8".to_owned())?.trim_end_matches('\n');
        if let Some(digest) = text.strip_prefix(END) {
            let wanted = Digest::from_hex(Algorithm::Sha256, digest.as_bytes());
            let wanted = wanted.ok_or_else(|| "the line that ends the list has no digest".to_owned())?;
            let found = self.hasher.clone().finish();
            if found != wanted {
                return Err(format!("the list above gives the digest {found}, and this line says {wanted}"));
            }
            self.end = Some(wanted);
            return Ok(None);
        }
        self.hasher.update(line);
        match text.strip_prefix('#') {
            Some(comment) => Ok(Some(Line::Comment(comment.trim_start().to_owned()))),
            None if text.is_empty() => Ok(None),
            None => entry(text).map(|entry| Some(Line::Entry(entry))),
        }
    }
}

/// Undoes the escapes of a path or of a link's text.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let byte = byte.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(byte.ok_or_else(|| "a backslash without three octal digits".to_owned())?);
        rest = rest.get(3..).unwrap_or_default();
    }
    Ok(bytes)
}

/// An entry: a path, then keywords with values.
fn entry(line: &str) -> Result<Entry, String> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let path = match words.next().unwrap_or_default() {
        "." => None,
        path => {
            let path = path.strip_prefix("./").ok_or_else(|| "the path does not begin with './'".to_owned())?;
            Some(Name::new(&unescape(path)?).map_err(|error| error.to_string())?)
        }
    };
    let (mut meta, mut digest) = (Meta::default(), None);
    let (mut kind, mut size, mut link) = (None, None, None);
    let (mut names, mut group, mut again) = (1, None, false);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let bad = || format!("'{key}' has the value '{value}', which is none");
        match key {
            "type" => kind = Some(value),
            "size" => size = Some(value.parse().map_err(|_| bad())?),
            "link" => link = Some(unescape(value)?),
            "mode" => {
                meta.mode = Some(u32::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(bad)?)
            }
            "uid" => meta.uid = Some(value.parse().map_err(|_| bad())?),
            "gid" => meta.gid = Some(value.parse().map_err(|_| bad())?),
            "time" => meta.modified = Some(time(value).ok_or_else(bad)?),
            "sha256" | "sha256digest" => {
                digest = Some(Digest::from_hex(Algorithm::Sha256, value.as_bytes()).ok_or_else(bad)?);
            }
            "nlink" => names = value.parse().map_err(|_| bad())?,
            "tags" => {
                group = value.split(',').find_map(|tag| tag.strip_prefix(TWIN)?.parse().ok());
                again = value.split(',').any(|tag| tag == AGAIN);
            }
            // What other programs write beside these.
            _ => {}
        }
    }
    let kind = match kind {
        Some("dir") => NodeKind::Folder,
        Some("file") => NodeKind::File(size.ok_or_else(|| "a file without its size".to_owned())?),
        Some("link") => NodeKind::Link(link.ok_or_else(|| "a link without its text".to_owned())?),
        Some(other) => return Err(format!("the type '{other}' is not known")),
        None => return Err("an entry without its type".to_owned()),
    };
    let twin = group.map(|group| Twin { group, names, again });
    Ok(Entry { node: Node { path, kind, meta }, digest, twin })
}

/// Seconds, a dot, nanoseconds in nine digits.
fn time(text: &str) -> Option<(i64, u32)> {
    let (seconds, nanoseconds) = text.split_once('.')?;
    let nanoseconds = nanoseconds.parse().ok().filter(|_| nanoseconds.len() == 9)?;
    Some((seconds.parse().ok()?, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::super::{push_line, seal};
    use super::*;
    use crate::digest::sha256_of;

    fn read(bytes: &[u8], step: usize) -> (Vec<Line>, Result<(), Odd>) {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        bytes.chunks(step.max(1)).for_each(|piece| lines.push(piece, &mut |line| found.push(line)));
        (found, lines.end())
    }

    fn twin(node: &Node) -> Option<Twin> {
        matches!(node.kind, NodeKind::File(_)).then_some(Twin { group: 7, names: 2, again: true })
    }

    fn sample() -> (Vec<(Node, Option<Digest>)>, String) {
        let meta = Meta { mode: Some(0o640), uid: Some(7), gid: Some(8), modified: Some((-5, 34)) };
        let node = |path: &[u8], kind| Node { path: Name::new(path).ok(), kind, meta };
        let entries = vec![
            (Node { path: None, kind: NodeKind::Folder, meta: Meta::default() }, None),
            (node(b"a b/\xff\\#=*\n", NodeKind::File(3)), Some(sha256_of(b"abc"))),
            (node(b"l", NodeKind::Link(b"../x y\n".to_vec())), None),
        ];
        let mut text = format!("{SIGNATURE}# a comment\n");
        entries.iter().for_each(|(node, digest)| push_line(node, digest.as_ref(), twin(node), &mut text));
        seal(&mut text);
        (entries, text)
    }

    #[test]
    fn what_was_written_is_read_back_however_it_comes() {
        let (entries, text) = sample();
        for step in [1, 7, text.len()] {
            let (lines, end) = read(text.as_bytes(), step);
            assert_eq!(end, Ok(()));
            let mut wanted = vec![Line::Comment("a comment".to_owned())];
            wanted.extend(
                entries
                    .iter()
                    .map(|(node, digest)| Line::Entry(Entry { node: node.clone(), digest: *digest, twin: twin(node) })),
            );
            assert_eq!(lines, wanted);
        }
    }

    #[test]
    fn no_change_and_no_cut_goes_unnoticed() {
        let (_, text) = sample();
        for length in 0..text.len() {
            assert!(read(&text.as_bytes()[..length], 9).1.is_err(), "cut after {length}");
        }
        for at in 0..text.len() {
            for bit in [1, 0x20, 0x80] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= bit;
                let small = bit == 0x20 && text.len() - at <= 65;
                assert!(
                    read(&bytes, 9).1.is_err() || small,
                    "byte {at}, bit {bit}: digits of either case are the same"
                );
            }
        }
    }

    #[test]
    fn what_is_no_list_is_said_with_the_byte_of_the_line() {
        for (line, what) in [
            ("/etc/passwd type=file size=1", "begin with './'"),
            ("./../x type=file size=1", "'..'"),
            ("./a\\9 type=file size=1", "octal"),
            ("./a type=file", "without its size"),
            ("./a type=link", "without its text"),
            ("./a type=fifo", "'fifo'"),
            ("./a size=1", "without its type"),
            ("./a type=file size=-1", "'size'"),
            ("./a type=file size=1 mode=10000", "'mode'"),
            ("./a type=file size=1 time=1.5", "'time'"),
            ("./a type=file size=1 sha256=12", "'sha256'"),
        ] {
            let odd = read(format!("{SIGNATURE}{line}\n").as_bytes(), 5).1.unwrap_err();
            assert!(odd.at == SIGNATURE.len() as u64 && odd.what.contains(what), "{line}: {odd:?}");
        }
        assert!(read(b"hello\n", 5).1.unwrap_err().what.contains("#mtree"));
        let long = [SIGNATURE.as_bytes(), b"./", &vec![b'a'; LONGEST]].concat();
        assert!(read(&long, 4096).1.unwrap_err().what.contains("longer"));
    }
}
