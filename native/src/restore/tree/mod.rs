//! A tree: many files below a folder, restored so that the old folder stays until the new one is whole.
//!
//! The new tree grows in a folder beside the target that nobody else may enter. Of what the old tree holds, files that
//! are right come over by a second name (`there`), without a byte being copied; all others are written and checked in
//! lanes (`write`), many at a time. Then come hard links and symbolic links, and what the file system keeps of each
//! entry, from the leaves up, so that no folder's time changes after it was set (`meta`). When all of it is durable,
//! the two folders exchange their names in one step, and the old one goes.
//!
//! Claims and files have their places in one space of addresses. Files with claims of their own lie there one after
//! another; files that are parts of a stream lie in it, and one claim may be on bytes of several. What is there of
//! those is compared byte by byte with what the repository has (`compare`).
//!
//! Everything that an index says of the tree is laid out first (`plan`): an entry below what is no folder, two entries
//! of one name, bytes that overlap or are missing end a restore before it begins. No name leads out of the folder, and
//! no link is followed.

mod alone;
mod change;
mod compare;
mod draft;
mod meta;
mod narrow;
mod plan;
mod there;
mod write;

use highwater_core::claim::Claim;
use highwater_core::name::Name;
use highwater_core::render::{bytes, thousands};
use rayon::prelude::*;

pub use alone::file_to_stream;
pub use change::Change;
pub use plan::TreePlan;

use self::draft::TreeDraft;
use self::meta::Unrecorded;
use self::plan::File;
pub(crate) use self::plan::{Entry, Is};
use self::there::{There, what_is_there};
use super::target::refuse_inside;
use super::{How, Look, ready};
use crate::disk::{Room, What};
use crate::error::{Class, Error};
use crate::shown::quoted;

/// How to restore a tree.
#[derive(Debug, Clone, Copy, Default)]
pub struct TreeOptions {
    /// Give up what is in the target and not in the point.
    pub full: bool,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
}

/// What a restore of a tree did, or in a dry run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeSummary {
    /// The point restored.
    pub point: String,
    /// How: [`How::Nothing`], [`How::Appended`] to what was there, or [`How::Full`].
    pub how: How,
    /// Files of the tree, each counted once whatever names it has.
    pub files: u64,
    /// Those of them that were there and right.
    pub kept: u64,
    /// Bytes written.
    pub written: u64,
    /// Entries that were in the target and not in the point, and are gone.
    pub given_up: u64,
    /// Entries that did not get all of the owner, permissions and time on record: as a rule, only root may give files
    /// away.
    pub ours: u64,
    /// Where nothing was done: what would be, by path.
    pub changes: Vec<(Name, Change)>,
}

/// One restore of a tree.
pub type Run<'a> = super::Run<'a, TreeOptions, TreePlan>;

/// Restores to the folder that is the target.
///
/// # Errors
/// Whatever stands in the way; the target is then as it was.
pub fn to_folder(run: &Run<'_>) -> Result<TreeSummary, Error> {
    let Run { job, plan, watch, .. } = *run;
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    draft::tell_leftovers(run)?;
    let mut there = refuse_what_is_no_target(run)?.then(|| what_is_there(run)).transpose()?;
    if let Some(there) = &there {
        there.refuse_foreign(run)?;
    }
    // A run that changes nothing looks at the files where they are; any other takes them over first, and then looks.
    let mut draft = None;
    if let Some(there) = &mut there {
        if job.dry_run {
            there.look_in_place(run)?;
        } else {
            there.take_over(run, draft.insert(TreeDraft::with_folders(run)?))?;
        }
        there.refuse_foreign(run)?;
        if there.is_all(run) {
            return Ok(summary(run, Some(there), 0));
        }
    }
    let is_kept = |path: &Name| there.as_ref().is_some_and(|there| there.kept.contains(path));
    let missing: Vec<_> = plan.files().filter(|(path, _)| !is_kept(path)).collect();
    look_ahead(run, &missing)?;
    if job.dry_run {
        return Ok(summary(run, there.as_ref(), 0));
    }
    let draft = draft.map_or_else(|| TreeDraft::with_folders(run), Ok)?;
    let around = run.to.look(run.target.folder().as_ref());
    let around = around.map_err(Error::of_folder("look at", run.to, run.target.folder().as_ref()))?;
    let new = around.map(|around| Unrecorded::within(around.owner, run.to.user())).unwrap_or_default();
    let unrecorded = there.as_ref().map_or(&new, |there| &there.unrecorded);
    let mut ours = write::files(run, &draft, &missing, unrecorded)? + draft.finish(&is_kept, unrecorded)?;
    ours += u64::from(!draft.publish(there.as_ref(), unrecorded)?);
    Ok(summary(run, there.as_ref(), ours))
}

/// What was done, or would be, when `there` was there.
fn summary(run: &Run<'_>, there: Option<&There<'_>>, ours: u64) -> TreeSummary {
    let Run { plan, watch, .. } = *run;
    let how = match there {
        None => How::Full,
        Some(there) if there.is_all(run) => How::Nothing,
        Some(there) if there.foreign.count == 0 => How::Appended,
        Some(_) => How::Full,
    };
    if ours > 0 {
        watch.notice(format!(
            "{} entries did not get all of the owner, permissions and time on record: only root may give files to others, \
             and not every file system keeps these; look who must read them",
            thousands(ours)
        ));
    }
    TreeSummary {
        point: plan.point.clone(),
        how,
        files: plan.files().count() as u64,
        kept: there.map_or(0, |there| there.kept.len() as u64),
        written: to_write(plan, there),
        given_up: there.map_or(0, |there| there.foreign.count),
        ours,
        changes: if run.job.dry_run { change::changes(plan, there) } else { Vec::new() },
    }
}

/// Bytes that are not there.
fn to_write(plan: &TreePlan, there: Option<&There<'_>>) -> u64 {
    let missing = plan.files().filter(|(path, _)| there.is_none_or(|there| !there.kept.contains(*path)));
    missing.map(|(_, file)| file.length()).sum()
}

/// Looks before the first write whether everything is there that will be read, and room for it.
fn look_ahead(run: &Run<'_>, missing: &[(&Name, &File)]) -> Result<(), Error> {
    let Run { plan, from, watch, .. } = *run;
    let claims: Vec<&Claim> = plan.claims_on(missing.iter().map(|(_, file)| *file));
    let look = |claim: &&Claim| ready::object(from, (claim, plan.key.as_ref()), Look::Length, watch).err();
    // The first of several, so that the same damage gives the same sentence.
    claims.par_iter().find_map_first(look).map_or(Ok(()), Err)?;
    room(run, missing.iter().map(|(_, file)| file.length()).sum())
}

/// Looks whether there is room for so many bytes.
fn room(run: &Run<'_>, wanted: u64) -> Result<(), Error> {
    let found = run.to.room().map_err(Error::of_folder("look at the room in", run.to, None))?;
    let Some(Room { free, shares, .. }) = found.filter(|room| room.free < wanted) else { return Ok(()) };
    let path = quoted(&run.to.told(Some(run.target)));
    let what =
        format!("there is no room for {path}: {} are to be written, {} are free there", bytes(wanted), bytes(free));
    if shares {
        run.watch.notice(format!("{what}; it is tried, as that file system may store less than it is given"));
        return Ok(());
    }
    Err(Error::cannot_start(format!("{what}; make room, or restore to another place")))
}

/// Refuses targets that are no folder or lie in the repository, and the repository itself. Says whether a folder is
/// there.
fn refuse_what_is_no_target(run: &Run<'_>) -> Result<bool, Error> {
    let Run { from, to, target, .. } = *run;
    let path = quoted(&to.told(Some(target)));
    let repository = refuse_inside(from, to, target)?;
    let Some(look) = to.look(Some(target)).map_err(Error::at("look at", to, target))? else { return Ok(false) };
    match look.what {
        What::Link => {
            let leads = quoted(&to.leads_to(target).unwrap_or_default());
            Err(Error::cannot_start(format!("{path} is a link to {leads}; name the folder itself")))
        }
        What::Folder if repository.contains(&look.identity) => {
            let what = format!("the repository lies in {path}, which would be replaced; name another place");
            Err(Error::cannot_start(what))
        }
        What::Folder
            if !to.moves(Some(target), target.folder().as_ref()).map_err(Error::at("look at", to, target))? =>
        {
            let what = format!("{path} is a mount point, which cannot be exchanged; name a folder in it");
            Err(Error::cannot_start(what))
        }
        What::Folder => Ok(true),
        What::File | What::Block | What::Other => {
            let what = format!("{path} is no folder, and a tree is restored to one; name another target");
            Err(Error::Refused { class: Class::CannotStart, what })
        }
    }
}
