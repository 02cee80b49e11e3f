//! SHA-256's 64 rounds, written once for every kind of word.

use super::word::{Word, Words};

/// FIPS 180-4 section 4.2.2: the first 32 bits of the fractions of the cube roots of the first 64 primes.
pub(super) static ROOTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Advances `states` by the first `count` blocks of their `rows`; `any` is any word.
#[inline(always)]
pub(super) fn advance<W: Words>(any: W, states: &mut [[u32; 8]], rows: &[&[[u8; 64]]], count: usize) {
    if W::LANES > 1 {
        super::align_frame();
    }
    let mut state = super::gather(any, states);
    for at in 0..count {
        state = block(state, any.load(rows, at));
    }
    super::scatter(state, states);
}

/// The word of the schedule sixteen places after `w`, out of those 1, 9 and 14 places after it.
#[inline(always)]
pub(super) fn extend<W: Word>(w: W, [w1, w9, w14]: [W; 3]) -> W {
    let sigma0 = w1.rotate::<25, 7>().xor3(w1.rotate::<14, 18>(), w1.shift::<3>());
    let sigma1 = w14.rotate::<15, 17>().xor3(w14.rotate::<13, 19>(), w14.shift::<10>());
    w.plus(sigma0).plus(w9).plus(sigma1)
}

/// One round: the new `d` and `h`, which are the next round's `e` and `a`.
#[inline(always)]
pub(super) fn round<W: Word>([a, b, c, d, e, f, g, h]: [W; 8], w: W, k: u32) -> [W; 2] {
    let sum1 = e.rotate::<26, 6>().xor3(e.rotate::<21, 11>(), e.rotate::<7, 25>());
    let sum0 = a.rotate::<30, 2>().xor3(a.rotate::<19, 13>(), a.rotate::<10, 22>());
    let t = h.plus(w).plus(h.splat(k)).plus(e.choose(f, g)).plus(sum1);
    [d.plus(t), t.plus(a.majority(b, c)).plus(sum0)]
}

/// One block: four times sixteen rounds, between which the sixteen words are replaced by the next sixteen.
#[inline(always)]
fn block<W: Words>(state: [W; 8], mut w: [W; 16]) -> [W; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    macro_rules! extend {
        ($i:literal $i1:literal $i9:literal $i14:literal) => {
            w[$i] = w[$i].sha256_extend([w[$i1], w[$i9], w[$i14]]);
        };
    }
    macro_rules! round {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $i:literal $k:ident) => {
            [$d, $h] = W::sha256_round([$a, $b, $c, $d, $e, $f, $g, $h], w[$i], $k[$i]);
        };
    }
    for word in &mut w {
        *word = word.swap_bytes();
    }
    for (quarter, k) in ROOTS.as_chunks::<16>().0.iter().enumerate() {
        if quarter > 0 {
            extend!(0 1 9 14);
            extend!(1 2 10 15);
            extend!(2 3 11 0);
            extend!(3 4 12 1);
            extend!(4 5 13 2);
            extend!(5 6 14 3);
            extend!(6 7 15 4);
            extend!(7 8 0 5);
            extend!(8 9 1 6);
            extend!(9 10 2 7);
            extend!(10 11 3 8);
            extend!(11 12 4 9);
            extend!(12 13 5 10);
            extend!(13 14 6 11);
            extend!(14 15 7 12);
            extend!(15 0 8 13);
        }
        round!(a b c d e f g h 0 k);
        round!(h a b c d e f g 1 k);
        round!(g h a b c d e f 2 k);
        round!(f g h a b c d e 3 k);
        round!(e f g h a b c d 4 k);
        round!(d e f g h a b c 5 k);
        round!(c d e f g h a b 6 k);
        round!(b c d e f g h a 7 k);
        round!(a b c d e f g h 8 k);
        round!(h a b c d e f g 9 k);
        round!(g h a b c d e f 10 k);
        round!(f g h a b c d e 11 k);
        round!(e f g h a b c d 12 k);
        round!(d e f g h a b c 13 k);
        round!(c d e f g h a b 14 k);
        round!(b c d e f g h a 15 k);
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7] = state;
    [s0.plus(a), s1.plus(b), s2.plus(c), s3.plus(d), s4.plus(e), s5.plus(f), s6.plus(g), s7.plus(h)]
}
