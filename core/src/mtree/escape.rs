//! The escapes of paths and of the texts of links: ours, `bsdtar`'s, and those of vis(3) that `mtree` writes.

/// Writes the bytes of a path or of a link's text.
pub(crate) fn escape(bytes: &[u8], out: &mut String) {
    let is_plain =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'=' | b'\\' | b'*' | b'?' | b'[' | b']');
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        // Most often, it is all there is; what is plain is ASCII.
        out.push_str(std::str::from_utf8(run).unwrap_or_default());
        rest = match after.split_first() {
            Some((byte, after)) => {
                out.push_str(&format!("\\{byte:03o}"));
                after
            }
            None => after,
        };
    }
}

/// Undoes the escapes of a path or of a link's text, as unvis(3) of NetBSD does.
pub(crate) fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, after) = byte_of(rest).ok_or_else(|| {
            let shown = crate::name::printable(rest.get(..4).unwrap_or(rest));
            format!("what follows a backslash is neither octal digits nor an escape of vis(3): '{shown}'")
        })?;
        bytes.push(byte);
        rest = after;
    }
    Ok(bytes)
}

/// The bytes of a path, as a list has them.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    escape(bytes, &mut text);
    text
}

/// The byte that an escape stands for, of which the backslash was read, and what follows it.
fn byte_of(text: &[u8]) -> Option<(u8, &[u8])> {
    let control = |byte: u8| if byte == b'?' { 0x7f } else { byte & 0x1f };
    Some(match text {
        [b'0'..=b'7', ..] => octal(text)?,
        [b'a', rest @ ..] => (0x07, rest),
        [b'b', rest @ ..] => (0x08, rest),
        [b'f', rest @ ..] => (0x0c, rest),
        [b'n', rest @ ..] => (b'\n', rest),
        [b'r', rest @ ..] => (b'\r', rest),
        [b's', rest @ ..] => (b' ', rest),
        [b't', rest @ ..] => (b'\t', rest),
        [b'v', rest @ ..] => (0x0b, rest),
        [b'E', rest @ ..] => (0x1b, rest),
        [b'M', b'-', byte, rest @ ..] => (byte | 0x80, rest),
        [b'M', b'^', byte, rest @ ..] => (control(*byte) | 0x80, rest),
        [b'^', byte, rest @ ..] => (control(*byte), rest),
        // A backslash, `#`, and whatever else its writer thought better of.
        [byte, rest @ ..] if byte.is_ascii_punctuation() && *byte != b'^' => (*byte, rest),
        _ => return None,
    })
}

/// One to three octal digits that are a byte.
fn octal(text: &[u8]) -> Option<(u8, &[u8])> {
    let count = text.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits.iter().fold(0, |value, digit| value * 8 + u32::from(digit - b'0'));
    Some((u8::try_from(value).ok()?, rest))
}

/// Whether a line, without its newline, goes on in the next one: its last byte is a backslash that escapes nothing and
/// that nothing escapes.
pub(super) fn is_continued(line: &[u8]) -> bool {
    if !line.ends_with(b"\\") {
        return false;
    }
    let mut rest = line;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(at..).unwrap_or_default();
        let length = match escape {
            [_] => return true,
            // The byte behind these may be a backslash itself.
            [_, b'M', b'-' | b'^', _, ..] => 4,
            [_, b'^', _, ..] => 3,
            _ => 2,
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_so_that_it_is_read_again() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        escape(&all, &mut text);
        assert!(text.is_ascii() && !text.contains([' ', '\n', '#', '=']));
        assert_eq!(unescape(text.as_bytes()), Ok(all));
    }

    #[test]
    fn the_escapes_of_other_programs_are_read() {
        for (text, bytes) in [
            // mtree of NetBSD, 20180822: names of each byte, in its words.
            (r"\^A\a\b\v\f\rz", &b"\x01\x07\x08\x0b\x0c\rz"[..]),
            (r"a\sb\#c\\d\te\nf", b"a b#c\\d\te\nf"),
            (r"del\^?", b"del\x7f"),
            (r"n\M^?\M-~", b"n\xff\xfe"),
            (r"uml\M-C\M-$ut", "umläut".as_bytes()),
            (r"\M-\x\M^\y\^\z", b"\xdcx\x9cy\x1cz"),
            (r"\240\E", b"\xa0\x1b"),
            // bsdtar.
            (r"x\012\043\075\134\377", b"x\n#=\\\xff"),
            (r"\7x\0", b"\x07x\0"),
        ] {
            assert_eq!(unescape(text.as_bytes()), Ok(bytes.to_vec()), "{text}");
        }
        for text in [r"\", r"\9", r"\400", r"\q", r"\M", r"\M-", r"\^", "\\\u{e4}"] {
            assert!(unescape(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_goes_on_where_a_backslash_stands_for_nothing_else() {
        for (line, goes_on) in [
            ("a \\", true),
            ("a", false),
            ("", false),
            (r"a\\", false),
            (r"a\\\", true),
            (r"\M-\", false),
            (r"\^\", false),
        ] {
            assert_eq!(is_continued(line.as_bytes()), goes_on, "{line}");
        }
    }
}
