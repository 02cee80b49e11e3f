//! Points in time as text: `YYYY-MM-DD-hh-mm-ss`, UTC, which sorts as time goes; a shorter one is all of a day, an hour
//! or a minute.

use crate::keep::Moment;

/// A whole one, digit for digit.
pub const STAMP: &[u8; 19] = b"dddd-dd-dd-dd-dd-dd";

/// What a shorter one leaves out, as it begins.
const BEGINS: &str = "0000-01-01-00-00-00";

/// Whether a stamp is at or before a point, which may name a whole day, hour or minute by leaving its end out.
#[must_use]
pub fn at_or_before(stem: &str, point: &str) -> bool {
    stem.get(..point.len()).unwrap_or(stem) <= point
}

/// Why a text is no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPoint {
    /// It is not written as one.
    #[error("'{0}' is no point in time: write YYYY-MM-DD[-hh[-mm[-ss]]], UTC")]
    Form(String),
    /// It is written as one, but the calendar or the clock does not have it.
    #[error("'{0}' is no point in time: there is no such {1}")]
    Impossible(String, &'static str),
}

/// Reads a point: `YYYY[-MM[-DD[-hh[-mm[-ss]]]]]`; `T`, a space or `:` may separate, a final `Z` is dropped.
///
/// # Errors
/// [`NoPoint`] says whether it is the form, or that there was no such time.
pub fn point(text: &str) -> Result<String, NoPoint> {
    let plain = text.strip_suffix('Z').unwrap_or(text).replace(['T', ' ', ':'], "-");
    let fits = plain.len() <= STAMP.len()
        && plain
            .bytes()
            .zip(STAMP)
            .all(|(byte, like)| if *like == b'd' { byte.is_ascii_digit() } else { byte == *like });
    let complete = matches!(plain.len(), 4 | 7 | 10 | 13 | 16 | 19);
    if !fits || !complete {
        return Err(NoPoint::Form(crate::name::printable(text.as_bytes())));
    }
    match impossible(&plain) {
        Some(what) => Err(NoPoint::Impossible(plain, what)),
        None => Ok(plain),
    }
}

/// When that begins which a point [as it was read](point) names: seconds since 1970. None for what is no point.
#[must_use]
pub fn begins(point: &str) -> Option<i64> {
    Moment::read(&[point, BEGINS.get(point.len()..)?].concat()).map(Moment::seconds)
}

/// The first part of a point in the right form that no calendar and no clock has. A minute may have a leap second.
fn impossible(point: &str) -> Option<&'static str> {
    let mut parts = point.split('-').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    let (year, month) = (parts.next()?, parts.next()?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return Some("month"),
    };
    if !(1..=days).contains(&parts.next()?) {
        return Some("day");
    }
    [("hour", 23), ("minute", 59), ("second", 60)]
        .into_iter()
        .find_map(|(what, most)| parts.next().filter(|part| *part > most).map(|_| what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_cover_the_whole_time_they_name() {
        let day = point("2026-11-20").unwrap();
        assert!(at_or_before("2026-11-20-23-59-59", &day) && !at_or_before("2026-11-21-00-00-00", &day));
        assert_eq!(point("2026-11-20T10:11:12Z").unwrap(), "2026-11-20-10-11-12");
        for bad in ["", "now", "2026-1-2", "2026-11-2", "2026-11-20-", "20261120", "2026-11-20-10-11-12-13"] {
            assert_eq!(point(bad), Err(NoPoint::Form(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_point_begins_with_its_first_second() {
        for (point, wanted) in [
            ("1970", Some(0)),
            ("1970-01-02-00-00-01", Some(86_401)),
            ("2024-11-06", Some(1_730_851_200)),
            ("2024-11-06-01-00", Some(1_730_854_800)),
            ("2000-02", Some(949_363_200)),
            ("2024-11-06-01-00-00-00", None),
            ("x", None),
        ] {
            assert_eq!(begins(point), wanted, "{point}");
        }
    }

    #[test]
    fn points_are_in_the_calendar() {
        for good in ["0000", "2024-02-29", "2000-02-29-00-00-60", "2026-12-31-23-59-59"] {
            assert_eq!(point(good).as_deref(), Ok(good));
        }
        for (bad, what) in [
            ("2026-13", "month"),
            ("2026-00", "month"),
            ("2026-13-40", "month"),
            ("2026-11-31", "day"),
            ("2026-02-29", "day"),
            ("1900-02-29", "day"),
            ("2026-11-00", "day"),
            ("2026-11-20-24", "hour"),
            ("2026-11-20-25-00-00", "hour"),
            ("2026-11-20-23-60", "minute"),
            ("2026-11-20-23-59-61", "second"),
        ] {
            assert_eq!(point(bad), Err(NoPoint::Impossible(bad.to_owned(), what)), "{bad}");
        }
    }
}
