//! Which data files a state needs, as the original finds them: by the order of their names alone.

use highwater_core::formats::repozo::names::{DataFile, Kind, Role};

use super::options::Options;
use crate::clock;
use crate::error::Error;
use crate::shown::shown;
use crate::store::{Files, Links, Locks, Store};
use crate::watch::Watch;

/// Opens a repository. Where there are no locks, it goes without, as the original does. The original follows every
/// link, and root copies what somebody else's link leads to; here that has to be asked for.
pub(super) fn open(options: &Options) -> Result<Files, Error> {
    let (path, links) = (&options.repository, if options.follow_links { Links::Followed } else { Links::Beneath });
    let files = Files::open(path, links).map_err(Error::io("list", path))?;
    Ok(files.with_locks(Locks::Wanted))
}

/// The newest full backup whose stamp sorts at or before `when` (none: now), and the increments after it, in order.
pub(super) fn find(repository: &dyn Store, when: Option<&str>, watch: &Watch<'_>) -> Result<Vec<String>, Error> {
    let now = clock::stamp()?;
    let when = when.unwrap_or(&now);
    watch.note(format!("looking for files between last full backup and {when}..."));
    let mut all = all(repository)?;
    all.sort_unstable_by(|a, b| b.cmp(a));
    let mut needed = Vec::new();
    for name in all {
        let Some(data) = DataFile::parse(name.as_bytes()).filter(|data| data.stem <= when) else { continue };
        let full = data.kind == Kind::Full;
        needed.push(name);
        if full {
            break;
        }
    }
    needed.reverse();
    if needed.is_empty() {
        watch.note("no files found");
    } else {
        watch.note(format!("files needed to recover state as of {when}:"));
        needed.iter().for_each(|name| watch.note(format!("\t{}", shown(repository.told(None).join(name)))));
    }
    Ok(needed)
}

/// Says that a backup is newer than now, if no date is named: the original passes over it without a word.
pub(super) fn notice_newer(repository: &dyn Store, when: Option<&str>, watch: &Watch<'_>) -> Result<(), Error> {
    let now = clock::stamp()?;
    let newer = all(repository)?.into_iter().filter(|name| when.is_none() && stem(name) > now.as_str()).max();
    if let Some(newer) = newer {
        watch.notice(format!(
            "{} is newer than now ({now}) and was passed over: set the clock right, or name it with -D {}",
            shown(repository.told(None).join(&newer)),
            stem(&newer)
        ));
    }
    Ok(())
}

/// Every data file.
fn all(repository: &dyn Store) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    let add = &mut |entry: highwater_core::inspect::Entry| {
        all.extend(entry.name.as_str().filter(|name| DataFile::parse(name.as_bytes()).is_some()).map(str::to_owned));
    };
    repository.list(None, add).map_err(Error::of_folder("list", repository, None))?;
    Ok(all)
}

/// The stem of a data file's name.
pub(super) fn stem(name: &str) -> &str {
    DataFile::parse(name.as_bytes()).map_or("", |data| data.stem)
}

/// The first of `files`, which were found for `when`, must be a full backup: the original would put increments together
/// without one. And no index may be of a newer one, which is lost: the original would give the chain before it.
pub(super) fn begins_with_full(repository: &dyn Store, files: &[String], when: Option<&str>) -> Result<(), Error> {
    let first = files.first().map_or("", String::as_str);
    if DataFile::parse(first.as_bytes()).is_none_or(|data| data.kind != Kind::Full) {
        let first = repository.told(None).join(first);
        return Err(Error::damage(format!(
            "{} is an increment and no full backup lies before it: bring the full backup back from another copy",
            shown(&first)
        )));
    }
    let now = clock::stamp()?;
    let (chain, when) = (stem(first), when.unwrap_or(&now));
    let mut lost: Option<String> = None;
    let add = &mut |entry: highwater_core::inspect::Entry| {
        if let Role::Dat(stem) = Role::of(&entry.name)
            && (chain < stem && stem <= when)
        {
            lost = lost.take().max(Some(stem.to_owned()));
        }
    };
    repository.list(None, add).map_err(Error::of_folder("list", repository, None))?;
    match (lost, files.last()) {
        (Some(lost), Some(last)) => Err(Error::damage(format!(
            "{} is the index of a full backup that is not there: bring it back from another copy; -R -D {} gives what \
             is older",
            shown(repository.told(None).join(format!("{lost}.dat"))),
            stem(last)
        ))),
        _ => Ok(()),
    }
}
