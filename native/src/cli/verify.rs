//! `highwater verify`.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::Flow;
use highwater_core::finding::{Code, Finding, Hurts};
use highwater_core::inspect::{Answer, Ask, Batch, Inspect, Of, Scope};
use highwater_core::key::Key;
use highwater_core::report::{Depth, Report};
use highwater_core::shard::Shard;
use highwater_core::survey::{Options, Survey};
use serde_json::json;

use super::exit::Exit;
use super::outputs::Output;
use super::report::Outputs;
use super::repository::{Repository, kind_of, open, usage};
use super::{args, key, out, progress, report};
use crate::error::{Class, Error};
use crate::store::Store;
use crate::store::mapped::Mapped;
use crate::watch::Watch;
use crate::{clock, drive};

pub(super) fn run(args: &args::Verify, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let shard = shard(args)?;
    let mut repositories: Vec<Repository> =
        args.paths.iter().map(|path| Repository::parse(path)).collect::<Result<_, _>>()?;
    if args.all
        && let Some(bad) = repositories.iter().find(|repository| repository.point.is_some())
    {
        return Err(usage(format!(
            "--all and the point @{} contradict each other",
            bad.point.as_deref().unwrap_or_default()
        )));
    }
    if let Some(bad) = repositories.iter().find(|repository| repository.point.is_none() && !repository.path.is_dir()) {
        report::expect_equals(&args.files, &bad.path)?;
    }
    let labels = labels(&repositories);
    let depth = depth(args.depth);
    let how = How { depth, shard, key: key::load(&args.keys)? };
    let watch = out::watch(args.talk, stop);
    let outputs = Outputs::open(&args.files, &watch)?;
    let events = Output::open(args.events.as_deref(), &watch)?.map(Output::stream).transpose()?;
    let mut events = Events { to: events, failed: None };
    let mut whole = Report::empty(depth, args.strict);
    let mut unstarted = None;
    let several = repositories.len() > 1;
    for (repository, label) in repositories.drain(..).zip(labels) {
        let what = format!("verifying {label}");
        let path = repository.path.clone();
        let part = progress::with(&what, args.talk.quiet, &watch, || {
            one(args, repository, label.clone(), how, &mut events, &watch)
        });
        let part = match part {
            // One root that cannot be looked at must not hide what is wrong with the others.
            Err(error) if several && !matches!(error.class(), Class::Interrupted | Class::Usage) => {
                let report = unread(&label, &path, depth, args.strict, &error);
                unstarted = unstarted.or(Some(error));
                report
            }
            part => part?,
        };
        whole = whole.merge(part);
    }
    if let Some(error) = unstarted.filter(|_| whole.coverage.claims == 0 && whole.sets.is_empty()) {
        return Err(error);
    }
    let written = events.finish();
    let exit = report::publish(&whole, outputs, args.talk.verbose, args.talk.quiet);
    match written {
        Ok(()) => Ok(exit),
        Err(error) => {
            out::error(&error);
            Ok(exit.unless_worse())
        }
    }
}

/// How all roots are looked at.
#[derive(Clone, Copy)]
struct How {
    depth: Depth,
    shard: Shard,
    key: Option<Key>,
}

/// The report on a root that could not be looked at.
fn unread(label: &str, path: &Path, depth: Depth, strict: bool, error: &Error) -> Report {
    let shard = Shard::WHOLE;
    let options = Options { label: label.to_owned(), format: None, depth, strict, shard };
    let message = error.to_string();
    let finding = Finding { code: Code::Unreadable, object: None, offset: None, message, hurts: Hurts::All };
    let mut survey = Survey::new(Box::new(Nothing), options);
    survey.report(finding);
    let mut report = survey.finish();
    let advice = match path.metadata() {
        Ok(found) if found.is_dir() => "Name a folder that holds a backup, or leave this one out.",
        Ok(_) => "Name the folder of the backup, or leave this one out.",
        Err(_) => "See that the path is right and that its disk is mounted, then verify again.",
    };
    report.findings.iter_mut().for_each(|note| advice.clone_into(&mut note.advice));
    report
}

/// The inspection of a root that cannot be inspected.
struct Nothing;

impl Inspect for Nothing {
    fn ask(&self) -> Ask {
        Ask::Done
    }

    fn answer(&mut self, _: Answer<'_>, _: &mut Batch) -> Flow {
        Flow::Continue(())
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self)
    }
}

fn one(
    args: &args::Verify,
    repository: Repository,
    label: String,
    How { depth, shard, key }: How,
    events: &mut Events,
    watch: &Watch<'_>,
) -> Result<Report, Error> {
    let files = open(&repository.path, &args.root)?;
    let store: Box<dyn Store> = if args.mmap { Box::new(Mapped(files)) } else { Box::new(files) };
    let format = kind_of(&*store, &args.root)?;
    let trails = depth == Depth::Deep;
    let of = match &repository.point {
        None => Of::All,
        Some(point) => Of::Under(format.point(point).map_err(|no| usage(no.to_string()))?),
    };
    let options = Options { label: label.clone(), format: Some(format), depth, strict: args.strict, shard };
    let survey = Survey::new(format.inspect(&Scope::new(of).trailing(trails).keyed(key)), options);
    let survey =
        drive::run(&*store, survey, depth, watch, &mut |claim, verdict| events.settled(&label, claim, verdict))?;
    let absent = survey.absent().map(|what| format!("{what} [in {label}]"));
    let report = survey.finish();
    let nothing = report.sets.is_empty() && report.findings.is_empty() && report.removed.is_empty();
    if let Some(point) = repository.point.filter(|_| nothing) {
        let none = || format!("there is no point in time at or before {point} in {label}");
        return Err(Error::cannot_start(absent.unwrap_or_else(none)));
    }
    for note in &report.findings {
        events.write(&json!({ "event": "finding", "root": note.root, "code": note.code, "name": note.name, "object": note.object, "offset": note.offset, "message": note.message }));
    }
    events.write(&json!({ "event": "root", "root": label, "verdict": report.verdict, "coverage": report.coverage }));
    Ok(report)
}

fn shard(args: &args::Verify) -> Result<Shard, Error> {
    let parse = |text: &str| text.parse::<Shard>().map_err(|bad| usage(bad.to_string()));
    match (&args.shard, &args.subset) {
        (Some(text), _) => parse(text),
        (None, Some(text)) => match text.strip_prefix("daily/") {
            Some(count) => {
                let count: u64 = count
                    .parse()
                    .ok()
                    .filter(|count| *count > 0)
                    .ok_or_else(|| usage(format!("'{text}' is no subset: write daily/N, as in daily/30")))?;
                Shard::new(clock::day()? % count + 1, count).ok_or_else(|| usage(format!("'{text}' is no subset")))
            }
            None => parse(text),
        },
        (None, None) => Ok(Shard::WHOLE),
    }
}

fn depth(depth: args::Depth) -> Depth {
    match depth {
        args::Depth::List => Depth::List,
        args::Depth::Size => Depth::Size,
        args::Depth::Digest => Depth::Digest,
        args::Depth::Deep => Depth::Deep,
    }
}

/// What a report calls a root: the last part of its path, so that the same set has the same report wherever it lies.
pub(super) fn label(path: &Path) -> String {
    let real = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().unwrap_or(real.as_os_str());
    highwater_core::name::printable(name.as_encoded_bytes())
}

/// Labels for several roots: the whole path for those whose last part is not enough to tell them apart.
fn labels(repositories: &[Repository]) -> Vec<String> {
    let short: Vec<String> = repositories.iter().map(|repository| label(&repository.path)).collect();
    let whole = |repository: &Repository| {
        let point = repository.point.as_ref().map(|point| format!("@{point}")).unwrap_or_default();
        highwater_core::name::printable(repository.path.as_os_str().as_encoded_bytes()) + &point
    };
    let unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    repositories
        .iter()
        .zip(&short)
        .map(|(repository, name)| if unique(name) { name.clone() } else { whole(repository) })
        .collect()
}

/// Where events go, and the first error of writing them.
struct Events {
    to: Option<Box<dyn Write>>,
    failed: Option<io::Error>,
}

impl Events {
    fn settled(&mut self, label: &str, claim: &Claim, verdict: &Verdict) {
        if self.to.is_none() {
            return;
        }
        let (word, message) = match verdict {
            Verdict::Sound => ("sound", None),
            Verdict::Damaged(damage) => ("damaged", Some(damage.to_string())),
            Verdict::Unreadable(fault) => ("unreadable", Some(fault.to_string())),
            Verdict::Unverifiable(why) => ("unverifiable", Some((*why).to_owned())),
        };
        self.write(&json!({ "event": "claim", "root": label, "object": claim.object.to_string(), "verdict": word, "message": message }));
    }

    fn write(&mut self, event: &serde_json::Value) {
        if let (Some(to), None) = (&mut self.to, &self.failed) {
            self.failed = writeln!(to, "{event}").err();
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        let flushed = self.to.as_mut().map_or(Ok(()), Write::flush);
        match self.failed.or(flushed.err()) {
            Some(error) => Err(Error::failed(format!("cannot write the events: {error}"))),
            None => Ok(()),
        }
    }
}
