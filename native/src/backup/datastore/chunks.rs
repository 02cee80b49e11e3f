//! `Chunks`: which chunks the new snapshot has, which of them the store had, and whether they are still there.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Expect};
use highwater_core::codec::{Codec, Packer, Sealing, encode_blob};
use highwater_core::digest::Digest;
use highwater_core::finding::Hurts;
use highwater_core::formats::datastore::names;
use highwater_core::report::Depth;
use rayon::prelude::*;

use super::source::Source;
use super::{Job, Known, LEVEL, Previous, put};
use crate::disk::Disk;
use crate::drive::check_bytes;
use crate::error::Error;
use crate::random;
use crate::shown::quoted;
use crate::store::is_no_file;
use crate::watch::Watch;

/// The lengths of the headers of blobs, in bytes.
const HEADER: u64 = 12;
const SEALED_HEADER: u64 = 44;

/// How often the store may lose chunks under our hands before we give up.
const PATIENCE: usize = 3;

/// The chunks of one backup.
pub(super) struct Chunks<'a> {
    job: &'a Job,
    disk: &'a dyn Disk,
    /// Where files are written before they have their name.
    work: &'a Path,
    sources: &'a [Source<'a>],
    /// What the snapshots before have of each source.
    previous: &'a [Option<Previous>],
    state: Mutex<State>,
    /// Chunks that the store had lost, or had not whole, and has again: in order.
    healed: Vec<Digest>,
}

/// What the store had lost of an older snapshot.
pub(super) struct Lost<'a> {
    /// Its path below the store.
    pub(super) snapshot: &'a str,
    /// The chunks that are there again.
    pub(super) healed: HashSet<Digest>,
    /// The chunks that the sources do not have any more.
    pub(super) gone: HashSet<Digest>,
}

#[derive(Default)]
struct State {
    chunks: HashMap<Digest, Chunk>,
    /// Of the archives' chunks, those whose bytes need not have been stored.
    known: u64,
    /// Bytes stored.
    stored: u64,
    /// Chunks that a snapshot before names and the store had not, or had not whole.
    lost: Vec<Digest>,
}

/// What the store has under the name of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// Something that cannot be the chunk, or is not.
    Bad,
    /// The chunk, as far as was looked, in a file of so many bytes.
    Sound(u64),
}

/// A chunk of the new snapshot.
#[derive(Clone, Copy)]
struct Chunk {
    /// Which source has it, and where; what only an older snapshot names, none has.
    place: Option<(usize, u64)>,
    /// The length of its file, once that is known.
    stored: Option<u64>,
}

impl<'a> Chunks<'a> {
    /// Of each source its place in `sources` is its number, and that in `previous`.
    pub(super) fn new(
        job: &'a Job,
        disk: &'a dyn Disk,
        work: &'a Path,
        sources: &'a [Source<'a>],
        previous: &'a [Option<Previous>],
    ) -> Self {
        Self { job, disk, work, sources, previous, state: Mutex::default(), healed: Vec::new() }
    }

    /// Whether an older snapshot has the archive of this source.
    pub(super) fn has_previous(&self, source: &Source<'_>) -> bool {
        self.previous.get(source.number).is_some_and(Option::is_some)
    }

    /// Takes a chunk of a source if the store has it, or is about to; says whether.
    pub(super) fn take_known(&self, digest: Digest, source: &Source<'_>, at: u64) -> Result<bool, Error> {
        let mut stored = None;
        if !self.state().chunks.contains_key(&digest) {
            match self.look(&self.path(&digest)?, &digest, source.length(at)?)? {
                Found::Sound(bytes) => stored = Some(bytes),
                Found::Nothing | Found::Bad => return Ok(false),
            }
        }
        let mut state = self.state();
        state.known += 1;
        // Another thread's word on it stands.
        state.chunks.entry(digest).or_insert(Chunk { place: Some((source.number, at)), stored });
        Ok(true)
    }

    /// Takes a chunk of a source: afterwards the store has it. Says whether it had to be stored.
    pub(super) fn take(
        &self,
        digest: Digest,
        source: &Source<'_>,
        at: u64,
        data: &[u8],
        packer: &mut Packer,
    ) -> Result<bool, Error> {
        self.register(digest, source, at, |path| self.write(path, data, packer))
    }

    /// Takes a chunk that a source had before: it is read only if the store has lost it.
    pub(super) fn keep(&self, digest: Digest, source: &Source<'_>, at: u64) -> Result<(), Error> {
        self.register(digest, source, at, |path| {
            let data = source.again(at, &digest)?;
            self.write(path, &data, &mut Packer::new(LEVEL).map_err(Error::failed)?)
        })
        .map(|_| ())
    }

    /// Makes sure of the chunk at `at` in a source; `write` puts it into the store.
    fn register(
        &self,
        digest: Digest,
        source: &Source<'_>,
        at: u64,
        write: impl FnOnce(&Path) -> Result<u64, Error>,
    ) -> Result<bool, Error> {
        let place = Some((source.number, at));
        {
            let mut state = self.state();
            if state.chunks.contains_key(&digest) {
                state.known += 1;
                return Ok(false);
            }
            // From here on it is this thread's; if that fails, so does the backup.
            state.chunks.insert(digest, Chunk { place, stored: None });
        }
        let path = self.path(&digest)?;
        let found = self.look(&path, &digest, source.length(at)?)?;
        let named = self.previous.iter().flatten().any(|previous| previous.names(&digest));
        let stored = match found {
            Found::Sound(stored) => stored,
            Found::Nothing | Found::Bad if self.job.dry_run => 0,
            Found::Nothing | Found::Bad => write(&path)?,
        };
        let mut state = self.state();
        match found {
            Found::Sound(_) => state.known += 1,
            Found::Nothing | Found::Bad => state.stored += stored,
        }
        if found == Found::Bad || (found == Found::Nothing && named) {
            state.lost.push(digest);
        }
        state.chunks.insert(digest, Chunk { place, stored: Some(stored) });
        Ok(!matches!(found, Found::Sound(_)))
    }

    /// Looks at the file of a chunk, as well as was asked.
    fn look(&self, path: &Path, digest: &Digest, length: usize) -> Result<Found, Error> {
        let touched = if self.job.dry_run { self.disk.length(path) } else { self.disk.touch(path) };
        let stored = match touched {
            Ok(stored) => stored,
            Err(error) if is_no_file(&error) => return Ok(Found::Nothing),
            Err(error) => return Err(Error::io("touch", path)(error)),
        };
        let header = if self.job.key.is_some() { SEALED_HEADER } else { HEADER };
        // No blob of so many bytes is shorter or longer.
        let possible = header < stored && stored <= header + length as u64;
        let sound = possible && (self.job.known == Known::Size || self.gives(path, digest, length)?);
        Ok(if sound { Found::Sound(stored) } else { Found::Bad })
    }

    /// Whether the file of a chunk gives its digest.
    fn gives(&self, path: &Path, digest: &Digest, length: usize) -> Result<bool, Error> {
        let object = names::chunk(digest).ok_or_else(|| Error::failed("a digest names no chunk"))?;
        let key = self.job.key;
        let claim = Claim {
            index: object.clone(),
            object,
            codec: Codec::Blob(if key.is_some() { Sealing::Sealed(key) } else { Sealing::Open }),
            expect: Expect { length: length as u64, digest: *digest },
            target: 0..length as u64,
            marks: None,
            hurts: Hurts::Nothing,
        };
        match check_bytes(self.disk, path, &claim, Depth::Digest, &Watch::silent(), &mut |_| {})? {
            (Verdict::Unreadable(fault), _) => Err(Error::failed(format!("{}: {fault}", quoted(path)))),
            (verdict, _) => Ok(verdict == Verdict::Sound),
        }
    }

    /// Puts a chunk into the store. Gives the length of its file.
    fn write(&self, path: &Path, data: &[u8], packer: &mut Packer) -> Result<u64, Error> {
        let sealed = match &self.job.key {
            Some(key) => Some((key, random::bytes()?)),
            None => None,
        };
        let blob = encode_blob(data, packer.pack(data).map_err(Error::failed)?, sealed);
        let name = path.file_name().unwrap_or_default();
        let temporary = self.work.join(name);
        put(self.disk, &temporary, &self.job.store.join(names::LOCK), &blob)?;
        match self.disk.rename(&temporary, path) {
            // A store whose folders are made as they are needed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(path);
                match self.disk.make_folder(folder, &self.job.store.join(".chunks")) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(Error::io("make the folder", folder)(error));
                    }
                    Ok(()) | Err(_) => {}
                }
                self.disk.rename(&temporary, path).map_err(Error::io("rename", &temporary))?;
            }
            result => result.map_err(Error::io("rename", &temporary))?,
        }
        Ok(blob.len() as u64)
    }

    /// Makes sure that the store has every chunk, and as long as it was; what it has lost meanwhile is made anew from its source.
    pub(super) fn complete(&mut self, watch: &Watch<'_>) -> Result<(), Error> {
        let mut wanted: Vec<(Digest, Chunk)> =
            self.state().chunks.iter().map(|(digest, chunk)| (*digest, *chunk)).collect();
        let mut lost: HashSet<Digest> = std::mem::take(&mut self.state().lost).into_iter().collect();
        for _ in 0..PATIENCE {
            watch.go_on()?;
            watch.note(format!("looking whether {} chunks are there", wanted.len()));
            wanted = self.gone(wanted)?;
            if wanted.is_empty() {
                self.healed = lost.into_iter().collect();
                self.healed.sort();
                return Ok(());
            }
            let mut packer = Packer::new(LEVEL).map_err(Error::failed)?;
            for (digest, chunk) in &mut wanted {
                watch.go_on()?;
                let place = chunk.place.and_then(|(number, at)| Some((self.sources.get(number)?, at)));
                let (source, at) = place.ok_or_else(|| Error::failed("a chunk is of no source"))?;
                let data = source.again(at, digest)?;
                let stored = self.write(&self.path(digest)?, &data, &mut packer)?;
                chunk.stored = Some(stored);
                self.state().stored += stored;
                lost.insert(*digest);
            }
        }
        let first = wanted.first().map(|(digest, _)| digest.to_string()).unwrap_or_default();
        let what = format!("{} loses chunks as fast as they are put there, as {first}", quoted(&self.job.store));
        Err(Error::failed(format!("{what}; something else removes them: end it, and run again. No snapshot was made")))
    }

    /// What the store had lost of the snapshots before, of each that had lost something. Older ones are not looked at.
    pub(super) fn lost(&self) -> Result<Vec<Lost<'a>>, Error> {
        let mut all: Vec<Lost<'a>> = Vec::new();
        for previous in self.previous.iter().flatten() {
            let healed = self.healed.iter().filter(|digest| previous.names(digest)).copied().collect();
            let others = {
                let state = self.state();
                let others = previous.digests.iter().filter(|digest| !state.chunks.contains_key(*digest));
                others.map(|digest| (*digest, Chunk { place: None, stored: None })).collect()
            };
            let gone = self.gone(others)?.into_iter().map(|(digest, _)| digest).collect();
            // Several archives may be of one snapshot.
            match all.iter_mut().find(|lost| lost.snapshot == previous.snapshot) {
                Some(lost) => {
                    lost.healed.extend::<HashSet<_>>(healed);
                    lost.gone.extend::<HashSet<_>>(gone);
                }
                None => all.push(Lost { snapshot: &previous.snapshot, healed, gone }),
            }
        }
        all.retain(|lost| !lost.healed.is_empty() || !lost.gone.is_empty());
        Ok(all)
    }

    /// Of these chunks, those that the store has not, or not as long: by one listing of each folder.
    fn gone(&self, mut wanted: Vec<(Digest, Chunk)>) -> Result<Vec<(Digest, Chunk)>, Error> {
        wanted.sort_by_key(|(digest, _)| *digest);
        let folders: Vec<&[(Digest, Chunk)]> =
            wanted.chunk_by(|(a, _), (b, _)| a.as_bytes()[..2] == b.as_bytes()[..2]).collect();
        let gone = folders.par_iter().map(|chunks| {
            let Some((first, _)) = chunks.first() else { return Ok(Vec::new()) };
            let first = self.path(first)?;
            let folder = first.parent().unwrap_or(&first);
            let mut there = HashSet::new();
            let listed = self.disk.list(folder, &mut |entry| _ = there.insert(entry.name.as_bytes().to_vec()));
            match listed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("list", folder)(error)),
                Ok(()) | Err(_) => {}
            }
            let mut gone = Vec::new();
            for (digest, chunk) in *chunks {
                let path = self.path(digest)?;
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                let is_there = there.contains(name)
                    && match self.disk.length(&path) {
                        Ok(length) => chunk.stored.map_or(length > HEADER, |stored| length == stored),
                        Err(error) if is_no_file(&error) => false,
                        Err(error) => return Err(Error::io("look at", &path)(error)),
                    };
                if !is_there {
                    gone.push((*digest, *chunk));
                }
            }
            Ok(gone)
        });
        gone.collect::<Result<Vec<_>, Error>>().map(|gone| gone.concat())
    }

    /// How many of the archives' chunks the store had, and how many bytes were stored for the others.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.known, state.stored)
    }

    /// The names of the chunks that the store had lost and has again.
    pub(super) fn healed(&self) -> Vec<String> {
        self.healed.iter().map(ToString::to_string).collect()
    }

    fn path(&self, digest: &Digest) -> Result<PathBuf, Error> {
        let name = names::chunk(digest).ok_or_else(|| Error::failed(format!("{digest} names no chunk")))?;
        Ok(crate::drive::path_of(&self.job.store, &name))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked ends the backup elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
