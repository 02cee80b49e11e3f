//! `-B`.

use super::files;
use super::options::Options;
use crate::backup::repozo::{BackupOptions, backup};
use crate::error::Error;
use crate::store;
use crate::watch::Watch;

/// The level for `-z`: smaller than the original's level 9 on most databases, in less than half the time.
const LEVEL: u32 = 6;

pub(super) fn run(options: &Options, watch: &Watch<'_>) -> Result<(), Error> {
    let repository = files::open(options)?;
    files::find(&repository, None, watch)?;
    let job = BackupOptions {
        full: options.full,
        quick: options.quick,
        gzip: options.gzip.then_some(LEVEL),
        kill_old: options.kill_old,
        damaged_source: options.damaged_source,
        other_source: options.other_source,
        dry_run: false,
        now: None,
        marks: highwater_core::marks::DISTANCE,
        sums: options.verbose,
    };
    let source = store::source(&options.file)?;
    let done = backup(&job, &source, &repository, watch);
    repository.doubts().into_iter().for_each(|doubt| watch.note(doubt));
    done.map(|_| ())
}
