//! Nothing damaged is called sound, and nothing sound damaged.

mod chains;
mod differ;
mod differ_repositories;
mod differ_stores;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: damaged or sound";
