//! `List`: one list of an inventory, as it lies here.

use std::fmt;
use std::io;

use highwater_core::codec::{Decoder, Flow};
use highwater_core::digest::Digest;
use highwater_core::inventory::{Bad, Kind, Row, Rows, Schema};
use highwater_core::name::{Name, printable};

use crate::disk::Disk;
use crate::error::Error;
use crate::shown::quoted;

/// How much of a list is read at once, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece(usize);

impl Piece {
    /// Of one that is read to its end.
    pub(super) const WHOLE: Self = Self(64 << 10);
    /// Of one whose first rows are looked at.
    pub(super) const BEGINNING: Self = Self(4 << 10);
}

/// A list.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// The bucket that it comes from, and its key there.
    pub(super) bucket: String,
    pub(super) key: String,
    /// Its file here.
    pub(super) name: Name,
    /// How long it is, in bytes, and their MD5.
    pub(super) size: u64,
    pub(super) md5: Digest,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, printable(self.key.as_bytes()))
    }
}

/// Takes a row, good or bad; or none, and how many bytes of the list were read.
pub(super) type Each<'a> = dyn FnMut(u64, Option<Result<Row<'_>, Bad>>) -> Result<Flow, Error> + 'a;

impl List {
    /// Reads it until its end, or until `each` stops.
    ///
    /// # Errors
    /// That of `each`; the operating system's; or it is no list.
    pub(super) fn read(
        &self,
        disk: &dyn Disk,
        schema: &Schema,
        piece: Piece,
        each: &mut Each<'_>,
    ) -> Result<Flow, Error> {
        match schema.kind() {
            Kind::Csv => self.read_text(disk, schema, piece, each),
            #[cfg(feature = "parquet")]
            Kind::Parquet => super::parquet::read(self, disk, schema, each),
            // Nobody makes a schema of those.
            _ => Err(Error::failed(format!("the list {self} is of a kind that this program was built without"))),
        }
    }

    fn read_text(
        &self,
        disk: &dyn Disk,
        schema: &Schema,
        Piece(piece): Piece,
        each: &mut Each<'_>,
    ) -> Result<Flow, Error> {
        let object = disk.open(&self.name).map_err(Error::at("open", disk, &self.name))?;
        let (mut decoder, mut rows) = (Decoder::of_long(), Rows::new(schema.clone()));
        let (mut piece, mut at) = (vec![0; piece], 0);
        let mut said = Ok(Flow::Continue(()));
        loop {
            let some = match object.read_at(at, &mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(Error::at("read", disk, &self.name))?,
            };
            if some == 0 {
                break;
            }
            at += some as u64;
            if each(some as u64, None)?.is_break() {
                return Ok(Flow::Break(()));
            }
            let decoded = decoder.push(&piece[..some], &mut |text| {
                rows.push(text, &mut |row| {
                    if let Ok(Flow::Continue(())) = said {
                        said = each(0, Some(row));
                    }
                });
                if let Ok(Flow::Continue(())) = said { Flow::Continue(()) } else { Flow::Break(()) }
            });
            if !matches!(said, Ok(Flow::Continue(()))) {
                return said;
            }
            _ = decoded.map_err(|broken| self.broken(disk, broken.at, broken.what))?;
        }
        decoder.end().map_err(|broken| self.broken(disk, broken.at, broken.what))?;
        rows.end(&mut |row| said = each(0, Some(row)));
        said
    }

    /// That it cannot be read.
    pub(super) fn broken(&self, disk: &dyn Disk, at: u64, what: &str) -> Error {
        Error::failed(format!(
            "the list {self} cannot be read at byte {at} of {}: {what}; run this again, which fetches a list anew that \
             is not what its manifest says; if it stays so, take an older inventory",
            quoted(&disk.told(Some(&self.name)))
        ))
    }
}
