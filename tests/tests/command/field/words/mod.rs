//! Each refusal is one sentence that names the next step.

mod advice;
mod escapes;
mod keys;
mod kinds;
mod misplaced;
mod points;
mod verbs;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: words";
