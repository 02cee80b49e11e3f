//! Nothing damaged is called sound, and nothing sound damaged.

mod blobs;
mod chains;
mod depth;
mod differ;
mod differ_repositories;
mod differ_stores;
mod groups;
mod manifests;
mod moving;
mod names;
mod neighbours;
mod references;
mod signatures;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: damaged or sound";
