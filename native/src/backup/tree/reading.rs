//! `Reading`: reads files into the pool, many side by side on each thread, so that their bytes are hashed in lanes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use highwater_core::digest::{Algorithm, Hasher, lanes, update_lanes};
use highwater_core::name::Name;
use rayon::prelude::*;

use super::known::{Before, now, times_tell};
use super::pool::{Pool, Sum};
use super::stage::Begun;
use super::walk::Found;
use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// Bytes that all files of a thread give at a time, together: they stay in the core's own cache until they are hashed.
const TOGETHER: usize = 1 << 20;

/// The least that a file gives at a time, in bytes: enough to hide the system call.
const LEAST: usize = 64 << 10;

/// What everybody may do with a file.
const OTHERS: u32 = 0o007;

/// How often a file is read that changes meanwhile.
const TRIES: u32 = 3;

/// A file that is to be read.
pub(super) struct Wanted<'a> {
    /// It.
    pub(super) one: &'a Found,
    /// What the last run says of it.
    pub(super) before: Before,
    /// It may be linked into the pool.
    pub(super) may_link: bool,
    /// Everybody comes as far as its folder.
    pub(super) is_open: bool,
    /// Nobody writes in place to it: its times change when its store gives it other names or takes some, and no more.
    pub(super) is_settled: bool,
}

/// What came of a file.
pub(super) enum Kept {
    /// It is in the pool.
    Whole {
        sum: Sum,
        /// What it was like.
        look: Look,
        /// It changed each time while it was read.
        has_changed: bool,
        /// What it was like tells whether anybody writes to it from now on.
        times_tell: bool,
        /// It is an object itself now, by a second name.
        is_linked: bool,
    },
    /// It is not: why, as a clause.
    Not(String),
    /// It is not, as the file is there no more: why, as a clause.
    Gone(String),
}

/// What all threads share.
pub(super) struct Reading<'a, 'p> {
    pub(super) from: &'a dyn Disk,
    pub(super) pool: &'a Pool<'p>,
    pub(super) wanted: &'a [Wanted<'a>],
    pub(super) watch: &'a Watch<'a>,
    next: AtomicUsize,
    order: Vec<usize>,
}

impl<'a, 'p> Reading<'a, 'p> {
    pub(super) fn new(from: &'a dyn Disk, pool: &'a Pool<'p>, wanted: &'a [Wanted<'a>], watch: &'a Watch<'a>) -> Self {
        // The long ones first, so that none is left that is read alone at the end; short ones folder by folder.
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        let long = |at: usize| wanted.get(at).map_or(0, |wanted| wanted.one.look.length) >> 20;
        order.sort_by_key(|at| std::cmp::Reverse(long(*at)));
        Self { from, pool, wanted, watch, next: AtomicUsize::new(0), order }
    }

    /// Reads all of them; gives what came of each, in order.
    pub(super) fn run(&self) -> Result<Vec<Kept>, Error> {
        let threads = if self.pool.disk().takes_threads() { rayon::current_num_threads() } else { 1 };
        let threads = threads.min(self.wanted.len()).max(1);
        let done = match threads {
            1 => vec![self.thread()?],
            _ => (0..threads).into_par_iter().map(|_| self.thread()).collect::<Result<Vec<_>, Error>>()?,
        };
        let mut all: Vec<Option<Kept>> = Vec::new();
        all.resize_with(self.wanted.len(), || None);
        for (at, kept) in done.into_iter().flatten() {
            all[at] = Some(kept);
        }
        let unread = || Error::failed("a file was not read; no point was made");
        all.into_iter().map(|kept| kept.ok_or_else(unread)).collect()
    }

    fn next(&self) -> Option<usize> {
        self.order.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }

    /// What one thread does: it keeps as many files open as there are lanes.
    fn thread(&self) -> Result<Vec<(usize, Kept)>, Error> {
        let most = lanes::width(Algorithm::Sha256).max(1);
        let mut near = Near { from: self.from, folder: None };
        let (mut open, mut done): (Vec<File>, Vec<(usize, Kept)>) = (Vec::new(), Vec::new());
        let mut buffers: Vec<Vec<u8>> = Vec::new();
        loop {
            self.watch.go_on()?;
            while open.len() < most
                && let Some(at) = self.next()
            {
                match self.open(at, 1, &mut near, None)? {
                    Ok(mut file) => {
                        file.buffer = buffers.pop().unwrap_or_default();
                        open.push(file);
                    }
                    Err(error) => done.push((at, unreadable(&error))),
                }
            }
            if open.is_empty() {
                return Ok(done);
            }
            let piece = (TOGETHER / open.len()).max(LEAST);
            for file in &mut open {
                file.read(piece, self)?;
            }
            update_lanes(open.iter_mut().map(|file| (&mut file.hasher, &file.buffer[..file.read])));
            let mut at = 0;
            while at < open.len() {
                if !open[at].is_over {
                    at += 1;
                    continue;
                }
                let mut file = open.swap_remove(at);
                match self.end(&mut file, &mut near)? {
                    Ended::Kept(kept) => {
                        done.push((file.place, kept));
                        buffers.push(file.buffer);
                    }
                    // It goes to the end, and is not over.
                    Ended::Again(again) => open.push(File { buffer: file.buffer, ..*again }),
                }
            }
        }
    }

    /// Opens a file. The inner error is that of the source.
    fn open(&self, at: usize, number: u32, near: &mut Near<'a>, plan: Option<Plan>) -> Result<io::Result<File>, Error> {
        let wanted = &self.wanted[at];
        let now = now();
        let opened = near.open(&wanted.one.name);
        let (object, before) = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        let plan = plan.unwrap_or(match wanted.before {
            _ if self.pool.dry_run || wanted.may_link => Plan::Look,
            Before::Likely | Before::Same(_) => Plan::Look,
            // It is held until its digest is known.
            Before::New if before.length <= LEAST as u64 => Plan::Look,
            Before::New => Plan::Write,
        });
        let draft = if plan == Plan::Write { Some(self.pool.begin()?) } else { None };
        Ok(Ok(File {
            place: at,
            number,
            object,
            before,
            now,
            draft,
            hasher: Hasher::new(Algorithm::Sha256),
            buffer: Vec::new(),
            read: 0,
            at: 0,
            is_over: false,
            failed: None,
        }))
    }

    /// A file was read.
    fn end(&self, file: &mut File, near: &mut Near<'a>) -> Result<Ended, Error> {
        let (at, number, before) = (file.place, file.number, file.before);
        let wanted = &self.wanted[at];
        let name = &wanted.one.name;
        let draft = file.draft.take();
        if let Some(error) = file.failed.take() {
            draft.into_iter().for_each(|draft| self.pool.give_up(draft));
            return Ok(Ended::Kept(unreadable(&error)));
        }
        let times = |look: &Look| (!wanted.is_settled).then_some((look.modified, look.changed));
        let told = |look: &Look| (look.identity, look.length, times(look));
        let is_still = near.look(name).is_ok_and(|after| told(&after) == told(&before)) && before.length == file.at;
        if !is_still && number < TRIES {
            self.watch.note(format!("'{name}' changed while it was read"));
            draft.into_iter().for_each(|draft| self.pool.give_up(draft));
            return self.again(at, number + 1, near, None);
        }
        // In the pool, no folder stands between it and anybody.
        let shut = if wanted.is_open { 0 } else { OTHERS };
        let like = Look { mode: before.mode & !shut, ..before };
        let hasher = std::mem::replace(&mut file.hasher, Hasher::new(Algorithm::Sha256));
        let sum = (file.at, hasher.finish());
        let (mut is_linked, mut tells) = (false, is_still && times_tell(&before, false, file.now));
        match draft {
            Some(draft) => self.pool.publish(draft, &like, &sum, self.watch)?,
            None if self.pool.dry_run => self.pool.would_store(&sum)?,
            None if self.pool.has(&sum)? => {}
            None if wanted.may_link && is_still => {
                if let Err(error) = self.pool.link((self.from.as_store(), name), &before, &sum, self.watch)? {
                    self.watch.note(format!("'{name}' is copied, as it cannot be linked: {error}"));
                    return self.again(at, number, near, Some(Plan::Write));
                }
                // What that does to its times is seen when the object has its name.
                is_linked = true;
                tells = times_tell(&before, true, file.now);
            }
            None if file.read as u64 == file.at => self.pool.put(&file.buffer[..file.read], &like, &sum, self.watch)?,
            None => return self.again(at, number, near, Some(Plan::Write)),
        }
        Ok(Ended::Kept(Kept::Whole { sum, look: before, has_changed: !is_still, times_tell: tells, is_linked }))
    }

    /// Reads a file once more.
    fn again(&self, at: usize, number: u32, near: &mut Near<'a>, plan: Option<Plan>) -> Result<Ended, Error> {
        Ok(match self.open(at, number, near, plan)? {
            Ok(file) => Ended::Again(Box::new(file)),
            Err(error) => Ended::Kept(unreadable(&error)),
        })
    }
}

fn unreadable(error: &io::Error) -> Kept {
    let why = format!("cannot be read: {error}");
    if error.kind() == io::ErrorKind::NotFound { Kept::Gone(why) } else { Kept::Not(why) }
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// It is hashed; whether the pool has it is seen then.
    Look,
    /// It is written into the pool meanwhile.
    Write,
}

/// How a reading ended.
enum Ended {
    Kept(Kept),
    /// It is read once more.
    Again(Box<File>),
}

/// A file that is being read.
struct File {
    place: usize,
    /// How often that was begun.
    number: u32,
    object: Box<dyn Object>,
    before: Look,
    /// When it was looked at.
    now: i128,
    draft: Option<Begun>,
    hasher: Hasher,
    buffer: Vec<u8>,
    /// Bytes in the buffer that wait to be hashed.
    read: usize,
    /// Bytes that were read.
    at: u64,
    is_over: bool,
    failed: Option<io::Error>,
}

impl File {
    /// Reads its next bytes, and writes them where they are to go.
    fn read(&mut self, piece: usize, all: &Reading<'_, '_>) -> Result<(), Error> {
        self.read = 0;
        let left = self.before.length.saturating_sub(self.at);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece);
        if self.buffer.len() < most {
            self.buffer.resize(most, 0);
        }
        while self.read < most {
            match self.object.read_at(self.at + self.read as u64, &mut self.buffer[self.read..most]) {
                Ok(0) => break,
                Ok(read) => self.read += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    (self.failed, self.is_over) = (Some(error), true);
                    return Ok(());
                }
            }
        }
        if let Some(draft) = &self.draft {
            let (bytes, end) = (&self.buffer[..self.read], self.at + self.read as u64);
            // What is a hole in the source is one in the object.
            let is_hole = self.before.stored < self.before.length && bytes.iter().all(|byte| *byte == 0);
            let written = match is_hole {
                true => draft.file.set_length(end),
                false => draft.file.write_at(self.at, bytes),
            };
            written.map_err(Error::of_folder("write in", all.pool.disk(), None))?;
        }
        self.at += self.read as u64;
        if self.number == 1 {
            all.watch.advance(self.read as u64);
        }
        self.is_over = self.read < most || self.at >= self.before.length;
        Ok(())
    }
}

/// The folder of the last file: names in it are short ways.
struct Near<'a> {
    from: &'a dyn Disk,
    folder: Option<(Name, Arc<dyn Disk>)>,
}

impl Near<'_> {
    /// Where a file lies, and what it is called there.
    fn place(&mut self, name: &Name) -> io::Result<(Option<Arc<dyn Disk>>, Name)> {
        let Some(folder) = name.folder() else { return Ok((None, name.clone())) };
        let last = Name::new(name.last()).map_err(io::Error::other)?;
        let there = self.folder.as_ref().filter(|(near, _)| *near == folder).map(|(_, disk)| Arc::clone(disk));
        let disk = match there {
            Some(disk) => disk,
            None => {
                let disk: Arc<dyn Disk> = Arc::from(self.from.beneath(&folder)?);
                self.folder = Some((folder, Arc::clone(&disk)));
                disk
            }
        };
        Ok((Some(disk), last))
    }

    fn look(&mut self, name: &Name) -> io::Result<Look> {
        let (folder, last) = self.place(name)?;
        let look = folder.as_deref().unwrap_or(self.from).look(Some(&last))?;
        look.filter(|look| look.what == What::File).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Opens a file; it is what the look says.
    fn open(&mut self, name: &Name) -> io::Result<(Box<dyn Object>, Look)> {
        let (folder, last) = self.place(name)?;
        let object = folder.as_deref().unwrap_or(self.from).open(&last)?;
        let look = self.look(name)?;
        if object.identity()? != look.identity {
            return Err(io::Error::other("another file came in its place"));
        }
        Ok((object, look))
    }
}
