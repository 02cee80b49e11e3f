//! Colour for a verdict, on a terminal that shows it.

use std::env;
use std::io::IsTerminal;

use highwater_core::report::Soundness;

/// The report's text as it is to be shown `on` something: on a terminal, the word that its last line begins with has a
/// colour, unless `NO_COLOR` is set (<https://no-color.org>) or the terminal has none.
pub(super) fn verdict(text: &str, verdict: Soundness, on: &impl IsTerminal) -> String {
    let has_none = env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
        || env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    if has_none || !on.is_terminal() { text.to_owned() } else { coloured(text, verdict) }
}

fn coloured(text: &str, verdict: Soundness) -> String {
    let colour = match verdict {
        Soundness::Sound => 32,
        Soundness::Damaged => 31,
        Soundness::Inconclusive => 33,
    };
    let last = text.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
    let (before, line) = text.split_at(last);
    match line.split_once(':') {
        Some((word, rest)) => format!("{before}\u{1b}[1;{colour}m{word}\u{1b}[0m:{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_begins_in_colour() {
        let shown = coloured("damaged: x\nsound: 2 points: a\n", Soundness::Sound);
        assert_eq!(shown, "damaged: x\n\u{1b}[1;32msound\u{1b}[0m: 2 points: a\n");
        assert_eq!(coloured("damaged: x", Soundness::Damaged), "\u{1b}[1;31mdamaged\u{1b}[0m: x");
        assert_eq!(coloured("", Soundness::Inconclusive), "");
    }
}
