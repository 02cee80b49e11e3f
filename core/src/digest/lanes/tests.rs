//! Every kernel and the scheduler against the crates `md-5` and `sha2`.

use md5::Digest as _;

use super::schedule::{Blocks, Run};
use super::*;

/// A seeded generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll() as u8).collect()
    }
}

fn md5_by_crate(state: &mut [u32; 4], blocks: Blocks<'_>) {
    md5::block_api::compress(state, blocks);
}

fn sha256_by_crate(state: &mut [u32; 8], blocks: Blocks<'_>) {
    sha2::block_api::compress256(state, blocks);
}

/// A kernel, whether this CPU has its instructions, and its lanes.
type Named<const S: usize> = (&'static str, bool, usize, Run<S>);

fn md5_kernels() -> Vec<Named<4>> {
    let have = Features::detected();
    let one: Run<4> = |features, states, rows, count| portable::md5_one(features, &mut states[0], &rows[0][..count]);
    let mut kernels: Vec<Named<4>> = vec![
        ("md5 portable 1", true, 1, one),
        ("md5 portable 4", true, 4, portable::md5::<4>),
        ("md5 portable 8", true, 8, portable::md5::<8>),
        ("md5 portable 16", true, 16, portable::md5::<16>),
        ("md5 portable 32", true, 32, portable::md5::<32>),
    ];
    #[cfg(target_arch = "x86_64")]
    {
        let one: Run<4> = |features, states, rows, count| avx512::md5_one(features, &mut states[0], &rows[0][..count]);
        kernels.extend([
            ("md5 sse2 4", true, 4, sse2::md5_4 as Run<4>),
            ("md5 sse2 8", true, 8, sse2::md5_8),
            ("md5 sse2 12", true, 12, sse2::md5_12),
            ("md5 avx2 8", have.avx2(), 8, avx2::md5_8),
            ("md5 avx2 16", have.avx2(), 16, avx2::md5_16),
            ("md5 avx2 24", have.avx2(), 24, avx2::md5_24),
            ("md5 avx512 1", have.avx512(), 1, one),
            ("md5 avx512 16", have.avx512(), 16, avx512::md5_16),
            ("md5 avx512 32", have.avx512(), 32, avx512::md5_32),
        ]);
    }
    #[cfg(target_arch = "aarch64")]
    kernels.extend([
        ("md5 neon 8", have.neon(), 8, neon::md5_8 as Run<4>),
        ("md5 neon 16", have.neon(), 16, neon::md5_16),
    ]);
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    kernels
        .extend([("md5 simd128 4", true, 4, simd128::md5_4 as Run<4>), ("md5 simd128 12", true, 12, simd128::md5_12)]);
    let _ = have;
    kernels
}

fn sha256_kernels() -> Vec<Named<8>> {
    let have = Features::detected();
    let mut kernels: Vec<Named<8>> = vec![
        ("sha256 portable 2", true, 2, portable::sha256::<2>),
        ("sha256 portable 4", true, 4, portable::sha256::<4>),
        ("sha256 portable 8", true, 8, portable::sha256::<8>),
        ("sha256 portable 16", true, 16, portable::sha256::<16>),
    ];
    #[cfg(target_arch = "x86_64")]
    kernels.extend([
        ("sha256 sha-ni 1", have.sha(), 1, sha_ni::sha256::<1> as Run<8>),
        ("sha256 sha-ni 2", have.sha(), 2, sha_ni::sha256::<2>),
        ("sha256 sha-ni 3", have.sha(), 3, sha_ni::sha256::<3>),
        ("sha256 sha-ni 4", have.sha(), 4, sha_ni::sha256::<4>),
        ("sha256 sse2 4", true, 4, sse2::sha256_4),
        ("sha256 avx2 8", have.avx2(), 8, avx2::sha256_8),
        ("sha256 avx512 16", have.avx512(), 16, avx512::sha256_16),
    ]);
    #[cfg(target_arch = "aarch64")]
    kernels.push(("sha256 neon 8", have.neon(), 8, neon::sha256_8));
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    kernels.extend([
        ("sha256 simd128 4", true, 4, simd128::sha256_4 as Run<8>),
        ("sha256 simd128 8", true, 8, simd128::sha256_8),
    ]);
    let _ = have;
    kernels
}

/// Runs each kernel on lanes with states, messages, places and lengths of their own.
#[expect(clippy::print_stderr, reason = "a kernel that could not be tested must be seen")]
fn check_kernels<const S: usize>(kernels: Vec<Named<S>>, oracle: fn(&mut [u32; S], Blocks<'_>)) {
    let mut ran = 0;
    for (name, present, width, run) in kernels {
        if !present {
            eprintln!("### NOT TESTED: this CPU lacks the instructions of {name} ###");
            continue;
        }
        ran += 1;
        let mut dice = Dice(width as u64);
        for round in 0..150 {
            let data = dice.bytes(64 * 64);
            let count = round % 7;
            let rows: Vec<Blocks<'_>> = (0..width)
                .map(|lane| {
                    // All places within a block, in turn; rows may be longer than what is to be done.
                    let from = (round + lane * 7) % 64 + 64 * dice.below(48);
                    data[from..][..64 * (count + dice.below(3))].as_chunks().0
                })
                .collect();
            let before: Vec<[u32; S]> =
                (0..width).map(|_| std::array::from_fn(|_| (dice.roll() >> 7) as u32)).collect();
            let mut states = before.clone();
            run(Features::detected(), &mut states, &rows, count);
            for (lane, mut expected) in before.into_iter().enumerate() {
                oracle(&mut expected, &rows[lane][..count]);
                assert_eq!(states[lane], expected, "{name}, lane {lane}, {count} blocks, round {round}");
            }
        }
    }
    assert!(ran >= 4);
}

#[test]
fn every_md5_kernel_agrees_with_the_crate_in_every_lane() {
    check_kernels(md5_kernels(), md5_by_crate);
}

#[test]
fn every_sha256_kernel_agrees_with_the_crate_in_every_lane() {
    check_kernels(sha256_kernels(), sha256_by_crate);
}

/// The sets of features that lead to different kernels here.
fn limits() -> Vec<Features> {
    let all = Features::detected();
    let without = |words: &[&str]| words.iter().try_fold(all, |left, word| left.without(word)).unwrap();
    let mut limits = vec![
        all,
        without(&["avx512"]),
        without(&["avx2"]),
        without(&["sha"]),
        without(&["sha", "avx512"]),
        without(&["neon"]),
        without(&["sha", "avx2", "neon"]),
    ];
    limits.dedup();
    limits
}

fn check_streams<const S: usize>(
    engine: fn(Features) -> Engine<S>,
    oracle: fn(&mut [u32; S], Blocks<'_>),
    lengths: &[usize],
    dice: &mut Dice,
) {
    let data = dice.bytes(64 * 65 + 64 * lengths.iter().max().copied().unwrap_or_default());
    let rows: Vec<Blocks<'_>> =
        lengths.iter().map(|length| data[dice.below(64 * 65)..][..64 * length].as_chunks().0).collect();
    let before: Vec<[u32; S]> = lengths.iter().map(|_| std::array::from_fn(|_| (dice.roll() >> 7) as u32)).collect();
    let mut expected = before.clone();
    for (state, row) in expected.iter_mut().zip(&rows) {
        oracle(state, row);
    }
    for features in limits() {
        let mut states = before.clone();
        engine(features).run(&mut streams(&mut states, &rows));
        for (number, (state, expected)) in states.iter().zip(&expected).enumerate() {
            assert_eq!(state, expected, "stream {number} of {lengths:?} with {features}");
        }
    }
}

/// Any numbers of streams of any lengths, most of all those at which lanes are refilled and streams cut in two.
fn check_scheduler<const S: usize>(engine: fn(Features) -> Engine<S>, oracle: fn(&mut [u32; S], Blocks<'_>)) {
    let mut dice = Dice(42);
    let check = |lengths: &[usize], dice: &mut Dice| check_streams(engine, oracle, lengths, dice);
    for count in 0..=100 {
        check(&vec![dice.below(5); count], &mut dice);
        let mixed: Vec<usize> = (0..count).map(|_| dice.below(41)).collect();
        check(&mixed, &mut dice);
        let few_long: Vec<usize> =
            (0..count).map(|_| if dice.below(8) == 0 { 100 + dice.below(200) } else { dice.below(4) }).collect();
        check(&few_long, &mut dice);
    }
    for count in [33, 48, 64, 1000, 3000] {
        check(&vec![1; count], &mut dice);
        let ladder: Vec<usize> = (0..count).map(|number| number % 41).collect();
        check(&ladder, &mut dice);
    }
}

#[test]
fn every_stream_of_md5_is_done_whole_and_in_order() {
    check_scheduler(md5_engine, md5_by_crate);
}

#[test]
fn every_stream_of_sha256_is_done_whole_and_in_order() {
    check_scheduler(sha256_engine, sha256_by_crate);
}

#[test]
fn the_surplus_of_the_longer_slice_is_left_alone() {
    let block = [[7; 64]];
    let mut states = [[1; 4]; 3];
    md5(&mut states, &[&block, &block]);
    assert_ne!(states[0], [1; 4]);
    assert_eq!((states[1], states[2]), (states[0], [1; 4]));
    let mut states = [[1; 8]; 1];
    sha256(&mut states, &[&[], &block]);
    assert_eq!(states, [[1; 8]]);
}

#[test]
fn lanes_without_any_streams_are_no_trouble() {
    md5(&mut [], &[]);
    sha256(&mut [], &[]);
    update_md5(&mut [], &[]);
    assert!(finish_sha256(Vec::new()).is_empty());
    assert!((2..=MOST).contains(&width(Algorithm::Md5)));
    assert!((1..=MOST).contains(&width(Algorithm::Sha256)));
}

/// Whole digests of all lengths up to three blocks, given in uneven pieces, many at a time.
#[test]
fn whole_digests_agree_with_the_crates_however_they_are_given() {
    let mut dice = Dice(3);
    let data = dice.bytes(400);
    for round in 0..60 {
        let messages: Vec<&[u8]> = (0..=192).map(|length| &data[(round + length) % 64..][..length]).collect();
        let mut md5s = vec![Md5::new(); messages.len()];
        let mut sha256s = vec![Sha256::new(); messages.len()];
        let mut left = messages.clone();
        while left.iter().any(|left| !left.is_empty()) {
            let pieces: Vec<&[u8]> = left
                .iter_mut()
                .map(|left| {
                    // Now and then nothing, and often just as much as ends a block.
                    let most = [left.len() + 1, 65, 2][dice.below(3)];
                    let (piece, rest) = left.split_at(dice.below(most).min(left.len()));
                    *left = rest;
                    piece
                })
                .collect();
            update_md5(&mut md5s.iter_mut().collect::<Vec<_>>(), &pieces);
            update_sha256(&mut sha256s.iter_mut().collect::<Vec<_>>(), &pieces);
        }
        for (message, md5) in messages.iter().zip(&md5s) {
            assert_eq!(md5.length(), message.len() as u64);
        }
        let (md5s, sha256s) = (finish_md5(md5s), finish_sha256(sha256s));
        for ((message, md5), sha256) in messages.iter().zip(md5s).zip(sha256s) {
            assert_eq!(md5[..], md5::Md5::digest(message)[..], "length {}", message.len());
            assert_eq!(sha256[..], sha2::Sha256::digest(message)[..], "length {}", message.len());
        }
    }
}
