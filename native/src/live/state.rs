//! `catch`: a state of a live store that is read and let go of again, as a backup does: nothing of it is made durable.

use std::collections::{HashMap, HashSet};

use highwater_core::name::Name;

use super::capture::{Captured, Job, capture};
use super::{CheckpointSummary, LiveOptions, adapter_of, held};
use crate::disk::like::Like;
use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::watch::Watch;

/// A state of a live store.
pub struct State {
    /// How it was come by.
    pub summary: CheckpointSummary,
    /// What files are known by that never change: under one name and one of these there are the same bytes for ever.
    pub tokens: HashMap<Name, String>,
    /// Whether nobody writes a file in place, by its name in the store.
    pub is_settled: fn(&Name) -> bool,
}

/// Catches a state of the store `from`, of this kind or of that which its files tell, which lies in the folder
/// `beside`, in the empty folder `inside`, which becomes like the store's.
///
/// # Errors
/// As [`checkpoint`](super::checkpoint).
pub fn catch(
    from: &dyn Disk,
    beside: Option<&dyn Disk>,
    inside: &dyn Disk,
    kind: Option<&str>,
    watch: &Watch<'_>,
) -> Result<State, Error> {
    let mut adapter = adapter_of(from, kind)?;
    let notes = adapter.look(from)?;
    let options = LiveOptions::default();
    let job = Job { from, beside, inside, options: &options, watch };
    let mut captured = held::watching(from, adapter.passing(), |held, fresh, end| {
        let captured = capture(&job, &mut *adapter, (held, fresh));
        end();
        captured
    })?;
    captured.summary.notes.splice(0..0, notes);
    let is_settled = adapter.settled();
    let tokens = tokens(&job, &captured, is_settled)?;
    give_times(&job, &captured)?;
    Ok(State { summary: captured.summary, tokens, is_settled })
}

/// What the files are known by that never change.
///
/// A number of a table may come again when its store is brought back from a backup and goes on from there, and a digest
/// that nobody has compared may be that of other bytes. So a file that is linked is known by what its file system says
/// of it as well, but for the time of its last change, which is that of the link. One that was copied has been compared
/// with the digest that the store keeps of it, if it keeps one.
fn tokens(job: &Job<'_>, captured: &Captured, is_settled: fn(&Name) -> bool) -> Result<HashMap<Name, String>, Error> {
    let written: HashSet<&Name> = captured.unsynced.iter().collect();
    let digests: HashMap<&Name, String> =
        captured.named.iter().filter_map(|named| Some((&named.name, format!("digest:{}", named.digest?)))).collect();
    let mut tokens = HashMap::new();
    for name in captured.files.keys().filter(|name| is_settled(name)) {
        let digest = digests.get(name);
        let token = if written.contains(name) {
            digest.cloned()
        } else {
            let look = job.inside.look(Some(name)).map_err(Error::at("look at", job.inside, name))?;
            look.map(|Look { length, modified: (seconds, nanoseconds), identity: (_, inode), .. }| {
                let file = format!("file:{length}:{seconds}.{nanoseconds:09}:{inode}");
                digest.map_or(file.clone(), |digest| format!("{digest}:{file}"))
            })
        };
        tokens.extend(token.map(|token| (name.clone(), token)));
    }
    Ok(tokens)
}

/// Gives what was written, and the folders, the times of what they are copies of; the folders, what else those have,
/// too.
fn give_times(job: &Job<'_>, captured: &Captured) -> Result<(), Error> {
    let Job { from, inside, .. } = *job;
    let look = |name: Option<&Name>, what| {
        let look = from.look(name).map_err(Error::of_folder("look at", from, name))?;
        Ok::<_, Error>(look.filter(|look| look.what == what))
    };
    for name in &captured.unsynced {
        // What is gone by now has the time at which it was copied.
        let Some(look) = look(Some(name), What::File)? else { continue };
        let given = inside.open_to_hold(name).and_then(|file| file.set_modified(look.modified));
        given.map_err(Error::at("set the time of", inside, name))?;
    }
    let top = look(None, What::Folder)?.ok_or_else(|| Error::failed("the store is gone"))?;
    for name in captured.folders.iter().rev() {
        let look = look(Some(name), What::Folder)?.unwrap_or(top);
        let folder = inside.open_folder(name).map_err(Error::at("open", inside, name))?;
        let given = Like::of(&look).give(&*folder).and_then(|given| folder.set_modified(look.modified).map(|()| given));
        _ = given.map_err(Error::at("set", inside, name))?;
    }
    Ok(())
}
