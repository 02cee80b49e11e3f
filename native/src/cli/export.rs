//! `highwater export`.

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::facts::Shape;
use highwater_core::inspect::Format;
use highwater_core::node::{Node, NodeKind};
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::exit::Exit;
use super::options::{Json, Root, Talk};
use super::output::Output;
use super::repository::{Repository, kind_of, open, usage};
use super::show::set::{counted, line};
use super::verb::Run;
use super::{left_out, out, progress, whence};
use crate::error::Error;
use crate::export::{ExportPlan, Exported};
use crate::restore::Asked;
use crate::restore::tree::TreePlan;
use crate::shown::quoted;
use crate::store::Store;

/// Write a point of a folder, or what lies at a path in it, as one tar archive: whole, or what is new or changed since
/// another point.
///
/// GNU tar, bsdtar and every other program that reads the pax format unpacks it, with modes, owners, times in
/// nanoseconds, symbolic and hard links. Every byte is checked while it is written: where an object turns out to be
/// damaged, the archive ends within that file and has no end, and the exit code is not 0.
///
/// With --since, the archive begins with the file .highwater-removed: what is to be removed before the rest is
/// unpacked, as names that begin with ./ and end with a NUL byte, what is in a folder before it.
///
/// With --json, a summary is printed: on standard error where the archive goes to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater export /backup/files | ssh elsewhere 'tar -xpf - -C /srv/files'     the newest point
  highwater export /backup/files@2026-11-19 | zstd | age -r KEY > files.tar.zst.age
  highwater export /backup/files --output /dev/nst0                             to a tape
  highwater export /backup/files@latest/etc > etc.tar                           what lies in etc
  highwater export /backup/files --since 2026-11-18 --output day.tar            what is new since then
  highwater export --dry-run /backup/files --since 2026-11-18                   what would that be?

To bring a folder that is at the point of --since to the newer one, with day.tar at hand:
  tar -xOf day.tar ./.highwater-removed > removed
  cd FOLDER && xargs -0 rm -fd -- < removed && tar -xpf day.tar --exclude=./.highwater-removed")]
pub(super) struct Export {
    /// The set, and the point: the newest at or before YYYY[-MM[-DD[-hh[-mm[-ss]]]]], UTC; a path in it means what lies
    /// there, of a file this alone.
    #[arg(value_name = "SET[@POINT[/PATH]]")]
    set: OsString,
    /// Leave out what this older point of the set has, too.
    #[arg(long, value_name = "POINT")]
    since: Option<String>,
    /// Where the archive goes, in place of standard output. A plain file appears when it is whole.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Say what the archive would hold, and write none.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    talk: Talk,
}

impl Run for Export {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let named = Repository::parse(&self.set)?;
        let store = open(&named.path, &self.root, stop)?;
        let format = kind_of(&*store, &self.root)?;
        if format.facts().shape != Shape::Tree {
            let (path, kind) = (quoted(&named.path), format.facts().name);
            let what = format!("{path} is a {kind}, whose points are no folders; `highwater restore` writes them out");
            return Err(usage(what));
        }
        let watch = self.talk.watch(stop);
        let to_stdout = self.output.as_deref().unwrap_or(Path::new("-")) == Path::new("-");
        if to_stdout && !self.dry_run && stdout().is_terminal() {
            let what = "an archive is not written to a terminal: name a file by --output, or pipe it into a program";
            return Err(usage(what.to_owned()));
        }
        // What cannot be written is known before the work.
        let path = self.output.as_deref().unwrap_or(Path::new("-"));
        let output = if self.dry_run { None } else { Output::open(Some(path), &watch)? };
        let tree = |point| TreePlan::make(&*store, Asked { format, point, key: None });
        let since = self.since(format, named.point.as_deref())?;
        let (this, since) = (tree(named.point)?, since.map(|point| tree(Some(point))).transpose()?);
        if let Some(since) = since.as_ref().filter(|since| since.point > this.point) {
            return Err(usage(format!("{} is newer than {}: --since takes an older point", since.point, this.point)));
        }
        left_out::tell(&this.point, &this.lacks);
        let exit = left_out::tell_entries(&this.left_out);
        let plan = ExportPlan::make(&*store, this, since, &watch)?;
        plan.doubts().iter().for_each(|doubt| watch.notice(doubt));
        let Some(output) = output else { return self.tell(&plan).map(|()| exit) };
        let to_stdout = output.is_stdout();
        let from: &dyn Store = &*store;
        let done = progress::with("exporting", self.talk.quiet, &watch, || {
            output.whole(|out| plan.write(from, &mut std::io::BufWriter::with_capacity(1 << 20, out), &watch))
        })?;
        if self.json.is_asked() {
            let document = document(&plan, Some(done));
            if to_stdout { out::say(&format!("{:#}", whence::stamped(document)?)) } else { out::document(document)? }
        } else if !self.talk.quiet && !to_stdout {
            out::print(&sentence(&plan, "exported"))?;
        }
        Ok(exit)
    }
}

impl Export {
    /// The older point, of which as much is compared as of the newer one: what lies at the same path.
    fn since(&self, format: &'static dyn Format, point: Option<&str>) -> Result<Option<String>, Error> {
        let Some(since) = &self.since else { return Ok(None) };
        let path = |text: &str| format.point(text).ok()?.within().map(ToOwned::to_owned);
        if let Some(path) = path(since) {
            return Err(usage(format!("--since takes a point alone: '/{path}' is said once, behind the newer one")));
        }
        Ok(Some(point.and_then(path).map_or_else(|| since.clone(), |path| format!("{since}/{path}"))))
    }

    /// Prints what the archive would hold.
    fn tell(&self, plan: &ExportPlan) -> Result<(), Error> {
        if self.json.is_asked() {
            return out::document(document(plan, None));
        }
        let mut text = String::new();
        for name in &plan.removed {
            text.push_str(&format!("removed {name}\n"));
        }
        for Node { path, kind, meta } in &plan.members {
            let (letter, size, target) = match kind {
                NodeKind::Folder => ('d', String::new(), None),
                NodeKind::File(length) => ('-', thousands(*length), None),
                NodeKind::Link(text) => ('l', String::new(), Some(text.as_slice())),
                NodeKind::Hard(of) => ('h', String::new(), Some(of.as_bytes())),
                // No member is either.
                NodeKind::Part(_) | NodeKind::LeftOut(_) => continue,
            };
            text.push_str(&line(letter, &size, *meta, path.as_ref(), (None, target)));
        }
        text.push_str(&sentence(plan, "would export"));
        out::print(&text)
    }
}

fn sentence(plan: &ExportPlan, verb: &str) -> String {
    let since = match &plan.since {
        Some(since) => format!(" since {since}, {} to be removed", thousands(plan.removed.len() as u64)),
        None => String::new(),
    };
    let (entries, bytes) = (counted(plan.members.len()), bytes(plan.bytes()));
    format!("{verb} {}: {entries}, {bytes}{since}\n", plan.point)
}

fn document(plan: &ExportPlan, done: Option<Exported>) -> Value {
    json!({
        "schema": 1,
        "point": plan.point,
        "since": plan.since,
        "entries": plan.members.len(),
        "bytes": plan.bytes(),
        "removed": plan.removed.len(),
        "length": done.map(|done| done.length),
    })
}
