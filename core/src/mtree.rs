//! mtree(5): one line of text for each entry of a tree, which `mtree` and `bsdtar` read too.
//!
//! | keyword | value |
//! |---|---|
//! | `type` | `dir`, `file`, `link` |
//! | `size` | bytes of a file |
//! | `link` | the text of a symbolic link |
//! | `mode` | the lowest twelve bits of the permissions, in octal digits |
//! | `uid`, `gid` | user and group, by number |
//! | `time` | when its bytes changed last: seconds since 1970, a dot, nanoseconds in nine digits |
//! | `sha256` | the digest of a file's bytes, in hexadecimal digits |
//! | `nlink` | how many names a file has that has several in the list |
//! | `tags` | `hard-N` for all names of one file, with `again` behind it for all but the first |
//!
//! A path begins with `./`. Bytes that are no printable ASCII, and those with a meaning of their own to some reader
//! (space, `#`, `=`, `\`, and what patterns are made of), are written as `\` and three octal digits.
//!
//! That is how lists are written. What `mtree` of NetBSD (20180822) and `bsdtar` (libarchive 3.6.2) write is read too,
//! in each of their styles: full paths, nested names with `..`, or the path behind its keywords (`mtree -D`); `/set`
//! and `/unset`; lines that go on in the next one; vis(3); `sha1` and `md5` where no SHA-256 is on record. Other
//! keywords say nothing. Both programs copy names of folders into comments as they are: a newline in such a name makes
//! of the rest of it a line of its own, for any reader.

#[cfg(test)]
mod dialects;
mod entry;
mod escape;
mod folders;
mod read;

pub use entry::{Entry, Special};
pub(crate) use escape::{escape, escaped, unescape};
pub use read::{Line, Lines, Odd};

use crate::digest::{Algorithm, Digest, Hasher};
use crate::node::{Meta, Node, NodeKind};

/// The first line, by which readers know the format.
pub const SIGNATURE: &str = "#mtree\n";

/// What the last line of a list begins with that Highwater writes; behind it comes the SHA-256 of all lines above, so
/// that no list is taken for whole that was cut.
const END: &str = "# end ";

/// What a comment begins with that says that the list is one of Highwater's, which ends with its seal.
const OURS: &str = "highwater ";

/// Ends a list: nothing is added after that.
pub fn seal(list: &mut String) {
    let mut seal = Seal::default();
    seal.push(list);
    list.push_str(&seal.end());
}

/// The end of a list that is handed on piece by piece.
pub struct Seal(Hasher);

impl Default for Seal {
    fn default() -> Self {
        Self(Hasher::new(Algorithm::Sha256))
    }
}

impl Seal {
    /// Takes the next piece.
    pub fn push(&mut self, piece: &str) {
        self.0.update(piece.as_bytes());
    }

    /// The line that ends the list.
    #[must_use]
    pub fn end(self) -> String {
        format!("{END}{}\n", self.0.finish())
    }
}

/// Names of one file: which group of names it is, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twin {
    /// The number of the group in its list.
    pub group: u64,
    /// How many names there are.
    pub names: u64,
    /// Another name of it stands further up.
    pub again: bool,
}

/// What the tag of a file begins with that has other names; the number of the group follows.
const TWIN: &str = "hard-";

/// The second tag of all but its first name.
const AGAIN: &str = "again";

/// Adds the line of an entry, with the digest of its bytes where that is known, and with its group if it has other
/// names. A hard link is written as the file that it is a name of, so it must be given as one.
pub fn push_line(node: &Node, digest: Option<&Digest>, twin: Option<Twin>, out: &mut String) {
    out.push('.');
    if let Some(path) = &node.path {
        out.push('/');
        escape(path.as_bytes(), out);
    }
    match &node.kind {
        NodeKind::Folder => out.push_str(" type=dir"),
        NodeKind::File(size) => out.push_str(&format!(" type=file size={size}")),
        NodeKind::Link(text) => {
            out.push_str(" type=link link=");
            escape(text, out);
        }
        NodeKind::Part(bytes) => out.push_str(&format!(" type=file size={}", bytes.end.saturating_sub(bytes.start))),
        NodeKind::Hard(_) | NodeKind::LeftOut(_) => out.push_str(" type=file"),
    }
    let Meta { mode, uid, gid, modified } = node.meta;
    let mut push = |text: Option<String>| out.push_str(&text.unwrap_or_default());
    push(mode.map(|mode| format!(" mode={mode:04o}")));
    push(uid.map(|uid| format!(" uid={uid}")));
    push(gid.map(|gid| format!(" gid={gid}")));
    push(modified.map(|(seconds, nanoseconds)| format!(" time={seconds}.{nanoseconds:09}")));
    if let Some(Digest::Sha256(_)) = digest {
        push(digest.map(|digest| format!(" sha256={digest}")));
    }
    // bsdtar makes one file of names that lead to one object and have a count above 1.
    push(twin.map(|Twin { group, names, again }| {
        let again = if again { format!(",{AGAIN}") } else { String::new() };
        format!(" nlink={names} tags={TWIN}{group}{again}")
    }));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256_of;
    use crate::name::Name;

    fn line(path: Option<&[u8]>, kind: NodeKind, digest: Option<&Digest>) -> String {
        let meta = Meta { mode: Some(0o640), uid: Some(7), gid: None, modified: Some((12, 34)) };
        let mut out = String::new();
        push_line(&Node { path: path.map(|path| Name::new(path).unwrap()), kind, meta }, digest, None, &mut out);
        out
    }

    #[test]
    fn a_line_says_what_the_manual_says_in_its_words() {
        let sum = sha256_of(b"");
        let tail = "mode=0640 uid=7 time=12.000000034";
        assert_eq!(line(None, NodeKind::Folder, None), format!(". type=dir {tail}\n"));
        assert_eq!(
            line(Some(b"a b/c#\\\xff\n*"), NodeKind::File(3), Some(&sum)),
            format!("./a\\040b/c\\043\\134\\377\\012\\052 type=file size=3 {tail} sha256={sum}\n")
        );
        assert_eq!(
            line(Some(b"l"), NodeKind::Link(b"../x y".to_vec()), None),
            format!("./l type=link link=../x\\040y {tail}\n")
        );
    }
}
