//! `Chunks`: which chunks the new snapshot has, which of them the store had, and whether they are still there.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Expect};
use highwater_core::codec::{Codec, Packer, Sealing, encode_blob};
use highwater_core::digest::Digest;
use highwater_core::finding::Hurts;
use highwater_core::formats::datastore::names;
use highwater_core::name::Name;
use highwater_core::report::Depth;
use rayon::prelude::*;

use super::source::Source;
use super::{Known, LEVEL, Previous, SnapshotOptions};
use crate::disk::like::Like;
use crate::disk::{self, Disk, Draft};
use crate::drive::{check_bytes, fits};
use crate::error::Error;
use crate::random;
use crate::shown::quoted;
use crate::store::is_no_file;
use crate::watch::Watch;

/// The length of the header of every blob, in bytes, at least.
const HEADER: u64 = 12;

/// How often the store may lose chunks under our hands before we give up.
const PATIENCE: usize = 3;

/// The chunks of one backup.
pub(super) struct Chunks<'a> {
    job: &'a SnapshotOptions,
    disk: &'a dyn Disk,
    /// Where files are written before they have their name, and what they are like; none when nothing is written.
    work: Option<(&'a Name, Like)>,
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
        job: &'a SnapshotOptions,
        disk: &'a dyn Disk,
        work: Option<(&'a Name, Like)>,
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
            match self.look(&name_of(&digest)?, &digest, source.length(at)?)? {
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
        self.register(digest, source, at, |name| self.write(name, &digest, data, packer))
    }

    /// Takes a chunk that a source had before: it is read only if the store has lost it.
    pub(super) fn keep(&self, digest: Digest, source: &Source<'_>, at: u64) -> Result<(), Error> {
        self.register(digest, source, at, |name| {
            let data = source.again(at, &digest)?;
            self.write(name, &digest, &data, &mut Packer::new(LEVEL).map_err(Error::failed)?)
        })
        .map(|_| ())
    }

    /// Makes sure of the chunk at `at` in a source; `write` puts it into the store.
    fn register(
        &self,
        digest: Digest,
        source: &Source<'_>,
        at: u64,
        write: impl FnOnce(&Name) -> Result<u64, Error>,
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
        let name = name_of(&digest)?;
        let found = self.look(&name, &digest, source.length(at)?)?;
        let named = self.previous.iter().flatten().any(|previous| previous.names(&digest));
        let stored = match found {
            Found::Sound(stored) => stored,
            Found::Nothing | Found::Bad if self.job.dry_run => 0,
            Found::Nothing | Found::Bad => write(&name)?,
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
    fn look(&self, name: &Name, digest: &Digest, length: usize) -> Result<Found, Error> {
        let touched = if self.job.dry_run { self.disk.length(name) } else { self.disk.touch(name) };
        let stored = match touched {
            Ok(stored) => stored,
            Err(error) if is_no_file(&error) => return Ok(Found::Nothing),
            Err(error) => return Err(Error::at("touch", self.disk, name)(error)),
        };
        let claim = self.claim(name, digest, length);
        // What cannot be so long need not be read.
        let sound = self.is_sound(fits(self.disk.as_store(), &claim, self.job.key.as_ref()), name)?
            && (self.job.known == Known::Size || self.gives(name, digest, length)?);
        Ok(if sound { Found::Sound(stored) } else { Found::Bad })
    }

    /// Whether the file of a chunk gives its digest.
    fn gives(&self, name: &Name, digest: &Digest, length: usize) -> Result<bool, Error> {
        let claim = self.claim(name, digest, length);
        let how = (Depth::Digest, self.job.key.as_ref());
        let (verdict, _) = check_bytes(self.disk.as_store(), &claim, how, &Watch::silent(), &mut |_| {})?;
        self.is_sound(verdict, name)
    }

    /// That the file of this name holds so many bytes of this digest.
    fn claim(&self, name: &Name, digest: &Digest, length: usize) -> Claim {
        Claim {
            index: name.clone(),
            object: name.clone(),
            range: None,
            codec: Codec::Blob(if self.job.key.is_some() { Sealing::Keyed } else { Sealing::Open }),
            expect: Expect { length: length as u64, digest: Some(*digest) },
            extent: None,
            marks: None,
            hurts: Hurts::Nothing,
        }
    }

    /// Whether a verdict says so; what cannot be read is no verdict.
    fn is_sound(&self, verdict: Verdict, name: &Name) -> Result<bool, Error> {
        match verdict {
            Verdict::Unreadable(fault) => {
                Err(Error::failed(format!("{}: {fault}", quoted(&self.disk.told(Some(name))))))
            }
            verdict => Ok(verdict == Verdict::Sound),
        }
    }

    /// Puts a chunk into the store. Gives the length of its file.
    fn write(&self, name: &Name, digest: &Digest, data: &[u8], packer: &mut Packer) -> Result<u64, Error> {
        let (work, like) = self.work.ok_or_else(|| Error::failed("a dry run writes nothing"))?;
        let sealed = match &self.job.key {
            Some(key) => Some((key, random::bytes()?)),
            None => None,
        };
        let blob = encode_blob(data, packer.pack(data).map_err(Error::failed)?, sealed);
        let draft = || {
            let draft = Draft::at(self.disk, work.join(name.last()).map_err(io::Error::other)?)?;
            draft.file().write_at(0, &blob)?;
            _ = draft.give(&like)?;
            draft.file().sync()?;
            Ok(draft)
        };
        let writing = Error::at("write", self.disk, name);
        let draft = draft().and_then(|draft| {
            // A store whose folders are made as they are needed.
            if let Some(folder) = name.folder()
                && self.disk.look(Some(&folder))?.is_none()
            {
                let chunks = Name::new(names::CHUNKS.as_bytes()).map_err(io::Error::other)?;
                disk::make_folder(self.disk, &folder, &Like::in_place_of_folder(self.disk, &chunks)?)?;
            }
            Ok(draft)
        });
        // Another writer may put the same chunk there at the same time. Whoever else does so is not trusted.
        let ours = draft.and_then(|draft| draft.publish_among(name)).map_err(writing)?;
        if !ours && !self.gives(name, digest, data.len())? {
            let path = quoted(&self.disk.told(Some(name)));
            return Err(Error::failed(format!(
                "somebody else put something else at {path} at the same time; look who writes there, and run again"
            )));
        }
        Ok(blob.len() as u64)
    }

    /// Makes sure that the store has every chunk, and as long as it was; what it has lost meanwhile is made anew from
    /// its source.
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
                let stored = self.write(&name_of(digest)?, digest, &data, &mut packer)?;
                chunk.stored = Some(stored);
                self.state().stored += stored;
                lost.insert(*digest);
            }
        }
        let first = wanted.first().map(|(digest, _)| digest.to_string()).unwrap_or_default();
        let what = format!("{} loses chunks as fast as they are put there, as {first}", quoted(&self.disk.told(None)));
        Err(Error::failed(format!("{what}; something else removes them: end it, and run again. No snapshot was made")))
    }

    /// What the store had lost of the snapshots before, of each that had lost something. Older ones are not looked at.
    pub(super) fn lost(&self) -> Result<Vec<Lost<'a>>, Error> {
        let mut all: Vec<Lost<'a>> = Vec::new();
        for previous in self.previous.iter().flatten() {
            let healed = self.healed.iter().filter(|digest| previous.names(digest)).copied().collect();
            let others = {
                let state = self.state();
                let others = previous.distinct.iter().filter(|digest| !state.chunks.contains_key(*digest));
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
            let folder = name_of(first)?.folder();
            let mut there = HashMap::new();
            let listed = self.disk.list(folder.as_ref(), &mut |entry| _ = there.insert(entry.name, entry.length));
            match listed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::of_folder("list", self.disk, folder.as_ref())(error));
                }
                Ok(()) | Err(_) => {}
            }
            let mut gone = Vec::new();
            for (digest, chunk) in *chunks {
                let name = name_of(digest)?;
                let length = match there.get(&Name::new(name.last())?) {
                    None => None,
                    Some(Some(length)) => Some(*length),
                    Some(None) => match self.disk.length(&name) {
                        Ok(length) => Some(length),
                        Err(error) if is_no_file(&error) => None,
                        Err(error) => return Err(Error::at("look at", self.disk, &name)(error)),
                    },
                };
                let is_there =
                    length.is_some_and(|length| chunk.stored.map_or(length > HEADER, |stored| length == stored));
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

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked ends the backup elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the store has a chunk.
fn name_of(digest: &Digest) -> Result<Name, Error> {
    names::chunk(digest).ok_or_else(|| Error::failed(format!("{digest} names no chunk")))
}
