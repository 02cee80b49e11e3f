//! `Index`: the rows of an index, block by block, in their order.

use highwater_core::digest::{Algorithm, Digest, of};
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::{Latest, Proof, Row, Rows, Seen, TRAILER, Tail, Trailer, text};
use highwater_core::inventory::Etag;
use highwater_core::name::Name;

use crate::disk::Disk;
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// An index that is there.
pub(super) struct Index {
    pub(super) tail: Tail,
    name: Name,
    object: Box<dyn Object>,
}

impl Index {
    /// Opens the one that a pointer means, under the name that it has now.
    ///
    /// # Errors
    /// It cannot be read, or is another one.
    pub(super) fn open(disk: &dyn Disk, name: Name, applied: &Applied) -> Result<Self, Error> {
        let object = disk.open(&name).map_err(Error::at("open", disk, &name))?;
        let told = Error::at("read", disk, &name);
        let damaged = |at: u64, what: String| Error::damage(format!("'{name}' at byte {at}: {what}"));
        let length = object.length().map_err(Error::at("look at", disk, &name))?;
        if length != applied.size {
            return Err(damaged(length, format!("it has {length} bytes, and its pointer says {}", applied.size)));
        }
        let mut bytes = vec![0; usize::try_from(TRAILER.min(length)).unwrap_or(0)];
        let read = object.read_exact_at(length.saturating_sub(TRAILER), &mut bytes);
        let trailer = Trailer::parse(&bytes);
        let stretch = trailer.as_ref().map(|trailer| trailer.stretch(length)).unwrap_or_default();
        let mut tail = vec![0; usize::try_from(stretch.end.saturating_sub(stretch.start)).unwrap_or(0)];
        read.and_then(|()| object.read_exact_at(stretch.start, &mut tail)).map_err(told)?;
        let trailer = trailer.map_err(|odd| damaged(length, odd.what))?;
        if trailer.sum != applied.tail {
            return Err(damaged(length, "it is not the index that the pointer means".to_owned()));
        }
        let tail = Tail::parse(&trailer, length, &tail).map_err(|odd| damaged(odd.at, odd.what))?;
        Ok(Self { tail, name, object })
    }

    /// Reads every block, and looks whether it is what was written; no row is unpacked.
    ///
    /// # Errors
    /// One is not, or cannot be read; the user.
    pub(super) fn prove(&self, watch: &Watch<'_>) -> Result<(), Error> {
        for (number, block) in self.tail.blocks().iter().enumerate() {
            watch.go_on()?;
            if of(Algorithm::Xxh3, &self.stored(number)?) != Digest::Xxh3(block.sum) {
                return Err(self.damaged(block.at, "its checksum differs"));
            }
        }
        Ok(())
    }

    /// A block as it lies there; empty behind the last.
    fn stored(&self, number: usize) -> Result<Vec<u8>, Error> {
        let Some(block) = self.tail.blocks().get(number) else { return Ok(Vec::new()) };
        let mut bytes = vec![0; usize::try_from(block.stored).unwrap_or(0)];
        let read = self.object.read_exact_at(block.at, &mut bytes);
        read.map_err(|error| Error::failed(format!("cannot read '{}': {error}", self.name)))?;
        Ok(bytes)
    }

    /// Its rows.
    pub(super) fn rows(&self) -> Pull<'_> {
        Pull { index: self, block: 0, rows: None, next: Kept::default(), is_begun: false }
    }

    /// Its rows from a key on, and some before it.
    pub(super) fn rows_from(&self, key: &[u8]) -> Pull<'_> {
        Pull { block: self.tail.block_of(key), ..self.rows() }
    }

    fn damaged(&self, at: u64, what: &str) -> Error {
        Error::damage(format!("'{}' at byte {at}: {what}", self.name))
    }
}

/// A row that lives on, and whose memory is used again.
#[derive(Default)]
struct Kept {
    is_some: bool,
    key: Vec<u8>,
    version: Vec<u8>,
    etag: Vec<u8>,
    spans: Vec<Seen>,
    latest: Kind,
    size: u64,
    modified: (i64, u32),
    marker: bool,
    wanted: bool,
    pruned: bool,
    proof: Option<Proof>,
    own: Option<[u8; 32]>,
    seen: Option<Seen>,
}

#[derive(Default, Clone, Copy)]
enum Kind {
    #[default]
    Never,
    Seen,
    Spans,
}

impl Kept {
    fn take(&mut self, row: &Row<'_>) {
        for (kept, new) in [(&mut self.key, row.key), (&mut self.version, row.version)] {
            kept.clear();
            kept.extend_from_slice(new);
        }
        self.etag = text(&row.etag);
        self.spans.clear();
        self.latest = match row.latest {
            Latest::Never => Kind::Never,
            Latest::Seen => Kind::Seen,
            Latest::Spans(spans) => {
                self.spans.extend_from_slice(spans);
                Kind::Spans
            }
        };
        (self.size, self.modified, self.marker, self.wanted) = (row.size, row.modified, row.marker, row.wanted);
        (self.proof, self.own, self.seen, self.is_some) = (Some(row.proof), row.own, Some(row.seen), true);
        self.pruned = row.pruned;
    }

    fn row(&self) -> Row<'_> {
        Row {
            key: &self.key,
            version: &self.version,
            etag: Etag::parse(&self.etag),
            size: self.size,
            modified: self.modified,
            marker: self.marker,
            wanted: self.wanted,
            pruned: self.pruned,
            proof: self.proof.unwrap_or(Proof::Nothing),
            own: self.own,
            seen: self.seen.unwrap_or(Seen { first: 0, last: 0 }),
            latest: match self.latest {
                Kind::Never => Latest::Never,
                Kind::Seen => Latest::Seen,
                Kind::Spans => Latest::Spans(&self.spans),
            },
        }
    }
}

/// Gives rows one after another, as far as they are asked for.
pub(super) struct Pull<'a> {
    index: &'a Index,
    block: usize,
    rows: Option<Rows>,
    /// The row that comes next.
    next: Kept,
    is_begun: bool,
}

impl Pull<'_> {
    /// Hands on every row whose key is not behind `key`; all, if there is none.
    ///
    /// # Errors
    /// The index is damaged or cannot be read, and those of `each`.
    pub(super) fn up_to(
        &mut self,
        key: Option<&[u8]>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.advance()?;
        }
        while self.next.is_some && key.is_none_or(|key| self.next.key.as_slice() <= key) {
            each(&self.next.row())?;
            self.advance()?;
        }
        Ok(())
    }

    /// Hands on all rows.
    ///
    /// # Errors
    /// As [`Pull::up_to`].
    pub(super) fn all(mut self, each: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>) -> Result<(), Error> {
        self.up_to(None, each)
    }

    fn advance(&mut self) -> Result<(), Error> {
        loop {
            if let Some(rows) = &mut self.rows {
                match rows.row() {
                    Err(odd) => return Err(self.index.damaged(odd.at, &odd.what)),
                    Ok(Some(row)) => {
                        self.next.take(&row);
                        return Ok(());
                    }
                    Ok(None) => self.rows = None,
                }
            }
            if self.block >= self.index.tail.blocks().len() {
                self.next.is_some = false;
                return Ok(());
            }
            let bytes = self.index.stored(self.block)?;
            let rows = Rows::open(&self.index.tail, self.block, &bytes);
            self.rows = Some(rows.map_err(|odd| self.index.damaged(odd.at, &odd.what))?);
            self.block += 1;
        }
    }
}
