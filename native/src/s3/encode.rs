//! Percent encoding as S3 signs it, and back.

use std::fmt::Write;

/// Whether a byte stands for itself in a path or query that is signed (RFC 3986, "unreserved").
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn encode(bytes: &[u8], slash: bool, out: &mut String) {
    for &byte in bytes {
        if is_plain(byte) || (slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            // A string takes whatever is written.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Appends a key as a path has it: slashes stay, all else that is not plain is encoded, once.
pub(super) fn path(key: &[u8], out: &mut String) {
    encode(key, true, out);
}

/// Appends the name or the value of a query: slashes are encoded too.
pub(super) fn query(bytes: &[u8], out: &mut String) {
    encode(bytes, false, out);
}

/// The bytes of a text of a listing with `encoding-type=url`: `+` is a space, `%XX` a byte. `None` if a `%` has no two
/// hexadecimal digits behind it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = text.as_bytes().iter();
    let mut out = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next())? << 4 | digit(bytes.next())?,
            _ => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        query(&all, &mut text);
        assert_eq!(decode(&text), Some(all));
        assert_eq!(decode("a+b%2B%c3%A9"), Some("a b+é".into()));
        assert_eq!((decode("%"), decode("%4"), decode("%g0"), decode("%+1")), (None, None, None, None));
    }
}
