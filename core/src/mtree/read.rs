//! `Lines`: reads a list of mtree(5), line by line.

use crate::digest::{Algorithm, Digest, Hasher};
use crate::name::Name;

use super::entry::{Entry, Fields, Special};
use super::escape::is_continued;
use super::folders::Folders;
use super::{END, OURS, SIGNATURE};

/// The longest line, in bytes, with those that it goes on in: a path and the text of a link, each byte of them escaped,
/// and the rest.
const LONGEST: usize = 48 << 10;

/// A list on its way in. It holds a line of it at most, and the path of a folder.
#[derive(Debug)]
pub struct Lines {
    /// What was read of a line, and of those that it goes on in.
    line: Vec<u8>,
    /// Where the last of them begins in it.
    last: usize,
    /// Where the line begins, in bytes.
    at: u64,
    /// How many bytes whole lines have.
    taken: u64,
    hasher: Hasher,
    /// It must begin with [`SIGNATURE`] and end with its seal.
    is_ours: bool,
    end: Option<Digest>,
    folders: Folders,
    defaults: Fields,
    is_empty: bool,
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
    /// An entry that no tree of ours can have.
    Special {
        /// Where it is; none for the top.
        path: Option<Name>,
        /// What it is.
        what: Special,
    },
}

impl Default for Lines {
    /// A list that begins with [`SIGNATURE`] and ends with its seal.
    fn default() -> Self {
        Self {
            line: Vec::new(),
            last: 0,
            at: 0,
            taken: 0,
            hasher: Hasher::new(Algorithm::Sha256),
            is_ours: true,
            end: None,
            folders: Folders::default(),
            defaults: Fields::default(),
            is_empty: true,
            odd: None,
        }
    }
}

impl Lines {
    /// A list that may be another program's, which needs neither signature nor seal. One with the title of a list of
    /// Highwater's is ours and must end with its seal; one that was cut before that names nothing, which is refused of
    /// any. A seal is checked wherever there is one.
    #[must_use]
    pub fn foreign() -> Self {
        Self { is_ours: false, ..Self::default() }
    }

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
            if piece.ends_with(b"\n") && self.is_whole() {
                let line = std::mem::take(&mut self.line);
                match self.take(line.strip_suffix(b"\n").unwrap_or(&line)) {
                    Ok(Some(line)) => each(line),
                    Ok(None) => {}
                    Err(what) => return self.refuse(what),
                }
                self.at = self.taken;
                self.last = 0;
            }
        }
    }

    /// Counts the line that has come to its end, and hashes it unless it may be a seal. Whether no other goes on in it;
    /// if one does, the backslash and the newline between them are no part of it.
    fn is_whole(&mut self) -> bool {
        let line = self.line.get(self.last..).unwrap_or_default();
        self.taken = self.taken.saturating_add(line.len() as u64);
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let goes_on = is_continued(text) && !(self.last == 0 && is_comment(text));
        if goes_on || self.last > 0 || !line.starts_with(END.as_bytes()) {
            self.hasher.update(line);
        }
        if goes_on {
            self.line.truncate(self.line.len().saturating_sub(2));
            self.last = self.line.len();
        }
        !goes_on
    }

    /// What is wrong with the list, when nothing follows.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn end(mut self) -> Result<(), Odd> {
        let what = match &self.odd {
            Some(_) => return self.odd.map_or(Ok(()), Err),
            None if !self.line.is_empty() || self.at < self.taken => "the list ends within a line",
            None if self.end.is_some() => return Ok(()),
            None if self.is_ours => "the list ends without the line that says so: it was cut",
            None if self.is_empty => "it lists nothing",
            None => return Ok(()),
        };
        self.refuse(what.to_owned());
        self.odd.map_or(Ok(()), Err)
    }

    fn refuse(&mut self, what: String) {
        self.odd = Some(Odd { at: self.at, what });
    }

    /// A line, with those that it goes on in, without its newline.
    fn take(&mut self, line: &[u8]) -> Result<Option<Line>, String> {
        if self.end.is_some() {
            return Err("something follows the line that ends the list".to_owned());
        }
        if self.at == 0 {
            let is_signed = line == SIGNATURE.trim_ascii_end().as_bytes();
            match (is_signed, self.is_ours) {
                (true, _) => return Ok(None),
                (false, true) => return Err("it does not begin with #mtree".to_owned()),
                (false, false) => {}
            }
        }
        if self.last == 0
            && let Some(digest) = line.strip_prefix(END.as_bytes())
        {
            match (Digest::from_hex(Algorithm::Sha256, digest), self.is_ours) {
                (Some(digest), _) => return self.seal(digest),
                (None, true) => return Err("the line that ends the list has no digest".to_owned()),
                // Somebody else's words.
                (None, false) => self.hasher.update(&[line, b"\n"].concat()),
            }
        }
        if is_comment(line) {
            let text = line.trim_ascii_start().strip_prefix(b"#").unwrap_or_default().trim_ascii_start();
            self.is_ours |= text.starts_with(OURS.as_bytes());
            return Ok(Some(Line::Comment(String::from_utf8_lossy(text).into_owned())));
        }
        self.entry(line)
    }

    fn seal(&mut self, wanted: Digest) -> Result<Option<Line>, String> {
        let found = self.hasher.clone().finish();
        if found != wanted {
            return Err(format!("the list above gives the digest {found}, and this line says {wanted}"));
        }
        self.end = Some(wanted);
        Ok(None)
    }

    /// A path with keywords before or behind it, or `/set`, `/unset`, `..`.
    fn entry(&mut self, line: &[u8]) -> Result<Option<Line>, String> {
        let mut words = words(line);
        let Some(first) = words.next() else { return Ok(None) };
        match first {
            b"/set" => return self.defaults.set(words).map(|()| None),
            b"/unset" => {
                self.defaults.unset(words);
                return Ok(None);
            }
            b".." => return self.folders.up().map(|()| None),
            _ => {}
        }
        let mut fields = self.defaults.clone();
        // `mtree -D` writes the path last.
        let last = words.clone().next_back().filter(|last| is_path(last) && !is_path(first) && first.contains(&b'='));
        let text = match last {
            Some(last) => {
                words.next_back();
                fields.take(std::iter::once(first).chain(words))?;
                last
            }
            None => {
                fields.take(words)?;
                first
            }
        };
        let path = self.folders.path(text, fields.is_folder())?;
        self.is_empty = false;
        fields.make(path).map(Some)
    }
}

/// The words of a line, up to a comment behind them.
fn words(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let comment = line.windows(2).position(|pair| matches!(pair, [before, b'#'] if is_blank(before)));
    let line = comment.and_then(|at| line.get(..at)).unwrap_or(line);
    line.split(move |byte| is_blank(byte)).filter(|word| !word.is_empty())
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

/// Whether a word is a path, and can be nothing else.
fn is_path(word: &[u8]) -> bool {
    word == b"." || word.starts_with(b"./")
}

#[cfg(test)]
mod tests {
    use super::super::{push_line, seal};
    use super::*;
    use crate::digest::sha256_of;
    use crate::mtree::Twin;
    use crate::node::{Meta, Node, NodeKind};

    fn read_by(mut lines: Lines, bytes: &[u8], step: usize) -> (Vec<Line>, Result<(), Odd>) {
        let mut found = Vec::new();
        bytes.chunks(step.max(1)).for_each(|piece| lines.push(piece, &mut |line| found.push(line)));
        (found, lines.end())
    }

    fn read(bytes: &[u8], step: usize) -> (Vec<Line>, Result<(), Odd>) {
        read_by(Lines::default(), bytes, step)
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
        let mut text = format!("{SIGNATURE}# highwater tree 1\n");
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
            let mut wanted = vec![Line::Comment("highwater tree 1".to_owned())];
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
            for lines in [Lines::default(), Lines::foreign()] {
                assert!(read_by(lines, &text.as_bytes()[..length], 9).1.is_err(), "cut after {length}");
            }
        }
        for at in 0..text.len() {
            for bit in [1, 0x20, 0x80] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= bit;
                let small = bit == 0x20 && text.len() - at <= 65;
                for lines in [Lines::default(), Lines::foreign()] {
                    assert!(
                        read_by(lines, &bytes, 9).1.is_err() || small,
                        "byte {at}, bit {bit}: digits of either case are the same"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_no_list_is_said_with_the_byte_of_the_line() {
        for (line, what) in [
            ("/etc/passwd type=file size=1", "absolute"),
            ("./../x type=file size=1", "'..'"),
            ("./a\\9 type=file size=1", "octal"),
            ("./a type=file", "without its size"),
            ("./a type=link", "without its text"),
            ("./a type=door", "'door'"),
            ("./a size=1", "without its type"),
            ("./a type=file size=-1", "'size'"),
            ("./a type=file size=1 mode=10000", "'mode'"),
            ("./a type=file size=1 time=1.5x", "'time'"),
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
