//! `Files`: those that a worker was handed, and those that are being read, so many at a time.

use std::collections::{BTreeMap, HashMap, VecDeque};

use highwater_core::drive::{Answer, Want};
use wasm_bindgen::JsValue;

use super::source::Source;
use super::stream::Stream;

/// How many files are remembered: each holds a handle of the browser's.
const REMEMBERED: usize = 512;

/// How many files are kept open between reads.
const OPEN: usize = 48;

/// Files by number.
#[derive(Default)]
pub(super) struct Files {
    /// With the turn in which each was used last.
    known: HashMap<u32, (u64, Source)>,
    used: BTreeMap<u64, u32>,
    turns: u64,
    /// The reads that wait for a file.
    waiting: HashMap<u32, Vec<Want>>,
    /// Files that were read up to some place, and may be read on from there: the one used last at the end.
    streams: VecDeque<Stream>,
}

impl Files {
    /// The file of this number, if it was handed over and is still remembered.
    pub(super) fn get(&mut self, number: u32) -> Option<Source> {
        let turn = self.turn();
        let (before, source) = self.known.get_mut(&number)?;
        self.used.remove(before);
        self.used.insert(turn, number);
        *before = turn;
        Some(source.clone())
    }

    /// Keeps a read until its file comes. True when that must be asked for.
    pub(super) fn wait(&mut self, want: Want) -> bool {
        let waiting = self.waiting.entry(want.file).or_default();
        waiting.push(want);
        waiting.len() == 1
    }

    /// Takes a file, if it could be opened, and gives the reads that waited for it.
    pub(super) fn take(&mut self, number: u32, source: Option<Source>) -> Vec<Want> {
        if let Some(source) = source {
            let turn = self.turn();
            if let Some((before, _)) = self.known.insert(number, (turn, source)) {
                self.used.remove(&before);
            }
            self.used.insert(turn, number);
        }
        while self.known.len() > REMEMBERED {
            let Some((_, oldest)) = self.used.pop_first() else { break };
            self.known.remove(&oldest);
        }
        self.waiting.remove(&number).unwrap_or_default()
    }

    /// What reads a file from an offset on: what came that far, if it is still open.
    pub(super) fn stream(&mut self, number: u32, source: Source, at: f64) -> Stream {
        let found = self.streams.iter().position(|stream| stream.number == number && stream.next == at);
        let found = found.and_then(|found| self.streams.remove(found));
        found.unwrap_or_else(|| Stream::new(number, source, at))
    }

    /// Keeps it for the next read.
    pub(super) fn keep(&mut self, stream: Stream) {
        self.streams.push_back(stream);
        if self.streams.len() > OPEN
            && let Some(mut oldest) = self.streams.pop_front()
        {
            oldest.close();
        }
    }

    /// Nothing is read any more.
    pub(super) fn close(&mut self) {
        self.streams.iter_mut().for_each(Stream::close);
        *self = Self::default();
    }

    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }
}

/// Bytes as an answer; those with which the file ends are its last.
pub(super) fn answer((bytes, last): (Vec<u8>, bool)) -> Answer {
    if last { Answer::Last(bytes) } else { Answer::Bytes(bytes) }
}

/// Why there are none: a file that was changed or removed meanwhile, a disk that fails, no permission. Never damage.
pub(super) fn failed(thrown: &JsValue) -> Answer {
    Answer::Failed(super::fault::sentence(thrown))
}
