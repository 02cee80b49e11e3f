//! What the properties ask of the library: jobs on the model's paths, and reports at a depth.

use highwater::backup::repozo as backup;
use highwater::drive;
use highwater::store::Store;
use highwater::watch::Watch;
use highwater_core::formats::repozo::Repozo;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::report::{Depth, Report};
use highwater_core::survey::{Options, Survey};
use highwater_tests::specimens::repozo::plain_backup;

/// The database.
pub(crate) const SOURCE: &str = "/model/Data.fs";
/// The repository.
pub(crate) const REPO: &str = "/model/repo";

/// Every depth.
pub(crate) const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

/// A plain backup of the model's source at a time. What the model calls a pack may fall back to an older state, or
/// begin anew.
pub(crate) fn backup_job(now: &str) -> backup::BackupOptions {
    backup::BackupOptions { other_source: true, ..plain_backup(now) }
}

/// What verify says of the repository at a depth.
pub(crate) fn verify(store: &dyn Store, depth: Depth) -> Report {
    survey(store, &Scope::new(Of::All).trailing(depth == Depth::Deep), depth)
}

/// What list says of the repository.
pub(crate) fn list(store: &dyn Store) -> Report {
    survey(store, &Scope::new(Of::Catalogue), Depth::List)
}

fn survey(store: &dyn Store, scope: &Scope, depth: Depth) -> Report {
    let options = Options::whole(&Repozo, "repo", depth);
    let survey = Survey::new(Repozo.inspect(scope), options);
    let survey = drive::run(store, survey, depth, &Watch::silent(), &mut |_, _| {});
    survey.expect("nobody interrupts").finish()
}
