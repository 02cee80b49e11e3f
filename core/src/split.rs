//! `Lines`: cuts a stream of bytes into lines, whatever pieces it arrives in.

/// The longest line kept, in bytes; the rest of a longer one is dropped and said so.
pub const LONGEST: usize = 16 * 1024;

/// One line of a text index, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where the line starts in the object, in bytes.
    pub at: u64,
    /// The line, at most [`LONGEST`] bytes of it.
    pub text: &'a [u8],
    /// Bytes were dropped: the line is longer than [`LONGEST`].
    pub cut: bool,
    /// A line feed ends the line; only the last one of an object may lack it.
    pub ended: bool,
}

/// A line splitter with one bounded buffer. LF ends a line; one CR before it belongs to the end.
#[derive(Debug, Default)]
pub struct Lines {
    pending: Vec<u8>,
    at: u64,
    seen: u64,
    cut: bool,
}

impl Lines {
    /// Takes the next bytes and calls `each` for every line that they end.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            let room = LONGEST.saturating_sub(self.pending.len());
            let keep = piece.get(..room.min(piece.len())).unwrap_or(piece);
            let ends = piece.last() == Some(&b'\n');
            self.cut |= keep.len() + usize::from(ends) < piece.len();
            self.pending.extend_from_slice(keep);
            self.seen += piece.len() as u64;
            if ends {
                self.emit(true, &mut each);
            }
        }
    }

    /// Says that nothing follows, and hands on a last line that has no line end.
    pub fn end(&mut self, mut each: impl FnMut(Line<'_>)) {
        if self.seen > self.at {
            self.emit(false, &mut each);
        }
    }

    fn emit(&mut self, ended: bool, each: &mut impl FnMut(Line<'_>)) {
        let text = self.pending.strip_suffix(b"\n").unwrap_or(&self.pending);
        let text = if ended { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
        each(Line { at: self.at, text, cut: self.cut, ended });
        self.pending.clear();
        self.cut = false;
        self.at = self.seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8], step: usize) -> Vec<(u64, Vec<u8>, bool, bool)> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for piece in text.chunks(step) {
            lines.push(piece, |l| out.push((l.at, l.text.to_vec(), l.cut, l.ended)));
        }
        lines.end(|l| out.push((l.at, l.text.to_vec(), l.cut, l.ended)));
        out
    }

    #[test]
    fn any_split_gives_the_same_lines() {
        let mut text = b"one\r\n\ntwo\nno end".to_vec();
        text.extend(std::iter::repeat_n(b'x', LONGEST + 5));
        let whole = split(&text, text.len());
        assert_eq!(whole[0], (0, b"one".to_vec(), false, true));
        assert_eq!(whole[1], (5, Vec::new(), false, true));
        assert_eq!((whole[3].0, whole[3].1.len(), whole[3].2, whole[3].3), (10, LONGEST, true, false));
        for step in [1, 2, 3, 7, 31] {
            assert_eq!(split(&text, step), whole, "step {step}");
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_whole() {
        let mut text = vec![b'a'; LONGEST];
        text.push(b'\n');
        for step in [1, 100, LONGEST + 1] {
            let lines = split(&text, step);
            assert_eq!((lines.len(), lines[0].1.len(), lines[0].2), (1, LONGEST, false), "step {step}");
        }
    }
}
