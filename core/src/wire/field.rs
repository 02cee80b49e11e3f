//! `Fields` and the writers beside it: the parts that messages are made of.

use super::{Bad, TEXT};
use crate::cursor::Cursor;
use crate::name::Name;

/// The fields of a message, taken one after another.
pub(super) struct Fields<'a> {
    cursor: Cursor<'a>,
    length: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(bytes), length: bytes.len() }
    }

    /// What is wrong with what follows.
    pub(super) fn wrong(&self, what: &'static str) -> Bad {
        Bad { at: self.length.saturating_sub(self.cursor.rest().len()), what }
    }

    fn some<T>(&self, taken: Option<T>) -> Result<T, Bad> {
        taken.ok_or_else(|| self.wrong("the message ends early"))
    }

    pub(super) fn byte(&mut self) -> Result<u8, Bad> {
        let taken = self.cursor.byte();
        self.some(taken)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Bad> {
        match self.cursor.rest().first() {
            Some(0 | 1) => Ok(self.byte()? == 1),
            Some(_) => Err(self.wrong("neither yes nor no")),
            None => self.some(None),
        }
    }

    pub(super) fn short(&mut self) -> Result<u32, Bad> {
        let taken = self.cursor.fixed32();
        self.some(taken)
    }

    pub(super) fn long(&mut self) -> Result<u64, Bad> {
        let taken = self.cursor.fixed64();
        self.some(taken)
    }

    /// As many bytes as are wanted.
    pub(super) fn exactly(&mut self, count: usize) -> Result<&'a [u8], Bad> {
        let taken = self.cursor.take(count);
        self.some(taken)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.cursor.rest();
        self.cursor = Cursor::new(&[]);
        rest
    }

    fn bytes(&mut self, most: usize) -> Result<&'a [u8], Bad> {
        let before = self.wrong("a field is longer than any of its kind");
        let length = usize::try_from(self.short()?).unwrap_or(usize::MAX);
        if length > most {
            return Err(before);
        }
        self.exactly(length)
    }

    pub(super) fn text(&mut self) -> Result<String, Bad> {
        let before = self.wrong("a text is none");
        let bytes = self.bytes(TEXT)?;
        std::str::from_utf8(bytes).map(ToOwned::to_owned).map_err(|_| before)
    }

    pub(super) fn some_text(&mut self) -> Result<Option<String>, Bad> {
        if self.flag()? { self.text().map(Some) } else { Ok(None) }
    }

    /// The path of a root, which is no name.
    pub(super) fn path(&mut self) -> Result<Vec<u8>, Bad> {
        self.bytes(TEXT).map(<[u8]>::to_vec)
    }

    pub(super) fn name(&mut self) -> Result<Name, Bad> {
        let before = self.wrong("a name that nothing below a root can have");
        Name::new(self.bytes(crate::name::LONGEST)?).map_err(|_| before)
    }

    pub(super) fn folder(&mut self) -> Result<Option<Name>, Bad> {
        if self.flag()? { self.name().map(Some) } else { Ok(None) }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Bad> {
        if self.cursor.is_empty() { Ok(()) } else { Err(self.wrong("more follows than belongs to the message")) }
    }
}

pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    // Names and texts are bounded far below.
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_bytes(super::cut(text).as_bytes(), out);
}

pub(super) fn put_some_text(text: Option<&str>, out: &mut Vec<u8>) {
    out.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put_text(text, out);
    }
}

pub(super) fn put_folder(folder: Option<&Name>, out: &mut Vec<u8>) {
    out.push(u8::from(folder.is_some()));
    if let Some(folder) = folder {
        put_bytes(folder.as_bytes(), out);
    }
}
