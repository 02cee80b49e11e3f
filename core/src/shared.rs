//! `Shared`: claims that many sets make on one object. Each is handed out once; whom its damage hurts, a second walk
//! tells.
//!
//! A store of chunks is claimed over and over: to keep for each chunk who needs it would take more memory than the
//! store has indices. So the first walk keeps twelve bytes for each claim that was handed out, with a note on those
//! that do not hold; then the indices are read once more, and whatever claims one of those is hurt. What is not there
//! and nobody claims by then went with the sets that claimed it, and was needed by nobody else. The key is the whole
//! sentence of the claim: by the digest alone, a wrong length in one index would pass once another index's claim on the
//! same chunk was found sound.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::Claim;
use crate::finding::{Findings, Hurts, Severity};
use crate::seen::Seen;

/// The claims on shared objects, and whom those that do not hold hurt.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The claims; the note is how bad it is that one does not hold.
    seen: Seen,
    /// The worst of them.
    worst: Option<Severity>,
    /// How many of them are on objects that are not there.
    absent: u64,
    walk: Walk,
}

/// Which walk over the indices this is.
#[derive(Debug, Default)]
enum Walk {
    /// Claims are handed out.
    #[default]
    First,
    /// Those that do not hold are looked for.
    Second(Hurt),
}

/// Whom the claims that do not hold hurt.
#[derive(Debug, Default)]
struct Hurt {
    /// For those that a report names: all whom they hurt.
    named: BTreeMap<u128, BTreeSet<Hurts>>,
    /// The worst that hurts each.
    worst: BTreeMap<Hurts, Severity>,
    /// How many claims on objects that are not there somebody made again.
    absent: u64,
}

/// The note on a claim whose object is not there: damage, unless nobody makes it any more.
const ABSENT: u8 = 1;

/// A severity as a note.
fn note_of(severity: Severity) -> u8 {
    match severity {
        Severity::Warning => 0,
        Severity::Inconclusive => 2,
        Severity::Damage => DAMAGE,
    }
}

const DAMAGE: u8 = 3;

fn severity_of(note: u8) -> Option<Severity> {
    match note {
        2 => Some(Severity::Inconclusive),
        ABSENT | DAMAGE => Some(Severity::Damage),
        _ => None,
    }
}

impl Shared {
    /// Takes a claim of an index; gives it back when it is to be checked.
    pub(crate) fn take(&mut self, mut claim: Claim) -> Option<Claim> {
        let key = claim.key();
        match &mut self.walk {
            Walk::First => self.seen.insert(key).then(|| {
                claim.hurts = Hurts::Shared(key);
                claim
            }),
            Walk::Second(hurt) => {
                let note = self.seen.noted(key);
                if note == ABSENT {
                    hurt.absent = hurt.absent.saturating_add(1);
                    self.seen.note(key, DAMAGE);
                }
                if let Some(severity) = severity_of(note) {
                    let worst = hurt.worst.entry(claim.hurts).or_insert(severity);
                    *worst = severity.max(*worst);
                    if let Some(named) = hurt.named.get_mut(&key) {
                        named.insert(claim.hurts);
                    }
                }
                None
            }
        }
    }

    /// Notes that a claim which was handed out does not hold.
    pub(crate) fn note(&mut self, hurts: Hurts, severity: Severity, absent: bool) {
        if let Hurts::Shared(key) = hurts {
            self.seen.note(key, if absent { ABSENT } else { note_of(severity) });
            self.absent = self.absent.saturating_add(u64::from(absent));
            self.worst = self.worst.max(Some(severity));
        }
    }

    /// Whether a second walk is needed, for this or for what else `asks`; from now on, this is one.
    pub(crate) fn retrace(&mut self, findings: &Findings, asks: bool) -> bool {
        if matches!(self.walk, Walk::Second(_)) || self.worst.is_none() && !asks {
            return false;
        }
        let key = |hurts: Hurts| if let Hurts::Shared(key) = hurts { Some(key) } else { None };
        let mut named = BTreeMap::new();
        named.extend(findings.sample().filter_map(|finding| Some((key(finding.hurts)?, BTreeSet::new()))));
        self.walk = Walk::Second(Hurt { named, worst: BTreeMap::new(), absent: 0 });
        true
    }

    /// The first walk is over.
    pub(crate) fn is_retracing(&self) -> bool {
        matches!(self.walk, Walk::Second(_))
    }

    /// How many claims on objects that are not there nobody made again.
    pub(crate) fn forgotten(&self) -> u64 {
        match &self.walk {
            Walk::First => 0,
            Walk::Second(hurt) => self.absent.saturating_sub(hurt.absent),
        }
    }

    /// Whether a claim that a report names was made by nobody again.
    pub(crate) fn is_forgotten(&self, hurts: Hurts) -> bool {
        match (hurts, &self.walk) {
            (Hurts::Shared(key), Walk::Second(hurt)) => hurt.named.get(&key).is_some_and(BTreeSet::is_empty),
            _ => false,
        }
    }

    /// Whom the shared claims that do not hold hurt, and how badly. Everybody, when nobody looked.
    pub(crate) fn worst(&self) -> impl Iterator<Item = (Hurts, Severity)> {
        let (all, hurt) = match &self.walk {
            Walk::First => (self.worst.map(|severity| (Hurts::All, severity)), None),
            Walk::Second(hurt) => (None, Some(&hurt.worst)),
        };
        all.into_iter().chain(hurt.into_iter().flatten().map(|(hurts, severity)| (*hurts, *severity)))
    }

    /// Whom one of them hurts. Everybody, when nobody looked.
    pub(crate) fn hurt_by(&self, hurts: Hurts) -> Vec<Hurts> {
        match (hurts, &self.walk) {
            (Hurts::Shared(_), Walk::First) => vec![Hurts::All],
            (Hurts::Shared(key), Walk::Second(hurt)) => {
                hurt.named.get(&key).map(|named| named.iter().copied().collect()).unwrap_or_default()
            }
            (hurts, _) => vec![hurts],
        }
    }
}
