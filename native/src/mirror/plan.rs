//! Makes the plan of a sync: inventory and index side by side, and nothing else; the tree is not looked at.

use std::io::{BufWriter, Write};

use highwater_core::digest::Digest;
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::{Encoder, Point, Tail, Written};
use highwater_core::formats::mirror::plan::part::{Cutter, Part};
use highwater_core::formats::mirror::plan::{Fetch, Item, Merge, Out, TITLE, Tally};
use highwater_core::inventory;
use highwater_core::mtree::Seal;

use super::area::Area;
use super::index::Index;
use super::journal::{self, Journal};
use crate::disk::{Appender, Writable};
use crate::error::Error;
use crate::watch::Watch;

/// What is written at once.
const PIECE: usize = 256 << 10;

/// Rows between two looks whether the user wants to stop.
const ROWS: u64 = 1 << 14;

/// What a plan is made for.
pub(super) struct Wish<'a> {
    pub(super) bucket: &'a str,
    /// How the folder of the inventory is called.
    pub(super) point: &'a str,
    /// The MD5 of its manifest.
    pub(super) manifest: [u8; 16],
    pub(super) is_versioned: bool,
    /// Whether a key is asked for.
    pub(super) filter: &'a dyn Fn(&[u8]) -> bool,
}

/// A plan that was written, and of which nothing was done yet.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) journal: Journal,
    pub(super) tally: Tally,
    /// Rows that are not asked for.
    pub(super) filtered: u64,
}

/// Hands on the rows of an inventory in the order of their keys, and says how many could not be read; none if they turn
/// out not to be in order.
pub(super) type Rows<'r> =
    dyn FnMut(&mut dyn FnMut(&inventory::Row<'_>) -> Result<(), Error>) -> Result<Option<u64>, Error> + 'r;

/// Makes the plan; none if the rows are not in order.
///
/// # Errors
/// What cannot be read or written.
pub(super) fn make(
    area: &Area<'_>,
    before: Option<(&Applied, &Index)>,
    wish: &Wish<'_>,
    rows: &mut Rows<'_>,
    watch: &Watch<'_>,
) -> Result<Option<Planned>, Error> {
    let none = Tail::default();
    let (tail, mut points) = before.map_or((&none, Vec::new()), |(_, index)| (&index.tail, index.tail.points.clone()));
    points.push(Point { name: wish.point.to_owned(), manifest: wish.manifest, objects: 0, bytes: 0, unread: 0 });
    let mut merge = match before {
        None => Merge::first(tail),
        Some((applied, index)) => {
            let number = index.tail.number(&applied.point).ok_or_else(|| {
                Error::damage(format!("the index has no point {}, which the pointer names", applied.point))
            })?;
            Merge::new(tail, number)
        }
    };
    let (index_file, steps_file) = (area.create(&journal::rows()?)?, area.create(&journal::steps()?)?);
    let mut writing = Writing::begin(wish.bucket, points, (&*index_file, &*steps_file), wish.filter)?;
    let mut known = before.map(|(_, index)| index.rows());
    let mut count = 0_u64;
    let unread = rows(&mut |row| {
        count += 1;
        if count.is_multiple_of(ROWS) {
            watch.count(ROWS);
            watch.go_on()?;
        }
        if let Some(known) = &mut known {
            known.up_to(Some(row.key), &mut |row| {
                merge.know(row, &mut |out| writing.take(out)).map_err(Error::failed)
            })?;
        }
        merge.list(row, &mut |out| writing.take(out)).map_err(Error::failed)?;
        writing.failed.take().map_or(Ok(()), Err)
    })?;
    let Some(unread) = unread else { return Ok(None) };
    writing.encoder.lacks(unread);
    if let Some(known) = &mut known {
        known.up_to(None, &mut |row| merge.know(row, &mut |out| writing.take(out)).map_err(Error::failed))?;
    }
    let tally = merge.end(&mut |out| writing.take(out));
    let (filtered, wanted, fetched, bytes) = (writing.filtered, writing.wanted, writing.fetched, writing.bytes);
    let (written, parts) = writing.end()?;
    let parts = put_parts(area, &parts)?;
    index_file.set_mode(0o666 & !crate::store::umask()).map_err(cannot_write)?;
    let number = before.map_or(1, |(applied, _)| applied.index.saturating_add(1));
    let applied = Applied {
        bucket: wish.bucket.to_owned(),
        point: wish.point.to_owned(),
        manifest: Digest::Md5(wish.manifest),
        index: number,
        size: written.size,
        tail: written.sum,
        unread,
    };
    let journal = Journal { applied, wanted: Some(wanted), is_versioned: wish.is_versioned, fetched, bytes, parts };
    Ok(Some(Planned { journal, tally, filtered }))
}

/// Makes the plan that tries again what the newest point wants.
///
/// # Errors
/// What cannot be read or written.
pub(super) fn again(
    area: &Area<'_>,
    (applied, index): (&Applied, &Index),
    is_versioned: bool,
    filter: &dyn Fn(&[u8]) -> bool,
    watch: &Watch<'_>,
) -> Result<Planned, Error> {
    let shown = index.tail.number(&applied.point).unwrap_or(u32::MAX);
    let (index_file, steps_file) = (area.create(&journal::rows()?)?, area.create(&journal::steps()?)?);
    let mut writing = Writing::begin(&applied.bucket, index.tail.points.clone(), (&*index_file, &*steps_file), filter)?;
    let mut count = 0_u64;
    index.rows().all(&mut |row| {
        count += 1;
        if count.is_multiple_of(ROWS) {
            watch.count(ROWS);
            watch.go_on()?;
        }
        let number = writing.wanted;
        writing.take(Out::Row(*row));
        if row.wanted && row.seen.last == index.tail.newest() {
            let latest = row.is_latest(shown);
            writing.take(Out::Item(Item::Fetch(Fetch {
                key: row.key,
                version: row.version,
                etag: row.etag,
                size: row.size,
                modified: row.modified,
                number,
                latest,
                aside: latest && index.tail.is_aside(row.key),
                staged: false,
                again: true,
            })));
        }
        writing.failed.take().map_or(Ok(()), Err)
    })?;
    let (filtered, wanted, fetched, bytes) = (writing.filtered, writing.wanted, writing.fetched, writing.bytes);
    let (written, parts) = writing.end()?;
    let parts = put_parts(area, &parts)?;
    index_file.set_mode(0o666 & !crate::store::umask()).map_err(cannot_write)?;
    let number = applied.index.saturating_add(1);
    let applied = Applied { index: number, size: written.size, tail: written.sum, ..applied.clone() };
    let journal = Journal { applied, wanted: Some(wanted), is_versioned, fetched, bytes, parts };
    Ok(Planned { journal, tally: Tally::default(), filtered })
}

/// Writes down which parts the steps are cut into; gives how many there are.
fn put_parts(area: &Area<'_>, parts: &[Part]) -> Result<u64, Error> {
    let bytes: Vec<u8> = parts.iter().flat_map(Part::encode).collect();
    area.create(&journal::parts()?)?.write_at(0, &bytes).map_err(cannot_write)?;
    Ok(parts.len() as u64)
}

/// The two files of a plan while they are written.
pub(super) struct Writing<'a> {
    encoder: Encoder,
    index: BufWriter<Appender<&'a dyn Writable>>,
    steps: BufWriter<Appender<&'a dyn Writable>>,
    seal: Seal,
    cutter: Cutter,
    line: String,
    wanted: u64,
    fetched: u64,
    bytes: u64,
    filter: &'a dyn Fn(&[u8]) -> bool,
    filtered: u64,
    /// The first thing that went wrong.
    pub(super) failed: Option<Error>,
}

impl<'a> Writing<'a> {
    /// Begins an index with these points, and the steps.
    ///
    /// # Errors
    /// There is no such index, or the operating system's.
    pub(super) fn begin(
        bucket: &str,
        points: Vec<Point>,
        (index, steps): (&'a dyn Writable, &'a dyn Writable),
        filter: &'a dyn Fn(&[u8]) -> bool,
    ) -> Result<Self, Error> {
        let mut writing = Self {
            encoder: Encoder::new(bucket, points).map_err(Error::failed)?,
            index: BufWriter::with_capacity(PIECE, Appender { file: index, at: 0 }),
            steps: BufWriter::with_capacity(PIECE, Appender { file: steps, at: 0 }),
            seal: Seal::default(),
            cutter: Cutter::new(TITLE.len() as u64),
            line: String::new(),
            wanted: 0,
            fetched: 0,
            bytes: 0,
            filter,
            filtered: 0,
            failed: None,
        };
        writing.say(TITLE)?;
        Ok(writing)
    }

    /// Takes what comes next, unless something went wrong by then.
    pub(super) fn take(&mut self, out: Out<'_>) {
        if self.failed.is_some() {
            return;
        }
        let done = match out {
            Out::Row(row) => {
                self.wanted += u64::from(row.wanted);
                let (mut written, index) = (Ok(()), &mut self.index);
                let pushed = self.encoder.push(&row, &mut |bytes| {
                    if written.is_ok() {
                        written = index.write_all(bytes);
                    }
                });
                pushed.map_err(Error::failed).and(written.map_err(cannot_write))
            }
            Out::Item(Item::Fetch(fetch)) if !(self.filter)(fetch.key) => {
                self.filtered += 1;
                Ok(())
            }
            Out::Item(item) => {
                let fetches = if let Item::Fetch(fetch) = &item { Some(fetch.size) } else { None };
                self.fetched += u64::from(fetches.is_some());
                self.bytes = self.bytes.saturating_add(fetches.unwrap_or(0));
                let mut line = std::mem::take(&mut self.line);
                line.clear();
                item.push(&mut line);
                self.cutter.take(&line, fetches);
                let said = self.say(&line);
                self.line = line;
                said
            }
        };
        self.failed = done.err();
    }

    fn say(&mut self, line: &str) -> Result<(), Error> {
        self.seal.push(line);
        self.steps.write_all(line.as_bytes()).map_err(cannot_write)
    }

    /// Ends both; gives the parts that the steps are cut into, too.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub(super) fn end(mut self) -> Result<(Written, Vec<Part>), Error> {
        self.failed.take().map_or(Ok(()), Err)?;
        let (mut written, index) = (Ok(()), &mut self.index);
        let ended = self.encoder.finish(&mut |bytes| {
            if written.is_ok() {
                written = index.write_all(bytes);
            }
        });
        let ended = ended.map_err(Error::failed)?;
        let seal = std::mem::take(&mut self.seal).end();
        written
            .and_then(|()| self.index.flush())
            .and_then(|()| self.steps.write_all(seal.as_bytes()))
            .and_then(|()| self.steps.flush())
            .map_err(cannot_write)?;
        Ok((ended, self.cutter.end()))
    }
}

/// A file of the plan cannot be written.
fn cannot_write(error: std::io::Error) -> Error {
    Error::failed(format!("cannot write the plan: {error}; make room, and sync again"))
}
