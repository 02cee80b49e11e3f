//! Drives a `Survey` over a folder: indices on one thread, claims and trails on all of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use highwater_core::check::{Check, Verdict};
use highwater_core::claim::{Claim, Evidence};
use highwater_core::fault::{Fault, FaultKind};
use highwater_core::finding::Findings;
use highwater_core::inspect::{Answer, Ask, Entry};
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::survey::{Survey, Work};
use highwater_core::trail::{Following, Trail};
use rayon::Scope;

use crate::error::Error;
use crate::lock;
use crate::store::{Store, fault};
use crate::watch::Watch;

/// Bytes read at a time: enough to hide the system call, small enough to stay in a core's cache.
pub const PIECE: usize = 256 * 1024;

/// A quick backup or restore compares chunks up to this length with the repository's own file, and hashes longer ones:
/// the repository may be far away.
pub(crate) const NEAR: u64 = 64 * 1024 * 1024;

/// Entries of a listing that go to the survey at a time.
const ENTRIES: usize = 4096;

/// Work items in flight for each thread; the survey waits when there are more.
const AHEAD: usize = 4;

/// What a worker sends back.
enum Done {
    Claim(Claim, Verdict, u64),
    Trail(Findings),
    Interrupted,
}

/// The path of an object below its root.
#[must_use]
pub fn path_of(root: &Path, name: &Name) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    root.join(std::ffi::OsStr::from_bytes(name.as_bytes()))
}

/// A buffer to read into.
#[must_use]
pub fn buffer() -> Vec<u8> {
    vec![0; PIECE]
}

/// Runs `survey` over `root` to its end and gives it back, ready to finish.
///
/// `settled` sees every claim's verdict, in the order in which they come in.
///
/// # Errors
/// [`Error::Interrupted`]; everything else becomes a finding.
pub fn run(
    store: &dyn Store,
    root: &Path,
    mut survey: Survey,
    depth: Depth,
    watch: &Watch<'_>,
    settled: &mut dyn FnMut(&Claim, &Verdict),
) -> Result<Survey, Error> {
    let (send, receive) = channel();
    let limit = rayon::current_num_threads() * AHEAD;
    rayon::in_place_scope(|scope| -> Result<(), Error> {
        let mut flight = Flight { scope, store, root, depth, watch, send, receive, running: 0, limit, settled };
        loop {
            watch.go_on()?;
            match survey.ask() {
                Ask::List => list(store, root, &mut survey, &mut flight)?,
                Ask::Read(name) => read(store, root, &name, &mut survey, &mut flight)?,
                Ask::Writing => {
                    let work = survey.answer(Answer::Writing(store.is_locked(&lock::path(root)))).collect();
                    flight.launch(&mut survey, work)?;
                }
                Ask::Done => break,
            }
        }
        flight.land(&mut survey, 0)
    })?;
    watch.go_on()?;
    Ok(survey)
}

/// Work that is being done.
struct Flight<'f, 'scope> {
    scope: &'f Scope<'scope>,
    store: &'scope dyn Store,
    root: &'scope Path,
    depth: Depth,
    watch: &'scope Watch<'scope>,
    send: Sender<Done>,
    receive: Receiver<Done>,
    running: usize,
    limit: usize,
    settled: &'f mut dyn FnMut(&Claim, &Verdict),
}

impl<'scope> Flight<'_, 'scope> {
    /// Starts all of `work`, waiting for earlier work when there is too much of it.
    fn launch(&mut self, survey: &mut Survey, work: Vec<Work>) -> Result<(), Error> {
        for item in work {
            self.land(survey, self.limit)?;
            self.running += 1;
            let (store, root, depth, watch, send) = (self.store, self.root, self.depth, self.watch, self.send.clone());
            if let Work::Claim(claim) = &item
                && claim.evidence(depth) == Evidence::Bytes
            {
                watch.expect(claim.expect.length);
            }
            self.scope.spawn(move |_| {
                let done = match item {
                    Work::Claim(claim) => check(store, root, claim, depth, watch),
                    Work::Trail(trail) => follow(store, root, trail, watch),
                };
                // The other end is gone only when the run was interrupted.
                _ = send.send(done);
            });
        }
        Ok(())
    }

    /// Takes in results until at most `most` items are in flight.
    fn land(&mut self, survey: &mut Survey, most: usize) -> Result<(), Error> {
        while self.running > most {
            let Ok(done) = self.receive.recv() else { break };
            self.running -= 1;
            match done {
                Done::Claim(claim, verdict, bytes) => {
                    (self.settled)(&claim, &verdict);
                    survey.settle(&claim, verdict, bytes);
                }
                Done::Trail(findings) => survey.followed(findings),
                Done::Interrupted => return Err(Error::Interrupted),
            }
        }
        Ok(())
    }
}

fn list<'scope>(
    store: &dyn Store,
    root: &Path,
    survey: &mut Survey,
    flight: &mut Flight<'_, 'scope>,
) -> Result<(), Error> {
    let mut batch: Vec<Entry> = Vec::new();
    let mut work = Vec::new();
    let result = store.list(root, &mut |entry| {
        batch.push(entry);
        if batch.len() >= ENTRIES {
            work.extend(survey.answer(Answer::Entries(&batch)));
            batch.clear();
        }
    });
    work.extend(survey.answer(Answer::Entries(&batch)));
    work.extend(match result {
        Ok(()) => survey.answer(Answer::End),
        Err(error) => survey.answer(Answer::Failed(fault(&error))),
    });
    flight.launch(survey, work)
}

fn read(
    store: &dyn Store,
    root: &Path,
    name: &Name,
    survey: &mut Survey,
    flight: &mut Flight<'_, '_>,
) -> Result<(), Error> {
    let mut at = 0;
    let mut buffer = buffer();
    let object = match store.open(&path_of(root, name)) {
        Ok(object) => object,
        Err(error) => {
            let work = survey.answer(Answer::Failed(fault(&error))).collect();
            return flight.launch(survey, work);
        }
    };
    loop {
        flight.watch.go_on()?;
        let work: Vec<Work> = match object.read_at(at, &mut buffer) {
            Ok(0) => {
                let work = survey.answer(Answer::End).collect();
                return flight.launch(survey, work);
            }
            Ok(read) => {
                at += read as u64;
                survey.answer(Answer::Bytes(&buffer[..read])).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let work = survey.answer(Answer::Failed(fault(&error))).collect();
                return flight.launch(survey, work);
            }
        };
        flight.launch(survey, work)?;
    }
}

/// Brings one claim to its verdict.
fn check(store: &dyn Store, root: &Path, claim: Claim, depth: Depth, watch: &Watch<'_>) -> Done {
    let path = path_of(root, &claim.object);
    let evidence = claim.evidence(depth);
    if evidence != Evidence::Bytes {
        let verdict = match store.length(&path) {
            Ok(length) if evidence == Evidence::StoredLength => Check::of_length(&claim, length),
            Ok(_) => Verdict::Sound,
            Err(error) => failed(store, &path, &claim, &error),
        };
        return Done::Claim(claim, verdict, 0);
    }
    match check_bytes(store, &path, &claim, depth, watch, &mut |_| {}) {
        Ok((verdict, bytes)) => Done::Claim(claim, verdict, bytes),
        Err(_) => Done::Interrupted,
    }
}

/// Reads a claim's object through a [`Check`], handing decoded bytes to `tee`. Returns the verdict and
/// how many decoded bytes were checked.
///
/// # Errors
/// [`Error::Interrupted`] only.
pub fn check_bytes(
    store: &dyn Store,
    path: &Path,
    claim: &Claim,
    depth: Depth,
    watch: &Watch<'_>,
    tee: &mut dyn FnMut(&[u8]),
) -> Result<(Verdict, u64), Error> {
    let object = match store.open(path) {
        Ok(object) => object,
        Err(error) => return Ok((failed(store, path, claim, &error), 0)),
    };
    let mut check = Check::new(claim, depth);
    let result = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        let flow = check.push(piece, &mut |decoded| {
            watch.advance(decoded.len() as u64);
            tee(decoded);
        });
        flow.is_continue() && !watch.stopping()
    });
    watch.go_on()?;
    let length = check.length();
    let verdict = match result {
        Ok(_) => check.end(),
        Err(error) => Verdict::of_fault(fault(&error)),
    };
    Ok((verdict, length))
}

/// The verdict on a claim whose object at `path` could not be opened.
fn failed(store: &dyn Store, path: &Path, claim: &Claim, error: &io::Error) -> Verdict {
    let mut fault = fault(error);
    let depth = claim.object.as_bytes().split(|byte| *byte == b'/').count();
    let index = path.ancestors().nth(depth).map(|root| path_of(root, &claim.index));
    // Whoever removes a chain on purpose removes its index first and for good: an index that is gone by now has named
    // what it named rightly, and its points were given up since this run read it.
    let gone = |index: PathBuf| store.length(&index).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if fault.kind == FaultKind::Absent && index.is_some_and(gone) {
        let message = format!("it was removed while this ran, and so was the index '{}' that named it", claim.index);
        fault = Fault { kind: FaultKind::Unreadable, message };
    }
    Verdict::of_fault(fault)
}

/// Follows one trail to its end.
fn follow(store: &dyn Store, root: &Path, trail: Trail, watch: &Watch<'_>) -> Done {
    let mut following = Following::new(trail);
    let mut buffer = buffer();
    while let Some(name) = following.begin() {
        let read = store.open(&path_of(root, &name)).and_then(|object| {
            object.for_each_piece(0, u64::MAX, &mut buffer, |piece| {
                following.push(piece).is_continue() && !watch.stopping()
            })
        });
        if watch.stopping() {
            return Done::Interrupted;
        }
        let fault: Option<Fault> = read.err().map(|error| fault(&error));
        following.end(fault.as_ref());
    }
    Done::Trail(following.finish())
}
