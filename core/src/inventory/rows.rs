//! `Rows`: reads a list's text, pushed piece by piece, and gives its rows.
//!
//! A row is a line: S3 writes no line's end into a field, as keys are encoded. So a row that cannot be read is one, and
//! not the next one too. Fields have quotes around them, or none; a quote in a field is written twice.

use memchr::{memchr, memchr2};

use super::row::{Row, Said};
use super::schema::{COLUMNS, Column, Schema};
use super::value::{decode, moment, number, truth};

/// The longest row that is read, in bytes: lists of who may do what (`ObjectAccessControlList`) have some ten thousand.
const LONGEST: usize = 256 * 1024;

/// Rows that cannot be read are in a line of it.
const TEXT: &str = "text";

/// A row that cannot be read. The others can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("row {row} of the list, at byte {at} of its {of}, cannot be read: {what}")]
pub struct Bad {
    /// Its number in the list, from 1.
    pub row: u64,
    /// Where its line begins in the decompressed text, or the page with its key in the file, in bytes.
    pub at: u64,
    /// Which of both: "text" or "file".
    pub of: &'static str,
    /// What is wrong with it, as a clause.
    pub what: &'static str,
}

/// A list on its way in. Holds at most one row.
#[derive(Debug)]
pub struct Rows {
    schema: Schema,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// So many bytes of it were given up, as it is longer than any that is read.
    given_up: u64,
    /// Where the next line begins, and how many came before it.
    at: u64,
    row: u64,
    /// The key of the last row, where it had to be decoded.
    key: Vec<u8>,
}

impl Rows {
    /// A reader at the start of a list with these columns.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self { schema, begun: Vec::new(), given_up: 0, at: 0, row: 0, key: Vec::new() }
    }

    /// How many rows there were so far, good and bad.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.row
    }

    /// Takes the next bytes of the text, and gives each row that ends in them.
    pub fn push(&mut self, mut text: &[u8], each: &mut dyn FnMut(Result<Row<'_>, Bad>)) {
        while let Some(end) = memchr(b'\n', text) {
            let (line, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
            text = rest.get(1..).unwrap_or_default();
            if self.begun.is_empty() && self.given_up == 0 {
                self.line(line, 1, each);
            } else {
                self.begin(line);
                let begun = std::mem::take(&mut self.begun);
                self.line(&begun, 1, each);
                self.begun = begun;
                self.begun.clear();
            }
        }
        self.begin(text);
    }

    /// Says that nothing follows: the last line may have no end.
    pub fn end(&mut self, each: &mut dyn FnMut(Result<Row<'_>, Bad>)) {
        if !self.begun.is_empty() || self.given_up > 0 {
            let begun = std::mem::take(&mut self.begun);
            self.line(&begun, 0, each);
        }
    }

    /// Keeps the beginning of a line.
    fn begin(&mut self, text: &[u8]) {
        if self.given_up > 0 || self.begun.len().saturating_add(text.len()) > LONGEST {
            // Where the next line begins must be known all the same.
            let more = self.begun.len().saturating_add(text.len());
            self.given_up = self.given_up.saturating_add(more as u64);
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(text);
        }
    }

    /// Takes a line, behind which `more` bytes end it.
    fn line(&mut self, line: &[u8], more: u64, each: &mut dyn FnMut(Result<Row<'_>, Bad>)) {
        let at = self.at;
        let given_up = std::mem::take(&mut self.given_up);
        self.at = [line.len() as u64, given_up, more].iter().fold(at, |at, length| at.saturating_add(*length));
        self.row = self.row.saturating_add(1);
        let row = self.row;
        if given_up > 0 || line.len() > LONGEST {
            return each(Err(Bad { row, at, of: TEXT, what: "it is longer than any row that S3 writes" }));
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        each(read(&self.schema, line, &mut self.key).map_err(|what| Bad { row, at, of: TEXT, what }));
    }
}

/// Reads a line; `scratch` holds the key where it is not written as it is.
fn read<'a>(schema: &Schema, line: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Row<'a>, &'static str> {
    let mut fields: [&[u8]; COLUMNS] = [b""; COLUMNS];
    let (mut rest, mut doubled, mut is_first) = (line, false, true);
    for column in schema.columns() {
        if !std::mem::take(&mut is_first) {
            let Some(after) = rest.strip_prefix(b",") else { return Err(unended(rest)) };
            rest = after;
        }
        let (value, has_quotes) = field(&mut rest)?;
        let Some(column) = column else { continue };
        if has_quotes && *column != Column::Key {
            return Err("a field has a quote in it, where none can be");
        }
        doubled |= has_quotes;
        if let Some(slot) = fields.get_mut(*column as usize) {
            *slot = value;
        }
    }
    if !rest.is_empty() {
        return Err(if rest.starts_with(b",") { "it has more fields than there are columns" } else { unended(rest) });
    }
    let [key, version, latest, marker, size, modified, etag, multipart, encryption, class] = fields;
    let is_encoded = doubled || memchr2(b'%', b'+', key).is_some();
    let key = if is_encoded {
        decode(key, doubled, scratch)?;
        scratch.as_slice()
    } else {
        key
    };
    let said = Said {
        key,
        version,
        latest: truth(latest),
        marker: truth(marker),
        size: if size.is_empty() { None } else { Some(number(size).ok_or("its Size is no number of bytes")?) },
        modified: moment(modified),
        etag,
        multipart: truth(multipart),
        encryption,
        class,
    };
    said.judge(schema.is_versioned())
}

/// Takes a field off the front of a line, and whether quotes are in it.
#[inline]
fn field<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], bool), &'static str> {
    let Some(inner) = rest.strip_prefix(b"\"") else {
        let end = memchr(b',', rest).unwrap_or(rest.len());
        let (value, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        *rest = after;
        return if memchr(b'"', value).is_some() {
            Err("a field has a quote in it, and none around it")
        } else {
            Ok((value, false))
        };
    };
    let (mut end, mut has_quotes) = (0, false);
    loop {
        let left = inner.get(end..).unwrap_or_default();
        let found = memchr(b'"', left).ok_or("a field's quotes are not closed in its line")?;
        end += found;
        let (value, after) = inner.split_at_checked(end).unwrap_or((inner, &[]));
        let after = after.get(1..).unwrap_or_default();
        if after.first() != Some(&b'"') {
            *rest = after;
            return Ok((value, has_quotes));
        }
        (end, has_quotes) = (end + 2, true);
    }
}

/// Why no field begins here.
fn unended(rest: &[u8]) -> &'static str {
    if rest.is_empty() { "it has fewer fields than there are columns" } else { "a field goes on behind its quotes" }
}

#[cfg(test)]
mod tests;
