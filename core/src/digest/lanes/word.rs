//! The arithmetic that the round tables are written in: one 32-bit word of each of several streams.

/// One word of each of [`Word::LANES`] streams: a set of lanes, which one register holds.
///
/// No function makes a word from nothing: those that make one ask for another, and a kernel makes
/// its first only where its instructions are enabled. So a word proves that the CPU has them.
pub(super) trait Word: Copy {
    /// How many streams.
    const LANES: usize;

    /// `value` in every lane.
    fn splat(self, value: u32) -> Self;
    /// The given word of each lane; what is missing is any value.
    fn gather(self, lanes: &[u32]) -> Self;
    /// The opposite of [`Word::gather`].
    fn scatter(self, lanes: &mut [u32]);
    /// The sixteen little-endian words of block `at` of every row, one row per lane; zeros where there is none.
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16];

    /// The sum.
    fn plus(self, other: Self) -> Self;
    /// Bits rotated left by `L`, which is right by `R`: they are 32 together.
    fn rotate<const L: i32, const R: i32>(self) -> Self;
    /// Bits shifted right.
    fn shift<const R: i32>(self) -> Self;
    /// Each bit from `yes` where it is set here, else from `no`.
    fn choose(self, yes: Self, no: Self) -> Self;
    /// Exclusive or of three.
    fn xor3(self, b: Self, c: Self) -> Self;
    /// Each bit as at least two of the three have it.
    fn majority(self, b: Self, c: Self) -> Self;
    /// MD5's fourth function: `c ^ (self | !d)`.
    fn md5_i(self, c: Self, d: Self) -> Self;
    /// Adds MD5's second function, `(d & b) | (!d & c)`. It may be added in two parts, as its halves
    /// have no bit in common; that keeps the one with `b`, which comes last, off a longer way.
    fn plus_md5_g(self, b: Self, c: Self, d: Self) -> Self {
        self.plus(d.choose(b, c))
    }
    /// Each lane's bytes in the opposite order.
    fn swap_bytes(self) -> Self;
    /// The same word, worked out here and not later. Sets that lie side by side keep a core busy only when their steps
    /// take turns; a compiler that sees that they do not depend on each other may put them one after the other.
    #[inline(always)]
    fn in_turn(self) -> Self {
        self
    }
}

/// Block `at` of row `lane`, or zeros.
#[inline(always)]
pub(super) fn block<'a>(rows: &[&'a [[u8; 64]]], lane: usize, at: usize) -> &'a [u8; 64] {
    const NONE: &[u8; 64] = &[0; 64];
    match rows.get(lane) {
        Some(row) => row.get(at).unwrap_or(NONE),
        None => NONE,
    }
}

/// The four words of `block` from `4 * number` on.
#[inline(always)]
pub(super) fn quarter(block: &[u8; 64], number: usize) -> &[u8; 16] {
    block.as_chunks().0.get(number).unwrap_or(&[0; 16])
}

/// One word of each stream of one or more sets of lanes: what the round tables are written in. The sets take turns
/// step by step, so that one works while the others wait for their last results.
pub(super) trait Words: Copy {
    /// How many streams.
    const LANES: usize;

    /// As [`Word::gather`].
    fn gather(self, lanes: &[u32]) -> Self;
    /// As [`Word::scatter`].
    fn scatter(self, lanes: &mut [u32]);
    /// As [`Word::load`].
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16];
    /// The sum.
    fn plus(self, other: Self) -> Self;
    /// Each lane's bytes in the opposite order.
    fn swap_bytes(self) -> Self;
    /// What a step of MD5's round `ROUND`, of 0 to 3, puts in the place of this word, its `a`.
    fn md5_step<const ROUND: u8, const L: i32, const R: i32>(self, rest: [Self; 3], m: Self, k: u32) -> Self;
    /// The word of SHA-256's schedule sixteen places on, out of this one and those 1, 9 and 14 places on.
    fn sha256_extend(self, others: [Self; 3]) -> Self;
    /// What a round of SHA-256 puts in the places of the state's `d` and `h`, with word `w` of the schedule.
    fn sha256_round(state: [Self; 8], w: Self, k: u32) -> [Self; 2];
}

/// Two, side by side.
impl<A: Words, B: Words> Words for (A, B) {
    const LANES: usize = A::LANES + B::LANES;

    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        let (a, b) = lanes.split_at_checked(A::LANES).unwrap_or((lanes, &[]));
        (self.0.gather(a), self.1.gather(b))
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        if let Some((a, b)) = lanes.split_at_mut_checked(A::LANES) {
            self.0.scatter(a);
            self.1.scatter(b);
        }
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        let (a, b) = rows.split_at_checked(A::LANES).unwrap_or((rows, &[]));
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15] = self.0.load(a, at);
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15] = self.1.load(b, at);
        [
            (a0, b0),
            (a1, b1),
            (a2, b2),
            (a3, b3),
            (a4, b4),
            (a5, b5),
            (a6, b6),
            (a7, b7),
            (a8, b8),
            (a9, b9),
            (a10, b10),
            (a11, b11),
            (a12, b12),
            (a13, b13),
            (a14, b14),
            (a15, b15),
        ]
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        (self.0.plus(other.0), self.1.plus(other.1))
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        (self.0.swap_bytes(), self.1.swap_bytes())
    }
    #[inline(always)]
    fn md5_step<const ROUND: u8, const L: i32, const R: i32>(self, [b, c, d]: [Self; 3], m: Self, k: u32) -> Self {
        let one = self.0.md5_step::<ROUND, L, R>([b.0, c.0, d.0], m.0, k);
        (one, self.1.md5_step::<ROUND, L, R>([b.1, c.1, d.1], m.1, k))
    }
    #[inline(always)]
    fn sha256_extend(self, [w1, w9, w14]: [Self; 3]) -> Self {
        (self.0.sha256_extend([w1.0, w9.0, w14.0]), self.1.sha256_extend([w1.1, w9.1, w14.1]))
    }
    #[inline(always)]
    fn sha256_round([a, b, c, d, e, f, g, h]: [Self; 8], w: Self, k: u32) -> [Self; 2] {
        let [d0, h0] = A::sha256_round([a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0], w.0, k);
        let [d1, h1] = B::sha256_round([a.1, b.1, c.1, d.1, e.1, f.1, g.1, h.1], w.1, k);
        [(d0, d1), (h0, h1)]
    }
}
