//! `Runs`: the segments of a stream, given out so that each lane reads on where its last segment ended.

use std::ops::Range;

/// How many runs a stream is cut into: one for each operation.
const RUNS: usize = super::OPERATIONS;

/// The segments that were not begun, run by run.
pub(super) struct Runs(Vec<Run>);

struct Run {
    all: Range<usize>,
    next: usize,
    busy: bool,
}

impl Runs {
    /// The segments from 0 to `count`.
    pub(super) fn new(count: usize) -> Self {
        let border = |run: usize| {
            // No overflow: a mark file names each of them, and cannot hold a tenth as many.
            let (whole, rest) = (count / RUNS, count % RUNS);
            whole * run + rest * run / RUNS
        };
        let run = |number| Run { all: border(number)..border(number + 1), next: border(number), busy: false };
        Self((0..RUNS).map(run).filter(|run| !run.all.is_empty()).collect())
    }

    /// The next segment of a run of which none is under way.
    pub(super) fn begin(&mut self) -> Option<usize> {
        let run = self.0.iter_mut().find(|run| !run.busy && run.next < run.all.end)?;
        run.busy = true;
        run.next += 1;
        Some(run.next - 1)
    }

    /// Segment `index` is over.
    pub(super) fn ended(&mut self, index: usize) {
        if let Some(run) = self.0.iter_mut().find(|run| run.all.contains(&index)) {
            run.busy = false;
        }
    }

    /// None is under way.
    pub(super) fn idle(&self) -> bool {
        self.0.iter().all(|run| !run.busy)
    }

    /// All are over.
    pub(super) fn over(&self) -> bool {
        self.0.iter().all(|run| !run.busy && run.next == run.all.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_comes_once_and_follows_the_one_before_it_in_its_run() {
        for count in [1, 2, 23, 24, 25, 47, 100, 1001] {
            let mut runs = Runs::new(count);
            let mut seen = Vec::new();
            while !runs.over() {
                let round: Vec<usize> = std::iter::from_fn(|| runs.begin()).collect();
                assert!(!round.is_empty() && !runs.idle());
                for index in &round {
                    runs.ended(*index);
                }
                // A round takes one of each run, so it ends with as many runs as it began, but for those that are over.
                seen.extend(round);
            }
            assert_eq!(seen.len(), count);
            seen.sort_unstable();
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
        let mut runs = Runs::new(100);
        assert_eq!((runs.begin(), runs.begin()), (Some(0), Some(6)));
        runs.ended(0);
        assert_eq!(runs.begin(), Some(1));
    }
}
