//! `highwater heal`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::finding::{Code, Severity};
use highwater_core::render::thousands;
use highwater_core::report::{Depth, Note, Soundness};
use serde_json::json;

use super::exit::Exit;
use super::label::label;
use super::options::kinds::noun;
use super::options::of_kind::refuse;
use super::options::{Json, Keys, OfKind, Root, Talk, Writing};
use super::repository::{kind_of, open, open_to_write, usage};
use super::verb::Run;
use super::{out, progress};
use crate::error::Error;
use crate::heal::{Fate, HealOptions, can, heal};
use crate::shown::quoted;

/// Heal a repository from another one that holds the same objects: its copy, or a store that it is synchronised with.
///
/// Verifies REPO. What is damaged or missing in it and sound in OTHER, by the digest that REPO's own index names, is
/// copied, and takes its place in one step. Nothing else is touched.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater heal /mnt/datastore --from /mnt/usb/datastore
  highwater heal --dry-run /backup/zodb --from /offsite/zodb    what could be healed?
  highwater heal --quick /mnt/datastore --from /mnt/replica     looks at presence and sizes only")]
pub(super) struct Heal {
    /// The repository or store to heal.
    repository: PathBuf,
    /// One that holds the same objects; it is only read.
    #[arg(long, value_name = "OTHER")]
    from: PathBuf,
    /// Look for what is missing, empty or has another size, and not into it.
    #[arg(short = 'Q', long)]
    quick: bool,
    /// Say what would be healed; write nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    keys: OfKind<Keys>,
    #[command(flatten)]
    talk: Talk,
}

/// Damaged objects that one run remembers: some 300 MB.
const MOST: usize = 1 << 20;

impl Run for Heal {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let repository = open_to_write(&self.repository, self.root.following, self.writing)?;
        let from = open(&self.from, &self.root, stop)?;
        let format = kind_of(&repository, &self.root)?;
        let other = kind_of(&*from, &Root::default())?;
        // A cache and a store hold the same objects.
        let pooled = format.facts().pool.is_some() && format.facts().pool == other.facts().pool;
        if format.facts().name != other.facts().name && !pooled {
            let (one, two) = (quoted(&self.repository), quoted(&self.from));
            return Err(usage(format!(
                "{one} is of the kind {}, and {two} of the kind {}",
                format.facts().name,
                other.facts().name
            )));
        }
        if let Err(known) = can(format) {
            let (path, noun, known) = (quoted(&self.repository), noun(format), known.join(", "));
            return Err(usage(format!(
                "{path} names {noun}, which is not healed file by file: put a copy of all of it in its place, one that \
                 `highwater verify` finds sound; these kinds are healed: {known}"
            )));
        }
        refuse(&[&self.keys], &self.repository, format, None)?;
        let label = label(&self.repository);
        let depth = if self.quick { Depth::Size } else { Depth::Digest };
        let (key, dry_run) = (self.keys.load()?, self.dry_run);
        let job = HealOptions { label: &label, key, depth, dry_run, most: MOST };
        let watch = self.talk.watch(stop);
        let done = progress::with(&format!("healing {label}"), self.talk.quiet, &watch, || {
            heal(&job, format, &*from, &repository, &watch)
        });
        out::shortcomings(&repository);
        let done = done?;
        let healed = done.objects.iter().filter(|(_, fate)| *fate == Fate::Healed).count();
        let left = done.objects.len() - healed;
        // What no claim speaks of, as a broken index, is not healed by copying objects.
        let is_object = |name: &str| done.objects.iter().any(|(object, _)| object == name);
        let notes = done.report.findings.iter().filter(|note| note.severity > Severity::Warning);
        // What is shut is told in one sentence.
        let is_shut = |note: &Note| done.shut > 0 && done.elsewhere == 0 && note.code == Code::Unverifiable;
        let others: Vec<_> = notes.filter(|note| !is_object(&note.object) && !is_shut(note)).collect();
        let exit = match others.iter().map(|note| note.severity).max() {
            Some(Severity::Damage) => Exit::Damage,
            _ if left > 0 || done.more > 0 => Exit::Damage,
            Some(_) => Exit::Inconclusive,
            None if done.elsewhere > 0 => Exit::Inconclusive,
            None if done.shut == 0 && done.report.verdict == Soundness::Inconclusive => Exit::Inconclusive,
            None => Exit::Sound,
        };
        let named = |note: &&Note| if note.object.is_empty() { note.root.clone() } else { note.object.clone() };
        let others: Vec<String> =
            others.iter().map(|note| format!("{} {}: {}", note.code, named(note), note.message)).collect();
        if self.json.is_asked() {
            let objects = done.objects.iter().map(|(object, fate)| match fate {
                Fate::Healed => json!({ "object": object, "healed": true }),
                Fate::Left(why) => json!({ "object": object, "healed": false, "why": why }),
            });
            let objects: Vec<_> = objects.collect();
            let (dry_run, shut, more) = (self.dry_run, done.shut, done.more);
            let report = json!({
                "schema": 1, "dry_run": dry_run, "objects": objects, "others": others, "shut": shut, "more": more
            });
            out::document(report)?;
            return Ok(exit);
        }
        // What was damaged is told however quiet the run, and that nothing was is not.
        let tell = |line: String| {
            if !self.talk.quiet {
                return out::print(&format!("{line}\n"));
            }
            out::say(&line);
            Ok(())
        };
        let would = if self.dry_run { "would be healed" } else { "healed" };
        for (object, fate) in &done.objects {
            match fate {
                Fate::Healed => tell(format!("{would}: {object}"))?,
                Fate::Left(why) => out::say(&format!("highwater: cannot be healed: {object}: {why}")),
            }
        }
        others.iter().for_each(|other| out::say(&format!("highwater: {other}")));
        if !self.talk.quiet {
            out::print(&format!("objects {would}: {healed}; left as they are: {left}\n"))?;
        }
        if done.more > 0 {
            let more = thousands(done.more);
            let next = match healed {
                _ if self.dry_run => "they were not looked for",
                0 => "they were not looked for, as nothing before them is whole in the other: heal from another one",
                _ => "they are another run's: heal again",
            };
            out::say(&format!("highwater: {more} more claims do not hold; {next}"));
        }
        if done.shut > 0 {
            let whole = if exit == Exit::Sound && !self.dry_run { "all else is whole; " } else { "" };
            out::say(&format!(
                "highwater: {whole}of {} encrypted objects only the checksums were judged: --keyfile judges their \
                 bytes",
                thousands(done.shut)
            ));
        }
        if exit != Exit::Sound {
            out::say("highwater: not everything is whole; `highwater verify` says more");
        }
        Ok(exit)
    }
}
