//! Drives a `Survey` over a root: indices on one thread, claims and trails on all of them.
//!
//! Claims whose bytes must be hashed are given out in jobs: many short streams go side by side through the lanes of a
//! thread (`lanes`), a stream with marks is cut there and hashed by all threads (`marked`), and a stream that takes
//! longer than all the others gets a thread of its own (`schedule`). A restore does the same, and writes what is
//! hashed where it belongs (`write`).

mod answer;
mod behind;
mod lanes;
mod marked;
mod one;
mod present;
mod schedule;
mod sink;
mod ways;
mod write;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Evidence};
use highwater_core::codec::Flow;
use highwater_core::fault::{Fault, FaultKind};
use highwater_core::inspect::{Answer, Ask, Entry, Stretch};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::survey::{Survey, Work};
use highwater_core::trail::{Followed, Trail};
use rayon::Scope;

use crate::error::Error;
use crate::store::{Identity, Store, fault};
use crate::watch::Watch;

pub(crate) use answer::answer;
pub(crate) use marked::{Marked, read as read_marks};
pub(crate) use one::failed as unopened;
pub use one::{check_bytes, fits};
use present::Present;
use rayon::prelude::*;
use schedule::Job;
pub(crate) use sink::Sink;
use ways::Ways;
pub(crate) use write::{Judge, write};

/// Bytes read at a time: enough to hide the system call, small enough to stay in a core's cache.
pub const PIECE: usize = 256 * 1024;

/// Bytes of an index that go to the survey at a time. What follows from them is held until it was looked at whose shard
/// it is: a few claims for every hundred bytes.
const INDEX: usize = 32 * 1024;

/// A quick backup or restore compares chunks up to this length with the repository's own file, and hashes longer ones:
/// the repository may be far away.
pub(crate) const NEAR: u64 = 64 * 1024 * 1024;

/// Entries of a listing that go to the survey at a time.
const ENTRIES: usize = 4096;

/// Claims that are gathered before they are given out: the more there are, the better they fit together.
const GATHERED: usize = 1024;

/// From so many claims on, the order in which their objects are read is worth a look at where they lie.
const MANY: usize = 64;

/// Claims of which only the length is asked that a thread takes at a time.
const LENGTHS: usize = 256;

/// Jobs under way for each thread; the survey waits when there are more.
const AHEAD: usize = 4;

/// Claims and bytes after which a thread sends its verdicts: each sending wakes the survey's thread.
const SENT: usize = 64;
const SENT_BYTES: u64 = 256 * 1024 * 1024;

/// What a worker sends back.
enum Done {
    /// Claims with their verdicts.
    Claims(Vec<Settled>),
    /// What was found on a trail.
    Trail(Followed),
    /// All of a job is done.
    Job,
    /// The user wants to stop.
    Interrupted,
}

/// A claim's verdict, and how many decoded bytes were checked for it, by marks or not.
struct Settled {
    claim: Claim,
    verdict: Verdict,
    bytes: u64,
    marked: bool,
}

/// A buffer to read into.
#[must_use]
pub fn buffer() -> Vec<u8> {
    vec![0; PIECE]
}

/// Runs `survey` over the root `store` to its end and gives it back, ready to finish.
///
/// `settled` sees every claim's verdict, in the order in which they come in.
///
/// # Errors
/// [`Error::Interrupted`]; everything else becomes a finding.
pub fn run(
    store: &dyn Store,
    survey: Survey,
    depth: Depth,
    watch: &Watch<'_>,
    settled: &mut dyn FnMut(&Claim, &Verdict),
) -> Result<Survey, Error> {
    run_but(store, survey, depth, watch, None, settled)
}

/// Says of a claim whether it is settled already, and may take its marks away. Is asked by many threads.
pub(crate) type Has<'a> = &'a (dyn Fn(&mut Claim) -> bool + Sync);

/// The same, which takes the claims for sound that `has` knows: their objects are not looked at.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_but(
    store: &dyn Store,
    mut survey: Survey,
    depth: Depth,
    watch: &Watch<'_>,
    has: Option<Has<'_>>,
    settled: &mut dyn FnMut(&Claim, &Verdict),
) -> Result<Survey, Error> {
    let (send, receive) = channel();
    let present = Present::of(survey.shard());
    let key = survey.key().cloned();
    let ways = Ways::of(store)?;
    ways.scope(|scope| -> Result<(), Error> {
        let context = Context { store, depth, key: key.as_ref(), watch, present: &present };
        let (gathered, walked) = (Vec::new(), HashMap::new());
        let mut running =
            Running { scope, context, gathered, walked, send, receive, running: 0, ways: &ways, has, settled };
        loop {
            watch.go_on()?;
            match survey.ask() {
                Ask::List(folder) => list(store, folder, &mut survey, &mut running)?,
                Ask::Read { object, stretch } => read(store, &object, &stretch, &mut survey, &mut running)?,
                Ask::Writing(lock) => {
                    let writing = store.is_locked(&Name::new(lock.name().as_bytes())?);
                    _ = running.answer(&mut survey, Answer::Writing(writing))?;
                }
                Ask::Done => {
                    running.schedule(&mut survey)?;
                    running.land(&mut survey, 0)?;
                    if !survey.retrace() {
                        return Ok(());
                    }
                    running.walked.clear();
                    present.forget();
                }
            }
        }
    })?;
    watch.go_on()?;
    Ok(survey)
}

/// Where the work is done.
#[derive(Clone, Copy)]
struct Context<'scope> {
    store: &'scope dyn Store,
    depth: Depth,
    /// What opens what is encrypted.
    key: Option<&'scope Key>,
    watch: &'scope Watch<'scope>,
    present: &'scope Present,
}

/// Work that is being done.
struct Running<'f, 'scope> {
    scope: &'f Scope<'scope>,
    context: Context<'scope>,
    gathered: Vec<Claim>,
    /// The folders that were listed, and under which name: a link may lead to one again.
    walked: HashMap<Identity, Option<Name>>,
    send: Sender<Done>,
    receive: Receiver<Done>,
    running: usize,
    ways: &'f Ways,
    has: Option<Has<'f>>,
    settled: &'f mut dyn FnMut(&Claim, &Verdict),
}

impl<'scope> Running<'_, 'scope> {
    /// Gives the survey an answer and takes on what follows from it.
    fn answer(&mut self, survey: &mut Survey, answer: Answer<'_>) -> Result<Flow, Error> {
        let mut work = Vec::new();
        let flow = survey.answer(answer, &mut work);
        self.launch(survey, work)?;
        Ok(flow)
    }

    /// Takes on all of `work`, waiting for earlier work when there is too much of it.
    fn launch(&mut self, survey: &mut Survey, work: Vec<Work>) -> Result<(), Error> {
        for item in work {
            match item {
                Work::Claim(claim) => {
                    if claim.evidence(self.context.depth) == Evidence::Bytes {
                        self.context.watch.expect(claim.expect.length);
                    }
                    self.gathered.push(claim);
                    if self.gathered.len() >= GATHERED {
                        self.schedule(survey)?;
                    }
                }
                Work::Trail(trail) => self.start(survey, move |context, send| context.follow(trail, send))?,
                Work::Node(_) | Work::Called(..) => {}
            }
        }
        Ok(())
    }

    /// Starts to check all claims that were gathered.
    fn schedule(&mut self, survey: &mut Survey) -> Result<(), Error> {
        let depth = self.context.depth;
        let of_bytes = |claim: &Claim| claim.evidence(depth) == Evidence::Bytes;
        let mut claims = std::mem::take(&mut self.gathered);
        if let Some(has) = self.has {
            let known = self.ways.all(&mut claims, has);
            let mut known = known.into_iter();
            claims.retain(|claim| {
                let is_known = known.next().unwrap_or(false);
                if is_known {
                    self.context.watch.advance(claim.expect.length);
                    (self.settled)(claim, &Verdict::Sound);
                    survey.settle(claim, Verdict::Sound, 0);
                }
                !is_known
            });
        }
        let (bytes, lengths): (Vec<Claim>, Vec<Claim>) = claims.into_iter().partition(of_bytes);
        let bytes = self.context.in_disk_order(bytes);
        for claims in lengths.chunks(LENGTHS).map(<[Claim]>::to_vec) {
            self.start(survey, move |context, send| context.lengths(claims, send))?;
        }
        for job in self.ways.schedule(bytes) {
            self.start(survey, move |context, send| context.job(job, send))?;
        }
        Ok(())
    }

    fn start(
        &mut self,
        survey: &mut Survey,
        work: impl FnOnce(Context<'scope>, &Sender<Done>) -> Result<(), Error> + Send + 'scope,
    ) -> Result<(), Error> {
        self.land(survey, self.ways.threads() * AHEAD)?;
        self.running += 1;
        let (context, send) = (self.context, self.send.clone());
        self.scope.spawn(move |_| {
            let done = if work(context, &send).is_ok() { Done::Job } else { Done::Interrupted };
            // The other end is gone only when the run was interrupted.
            _ = send.send(done);
        });
        Ok(())
    }

    /// Takes in results until at most `most` jobs are under way.
    fn land(&mut self, survey: &mut Survey, most: usize) -> Result<(), Error> {
        while self.running > most {
            let Ok(done) = self.receive.recv() else { break };
            match done {
                Done::Claims(claims) => {
                    for Settled { claim, verdict, bytes, marked } in claims {
                        (self.settled)(&claim, &verdict);
                        survey.settle(&claim, verdict, bytes);
                        if marked {
                            survey.marked(bytes);
                        }
                    }
                }
                Done::Trail(followed) => survey.followed(followed),
                Done::Job => self.running -= 1,
                Done::Interrupted => return Err(Error::Interrupted),
            }
        }
        Ok(())
    }
}

impl Context<'_> {
    /// Claims on many objects in the order in which a disk reads them fastest.
    fn in_disk_order(self, claims: Vec<Claim>) -> Vec<Claim> {
        if claims.len() < MANY {
            return claims;
        }
        let place = |claim: Claim| (self.store.place(&claim.object), claim);
        let mut placed: Vec<(u64, Claim)> = claims.into_par_iter().map(place).collect();
        placed.sort_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, claim)| claim).collect()
    }

    fn follow(self, trail: Trail, send: &Sender<Done>) -> Result<(), Error> {
        let followed = one::follow(self.store, trail, self.key, self.watch)?;
        _ = send.send(Done::Trail(followed));
        Ok(())
    }

    fn lengths(self, claims: Vec<Claim>, send: &Sender<Done>) -> Result<(), Error> {
        let mut out = Out::new(send);
        for claim in claims {
            self.watch.go_on()?;
            if claim.evidence(self.depth) == Evidence::Presence && self.present.shows(self.store, &claim.object) {
                out.settle(claim, Verdict::Sound, 0, false);
                continue;
            }
            if let Some(verdict) = one::without_bytes(self.store, &claim, self.depth, self.key) {
                out.settle(claim, verdict, 0, false);
            }
        }
        Ok(())
    }

    fn job(self, job: Job, send: &Sender<Done>) -> Result<(), Error> {
        let mut out = Out::new(send);
        let hashed = self.depth >= Depth::Digest;
        match job {
            // Those of a job are alike.
            Job::Lanes(width, claims) => {
                match claims.first().and_then(|first| first.expect.digest).filter(|_| hashed) {
                    Some(_) => self.lanes(width, claims, &mut out),
                    None => claims.into_iter().try_for_each(|claim| self.one(claim, &mut out)),
                }
            }
            Job::Marked(claim) => {
                let marked = if hashed { marked::check(self.store, &claim, self.watch)? } else { None };
                match marked {
                    None => self.one(claim, &mut out),
                    Some(verdict) => {
                        let bytes = claim.expect.length;
                        out.settle(claim, verdict, bytes, true);
                        Ok(())
                    }
                }
            }
        }
    }

    fn one(self, claim: Claim, out: &mut Out<'_>) -> Result<(), Error> {
        let (verdict, bytes) = check_bytes(self.store, &claim, (self.depth, self.key), self.watch, &mut |_| {})?;
        out.settle(claim, verdict, bytes, false);
        Ok(())
    }

    fn lanes(self, width: usize, claims: Vec<Claim>, out: &mut Out<'_>) -> Result<(), Error> {
        let out = RefCell::new(out);
        let mut claims = claims.into_iter();
        let next = || {
            for claim in claims.by_ref() {
                match self.store.open(&claim.object) {
                    Ok(object) => {
                        return Ok(Some(lanes::Stream::of(claim, object.into(), self.depth, self.key)));
                    }
                    Err(error) => {
                        let verdict = one::failed(self.store, &claim, &error);
                        out.borrow_mut().settle(claim, verdict, 0, false);
                    }
                }
            }
            Ok(None)
        };
        let ended = |stream: lanes::Stream<'_, Claim>, end: io::Result<()>| {
            let bytes = stream.lane.length();
            let verdict = match end {
                Ok(()) => stream.lane.end(),
                Err(error) => one::failed(self.store, &stream.tag, &error),
            };
            out.borrow_mut().settle(stream.tag, verdict, bytes, false);
            Ok(())
        };
        lanes::run(width, next, ended, self.watch)
    }
}

/// Verdicts on their way to the survey's thread.
struct Out<'a> {
    send: &'a Sender<Done>,
    settled: Vec<Settled>,
    bytes: u64,
}

impl<'a> Out<'a> {
    fn new(send: &'a Sender<Done>) -> Self {
        Self { send, settled: Vec::new(), bytes: 0 }
    }

    fn settle(&mut self, claim: Claim, verdict: Verdict, bytes: u64, marked: bool) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.settled.push(Settled { claim, verdict, bytes, marked });
        if self.settled.len() >= SENT || self.bytes >= SENT_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.bytes = 0;
        // The other end is gone only when the run was interrupted.
        _ = self.send.send(Done::Claims(std::mem::take(&mut self.settled)));
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

fn list<'scope>(
    store: &dyn Store,
    folder: Option<Name>,
    survey: &mut Survey,
    running: &mut Running<'_, 'scope>,
) -> Result<(), Error> {
    // The same name may be listed again, to see what has changed; another name of the same folder shows nothing new.
    if let Some(identity) = store.identity(folder.as_ref()) {
        let first = running.walked.entry(identity).or_insert_with(|| folder.clone());
        if *first != folder {
            let first = first.as_ref().map_or_else(|| "the root".to_owned(), |name| format!("'{name}'"));
            let message = format!("it leads to {first}, which is looked at under that name");
            let fault = Fault { kind: FaultKind::Known, message };
            return running.answer(survey, Answer::Failed(fault)).map(|_| ());
        }
    }
    // Claims of a listing are begun while it comes: there may be many.
    let mut batch: Vec<Entry> = Vec::new();
    let mut flow = Ok(Flow::Continue(()));
    let result = store.list(folder.as_ref(), &mut |entry| {
        batch.push(entry);
        if batch.len() >= ENTRIES {
            if matches!(flow, Ok(Flow::Continue(()))) {
                flow = running.answer(survey, Answer::Entries(&batch));
            }
            batch.clear();
        }
    });
    if flow?.is_break() || running.answer(survey, Answer::Entries(&batch))?.is_break() {
        return Ok(());
    }
    let end = result.map_or_else(|error| Answer::Failed(fault(&error)), |()| Answer::End);
    running.answer(survey, end).map(|_| ())
}

fn read(
    store: &dyn Store,
    name: &Name,
    stretch: &Stretch,
    survey: &mut Survey,
    running: &mut Running<'_, '_>,
) -> Result<(), Error> {
    let failed = |error: io::Error| Answer::Failed(fault(&error));
    let opened = store.open(name).and_then(|object| {
        // Only what is counted from the end needs the length.
        let length = if matches!(stretch, Stretch::End(_)) { object.length()? } else { u64::MAX };
        Ok((object, stretch.range(length)))
    });
    let (object, mut rest) = match opened {
        Ok(opened) => opened,
        Err(error) => return running.answer(survey, failed(error)).map(|_| ()),
    };
    let mut buffer = vec![0; INDEX];
    while !rest.is_empty() {
        running.context.watch.go_on()?;
        let most = usize::try_from(rest.end - rest.start).unwrap_or(usize::MAX).min(buffer.len());
        match object.read_at(rest.start, &mut buffer[..most]) {
            Ok(0) => break,
            Ok(read) => {
                rest.start += read as u64;
                if running.answer(survey, Answer::Bytes(&buffer[..read]))?.is_break() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return running.answer(survey, failed(error)).map(|_| ()),
        }
    }
    running.answer(survey, Answer::End).map(|_| ())
}
