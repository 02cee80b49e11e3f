//! `-R`: by the index where there is one, which is always checked; without one, as well as it can be done.

use std::collections::BTreeMap;
use std::io::{self, Write};

use highwater_core::codec::{Decoder, Flow};
use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::chain::{Continuity, Link};
use highwater_core::formats::repozo::names::{self, DataFile};
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::stamp;
use highwater_core::survey::{Options as SurveyOptions, Survey};

use super::files;
use super::options::Options;
use crate::cli::out;
use crate::clock;
use crate::disk;
use crate::drive::{self, buffer};
use crate::error::{Class, Error};
use crate::restore::{Asked, Look, Plan, RestoreOptions, Run, put_together, to_file, to_stream};
use crate::shown::shown;
use crate::store::{Files, Locks, Store};
use crate::watch::Watch;

pub(super) fn run(options: &Options, watch: &Watch<'_>) -> Result<(), Error> {
    if let Some(date) = &options.date {
        // The original compares any text, and takes the newest for a date that is past all calendars.
        stamp::point(date).map_err(|no| Error::Refused { class: Class::Usage, what: format!("-D: {no}") })?;
    }
    let repository = &files::open(options)?;
    let mut attempted = attempt(options, repository, watch)?;
    if attempted == Attempt::Overtaken {
        // A backup has listed what it had put there a moment before.
        attempted = attempt(options, repository, watch)?;
    }
    match attempted {
        Attempt::Done => Ok(()),
        Attempt::Overtaken => Err(Error::failed("backups end all the time; recover again")),
    }
}

/// What came of an attempt to recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Done,
    /// The repository has changed meanwhile.
    Overtaken,
}

fn attempt(options: &Options, repository: &Files, watch: &Watch<'_>) -> Result<Attempt, Error> {
    let when = options.date.as_deref();
    let found = files::find(repository, when, watch)?;
    files::notice_newer(repository, when, watch)?;
    let Some(first) = found.first() else {
        let before = when.map(|when| format!(" before {when}")).unwrap_or_default();
        return Err(Error::cannot_start(format!("No files in repository{before}")));
    };
    files::begins_with_full(repository, &found, when)?;
    let chain = files::stem(first);
    let now = clock::stamp()?;
    let listed = newest_listed(repository, chain, Some(when.unwrap_or(&now)))?;
    let links = lines(repository, chain)?;
    let has_full = links.values().any(|link| link.stem == chain);
    match listed.filter(|_| has_full) {
        Some(point) => {
            if let Some(name) = unnamed(&found, &links).find(|name| files::stem(name) > point.as_str()) {
                let path = shown(repository.told(None).join(name));
                if !repository.is_locked(&Name::new(names::LOCK.as_bytes())?) {
                    if lines(repository, chain)?.contains_key(name) {
                        return Ok(Attempt::Overtaken);
                    }
                    return Err(Error::failed(format!(
                        "no line of {chain}.dat names {path}: a backup run finishes it or sets it aside; the newest \
                         point before it is -D {point}"
                    )));
                }
                watch.notice(format!(
                    "{path} was not recovered: a backup that is running now has not listed it yet; this is the point \
                     before it, {point}"
                ));
            }
            let asked = Asked { format: &Repozo, point: Some(point.clone()), key: None };
            let plan = &Plan::make(repository, asked, Depth::Digest)?;
            // Whoever names a point exactly wants no newer one.
            if let Some(hidden) = plan.hidden.as_ref().filter(|_| when != Some(&*point)) {
                return Err(Error::failed(format!("{hidden}; the newest point before it is -D {point}")));
            }
            let job = RestoreOptions {
                quick: options.quick,
                full: options.full,
                in_place: false,
                force: false,
                dry_run: false,
                look: Look::Presence,
                whole_sum: options.verbose && !options.with_verify,
            };
            match &options.output {
                Some(output) => {
                    let target = disk::target(output, Locks::Wanted)?;
                    let (to, name) = (&*target.root, &target.name);
                    let done = to_file(&Run { job: &job, plan, from: repository, to, target: name, watch });
                    target.root.doubts().into_iter().for_each(|doubt| watch.note(doubt));
                    done?
                }
                None => to_stream(&job, plan, repository, &mut out::stream()?, watch)?,
            };
        }
        None if options.with_verify => {
            let dat = shown(repository.told(None).join(format!("{chain}.dat")));
            return Err(Error::damage(format!(
                "nothing can be verified: {dat} is missing or names no full backup; without -w, what is there is \
                 recovered unchecked"
            )));
        }
        None => unlisted(options, repository, &found, &links, watch)?,
    }
    Ok(Attempt::Done)
}

/// The newest point that the index of the chain `stem` names at or before `when`, compared as text.
pub(super) fn newest_listed(repository: &dyn Store, stem: &str, when: Option<&str>) -> Result<Option<String>, Error> {
    let options = SurveyOptions::whole(&Repozo, "", Depth::List);
    let survey = Survey::new(Repozo.inspect(&Scope::new(Of::Catalogue)), options);
    let survey = drive::run(repository, survey, Depth::List, &Watch::silent(), &mut |_, _| {})?;
    let group = survey.sets().iter().find(|set| set.name.as_str() >= stem).map(|set| set.group);
    let mut names = survey.sets().iter().filter(|set| Some(set.group) == group).map(|set| set.name.as_str());
    Ok(names.rfind(|name| when.is_none_or(|when| *name <= when)).map(str::to_owned))
}

/// What the index of a chain says of each file; empty when there is none.
pub(super) fn lines(repository: &dyn Store, stem: &str) -> Result<BTreeMap<String, Link>, Error> {
    let name = Name::new(format!("{stem}.dat").as_bytes())?;
    let mut links = BTreeMap::new();
    let object = match repository.open(&name) {
        Ok(object) => object,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(links),
        Err(error) => return Err(Error::at("open", repository, &name)(error)),
    };
    let mut continuity = Continuity::new(stem, None);
    let mut lines = highwater_core::split::Lines::default();
    let mut take = |line: highwater_core::split::Line<'_>| {
        if let (Some(link), _) = continuity.line(line.text, line.cut) {
            links.insert(link.file.to_string(), link);
        }
    };
    let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        lines.push(piece, &mut take);
        true
    });
    lines.end(&mut take);
    read.map_err(Error::at("read", repository, &name))?;
    Ok(links)
}

/// The files that no line of the index names.
pub(super) fn unnamed<'a>(found: &'a [String], links: &BTreeMap<String, Link>) -> impl Iterator<Item = &'a String> {
    found.iter().filter(|name| !links.contains_key(*name))
}

/// Puts the files together in the order of their names, as the original does, checking what can be checked:
/// the sums and places of those that a line names.
fn unlisted(
    options: &Options,
    repository: &dyn Store,
    found: &[String],
    links: &BTreeMap<String, Link>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    watch.notice(format!(
        "no index lists {}: what is restored of it cannot be checked",
        shown(repository.told(None).join(&found[0]))
    ));
    let Some(output) = &options.output else {
        watch.note("Recovering file to stdout");
        return join(repository, found, links, &mut out::stream()?, watch);
    };
    watch.note(format!("Recovering file to {}", shown(output)));
    let target = disk::target(output, Locks::Wanted)?;
    let last = files::stem(found.last().map_or("", String::as_str));
    let saved = Name::new(format!("{last}.index").as_bytes())?;
    let give_up = options.full;
    let done = put_together((repository, &saved), (&*target.root, &target.name), give_up, watch, |out| {
        join(repository, found, links, out, watch)
    });
    target.root.doubts().into_iter().for_each(|doubt| watch.note(doubt));
    done
}

fn join(
    repository: &dyn Store,
    found: &[String],
    links: &BTreeMap<String, Link>,
    out: &mut dyn Write,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let mut length = 0u64;
    for name in found {
        let (path, object) = (repository.told(None).join(name), Name::new(name.as_bytes())?);
        let Some(data) = DataFile::parse(name.as_bytes()) else { continue };
        let link = links.get(name);
        if let Some(link) = link.filter(|link| link.start != length) {
            let what = format!(
                "{} begins at byte {} of the source, but what lies before it ends at {length}: a file is missing or \
                 there twice",
                shown(&path),
                link.start
            );
            return Err(Error::damage(what));
        }
        let object = repository.open(&object).map_err(Error::io("open", &path))?;
        let mut decoder = Decoder::new(data.codec, None);
        let mut hasher = Hasher::new(Algorithm::Md5);
        let (start, mut failed, mut broken) = (length, None, None);
        let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |stored| {
            let pushed = decoder.push(stored, &mut |decoded| {
                hasher.update(decoded);
                length += decoded.len() as u64;
                failed = out.write_all(decoded).err();
                if failed.is_none() { Flow::Continue(()) } else { Flow::Break(()) }
            });
            broken = pushed.as_ref().err().cloned();
            pushed.is_ok_and(|flow| flow.is_continue()) && !watch.stopping()
        });
        watch.go_on()?;
        read.map_err(Error::io("read", &path))?;
        if let Some(error) = failed {
            return Err(Error::failed(format!("cannot write the output: {error}")));
        }
        if let Some(broken) = broken.or_else(|| decoder.end().err()) {
            return Err(Error::damage(format!("{} is damaged at byte {}: {broken}", shown(&path), broken.at)));
        }
        let found = hasher.finish();
        if let Some(link) = link.filter(|link| link.digest != found || link.end != length) {
            let what = format!(
                "{} is {} bytes with checksum {found}, should be {} bytes with {}",
                shown(&path),
                length - start,
                link.end - link.start,
                link.digest
            );
            return Err(Error::damage(what));
        }
    }
    out.flush().map_err(|error| Error::failed(format!("cannot write the output: {error}")))?;
    watch.note(format!("Recovered {length} bytes"));
    Ok(())
}
