//! `Plan`: the chunks of one point in time, in order, as its index claims them.

use highwater_core::check::Damage;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::finding::{Finding, Severity};
use highwater_core::inspect::{Answer, Ask, Format, LATEST, Scope, Set};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::plan::{Obstacle, obstacle, reach};
use highwater_core::report::{Depth, Verdict};
use highwater_core::survey::{Options, Survey, Work};

use crate::drive::buffer;
use crate::error::{Class, Error};
use crate::lock;
use crate::shown::{quoted, shown};
use crate::store::{Store, fault, is_no_file};

/// What a restore reads.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The point's name.
    pub point: String,
    /// Its chunks, which cover `[0, end)` without gap or overlap.
    pub claims: Vec<Claim>,
    /// The restored length, in bytes.
    pub end: u64,
    /// Where the longest point of the same chain ends.
    pub chain_end: u64,
    /// The OID index of the point, when the repository has one.
    pub index: Option<Name>,
    /// Points grow out of one another, so that a target which holds the first bytes can be brought further.
    pub grows: bool,
    /// The fingerprint of the key that it was encrypted or signed with, if it names one.
    pub key: Option<String>,
    /// What else is doubtful about the chain, in sentences: an unlisted file, a torn last line.
    pub doubts: Vec<String>,
}

impl Plan {
    pub(super) fn make(
        from: &dyn Store,
        format: &'static dyn Format,
        point: Option<String>,
        key: Option<Key>,
        depth: Depth,
    ) -> Result<Self, Error> {
        let at = point.as_deref().map(|text| format.point(text)).transpose();
        let refused = |what| Error::Refused { class: Class::Usage, what };
        let at = at.map_err(refused)?;
        format.restores(at.as_deref()).map_err(refused)?;
        let (survey, claims) = collect(from, format, &Scope::Point { at, trails: false }, key, depth)?;
        let newest = point.as_deref().is_none_or(|point| point == LATEST);
        match obstacle(&survey, newest) {
            Some(Obstacle::Finding(finding)) => {
                let older = older(from, format, (survey.sets().is_empty() || newest) && format.grows())?;
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
        let grave = survey.findings().sample().filter(|finding| finding.code.severity() > Severity::Warning);
        let doubts: Vec<String> = grave.map(sentence).collect();
        let Some(set) = survey.sets().last() else {
            let before = point.map(|point| format!(" at or before {point}")).unwrap_or_default();
            return Err(Error::cannot_start(format!(
                "there is no point in time{before} in {}",
                quoted(&from.told(None))
            )));
        };
        let (point, end, fingerprint) = (set.name.clone(), set.bytes, set.key.clone());
        // `Continuity` has made sure of this; a restore relies on it, so it is looked at again.
        let reached = reach(&claims).map_err(|(claim, reached)| {
            Error::damage(format!(
                "'{}' does not begin where the chunk before it ends, at byte {reached}",
                claim.object
            ))
        })?;
        if reached != end {
            return Err(Error::damage(format!("the chunks of {point} have {reached} bytes together, and not {end}")));
        }
        let (all, _) = collect(from, format, &Scope::Catalogue, None, Depth::List)?;
        let group = all.sets().iter().find(|set| set.name == point).map(|set| set.group);
        let chain_end =
            all.sets().iter().filter(|set| Some(set.group) == group).map(|set| set.bytes).max().unwrap_or(end);
        let index = Name::new(format!("{point}.index").as_bytes())?;
        let index = match from.length(&index) {
            Ok(_) => Some(index),
            // A folder or a FIFO of that name is no index either, and the database makes it anew.
            Err(error) if is_no_file(&error) => None,
            Err(error) => return Err(Error::at("read", from, &index)(error)),
        };
        Ok(Self { point, claims, end, chain_end, index, grows: format.grows(), key: fingerprint, doubts })
    }
}

/// See [`super::find`].
pub(super) fn find(from: &dyn Store, format: &'static dyn Format, point: String) -> Result<Set, Error> {
    let usage = |what| Error::Refused { class: Class::Usage, what };
    let scope = Scope::Point { at: Some(format.point(&point).map_err(usage)?), trails: false };
    let (survey, _) = collect(from, format, &scope, None, Depth::List)?;
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

/// Where else to go when the newest chain cannot be used: the newest point that some index names without a fault.
fn older(from: &dyn Store, format: &'static dyn Format, wanted: bool) -> Result<String, Error> {
    if !wanted {
        return Ok(String::new());
    }
    let (survey, _) = collect(from, format, &Scope::Catalogue, None, Depth::List)?;
    let report = survey.finish();
    let sound = report.sets.iter().rfind(|set| set.verdict == Verdict::Sound);
    Ok(sound
        .map(|set| format!(" An older point is there: {}@{}", shown(from.told(None)), set.name))
        .unwrap_or_default())
}

/// Runs an inspection to its end and keeps every claim: a point's chunks, of which there are few.
fn collect(
    from: &dyn Store,
    format: &'static dyn Format,
    scope: &Scope,
    key: Option<Key>,
    depth: Depth,
) -> Result<(Survey, Vec<Claim>), Error> {
    let options = Options::whole(format, "", depth);
    let mut survey = Survey::new(format.inspect(scope, key), options);
    let mut claims = Vec::new();
    loop {
        let mut keep = |work: std::vec::Drain<'_, Work>| {
            claims.extend(work.filter_map(|work| if let Work::Claim(claim) = work { Some(claim) } else { None }));
        };
        match survey.ask() {
            Ask::Done => return Ok((survey, claims)),
            Ask::Writing => keep(survey.answer(Answer::Writing(from.is_locked(&lock::name()?)))),
            Ask::List(folder) => {
                let folder = folder.as_ref();
                let listed = from.list(folder, &mut |entry| keep(survey.answer(Answer::Entries(&[entry]))));
                listed.map_err(Error::of_folder("list", from, folder))?;
                keep(survey.answer(Answer::End));
            }
            Ask::Read(name) => {
                let read = from.open(&name).and_then(|object| {
                    object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
                        keep(survey.answer(Answer::Bytes(piece)));
                        true
                    })
                });
                match read {
                    Ok(_) => keep(survey.answer(Answer::End)),
                    Err(error) => keep(survey.answer(Answer::Failed(fault(&error)))),
                }
            }
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
