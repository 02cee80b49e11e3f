//! MD5 (RFC 1321) of one stream, with the chaining value at hand.
//!
//! One stream of MD5 is bound by the latency of its 64 steps, so each step adds first what does not
//! depend on the step before, and the one term that does last. The crate `md-5`, a fifth slower here, is the
//! tests' oracle.

/// A running MD5.
#[derive(Clone, Debug)]
pub struct Md5 {
    state: [u32; 4],
    block: [u8; 64],
    length: u64,
}

impl Default for Md5 {
    fn default() -> Self {
        Self::new()
    }
}

impl Md5 {
    /// Starts an MD5.
    #[must_use]
    pub fn new() -> Self {
        Self { state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476], block: [0; 64], length: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        // Known constants would be moved to the end of each step's sum, onto the critical path: +20 % time.
        let sines = std::hint::black_box(&SINES);
        let filled = usize::from((self.length & 63) as u8);
        self.length = self.length.wrapping_add(bytes.len() as u64);
        if filled > 0 {
            let room = self.block.get_mut(filled..).unwrap_or_default();
            let take = room.len().min(bytes.len());
            let (head, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
            room.iter_mut().zip(head).for_each(|(slot, byte)| *slot = *byte);
            bytes = rest;
            if filled + take < 64 {
                return;
            }
            compress(&mut self.state, &self.block, sines);
        }
        let (blocks, rest) = bytes.as_chunks::<64>();
        for block in blocks {
            compress(&mut self.state, block, sines);
        }
        self.block.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(mut self) -> [u8; 16] {
        let bits = self.length.wrapping_mul(8);
        // A one bit, zeros up to eight bytes before a block's end, then the length in bits.
        let filled = (self.length & 63) as u8;
        let zeros = if filled < 56 { 55 - filled } else { 119 - filled };
        self.update(&[0x80]);
        self.update([0; 64].get(..usize::from(zeros)).unwrap_or_default());
        self.update(&bits.to_le_bytes());
        let mut digest = [0; 16];
        for (out, word) in digest.chunks_exact_mut(4).zip(self.state) {
            out.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }
}

/// RFC 1321 section 3.4: `floor(2^32 * abs(sin(i + 1)))`.
static SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];
/// One block: four rounds of sixteen steps.
fn compress(state: &mut [u32; 4], block: &[u8; 64], k: &[u32; 64]) {
    let mut words = [0u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = words;
    let [mut a, mut b, mut c, mut d] = *state;

    // Each step adds to `$a` what does not depend on the step before, then the one term that does.
    macro_rules! round1 {
        ($a:ident $b:ident $c:ident $d:ident $m:ident [$k:literal] $s:literal) => {
            $a = $a
                .wrapping_add($m)
                .wrapping_add(k[$k])
                .wrapping_add($d ^ ($b & ($c ^ $d)))
                .rotate_left($s)
                .wrapping_add($b);
        };
    }
    macro_rules! round2 {
        ($a:ident $b:ident $c:ident $d:ident $m:ident [$k:literal] $s:literal) => {
            $a = $a
                .wrapping_add($m)
                .wrapping_add(k[$k])
                .wrapping_add($c & !$d)
                .wrapping_add($b & $d)
                .rotate_left($s)
                .wrapping_add($b);
        };
    }
    macro_rules! round3 {
        ($a:ident $b:ident $c:ident $d:ident $m:ident [$k:literal] $s:literal) => {
            $a = $a.wrapping_add($m).wrapping_add(k[$k]).wrapping_add($b ^ ($c ^ $d)).rotate_left($s).wrapping_add($b);
        };
    }
    macro_rules! round4 {
        ($a:ident $b:ident $c:ident $d:ident $m:ident [$k:literal] $s:literal) => {
            $a = $a.wrapping_add($m).wrapping_add(k[$k]).wrapping_add($c ^ ($b | !$d)).rotate_left($s).wrapping_add($b);
        };
    }
    round1!(a b c d m0 [0] 7);
    round1!(d a b c m1 [1] 12);
    round1!(c d a b m2 [2] 17);
    round1!(b c d a m3 [3] 22);
    round1!(a b c d m4 [4] 7);
    round1!(d a b c m5 [5] 12);
    round1!(c d a b m6 [6] 17);
    round1!(b c d a m7 [7] 22);
    round1!(a b c d m8 [8] 7);
    round1!(d a b c m9 [9] 12);
    round1!(c d a b m10 [10] 17);
    round1!(b c d a m11 [11] 22);
    round1!(a b c d m12 [12] 7);
    round1!(d a b c m13 [13] 12);
    round1!(c d a b m14 [14] 17);
    round1!(b c d a m15 [15] 22);
    round2!(a b c d m1 [16] 5);
    round2!(d a b c m6 [17] 9);
    round2!(c d a b m11 [18] 14);
    round2!(b c d a m0 [19] 20);
    round2!(a b c d m5 [20] 5);
    round2!(d a b c m10 [21] 9);
    round2!(c d a b m15 [22] 14);
    round2!(b c d a m4 [23] 20);
    round2!(a b c d m9 [24] 5);
    round2!(d a b c m14 [25] 9);
    round2!(c d a b m3 [26] 14);
    round2!(b c d a m8 [27] 20);
    round2!(a b c d m13 [28] 5);
    round2!(d a b c m2 [29] 9);
    round2!(c d a b m7 [30] 14);
    round2!(b c d a m12 [31] 20);
    round3!(a b c d m5 [32] 4);
    round3!(d a b c m8 [33] 11);
    round3!(c d a b m11 [34] 16);
    round3!(b c d a m14 [35] 23);
    round3!(a b c d m1 [36] 4);
    round3!(d a b c m4 [37] 11);
    round3!(c d a b m7 [38] 16);
    round3!(b c d a m10 [39] 23);
    round3!(a b c d m13 [40] 4);
    round3!(d a b c m0 [41] 11);
    round3!(c d a b m3 [42] 16);
    round3!(b c d a m6 [43] 23);
    round3!(a b c d m9 [44] 4);
    round3!(d a b c m12 [45] 11);
    round3!(c d a b m15 [46] 16);
    round3!(b c d a m2 [47] 23);
    round4!(a b c d m0 [48] 6);
    round4!(d a b c m7 [49] 10);
    round4!(c d a b m14 [50] 15);
    round4!(b c d a m5 [51] 21);
    round4!(a b c d m12 [52] 6);
    round4!(d a b c m3 [53] 10);
    round4!(c d a b m10 [54] 15);
    round4!(b c d a m1 [55] 21);
    round4!(a b c d m8 [56] 6);
    round4!(d a b c m15 [57] 10);
    round4!(c d a b m6 [58] 15);
    round4!(b c d a m13 [59] 21);
    round4!(a b c d m4 [60] 6);
    round4!(d a b c m11 [61] 10);
    round4!(c d a b m2 [62] 15);
    round4!(b c d a m9 [63] 21);
    *state = [state[0].wrapping_add(a), state[1].wrapping_add(b), state[2].wrapping_add(c), state[3].wrapping_add(d)];
}

#[cfg(test)]
mod tests {
    use md5::Digest as _;

    use super::*;

    #[test]
    fn agrees_with_the_crate_at_every_border_and_split() {
        let data: Vec<u8> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for length in 0..300 {
            let message = &data[..length];
            let expected: [u8; 16] = md5::Md5::digest(message).into();
            for step in [1, 3, 55, 63, 64, 65, 300] {
                let mut md5 = Md5::new();
                message.chunks(step).for_each(|piece| md5.update(piece));
                assert_eq!(md5.finish(), expected, "length {length}, step {step}");
            }
        }
    }

    #[test]
    fn a_clone_keeps_the_state() {
        let mut md5 = Md5::new();
        md5.update(&[7; 100]);
        let kept = md5.clone();
        md5.update(b"more");
        let expected: [u8; 16] = md5::Md5::digest([7; 100]).into();
        assert_eq!(kept.finish(), expected);
    }
}
