//! Pickles of `PersistentMapping`s, byte for byte as ZODB's `ObjectWriter` writes them with protocol 3.

use highwater_core::filestorage::Oid;

/// The class, which is memo 0 for the state after it.
const CLASS: &[u8] = b"\x80\x03cpersistent.mapping\nPersistentMapping\nq\x00.";

/// The most items that Python's pickler sets at once; a larger mapping would need several batches.
pub(super) const MOST_ITEMS: usize = 1000;

/// What a mapping holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A small number.
    Number(u8),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Another persistent mapping.
    Mapping(Oid),
}

/// The data record of a `PersistentMapping` with these items, at most [`MOST_ITEMS`].
pub(super) fn mapping(items: &[(String, Value)]) -> Vec<u8> {
    let mut out = Pickle { bytes: CLASS.to_vec(), memo: 1 };
    out.bytes.extend(b"\x80\x03");
    out.empty_dict();
    out.text("data");
    out.empty_dict();
    if items.len() > 1 {
        out.bytes.push(b'(');
    }
    for (key, value) in items {
        out.text(key);
        match value {
            Value::Number(n) => out.bytes.extend([b'K', *n]),
            Value::Text(text) => out.text(text),
            Value::Bytes(bytes) => out.blob(bytes),
            Value::Mapping(oid) => out.reference(*oid),
        }
    }
    match items.len() {
        0 => {}
        1 => out.bytes.push(b's'),
        _ => out.bytes.push(b'u'),
    }
    out.bytes.extend(b"s.");
    out.bytes
}

struct Pickle {
    bytes: Vec<u8>,
    /// The number of the next memo entry.
    memo: u32,
}

impl Pickle {
    fn empty_dict(&mut self) {
        self.bytes.push(b'}');
        self.remember();
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        self.counted(text.as_bytes());
        self.remember();
    }

    fn blob(&mut self, bytes: &[u8]) {
        if let Ok(len) = u8::try_from(bytes.len()) {
            self.bytes.extend([b'C', len]);
            self.bytes.extend(bytes);
        } else {
            self.bytes.push(b'B');
            self.counted(bytes);
        }
        self.remember();
    }

    /// A persistent reference: the pair of oid and class, and the opcode that says so.
    fn reference(&mut self, oid: Oid) {
        self.blob(&oid.to_be_bytes());
        self.bytes.extend(b"h\x00\x86");
        self.remember();
        self.bytes.push(b'Q');
    }

    fn counted(&mut self, bytes: &[u8]) {
        self.bytes.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.extend(bytes);
    }

    fn remember(&mut self) {
        match u8::try_from(self.memo) {
            Ok(short) => self.bytes.extend([b'q', short]),
            Err(_) => {
                self.bytes.push(b'r');
                self.bytes.extend(self.memo.to_le_bytes());
            }
        }
        self.memo += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_as_zodb_6_4_wrote_them() {
        let class = b"\x80\x03cpersistent.mapping\nPersistentMapping\nq\x00.".to_vec();
        let empty = b"\x80\x03}q\x01X\x04\x00\x00\x00dataq\x02}q\x03s.";
        assert_eq!(mapping(&[]), [&class[..], empty].concat());
        let two = b"\x80\x03}q\x01X\x04\x00\x00\x00dataq\x02}q\x03(\
            X\x01\x00\x00\x00aq\x04C\x08\x00\x00\x00\x00\x00\x00\x00\x01q\x05h\x00\x86q\x06Q\
            X\x01\x00\x00\x00bq\x07C\x08\x00\x00\x00\x00\x00\x00\x00\x02q\x08h\x00\x86q\tQus.";
        let items = [("a".to_owned(), Value::Mapping(1)), ("b".to_owned(), Value::Mapping(2))];
        assert_eq!(mapping(&items), [&class[..], two].concat());
    }

    #[test]
    fn long_bytes_and_high_memos_have_their_own_forms() {
        let items: Vec<_> = (0..200).map(|n| (n.to_string(), Value::Bytes(vec![n; 256 * usize::from(n)]))).collect();
        let bytes = mapping(&items);
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(has(b"X\x01\x00\x00\x000q\x04C\x00q\x05"));
        assert!(has(b"X\x01\x00\x00\x001q\x06B\x00\x01\x00\x00\x01\x01"));
        assert!(has(b"X\x03\x00\x00\x00126r\x00\x01\x00\x00B"));
    }
}
