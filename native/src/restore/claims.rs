//! `Claims`: the chunks of one point in order, each distinct one kept once: a disk image of millions of chunks is
//! mostly zeros, which are one and the same.

use std::collections::HashMap;
use std::ops::Range;

use highwater_core::claim::{Claim, Expect, Extent};
use highwater_core::codec::Codec;
use highwater_core::finding::Hurts;
use highwater_core::name::Name;

/// For every so many chunks, where the first of them begins is kept.
const STRIDE: usize = 32;

/// Chunks that follow one another without gap or overlap, from 0 on. Whom they hurt is not kept: it is one point.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// What many chunks have in common.
    common: Vec<Common>,
    /// Each chunk, once.
    distinct: Vec<Distinct>,
    /// Which of them comes where.
    order: Vec<u32>,
    /// Where each first of a stride begins.
    begins: Vec<u64>,
    end: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Common {
    index: Name,
    codec: Codec,
}

#[derive(Debug, Clone)]
struct Distinct {
    object: Name,
    range: Option<Range<u64>>,
    expect: Expect,
    marks: Option<Name>,
    common: u32,
}

impl Distinct {
    fn says(&self, range: &Option<Range<u64>>, expect: Expect) -> bool {
        self.range == *range && self.expect == expect
    }
}

/// Takes claims in, and knows which it has seen.
#[derive(Default)]
pub(super) struct Gather {
    claims: Claims,
    seen: HashMap<(Name, u64), u32>,
    /// The first claim that does not begin where the one before it ends, and where it should.
    pub(super) odd: Option<(Name, u64)>,
}

impl Gather {
    pub(super) fn push(&mut self, claim: Claim) {
        let Self { claims, seen, odd } = self;
        let target = claim.target();
        let Claim { object, index, range, codec, expect, marks, .. } = claim;
        if odd.is_some() {
            return;
        }
        if target.start != claims.end || target.end - target.start != expect.length {
            *odd = Some((object, claims.end));
            return;
        }
        let known = seen.get(&(object.clone(), expect.length)).copied();
        let known = known.filter(|at| claims.distinct[*at as usize].says(&range, expect));
        let at = known.unwrap_or_else(|| {
            let common = Common { index, codec };
            let at = claims.common.iter().rposition(|known| *known == common).unwrap_or_else(|| {
                claims.common.push(common);
                claims.common.len() - 1
            });
            let key = (object.clone(), expect.length);
            claims.distinct.push(Distinct { object, range, expect, marks, common: number(at) });
            let at = number(claims.distinct.len() - 1);
            seen.insert(key, at);
            at
        });
        if claims.order.len().is_multiple_of(STRIDE) {
            claims.begins.push(claims.end);
        }
        claims.order.push(at);
        claims.end = target.end;
    }

    pub(super) fn finish(self) -> Claims {
        let mut claims = self.claims;
        claims.order.shrink_to_fit();
        claims
    }
}

/// So many chunks take more memory than there is.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Claims {
    /// How many chunks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where the last ends, in bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The chunk of this number, which must be below [`Self::len`].
    #[must_use]
    pub fn get(&self, at: usize) -> Claim {
        let stride = at - at % STRIDE;
        let before = self.order[stride..at].iter().map(|at| self.distinct[*at as usize].expect.length);
        self.made(self.order[at], self.begins[at / STRIDE] + before.sum::<u64>())
    }

    /// The chunk that has the byte at this offset.
    #[must_use]
    pub fn at(&self, offset: u64) -> Option<Claim> {
        let stride = self.begins.partition_point(|begin| *begin <= offset).checked_sub(1)?;
        self.from(stride * STRIDE).take(STRIDE).find(|claim| claim.target().contains(&offset))
    }

    /// All chunks from this number on.
    pub fn from(&self, at: usize) -> impl Iterator<Item = Claim> {
        let mut start = if at < self.len() { self.get(at).target().start } else { self.end };
        self.order[at.min(self.len())..].iter().map(move |at| {
            let claim = self.made(*at, start);
            start = claim.target().end;
            claim
        })
    }

    /// All chunks.
    pub fn iter(&self) -> impl Iterator<Item = Claim> {
        self.from(0)
    }

    /// Each chunk once, as if it came first.
    pub fn distinct(&self) -> impl Iterator<Item = Claim> {
        (0..number(self.distinct.len())).map(|at| self.made(at, 0))
    }

    fn made(&self, at: u32, start: u64) -> Claim {
        let Distinct { object, range, expect, marks, common } = self.distinct[at as usize].clone();
        let Common { index, codec } = self.common[common as usize].clone();
        let extent = Some(Extent { path: None, at: start });
        Claim { object, index, range, codec, expect, extent, marks, hurts: Hurts::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use highwater_core::digest::{Algorithm, Digest};

    use super::*;

    fn claim(number: u8, target: std::ops::Range<u64>) -> Claim {
        let name = |text: String| Name::new(text.as_bytes()).unwrap();
        Claim {
            object: name(format!("chunk-{number}")),
            index: name(format!("index-{}", number % 2)),
            codec: Codec::Plain,
            expect: Expect { length: target.end - target.start, digest: Digest::new(Algorithm::Sha256, &[number; 32]) },
            range: None,
            extent: Some(Extent { path: None, at: target.start }),
            marks: None,
            hurts: Hurts::Nothing,
        }
    }

    #[test]
    fn what_was_taken_in_comes_out() {
        let (mut gather, mut all, mut end) = (Gather::default(), Vec::new(), 0);
        for at in 0..200u64 {
            let length = if at % 7 == 0 { 11 } else { 4096 };
            let one = claim(u8::try_from(at % 3).unwrap(), end..end + length);
            end += length;
            gather.push(one.clone());
            all.push(one);
        }
        assert!(gather.odd.is_none());
        let claims = gather.finish();
        assert_eq!(claims.iter().collect::<Vec<_>>(), all);
        assert_eq!((claims.len(), claims.end(), claims.distinct().count()), (200, end, 6));
        for at in [0, 1, 31, 32, 33, 150, 199] {
            assert_eq!(claims.get(at), all[at]);
            assert!(claims.from(at).eq(all[at..].iter().cloned()));
        }
        assert_eq!(claims.from(200).count(), 0);
        for offset in (0..end).step_by(97) {
            let one = claims.at(offset).unwrap();
            assert!(one.target().contains(&offset) && all.contains(&one), "{offset}");
        }
        assert_eq!(claims.at(end), None);
    }

    #[test]
    fn the_first_that_does_not_follow_is_told() {
        let mut gather = Gather::default();
        gather.push(claim(1, 0..10));
        gather.push(claim(2, 11..12));
        gather.push(claim(3, 10..12));
        assert_eq!(gather.odd.map(|(name, at)| (name.to_string(), at)), Some(("chunk-2".to_owned(), 10)));
        assert_eq!(gather.claims.len(), 1);
    }
}
