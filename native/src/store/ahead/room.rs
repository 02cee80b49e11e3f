//! `Room`: how many blocks of all objects of a root may come ahead at a time, and the memory that they come into.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the objects of one root share.
pub(in crate::store) struct Room {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Blocks that were asked for and not used up.
    taken: usize,
    /// Memory that is used again: fresh memory costs more than receiving what comes into it.
    spare: Vec<Vec<u8>>,
}

impl Room {
    /// Room for so many blocks.
    pub(in crate::store) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// Room for one more block; none when there is none.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        (state.taken < self.most).then(|| {
            state.taken += 1;
            Place { room: Arc::clone(self), bytes: Vec::new() }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one block in a room, until it is dropped.
pub(in crate::store) struct Place {
    room: Arc<Room>,
    bytes: Vec<u8>,
}

impl Place {
    /// Memory for so many bytes, which hold anything.
    pub(in crate::store) fn memory(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = self.room.state().spare.pop().unwrap_or_default();
        }
        if self.bytes.len() < length {
            self.bytes = vec![0; length];
        }
        &mut self.bytes[..length]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.room.state();
        state.taken -= 1;
        if !self.bytes.is_empty() {
            // Never more than there were places.
            state.spare.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_places_as_were_said_and_their_memory_is_used_again() {
        let room = Room::of(2);
        let (mut one, two) = (room.take().unwrap(), room.take().unwrap());
        assert!(room.take().is_none());
        one.memory(100)[99] = 7;
        drop(one);
        let mut again = room.take().unwrap();
        assert_eq!(again.memory(100)[99], 7);
        assert_eq!(again.memory(101)[100], 0);
        drop((again, two));
        let state = room.state();
        assert_eq!((state.taken, state.spare.len()), (0, 1));
    }
}
