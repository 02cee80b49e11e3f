//! What counts as checked, and what the verdict says.

mod judged;
mod newest;
mod parts;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: counts and verdicts";
