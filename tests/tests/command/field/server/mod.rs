//! Stores are what the server's own code takes them for.

mod clock;
mod fixture;
mod healing;
mod names;
mod staging;
mod state;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: beside the server";
