//! `Plan`: the chunks of one point in time, in order, as its index claims them.

use highwater_core::check::Damage;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::finding::{Code, Finding, Severity};
use highwater_core::inspect::{Answer, Ask, Format, LATEST, Scope, Set};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::plan::{Obstacle, is_exactly, obstacle};
use highwater_core::report::{Depth, Verdict};
use highwater_core::survey::{Options, Survey, Work};

use super::claims::{Claims, Gather};
use super::known::Unread;
use crate::drive::{self, buffer};
use crate::error::{Class, Error};
use crate::lock;
use crate::shown::{quoted, shown};
use crate::store::{Store, fault, is_no_file};
use crate::watch::Watch;

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
    /// Points grow out of one another, so that a target which holds the first bytes can be brought further.
    pub grows: bool,
    /// The fingerprint of the key that it was encrypted or signed with, if it names one.
    pub key: Option<String>,
    /// What else is doubtful about the chain, in sentences: an unlisted file, a torn last line.
    pub doubts: Vec<String>,
    /// What may be a newer point than this one, though the index does not say so, if anything.
    pub hidden: Option<String>,
    /// What was asked for beside the point's name: the archive.
    archive: String,
    format: &'static dyn Format,
    opens: Option<Key>,
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
        let (survey, claims) = collect(from, format, &Scope::Point { at: at.clone(), trails: false }, key, depth)?;
        let newest = point.as_deref().is_none_or(|point| point == LATEST);
        let exact = is_exact(&survey, at.as_deref());
        match obstacle(&survey, !exact) {
            Some(Obstacle::Finding(finding)) => {
                let older = if format.grows() { older(from, format, &survey, newest)? } else { String::new() };
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
            let before = point.map(|point| format!(" at or before {point}")).unwrap_or_default();
            return Err(Error::cannot_start(format!(
                "there is no point in time{before} in {}",
                quoted(&from.told(None))
            )));
        };
        let (point, end, fingerprint) = (set.name.clone(), set.bytes, set.key.clone());
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
        let index = Name::new(format!("{point}.index").as_bytes())?;
        let index = match from.length(&index) {
            Ok(_) => Some(index),
            // A folder or a FIFO of that name is no index either, and the database makes it anew.
            Err(error) if is_no_file(&error) => None,
            Err(error) => return Err(Error::at("read", from, &index)(error)),
        };
        let (grows, archive) = (format.grows(), archive_of(format, at.as_deref()));
        Ok(Self { point, claims, end, index, grows, key: fingerprint, doubts, hidden, archive, format, opens: key })
    }

    /// Works out what is left of a point, for formats of which that is worth something.
    pub(super) fn salvage(
        from: &dyn Store,
        format: &'static dyn Format,
        point: Option<String>,
        key: Option<Key>,
        watch: &Watch<'_>,
    ) -> Result<Self, Error> {
        let usage = |what| Error::Refused { class: Class::Usage, what };
        let at = point.as_deref().map(|text| format.point(text)).transpose().map_err(usage)?;
        if !format.salvages() {
            let sound = newest_sound(from, format, watch)?;
            let sound = sound.map_or_else(
                || "no point here is sound".to_owned(),
                |sound| format!("the newest sound point is {}@{sound}", shown(from.told(None))),
            );
            return Err(usage(format!("--salvage is for images, as a database with holes is none; {sound}")));
        }
        format.restores(at.as_deref()).map_err(usage)?;
        let at = at.unwrap_or_default();
        let (survey, claims) = collect(from, format, &Scope::Salvage { at: at.clone() }, key, Depth::Digest)?;
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
        let end = set.bytes.max(claims.end());
        Ok(Self {
            point: set.name.clone(),
            claims,
            end,
            index: None,
            grows: format.grows(),
            key: set.key.clone(),
            doubts,
            hidden: None,
            archive: archive_of(format, Some(&at)),
            format,
            opens: key,
        })
    }

    /// How many files hold the chunks from number `next` on.
    pub(super) fn files(&self, next: usize) -> usize {
        if next == 0 { self.claims.distinct().count() } else { self.claims.len() - next }
    }

    /// The sets that restore to the same kind of file as this one, newest first: any, or where points do not grow out of
    /// one another, those of the same group.
    pub(super) fn related(&self, from: &dyn Store, unread: &Unread) -> Result<Vec<Set>, Error> {
        let (all, _) = collect(from, self.format, &Scope::Catalogue, None, Depth::List)?;
        note_unread(&all, unread);
        let group = all.sets().iter().find(|set| set.name == self.point).map(|set| set.group);
        let related = all.sets().iter().filter(|set| self.grows || Some(set.group) == group);
        Ok(related.rev().cloned().collect())
    }

    /// The name of the newest point of the same chain, of sets that are related.
    pub(super) fn newest_of_chain<'a>(&self, related: &'a [Set]) -> Option<&'a Set> {
        let group = related.iter().find(|set| set.name == self.point)?.group;
        related.iter().find(|set| set.group == group)
    }

    /// The chunks of another point, as far as its index can be understood.
    pub(super) fn claims_of(&self, from: &dyn Store, point: &str, unread: &Unread) -> Result<Claims, Error> {
        let at = Some(format!("{point}{}", self.archive));
        let (survey, claims) =
            collect(from, self.format, &Scope::Point { at, trails: false }, self.opens, Depth::List)?;
        note_unread(&survey, unread);
        Ok(claims.finish())
    }
}

/// Notes the first thing that a survey could not read.
fn note_unread(survey: &Survey, unread: &Unread) {
    if let Some(finding) = survey.findings().sample().find(|finding| finding.code == Code::Unreadable) {
        unread.note(|| sentence(finding));
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

/// What follows the snapshot's name where a restore is of one archive in it.
fn archive_of(format: &dyn Format, at: Option<&str>) -> String {
    let archive = at.filter(|_| !format.grows()).and_then(|at| at.rsplit_once('/'));
    archive.map(|(_, archive)| format!("/{archive}")).unwrap_or_default()
}

/// The newest point of which everything is sound.
fn newest_sound(from: &dyn Store, format: &'static dyn Format, watch: &Watch<'_>) -> Result<Option<String>, Error> {
    let options = Options::whole(format, "", Depth::Digest);
    let survey = Survey::new(format.inspect(&Scope::All { trails: false }, None), options);
    let survey = drive::run(from, survey, Depth::Digest, watch, &mut |_, _| {})?;
    let report = survey.finish();
    Ok(report.sets.iter().rfind(|set| set.verdict == Verdict::Sound).map(|set| set.name.clone()))
}

/// Whether the last set of a survey is what was asked for, and not merely the newest before it.
fn is_exact(survey: &Survey, at: Option<&str>) -> bool {
    at.is_some_and(|at| survey.sets().last().is_some_and(|set| is_exactly(at, &set.name)))
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
    let (survey, _) = collect(from, format, &Scope::Catalogue, None, Depth::List)?;
    let report = survey.finish();
    let sound = report.sets.iter().rfind(|set| set.verdict == Verdict::Sound);
    Ok(sound.map(|set| told(&set.name)).unwrap_or_default())
}

/// Runs an inspection to its end and keeps the claims of its last set.
fn collect(
    from: &dyn Store,
    format: &'static dyn Format,
    scope: &Scope,
    key: Option<Key>,
    depth: Depth,
) -> Result<(Survey, Gather), Error> {
    let options = Options::whole(format, "", depth);
    let mut survey = Survey::new(format.inspect(scope, key), options);
    let mut claims = Gather::default();
    loop {
        let mut keep = |work: std::vec::Drain<'_, Work>| {
            for work in work {
                if let Work::Claim(claim) = work {
                    claims.push(claim);
                }
            }
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
