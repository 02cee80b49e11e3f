//! Nothing that is stored or restored is less than it says, with exit 0.

mod device;
mod dry;
mod index;
mod kill_old;
mod known;
mod output;
mod point;
mod quick;
mod salvage;
mod source;
mod space;
mod sparse;
mod target;

/// The line of the scoreboard to which every test of this folder adds a part: `Score::part(LINE, "its name")`.
pub(crate) const LINE: &str = "field: quiet losses";

/// As the program writes numbers.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).expect("digits")).collect();
    parts.join(",")
}
