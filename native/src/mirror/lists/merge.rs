//! `merge`: goes through several runs at once, in the order of keys.

use super::run::{Reader, Run, Unpack};
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// Readers, of which those with a row make a heap: the smallest key is the first, of equal ones that of the run before.
struct Heap {
    readers: Vec<Reader>,
    heap: Vec<usize>,
}

/// Takes the key and the tail of a row.
type Each<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), Error> + 'a;

/// Gives key and tail of all rows of the runs in order; of one key, those of an earlier run come first.
///
/// # Errors
/// That of `each`; when a run cannot be read; [`Error::Interrupted`].
pub(super) fn merge(disk: &dyn Disk, runs: &[Run], watch: &Watch<'_>, each: &mut Each<'_>) -> Result<(), Error> {
    watch.expect(runs.iter().map(|run| run.length).sum());
    let mut unpack = Unpack::default();
    let mut step = |reader: &mut Reader| {
        let read = reader.advance(&mut unpack)?;
        if let Some(some) = read.filter(|some| *some > 0) {
            watch.go_on()?;
            watch.advance(some);
        }
        Ok::<_, Error>(read.is_some())
    };
    let readers = runs.iter().map(|run| Reader::open(disk, run)).collect::<Result<_, _>>()?;
    let mut open = Heap { readers, heap: Vec::new() };
    for (number, reader) in open.readers.iter_mut().enumerate() {
        if step(reader)? {
            open.heap.push(number);
        }
    }
    for at in (0..open.heap.len() / 2).rev() {
        open.sift(at);
    }
    while let Some(&first) = open.heap.first() {
        let reader = &mut open.readers[first];
        each(reader.key(), reader.tail())?;
        if !step(reader)? {
            _ = open.heap.swap_remove(0);
        }
        open.sift(0);
    }
    Ok(())
}

impl Heap {
    /// Whether what is at one place of the heap comes before what is at another.
    fn is_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.heap[one], self.heap[other]);
        (self.readers[one].key(), one) < (self.readers[other].key(), other)
    }

    /// Lets what is at a place sink to where it belongs.
    fn sift(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.heap.len() {
                return;
            }
            let least = if right < self.heap.len() && self.is_before(right, left) { right } else { left };
            if !self.is_before(least, at) {
                return;
            }
            self.heap.swap(least, at);
            at = least;
        }
    }
}
