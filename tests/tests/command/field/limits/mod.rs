//! Memory, threads, signals and secrets have their bounds.

mod indices;
mod secrets;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: limits";

mod clock;
mod signals;
mod threads;
