//! `Entry`: one line in the table of a folder.

use super::number::{self, Part, number, signed};
use crate::formats::datastore::names::LONGEST_FILE;

/// The most bytes that an entry has: a letter, the length of a name, the name, and two numbers.
pub(super) const LONGEST: usize = 1 + number::LONGEST + 4096 + 2 * number::LONGEST;

const _: () = assert!(LONGEST_FILE == 4096, "names fit");

/// The least: a letter, and the length of no name.
pub(super) const LEAST: u64 = 2;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// How many bytes it has.
        size: u64,
        /// When they changed last: seconds since 1970.
        modified: i64,
    },
    /// A symbolic link.
    Link,
    /// Another name of a file.
    Hard,
    /// A block device.
    Block,
    /// A character device.
    Character,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
}

/// An entry that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Whatever bytes stand there.
    pub(super) name: &'a [u8],
    pub(super) kind: Kind,
    /// Of a folder, how far its table begins before the one that the entry is in.
    pub(super) back: Option<u64>,
}

impl<'a> Entry<'a> {
    /// Reads the entry that begins here.
    pub(super) fn read(bytes: &'a [u8]) -> Part<Self> {
        let Some((letter, rest)) = bytes.split_first() else { return Ok(None) };
        let kind = match letter {
            b'd' => Kind::Folder,
            b'f' => Kind::File { size: 0, modified: 0 },
            b'l' => Kind::Link,
            b'h' => Kind::Hard,
            b'b' => Kind::Block,
            b'c' => Kind::Character,
            b'p' => Kind::Pipe,
            b's' => Kind::Socket,
            _ => return Err(format!("an entry begins with the byte {letter:02x}, which is the letter of none")),
        };
        let Some((length, rest)) = after(number(rest)?, rest) else { return Ok(None) };
        if length > LONGEST_FILE {
            return Err(format!("a name has {length} bytes, and the longest has {LONGEST_FILE}"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((name, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let (kind, back, rest) = match kind {
            Kind::Folder => {
                let Some((back, rest)) = after(number(rest)?, rest) else { return Ok(None) };
                (kind, Some(back), rest)
            }
            Kind::File { .. } => {
                let Some((size, rest)) = after(number(rest)?, rest) else { return Ok(None) };
                let Some((modified, rest)) = after(signed(rest)?, rest) else { return Ok(None) };
                (Kind::File { size, modified }, None, rest)
            }
            _ => (kind, None, rest),
        };
        Ok(Some((Self { name, kind, back }, bytes.len() - rest.len())))
    }
}

/// What was read, and the bytes behind it.
fn after<T>(part: Option<(T, usize)>, bytes: &[u8]) -> Option<(T, &[u8])> {
    let (read, used) = part?;
    Some((read, bytes.get(used..)?))
}
