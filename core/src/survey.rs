//! `Survey`: what a host drives. Questions and claims come out, answers and verdicts go in, a report ends it.

use std::collections::BTreeMap;

use crate::check::Verdict;
use crate::claim::{Claim, Evidence};
use crate::codec::Flow;
use crate::facts::Pool;
use crate::finding::{Code, Finding, Findings, Hurts, Severity};
use crate::inspect::{Answer, Ask, Batch, Format, Inspect, Set};
use crate::key::Key;
use crate::moving::Moving;
use crate::name::Name;
use crate::node::Node;
use crate::removal::Removal;
use crate::report::{self, Depth, Note, Report};
use crate::shard::Shard;
use crate::shared::Shared;
use crate::sort;
use crate::trail::{Followed, Trail};

/// A unit of work for a host; any order, any thread.
pub enum Work {
    /// Check it, then [`Survey::settle`].
    Claim(Claim),
    /// Follow it, then [`Survey::followed`].
    Trail(Trail),
    /// Make it, when the set is restored. Nothing of it can be checked, and nothing is to be told of it.
    Node(Node),
    /// What an entry of this path is called where it came from. Nothing of it can be checked either.
    Called(Name, Vec<u8>),
}

/// One run over one root, or over one shard of it.
pub struct Survey {
    inspect: Box<dyn Inspect>,
    options: Options,
    /// The part of what the inspection gives that is taken: all, where it divides by itself.
    taken: Shard,
    sets: Vec<Set>,
    findings: Findings,
    coverage: report::Coverage,
    /// How many claims were found sound by a digest that proves this.
    proven: BTreeMap<&'static str, u64>,
    shared: Shared,
    handed: u64,
    settled: u64,
    absent: Option<String>,
    /// What may have been removed while this ran.
    removal: Removal,
    /// What is known of a store that changes meanwhile, where the format says that it may.
    moving: Option<Moving>,
}

/// How a survey is to be done and labelled.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the host calls the root.
    pub label: String,
    /// The format; none for what was not recognised.
    pub format: Option<&'static dyn Format>,
    /// The depth asked for.
    pub depth: Depth,
    /// Warnings count as damage.
    pub strict: bool,
    /// The part of the claims to look at.
    pub shard: Shard,
}

impl Options {
    /// All of a root; warnings do not count as damage.
    #[must_use]
    pub fn whole(format: &'static dyn Format, label: impl Into<String>, depth: Depth) -> Self {
        let (label, format) = (label.into(), Some(format));
        Self { label, format, depth, strict: false, shard: Shard::WHOLE }
    }
}

impl Survey {
    /// Begins.
    #[must_use]
    pub fn new(inspect: Box<dyn Inspect>, options: Options) -> Self {
        let moving = options.format.filter(|format| format.facts().moves).map(|_| Moving::default());
        let taken = if inspect.divides() { Shard::WHOLE } else { options.shard };
        Self {
            inspect,
            options,
            taken,
            moving,
            sets: Vec::new(),
            findings: Findings::default(),
            coverage: report::Coverage::default(),
            proven: BTreeMap::new(),
            shared: Shared::default(),
            handed: 0,
            settled: 0,
            absent: None,
            removal: Removal::default(),
        }
    }

    /// What to answer next; ask again after every answer.
    #[must_use]
    pub fn ask(&self) -> Ask {
        self.inspect.ask()
    }

    /// Takes an answer and adds the work that follows from it to `work`. `Break` says that no more of what is being
    /// listed or read is needed: ask again.
    pub fn answer(&mut self, answer: Answer<'_>, work: &mut Vec<Work>) -> Flow {
        let mut batch = Batch::default();
        let flow = self.inspect.answer(answer, &mut batch);
        // Of a part, nothing else is remembered: its claims are the part's own, and those of all parts add up.
        let shard = self.taken;
        batch.claims.retain(|claim| shard.holds(Some(&claim.object)));
        batch.shared.retain(|claim| shard.holds(Some(&claim.object)));
        batch.trails.retain(|trail| shard.holds(trail.parts.first().map(|part| &part.object)));
        if self.shared.is_retracing() {
            self.removal.again(&batch);
            for claim in batch.shared {
                // A set that came since is not in this report.
                if let Some(hurts) = self.removal.first(claim.hurts) {
                    self.shared.take(Claim { hurts, ..claim });
                }
            }
            return flow;
        }
        self.removal.note(&batch);
        let shared: Vec<Claim> = batch.shared.drain(..).filter_map(|claim| self.shared.take(claim)).collect();
        batch.claims.extend(shared);
        self.sets.append(&mut batch.sets);
        self.absent = self.absent.take().or(batch.absent.take());
        for finding in batch.findings.drain(..) {
            self.take_finding(finding, shard);
        }
        // Whoever looks at lengths alone needs no key.
        let locked = if self.options.depth >= Depth::Digest { std::mem::take(&mut batch.locked) } else { Vec::new() };
        for finding in locked {
            self.take_finding(finding, shard);
        }
        self.coverage.claims = self.coverage.claims.saturating_add((batch.claims.len() + batch.trails.len()) as u64);
        self.take_known(&mut batch);
        let before = work.len();
        work.extend(batch.claims.into_iter().map(Work::Claim));
        work.extend(batch.trails.into_iter().map(Work::Trail));
        self.handed = self.handed.saturating_add((work.len() - before) as u64);
        work.extend(batch.nodes.into_iter().map(Work::Node));
        work.extend(batch.called.into_iter().map(|(path, called)| Work::Called(path, called)));
        flow
    }

    /// Takes out of a batch what an earlier look found sound, and counts it.
    fn take_known(&mut self, batch: &mut Batch) {
        let Some(moving) = &self.moving else { return };
        let coverage = &mut self.coverage;
        let mut is_new = |key: Option<u128>| {
            let known = key.and_then(|key| moving.known(key));
            if let Some(bytes) = known {
                coverage.checked = coverage.checked.saturating_add(1);
                coverage.bytes = coverage.bytes.saturating_add(bytes);
            }
            known.is_none()
        };
        batch.claims.retain(|claim| is_new(Some(claim.key())));
        batch.trails.retain(|trail| is_new(trail.key));
    }

    /// Takes the verdict on a claim, and how many decoded bytes were checked for it ([`crate::check::Check::length`]).
    pub fn settle(&mut self, claim: &Claim, verdict: Verdict, bytes: u64) {
        // What a library has decoded of a broken blob is its own affair.
        let counts = claim.codec.sealing().is_none() || !matches!(verdict, Verdict::Damaged(_));
        self.coverage.bytes = self.coverage.bytes.saturating_add(if counts { bytes } else { 0 });
        self.count(matches!(verdict, Verdict::Sound | Verdict::Damaged(_)));
        if let (Some(moving), Verdict::Sound) = (&mut self.moving, &verdict) {
            moving.is_sound(claim.key(), bytes);
        }
        if verdict == Verdict::Sound {
            self.prove(claim);
        }
        let lacks_key = verdict.lacks_key();
        let absent = verdict.is_absent();
        if let Some(finding) = verdict.finding(claim) {
            self.shared.note(finding.hurts, finding.code.severity(), absent && finding.code == Code::Missing);
            if absent {
                self.removal.doubt(&finding, true);
            }
            // That a key is lacking is told once for each set, by its index.
            if lacks_key { self.findings.doubt(finding.hurts) } else { self.findings.push(finding) }
        }
    }

    /// Counts what a digest that was found right proves, where the format tells its digests apart.
    fn prove(&mut self, claim: &Claim) {
        // What an index says of itself proves nothing of what is kept.
        let is_proof = claim.evidence(self.options.depth) == Evidence::Bytes && claim.object != claim.index;
        let format = self.options.format.filter(|_| is_proof);
        let digest = claim.expect.digest.map(|digest| digest.algorithm());
        if let Some(proves) = format.zip(digest).and_then(|(format, digest)| (format.facts().proves)(digest)) {
            let count = self.proven.entry(proves).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Notes that so many of the bytes of a claim that was settled were checked by its marks.
    pub fn marked(&mut self, bytes: u64) {
        self.coverage.marked = self.coverage.marked.saturating_add(bytes);
    }

    /// Says, once everything was asked and all work is settled, whether to go on asking: some claim that sets share
    /// does not hold, or something is not there, and which sets make that claim, or are still there, is found out by a
    /// second walk over the indices. No work comes of it. Or the format says that a store may move: then all of it is
    /// looked at once more, and work comes of what was not found sound.
    pub fn retrace(&mut self) -> bool {
        if let Some(moving) = &mut self.moving {
            let again = moving.again(&mut self.findings);
            if again {
                self.look_again();
            }
            return again;
        }
        let again = self.shared.retrace(&self.findings, self.removal.asks());
        if again {
            self.removal.begin(&self.sets);
            self.inspect = self.inspect.again();
        }
        again
    }

    /// Begins another look, of which nothing is known yet but what was found sound.
    fn look_again(&mut self) {
        self.inspect = self.inspect.again();
        self.sets.clear();
        self.coverage = report::Coverage::default();
        self.proven.clear();
        (self.handed, self.settled) = (0, 0);
        self.absent = None;
    }

    /// Takes what was found on a trail. It was judged when it could be followed to its end, or to damage on it.
    pub fn followed(&mut self, Followed { findings, whole, bytes, key }: Followed) {
        self.coverage.bytes = self.coverage.bytes.saturating_add(bytes);
        if let (Some(moving), Some(key), true) = (&mut self.moving, key, whole && findings.is_empty()) {
            moving.is_sound(key, bytes);
        }
        let damaged = findings.tallies().keys().any(|code| code.severity() == Severity::Damage);
        self.count(whole || damaged);
        self.findings.merge(findings);
    }

    /// Counts a piece of work that is done, judged or not.
    fn count(&mut self, judged: bool) {
        self.settled = self.settled.saturating_add(1);
        let count = if judged { &mut self.coverage.checked } else { &mut self.coverage.unjudged };
        *count = count.saturating_add(1);
    }

    /// Adds a finding of the host's own, such as a root that cannot be listed.
    pub fn report(&mut self, finding: Finding) {
        self.take_finding(finding, self.options.shard);
    }

    /// Takes a finding that belongs to a part. Every shard reads the indices; only one may report what they say.
    fn take_finding(&mut self, finding: Finding, shard: Shard) {
        if shard.holds(finding.object.as_ref()) {
            if finding.code == Code::Missing {
                self.removal.doubt(&finding, false);
            }
            self.findings.push(finding);
        }
    }

    /// The key that the inspection uses, which checks of its claims take too.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.inspect.key()
    }

    /// Where its objects lie that are named after their digests, if some are.
    #[must_use]
    pub fn pool(&self) -> Option<Pool> {
        self.options.format.and_then(|format| format.facts().pool)
    }

    /// The part of the claims that this is on, by the names of their objects.
    #[must_use]
    pub fn shard(&self) -> Shard {
        self.taken
    }

    /// The sets named so far.
    #[must_use]
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// Why what was asked for is not there, if it is not: a sentence that says what is.
    #[must_use]
    pub fn absent(&self) -> Option<&str> {
        self.absent.as_deref()
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What to do about a finding in this kind of set.
    #[must_use]
    pub fn advice(&self, code: Code) -> &'static str {
        self.options.format.map_or(code.advice(), |format| format.facts().advice(code))
    }

    /// The report. Work that was handed out and never settled counts as not checked.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let Options { label, format, depth: asked, strict, shard } = self.options.clone();
        let depth = asked.min(self.inspect.deepest());
        let left = self.handed.saturating_sub(self.settled);
        if left == 0 {
            self.forget();
        } else {
            self.coverage.unjudged = self.coverage.unjudged.saturating_add(left);
            self.findings.push(Finding {
                code: Code::Unreadable,
                object: None,
                offset: None,
                message: "the run ended before every claim was checked".to_owned(),
                hurts: Hurts::All,
            });
        }
        let mut report = Report::empty(depth, strict);
        report.whole = !shard.is_part();
        report.roots.push(report::Root {
            label: label.clone(),
            format: format.map_or("unknown", |format| format.facts().name).to_owned(),
            shards: vec![shard.to_string()],
            coverage: self.coverage,
            proven: self.proven.iter().map(|(proves, count)| ((*proves).to_owned(), *count)).collect(),
            newest: Vec::new(),
            asked: Some(asked).filter(|asked| *asked > depth),
        });
        report.sets = self.judged_sets(&label);
        report.removed = self.removal.names().map(|name| format!("{label}@{name}")).collect();
        report.removed.truncate(report::REMOVED);
        report.tallies = self.findings.tallies().iter().map(|(code, count)| (code.name().to_owned(), *count)).collect();
        report.findings = self.findings.sample().map(|finding| self.note(&label, finding)).collect();
        sort::all(&mut report.findings);
        report.judge();
        report
    }

    /// Takes back what was said of sets that were removed while this ran.
    fn forget(&mut self) {
        if !self.removal.forget(&self.sets) {
            return;
        }
        let lost = self.shared.forgotten();
        self.findings.withdraw_shared(Code::Missing, lost, |hurts| self.shared.is_forgotten(hurts));
        let gone = self.removal.withdrawn();
        gone.iter().for_each(|(finding, _)| self.findings.withdraw(finding));
        let of_claims =
            |code: Code| gone.iter().filter(|(finding, claim)| *claim && finding.code == code).count() as u64;
        let (judged, unjudged) = (lost.saturating_add(of_claims(Code::Missing)), of_claims(Code::Unreadable));
        self.coverage.unjudged = self.coverage.unjudged.saturating_sub(unjudged);
        self.coverage.checked = self.coverage.checked.saturating_sub(judged);
        self.coverage.claims = self.coverage.claims.saturating_sub(judged.saturating_add(unjudged));
    }

    fn judged_sets(&self, label: &str) -> Vec<report::Set> {
        // Damage may hurt a set and all that follow, many times over: count where ranges begin and end.
        let mut edges = vec![(0i64, 0i64); self.sets.len().saturating_add(1)];
        let own = self.findings.hurts().iter().map(|(hurts, severity)| (*hurts, *severity));
        // Whom a claim hurts that does not hold, nobody knows then.
        let torn = Some((Hurts::All, Severity::Inconclusive)).filter(|_| self.removal.is_torn());
        for (hurts, severity) in own.chain(self.shared.worst()).chain(torn) {
            let range = self.hurt(hurts);
            for (at, step) in [(range.start, 1), (range.end, -1)] {
                match (edges.get_mut(at).filter(|_| !range.is_empty()), severity) {
                    (Some(edge), Severity::Damage) => edge.0 += step,
                    (Some(edge), Severity::Inconclusive) => edge.1 += step,
                    (_, Severity::Warning) | (None, _) => {}
                }
            }
        }
        let verdicts = edges.iter().scan((0, 0), |(damage, doubt), edge| {
            (*damage, *doubt) = (*damage + edge.0, *doubt + edge.1);
            Some(match (*damage, *doubt) {
                (1.., _) => report::Soundness::Damaged,
                (_, 1..) => report::Soundness::Inconclusive,
                _ => report::Soundness::Sound,
            })
        });
        let named = self.sets.iter().zip(verdicts).zip(0u64..);
        named
            .filter(|(_, ordinal)| !self.removal.is_gone(*ordinal))
            .map(|((set, verdict), ordinal)| report::Set {
                root: label.to_owned(),
                name: set.name.clone(),
                ordinal,
                group: set.group,
                bytes: set.bytes.unwrap_or_default(),
                archives: set.archives.clone(),
                key: set.key.clone(),
                left_out: set.left_out.clone(),
                verdict,
            })
            .collect()
    }

    /// The places in `self.sets` that `hurts` speaks of. Sets of a group are neighbours.
    fn hurt(&self, hurts: Hurts) -> std::ops::Range<usize> {
        let group_of = |group: u64| {
            let start = self.sets.partition_point(|set| set.group < group);
            start..self.sets.partition_point(|set| set.group <= group)
        };
        match hurts {
            Hurts::Nothing => 0..0,
            Hurts::One(ordinal) => {
                let at = usize::try_from(ordinal).unwrap_or(usize::MAX);
                at.min(self.sets.len())..at.saturating_add(1).min(self.sets.len())
            }
            Hurts::Span { from, to } => {
                let place = |at| usize::try_from(at).unwrap_or(usize::MAX).min(self.sets.len());
                place(from)..place(to).max(place(from))
            }
            Hurts::All => 0..self.sets.len(),
            // Those that it stands for are among the others.
            Hurts::Shared(_) => 0..0,
            Hurts::Group(group) => group_of(group),
            Hurts::Onward { group, from } => {
                let end = group_of(group).end;
                usize::try_from(from).unwrap_or(usize::MAX).min(end)..end
            }
        }
    }

    fn note(&self, label: &str, finding: &Finding) -> Note {
        let mut whom = self.shared.hurt_by(finding.hurts);
        if whom.is_empty() && matches!(finding.hurts, Hurts::Shared(_)) && self.removal.is_torn() {
            whom.push(Hurts::All);
        }
        let mut hurt: Vec<_> = whom.into_iter().map(|hurts| self.hurt(hurts)).collect();
        sort::by_key(&mut hurt, |range| range.start);
        // Where ranges overlap, a set counts once.
        let mut end = 0;
        for range in &mut hurt {
            range.start = range.start.clamp(end, end.max(range.end));
            end = end.max(range.end);
        }
        let named = hurt.iter().flat_map(|range| self.sets.get(range.clone()).unwrap_or_default());
        let names = named.take(report::SETS_NAMED);
        Note {
            root: label.to_owned(),
            code: finding.code,
            name: finding.code.name().to_owned(),
            severity: finding.code.severity(),
            object: finding.object.as_ref().map(ToString::to_string).unwrap_or_default(),
            offset: finding.offset,
            message: finding.message.clone(),
            advice: self.advice(finding.code).to_owned(),
            sets: names.map(|set| set.name.clone()).collect(),
            sets_total: hurt.iter().map(|range| range.len() as u64).sum(),
        }
    }
}
