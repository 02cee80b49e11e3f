//! `Alone`: the target and what an interrupted restore left beside it, held before anything is touched, so that no
//! other restore writes the same target.
//!
//! Whoever restores holds the file that has the target's name, if one has, and the work file that is to take it. A run
//! that finds another's held gives way before it has changed anything.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use highwater_core::name::{Name, NameError};

use crate::disk::{self, Disk, Draft, Inode, Lasts, Leftover, Look, What, Writable, look_at};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::watch::Watch;

/// The ending of the work file of a full restore.
pub(super) const PART: &str = ".part";

/// That of one for which a restore in place gave the old target up: it may be the old target itself.
pub(super) const GIVEN_UP: &str = ".old.part";

/// How often the target is looked up anew when others replace it under our hands.
const PATIENCE: usize = 16;

/// How long a run waits for another that began at the same moment and gives way.
const WAITS: u32 = 50;
const WAIT: Duration = Duration::from_millis(20);

/// A target that no other restore writes.
pub(super) struct Alone {
    /// The file that has its name, if one has.
    pub(super) old: Option<Old>,
    /// What earlier runs left that can be taken up.
    left: Vec<(Name, Box<dyn Writable>)>,
    /// What they left that only has to go: it belongs to the target's owner already.
    given: Vec<Name>,
    /// A run in place gave the target up, and may have left something.
    given_up: bool,
}

/// The file that has the target's name.
pub(super) struct Old {
    /// It, held.
    pub(super) file: Arc<dyn Writable>,
    /// What it was when it was taken.
    pub(super) look: Look,
}

impl Alone {
    /// Takes the target for this process. In a dry run it is only looked at.
    pub(super) fn take(to: &dyn Disk, target: &Name, dry_run: bool, watch: &Watch<'_>) -> Result<Self, Error> {
        let old = old(to, target, dry_run)?;
        let (mut left, mut given, mut given_up) = (Vec::new(), Vec::new(), false);
        for name in parts(to, target)? {
            given_up |= was_target(&name, target);
            match look_at(to, &name).map_err(Error::at("look at", to, &name))? {
                Leftover::Gone => {}
                Leftover::Busy => return Err(busy(to, target)),
                Leftover::Foreign(why) => {
                    let path = quoted(&to.told(Some(&name)));
                    watch.notice(format!(
                        "{path} looks like what an interrupted restore left, but {why}: it is left alone"
                    ));
                }
                Leftover::Ours(file) => left.push((name, file)),
                Leftover::Given => given.push(name),
            }
        }
        Ok(Self { old, left, given, given_up })
    }

    /// The work file of a full restore, held: one that an earlier run left, or a new one, whose name ends so. Says
    /// which. Others that were left go.
    pub(super) fn part<'a>(
        &mut self,
        to: &'a dyn Disk,
        target: &Name,
        ending: &str,
        watch: &Watch<'_>,
    ) -> Result<(Draft<'a>, bool), Error> {
        // The longest has the most to take up.
        let longest = |(_, file): &(Name, Box<dyn Writable>)| file.length().unwrap_or(0);
        self.left.sort_by_key(longest);
        let taken = self.left.pop();
        let (draft, resumed) = match taken {
            // From here on its name says for what it stands.
            Some((name, file)) if ending == GIVEN_UP && !was_target(&name, target) => {
                let renamed = Draft::from_file(to, (&name, file), target, ending);
                (renamed.map_err(Error::at("rename", to, &name))?, true)
            }
            Some((name, file)) => {
                (Draft::taken_up(to, name.clone(), file, Lasts::Yes).map_err(Error::at("look at", to, &name))?, true)
            }
            None => (Draft::of(to, target, ending).map_err(Error::at("create a work file for", to, target))?, false),
        };
        // One that gives way goes again; from here on it stays for the next run.
        give_way(to, target, &draft, &self.left)?;
        let draft = draft.lasting();
        if self.has_left() {
            // That a run was interrupted must stay known until this one has ended.
            to.sync_folder(None).map_err(Error::of_folder("sync", to, None))?;
            self.clear(to, watch)?;
        }
        Ok((draft, resumed))
    }

    /// Makes the old target the work file: it has its name no more.
    pub(super) fn reuse<'a>(to: &'a dyn Disk, target: &Name, file: Box<dyn Writable>) -> Result<Draft<'a>, Error> {
        Draft::from_file(to, (target, file), target, GIVEN_UP).map_err(Error::at("rename", to, target))
    }

    /// Whether an earlier run left anything.
    pub(super) fn has_left(&self) -> bool {
        self.has_part() || !self.given.is_empty()
    }

    /// Whether a run in place that did not come to its end gave the target up.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Whether an earlier run left something to go on with.
    pub(super) fn has_part(&self) -> bool {
        !self.left.is_empty()
    }

    /// How many bytes the file system keeps for the largest of what can be taken up.
    pub(super) fn stored(&self) -> io::Result<u64> {
        let looks = self.left.iter().map(|(_, file)| Inode::look(&**file));
        looks.map(|look| look.map(|look| look.stored)).try_fold(0, |most, stored| Ok(stored?.max(most)))
    }

    /// Removes what earlier runs left, and says so.
    pub(super) fn clear(&mut self, to: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
        for name in self.left.drain(..).map(|(name, _)| name).chain(self.given.drain(..)) {
            to.remove(&name).map_err(Error::at("remove", to, &name))?;
            watch.notice(format!("removed {}, the work file of an interrupted restore", quoted(&to.told(Some(&name)))));
        }
        Ok(())
    }
}

impl Old {
    /// Opens it for writing.
    pub(super) fn open(&self, to: &dyn Disk, target: &Name) -> Result<Box<dyn Writable>, Error> {
        let file = to.open_for_writing(target).map_err(Error::at("open for writing", to, target))?;
        let identity = Inode::look(&*file).map_err(Error::at("look at", to, target))?.identity;
        still(to, target, self.look.identity == identity)?;
        Ok(file)
    }

    /// It still has the target's name.
    pub(super) fn is_still(&self, to: &dyn Disk, target: &Name) -> Result<(), Error> {
        let now = to.look(Some(target)).map_err(Error::at("look at", to, target))?;
        still(to, target, now.is_some_and(|now| now.identity == self.look.identity))
    }
}

/// Says that somebody else wrote in the target's folder, unless all is as it should be.
pub(super) fn still(to: &dyn Disk, target: &Name, is: bool) -> Result<(), Error> {
    if is {
        return Ok(());
    }
    let what = format!("somebody else replaced {} while it was being restored", quoted(&to.told(Some(target))));
    Err(Error::failed(format!("{what}; look who writes there, and restore again")))
}

/// Takes the file that has the target's name.
fn old(to: &dyn Disk, target: &Name, dry_run: bool) -> Result<Option<Old>, Error> {
    for _ in 0..PATIENCE {
        let file = match to.open_to_hold(target) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::at("open the target", to, target)(error)),
        };
        let held =
            dry_run || disk::hold_file(to, &*file).map_err(|error| lock::cannot(to, Some(target), "lock", &error))?;
        if !held {
            return Err(busy(to, target));
        }
        let look = Inode::look(&*file).map_err(Error::at("look at", to, target))?;
        // A run that has just ended may have put another file there.
        let there = to.look(Some(target)).map_err(Error::at("look at", to, target))?;
        if there.is_some_and(|there| there.identity == look.identity && there.what == What::File) {
            return Ok(Some(Old { file: Arc::from(file), look }));
        }
    }
    Err(Error::cannot_start(format!("{} is being replaced all the time", quoted(&to.told(Some(target))))))
}

/// Gives way to another run that has begun before, or at the same moment under a smaller name.
/// What was left and is held already is no other run's.
fn give_way(to: &dyn Disk, target: &Name, draft: &Draft<'_>, left: &[(Name, Box<dyn Writable>)]) -> Result<(), Error> {
    let is_ours = |name: &Name| name == draft.work() || left.iter().any(|(left, _)| left == name);
    for _ in 0..WAITS {
        let mut others = Vec::new();
        for name in parts(to, target)?.into_iter().filter(|name| !is_ours(name)) {
            if let Leftover::Busy = look_at(to, &name).map_err(Error::at("look at", to, &name))? {
                others.push(name);
            }
        }
        if others.is_empty() {
            return Ok(());
        }
        // Of two that began together, the larger sees the smaller and goes; so the smaller waits a moment.
        if others.iter().any(|other| other < draft.work()) {
            break;
        }
        thread::sleep(WAIT);
    }
    Err(busy(to, target))
}

/// What may be the work file of a restore to this target: one that is being written, was killed, or was given up.
fn parts(to: &dyn Disk, target: &Name) -> Result<Vec<Name>, Error> {
    let mut found = Vec::new();
    let listed = to.list(None, &mut |entry| found.extend(Some(entry.name).filter(|name| is_part(name, target))));
    listed.map_err(Error::of_folder("list", to, None))?;
    Ok(found)
}

/// The name of what a restore leaves that could not be brought to its end.
pub(super) fn part_of(target: &Name) -> Result<Name, NameError> {
    Name::new(&[target.as_bytes(), PART.as_bytes()].concat())
}

fn is_part(name: &Name, target: &Name) -> bool {
    let given_up = name.as_bytes().strip_suffix(PART.as_bytes()) == Some(target.last());
    given_up || disk::is_draft(name.as_bytes(), target, PART) || was_target(name, target)
}

/// Whether a target was given up for the work file of this name, in place.
pub(super) fn was_target(name: &Name, target: &Name) -> bool {
    disk::is_draft(name.as_bytes(), target, GIVEN_UP)
}

fn busy(to: &dyn Disk, target: &Name) -> Error {
    Error::cannot_start(format!(
        "another restore is writing {}; wait for it, or end it",
        quoted(&to.told(Some(target)))
    ))
}
