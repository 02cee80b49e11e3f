//! `Order`: whether the keys of a list are sorted, and `groups`: which lists overlap.

/// What a list has shown of its keys so far, as decoded bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    span: Option<Span>,
    is_broken: bool,
}

/// The smallest and the greatest key of a list; of a sorted one, its first and its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The smallest key.
    pub first: Vec<u8>,
    /// The greatest one.
    pub last: Vec<u8>,
}

impl Order {
    /// Takes the next key; false when it comes before one that was taken. Rows of one key are in order as they come.
    pub fn take(&mut self, key: &[u8]) -> bool {
        let Some(Span { first, last }) = &mut self.span else {
            self.span = Some(Span { first: key.to_vec(), last: key.to_vec() });
            return true;
        };
        if key >= &**last {
            last.clear();
            last.extend_from_slice(key);
            return true;
        }
        self.is_broken = true;
        if key < &**first {
            first.clear();
            first.extend_from_slice(key);
        }
        false
    }

    /// Whether all came in order.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        !self.is_broken
    }

    /// From where to where the keys are; none of a list without rows.
    #[must_use]
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }
}

/// Puts lists, by their numbers, into groups that follow one another: what is read of one group comes before or at what
/// is read of the next. Lists of one group overlap, and are to be merged; of lists that only share a key at their ends,
/// one follows the other.
#[must_use]
pub fn groups(spans: &[Span]) -> Vec<Vec<usize>> {
    let mut order: Vec<(&Span, usize)> = spans.iter().zip(0..).collect();
    order.sort_by(|(one, _), (other, _)| (&one.first, &one.last).cmp(&(&other.first, &other.last)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut until: Option<&[u8]> = None;
    for (span, number) in order {
        match groups.last_mut().filter(|_| until.is_some_and(|until| &*span.first < until)) {
            Some(group) => group.push(number),
            None => groups.push(vec![number]),
        }
        until = until.max(Some(&span.last));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: &str, last: &str) -> Span {
        Span { first: first.into(), last: last.into() }
    }

    #[test]
    fn order_is_that_of_bytes_and_keeps_ties() {
        let mut order = Order::default();
        // As text, `+` comes before `0`, and a space before both.
        for key in [&b"a b"[..], b"a b", b"a+", b"a/b", b"\xd0\xb0", b"\xff"] {
            assert!(order.take(key));
        }
        assert!(order.is_sorted());
        assert!(!order.take(b"a/c") && !order.is_sorted());
        assert_eq!(order.span(), Some(&Span { first: b"a b".to_vec(), last: b"\xff".to_vec() }));
        assert!(!order.take(b"a") && order.take(b"\xff"));
        assert_eq!(order.span().unwrap().first, b"a");
        assert_eq!(Order::default().span(), None);
    }

    #[test]
    fn lists_that_begin_with_one_key_are_all_kept() {
        // Each of one key, which spans lists; the third overlaps the fourth.
        let spans = [span("k", "k"), span("k", "z"), span("a", "k"), span("k", "k"), span("zz", "zzz")];
        assert_eq!(groups(&spans), [vec![2], vec![0], vec![3], vec![1], vec![4]]);
        let spans = [span("a", "k"), span("j", "m"), span("k", "l"), span("m", "z")];
        assert_eq!(groups(&spans), [vec![0, 1, 2], vec![3]]);
        assert!(groups(&[]).is_empty());
    }

    /// Against the definition, over all small sets of lists.
    #[test]
    fn what_comes_of_one_group_is_never_behind_what_comes_of_the_next() {
        let all: Vec<Span> = (b'a'..=b'd')
            .flat_map(|first| (first..=b'd').map(move |last| Span { first: vec![first], last: vec![last] }))
            .collect();
        for one in 0..all.len().pow(3) {
            let spans: Vec<Span> = [1, 10, 100].iter().map(|by| all[one / by % all.len()].clone()).collect();
            let groups = groups(&spans);
            let mut numbers: Vec<usize> = groups.concat();
            for pair in groups.windows(2) {
                let last = pair[0].iter().map(|at| &spans[*at].last).max().unwrap();
                assert!(pair[1].iter().all(|at| &spans[*at].first >= last), "{spans:?}: {groups:?}");
            }
            for group in groups.iter().filter(|group| group.len() > 1) {
                let alone = |at: &usize| {
                    group
                        .iter()
                        .filter(|other| *other != at)
                        .all(|other| spans[*other].first >= spans[*at].last || spans[*at].first >= spans[*other].last)
                };
                assert!(!group.iter().all(alone), "{spans:?}: {groups:?}");
            }
            numbers.sort_unstable();
            assert_eq!(numbers, [0, 1, 2]);
        }
    }
}
