//! `highwater prune`.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::finding::Code;
use highwater_core::keep::Keep;
use highwater_core::name::printable;
use highwater_core::render::{self, thousands};
use highwater_core::report::{Depth, Soundness, series};
use serde_json::json;

use super::exit::Exit;
use super::label::label;
use super::options::kinds::noun;
use super::options::of_kind::refuse;
use super::options::{self, Json, Keys, OfKind, Root, Talk, Writing};
use super::repository::{Repository, kind_of, open_to_write, refuse_within, usage};
use super::verb::Run;
use super::{out, progress};
use crate::error::Error;
use crate::prune::{self, Inner, PruneOptions, PrunePlan, PruneSummary, Spare};
use crate::shown::quoted;

/// Remove older points in time, and keep those that the rules name.
///
/// Each --keep rule looks at periods from the newest point on, UTC, and passes over those without a point: of each
/// period it keeps the newest point, until it has kept N. What an earlier rule keeps costs a later one nothing, so that
/// --keep-daily 7 --keep-weekly 4 reaches back a week, and four weeks beyond it. Larger numbers never remove more.
///
/// Every point is looked at first. If anything cannot be read, nothing is removed. The newest sound point stays in any
/// case, and so do points that are damaged, which fill no period: they may be healed. In a repozo repository, a point
/// stays as long as one that is kept builds on it. In a datastore, each group is pruned for itself, protected snapshots
/// stay, and chunks are left to the server's garbage collection. From a set of points of a folder goes every object
/// that no list names any more, also what an interrupted backup left; only when all lists that stay can be read whole.
/// So it is with a repository in the set that keeps a Data.fs: what no point needs goes from it, but never its newest.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater prune --dry-run /backup/zodb --keep-daily 7 --keep-weekly 4    what would go?
  highwater prune /backup/zodb --keep-last 3 --keep-monthly 12
  highwater prune /mnt/datastore --keep-daily 14 --keep-yearly 5           each group for itself
  highwater prune /mnt/datastore@vm/100 --keep-last 2                      one group
  highwater prune -n /backup/files --keep-daily 7                          a set of points of a folder
  highwater prune --json -n /backup/zodb --keep-daily 7 | jq -r '.points[] | select(.kept | not) | .name'")]
pub(super) struct Prune {
    /// The repository or store, or a group of a store.
    #[arg(value_name = "SET[@GROUP]")]
    set: OsString,
    /// How thoroughly to look before a point is called sound: size, digest or deep.
    #[arg(short, long, value_parser = options::Depth::of_judgement(), default_value = "size")]
    depth: options::Depth,
    /// Say what would be removed, and stop there.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    talk: Talk,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    keys: OfKind<Keys>,
}

/// What stays.
#[derive(Debug, Args)]
#[command(next_help_heading = "What stays")]
struct Rules {
    /// The last N points.
    #[arg(long, value_name = "N")]
    keep_last: Option<u64>,
    /// The newest point of each of N hours.
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u64>,
    /// The newest point of each of N days.
    #[arg(long, value_name = "N")]
    keep_daily: Option<u64>,
    /// The newest point of each of N weeks, which begin on Mondays.
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u64>,
    /// The newest point of each of N months.
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u64>,
    /// The newest point of each of N years.
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u64>,
}

impl Rules {
    fn keep(&self) -> Result<Keep, Error> {
        let of = |number: Option<u64>| number.unwrap_or(0);
        let keep = Keep {
            last: of(self.keep_last),
            hourly: of(self.keep_hourly),
            daily: of(self.keep_daily),
            weekly: of(self.keep_weekly),
            monthly: of(self.keep_monthly),
            yearly: of(self.keep_yearly),
        };
        if keep.is_nothing() {
            return Err(usage(
                "prune has to know what stays: give at least one rule of more than 0, such as --keep-daily 7 \
                 --keep-weekly 4; --dry-run shows what would go"
                    .to_owned(),
            ));
        }
        Ok(keep)
    }
}

impl Run for Prune {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let keep = self.rules.keep()?;
        let depth: Depth = self.depth.into();
        if depth < Depth::Size {
            return Err(usage("a point is not called sound by a list: say --depth size, digest or deep".to_owned()));
        }
        let named = Repository::parse(&self.set)?;
        let disk = open_to_write(&named.path, self.root.following, self.writing)?;
        let format = kind_of(&disk, &self.root)?;
        if let Err(known) = prune::can(format) {
            let (path, noun, known) = (quoted(&named.path), noun(format), known.join(", "));
            return Err(usage(format!("{path} names {noun}, and only points of these kinds are pruned: {known}")));
        }
        refuse(&[&self.keys], &named.path, format, None)?;
        refuse_within(&named.path, "prune the set")?;
        let under = named.point.as_deref().map(|point| format.point(point)).transpose();
        let under = under.map_err(|no| usage(no.to_string()))?;
        let label = label(&named.path);
        let (key, dry_run) = (self.keys.load()?, self.dry_run);
        let job = PruneOptions { keep, label: &label, only: None, under, depth, key, dry_run };
        let watch = self.talk.watch(stop);
        let plan = progress::with(&format!("looking at {label}"), self.talk.quiet, &watch, || {
            prune::plan(&job, format, &disk, &watch)
        })?;
        if !self.json.is_asked() {
            self.tell(&plan)?;
        }
        let done = if dry_run { PruneSummary::default() } else { plan.carry_out(&watch) };
        out::shortcomings(&disk);
        if self.json.is_asked() {
            out::document(self.document(&plan, &done, format.facts().name))?;
        } else {
            self.sum_up(&plan, &done)?;
        }
        if let Some(error) = done.failed {
            return Err(error);
        }
        let worst = plan.points.iter().map(|point| point.verdict).max();
        Ok(worst.unwrap_or(Soundness::Inconclusive).into())
    }
}

impl Prune {
    /// Prints the plan.
    fn tell(&self, plan: &PrunePlan<'_>) -> Result<(), Error> {
        let mut text = String::new();
        let longest = plan.points.iter().map(|point| point.name.len()).max().unwrap_or(0);
        for point in plan.points.iter().filter(|_| !self.talk.quiet) {
            let name = printable(point.name.as_bytes());
            match &point.kept {
                Some(why) => text.push_str(&format!("keep    {name:longest$}  {}\n", printable(why.as_bytes()))),
                None => text.push_str(&format!("remove  {name}\n")),
            }
        }
        if let Some(Spare { objects: 1.., .. }) = plan.spare.filter(|_| !self.talk.quiet) {
            text.push_str(&format!("sweep   {}, which no other point needs\n", objects(plan.spare)));
        }
        for inner in plan.inner.iter().filter(|inner| inner.spare.objects > 0 && !self.talk.quiet) {
            text.push_str(&format!("sweep   {}, which no other point needs\n", files(inner.spare, inner)));
        }
        out::print(&text)?;
        for unsound in &plan.unsound {
            let (series, _) = series(unsound);
            let of = if series.is_empty() { String::new() } else { format!(" of {}", printable(series.as_bytes())) };
            out::say(&format!(
                "highwater: no point{of} could be shown to be sound, so none is removed; `highwater verify` says more"
            ));
        }
        for (name, message) in strangers(plan) {
            out::say(&format!("highwater: left alone: {name}: {message}"));
        }
        Ok(())
    }

    /// Prints what was done.
    fn sum_up(&self, plan: &PrunePlan<'_>, done: &PruneSummary) -> Result<(), Error> {
        let count = |number: usize| thousands(number as u64);
        let (all, goes) = (count(plan.points.len()), plan.goes().count());
        let judged = self.judged(plan);
        let newest = match &*plan.newest {
            [] => String::new(),
            [one] => format!("; the newest sound point is {}", printable(one.as_bytes())),
            several => format!("; the newest sound point of each of {} groups stays", count(several.len())),
        };
        let (verb, gone, swept) = match self.dry_run {
            true => ("would remove", goes, plan.spare),
            false => ("removed", done.removed.len(), plan.spare.map(|_| done.swept)),
        };
        let and = swept.map(|_| format!(" and {}", objects(swept))).unwrap_or_default();
        let of_inner = plan.inner.iter().enumerate().map(|(at, inner)| {
            let gone = if self.dry_run { inner.spare } else { done.of_inner.get(at).copied().unwrap_or_default() };
            format!(" and {}", files(gone, inner))
        });
        let and: String = std::iter::once(and).chain(of_inner).collect();
        if !self.talk.quiet {
            out::print(&format!("{verb} {} of {all} points{and}{newest}, judged by {judged}\n", count(gone)))?;
        }
        if goes > 0 && !plan.leaves().is_empty() && !self.talk.quiet {
            out::say(&format!("highwater: {}", plan.leaves()));
        }
        Ok(())
    }

    /// By what points were called sound.
    fn judged(&self, plan: &PrunePlan<'_>) -> &'static str {
        match plan.report.depth {
            Depth::List => "what is there",
            Depth::Size => "what is there and its length",
            Depth::Digest => "every byte",
            Depth::Deep => "every byte and record",
        }
    }

    fn document(&self, plan: &PrunePlan<'_>, done: &PruneSummary, format: &str) -> serde_json::Value {
        let points = plan.points.iter().map(|point| {
            let mut line = json!({ "name": point.name, "kept": point.kept.is_some(), "verdict": point.verdict });
            if let Some(fields) = line.as_object_mut() {
                match &point.kept {
                    Some(why) => fields.insert("why".to_owned(), json!(why)),
                    None => fields.insert("removed".to_owned(), json!(done.removed.contains(&point.name))),
                };
            }
            line
        });
        let points: Vec<_> = points.collect();
        let told = |Spare { objects, bytes }: Spare| json!({ "objects": objects, "bytes": bytes });
        let inner = plan.inner.iter().enumerate().map(|(at, inner)| {
            let told = |Spare { objects, bytes }: Spare| json!({ "files": objects, "bytes": bytes });
            let swept = told(done.of_inner.get(at).copied().unwrap_or_default());
            let folder = printable(inner.folder.as_bytes());
            json!({ "folder": folder, "format": inner.kind(), "spare": told(inner.spare), "swept": swept })
        });
        let inner: Vec<_> = inner.collect();
        let left: Vec<_> = strangers(plan).map(|(name, why)| json!({ "name": name, "why": why })).collect();
        json!({
            "schema": 1,
            "format": format,
            "dry_run": self.dry_run,
            "depth": plan.report.depth,
            "points": points,
            "newest": plan.newest,
            "left_alone": left,
            "spare": plan.spare.map(told),
            "swept": plan.spare.map(|_| told(done.swept)),
            "inner": inner,
        })
    }
}

/// How many objects, and their bytes.
fn objects(spare: Option<Spare>) -> String {
    let Spare { objects, bytes } = spare.unwrap_or_default();
    let noun = if objects == 1 { "object" } else { "objects" };
    format!("{} {noun} of {}", thousands(objects), render::bytes(bytes))
}

/// How many files of another repository, and their bytes.
fn files(spare: Spare, inner: &Inner) -> String {
    let Spare { objects, bytes } = spare;
    let noun = if objects == 1 { "file" } else { "files" };
    format!("{} {noun} of {} in {}", thousands(objects), render::bytes(bytes), printable(inner.folder.as_bytes()))
}

/// What lies there and belongs to no point, as far as it is told.
fn strangers<'a>(plan: &'a PrunePlan<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let belongs_to_none = |code: Code| {
        matches!(code, Code::Stray | Code::Unlisted | Code::NoIndex | Code::NoBase | Code::Unfinished | Code::Misnamed)
    };
    let notes = plan.report.findings.iter().filter(move |note| belongs_to_none(note.code));
    notes.map(|note| (&*note.object, &*note.message))
}
