//! Words and numbers for people: one line, a bounded length, `1,234 points`, `1.5 GiB`.

use crate::name::printable;
use crate::report::{Depth, Soundness};

/// Writes a number with thousands separators: `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number of bytes as a person would say it: `1.5 GiB`. It rounds down, so that it never says
/// more than there is.
#[must_use]
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return count(number, "byte", "bytes");
    }
    let mut unit = 1024_u64;
    let mut name = "KiB";
    for next in UNITS.iter().skip(1) {
        if number / unit < 1024 {
            break;
        }
        unit = unit.saturating_mul(1024);
        name = next;
    }
    let tenths = u128::from(number) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// Writes a number with its noun: `1 point`, `1,234 points`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// How many there are, for [`count`].
pub(super) fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// Keeps one line one line: control and invisible characters are escaped. Backslashes stay, because a
/// name comes with its own escapes.
#[must_use]
pub fn one_line(text: &str) -> String {
    let parts: Vec<String> = text.split('\\').map(|part| printable(part.as_bytes())).collect();
    parts.join("\\")
}

/// One line of at most `longest` characters; an ellipsis stands for the rest.
pub(super) fn clip(text: &str, longest: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The first `most` names, and how many more there are of `total`.
pub(super) fn listed(names: &[String], total: u64, most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(|name| clip(name, 200)).collect();
    let rest = total.saturating_sub(len(&shown));
    match (shown.is_empty(), rest) {
        (_, 0) => shown.join(", "),
        (true, _) => thousands(rest),
        (false, _) => format!("{}, and {} more", shown.join(", "), thousands(rest)),
    }
}

/// The verdict, as the last line begins.
pub(super) fn verdict(verdict: Soundness) -> &'static str {
    match verdict {
        Soundness::Sound => "sound",
        Soundness::Inconclusive => "inconclusive",
        Soundness::Damaged => "damaged",
    }
}

/// The depth, as `--depth` takes it.
pub(super) fn depth(depth: Depth) -> &'static str {
    match depth {
        Depth::List => "list",
        Depth::Size => "size",
        Depth::Digest => "digest",
        Depth::Deep => "deep",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")] {
            assert_eq!(thousands(number), text);
        }
        for (number, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1024, "1.0 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1_610_612_736, "1.5 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn lines_stay_single_and_bounded() {
        assert_eq!(one_line("a\nb\r\u{1b}[1m\u{202e}\\xff\0"), "a\\nb\\r\\u{1b}[1m\\u{202e}\\xff\\u{0}");
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äöü…");
        let names = ["a".to_owned(), "b\n".to_owned(), "c".to_owned()];
        assert_eq!(listed(&names, 3, 5), "a, b\\n, c");
        assert_eq!(listed(&names, 1234, 2), "a, b\\n, and 1,232 more");
        assert_eq!(listed(&[], 7, 2), "7");
    }
}
