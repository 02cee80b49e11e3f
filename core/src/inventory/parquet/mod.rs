//! Lists in Apache Parquet: a [`Reader`] says which bytes of the file it needs next, and gives the rows of the list.
//!
//! ```text
//! PAR1 | group of rows | group of rows | … | footer | length of the footer | PAR1
//!        for each column: dictionary? page page …
//! ```
//!
//! Facts are those of `parquet.thrift` and `Encodings.md` of parquet-format. S3 writes flat columns, compressed with
//! Snappy, whose keys are not encoded as those of CSV are. Read are what such columns are written in by parquet-mr and
//! by Arrow: pages of both kinds, plain values, dictionaries and runs. What else there is, is refused by its name.
//!
//! The crate `parquet` is not used: of the 29,352 bits of two small lists, 196 make its version 60.1 panic when they
//! flip, and 6 give another number of rows without a word; and it takes what a page's header says, up to 2 GiB, unseen.
//!
//! A dictionary and a page of each column that is read are held, `BUDGET` bytes at most: what a header says is judged
//! by the bytes that it is said of, before any is taken. A number of rows or values is said in the footer, in each
//! group, in each column of it and in its pages: unless all agree, the list cannot be read.

mod column;
mod footer;
mod hybrid;
mod page;
#[cfg(test)]
mod tests;
mod thrift;

use super::row::{Row, Said};
use super::rows::Bad;
use super::schema::{Column, Schema};
use crate::cursor::Cursor;
use column::Pages;
use footer::Footer;
use page::Header;

/// Encodings that are read, by their numbers.
const PLAIN: i64 = 0;
const OLD_DICTIONARY: i64 = 2;
const RLE: i64 = 3;
const DICTIONARY: i64 = 8;

/// What stands at a file's end: the length of the footer, and four letters.
const TAIL: u64 = 8;
const MAGIC: &[u8] = b"PAR1";

/// The longest footer that is read, in bytes: some thousand groups have a mebibyte.
const LONGEST_FOOTER: u64 = 16 << 20;

/// So much is read for the header of a page, in bytes, and so much if that is not enough, as it tells of long keys.
const HEAD: u64 = 4 << 10;
const LONG_HEAD: u64 = 64 << 10;

/// Pages and dictionaries have at most so many bytes at once.
const BUDGET: u64 = 128 << 20;

/// A list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    /// Where in the file that was seen, in bytes.
    pub at: u64,
    /// What is wrong, as a clause.
    pub what: String,
}

/// What is to be done for a [`Reader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Give it these bytes of the file.
    Read {
        /// Where they begin.
        at: u64,
        /// How many they are: at most 32 mebibytes.
        length: u64,
    },
    /// Take a row.
    Row(Result<Row<'a>, Bad>),
    /// Nothing: there are no more rows.
    End,
}

/// A list that is being read.
#[derive(Debug)]
pub struct Reader {
    schema: Schema,
    length: u64,
    wait: Wait,
    footer: Footer,
    /// How many groups were begun, and how many rows of the last one are ahead.
    begun: usize,
    ahead: u64,
    columns: Vec<Pages>,
    /// How many rows were given.
    row: u64,
}

/// Which bytes it waits for.
#[derive(Debug, Clone, Copy)]
enum Wait {
    Nothing,
    Tail,
    Footer { at: u64, length: u64 },
    Header { column: usize, at: u64, length: u64 },
    Page { column: usize, header: Header, at: u64 },
}

impl Reader {
    /// Reads a list of so many bytes, which has these columns by its manifest.
    #[must_use]
    pub fn new(schema: Schema, length: u64) -> Self {
        let footer = Footer { leaves: Vec::new(), groups: Vec::new() };
        Self { schema, length, wait: Wait::Tail, footer, begun: 0, ahead: 0, columns: Vec::new(), row: 0 }
    }

    /// Says what is to be done next.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn step(&mut self) -> Result<Step<'_>, Broken> {
        if matches!(self.wait, Wait::Nothing) {
            while self.ahead == 0 {
                if !self.begin()? {
                    return Ok(Step::End);
                }
            }
            if let Some((column, pages)) = self.columns.iter().enumerate().find(|(_, pages)| pages.wants()) {
                let length = pages.rest().min(HEAD);
                if length == 0 {
                    let what = format!("the column {} ends before its last row", pages.leaf.column.name());
                    return Err(Broken { at: pages.at, what });
                }
                self.wait = Wait::Header { column, at: pages.at, length };
            }
        }
        let (at, length) = match self.wait {
            Wait::Nothing => return self.row().map(Step::Row),
            Wait::Tail => match self.length.checked_sub(TAIL) {
                Some(at) => (at, TAIL),
                None => return Err(Broken { at: 0, what: "it is shorter than any list".to_owned() }),
            },
            Wait::Footer { at, length } | Wait::Header { at, length, .. } => (at, length),
            Wait::Page { header, at, .. } => (at, header.stored),
        };
        Ok(Step::Read { at, length })
    }

    /// Takes the bytes that [`Reader::step`] asked for.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        match std::mem::replace(&mut self.wait, Wait::Nothing) {
            Wait::Nothing => Ok(()),
            Wait::Tail => self.tail(bytes),
            Wait::Footer { at, length } => {
                let what = if bytes.len() as u64 == length { None } else { Some("the footer is cut".to_owned()) };
                let parsed = what.map_or_else(|| Footer::parse(bytes, at, &self.schema), Err);
                self.footer = parsed.map_err(|what| Broken { at, what })?;
                Ok(())
            }
            Wait::Header { column, at, length } => self.header(bytes, column, at, length),
            Wait::Page { column, header, at } => self.page(bytes, column, &header, at),
        }
    }

    /// Reads where the footer lies.
    fn tail(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let end = self.length.saturating_sub(TAIL);
        let broken = |what: &str| Err(Broken { at: end, what: what.to_owned() });
        let mut cursor = Cursor::new(bytes);
        let Some(length) = cursor.fixed32().map(u64::from) else { return broken("it is cut") };
        if cursor.rest() == b"PARE" {
            return broken("it is encrypted");
        }
        if cursor.rest() != MAGIC {
            return broken("it does not end as Parquet does");
        }
        match end.checked_sub(length) {
            _ if length > LONGEST_FOOTER => broken("its footer is longer than any that is read"),
            Some(at) if at >= MAGIC.len() as u64 => {
                self.wait = Wait::Footer { at, length };
                Ok(())
            }
            _ => broken("its footer is longer than the file"),
        }
    }

    /// Reads what stands before a page; the page too, where it came with it.
    fn header(&mut self, bytes: &[u8], column: usize, at: u64, length: u64) -> Result<(), Broken> {
        let broken = |what: String| Broken { at, what };
        let Some(pages) = self.columns.get(column) else { return Ok(()) };
        let Some(header) = Header::parse(bytes) else {
            let longer = pages.rest().min(LONG_HEAD);
            if longer > length {
                self.wait = Wait::Header { column, at, length: longer };
                return Ok(());
            }
            return Err(broken("the header of a page is broken".to_owned()));
        };
        pages.judge(&header).map_err(broken)?;
        let held = self.columns.iter().fold(0_u64, |sum, pages| sum.saturating_add(pages.held()));
        // A dictionary of short texts has as much again twice for where they lie.
        if header.whole.saturating_mul(3).saturating_add(held) > BUDGET {
            return Err(broken(format!("its pages have more than {BUDGET} bytes at once")));
        }
        let begin = usize::try_from(header.length).ok();
        let end = usize::try_from(header.length.saturating_add(header.stored)).ok();
        match begin.zip(end).and_then(|(begin, end)| bytes.get(begin..end)) {
            Some(stored) => self.page(stored, column, &header, at.saturating_add(header.length)),
            None => {
                self.wait = Wait::Page { column, header, at: at.saturating_add(header.length) };
                Ok(())
            }
        }
    }

    /// Takes a page.
    fn page(&mut self, bytes: &[u8], column: usize, header: &Header, at: u64) -> Result<(), Broken> {
        let Some(pages) = self.columns.get_mut(column) else { return Ok(()) };
        if bytes.len() as u64 != header.stored {
            return Err(Broken { at, what: "a page is cut".to_owned() });
        }
        pages.take(header, bytes).map_err(|what| Broken { at, what })
    }

    /// Ends a group, and begins the next one; false if there is none.
    fn begin(&mut self) -> Result<bool, Broken> {
        let last = self.begun.checked_sub(1).and_then(|last| self.footer.groups.get(last));
        let rest = self.columns.iter().find(|pages| pages.rest() > 0);
        if let (Some(pages), true) = (rest, last.is_some_and(|group| group.rows > 0)) {
            let what = format!("the column {} goes on behind its last row", pages.leaf.column.name());
            return Err(Broken { at: pages.at, what });
        }
        let Some(group) = self.footer.groups.get(self.begun) else { return Ok(false) };
        let both = self.footer.leaves.iter().zip(&group.chunks);
        self.columns = both.map(|(leaf, chunk)| Pages::new(*leaf, *chunk, group.rows)).collect();
        (self.begun, self.ahead) = (self.begun.saturating_add(1), group.rows);
        Ok(true)
    }

    /// Goes to the next row, and judges it.
    fn row(&mut self) -> Result<Result<Row<'_>, Bad>, Broken> {
        (self.ahead, self.row) = (self.ahead.saturating_sub(1), self.row.saturating_add(1));
        for pages in &mut self.columns {
            if pages.advance().is_none() {
                let what = format!("a page of the column {} has not the values that it says", pages.leaf.column.name());
                return Err(Broken { at: pages.from, what });
            }
        }
        let (mut said, mut at) = (Said::default(), 0);
        for pages in &self.columns {
            let text = || pages.bytes().unwrap_or_default();
            match pages.leaf.column {
                Column::Key => (said.key, at) = (text(), pages.from),
                Column::VersionId => said.version = text(),
                Column::IsLatest => said.latest = pages.truth(),
                Column::IsDeleteMarker => said.marker = pages.truth(),
                // One below nothing is as wrong as the greatest.
                Column::Size => said.size = pages.number().and_then(|size| u64::try_from(size).ok()),
                Column::LastModifiedDate => said.modified = pages.moment(),
                Column::ETag => said.etag = text(),
                Column::IsMultipartUploaded => said.multipart = pages.truth(),
                Column::EncryptionStatus => said.encryption = text(),
                Column::StorageClass => said.class = text(),
            }
        }
        let row = self.row;
        Ok(said.judge(self.schema.is_versioned()).map_err(|what| Bad { row, at, of: "file", what }))
    }
}

/// That a column is written in a way that is not read.
fn named(column: Column, encoding: i64) -> String {
    let name = match encoding {
        PLAIN => "PLAIN",
        OLD_DICTIONARY => "PLAIN_DICTIONARY",
        RLE => "RLE",
        4 => "BIT_PACKED",
        5 => "DELTA_BINARY_PACKED",
        6 => "DELTA_LENGTH_BYTE_ARRAY",
        7 => "DELTA_BYTE_ARRAY",
        DICTIONARY => "RLE_DICTIONARY",
        9 => "BYTE_STREAM_SPLIT",
        _ => "no encoding that is known",
    };
    format!("its column {} is written as {name}, which is not read here", column.name())
}
