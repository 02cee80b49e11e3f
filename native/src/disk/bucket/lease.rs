//! `Lease`: the lock of a root in a bucket: an object that its holder writes again and again, and which is void when
//! that has not been done for a while, by the server's own clock.
//!
//! It is made under a free name, and replaced only as the object that it was (`If-Match`): of two that take a void one,
//! one succeeds. A server that does not look at such conditions is found out by two writes that must fail, and nothing
//! else is written there. What its holder says of itself stands in it. One that cannot be renewed in time is lost, and
//! whoever holds it publishes nothing more. A lock of a process of this machine that has ended is taken at once.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use highwater_core::name::{Name, printable};

use super::life::Life;
use crate::s3::{Ask, Client, Error, Head, Put, Stored, Under};
use crate::store::{Bucket, cannot};

/// So long after it was written last, a lock is void.
const VOID: Duration = Duration::from_secs(300);

/// So often it is written.
const RENEWED: Duration = Duration::from_secs(60);

/// So long before it is void for others, it is lost for its holder.
const MARGIN: Duration = Duration::from_secs(60);

/// The ETag of no lock.
const NONE: &str = "00000000000000000000000000000000";

/// No lock is longer, in bytes.
const LONGEST: u64 = 4 << 10;

/// A lock that is held.
pub(super) struct Lease {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What its holder and the thread that renews it share.
pub(super) struct Shared {
    bucket: Arc<Bucket>,
    /// Asks also when the run is to stop.
    client: Arc<Client>,
    name: Name,
    /// What stands in it, before the number of its renewal.
    text: String,
    state: Mutex<State>,
    renewing: Mutex<()>,
    ended: Condvar,
}

struct State {
    etag: String,
    /// When the last renewal that succeeded was sent.
    renewed: Instant,
    number: u64,
    lost: Option<String>,
    is_over: bool,
}

/// What came of taking it.
pub(super) enum Taken {
    Held(Lease),
    /// Another has it.
    Busy,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, under: Under<'_>, number: u64) -> Result<Stored, Error> {
        let text = format!("{}; renewal {number}\n", self.text);
        let key = self.bucket.key(&self.name);
        self.client.put(&Put { bucket: self.bucket.called(), key: &key, under, guard: None }, text.as_bytes())
    }

    /// Whether it is held still.
    ///
    /// # Errors
    /// It is lost: why.
    pub(super) fn holds(&self) -> io::Result<()> {
        let state = self.state();
        let why = match &state.lost {
            Some(why) => why.clone(),
            None if state.renewed.elapsed() < VOID - MARGIN => return Ok(()),
            None => "it was not renewed in time".to_owned(),
        };
        Err(io::Error::other(format!(
            "the lock {} is lost: {why}; nothing more was written; see who else writes there, and run again",
            printable(self.bucket.key(&self.name).as_slice())
        )))
    }

    /// Renews it until it is over or lost.
    fn keep(&self) {
        let mut state = self.state();
        loop {
            let slept = self.ended.wait_timeout_while(state, RENEWED, |state| !state.is_over);
            (state, _) = slept.unwrap_or_else(PoisonError::into_inner);
            if state.is_over || state.lost.is_some() {
                return;
            }
            drop(state);
            self.renew();
            state = self.state();
        }
    }

    /// Writes it once more.
    fn renew(&self) {
        let _alone = self.renewing.lock();
        let (etag, number, sent) = {
            let state = self.state();
            (state.etag.clone(), state.number + 1, Instant::now())
        };
        let renewed = self.put(Under::Of(&etag), number);
        let mut state = self.state();
        match renewed {
            Ok(stored) => (state.etag, state.renewed, state.number) = (stored.etag, sent, number),
            Err(error @ (Error::Changed { .. } | Error::NotFound { .. })) => {
                state.lost = Some(format!("somebody else took it or removed it ({error})"));
            }
            // It may go better the next time, as long as there is time.
            Err(error) if sent.duration_since(state.renewed) >= VOID => state.lost = Some(error.to_string()),
            Err(_) => {}
        }
    }

    /// Sees with S3 that it is held still: before anything is published that makes a point.
    ///
    /// # Errors
    /// As [`Shared::holds`].
    pub(super) fn holds_now(&self) -> io::Result<()> {
        self.holds()?;
        self.renew();
        self.holds()
    }
}

impl Lease {
    /// Takes the lock `name`, which says `who`.
    ///
    /// # Errors
    /// S3's.
    pub(super) fn take(bucket: &Arc<Bucket>, client: Arc<Client>, name: &Name, who: &str) -> io::Result<Taken> {
        let life = Life::own().map(|life| format!("; {life}")).unwrap_or_default();
        let run = crate::random::bytes::<8>().map_err(io::Error::other)?;
        let text = format!(
            "{}; void {} s after it was written last{life}; run {:016x}",
            who.trim_end(),
            VOID.as_secs(),
            u64::from_le_bytes(run)
        );
        let renewed = Instant::now();
        let state = State { etag: String::new(), renewed, number: 0, lost: None, is_over: false };
        let (bucket, name) = (Arc::clone(bucket), name.clone());
        let shared = Shared {
            bucket,
            client,
            name,
            text,
            state: Mutex::new(state),
            renewing: Mutex::new(()),
            ended: Condvar::new(),
        };
        let stored = match shared.put(Under::Free, 0) {
            Ok(stored) => stored,
            Err(Error::Changed { .. }) => match shared.void()? {
                None => return Ok(Taken::Busy),
                Some(etag) => match shared.put(Under::Of(&etag), 0) {
                    Ok(stored) => stored,
                    // Another was quicker, or its holder goes on after all.
                    Err(Error::Changed { .. } | Error::NotFound { .. }) => return Ok(Taken::Busy),
                    Err(error) => return Err(cannot(error)),
                },
            },
            Err(error) => return Err(cannot(error)),
        };
        shared.state().etag = stored.etag;
        shared.conditions()?;
        let shared = Arc::new(shared);
        let keeper = Arc::clone(&shared);
        let thread = thread::Builder::new().spawn(move || keeper.keep())?;
        Ok(Taken::Held(Self { shared, thread: Some(thread) }))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// Sees that the server looks at conditions: two writes must fail, as the lock is there, and is another object.
    fn conditions(&self) -> io::Result<()> {
        for (under, condition) in [(Under::Free, "If-None-Match"), (Under::Of(NONE), "If-Match")] {
            match self.put(under, 1) {
                Err(Error::Changed { .. } | Error::NotFound { .. }) => {}
                Err(error) => {
                    let etag = self.state().etag.clone();
                    self.remove(&etag);
                    return Err(cannot(error));
                }
                Ok(stored) => {
                    self.remove(&stored.etag);
                    return Err(io::Error::other(format!(
                        "this S3 server passes over {condition}, so that two runs could destroy each other's work; \
                         nothing else was written; use a server with conditional writes"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Removes the lock, if it is that object. What cannot be removed is void soon.
    fn remove(&self, etag: &str) {
        let key = self.bucket.key(&self.name);
        let _ = self.client.remove(&Ask { if_match: Some(etag), ..Ask::latest(self.bucket.called(), &key) }, None);
    }

    /// The ETag of the lock that is there, if it is void, or of a process that has ended.
    fn void(&self) -> io::Result<Option<String>> {
        let key = self.bucket.key(&self.name);
        // What was listed of it is old by now.
        self.bucket.known().forget(&self.name, false);
        let ask = Ask::latest(self.bucket.called(), &key);
        let there = self.client.head(&ask).and_then(|head| {
            // One that nobody here wrote may hold anything, and is void with time all the same.
            if is_old(&head) {
                return Ok(head.etag);
            }
            if head.length > LONGEST {
                return Ok(None);
            }
            let (head, text) = self.client.get_bytes(&Ask { if_match: head.etag.as_deref(), ..ask }, LONGEST)?;
            let has_ended = Life::read(&String::from_utf8_lossy(&text)).is_some_and(|life| life.has_ended());
            Ok(head.etag.filter(|_| has_ended))
        });
        match there {
            // It is free by now: the next look takes it. One that is not read to its end is being renewed.
            Err(Error::NotFound { .. } | Error::Changed { .. }) => Ok(None),
            there => there.map_err(cannot),
        }
    }
}

/// Whether a lock was not written for too long, by the server's clock.
fn is_old(head: &Head) -> bool {
    let age = head.modified.zip(head.now).map(|(modified, now)| now.saturating_sub(modified));
    age.is_some_and(|age| u64::try_from(age).is_ok_and(|age| age > VOID.as_secs()))
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // Nobody can have taken it meanwhile.
        if self.shared.holds().is_ok() {
            let etag = self.shared.state().etag.clone();
            self.shared.remove(&etag);
        }
        self.shared.bucket.known().forget(&self.shared.name, false);
    }
}
