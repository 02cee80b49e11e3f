//! `records`: which blobs the records of a `Data.fs` stand for, and where its finished transactions end.

use std::io;
use std::ops::Range;

use highwater_core::filestorage::{BLOB_DATA, DATA_HEADER, DataHeader, Oid, Record, Sink, Tid, Walk, is_blob};
use highwater_core::name::Name;

use crate::disk::Disk;
use crate::error::Error;
use crate::filestorage::hop;
use crate::shown::quoted;
use crate::store::Object;
use crate::watch::Watch;

/// Bytes read at once.
const WINDOW: usize = 16 * 1024;

/// Where the finished transactions of a file end, in bytes.
pub(super) fn end(object: &dyn Object) -> io::Result<u64> {
    let size = object.length()?;
    let mut tail = [0; 8];
    let tail = (size >= 8 && object.read_exact_at(size - 8, &mut tail).is_ok()).then_some(tail);
    let mut walk = Walk::new(0, size).with_tail(tail);
    hop(object, &mut walk, &mut ())?;
    Ok(walk.end())
}

/// Why the records could not be read to the end.
pub(super) enum Broken {
    /// The file could not be read.
    Unread(io::Error),
    /// Its transactions do not go on behind this byte.
    At(u64),
    /// Nobody wants to know any more.
    Stopped(Error),
}

impl Broken {
    /// As an error of this file.
    pub(super) fn of(self, root: &dyn Disk, name: &Name) -> Error {
        match self {
            Self::Unread(error) => Error::at("read", root, name)(error),
            Self::At(at) => Error::damage(format!(
                "the source {} holds no whole transaction at byte {at}, where there was one; no point was made",
                quoted(&root.told(Some(name)))
            )),
            Self::Stopped(error) => error,
        }
    }
}

/// The blobs that finished transactions stand for: those that are `known`, of the transactions before the range, and
/// those of the range, which begins and ends between two. Object and transaction, sorted, each once. Takes 16 bytes of
/// memory for each.
pub(super) fn blobs(
    object: &dyn Object,
    known: Vec<(Oid, Tid)>,
    range: Range<u64>,
    watch: &Watch<'_>,
) -> Result<Vec<(Oid, Tid)>, Broken> {
    let Range { start, end } = range;
    let file = Window { object, from: 0, held: Vec::new() };
    let mut blobs = Blobs { file, found: known, failed: None, watch, records: 0 };
    let mut walk = Walk::new(start, end);
    hop(object, &mut walk, &mut blobs).map_err(Broken::Unread)?;
    let Blobs { mut found, failed, .. } = blobs;
    if let Some(failed) = failed {
        return Err(failed);
    }
    if walk.end() != end {
        return Err(Broken::At(walk.end()));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Collects blobs.
struct Blobs<'a> {
    file: Window<'a>,
    found: Vec<(Oid, Tid)>,
    failed: Option<Broken>,
    watch: &'a Watch<'a>,
    records: u64,
}

impl Sink for Blobs<'_> {
    fn record(&mut self, record: &Record) {
        self.records += 1;
        if self.failed.is_some() {
            return;
        }
        if self.records.is_multiple_of(1 << 16)
            && let Err(stop) = self.watch.go_on()
        {
            self.failed = Some(Broken::Stopped(stop));
            return;
        }
        let data = record.at.saturating_add(DATA_HEADER as u64);
        let stands = match record.back {
            None => self.file.is_blob(data, record.plen),
            Some(back) => self.file.leads_to_blob(back, record.at),
        };
        match stands {
            Ok(true) => self.found.push((record.oid, record.tid)),
            Ok(false) => {}
            Err(error) => self.failed = Some(Broken::Unread(error)),
        }
    }
}

/// A file, of which the bytes that were read last are at hand.
struct Window<'a> {
    object: &'a dyn Object,
    from: u64,
    held: Vec<u8>,
}

impl Window<'_> {
    fn read(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let inside = at.checked_sub(self.from).and_then(|skip| usize::try_from(skip).ok());
        let skip = match inside.filter(|skip| skip.saturating_add(length) <= self.held.len()) {
            Some(skip) => skip,
            None => {
                let mut filled = 0;
                self.from = at;
                self.held.resize(WINDOW, 0);
                while filled < length {
                    match self.object.read_at(at + filled as u64, &mut self.held[filled..]) {
                        Ok(0) => {
                            self.held.clear();
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        }
                        Ok(read) => filled += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => {
                            self.held.clear();
                            return Err(error);
                        }
                    }
                }
                self.held.truncate(filled);
                0
            }
        };
        Ok(&self.held[skip..skip + length])
    }

    /// Whether the data at `at`, so many bytes, stands for a blob.
    fn is_blob(&mut self, at: u64, length: u64) -> io::Result<bool> {
        let length = usize::try_from(length).unwrap_or(BLOB_DATA).min(BLOB_DATA);
        self.read(at, length).map(is_blob)
    }

    /// Whether a back pointer in a record at `from` leads to data that stands for a blob. None leads forward.
    fn leads_to_blob(&mut self, mut back: u64, mut from: u64) -> io::Result<bool> {
        while back > 0 && back < from {
            let header = self.read(back, DATA_HEADER)?.first_chunk().map(DataHeader::parse);
            let Some(header) = header else { return Ok(false) };
            let data = back + DATA_HEADER as u64;
            if header.plen > 0 {
                return self.is_blob(data, header.plen);
            }
            from = back;
            back = self.read(data, 8)?.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        }
        // The creation of the object was undone.
        Ok(false)
    }
}
