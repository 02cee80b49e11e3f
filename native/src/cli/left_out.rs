//! What a point left out when it was made, for whoever reads or restores it.

use highwater_core::left_out::LeftOut;
use highwater_core::name::Name;
use highwater_core::render::thousands;

use super::exit::Exit;
use super::out;

/// How many things are told on standard error.
const TOLD: usize = 100;

/// All that is known of it, a line each.
pub(super) fn lines(left: &LeftOut) -> impl Iterator<Item = String> {
    let more = Some(left.untold()).filter(|more| *more > 0).map(|more| format!("and {} more", thousands(more)));
    left.told.iter().cloned().chain(more)
}

/// Says on standard error what this point lacks.
pub(super) fn tell(point: &str, left: &LeftOut) {
    for what in left.told.iter().take(TOLD) {
        out::say(&format!("highwater: {point} left out when it was made: {what}"));
    }
    let more = left.total.saturating_sub(left.told.len().min(TOLD) as u64);
    if more > 0 {
        out::say(&format!("highwater: {point} left out {} more when it was made", thousands(more)));
    }
}

/// Says on standard error of which entries no restore or archive has anything, and how to end for it.
pub(super) fn tell_entries(left: &[(Name, String)]) -> Exit {
    for (path, what) in left.iter().take(TOLD) {
        out::say(&format!("highwater: left out: '{path}' is {what}, which is not restored"));
    }
    let more = left.len().saturating_sub(TOLD);
    if more > 0 {
        out::say(&format!("highwater: left out: {} more of the kind", thousands(more as u64)));
    }
    if left.is_empty() { Exit::Sound } else { Exit::Inconclusive }
}
