//! Percent encoding and hexadecimal digits, written apart from what the product has.

use std::fmt::Write;

/// Encodes all but unreserved letters; slashes too unless they are kept.
pub fn encode(bytes: &[u8], keep_slashes: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            b'/' if keep_slashes => out.push('/'),
            _ => write!(out, "%{byte:02X}").expect("a string"),
        }
    }
    out
}

/// As S3 encodes keys in lists and inventories: a space is `+`, slashes stay.
pub fn form(bytes: &[u8]) -> String {
    encode(bytes, true).replace("%20", "+")
}

/// Undoes `%XX`; a `+` stays.
pub fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let digits = (*byte == b'%').then(|| tail.get(..2)).flatten().and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) => {
                out.push(value);
                rest = &tail[2..];
            }
            None => out.push(*byte),
        }
    }
    out
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// For the text of an XML element.
pub fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
