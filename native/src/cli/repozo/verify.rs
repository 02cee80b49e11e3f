//! `-V`: every file that the newest chain's index names, and that the index names every file.

use highwater_core::formats::repozo::Repozo;
use highwater_core::report::Depth;
use rayon::prelude::*;

use super::files;
use super::options::Options;
use super::recover::{lines, newest_listed, unnamed};
use crate::drive::{check_bytes, fits};
use crate::error::Error;
use crate::restore::{Asked, Plan, damaged};
use crate::shown::shown;
use crate::store::Store;
use crate::watch::Watch;
use highwater_core::check::Verdict;
use highwater_core::claim::Evidence;

pub(super) fn run(options: &Options, watch: &Watch<'_>) -> Result<(), Error> {
    let repository = &files::open(options)?;
    let found = files::find(repository, None, watch)?;
    files::notice_newer(repository, None, watch)?;
    let Some(first) = found.first() else { return Err(Error::damage("No files in repository")) };
    files::begins_with_full(repository, &found, None)?;
    let chain = files::stem(first);
    let Some(point) = newest_listed(repository, chain, None)? else {
        let dat = repository.told(None).join(format!("{chain}.dat"));
        return Err(Error::damage(format!(
            "{} is missing or empty: nothing says what the backup should be",
            shown(&dat)
        )));
    };
    let asked = Asked { format: &Repozo, point: Some(point), key: None };
    let plan = Plan::make(repository, asked, Depth::Digest)?;
    plan.claims
        .iter()
        .for_each(|claim| watch.note(format!("Verifying {}", shown(repository.told(Some(&claim.object))))));
    let depth = if options.quick { Depth::Size } else { Depth::Digest };
    let bad = (0..plan.claims.len()).into_par_iter().map(|at| {
        let claim = &plan.claims.get(at);
        let path = repository.told(Some(&claim.object));
        let verdict = if claim.evidence(depth) == Evidence::StoredLength {
            fits(repository, claim, None)
        } else {
            check_bytes(repository, claim, (depth, None), watch, &mut |_| {})?.0
        };
        match verdict {
            Verdict::Sound => Ok(()),
            Verdict::Damaged(damage) => Err(Error::damage(damaged(repository, claim, &damage))),
            Verdict::Unreadable(fault) => Err(Error::failed(format!("{}: {fault}", shown(&path)))),
            Verdict::Unverifiable(why) => Err(Error::failed(format!("{}: {why}", shown(&path)))),
        }
    });
    let results: Vec<Result<(), Error>> = bad.collect();
    results.into_iter().collect::<Result<(), Error>>()?;
    let links = lines(repository, chain)?;
    if let Some(name) = unnamed(&found, &links).next() {
        let path = shown(repository.told(None).join(name));
        return Err(Error::damage(format!(
            "{path} is named by no line of {chain}.dat: run a backup, which finishes it or sets it aside"
        )));
    }
    match plan.doubts.first() {
        Some(doubt) => {
            Err(Error::damage(format!("{doubt}; run a backup: it finishes an interrupted one, or sets the file aside")))
        }
        None => Ok(()),
    }
}
