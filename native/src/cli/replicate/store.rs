//! `highwater replicate --checkpoint`: a replica of a live store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::Replicate;
use crate::cli::exit::Exit;
use crate::cli::options::of_kind::Given as _;
use crate::cli::repository::{open_to_write, ssh_to, usage};
use crate::cli::{out, progress};
use crate::disk::Disk;
use crate::error::Error;
use crate::live::{Count, Fleeting};
use crate::replicate::{Checkpoint, Here, StoreOptions, StoreSummary, There, replicate_store};
use crate::shown::{quoted, shown};
use crate::store::{Asks, Files, Links, Scheme, Store, parted_folder};

impl Replicate {
    /// Brings a replica of a live store up to date.
    pub(super) fn store(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let alone = [
            (self.delete.is_some(), "--delete", "a replica of a live store has one state, and no points"),
            (self.dry_run, "--dry-run", "a checkpoint is written beside the store"),
            (!self.keys.given().is_empty(), "--keyfile", "a live store is copied as it is"),
        ];
        if let Some((_, option, why)) = alone.iter().find(|(is, ..)| *is) {
            return Err(usage(format!("{option} and --checkpoint do not go together: {why}")));
        }
        if let Some(far) = Scheme::of(&self.dest) {
            let dest = quoted(&self.dest);
            return Err(usage(format!("{dest} {}, and a live store is copied into a folder", far.lies())));
        }
        let place = self.place.as_deref();
        let dest = std::path::absolute(&self.dest).map_err(Error::io("find", &self.dest))?;
        let (around, name) = parted_folder(&dest)?;
        let disk = open_to_write(&around, self.root.following, self.writing)?;
        let of = match Scheme::of(&self.source) {
            None => std::fs::canonicalize(&self.source).map_err(Error::io("find", &self.source))?,
            Some(_) => self.source.clone(),
        };
        self.apart(&disk, &dest)?;
        let job = StoreOptions { of: &of.to_string_lossy(), check: self.check, related: self.related };
        let watch = self.talk.watch(stop);
        let kind = self.root.kind.as_deref();
        let make = || -> Result<Box<dyn Checkpoint>, Error> {
            match Scheme::of(&self.source) {
                None => {
                    let made = Fleeting::at(&self.source, place, kind, &watch)?;
                    Ok(Box::new(Here::new(made, quoted(&self.source))))
                }
                Some(Scheme::Ssh) => {
                    let ssh = ssh_to(&self.source, Asks::Checkpoint(place), &self.root, stop)?;
                    let made = ssh.make_checkpoint(kind, &watch)?;
                    Ok(Box::new(There::new(ssh, made)))
                }
                Some(far) => {
                    let source = quoted(&self.source);
                    Err(usage(format!("{source} {}, where no program keeps a live store", far.lies())))
                }
            }
        };
        let done = progress::with(&format!("copying {}", shown(&self.source)), self.talk.quiet, &watch, || {
            replicate_store(&job, (&disk, &name), make, &watch)
        });
        out::shortcomings(&disk);
        let done = done?;
        if self.json.is_asked() {
            out::document(self.store_document(&done))?;
        } else {
            self.tell_of_store(&done)?;
        }
        Ok(Exit::Sound)
    }

    /// The replica and the store do not lie in each other.
    fn apart(&self, around: &dyn Disk, dest: &Path) -> Result<(), Error> {
        if Scheme::of(&self.source).is_some() {
            return Ok(());
        }
        let open = |path| Files::open(path, Links::Followed).ok();
        let within = |inner: &dyn Store, outer: &dyn Store| {
            let outer = outer.identity(None);
            outer.is_some_and(|outer| inner.around().is_ok_and(|around| around.contains(&outer)))
        };
        let Some(store) = open(&self.source) else { return Ok(()) };
        let is_in = within(around.as_store(), &store) || open(dest).is_some_and(|dest| within(&store, &dest));
        if is_in {
            let (store, dest) = (quoted(&self.source), quoted(&self.dest));
            return Err(Error::cannot_start(format!("{store} and {dest} lie in each other, or are the same folder")));
        }
        Ok(())
    }

    fn tell_of_store(&self, done: &StoreSummary) -> Result<(), Error> {
        for note in &done.notes {
            out::say(&format!("highwater: {note}"));
        }
        if self.talk.quiet {
            return Ok(());
        }
        let files = |count: Count| {
            let files = if count.files == 1 { "file" } else { "files" };
            format!("{} {files} of {}", thousands(count.files), bytes(count.bytes))
        };
        let up_to = if done.position.is_empty() { String::new() } else { format!(", up to {}", done.position) };
        let judged = if done.judged { "its own digests were compared" } else { "it keeps no digests to compare" };
        out::print(&format!(
            "{} is a replica of the {} store{up_to}: copied {}, had {}; {judged}\n",
            quoted(&self.dest),
            done.kind,
            files(done.copied),
            files(done.had)
        ))
    }

    fn store_document(&self, done: &StoreSummary) -> Value {
        let count = |count: Count| json!({ "files": count.files, "bytes": count.bytes });
        let shown = |path: &PathBuf| printable(path.as_os_str().as_encoded_bytes());
        json!({
            "schema": 1,
            "store": shown(&self.source),
            "replica": shown(&self.dest),
            "kind": done.kind,
            "position": done.position,
            "copied": count(done.copied),
            "had": count(done.had),
            "judged": done.judged,
            "notes": done.notes,
        })
    }
}
