//! `highwater backup` of a folder into a set of points.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::formats::tree::{Tree, names};
use highwater_core::inspect::Format;
use highwater_core::name::WORK;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::Backup;
use crate::backup::tree::{TreeMade, TreeOptions, backup};
use crate::cli::exit::Exit;
use crate::cli::options::Root;
use crate::cli::options::kinds::{Kind, TREE};
use crate::cli::options::of_kind::Group;
use crate::cli::repository::{kind_of, open_target, part_of, usage};
use crate::cli::{out, progress};
use crate::disk::Disk;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Bucket, Files, Links};

/// How a set of points is written.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Files that nobody may write (mode a-w), and those that their store never changes, become objects by a hard link
    /// and are not copied. What happens to such a file then happens to the backup: keep another one elsewhere. One that
    /// more people could read in the set is copied all the same.
    #[arg(long)]
    link: bool,
}

impl Group for Options {
    const KIND: &'static Kind = &TREE;
}

impl Backup {
    /// Backs up into a set of points.
    pub(super) fn back_up_to_tree(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let opened = |path, links| {
            Files::open(path, links)
                .map_err(|error| Error::cannot_start(format!("cannot open {}: {error}", quoted(path))))
        };
        let set = open_target(&self.repository, self.following, self.writing, self.bandwidth, stop)?;
        self.is_set(&*set)?;
        // Objects of a bucket have one root: it knows what this run made.
        let again: Arc<dyn Disk> = match Bucket::is_named(&self.repository) {
            true => Arc::clone(&set),
            false => Arc::new(opened(&self.repository, self.following.links())?),
        };
        let watch = self.talk.watch(stop);
        let mut source = self.tree_source(opened(&self.source, Links::Beneath)?, again, &watch)?;
        let job = TreeOptions { dry_run: self.dry_run, link: self.tree.link, now: None };
        let made = progress::with("backing up", self.talk.quiet, &watch, || backup(&job, &mut *source, &*set, &watch));
        out::shortcomings(&*set);
        let made = made?;
        made.notes.iter().for_each(|note| watch.notice(note.clone()));
        for what in &made.left_out {
            watch.notice(format!("left out: {what}"));
        }
        for name in &made.changed {
            watch.notice(format!("'{name}' changed while it was read, each time: it is kept as it was found"));
        }
        self.tell(&Tree, document(&made), &line(&made, self.dry_run))?;
        if let Some(why) = &made.still_frozen {
            watch.notice(format!("the point is whole, but not all is as it was: {why}"));
        }
        let is_all = made.left_out.is_empty() && made.changed.is_empty() && made.still_frozen.is_none();
        Ok(if is_all { Exit::Sound } else { Exit::Inconclusive })
    }

    /// Refuses a folder that is of another kind, or holds something else. An empty one may become a set.
    fn is_set(&self, set: &dyn Disk) -> Result<(), Error> {
        let path = quoted(&self.repository);
        match kind_of(set.as_store(), &Root::default()) {
            Ok(format) if format.facts().name == Tree.facts().name => Ok(()),
            Ok(format) => Err(usage(format!(
                "{path} is a {}, and {} is a folder: a folder is backed up into a set of points, as in: highwater backup \
                 FOLDER SET",
                format.facts().name,
                quoted(&self.source)
            ))),
            Err(error) => {
                let mut is_empty = true;
                set.list(None, &mut |entry| {
                    // What a run begins with that was ended early.
                    let own = [names::LOCK, names::OBJECTS, names::POINTS, names::KNOWN].map(str::as_bytes);
                    let name = entry.name.as_bytes();
                    is_empty &= own.contains(&name) || name.starts_with(WORK.as_bytes()) || name == b"lost+found";
                })
                .map_err(|_| error)?;
                match part_of(&self.repository) {
                    Some(part) => Err(usage(format!("{path} is no set of its own: {part}"))),
                    None if is_empty => Ok(()),
                    None => {
                        Err(usage(format!("{path} holds something else; name a set of points, or an empty folder")))
                    }
                }
            }
        }
    }
}

/// What a backup came to, as `--json` writes it.
fn document(made: &TreeMade) -> Value {
    let count = |(number, bytes): (u64, u64)| json!({ "count": number, "bytes": bytes });
    let changed: Vec<String> = made.changed.iter().map(ToString::to_string).collect();
    json!({
        "point": made.point, "position": made.position, "entries": made.entries, "bytes": made.bytes,
        "new": count(made.new), "read": count(made.read), "left_out": made.left_out, "changed": changed,
        "notes": made.notes, "still_frozen": made.still_frozen,
    })
}

/// What a backup came to.
fn line(made: &TreeMade, dry_run: bool) -> String {
    let ((count, length), (read, read_bytes)) = (made.new, made.read);
    let would = if dry_run { "would make" } else { "made" };
    let at = made.position.as_ref().map(|position| format!(" at {position}")).unwrap_or_default();
    format!(
        "{would} point {}{at}: {} entries, {}; {} new in {} objects, {} read of {} files\n",
        made.point,
        thousands(made.entries),
        bytes(made.bytes),
        bytes(length),
        thousands(count),
        bytes(read_bytes),
        thousands(read)
    )
}
