//! `Talk`: who waits for which answer, and whether any is to come.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use highwater_core::wire::{Answer, Answered};

use crate::bandwidth::Bandwidth;

/// The most entries of one folder that are taken: some 600 MB, if nobody works them off meanwhile.
const ENTRIES: u64 = 8 << 20;

/// The longest report, in bytes, and how often a verification may say something else.
const REPORT: u64 = 256 << 20;
const SAYS: u64 = 1 << 20;

/// Who waits for what.
pub(super) struct Talk {
    waiting: Mutex<Waiting>,
    bandwidth: Option<Bandwidth>,
    begun: Instant,
}

struct Waiting {
    by: HashMap<u32, Waits>,
    last: u32,
    heard: Instant,
    /// Why nothing comes any more.
    why: Option<String>,
}

struct Waits {
    send: Sender<Answer>,
    /// What came already, of what may come in several answers.
    entries: u64,
    report: u64,
    says: u64,
}

/// What is done about an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing.
    Well,
    /// Nobody waits for what was opened.
    Close(u32),
    /// The far end does not keep to what was asked.
    Odd(&'static str),
}

impl Talk {
    /// One on which no more than so many bytes come in a second, if that is said.
    pub(super) fn new(bandwidth: Option<u64>) -> Self {
        let begun = Instant::now();
        let waiting = Mutex::new(Waiting { by: HashMap::new(), last: 0, heard: begun, why: None });
        Self { waiting, bandwidth: bandwidth.map(Bandwidth::new), begun }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answers of a request that gets this number; none when nothing comes any more.
    pub(super) fn expect(&self, send: Sender<Answer>) -> Option<u32> {
        let mut waiting = self.lock();
        if waiting.why.is_some() {
            return None;
        }
        loop {
            waiting.last = waiting.last.wrapping_add(1);
            let id = waiting.last;
            // Nobody waits for the answer of number 0: there is none.
            if let (1.., Entry::Vacant(free)) = (id, waiting.by.entry(id)) {
                free.insert(Waits { send, entries: 0, report: 0, says: 0 });
                return Some(id);
            }
        }
    }

    /// How many bytes may be taken at once.
    pub(super) fn piece(&self) -> usize {
        self.bandwidth.as_ref().map_or(usize::MAX, Bandwidth::piece)
    }

    /// So many bytes came: waits until the next may.
    pub(super) fn hear(&self, bytes: usize) {
        self.lock().heard = Instant::now();
        if let Some(bandwidth) = &self.bandwidth {
            thread::sleep(bandwidth.take(bytes, self.begun.elapsed()));
        }
    }

    /// When something came last.
    pub(super) fn heard(&self) -> Instant {
        self.lock().heard
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn take(&self, answered: Answered) -> Taken {
        let Answered { id, answer } = answered;
        let mut waiting = self.lock();
        let Some(waits) = waiting.by.get_mut(&id) else { return Taken::Odd("nothing of that number") };
        let is_last = match &answer {
            Answer::Entries { entries, last } => {
                waits.entries = waits.entries.saturating_add(entries.len().max(1) as u64);
                *last
            }
            Answer::Report { bytes, last } => {
                waits.report = waits.report.saturating_add(bytes.len().max(1) as u64);
                *last
            }
            Answer::Progress { .. } | Answer::Notice(_) => {
                waits.says += 1;
                false
            }
            _ => true,
        };
        if waits.entries > ENTRIES || waits.report > REPORT || waits.says > SAYS {
            return Taken::Odd("more than this program holds");
        }
        let opened = if let Answer::Opened { handle, .. } = &answer { *handle } else { None };
        let is_gone = waits.send.send(answer).is_err();
        if is_last {
            waiting.by.remove(&id);
        }
        opened.filter(|_| is_gone).map_or(Taken::Well, Taken::Close)
    }

    /// Ends it: whoever waits is told why. The first reason counts.
    pub(super) fn end(&self, why: &str) {
        let mut waiting = self.lock();
        waiting.why.get_or_insert_with(|| why.to_owned());
        waiting.by.clear();
    }

    /// Why nothing comes any more, if so.
    pub(super) fn why(&self) -> Option<String> {
        self.lock().why.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn opened(id: u32) -> Answered {
        Answered { id, answer: Answer::Opened { handle: Some(9), meta: Default::default(), bytes: Vec::new() } }
    }

    #[test]
    fn an_answer_goes_to_who_waits_for_it_and_once() {
        let talk = Talk::new(None);
        let ((send, one), (other, two)) = (channel(), channel());
        let (first, second) = (talk.expect(send).unwrap(), talk.expect(other).unwrap());
        assert_ne!(first, second);
        assert_eq!(talk.take(opened(second)), Taken::Well);
        assert!(one.try_recv().is_err() && two.try_recv().is_ok());
        assert!(matches!(talk.take(opened(second)), Taken::Odd(_)));
        drop(one);
        assert_eq!(talk.take(opened(first)), Taken::Close(9));
    }

    #[test]
    fn the_end_is_told_to_all() {
        let talk = Talk::new(None);
        let (send, one) = channel();
        talk.expect(send).unwrap();
        talk.end("first");
        talk.end("second");
        assert!(one.recv().is_err() && talk.expect(channel().0).is_none());
        assert_eq!(talk.why().as_deref(), Some("first"));
    }

    #[test]
    fn a_list_without_end_is_ended() {
        let talk = Talk::new(None);
        let (send, _one) = channel();
        let id = talk.expect(send).unwrap();
        talk.lock().by.get_mut(&id).unwrap().entries = ENTRIES;
        let more = Answered { id, answer: Answer::Entries { entries: Vec::new(), last: false } };
        assert!(matches!(talk.take(more), Taken::Odd(_)));
    }
}
