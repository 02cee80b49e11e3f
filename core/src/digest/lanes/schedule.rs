//! Which stream goes through which lane when, so that few lanes stand idle.
//!
//! A kernel takes the same time however few of its lanes are in use. So as long as there are more
//! streams than lanes, each stream is cut in two where that fills a lane to the last block: the
//! lanes then all end at the same moment. Streams too long for that get a lane of their own and go
//! on afterwards, with ever fewer others, on ever narrower kernels.

use std::cmp::Reverse;

use crate::digest::cpu::Features;
use crate::sort;

/// The most lanes that a kernel has.
pub(super) const MOST: usize = 32;

/// Blocks of one stream.
pub(super) type Blocks<'a> = &'a [[u8; 64]];

/// One stream's state and the blocks it is to take.
pub(super) struct Stream<'a, const S: usize> {
    pub(super) state: &'a mut [u32; S],
    pub(super) blocks: Blocks<'a>,
}

/// Advances many states at once, each by the first so many blocks of its row; there are as many states and rows as
/// the kernel has lanes.
pub(super) type Run<const S: usize> = fn(Features, &mut [[u32; S]], &[Blocks<'_>], usize);

/// A kernel of several lanes.
pub(super) struct Kernel<const S: usize> {
    pub(super) width: usize,
    /// The time for one block in each lane, in hundredths of what the one-stream kernel beside it takes for one.
    pub(super) cost: usize,
    pub(super) run: Run<S>,
}

/// Kernels of several lanes that go together.
pub(super) struct Kernels<const S: usize> {
    /// From narrow to wide.
    wide: &'static [Kernel<S>],
    /// For every number of streams: how many kernels there are up to the one for the first of them, such that all
    /// are done soonest; none is the one-stream kernel.
    best: [usize; MOST + 1],
}

impl<const S: usize> Kernels<S> {
    /// `wide` goes from narrow to wide.
    #[expect(clippy::indexing_slicing, reason = "done by the compiler, in which iterators do not work yet")]
    pub(super) const fn new(wide: &'static [Kernel<S>]) -> Self {
        let (mut best, mut time) = ([0; MOST + 1], [0; MOST + 1]);
        let mut streams = 1;
        while streams <= MOST {
            time[streams] = time[streams - 1] + 100;
            let mut number = 0;
            while number < wide.len() {
                let kernel = &wide[number];
                number += 1;
                let with = time[streams.saturating_sub(kernel.width)] + kernel.cost;
                // Where it makes no difference: as many as possible of the longest ones together.
                if with < time[streams] || with == time[streams] && kernel.width <= streams {
                    (best[streams], time[streams]) = (number, with);
                }
            }
            streams += 1;
        }
        Self { wide, best }
    }

    fn best(&self, streams: usize) -> Option<&Kernel<S>> {
        self.wide.get(self.best.get(streams)?.checked_sub(1)?)
    }
}

/// The kernels of one algorithm to be used on this CPU.
pub(super) struct Engine<const S: usize> {
    pub(super) features: Features,
    pub(super) one: fn(Features, &mut [u32; S], Blocks<'_>),
    pub(super) several: &'static Kernels<S>,
}

impl<const S: usize> Engine<S> {
    /// The lanes of the widest kernel.
    pub(super) fn width(&self) -> usize {
        self.several.wide.last().map_or(1, |kernel| kernel.width)
    }

    /// Advances every stream by all its blocks, in any order of streams.
    pub(super) fn run(&self, streams: &mut [Stream<'_, S>]) {
        if let [stream] = streams {
            return (self.one)(self.features, stream.state, stream.blocks);
        }
        sort::by_key(streams, |stream| Reverse(stream.blocks.len()));
        let mut live = streams.partition_point(|stream| !stream.blocks.is_empty());
        if let Some(widest) = self.several.wide.last()
            && live > widest.width
            && let Some(streams) = streams.get_mut(..live)
        {
            live = self.fill(widest, streams);
        }
        self.drain(streams.get_mut(..live).unwrap_or_default());
    }

    /// No more streams than lanes, the longest first: those that share a kernel advance until the shortest ends.
    fn drain(&self, mut streams: &mut [Stream<'_, S>]) {
        loop {
            let ended = streams.iter().rev().take_while(|stream| stream.blocks.is_empty()).count();
            let live = streams.len() - ended;
            streams = streams.get_mut(..live).unwrap_or_default();
            let Some(kernel) = self.several.best(live) else {
                let Some((first, others)) = streams.split_first_mut() else { return };
                (self.one)(self.features, first.state, first.blocks);
                streams = others;
                continue;
            };
            if live > kernel.width {
                let (longest, others) = streams.split_at_mut_checked(kernel.width).unwrap_or_default();
                self.drain(longest);
                streams = others;
                continue;
            }
            let count = streams.last().map_or(0, |stream| stream.blocks.len());
            let mut lanes = Lanes::new();
            for (lane, stream) in streams.iter_mut().enumerate() {
                lanes.put(lane, stream.state, stream.blocks);
                stream.blocks = stream.blocks.get(count..).unwrap_or_default();
            }
            lanes.advance(self.features, kernel, count);
            for (stream, state) in streams.iter_mut().zip(lanes.states) {
                *stream.state = state;
            }
        }
    }

    /// More streams than lanes, the longest first: advances the first few, as many as returned, by a part and the
    /// others by all their blocks, with all lanes in use until the end.
    fn fill(&self, kernel: &Kernel<S>, streams: &mut [Stream<'_, S>]) -> usize {
        let (own, time) = share(streams, kernel.width);
        let mut plans = plan(streams, kernel.width, own, time);
        let mut holders = [None; MOST];
        let mut lanes = Lanes::new();
        loop {
            // What has ended must be put back before anything is taken: it may go on in another lane.
            for ((row, state), holder) in lanes.rows.iter().zip(lanes.states).zip(&mut holders) {
                if row.is_empty()
                    && let Some(stream) = holder.take().and_then(|index: usize| streams.get_mut(index))
                {
                    *stream.state = state;
                }
            }
            for (lane, (plan, holder)) in plans.iter_mut().zip(&mut holders).enumerate() {
                if holder.is_none()
                    && let Some(part) = plan.next(streams)
                    && let Some(stream) = streams.get(part.stream)
                {
                    lanes.put(lane, stream.state, stream.blocks.get(part.from..part.to).unwrap_or_default());
                    *holder = Some(part.stream);
                }
            }
            let Some(count) = lanes.rows.iter().map(|row| row.len()).filter(|left| *left > 0).min() else { break };
            lanes.advance(self.features, kernel, count);
        }
        for stream in streams.iter_mut().take(own) {
            stream.blocks = stream.blocks.get(time..).unwrap_or_default();
        }
        own
    }
}

/// How many streams get a lane of their own, and how many blocks every lane does.
fn share<const S: usize>(streams: &[Stream<'_, S>], width: usize) -> (usize, usize) {
    let mut others: usize = streams.iter().map(|stream| stream.blocks.len()).sum();
    let mut time = others.div_ceil(width);
    for (own, stream) in streams.iter().enumerate().take(width) {
        time = others.div_ceil(width - own);
        if stream.blocks.len() <= time {
            return (own, time);
        }
        others -= stream.blocks.len();
    }
    (width, time)
}

/// The blocks `from..to` of a stream.
struct Part {
    stream: usize,
    from: usize,
    to: usize,
}

/// What one lane does: the begin of a stream whose end the lane before does last, then whole
/// streams one after another, at last the end of one.
#[derive(Default)]
struct Plan {
    begin: Option<Part>,
    next: usize,
    left: usize,
}

impl Plan {
    fn next<const S: usize>(&mut self, streams: &[Stream<'_, S>]) -> Option<Part> {
        if let Some(begin) = self.begin.take() {
            return Some(begin);
        }
        let stream = self.next;
        let to = streams.get(stream)?.blocks.len();
        let take = to.min(self.left);
        self.next += 1;
        self.left -= take;
        (take > 0).then_some(Part { stream, from: to - take, to })
    }
}

/// The plans of all lanes: the first `own` streams get a lane each, the others, none longer than `time`, are laid one
/// after another and cut every `time` blocks. The end of a cut stream comes last in its lane and its begin first in the
/// next one, so the begin is done when the end is due.
fn plan<const S: usize>(streams: &[Stream<'_, S>], width: usize, own: usize, time: usize) -> [Plan; MOST] {
    let mut plans: [Plan; MOST] = std::array::from_fn(|_| Plan::default());
    let (mut next, mut done) = (own, 0);
    for (lane, plan) in plans.iter_mut().enumerate().take(width) {
        if lane < own {
            plan.begin = Some(Part { stream: lane, from: 0, to: time });
            plan.next = streams.len();
            continue;
        }
        plan.left = time;
        if done > 0 {
            let to = streams.get(next).map_or(0, |stream| stream.blocks.len() - done);
            plan.begin = Some(Part { stream: next, from: 0, to });
            plan.left -= to;
            next += 1;
        }
        plan.next = next;
        done = plan.left;
        while let Some(stream) = streams.get(next)
            && stream.blocks.len() <= done
        {
            done -= stream.blocks.len();
            next += 1;
        }
        if next >= streams.len() {
            done = 0;
        }
    }
    plans
}

/// What a kernel works on.
struct Lanes<'a, const S: usize> {
    states: [[u32; S]; MOST],
    /// What is left to do; empty where there is nothing.
    rows: [Blocks<'a>; MOST],
}

impl<'a, const S: usize> Lanes<'a, S> {
    fn new() -> Self {
        Self { states: [[0; S]; MOST], rows: [&[]; MOST] }
    }

    fn put(&mut self, lane: usize, state: &[u32; S], blocks: Blocks<'a>) {
        if let (Some(to), Some(row)) = (self.states.get_mut(lane), self.rows.get_mut(lane)) {
            *to = *state;
            *row = blocks;
        }
    }

    /// Advances every lane that has blocks left by `count` of them.
    fn advance(&mut self, features: Features, kernel: &Kernel<S>, count: usize) {
        let live = self.rows.iter().find(|row| !row.is_empty()).copied().unwrap_or_default();
        // A lane without blocks reads those of another, and what it makes of them is forgotten.
        let rows = self.rows.map(|row| if row.is_empty() { live } else { row });
        if let (Some(states), Some(rows)) = (self.states.get_mut(..kernel.width), rows.get(..kernel.width)) {
            (kernel.run)(features, states, rows, count);
        }
        for row in &mut self.rows {
            *row = row.get(count..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_full_and_begins_come_before_ends() {
        let check = |lengths: &[usize], width: usize| {
            let blocks = vec![[0; 64]; lengths.iter().max().copied().unwrap_or_default()];
            let mut states = vec![[0u32; 1]; lengths.len()];
            let streams: Vec<_> = states
                .iter_mut()
                .zip(lengths)
                .map(|(state, length)| Stream { state, blocks: &blocks[..*length] })
                .collect();
            let (own, time) = share(&streams, width);
            let mut done = vec![0; lengths.len()];
            let mut ends = Vec::new();
            let mut used = 0;
            for (lane, mut plan) in plan(&streams, width, own, time).into_iter().take(width).enumerate() {
                let mut clock = 0;
                while let Some(part) = plan.next(&streams) {
                    if part.from > 0 {
                        ends.push((part.stream, part.from, clock));
                    } else if part.to < lengths[part.stream] && lane >= own {
                        assert_eq!(clock, 0, "a begin is first in its lane");
                    }
                    clock += part.to - part.from;
                    done[part.stream] += part.to - part.from;
                }
                assert!(clock <= time, "lane {lane} of {lengths:?} does {clock} of {time}");
                used += clock;
            }
            // Less than one block per lane is lost by rounding.
            assert!(width * time - used < width, "{lengths:?} leave lanes idle");
            for (stream, from, clock) in ends {
                assert!(from <= clock, "the end of {stream} of {lengths:?} comes too early");
            }
            for (stream, done) in done.into_iter().enumerate() {
                assert_eq!(done, if stream < own { time } else { lengths[stream] }, "stream {stream} of {lengths:?}");
            }
        };
        check(&[10; 48], 32);
        check(&[1; 33], 32);
        check(&[1000, 900, 5, 4, 3, 2, 1], 4);
        check(&[7, 7, 7, 7, 7], 4);
        check(&[100, 1, 1, 1, 1], 4);
        for count in 5..60 {
            let mut lengths: Vec<usize> = (0..count).map(|number| 1 + number * number * 7919 % 97).collect();
            lengths.sort_unstable_by_key(|length| Reverse(*length));
            check(&lengths, 4);
            check(&lengths, if count > 16 { 16 } else { 5.min(count - 1) });
        }
    }

    #[test]
    fn the_best_kernels_are_chosen_for_every_number_of_streams() {
        fn none(_: Features, _: &mut [[u32; 1]], _: &[Blocks<'_>], _: usize) {}
        static KERNELS: Kernels<1> = Kernels::new(&[
            Kernel { width: 2, cost: 150, run: none },
            Kernel { width: 4, cost: 299, run: none },
            Kernel { width: 16, cost: 730, run: none },
        ]);
        let width = |streams| KERNELS.best(streams).map_or(1, |kernel| kernel.width);
        assert_eq!([1, 2, 3, 4].map(width), [1, 2, 2, 4]);
        assert_eq!((10..=16).map(width).collect::<Vec<_>>(), [16; 7]);
        assert_eq!(width(32), 16);
        static EVEN: Kernels<1> =
            Kernels::new(&[Kernel { width: 2, cost: 100, run: none }, Kernel { width: 4, cost: 100, run: none }]);
        let width = |streams| EVEN.best(streams).map_or(1, |kernel| kernel.width);
        assert_eq!([1, 2, 3, 4, 5].map(width), [1, 2, 4, 4, 4]);
        static NONE: Kernels<1> = Kernels::new(&[]);
        assert!((0..=MOST).all(|streams| NONE.best(streams).is_none()));
    }
}
