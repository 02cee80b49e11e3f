//! Sorting, stable: as fast as the standard library's, or, for a page, with little code for each kind of item.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A set of items, one by one: to collect them sorts them first, by code for each kind of item.
pub(crate) fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

/// Sorts by an order.
pub(crate) fn by<T>(items: &mut [T], compare: impl FnMut(&T, &T) -> Ordering) {
    #[cfg(not(target_family = "wasm"))]
    items.sort_by(compare);
    #[cfg(target_family = "wasm")]
    small::by(items, compare);
}

/// Sorts from small to large.
pub(crate) fn all<T: Ord>(items: &mut [T]) {
    by(items, T::cmp);
}

/// Sorts what is equal only where it is the same.
pub(crate) fn values<T: Ord>(items: &mut [T]) {
    #[cfg(not(target_family = "wasm"))]
    items.sort_unstable();
    #[cfg(target_family = "wasm")]
    all(items);
}

/// Sorts by a key.
pub(crate) fn by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    by(items, |one, other| key(one).cmp(&key(other)));
}

/// One merge sort of places, whatever lies there: the standard library's is compiled anew, at 3 kB, for each kind of
/// item.
#[cfg(any(test, target_family = "wasm"))]
mod small {
    use std::cmp::Ordering;

    /// Whether what lies at one place belongs after what lies at the other.
    type After<'a> = &'a mut dyn FnMut(usize, usize) -> bool;

    pub(super) fn by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
        let mut order = sorted(items.len(), &mut |one, other| match (items.get(one), items.get(other)) {
            (Some(one), Some(other)) => compare(one, other) == Ordering::Greater,
            _ => false,
        });
        // Cycle by cycle, each item goes where it belongs; a place that is done names itself.
        for start in 0..order.len() {
            let mut at = start;
            while let Some(from) = order.get_mut(at).map(|from| std::mem::replace(from, at))
                && from != start
                && from != at
            {
                items.swap(at, from);
                at = from;
            }
        }
    }

    /// The places in the order of what lies there.
    fn sorted(length: usize, after: After<'_>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        if (1..length).all(|place| !after(place - 1, place)) {
            return order;
        }
        let (mut merged, mut run) = (Vec::with_capacity(length), 1);
        while run < length {
            for pair in order.chunks(run.saturating_mul(2)) {
                let (left, right) = pair.split_at(run.min(pair.len()));
                merge(left, right, &mut merged, after);
            }
            std::mem::swap(&mut order, &mut merged);
            merged.clear();
            run = run.saturating_mul(2);
        }
        order
    }

    fn merge(mut left: &[usize], mut right: &[usize], merged: &mut Vec<usize>, after: After<'_>) {
        while let ([one, more @ ..], [other, others @ ..]) = (left, right) {
            if after(*one, *other) {
                merged.push(*other);
                right = others;
            } else {
                merged.push(*one);
                left = more;
            }
        }
        merged.extend_from_slice(left);
        merged.extend_from_slice(right);
    }
}

#[cfg(test)]
mod tests {
    use super::small;

    #[test]
    fn little_code_sorts_as_the_standard_library_does() {
        let mut state = 7u32;
        let mut dice = |sides: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % sides
        };
        for length in (0..70).chain([1000, 1023, 1025]) {
            for sides in [1, 2, 10, 100_000] {
                // With their places, which show whether alike ones keep their order.
                let items: Vec<(u32, usize)> = (0..length).map(|place| (dice(sides), place)).collect();
                let (mut ours, mut theirs) = (items.clone(), items);
                small::by(&mut ours, |(one, _), (other, _)| one.cmp(other));
                theirs.sort_by_key(|(value, _)| *value);
                assert_eq!(ours, theirs, "{length} of {sides}");
                small::by(&mut ours, |(one, _), (other, _)| other.cmp(one));
                theirs.sort_by_key(|(value, _)| std::cmp::Reverse(*value));
                assert_eq!(ours, theirs, "{length} of {sides}, turned");
            }
        }
    }
}
