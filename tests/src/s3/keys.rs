//! Keys that trouble clients, and what each server cannot do with them though S3 can.

/// Keys that trouble clients. S3 holds them all.
pub const KEYS: &[&[u8]] = &[
    b"plain",
    b"with/folders/inside.txt",
    b"a//b",
    b"a///b",
    b"/leading",
    b"//two-leading",
    b"trailing/",
    b"trailing//",
    b"../up",
    b"a/../b",
    b"..",
    b".",
    b"./here",
    b"a/./b",
    b"a/..",
    b"with space",
    b" leading and trailing ",
    b"a+b",
    b"a%20b",
    b"100%",
    b"%2F",
    b"%",
    b"line\nbreak",
    b"tab\there",
    b"\x01control",
    b"\x7f",
    b"a?b=c&d",
    b"hash#tag",
    b"quote\"and'and`",
    b"<angle>&amp;",
    b"[brackets]{braces}|pipe^caret",
    b"back\\slash",
    b"semi;colon:at@comma,eq=$!*()~",
    "кириллица/ключ".as_bytes(),
    "日本語".as_bytes(),
    "e\u{301} \u{e9}".as_bytes(),
    "\u{1f600}".as_bytes(),
    "\u{202e}right-to-left".as_bytes(),
    b"versionId",
    b"?versionId=x",
    b"prefix",
    b"prefix-more",
    b"prefix/below",
];

/// What a server cannot do, though S3 can.
#[derive(Debug)]
pub struct Lacks {
    /// Keys that it does not take or give back, and what it does with them.
    pub held: &'static [(&'static [u8], &'static str)],
    /// Keys that it lists by another name.
    pub listed: &'static [&'static [u8]],
    /// Keys of which it lists or gives no version by that name, and what it does with them.
    pub versioned: &'static [(&'static [u8], &'static str)],
}

/// Ours can all.
pub const OURS: Lacks = Lacks { held: &[], listed: &[], versioned: &[] };

/// moto finds the path by a pattern in which a dot is no line end.
pub const MOTO: Lacks = Lacks { held: &[(b"line\nbreak", "its router answers 404")], listed: &[], versioned: &[] };

/// SeaweedFS keeps objects as files in folders.
pub const SEAWEEDFS: Lacks = Lacks {
    held: &[
        (b"trailing/", "a folder, which has no bytes"),
        (b"trailing//", "a folder, which has no bytes"),
        (b"../up", "refused"),
        (b"a/../b", "refused"),
        (b"..", "refused"),
        (b".", "refused"),
        (b"./here", "refused"),
        (b"a/./b", "refused"),
        (b"a/..", "refused"),
    ],
    listed: &[b"//two-leading", b"/leading", b"a///b", b"a//b", b"back\\slash"],
    versioned: &[
        (b"\x01control", "listed with another letter, as XML has none such"),
        (b"a//b", "one key with a///b, listed as a/b"),
    ],
};

/// The longest key, in folders whose names have 200 bytes.
pub fn longest() -> Vec<u8> {
    let mut key = b"longest/".to_vec();
    // A name of a file in a store may have 255 bytes; the key has 1,024.
    while key.len() < 1024 {
        key.push(if key.len().is_multiple_of(200) { b'/' } else { b'k' });
    }
    key
}
