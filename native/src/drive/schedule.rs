//! Gives claims out to threads, so that lanes are full and no thread waits long for another.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::digest::{Algorithm, lanes};
use highwater_core::lane::INFLATING;

/// Claims that one thread takes at a time, for each lane.
const TURNS: usize = 2;

/// What a thread does with its claims.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Checks these side by side, so many at a time; one alone goes through the fastest kernel for one stream.
    Lanes(usize, Vec<Claim>),
    /// Checks this by its marks, with the help of all threads.
    Marked(Claim),
}

/// What streams that go side by side have in common.
fn kind(claim: &Claim) -> (Codec, Option<Algorithm>) {
    (claim.codec, claim.expect.digest.map(|digest| digest.algorithm()))
}

/// How many streams like this claim's are worth reading at once.
pub(super) fn width(codec: Codec, algorithm: Option<Algorithm>) -> usize {
    let lanes = algorithm.map_or(1, lanes::width);
    if codec == Codec::Gzip { lanes.min(INFLATING) } else { lanes }
}

/// Gives `claims` out to so many `threads`.
///
/// Like lie with like: a lane is refilled when its stream ends, but at the end of a job the longest stream would
/// run alone. A stream that takes longer by itself than all the others take in lanes gets a thread of its own.
pub(super) fn schedule(claims: Vec<Claim>, threads: usize) -> Vec<Job> {
    let (marked, mut rest): (Vec<Claim>, Vec<Claim>) = claims.into_iter().partition(|claim| claim.marks.is_some());
    let mut jobs: Vec<Job> = marked.into_iter().map(Job::Marked).collect();
    rest.sort_by_key(|claim| (kind(claim), Reverse(size(claim))));
    for claims in rest.chunk_by(|a, b| kind(a) == kind(b)) {
        let Some(width) = claims.first().map(kind).map(|(codec, algorithm)| width(codec, algorithm)) else {
            continue;
        };
        let alone = alone(claims, width, threads);
        jobs.extend(claims[..alone].iter().map(|claim| Job::Lanes(1, vec![claim.clone()])));
        let claims = &claims[alone..];
        let free = threads.saturating_sub(alone).max(1);
        if claims.len().div_ceil(width * TURNS) > free {
            jobs.extend(claims.chunks(width * TURNS).map(|claims| Job::Lanes(width, claims.to_vec())));
        } else {
            // In turn, so that every thread gets about as many bytes.
            let count = free.min(claims.len());
            let claims_from = |first: usize| claims.iter().skip(first).step_by(count).cloned().collect();
            jobs.extend((0..count).map(|first| Job::Lanes(width, claims_from(first))));
        }
    }
    jobs
}

/// Passes over the marks of those of `claims` that fill the lanes of all `threads` with their like anyway.
pub(super) fn pass_over_marks(claims: &mut [Claim], threads: usize) {
    let mut sums: BTreeMap<_, u64> = BTreeMap::new();
    for claim in &*claims {
        let sum = sums.entry(kind(claim)).or_default();
        *sum = sum.saturating_add(claim.expect.length);
    }
    for claim in claims {
        let lanes = (width(claim.codec, claim.expect.digest.map(|digest| digest.algorithm())) * threads) as u64;
        let sum = sums.get(&kind(claim)).copied().unwrap_or_default();
        claim.marks.take_if(|_| claim.expect.length.saturating_mul(lanes) <= sum);
    }
}

/// The size by which a claim lies with its like. Chunks of a store are many and short: there the order in which they
/// came, which is that of the disk, is worth more than the last factor of two.
fn size(claim: &Claim) -> u64 {
    let length = claim.expect.length;
    if claim.codec.sealing().is_some() { length.checked_ilog2().unwrap_or(0).into() } else { length }
}

/// How many of `claims`, which are sorted with the longest first, get a thread of their own.
fn alone(claims: &[Claim], width: usize, threads: usize) -> usize {
    let mut rest: u64 = claims.iter().fold(0, |sum, claim| sum.saturating_add(claim.expect.length));
    let mut others = threads.saturating_sub(1) as u64;
    let needs_one = |claim: &&Claim| {
        let length = claim.expect.length;
        rest -= length.min(rest);
        let longest = others > 0 && length.saturating_mul(width as u64) > rest / others;
        others -= u64::from(longest);
        longest
    };
    claims.iter().take_while(needs_one).count()
}

#[cfg(test)]
mod tests {
    use highwater_core::claim::Expect;
    use highwater_core::digest::Digest;
    use highwater_core::finding::Hurts;
    use highwater_core::name::Name;

    use super::*;

    fn claims(lengths: &[u64]) -> Vec<Claim> {
        let claim = |(number, length): (usize, &u64)| Claim {
            object: Name::new(number.to_string().as_bytes()).unwrap(),
            index: Name::new(b"index").unwrap(),
            range: None,
            codec: Codec::Plain,
            expect: Expect { length: *length, digest: Some(Digest::Md5([0; 16])) },
            extent: None,
            marks: None,
            hurts: Hurts::Nothing,
        };
        lengths.iter().enumerate().map(claim).collect()
    }

    fn lengths(jobs: &[Job]) -> Vec<Vec<u64>> {
        let of = |job: &Job| match job {
            Job::Lanes(_, claims) => claims.iter().map(|claim| claim.expect.length).collect(),
            Job::Marked(claim) => vec![claim.expect.length],
        };
        jobs.iter().map(of).collect()
    }

    #[test]
    fn every_claim_is_given_once_and_every_thread_gets_some() {
        for count in [1, 2, 3, 16, 33, 500, 10_000] {
            for threads in [1, 2, 3, 16] {
                let jobs = schedule(claims(&vec![100; count]), threads);
                let dealt: usize = lengths(&jobs).iter().map(Vec::len).sum();
                assert_eq!(dealt, count);
                assert!(jobs.len() >= threads.min(count), "{count} {threads}: {}", jobs.len());
            }
        }
        assert!(schedule(Vec::new(), 4).is_empty());
    }

    #[test]
    fn the_longest_stream_gets_a_thread_unless_there_is_only_one() {
        let mixed = claims(&[5, 1_000_000, 7, 6]);
        assert_eq!(lengths(&schedule(mixed.clone(), 2)), [vec![1_000_000], vec![7, 6, 5]]);
        assert_eq!(lengths(&schedule(mixed, 1)), [vec![1_000_000, 7, 6, 5]]);
        // Many of a length fill lanes instead.
        let jobs = schedule(claims(&[1000; 64]), 2);
        assert_eq!(lengths(&jobs).iter().map(Vec::len).collect::<Vec<_>>(), [32, 32]);
    }

    #[test]
    fn the_marks_of_what_fills_the_lanes_by_itself_are_passed_over() {
        let marked = |lengths: &[u64]| {
            let mut claims = claims(lengths);
            claims.iter_mut().for_each(|claim| claim.marks = Name::new(b"marks").ok());
            pass_over_marks(&mut claims, 2);
            claims.iter().filter(|claim| claim.marks.is_some()).count()
        };
        let lanes = width(Codec::Plain, Some(Algorithm::Md5)) * 2;
        assert_eq!(marked(&[1000]), 1);
        assert_eq!((marked(&vec![1000; lanes]), marked(&vec![1000; lanes - 1])), (0, lanes - 1));
        assert_eq!(marked(&[&[1_000_000][..], &vec![1000; lanes]].concat()), 1);
    }

    #[test]
    fn a_claim_with_marks_is_not_put_into_a_lane() {
        let mut marked = claims(&[10, 20]);
        marked[1].marks = Name::new(b"1.marks").ok();
        let jobs = schedule(marked.clone(), 2);
        assert_eq!(jobs[0], Job::Marked(marked[1].clone()));
        assert_eq!(lengths(&jobs), [vec![20], vec![10]]);
    }
}
