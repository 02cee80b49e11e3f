//! `Far`: answers one request after another.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::inspect::Entry;
use highwater_core::name::Name;
use highwater_core::wire::{Answer, Asked, ENTRIES, MOST, Meta, Request, Verification, Why, cut};

use super::Serves;
use super::checkpoint::{Checkpoints, Taken};
use super::handles::Handles;
use super::out::Out;
use super::verify::{TICK, Verifies};
use crate::drive::buffer;
use crate::store::{Files, Object, Store};

/// The end that serves.
pub(super) struct Far<'a, 'o> {
    serves: Root,
    handles: Handles,
    out: &'a Out<'o>,
    verifies: Verifies,
}

/// What names are below.
enum Root {
    /// A folder.
    Folder(Files),
    /// A checkpoint, once there is one; nothing else of the store is read.
    Checkpoint(Checkpoints),
}

/// The root for as long as a request is answered.
enum At<'a> {
    Folder(&'a Files),
    Checkpoint(Arc<Taken>),
}

impl At<'_> {
    fn files(&self) -> io::Result<&Files> {
        match self {
            Self::Folder(files) => Ok(files),
            Self::Checkpoint(taken) => taken.files(),
        }
    }
}

impl<'a, 'o> Far<'a, 'o> {
    pub(super) fn new(
        (folder, store): (Files, PathBuf),
        serves: Serves<'_>,
        handles: u32,
        out: &'a Out<'o>,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let serves = match serves {
            Serves::Folder => Root::Folder(folder),
            Serves::Checkpoints(place) => {
                Root::Checkpoint(Checkpoints::new(store, place.map(ToOwned::to_owned), Arc::clone(stop)))
            }
        };
        Self { serves, handles: Handles::new(handles), out, verifies: Verifies::new(Arc::clone(stop)) }
    }

    fn root(&self) -> io::Result<At<'_>> {
        match &self.serves {
            Root::Folder(files) => Ok(At::Folder(files)),
            Root::Checkpoint(checkpoints) => checkpoints.taken().map(At::Checkpoint),
        }
    }

    /// Answers.
    pub(super) fn answer(&self, Asked { id, request }: Asked) {
        let answer = match request {
            Request::List { folder } => return self.list(id, folder.as_ref()),
            Request::Verify(how) => return self.verify(id, &how),
            Request::Close { handle } => return self.handles.close(handle),
            Request::Open { name, first } => self.open(&name, first),
            Request::Read { handle, at, most } => self.read(handle, at, most),
            Request::Look { name } => self.look(&name).map(Answer::Looked),
            Request::IsLocked { name } => {
                self.root().and_then(|root| Ok(Answer::Locked(root.files()?.is_locked(&name))))
            }
            Request::Identity { folder } => {
                self.root().and_then(|root| Ok(Answer::Identity(root.files()?.identity(folder.as_ref()))))
            }
            Request::Sum { name } => self.root().and_then(|root| sum(root.files()?, &name, id, self.out)),
            Request::Checkpoint { kind } => Ok(match &self.serves {
                Root::Checkpoint(checkpoints) => checkpoints.take(id, kind.as_deref(), self.out),
                Root::Folder(_) => {
                    let text = "no checkpoint is made by an end that serves a folder read-only".to_owned();
                    Answer::Failed { why: Why::Denied, text }
                }
            }),
            Request::Discard => Ok(match &self.serves {
                Root::Checkpoint(checkpoints) => checkpoints.discard(),
                Root::Folder(_) => Answer::Discarded,
            }),
        };
        self.out.answer(id, answer.unwrap_or_else(|error| failed(&error)));
    }

    fn verify(&self, id: u32, how: &Verification) {
        let root = self.root();
        let files = match &root {
            Ok(root) => root.files(),
            Err(error) => return self.out.answer(id, failed(error)),
        };
        match files {
            Ok(files) => self.verifies.run(files, id, how, self.out),
            Err(error) => self.out.answer(id, failed(&error)),
        }
    }

    fn list(&self, id: u32, folder: Option<&Name>) {
        let mut entries: Vec<Entry> = Vec::new();
        let root = match self.root() {
            Ok(root) => root,
            Err(error) => return self.out.answer(id, failed(&error)),
        };
        let listed = root.files().and_then(|root| {
            root.list(folder, &mut |entry| {
                if entries.len() >= ENTRIES {
                    let full = std::mem::take(&mut entries);
                    self.out.answer(id, Answer::Entries { entries: full, last: false });
                }
                entries.push(entry);
            })
        });
        // Who is told that this was the last may have the checkpoint removed.
        drop(root);
        let last = match listed {
            Ok(()) => Answer::Entries { entries, last: true },
            Err(error) => failed(&error),
        };
        self.out.answer(id, last);
    }

    fn open(&self, name: &Name, first: u32) -> io::Result<Answer> {
        let object = self.root()?.files()?.open(name)?;
        let mut meta = meta(&*object)?;
        let whole = usize::try_from(meta.length).unwrap_or(usize::MAX);
        let wanted = usize::try_from(first).unwrap_or(usize::MAX).min(MOST);
        let bytes = bytes(&*object, 0, wanted.min(whole))?;
        if whole <= wanted {
            // One that was cut meanwhile is what was read of it.
            meta.length = bytes.len() as u64;
            return Ok(Answer::Opened { handle: None, meta, bytes });
        }
        match self.handles.hold(object) {
            Some(handle) => Ok(Answer::Opened { handle: Some(handle), meta, bytes }),
            None => {
                let text = "the far end holds no more files open at a time".to_owned();
                Ok(Answer::Failed { why: Why::Full, text })
            }
        }
    }

    fn read(&self, handle: u32, at: u64, most: u32) -> io::Result<Answer> {
        let Some(object) = self.handles.get(handle) else {
            let text = "there is no such handle".to_owned();
            return Ok(Answer::Failed { why: Why::Other, text });
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(MOST);
        bytes(&*object, at, most).map(Answer::Bytes)
    }

    fn look(&self, name: &Name) -> io::Result<Meta> {
        let stat = self.root()?.files()?.look_at_file(name)?;
        let nanoseconds = u32::try_from(stat.st_mtime_nsec).ok().filter(|all| *all < 1_000_000_000);
        let mtime = (stat.st_mtime, nanoseconds.unwrap_or(0));
        Ok(Meta { length: stat.st_size.unsigned_abs(), mtime, mode: stat.st_mode & 0o7777 })
    }
}

/// What the bytes of an object give. It is said every now and then that this goes on.
fn sum(root: &Files, name: &Name, id: u32, out: &Out<'_>) -> io::Result<Answer> {
    let object = root.open(name)?;
    let (total, mut done, mut said) = (object.length()?, 0, Instant::now());
    let mut hasher = Hasher::new(Algorithm::Sha256);
    object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        hasher.update(piece);
        done += piece.len() as u64;
        if said.elapsed() >= TICK {
            out.answer(id, Answer::Progress { done, total });
            said = Instant::now();
        }
        !out.is_over()
    })?;
    Ok(Answer::Sum(hasher.finish()))
}

/// What a file says of itself.
fn meta(object: &dyn Object) -> io::Result<Meta> {
    let file = object.as_file().ok_or(io::ErrorKind::Unsupported)?;
    let meta = file.metadata()?;
    let nanoseconds = u32::try_from(meta.mtime_nsec()).ok().filter(|all| *all < 1_000_000_000);
    Ok(Meta { length: meta.len(), mtime: (meta.mtime(), nanoseconds.unwrap_or(0)), mode: meta.mode() & 0o7777 })
}

/// Bytes of an object; fewer than wanted where it ends.
fn bytes(object: &dyn Object, at: u64, most: usize) -> io::Result<Vec<u8>> {
    // No position of a file is beyond.
    if at > i64::MAX.unsigned_abs() - MOST as u64 {
        return Ok(Vec::new());
    }
    let mut bytes = vec![0; most];
    let mut count = 0;
    while count < most {
        match object.read_at(at + count as u64, &mut bytes[count..]) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(count);
    Ok(bytes)
}

/// An error of the operating system as an answer.
pub(super) fn failed(error: &io::Error) -> Answer {
    let why = match error.kind() {
        io::ErrorKind::NotFound => Why::Absent,
        io::ErrorKind::NotADirectory => Why::NoFolder,
        io::ErrorKind::PermissionDenied => Why::Denied,
        io::ErrorKind::InvalidInput => Why::NoFile,
        _ => Why::Other,
    };
    Answer::Failed { why, text: cut(&error.to_string()) }
}
