//! `Handles`: the objects that are held open for a near end, and how many that may be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::store::Object;

/// The most objects that are held open.
const MOST: u64 = 1024;

/// Descriptors that are for something else.
const BESIDE: u64 = 64;

/// How many objects may be held open, as the system lets us: as many descriptors are asked for as that takes.
pub(super) fn room() -> u32 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(MOST + BESIDE);
    let mut has = current.unwrap_or(u64::MAX);
    if has < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        has = wanted;
    }
    u32::try_from(has.saturating_sub(BESIDE).clamp(1, MOST)).unwrap_or(1)
}

/// The objects that are held open, by number.
pub(super) struct Handles {
    open: Mutex<Open>,
    most: usize,
}

#[derive(Default)]
struct Open {
    objects: HashMap<u32, Arc<dyn Object>>,
    last: u32,
}

impl Handles {
    pub(super) fn new(most: u32) -> Self {
        Self { open: Mutex::default(), most: usize::try_from(most).unwrap_or(usize::MAX) }
    }

    /// Holds an object; none where there are too many.
    pub(super) fn hold(&self, object: Box<dyn Object>) -> Option<u32> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.objects.len() >= self.most {
            return None;
        }
        loop {
            open.last = open.last.wrapping_add(1);
            let handle = open.last;
            if let Entry::Vacant(free) = open.objects.entry(handle) {
                free.insert(Arc::from(object));
                return Some(handle);
            }
        }
    }

    pub(super) fn get(&self, handle: u32) -> Option<Arc<dyn Object>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).objects.get(&handle).cloned()
    }

    pub(super) fn close(&self, handle: u32) {
        let closed = self.open.lock().unwrap_or_else(PoisonError::into_inner).objects.remove(&handle);
        drop(closed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_held_than_may_be() {
        let handles = Handles::new(2);
        let file = || Box::new(tempfile::tempfile().unwrap()) as Box<dyn Object>;
        let (one, two) = (handles.hold(file()).unwrap(), handles.hold(file()).unwrap());
        assert!(one != two && handles.hold(file()).is_none());
        handles.close(one);
        handles.close(one);
        let three = handles.hold(file()).unwrap();
        assert!(three != two && handles.get(one).is_none() && handles.get(three).is_some());
        assert!(room() >= 1);
    }
}
