//! Nothing that is stored or restored is less than it says, with exit 0.

mod known;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: quiet losses";

mod index;
mod kill_old;
mod output;
mod quick;
mod source;
