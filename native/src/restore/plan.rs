//! `Plan`: the chunks of one point in time, in order, as its index claims them.

use highwater_core::check::Damage;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::facts::Shape;
use highwater_core::finding::{Code, Finding, Severity};
use highwater_core::inspect::{Answer, Ask, Format, Of, Scope, Set};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::plan::{NOTHING, Obstacle, is_exactly, obstacle};
use highwater_core::point::{LATEST, Point};
use highwater_core::report::{Depth, Soundness};
use highwater_core::survey::{Options, Survey, Work};

use super::append;
use super::claims::{Claims, Gather};
use super::known::Unread;
use crate::drive;
use crate::error::{Class, Error};
use crate::shown::{quoted, shown};
use crate::store::Store;
use crate::watch::Watch;

/// What a user asks to be restored.
pub struct Asked {
    /// The kind of repository.
    pub format: &'static dyn Format,
    /// The point; none for the newest.
    pub point: Option<String>,
    /// What opens what is encrypted.
    pub key: Option<Key>,
}

/// What a restore reads.
#[derive(Clone)]
pub struct Plan {
    /// The point's name.
    pub point: String,
    /// Its chunks, which cover `[0, end)` without gap or overlap.
    pub claims: Claims,
    /// The restored length, in bytes.
    pub end: u64,
    /// The OID index of the point, when the repository has one.
    pub index: Option<Name>,
    /// What is restored: with [`Shape::Append`], a target which holds the first bytes can be brought further.
    pub shape: Shape,
    /// The fingerprint of the key that it was encrypted or signed with, if it names one.
    pub key: Option<String>,
    /// What else is doubtful about the chain, in sentences: an unlisted file, a torn last line.
    pub doubts: Vec<String>,
    /// What may be a newer point than this one, though the index does not say so, if anything.
    pub hidden: Option<String>,
    /// What was asked for beside the point's name: the archive.
    archive: String,
    format: &'static dyn Format,
    /// What opens what is encrypted.
    pub(super) opens: Option<Key>,
}

impl Plan {
    /// Works out what a restore would read. At [`Depth::List`], what is encrypted needs no key: for whoever only wants
    /// to see it.
    ///
    /// # Errors
    /// When there is no such point, or its index is damaged.
    pub fn make(from: &dyn Store, asked: Asked, depth: Depth) -> Result<Self, Error> {
        if asked.format.facts().shape == Shape::Nothing {
            return Err(Error::cannot_start(NOTHING));
        }
        let mut claims = Gather::default();
        let each = &mut |work| {
            if let Work::Claim(claim) = work {
                claims.push(claim);
            }
        };
        let Chosen { at, set, hidden, doubts } = choose(from, &asked, depth, false, each)?;
        refuse_within(&at)?;
        let Asked { format, key, .. } = asked;
        let (point, end, fingerprint) = (set.name, set.bytes.unwrap_or_default(), set.key);
        // `Continuity` has made sure of this; a restore relies on it, so it is looked at again.
        if let Some((object, reached)) = claims.odd {
            return Err(Error::damage(format!(
                "'{object}' does not begin where the chunk before it ends, at byte {reached}"
            )));
        }
        let claims = claims.finish();
        if claims.end() != end {
            return Err(Error::damage(format!(
                "the chunks of {point} have {} bytes together, and not {end}",
                claims.end()
            )));
        }
        let index = if grows(format) { append::index::saved(from, &point)? } else { None };
        let (shape, archive) = (format.facts().shape, archive_of(format, &at));
        Ok(Self { point, claims, end, index, shape, key: fingerprint, doubts, hidden, archive, format, opens: key })
    }

    /// Works out what a salvage would read: what is left of a point.
    ///
    /// # Errors
    /// When there is no such point, nothing of its index can be understood, or the format is none to be salvaged.
    pub fn salvage(from: &dyn Store, asked: Asked) -> Result<Self, Error> {
        let Asked { format, point, key } = asked;
        if format.facts().shape != Shape::Image {
            return Err(usage("only an image can be salvaged: a database with holes is none".to_owned()));
        }
        let at = one(format, point.as_deref())?;
        refuse_within(&at)?;
        let scope = Scope::new(Of::Salvage(at.clone())).keyed(key.clone());
        let (survey, claims) = collect(from, format, &scope, Depth::Digest)?;
        let grave = survey.findings().sample().filter(|finding| finding.code.severity() > Severity::Warning);
        let doubts: Vec<String> = grave.map(sentence).collect();
        let Some(set) = survey.sets().last() else {
            let what = survey.absent().map_or_else(|| format!("there is no {at}"), ToOwned::to_owned);
            return Err(Error::cannot_start(format!("{what} [in {}]", quoted(&from.told(None)))));
        };
        let claims = claims.finish();
        if claims.is_empty() {
            let why = doubts.into_iter().next().unwrap_or_else(|| format!("the index of {at} names nothing"));
            return Err(Error::damage(format!("{why}. Nothing of it can be salvaged")));
        }
        let end = set.bytes.unwrap_or_default().max(claims.end());
        Ok(Self {
            point: set.name.clone(),
            claims,
            end,
            index: None,
            shape: format.facts().shape,
            key: set.key.clone(),
            doubts,
            hidden: None,
            archive: archive_of(format, &at),
            format,
            opens: key,
        })
    }

    /// How many files hold the chunks from number `next` on.
    pub(super) fn files(&self, next: usize) -> usize {
        if next == 0 { self.claims.distinct().count() } else { self.claims.len() - next }
    }

    /// The sets that restore to the same kind of file as this one, newest first: any, or where points do not grow out
    /// of one another, those of the same group.
    pub(super) fn related(&self, from: &dyn Store, unread: &Unread) -> Result<Vec<Set>, Error> {
        let (all, _) = collect(from, self.format, &Scope::new(Of::Catalogue), Depth::List)?;
        note_unread(&all, unread);
        let group = all.sets().iter().find(|set| set.name == self.point).map(|set| set.group);
        let related = all.sets().iter().filter(|set| self.shape == Shape::Append || Some(set.group) == group);
        Ok(related.rev().cloned().collect())
    }

    /// The name of the newest point of the same chain, of sets that are related.
    pub(super) fn newest_of_chain<'a>(&self, related: &'a [Set]) -> Option<&'a Set> {
        let group = related.iter().find(|set| set.name == self.point)?.group;
        related.iter().find(|set| set.group == group)
    }

    /// The chunks of another point, as far as its index can be understood.
    pub(super) fn claims_of(&self, from: &dyn Store, point: &str, unread: &Unread) -> Result<Claims, Error> {
        let at = one(self.format, Some(&format!("{point}{}", self.archive)))?;
        let scope = Scope::new(Of::Point(Some(at))).keyed(self.opens.clone());
        let (survey, claims) = collect(from, self.format, &scope, Depth::List)?;
        note_unread(&survey, unread);
        Ok(claims.finish())
    }
}

/// A point that was found, and that nothing is known against.
pub(super) struct Chosen {
    /// What was asked for.
    pub(super) at: Point,
    /// The set that it stands for.
    pub(super) set: Set,
    /// As [`Plan::hidden`].
    pub(super) hidden: Option<String>,
    /// As [`Plan::doubts`].
    pub(super) doubts: Vec<String>,
}

/// Looks for a point (none: the newest), hands what its index names to `each`, and refuses it if that index is damaged.
/// Where it is asked for as a `tree`, that is what an archive holds.
pub(super) fn choose(
    from: &dyn Store,
    asked: &Asked,
    depth: Depth,
    tree: bool,
    each: &mut dyn FnMut(Work),
) -> Result<Chosen, Error> {
    let Asked { format, point, key } = asked;
    let format = *format;
    let at = one(format, point.as_deref())?;
    let scope = Scope::new(Of::Point(Some(at.clone()))).as_tree(tree).keyed(key.clone());
    let survey = collect_each(from, format, &scope, depth, each)?;
    let newest = at.is_latest();
    let exact = survey.sets().last().is_some_and(|set| is_exactly(at.as_str(), &set.name));
    match obstacle(&survey, !exact) {
        Some(Obstacle::Finding(finding)) => {
            let older = if grows(format) { older(from, format, &survey, newest)? } else { String::new() };
            let what = format!("{}. {}{older}", sentence(finding), survey.advice(finding.code));
            return Err(match finding.code.severity() {
                Severity::Damage => Error::damage(what),
                Severity::Inconclusive | Severity::Warning => Error::failed(what),
            });
        }
        Some(Obstacle::Unnamed) => {
            return Err(Error::damage(format!("the index in {} is damaged; verify it", quoted(&from.told(None)))));
        }
        Some(Obstacle::Absent(what)) => {
            return Err(Error::cannot_start(format!("{what} [in {}]", quoted(&from.told(None)))));
        }
        Some(Obstacle::NoSet) | None => {}
    }
    let hidden = match obstacle(&survey, true) {
        Some(Obstacle::Finding(finding)) => Some(sentence(finding)),
        _ => None,
    };
    let weighs = |code: Code| code.severity() > Severity::Warning || code == Code::BeingWritten;
    let grave = survey.findings().sample().filter(|finding| weighs(finding.code));
    let doubts: Vec<String> = grave.map(sentence).collect();
    let Some(set) = survey.sets().last() else {
        let before = point.as_ref().map(|point| format!(" at or before {point}")).unwrap_or_default();
        return Err(Error::cannot_start(format!("there is no point in time{before} in {}", quoted(&from.told(None)))));
    };
    Ok(Chosen { set: set.clone(), at, hidden, doubts })
}

/// Notes the first thing that a survey could not read.
fn note_unread(survey: &Survey, unread: &Unread) {
    if let Some(finding) = survey.findings().sample().find(|finding| finding.code == Code::Unreadable) {
        unread.note(|| sentence(finding));
    }
}

/// The newest set that a point stands for, as its index names it.
///
/// # Errors
/// When there is none, or the index cannot be read.
pub fn find(from: &dyn Store, format: &'static dyn Format, point: String) -> Result<Set, Error> {
    let at = format.point(&point).map_err(|no| usage(no.to_string()))?;
    let (survey, _) = collect(from, format, &Scope::new(Of::Point(Some(at))), Depth::List)?;
    let place = quoted(&from.told(None));
    if let Some(set) = survey.sets().last() {
        return Ok(set.clone());
    }
    if let Some(finding) = survey.findings().sample().next() {
        return Err(Error::failed(format!("{} in {place}", sentence(finding))));
    }
    let none = || format!("there is no point in time at or before {point}");
    Err(Error::cannot_start(format!("{} [in {place}]", survey.absent().map_or_else(none, ToOwned::to_owned))))
}

/// What follows the snapshot's name where a restore is of one archive in it.
pub(super) fn archive_of(format: &dyn Format, at: &Point) -> String {
    let archive = at.as_str().rsplit_once('/').filter(|_| !grows(format));
    archive.map(|(_, archive)| format!("/{archive}")).unwrap_or_default()
}

/// The newest point of which every byte gives its digest; none if there is none.
///
/// # Errors
/// When it cannot be found out.
pub fn newest_sound(from: &dyn Store, format: &'static dyn Format, watch: &Watch<'_>) -> Result<Option<String>, Error> {
    let options = Options::whole(format, "", Depth::Digest);
    let survey = Survey::new(format.inspect(&Scope::new(Of::All)), options);
    let survey = drive::run(from, survey, Depth::Digest, watch, &mut |_, _| {})?;
    let report = survey.finish();
    Ok(report.sets.iter().rfind(|set| set.verdict == Soundness::Sound).map(|set| set.name.clone()))
}

/// The point that a restore is asked for, which must stand for one thing; the newest of all if none is named.
pub(super) fn one(format: &dyn Format, point: Option<&str>) -> Result<Point, Error> {
    let at = format.point(point.unwrap_or(LATEST)).map_err(|no| usage(no.to_string()))?;
    at.restores().map_err(|what| usage(what.to_owned()))?;
    Ok(at)
}

/// Refuses a path in a tree where no tree is made.
fn refuse_within(at: &Point) -> Result<(), Error> {
    let told =
        |within: &str| usage(format!("'{within}' is in the tree of {at}, and here all of that is one stream of bytes"));
    at.within().map_or(Ok(()), |within| Err(told(within)))
}

fn usage(what: String) -> Error {
    Error::Refused { class: Class::Usage, what }
}

/// Whether points grow out of one another.
fn grows(format: &dyn Format) -> bool {
    format.facts().shape == Shape::Append
}

/// Where else to go when what was asked for cannot be used: the point before, or where the newest of all was asked for,
/// the newest that some index names without a fault.
fn older(from: &dyn Store, format: &'static dyn Format, survey: &Survey, newest: bool) -> Result<String, Error> {
    let told = |name: &str| format!(" An older point is there: {}@{name}", shown(from.told(None)));
    if let (Some(set), None) = (survey.sets().last(), obstacle(survey, false)) {
        return Ok(told(&set.name));
    }
    if !newest && !survey.sets().is_empty() {
        return Ok(String::new());
    }
    let (survey, _) = collect(from, format, &Scope::new(Of::Catalogue), Depth::List)?;
    let report = survey.finish();
    let sound = report.sets.iter().rfind(|set| set.verdict == Soundness::Sound);
    Ok(sound.map(|set| told(&set.name)).unwrap_or_default())
}

/// Runs an inspection to its end and keeps the claims of its last set.
fn collect(
    from: &dyn Store,
    format: &'static dyn Format,
    scope: &Scope,
    depth: Depth,
) -> Result<(Survey, Gather), Error> {
    let mut claims = Gather::default();
    let survey = collect_each(from, format, scope, depth, &mut |work| {
        if let Work::Claim(claim) = work {
            claims.push(claim);
        }
    })?;
    Ok((survey, claims))
}

/// Runs an inspection to its end and hands everything that it names to `each`.
fn collect_each(
    from: &dyn Store,
    format: &'static dyn Format,
    scope: &Scope,
    depth: Depth,
    each: &mut dyn FnMut(Work),
) -> Result<Survey, Error> {
    let options = Options::whole(format, "", depth);
    let mut survey = Survey::new(format.inspect(scope), options);
    let mut work = Vec::new();
    loop {
        let mut give = |survey: &mut Survey, answer: Answer<'_>| {
            let flow = survey.answer(answer, &mut work);
            work.drain(..).for_each(&mut *each);
            flow
        };
        match survey.ask() {
            Ask::Done => return Ok(survey),
            ask => drive::answer(from, ask, &mut |answer| give(&mut survey, answer))?,
        }
    }
}

fn sentence(finding: &Finding) -> String {
    let object = finding.object.as_ref().map_or_else(|| "the repository".to_owned(), |name| format!("'{name}'"));
    let at = finding.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
    format!("{object}{at}: {} [{}]", finding.message, finding.code)
}

/// The original's words for a damaged chunk, which tools look for, and what to do.
pub(crate) fn damaged(from: &dyn Store, claim: &Claim, damage: &Damage) -> String {
    let path = shown(from.told(Some(&claim.object)));
    let decoded = if claim.codec == Codec::Gzip { " (when uncompressed)" } else { "" };
    match damage {
        Damage::Missing => format!("{path} is missing"),
        Damage::Gone(trace) => format!("{path} is missing: {trace}"),
        Damage::Length { expected, found, more, .. } => {
            let more = if *more { "more than " } else { "" };
            format!("{path} is {more}{found} bytes{decoded}, should be {expected} bytes")
        }
        Damage::Digest { expected, found, .. } => format!("{path} has checksum {found}{decoded} instead of {expected}"),
        Damage::Stored { .. } => format!("{path}: {damage}"),
        Damage::Encoding(broken) => format!("{path} is damaged at byte {}: {broken}", broken.at),
    }
}
