//! The messages between a root that is read from afar and whoever reads it: what is asked, what is answered, and how
//! either is written. Nothing here sends them.
//!
//! Each end says [`Hello`] first. Then the near end sends [`Asked`], each with a number of its own choice, and the far
//! end [`Answered`], with the number of what it answers, in any order. All of them are frames: a length of four bytes,
//! and so many bytes. Numbers are little-endian; text and names have their length before them, in four bytes. What is
//! decoded is encoded to the very same bytes.

mod answer;
mod ask;
mod bad;
mod field;
mod frame;
mod hello;

pub use answer::{Answer, Answered, Meta, Why};
pub use ask::{Asked, Request, Verification};
pub use bad::Bad;
pub use frame::{HEAD, framed, length};
pub use hello::{Hello, Limits};

/// The number of this protocol; it grows when a message changes its meaning or goes.
pub const VERSION: u32 = 1;

/// The longest frame, in bytes, without its length.
pub const LONGEST: usize = MOST + 4096;

/// The most bytes of an object that one answer has.
pub const MOST: usize = 1 << 20;

/// The most entries of a folder that one answer has.
pub const ENTRIES: usize = 256;

/// The longest text in a message, in bytes; whatever is longer is cut.
pub const TEXT: usize = 4096;

/// Text of at most [`TEXT`] bytes.
#[must_use]
pub fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().to_owned()
}
