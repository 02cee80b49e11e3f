//! `highwater verify`.

mod events;
mod lists;
mod part;
mod unread;

use std::any::Any;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::finding::Code;
use highwater_core::formats::by_name;
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::{Depth, Report};
use highwater_core::shard::Shard;
use highwater_core::wire;

use super::exit::Exit;
use super::label::labels;
use super::options::{self, Keys, OfKind, ReportFiles, Root, Talk, Watched};
use super::repository::{Repository, kind_of, open, open_folder, usage};
use super::verb::Run;
use super::{progress, whence};
use crate::error::{Class, Error};
use crate::shown::quoted;
use crate::store::mapped::Mapped;
use crate::store::{Scheme, Ssh, Store};
use crate::verify::{Verification, verify};
use crate::watch::Watch;
use lists::with_lists;
use part::Part;
use unread::unread;

/// Check that backup sets are whole: every point in time, or one.
///
/// Changes nothing, takes no lock, and never calls a file damaged because it could not be read.
#[derive(Debug, Args)]
#[command(after_help = "\
Depths:
  list    the index is understood and everything it names is there
  size    also, lengths are right (compressed files are decompressed to know theirs)
  digest  also, every byte gives its digest
  deep    also, the records inside are consistent, the OID indices fit them, and archived trees hold together

Examples:
  highwater verify /backup/zodb
  highwater verify --depth deep /backup/zodb@2026-11-19
  highwater verify --json=report.json --junit report.xml /backup/*
  highwater verify --subset daily/30 /backup/zodb           all of it every 30 days
  highwater verify -q --max-age 26h /backup/zodb            from cron: silent, unless something is damaged or too old
  highwater verify --nagios --max-age 26h /backup/zodb      a plugin for Nagios and its heirs
  highwater verify --prometheus /var/lib/prometheus/node-exporter/zodb.prom /backup/zodb
  highwater verify --keyfile backup.key /mnt/datastore      a chunk store of Proxmox Backup Server
  highwater verify /srv/app/db                              a fjall, RocksDB or LevelDB store, also while it is written
  highwater verify /srv/zope/storage                        a DirectoryStorage
  highwater verify /snap/db                                 a folder, by the list /snap/db.mtree
  highwater verify s3://backups/zodb                        what lies below a prefix of a bucket
  highwater verify ssh://db1/srv/backup/zodb                verified there: only the report comes
  highwater verify --shard $SLURM_ARRAY_TASK_ID/8 --json=part-$SLURM_ARRAY_TASK_ID.json /backup/zodb
  highwater report merge part-*.json")]
pub(super) struct Verify {
    /// Repositories, each with an optional point: the newest at or before YYYY[-MM[-DD[-hh[-mm[-ss]]]]], UTC.
    #[arg(value_name = "PATH[@POINT]", required = true)]
    paths: Vec<OsString>,
    /// How thoroughly.
    #[arg(short, long, value_enum, default_value_t = options::Depth::Digest)]
    depth: options::Depth,
    /// Every point in time: the default for a path without @POINT.
    #[arg(long)]
    all: bool,
    /// Warnings (stray files, for example) fail too.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    root: Root,
    /// Read through memory maps, without copying: faster when the files are in memory already. Only for files that
    /// nobody cuts off or rewrites meanwhile: the system kills a process that reads a map past its file's end.
    #[arg(long)]
    mmap: bool,
    /// Read what lies behind ssh:// here, rather than have it verified there: for whoever trusts that machine with
    /// bytes only. So it is anyway with --keyfile and --events.
    #[arg(long)]
    here: bool,
    /// Let the JSON report say which run it is of: the program's version, the machine, the paths, when it began and
    /// ended. Without it, the same sets give the same bytes.
    #[arg(long, requires = "json")]
    stamp: bool,
    #[command(flatten)]
    files: ReportFiles,
    #[command(flatten)]
    watched: Watched,
    #[command(flatten)]
    talk: Talk,
    // Refused for no root, as a run may have roots of several kinds: those of its kind take it.
    #[command(flatten)]
    keys: OfKind<Keys>,
}

impl Run for Verify {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn is_plugin(&self) -> bool {
        self.watched.is_plugin()
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let shard = self.part.shard()?;
        let named: Vec<Repository> = self.paths.iter().map(|path| Repository::parse(path)).collect::<Result<_, _>>()?;
        // A set has many spellings, and links lead to it.
        let place = |Repository { path, point, .. }: &Repository| {
            let real = Some(path).filter(|path| Scheme::of(path).is_none()).and_then(|path| path.canonicalize().ok());
            (real.unwrap_or_else(|| path.clone()), point.clone())
        };
        let places: Vec<_> = named.iter().map(place).collect();
        if let Some(at) = (0..places.len()).find(|at| places[..*at].contains(&places[*at])) {
            let twice = quoted(Path::new(&self.paths[at]));
            return Err(usage(format!("{twice} is named twice, the second time as path {}", at + 1)));
        }
        let mut repositories: Vec<Repository> = match self.root.kind {
            Some(_) => named,
            None => named.into_iter().flat_map(with_lists).collect(),
        };
        if self.all
            && let Some(bad) = repositories.iter().find(|repository| repository.point.is_some())
        {
            return Err(usage(format!(
                "--all and the point @{} contradict each other",
                bad.point.as_deref().unwrap_or_default()
            )));
        }
        let is_no_folder = |path: &Path| !path.is_dir() && Scheme::of(path).is_none();
        if let Some(bad) =
            repositories.iter().find(|repository| repository.point.is_none() && is_no_folder(&repository.path))
        {
            self.files.expect_equals(&bad.path)?;
        }
        let labels = labels(&repositories);
        let depth = self.depth.into();
        let several = repositories.len() > 1;
        let settings = Settings { depth, shard, key: self.keys.load()?, stop };
        let watch = self.talk.watch(stop);
        let files = self.files.open(self.watched, &watch)?;
        let mut whole = Report::empty(depth, self.strict);
        let mut unstarted = None;
        for (repository, label) in repositories.drain(..).zip(labels) {
            let what = format!("verifying {label}");
            let path = repository.path.clone();
            let part = progress::with(&what, self.talk.quiet, &watch, || {
                self.one(repository, label.clone(), &settings, &watch)
            });
            let part = match part {
                // One root that cannot be looked at must not hide what is wrong with the others.
                Err(error) if !matches!(error.class(), Class::Interrupted | Class::Usage) => {
                    let report = unread(&label, &path, depth, self.strict, &error);
                    unstarted = unstarted.or(Some(error));
                    report
                }
                part => part?,
            };
            whole = whole.merge(part);
        }
        let is_nothing = !several || whole.coverage.claims == 0 && whole.sets.is_empty();
        if let Some(error) = unstarted.filter(|_| is_nothing) {
            files.leave(&whole);
            return Err(error);
        }
        let mut whole = self.watched.judge(whole)?;
        whole.findings.iter().filter(|note| note.code == Code::Outdated).for_each(events::found);
        whole.origins.extend(whence::ended()?);
        Ok(files.publish(&whole, &self.talk, self.watched))
    }
}

/// How all roots are looked at.
#[derive(Clone)]
struct Settings<'a> {
    depth: Depth,
    shard: Shard,
    key: Option<Key>,
    stop: &'a Arc<AtomicBool>,
}

impl Verify {
    /// Whether another machine verifies what lies there: unless the user says no, or wants what only this one has.
    fn is_there(&self, settings: &Settings<'_>, watch: &Watch<'_>) -> bool {
        let here = [(settings.key.is_some(), "the key is"), (self.talk.events.is_some(), "the events are")];
        let why = here.iter().find(|(is_so, _)| *is_so).map(|(_, why)| why);
        if let Some(why) = why.filter(|_| !self.here) {
            watch.notice(format!("all bytes come here to be verified, as {why} here"));
        }
        why.is_none() && !self.here
    }

    /// Verifies one root.
    fn one(
        &self,
        repository: Repository,
        label: String,
        settings: &Settings<'_>,
        watch: &Watch<'_>,
    ) -> Result<Report, Error> {
        let store: Box<dyn Store> = match self.mmap {
            true => Box::new(Mapped(open_folder(&repository.path, self.root.following)?)),
            false => open(&repository.path, &self.root, settings.stop)?,
        };
        let report = match store.as_any().and_then(<dyn Any>::downcast_ref::<Ssh>) {
            Some(far) if self.is_there(settings, watch) => {
                let kind = repository.kind.map(ToOwned::to_owned).or_else(|| self.root.kind.clone());
                let (point, strict) = (repository.point, self.strict);
                let Settings { depth, shard, .. } = *settings;
                far.verify(wire::Verification { label: label.clone(), kind, point, depth, strict, shard }, watch)?
            }
            _ => {
                let format = match repository.kind.and_then(by_name) {
                    Some(format) => format,
                    None => kind_of(&*store, &self.root)?,
                };
                if let Some((name, what)) = format.under_way()
                    && Name::new(name.as_bytes()).is_ok_and(|name| store.open(&name).is_ok())
                {
                    watch.notice(format!("{label}: {what}"));
                }
                let (point, strict) = (repository.point.as_deref(), self.strict);
                let Settings { depth, shard, key, .. } = settings.clone();
                let how = Verification { label: &label, format, point, depth, strict, shard, key };
                verify(&*store, how, watch, &mut |claim, verdict| events::settled(&label, claim, verdict))?
            }
        };
        events::root(&label, &report);
        Ok(report)
    }
}
